//! Bounded rings between workers: datagrams that the kernel gave to the wrong
//! one, and packets of rooms that span workers.
//!
//! For each ordered pair of workers there is one ring of bytes for datagrams
//! and one of relays, each with one writer and one reader. A full ring drops:
//! a worker that cannot keep up must not slow down the others.

use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};

use liandong_sfu_core::api::Relay;
use liandong_sfu_core::ids::{Path, WorkerIndex};
use rtrb::{Consumer, Producer, RingBuffer};

/// No client sends longer datagrams: they would not pass an Ethernet.
const MAX_DATAGRAM: usize = 2_048;
/// Length, local socket, family, address, port, scope.
const HEADER: usize = 2 + 1 + 1 + 16 + 2 + 4;
/// All datagram rings towards one worker share this much.
const DATAGRAM_RINGS_BYTES: usize = 4 << 20;
const RELAY_RING: usize = 1_024;

/// The ends of the rings that one worker holds.
#[derive(Debug)]
pub(crate) struct Links {
    /// By worker; none to itself.
    to: Vec<Option<(Producer<u8>, Producer<Relay>)>>,
    from: Vec<Option<(Consumer<u8>, Consumer<Relay>)>>,
    /// Bit i: something was written for worker i since [`Links::take_written`].
    written: u64,
    scratch: Box<[u8; MAX_DATAGRAM]>,
}

/// The ring is full, or the datagram too long for it; it is lost.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Lost;

/// Links each of `workers` with each other.
pub(crate) fn link(workers: usize) -> Vec<Links> {
    let mut all: Vec<Links> = (0..workers)
        .map(|_| Links {
            to: (0..workers).map(|_| None).collect(),
            from: (0..workers).map(|_| None).collect(),
            written: 0,
            scratch: Box::new([0; MAX_DATAGRAM]),
        })
        .collect();
    let others = workers.saturating_sub(1).max(1);
    let bytes = (DATAGRAM_RINGS_BYTES / others).clamp(64 << 10, 1 << 20);
    for a in 0..workers {
        for b in (0..workers).filter(|b| *b != a) {
            let (datagram_in, datagram_out) = RingBuffer::new(bytes);
            let (relay_in, relay_out) = RingBuffer::new(RELAY_RING);
            all[a].to[b] = Some((datagram_in, relay_in));
            all[b].from[a] = Some((datagram_out, relay_out));
        }
    }
    all
}

impl Links {
    /// Passes a datagram to the worker it belongs to. Checks that nobody has verified yet get half of
    /// the ring: a flood of forged ones must not push media out.
    pub(crate) fn hand_over(
        &mut self,
        to: WorkerIndex,
        path: Path,
        datagram: &[u8],
        unverified: bool,
    ) -> Result<(), Lost> {
        let Some(Some((ring, _))) = self.to.get_mut(usize::from(to.0)) else {
            return Err(Lost);
        };
        let kept = if unverified {
            ring.buffer().capacity() / 2
        } else {
            0
        };
        if datagram.len() > MAX_DATAGRAM || ring.slots() < kept + HEADER + datagram.len() {
            return Err(Lost);
        }
        let header = header(path, datagram.len() as u16);
        // Cannot be full: the room was checked, and only the reader changes it, to more.
        let written = ring
            .push_entire_slice(&header)
            .and_then(|()| ring.push_entire_slice(datagram));
        self.written |= 1 << to.0;
        written.map_err(|_| Lost)
    }

    /// Passes a relay to another worker.
    pub(crate) fn relay(&mut self, to: WorkerIndex, relay: Relay) -> Result<(), Lost> {
        let Some(Some((_, ring))) = self.to.get_mut(usize::from(to.0)) else {
            return Err(Lost);
        };
        ring.push(relay).map_err(|_| Lost)?;
        self.written |= 1 << to.0;
        Ok(())
    }

    /// The workers to wake: bit i for worker i.
    pub(crate) fn take_written(&mut self) -> u64 {
        std::mem::take(&mut self.written)
    }

    /// Shows up to `max` datagrams of each other worker; whether more may wait.
    pub(crate) fn datagrams(&mut self, max: usize, mut each: impl FnMut(Path, &mut [u8])) -> bool {
        let mut more = false;
        for (ring, _) in self.from.iter_mut().flatten() {
            let mut left = max;
            while left > 0 && ring.slots() >= HEADER {
                let Some((path, len)) = peek_header(ring) else {
                    // Ours wrote it, so this cannot be; what follows is unreadable.
                    drain(ring);
                    break;
                };
                // The header is there before its datagram is.
                if ring.slots() < HEADER + len {
                    break;
                }
                let datagram = &mut self.scratch[..len];
                let mut skipped = [0; HEADER];
                if ring.pop_entire_slice(&mut skipped).is_err()
                    || ring.pop_entire_slice(datagram).is_err()
                {
                    break;
                }
                each(path, datagram);
                left -= 1;
            }
            more |= left == 0;
        }
        more
    }

