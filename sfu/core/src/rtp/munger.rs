//! Keeps one outgoing stream continuous while what feeds it changes.
//!
//! A receiver sees one SSRC whose sequence numbers, timestamps and picture ids
//! never jump. Each feed in turn (a source, or the same source after a restart)
//! is a [`Binding`] with constant offsets; the few latest bindings are kept, so
//! that a packet which the receiver asks for again is rebuilt bit by bit as it
//! was, even after a switch.

use std::time::{Duration, Instant};

use arrayvec::ArrayVec;

/// Bindings remembered for repair, beside the current one.
const PAST_BINDINGS: usize = 3;
/// Runs of left-out packets remembered per binding, for packets that come late.
const RECENT_SKIPS: usize = 48;
/// Frames older than the present are sent so many times closer to each other.
const SQUEEZE: u32 = 64;
/// Ticks after which no old frame is asked for again; far below half a lap of timestamps.
const SQUEEZE_REMEMBERED: u32 = 1 << 24;
/// A clock that says more than this beyond the time gone is not believed.
const MAX_AHEAD: Duration = Duration::from_secs(2);

/// Picture numbering of a codec that has one (VP8: RFC 7741 §4.2; VP9: RFC 9628
/// §4.2; AV1: its dependency descriptor).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PictureIds {
    /// 15 bits; a 7-bit id uses the low ones.
    pub picture_id: Option<u16>,
    /// TL0PICIDX.
    pub base_layer: Option<u8>,
    /// Of the dependency descriptor.
    pub frame_number: Option<u16>,
}

/// The place of a packet in the outgoing stream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Mapped {
    /// Extended; the wire has the low 16 bits.
    pub sequence: u64,
    pub timestamp: u32,
    pub pictures: PictureIds,
}

/// A packet as its source numbered it.
#[derive(Clone, Copy, Debug)]
pub struct Numbering {
    /// Extended.
    pub sequence: u64,
    pub timestamp: u32,
    pub pictures: PictureIds,
}

/// The ticks of a stream's RTP clock.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// Ticks per second.
    pub rate: u32,
    /// The least step across a switch, in ticks.
    pub step: u32,
}

impl Clock {
    pub const VIDEO: Self = Self {
        rate: 90_000,
        step: 1,
    };
    /// Opus always runs at 48 kHz (RFC 7587 §4.1); 20 ms are one usual packet.
    pub const OPUS: Self = Self {
        rate: 48_000,
        step: 960,
    };

    /// Wraps, as RTP timestamps do.
    #[must_use]
    pub fn ticks(self, elapsed: Duration) -> u32 {
        (elapsed.as_nanos() * u128::from(self.rate) / 1_000_000_000) as u32
    }
}

/// How the first packet of a feed joins the stream.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Joint {
    /// The outgoing timestamp that the packet should have, by the senders' clocks.
    pub timestamp: Option<u32>,
    /// The feed begins with old frames; the one with this timestamp is of the
    /// present. Those before it are shown at once, one right after the other.
    pub present: Option<u32>,
}

/// A run of packets left out one after the other.
#[derive(Clone, Copy, Debug)]
struct Skip {
    first: u64,
    last: u64,
}

impl Skip {
    const fn count(self) -> u64 {
        self.last - self.first + 1
    }
}

/// One feed of the stream, named by `O`, with its constant offsets.
#[derive(Clone, Debug)]
struct Binding<O> {
    origin: O,
    highest_in: u64,
    first_out: u64,
    /// out = in + shift, for packets newer than all skips.
    shift: i64,
    timestamp_shift: u32,
    /// Timestamps before this one are squeezed; `None` if there were none, or long ago.
    present: Option<u32>,
    picture_shift: u16,
    base_layer_shift: u8,
    frame_shift: u16,
    /// Left out, oldest first: their numbers are given to the packets after them.
    skips: Vec<Skip>,
    /// Nothing below is mapped any more: its skips are forgotten.
    floor: u64,
}

impl<O> Binding<O> {
    fn sequence_out(&self, sequence: u64) -> Option<u64> {
        if sequence < self.floor {
            return None;
        }
        let mut out = sequence as i64 + self.shift;
        for skip in self.skips.iter().rev() {
            if skip.last < sequence {
                break;
            }
            if skip.first <= sequence {
                return None;
            }
            out += skip.count() as i64;
        }
        u64::try_from(out).ok()
    }

    fn sequence_in(&self, out: u64) -> Option<u64> {
        let mut sequence = out as i64 - self.shift;
        for skip in self.skips.iter().rev() {
            if (skip.last as i64) < sequence {
                break;
            }
            sequence -= skip.count() as i64;
        }
        let sequence = u64::try_from(sequence).ok()?;
        (sequence >= self.floor && sequence <= self.highest_in).then_some(sequence)
    }

