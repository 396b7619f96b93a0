//! One thing that is sent, as one worker knows it: its recent packets and who wants them.

use std::time::{Duration, Instant};

use arrayvec::ArrayVec;

use super::loss::Incoming;
use crate::codec::layer::LayerInfo;
use crate::codec::{self, Codec, opus, red};
use crate::ids::{SourceId, WorkerIndex};
use crate::room::Loudness;
use crate::rtp::cache::{Cache, CacheLimits};
use crate::rtp::{AudioLevel, ExtensionMap};
use crate::sdp::{MediaCodec, SendTrack};

/// Index into the engine's table of sources.
pub type SourceKey = usize;
/// Index into the engine's table of peers.
pub type PeerKey = usize;

/// Asking a sender for keyframes more often would only make it send worse ones.
const KEYFRAME_INTERVAL: Duration = Duration::from_millis(500);
/// A source that sends nothing for so long is silent.
pub const SILENT_AFTER: Duration = Duration::from_secs(5);
/// Packets waiting for fan-out; beyond, the oldest are dropped.
const MAX_QUEUED: usize = 512;
/// An Opus packet not longer than this is comfort noise or DTX (RFC 7587 §3.1.3).
const DTX_BYTES: usize = 8;

/// One life of a source: sequence numbers of two lives have nothing to do with each other.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Origin {
    pub source: SourceKey,
    /// Never the same twice within an engine.
    pub life: u32,
}

/// A slot of a peer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SlotRef {
    pub peer: PeerKey,
    /// Into the peer's slots: video first, then audio.
    pub slot: u8,
}

/// What is remembered of a packet beside its payload.
#[derive(Clone, Copy, Debug)]
pub struct PacketMeta {
    pub timestamp: u32,
    pub codec: Codec,
    pub marker: bool,
    /// A receiver can begin here.
    pub keyframe: bool,
    pub level: Option<AudioLevel>,
    /// 3GPP TS 26.114 §7.4.5.
    pub orientation: Option<u8>,
    pub info: LayerInfo,
    /// Where the primary encoding begins (RED).
    pub primary_at: u16,
}

impl PacketMeta {
    #[must_use]
    pub fn new(codec: Codec, timestamp: u32, marker: bool, payload: &[u8]) -> Self {
        let primary_at = match codec {
            Codec::Red => {
                red::Primary::parse(payload).map_or(payload.len(), |primary| primary.range.start)
            }
            Codec::Opus | Codec::Vp8 | Codec::H264 | Codec::Vp9 | Codec::Av1 | Codec::H265 => 0,
        };
        Self {
            timestamp,
            codec,
            marker,
            keyframe: codec::is_keyframe(codec, payload),
            level: None,
            orientation: None,
            info: LayerInfo::of_payload(codec, payload),
            // A payload is shorter than a datagram.
            primary_at: primary_at as u16,
        }
    }

    /// How loud the packet is, for the choice of speakers.
    #[must_use]
    pub fn loudness(&self, payload: &[u8]) -> Loudness {
        if let Some(level) = self.level {
            return Loudness::Level {
                minus_dbov: level.minus_dbov,
                voice: level.voice,
            };
        }
        let sound = payload
            .get(usize::from(self.primary_at)..)
            .unwrap_or_default();
        if sound.len() <= DTX_BYTES || opus::duration(sound).is_none() {
            Loudness::Silence
        } else {
            Loudness::Unknown
        }
    }
}

/// Whether somebody waits for a keyframe, and when it was last asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeyframeWish {
    wanted: bool,
    asked_at: Option<Instant>,
}

impl KeyframeWish {
    pub fn want(&mut self) {
        self.wanted = true;
    }

    /// The beginning of one has come.
    pub fn seen(&mut self) {
        self.wanted = false;
    }

    /// Whether to ask now; if so, this counts as asked.
    pub fn ask(&mut self, now: Instant) -> bool {
        let rested = self
            .asked_at
            .is_none_or(|at| now.saturating_duration_since(at) >= KEYFRAME_INTERVAL);
        let ask = self.wanted && rested;
        if ask {
            self.asked_at = Some(now);
        }
        ask
    }
}

/// A moment on both clocks of a source, from its sender report.
#[derive(Clone, Copy, Debug)]
pub struct ClockSample {
    /// On the node's timeline, 32.32 seconds.
    pub ntp: u64,
    pub timestamp: u32,
}

/// What only the worker of the sender has.
#[derive(Clone, Debug)]
pub struct Upstream {
    pub peer: PeerKey,
    pub mid: ArrayVec<u8, 16>,
    pub codecs: Vec<MediaCodec>,
    pub extensions: ExtensionMap,
    pub ssrc: Option<u32>,
    pub incoming: Option<Incoming>,
    /// The middle of the last sender report's NTP time, and when it came.
    pub report: Option<(u32, Instant)>,
    /// Of the last packet; its negotiated feedback counts.
    pub codec: Option<MediaCodec>,
}

