//! A way past the handshake, so that the fuzz target `engine` gets at what
//! is behind it.

use std::time::Instant;

use super::Engine;
use crate::api::Received;
use crate::ids::{Path, PeerId};
use crate::transport::{self, Kind};

impl Engine {
    /// As after the peer's DTLS handshake; its path has been checked before.
    pub(crate) fn pretend_connected(&mut self, now: Instant, peer: PeerId) {
        if let Some(&key) = self.peer_keys.get(&peer) {
            self.peers[key].transport.pretend_keys();
            self.connected(now, key);
        }
    }

    /// A datagram as it is after decryption.
    pub(crate) fn receive_clear(&mut self, now: Instant, path: Path, clear: &[u8]) -> Received {
        let Some(&key) = self.paths.get(&path) else {
            return Received::NotMine(None);
        };
        match transport::classify(clear) {
            Some(Kind::Rtp) => self.receive_rtp(now, key, clear),
            Some(Kind::Rtcp) => self.receive_rtcp(now, key, clear),
            Some(Kind::Stun | Kind::Dtls) | None => Received::Dropped,
        }
    }
}
