//! The media port: for each listen address one socket per worker, all with the same number.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, Socket, Type};

use crate::config::{NodeConfig, NodeError};
use crate::sys;

/// Asked for; the kernel grants up to its limits. 4 MiB hold 50 ms at 600 Mbit/s.
const SOCKET_BUFFER_BYTES: usize = 4 << 20;
/// How often another free port is tried when port 0 was asked for.
const FREE_PORT_TRIES: usize = 16;
/// A program that was killed may hold its port for some milliseconds more.
const BUSY_PORT_PATIENCE: Duration = Duration::from_secs(1);
const BUSY_PORT_RETRY: Duration = Duration::from_millis(50);

/// The sockets of all workers: `[worker][listen address]`.
#[derive(Debug)]
pub(crate) struct MediaPort {
    pub port: u16,
    /// The listen addresses in use; [`Path::local`](liandong_sfu_core::ids::Path) counts these.
    pub locals: Vec<IpAddr>,
    pub sockets: Vec<Vec<Socket>>,
}

impl MediaPort {
    pub(crate) fn open(config: &NodeConfig, workers: usize) -> Result<Self, NodeError> {
        if config.listen.is_empty() {
            return Err(NodeError::NothingToListenOn);
        }
        if config.listen.len() >= usize::from(u8::MAX) {
            return Err(NodeError::TooManyAddresses);
        }
        let begun = Instant::now();
        let mut tries = FREE_PORT_TRIES;
        loop {
            tries -= 1;
            match Self::open_once(config, workers) {
                // The number that was free for the first address was not for the second.
                Err(NodeError::PortBusy(_)) if config.port == 0 && tries > 0 => {}
                Err(NodeError::PortBusy(_))
                    if config.port != 0 && begun.elapsed() < BUSY_PORT_PATIENCE =>
                {
                    tries += 1;
                    std::thread::sleep(BUSY_PORT_RETRY);
                }
                other => return other,
            }
        }
    }

    fn open_once(config: &NodeConfig, workers: usize) -> Result<Self, NodeError> {
        let mut opened = Self {
            port: config.port,
            locals: Vec::new(),
            sockets: (0..workers).map(|_| Vec::new()).collect(),
        };
        for ip in &config.listen {
            match opened.add(*ip) {
                Ok(()) => {}
                // A machine without IPv6 serves IPv4 all the same.
                Err(NodeError::NoSuchAddress(_)) if ip.is_ipv6() && ip.is_unspecified() => {
                    tracing::warn!("no IPv6 on this machine: media over IPv4 only");
                }
                Err(e) => return Err(e),
            }
        }
        if opened.locals.is_empty() {
            return Err(NodeError::NothingToListenOn);
        }
        Ok(opened)
    }

    fn add(&mut self, ip: IpAddr) -> Result<(), NodeError> {
        let at = SocketAddr::new(ip, self.port);
        let explain = |e: io::Error| explain(at, e);
        for worker in 0..self.sockets.len() {
            let at = SocketAddr::new(ip, self.port);
            let socket = bind(at, worker == 0).map_err(explain)?;
            if self.port == 0 {
                let bound = socket.local_addr().map_err(explain)?;
                self.port = bound.as_socket().map_or(0, |a| a.port());
            }
            if worker == 0 {
                log_buffers(&socket, at);
            }
            self.sockets[worker].push(socket);
        }
        self.locals.push(ip);
        Ok(())
    }
}

/// The first socket of an address is bound alone and opened to sharing after
/// that: so a second node on the same port is refused instead of taking half of the datagrams.
fn bind(at: SocketAddr, first: bool) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(at), Type::DGRAM, Some(Protocol::UDP))?;
    if at.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    if !first {
        socket.set_reuse_port(true)?;
    }
    socket.bind(&at.into())?;
    socket.set_reuse_port(true)?;
    // Refusal only means smaller buffers; what was granted is logged.
    let _ = socket.set_recv_buffer_size(SOCKET_BUFFER_BYTES);
    let _ = socket.set_send_buffer_size(SOCKET_BUFFER_BYTES);
    for (name, of_v6) in [
        (libc::SO_RCVBUFFORCE, "receive"),
        (libc::SO_SNDBUFFORCE, "send"),
    ] {
        // Beyond net.core.{r,w}mem_max; for root only.
        if sys::set_option(
            socket.as_fd(),
            libc::SOL_SOCKET,
            name,
            SOCKET_BUFFER_BYTES as libc::c_int,
        )
        .is_err()
        {
            tracing::debug!(buffer = of_v6, "no permission to exceed net.core limits");
        }
    }
    Ok(socket)
}

