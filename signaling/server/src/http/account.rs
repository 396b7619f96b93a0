//! The own account's second factor, and one-time links for phones.
//!
//! * [`state`], [`begin`], [`confirm`], [`remove`]: one's own
//! * [`reset`]: of somebody who lost his phone and codes, by administrators
//! * [`link`]: a link for a field account, by administrators and dispatchers

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::response::{IntoResponse, Response};
use http::header::{HOST, ORIGIN};
use http::{HeaderMap, StatusCode};
use liandong_protocol::http::{
    Code, Enrolment, LoginLink, OfAccount, RecoveryCodes, SecondFactorState,
};
use liandong_protocol::{AccountId, Refusal, RefusalCode, Role};

use super::App;
use super::api::{OwnOrigin, any_session, malformed, no_store, session};
use super::listener::Remote;
use super::refusal::{BodyRefusals, GuessRefusals, Refusals, Refused};
use crate::auth::session::{Held, SessionId};
use crate::auth::sign_in::on_disk;
use crate::clock;
use crate::journal::record::Access;
use crate::views::wire::refuse;

type Body<T> = Result<Json<T>, JsonRejection>;

/// How it is with one's own second factor.
#[utoipa::path(
    get,
    path = "/api/second-factor",
    tag = "session",
    operation_id = "secondFactor",
    responses(
        (status = 200, description = "As it stands", body = SecondFactorState),
        (status = 401, description = "No session, or it is over", body = Refusal),
        Refusals,
    ),
    security(("session" = [])),
)]
pub async fn state(State(app): State<App>, headers: HeaderMap) -> Result<Response, Refused> {
    let account = any_session(&app, &headers)?.account;
    let factors = app.second_factors.clone();
    let left = {
        let account = account.clone();
        on_disk(move || Ok(factors.recovery_codes_left(&account)?)).await?
    };
    let state = SecondFactorState {
        enrolled: app.second_factors.has(&account),
        required: app.second_factors.is_required(&account),
        recovery_codes_left: left,
    };
    Ok(no_store(state))
}

/// Begins to set up a second factor; with a code of the present one, if there is one.
#[utoipa::path(
    post,
    path = "/api/second-factor/begin",
    tag = "session",
    operation_id = "beginSecondFactor",
    request_body(content = Code, description = "Of the present second factor; not looked at where there is none"),
    responses(
        (status = 200, description = "To be scanned by an authenticator app, and confirmed within ten minutes", body = Enrolment),
        (status = 401, description = "No session, or it is over; or the code is wrong, used or too old (`wrongCode`)", body = Refusal),
        (status = 409, description = "It cannot be set up", body = Refusal),
        BodyRefusals,
        GuessRefusals,
        Refusals,
    ),
    security(("session" = [])),
)]
pub async fn begin(
    State(app): State<App>,
    remote: Remote,
    _: OwnOrigin,
    headers: HeaderMap,
    body: Body<Code>,
) -> Result<Response, Refused> {
    let account = any_session(&app, &headers)?.account;
    let code = code_of(body)?;
    if app.second_factors.has(&account) {
        app.sign_in
            .check_code(&account, &code, remote.0.ip())
            .await?;
    }
    let factors = app.second_factors.clone();
    let enrolment: Enrolment = on_disk(move || factors.begin(&account, clock::now_ms())).await?;
    Ok(no_store(enrolment))
}

