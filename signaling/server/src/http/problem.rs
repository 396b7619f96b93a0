//! Problem details (RFC 9457): every error of `/api/v1`.

use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use liandong_protocol::platform::{Problem, ProblemCode};
use liandong_protocol::{Refusal, RefusalCode};
use utoipa::{IntoResponses, ToSchema};

use crate::auth::platforms::{Denied, WINDOW};

/// What to wait when something is full; somebody has to verify reports first.
const FULL_RETRY: Duration = Duration::from_secs(30);

/// A problem as a response.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Trouble {
    code: ProblemCode,
    detail: String,
    retry_after: Option<Duration>,
}

impl Trouble {
    pub fn new(code: ProblemCode, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            retry_after: None,
        }
    }

    fn after(self, wait: Duration) -> Self {
        Self {
            retry_after: Some(wait),
            ..self
        }
    }

    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self.code {
            ProblemCode::Malformed => StatusCode::BAD_REQUEST,
            ProblemCode::NotAuthenticated => StatusCode::UNAUTHORIZED,
            ProblemCode::NotAllowed => StatusCode::FORBIDDEN,
            ProblemCode::NotFound => StatusCode::NOT_FOUND,
            ProblemCode::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            ProblemCode::Timeout => StatusCode::REQUEST_TIMEOUT,
            ProblemCode::NotNow => StatusCode::CONFLICT,
            ProblemCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            ProblemCode::UnsupportedType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            ProblemCode::Invalid | ProblemCode::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            ProblemCode::TooMany => StatusCode::TOO_MANY_REQUESTS,
            ProblemCode::Full | ProblemCode::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

fn title(code: ProblemCode) -> &'static str {
    match code {
        ProblemCode::Malformed => "The request is not of the form that is expected",
        ProblemCode::NotAuthenticated => "The request does not show who it is from",
        ProblemCode::NotAllowed => "The platform has no right to this",
        ProblemCode::NotFound => "There is no such thing",
        ProblemCode::MethodNotAllowed => "The method is not for this address",
        ProblemCode::Timeout => "The request took too long",
        ProblemCode::NotNow => "The state does not allow it",
        ProblemCode::TooLarge => "The body is too long",
        ProblemCode::UnsupportedType => "The body is of another type than expected",
        ProblemCode::Invalid => "A field is missing, unknown or out of its range",
        ProblemCode::KeyReused => "The Idempotency-Key was used with another body",
        ProblemCode::TooMany => "Too many requests",
        ProblemCode::Full => "There is no room for more at present",
        ProblemCode::Unavailable => "Nothing can be written at present",
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let status = self.status();
        let name = serde_json::to_string(&self.code).unwrap_or_default();
        let body = Problem {
            r#type: format!("urn:liandong:problem:{}", name.trim_matches('"')),
            title: title(self.code).to_owned(),
            status: status.as_u16(),
            code: self.code,
            detail: self.detail,
        };
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        let mut put = |name: HeaderName, value: HeaderValue| headers.insert(name, value);
        put(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if self.code == ProblemCode::NotAuthenticated {
            put(
                WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"liandong\""),
            );
        }
        if let Some(wait) = self.retry_after {
            // Whole seconds, never too few (RFC 9110 §10.2.3).
            put(
                RETRY_AFTER,
                wait.as_millis()
                    .div_ceil(1_000)
                    .max(1)
                    .to_string()
                    .parse()
                    .unwrap_or(HeaderValue::from_static("60")),
            );
        }
        response
    }
}

impl From<Denied> for Trouble {
    fn from(denied: Denied) -> Self {
        let stranger = |detail: &str| Self::new(ProblemCode::NotAuthenticated, detail);
        match denied {
            Denied::Missing => {
                stranger("needs Authorization: Bearer, or Liandong-Signature (docs/api.md)")
            }
            Denied::Wrong => stranger("unknown platform, wrong token or wrong signature"),
            Denied::NoHash => {
                stranger("the signature of a file names its hash, body=HEX (docs/api.md)")
            }
            Denied::Stale { off_s } => stranger(&format!(
                "the signature's time is {off_s} s from the server's, more than {} s",
                WINDOW.as_secs()
            )),
            Denied::Replayed => stranger("the signature's nonce was used before"),
            Denied::Right(right) => Self::new(
                ProblemCode::NotAllowed,
                format!("the platform has no right to {right:?}").to_lowercase(),
            ),
            Denied::TooMany(wait) => {
                Self::new(ProblemCode::TooMany, "more than the platform's rate").after(wait)
            }
        }
    }
}

