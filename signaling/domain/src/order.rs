//! What can be ordered, and by whom an order comes.

use serde::{Deserialize, Serialize};

use crate::conference::conduct::{Conduct, ConductKind};
use crate::directory::{Account, Site, Tier};
use crate::duty::{DutyOrder, DutyOrderKind};
use crate::ids::{AccountId, ConferenceId, IncidentId, InvitationId, ParticipantId, SiteCode};
use crate::incident::{IncidentOrder, IncidentOrderKind};
use crate::plan::{PlanOrder, PlanOrderKind};
use crate::pursuit::{PursuitOrder, PursuitOrderKind};
use crate::talk::{TalkOrder, TalkOrderKind};

/// Who orders.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Actor {
    /// The server itself: start, timers, what the media server tells.
    System,
    /// Somebody who is signed in.
    Account(AccountId),
    /// Another platform (12345, grid platform …), by its name in the configuration. Whether
    /// it is the one, and may report there, the server has checked.
    Platform(String),
}

/// Whom a call is for.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Target {
    Site {
        code: SiteCode,
    },
    Person {
        account: AccountId,
    },
    /// Every site of the tier below the caller's site (县呼乡: the townships).
    Tier {
        tier: Tier,
    },
    /// A site and all below it (三级联调). The caller's own site is never rung.
    Subtree {
        root: SiteCode,
    },
}

/// One order. `decide` gives its events or says why not.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Order {
    // By `Actor::System` only.
    /// The directory as the configuration has it. Gives events for what is new
    /// or changed; accounts that are missing become inactive, sites that are
    /// missing stay. Sent at every start.
    SetDirectory {
        sites: Vec<Site>,
        accounts: Vec<Account>,
    },
    /// The server has started on an existing journal: no device is there yet,
    /// and everybody who was in a conference has to come back. Comes before the
    /// first `Tick`, so that nobody loses his place by the time it was down.
    Restarted,
    /// Something is due, see [`crate::County::due`].
    Tick,
    /// How many devices of the account are connected now, and how many of
    /// them have late beats or poor media. Absolute, so a lost or doubled
    /// message does no harm.
    SetDevices {
        account: AccountId,
        online: u32,
        degraded: u32,
    },
    /// Picture and sound of the participant's device can flow.
    MediaConnected {
        participant: ParticipantId,
    },
    /// The media server lost the participant's media; it may come back.
    MediaLost {
        participant: ParticipantId,
    },
    /// The participant's device is gone and was not resumed in time.
    DeviceLost {
        participant: ParticipantId,
    },

    /// By an account; by the system only the reports of other platforms.
    Incident {
        order: IncidentOrder,
    },

    /// By an account; by the system only the first groups and what was spoken.
    Talk {
        order: TalkOrder,
    },
    /// By an account; by the system only what its configuration brings.
    Plan {
        order: PlanOrder,
    },
    /// By an account; by the system only what channels tell.
    Pursuit {
        order: PursuitOrder,
    },

    // By `Actor::Account` only.
    Duty {
        order: DutyOrder,
    },
    /// Opens a conference and rings all targets in parallel.
    Call {
        targets: Vec<Target>,
        title: Option<String>,
        /// True: an order (auto-answer where allowed), only downwards. False: asks.
        ordered: bool,
        /// What it is about; the call stands in its timeline.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        incident: Option<IncidentId>,
    },
    /// Rings further targets into a running conference.
    Invite {
        conference: ConferenceId,
        targets: Vec<Target>,
        ordered: bool,
    },
    /// Rings everyone again who was invited and is absent (呼叫缺席).
    InviteAbsent {
        conference: ConferenceId,
    },
    /// Takes a ring back.
    CancelInvitation {
        invitation: InvitationId,
    },
    Accept {
        invitation: InvitationId,
    },
    Decline {
        invitation: InvitationId,
    },
    Leave {
        conference: ConferenceId,
    },
    /// Takes a participant out (强拆); the reason is shown on its device.
    Remove {
        conference: ConferenceId,
        participant: ParticipantId,
        reason: String,
    },
    End {
        conference: ConferenceId,
    },
    Mute {
        conference: ConferenceId,
        participant: ParticipantId,
        muted: bool,
    },
    /// Mutes everyone but the chair, later joiners too, or lifts all mutes.
    MuteAll {
        conference: ConferenceId,
        muted: bool,
    },
    /// Hands the chair to another participant.
    HandOver {
        conference: ConferenceId,
        participant: ParticipantId,
    },
    /// What the participant says that it sends itself.
    SetOwnMedia {
        conference: ConferenceId,
        microphone: bool,
        camera: bool,
    },
    /// Conducts a running conference (会控).
    Conduct {
        conference: ConferenceId,
        step: Conduct,
    },
}

