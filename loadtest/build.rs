//! Builds the bridge to the system's libvpx and libopus. It is compiled against
//! their headers, so the structures fit whichever version is installed.

use std::path::Path;

fn main() {
    println!("cargo:rerun-if-changed=shim/codecs.c");
    let headers = ["vpx/vp8cx.h", "vpx/vp8dx.h", "opus/opus.h"];
    let roots = ["/usr/include", "/usr/local/include"];
    let mut build = cc::Build::new();
    for header in headers {
        let found = roots
            .iter()
            .any(|root| Path::new(root).join(header).exists());
        if !found && std::env::var_os("CPATH").is_none() {
            println!(
                "cargo:warning={header} is missing: apt-get install libvpx-dev libopus-dev \
                 (or name its folder in CPATH)"
            );
        }
    }
    build.file("shim/codecs.c").compile("liandong_codecs");
    println!("cargo:rustc-link-lib=vpx");
    println!("cargo:rustc-link-lib=opus");
}
