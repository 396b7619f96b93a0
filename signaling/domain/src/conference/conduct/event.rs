//! What has happened by conducting a conference. The form in the journal is that of
//! [`crate::event`].

use serde::{Deserialize, Serialize};

use super::address::Address;
use super::carousel::Carousel;
use super::device::Device;
use super::role::{Mode, ParticipantRole, Permission};
use super::roll::{Roll, RollEntry};
use crate::ids::{AccountId, ConferenceId, ParticipantId};
use crate::time::Timestamp;

/// One thing that happened in the conference of that number.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConductEvent {
    pub conference: ConferenceId,
    /// Absent: it followed by itself.
    pub by: Option<AccountId>,
    pub at: Timestamp,
    pub what: Conducted,
}

/// How waiting in the lobby ended.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum KnockEnd {
    Admitted,
    Refused,
    /// Gave up, went into another call, or its devices are gone.
    Withdrawn,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Conducted {
    /// Speakers become listeners, or the other way round; all hands go down.
    ModeChanged {
        mode: Mode,
    },
    RoleChanged {
        participant: ParticipantId,
        role: ParticipantRole,
    },
    Permitted {
        participant: ParticipantId,
        permission: Permission,
    },
    HandRaised {
        participant: ParticipantId,
    },
    HandLowered {
        participant: ParticipantId,
    },
    LockChanged {
        locked: bool,
    },
    LobbyChanged {
        open: bool,
    },
    Knocked {
        account: AccountId,
    },
    KnockEnded {
        account: AccountId,
        end: KnockEnd,
    },
    /// It came in from above by its own order, to speak (强插) or to listen in, and why.
    Entered {
        participant: ParticipantId,
        reason: String,
    },
    /// Called into a higher conference: no media, no slot, but its place stays.
    Held {
        participant: ParticipantId,
        by_conference: ConferenceId,
    },
    /// Back from there; the media must be connected until the deadline.
    GivenBack {
        participant: ParticipantId,
        deadline: Timestamp,
    },
    /// By order into another conference.
    Moved {
        participant: ParticipantId,
        to: ConferenceId,
        reason: String,
    },
    /// Who speaks to all; absent: that is over.
    Addressed {
        address: Option<Address>,
    },
    /// Large on every wall; absent: nobody by order.
    Spotlit {
        participant: Option<ParticipantId>,
    },
    /// The whole as it is now; absent: it has stopped.
    Carousel {
        carousel: Option<Carousel>,
    },
    RollStarted {
        roll: Roll,
    },
    /// One line of the sheet as it is now.
    RollEntry {
        index: u32,
        entry: RollEntry,
    },
    RollEnded,
    DeviceOrdered {
        participant: ParticipantId,
        device: Device,
        on: bool,
        /// From above; otherwise asked.
        ordered: bool,
        reason: String,
    },
    DeviceAnswered {
        participant: ParticipantId,
        device: Device,
        obeyed: bool,
    },
}