    fn timestamp_out(&self, timestamp: u32) -> u32 {
        let out = timestamp.wrapping_add(self.timestamp_shift);
        let old = self.present.map_or(0, |at| at.wrapping_sub(timestamp));
        if (old as i32) > 0 {
            return out.wrapping_add(old).wrapping_sub(old / SQUEEZE);
        }
        out
    }

    fn apply(&self, sequence: u64, packet: &Numbering) -> Mapped {
        Mapped {
            sequence,
            timestamp: self.timestamp_out(packet.timestamp),
            pictures: PictureIds {
                picture_id: packet
                    .pictures
                    .picture_id
                    .map(|id| id.wrapping_add(self.picture_shift) & 0x7fff),
                base_layer: packet
                    .pictures
                    .base_layer
                    .map(|index| index.wrapping_add(self.base_layer_shift)),
                frame_number: packet
                    .pictures
                    .frame_number
                    .map(|number| number.wrapping_add(self.frame_shift)),
            },
        }
    }
}

/// See the module's text. `O` names a feed, and compares equal only for the
/// same life of the same source.
#[derive(Clone, Debug)]
pub struct Munger<O> {
    current: Option<Binding<O>>,
    past: ArrayVec<Box<Binding<O>>, PAST_BINDINGS>,
    /// The next new sequence number, extended.
    next: u64,
    /// Of the newest frame sent.
    last: Option<(u32, Instant)>,
    pictures: PictureIds,
}

impl<O: Copy + Eq> Munger<O> {
    /// `first` is the first sequence number on the wire (RFC 3550 §5.1 wants it random).
    #[must_use]
    pub fn new(first: u16) -> Self {
        Self {
            current: None,
            past: ArrayVec::new(),
            // One lap ahead, so that nothing older than the first is ever negative.
            next: (1 << 16) | u64::from(first),
            last: None,
            pictures: PictureIds::default(),
        }
    }

    /// The feed that is being forwarded.
    #[must_use]
    pub fn origin(&self) -> Option<O> {
        self.current.as_ref().map(|binding| binding.origin)
    }

    /// Ends the current feed: nothing of it is mapped any more, though it can
    /// still be repaired.
    pub fn stop(&mut self) {
        if let Some(ended) = self.current.take() {
            if self.past.is_full() {
                self.past.remove(0);
            }
            self.past.push(Box::new(ended));
        }
    }

    /// Begins a feed with this packet, and ends the one before. The timestamp
    /// goes on by the time since the last frame.
    pub fn start(&mut self, now: Instant, origin: O, clock: Clock, packet: &Numbering) -> Mapped {
        self.join(now, origin, clock, packet, Joint::default())
    }

    /// As [`Self::start`], but the timestamp goes on as the joint says. It never goes back.
    pub fn join(
        &mut self,
        now: Instant,
        origin: O,
        clock: Clock,
        packet: &Numbering,
        joint: Joint,
    ) -> Mapped {
        self.stop();
        let present = joint.present.unwrap_or(packet.timestamp);
        let span = present.wrapping_sub(packet.timestamp);
        let by_clocks = joint
            .timestamp
            .map(|timestamp| timestamp.wrapping_add(span));
        let timestamp = match self.last {
            Some((timestamp, at)) => {
                let elapsed = clock.ticks(now.saturating_duration_since(at));
                let least = clock.step.wrapping_add(span / SQUEEZE);
                let by_arrival = elapsed.max(least);
                let ahead = by_clocks.map(|wanted| wanted.wrapping_sub(timestamp));
                let ahead = match ahead {
                    Some(ahead) if ahead as i32 <= least as i32 => least,
                    Some(ahead) if ahead <= elapsed.wrapping_add(clock.ticks(MAX_AHEAD)) => ahead,
                    Some(_) | None => by_arrival,
                };
                timestamp.wrapping_add(ahead)
            }
            None => by_clocks.unwrap_or(present),
        };
        let next_picture = |last: u16| last.wrapping_add(1) & 0x7fff;
        let binding = Binding {
            origin,
            highest_in: packet.sequence,
            first_out: self.next,
            shift: self.next as i64 - packet.sequence as i64,
            timestamp_shift: timestamp.wrapping_sub(present),
            present: joint.present,
            picture_shift: match (self.pictures.picture_id, packet.pictures.picture_id) {
                (Some(last), Some(id)) => next_picture(last).wrapping_sub(id) & 0x7fff,
                (_, _) => 0,
            },
            base_layer_shift: match (self.pictures.base_layer, packet.pictures.base_layer) {
                (Some(last), Some(index)) => last.wrapping_add(1).wrapping_sub(index),
                (_, _) => 0,
            },
            frame_shift: match (self.pictures.frame_number, packet.pictures.frame_number) {
                (Some(last), Some(number)) => last.wrapping_add(1).wrapping_sub(number),
                (_, _) => 0,
            },
            skips: Vec::new(),
            floor: packet.sequence,
        };
        let mapped = binding.apply(self.next, packet);
        self.current = Some(binding);
        self.next += 1;
        self.note(now, &mapped);
        mapped
    }

