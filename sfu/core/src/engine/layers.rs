//! Which encoding of what it shows goes into which slot.

use std::time::{Duration, Instant};

use arrayvec::ArrayVec;

use super::Engine;
use super::encoding::Encoding;
use super::source::{EncodingKey, MAX_ENCODINGS, Owner, PeerKey, SlotRef, Source, SourceKey};
use crate::api::{Event, Rate};
use crate::codec::layer::LayerTarget;
use crate::ids::{EncodingIndex, Track};
use crate::room::allocate::{self, Layer, Wish};
use crate::room::shed;

/// What the line carries is looked at so often, beside when something changes.
const ALLOCATE_INTERVAL: Duration = Duration::from_millis(250);
/// The smallest picture of a simulcast, until one is seen.
const GUESSED_HEIGHT: u16 = 180;
/// What an encoding costs, until one is measured.
const USUAL_HEIGHT: u16 = 360;
const USUAL_RATE: Rate = Rate {
    bits_per_second: 500_000,
    frames_per_second: 30,
};

/// What a slot forwards costs more than what it was given and waits for.
struct Excess {
    rank: (bool, u16),
    slot: u8,
    /// In bits per second, now, with the lowest frame rate, and then.
    running: u64,
    fewer: u64,
    given: u64,
}

impl Engine {
    /// Chooses the layers of all video slots of a peer, and aims these at them.
    pub(super) fn choose_layers(&mut self, now: Instant, key: PeerKey) {
        let peer = &mut self.peers[key];
        peer.allocate_at = now + ALLOCATE_INTERVAL;
        if !peer.connected {
            return;
        }
        let mut wishes = Vec::new();
        let mut places = Vec::new();
        for (at, slot) in peer.slots.iter().take(peer.video_slots).enumerate() {
            let Some(source) = slot.shows else { continue };
            let source = &self.sources[source];
            if source.encodings.is_empty() {
                continue; // its worker has not told yet
            }
            places.push(at as u8); // at most 49
            wishes.push(Wish {
                prominent: slot.view.prominent,
                height: slot.view.height,
                screen: source.id.track == Track::Screen,
                layers: layers_of(source, slot.describes()),
                held: slot.held,
            });
        }
        let anybody = peer.may_hear();
        let sound = peer.sound_rate.reserve(now, anybody);
        let budget = shed::budget(self.shed, peer.budget);
        let budget = budget.map(|budget| budget.saturating_sub(sound));
        let wanted = allocate::wanted(&wishes) + sound;
        if let Some(line) = &mut self.peers[key].line {
            line.want(wanted);
        }
        allocate::allocate(now, budget, &mut wishes);
        for (slot, wish) in places.into_iter().zip(&wishes) {
            let at = SlotRef { peer: key, slot };
            self.peers[key].slots[usize::from(slot)].held = wish.held;
            match wish.held.layer {
                Some(layer) => self.aim(now, at, layer.encoding),
                None => self.pause(at),
            }
        }
        if let Some(budget) = budget {
            self.cut(key, budget);
        }
    }

    /// The worker cannot keep up, or can again.
    pub(super) fn shed(&mut self, now: Instant, level: u8) {
        self.shed = level;
        let keys: Vec<PeerKey> = self.peers.iter().map(|(key, _)| key).collect();
        for key in keys {
            self.choose_layers(now, key);
        }
    }

    /// As [`Self::choose_layers`], when it is time again.
    pub(super) fn choose_layers_in_turn(&mut self, now: Instant, key: PeerKey) {
        let peer = &self.peers[key];
        if (peer.budget.is_some() || self.shed > 0) && peer.allocate_at <= now {
            self.choose_layers(now, key);
        }
    }

    /// What there is of a source has changed.
    pub(super) fn choose_for_watchers(&mut self, now: Instant, key: SourceKey) {
        let mut peers = std::mem::take(&mut self.keys_of_watchers);
        peers.clear();
        peers.extend(self.sources[key].watchers.iter().map(|at| at.peer));
        peers.dedup();
        for &peer in &peers {
            self.choose_layers(now, peer);
        }
        self.keys_of_watchers = peers;
    }

    /// The receiver's own word of what it can take; those that tell of each
    /// packet's arrival instead are not asked.
    pub(super) fn receiver_estimate(&mut self, now: Instant, key: PeerKey, bits_per_second: u64) {
        let peer = &mut self.peers[key];
        if peer.slots.iter().any(|slot| slot.tells_arrivals()) {
            return;
        }
        let first = peer.budget.is_none();
        peer.budget = Some(bits_per_second);
        if first {
            self.choose_layers(now, key);
        }
    }

