//! What an operator can set about a media node.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use serde::Deserialize;

/// More workers than this are never started: worker numbers travel as a byte
/// and sets of workers as 64 bits.
pub const MAX_WORKERS: usize = 64;

/// Configuration of one media node.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct NodeConfig {
    /// Addresses to receive media on. An unspecified IPv6 address is left out
    /// where the machine has no IPv6.
    pub listen: Vec<IpAddr>,
    /// The one UDP port for everybody. 0: any free one, see [`Node::port`](crate::Node::port).
    pub port: u16,
    /// Addresses that clients are told to reach the node at. Empty: all of this
    /// machine's interface addresses but link-local ones, loopback included so that
    /// clients on the same machine work.
    pub advertise: Vec<IpAddr>,
    /// Where there is one: the only addresses that clients are told, each with its port, as
    /// behind a router that forwards a port of its own. Wins over `advertise`.
    pub advertise_media: Vec<SocketAddr>,
    /// Where the program listens for TCP and passes on what is not TLS by
    /// [`Node::accept_tcp`](crate::Node::accept_tcp). `None`: media by UDP only.
    pub tcp_port: Option<u16>,
    /// Worker threads. 0: one per core.
    pub workers: usize,
    /// Bounds on what clients can make the node hold.
    pub limits: Limits,
}

/// Bounds on what clients can make a node hold.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Peers on the whole node; further offers are refused.
    pub peers: u32,
    /// Offers that wait for one worker; further ones are refused at once.
    pub waiting_offers: usize,
    /// A room stays on one worker until that worker has this many of its peers.
    pub peers_before_spreading: u32,
    /// Events that the signaling side has not taken yet. When full, statistics and
    /// speaking indications are dropped; connects and disconnects wait.
    pub waiting_events: usize,
}

impl Default for NodeConfig {
    fn default() -> Self {
        Self {
            listen: vec![Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()],
            port: 7882,
            advertise: Vec::new(),
            advertise_media: Vec::new(),
            tcp_port: None,
            workers: 0,
            limits: Limits::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            peers: 4_000,
            waiting_offers: 512,
            peers_before_spreading: 16,
            waiting_events: 4_096,
        }
    }
}

impl NodeConfig {
    /// How many workers to start, given the number of cores.
    pub(crate) fn worker_count(&self, cores: usize) -> Result<usize, NodeError> {
        match self.workers {
            0 => Ok(cores.clamp(1, MAX_WORKERS)),
            n if n <= MAX_WORKERS => Ok(n),
            n => Err(NodeError::TooManyWorkers(n)),
        }
    }
}

/// Why a node did not start; each says its mend in one line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    #[error(
        "UDP port {port} is in use on {ip}: stop the other program or set another media port",
        ip = .0.ip(), port = .0.port()
    )]
    PortBusy(SocketAddr),
    #[error("no permission for UDP {0}: set a media port of 1024 or more")]
    PortForbidden(SocketAddr),
    #[error("this machine has no address {0}: correct the media node's `listen`")]
    NoSuchAddress(IpAddr),
    #[error("nothing to listen on: give the media node's `listen` at least one address")]
    NothingToListenOn,
    #[error("more than {max} listen addresses: listen on 0.0.0.0 and :: instead", max = u8::MAX - 1)]
    TooManyAddresses,
    #[error(
        "no address to advertise: set the media node's `advertise` to an address that clients reach"
    )]
    NothingToAdvertise,
    #[error("{0} workers wanted, {max} are possible: lower the media node's `workers`", max = MAX_WORKERS)]
    TooManyWorkers(usize),
    #[error("cannot make the node's certificate: {0}")]
    Certificate(String),
    #[error("the system refused {what}: {source}")]
    System {
        what: &'static str,
        source: std::io::Error,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_worker_per_core_unless_told() {
        let config = NodeConfig::default();
        assert_eq!(config.worker_count(2).unwrap(), 2);
        assert_eq!(config.worker_count(1_000).unwrap(), MAX_WORKERS);
        let three = NodeConfig {
            workers: 3,
            ..NodeConfig::default()
        };
        assert_eq!(three.worker_count(2).unwrap(), 3);
        let many = NodeConfig {
            workers: 65,
            ..NodeConfig::default()
        };
        assert!(matches!(
            many.worker_count(2),
            Err(NodeError::TooManyWorkers(65))
        ));
    }
}
