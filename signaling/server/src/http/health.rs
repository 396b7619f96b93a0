//! `GET /healthz`: 200 when orders can be carried out, 503 when not.

use axum::Json;
use std::net::IpAddr;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

use super::listener::Remote;
use super::{App, api};
use crate::desk::Status;

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Health {
    /// `ok`; `degraded`: running calls go on, orders are refused; or `stopping`.
    #[schema(example = "ok")]
    status: &'static str,
    /// Who works when, and with what, is not everybody's business.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    more: Option<More>,
}

/// For this machine and for those who are signed in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct More {
    journal: Journal,
    node: Node,
    clients: usize,
    conferences: usize,
    version: &'static str,
}

#[derive(Serialize, ToSchema)]
#[schema(as = HealthOfJournal)]
#[serde(rename_all = "camelCase")]
struct Journal {
    status: &'static str,
    entries: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = HealthOfNode)]
struct Node {
    /// `ok`; or `overloaded`: video is being reduced.
    status: &'static str,
    overload: u32,
}

impl Health {
    fn stopping() -> Self {
        Self {
            status: "stopping",
            more: None,
        }
    }

    fn of(status: Status, in_full: bool) -> Self {
        let well = status.journal_trouble.is_none();
        let more = in_full.then_some(More {
            journal: Journal {
                status: if well { "ok" } else { "unavailable" },
                entries: status.journal_entries,
                trouble: status.journal_trouble,
            },
            // In the same process: it runs when this does.
            node: Node {
                status: if status.overload == 0 {
                    "ok"
                } else {
                    "overloaded"
                },
                overload: status.overload,
            },
            clients: status.clients,
            conferences: status.conferences,
            version: env!("CARGO_PKG_VERSION"),
        });
        Self {
            status: if well { "ok" } else { "degraded" },
            more,
        }
    }
}

/// A proxy in front of the server would make everybody local: it has to
/// keep `/healthz` to itself.
fn is_local(from: IpAddr) -> bool {
    from.to_canonical().is_loopback()
}

/// Whether orders can be carried out.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "operation",
    operation_id = "health",
    responses(
        (status = 200, description = "Well", body = Health),
        (status = 503, description = "The journal cannot be written, or the server is stopping", body = Health),
    ),
)]
pub async fn healthz(State(app): State<App>, remote: Remote, headers: HeaderMap) -> Response {
    let Ok(status) = app.desk.status().await else {
        return (StatusCode::SERVICE_UNAVAILABLE, Json(Health::stopping())).into_response();
    };
    let well = status.journal_trouble.is_none();
    let in_full = is_local(remote.0.ip()) || api::session(&app, &headers).is_ok();
    let health = Health::of(status, in_full);
    let code = if well {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (code, Json(health)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status() -> Status {
        Status {
            journal_trouble: Some("disk full".to_owned()),
            journal_entries: 7,
            clients: 3,
            conferences: 1,
            overload: 2,
        }
    }

    #[test]
    fn strangers_learn_only_whether_it_works() {
        let text = |in_full| serde_json::to_string(&Health::of(status(), in_full)).unwrap();
        assert_eq!(text(false), r#"{"status":"degraded"}"#);
        let full = text(true);
        for part in [r#""clients":3"#, "disk full", r#""overload":2"#, "version"] {
            assert!(full.contains(part), "{part} not in {full}");
        }
    }

    #[test]
    fn this_machine_is_known_under_all_its_names() {
        let local = |text: &str| is_local(text.parse().unwrap());
        assert!(local("127.0.0.1") && local("::1") && local("::ffff:127.0.0.1"));
        assert!(!local("10.0.0.1") && !local("2001:db8::1"));
    }
}
