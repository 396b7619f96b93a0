//! From a TCP connection's first byte to the worker that it belongs to.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use liandong_sfu_core::ids::WorkerIndex;
use liandong_sfu_core::transport::{MAX_CHECK, ufrag_of_request, worker_of_ufrag};
use tokio::io::AsyncReadExt as _;

use super::framing::{LENGTH, frame_len};

/// A connection has to bring its first check within this time, all of it.
const FIRST_FRAME_TIME: Duration = Duration::from_secs(5);
/// The most that one address may have of connections without a verified check.
const UNPROVEN_PER_ADDRESS: usize = 64;
/// And all addresses together.
const UNPROVEN: usize = 2_048;

/// A connection on its way to a worker.
#[derive(Debug)]
pub(crate) struct Arrived {
    pub stream: TcpStream,
    /// IPv4 as itself, not mapped.
    pub remote: SocketAddr,
    /// What it has brought: a whole check at least.
    pub bytes: Vec<u8>,
    pub place: Place,
}

/// Counts the connections that have not shown yet whose they are.
#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    open: Mutex<Open>,
    /// Too many at once.
    pub refused: AtomicU64,
    /// No check came in time, or of no peer of this node.
    pub strangers: AtomicU64,
}

#[derive(Debug, Default)]
struct Open {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// One place among the unproven connections; free again when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    arrivals: Arc<Arrivals>,
    address: IpAddr,
}

impl Arrivals {
    fn enter(self: &Arc<Self>, ip: IpAddr) -> Option<Place> {
        let address = network(ip);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let own = open.by_address.get(&address).copied().unwrap_or(0);
        if open.all >= UNPROVEN || own >= UNPROVEN_PER_ADDRESS {
            return None;
        }
        open.all += 1;
        open.by_address.insert(address, own + 1);
        Some(Place {
            arrivals: Arc::clone(self),
            address,
        })
    }

    /// Reads the first check of a connection, which says whose it is.
    pub(crate) async fn receive(
        self: &Arc<Self>,
        mut stream: tokio::net::TcpStream,
    ) -> Option<(WorkerIndex, Arrived)> {
        let remote = stream.peer_addr().ok()?;
        let remote = SocketAddr::new(remote.ip().to_canonical(), remote.port());
        let Some(place) = self.enter(remote.ip()) else {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return None;
        };
        let first = tokio::time::timeout(FIRST_FRAME_TIME, first_check(&mut stream)).await;
        let Ok(Some((worker, bytes))) = first else {
            self.strangers.fetch_add(1, Ordering::Relaxed);
            return None;
        };
        let arrived = Arrived {
            stream: stream.into_std().ok()?,
            remote,
            bytes,
            place,
        };
        Some((worker, arrived))
    }
}

/// `None`: the first frame is not a check with a user fragment of ours.
async fn first_check(stream: &mut tokio::net::TcpStream) -> Option<(WorkerIndex, Vec<u8>)> {
    let mut bytes = Vec::with_capacity(LENGTH + MAX_CHECK);
    loop {
        if let Some(whole) = frame_len(&bytes).ok()? {
            if whole > LENGTH + MAX_CHECK {
                return None;
            }
            if let Some(check) = bytes.get(LENGTH..whole) {
                let worker = worker_of_ufrag(ufrag_of_request(check)?)?;
                return Some((worker, bytes));
            }
        }
        let room = (LENGTH + MAX_CHECK).checked_sub(bytes.len())?;
        let read = (&mut *stream).take(room as u64).read_buf(&mut bytes).await;
        if read.ok()? == 0 {
            return None;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let open = &self.arrivals.open;
        let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
        open.all = open.all.saturating_sub(1);
        if let Some(own) = open.by_address.get_mut(&self.address) {
            *own -= 1;
            if *own == 0 {
                open.by_address.remove(&self.address);
            }
        }
    }
}

/// What one subscriber has: an IPv4 address, or 64 bits of an IPv6 one.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & (u128::MAX << 64)).into()),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_limited_by_network_and_come_back() {
        let arrivals = Arc::new(Arrivals::default());
        let (a, neighbour, b): (IpAddr, IpAddr, IpAddr) = (
            "2001:db8::1".parse().unwrap(),
            "2001:db8::2".parse().unwrap(),
            "192.0.2.1".parse().unwrap(),
        );
        let mut places: Vec<Place> = (0..UNPROVEN_PER_ADDRESS)
            .map(|_| arrivals.enter(a).unwrap())
            .collect();
        assert!(arrivals.enter(neighbour).is_none());
        let other = arrivals.enter(b).unwrap();
        places.pop();
        places.push(arrivals.enter(neighbour).unwrap());
        drop((places, other));
        let open = arrivals.open.lock().unwrap();
        assert_eq!((open.all, open.by_address.len()), (0, 0));
    }
}
