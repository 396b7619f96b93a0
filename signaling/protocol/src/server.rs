//! What the server sends.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::conference::{Conference, Invitation, MissReason, Participant};
use crate::directory::{Directory, Presence};
use crate::http::Me;
use crate::ids::{AccountId, ConferenceId, InvitationId, ParticipantId, SiteCode};
use crate::refusal::Refusal;

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
    Done,
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
    /// Rings that wait for this client's answer.
    pub rings: Vec<Ring>,
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
    /// Forget the conference and all that belongs to it.
    ConferenceEnded {
        conference: ConferenceId,
        ended_by: Option<AccountId>,
    },
    /// This client was taken out of the conference.
    Removed {
        conference: ConferenceId,
        by: AccountId,
        by_name: String,
        reason: String,
    },
    /// What this client's video slots show from now on, one entry per slot.
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
    /// The media server has lost this client's media: send a new `Offer`.
    MediaLost {
        conference: ConferenceId,
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
