//! Who may order what, in one place: the tier rule and the table of roles.
//!
//! A *post* is where somebody stands: at a site, or as a field unit one step
//! below its site. Whoever stands above may order; everybody else may be asked.

use crate::conference::Conference;
use crate::conference::conduct::{ConductKind, ParticipantRole};
use crate::directory::{Account, Directory, Role};
use crate::duty::DutyOrderKind;
use crate::ids::SiteCode;
use crate::incident::IncidentOrderKind;
use crate::order::OrderKind;
use crate::participant::Participant;
use crate::plan::PlanOrderKind;
use crate::pursuit::PursuitOrderKind;
use crate::refusal::Refusal;
use crate::talk::TalkOrderKind;

/// The roles' half of the rule: what a role may order at all.
///
/// Administrators and supervisors do not command, but when their site is
/// called they can be rung, come in and leave like everybody else.
#[must_use]
pub fn role_may(role: Role, order: OrderKind) -> bool {
    let commands = match role {
        Role::Commander | Role::Dispatcher | Role::Township | Role::Community | Role::Field => true,
        Role::Administrator | Role::Supervisor => false,
    };
    match order {
        OrderKind::Accept | OrderKind::Decline | OrderKind::Leave | OrderKind::SetOwnMedia => true,
        // What anybody sees, anybody may report; who may go on with it is decided by tier.
        OrderKind::Incident(
            IncidentOrderKind::Report | IncidentOrderKind::Note | IncidentOrderKind::Attach,
        ) => true,
        OrderKind::Conduct(
            ConductKind::Hand
            | ConductKind::Enter
            | ConductKind::Withdraw
            | ConductKind::AnswerDevice,
        ) => true,
        OrderKind::Conduct(ConductKind::Received) => false,
        // Supervisors are there to listen in; others see it.
        OrderKind::Conduct(ConductKind::Observe) => {
            role == Role::Supervisor || (commands && role != Role::Field)
        }
        OrderKind::Conduct(
            ConductKind::SetMode
            | ConductKind::SetRole
            | ConductKind::Permit
            | ConductKind::LowerHand
            | ConductKind::Lock
            | ConductKind::SetLobby
            | ConductKind::Admit
            | ConductKind::Move
            | ConductKind::Insert
            | ConductKind::CallUp
            | ConductKind::NextSpeaker
            | ConductKind::Broadcast
            | ConductKind::EndAddress
            | ConductKind::Spotlight
            | ConductKind::StartCarousel
            | ConductKind::PauseCarousel
            | ConductKind::NextInCarousel
            | ConductKind::StopCarousel
            | ConductKind::StartRoll
            | ConductKind::StopRoll
            | ConductKind::OrderDevice,
        ) => commands,
        OrderKind::Incident(IncidentOrderKind::Respond) => commands,
        OrderKind::Incident(
            IncidentOrderKind::Verify
            | IncidentOrderKind::MarkDuplicate
            | IncidentOrderKind::MarkFalse
            | IncidentOrderKind::SetLevel
            | IncidentOrderKind::Escalate
            | IncidentOrderKind::Assign
            | IncidentOrderKind::Control
            | IncidentOrderKind::Close
            | IncidentOrderKind::Review,
        ) => commands && role != Role::Field,
        // Whose group it is, is decided by tier.
        OrderKind::Talk(
            TalkOrderKind::Create | TalkOrderKind::Change | TalkOrderKind::Dissolve,
        ) => match role {
            Role::Commander | Role::Dispatcher | Role::Township => true,
            Role::Community | Role::Field | Role::Administrator | Role::Supervisor => false,
        },
        // An alarm of his own anybody may raise and take back.
        OrderKind::Talk(TalkOrderKind::RaiseSos | TalkOrderKind::CancelSos) => commands,
        OrderKind::Talk(TalkOrderKind::Spoke) => false,
        OrderKind::Plan(PlanOrderKind::Start | PlanOrderKind::Stop) => {
            commands && role != Role::Field
        }
        // Kept at the county and the townships; who else may is decided by tier.
        OrderKind::Plan(PlanOrderKind::Save | PlanOrderKind::Retire) => match role {
            Role::Commander | Role::Dispatcher | Role::Township | Role::Administrator => true,
            Role::Community | Role::Field | Role::Supervisor => false,
        },
        OrderKind::Plan(PlanOrderKind::Approve) => match role {
            Role::Commander | Role::Dispatcher | Role::Township => true,
            Role::Community | Role::Field | Role::Administrator | Role::Supervisor => false,
        },
        OrderKind::Duty(
            DutyOrderKind::Plan
            | DutyOrderKind::Cancel
            | DutyOrderKind::HandOver
            | DutyOrderKind::SetContacts,
        ) => match role {
            Role::Commander
            | Role::Dispatcher
            | Role::Township
            | Role::Community
            | Role::Administrator => true,
            Role::Field | Role::Supervisor => false,
        },
        OrderKind::Pursuit(PursuitOrderKind::Pursue)
        | OrderKind::Call
        | OrderKind::Invite
        | OrderKind::InviteAbsent
        | OrderKind::CancelInvitation
        | OrderKind::Remove
        | OrderKind::End
        | OrderKind::Mute
        | OrderKind::MuteAll
        | OrderKind::HandOver => commands,
        OrderKind::SetDirectory
        | OrderKind::Restarted
        | OrderKind::Tick
        | OrderKind::SetDevices
        | OrderKind::MediaConnected
        | OrderKind::MediaLost
        | OrderKind::DeviceLost
        | OrderKind::Plan(PlanOrderKind::Install)
        | OrderKind::Pursuit(PursuitOrderKind::Result) => false,
    }
}

