//! Whose request it is. The body is read first, since it is signed.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use liandong_protocol::platform::ProblemCode;
use serde::de::DeserializeOwned;

use crate::auth::platforms::{Denied, Known, Platforms};
use crate::auth::signature::{self, Signature, Signed, body_hash};
use crate::clock;
use crate::config::{Platform, Right};
use crate::http::App;
use crate::http::problem::Trouble;

/// Of the draft draft-ietf-httpapi-idempotency-key-header.
const IDEMPOTENCY_KEY: &str = "idempotency-key";
const MAX_KEY_CHARS: usize = 64;

/// A request of a platform that is known and may do at least this.
#[derive(Debug)]
pub struct Caller<const REPORT: bool> {
    known: Arc<Known>,
    headers: HeaderMap,
    body: Bytes,
}

/// May report.
pub type Reporter = Caller<true>;
/// May see its reports.
pub type Reader = Caller<false>;

impl<const REPORT: bool> FromRequest<App> for Caller<REPORT> {
    type Rejection = Trouble;

    async fn from_request(request: Request, app: &App) -> Result<Self, Self::Rejection> {
        let (parts, body) = request.into_parts();
        let again = Request::from_parts(parts.clone(), body);
        let body = Bytes::from_request(again, app).await.map_err(|rejection| {
            if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                Trouble::new(ProblemCode::TooLarge, "the body is longer than the limit")
            } else {
                Trouble::new(ProblemCode::Malformed, "the body did not come whole")
            }
        })?;
        let right = if REPORT { Right::Report } else { Right::Read };
        let known = authenticate(&app.platforms, &parts, &body_hash(&body))
            .and_then(|known| known.admit(right, Instant::now()).map(|()| known))
            .inspect_err(|denied| app.metrics.doors.denied(denied))?;
        Ok(Self {
            known,
            headers: parts.headers,
            body,
        })
    }
}

impl<const REPORT: bool> Caller<REPORT> {
    pub fn platform(&self) -> &Platform {
        &self.known.platform
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// 415, 400 or 422.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Trouble> {
        let kind = self.headers.get(CONTENT_TYPE);
        let kind = kind.and_then(|value| value.to_str().ok()).unwrap_or("");
        let kind = kind.split(';').next().unwrap_or("").trim();
        if !kind.eq_ignore_ascii_case("application/json") {
            return Err(Trouble::new(
                ProblemCode::UnsupportedType,
                "the body has to be of the type application/json",
            ));
        }
        serde_json::from_slice(&self.body).map_err(|error| {
            use serde_json::error::Category;
            let code = match error.classify() {
                Category::Syntax | Category::Eof | Category::Io => ProblemCode::Malformed,
                Category::Data => ProblemCode::Invalid,
            };
            Trouble::new(code, error.to_string())
        })
    }

    /// The `Idempotency-Key`: a string of RFC 8941, or, as many clients send it, without quotes.
    ///
    /// # Errors
    /// 400.
    pub fn key(&self) -> Result<Option<String>, Trouble> {
        key_of(&self.headers)
    }
}

/// See [`Caller::key`].
///
/// # Errors
/// 400.
pub fn key_of(headers: &HeaderMap) -> Result<Option<String>, Trouble> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or("");
    let bare = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .unwrap_or(text);
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"._:~-".contains(&b);
    if bare.is_empty()
        || bare.len() > MAX_KEY_CHARS
        || !bare.bytes().all(fits)
        || values.next().is_some()
    {
        return Err(Trouble::new(
            ProblemCode::Malformed,
            "Idempotency-Key: one key of 1 to 64 letters, digits and ._:~-",
        ));
    }
    Ok(Some(bare.to_owned()))
}

/// The hash of the body that the request's signature names, for those that are checked before the body
/// is read; `None`: it is not signed.
///
/// # Errors
/// Signed, and it names none.
pub fn claimed_hash(parts: &Parts) -> Result<Option<[u8; 32]>, Denied> {
    let Some(header) = parts.headers.get(signature::HEADER) else {
        return Ok(None);
    };
    let signature = Signature::parse(header.to_str().unwrap_or("")).ok_or(Denied::Wrong)?;
    signature.body.map(Some).ok_or(Denied::NoHash)
}

/// Whose request it is.
///
/// # Errors
/// See [`Denied`].
pub fn authenticate(
    platforms: &Platforms,
    parts: &Parts,
    body_hash: &[u8; 32],
) -> Result<Arc<Known>, Denied> {
    let text = |name: &str| {
        let value = parts.headers.get(name)?;
        Some(value.to_str().unwrap_or(""))
    };
    let known = match (text(signature::HEADER), text(AUTHORIZATION.as_str())) {
        (Some(header), _) => {
            let path = parts.uri.path_and_query();
            let signed = Signed {
                method: parts.method.as_str(),
                path: path.map_or("/", |path| path.as_str()),
                body_hash,
            };
            platforms.by_signature(header, signed, clock::now_ms() / 1_000)?
        }
        (None, Some(credentials)) => {
            // The scheme's name is written as one likes (RFC 9110 §11.1).
            let (scheme, token) = credentials.split_once(' ').ok_or(Denied::Wrong)?;
            if !scheme.eq_ignore_ascii_case("bearer") {
                return Err(Denied::Wrong);
            }
            platforms.by_token(token.trim())?
        }
        (None, None) => return Err(Denied::Missing),
    };
    Ok(Arc::clone(known))
}
