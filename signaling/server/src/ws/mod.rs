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

/// What is read at all. A message beyond [`MAX_MESSAGE_BYTES`] up to this is read to its end,
/// so that the client hears why it is closed; one beyond this is cut off.
const MAX_READ_BYTES: usize = 4 * MAX_MESSAGE_BYTES;

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
        .max_message_size(MAX_READ_BYTES)
        .max_frame_size(MAX_READ_BYTES)
        .on_upgrade(move |socket| connection::run(socket, app, held)))
}
