//! Which peers, rooms and slots there are, and on which worker. Pure: the
//! handle turns what this decides into orders to the workers.

use std::collections::HashMap;

use liandong_sfu_core::ids::{PeerId, RoomId, SlotIndex, WorkerIndex};

use crate::config::Limits;
use crate::event::{OfferError, Shown};

/// Serials live in 24 bits of a [`PeerId`].
const MAX_SERIAL: u32 = 0x00ff_ffff;

/// The control side's view of the node.
#[derive(Debug)]
pub(crate) struct Control {
    workers: Vec<Load>,
    rooms: HashMap<RoomId, Room>,
    peers: HashMap<PeerId, Peer>,
    limits: Limits,
}

#[derive(Clone, Copy, Debug, Default)]
struct Load {
    peers: u32,
    last_serial: u32,
}

/// Peers of the room on each worker.
#[derive(Debug)]
struct Room {
    peers: Vec<u32>,
}

#[derive(Debug)]
struct Peer {
    room: RoomId,
    /// What each slot was told to show.
    slots: Vec<Option<Shown>>,
}

/// The workers of a room changed: all of `tell` must hear that it now spans `workers`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Spans {
    pub room: RoomId,
    /// Bit i is worker i.
    pub workers: u64,
    pub tell: u64,
}

/// Where a new peer lives.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Placed {
    pub peer: PeerId,
    pub spans: Option<Spans>,
}

impl Room {
    fn mask(&self) -> u64 {
        self.peers
            .iter()
            .enumerate()
            .filter(|(_, n)| **n > 0)
            .fold(0, |mask, (i, _)| mask | 1 << i)
    }
}

impl Control {
    pub(crate) fn new(workers: usize, limits: Limits) -> Self {
        Self {
            workers: vec![Load::default(); workers],
            rooms: HashMap::new(),
            peers: HashMap::new(),
            limits,
        }
    }

    pub(crate) fn peers_by_worker(&self) -> Vec<u32> {
        self.workers.iter().map(|w| w.peers).collect()
    }

    pub(crate) fn peers(&self) -> impl Iterator<Item = PeerId> {
        self.peers.keys().copied()
    }

    pub(crate) fn knows(&self, peer: PeerId) -> bool {
        self.peers.contains_key(&peer)
    }

    pub(crate) fn is_in(&self, peer: PeerId, room: RoomId) -> bool {
        self.peers.get(&peer).is_some_and(|p| p.room == room)
    }

    /// Finds a worker for a new peer of `room`.
    pub(crate) fn place(&mut self, room: RoomId) -> Result<Placed, OfferError> {
        if self.peers.len() >= self.limits.peers as usize {
            return Err(OfferError::Full("too many peers"));
        }
        let worker = self.worker_for(room).ok_or(OfferError::Stopped)?;
        let load = &mut self.workers[worker];
        if load.last_serial >= MAX_SERIAL {
            return Err(OfferError::Full("peer numbers used up"));
        }
        load.last_serial += 1;
        load.peers += 1;
        let peer = PeerId::new(WorkerIndex(worker as u8), load.last_serial);
        let workers = self.workers.len();
        let entry = self.rooms.entry(room).or_insert_with(|| Room {
            peers: vec![0; workers],
        });
        entry.peers[worker] += 1;
        let spans = (entry.peers[worker] == 1).then(|| Spans {
            room,
            workers: entry.mask(),
            tell: entry.mask(),
        });
        let slots = Vec::new();
        self.peers.insert(peer, Peer { room, slots });
        Ok(Placed { peer, spans })
    }

    /// Of the room's own workers the one with fewest peers, while it has room
    /// for more of this room; else the least loaded of all. Ties go to the lower number.
    fn worker_for(&self, room: RoomId) -> Option<usize> {
        let load = |i: &usize| self.workers[*i].peers;
        let own = self.rooms.get(&room).and_then(|r| {
            (0..self.workers.len())
                .filter(|i| (1..self.limits.peers_before_spreading).contains(&r.peers[*i]))
                .min_by_key(load)
        });
        own.or_else(|| (0..self.workers.len()).min_by_key(load))
    }

    /// The peer is gone. `None` when it was not known or its room's workers stay the same.
    pub(crate) fn forget(&mut self, peer: PeerId) -> Option<Spans> {
        let Peer { room, .. } = self.peers.remove(&peer)?;
        let worker = usize::from(peer.worker().0);
        self.workers[worker].peers -= 1;
        let entry = self.rooms.get_mut(&room)?;
        let before = entry.mask();
        entry.peers[worker] -= 1;
        let workers = entry.mask();
        if workers == 0 {
            self.rooms.remove(&room);
        }
        (workers != before).then_some(Spans {
            room,
            workers,
            tell: before,
        })
    }

