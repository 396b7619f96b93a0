//! One encoding of a track: its recent packets, who receives them, and what it costs.

use std::time::{Duration, Instant};

use super::loss::Incoming;
use super::meter::Meter;
use super::source::{ClockSample, PacketMeta, SlotRef};
use crate::api::EncodingFigures;
use crate::codec::layer::{LayerInfo, StreamLayers};
use crate::codec::{Codec, dependency};
use crate::rtp::cache::{Cache, CacheLimits};
use crate::sdp::MediaCodec;

/// What was asked for and has not come may be lost on the way.
const ASK_AGAIN: Duration = Duration::from_millis(300);
/// Right after a keyframe another one would not be better.
const KEYFRAME_REST: Duration = Duration::from_millis(100);
/// A receiver that loses packets may not make all others pay for keyframes.
const REPAIR_REST: Duration = Duration::from_millis(500);
/// Packets waiting for fan-out; beyond, the oldest are dropped.
const MAX_QUEUED: usize = 512;
/// A receiver begins with the last keyframe if that is not older: what has to
/// be caught up on is a burst on its line.
const FRESH: Duration = Duration::from_millis(1_000);
/// And if it still sends: else its next frame would come long after the old ones.
const FLOWING: Duration = Duration::from_millis(250);

/// Whether somebody waits for a keyframe, and when it was last asked for.
/// Wishes are merged: however many wait, one keyframe serves them all.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeyframeWish {
    /// A receiver sees nothing yet, or is to switch.
    wanted: bool,
    /// A receiver's picture is broken.
    broken: bool,
    asked_at: Option<Instant>,
    seen_at: Option<Instant>,
}

impl KeyframeWish {
    pub fn want(&mut self) {
        self.wanted = true;
    }

    pub fn want_repair(&mut self) {
        self.broken = true;
    }

    /// The beginning of one has come.
    pub fn seen(&mut self, now: Instant) {
        self.wanted = false;
        self.broken = false;
        self.seen_at = Some(now);
    }

    /// A sender that starts an encoding begins with a keyframe unasked.
    pub fn expected(&mut self, now: Instant) {
        self.asked_at = Some(now);
    }

    /// Whether to ask now; if so, this counts as asked.
    pub fn ask(&mut self, now: Instant) -> bool {
        let rested = |since: Option<Instant>, rest: Duration| {
            since.is_none_or(|at| now.saturating_duration_since(at) >= rest)
        };
        let answered = self.seen_at >= self.asked_at;
        let due = if self.wanted && answered {
            rested(self.seen_at, KEYFRAME_REST)
        } else if self.wanted {
            rested(self.asked_at, ASK_AGAIN)
        } else {
            self.broken && rested(self.asked_at, REPAIR_REST) && rested(self.seen_at, KEYFRAME_REST)
        };
        if due {
            self.asked_at = Some(now);
        }
        due
    }
}

/// See the module's text.
#[derive(Clone, Debug)]
pub struct Encoding {
    /// RFC 8851; `None` without simulcast.
    pub rid: Option<String>,
    pub life: u32,
    /// The owner's count of lives, if this is another worker's.
    pub generation: Option<u32>,
    pub cache: Cache<PacketMeta>,
    /// What the next batch forwards, in the order of arrival.
    pub queue: Vec<u64>,
    /// How much of the queue the present batch forwards.
    pub batch: usize,
    /// The next batch knows of it.
    pub dirty: bool,
    /// Slots that receive it or wait for its keyframe.
    pub subscribers: Vec<SlotRef>,
    /// Other workers that want its packets.
    pub workers: u64,
    pub keyframe: KeyframeWish,
    /// The first packet of the last keyframe, and when it came.
    begins: Option<(u64, Instant)>,
    /// Reads the dependency descriptors.
    dependency: dependency::Reader,
    /// What it has said of its layers.
    layers: StreamLayers,
    pub clock: Option<ClockSample>,
    pub last_packet: Option<Instant>,
    /// The sender is to send it.
    pub active: bool,
    pub active_since: Instant,
    /// When somebody last received it or waited for it.
    pub taken_at: Instant,
    pub meter: Meter,
    /// As last measured here, or told by the owner.
    pub figures: EncodingFigures,

