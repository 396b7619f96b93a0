//! What the server sends.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::conduct::{ConductNotice, Door, StayReason};
use crate::conference::{Conference, Invitation, MissReason, Participant};
use crate::directory::{Directory, Presence};
use crate::duty::Roster;
use crate::http::Me;
use crate::ids::{
    AccountId, ConferenceId, IncidentId, InvitationId, ParticipantId, PlanId, SiteCode, TalkGroupId,
};
use crate::incident::{Dossier, Incident};
use crate::plan::{Plan, PlanRehearsal};
use crate::pursuit::Pursuit;
use crate::refusal::Refusal;
use crate::talk::TalkNews;

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
#[ts(export)]
pub enum ServerMessage {
    /// The answer to the request with this id.
    Reply { id: u32, reply: Reply },
    /// The request with this id was not carried out, and why. Id 0: the
    /// message could not be read so far as its id.
    Refused { id: u32, refusal: Refusal },
    /// Something happened.
    Push { push: Push },
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
#[ts(export)]
#[allow(clippy::large_enum_variant)] // one welcome per connection; a box would be in every match
pub enum Reply {
    Welcome {
        me: Me,
        /// Valid for two minutes after the connection is lost.
        resume: String,
        /// True when the old client was found: its participant is still in,
        /// and its media may still be running.
        resumed: bool,
        server_time_ms: f64,
        snapshot: Snapshot,
        /// STUN and TURN servers for the client's peer connection; none where
        /// clients reach the media server directly.
        ice_servers: Vec<IceServer>,
    },
    Called {
        conference: ConferenceId,
        invitations: Vec<InvitationId>,
    },
    Accepted {
        conference: ConferenceId,
        participant: ParticipantId,
    },
    Answer {
        sdp: String,
        /// The number of video slots granted; slot i is the i-th recvonly
        /// video of the offer.
        video_slots: u32,
    },
    Reported {
        incident: IncidentId,
    },
    Dossier {
        dossier: Dossier,
    },
    GroupCreated {
        group: TalkGroupId,
    },
    PlanSaved {
        plan: PlanId,
        version: u32,
    },
    Plans {
        plans: Vec<Plan>,
    },
    Rehearsal {
        rehearsal: PlanRehearsal,
    },
    Roster {
        roster: Roster,
    },
    Done,
}

/// What a browser's `RTCIceServer` is.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct IceServer {
    /// `stun:`, `turn:` or `turns:` (RFC 7064, RFC 7065).
    pub urls: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub username: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub credential: Option<String>,
}

impl std::fmt::Debug for IceServer {
    /// Never shows the credential.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IceServer")
            .field("urls", &self.urls)
            .finish_non_exhaustive()
    }
}

/// Everything the client may know, at one moment. Pushes change it from there.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Snapshot {
    pub directory: Directory,
    /// The conferences that the client is in or rung into, and those called
    /// from its own subtree.
    pub conferences: Vec<Conference>,
    pub invitations: Vec<Invitation>,
    pub participants: Vec<Participant>,
    /// Open ones that the client may know, and the last that are settled.
    pub incidents: Vec<Incident>,
    /// Of the conferences above, and those that this client's site was told of.
    pub pursuits: Vec<Pursuit>,
    /// Rings that wait for this client's answer.
    pub rings: Vec<Ring>,
    /// Conferences that the client may come into by itself, or has a place in.
    pub doors: Vec<Door>,
    /// This client's own stay in a conference.
    pub own_participant: Option<ParticipantId>,
}

/// A ring at this client.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Ring {
    pub invitation: InvitationId,
    pub conference: ConferenceId,
    pub title: String,
    pub from: AccountId,
    pub from_name: String,
    pub from_site: SiteCode,
    pub from_site_name: String,
    /// Present when the device is to answer by itself, in so many ms; it
    /// sends `Accept` when the countdown ends.
    pub auto_answer_in_ms: Option<u32>,
    /// Why the device is brought in without being asked (强插).
    pub forced: Option<String>,
    pub deadline_ms: f64,
}

/// How one received stream does, over the last second.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Quality {
    pub participant: ParticipantId,
    /// Of what the participant sends to us, 0 to 1.
    pub uplink_loss: f64,
    /// Of what the participant receives from us, 0 to 1.
    pub downlink_loss: f64,
    pub rtt_ms: Option<f64>,
    pub uplink_kbps: u32,
    pub downlink_kbps: u32,
    /// Interarrival jitter of what the participant sends to us (RFC 3550 §6.4.1).
    pub jitter_ms: f64,
    /// How good the participant's line makes a conversation, 1 (bad) to 5
    /// (excellent), after ITU-T G.107.
    pub score: f64,
    /// What the participant's line carries from us, as estimated; absent until known.
    pub estimate_kbps: Option<u32>,
}

