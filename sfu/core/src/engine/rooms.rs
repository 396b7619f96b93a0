//! The rooms of one worker.

use std::time::Instant;

use super::source::{PeerKey, SourceKey};
use crate::ids::{PeerId, RoomId, WorkerIndex};
use crate::room::Speakers;

/// Index into the engine's table of rooms.
pub type RoomKey = usize;

/// The peers that hear each other, as far as this worker has them.
#[derive(Debug)]
pub struct Room {
    pub id: RoomId,
    pub peers: Vec<PeerKey>,
    /// Workers with peers of this room; bit i is worker i. 0: nobody has said.
    pub workers: u64,
    /// Among all microphones, those of other workers as far as they are loud.
    pub speakers: Speakers<SourceKey>,
    /// Among the microphones of this worker: what the others get to choose from.
    pub own_speakers: Speakers<SourceKey>,
    pub choose_at: Instant,
    pub said_at: Option<Instant>,
    /// Who was last said to be speaking, loudest first.
    pub said: Vec<PeerId>,
}

impl Room {
    #[must_use]
    pub fn new(now: Instant, id: RoomId) -> Self {
        Self {
            id,
            peers: Vec::new(),
            workers: 0,
            speakers: Speakers::default(),
            own_speakers: Speakers::default(),
            choose_at: now,
            said_at: None,
            said: Vec::new(),
        }
    }

    /// The other workers of the room.
    #[must_use]
    pub fn others(&self, worker: WorkerIndex) -> u64 {
        self.workers & !bit(worker)
    }

    /// Whether this worker is the one that tells who speaks.
    #[must_use]
    pub fn tells(&self, worker: WorkerIndex) -> bool {
        self.workers & (bit(worker) - 1) == 0
    }
}

/// The bit of a worker in a set of workers; a node has at most 64.
#[must_use]
pub const fn bit(worker: WorkerIndex) -> u64 {
    1 << (worker.0 & 63)
}
