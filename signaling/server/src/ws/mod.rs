//! `/ws`: one WebSocket per client.
//!
//! * this file: the upgrade
//! * [`connection`] – its life: Hello, requests, beats, end
//! * [`limits`] – what one connection may ask for
//! * [`outbox`] – what waits to be sent

pub mod connection;
pub mod limits;
pub mod outbox;

use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::response::{IntoResponse as _, Response};
use http::HeaderMap;
use liandong_protocol::MAX_MESSAGE_BYTES;

use crate::http::App;
use crate::http::api::{OwnOrigin, session};
use crate::http::refusal::Refused;

/// `GET /ws`
pub async fn upgrade(
    State(app): State<App>,
    _: OwnOrigin,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Refused> {
    let held = session(&app, &headers)?;
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => return Ok(rejection.into_response()),
    };
    Ok(upgrade
        .max_message_size(MAX_MESSAGE_BYTES)
        .max_frame_size(MAX_MESSAGE_BYTES)
        .on_upgrade(move |socket| connection::run(socket, app, held)))
}
