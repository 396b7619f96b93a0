//! From the caches to the receivers, receiver by receiver.

use std::time::{Duration, Instant};

use super::Engine;
use super::line::number;
use super::peer::{Peer, Pending};
use super::slot::{Feed, Forwarding};
use super::source::{EncodingKey, Origin, Owner, PeerKey, SlotRef, SourceKey};
use super::speech::unneeded_room;
use crate::api::{Event, Flushed, Outbox, Relay, RelayContent};
use crate::ids::SlotIndex;

/// About as much as one flush gives: one system call full of packets. The first receivers do
/// not wait for the last ones to be served, and what is written is still in the cache when it is sent.
const FULL: usize = 72 << 10;
/// After a switch, lip sync waits for a sender report; not for much longer than this.
const REPORT_AFTER_SWITCH: Duration = Duration::from_millis(200);

/// Where the fan-out stands. Packets that come while it is under way wait for
/// the batch after.
#[derive(Debug, Default)]
pub struct FanOut {
    /// Encodings with packets for the next batch.
    dirty: Vec<EncodingKey>,
    /// Encodings of the present batch.
    batch: Vec<EncodingKey>,
    /// Receivers of the present batch, and the next one to serve.
    peers: Vec<PeerKey>,
    next: usize,
}

impl FanOut {
    pub fn dirty(&mut self, encoding: EncodingKey) {
        self.dirty.push(encoding);
    }

    /// The key may soon be that of another source.
    pub fn forget_source(&mut self, source: SourceKey) {
        self.dirty.retain(|known| known.source != source);
        self.batch.retain(|known| known.source != source);
    }
}

impl Engine {
    pub(super) fn fan_out(&mut self, now: Instant, out: &mut Outbox) -> Flushed {
        out.append(&mut self.control);
        loop {
            while let Some(&key) = self.fan_out.peers.get(self.fan_out.next) {
                if out.bytes.len() >= FULL {
                    return Flushed::More;
                }
                let pending = self.peers.get_mut(key).and_then(|peer| peer.pending.pop());
                match pending {
                    Some(pending) => self.serve(now, key, pending, None, out),
                    None => self.fan_out.next += 1,
                }
            }
            self.end_batch();
            if !self.begin_batch(out) {
                return Flushed::Done;
            }
        }
    }

    /// False: there is nothing.
    fn begin_batch(&mut self, out: &mut Outbox) -> bool {
        std::mem::swap(&mut self.fan_out.dirty, &mut self.fan_out.batch);
        for at in 0..self.fan_out.batch.len() {
            let key = self.fan_out.batch[at];
            self.relay_queue(key, out);
            let Some(encoding) = self.sources[key.source].encoding_mut(key.encoding) else {
                continue;
            };
            encoding.dirty = false;
            encoding.batch = encoding.queue.len();
            for subscriber in &encoding.subscribers {
                let Some(peer) = self.peers.get_mut(subscriber.peer) else {
                    continue;
                };
                if peer.pending.is_empty() {
                    self.fan_out.peers.push(subscriber.peer);
                }
                peer.pending.push(Pending {
                    slot: subscriber.slot,
                    encoding: key.encoding,
                });
            }
        }
        !self.fan_out.batch.is_empty()
    }

    fn end_batch(&mut self) {
        self.fan_out.peers.clear();
        self.fan_out.next = 0;
        for key in self.fan_out.batch.drain(..) {
            let Some(encoding) = self.sources[key.source].encoding_mut(key.encoding) else {
                continue;
            };
            let done = encoding.batch.min(encoding.queue.len());
            encoding.queue.drain(..done);
            encoding.batch = 0;
        }
    }