    /// Shows up to `max` relays of each other worker; whether more may wait.
    pub(crate) fn relays(&mut self, max: usize, mut each: impl FnMut(Relay)) -> bool {
        let mut more = false;
        for (_, ring) in self.from.iter_mut().flatten() {
            let mut left = max;
            while left > 0
                && let Ok(relay) = ring.pop()
            {
                each(relay);
                left -= 1;
            }
            more |= left == 0;
        }
        more
    }
}

fn header(path: Path, len: u16) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..2].copy_from_slice(&len.to_ne_bytes());
    header[2] = path.local;
    let (v6, address, scope) = match path.remote {
        SocketAddr::V4(a) => (false, a.ip().to_ipv6_mapped(), 0),
        SocketAddr::V6(a) => (true, *a.ip(), a.scope_id()),
    };
    header[3] = u8::from(v6);
    header[4..20].copy_from_slice(&address.octets());
    header[20..22].copy_from_slice(&path.remote.port().to_ne_bytes());
    header[22..].copy_from_slice(&scope.to_ne_bytes());
    header
}

/// The next datagram's path and length, which stay in the ring.
fn peek_header(ring: &mut Consumer<u8>) -> Option<(Path, usize)> {
    let mut header = [0; HEADER];
    let chunk = ring.read_chunk(HEADER).ok()?;
    let (first, second) = chunk.as_slices();
    header[..first.len()].copy_from_slice(first);
    header[first.len()..].copy_from_slice(second);
    let len = usize::from(u16::from_ne_bytes([header[0], header[1]]));
    if len > MAX_DATAGRAM {
        return None;
    }
    let octets: [u8; 16] = header[4..20].try_into().ok()?;
    let address = Ipv6Addr::from(octets);
    let port = u16::from_ne_bytes([header[20], header[21]]);
    let scope = u32::from_ne_bytes(header[22..].try_into().ok()?);
    let remote = if header[3] == 0 {
        SocketAddr::new(IpAddr::V4(address.to_ipv4_mapped()?), port)
    } else {
        SocketAddrV6::new(address, port, 0, scope).into()
    };
    let local = header[2];
    Some((Path { local, remote }, len))
}

fn drain(ring: &mut Consumer<u8>) {
    if let Ok(chunk) = ring.read_chunk(ring.slots()) {
        chunk.commit_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths() -> [Path; 2] {
        [
            Path {
                local: 0,
                remote: "192.0.2.7:4000".parse().unwrap(),
            },
            Path {
                local: 1,
                remote: SocketAddrV6::new("fe80::9".parse().unwrap(), 5_000, 0, 3).into(),
            },
        ]
    }

    fn taken(links: &mut Links, max: usize) -> Vec<(Path, Vec<u8>)> {
        let mut got = Vec::new();
        links.datagrams(max, |path, bytes| got.push((path, bytes.to_vec())));
        got
    }

    #[test]
    fn datagrams_arrive_whole_in_order_across_many_laps() {
        let mut all = link(2);
        for lap in 0..5_000usize {
            let path = paths()[lap % 2];
            let content = vec![lap as u8; lap % 1_400];
            let to = WorkerIndex(1);
            all[0].hand_over(to, path, &content, false).unwrap();
            assert_eq!(taken(&mut all[1], 8), [(path, content)]);
        }
        assert_eq!(all[0].take_written(), 0b10);
        assert_eq!(all[0].take_written(), 0);
    }

    #[test]
    fn full_ring_loses_the_newest_only() {
        let mut all = link(2);
        let [path, _] = paths();
        let mut accepted = 0;
        while all[0]
            .hand_over(WorkerIndex(1), path, &[accepted as u8; 1_000], false)
            .is_ok()
        {
            accepted += 1;
        }
        assert!(accepted > 500, "{accepted}");
        let mut got = Vec::new();
        while all[1].datagrams(64, |_, bytes| got.push(bytes[0])) {}
        assert_eq!(got, (0..accepted).map(|i| i as u8).collect::<Vec<_>>());
        let to = WorkerIndex(1);
        all[0].hand_over(to, path, b"on again", false).unwrap();
    }

    #[test]
    fn flood_of_checks_leaves_room_for_media() {
        let mut all = link(2);
        let [path, _] = paths();
        let to = WorkerIndex(1);
        let mut checks = 0;
        while all[0].hand_over(to, path, &[0; 100], true).is_ok() {
            checks += 1;
        }
        let mut media = 0;
        while all[0].hand_over(to, path, &[0x80; 100], false).is_ok() {
            media += 1;
        }
        assert!(media >= checks, "{media} after {checks}");
    }

    #[test]
    fn nobody_is_linked_to_itself_or_to_strangers() {
        let mut all = link(2);
        let [path, _] = paths();
        for to in [0, 2, 200] {
            assert_eq!(
                all[0].hand_over(WorkerIndex(to), path, b"x", false),
                Err(Lost)
            );
        }
        let long = [0; MAX_DATAGRAM + 1];
        assert_eq!(
            all[0].hand_over(WorkerIndex(1), path, &long, false),
            Err(Lost)
        );
    }
}
