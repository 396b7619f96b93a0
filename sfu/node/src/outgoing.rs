//! Events of one worker on their way to the signaling side.

use std::collections::VecDeque;

use tokio::sync::mpsc;

use crate::event::NodeEvent;

/// A channel that never blocks the worker: when it is full, events that repeat
/// themselves are dropped and the others wait here. Their number is bounded by
/// what peers and slots there are: each has few states to tell.
#[derive(Debug)]
pub(crate) struct Outgoing {
    channel: mpsc::Sender<NodeEvent>,
    waiting: VecDeque<NodeEvent>,
}

impl Outgoing {
    pub(crate) fn new(channel: mpsc::Sender<NodeEvent>) -> Self {
        Self {
            channel,
            waiting: VecDeque::new(),
        }
    }

    /// False: the event was dropped.
    pub(crate) fn tell(&mut self, event: NodeEvent) -> bool {
        self.retry();
        if self.waiting.is_empty() {
            match self.channel.try_send(event) {
                // Nobody listens any more: nobody misses it.
                Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => true,
                Err(mpsc::error::TrySendError::Full(event)) => self.keep(event),
            }
        } else {
            self.keep(event)
        }
    }

    fn keep(&mut self, event: NodeEvent) -> bool {
        let kept = !event.may_be_lost();
        if kept {
            self.waiting.push_back(event);
        }
        kept
    }

    /// Passes on what waits, as far as there is room.
    pub(crate) fn retry(&mut self) {
        while let Some(event) = self.waiting.pop_front() {
            match self.channel.try_send(event) {
                Ok(()) => {}
                Err(mpsc::error::TrySendError::Full(event)) => {
                    self.waiting.push_front(event);
                    return;
                }
                Err(mpsc::error::TrySendError::Closed(_)) => self.waiting.clear(),
            }
        }
    }

    pub(crate) fn is_behind(&self) -> bool {
        !self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use liandong_sfu_core::api::{DisconnectReason, PeerStats};
    use liandong_sfu_core::ids::{PeerId, WorkerIndex};

    use super::*;

    #[test]
    fn states_wait_in_order_and_repetitions_are_dropped() {
        let (channel, mut received) = mpsc::channel(1);
        let mut outgoing = Outgoing::new(channel);
        let peer = PeerId::new(WorkerIndex(0), 1);
        let connected = NodeEvent::Connected {
            peer,
            after: Duration::ZERO,
        };
        let stats = NodeEvent::Stats {
            peer,
            stats: PeerStats::default(),
            slots: Vec::new(),
        };
        let disconnected = NodeEvent::Disconnected {
            peer,
            reason: DisconnectReason::Left,
        };
        assert!(outgoing.tell(stats.clone()));
        assert!(!outgoing.tell(stats.clone()));
        assert!(outgoing.tell(connected.clone()));
        assert!(outgoing.tell(disconnected.clone()));
        assert!(outgoing.is_behind());
        for expected in [stats, connected, disconnected] {
            assert_eq!(received.try_recv().unwrap(), expected);
            outgoing.retry();
        }
        assert!(!outgoing.is_behind());
    }
}