    /// Forwards the batch of an encoding into a slot that receives it or waits for it; or
    /// one packet that has waited for the receiver's line.
    pub(super) fn serve(
        &mut self,
        now: Instant,
        key: PeerKey,
        pending: Pending,
        waited: Option<(Origin, u64)>,
        out: &mut Outbox,
    ) {
        let sound_limit = self.peers[key].sound_limit(now);
        let Peer {
            id,
            transport,
            slots,
            down,
            report_at,
            line,
            sound_rate,
            ..
        } = &mut self.peers[key];
        let at = usize::from(pending.slot);
        let (Some(path), Some(slot)) = (transport.path(), slots.get_mut(at)) else {
            return;
        };
        let (Some(source_key), Some(srtp)) = (slot.shows, transport.srtp_out()) else {
            return;
        };
        let source = &self.sources[source_key];
        let Some(encoding) = source.encoding(pending.encoding) else {
            return;
        };
        let origin = Origin {
            source: source_key,
            encoding: pending.encoding,
            life: encoding.life,
        };
        let running = slot.munger.origin();
        let outdated = waited.is_some_and(|(of, _)| of != origin);
        if outdated || (running != Some(origin) && !slot.awaits(origin)) {
            return; // it was switched off a moment ago
        }
        if let Some(before) = running
            && before != origin
            && before.source == source_key
        {
            let known = source.encoding(before.encoding);
            slot.keep_base(known.and_then(|encoding| encoding.clock));
        }
        // A receiver that begins is first served what there is since the last keyframe.
        let old = match waited {
            Some(_) => None,
            None => slot.take_replay(pending.encoding),
        };
        let present = old
            .and(encoding.cache.newest())
            .and_then(|newest| encoding.cache.packet(newest))
            .map(|(meta, _)| meta.timestamp);
        let feed = Feed {
            origin,
            clock: encoding.clock,
            present,
            structure: encoding.structure(),
        };
        let batch = match (old, &waited) {
            (Some(_), _) => &[],
            (None, Some((_, sequence))) => std::slice::from_ref(sequence),
            (None, None) => encoding.queue.get(..encoding.batch).unwrap_or_default(),
        };
        if let Some(line) = line {
            line.refill(now);
        }
        let old = old.map(|first| encoding.since(first)).into_iter().flatten();
        let (mut held, mut began) = (false, false);
        for sequence in old.chain(batch.iter().copied()) {
            let Some((meta, payload)) = encoding.cache.packet(sequence) else {
                self.counters.dropped_overload += 1;
                continue;
            };
            if let (Some(line), None) = (line.as_deref_mut(), waited)
                && line.holds_back(now, pending.slot, slot, (origin, sequence))
            {
                self.attention.at_once(key);
                continue;
            }
            let start = out.bytes.len();
            let packet = (feed, sequence);
            let numbered = number(line, slot);
            let room = match (slot.is_video, slot.redundancy.level()) {
                (true, _) => 0,
                (false, 0) => unneeded_room(sound_limit).min(sound_rate.room(now, sound_limit)),
                (false, _) => sound_rate.room(now, sound_limit),
            };
            let stored = (meta, payload);
            let earlier = slot.earlier(&encoding.cache, (origin, sequence), stored, room);
            let earlier = earlier.as_deref();
            match slot.forward(now, srtp, packet, stored, earlier, &mut out.bytes) {
                Forwarding::Sent => {}
                Forwarding::Began => {
                    began = true;
                    *report_at = (*report_at).min(now + REPORT_AFTER_SWITCH);
                    let waited = slot.waits_since.take();
                    if let (Some(since), true) = (waited, slot.is_video) {
                        self.events.push_back(Event::SlotLive {
                            peer: *id,
                            slot: SlotIndex(pending.slot),
                            source: source.id,
                            after: now.saturating_duration_since(since),
                        });
                    }
                }
                Forwarding::Held => {
                    held = true;
                    continue;
                }
                Forwarding::Unsealed => continue,
                Forwarding::Unsupported => {
                    self.counters.dropped_codec += 1;
                    continue;
                }
            }
            let bytes = out.bytes.len() - start;
            if slot.is_video {
                out.enter_video(path, start);
            } else {
                out.enter(path, start);
                sound_rate.count(now, bytes);
                slot.sound_sent(meta, payload, earlier.map_or(0, <[_]>::len));
            }
            down.bytes += bytes as u64;
            if let Some(line) = numbered {
                line.sent(now, bytes);
            }
            self.counters.rtp_forwarded += 1;
        }
        let missed = held && slot.is_video && slot.munger.origin() != Some(origin);
        let missed = missed || slot.munger.origin() == Some(origin) && slot.wants_keyframe();
        if missed && let Some(encoding) = self.sources[source_key].encoding_mut(pending.encoding) {
            // Its keyframe went by while it could not be used, or its upper layers need one.
            encoding.keyframe.want();
        }
        if began {
            let slot = SlotRef {
                peer: key,
                slot: pending.slot,
            };
            self.switched(slot, pending.encoding);
        }
    }

    /// Puts the queue of an encoding into the outbox for the workers that want it.
    fn relay_queue(&mut self, key: EncodingKey, out: &mut Outbox) {
        let source = &self.sources[key.source];
        let (Owner::Local(_), Some(encoding)) = (&source.owner, source.encoding(key.encoding))
        else {
            return;
        };
        let room = &self.rooms[source.room];
        let workers = if source.is_video {
            encoding.workers
        } else if room.own_speakers.chosen().contains(&key.source) {
            room.others(self.config.worker)
        } else {
            0
        };
        if workers == 0 {
            return;
        }
        for at in 0..encoding.queue.len() {
            let encoding = self.sources[key.source].encoding(key.encoding);
            let Some(&sequence) = encoding.and_then(|encoding| encoding.queue.get(at)) else {
                return;
            };
            out.relays.extend(self.relayed(key, workers, sequence));
        }
    }

    /// A packet for other workers, if it is still here.
    pub(super) fn relayed(
        &mut self,
        key: EncodingKey,
        workers: u64,
        sequence: u64,
    ) -> Option<Relay> {
        let source = &self.sources[key.source];
        let encoding = source.encoding(key.encoding)?;
        let (meta, payload) = encoding.cache.packet(sequence)?;
        Some(Relay {
            source: source.id,
            encoding: key.encoding,
            room: self.rooms[source.room].id,
            workers,
            content: RelayContent::Packet {
                codec: meta.codec,
                generation: encoding.life,
                sequence,
                timestamp: meta.timestamp,
                marker: meta.marker,
                level: meta.level,
                orientation: meta.orientation,
                descriptor_bytes: meta.descriptor_bytes,
                payload: self.payloads.fill(payload),
            },
        })
    }
}
