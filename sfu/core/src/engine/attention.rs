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
    /// True: the next tick is to come soon, whether media flows or not.
    #[must_use]
    pub fn given(&mut self, now: Instant, key: PeerKey, peer: &Peer) -> bool {
        let pressing = !peer.connected || peer.line.as_ref().is_some_and(|line| line.is_pressing());
        // What it sends has to be asked for again, as long as it flows.
        let each_tick = pressing || !peer.sources.is_empty();
        if let Some(due) = self.due.get_mut(key) {
            *due = (!each_tick).then(|| now + INTERVAL);
        }
        pressing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_used_again_is_due_at_once() {
        #[allow(clippy::disallowed_methods)] // any instant serves as the origin of virtual time
        let now = Instant::now();
        let mut attention = Attention::default();
        attention.at_once(3);
        assert_eq!(attention.len(), 4);
        assert!(attention.is_due(now, 3));
        // The peer before had nothing pressing, and has left.
        attention.due[3] = Some(now + INTERVAL);
        assert!(!attention.is_due(now, 3));
        attention.at_once(3);
        assert!(attention.is_due(now, 3));
    }
}
