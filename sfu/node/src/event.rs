//! What a node tells the signaling side: plain data, so that it can cross a wire later.

use std::time::Duration;

use liandong_sfu_core::api::{DisconnectReason, EncodingDemand, PeerStats, SlotStats, SlotView};
use liandong_sfu_core::ids::{PeerId, RoomId, SlotIndex, SourceId, Track};

/// Something that happened on the media side.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeEvent {
    /// Media can flow.
    Connected {
        peer: PeerId,
        /// Since the offer.
        after: Duration,
    },
    /// The peer is gone; its id never comes back.
    Disconnected {
        peer: PeerId,
        reason: DisconnectReason,
    },
    /// The first packet of a track, or the first one after a silence.
    SourceStarted { peer: PeerId, track: Track },
    /// Nothing came of the track for five seconds.
    SourceSilent { peer: PeerId, track: Track },
    /// The slot forwards the first keyframe of what it was told to show.
    SlotLive {
        peer: PeerId,
        slot: SlotIndex,
        shows: PeerId,
        /// Since [`Node::set_slots`](crate::Node::set_slots).
        after: Duration,
    },
    /// Who is heard in the room, loudest first. May be left out under load.
    Speaking { room: RoomId, peers: Vec<PeerId> },
    /// Once a second for each connected peer. May be left out under load.
    Stats {
        peer: PeerId,
        stats: PeerStats,
        /// Of the slots that were told to show something.
        slots: Vec<SlotStats>,
    },
    /// How far the busiest worker reduces video, because it cannot keep up: 0 not at all,
    /// then up to [`MAX_SHED`](liandong_sfu_core::room::shed::MAX_LEVEL). Speech is never reduced.
    Overload { level: u8 },
    /// The peer is to send these encodings of a track and no others.
    Demand {
        peer: PeerId,
        track: Track,
        /// In the order of its offer.
        encodings: Vec<EncodingDemand>,
    },
    /// The encoder of the peer's microphone is to send no more than this; `None`: as it likes.
    SpeechRate {
        peer: PeerId,
        bits_per_second: Option<u32>,
    },
}

/// What one slot is to show, and how it is looked at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Shown {
    pub source: SourceId,
    pub view: SlotView,
}

impl Shown {
    /// The camera of a peer, in the usual view.
    #[must_use]
    pub fn camera(peer: PeerId) -> Self {
        Self {
            source: SourceId {
                peer,
                track: Track::Camera,
            },
            view: SlotView::default(),
        }
    }
}

impl NodeEvent {
    /// A later event of the same kind says the same again, so this one may be lost.
    pub(crate) fn may_be_lost(&self) -> bool {
        match self {
            Self::Speaking { .. } | Self::Stats { .. } => true,
            Self::Connected { .. }
            | Self::Disconnected { .. }
            | Self::SourceStarted { .. }
            | Self::SourceSilent { .. }
            | Self::SlotLive { .. }
            | Self::Overload { .. }
            | Self::Demand { .. }
            | Self::SpeechRate { .. } => false,
        }
    }
}

/// The answer to an offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The peer's name for all later calls; new unless the offer named one.
    pub peer: PeerId,
    /// The SDP answer.
    pub sdp: String,
    /// How many video slots were granted.
    pub video_slots: u8,
    /// The tracks that the peer may send.
    pub sources: Vec<Track>,
}

/// What one worker carries and has done since the node's start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WorkerLoad {
    pub peers: u32,
    /// User and system time of its thread; `None` once it has ended.
    pub cpu: Option<Duration>,
    /// RTP packets sent into slots.
    pub rtp_forwarded: u64,
    /// Datagrams and packets dropped, for whatever reason.
    pub dropped: u64,
}

/// Why an offer was not answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OfferError {
    /// Another try with the same text cannot succeed.
    #[error("offer refused: {0}")]
    BadOffer(String),
    /// Come back later.
    #[error("media node full: {0}")]
    Full(&'static str),
    /// Offer again as a new peer.
    #[error("no such peer in this room")]
    UnknownPeer,
    /// The node is stopping.
    #[error("media node is not running")]
    Stopped,
}
