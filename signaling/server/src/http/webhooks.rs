//! `/api/webhooks`: how outgoing messages stand, for administrators.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header::CACHE_CONTROL;
use http::{HeaderMap, StatusCode};
use liandong_domain::AccountId;
use liandong_protocol::webhook::Webhooks;
use liandong_protocol::{Refusal, RefusalCode, Role};

use super::App;
use super::api::{OwnOrigin, session};
use super::refusal::{Refusals, Refused};
use crate::views::wire::refuse;
use crate::webhooks::store::StoreError;

/// How outgoing messages stand.
#[utoipa::path(
    get,
    path = "/api/webhooks",
    tag = "operation",
    operation_id = "listWebhooks",
    responses(
        (status = 200, description = "Receivers in the order of the configuration, with what was given up", body = Webhooks),
        (status = 401, description = "No session, or it is over", body = Refusal),
        Refusals,
    ),
    security(("session" = [])),
)]
pub async fn list(State(app): State<App>, headers: HeaderMap) -> Result<Response, Refused> {
    administrator(&app, &headers).await?;
    let all: Webhooks = app.webhooks.show().await.map_err(unavailable)?;
    Ok(([(CACHE_CONTROL, "no-store")], Json(all)).into_response())
}

/// Tries a message that was given up once more, with all the time that a new one has.
#[utoipa::path(
    post,
    path = "/api/webhooks/{id}/dead/{entry}",
    tag = "operation",
    operation_id = "deliverAgain",
    params(
        ("id" = String, Path, description = "The receiver's", pattern = "^[a-z0-9-]{1,32}$", example = "oa"),
        ("entry" = u32, Path, description = "The message's number", example = 4711, format = Int64, maximum = 4294967295.0),
    ),
    responses(
        (status = 204, description = "It is tried now"),
        (status = 400, description = "The number is none", body = Refusal),
        (status = 401, description = "No session, or it is over", body = Refusal),
        (status = 404, description = "No such receiver, or no such message that was given up", body = Refusal),
        Refusals,
    ),
    security(("session" = [])),
)]
pub async fn again(
    State(app): State<App>,
    _: OwnOrigin,
    path: Result<Path<(String, u32)>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    administrator(&app, &headers).await?;
    let Path((id, entry)) =
        path.map_err(|_| refuse(RefusalCode::Malformed, "not of the form: the number"))?;
    let found = app.webhooks.again(&id, Some(entry.into())).await;
    answer(found.map_err(unavailable)?)
}

/// Tries all messages that were given up once more.
#[utoipa::path(
    post,
    path = "/api/webhooks/{id}/dead",
    tag = "operation",
    operation_id = "deliverAllAgain",
    params(("id" = String, Path, description = "The receiver's", pattern = "^[a-z0-9-]{1,32}$", example = "oa")),
    responses(
        (status = 204, description = "They are tried now"),
        (status = 401, description = "No session, or it is over", body = Refusal),
        (status = 404, description = "No such receiver, or it has no message that was given up", body = Refusal),
        Refusals,
    ),
    security(("session" = [])),
)]
pub async fn all_again(
    State(app): State<App>,
    _: OwnOrigin,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    administrator(&app, &headers).await?;
    let found = app.webhooks.again(&id, None).await;
    answer(found.map_err(unavailable)?)
}

fn answer(found: bool) -> Result<Response, Refused> {
    if found {
        Ok(StatusCode::NO_CONTENT.into_response())
    } else {
        Err(Refused(refuse(
            RefusalCode::UnknownTarget,
            "no such receiver, or no such message that was given up",
        )))
    }
}

async fn administrator(app: &App, headers: &HeaderMap) -> Result<(), Refusal> {
    let held = session(app, headers)?;
    let me = app.desk.me(AccountId(held.account.0)).await?;
    match me.map(|me| me.role) {
        Some(Role::Administrator) => Ok(()),
        Some(_) => Err(refuse(RefusalCode::NotAllowed, "for administrators")),
        None => Err(refuse(
            RefusalCode::NotSignedIn,
            "the account is not active",
        )),
    }
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn unavailable(error: StoreError) -> Refused {
    tracing::error!(%error, "webhooks not shown");
    Refused(refuse(
        RefusalCode::JournalUnavailable,
        "the store cannot be used",
    ))
}