/// Shows with its first code that the app has the secret.
#[utoipa::path(
    post,
    path = "/api/second-factor/confirm",
    tag = "session",
    operation_id = "confirmSecondFactor",
    request_body(content = Code),
    responses(
        (status = 200, description = "It is needed from now on; the account's other sessions are over. Shown once", body = RecoveryCodes),
        (status = 401, description = "No session, or it is over; or the code is wrong, used or too old (`wrongCode`)", body = Refusal),
        (status = 409, description = "Nothing was begun, or too long ago (`notBegun`)", body = Refusal),
        BodyRefusals,
        Refusals,
    ),
    security(("session" = [])),
)]
pub async fn confirm(
    State(app): State<App>,
    remote: Remote,
    _: OwnOrigin,
    headers: HeaderMap,
    body: Body<Code>,
) -> Result<Response, Refused> {
    let Held { id, account, .. } = any_session(&app, &headers)?;
    let code = code_of(body)?;
    let (factors, of) = (app.second_factors.clone(), account.clone());
    let codes = on_disk(move || factors.confirm(&of, &code, clock::now_ms())).await?;
    // The lock is on: the answer must have the recovery codes, whatever fails from here.
    // The others were opened by the password alone, which is not enough any more.
    drop(end_others(&app, &account, Some(id)).await);
    let set = Access::SecondFactorSet {
        account: account.0,
        address: remote.0.ip().to_canonical(),
    };
    tracing::info!(access = ?set, "second factor set");
    if let Err(refusal) = app.desk.record(set).await {
        tracing::error!(why = refusal.message, "second factor set, not written down");
    }
    Ok(no_store(RecoveryCodes { codes }))
}

/// Removes one's own second factor; with a code, so that a page left open is not enough.
#[utoipa::path(
    post,
    path = "/api/second-factor/remove",
    tag = "session",
    operation_id = "removeSecondFactor",
    request_body(content = Code),
    responses(
        (status = 204, description = "Removed; the account's other sessions are over"),
        (status = 401, description = "No session, or it is over; or the code is wrong, used or too old (`wrongCode`)", body = Refusal),
        BodyRefusals,
        GuessRefusals,
        Refusals,
    ),
    security(("session" = [])),
)]
pub async fn remove(
    State(app): State<App>,
    remote: Remote,
    _: OwnOrigin,
    headers: HeaderMap,
    body: Body<Code>,
) -> Result<Response, Refused> {
    let Held { id, account, .. } = session(&app, &headers)?;
    let code = code_of(body)?;
    app.sign_in
        .check_code(&account, &code, remote.0.ip())
        .await?;
    forget(&app, remote, account.clone(), account.clone()).await?;
    end_others(&app, &account, Some(id)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Removes somebody's second factor, by administrators.
///
/// Not one's own: an administrator's page left open would be enough.
#[utoipa::path(
    post,
    path = "/api/second-factor/reset",
    tag = "session",
    operation_id = "resetSecondFactor",
    request_body(content = OfAccount),
    responses(
        (status = 204, description = "Removed; the account's sessions are over"),
        (status = 401, description = "No session, or it is over", body = Refusal),
        (status = 404, description = "No such account", body = Refusal),
        BodyRefusals,
        Refusals,
    ),
    security(("session" = [])),
)]
pub async fn reset(
    State(app): State<App>,
    remote: Remote,
    _: OwnOrigin,
    headers: HeaderMap,
    body: Body<OfAccount>,
) -> Result<Response, Refused> {
    let by = session(&app, &headers)?.account;
    let account = account_of(body)?;
    let me = app
        .desk
        .me(liandong_domain::AccountId(by.0.clone()))
        .await?;
    if me.is_none_or(|me| me.role != Role::Administrator) {
        return Err(Refused(refuse(
            RefusalCode::NotAllowed,
            "administrators only",
        )));
    }
    if account == by {
        return Err(Refused(refuse(
            RefusalCode::NotAllowed,
            "one's own goes with a code",
        )));
    }
    let of = liandong_domain::AccountId(account.0.clone());
    if app.desk.me(of).await?.is_none() {
        return Err(Refused(refuse(
            RefusalCode::UnknownTarget,
            "no such account",
        )));
    }
    forget(&app, remote, account.clone(), by).await?;
    // Also those of whoever found the lost phone.
    end_others(&app, &account, None).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn forget(
    app: &App,
    remote: Remote,
    account: AccountId,
    by: AccountId,
) -> Result<(), Refused> {
    // Written down first: whoever takes a lock away is known.
    app.desk
        .record(Access::SecondFactorRemoved {
            account: account.0.clone(),
            by: by.0,
            address: remote.0.ip().to_canonical(),
        })
        .await?;
    let factors = app.second_factors.clone();
    Ok(on_disk(move || Ok(factors.remove(&account)?)).await?)
}

async fn end_others(
    app: &App,
    account: &AccountId,
    kept: Option<SessionId>,
) -> Result<(), Refused> {
    let ended = app.sessions.end_others(account, kept).await;
    ended.map_err(|error| {
        tracing::error!(%error, "sessions not ended on the disk");
        Refused(refuse(
            RefusalCode::JournalUnavailable,
            "done, but the store cannot be written",
        ))
    })
}

/// Makes a one-time link for a field unit, by administrators and dispatchers above it.
#[utoipa::path(
    post,
    path = "/api/links",
    tag = "session",
    operation_id = "makeLink",
    request_body(content = OfAccount),
    responses(
        (status = 200, description = "Good once, within ten minutes", body = LoginLink),
        (status = 401, description = "No session, or it is over", body = Refusal),
        (status = 404, description = "No such account", body = Refusal),
        BodyRefusals,
        Refusals,
    ),
    security(("session" = [])),
)]
pub async fn link(
    State(app): State<App>,
    remote: Remote,
    _: OwnOrigin,
    headers: HeaderMap,
    body: Body<OfAccount>,
) -> Result<Response, Refused> {
    let by = session(&app, &headers)?.account;
    let account = account_of(body)?;
    let id = |account: &AccountId| liandong_domain::AccountId(account.0.clone());
    app.desk.may_give_link(id(&by), id(&account)).await?;
    app.desk
        .record(Access::LinkMade {
            account: account.0.clone(),
            by: by.0,
            address: remote.0.ip().to_canonical(),
        })
        .await?;
    let origin = origin(&headers);
    let links = app.links.clone();
    let link: LoginLink =
        on_disk(move || Ok(links.make(&account, &origin, clock::now_ms())?)).await?;
    Ok(no_store(link))
}

