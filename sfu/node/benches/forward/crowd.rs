//! All receivers of one process, on one thread that does as little as it can for each packet.
//! It looks every few milliseconds at what has come, instead of being woken by each packet: on a
//! network the server does not pay for waking its receivers. When a packet came the kernel notes.

use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Result;

use crate::clients::Counts;
use crate::light::{self, Got, Light};
use crate::receive::{Batch, Epoll};

/// One of so many video packets is asked for again.
const ASK_AGAIN: u16 = 256;
/// Of one of so many, the delay is measured.
const MEASURED: u16 = 16;
/// Between looks. What comes meanwhile waits in the sockets.
const PAUSE: Duration = Duration::from_millis(2);

/// A client, or a socket that is only drained.
pub struct Member {
    socket: UdpSocket,
    light: Option<Light>,
}

impl Member {
    pub fn new(socket: UdpSocket, light: Option<Light>) -> Self {
        Self { socket, light }
    }
}

pub struct Crowd {
    joining: Receiver<Member>,
    members: Vec<Member>,
    counts: Arc<Counts>,
    epoll: Epoll,
    batch: Batch,
    delays_us: Vec<u32>,
}

impl Crowd {
    pub fn new(joining: Receiver<Member>, counts: Arc<Counts>) -> Result<Self> {
        Ok(Self {
            joining,
            members: Vec::new(),
            counts,
            epoll: Epoll::new()?,
            batch: Batch::new(),
            delays_us: Vec::new(),
        })
    }

    pub fn run(mut self) -> Result<()> {
        let mut ready = Vec::new();
        loop {
            std::thread::sleep(PAUSE);
            loop {
                match self.joining.try_recv() {
                    Ok(member) => {
                        self.epoll.add(&member.socket, self.members.len())?;
                        self.members.push(member);
                    }
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => return Ok(()),
                }
            }
            // Those that are ready stay so until they are empty: everyone has a turn.
            while self.epoll.ready(&mut ready)? {
                for &at in &ready {
                    self.receive(at);
                }
            }
            let now = Instant::now();
            for member in &mut self.members {
                member.tend(now);
            }
            if let Ok(mut delays) = self.counts.delays_us.lock() {
                delays.append(&mut self.delays_us);
            }
        }
    }

    fn receive(&mut self, at: usize) {
        let member = &mut self.members[at];
        let datagrams = self.batch.receive(&member.socket);
        let received = &self.counts.received;
        let Some(light) = &mut member.light else {
            received.fetch_add(datagrams as u64, Ordering::Relaxed);
            return;
        };
        let (now, wall) = (Instant::now(), wall_ns());
        for i in 0..datagrams {
            let (datagram, arrived_ns) = self.batch.datagram(i);
            // As the kernel saw it, whenever this thread had its turn.
            let ago = Duration::from_nanos(wall.saturating_sub(arrived_ns));
            let arrived = now.checked_sub(ago).unwrap_or(now);
            let Got::Media {
                ssrc,
                payload_type,
                sequence,
            } = light.handle(arrived, datagram)
            else {
                continue;
            };
            received.fetch_add(1, Ordering::Relaxed);
            if payload_type == light::VP8_RTX {
                self.counts.repaired.fetch_add(1, Ordering::Relaxed);
            }
            if payload_type != light::VP8 {
                continue;
            }
            if sequence % ASK_AGAIN == 0 {
                light.ask_again(ssrc, std::iter::once(sequence));
            }
            if sequence.wrapping_add(at as u16) % MEASURED == 0
                && let Some(sent_ns) = sent_ns(light, datagram)
            {
                let delay = arrived_ns.saturating_sub(sent_ns) / 1_000;
                self.delays_us.push(delay as u32);
            }
        }
    }
}

/// What the source wrote into the packet.
fn sent_ns(light: &mut Light, datagram: &mut [u8]) -> Option<u64> {
    let len = light.open(datagram)?;
    let tail = datagram.get(..len)?.last_chunk()?;
    Some(u64::from_be_bytes(*tail))
}

impl Member {
    fn tend(&mut self, now: Instant) {
        let Some(light) = &mut self.light else {
            return;
        };
        light.tick(now);
        while let Some(datagram) = light.transmits.pop_front() {
            let _ = self.socket.send(&datagram);
        }
    }
}

/// The time that the kernel stamps datagrams with, since 1970.
pub fn wall_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_nanos() as u64)
}
