//! What goes into an [`Engine`](crate::Engine) and what comes out, apart from datagrams.
//!
//! The shell's loop: `receive` every datagram of a batch, then `flush` and send
//! until [`Flushed::Done`], drain `poll_event`, and call `handle_timeout` when
//! `poll_timeout` has passed.
//!
//! One engine serves one worker. A room may span workers: each engine knows
//! its own peers, and of the others only those sources that one of its slots
//! shows; it says so by [`Event::SubscribeAt`], and the node carries that
//! event to the owner's engine as [`Command::Subscribe`]. Packets of a source
//! with subscribers elsewhere leave by the outbox as [`Relay`]s.

use std::net::SocketAddr;
use std::time::Duration;

use crate::codec::Codec;
use crate::ids::{EncodingIndex, Path, PeerId, RoomId, SlotIndex, SourceId, WorkerIndex};
use crate::payload::Payload;
use crate::rtp::AudioLevel;
use crate::transport::Certificate;

/// Random bytes for one negotiation, drawn by the shell from the system's generator.
#[derive(Clone)]
pub struct Secrets(pub [u8; 32]);

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(..)")
    }
}

/// An order from the control side.
#[derive(Clone, Debug)]
pub enum Command {
    /// A new peer, or an ICE restart of a known one: answers the offer.
    /// Gives [`Outcome::Answered`].
    Offer {
        peer: PeerId,
        room: RoomId,
        sdp: String,
        secrets: Secrets,
    },
    /// The peer goes, with all its sources and slots.
    Leave { peer: PeerId },
    /// Puts a source into a video slot, or empties it. Sent again with the same
    /// source it only changes how the slot is looked at: nothing restarts.
    SetSlot {
        peer: PeerId,
        slot: SlotIndex,
        source: Option<SourceId>,
        view: SlotView,
    },
    /// Closed: media of this source is dropped from now on (mute, floor).
    /// Holds before the source's first packet, too, but not before its peer.
    Gate { source: SourceId, open: bool },
    /// The workers that have peers of this room, this one included: bit i is worker i.
    RoomSpans { room: RoomId, workers: u64 },
    /// From another worker: it wants packets of these encodings of the source
    /// (bit i is encoding i; none: only to know of them) instead of those before.
    Subscribe {
        source: SourceId,
        encodings: u8,
        at: WorkerIndex,
    },
    /// From another worker: no longer.
    Unsubscribe { source: SourceId, at: WorkerIndex },
    /// From another worker: one of its slots waits for a keyframe.
    RequestKeyframe {
        source: SourceId,
        encoding: EncodingIndex,
    },
    /// From another worker: what there is to choose from.
    Encodings {
        source: SourceId,
        figures: Vec<EncodingFigures>,
    },
    /// From another worker: one of its receivers needs the microphone's sound to be of no higher
    /// rate. Said again every second as long as that is so.
    SpeechNeed {
        source: SourceId,
        bits_per_second: u32,
    },
    /// From another worker: the source is gone.
    SourceGone { source: SourceId },
    /// The worker cannot keep up: each receiver gets less video, down to none at
    /// [`MAX_LEVEL`](crate::room::shed::MAX_LEVEL); 0 as much as its line carries.
    Shed { level: u8 },
    /// The TCP connection that was this path has ended.
    PathClosed { path: Path },
}

/// How a receiver looks at a slot; decides which layers are worth forwarding.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SlotView {
    /// Pinned, or the speaker: served before all others.
    pub prominent: bool,
    /// Pixels shown at most; 0: hidden, nothing is forwarded.
    pub height: u16,
}

impl Default for SlotView {
    fn default() -> Self {
        Self {
            prominent: false,
            height: 360,
        }
    }
}

/// Whether anybody receives one encoding of a source.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EncodingDemand {
    /// As the sender named it (RFC 8851); `None`: the track has one encoding, without name.
    pub rid: Option<String>,
    /// The sender is to send it.
    pub active: bool,
}

/// The immediate result of a [`Command`].
#[derive(Clone, Debug)]
pub enum Outcome {
    Done,
    Answered {
        sdp: String,
        /// How many video slots were granted.
        video_slots: u8,
        /// The tracks that the peer may send.
        sources: Vec<SourceId>,
    },
}