    /// What follows only the sender's worker has.
    pub ssrc: Option<u32>,
    pub incoming: Option<Incoming>,
    /// The middle of the last sender report's NTP time, and when it came.
    pub report: Option<(u32, Instant)>,
    /// Of the last packet; its negotiated feedback counts.
    pub codec: Option<MediaCodec>,
}

impl Encoding {
    #[must_use]
    pub fn new(now: Instant, rid: Option<String>, life: u32, is_video: bool) -> Self {
        let limits = if is_video {
            CacheLimits::VIDEO
        } else {
            CacheLimits::AUDIO
        };
        Self {
            rid,
            life,
            generation: None,
            cache: Cache::new(limits),
            queue: Vec::new(),
            batch: 0,
            dirty: false,
            subscribers: Vec::new(),
            workers: 0,
            keyframe: KeyframeWish::default(),
            begins: None,
            dependency: dependency::Reader::default(),
            layers: StreamLayers::default(),
            clock: None,
            last_packet: None,
            active: true,
            active_since: now,
            taken_at: now,
            meter: Meter::default(),
            figures: EncodingFigures::default(),
            ssrc: None,
            incoming: None,
            report: None,
            codec: None,
        }
    }

    /// Forgets the stream so far; receivers will begin anew with a keyframe.
    pub fn begin_life(&mut self, life: u32) {
        self.life = life;
        self.generation = None;
        self.cache.clear();
        self.begins = None;
        self.dependency = dependency::Reader::default();
        self.layers = StreamLayers::default();
        self.drop_queue();
        self.clock = None;
        self.incoming = None;
        self.report = None;
        if !self.subscribers.is_empty() {
            self.keyframe.want();
        }
    }

