//! Every message that crosses a wire between a client (console, room terminal,
//! phone, bot) and the signaling server, as serde types.
//!
//! TypeScript for the console is generated from these types by
//! `cargo test -p liandong-protocol` into `web-console/src/protocol/generated`.
//!
//! One WebSocket per client, JSON text frames. A client sends
//! [`ClientMessage`]s, each with a number of its own; the server answers each
//! with one [`ServerMessage::Reply`] and tells everything else by
//! [`ServerMessage::Push`]. Times are milliseconds since the Unix epoch, UTC,
//! as seen by the server.

pub mod client;
pub mod conduct;
pub mod conference;
pub mod directory;
pub mod duty;
pub mod http;
pub mod ids;
pub mod incident;
pub mod plan;
pub mod platform;
pub mod pursuit;
pub mod refusal;
pub mod server;
pub mod talk;
pub mod webhook;

pub use client::{ClientMessage, Device, MediaWish, Request, Target, Tile};
pub use conduct::{Conduct, ParticipantRole};
pub use conference::{
    Conference, ConferenceKind, ConferenceState, Invitation, InvitationState, LeaveReason,
    MissReason, Participant, ParticipantState,
};
pub use directory::{Directory, DirectoryPerson, DirectorySite, Place, Presence, Role, Tier};
pub use ids::{
    AccountId, ConferenceId, DutyId, IncidentId, InvitationId, ParticipantId, PlanId, PursuitId,
    RunId, SiteCode, TalkGroupId,
};
pub use incident::{Dossier, Incident, IncidentReport, IncidentStep};
pub use refusal::{Refusal, RefusalCode};
pub use server::{JournalState, Push, Reply, ServerMessage, Snapshot};

/// The version of this protocol. A client says it in [`Request::Hello`]; the
/// server refuses another with [`RefusalCode::ProtocolVersion`].
pub const PROTOCOL_VERSION: u16 = 2;

/// The longest WebSocket message a client may send, in bytes. An SDP offer of
/// 49 video slots is about 60 kB.
pub const MAX_MESSAGE_BYTES: usize = 256 * 1024;