    /// Has a slot forward an encoding from its next keyframe on; until then it goes on
    /// with what it forwards.
    fn aim(&mut self, now: Instant, at: SlotRef, encoding: EncodingIndex) {
        let slot = &mut self.peers[at.peer].slots[usize::from(at.slot)];
        let Some(source_key) = slot.shows else { return };
        let source = &self.sources[source_key];
        let before = (slot.target, slot.interim);
        let current = slot.current();
        slot.paused = false;
        slot.target = (current != Some(encoding)).then_some(encoding);
        let sends = |at: EncodingIndex| source.encoding(at).is_some_and(|e| e.figures.live);
        slot.interim = if current.is_none() && !sends(encoding) {
            instead_of(source, encoding)
        } else {
            None
        };
        let after = (slot.target, slot.interim);
        if before == after {
            return;
        }
        self.settle(at);
        for awaited in after.0.into_iter().chain(after.1) {
            if before.0 != Some(awaited) && before.1 != Some(awaited) {
                self.begin_with(now, at, awaited);
            }
        }
    }

    /// A slot waits for an encoding: it is started, and served from the last keyframe on
    /// if that is fresh, else from the next one.
    fn begin_with(&mut self, now: Instant, at: SlotRef, encoding: EncodingIndex) {
        let slot = &mut self.peers[at.peer].slots[usize::from(at.slot)];
        let Some(source) = slot.shows else { return };
        let key = EncodingKey { source, encoding };
        let known = self.sources[source].encoding(encoding);
        let line = self.peers[at.peer].line.as_ref();
        let fresh = known.and_then(|known| {
            let first = known.fresh(now)?;
            let fits = line.is_none_or(|line| line.catches_up(known.bytes_since(first)));
            fits.then_some(first)
        });
        self.start_encoding(now, key);
        let Some(known) = self.sources[source].encoding_mut(encoding) else {
            return;
        };
        let Some(first) = fresh else {
            return self.want_keyframe(now, key);
        };
        if !known.dirty {
            known.dirty = true;
            self.fan_out.dirty(key);
        }
        self.peers[at.peer].slots[usize::from(at.slot)].replay(encoding, first);
    }

    fn pause(&mut self, at: SlotRef) {
        let slot = &mut self.peers[at.peer].slots[usize::from(at.slot)];
        if !slot.paused {
            slot.pause();
            self.settle(at);
        }
    }

    /// Slots on the way down forward fewer frames until the lower encoding begins. What
    /// the line does not carry even so stops at once: a picture that stands is better than a
    /// broken one.
    fn cut(&mut self, key: PeerKey, budget: u64) {
        let peer = &mut self.peers[key];
        let mut spent = 0_u64;
        let mut excesses: Vec<Excess> = Vec::new();
        for (at, slot) in peer.slots.iter_mut().take(peer.video_slots).enumerate() {
            let Some(source) = slot.shows else { continue };
            slot.meanwhile = LayerTarget::ALL;
            let given = slot.held.layer.map_or(0, |l| u64::from(l.bits_per_second));
            let other = slot
                .current()
                .filter(|current| slot.held.layer.is_none_or(|l| l.encoding != *current))
                .and_then(|current| self.sources[source].encoding(current));
            let running = other.map_or(given, |e| u64::from(cost_of(e).bits_per_second));
            spent += running.max(given);
            if let Some(other) = other.filter(|_| slot.target.is_some() && running > given) {
                excesses.push(Excess {
                    rank: (slot.view.prominent, slot.view.height),
                    slot: at as u8, // at most 49
                    running,
                    fewer: u64::from(other.figures.rate_of(u8::MAX, 0).bits_per_second)
                        .clamp(given, running),
                    given,
                });
            }
        }
        excesses.sort_unstable_by_key(|excess| (excess.rank, excess.slot));
        for excess in &mut excesses {
            if spent <= budget {
                return;
            }
            spent -= excess.running - excess.fewer;
            let slot = &mut self.peers[key].slots[usize::from(excess.slot)];
            slot.meanwhile.temporal = 0;
        }
        for excess in excesses {
            if spent <= budget {
                return;
            }
            spent -= excess.fewer - excess.given;
            let slot = excess.slot;
            self.peers[key].slots[usize::from(slot)].munger.stop();
            self.settle(SlotRef { peer: key, slot });
        }
    }

    /// A slot has begun to forward an encoding.
    pub(super) fn switched(&mut self, at: SlotRef, encoding: EncodingIndex) {
        let slot = &mut self.peers[at.peer].slots[usize::from(at.slot)];
        slot.interim = None;
        if slot.target == Some(encoding) {
            slot.target = None;
        }
        self.settle(at);
    }

    /// Subscribes a slot to those encodings that it forwards or waits for, and to no others.
    pub(super) fn settle(&mut self, at: SlotRef) {
        let slot = &self.peers[at.peer].slots[usize::from(at.slot)];
        let Some(key) = slot.shows else { return };
        let wanted: ArrayVec<EncodingIndex, 3> = [slot.current(), slot.target, slot.interim]
            .into_iter()
            .flatten()
            .collect();
        for (index, encoding) in self.sources[key].encodings.iter_mut().enumerate() {
            let wants = wanted.contains(&EncodingIndex(index as u8)); // at most MAX_ENCODINGS
            let place = encoding.subscribers.iter().position(|known| *known == at);
            match (place, wants) {
                (None, true) => encoding.subscribers.push(at),
                (Some(place), false) => {
                    encoding.subscribers.swap_remove(place);
                }
                (None, false) | (Some(_), true) => {}
            }
        }
        self.tell_owner(key);
    }