    /// What has to change for the peer's slots to show `wanted`; slots beyond its end go empty.
    pub(crate) fn change_slots(
        &mut self,
        peer: PeerId,
        wanted: &[Option<Shown>],
    ) -> Vec<(SlotIndex, Option<Shown>)> {
        let Some(entry) = self.peers.get_mut(&peer) else {
            return Vec::new();
        };
        let shown = std::mem::take(&mut entry.slots);
        entry.slots = wanted.iter().copied().take(usize::from(u8::MAX)).collect();
        let at = |slots: &[Option<Shown>], i: usize| slots.get(i).copied().flatten();
        (0..entry.slots.len().max(shown.len()))
            .filter(|i| at(&shown, *i) != at(&entry.slots, *i))
            .map(|i| (SlotIndex(i as u8), at(&entry.slots, i)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use liandong_sfu_core::api::SlotView;

    use super::*;

    const ROOM: RoomId = RoomId(7);

    fn control(workers: usize, before_spreading: u32) -> Control {
        let limits = Limits {
            peers_before_spreading: before_spreading,
            ..Limits::default()
        };
        Control::new(workers, limits)
    }

    #[test]
    fn room_stays_on_its_worker_until_full_then_spreads() {
        let mut control = control(2, 3);
        let first = control.place(ROOM).unwrap();
        assert_eq!(
            first.spans,
            Some(Spans {
                room: ROOM,
                workers: 1,
                tell: 1
            })
        );
        for _ in 0..2 {
            let placed = control.place(ROOM).unwrap();
            assert_eq!((placed.peer.worker().0, placed.spans), (0, None));
        }
        let fourth = control.place(ROOM).unwrap();
        assert_eq!(fourth.peer.worker(), WorkerIndex(1));
        assert_eq!(
            fourth.spans,
            Some(Spans {
                room: ROOM,
                workers: 3,
                tell: 3
            })
        );
        assert_eq!(
            control.forget(fourth.peer),
            Some(Spans {
                room: ROOM,
                workers: 1,
                tell: 3
            })
        );
    }

    #[test]
    fn other_rooms_go_to_the_least_loaded_worker() {
        let mut control = control(2, 64);
        assert_eq!(control.place(RoomId(1)).unwrap().peer.worker().0, 0);
        assert_eq!(control.place(RoomId(2)).unwrap().peer.worker().0, 1);
        assert_eq!(control.place(RoomId(2)).unwrap().peer.worker().0, 1);
        assert_eq!(control.place(RoomId(3)).unwrap().peer.worker().0, 0);
    }

    #[test]
    fn ids_never_come_back() {
        let mut control = control(1, 64);
        let first = control.place(ROOM).unwrap().peer;
        assert!(control.forget(first).is_some());
        assert_eq!(control.forget(first), None);
        assert_ne!(control.place(ROOM).unwrap().peer, first);
    }

    #[test]
    fn only_differing_slots_act() {
        let mut control = control(1, 64);
        let a = control.place(ROOM).unwrap().peer;
        let b = control.place(ROOM).unwrap().peer;
        let c = control.place(ROOM).unwrap().peer;
        let (b, c) = (Some(Shown::camera(b)), Some(Shown::camera(c)));
        assert_eq!(
            control.change_slots(a, &[b, None, c]),
            [(SlotIndex(0), b), (SlotIndex(2), c)]
        );
        assert_eq!(control.change_slots(a, &[b, None, c]), []);
        assert_eq!(
            control.change_slots(a, &[c]),
            [(SlotIndex(0), c), (SlotIndex(2), None)]
        );
        let pinned = c.map(|shown| Shown {
            view: SlotView {
                prominent: true,
                height: 1080,
            },
            ..shown
        });
        assert_eq!(control.change_slots(a, &[pinned]), [(SlotIndex(0), pinned)]);
        control.forget(a);
        assert_eq!(control.change_slots(a, &[b]), []);
    }

    #[test]
    fn full_node_refuses() {
        let limits = Limits {
            peers: 1,
            ..Limits::default()
        };
        let mut control = Control::new(2, limits);
        control.place(ROOM).unwrap();
        assert!(matches!(control.place(ROOM), Err(OfferError::Full(_))));
    }
}
