//! `/api/v1/incidents`

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, LOCATION};
use liandong_domain::{self as domain, Actor, IncidentOrder, Order, Outcome, SiteCode};
use liandong_protocol::platform::{
    PlatformIncident, PlatformIncidents, PlatformReport, Problem, ProblemCode,
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::caller::{Reader, Reporter};
use crate::config::Platform;
use crate::http::App;
use crate::http::problem::{Problems, Trouble};
use crate::views::platforms;

const DEFAULT_PAGE: u32 = 50;
const MAX_PAGE: u32 = 100;

/// Report an incident.
///
/// The answer comes when the report is on the disk and the dispatchers are told. The same
/// `reference` again, with or without a key, gives the incident of the first time.
#[utoipa::path(
    post,
    path = "/api/v1/incidents",
    tag = "platforms",
    operation_id = "reportIncident",
    params(("Idempotency-Key" = Option<String>, Header,
        description = "Any text of the platform's own (draft-ietf-httpapi-idempotency-key-header), with or without double quotes. Sent twice within an hour, the request acts once and gets the same answer; with another body it is refused. The last 128 keys are kept.",
        min_length = 1, max_length = 66,
        pattern = r#"^(?:"[A-Za-z0-9._:~-]{1,64}"|[A-Za-z0-9._:~-]{1,64})$"#)),
    request_body(content = PlatformReport, description = "At most 64 KiB"),
    responses(
        (status = 201, description = "Reported", body = PlatformIncident,
            headers(("Location" = String, description = "Address of the incident")),
            links(("show" = (operation_id = "showIncident", parameters(("id" = "$response.body#/id")))))),
        (status = 200, description = "The platform has reported this number before; nothing was changed", body = PlatformIncident),
        (status = 415, description = "The body is not of the type application/json", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field is missing, unknown or out of its range; or the Idempotency-Key was used with another body", body = Problem, content_type = "application/problem+json"),
        Problems,
    ),
    security(("token" = []), ("signature" = [])),
)]
pub async fn report(State(app): State<App>, caller: Reporter) -> Result<Response, Trouble> {
    let report = platforms::report(caller.platform(), caller.json::<PlatformReport>()?)?;
    let key = caller.key()?;
    if let Some(site) = &report.site
        && !caller.platform().sites.iter().any(|one| one.0 == site.0)
    {
        return Err(elsewhere(site));
    }
    let source = report.source.clone();
    let by = Actor::Platform(caller.platform().name.clone());
    let order = Order::Incident {
        order: IncidentOrder::Report { report },
    };
    let outcome = app.desk.order(by, key, order).await?;
    let view = app
        .desk
        .look(move |county| {
            let one = county.incident_of(&source)?;
            platforms::incident(county, one)
        })
        .await?;
    let incident = view.ok_or_else(gone)?;
    let status = match outcome {
        Outcome::Reported { .. } => StatusCode::CREATED,
        Outcome::Done
        | Outcome::GroupCreated { .. }
        | Outcome::PlanSaved { .. }
        | Outcome::Called { .. }
        | Outcome::Accepted { .. } => StatusCode::OK,
    };
    let location = format!("/api/v1/incidents/{}", incident.id);
    Ok((status, [(LOCATION, location)], Json(incident)).into_response())
}

/// How one of the platform's own incidents stands.
#[utoipa::path(
    get,
    path = "/api/v1/incidents/{id}",
    tag = "platforms",
    operation_id = "showIncident",
    params(("id" = u32, Path, description = "Its number, as the report's answer gave it", example = 17, format = Int64, maximum = 4294967295.0)),
    responses(
        (status = 200, description = "As it stands", body = PlatformIncident),
        (status = 404, description = "No incident of that number by this platform; also when it was settled long ago", body = Problem, content_type = "application/problem+json"),
        Problems,
    ),
    security(("token" = []), ("signature" = [])),
)]
pub async fn show(
    State(app): State<App>,
    id: Result<Path<u32>, PathRejection>,
    caller: Reader,
) -> Result<Response, Trouble> {
    let Path(id) = id.map_err(|_| Trouble::new(ProblemCode::Malformed, "the id is no number"))?;
    let name = caller.platform().name.clone();
    let view = app
        .desk
        .look(move |county| {
            let one = county.incident(domain::IncidentId(id))?;
            platforms::is_of(one, &name).then_some(())?;
            platforms::incident(county, one)
        })
        .await?;
    let incident = view.ok_or_else(gone)?;
    Ok(([(CACHE_CONTROL, "no-store")], Json(incident)).into_response())
}

/// Which of them, and how many.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Only the one that the platform has reported under this number.
    #[param(min_length = 1, max_length = 64, pattern = r"^[A-Za-z0-9._:/#-]+$")]
    reference: Option<String>,
    /// Only those with a higher number: `nextAfter` of the page before.
    #[param(format = Int64, maximum = 4294967295.0)]
    after: Option<u32>,
    /// At most so many.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u32>,
}

/// The platform's own incidents: those that are open, and the last that are settled.
#[utoipa::path(
    get,
    path = "/api/v1/incidents",
    tag = "platforms",
    operation_id = "listIncidents",
    params(Wanted),
    responses(
        (status = 200, description = "In the order of their numbers", body = PlatformIncidents),
        Problems,
    ),
    security(("token" = []), ("signature" = [])),
)]
pub async fn list(
    State(app): State<App>,
    wanted: Result<Query<Wanted>, QueryRejection>,
    caller: Reader,
) -> Result<Response, Trouble> {
    let malformed = |detail: &str| Trouble::new(ProblemCode::Malformed, detail);
    let Query(wanted) =
        wanted.map_err(|_| malformed("the query has reference, after and limit only"))?;
    let limit = wanted.limit.unwrap_or(DEFAULT_PAGE);
    if !(1..=MAX_PAGE).contains(&limit) {
        return Err(malformed("limit: 1 to 100"));
    }
    if let Some(reference) = &wanted.reference {
        platforms::check_reference(reference).map_err(malformed)?;
    }
    let Platform { name, .. } = caller.platform().clone();
    let page = app
        .desk
        .look(move |county| platforms::page(county, &name, wanted.reference, wanted.after, limit))
        .await?;
    Ok(([(CACHE_CONTROL, "no-store")], Json(page)).into_response())
}

fn elsewhere(site: &SiteCode) -> Trouble {
    Trouble::new(
        ProblemCode::NotAllowed,
        format!("the platform may not report to {}", site.0),
    )
}

fn gone() -> Trouble {
    Trouble::new(ProblemCode::NotFound, "no such incident of this platform")
}