/// Where whoever asks reaches the server: its page's origin, which [`OwnOrigin`] has checked.
fn origin(headers: &HeaderMap) -> String {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value: &http::HeaderValue| value.to_str().ok())
    };
    let of_host = || text(HOST).map(|host| format!("https://{host}"));
    let origin = text(ORIGIN).map(str::to_owned).or_else(of_host);
    origin.unwrap_or_default()
}

fn code_of(body: Body<Code>) -> Result<String, Refused> {
    let Json(Code { code }) = body.map_err(|rejection| malformed(&rejection, r#"{"code":…}"#))?;
    Ok(code)
}

fn account_of(body: Body<OfAccount>) -> Result<AccountId, Refused> {
    let Json(OfAccount { account }) =
        body.map_err(|rejection| malformed(&rejection, r#"{"account":…}"#))?;
    Ok(account)
}

#[cfg(test)]
mod tests {
    use totp_rs::TOTP;

    use super::*;
    use crate::testing::{Disk, Paper, app};

    #[tokio::test]
    async fn recovery_codes_are_told_though_the_journal_cannot_be_written() {
        let (paper, folder) = (Paper::new(), tempfile::tempdir().unwrap());
        let app = app(&paper, folder.path()).await;
        let account = AccountId::from("101");
        let begin = || app.sessions.begin(account.clone(), clock::now_ms());
        let (token, other) = (begin().await.unwrap(), begin().await.unwrap());
        let begun = app.second_factors.begin(&account, clock::now_ms()).unwrap();
        let code = TOTP::from_url(begun.uri).unwrap().generate_current();

        paper.disk(Disk::Full);
        let mut headers = HeaderMap::new();
        headers.insert(http::header::COOKIE, token.cookie().parse().unwrap());
        let remote = Remote(([127, 0, 0, 1], 1).into());
        let body = Ok(Json(Code {
            code: code.unwrap(),
        }));
        let told = confirm(State(app.clone()), remote, OwnOrigin, headers, body).await;
        let body = told.unwrap().into_body();
        let body = axum::body::to_bytes(body, 10_000).await.unwrap();
        let RecoveryCodes { codes } = serde_json::from_slice(&body).unwrap();
        assert_eq!(codes.len(), 10);
        assert!(app.second_factors.has(&account));
        assert!(app.sessions.find(&other, clock::now_ms()).is_none());
    }
}
