//! Sources of other workers.

use std::time::Instant;

use super::Engine;
use super::source::{ClockSample, Owner, PacketMeta, Source, SourceKey};
use crate::api::{Relay, RelayContent};
use crate::ids::Track;

impl Engine {
    pub(super) fn receive_relay(&mut self, now: Instant, relay: Relay) {
        let Some(key) = self.relayed_source(&relay) else {
            return; // nobody here wants it any more
        };
        match relay.content {
            RelayContent::Packet {
                codec,
                generation,
                sequence,
                timestamp,
                marker,
                level,
                orientation,
                payload,
            } => {
                self.media_at = Some(now);
                self.wake(now);
                self.follow_generation(key, generation);
                let mut meta = PacketMeta::new(codec, timestamp, marker, &payload);
                meta.level = level;
                meta.orientation = orientation;
                self.store(now, key, sequence, meta, &payload);
            }
            RelayContent::Clock {
                generation,
                ntp,
                timestamp,
            } => {
                self.follow_generation(key, generation);
                self.sources[key].clock = Some(ClockSample { ntp, timestamp });
            }
        }
    }

    fn follow_generation(&mut self, key: SourceKey, generation: u32) {
        if self.sources[key].generation != Some(generation) {
            let life = self.next_life();
            let source = &mut self.sources[key];
            source.begin_life(life);
            source.generation = Some(generation);
        }
    }

    /// Microphones come unasked; videos only while a slot shows them.
    fn relayed_source(&mut self, relay: &Relay) -> Option<SourceKey> {
        let room = *self.room_keys.get(&relay.room)?;
        if let Some(&key) = self.source_keys.get(&relay.source) {
            let source = &self.sources[key];
            let remote = matches!(source.owner, Owner::Remote(_));
            return (remote && source.room == room).then_some(key);
        }
        let worker = relay.source.peer.worker();
        if relay.source.track != Track::Microphone || worker == self.config.worker {
            return None;
        }
        let life = self.next_life();
        let source = Source::new(relay.source, room, Owner::Remote(worker), life, false);
        let key = self.sources.insert(source);
        self.source_keys.insert(relay.source, key);
        Some(key)
    }
}
