//! What is printed at the start: where to go and how to get in.

use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};
use std::net::IpAddr;
use std::path::Path;

use liandong_protocol::{Role, Tier};
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;

use super::passwords::Demo;
use crate::config::{Account, Config};
use crate::tls::addresses::{Reachable, url};

/// Whether to print the code for phones.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Printing {
    /// When the output is a terminal: in a log file it is only noise.
    QrOnTerminal,
    QrAlways,
}

/// Prints it.
pub fn print(
    config: &Config,
    data: &Path,
    reachable: &Reachable,
    demo: Option<&Demo>,
    printing: Printing,
) {
    let mut out = std::io::stdout().lock();
    let qr = match printing {
        Printing::QrAlways => true,
        Printing::QrOnTerminal => out.is_terminal(),
    };
    let text = text(config, data, reachable, demo, qr);
    // Nobody may be reading: that is no reason not to run.
    drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}

fn text(
    config: &Config,
    data: &Path,
    reachable: &Reachable,
    demo: Option<&Demo>,
    qr: bool,
) -> String {
    let port = config.network.https_port;
    let listen = config.network.listen;
    let addresses: Vec<IpAddr> = if listen.is_unspecified() {
        reachable.from_outside()
    } else {
        vec![listen]
    };
    let mut text = format!(
        "\nLiandong 联动 {} · {}\n",
        env!("CARGO_PKG_VERSION"),
        config.county_name
    );
    for address in &addresses {
        let _ = writeln!(text, "  {}", url(*address, port));
    }
    if listen.is_unspecified() {
        let _ = writeln!(text, "  https://localhost:{port}");
    }
    let _ = writeln!(
        text,
        "  media: UDP port {}; data: {}",
        config.network.media_port,
        data.display()
    );
    if config.tls_files.is_none() {
        let _ = writeln!(text, "  authority to trust on other devices: /ca.pem");
    }
    if let Some(demo) = demo {
        logins(&mut text, config, demo);
    }
    if qr && let Some(address) = phone_address(&addresses) {
        code(&mut text, &url(address, port));
    }
    text.push('\n');
    text
}

fn logins(text: &mut String, config: &Config, demo: &Demo) {
    let _ = writeln!(
        text,
        "\nDemo logins 演示登录 · password 密码: {}",
        demo.password
    );
    let first = |fits: &dyn Fn(&Account) -> bool| config.accounts.values().find(|a| fits(a));
    // The last of each, which the simulated sites take last of all.
    let of_tier = |tier: Tier| {
        config.accounts.values().rfind(|account| {
            account.id.0 == account.site.0
                && config.site(&account.site).is_some_and(|s| s.tier == tier)
        })
    };
    let shown = [
        (
            "county 县",
            first(&|account| account.role == Role::Commander),
        ),
        ("township 乡镇", of_tier(Tier::Township)),
        ("community 社区", of_tier(Tier::Community)),
        ("phone 手机", first(&|account| account.role == Role::Field)),
    ];
    for (what, account) in shown {
        if let Some(account) = account {
            let _ = writeln!(text, "  {what:<14} {:<14} {}", account.id.0, account.name);
        }
    }
    let _ = writeln!(text, "  all of them: {}", demo.file.display());
}

/// A phone is rather in the same network than on IPv6 from afar.
fn phone_address(addresses: &[IpAddr]) -> Option<IpAddr> {
    addresses
        .iter()
        .find(|address| address.is_ipv4())
        .or_else(|| addresses.first())
        .copied()
}

fn code(text: &mut String, url: &str) {
    if let Ok(code) = QrCode::new(url) {
        // Light modules are drawn, since terminals are mostly dark.
        let image = code
            .render::<Dense1x2>()
            .dark_color(Dense1x2::Light)
            .light_color(Dense1x2::Dark)
            .build();
        let _ = writeln!(text, "\nPhone 手机扫码: {url}\n{image}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Overrides;

    #[test]
    fn newcomer_finds_address_logins_and_code() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../deploy/nanjiang/liandong.toml"
        );
        let config = Config::load(Path::new(path), &Overrides::default()).unwrap();
        let demo = Demo {
            password: "bado-kini-07".into(),
            file: "data/demo-logins.txt".into(),
        };
        let reachable = Reachable::now(&["192.0.2.9".parse().unwrap()]);
        let text = text(&config, Path::new("data"), &reachable, Some(&demo), true);
        for part in [
            "https://192.0.2.9:8443",
            "bado-kini-07",
            "commander",
            "511922133 ",
            "511922133001",
            "field1",
            "▄",
        ] {
            assert!(text.contains(part), "{part} not in {text}");
        }
    }
}