/// An order without its arguments, for the table of authority.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum OrderKind {
    SetDirectory,
    Restarted,
    Tick,
    SetDevices,
    MediaConnected,
    MediaLost,
    DeviceLost,
    Call,
    Invite,
    InviteAbsent,
    CancelInvitation,
    Accept,
    Decline,
    Leave,
    Remove,
    End,
    Mute,
    MuteAll,
    HandOver,
    SetOwnMedia,
    Conduct(ConductKind),
    Incident(IncidentOrderKind),
    Talk(TalkOrderKind),
    Plan(PlanOrderKind),
    Duty(DutyOrderKind),
    Pursuit(PursuitOrderKind),
}

impl Order {
    #[must_use]
    pub fn kind(&self) -> OrderKind {
        match self {
            Order::SetDirectory { .. } => OrderKind::SetDirectory,
            Order::Restarted => OrderKind::Restarted,
            Order::Tick => OrderKind::Tick,
            Order::SetDevices { .. } => OrderKind::SetDevices,
            Order::MediaConnected { .. } => OrderKind::MediaConnected,
            Order::MediaLost { .. } => OrderKind::MediaLost,
            Order::DeviceLost { .. } => OrderKind::DeviceLost,
            Order::Call { .. } => OrderKind::Call,
            Order::Invite { .. } => OrderKind::Invite,
            Order::InviteAbsent { .. } => OrderKind::InviteAbsent,
            Order::CancelInvitation { .. } => OrderKind::CancelInvitation,
            Order::Accept { .. } => OrderKind::Accept,
            Order::Decline { .. } => OrderKind::Decline,
            Order::Leave { .. } => OrderKind::Leave,
            Order::Remove { .. } => OrderKind::Remove,
            Order::End { .. } => OrderKind::End,
            Order::Mute { .. } => OrderKind::Mute,
            Order::MuteAll { .. } => OrderKind::MuteAll,
            Order::HandOver { .. } => OrderKind::HandOver,
            Order::SetOwnMedia { .. } => OrderKind::SetOwnMedia,
            Order::Conduct { step, .. } => OrderKind::Conduct(step.kind()),
            Order::Incident { order } => OrderKind::Incident(order.kind()),
            Order::Talk { order } => OrderKind::Talk(order.kind()),
            Order::Plan { order } => OrderKind::Plan(order.kind()),
            Order::Duty { order } => OrderKind::Duty(order.kind()),
            Order::Pursuit { order } => OrderKind::Pursuit(order.kind()),
        }
    }
}

