//! What has happened to plans and their runs. The form in the journal is that
//! of [`crate::event`].

use serde::{Deserialize, Serialize};

use super::content::PlanContent;
use crate::ids::{AccountId, ConferenceId, IncidentId, PlanId, RunId, SiteCode};
use crate::invitation::Callee;
use crate::time::Timestamp;

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum PlanEvent {
    /// A draft, new or written anew.
    Saved {
        plan: PlanId,
        version: u32,
        /// Whose plan it is: the author's site when it was first written.
        owner: SiteCode,
        content: PlanContent,
        by: AccountId,
        at: Timestamp,
    },
    Approved {
        plan: PlanId,
        version: u32,
        by: AccountId,
        at: Timestamp,
    },
    Retired {
        plan: PlanId,
        version: u32,
        by: AccountId,
        at: Timestamp,
    },

    /// The run keeps the content that it started with.
    Started {
        run: RunId,
        plan: PlanId,
        version: u32,
        incident: IncidentId,
        conference: ConferenceId,
        content: PlanContent,
        by: AccountId,
        at: Timestamp,
    },
    StepBegun {
        run: RunId,
        /// Index of the step.
        step: u32,
        /// Who is to be reached, in the order of the plan.
        callees: Vec<Callee>,
        deadline: Timestamp,
        at: Timestamp,
    },
    /// All are reached, or the deadline has come.
    StepSettled {
        run: RunId,
        step: u32,
        missed: Vec<Callee>,
        at: Timestamp,
    },
    Ended {
        run: RunId,
        /// Who stopped it; absent: all is done, or the incident is over.
        by: Option<AccountId>,
        at: Timestamp,
    },
}
