//! The sockets' side: what all clients of one proxy share.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::conditions::Conditions;
use crate::control::Command;
use crate::link::{Fate, Link};
use crate::{tcp, udp};

/// A direction.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Way {
    /// From the client to the server.
    Up,
    /// From the server to the client.
    Down,
}

/// What happened so far, over all clients.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counters {
    pub up: Passed,
    pub down: Passed,
    /// UDP clients and TCP connections since the start.
    pub udp_clients: u64,
    pub tcp_connections: u64,
    /// Datagrams that came while UDP was blocked.
    pub blocked: u64,
    /// Upstream sockets changed.
    pub rebound: u64,
}

/// One direction.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Passed {
    /// Datagrams that were let through.
    pub datagrams: u64,
    pub bytes: u64,
    pub stream_bytes: u64,
    pub lost: u64,
    pub overflow: u64,
    pub policed: u64,
}

/// What a test can change.
#[derive(Clone, Debug, Default)]
pub(crate) struct Setting {
    pub(crate) up: Conditions,
    pub(crate) down: Conditions,
    pub(crate) udp: bool,
    pub(crate) tcp: bool,
    /// Counts the wishes for new upstream sockets.
    pub(crate) rebinds: u64,
    /// The client's port that the last wish was for; without one it was for all.
    pub(crate) rebind_only: Option<u16>,
    /// The address of the upstream sockets; any without one.
    pub(crate) from: Option<IpAddr>,
}

/// What every client's task holds.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    pub(crate) setting: watch::Receiver<Setting>,
    pub(crate) server: SocketAddr,
    seed: u64,
    started: Instant,
    counters: Arc<Mutex<Counters>>,
}

impl Shared {
    pub(crate) fn now(&self) -> Duration {
        self.started.elapsed()
    }

    pub(crate) fn moment(&self, at: Duration) -> Instant {
        self.started + at
    }

    pub(crate) fn count<T>(&self, change: impl FnOnce(&mut Counters) -> T) -> T {
        // Plain counters: good to read whatever happened to another holder.
        change(&mut self.counters.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The line of the n-th client.
    pub(crate) fn line(&self, number: u64) -> Line {
        let setting = self.setting.borrow();
        // Far apart, so that neighbouring seeds share no client.
        let seed = self.seed.wrapping_add(number << 32);
        Line {
            up: Link::new(setting.up.clone(), seed),
            down: Link::new(setting.down.clone(), seed ^ 1 << 31),
        }
    }
}

/// Both directions.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) up: Link,
    pub(crate) down: Link,
}

impl Line {
    pub(crate) fn change(&mut self, now: Duration, setting: &Setting) {
        self.up.change(now, setting.up.clone());
        self.down.change(now, setting.down.clone());
    }

    /// A datagram's arrival; `None` when it does not arrive, which is counted.
    pub(crate) fn datagram(&mut self, shared: &Shared, way: Way, bytes: usize) -> Option<Duration> {
        let link = match way {
            Way::Up => &mut self.up,
            Way::Down => &mut self.down,
        };
        let fate = link.datagram(shared.now(), bytes);
        shared.count(|counters| {
            let passed = match way {
                Way::Up => &mut counters.up,
                Way::Down => &mut counters.down,
            };
            match fate {
                Fate::Arrives(at) => {
                    passed.datagrams += 1;
                    passed.bytes += bytes as u64;
                    return Some(at);
                }
                Fate::Lost => passed.lost += 1,
                Fate::Overflow => passed.overflow += 1,
                Fate::Policed => passed.policed += 1,
            }
            None
        })
    }
}

/// A running proxy; ends when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    setting: watch::Sender<Setting>,
    shared: Shared,
    tasks: [tokio::task::JoinHandle<()>; 2],
}

impl Proxy {
    /// Listens on the same port number for UDP and TCP; port 0 finds one.
    ///
    /// # Errors
    /// The address is not free.
    pub async fn start(listen: SocketAddr, server: SocketAddr, seed: u64) -> io::Result<Self> {
        let (datagrams, connections) = sockets(listen).await?;
        let address = connections.local_addr()?;
        let open = Setting {
            udp: true,
            tcp: true,
            ..Setting::default()
        };
        let (setting, watched) = watch::channel(open);
        let shared = Shared {
            setting: watched,
            server,
            seed,
            started: Instant::now(),
            counters: Arc::default(),
        };
        let tasks = [
            tokio::spawn(udp::run(datagrams, shared.clone())),
            tokio::spawn(tcp::run(connections, shared.clone())),
        ];
        Ok(Self {
            address,
            setting,
            shared,
            tasks,
        })
    }

    /// Where clients find it.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// # Errors
    /// Says which value makes no sense; nothing is changed then.
    pub fn change(&self, command: &Command) -> Result<(), String> {
        let mut result = Ok(());
        self.setting.send_if_modified(|setting| {
            result = command.apply(setting);
            result.is_ok()
        });
        result
    }

    #[must_use]
    pub fn counters(&self) -> Counters {
        self.shared.count(|counters| *counters)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// Both on one port: another program may hold the one that TCP was given.
async fn sockets(listen: SocketAddr) -> io::Result<(UdpSocket, TcpListener)> {
    const TRIES: usize = 20;
    let mut tries = 0;
    loop {
        let connections = TcpListener::bind(listen).await?;
        match UdpSocket::bind(connections.local_addr()?).await {
            Ok(datagrams) => return Ok((datagrams, connections)),
            Err(_) if listen.port() == 0 && tries < TRIES => tries += 1,
            Err(error) => return Err(error),
        }
    }
}
