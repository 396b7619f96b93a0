//! HTTP: what is served, and how.
//!
//! * [`listener`] – TCP, TLS, limits on connections
//! * [`account`] – second factor, one-time links
//! * [`api`] – login, logout, who am I
//! * [`console`] – the embedded web console
//! * [`health`], [`metrics`], [`quality`] – for those who run it
//! * [`headers`] – what goes with every response
//! * [`refusal`] – refusals as responses

pub mod account;
pub mod api;
pub mod console;
pub mod headers;
pub mod health;
pub mod listener;
pub mod metrics;
pub mod quality;
pub mod refusal;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use tower_http::compression::CompressionLayer;

use crate::auth::links::Links;
use crate::auth::second_factor::SecondFactors;
use crate::auth::session::Sessions;
use crate::auth::sign_in::SignIn;
use crate::desk::Desk;
use crate::talk::Talk;
use metrics::Metrics;

/// Logins and the like are short.
const MAX_BODY_BYTES: usize = 16 * 1024;
/// From the request's head to the response's head, the body of the request included.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

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
    /// The own authority's certificate; absent with certificates by configuration.
    pub authority: Option<PathBuf>,
}

/// Everything that is served on the one port.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/api/login", post(api::login))
        .route("/api/login/link", post(api::login_by_link))
        .route("/api/logout", post(api::logout))
        .route("/api/second-factor", get(account::state))
        .route("/api/second-factor/begin", post(account::begin))
        .route("/api/second-factor/confirm", post(account::confirm))
        .route("/api/second-factor/remove", post(account::remove))
        .route("/api/second-factor/reset", post(account::reset))
        .route("/api/links", post(account::link))
        .route("/api/me", get(api::me))
        .route("/api/{*path}", axum::routing::any(api::nothing))
        .route("/ws", get(crate::ws::upgrade))
        .route("/healthz", get(health::healthz))
        .route("/metrics", get(metrics::show))
        .route("/ca.pem", get(console::authority))
        .fallback(console::serve)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(CompressionLayer::new())
        .layer(axum::middleware::from_fn(headers::add))
        .layer(axum::middleware::from_fn(time_out))
        .with_state(app)
}

/// A body that trickles in must not hold a request for ever.
async fn time_out(
    request: axum::extract::Request,
    next: axum::middleware::Next,
) -> axum::response::Response {
    use axum::response::IntoResponse as _;
    tokio::time::timeout(REQUEST_TIMEOUT, next.run(request))
        .await
        .unwrap_or_else(|_| http::StatusCode::REQUEST_TIMEOUT.into_response())
}