impl OrderKind {
    /// Every kind, for tables.
    pub const ALL: [OrderKind; 78] = [
        OrderKind::SetDirectory,
        OrderKind::Restarted,
        OrderKind::Tick,
        OrderKind::SetDevices,
        OrderKind::MediaConnected,
        OrderKind::MediaLost,
        OrderKind::DeviceLost,
        OrderKind::Call,
        OrderKind::Invite,
        OrderKind::InviteAbsent,
        OrderKind::CancelInvitation,
        OrderKind::Accept,
        OrderKind::Decline,
        OrderKind::Leave,
        OrderKind::Remove,
        OrderKind::End,
        OrderKind::Mute,
        OrderKind::MuteAll,
        OrderKind::HandOver,
        OrderKind::SetOwnMedia,
        OrderKind::Incident(IncidentOrderKind::Report),
        OrderKind::Incident(IncidentOrderKind::Verify),
        OrderKind::Incident(IncidentOrderKind::MarkDuplicate),
        OrderKind::Incident(IncidentOrderKind::MarkFalse),
        OrderKind::Incident(IncidentOrderKind::SetLevel),
        OrderKind::Incident(IncidentOrderKind::Escalate),
        OrderKind::Incident(IncidentOrderKind::Assign),
        OrderKind::Incident(IncidentOrderKind::Respond),
        OrderKind::Incident(IncidentOrderKind::Control),
        OrderKind::Incident(IncidentOrderKind::Close),
        OrderKind::Incident(IncidentOrderKind::Review),
        OrderKind::Incident(IncidentOrderKind::Note),
        OrderKind::Incident(IncidentOrderKind::Attach),
        OrderKind::Talk(TalkOrderKind::Create),
        OrderKind::Talk(TalkOrderKind::Change),
        OrderKind::Talk(TalkOrderKind::Dissolve),
        OrderKind::Talk(TalkOrderKind::RaiseSos),
        OrderKind::Talk(TalkOrderKind::CancelSos),
        OrderKind::Talk(TalkOrderKind::Spoke),
        OrderKind::Conduct(ConductKind::SetMode),
        OrderKind::Conduct(ConductKind::SetRole),
        OrderKind::Conduct(ConductKind::Permit),
        OrderKind::Conduct(ConductKind::Hand),
        OrderKind::Conduct(ConductKind::LowerHand),
        OrderKind::Conduct(ConductKind::Lock),
        OrderKind::Conduct(ConductKind::SetLobby),
        OrderKind::Conduct(ConductKind::Enter),
        OrderKind::Conduct(ConductKind::Withdraw),
        OrderKind::Conduct(ConductKind::Admit),
        OrderKind::Conduct(ConductKind::Move),
        OrderKind::Conduct(ConductKind::Insert),
        OrderKind::Conduct(ConductKind::Observe),
        OrderKind::Conduct(ConductKind::CallUp),
        OrderKind::Conduct(ConductKind::NextSpeaker),
        OrderKind::Conduct(ConductKind::Broadcast),
        OrderKind::Conduct(ConductKind::EndAddress),
        OrderKind::Conduct(ConductKind::Spotlight),
        OrderKind::Conduct(ConductKind::StartCarousel),
        OrderKind::Conduct(ConductKind::PauseCarousel),
        OrderKind::Conduct(ConductKind::NextInCarousel),
        OrderKind::Conduct(ConductKind::StopCarousel),
        OrderKind::Conduct(ConductKind::StartRoll),
        OrderKind::Conduct(ConductKind::StopRoll),
        OrderKind::Conduct(ConductKind::OrderDevice),
        OrderKind::Conduct(ConductKind::AnswerDevice),
        OrderKind::Conduct(ConductKind::Received),
        OrderKind::Plan(PlanOrderKind::Install),
        OrderKind::Plan(PlanOrderKind::Save),
        OrderKind::Plan(PlanOrderKind::Approve),
        OrderKind::Plan(PlanOrderKind::Retire),
        OrderKind::Plan(PlanOrderKind::Start),
        OrderKind::Plan(PlanOrderKind::Stop),
        OrderKind::Duty(DutyOrderKind::Plan),
        OrderKind::Duty(DutyOrderKind::Cancel),
        OrderKind::Duty(DutyOrderKind::HandOver),
        OrderKind::Duty(DutyOrderKind::SetContacts),
        OrderKind::Pursuit(PursuitOrderKind::Pursue),
        OrderKind::Pursuit(PursuitOrderKind::Result),
    ];

    /// True for what only the server itself may order.
    #[must_use]
    pub fn is_of_system(self) -> bool {
        match self {
            OrderKind::SetDirectory
            | OrderKind::Restarted
            | OrderKind::Tick
            | OrderKind::SetDevices
            | OrderKind::MediaConnected
            | OrderKind::MediaLost
            | OrderKind::DeviceLost
            | OrderKind::Plan(PlanOrderKind::Install)
            | OrderKind::Pursuit(PursuitOrderKind::Result) => true,
            OrderKind::Conduct(kind) => kind.is_of_system(),
            OrderKind::Call
            | OrderKind::Invite
            | OrderKind::InviteAbsent
            | OrderKind::CancelInvitation
            | OrderKind::Accept
            | OrderKind::Decline
            | OrderKind::Leave
            | OrderKind::Remove
            | OrderKind::End
            | OrderKind::Mute
            | OrderKind::MuteAll
            | OrderKind::HandOver
            | OrderKind::SetOwnMedia
            | OrderKind::Incident(_)
            | OrderKind::Plan(
                PlanOrderKind::Save
                | PlanOrderKind::Approve
                | PlanOrderKind::Retire
                | PlanOrderKind::Start
                | PlanOrderKind::Stop,
            )
            | OrderKind::Duty(_)
            | OrderKind::Pursuit(PursuitOrderKind::Pursue) => false,
            OrderKind::Talk(kind) => kind.is_of_system(),
        }
    }
}
