//! The rules of dispatch: pure, without I/O, clock or randomness.
//!
//! Every order is [`County::decide`] → events → (the shell journals them) →
//! [`County::apply`]. State is exactly what the events give: replaying the
//! journal into a new [`County`] gives an equal one. The server maps these
//! types one to one to those of the wire.

pub mod authority;
pub mod conference;
mod county;
pub mod directory;
mod draft;
pub mod duty;
pub mod event;
pub mod idempotency;
pub mod ids;
pub mod incident;
pub mod limits;
pub mod order;
pub mod plan;
pub mod presence;
pub mod pursuit;
pub mod refusal;
mod registration;
pub mod snapshot;
pub mod talk;
mod text;
pub mod time;
mod views;

pub use conference::conduct::{
    Address, Carousel, Conduct, ConductEvent, ConductKind, Conducted, Device, DeviceOrder,
    DeviceOrderState, Door, DoorState, Gates, KnockEnd, Mode, ParticipantRole, Permission,
    Priority, Roll, RollEntry, RollOrder, RollState,
};
pub use conference::{Conference, ConferenceKind, ConferenceState, EndReason};
pub use conference::{invitation, participant, stage};
pub use county::County;
pub use directory::{Account, Directory, Place, Presence, Role, Site, Tier};
pub use duty::{Contact, DutyOrder};
pub use event::{EVENT_VERSION, Event};
pub use idempotency::{Decision, Outcome};
pub use ids::{
    AccountId, ConferenceId, DutyId, IncidentId, InvitationId, ParticipantId, PlanId, PursuitId,
    RunId, SiteCode, TalkGroupId,
};
pub use incident::{
    Incident, IncidentKind, IncidentOrder, IncidentState, Level, Responder, ResponderState,
};
pub use invitation::{Callee, Invitation, InvitationState, MissReason};
pub use order::{Actor, Order, OrderKind, Target};
pub use participant::{LeaveReason, Participant, ParticipantState};
pub use plan::PlanOrder;
pub use presence::PresenceBoard;
pub use pursuit::PursuitOrder;
pub use refusal::{Refusal, RefusalCode};
pub use registration::DirectoryMistake;
pub use talk::{TalkGroup, TalkOrder};
pub use time::{Timestamp, Timing};