impl From<Refusal> for Trouble {
    /// What the rules refuse. Most cannot come by this door; they are said all the same.
    fn from(refusal: Refusal) -> Self {
        let code = match refusal.code {
            RefusalCode::Malformed
            | RefusalCode::UnknownTarget
            | RefusalCode::ProtocolVersion
            | RefusalCode::HelloFirst
            | RefusalCode::BadOffer
            | RefusalCode::NobodyToRing => ProblemCode::Invalid,
            RefusalCode::WrongLogin
            | RefusalCode::NotSignedIn
            | RefusalCode::CodeNeeded
            | RefusalCode::WrongCode
            | RefusalCode::LinkUsed => ProblemCode::NotAuthenticated,
            RefusalCode::NotAllowed
            | RefusalCode::EnrolFirst
            | RefusalCode::NotBelow
            | RefusalCode::NotChair
            | RefusalCode::NotInConference => ProblemCode::NotAllowed,
            RefusalCode::UnknownConference
            | RefusalCode::UnknownIncident
            | RefusalCode::UnknownTalkGroup
            | RefusalCode::UnknownPlan
            | RefusalCode::UnknownShift
            | RefusalCode::UnknownInvitation
            | RefusalCode::UnknownParticipant => ProblemCode::NotFound,
            RefusalCode::AlreadyThere
            | RefusalCode::Settled
            | RefusalCode::NotNow
            | RefusalCode::NotBegun
            | RefusalCode::ConferenceLocked
            | RefusalCode::AnsweredElsewhere
            | RefusalCode::Ended => ProblemCode::NotNow,
            RefusalCode::KeyReused => ProblemCode::KeyReused,
            RefusalCode::TooLarge => ProblemCode::TooLarge,
            RefusalCode::UnsupportedFile => ProblemCode::UnsupportedType,
            RefusalCode::Locked | RefusalCode::TooMany => ProblemCode::TooMany,
            RefusalCode::Full => ProblemCode::Full,
            RefusalCode::MediaUnavailable | RefusalCode::JournalUnavailable => {
                ProblemCode::Unavailable
            }
        };
        let wait = refusal
            .retry_after_ms
            .map(|ms| Duration::from_millis(ms.into()))
            .or((code == ProblemCode::Full).then_some(FULL_RETRY));
        Self {
            retry_after: wait,
            ..Self::new(code, refusal.message)
        }
    }
}

/// What every request of `/api/v1` may be answered with, for the document.
#[derive(Debug, IntoResponses, ToSchema)]
#[allow(dead_code, reason = "read by the macro only")]
pub enum Problems {
    #[response(
        status = 400,
        content_type = "application/problem+json",
        description = "Malformed: not JSON, or a header or parameter out of its form"
    )]
    Malformed(#[to_schema] Problem),
    #[response(
        status = 401,
        content_type = "application/problem+json",
        description = "No credentials, or wrong ones; a signature that is stale or was used before"
    )]
    NotAuthenticated(#[to_schema] Problem),
    #[response(
        status = 403,
        content_type = "application/problem+json",
        description = "The platform has no right to this, or not to this site"
    )]
    NotAllowed(#[to_schema] Problem),
    #[response(status = 408, description = "The request took too long")]
    Timeout,
    #[response(
        status = 413,
        content_type = "application/problem+json",
        description = "The body is longer than the limit"
    )]
    TooLarge(#[to_schema] Problem),
    #[response(
        status = 429,
        content_type = "application/problem+json",
        description = "More requests than the platform's rate; wait as Retry-After says"
    )]
    TooMany(#[to_schema] Problem),
    #[response(
        status = 503,
        content_type = "application/problem+json",
        description = "No room, or nothing can be written at present; wait as Retry-After says"
    )]
    Unavailable(#[to_schema] Problem),
}
