//! Journal entries as messages.

use domain::incident::event::What;
use domain::incident::{IncidentEvent, ReportSource};
use liandong_domain::{self as domain, County, Event};
use liandong_protocol::Refusal;
use liandong_protocol::webhook::{WebhookData, WebhookIncident, WebhookMessage};

use super::store::{Entry, Message};
use crate::config::Webhook;
use crate::desk::Desk;
use crate::journal::record::{Content, Record};
use crate::views::platforms::{place, rfc3339};
use crate::views::{incidents, wire};

/// What the receiver is told of these entries.
///
/// # Errors
/// The server is stopping.
pub async fn make(
    hook: &Webhook,
    desk: &Desk,
    entries: Vec<Entry>,
) -> Result<Vec<Message>, Refusal> {
    let wanted: Vec<(Entry, IncidentEvent)> = entries
        .into_iter()
        .filter_map(|entry| {
            let event = incident_event(&entry)?;
            let events = hook.events.as_ref();
            let tells = events.is_none_or(|events| events.contains(name(&event.what)));
            tells.then_some((entry, event))
        })
        .collect();
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let platform = hook.platform.clone();
    desk.look(move |county| {
        wanted
            .iter()
            .filter_map(|(entry, event)| message(county, platform.as_deref(), entry, event))
            .collect()
    })
    .await
}

fn incident_event(entry: &Entry) -> Option<IncidentEvent> {
    let record: Record = serde_json::from_str(&entry.body)
        .inspect_err(|error| tracing::error!(%error, entry = entry.number, "no webhook made of it"))
        .ok()?;
    match record.content {
        Content::Event(Event::Incident { event }) => Some(event),
        Content::Event(_) | Content::Access(_) | Content::Upkeep(_) => None,
    }
}

fn message(
    county: &County,
    platform: Option<&str>,
    entry: &Entry,
    event: &IncidentEvent,
) -> Option<Message> {
    let incident = county.incident(event.incident);
    let from = incident.and_then(|one| match &one.report.source {
        ReportSource::Platform { name, .. } => Some(name.as_str()),
        ReportSource::Account => None,
    });
    if platform.is_some_and(|wanted| from != Some(wanted)) {
        return None;
    }
    let by_name = match &event.by {
        Some(by) => county
            .directory()
            .account(by)
            .map(|account| account.name.clone()),
        None => from.map(str::to_owned),
    };
    let kind = name(&event.what);
    let message = WebhookMessage {
        r#type: kind.to_owned(),
        timestamp: rfc3339(event.at),
        data: WebhookData {
            entry: entry.number,
            by_name,
            text: text(&event.what),
            incident: incident.map(|one| view(county, one)),
        },
    };
    let at_ms = i64::try_from(event.at.0).unwrap_or(i64::MAX);
    Some(Message {
        entry: entry.number,
        id: format!("msg_{}", hex::encode(&entry.hash[..16])),
        kind: kind.to_owned(),
        at_ms,
        body: serde_json::to_string(&message).ok()?,
        begun_ms: 0, // the store says when
        attempts: 0,
    })
}

fn view(county: &County, one: &domain::Incident) -> WebhookIncident {
    let (platform, reference) = match &one.report.source {
        ReportSource::Platform { name, reference } => (Some(name.clone()), Some(reference.clone())),
        ReportSource::Account => (None, None),
    };
    let site = county.directory().site(&one.site);
    WebhookIncident {
        id: incidents::id(one.id),
        state: incidents::state(one.state),
        kind: incidents::kind(one.kind),
        level: one.level.map(incidents::level),
        title: one.report.title.clone(),
        site: wire::site_code(&one.site),
        site_name: site.map(|site| site.name.clone()).unwrap_or_default(),
        tier: wire::tier(one.tier),
        place: one.report.place.map(place),
        address: one.report.address.clone(),
        platform,
        reference,
        reported_at: rfc3339(one.reported_at),
    }
}

/// One of [`crate::config::EVENTS`].
fn name(what: &What) -> &'static str {
    match what {
        What::Reported { .. } => "incident.reported",
        What::Verified { .. } => "incident.verified",
        What::MarkedDuplicate { .. } => "incident.markedDuplicate",
        What::MarkedFalse { .. } => "incident.markedFalse",
        What::Levelled { .. } => "incident.levelled",
        What::Escalated { .. } => "incident.escalated",
        What::Assigned { .. } => "incident.assigned",
        What::Responded { .. } => "incident.responded",
        What::Convened { .. } => "incident.convened",
        What::Controlled { .. } => "incident.controlled",
        What::Closed { .. } => "incident.closed",
        What::Reviewed { .. } => "incident.reviewed",
        What::Noted { .. } => "incident.noted",
        What::Attached { .. } => "incident.attached",
        What::PlanStarted { .. } => "incident.planStarted",
        What::PlanStopped { .. } => "incident.planStopped",
        What::PlanStep { .. } => "incident.planStep",
        What::PlanStepSettled { .. } => "incident.planStepSettled",
        What::Unreached { .. } => "incident.unreached",
        What::Reached { .. } => "incident.reached",
    }
}

fn text(what: &What) -> Option<String> {
    let text = match what {
        What::Reported { report, .. } => &report.text,
        What::MarkedFalse { reason }
        | What::Levelled { reason, .. }
        | What::Escalated { reason, .. } => reason,
        What::Assigned { text, .. }
        | What::Controlled { text }
        | What::Closed { text }
        | What::Noted { text }
        | What::Attached { text, .. }
        | What::PlanStep { text, .. } => text,
        What::PlanStarted { name, .. } | What::PlanStopped { name, .. } => name,
        What::Reviewed { findings } => findings,
        What::Verified { .. }
        | What::MarkedDuplicate { .. }
        | What::Responded { .. }
        | What::Convened { .. }
        | What::PlanStepSettled { .. }
        | What::Unreached { .. }
        | What::Reached { .. } => return None,
    };
    (!text.is_empty()).then(|| text.clone())
}
