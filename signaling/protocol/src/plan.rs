//! Plans (预案) and their runs as a client sees them.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::client::Target;
use crate::directory::{Role, Tier};
use crate::ids::{AccountId, ConferenceId, IncidentId, PlanId, RunId, SiteCode};
use crate::incident::{IncidentKind, IncidentLevel};

/// Of one version.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum PlanState {
    Draft,
    /// In force; at most one version of a plan.
    Approved,
    Retired,
}

/// What stands in one version.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(export)]
pub struct PlanContent {
    /// 1 to 80 characters.
    pub name: String,
    pub trigger: PlanTrigger,
    /// 1 to 20; the first at once.
    pub steps: Vec<PlanStep>,
    /// The conference is to be recorded.
    pub record: bool,
}

/// For which incidents it is meant; what is absent fits everything.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(export)]
pub struct PlanTrigger {
    pub kind: Option<IncidentKind>,
    /// This grave or graver.
    pub level: Option<IncidentLevel>,
    /// At this site or below it.
    pub area: Option<SiteCode>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(export)]
pub struct PlanStep {
    /// From the start of the plan; up to a day.
    pub after_s: u32,
    /// Who is rung and sent; up to 64 entries.
    pub whom: Vec<PlanWhom>,
    /// Who stands first on the wall; up to 64 entries.
    pub show: Vec<PlanWhom>,
    /// Up to 2,000 characters.
    pub text: String,
    /// By when each must have joined or acknowledged; 1 second to a day.
    pub ack_within_s: u32,
    pub on_miss: PlanOnMiss,
}

/// Named, or found from the incident when the plan runs.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
#[ts(export)]
pub enum PlanWhom {
    Site {
        code: SiteCode,
    },
    Person {
        account: AccountId,
    },
    /// Every site of the tier.
    Tier {
        tier: Tier,
    },
    /// The site and all below it.
    Subtree {
        root: SiteCode,
    },
    /// Every account of the role at the incident's site or below it, in person.
    Role {
        role: Role,
    },
    /// Whoever is on duty there; absent: at the incident's site.
    DutySeat {
        site: Option<SiteCode>,
    },
    IncidentSite,
    IncidentSubtree,
    /// The sites above the incident's.
    IncidentSuperiors,
}

/// What follows when somebody is not reached, in this order.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(export)]
pub struct PlanOnMiss {
    /// How often the site's own devices are rung again first; up to 3.
    pub repeat: u32,
    /// The person on duty, the contacts, the deputy; then every other channel.
    pub contacts: bool,
    pub above: bool,
}

/// What is ordered about plans.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
#[ts(export)]
pub enum PlanOrder {
    /// A new plan (absent), or the draft of a known one. Reply: `PlanSaved`.
    Save {
        plan: Option<PlanId>,
        content: PlanContent,
    },
    /// By somebody else than its author. Reply: `Done`.
    Approve {
        plan: PlanId,
        version: u32,
        /// `savedAtMs` of the text that was read; refused if it was written anew since.
        saved_at_ms: f64,
    },
    /// Out of force, or a draft thrown away. Reply: `Done`.
    Retire { plan: PlanId, version: u32 },
    /// Runs the version in force on a verified incident. Reply: `Called`.
    Start { plan: PlanId, incident: IncidentId },
    /// Its later steps are not done. Reply: `Done`.
    Stop { run: RunId },
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Plan {
    pub id: PlanId,
    pub owner: SiteCode,
    pub owner_name: String,
    /// This client may write and retire it.
    pub keeps: bool,
    /// Newest first.
    pub versions: Vec<PlanVersion>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct PlanVersion {
    pub number: u32,
    pub state: PlanState,
    pub content: PlanContent,
    /// Absent: the configuration brought it.
    pub author_name: Option<String>,
    pub saved_at_ms: f64,
    /// Absent also where the configuration brought it.
    pub approved_by_name: Option<String>,
    pub approved_at_ms: Option<f64>,
    pub retired_at_ms: Option<f64>,
    /// This client may approve it.
    pub approvable: bool,
}

/// A plan that can be run on the incident whose dossier it stands in.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct PlanChoice {
    pub plan: PlanId,
    pub version: u32,
    pub name: String,
    /// It is meant for such an incident.
    pub fits: bool,
    /// Whom its first step rings.
    pub rings: u32,
    pub steps: u32,
    pub content: PlanContent,
}

/// A plan at work.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct PlanRun {
    pub id: RunId,
    pub name: String,
    pub version: u32,
    pub conference: ConferenceId,
    pub record: bool,
    pub by_name: String,
    pub started_at_ms: f64,
    pub ended_at_ms: Option<f64>,
    pub stopped_by_name: Option<String>,
    pub steps: Vec<PlanRunStep>,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum PlanRunStepState {
    Waiting,
    Begun,
    Settled,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct PlanRunStep {
    pub state: PlanRunStepState,
    pub text: String,
    /// When it begins, or has begun.
    pub at_ms: f64,
    /// Of a step that has begun.
    pub deadline_ms: f64,
    pub called: u32,
    pub reached: u32,
    /// Names of those who are not reached (yet).
    pub missing: Vec<String>,
}

/// How somebody would be reached now.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum PlanVia {
    Devices,
    /// Rings, and leaves another call by answering.
    TakenOut,
    /// In another call, and may only be asked.
    Busy,
    /// No device is there; contacts can be tried.
    Contacts,
    Nobody,
}

/// What a plan would do now (演练).
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct PlanRehearsal {
    pub steps: Vec<PlanRehearsedStep>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct PlanRehearsedStep {
    pub rings: Vec<PlanRehearsedRing>,
    /// Names of those on the wall.
    pub show: Vec<String>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct PlanRehearsedRing {
    pub who: Target,
    pub name: String,
    pub ordered: bool,
    pub via: PlanVia,
    /// Names of those who are tried next.
    pub contacts: Vec<String>,
}
