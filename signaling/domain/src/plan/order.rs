//! What can be ordered about plans.

use serde::{Deserialize, Serialize};

use super::content::PlanContent;
use crate::ids::{IncidentId, PlanId, RunId};
use crate::time::Timestamp;

/// One order about plans.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum PlanOrder {
    /// By the server: a plan of the configuration comes into force, where no
    /// plan is known yet by this name.
    Install { content: PlanContent },
    /// A new plan (absent), or a draft of a known one: the version in force
    /// stays so until the draft is approved.
    Save {
        plan: Option<PlanId>,
        content: PlanContent,
    },
    /// By somebody else than who wrote it.
    Approve {
        plan: PlanId,
        version: u32,
        /// When the text that he has read was saved: it may have been written anew since.
        saved_at: Timestamp,
    },
    /// Takes it out of force, or throws the draft away.
    Retire { plan: PlanId, version: u32 },
    /// Runs the version in force on an incident.
    Start { plan: PlanId, incident: IncidentId },
    /// Its later steps are not done.
    Stop { run: RunId },
}

/// An order without its arguments, for the table of authority.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum PlanOrderKind {
    Install,
    Save,
    Approve,
    Retire,
    Start,
    Stop,
}

impl PlanOrderKind {
    pub const ALL: [PlanOrderKind; 6] = [
        PlanOrderKind::Install,
        PlanOrderKind::Save,
        PlanOrderKind::Approve,
        PlanOrderKind::Retire,
        PlanOrderKind::Start,
        PlanOrderKind::Stop,
    ];
}

impl PlanOrder {
    #[must_use]
    pub fn kind(&self) -> PlanOrderKind {
        match self {
            PlanOrder::Install { .. } => PlanOrderKind::Install,
            PlanOrder::Save { .. } => PlanOrderKind::Save,
            PlanOrder::Approve { .. } => PlanOrderKind::Approve,
            PlanOrder::Retire { .. } => PlanOrderKind::Retire,
            PlanOrder::Start { .. } => PlanOrderKind::Start,
            PlanOrder::Stop { .. } => PlanOrderKind::Stop,
        }
    }
}
