//! `/api/login`, `/api/logout`, `/api/me`.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequestParts, State};
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, SET_COOKIE};
use http::request::Parts;
use http::{HeaderMap, StatusCode, Uri};
use liandong_protocol::http::{LinkLogin, Login, Me};
use liandong_protocol::{Refusal, RefusalCode};
use serde::Serialize;

use super::App;
use super::listener::Remote;
use super::refusal::{BodyRefusals, GuessRefusals, Refusals, Refused};
use crate::auth::origin;
use crate::auth::session::{Held, Token, no_cookie};
use crate::clock;
use crate::journal::record::Access;
use crate::views::wire::refuse;

/// From one of our own pages, or from no page at all.
#[derive(Debug)]
pub struct OwnOrigin;

impl<S: Sync> FromRequestParts<S> for OwnOrigin {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        if origin::is_own(&parts.headers, authority(&parts.uri)) {
            Ok(Self)
        } else {
            Err(Refused(refuse(
                RefusalCode::NotAllowed,
                "the request comes from another site's page",
            )))
        }
    }
}

fn authority(uri: &Uri) -> Option<&str> {
    uri.authority().map(http::uri::Authority::as_str)
}

/// The session of the request's cookie.
///
/// # Errors
/// There is none.
pub fn session(app: &App, headers: &HeaderMap) -> Result<Held, Refusal> {
    let held = any_session(app, headers)?;
    if app.second_factors.owes(&held.account) {
        return Err(refuse(
            RefusalCode::EnrolFirst,
            "the role must have a second factor: set it up first",
        ));
    }
    Ok(held)
}

/// The same, also of an account that still has to set up its second factor.
///
/// # Errors
/// There is none.
pub fn any_session(app: &App, headers: &HeaderMap) -> Result<Held, Refusal> {
    Token::of(headers)
        .and_then(|token| app.sessions.find(&token, clock::now_ms()))
        .ok_or_else(|| refuse(RefusalCode::NotSignedIn, "no session, or it is over"))
}

/// Signs in.
#[utoipa::path(
    post,
    path = "/api/login",
    tag = "session",
    operation_id = "login",
    request_body(content = Login, description = "At most 16 KiB"),
    responses(
        (status = 200, description = "Signed in: the cookie is the session", body = Me,
            headers(("Set-Cookie" = String, description = "`__Host-liandong`; twelve hours without use end it"))),
        (status = 401, description = "Wrong account or password; a code of the second factor is needed too (`codeNeeded`), or is wrong (`wrongCode`)", body = Refusal),
        BodyRefusals,
        GuessRefusals,
        Refusals,
    ),
)]
pub async fn login(
    State(app): State<App>,
    remote: Remote,
    _: OwnOrigin,
    body: Result<Json<Login>, JsonRejection>,
) -> Result<Response, Refused> {
    let expected = r#"{"account":…,"password":…}"#;
    let Json(login) = body.map_err(|rejection| malformed(&rejection, expected))?;
    let (token, me) = app.sign_in.sign_in(login, remote.0.ip()).await?;
    Ok(signed_in(&token, me))
}

/// Signs a field unit's phone in with a one-time link.
#[utoipa::path(
    post,
    path = "/api/login/link",
    tag = "session",
    operation_id = "loginByLink",
    request_body(content = LinkLogin),
    responses(
        (status = 200, description = "Signed in: the cookie is the session; the link is used up", body = Me,
            headers(("Set-Cookie" = String, description = "`__Host-liandong`; twelve hours without use end it"))),
        (status = 401, description = "No such link, or used, or too old", body = Refusal),
        (status = 429, description = "Too many tries from this address; wait as Retry-After says", body = Refusal),
        BodyRefusals,
        Refusals,
    ),
)]
pub async fn login_by_link(
    State(app): State<App>,
    remote: Remote,
    _: OwnOrigin,
    body: Result<Json<LinkLogin>, JsonRejection>,
) -> Result<Response, Refused> {
    let Json(link) = body.map_err(|rejection| malformed(&rejection, r#"{"token":…}"#))?;
    let (token, me) = app.sign_in.by_link(&link.token, remote.0.ip()).await?;
    Ok(signed_in(&token, me))
}

fn signed_in(token: &Token, me: Me) -> Response {
    ([(SET_COOKIE, token.cookie())], no_store(me)).into_response()
}

/// Signs out. Without a session nothing happens.
#[utoipa::path(
    post,
    path = "/api/logout",
    tag = "session",
    operation_id = "logout",
    responses((status = 204, description = "Signed out; the cookie is taken away"), Refusals),
    security((), ("session" = [])),
)]
pub async fn logout(
    State(app): State<App>,
    remote: Remote,
    _: OwnOrigin,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    if let Ok(held) = any_session(&app, &headers) {
        app.sessions.end(held.id).await.map_err(|error| {
            tracing::error!(%error, "session not ended on the disk");
            Refused(refuse(
                RefusalCode::JournalUnavailable,
                "signed out, but the store cannot be written",
            ))
        })?;
        app.desk
            .record(Access::SignedOut {
                account: held.account.0,
                address: remote.0.ip().to_canonical(),
            })
            .await?;
    }
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, no_cookie())]).into_response())
}

/// Who is signed in.
#[utoipa::path(
    get,
    path = "/api/me",
    tag = "session",
    operation_id = "me",
    responses(
        (status = 200, description = "The account of the session", body = Me),
        (status = 401, description = "No session, or it is over", body = Refusal),
        Refusals,
    ),
    security(("session" = [])),
)]
pub async fn me(State(app): State<App>, headers: HeaderMap) -> Result<Response, Refused> {
    let held = session(&app, &headers)?;
    let account = liandong_domain::AccountId(held.account.0);
    let me: Option<Me> = app.desk.me(account).await?;
    let me = me.ok_or_else(|| refuse(RefusalCode::NotSignedIn, "the account is not active"))?;
    Ok(no_store(me))
}

/// A body that cannot be read, and what was expected.
pub(super) fn malformed(rejection: &JsonRejection, expected: &str) -> Refused {
    let code = if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        RefusalCode::TooLarge
    } else {
        RefusalCode::Malformed
    };
    // The rejection's own text may quote the body, and so the password.
    Refused(refuse(code, format!("expected {expected} as JSON")))
}

/// An answer that nobody keeps.
pub(super) fn no_store<T: Serialize>(body: T) -> Response {
    ([(CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