    /// Somebody receives it or waits for it.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        !self.subscribers.is_empty() || self.workers != 0
    }

    pub fn drop_queue(&mut self) {
        self.queue.clear();
        self.batch = 0;
    }

    /// Puts a packet of the cache into the queue; gives how many were dropped
    /// because the queue is full.
    pub fn enqueue(&mut self, sequence: u64) -> usize {
        let mut dropped = 0;
        if self.queue.len() >= MAX_QUEUED {
            if self.batch != 0 {
                return 1; // the older ones are on their way out
            }
            dropped = self.queue.len() / 2;
            self.queue.drain(..dropped);
        }
        self.queue.push(sequence);
        dropped
    }

    /// What the dependency descriptors refer to, if the sender writes some.
    #[must_use]
    pub fn structure(&self) -> Option<&dependency::Structure> {
        self.dependency.structure()
    }

    /// Reads the dependency descriptor beside a packet; gives what is to be kept of it.
    pub fn describe<'a>(&mut self, meta: &mut PacketMeta, value: &'a [u8]) -> &'a [u8] {
        let described = match meta.codec {
            Codec::Av1 | Codec::H264 | Codec::H265 => !value.is_empty(),
            // Their payloads tell of layers, and need no negotiation for that.
            Codec::Vp8 | Codec::Vp9 | Codec::Opus | Codec::Red => false,
        };
        let frame = described.then(|| self.dependency.read(value)).flatten();
        let (Some(frame), Ok(length)) = (frame, u8::try_from(value.len())) else {
            return &[];
        };
        meta.info = LayerInfo::Dependency(frame);
        meta.descriptor_bytes = length;
        value
    }

    /// A keyframe tells the size of its pictures. True: it is another one than before.
    pub fn look_at_keyframe(&mut self, meta: &PacketMeta, payload: &[u8]) -> bool {
        let structure = self.dependency.structure();
        self.layers.note(meta.codec, &meta.info, payload, structure);
        let before = (self.figures.height, self.figures.heights);
        self.figures.heights = self.layers.heights;
        self.settle_height();
        before != (self.figures.height, self.figures.heights)
    }

    /// Its height is that of the highest layer that comes.
    pub fn settle_height(&mut self) {
        let count = match self.figures.spatial_layers {
            0 => self.layers.spatial(),
            measured => measured,
        };
        let known = self.figures.heights.get(usize::from(count) - 1);
        if let Some(height) = known.copied().filter(|height| *height != 0) {
            self.figures.height = height;
        }
    }

    /// A packet that begins a keyframe, or a further one of the same kind within it
    /// (parameter sets, then the slice).
    pub fn keyframe_came(&mut self, now: Instant, sequence: u64, timestamp: u32) {
        self.keyframe.seen(now);
        let known = self.begins.and_then(|(at, _)| self.cache.packet(at));
        let same = known.is_some_and(|(meta, _)| meta.timestamp == timestamp);
        let newer = self.begins.is_none_or(|(at, _)| sequence > at);
        if newer && !same {
            self.begins = Some((sequence, now));
        }
    }

    /// The packets since the last keyframe, if a receiver can begin with them now.
    #[must_use]
    pub fn fresh(&self, now: Instant) -> Option<u64> {
        let (first, at) = self.begins?;
        let within = |at: Instant, time: Duration| now.saturating_duration_since(at) <= time;
        let flows = self.last_packet.is_some_and(|at| within(at, FLOWING));
        let usable = self.active && flows && within(at, FRESH);
        (usable && self.cache.packet(first).is_some()).then_some(first)
    }

    /// Of the payloads from `first` on that are in the cache.
    #[must_use]
    pub fn bytes_since(&self, first: u64) -> usize {
        let newest = self.cache.newest().unwrap_or_default();
        let known = (first..=newest).filter_map(|sequence| self.cache.packet(sequence));
        known.map(|(_, payload)| payload.len()).sum()
    }

    /// What is in the cache from `first` on and does not go out with the next batch anyway.
    pub fn since(&self, first: u64) -> impl Iterator<Item = u64> {
        let waiting = self.queue.get(self.batch..).unwrap_or_default();
        let newest = self.cache.newest().unwrap_or_default();
        (first..=newest)
            .filter(|sequence| self.cache.packet(*sequence).is_some())
            .filter(|sequence| !waiting.contains(sequence))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> Instant {
        #[allow(clippy::disallowed_methods)] // any instant serves as the origin of virtual time
        Instant::now()
    }

    #[test]
    fn keyframes_are_asked_for_at_intervals_until_one_comes() {
        let mut now = start();
        let mut wish = KeyframeWish::default();
        assert!(!wish.ask(now));
        wish.want();
        assert!(wish.ask(now));
        wish.want();
        assert!(!wish.ask(now), "under way");
        now += ASK_AGAIN;
        assert!(wish.ask(now), "still wanted");
        wish.seen(now);
        now += ASK_AGAIN;
        assert!(!wish.ask(now));
    }

    #[test]
    fn a_wish_after_a_served_one_does_not_wait_long() {
        let mut now = start();
        let mut wish = KeyframeWish::default();
        wish.want();
        assert!(wish.ask(now));
        now += Duration::from_millis(40);
        wish.seen(now);
        wish.want();
        assert!(!wish.ask(now));
        now += KEYFRAME_REST;
        assert!(wish.ask(now));
    }

    #[test]
    fn broken_pictures_are_mended_at_a_slower_pace() {
        let mut now = start();
        let mut wish = KeyframeWish::default();
        wish.want_repair();
        assert!(wish.ask(now));
        now += KEYFRAME_REST;
        wish.seen(now);
        wish.want_repair();
        now += KEYFRAME_REST;
        assert!(!wish.ask(now));
        now += REPAIR_REST;
        assert!(wish.ask(now));
    }
}
