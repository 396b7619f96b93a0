//! What has happened to incidents. The form in the journal is that of
//! [`crate::event`].

use serde::{Deserialize, Serialize};

use super::file::FileRef;
use super::order::Report;
use super::state::ResponderState;
use super::{IncidentKind, Level};
use crate::directory::Tier;
use crate::ids::{AccountId, ConferenceId, IncidentId, SiteCode};
use crate::invitation::Callee;
use crate::time::Timestamp;

/// One thing that happened to the incident of that number.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IncidentEvent {
    pub incident: IncidentId,
    /// Absent: the server itself, or another platform.
    pub by: Option<AccountId>,
    pub at: Timestamp,
    pub what: What,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum What {
    Reported {
        report: Report,
        /// Whose it is.
        site: SiteCode,
        /// That handles it at first.
        tier: Tier,
    },
    Verified {
        kind: IncidentKind,
        level: Level,
    },
    MarkedDuplicate {
        of: IncidentId,
    },
    MarkedFalse {
        reason: String,
    },
    Levelled {
        level: Level,
        reason: String,
    },
    Escalated {
        tier: Tier,
        reason: String,
    },
    /// One responder each.
    Assigned {
        responder: Callee,
        text: String,
    },
    Responded {
        responder: Callee,
        state: ResponderState,
    },
    /// A conference was called about it.
    Convened {
        conference: ConferenceId,
    },
    Controlled {
        text: String,
    },
    Closed {
        text: String,
    },
    Reviewed {
        findings: String,
    },
    Noted {
        text: String,
    },
    Attached {
        file: FileRef,
        text: String,
    },
}
