//! TCP and TLS: accepts, limits, times out, and hands HTTP on; media that comes by TCP
//! goes to the media node.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::FromRequestParts;
use http::request::Parts;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use liandong_sfu_node::Node;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::auth::rate::network;
use crate::config::Network;

const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// For the head of a request, and idle between requests.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// The first byte of a TLS record (RFC 8446 §5.1), far above the length of an ICE check, with
/// which media by TCP begins (RFC 4571 §2).
const TLS_HANDSHAKE: u8 = 22;
const MAX_CHECK_HIGH_BYTE: u8 = 2;
const MAX_HEAD_BYTES: usize = 32 * 1024;
const MAX_STREAMS: u32 = 64;
const BUSY_PORT_PATIENCE: Duration = Duration::from_secs(1);
const BUSY_PORT_RETRY: Duration = Duration::from_millis(50);
const BACKLOG: i32 = 1_024;
/// How long open requests may take to end when the server stops.
const GRACE: Duration = Duration::from_secs(3);

/// Where a request comes from.
#[derive(Clone, Copy, Debug)]
pub struct Remote(pub SocketAddr);

impl<S: Sync> FromRequestParts<S> for Remote {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        // The listener puts it into every request; a router without it is a test.
        let unknown = Remote(SocketAddr::from(([0, 0, 0, 0], 0)));
        Ok(parts.extensions.get().copied().unwrap_or(unknown))
    }
}

/// Why the port cannot be had; each says its mend in one line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListenError {
    #[error("port {0} is in use: stop the other program or choose another with --https-port")]
    PortBusy(u16),
    #[error("no permission for port {0}: choose one of 1024 or more with --https-port")]
    PortForbidden(u16),
    #[error("this machine has no address {0}: correct --listen")]
    NoSuchAddress(IpAddr),
    #[error("cannot listen on {address}: {source}")]
    System {
        address: SocketAddr,
        source: std::io::Error,
    },
}

/// Opens the port. `::` takes IPv4 too; without IPv6 on the machine, IPv4 only.
///
/// # Errors
/// See [`ListenError`].
pub fn listen(network: &Network) -> Result<TcpListener, ListenError> {
    let address = SocketAddr::new(network.listen, network.https_port);
    bind_patiently(address)
        .or_else(|error| match (network.listen, error.raw_os_error()) {
            (IpAddr::V6(v6), Some(EAFNOSUPPORT)) if v6.is_unspecified() => {
                bind_patiently(SocketAddr::from(([0, 0, 0, 0], network.https_port)))
            }
            _ => Err(error),
        })
        .map_err(|source| match source.kind() {
            std::io::ErrorKind::AddrInUse => ListenError::PortBusy(network.https_port),
            std::io::ErrorKind::PermissionDenied => ListenError::PortForbidden(network.https_port),
            std::io::ErrorKind::AddrNotAvailable => ListenError::NoSuchAddress(network.listen),
            _ => ListenError::System { address, source },
        })
}

/// A server that was killed may hold its port for some milliseconds more.
fn bind_patiently(address: SocketAddr) -> std::io::Result<TcpListener> {
    let begun = Instant::now();
    loop {
        match bind(address) {
            Err(error)
                if error.kind() == std::io::ErrorKind::AddrInUse
                    && begun.elapsed() < BUSY_PORT_PATIENCE =>
            {
                std::thread::sleep(BUSY_PORT_RETRY);
            }
            other => return other,
        }
    }
}

/// Linux: address family not supported.
const EAFNOSUPPORT: i32 = 97;

fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    use socket2::{Domain, Protocol, Socket, Type};
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    // A restart must not wait for the old connections' last packets.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// How many connections there are, all in all and by address.
#[derive(Debug)]
struct Connections {
    limit: usize,
    limit_per_address: usize,
    open: Mutex<(usize, HashMap<IpAddr, usize>)>,
}

/// One place among the connections; free again when dropped.
struct Place {
    connections: Arc<Connections>,
    address: IpAddr,
}

impl Connections {
    fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let address = network(address);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let (total, by_address) = &mut *open;
        let own = by_address.get(&address).copied().unwrap_or_default();
        if *total >= self.limit || own >= self.limit_per_address {
            return None;
        }
        *total += 1;
        by_address.insert(address, own + 1);
        Some(Place {
            connections: Arc::clone(self),
            address,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self
            .connections
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let (total, by_address) = &mut *open;
        *total -= 1;
        if let Some(own) = by_address.get_mut(&self.address) {
            *own -= 1;
            if *own == 0 {
                by_address.remove(&self.address);
            }
        }
    }
}

/// Serves until `stopping` changes, then lets open requests end.
pub async fn serve(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    router: Router,
    node: Node,
    network: &Network,
    mut stopping: watch::Receiver<bool>,
) {
    let connections = Arc::new(Connections {
        limit: network.max_connections,
        limit_per_address: network.max_connections_per_address,
        open: Mutex::default(),
    });
    let acceptor = TlsAcceptor::from(tls);
    let mut tasks = tokio::task::JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = tasks.join_next(), if !tasks.is_empty() => continue,
            () = told(&mut stopping) => break,
        };
        let (stream, remote) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of descriptors, say: trying at once would only burn the processor.
                tracing::warn!(%error, "connection not accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Some(place) = connections.enter(remote.ip()) else {
            tracing::warn!(%remote, "too many connections");
            continue;
        };
        let connection = Connection {
            stream,
            remote,
            acceptor: acceptor.clone(),
            router: router.clone(),
            node: node.clone(),
        };
        let mut stopping = stopping.clone();
        tasks.spawn(async move {
            let _place = place;
            connection.run(&mut stopping).await;
        });
    }
    drop(listener);
    let ended = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, ended).await.is_err() {
        tracing::debug!("connections cut off");
    }
}

