//! `GET /api/v1/sites`

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CACHE_CONTROL;
use liandong_protocol::platform::PlatformSites;

use super::caller::Reader;
use crate::http::App;
use crate::http::problem::{Problems, Trouble};
use crate::views::platforms;

/// The sites that the platform may report to.
#[utoipa::path(
    get,
    path = "/api/v1/sites",
    tag = "platforms",
    operation_id = "listSites",
    responses(
        (status = 200, description = "Parents before children, by code", body = PlatformSites),
        Problems,
    ),
    security(("token" = []), ("signature" = [])),
)]
pub async fn list(State(app): State<App>, caller: Reader) -> Result<Response, Trouble> {
    let within = caller.platform().sites.clone();
    let sites = app
        .desk
        .look(move |county| platforms::sites(county, &within))
        .await?;
    let answer = Json(PlatformSites { sites });
    Ok(([(CACHE_CONTROL, "no-store")], answer).into_response())
}
