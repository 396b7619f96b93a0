//! One client's media connection.

use std::time::{Duration, Instant};

use arrayvec::ArrayVec;

use super::line::Line;
use super::slot::Slot;
use super::sound_rate::SoundRate;
use super::source::{EncodingKey, SourceKey};
use crate::ids::{EncodingIndex, Path, PeerId};
use crate::rtcp::TransportFeedbackRecorder;
use crate::rtp::ExtensionMap;
use crate::transport::{IceCredentials, Transport};

/// SSRCs that one peer may send with: three tracks, two of them with three encodings,
/// each with repair.
pub const MAX_STREAMS: usize = 16;
/// Tracks of one peer: microphone, camera, screen.
pub const MAX_TRACKS: usize = 3;
/// Before the first receiver report.
const FIRST_ROUND_TRIP: Duration = Duration::from_millis(100);
/// Packets sent again to one peer within one tick; who asks for more is waited for.
pub const RESENDS_PER_TICK: u32 = 128;

/// An SSRC that the peer sends with.
#[derive(Clone, Copy, Debug)]
pub struct IncomingStream {
    pub ssrc: u32,
    pub key: EncodingKey,
    /// Retransmissions (RFC 4588).
    pub rtx: bool,
}

/// A slot that packets of the present batch wait for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Pending {
    pub slot: u8,
    pub encoding: EncodingIndex,
}

/// Bytes and packets of one direction since the last statistics.
#[derive(Clone, Copy, Debug, Default)]
pub struct Traffic {
    pub bytes: u64,
    pub expected: u64,
    pub lost: u64,
}

/// See the module's text.
#[derive(Debug)]
pub struct Peer {
    pub id: PeerId,
    /// Index into the engine's table of rooms.
    pub room: usize,
    pub transport: Transport,
    /// Of the latest answer.
    pub local: IceCredentials,
    /// All user fragments by which the engine knows it.
    pub ufrags: Vec<String>,
    pub paths: Vec<Path>,
    pub session_id: u64,
    pub session_version: u64,
    pub offered_at: Instant,
    pub connected: bool,
    pub sources: ArrayVec<SourceKey, MAX_TRACKS>,
    /// Video first, then audio.
    pub slots: Vec<Slot>,
    pub video_slots: usize,
    pub streams: ArrayVec<IncomingStream, MAX_STREAMS>,
    /// Of all its tracks, for the mid and the rid of an unknown SSRC.
    pub extensions: ExtensionMap,
    /// Of our receiver reports and feedback.
    pub ssrc: u32,
    /// What of the present batch waits for it.
    pub pending: Vec<Pending>,
    /// Transport-wide feedback, if negotiated.
    pub recorder: Option<TransportFeedbackRecorder>,
    pub feedback_at: Instant,
    pub report_at: Instant,
    pub stats_at: Instant,
    /// Adds the sender's NTP time up to the node's; wraps.
    pub ntp_shift: Option<u64>,
    pub round_trip: Option<Duration>,
    pub resends: u32,
    /// Of receivers that report arrivals.
    pub line: Option<Box<Line>>,
    /// Bits per second that its line carries towards it; `None`: as far as is
    /// known, as much as we want.
    pub budget: Option<u64>,
    /// When its slots' layers are chosen again if nothing happens before.
    pub allocate_at: Instant,
    pub up: Traffic,
    /// The packets of its microphone among them.
    pub up_sound: Traffic,
    pub down: Traffic,
    /// Of the sound that it gets.
    pub sound_rate: SoundRate,
    /// The worst of what it sends, since the last statistics.
    pub jitter: Duration,
    /// Its microphone sends RED.
    pub sends_redundancy: bool,
}

impl Peer {
    #[must_use]
    pub fn stream(&self, ssrc: u32) -> Option<IncomingStream> {
        self.streams.iter().find(|s| s.ssrc == ssrc).copied()
    }

    /// Learns an SSRC in place of the encoding's earlier one of the same use.
    /// False: there are too many.
    pub fn learn(&mut self, stream: IncomingStream) -> bool {
        let same = |s: &IncomingStream| s.key == stream.key && s.rtx == stream.rtx;
        self.streams.retain(|known| !same(known));
        self.streams.try_push(stream).is_ok()
    }

    /// How long an answer from the peer takes.
    #[must_use]
    pub fn round_trip(&self) -> Duration {
        self.round_trip.unwrap_or(FIRST_ROUND_TRIP)
    }

    /// The same, with what waits in its line's queue at present.
    #[must_use]
    pub fn present_round_trip(&self) -> Duration {
        let line = self.line.as_ref().map(|line| line.round_trip());
        self.round_trip().max(line.unwrap_or_default())
    }

    /// Whether somebody may be heard.
    #[must_use]
    pub fn may_hear(&self) -> bool {
        let mut sounds = self.slots[self.video_slots..].iter();
        sounds.any(|slot| slot.shows.is_some())
    }

    /// Folds one measurement in (weight 1/8, as RFC 6298 §2).
    pub fn measure_round_trip(&mut self, sample: Duration) {
        self.round_trip = Some(match self.round_trip {
            Some(smoothed) => (smoothed * 7 + sample) / 8,
            None => sample,
        });
    }
}
