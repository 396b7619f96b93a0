//! From the caches to the receivers, receiver by receiver.

use std::time::{Duration, Instant};

use super::Engine;
use super::peer::Peer;
use super::slot::Forwarding;
use super::source::{Origin, Owner, PeerKey, SourceKey};
use crate::api::{Event, Flushed, Outbox, Relay, RelayContent};
use crate::ids::SlotIndex;

/// About as much as one flush gives: a few hundred packets.
const FULL: usize = 256 << 10;
/// After a switch, lip sync waits for a sender report; not for much longer than this.
const REPORT_AFTER_SWITCH: Duration = Duration::from_millis(200);

/// Where the fan-out stands. Packets that come while it is under way wait for
/// the batch after.
#[derive(Debug, Default)]
pub struct FanOut {
    /// Sources with packets for the next batch.
    dirty: Vec<SourceKey>,
    /// Sources of the present batch.
    batch: Vec<SourceKey>,
    /// Receivers of the present batch, and the next one to serve.
    peers: Vec<PeerKey>,
    next: usize,
}

impl FanOut {
    pub fn dirty(&mut self, source: SourceKey) {
        self.dirty.push(source);
    }

    /// The key may soon be that of another source.
    pub fn forget_source(&mut self, source: SourceKey) {
        self.dirty.retain(|known| *known != source);
        self.batch.retain(|known| *known != source);
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
                    Some(slot) => self.serve(now, key, usize::from(slot), out),
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
            let source = &mut self.sources[key];
            source.dirty = false;
            source.batch = source.queue.len();
            for subscriber in &source.subscribers {
                let Some(peer) = self.peers.get_mut(subscriber.peer) else {
                    continue;
                };
                if peer.pending.is_empty() {
                    self.fan_out.peers.push(subscriber.peer);
                }
                peer.pending.push(subscriber.slot);
            }
        }
        !self.fan_out.batch.is_empty()
    }

    fn end_batch(&mut self) {
        self.fan_out.peers.clear();
        self.fan_out.next = 0;
        for key in self.fan_out.batch.drain(..) {
            let source = &mut self.sources[key];
            let done = source.batch.min(source.queue.len());
            source.queue.drain(..done);
            source.batch = 0;
        }
    }

    /// Forwards the batch of the source that a slot shows.
    fn serve(&mut self, now: Instant, key: PeerKey, at: usize, out: &mut Outbox) {
        let Peer {
            id,
            transport,
            slots,
            down,
            report_at,
            ..
        } = &mut self.peers[key];
        let (Some(path), Some(slot)) = (transport.path(), slots.get_mut(at)) else {
            return;
        };
        let (Some(source_key), Some(srtp)) = (slot.shows, transport.srtp_out()) else {
            return;
        };
        let source = &self.sources[source_key];
        let origin = Origin {
            source: source_key,
            life: source.life,
        };
        let mut held = false;
        for &sequence in source.queue.iter().take(source.batch) {
            let Some((meta, payload)) = source.cache.packet(sequence) else {
                self.counters.dropped_overload += 1;
                continue;
            };
            let start = out.bytes.len();
            let packet = (origin, sequence);
            let earlier = slot.earlier(&source.cache, packet, meta, payload);
            match slot.forward(now, srtp, packet, (meta, payload), &earlier, &mut out.bytes) {
                Forwarding::Sent => {}
                Forwarding::Began => {
                    *report_at = (*report_at).min(now + REPORT_AFTER_SWITCH);
                    let waited = slot.waits_since.take();
                    if let (Some(since), true) = (waited, slot.is_video) {
                        self.events.push_back(Event::SlotLive {
                            peer: *id,
                            slot: SlotIndex(at as u8), // at most 49
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
            if slot.is_video {
                out.enter_video(path, start);
            } else {
                out.enter(path, start);
            }
            down.bytes += (out.bytes.len() - start) as u64;
            self.counters.rtp_forwarded += 1;
        }
        if held && slot.is_video && slot.munger.origin() != Some(origin) {
            // Its keyframe went by while it could not be used.
            self.sources[source_key].keyframe.want();
        }
    }

    /// Puts the queue of a source into the outbox for the workers that want it.
    fn relay_queue(&mut self, key: SourceKey, out: &mut Outbox) {
        let source = &self.sources[key];
        let Owner::Local(_) = source.owner else {
            return;
        };
        let room = &self.rooms[source.room];
        let workers = if source.is_video {
            source.workers
        } else if room.own_speakers.chosen().contains(&key) {
            room.others(self.config.worker)
        } else {
            0
        };
        if workers == 0 {
            return;
        }
        for &sequence in &source.queue {
            let Some((meta, payload)) = source.cache.packet(sequence) else {
                continue;
            };
            out.relays.push(Relay {
                source: source.id,
                room: room.id,
                workers,
                content: RelayContent::Packet {
                    codec: meta.codec,
                    generation: source.life,
                    sequence,
                    timestamp: meta.timestamp,
                    marker: meta.marker,
                    level: meta.level,
                    orientation: meta.orientation,
                    payload: payload.into(),
                },
            });
        }
    }
}
