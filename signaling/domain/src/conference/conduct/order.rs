//! What can be ordered in a running conference, besides calling and muting.

use serde::{Deserialize, Serialize};

use super::device::Device;
use super::role::{Mode, ParticipantRole};
use super::roll::RollOrder;
use crate::directory::Tier;
use crate::ids::{AccountId, ConferenceId, ParticipantId};
use crate::order::Target;
use crate::time::Timestamp;

/// One step of conducting a conference (会控).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Conduct {
    SetMode {
        mode: Mode,
    },
    SetRole {
        participant: ParticipantId,
        role: ParticipantRole,
    },
    /// What a listener or speaker may send; lowers its hand when it may be heard.
    Permit {
        participant: ParticipantId,
        sound: bool,
        picture: bool,
    },
    /// The own hand.
    Hand {
        raised: bool,
    },
    LowerHand {
        participant: ParticipantId,
    },
    /// Nobody new, except who is ordered in.
    Lock {
        locked: bool,
    },
    /// Whoever comes by himself waits to be admitted.
    SetLobby {
        open: bool,
    },
    /// Comes in by himself: who was called before, or oversees it. From above it is an
    /// order (强插): neither lock nor lobby hold it, and it carries a reason.
    Enter {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Waits no longer.
    Withdraw,
    Admit {
        account: AccountId,
        admitted: bool,
    },
    /// Takes a participant into another conference.
    Move {
        participant: ParticipantId,
        to: ConferenceId,
        reason: String,
    },
    /// Brings a site or person in: terminals that may answer by themselves do so at once.
    Insert {
        target: Target,
        reason: String,
    },
    /// Listens in, as all others see (督导旁听).
    Observe {
        reason: String,
    },
    /// One named party speaks to all, large on every wall (点名发言).
    CallUp {
        participant: ParticipantId,
    },
    NextSpeaker,
    /// Whoever orders it, or all of a tier, speaks; all others but the chair are closed (广播).
    Broadcast {
        tier: Option<Tier>,
    },
    /// What was permitted before counts again.
    EndAddress,
    /// Large on every wall; absent: nobody.
    Spotlight {
        participant: Option<ParticipantId>,
    },
    /// Large one after the other (轮巡). No accounts: everybody but the chair.
    StartCarousel {
        accounts: Vec<AccountId>,
        interval_s: u32,
    },
    PauseCarousel {
        paused: bool,
    },
    NextInCarousel,
    StopCarousel,
    /// Calls the roll (点名); absent members are rung.
    StartRoll {
        order: RollOrder,
        /// So long a member has to come.
        answer_s: u32,
    },
    StopRoll,
    /// Switches another's camera or microphone; shown there with the reason.
    OrderDevice {
        participant: ParticipantId,
        device: Device,
        on: bool,
        reason: String,
    },
    /// What the own device did about such an order.
    AnswerDevice {
        device: Device,
        obeyed: bool,
        /// When the order was given that it answers; absent: the last one, in old journals.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        asked_at: Option<Timestamp>,
    },
    /// By the system: what the media server receives of somebody, while a roll is called.
    Received {
        participant: ParticipantId,
        sound: bool,
        picture: bool,
    },
}

/// A step without its arguments, for the table of authority.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum ConductKind {
    SetMode,
    SetRole,
    Permit,
    Hand,
    LowerHand,
    Lock,
    SetLobby,
    Enter,
    Withdraw,
    Admit,
    Move,
    Insert,
    Observe,
    CallUp,
    NextSpeaker,
    Broadcast,
    EndAddress,
    Spotlight,
    StartCarousel,
    PauseCarousel,
    NextInCarousel,
    StopCarousel,
    StartRoll,
    StopRoll,
    OrderDevice,
    AnswerDevice,
    Received,
}

impl ConductKind {
    pub const ALL: [ConductKind; 27] = [
        ConductKind::SetMode,
        ConductKind::SetRole,
        ConductKind::Permit,
        ConductKind::Hand,
        ConductKind::LowerHand,
        ConductKind::Lock,
        ConductKind::SetLobby,
        ConductKind::Enter,
        ConductKind::Withdraw,
        ConductKind::Admit,
        ConductKind::Move,
        ConductKind::Insert,
        ConductKind::Observe,
        ConductKind::CallUp,
        ConductKind::NextSpeaker,
        ConductKind::Broadcast,
        ConductKind::EndAddress,
        ConductKind::Spotlight,
        ConductKind::StartCarousel,
        ConductKind::PauseCarousel,
        ConductKind::NextInCarousel,
        ConductKind::StopCarousel,
        ConductKind::StartRoll,
        ConductKind::StopRoll,
        ConductKind::OrderDevice,
        ConductKind::AnswerDevice,
        ConductKind::Received,
    ];

    /// Of the server itself only.
    #[must_use]
    pub fn is_of_system(self) -> bool {
        self == ConductKind::Received
    }
}

impl Conduct {
    #[must_use]
    pub fn kind(&self) -> ConductKind {
        match self {
            Conduct::SetMode { .. } => ConductKind::SetMode,
            Conduct::SetRole { .. } => ConductKind::SetRole,
            Conduct::Permit { .. } => ConductKind::Permit,
            Conduct::Hand { .. } => ConductKind::Hand,
            Conduct::LowerHand { .. } => ConductKind::LowerHand,
            Conduct::Lock { .. } => ConductKind::Lock,
            Conduct::SetLobby { .. } => ConductKind::SetLobby,
            Conduct::Enter { .. } => ConductKind::Enter,
            Conduct::Withdraw => ConductKind::Withdraw,
            Conduct::Admit { .. } => ConductKind::Admit,
            Conduct::Move { .. } => ConductKind::Move,
            Conduct::Insert { .. } => ConductKind::Insert,
            Conduct::Observe { .. } => ConductKind::Observe,
            Conduct::CallUp { .. } => ConductKind::CallUp,
            Conduct::NextSpeaker => ConductKind::NextSpeaker,
            Conduct::Broadcast { .. } => ConductKind::Broadcast,
            Conduct::EndAddress => ConductKind::EndAddress,
            Conduct::Spotlight { .. } => ConductKind::Spotlight,
            Conduct::StartCarousel { .. } => ConductKind::StartCarousel,
            Conduct::PauseCarousel { .. } => ConductKind::PauseCarousel,
            Conduct::NextInCarousel => ConductKind::NextInCarousel,
            Conduct::StopCarousel => ConductKind::StopCarousel,
            Conduct::StartRoll { .. } => ConductKind::StartRoll,
            Conduct::StopRoll => ConductKind::StopRoll,
            Conduct::OrderDevice { .. } => ConductKind::OrderDevice,
            Conduct::AnswerDevice { .. } => ConductKind::AnswerDevice,
            Conduct::Received { .. } => ConductKind::Received,
        }
    }
}
