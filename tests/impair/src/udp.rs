//! Datagrams: one task per client, with an upstream socket of its own.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::proxy::{Line, Setting, Shared, Way};

/// The largest datagram.
const MAX_BYTES: usize = 65_535;
/// Clients at a time; a test has a few.
const MAX_CLIENTS: usize = 1024;
/// Datagrams that wait for a client's task.
const MAX_WAITING: usize = 4096;
/// A client that says nothing for so long is forgotten.
const FORGET_AFTER: Duration = Duration::from_secs(120);

/// Takes datagrams of all clients until the socket is gone.
pub(crate) async fn run(socket: UdpSocket, shared: Shared) {
    let socket = Arc::new(socket);
    let mut clients: HashMap<SocketAddr, mpsc::Sender<Vec<u8>>> = HashMap::new();
    let mut buffer = vec![0; MAX_BYTES];
    let mut number = 0;
    loop {
        // An error belongs to one datagram (a client's port is closed); the next is fine.
        let Ok((length, from)) = socket.recv_from(&mut buffer).await else {
            continue;
        };
        let datagram = buffer[..length].to_vec();
        let known = clients.get(&from).filter(|client| !client.is_closed());
        let client = if let Some(client) = known {
            client.clone()
        } else {
            clients.retain(|_, client| !client.is_closed());
            if clients.len() == MAX_CLIENTS {
                continue;
            }
            number += 1;
            let (sender, waiting) = mpsc::channel(MAX_WAITING);
            let line = shared.line(number);
            match Client::new(from, socket.clone(), line, shared.clone()).await {
                Ok(client) => tokio::spawn(client.run(waiting)),
                Err(error) => {
                    eprintln!("liandong-impair: no upstream socket: {error}");
                    continue;
                }
            };
            shared.count(|counters| counters.udp_clients += 1);
            clients.insert(from, sender.clone());
            sender
        };
        // Full: the machine is too slow for what comes, which a network would drop too.
        if client.try_send(datagram).is_err() {
            shared.count(|counters| counters.up.overflow += 1);
        }
    }
}

struct Client {
    address: SocketAddr,
    /// The proxy's own socket, towards the client.
    socket: Arc<UdpSocket>,
    upstream: UdpSocket,
    line: Line,
    shared: Shared,
    rebinds: u64,
    /// What is on its way, by the time of its arrival and its number.
    flying: BTreeMap<(Duration, u64), (Way, Vec<u8>)>,
    number: u64,
}

impl Client {
    async fn new(
        address: SocketAddr,
        socket: Arc<UdpSocket>,
        line: Line,
        shared: Shared,
    ) -> io::Result<Self> {
        let setting = shared.setting.borrow().clone();
        Ok(Self {
            address,
            socket,
            upstream: upstream(&setting, shared.server).await?,
            line,
            rebinds: setting.rebinds,
            shared,
            flying: BTreeMap::new(),
            number: 0,
        })
    }

    async fn run(mut self, mut waiting: mpsc::Receiver<Vec<u8>>) {
        let mut setting = self.shared.setting.clone();
        let mut buffer = vec![0; MAX_BYTES];
        let mut quiet_until = Instant::now() + FORGET_AFTER;
        loop {
            let next = self.flying.first_key_value().map(|((at, _), _)| *at);
            let due = self.shared.moment(next.unwrap_or_default());
            tokio::select! {
                // In this order: what is due goes first, and a change counts at once.
                biased;
                changed = setting.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let new = setting.borrow_and_update().clone();
                    self.change(&new).await;
                }
                () = sleep_until(due), if next.is_some() => self.deliver().await,
                datagram = waiting.recv() => match datagram {
                    Some(datagram) => {
                        quiet_until = Instant::now() + FORGET_AFTER;
                        self.enter(Way::Up, datagram).await;
                    }
                    None => return,
                },
                received = self.upstream.recv(&mut buffer) => {
                    // An error says that the server's port is closed: it may come back.
                    if let Ok(length) = received {
                        self.enter(Way::Down, buffer[..length].to_vec()).await;
                    }
                }
                () = sleep_until(quiet_until) => return,
            }
        }
    }

    async fn change(&mut self, setting: &Setting) {
        self.line.change(self.shared.now(), setting);
        if setting.rebinds == self.rebinds {
            return;
        }
        self.rebinds = setting.rebinds;
        // A browser knows the port that the server sees (its reflexive candidate), not always its own.
        let ports = [
            Some(self.address.port()),
            self.upstream.local_addr().ok().map(|at| at.port()),
        ];
        if setting.rebind_only.is_some() && !ports.contains(&setting.rebind_only) {
            return;
        }
        match upstream(setting, self.shared.server).await {
            Ok(upstream) => {
                self.upstream = upstream;
                self.shared.count(|counters| counters.rebound += 1);
            }
            Err(error) => eprintln!("liandong-impair: no new upstream socket: {error}"),
        }
    }

    async fn enter(&mut self, way: Way, datagram: Vec<u8>) {
        if !self.shared.setting.borrow().udp {
            self.shared.count(|counters| counters.blocked += 1);
            return;
        }
        let Some(at) = self.line.datagram(&self.shared, way, datagram.len()) else {
            return;
        };
        if at <= self.shared.now() {
            self.send(way, &datagram).await;
            return;
        }
        self.number += 1;
        self.flying.insert((at, self.number), (way, datagram));
    }

    async fn deliver(&mut self) {
        let now = self.shared.now();
        while let Some(entry) = self.flying.first_entry() {
            if entry.key().0 > now {
                return;
            }
            let (way, datagram) = entry.remove();
            self.send(way, &datagram).await;
        }
    }

    async fn send(&self, way: Way, datagram: &[u8]) {
        // A datagram that cannot be sent is lost, as on any network.
        let _ = match way {
            Way::Up => self.upstream.send(datagram).await,
            Way::Down => self.socket.send_to(datagram, self.address).await,
        };
    }
}

async fn upstream(setting: &Setting, server: SocketAddr) -> io::Result<UdpSocket> {
    let from = setting.from.unwrap_or(match server {
        SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    });
    let socket = UdpSocket::bind((from, 0)).await?;
    socket.connect(server).await?;
    Ok(socket)
}
