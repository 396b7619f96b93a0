//! When each peer is to be looked after next.
//!
//! Peers are large, and a tick that touched them all would cost more than the packets of a quiet
//! room. So it walks this list, a few bytes for each.

use std::time::{Duration, Instant};

use super::peer::Peer;
use super::source::PeerKey;

/// Reports, allocation and estimates of a peer with nothing pressing can wait so long.
const INTERVAL: Duration = Duration::from_millis(50);

/// By the peers' keys; `None` is at the next tick.
#[derive(Debug, Default)]
pub struct Attention {
    due: Vec<Option<Instant>>,
}

impl Attention {
    /// With the next tick.
    pub fn at_once(&mut self, key: PeerKey) {
        if key >= self.due.len() {
            self.due.resize(key + 1, None);
        }
        self.due[key] = None;
    }

    /// Above all keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.due.len()
    }

    #[must_use]
    pub fn is_due(&self, now: Instant, key: PeerKey) -> bool {
        let due = self.due.get(key).copied().flatten();
        due.is_none_or(|at| at <= now)
    }

    /// The peer has been looked after; when it has to be again depends on what it does.
    pub fn given(&mut self, now: Instant, key: PeerKey, peer: &Peer) {
        let pressing = !peer.connected
            // What it sends has to be asked for again.
            || !peer.sources.is_empty()
            || peer.line.as_ref().is_some_and(|line| line.is_pressing());
        if let Some(due) = self.due.get_mut(key) {
            *due = (!pressing).then(|| now + INTERVAL);
        }
    }
}