impl Upstream {
    #[must_use]
    pub fn new(peer: PeerKey, track: &SendTrack) -> Self {
        Self {
            peer,
            mid: track.mid.bytes().take(16).collect(),
            codecs: track.codecs.clone(),
            extensions: track.extensions,
            ssrc: None,
            incoming: None,
            report: None,
            codec: None,
        }
    }

    /// The codec of a payload type, and whether it is a retransmission.
    #[must_use]
    pub fn codec_of(&self, payload_type: u8) -> Option<(MediaCodec, bool)> {
        self.codecs.iter().find_map(|codec| {
            if codec.payload_type == payload_type {
                Some((*codec, false))
            } else if codec.rtx == Some(payload_type) {
                Some((*codec, true))
            } else {
                None
            }
        })
    }
}

/// Where the sender is.
#[derive(Clone, Debug)]
pub enum Owner {
    Local(Box<Upstream>),
    Remote(WorkerIndex),
}

/// See the module's text.
#[derive(Clone, Debug)]
pub struct Source {
    pub id: SourceId,
    /// Index into the engine's table of rooms.
    pub room: usize,
    pub owner: Owner,
    pub life: u32,
    /// Of a remote one: its owner's number of this life.
    pub generation: Option<u32>,
    pub is_video: bool,
    pub cache: Cache<PacketMeta>,
    /// Extended sequence numbers that wait for fan-out.
    pub queue: Vec<u64>,
    /// How many of `queue` belong to the batch that is being fanned out.
    pub batch: usize,
    /// Is in the engine's list of sources with a queue.
    pub dirty: bool,
    pub subscribers: Vec<SlotRef>,
    /// Other workers that asked for its packets; bit i is worker i.
    pub workers: u64,
    /// Closed: the sender may not be heard or seen.
    pub open: bool,
    pub keyframe: KeyframeWish,
    pub clock: Option<ClockSample>,
    pub last_packet: Option<Instant>,
    /// Packets come: `SourceStarted` was said.
    pub started: bool,
}

impl Source {
    #[must_use]
    pub fn new(id: SourceId, room: usize, owner: Owner, life: u32, is_video: bool) -> Self {
        let limits = if is_video {
            CacheLimits::VIDEO
        } else {
            CacheLimits::AUDIO
        };
        Self {
            id,
            room,
            owner,
            life,
            generation: None,
            is_video,
            cache: Cache::new(limits),
            queue: Vec::new(),
            batch: 0,
            dirty: false,
            subscribers: Vec::new(),
            workers: 0,
            open: true,
            keyframe: KeyframeWish::default(),
            clock: None,
            last_packet: None,
            started: false,
        }
    }

    /// What only the sender's worker has.
    #[must_use]
    pub fn upstream(&self) -> Option<&Upstream> {
        match &self.owner {
            Owner::Local(upstream) => Some(upstream),
            Owner::Remote(_) => None,
        }
    }

    #[must_use]
    pub fn upstream_mut(&mut self) -> Option<&mut Upstream> {
        match &mut self.owner {
            Owner::Local(upstream) => Some(upstream),
            Owner::Remote(_) => None,
        }
    }

    /// Forgets the stream so far; receivers will begin anew with a keyframe.
    pub fn begin_life(&mut self, life: u32) {
        self.life = life;
        self.generation = None;
        self.cache.clear();
        self.queue.clear();
        self.batch = 0;
        self.clock = None;
        if let Some(upstream) = self.upstream_mut() {
            upstream.incoming = None;
            upstream.report = None;
        }
        if self.is_video && !self.subscribers.is_empty() {
            self.keyframe.want();
        }
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

    pub fn unsubscribe(&mut self, slot: SlotRef) {
        if let Some(at) = self.subscribers.iter().position(|known| *known == slot) {
            self.subscribers.swap_remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keyframes_are_asked_for_at_intervals_until_one_comes() {
        #[allow(clippy::disallowed_methods)] // any instant serves as the origin of virtual time
        let mut now = Instant::now();
        let mut wish = KeyframeWish::default();
        assert!(!wish.ask(now));
        wish.want();
        assert!(wish.ask(now));
        wish.want();
        assert!(!wish.ask(now), "throttled");
        now += KEYFRAME_INTERVAL;
        assert!(wish.ask(now), "still wanted");
        wish.seen();
        now += KEYFRAME_INTERVAL;
        assert!(!wish.ask(now));
    }

    #[test]
    fn short_packets_without_level_are_silence() {
        let speech = [0x78_u8; 60];
        let meta = PacketMeta::new(Codec::Opus, 0, false, &speech);
        assert_eq!(meta.loudness(&speech), Loudness::Unknown);
        assert_eq!(meta.loudness(&speech[..2]), Loudness::Silence);
    }
}
