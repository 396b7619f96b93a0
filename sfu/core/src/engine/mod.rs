//! One worker's engine: its peers, what they send and what they are shown.

#[allow(dead_code)] // until the forwarding path lands
mod loss;

use std::collections::VecDeque;
use std::time::Instant;

use crate::api::{
    Command, CommandError, Counters, EngineConfig, Event, Flushed, Outbox, Outcome, Received, Relay,
};
use crate::ids::Path;

/// Pure: takes commands, datagrams and the time, gives datagrams and events.
/// The [module `api`](crate::api) has the words of the conversation.
#[derive(Debug)]
pub struct Engine {
    config: EngineConfig,
    counters: Counters,
    events: VecDeque<Event>,
}

impl Engine {
    /// `now` is the origin of the engine's NTP timeline: give all engines of a
    /// node the same. `seed` is for SSRCs and first sequence numbers.
    #[must_use]
    pub fn new(_now: Instant, config: EngineConfig, _seed: [u8; 32]) -> Self {
        Self {
            config,
            counters: Counters::default(),
            events: VecDeque::new(),
        }
    }

    /// Carries out an order.
    ///
    /// # Errors
    /// Says why not; then nothing has changed.
    pub fn command(&mut self, _now: Instant, _command: Command) -> Result<Outcome, CommandError> {
        Err(CommandError::UnknownPeer)
    }

    /// Takes a datagram and decrypts it in place. Fan-out waits for [`Self::flush`].
    pub fn receive(&mut self, _now: Instant, _path: Path, _datagram: &mut [u8]) -> Received {
        self.counters.dropped_unknown_path += 1;
        Received::NotMine(Some(self.config.worker))
    }

    /// Takes what another worker's outbox had for this one.
    pub fn relay(&mut self, _now: Instant, _relay: Relay) {}

    /// To be called when [`Self::poll_timeout`] has passed; early or late does no harm.
    pub fn handle_timeout(&mut self, _now: Instant) {}

    /// `None`: nothing to do until the next call of anything else.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    /// Appends what is to be sent, receiver by receiver, until all is out or the
    /// outbox holds about 256 kB.
    pub fn flush(&mut self, _now: Instant, _out: &mut Outbox) -> Flushed {
        Flushed::Done
    }

    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Since the engine's start.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }
}
