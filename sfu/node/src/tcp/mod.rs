//! ICE over TCP (RFC 6544) of one worker: connections whose first check named a peer of this
//! worker.
//!
//! A connection is a path. Once the engine owns that path, the connection lives as long
//! as the engine holds on to it; until then only for a short time.

mod arrival;
mod framing;
mod queue;

pub(crate) use arrival::{Arrivals, Arrived};

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use liandong_sfu_core::api::Datagram;
use liandong_sfu_core::ids::Path;
use slab::Slab;
use socket2::SockRef;

use crate::epoll::{Epoll, Readiness};
use crate::figures::WorkerFigures;
use crate::sys::{self, Ready};
use arrival::Place;
use framing::Deframer;
use queue::SendQueue;

/// What a connection may bring at one turn.
const READ_BYTES: usize = 32 << 10;
/// A verified check has to come within this time of the first one.
const PROOF_TIME: Duration = Duration::from_secs(10);
/// What the kernel may hold that is not on the line yet: the rest waits here, where it can be dropped.
const UNSENT_BYTES: libc::c_int = 16 << 10;

/// The connections of one worker.
#[derive(Debug)]
pub(crate) struct Tcp {
    epoll: Epoll,
    connections: Slab<Connection>,
    by_remote: HashMap<SocketAddr, usize>,
    /// Connections with something new in their queues.
    touched: Vec<usize>,
    ready: Vec<Readiness>,
    /// Those that may still lack proof, by deadline.
    unproven: Vec<(Instant, Path)>,
    /// Connections that ended by themselves: the engine should know.
    closed: Vec<Path>,
    buffer: Box<[u8]>,
}

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    remote: SocketAddr,
    deframer: Deframer,
    queue: SendQueue,
    /// Its place among the unproven connections.
    place: Option<Place>,
    waits_for_room: bool,
    touched: bool,
}

/// Why a connection ends by our doing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Ended {
    /// By the far end, or broken.
    Far,
    Malformed,
}

impl Tcp {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            epoll: Epoll::new()?,
            connections: Slab::new(),
            by_remote: HashMap::new(),
            touched: Vec::new(),
            ready: Vec::new(),
            unproven: Vec::new(),
            closed: Vec::new(),
            buffer: vec![0; READ_BYTES].into_boxed_slice(),
        })
    }

    /// To wait on.
    pub(crate) fn readable(&self) -> Ready {
        Ready::to_read(&self.epoll)
    }

    /// Takes a connection over, and shows what it has brought so far.
    pub(crate) fn add(
        &mut self,
        now: Instant,
        arrived: Arrived,
        figures: &WorkerFigures,
        mut each: impl FnMut(Path, &mut [u8]),
    ) {
        let Arrived {
            stream,
            remote,
            mut bytes,
            place,
        } = arrived;
        // A second one from there: the first cannot be alive any more.
        self.close(remote);
        let entry = self.connections.vacant_entry();
        let key = entry.key();
        if let Err(error) = prepare(&stream).and_then(|()| self.epoll.add(&stream, key)) {
            tracing::debug!(%remote, %error, "TCP connection not taken");
            return;
        }
        let connection = entry.insert(Connection {
            stream,
            remote,
            deframer: Deframer::default(),
            queue: SendQueue::default(),
            place: Some(place),
            waits_for_room: false,
            touched: false,
        });
        let path = path(remote);
        self.by_remote.insert(remote, key);
        self.unproven.push((now + PROOF_TIME, path));
        let taken = connection.deframer.take(&mut bytes, |d| each(path, d));
        if taken.is_err() {
            self.end(key, Ended::Malformed, figures);
        }
        figures.tcp_connections.set(self.connections.len() as u64);
    }

    /// Reads from and writes to the connections that are ready.
    pub(crate) fn turn(&mut self, figures: &WorkerFigures, mut each: impl FnMut(Path, &mut [u8])) {
        let mut ready = std::mem::take(&mut self.ready);
        self.epoll.ready(&mut ready);
        for ready in &ready {
            let Some(connection) = self.connections.get_mut(ready.key) else {
                continue; // ended within this turn
            };
            let mut result = Ok(());
            if ready.write {
                result = connection.write(&self.epoll, ready.key);
            }
            if result.is_ok() && ready.read {
                result = connection.read(&mut self.buffer, figures, &mut each);
            }
            if let Err(why) = result {
                self.end(ready.key, why, figures);
            }
        }
        self.ready = ready;
    }

    /// Queues what goes by TCP and writes as much as the connections take.
    pub(crate) fn send(&mut self, bytes: &[u8], datagrams: &[Datagram], figures: &WorkerFigures) {
        if self.connections.is_empty() {
            return;
        }
        for datagram in datagrams.iter().filter(|d| d.to.is_tcp()) {
            let Some(&key) = self.by_remote.get(&datagram.to.remote) else {
                figures.dropped_tcp_gone.add(1);
                continue;
            };
            let Some(connection) = self.connections.get_mut(key) else {
                continue; // they come and go together
            };
            let payload = &bytes[datagram.start as usize..][..usize::from(datagram.len)];
            let dropped = connection.queue.push(payload, datagram.video);
            figures.dropped_tcp_full.add(dropped);
            figures.sent_datagrams.add(1);
            figures.sent_bytes.add(payload.len() as u64);
            if !connection.touched {
                connection.touched = true;
                self.touched.push(key);
            }
        }
        while let Some(key) = self.touched.pop() {
            let Some(connection) = self.connections.get_mut(key) else {
                continue;
            };
            connection.touched = false;
            if !connection.waits_for_room
                && let Err(why) = connection.write(&self.epoll, key)
            {
                self.end(key, why, figures);
            }
        }
    }

    /// A verified check came by it.
    pub(crate) fn proven(&mut self, path: Path) {
        if let Some(&key) = self.by_remote.get(&path.remote)
            && let Some(connection) = self.connections.get_mut(key)
        {
            connection.place = None;
        }
    }

    /// The engine has no use for it any more. What is queued, a goodbye perhaps, gets one chance.
    pub(crate) fn release(&mut self, path: Path, figures: &WorkerFigures) {
        if let Some(&key) = self.by_remote.get(&path.remote)
            && let Some(connection) = self.connections.get_mut(key)
        {
            // It ends in any case.
            let _ = connection.write(&self.epoll, key);
        }
        self.close(path.remote);
        figures.tcp_connections.set(self.connections.len() as u64);
    }

    /// Ends connections that brought no verified check in time.
    pub(crate) fn expire(&mut self, now: Instant, figures: &WorkerFigures) {
        let mut at = 0;
        while let Some(&(deadline, path)) = self.unproven.get(at) {
            if deadline > now {
                at += 1;
                continue;
            }
            self.unproven.swap_remove(at);
            let key = self.by_remote.get(&path.remote).copied();
            let idle = key.and_then(|key| self.connections.get(key));
            // Another connection from the same address has its own, later deadline.
            let later = self.unproven.iter().any(|(_, other)| *other == path);
            if idle.is_some_and(|c| c.place.is_some()) && !later {
                figures.tcp_unproven.add(1);
                self.close(path.remote);
            }
        }
        figures.tcp_connections.set(self.connections.len() as u64);
    }

    /// When to call [`Self::expire`].
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.unproven.iter().map(|(deadline, _)| *deadline).min()
    }

    /// Connections that ended since the last call.
    pub(crate) fn closed(&mut self) -> impl Iterator<Item = Path> {
        self.closed.drain(..)
    }

    fn end(&mut self, key: usize, why: Ended, figures: &WorkerFigures) {
        if why == Ended::Malformed {
            figures.dropped_tcp_malformed.add(1);
        }
        if let Some(connection) = self.connections.get(key) {
            let remote = connection.remote;
            self.closed.push(path(remote));
            self.close(remote);
        }
        figures.tcp_connections.set(self.connections.len() as u64);
    }

    fn close(&mut self, remote: SocketAddr) {
        if let Some(key) = self.by_remote.remove(&remote) {
            self.connections.try_remove(key);
        }
    }
}