/// Why a [`Command`] was not carried out.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// The offer cannot be answered; another try with the same text cannot succeed.
    #[error("offer refused: {0}")]
    BadOffer(String),
    /// Leave out something or come back later.
    #[error("full: {0}")]
    Full(&'static str),
    /// The caller's mistake or a race with a departure.
    #[error("no such peer")]
    UnknownPeer,
    #[error("no such slot")]
    UnknownSlot,
    /// It left, or it belongs to another room.
    #[error("no such source")]
    UnknownSource,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DisconnectReason {
    /// No valid consent check for 30 s (RFC 7675 §5.1).
    ConsentLost,
    /// No DTLS connection within its time.
    HandshakeFailed,
    /// The certificate is not the one of the offer (RFC 8122 §5).
    WrongFingerprint,
    /// The peer closed its side (DTLS close_notify).
    Closed,
    /// By [`Command::Leave`].
    Left,
}

/// What happened, for the control side or for another worker.
#[derive(Clone, Debug)]
pub enum Event {
    /// DTLS is done: media can flow.
    Connected {
        peer: PeerId,
        /// Since the offer.
        after: Duration,
    },
    Disconnected {
        peer: PeerId,
        reason: DisconnectReason,
    },
    /// The first packet of a source arrived, or the first one after five silent seconds.
    SourceStarted {
        source: SourceId,
    },
    /// Nothing came for five seconds.
    SourceSilent {
        source: SourceId,
    },
    /// A slot forwards the first keyframe of what it was told to show.
    SlotLive {
        peer: PeerId,
        slot: SlotIndex,
        source: SourceId,
        /// Since [`Command::SetSlot`].
        after: Duration,
    },
    /// Who is heard, loudest first. From the lowest-numbered worker of the room only.
    Speaking {
        room: RoomId,
        peers: Vec<PeerId>,
    },
    /// What receivers want of a source has changed: its sender is to start or
    /// stop encodings. All encodings are active until this is said.
    Demand {
        source: SourceId,
        /// In the order of the offer.
        encodings: Vec<EncodingDemand>,
    },
    /// What the encoder of a microphone is to send at most, so that copies of its sound fit the
    /// lines of those who lose much; `None`, as before the first time: as it likes.
    SpeechRate {
        source: SourceId,
        bits_per_second: Option<u32>,
    },
    /// Once a second for each connected peer.
    Stats {
        peer: PeerId,
        stats: PeerStats,
        /// Its video slots that were told to show something.
        slots: Vec<SlotStats>,
    },

    /// Carry to that worker as [`Command::Subscribe`].
    SubscribeAt {
        worker: WorkerIndex,
        source: SourceId,
        encodings: u8,
    },
    /// Carry to that worker as [`Command::Unsubscribe`].
    UnsubscribeAt {
        worker: WorkerIndex,
        source: SourceId,
    },
    /// Carry to that worker as [`Command::RequestKeyframe`].
    KeyframeAt {
        worker: WorkerIndex,
        source: SourceId,
        encoding: EncodingIndex,
    },
    /// Carry to that worker as [`Command::Encodings`].
    EncodingsAt {
        worker: WorkerIndex,
        source: SourceId,
        figures: Vec<EncodingFigures>,
    },
    /// Carry to that worker as [`Command::SpeechNeed`].
    SpeechNeedAt {
        worker: WorkerIndex,
        source: SourceId,
        bits_per_second: u32,
    },
    /// Carry to that worker as [`Command::SourceGone`].
    SourceGoneAt {
        worker: WorkerIndex,
        source: SourceId,
    },
    /// This worker's peer is at this path now: datagrams from there that other
    /// workers' sockets receive belong here.
    PathOwned {
        peer: PeerId,
        path: Path,
    },
    PathReleased {
        path: Path,
    },
}

/// Figures of one peer over the last second, both ways.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PeerStats {
    /// Lost of what the peer sent to us, 0 to 1, before repair.
    pub uplink_loss: f32,
    /// Lost of what we sent to the peer, 0 to 1, as its receiver reports say.
    pub downlink_loss: f32,
    /// From receiver reports (RFC 3550 §6.4.1).
    pub round_trip: Option<Duration>,
    pub uplink_bits_per_second: u32,
    pub downlink_bits_per_second: u32,
    /// Of what the peer sent to us (RFC 3550 §6.4.1).
    pub jitter: Duration,
    /// What its line is believed to carry towards it.
    pub estimate_bits_per_second: Option<u32>,
    /// Of its sound, 1 (bad) to 5 (excellent).
    pub score: f32,
}

