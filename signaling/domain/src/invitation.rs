//! The call to one callee.

use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, ConferenceId, InvitationId, ParticipantId, SiteCode};
use crate::order::Target;
use crate::time::Timestamp;

/// Who is rung: the devices of a site or of one person.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Callee {
    /// All devices of accounts that answer for the site.
    Site { code: SiteCode },
    /// All devices of the account.
    Person { account: AccountId },
}

impl From<Callee> for Target {
    fn from(callee: Callee) -> Self {
        match callee {
            Callee::Site { code } => Target::Site { code },
            Callee::Person { account } => Target::Person { account },
        }
    }
}

/// Why a call ended without the callee joining.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum MissReason {
    /// Declined, or answered and left again before the media was connected.
    Declined,
    /// In another conference, and only asked.
    Busy,
    /// Rang until the deadline; or answered, but the media could not be connected.
    NoAnswer,
    /// No device of the callee was there until the deadline.
    Unreachable,
    /// Taken back, or the conference ended, or the callee came in another way.
    Cancelled,
}

#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum InvitationState {
    /// No device of the callee has it.
    Queued,
    Ringing,
    /// Somebody took it; the media is being connected.
    Accepted,
    /// The media was connected. What comes after is told by the participant.
    Joined,
    Declined,
    Busy,
    NoAnswer,
    Unreachable,
    Cancelled,
}

/// One call to one callee.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Invitation {
    pub id: InvitationId,
    pub conference: ConferenceId,
    pub callee: Callee,
    pub by: AccountId,
    pub state: InvitationState,
    /// How often the callee was called into this conference, from 1.
    pub attempt: u32,
    /// An order from above; otherwise asked.
    pub ordered: bool,
    /// A device of the callee had it at some time.
    pub rang: bool,
    /// When it first rang; until then, when it was issued.
    pub rung_at: Timestamp,
    /// When `Queued` or `Ringing` gives up. Means nothing in other states.
    pub deadline: Timestamp,
    /// When it was answered or missed.
    pub settled_at: Option<Timestamp>,
    /// The participant it led to.
    pub participant: Option<ParticipantId>,
}
