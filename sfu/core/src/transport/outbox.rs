//! What a transport has to say, until it is polled.

use std::collections::VecDeque;

use crate::ids::Path;

use super::{Transmit, TransportEvent};

#[derive(Debug, Default)]
pub(super) struct Outbox {
    pub(super) transmits: VecDeque<Transmit>,
    pub(super) events: VecDeque<TransportEvent>,
}

impl Outbox {
    pub(super) fn send(&mut self, to: Path, bytes: Vec<u8>) {
        self.transmits.push_back(Transmit { to, bytes });
    }

    pub(super) fn tell(&mut self, event: TransportEvent) {
        self.events.push_back(event);
    }
}