/// Figures of one video slot over the last second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SlotStats {
    pub slot: SlotIndex,
    /// What it was told to show.
    pub source: Option<SourceId>,
    pub bits_per_second: u32,
    /// Lost on the way to the receiver, 0 to 1, as its reports say.
    pub loss: f32,
    /// As the receiver's reports say.
    pub jitter: Duration,
    /// Of the forwarded picture in pixels; 0: not known.
    pub height: u16,
    pub frames_per_second: u8,
    /// Gaps of more than 500 ms.
    pub freezes: u32,
    /// Nothing is forwarded, because it is hidden or the line does not carry it.
    pub paused: bool,
    /// 1 (bad) to 5 (excellent).
    pub score: f32,
}

/// Counters of one engine since its start; all only rise.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Counters {
    pub rtp_received: u64,
    pub rtp_forwarded: u64,
    pub rtcp_received: u64,
    pub stun_received: u64,
    pub dtls_received: u64,
    pub retransmitted: u64,
    pub nack_sent: u64,
    pub keyframes_requested: u64,
    /// Dropped: not STUN, DTLS, RTP or RTCP (RFC 7983).
    pub dropped_unclassified: u64,
    /// Dropped: from a path that belongs to no peer.
    pub dropped_unknown_path: u64,
    /// Dropped: STUN with a wrong or missing MESSAGE-INTEGRITY, or malformed.
    pub dropped_stun: u64,
    pub dropped_dtls: u64,
    /// Dropped: SRTP or SRTCP authentication failed.
    pub dropped_unauthentic: u64,
    /// Dropped: SRTP or SRTCP replayed or too old (RFC 3711 §3.3.2).
    pub dropped_replayed: u64,
    /// Dropped: authentic, but not RTP/RTCP we can read, or no such track.
    pub dropped_malformed: u64,
    /// Dropped: the source's gate is closed.
    pub dropped_gated: u64,
    /// Not forwarded: the receiver did not negotiate the source's codec.
    pub dropped_codec: u64,
    /// Not forwarded: more packets of a source between two flushes than the queue holds.
    pub dropped_overload: u64,
}

/// Temporal layers that are told apart.
pub const MAX_TEMPORAL: usize = 4;
/// Spatial layers within one encoding that are told apart.
pub use crate::codec::layer::MAX_SPATIAL;

/// What an encoding costs and gives up to one of its layers.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Rate {
    pub bits_per_second: u32,
    pub frames_per_second: u8,
}

/// One encoding as its sender's worker measures it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct EncodingFigures {
    /// Packets come.
    pub live: bool,
    /// Packets come, or would come if asked for.
    pub available: bool,
    /// Of the picture in pixels; 0: not known.
    pub height: u16,
    /// How many temporal layers there are; 0: nothing is measured yet.
    pub temporal_layers: u8,
    /// Likewise, of the spatial layers (SVC).
    pub spatial_layers: u8,
    /// Of the picture of each spatial layer, in pixels; 0: not known.
    pub heights: [u16; MAX_SPATIAL],
    /// By spatial and temporal layer, each with all below it.
    pub rates: [[Rate; MAX_TEMPORAL]; MAX_SPATIAL],
}

impl EncodingFigures {
    /// There is something else to choose from than with `other`, apart from its cost.
    #[must_use]
    pub fn offers_other(&self, other: &Self) -> bool {
        let layers = |f: &Self| (f.spatial_layers, f.temporal_layers);
        let offer = |f: &Self| (f.live, f.available, f.height, f.heights, layers(f));
        offer(self) != offer(other)
    }

    /// Of the picture up to this spatial layer: if that has not been told, of half the
    /// lines of the one above.
    #[must_use]
    pub fn height_of(&self, spatial: u8) -> u16 {
        let top = self.spatial_layers.max(1) - 1;
        let told = self.heights.get(usize::from(spatial)).copied();
        match told {
            _ if spatial >= top => self.height,
            None | Some(0) => self.height >> (top - spatial).min(15),
            Some(height) => height,
        }
    }

    /// Up to one of the layers, counted from 0; higher ones stand for all there are.
    #[must_use]
    pub fn rate_of(&self, spatial: u8, temporal: u8) -> Rate {
        let spatial = spatial.min(self.spatial_layers.max(1) - 1);
        let temporal = temporal.min(self.temporal_layers.max(1) - 1);
        let rates = self.rates.get(usize::from(spatial));
        let rate = rates.and_then(|rates| rates.get(usize::from(temporal)));
        rate.copied().unwrap_or_default()
    }
}

/// Something of a source on its way to other workers. The receiving engine
/// takes it by `Engine::relay`.
#[derive(Clone, Debug)]
pub struct Relay {
    pub source: SourceId,
    pub encoding: EncodingIndex,
    pub room: RoomId,
    /// Bit i: worker i wants it.
    pub workers: u64,
    pub content: RelayContent,
}

