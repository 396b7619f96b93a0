//! `POST /api/v1/incidents/{incident}/files`

use std::time::Instant;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use liandong_domain::{Actor, IncidentId};
use liandong_protocol::incident::IncidentFile;
use liandong_protocol::platform::{Problem, ProblemCode};

use super::caller::{authenticate, claimed_hash, key_of};
use crate::auth::platforms::Denied;
use crate::auth::signature::body_hash;
use crate::config::Right;
use crate::http::App;
use crate::http::files::{About, Binary, attach, receive};
use crate::http::problem::{Problems, Trouble};
use crate::views::platforms;

/// Add a file to one of the platform's own incidents.
///
/// What it is, is found by what it holds: see `addFile`. The same file again changes nothing. A
/// signature is over the file's SHA-256 as over every body, and names it as `body=`.
#[utoipa::path(
    post,
    path = "/api/v1/incidents/{incident}/files",
    tag = "platforms",
    operation_id = "addPlatformFile",
    params(
        ("incident" = u32, Path, description = "Its number, as the report's answer gave it", example = 17, format = Int64, maximum = 4294967295.0),
        About,
    ),
    request_body(content = Binary, content_type = "application/octet-stream", description = "At most 32 MiB"),
    responses(
        (status = 201, description = "It is on the disk and in the timeline", body = IncidentFile),
        (status = 404, description = "No incident of that number by this platform", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "A file of a type that is not taken", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "An empty file, or a name or text out of its range", body = Problem, content_type = "application/problem+json"),
        Problems,
    ),
    security(("token" = []), ("signature" = [])),
)]
pub async fn add(
    State(app): State<App>,
    id: Result<Path<u32>, PathRejection>,
    about: Result<Query<About>, QueryRejection>,
    request: Request,
) -> Result<Response, Trouble> {
    let (parts, body): (_, Body) = request.into_parts();
    // Nobody unknown gets megabytes written down: the signature names the file's hash.
    let claimed = claimed_hash(&parts).inspect_err(|denied| app.metrics.doors.denied(denied))?;
    let hash = claimed.unwrap_or_else(|| body_hash(b""));
    let known = authenticate(&app.platforms, &parts, &hash)
        .and_then(|known| known.admit(Right::Report, Instant::now()).map(|()| known))
        .inspect_err(|denied| app.metrics.doors.denied(denied))?;
    let malformed = |detail: &str| Trouble::new(ProblemCode::Malformed, detail);
    let Path(id) = id.map_err(|_| malformed("the id is no number"))?;
    let Query(about) = about.map_err(|_| malformed("the query has name and text only"))?;
    let key = key_of(&parts.headers)?;
    let (name, incident) = (known.platform.name.clone(), IncidentId(id));
    let own = app
        .desk
        .look({
            let name = name.clone();
            move |county| {
                county
                    .incident(incident)
                    .is_some_and(|one| platforms::is_of(one, &name))
            }
        })
        .await?;
    if !own {
        return Err(Trouble::new(
            ProblemCode::NotFound,
            "no such incident of this platform",
        ));
    }
    let sender = format!("platform:{}", known.platform.id);
    let incoming = receive(&app, &sender, &parts.headers, body).await?;
    if claimed.is_some_and(|claimed| claimed != incoming.hash) {
        app.metrics.doors.denied(&Denied::Wrong);
        return Err(Denied::Wrong.into());
    }
    let file: IncidentFile =
        attach(&app, Actor::Platform(name), key, incident, &about, incoming).await?;
    Ok((StatusCode::CREATED, Json(file)).into_response())
}