/// How one of the client's own video slots does, over the last second.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct SlotQuality {
    /// Index of the slot, from 0.
    pub slot: u32,
    /// Whom it shows.
    pub participant: ParticipantId,
    pub kbps: u32,
    /// Of what the server sent in this slot, 0 to 1.
    pub loss: f64,
    pub jitter_ms: f64,
    /// Of the layer that is sent, in pixels; 0: unknown.
    pub height: u32,
    pub fps: u32,
    /// Gaps of more than half a second.
    pub freezes: u32,
    /// The line does not carry this picture at present, or nobody looks at it.
    pub paused: bool,
    /// 1 (bad) to 5 (excellent).
    pub score: f64,
}

/// How the journal is. Without it no order is carried out; running calls go on.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum JournalState {
    Well,
    /// No room on the disk, say: tried again every second.
    Unwritable,
    /// It has to be restored from a backup.
    Damaged,
}

/// Which of its tracks a client sends.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum SentTrack {
    Camera,
    Screen,
}

/// What is asked for where it is shown, not pushed whole.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum Book {
    Plans,
    Roster,
}

/// One encoding of a sent track (`RTCRtpEncodingParameters`).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct SendLayer {
    /// Absent: the track has one encoding without a name.
    pub rid: Option<String>,
    pub active: bool,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
#[ts(export)]
pub enum Push {
    SitePresence {
        site: SiteCode,
        presence: Presence,
    },
    PersonPresence {
        account: AccountId,
        presence: Presence,
    },
    /// This client is rung.
    Ring {
        ring: Ring,
    },
    /// This client's ring is over: answered on another device, missed, taken back.
    RingStopped {
        invitation: InvitationId,
        /// Absent when it was accepted (here or on another device).
        reason: Option<MissReason>,
    },
    /// New or changed.
    Conference {
        conference: Conference,
    },
    /// New or changed.
    Invitation {
        invitation: Invitation,
    },
    /// New or changed.
    Participant {
        participant: Participant,
    },
    /// All doors of the client, as they are now.
    Doors {
        doors: Vec<Door>,
    },
    /// This client is in that conference now: it connects its media.
    Stay {
        conference: ConferenceId,
        participant: ParticipantId,
        reason: StayReason,
    },
    /// What was done in a conference that the client is in.
    Conducted {
        conference: ConferenceId,
        notice: ConductNotice,
    },
    /// Forget the conference and all that belongs to it.
    ConferenceEnded {
        conference: ConferenceId,
        ended_by: Option<AccountId>,
    },
    /// New or changed.
    Incident {
        incident: Incident,
    },
    /// New or changed.
    Pursuit {
        pursuit: Pursuit,
    },
    /// What the client may know of these has changed; ask for it where it is shown.
    Changed {
        book: Book,
    },
    /// The dossier that the client has open, as it is now.
    Dossier {
        dossier: Dossier,
    },
    /// This client was taken out of the conference.
    Removed {
        conference: ConferenceId,
        by: AccountId,
        by_name: String,
        reason: String,
    },
    /// What this client's video slots show from now on, one entry per slot.
    ///
    /// It travels by another path than the media and is no mark in it. The server says it
    /// before it switches; so as a rule it comes first, and for one network delay and the
    /// client's own buffer the slot still plays what was sent before. When the
    /// WebSocket stalls, media of the new participant may come before this push.
    /// What holds always: the first that is sent of the new participant is a
    /// keyframe, and nothing of the one before is sent after it. A client that must never show a picture under
    /// a wrong name covers the tile until the first keyframe after this push.
    Slots {
        conference: ConferenceId,
        slots: Vec<Option<ParticipantId>>,
    },
    /// Who is heard speaking, loudest first; at most five times a second.
    Speaking {
        conference: ConferenceId,
        participants: Vec<ParticipantId>,
    },
    /// Once a second, of the participants whose figures changed.
    Quality {
        conference: ConferenceId,
        quality: Vec<Quality>,
    },
    /// Once a second, to the client whose slots they are: the slots that show somebody.
    SlotQuality {
        conference: ConferenceId,
        slots: Vec<SlotQuality>,
    },
    /// Which encodings of its own track the client is to send: what nobody receives costs
    /// neither its line nor its processor. Replaces what was said of that track
    /// before; until it comes, all are sent.
    SendLayers {
        conference: ConferenceId,
        track: SentTrack,
        layers: Vec<SendLayer>,
    },
    /// What the encoder of this client's microphone is to send at most, in bits per second,
    /// so that copies of its sound (RFC 2198) fit the lines of listeners who lose much.
    /// Absent, as until it comes: as it likes.
    SpeechRate {
        conference: ConferenceId,
        bits_per_second: Option<u32>,
    },
    /// How far the media server reduces video because the machine is at its
    /// limit: 0 not at all; to consoles.
    Overload {
        level: u32,
    },
    /// Whether orders can be carried out; after the welcome only when they cannot.
    Journal {
        state: JournalState,
    },
    /// The media server has lost this client's media: send a new `Offer`.
    MediaLost {
        conference: ConferenceId,
    },
    /// About talk groups.
    Talk {
        news: TalkNews,
    },
    /// The session is over (logged out elsewhere, expired, account locked).
    SignedOut {
        refusal: Refusal,
    },
    /// The client read too slowly and missed pushes: this replaces what it knows.
    Resync {
        snapshot: Snapshot,
    },
}
