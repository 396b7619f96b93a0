//! HTTP: what is served, and how.
//!
//! * [`listener`] – TCP, TLS, limits on connections
//! * [`account`] – second factor, one-time links
//! * [`api`] – login, logout, who am I
//! * [`channels`] – messages to phones, results of a gateway
//! * [`v1`] – the door for other platforms; [`problem`] – what they are refused
//! * [`webhooks`] – how outgoing messages stand
//! * [`openapi`] – the document of all of it
//! * [`files`] – photos, voice notes and documents of incidents
//! * [`console`] – the embedded web console
//! * [`health`], [`metrics`], [`quality`] – for those who run it
//! * [`headers`] – what goes with every response
//! * [`refusal`] – refusals as responses

pub mod account;
pub mod api;
pub mod channels;
pub mod console;
pub mod files;
pub mod headers;
pub mod health;
pub mod listener;
pub mod metrics;
pub mod openapi;
pub mod problem;
pub mod quality;
pub mod refusal;
pub mod v1;
pub mod webhooks;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::get;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};

use crate::auth::links::Links;
use crate::auth::platforms::Platforms;
use crate::auth::second_factor::SecondFactors;
use crate::auth::session::Sessions;
use crate::auth::sign_in::SignIn;
use crate::desk::Desk;
use crate::files::Files;
use crate::talk::Talk;
use crate::webhooks::Webhooks;
use metrics::Metrics;

/// Logins and the like are short.
const MAX_BODY_BYTES: usize = 16 * 1024;
/// From the request's head to the response's head, the body of the request included.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);
/// The same for a file, from a phone far from its mast: 32 MiB at 900 kbit/s.
const UPLOAD_TIMEOUT: Duration = Duration::from_secs(300);

/// What the handlers share.
#[derive(Clone, Debug)]
pub struct App {
    pub desk: Desk,
    pub talk: Talk,
    pub sessions: Sessions,
    pub sign_in: Arc<SignIn>,
    pub second_factors: Arc<SecondFactors>,
    pub links: Links,
    pub metrics: Arc<Metrics>,
    pub platforms: Arc<Platforms>,
    pub files: Files,
    pub webhooks: Webhooks,
    pub doors: Arc<channels::Doors>,
    /// The own authority's certificate; absent with certificates by configuration.
    pub authority: Option<PathBuf>,
}

/// Everything that is served on the one port.
pub fn router(app: App) -> Router {
    let (documented, _) = openapi::routes().split_for_parts();
    Router::new()
        .merge(documented)
        .route("/api/{*path}", axum::routing::any(v1::nothing))
        .route("/ws", get(crate::ws::upgrade))
        .fallback(console::serve)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(CompressionLayer::new().compress_when(compressible()))
        .layer(axum::middleware::from_fn(headers::add))
        .layer(axum::middleware::from_fn(time_out))
        .with_state(app)
}

/// Sound, film and documents are compressed already, and a range of them must stay one.
fn compressible() -> impl Predicate {
    DefaultPredicate::new()
        .and(NotForContentType::const_new("audio/"))
        .and(NotForContentType::const_new("video/"))
        .and(NotForContentType::const_new("application/pdf"))
        .and(NotForContentType::const_new("application/vnd"))
}

/// A body that trickles in must not hold a request for ever.
async fn time_out(
    request: axum::extract::Request,
    next: axum::middleware::Next,
) -> axum::response::Response {
    use axum::body::HttpBody as _;
    use axum::response::IntoResponse as _;
    let upload = request.method() == http::Method::POST && request.uri().path().ends_with("/files");
    let limit = if upload {
        UPLOAD_TIMEOUT
    } else {
        REQUEST_TIMEOUT
    };
    let has_body = request.version() < http::Version::HTTP_2 && !request.body().is_end_stream();
    let mut response = tokio::time::timeout(limit, next.run(request))
        .await
        .unwrap_or_else(|_| http::StatusCode::REQUEST_TIMEOUT.into_response());
    let status = response.status();
    if has_body && (status.is_client_error() || status.is_server_error()) {
        // The body may be unread, and the connection ends then. Whoever is not told so uses it
        // again, and loses the next request.
        let close = http::HeaderValue::from_static("close");
        response
            .headers_mut()
            .insert(http::header::CONNECTION, close);
    }
    response
}
