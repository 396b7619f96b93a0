//! Sources of other workers.

use std::time::Instant;

use super::Engine;
use super::encoding::Encoding;
use super::source::{
    ClockSample, EncodingKey, MAX_ENCODINGS, Owner, PacketMeta, Source, SourceKey,
};
use crate::api::{EncodingFigures, Relay, RelayContent};
use crate::ids::{SourceId, Track};

impl Engine {
    pub(super) fn receive_relay(&mut self, now: Instant, relay: Relay) {
        let Some(key) = self.relayed_encoding(now, &relay) else {
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
                descriptor_bytes,
                payload,
            } => {
                self.media_at = Some(now);
                self.wake(now);
                self.follow_generation(key, generation);
                let length = payload.len().saturating_sub(descriptor_bytes.into());
                let (payload, descriptor) = payload.split_at(length);
                let mut meta = PacketMeta::new(codec, timestamp, marker, payload);
                meta.level = level;
                meta.orientation = orientation;
                self.store(now, key, sequence, meta, (payload, descriptor));
            }
            RelayContent::Clock {
                generation,
                ntp,
                timestamp,
            } => {
                self.follow_generation(key, generation);
                if let Some(encoding) = self.sources[key.source].encoding_mut(key.encoding) {
                    encoding.clock = Some(ClockSample { ntp, timestamp });
                }
            }
        }
    }

    fn follow_generation(&mut self, key: EncodingKey, generation: u32) {
        let known = self.sources[key.source].encoding(key.encoding);
        if known.is_some_and(|encoding| encoding.generation == Some(generation)) {
            return;
        }
        let life = self.next_life();
        if let Some(encoding) = self.sources[key.source].encoding_mut(key.encoding) {
            encoding.begin_life(life);
            encoding.generation = Some(generation);
        }
    }

    /// The owner tells what there is to choose from.
    pub(super) fn learn_encodings(
        &mut self,
        now: Instant,
        id: SourceId,
        figures: &[EncodingFigures],
    ) {
        let Some(&key) = self.source_keys.get(&id) else {
            return;
        };
        if self.sources[key].upstream().is_some() {
            return;
        }
        let mut changed = false;
        for (at, figures) in figures.iter().take(MAX_ENCODINGS).enumerate() {
            if at == self.sources[key].encodings.len() {
                let life = self.next_life();
                let encoding = Encoding::new(now, None, life, true);
                self.sources[key].encodings.push(encoding);
            }
            let known = &mut self.sources[key].encodings[at].figures;
            changed |= known.offers_other(figures);
            *known = *figures;
        }
        if changed {
            self.choose_for_watchers(now, key);
        }
    }

    /// Microphones come unasked; videos only while a slot shows them.
    fn relayed_encoding(&mut self, now: Instant, relay: &Relay) -> Option<EncodingKey> {
        let source = self.relayed_source(now, relay)?;
        let encoding = relay.encoding;
        self.sources[source].encoding(encoding)?;
        Some(EncodingKey { source, encoding })
    }

    fn relayed_source(&mut self, now: Instant, relay: &Relay) -> Option<SourceKey> {
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
        let mut source = Source::new(now, relay.source, room, Owner::Remote(worker), false);
        source.encodings.push(Encoding::new(now, None, life, false));
        let key = self.sources.insert(source);
        self.source_keys.insert(relay.source, key);
        Some(key)
    }
}