impl Connection {
    /// One buffer at most, so that nobody keeps the worker.
    fn read(
        &mut self,
        buffer: &mut [u8],
        figures: &WorkerFigures,
        each: &mut impl FnMut(Path, &mut [u8]),
    ) -> Result<(), Ended> {
        let n = match self.stream.read(buffer) {
            Ok(0) => return Err(Ended::Far),
            Ok(n) => n,
            Err(e) if is_transient(&e) => return Ok(()),
            Err(_) => return Err(Ended::Far),
        };
        let from = path(self.remote);
        let mut datagrams = 0;
        let taken = self.deframer.take(&mut buffer[..n], |datagram| {
            datagrams += 1;
            each(from, datagram);
        });
        figures.received_datagrams.add(datagrams);
        figures.received_bytes.add(n as u64);
        taken.map_err(|_| Ended::Malformed)
    }

    fn write(&mut self, epoll: &Epoll, key: usize) -> Result<(), Ended> {
        let mut full = false;
        while !self.queue.is_empty() && !full {
            match self.stream.write_vectored(&self.queue.slices()) {
                Ok(0) => return Err(Ended::Far),
                Ok(n) => self.queue.written(n),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => full = true,
                Err(_) => return Err(Ended::Far),
            }
        }
        if self.waits_for_room != full {
            let changed = epoll.change(&self.stream, key, full);
            changed.map_err(|_| Ended::Far)?;
            self.waits_for_room = full;
        }
        Ok(())
    }
}

fn path(remote: SocketAddr) -> Path {
    Path {
        local: Path::TCP,
        remote,
    }
}

fn is_transient(e: &io::Error) -> bool {
    matches!(
        e.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}

fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nonblocking(true)?;
    SockRef::from(stream).set_tcp_nodelay(true)?;
    sys::set_option(
        stream.as_fd(),
        libc::IPPROTO_TCP,
        libc::TCP_NOTSENT_LOWAT,
        UNSENT_BYTES,
    )
}
