//! Why an order was not carried out.

use crate::directory::Role;
use crate::duty::ShiftState;
use crate::ids::{
    AccountId, ConferenceId, DutyId, IncidentId, InvitationId, ParticipantId, PlanId, RunId,
    TalkGroupId,
};
use crate::incident::IncidentState;
use crate::order::OrderKind;
use crate::plan::PlanState;
use crate::registration::DirectoryMistake;

/// What went against an order, for a program. The names are those of the wire.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum RefusalCode {
    Malformed,
    NotSignedIn,
    NotAllowed,
    NotBelow,
    NotChair,
    UnknownTarget,
    UnknownConference,
    UnknownIncident,
    UnknownTalkGroup,
    UnknownPlan,
    UnknownShift,
    NotNow,
    Locked,
    UnknownInvitation,
    UnknownParticipant,
    NobodyToRing,
    AlreadyThere,
    Settled,
    AnsweredElsewhere,
    Ended,
    NotInConference,
    Full,
    KeyReused,
}

/// Why an order was not carried out. Nothing has changed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// A field out of its range.
    #[error("{0}")]
    Malformed(&'static str),
    /// The configuration of sites and accounts has these mistakes.
    #[error("the directory has mistakes: {}", list(.0))]
    Directory(Vec<DirectoryMistake>),
    #[error("account {0} is unknown or not active")]
    NoAccount(AccountId),
    #[error("a {role:?} may not {order:?}")]
    Role { role: Role, order: OrderKind },
    /// An order of the server from an account, or the other way round.
    #[error("{0:?} is not for this actor")]
    WrongActor(OrderKind),
    #[error("{0} is not below the caller; ask instead of ordering")]
    NotBelow(String),
    #[error("only the chair, or somebody in the call from above, may")]
    NotChair,
    #[error("a one-time link is for a field unit below, from who dispatches or administers")]
    NoLink,
    #[error("the new chair must be able to command")]
    CannotChair,
    #[error("not for whoever holds the chair; hand it over first")]
    HoldsChair,
    #[error("not for whoever only listens in")]
    OnlyObserves,
    #[error("nothing of the sort goes on")]
    NothingGoesOn,
    #[error("it goes on already")]
    GoesOn,
    #[error("does not wait to be admitted")]
    NotWaiting,
    #[error("the conference is locked: only who is ordered in may come")]
    Locked,
    #[error("no such target: {0}")]
    UnknownTarget(String),
    #[error("no such incident: {0}")]
    UnknownIncident(IncidentId),
    #[error("not for an incident that is {0:?}")]
    IncidentState(IncidentState),
    #[error("only the tier that handles the incident, or one above it, may")]
    NotHandling,
    #[error("no such plan: {0}")]
    UnknownPlan(PlanId),
    #[error("no such run of a plan: {0}")]
    UnknownRun(RunId),
    #[error("not for a plan that is {0:?}")]
    PlanState(PlanState),
    #[error("somebody else than its author must approve a plan")]
    OwnDraft,
    #[error("the draft has been written anew since it was read")]
    WrittenAnew,
    #[error("no such shift: {0}")]
    UnknownShift(DutyId),
    #[error("not for a shift that is {0:?}")]
    ShiftState(ShiftState),
    #[error("not sent to this incident")]
    NotResponding,
    #[error("no such talk group: {0}")]
    UnknownTalkGroup(TalkGroupId),
    #[error("only the group's own site, or one above it, may")]
    NotCommandingGroup,
    #[error("nobody of that name has raised an alarm")]
    NoSos,
    #[error("no such conference: {0}")]
    UnknownConference(ConferenceId),
    #[error("no such invitation for this account: {0}")]
    UnknownInvitation(InvitationId),
    #[error("no such participant: {0}")]
    UnknownParticipant(ParticipantId),
    #[error("the targets ring nobody")]
    NobodyToRing,
    #[error("in the call or being rung already")]
    AlreadyThere,
    #[error("answered, missed or taken back already")]
    Settled,
    #[error("answered on another device")]
    AnsweredElsewhere,
    #[error("the conference is over")]
    Ended,
    #[error("not in this conference")]
    NotInConference,
    #[error("more than {limit} {what}")]
    Full { what: &'static str, limit: usize },
    #[error("the key was used for another order")]
    KeyReused,
}

impl Refusal {
    #[must_use]
    pub fn code(&self) -> RefusalCode {
        match self {
            Refusal::Malformed(_) | Refusal::Directory(_) => RefusalCode::Malformed,
            Refusal::NoAccount(_) => RefusalCode::NotSignedIn,
            Refusal::Role { .. }
            | Refusal::WrongActor(_)
            | Refusal::NoLink
            | Refusal::CannotChair => RefusalCode::NotAllowed,
            Refusal::NotBelow(_) => RefusalCode::NotBelow,
            Refusal::NotChair => RefusalCode::NotChair,
            Refusal::UnknownTarget(_) => RefusalCode::UnknownTarget,
            Refusal::UnknownIncident(_) => RefusalCode::UnknownIncident,
            Refusal::Locked => RefusalCode::Locked,
            Refusal::UnknownTalkGroup(_) => RefusalCode::UnknownTalkGroup,
            Refusal::NotCommandingGroup => RefusalCode::NotAllowed,
            Refusal::NoSos => RefusalCode::NotNow,
            Refusal::UnknownPlan(_) | Refusal::UnknownRun(_) => RefusalCode::UnknownPlan,
            Refusal::UnknownShift(_) => RefusalCode::UnknownShift,
            Refusal::IncidentState(_)
            | Refusal::PlanState(_)
            | Refusal::ShiftState(_)
            | Refusal::WrittenAnew
            | Refusal::HoldsChair
            | Refusal::OnlyObserves
            | Refusal::NothingGoesOn
            | Refusal::GoesOn => RefusalCode::NotNow,
            Refusal::NotHandling | Refusal::NotResponding | Refusal::OwnDraft => {
                RefusalCode::NotAllowed
            }
            Refusal::UnknownConference(_) => RefusalCode::UnknownConference,
            Refusal::UnknownInvitation(_) => RefusalCode::UnknownInvitation,
            Refusal::UnknownParticipant(_) => RefusalCode::UnknownParticipant,
            Refusal::NobodyToRing => RefusalCode::NobodyToRing,
            Refusal::AlreadyThere => RefusalCode::AlreadyThere,
            Refusal::Settled | Refusal::NotWaiting => RefusalCode::Settled,
            Refusal::AnsweredElsewhere => RefusalCode::AnsweredElsewhere,
            Refusal::Ended => RefusalCode::Ended,
            Refusal::NotInConference => RefusalCode::NotInConference,
            Refusal::Full { .. } => RefusalCode::Full,
            Refusal::KeyReused => RefusalCode::KeyReused,
        }
    }
}

fn list(mistakes: &[DirectoryMistake]) -> String {
    let texts: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    texts.join("; ")
}
