//! `GET /healthz`: 200 when orders can be carried out, 503 when not.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;

use super::App;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Health {
    /// `ok`; or `degraded`: running calls go on, orders are refused.
    status: &'static str,
    journal: Journal,
    node: Node,
    clients: usize,
    conferences: usize,
    version: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Journal {
    status: &'static str,
    entries: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<String>,
}

#[derive(Serialize)]
struct Node {
    status: &'static str,
}

/// Handler.
pub async fn healthz(State(app): State<App>) -> Response {
    let Ok(status) = app.desk.status().await else {
        return (StatusCode::SERVICE_UNAVAILABLE, "{\"status\":\"stopping\"}").into_response();
    };
    let well = status.journal_trouble.is_none();
    let health = Health {
        status: if well { "ok" } else { "degraded" },
        journal: Journal {
            status: if well { "ok" } else { "unavailable" },
            entries: status.journal_entries,
            trouble: status.journal_trouble,
        },
        // In the same process: it runs when this does.
        node: Node { status: "ok" },
        clients: status.clients,
        conferences: status.conferences,
        version: env!("CARGO_PKG_VERSION"),
    };
    let code = if well {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (code, Json(health)).into_response()
}
