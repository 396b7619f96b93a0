//! One track, as one worker knows it: its encodings and who shows it.

use std::time::{Duration, Instant};

use arrayvec::ArrayVec;

use super::encoding::Encoding;
use super::speech::SpeechRate;
use crate::codec::layer::LayerInfo;
use crate::codec::{self, Codec, opus, red};
use crate::ids::{EncodingIndex, SourceId, WorkerIndex};
use crate::room::Loudness;
use crate::rtp::{AudioLevel, ExtensionMap};
use crate::sdp::{MediaCodec, SendTrack};

/// Index into the engine's table of sources.
pub type SourceKey = usize;
/// Index into the engine's table of peers.
pub type PeerKey = usize;

/// A source that sends nothing for so long is silent.
pub const SILENT_AFTER: Duration = Duration::from_secs(5);
/// Encodings of one track (simulcast); more are not taken.
pub const MAX_ENCODINGS: usize = 3;
/// An Opus packet not longer than this is comfort noise or DTX (RFC 7587 §3.1.3).
pub const DTX_BYTES: usize = 8;

/// An encoding of a source.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct EncodingKey {
    pub source: SourceKey,
    pub encoding: EncodingIndex,
}

/// One life of an encoding: sequence numbers of two lives have nothing to do with each other.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Origin {
    pub source: SourceKey,
    pub encoding: EncodingIndex,
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
    /// So many bytes behind the payload in the cache are the dependency descriptor.
    pub descriptor_bytes: u8,
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
            descriptor_bytes: 0,
        }
    }

    /// Payload and dependency descriptor, of what the cache holds.
    #[must_use]
    pub fn split<'a>(&self, stored: &'a [u8]) -> (&'a [u8], &'a [u8]) {
        let length = stored.len().saturating_sub(self.descriptor_bytes.into());
        stored.split_at(length)
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
}

impl Upstream {
    #[must_use]
    pub fn new(peer: PeerKey, track: &SendTrack) -> Self {
        Self {
            peer,
            mid: track.mid.bytes().take(16).collect(),
            codecs: track.codecs.clone(),
            extensions: track.extensions,
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
    pub is_video: bool,
    /// In the order of the sender's offer, usually the smallest picture first.
    /// Empty: a source of another worker that has not told them yet.
    pub encodings: Vec<Encoding>,
    /// The slots that are to show it, whatever they receive of it.
    pub watchers: Vec<SlotRef>,
    /// Other workers that know of it; bit i is worker i.
    pub workers: u64,
    /// What its own worker was last told that we want; bit i is encoding i.
    pub subscribed: u8,
    /// Closed: the sender may not be heard or seen.
    pub open: bool,
    pub last_packet: Option<Instant>,
    /// Packets come: `SourceStarted` was said.
    pub started: bool,
    /// What there is to choose from has changed since it was last looked at.
    pub changed: bool,
    /// When the other workers are told again of the encodings.
    pub tell_at: Instant,
    /// Of a microphone: what its sender is asked for.
    pub speech: SpeechRate,
}

impl Source {
    #[must_use]
    pub fn new(now: Instant, id: SourceId, room: usize, owner: Owner, is_video: bool) -> Self {
        Self {
            id,
            room,
            owner,
            is_video,
            encodings: Vec::new(),
            watchers: Vec::new(),
            workers: 0,
            subscribed: 0,
            open: true,
            last_packet: None,
            started: false,
            changed: false,
            tell_at: now,
            speech: SpeechRate::default(),
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
    pub fn encoding(&self, index: EncodingIndex) -> Option<&Encoding> {
        self.encodings.get(usize::from(index.0))
    }

    #[must_use]
    pub fn encoding_mut(&mut self, index: EncodingIndex) -> Option<&mut Encoding> {
        self.encodings.get_mut(usize::from(index.0))
    }

    /// Bit i: somebody here receives encoding i, or waits for it.
    #[must_use]
    pub fn taken_here(&self) -> u8 {
        let bits = self.encodings.iter().enumerate();
        bits.filter(|(_, encoding)| !encoding.subscribers.is_empty())
            .fold(0, |mask, (at, _)| mask | 1 << at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_packets_without_level_are_silence() {
        let speech = [0x78_u8; 60];
        let meta = PacketMeta::new(Codec::Opus, 0, false, &speech);
        assert_eq!(meta.loudness(&speech), Loudness::Unknown);
        assert_eq!(meta.loudness(&speech[..2]), Loudness::Silence);
    }
}