fn explain(at: SocketAddr, e: io::Error) -> NodeError {
    match e.raw_os_error() {
        Some(libc::EADDRINUSE) => NodeError::PortBusy(at),
        Some(libc::EACCES | libc::EPERM) => NodeError::PortForbidden(at),
        Some(libc::EADDRNOTAVAIL | libc::EAFNOSUPPORT) => NodeError::NoSuchAddress(at.ip()),
        _ => NodeError::System {
            what: "a UDP socket",
            source: e,
        },
    }
}

fn log_buffers(socket: &Socket, at: SocketAddr) {
    // The kernel reports twice what payload may take (socket(7)).
    let granted = |size: io::Result<usize>| size.map_or(0, |bytes| bytes / 2 / 1024);
    tracing::info!(
        %at,
        receive_kib = granted(socket.recv_buffer_size()),
        send_kib = granted(socket.send_buffer_size()),
        wanted_kib = SOCKET_BUFFER_BYTES / 1024,
        "media socket open"
    );
}

/// What clients are told: `advertise_media`, else `advertise`, else this machine's
/// addresses that the sockets hear.
pub(crate) fn advertised(
    config: &NodeConfig,
    media: &MediaPort,
) -> Result<Vec<SocketAddr>, NodeError> {
    if !config.advertise_media.is_empty() {
        return Ok(config.advertise_media.clone());
    }
    let ips = if config.advertise.is_empty() {
        let own = sys::interface_addresses().map_err(|source| NodeError::System {
            what: "the list of interfaces",
            source,
        })?;
        own.into_iter()
            .filter(|ip| !is_link_local(*ip) && media.locals.iter().any(|l| hears(*l, *ip)))
            .collect()
    } else {
        config.advertise.clone()
    };
    if ips.is_empty() {
        return Err(NodeError::NothingToAdvertise);
    }
    Ok(ips
        .into_iter()
        .map(|ip| SocketAddr::new(ip, media.port))
        .collect())
}

fn hears(local: IpAddr, ip: IpAddr) -> bool {
    local == ip || (local.is_unspecified() && local.is_ipv4() == ip.is_ipv4())
}

fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn loopback(port: u16) -> NodeConfig {
        NodeConfig {
            listen: vec![Ipv4Addr::LOCALHOST.into()],
            port,
            ..NodeConfig::default()
        }
    }

    #[test]
    fn all_workers_share_one_port_and_nobody_else() {
        let first = MediaPort::open(&loopback(0), 3).unwrap();
        assert_ne!(first.port, 0);
        assert_eq!(first.sockets.len(), 3);
        for socket in first.sockets.iter().flatten() {
            let at = socket.local_addr().unwrap().as_socket().unwrap();
            assert_eq!(at.port(), first.port);
        }
        let second = MediaPort::open(&loopback(first.port), 3);
        let Err(e @ NodeError::PortBusy(_)) = second else {
            panic!("{second:?}");
        };
        assert!(e.to_string().contains(&first.port.to_string()), "{e}");
        drop(first);
    }

    #[test]
    fn both_families_get_the_same_number() {
        let config = NodeConfig {
            port: 0,
            ..NodeConfig::default()
        };
        let media = MediaPort::open(&config, 1).unwrap();
        let ports: Vec<u16> = media.sockets[0]
            .iter()
            .map(|s| s.local_addr().unwrap().as_socket().unwrap().port())
            .collect();
        assert!(ports.iter().all(|p| *p == media.port), "{ports:?}");
        let told = advertised(&config, &media).unwrap();
        assert!(told.contains(&SocketAddr::new(Ipv4Addr::LOCALHOST.into(), media.port)));
        assert!(told.iter().all(|a| !is_link_local(a.ip())), "{told:?}");
    }

    #[test]
    fn forwarded_addresses_are_the_only_ones_told() {
        let outside: SocketAddr = "203.0.113.9:40000".parse().unwrap();
        let config = NodeConfig {
            advertise: vec![Ipv4Addr::LOCALHOST.into()],
            advertise_media: vec![outside],
            ..loopback(0)
        };
        let media = MediaPort::open(&config, 1).unwrap();
        assert_eq!(advertised(&config, &media).unwrap(), [outside]);
    }

    #[test]
    fn foreign_address_is_named() {
        let config = NodeConfig {
            listen: vec![Ipv4Addr::new(203, 0, 113, 9).into()],
            port: 0,
            ..NodeConfig::default()
        };
        assert!(matches!(
            MediaPort::open(&config, 1),
            Err(NodeError::NoSuchAddress(_))
        ));
    }
}
