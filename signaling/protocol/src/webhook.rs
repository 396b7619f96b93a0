//! What other systems are told by webhooks (docs/webhooks.md), and what an administrator sees of it.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::directory::{Place, Tier};
use crate::ids::{IncidentId, SiteCode};
use crate::incident::{IncidentKind, IncidentLevel, IncidentState};

/// The body of one webhook.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WebhookMessage {
    /// `incident.closed`
    pub r#type: String,
    /// When it happened; RFC 3339, UTC.
    pub timestamp: String,
    pub data: WebhookData,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WebhookData {
    /// Of the journal. Messages may come out of order: the higher number is the later one.
    pub entry: u64,
    /// A person's or platform's name; null: the server.
    pub by_name: Option<String>,
    /// A note, a closing text, a reason.
    pub text: Option<String>,
    /// As it stood when the message was made; null: settled long ago.
    pub incident: Option<WebhookIncident>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WebhookIncident {
    pub id: IncidentId,
    pub state: IncidentState,
    pub kind: IncidentKind,
    pub level: Option<IncidentLevel>,
    pub title: String,
    pub site: SiteCode,
    pub site_name: String,
    pub tier: Tier,
    pub place: Option<Place>,
    pub address: String,
    /// The platform that reported it, by its name.
    pub platform: Option<String>,
    /// That platform's own number.
    pub reference: Option<String>,
    pub reported_at: String,
}

/// How the deliveries of one webhook stand.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Webhook {
    #[schema(example = "oa")]
    pub id: String,
    #[schema(example = "https://oa.example/hooks")]
    pub url: String,
    /// Absent: all.
    pub events: Option<Vec<String>>,
    /// Messages that wait for their first or next try.
    pub waiting: u32,
    /// Since the server was set up.
    pub delivered: u32,
    /// What the last try gave, if it was no success: a status or why there was no answer.
    #[schema(example = "503 Service Unavailable")]
    pub trouble: Option<String>,
    /// Given up and still known.
    pub given_up: u32,
    /// Of those the newest, that first; at most 100.
    pub dead: Vec<DeadLetter>,
}

/// A message that was given up.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct DeadLetter {
    /// Of the journal; the number of the message.
    pub entry: u32,
    #[schema(example = "incident.closed")]
    pub r#type: String,
    pub happened_at_ms: f64,
    pub attempts: u32,
    /// What the last try gave.
    #[schema(example = "410 Gone")]
    pub trouble: String,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Webhooks {
    pub webhooks: Vec<Webhook>,
}