/// What a [`Relay`] carries.
#[derive(Clone, Debug)]
pub enum RelayContent {
    Packet {
        codec: Codec,
        /// Counts the restarts of the source (a new SSRC), so that sequence
        /// numbers of two lives are never mixed.
        generation: u32,
        /// Extended by the owner: it has seen all wraps.
        sequence: u64,
        /// RTP ticks of the codec's clock.
        timestamp: u32,
        marker: bool,
        /// From the RFC 6464 extension.
        level: Option<AudioLevel>,
        /// Coordination of video orientation, the byte of 3GPP TS 26.114 §7.4.5.
        orientation: Option<u8>,
        /// So many bytes at the payload's end are the dependency descriptor beside it.
        descriptor_bytes: u8,
        /// The clear payload, without padding; shared by all workers it goes to.
        payload: Payload,
    },
    /// The sender's clock, already on the node's timeline.
    Clock {
        generation: u32,
        /// NTP format, 32.32 seconds since the engines' common epoch.
        ntp: u64,
        /// The RTP timestamp of that moment.
        timestamp: u32,
    },
}

/// What one engine is set up with.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    pub worker: WorkerIndex,
    /// For DTLS; the fingerprint in every answer.
    pub certificate: Certificate,
    /// The addresses that answers advertise as host candidates.
    pub candidates: Vec<SocketAddr>,
    /// Likewise, as passive TCP candidates (RFC 6544 §4.5).
    pub tcp_candidates: Vec<SocketAddr>,
    /// Offers beyond this many peers are refused.
    pub max_peers: usize,
}

/// What became of a datagram.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Received {
    Handled,
    /// Counted in [`Counters`]; tell nobody.
    Dropped,
    /// From a path, or with an ICE user name, of no peer of this engine. A STUN
    /// request says by its user name whose it is; for the rest ask the owners of
    /// paths. Not counted here: the shell counts it if it is nobody's.
    NotMine(Option<WorkerIndex>),
}

/// Whether [`Outbox`] holds everything there was.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Flushed {
    Done,
    /// The outbox is full: send it, clear it, flush again.
    More,
}

/// Datagrams and relays on their way out; the shell clears and reuses it.
#[derive(Clone, Debug, Default)]
pub struct Outbox {
    /// The datagrams, one behind the other. Those to one path that follow each
    /// other in `datagrams` lie contiguous here, so that a run of equal sizes
    /// (the last may be shorter) can leave as one GSO train.
    pub bytes: Vec<u8>,
    pub datagrams: Vec<Datagram>,
    pub relays: Vec<Relay>,
}

impl Outbox {
    /// Keeps the capacity.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.datagrams.clear();
        self.relays.clear();
    }

    /// Appends a datagram.
    pub fn push(&mut self, to: Path, payload: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(payload);
        self.enter(to, start);
    }

    /// Moves everything out of another outbox to the end of this one.
    pub(crate) fn append(&mut self, other: &mut Self) {
        let offset = self.bytes.len() as u32;
        self.bytes.extend_from_slice(&other.bytes);
        let moved = other.datagrams.iter().map(|datagram| Datagram {
            start: datagram.start + offset,
            ..*datagram
        });
        self.datagrams.extend(moved);
        self.relays.append(&mut other.relays);
        other.clear();
    }

    /// Makes a datagram of the bytes from `start` to the end.
    pub(crate) fn enter(&mut self, to: Path, start: usize) {
        self.enter_as(false, to, start);
    }

    /// Likewise, of bytes that are a picture's.
    pub(crate) fn enter_video(&mut self, to: Path, start: usize) {
        self.enter_as(true, to, start);
    }

    fn enter_as(&mut self, video: bool, to: Path, start: usize) {
        let len = self.bytes.len() - start;
        if let (Ok(start), Ok(len)) = (u32::try_from(start), u16::try_from(len)) {
            self.datagrams.push(Datagram {
                to,
                start,
                len,
                video,
            });
        }
    }

    /// The bytes of one of `datagrams`.
    #[must_use]
    pub fn payload(&self, datagram: &Datagram) -> &[u8] {
        let start = datagram.start as usize;
        self.bytes
            .get(start..start + usize::from(datagram.len))
            .unwrap_or_default()
    }
}

/// One UDP payload within [`Outbox::bytes`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Datagram {
    pub to: Path,
    pub start: u32,
    pub len: u16,
    /// Of a picture: gives way first where the way out is full.
    pub video: bool,
}