    /// Tells another worker which encodings of its source we want, if that has changed.
    pub(super) fn tell_owner(&mut self, key: SourceKey) {
        let source = &mut self.sources[key];
        let encodings = source.taken_here();
        let Owner::Remote(worker) = source.owner else {
            return;
        };
        if !source.is_video || source.subscribed == encodings {
            return;
        }
        source.subscribed = encodings;
        self.events.push_back(Event::SubscribeAt {
            worker,
            source: source.id,
            encodings,
        });
    }
}

/// What sends at present and comes nearest to an encoding that does not: rather smaller.
fn instead_of(source: &Source, wanted: EncodingIndex) -> Option<EncodingIndex> {
    let heights = heights_of(source);
    let height = heights.get(usize::from(wanted.0)).copied()?;
    let live = source.encodings.iter().zip(&heights).enumerate();
    let live = live.filter(|(_, (encoding, _))| encoding.figures.live);
    let nearest = live.min_by_key(|(_, (_, other))| (**other > height, other.abs_diff(height)))?;
    Some(EncodingIndex(nearest.0 as u8)) // at most MAX_ENCODINGS
}

/// What a source has to offer. As long as nothing comes of it at all, everything may.
fn layers_of(source: &Source, describes: bool) -> Vec<Layer> {
    let any = source.encodings.iter().any(|e| e.figures.available);
    let mut layers = Vec::new();
    for (at, (encoding, height)) in source.encodings.iter().zip(heights_of(source)).enumerate() {
        let figures = &encoding.figures;
        if any && !figures.available {
            continue;
        }
        let all = LayerTarget::ALL;
        let guessed = (figures.temporal_layers == 0).then(|| guess(source, height));
        // The last stands for all there are: there may be more than was measured.
        let places = |count: u8, all: u8| (1..count).map(|at| at - 1).chain([all]);
        // Which frames belong together, a receiver reads from the descriptor alone.
        let spatials = match encoding.structure() {
            Some(_) if !describes => 1,
            Some(_) | None => usize::MAX,
        };
        for spatial in places(figures.spatial_layers, all.spatial).take(spatials) {
            for temporal in places(figures.temporal_layers, all.temporal) {
                let rate = guessed.unwrap_or_else(|| figures.rate_of(spatial, temporal));
                layers.push(Layer {
                    encoding: EncodingIndex(at as u8), // at most MAX_ENCODINGS
                    spatial,
                    temporal,
                    height: match figures.height {
                        0 => height,
                        _ => figures.height_of(spatial),
                    },
                    frames_per_second: rate.frames_per_second,
                    bits_per_second: rate.bits_per_second,
                });
            }
        }
    }
    layers
}

/// An encoding with all its layers.
fn cost_of(encoding: &Encoding) -> Rate {
    encoding.figures.rate_of(u8::MAX, u8::MAX)
}

/// Of each encoding, in pixels. What is not known yet is taken to be twice the one
/// before, or half the one behind.
pub(super) fn heights_of(source: &Source) -> ArrayVec<u16, MAX_ENCODINGS> {
    let known = source.encodings.iter().position(|e| e.figures.height != 0);
    let guessed = |at: usize| match known {
        Some(known) => {
            let height = source.encodings[known].figures.height;
            if at > known {
                height.saturating_mul(1 << (at - known))
            } else {
                height >> (known - at)
            }
        }
        None => GUESSED_HEIGHT << at,
    };
    let encodings = source.encodings.iter().take(MAX_ENCODINGS).enumerate();
    encodings
        .map(|(at, encoding)| match encoding.figures.height {
            0 => guessed(at),
            height => height,
        })
        .collect()
}

/// What a picture of this height costs: judged by the source's other encodings, else as usual.
fn guess(source: &Source, height: u16) -> Rate {
    let encodings = source.encodings.iter().zip(heights_of(source));
    let measured = encodings.filter(|(encoding, _)| encoding.figures.temporal_layers != 0);
    let nearest = measured.min_by_key(|(_, other)| other.abs_diff(height));
    let (rate, of) = match nearest {
        Some((encoding, of)) => (cost_of(encoding), of),
        None => (USUAL_RATE, USUAL_HEIGHT),
    };
    // Four times the pixels cost about three times the bits.
    let ratio = f32::from(height) / f32::from(of.max(1));
    Rate {
        bits_per_second: (rate.bits_per_second as f32 * ratio.powf(1.5)) as u32,
        frames_per_second: rate.frames_per_second,
    }
}
