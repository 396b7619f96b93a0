//! Refusals as HTTP responses; the one place where codes become statuses.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::RETRY_AFTER;
use liandong_protocol::{Refusal, RefusalCode};
use utoipa::IntoResponses;

/// A refusal as a response.
#[derive(Debug)]
pub struct Refused(pub Refusal);

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self(refusal)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = status(self.0.code);
        let wait_ms = self.0.retry_after_ms;
        let mut response = (status, Json(self.0)).into_response();
        if let Some(wait_ms) = wait_ms {
            // Whole seconds, never too few (RFC 9110 §10.2.3).
            let seconds = wait_ms.div_ceil(1_000);
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// What a request with a session may be refused with, for the document.
#[derive(Debug, IntoResponses)]
#[allow(dead_code, reason = "read by the macro only")]
pub enum Refusals {
    #[response(
        status = 403,
        description = "The account may not do this, has to set up its second factor first (`enrolFirst`), or the request comes from another site's page"
    )]
    NotAllowed(#[to_schema] Refusal),
    #[response(status = 408, description = "The request took too long")]
    Timeout,
    #[response(
        status = 503,
        description = "The journal cannot be written, or the server is stopping"
    )]
    Unavailable(#[to_schema] Refusal),
}

/// What a request with a body of JSON may be refused with besides, for the document.
#[derive(Debug, IntoResponses)]
#[allow(dead_code, reason = "read by the macro only")]
pub enum BodyRefusals {
    #[response(status = 400, description = "Not JSON of this form")]
    Malformed(#[to_schema] Refusal),
    #[response(status = 413, description = "The body is longer than 16 KiB")]
    TooLarge(#[to_schema] Refusal),
}

/// What may be refused where somebody could guess, for the document.
#[derive(Debug, IntoResponses)]
#[allow(dead_code, reason = "read by the macro only")]
pub enum GuessRefusals {
    #[response(
        status = 423,
        description = "Locked after repeated wrong passwords or codes; wait as Retry-After says"
    )]
    Locked(#[to_schema] Refusal),
    #[response(status = 429, description = "Too many tries; wait as Retry-After says")]
    TooMany(#[to_schema] Refusal),
}

/// The HTTP status of a refusal.
#[must_use]
pub fn status(code: RefusalCode) -> StatusCode {
    match code {
        RefusalCode::Malformed
        | RefusalCode::ProtocolVersion
        | RefusalCode::HelloFirst
        | RefusalCode::BadOffer
        | RefusalCode::NobodyToRing => StatusCode::BAD_REQUEST,
        RefusalCode::WrongLogin
        | RefusalCode::NotSignedIn
        | RefusalCode::CodeNeeded
        | RefusalCode::WrongCode
        | RefusalCode::LinkUsed => StatusCode::UNAUTHORIZED,
        RefusalCode::NotAllowed
        | RefusalCode::EnrolFirst
        | RefusalCode::NotBelow
        | RefusalCode::NotChair
        | RefusalCode::NotInConference => StatusCode::FORBIDDEN,
        RefusalCode::UnknownTarget
        | RefusalCode::UnknownConference
        | RefusalCode::UnknownIncident
        | RefusalCode::UnknownTalkGroup
        | RefusalCode::UnknownPlan
        | RefusalCode::UnknownShift
        | RefusalCode::UnknownInvitation
        | RefusalCode::UnknownParticipant => StatusCode::NOT_FOUND,
        RefusalCode::AlreadyThere
        | RefusalCode::Settled
        | RefusalCode::NotNow
        | RefusalCode::NotBegun
        | RefusalCode::AnsweredElsewhere
        | RefusalCode::Ended
        | RefusalCode::KeyReused => StatusCode::CONFLICT,
        RefusalCode::UnsupportedFile => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        RefusalCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        RefusalCode::Locked | RefusalCode::ConferenceLocked => StatusCode::LOCKED,
        RefusalCode::TooMany => StatusCode::TOO_MANY_REQUESTS,
        RefusalCode::Full | RefusalCode::MediaUnavailable | RefusalCode::JournalUnavailable => {
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}
