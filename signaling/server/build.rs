//! The console is embedded from a folder that has to exist, built or not.

fn main() -> std::io::Result<()> {
    let dist = "../../web-console/dist";
    println!("cargo:rerun-if-changed={dist}");
    std::fs::create_dir_all(dist)
}
