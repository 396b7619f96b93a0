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
pub mod event;
pub mod idempotency;
pub mod ids;
pub mod invitation;
pub mod order;
pub mod participant;
pub mod presence;
pub mod refusal;
pub mod stage;
pub mod time;

pub use conference::{Conference, ConferenceKind, ConferenceState, EndReason};
pub use county::County;
pub use directory::{Account, Directory, DirectoryMistake, Place, Presence, Role, Site, Tier};
pub use event::{EVENT_VERSION, Event};
pub use idempotency::{Decision, Outcome};
pub use ids::{AccountId, ConferenceId, InvitationId, ParticipantId, SiteCode};
pub use invitation::{Callee, Invitation, InvitationState, MissReason};
pub use order::{Actor, Order, OrderKind, Target};
pub use participant::{LeaveReason, Participant, ParticipantState};
pub use presence::PresenceBoard;
pub use refusal::{Refusal, RefusalCode};
pub use time::{Timestamp, Timing};
