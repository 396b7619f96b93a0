//! What has happened to pursuits. The form in the journal is that of [`crate::event`].

use serde::{Deserialize, Serialize};

use super::state::{AttemptResult, Channel};
use crate::ids::{AccountId, ConferenceId, InvitationId, PursuitId, SiteCode};
use crate::invitation::Callee;
use crate::plan::OnMiss;
use crate::time::Timestamp;

/// Why somebody is pursued.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum PursuitCause {
    /// No device was there when the call went out.
    Offline,
    Missed,
    Declined,
    /// Has not acknowledged within a plan's deadline.
    NotAcknowledged,
    Ordered,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum PursuitEvent {
    Opened {
        pursuit: PursuitId,
        conference: ConferenceId,
        callee: Callee,
        cause: PursuitCause,
        policy: OnMiss,
        /// In whose name others are rung.
        by: AccountId,
        at: Timestamp,
    },
    /// Somebody is tried.
    Tried {
        pursuit: PursuitId,
        /// From 1.
        attempt: u32,
        /// Whom, in words.
        name: String,
        channel: Channel,
        account: Option<AccountId>,
        phone: Option<String>,
        /// The ring of this attempt.
        invitation: Option<InvitationId>,
        /// It rings for this attempt alone, and ends with it.
        own_ring: bool,
        at: Timestamp,
        /// When it is taken for unanswered.
        deadline: Timestamp,
    },
    Resulted {
        pursuit: PursuitId,
        attempt: u32,
        result: AttemptResult,
        at: Timestamp,
    },
    ToldAbove {
        pursuit: PursuitId,
        site: SiteCode,
        at: Timestamp,
    },
    Exhausted {
        pursuit: PursuitId,
        at: Timestamp,
    },
    /// The callee is there, or the contact with this name.
    Reached {
        pursuit: PursuitId,
        name: String,
        at: Timestamp,
    },
    Stopped {
        pursuit: PursuitId,
        at: Timestamp,
    },
}

impl PursuitEvent {
    /// The pursuit that it changes.
    #[must_use]
    pub fn pursuit(&self) -> PursuitId {
        match self {
            PursuitEvent::Opened { pursuit, .. }
            | PursuitEvent::Tried { pursuit, .. }
            | PursuitEvent::Resulted { pursuit, .. }
            | PursuitEvent::ToldAbove { pursuit, .. }
            | PursuitEvent::Exhausted { pursuit, .. }
            | PursuitEvent::Reached { pursuit, .. }
            | PursuitEvent::Stopped { pursuit, .. } => *pursuit,
        }
    }
}
