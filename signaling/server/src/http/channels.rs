//! `/api/push/…`: a browser asks for messages; `/api/gateway/results`: a gateway
//! says what became of one.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::{BytesRejection, JsonRejection};
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use liandong_domain::Actor;
use liandong_protocol::{Refusal, RefusalCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::App;
use super::api::{OwnOrigin, malformed, no_store, session};
use super::refusal::{BodyRefusals, Refusals, Refused};
use crate::channels::gateway::{Later, Secret};
use crate::channels::subscriptions::{Offered, Subscriptions};
use crate::channels::web_push::Vapid;
use crate::clock;
use crate::views::wire::refuse;

/// What these handlers need; what is absent is not configured.
#[derive(Debug, Default)]
pub struct Doors {
    pub push: Option<PushDoor>,
    pub gateway: Option<Secret>,
}

#[derive(Debug)]
pub struct PushDoor {
    pub vapid: Arc<Vapid>,
    pub subscriptions: Arc<Subscriptions>,
    /// Origins of push services besides the usual ones.
    pub services: Vec<String>,
}

/// What `PushManager.subscribe` needs.
#[derive(Debug, Serialize, ToSchema)]
pub struct PushKey {
    /// P-256, uncompressed, in base64url.
    pub key: String,
}

#[derive(Debug, Deserialize, ToSchema)]
pub struct Endpoint {
    endpoint: String,
}

fn push(app: &App) -> Result<&PushDoor, Refused> {
    let closed = || Refused(refuse(RefusalCode::UnknownTarget, "no Web Push here"));
    app.doors.push.as_ref().ok_or_else(closed)
}

/// The server's key for Web Push.
#[utoipa::path(
    get,
    path = "/api/push/key",
    tag = "session",
    operation_id = "pushKey",
    responses(
        (status = 200, description = "For `PushManager.subscribe`", body = PushKey),
        (status = 401, description = "No session, or it is over", body = Refusal),
        (status = 404, description = "Web Push is not configured here", body = Refusal),
        Refusals,
    ),
    security(("session" = [])),
)]
pub async fn key(State(app): State<App>, headers: HeaderMap) -> Result<Response, Refused> {
    session(&app, &headers)?;
    let key = push(&app)?.vapid.public_key();
    Ok(no_store(PushKey { key }))
}

/// Takes messages for this browser from now on, when the account has to be reached.
#[utoipa::path(
    post,
    path = "/api/push/subscription",
    tag = "session",
    operation_id = "subscribe",
    request_body(content = Offered, description = "`PushSubscription.toJSON()`"),
    responses(
        (status = 204, description = "Kept; of one account the last eight browsers are"),
        (status = 401, description = "No session, or it is over", body = Refusal),
        (status = 404, description = "Web Push is not configured here", body = Refusal),
        BodyRefusals,
        Refusals,
    ),
    security(("session" = [])),
)]
pub async fn subscribe(
    State(app): State<App>,
    _: OwnOrigin,
    headers: HeaderMap,
    body: Result<Json<Offered>, JsonRejection>,
) -> Result<StatusCode, Refused> {
    let held = session(&app, &headers)?;
    let door = push(&app)?;
    let offered = body.map_err(|rejection| malformed(&rejection, "a PushSubscription"))?;
    let checked = offered.0.checked(&door.services);
    let none = || {
        refuse(
            RefusalCode::Malformed,
            "no subscription at a known push service",
        )
    };
    let one = checked.ok_or_else(none)?;
    let store = Arc::clone(&door.subscriptions);
    kept(move || store.keep(&held.account, &one, clock::now_ms())).await
}

/// Takes no more messages for this browser. Whoever knows the endpoint is the browser.
#[utoipa::path(
    delete,
    path = "/api/push/subscription",
    tag = "session",
    operation_id = "unsubscribe",
    request_body(content = Endpoint),
    responses(
        (status = 204, description = "Forgotten, if it was known"),
        (status = 401, description = "No session, or it is over", body = Refusal),
        (status = 404, description = "Web Push is not configured here", body = Refusal),
        BodyRefusals,
        Refusals,
    ),
    security(("session" = [])),
)]
pub async fn unsubscribe(
    State(app): State<App>,
    _: OwnOrigin,
    headers: HeaderMap,
    body: Result<Json<Endpoint>, JsonRejection>,
) -> Result<StatusCode, Refused> {
    session(&app, &headers)?;
    let store = Arc::clone(&push(&app)?.subscriptions);
    let body = body.map_err(|rejection| malformed(&rejection, r#"{"endpoint":…}"#))?;
    kept(move || store.forget(&body.0.endpoint)).await
}

async fn kept(
    work: impl FnOnce() -> rusqlite::Result<()> + Send + 'static,
) -> Result<StatusCode, Refused> {
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(())) => Ok(StatusCode::NO_CONTENT),
        Ok(Err(error)) => {
            tracing::error!(%error, "subscriptions cannot be written");
            let text = "the store cannot be written";
            Err(Refused(refuse(RefusalCode::JournalUnavailable, text)))
        }
        Err(_) => Err(Refused(refuse(RefusalCode::JournalUnavailable, "stopped"))),
    }
}

/// What became of a message to the gateway, told by the gateway.
///
/// Signed like our own requests to it, see docs/channels.md. Answered when it is journaled; told
/// twice, or too late, it changes nothing.
#[utoipa::path(
    post,
    path = "/api/gateway/results",
    tag = "platforms",
    operation_id = "gatewayResult",
    params(
        ("liandong-timestamp" = String, Header, description = "Unix time in seconds, within five minutes of ours"),
        ("liandong-signature" = String, Header, description = "HEX of HMAC-SHA256(secret, timestamp . body)"),
    ),
    request_body(content = Later),
    responses(
        (status = 204, description = "Heard"),
        (status = 401, description = "Not signed with the gateway's secret, or too long ago; or there is no gateway here", body = Refusal),
        BodyRefusals,
        Refusals,
    ),
)]
pub async fn result(
    State(app): State<App>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, Refused> {
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => refuse(RefusalCode::TooLarge, "longer than 16 KiB"),
        _ => refuse(RefusalCode::Malformed, "the body ended early"),
    })?;
    let text = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default()
    };
    let (timestamp, signature) = (text("liandong-timestamp"), text("liandong-signature"));
    // Where there is no gateway nobody can sign for it; a stranger learns no more than that.
    let gateway = app.doors.gateway.as_ref();
    let now_s = clock::now().0 / 1_000;
    if !gateway.is_some_and(|secret| secret.holds(timestamp, signature, &body, now_s)) {
        let text = "not signed with the gateway's secret, or too long ago";
        return Err(Refused(refuse(RefusalCode::NotSignedIn, text)));
    }
    let later: Result<Later, _> = serde_json::from_slice(&body);
    let told = later.ok().and_then(|later| later.told());
    let broken = || refuse(RefusalCode::Malformed, r#"expected {"id":…,"result":…}"#);
    let order = told.ok_or_else(broken)?.order();
    app.desk.order(Actor::System, None, order).await?;
    Ok(StatusCode::NO_CONTENT)
}
