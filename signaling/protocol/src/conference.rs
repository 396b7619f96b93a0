//! Conferences as a client sees them.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::client::Target;
use crate::conduct::{
    Address, Carousel, ConferenceMode, DeviceOrder, Knock, ParticipantRole, Roll,
};
use crate::ids::{AccountId, ConferenceId, IncidentId, InvitationId, ParticipantId, SiteCode};

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum ConferenceKind {
    /// One asks one other party.
    PointToPoint,
    /// Called on the spot, to several, a tier or a subtree.
    AdHoc,
    /// Called about an incident.
    Incident,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum ConferenceState {
    /// Nobody but the caller is in yet.
    Inviting,
    Live,
    Ended,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Conference {
    pub id: ConferenceId,
    pub kind: ConferenceKind,
    pub state: ConferenceState,
    pub title: String,
    pub called_by: AccountId,
    pub called_by_site: SiteCode,
    /// What it is about.
    pub incident: Option<IncidentId>,
    pub started_at_ms: f64,
    /// The participant who holds the chair; absent after the chair left and
    /// nobody took it.
    pub chair: Option<ParticipantId>,
    /// Who is to stand first on the wall, in this order (sites and persons).
    pub shown: Vec<Target>,
    /// Set by "mute all": who joins later comes in muted, too.
    pub all_muted: bool,
    pub mode: ConferenceMode,
    /// Nobody new, except who is ordered in.
    pub locked: bool,
    /// Whoever comes by himself waits to be admitted.
    pub lobby: bool,
    /// Who waits in the lobby, first come first.
    pub knocks: Vec<Knock>,
    /// Who speaks to all, while that goes on.
    pub address: Option<Address>,
    /// Large on every wall: called up, answering the roll, in the carousel, or chosen.
    pub spotlight: Option<ParticipantId>,
    pub carousel: Option<Carousel>,
    /// The present roll call, or the last one.
    pub roll: Option<Roll>,
}

/// Why a ring ended without the callee joining.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum MissReason {
    Declined,
    Busy,
    NoAnswer,
    Unreachable,
    /// Taken back by the caller, or the conference ended.
    Cancelled,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum InvitationState {
    /// Ordered, no device of the target has it yet.
    Queued,
    Ringing,
    /// Somebody took it; the media is being connected.
    Accepted,
    /// The media is connected: picture and sound can be received.
    Joined,
    Declined,
    Busy,
    NoAnswer,
    /// No device of the target was connected until the deadline.
    Unreachable,
    Cancelled,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Invitation {
    pub id: InvitationId,
    pub conference: ConferenceId,
    /// Always a site or a person; a tier or a subtree becomes one invitation each.
    pub target: Target,
    /// The target's name for display.
    pub name: String,
    pub state: InvitationState,
    /// Counts up with every renewed ring, from 1.
    pub attempt: u32,
    /// True when an order from above answers by itself where the site allows it.
    pub ordered: bool,
    pub rung_at_ms: f64,
    /// When the ring gives up.
    pub deadline_ms: f64,
    /// When it was answered or missed.
    pub settled_at_ms: Option<f64>,
    /// The participant it led to.
    pub participant: Option<ParticipantId>,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum ParticipantState {
    /// Media not connected yet, or lost and coming back.
    Joining,
    In,
    /// Called into a higher conference; it comes back.
    Held,
    Left,
}

/// Why a participant is no longer there.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum LeaveReason {
    /// Of its own will.
    Left,
    /// Taken out (强拆).
    Removed,
    /// Went into another conference.
    Moved,
    /// Picture and sound were not connected, or not back, in time.
    MediaFailed,
    /// The device was gone for too long.
    DeviceLost,
    ConferenceEnded,
    /// Its account was made inactive.
    Deactivated,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Participant {
    pub id: ParticipantId,
    pub conference: ConferenceId,
    pub account: AccountId,
    pub site: SiteCode,
    /// Name for display: the site's for a console or terminal, the person's for a phone.
    pub name: String,
    pub role: ParticipantRole,
    pub state: ParticipantState,
    /// Muted by the chair: the media server drops this participant's sound.
    pub muted: bool,
    /// What the media server lets through, apart from `muted`.
    pub sound: bool,
    pub picture: bool,
    /// Since when it asks for the word.
    pub hand_since_ms: Option<f64>,
    /// What the participant itself says it sends.
    pub microphone: bool,
    pub camera: bool,
    pub microphone_order: Option<DeviceOrder>,
    pub camera_order: Option<DeviceOrder>,
    /// Present with the state `Left`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub left: Option<LeaveReason>,
}
