//! One party's stay in one conference.

use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, ConferenceId, ParticipantId, SiteCode};
use crate::time::Timestamp;

#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum ParticipantState {
    /// Media not connected yet, or lost and coming back.
    Joining,
    In,
    Left,
}

/// Why a participant is no longer there.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum LeaveReason {
    /// Of its own will.
    Left,
    /// Taken out (强拆).
    Removed,
    /// Went into another conference.
    Moved,
    /// The media was not connected, or not back, until the deadline.
    MediaFailed,
    /// The device was gone for too long.
    DeviceLost,
    ConferenceEnded,
}

/// One party's stay in one conference.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Participant {
    pub id: ParticipantId,
    pub conference: ConferenceId,
    pub account: AccountId,
    /// Where the account belonged when it came in.
    pub site: SiteCode,
    pub state: ParticipantState,
    /// Muted by order: the media server drops its sound.
    pub muted: bool,
    /// What the participant itself says that it sends.
    pub microphone: bool,
    pub camera: bool,
    pub joined_at: Timestamp,
    /// When `Joining` gives up. Means nothing in other states.
    pub deadline: Timestamp,
    /// Set with `Left`.
    pub left: Option<LeaveReason>,
}

impl Participant {
    /// In, or coming in or back.
    #[must_use]
    pub fn is_present(&self) -> bool {
        match self.state {
            ParticipantState::Joining | ParticipantState::In => true,
            ParticipantState::Left => false,
        }
    }
}