    /// The place of a further packet of the current feed. `None`: older than the
    /// feed's start, left out, or too late to tell.
    ///
    /// A gap before the packet stays a gap, which the missing packet fills when it
    /// comes late or again; each packet is to be offered once.
    pub fn map(&mut self, now: Instant, packet: &Numbering) -> Option<Mapped> {
        let binding = self.current.as_mut()?;
        let sequence = binding.sequence_out(packet.sequence)?;
        binding.highest_in = binding.highest_in.max(packet.sequence);
        let beyond = binding.present.map(|at| packet.timestamp.wrapping_sub(at));
        if beyond.is_some_and(|ticks| (SQUEEZE_REMEMBERED..1 << 31).contains(&ticks)) {
            binding.present = None;
        }
        let mapped = binding.apply(sequence, packet);
        self.next = self.next.max(sequence + 1);
        self.note(now, &mapped);
        Some(mapped)
    }

    /// Leaves a packet out so that the receiver sees no gap. False: it is too late
    /// for that since newer packets have gone out; its number stays in use.
    pub fn skip(&mut self, sequence: u64) -> bool {
        let Some(binding) = self.current.as_mut() else {
            return true;
        };
        if sequence <= binding.highest_in {
            return sequence < binding.floor;
        }
        match binding.skips.last_mut() {
            Some(skip) if skip.last + 1 == sequence => {
                skip.last = sequence;
            }
            Some(_) | None => {
                if binding.skips.len() == RECENT_SKIPS {
                    binding.floor = binding.skips.remove(0).last + 1;
                }
                binding.skips.push(Skip {
                    first: sequence,
                    last: sequence,
                });
            }
        }
        binding.shift -= 1;
        binding.highest_in = sequence;
        true
    }

    /// Which packet of which feed was (or will be) sent under this sequence
    /// number of the wire.
    #[must_use]
    pub fn sent(&self, wire: u16) -> Option<(O, u64)> {
        let out = self.unwrap(wire)?;
        let binding = self.binding_of(out)?;
        Some((binding.origin, binding.sequence_in(out)?))
    }

    /// The packet is of a feed that has ended, or of none.
    #[must_use]
    pub fn is_past(&self, wire: u16) -> bool {
        let present = self.current.as_ref().zip(self.unwrap(wire));
        present.is_none_or(|(current, out)| out < current.first_out)
    }

    /// The place that a packet has, without changing anything: for sending again.
    #[must_use]
    pub fn again(&self, wire: u16, packet: &Numbering) -> Option<Mapped> {
        let out = self.unwrap(wire)?;
        let binding = self.binding_of(out)?;
        (binding.sequence_out(packet.sequence)? == out).then(|| binding.apply(out, packet))
    }

    /// Translates a timestamp of the current feed.
    #[must_use]
    pub fn timestamp(&self, timestamp: u32) -> Option<u32> {
        let binding = self.current.as_ref()?;
        Some(timestamp.wrapping_add(binding.timestamp_shift)) // of the present
    }

    /// The newest frame's timestamp and when it was forwarded.
    #[must_use]
    pub fn newest(&self) -> Option<(u32, Instant)> {
        self.last
    }

    fn binding_of(&self, out: u64) -> Option<&Binding<O>> {
        self.current
            .iter()
            .chain(self.past.iter().rev().map(|past| &**past))
            .find(|binding| binding.first_out <= out)
    }

    /// The extended number, at most 2^15 below the next one.
    fn unwrap(&self, wire: u16) -> Option<u64> {
        let newest = self.next - 1;
        let behind = (newest as u16).wrapping_sub(wire);
        (behind < 0x8000).then(|| newest - u64::from(behind))
    }

    fn note(&mut self, now: Instant, mapped: &Mapped) {
        let newer_time = match self.last {
            Some((last, _)) => mapped.timestamp.wrapping_sub(last) as i32 > 0,
            None => true,
        };
        if newer_time {
            self.last = Some((mapped.timestamp, now));
        }
        if let Some(id) = mapped.pictures.picture_id {
            let ahead = |last: u16| id.wrapping_sub(last) & 0x7fff;
            if self
                .pictures
                .picture_id
                .is_none_or(|last| ahead(last) < 0x4000)
            {
                self.pictures.picture_id = Some(id);
            }
        }
        if let Some(index) = mapped.pictures.base_layer
            && self
                .pictures
                .base_layer
                .is_none_or(|last| index.wrapping_sub(last) < 0x80)
        {
            self.pictures.base_layer = Some(index);
        }
        if let Some(number) = mapped.pictures.frame_number
            && self
                .pictures
                .frame_number
                .is_none_or(|last| number.wrapping_sub(last) < 0x8000)
        {
            self.pictures.frame_number = Some(number);
        }
    }
}

#[cfg(test)]
#[path = "munger_tests.rs"]
mod tests;
