//! What can be ordered about incidents.

use serde::{Deserialize, Serialize};

use super::file::FileRef;
use super::state::ResponderState;
use super::{IncidentKind, Level, ReportSource};
use crate::directory::{Place, Tier};
use crate::ids::{IncidentId, SiteCode};
use crate::invitation::Callee;

/// What is told of something that happened.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    pub kind: IncidentKind,
    /// As the reporter thinks; verifying it decides.
    pub level: Option<Level>,
    /// 1 to 80 characters.
    pub title: String,
    /// Up to 2,000 characters.
    pub text: String,
    pub place: Option<Place>,
    /// In words; up to 200 characters.
    pub address: String,
    /// Whose it is. Absent: the reporter's own site.
    pub site: Option<SiteCode>,
    pub source: ReportSource,
}

/// One order about incidents.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum IncidentOrder {
    Report {
        report: Report,
    },
    /// One more step of an incident that is known.
    Step {
        incident: IncidentId,
        step: Step,
    },
}

/// What is done with an incident.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Step {
    /// It is so, and this grave. Whoever verifies it commands it.
    Verify {
        kind: IncidentKind,
        level: Level,
    },
    MarkDuplicate {
        of: IncidentId,
    },
    MarkFalse {
        reason: String,
    },
    SetLevel {
        level: Level,
        reason: String,
    },
    /// A higher tier takes it over.
    Escalate {
        tier: Tier,
        reason: String,
    },
    /// Sends sites and people.
    Assign {
        responders: Vec<Callee>,
        text: String,
    },
    /// How far the account, or the site that it answers for, is with it.
    Respond {
        state: ResponderState,
    },
    Control {
        text: String,
    },
    Close {
        text: String,
    },
    /// What is to be learnt from it.
    Review {
        findings: String,
    },
    /// Into the timeline.
    Note {
        text: String,
    },
    /// A file that the server has on its disk.
    Attach {
        file: FileRef,
        text: String,
    },
}

/// An order without its arguments, for the table of authority.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum IncidentOrderKind {
    Report,
    Verify,
    MarkDuplicate,
    MarkFalse,
    SetLevel,
    Escalate,
    Assign,
    Respond,
    Control,
    Close,
    Review,
    Note,
    Attach,
}

impl IncidentOrderKind {
    pub const ALL: [IncidentOrderKind; 13] = [
        IncidentOrderKind::Report,
        IncidentOrderKind::Verify,
        IncidentOrderKind::MarkDuplicate,
        IncidentOrderKind::MarkFalse,
        IncidentOrderKind::SetLevel,
        IncidentOrderKind::Escalate,
        IncidentOrderKind::Assign,
        IncidentOrderKind::Respond,
        IncidentOrderKind::Control,
        IncidentOrderKind::Close,
        IncidentOrderKind::Review,
        IncidentOrderKind::Note,
        IncidentOrderKind::Attach,
    ];
}

impl IncidentOrder {
    #[must_use]
    pub fn kind(&self) -> IncidentOrderKind {
        match self {
            IncidentOrder::Report { .. } => IncidentOrderKind::Report,
            IncidentOrder::Step { step, .. } => step.kind(),
        }
    }
}

impl Step {
    #[must_use]
    pub fn kind(&self) -> IncidentOrderKind {
        match self {
            Step::Verify { .. } => IncidentOrderKind::Verify,
            Step::MarkDuplicate { .. } => IncidentOrderKind::MarkDuplicate,
            Step::MarkFalse { .. } => IncidentOrderKind::MarkFalse,
            Step::SetLevel { .. } => IncidentOrderKind::SetLevel,
            Step::Escalate { .. } => IncidentOrderKind::Escalate,
            Step::Assign { .. } => IncidentOrderKind::Assign,
            Step::Respond { .. } => IncidentOrderKind::Respond,
            Step::Control { .. } => IncidentOrderKind::Control,
            Step::Close { .. } => IncidentOrderKind::Close,
            Step::Review { .. } => IncidentOrderKind::Review,
            Step::Note { .. } => IncidentOrderKind::Note,
            Step::Attach { .. } => IncidentOrderKind::Attach,
        }
    }
}
