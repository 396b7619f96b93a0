//! `GET /metrics`: Prometheus text. From this machine, or with the token of
//! the configuration.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use liandong_domain::Order;
use liandong_protocol::RefusalCode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use sha2::{Digest as _, Sha256};

use super::App;
use super::listener::Remote;
use super::quality::QualityMetrics;
use crate::auth::platforms::Denied;

/// All metrics of the process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    pub doors: DoorMetrics,
    /// SHA-256 of the token.
    token: Option<[u8; 32]>,
}

type Labels = [(&'static str, String); 1];

/// What the doors for other platforms count.
#[derive(Debug, Default)]
pub struct DoorMetrics {
    webhooks: Family<[(&'static str, String); 2], Counter>,
    denied: Family<Labels, Counter>,
}

impl DoorMetrics {
    /// A platform's request that was not taken.
    pub fn denied(&self, denied: &Denied) {
        let reason = match denied {
            Denied::Missing => "missing",
            Denied::Wrong | Denied::NoHash => "wrong",
            Denied::Stale { .. } => "stale",
            Denied::Replayed => "replayed",
            Denied::Right(_) => "right",
            Denied::TooMany(_) => "rate",
        };
        let label = [("reason", reason.to_owned())];
        self.denied.get_or_create(&label).inc();
    }

    /// One try of one message.
    pub fn webhook(&self, hook: &str, delivered: bool) {
        let result = if delivered { "delivered" } else { "failed" };
        let labels = [("hook", hook.to_owned()), ("result", result.to_owned())];
        self.webhooks.get_or_create(&labels).inc();
    }

    fn register(&self, registry: &mut Registry) {
        registry.register(
            "webhook_tries",
            "Messages sent to other systems, each try",
            self.webhooks.clone(),
        );
        registry.register(
            "platform_denied",
            "Requests of other platforms that were not taken",
            self.denied.clone(),
        );
    }
}

/// What the desk counts.
#[derive(Debug)]
pub struct DeskMetrics {
    orders: Family<Labels, Counter>,
    refusals: Family<Labels, Counter>,
    clients: Gauge,
    journal_entries: Gauge,
    journal_failures: Counter,
    journal_writable: Gauge,
    journal_seconds: Histogram,
    connect_seconds: Histogram,
    first_frame_seconds: Histogram,
    join_seconds: Histogram,
    pub quality: QualityMetrics,
}

const SECONDS: [f64; 12] = [
    0.001, 0.005, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0, 15.0,
];

impl Default for DeskMetrics {
    fn default() -> Self {
        let histogram = || Histogram::new(SECONDS);
        let journal_writable = Gauge::default();
        journal_writable.set(1);
        Self {
            orders: Family::default(),
            refusals: Family::default(),
            clients: Gauge::default(),
            journal_entries: Gauge::default(),
            journal_failures: Counter::default(),
            journal_writable,
            journal_seconds: histogram(),
            connect_seconds: histogram(),
            first_frame_seconds: histogram(),
            join_seconds: histogram(),
            quality: QualityMetrics::default(),
        }
    }
}

impl DeskMetrics {
    pub fn order(&self, order: &Order) {
        let kind = [("kind", format!("{:?}", order.kind()))];
        self.orders.get_or_create(&kind).inc();
    }

    pub fn refused(&self, code: RefusalCode) {
        let code = [("code", format!("{code:?}"))];
        self.refusals.get_or_create(&code).inc();
    }

    pub fn clients(&self, connected: usize) {
        self.clients
            .set(i64::try_from(connected).unwrap_or(i64::MAX));
    }

    /// A batch is written.
    pub fn journaled(&self, took: Duration, entries: u64) {
        self.journal_entries
            .set(i64::try_from(entries).unwrap_or(i64::MAX));
        self.journal_seconds.observe(took.as_secs_f64());
    }

    /// A batch could not be written.
    pub fn not_journaled(&self) {
        self.journal_failures.inc();
    }

    /// Orders can be carried out, or are refused.
    pub fn journal_writable(&self, writable: bool) {
        self.journal_writable.set(writable.into());
    }

    /// From the offer to media that can flow.
    pub fn media_connected(&self, after: Duration) {
        self.connect_seconds.observe(after.as_secs_f64());
    }

    /// From the switch of a slot to its first keyframe.
    pub fn slot_live(&self, after: Duration) {
        self.first_frame_seconds.observe(after.as_secs_f64());
    }

    /// From a client's offer to its first picture.
    pub fn joined(&self, after: Duration) {
        self.join_seconds.observe(after.as_secs_f64());
    }

    fn register(&self, registry: &mut Registry) {
        registry.register("orders", "Orders received", self.orders.clone());
        registry.register("refusals", "Requests refused", self.refusals.clone());
        registry.register("clients", "Connected clients", self.clients.clone());
        registry.register(
            "journal_entries",
            "Entries in the journal",
            self.journal_entries.clone(),
        );
        registry.register(
            "journal_failures",
            "Batches that could not be journaled",
            self.journal_failures.clone(),
        );
        registry.register(
            "journal_writable",
            "1 when orders can be journaled; 0: they are refused",
            self.journal_writable.clone(),
        );
        registry.register(
            "journal_append_seconds",
            "Time to journal one batch",
            self.journal_seconds.clone(),
        );
        registry.register(
            "media_connect_seconds",
            "From the offer to connected media",
            self.connect_seconds.clone(),
        );
        registry.register(
            "slot_first_frame_seconds",
            "From the switch of a slot to its first keyframe",
            self.first_frame_seconds.clone(),
        );
        registry.register(
            "join_first_frame_seconds",
            "From a client's offer to the first keyframe in any of its slots",
            self.join_seconds.clone(),
        );
        self.quality.register(registry);
    }
}

impl Metrics {
    #[must_use]
    pub fn new(
        token: Option<&str>,
        desk: &DeskMetrics,
        node: &liandong_sfu_node::Node,
    ) -> Arc<Self> {
        let mut registry = Registry::with_prefix("liandong");
        desk.register(&mut registry);
        node.register(&mut registry);
        let doors = DoorMetrics::default();
        doors.register(&mut registry);
        Arc::new(Self {
            registry,
            doors,
            token: token.map(hash),
        })
    }

    fn may_read(&self, from: IpAddr, headers: &HeaderMap) -> bool {
        let token = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        match (self.token, token) {
            // Hashes are compared, so that timing tells nothing of the token.
            (Some(token), Some(given)) => hash(given) == token,
            (Some(_) | None, None) => from.to_canonical().is_loopback(),
            (None, Some(_)) => false,
        }
    }
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

/// Figures for Prometheus.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "operation",
    operation_id = "metrics",
    responses(
        (status = 200, description = "OpenMetrics text; seconds, bytes, counts as each name says", body = String, content_type = "application/openmetrics-text"),
        (status = 403, description = "Neither from this machine nor with the token of the configuration"),
    ),
    security((), ("metrics" = [])),
)]
pub async fn show(State(app): State<App>, remote: Remote, headers: HeaderMap) -> Response {
    if !app.metrics.may_read(remote.0.ip(), &headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let mut text = String::new();
    match prometheus_client::encoding::text::encode(&mut text, &app.metrics.registry) {
        Ok(()) => (
            [(
                CONTENT_TYPE,
                "application/openmetrics-text; version=1.0.0; charset=utf-8",
            )],
            text,
        )
            .into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics not written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