struct Connection {
    stream: TcpStream,
    remote: SocketAddr,
    acceptor: TlsAcceptor,
    router: Router,
    node: Node,
}

/// What a connection speaks, by its first byte.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Speaks {
    Tls,
    Media,
    Neither,
}

impl Speaks {
    fn of(first: u8) -> Self {
        match first {
            TLS_HANDSHAKE => Self::Tls,
            0..=MAX_CHECK_HIGH_BYTE => Self::Media,
            _ => Self::Neither,
        }
    }
}

/// Waits for the first byte, which stays where it is; `None`: none came.
async fn first_byte(stream: &TcpStream) -> Option<u8> {
    let mut first = [0];
    let peeked = tokio::time::timeout(HANDSHAKE_TIMEOUT, stream.peek(&mut first)).await;
    matches!(peeked, Ok(Ok(1))).then_some(first[0])
}

impl Connection {
    async fn run(self, stopping: &mut watch::Receiver<bool>) {
        let remote = self.remote;
        match first_byte(&self.stream).await.map(Speaks::of) {
            Some(Speaks::Tls) => {}
            Some(Speaks::Media) => return self.node.accept_tcp(self.stream).await,
            Some(Speaks::Neither) | None => {
                tracing::debug!(%remote, "neither TLS nor media");
                return;
            }
        }
        // Replies and pushes are small and urgent.
        if let Err(error) = self.stream.set_nodelay(true) {
            tracing::debug!(%remote, %error, "no TCP_NODELAY");
        }
        let handshake = tokio::time::timeout(HANDSHAKE_TIMEOUT, self.acceptor.accept(self.stream));
        let stream = match handshake.await {
            Ok(Ok(stream)) => stream,
            // Scanners, and phones that do not trust the authority yet.
            Ok(Err(error)) => {
                tracing::debug!(%remote, %error, "no TLS");
                return;
            }
            Err(_) => {
                tracing::debug!(%remote, "TLS handshake timed out");
                return;
            }
        };
        let router = self.router;
        let service =
            tower::service_fn(move |mut request: http::Request<hyper::body::Incoming>| {
                request.extensions_mut().insert(Remote(remote));
                tower::ServiceExt::oneshot(router.clone(), request)
            });
        let builder = builder();
        let serving = builder.serve_connection_with_upgrades(
            TokioIo::new(stream),
            TowerToHyperService::new(service),
        );
        tokio::pin!(serving);
        tokio::select! {
            result = serving.as_mut() => log_end(remote, result),
            () = told(stopping) => {
                serving.as_mut().graceful_shutdown();
                log_end(remote, serving.await);
            }
        }
    }
}

/// Completes when the server stops, or whoever could say so is gone.
async fn told(stopping: &mut watch::Receiver<bool>) {
    drop(stopping.wait_for(|stop| *stop).await);
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(32 * 1024)
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(20));
    builder
}

fn log_end(remote: SocketAddr, result: Result<(), Box<dyn std::error::Error + Send + Sync>>) {
    if let Err(error) = result {
        tracing::debug!(%remote, %error, "connection ended");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_byte_tells_tls_from_media() {
        for first in 0..=255 {
            let expected = match first {
                0..=2 => Speaks::Media,
                22 => Speaks::Tls,
                _ => Speaks::Neither,
            };
            assert_eq!(Speaks::of(first), expected, "{first}");
        }
    }

    #[test]
    fn places_are_limited_in_all_and_by_address_and_come_back() {
        let connections = Arc::new(Connections {
            limit: 3,
            limit_per_address: 2,
            open: Mutex::default(),
        });
        let (a, b): (IpAddr, IpAddr) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
        let first = connections.enter(a);
        let second = connections.enter(a);
        assert!(first.is_some() && second.is_some());
        assert!(connections.enter(a).is_none(), "two per address");
        let third = connections.enter(b);
        assert!(third.is_some());
        assert!(connections.enter(b).is_none(), "three in all");
        drop(first);
        assert!(connections.enter(b).is_some());
    }
}
