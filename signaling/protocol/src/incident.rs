//! Incidents as a client sees them.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::client::Target;
use crate::directory::{Place, Tier};
use crate::ids::{AccountId, ConferenceId, IncidentId, SiteCode};
use crate::plan::{PlanChoice, PlanRun};

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum IncidentKind {
    /// 突发性
    Sudden,
    /// 涉众性
    Mass,
    /// 应急性
    Contingency,
}

/// I (red) is the gravest.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema, TS)]
#[ts(export)]
pub enum IncidentLevel {
    I,
    II,
    III,
    IV,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum IncidentState {
    Reported,
    Verified,
    Dispatched,
    Controlled,
    Closed,
    Reviewed,
    Duplicate,
    False,
}

/// How far a responder is; only forwards.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum ResponderState {
    Assigned,
    Acknowledged,
    EnRoute,
    OnScene,
    Done,
}

/// What somebody reports.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(export)]
pub struct IncidentReport {
    pub kind: IncidentKind,
    /// As the reporter thinks.
    pub level: Option<IncidentLevel>,
    /// 1 to 80 characters.
    pub title: String,
    /// Up to 2,000 characters.
    pub text: String,
    /// WGS84.
    pub place: Option<Place>,
    /// In words; up to 200 characters.
    pub address: String,
    /// Whose it is; absent: the reporter's own site.
    pub site: Option<SiteCode>,
}

/// What is done with an incident. Texts have up to 2,000 characters, reasons 1 to 200.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
#[ts(export)]
pub enum IncidentStep {
    /// It is so, and this grave.
    Verify {
        kind: IncidentKind,
        level: IncidentLevel,
    },
    MarkDuplicate {
        of: IncidentId,
    },
    MarkFalse {
        reason: String,
    },
    SetLevel {
        level: IncidentLevel,
        reason: String,
    },
    /// A higher tier takes it over.
    Escalate {
        tier: Tier,
        reason: String,
    },
    /// Sends sites and people (targets of type `site` and `person` only).
    Assign {
        responders: Vec<Target>,
        text: String,
    },
    /// How far the client's account, or the site it answers for, is with it.
    Respond {
        state: ResponderState,
    },
    Control {
        text: String,
    },
    Close {
        text: String,
    },
    Review {
        findings: String,
    },
    /// Into the timeline.
    Note {
        text: String,
    },
}

/// One incident as it stands in a list.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Incident {
    pub id: IncidentId,
    pub state: IncidentState,
    pub kind: IncidentKind,
    /// Absent until somebody says how grave.
    pub level: Option<IncidentLevel>,
    pub title: String,
    /// Whose it is.
    pub site: SiteCode,
    pub site_name: String,
    /// The tier that handles it.
    pub tier: Tier,
    pub place: Option<Place>,
    pub address: String,
    /// Absent: another platform.
    pub reporter: Option<AccountId>,
    /// Who told of it: a person's, or another platform's name.
    pub reporter_name: String,
    pub reported_at_ms: f64,
    pub changed_at_ms: f64,
    pub commander_name: Option<String>,
    pub duplicate_of: Option<IncidentId>,
    pub conferences: Vec<ConferenceId>,
    pub sent: u32,
    pub on_scene: u32,
    /// This client may verify it, send somebody, close it.
    pub handles: bool,
    /// How far this client is with it, if it was sent.
    pub own_response: Option<ResponderState>,
}

/// All that is known of one incident.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Dossier {
    pub incident: Incident,
    pub text: String,
    pub responders: Vec<Responder>,
    /// In the order in which they came.
    pub files: Vec<IncidentFile>,
    /// Oldest first.
    pub timeline: Vec<TimelineEntry>,
    /// That it may be a duplicate of, likeliest first.
    pub alike: Vec<IncidentId>,
    /// Plans in force that this client may run on it, the best fit first; none
    /// while it may not, or not any more.
    pub plans: Vec<PlanChoice>,
    /// Plans at work on it and those that are done, in order.
    pub runs: Vec<PlanRun>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Responder {
    pub who: Target,
    pub name: String,
    pub state: ResponderState,
    pub assigned_at_ms: f64,
    pub state_at_ms: f64,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct TimelineEntry {
    pub at_ms: f64,
    /// Absent: another platform, or the server.
    pub by: Option<AccountId>,
    pub by_name: String,
    pub what: TimelineWhat,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
#[ts(export)]
pub enum TimelineWhat {
    Reported,
    Verified {
        kind: IncidentKind,
        level: IncidentLevel,
    },
    MarkedDuplicate {
        of: IncidentId,
    },
    MarkedFalse {
        reason: String,
    },
    Levelled {
        level: IncidentLevel,
        reason: String,
    },
    Escalated {
        tier: Tier,
        reason: String,
    },
    Assigned {
        name: String,
        text: String,
    },
    Responded {
        name: String,
        state: ResponderState,
    },
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
        file: IncidentFile,
        text: String,
    },
    PlanStarted {
        name: String,
        version: u32,
    },
    PlanStopped {
        name: String,
    },
    /// So many are called.
    PlanStep {
        /// From 1.
        step: u32,
        text: String,
        called: u32,
    },
    PlanStepSettled {
        /// From 1.
        step: u32,
        reached: u32,
        missed: Vec<String>,
    },
    /// Nobody could be reached there by any way.
    Unreached {
        name: String,
        /// Name of the site above that was told.
        told: Option<String>,
    },
    Reached {
        name: String,
        by: String,
    },
}

/// A photo, voice note or document: `GET /api/incidents/ID/files/FILE`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct IncidentFile {
    /// SHA-256 of what it holds.
    #[schema(
        pattern = "^[0-9a-f]{64}$",
        example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    )]
    pub id: String,
    /// By what it holds.
    #[schema(example = "image/jpeg")]
    pub media_type: String,
    /// As its sender calls it; may be empty.
    #[schema(example = "现场照片.jpg")]
    pub name: String,
    #[schema(example = 2_381_004)]
    pub bytes: u32,
}
