//! Why something was not done.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// What went against it, for a program. The console shows the text of
/// `refusal.<code>` in its catalogue, never `message`.
#[derive(
    Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, ToSchema, TS,
)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum RefusalCode {
    /// Not valid JSON of this protocol, or a field out of its range.
    Malformed,
    /// Longer than [`crate::MAX_MESSAGE_BYTES`].
    TooLarge,
    /// Another protocol version; reload the page.
    ProtocolVersion,
    /// `Hello` has to come first.
    HelloFirst,
    /// Too many requests; wait `retry_after_ms`.
    TooMany,
    /// Wrong account or password.
    WrongLogin,
    /// Locked after repeated wrong passwords; wait `retry_after_ms`.
    Locked,
    /// The password is right; the account's second factor is asked for, too.
    CodeNeeded,
    /// The code is wrong, used already, or too old.
    WrongCode,
    /// No second factor is being set up, or it was begun too long ago: begin again.
    NotBegun,
    /// The role must have a second factor: set it up before anything else.
    EnrolFirst,
    /// The link is unknown, used already, or too old.
    LinkUsed,
    /// No session, or it expired: log in again.
    NotSignedIn,
    /// The role does not allow it.
    NotAllowed,
    /// The tier rule: the target is not below the caller's site. It may be asked instead.
    NotBelow,
    /// Only the chair, or somebody in the call from a tier above, may.
    NotChair,
    UnknownTarget,
    UnknownConference,
    UnknownIncident,
    UnknownTalkGroup,
    UnknownPlan,
    UnknownShift,
    /// Not in the incident's present state.
    NotNow,
    /// Only who is ordered in may come.
    ConferenceLocked,
    UnknownInvitation,
    UnknownParticipant,
    /// The target list rings nobody.
    NobodyToRing,
    /// The target is in the call or being rung already.
    AlreadyThere,
    /// Already answered, missed or taken back.
    Settled,
    /// Answered on another device of the same party.
    AnsweredElsewhere,
    /// The conference is over.
    Ended,
    NotInConference,
    /// The offer cannot be answered: broken SDP or no common codec.
    BadOffer,
    /// More people, slots or conferences than the limit.
    Full,
    /// The media server does not answer.
    MediaUnavailable,
    /// The journal could not be written: nothing was done.
    JournalUnavailable,
    /// The idempotency key was used for another order.
    KeyReused,
    /// A file of a type that is not taken.
    UnsupportedFile,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Refusal {
    pub code: RefusalCode,
    /// For developers and logs, in English.
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub retry_after_ms: Option<u32>,
}
