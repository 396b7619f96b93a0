//! The names and addresses that clients reach this machine by.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What a certificate has to cover; ordered, so that two can be compared.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Reachable {
    pub names: BTreeSet<String>,
    pub addresses: BTreeSet<IpAddr>,
}

impl Reachable {
    /// localhost, the host's name, all interface addresses, and the advertised ones.
    #[must_use]
    pub fn now(advertised: &[IpAddr]) -> Self {
        let mut names = BTreeSet::from(["localhost".to_owned()]);
        names.extend(host_name());
        let mut addresses = BTreeSet::from([
            IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(Ipv6Addr::LOCALHOST),
        ]);
        addresses.extend(interface_addresses());
        addresses.extend(advertised);
        Self { names, addresses }
    }

    /// Those that another machine may reach, IPv4 first; this machine's
    /// loopback when there are none.
    #[must_use]
    pub fn from_outside(&self) -> Vec<IpAddr> {
        let outside: Vec<IpAddr> = self
            .addresses
            .iter()
            .copied()
            .filter(|address| !address.is_loopback())
            .collect();
        if outside.is_empty() {
            vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]
        } else {
            outside
        }
    }
}

/// As URLs have it: IPv6 in brackets.
#[must_use]
pub fn url(address: IpAddr, port: u16) -> String {
    format!("https://{}", std::net::SocketAddr::new(address, port))
}

/// Link-local ones are left out: they need a zone, which no URL can carry.
fn interface_addresses() -> Vec<IpAddr> {
    match if_addrs::get_if_addrs() {
        Ok(interfaces) => interfaces
            .into_iter()
            .map(|interface| interface.ip())
            .filter(|address| match address {
                IpAddr::V4(v4) => !v4.is_link_local(),
                IpAddr::V6(v6) => !v6.is_unicast_link_local(),
            })
            .collect(),
        Err(error) => {
            tracing::warn!(%error, "interface addresses unknown");
            Vec::new()
        }
    }
}

/// Only a name that can stand in a certificate.
fn host_name() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    let name = name.trim().to_ascii_lowercase();
    let valid = !name.is_empty()
        && name.len() <= 253
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
    valid.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_always_covered_and_advertised_ones_are() {
        let advertised: IpAddr = "203.0.113.7".parse().unwrap();
        let reachable = Reachable::now(&[advertised]);
        assert!(reachable.names.contains("localhost"));
        for address in ["127.0.0.1", "::1", "203.0.113.7"] {
            assert!(reachable.addresses.contains(&address.parse().unwrap()));
        }
        assert!(reachable.from_outside().contains(&advertised));
    }

    #[test]
    fn addresses_become_urls() {
        assert_eq!(
            url("10.0.0.1".parse().unwrap(), 8443),
            "https://10.0.0.1:8443"
        );
        assert_eq!(url("::1".parse().unwrap(), 1), "https://[::1]:1");
    }
}
