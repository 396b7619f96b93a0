//! What other platforms (12345, grid platform, camera analytics, opinion monitoring) send and are
//! told: `/api/v1`. The OpenAPI document at `/api/openapi.json` is made from these types.
//!
//! Every error body is a [`Problem`] (RFC 9457).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::directory::{Place, Tier};
use crate::ids::{IncidentId, SiteCode};
use crate::incident::{IncidentKind, IncidentLevel, IncidentState};

/// Something that happened, as another platform tells it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlatformReport {
    /// The platform's own number of the report. Sent again, it stays one incident.
    #[schema(
        min_length = 1,
        max_length = 64,
        pattern = r"^[A-Za-z0-9._:/#-]+$",
        example = "RX-2026-112400317"
    )]
    pub reference: String,
    pub kind: IncidentKind,
    /// As the platform thinks; verifying it decides.
    #[serde(default)]
    pub level: Option<IncidentLevel>,
    /// One line, not blank.
    #[schema(
        min_length = 1,
        max_length = 80,
        pattern = r"^[^\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]*[!-~\u4e00-\u9fff][^\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]*$",
        example = "河水漫堤，需转移群众"
    )]
    pub title: String,
    /// Lines are divided by `\n`.
    #[serde(default)]
    #[schema(
        max_length = 2000,
        pattern = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]*$",
        example = "来电人称三组河堤漫水，约二十户需要转移。"
    )]
    pub text: String,
    #[serde(default)]
    pub place: Option<Place>,
    /// The place in words.
    #[serde(default)]
    #[schema(
        max_length = 200,
        pattern = r"^[^\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]*$",
        example = "沙河社区三组河堤"
    )]
    pub address: String,
    /// Whose it is: a code of `/api/v1/sites`. Absent: the site that the platform is configured
    /// for, usually the county.
    #[serde(default)]
    pub site: Option<SiteCode>,
}

/// How an incident that the platform has reported stands.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlatformIncident {
    pub id: IncidentId,
    /// The platform's own number.
    #[schema(example = "RX-2026-112400317")]
    pub reference: String,
    pub state: IncidentState,
    pub kind: IncidentKind,
    /// Null until somebody says how grave.
    pub level: Option<IncidentLevel>,
    #[schema(example = "河水漫堤，需转移群众")]
    pub title: String,
    pub site: SiteCode,
    #[schema(example = "沙河社区")]
    pub site_name: String,
    /// The tier that handles it.
    pub tier: Tier,
    pub place: Option<Place>,
    pub address: String,
    /// RFC 3339, UTC.
    #[schema(format = DateTime, example = "2026-11-24T03:05:00.000Z")]
    pub reported_at: String,
    /// When anything last happened to it; RFC 3339, UTC.
    #[schema(format = DateTime, example = "2026-11-24T03:09:41.250Z")]
    pub changed_at: String,
    /// The incident that it is a duplicate of.
    pub duplicate_of: Option<IncidentId>,
    /// Sites and people that were sent.
    #[schema(example = 3)]
    pub sent: u32,
    /// Those of them that are there.
    #[schema(example = 1)]
    pub on_scene: u32,
    /// What to tell the citizen: the closing text, or why it was found false. Null until then.
    #[schema(example = "水位回落，无人员伤亡")]
    pub result: Option<String>,
}

/// One page of incidents, in the order of their numbers.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlatformIncidents {
    pub incidents: Vec<PlatformIncident>,
    /// Give it as `after` to get the next page; null on the last one.
    pub next_after: Option<IncidentId>,
}

/// A site that the platform may report to.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlatformSite {
    pub code: SiteCode,
    #[schema(example = "沙河镇")]
    pub name: String,
    pub tier: Tier,
    pub parent: Option<SiteCode>,
    pub place: Place,
}

/// All sites that the platform may report to, parents first.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlatformSites {
    pub sites: Vec<PlatformSite>,
}

/// What went wrong, for a program.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum ProblemCode {
    /// Not JSON, or a header or parameter out of its form.
    Malformed,
    /// No credentials, or wrong ones.
    NotAuthenticated,
    /// The platform has no right to this.
    NotAllowed,
    /// There is no such thing, or it is not the platform's.
    NotFound,
    MethodNotAllowed,
    /// The answer took too long.
    Timeout,
    /// The body is longer than the limit.
    TooLarge,
    /// The body is of another type than expected.
    UnsupportedType,
    /// JSON, but a field is missing, unknown or out of its range.
    Invalid,
    /// The `Idempotency-Key` was used with another body.
    KeyReused,
    /// The incident's state does not allow it.
    NotNow,
    /// Too many requests; wait as `Retry-After` says.
    TooMany,
    /// More than there is room for at present; wait as `Retry-After` says.
    Full,
    /// Nothing can be written at present; wait as `Retry-After` says.
    Unavailable,
}

/// Problem details (RFC 9457), of type `application/problem+json`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// A name of the sort of problem; nothing is found there.
    #[schema(example = "urn:liandong:problem:invalid")]
    pub r#type: String,
    /// The same for people, in English.
    #[schema(example = "A field is missing, unknown or out of its range")]
    pub title: String,
    /// That of the response.
    #[schema(minimum = 400, maximum = 599, example = 422)]
    pub status: u16,
    pub code: ProblemCode,
    /// What went wrong this time, in English.
    #[schema(example = "missing field `kind` at line 1 column 30")]
    pub detail: String,
}
