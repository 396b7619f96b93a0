//! What has happened to incidents. The form in the journal is that of
//! [`crate::event`].

use serde::{Deserialize, Serialize};

use super::file::FileRef;
use super::order::Report;
use super::state::ResponderState;
use super::{IncidentKind, Level};
use crate::directory::Tier;
use crate::ids::{AccountId, ConferenceId, IncidentId, RunId, SiteCode};
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
    /// A plan is run on it.
    PlanStarted {
        run: RunId,
        name: String,
        version: u32,
    },
    /// Its later steps are not done.
    PlanStopped {
        run: RunId,
        name: String,
    },
    /// A step of a plan has begun: so many are called, with this text.
    PlanStep {
        run: RunId,
        /// Index of the step.
        step: u32,
        text: String,
        called: u32,
    },
    /// All of a step are reached, or its deadline has come.
    PlanStepSettled {
        run: RunId,
        step: u32,
        reached: u32,
        missed: Vec<Callee>,
    },
    /// Nothing helped to reach somebody who was called about it.
    Unreached {
        callee: Callee,
        /// The site above that was told.
        told: Option<SiteCode>,
    },
    /// Somebody was reached after all, by whom in words.
    Reached {
        callee: Callee,
        name: String,
    },
}