/// Who may give a one-time link, which signs in on a phone, to whom: those who look
/// after accounts or dispatch, to field units below them. Nobody by a link gets more than a
/// phone in the field has.
#[must_use]
pub fn may_give_link(by: &Account, to: &Account, directory: &Directory) -> bool {
    let gives = match by.role {
        Role::Administrator | Role::Dispatcher => true,
        Role::Commander | Role::Township | Role::Community | Role::Field | Role::Supervisor => {
            false
        }
    };
    gives
        && by.active
        && to.active
        && to.role == Role::Field
        && Post::of_account(by).is_above(Post::of_account(to), directory)
}

/// Where somebody stands in the county.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Post<'a> {
    pub site: &'a SiteCode,
    /// A field unit stands below its own site and above nobody.
    pub field: bool,
}

impl<'a> Post<'a> {
    /// A site itself, as its console and terminal.
    #[must_use]
    pub fn of_site(site: &'a SiteCode) -> Self {
        Self { site, field: false }
    }

    #[must_use]
    pub fn of_account(account: &'a Account) -> Self {
        Self {
            site: &account.site,
            field: account.role == Role::Field,
        }
    }

    /// The tier rule: the county stands above everybody, a township above
    /// what is under it, a community above its own field units, a field unit
    /// above nobody. Nobody stands above himself or his own site.
    #[must_use]
    pub fn is_above(self, other: Post<'_>, directory: &Directory) -> bool {
        !self.field
            && (directory.is_under(other.site, self.site)
                || (self.site == other.site && other.field))
    }
}

/// What an order in a conference touches.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reach<'a> {
    One(&'a Participant),
    /// All of the conference.
    All,
    /// Who leads it, and whether it goes on.
    Chair,
}

/// Who may conduct: the chair; co-chairs, but not against the chair; and somebody in the
/// conference who stands above whom it touches. What touches all of the
/// conference touches its chair.
pub(crate) fn may_command(
    conference: &Conference,
    by: &Account,
    reach: Reach<'_>,
    directory: &Directory,
) -> Result<(), Refusal> {
    let own = conference.stay_of(&by.id).ok_or(Refusal::NotInConference)?;
    if conference.chair == Some(own.id) {
        return Ok(());
    }
    let chair = conference.chair.and_then(|id| conference.participant(id));
    let (touched, shared) = match reach {
        Reach::One(one) => (Some(one), conference.chair != Some(one.id)),
        Reach::All => (chair, true),
        Reach::Chair => (chair, false),
    };
    if shared && own.role == ParticipantRole::CoChair {
        return Ok(());
    }
    let above = touched
        .and_then(|one| directory.account(&one.account))
        .is_some_and(|account| Post::of_account(by).is_above(Post::of_account(account), directory));
    if above {
        Ok(())
    } else {
        Err(Refusal::NotChair)
    }
}
