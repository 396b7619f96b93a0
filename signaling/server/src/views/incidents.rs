//! Incidents: domain types to and from those of the wire.

use domain::incident::event::What;
use domain::incident::near::alike;
use domain::incident::{FileRef, Report, ReportSource, Step};
use liandong_domain as domain;
use liandong_protocol as protocol;
use liandong_protocol::incident as wire;

use super::plans;
use super::wire::{account_id, conference_id, ms, site_code, target_of, tier, tier_of};

/// Settled ones that a client is still told of at its start.
const SETTLED: usize = 50;

#[must_use]
pub fn id(id: domain::IncidentId) -> protocol::IncidentId {
    protocol::IncidentId(id.0)
}

#[must_use]
pub fn id_of(id: protocol::IncidentId) -> domain::IncidentId {
    domain::IncidentId(id.0)
}

pub(crate) fn kind(kind: domain::IncidentKind) -> wire::IncidentKind {
    match kind {
        domain::IncidentKind::Sudden => wire::IncidentKind::Sudden,
        domain::IncidentKind::Mass => wire::IncidentKind::Mass,
        domain::IncidentKind::Contingency => wire::IncidentKind::Contingency,
    }
}

pub(super) fn kind_of(kind: wire::IncidentKind) -> domain::IncidentKind {
    match kind {
        wire::IncidentKind::Sudden => domain::IncidentKind::Sudden,
        wire::IncidentKind::Mass => domain::IncidentKind::Mass,
        wire::IncidentKind::Contingency => domain::IncidentKind::Contingency,
    }
}

pub(crate) fn level(level: domain::Level) -> wire::IncidentLevel {
    match level {
        domain::Level::I => wire::IncidentLevel::I,
        domain::Level::II => wire::IncidentLevel::II,
        domain::Level::III => wire::IncidentLevel::III,
        domain::Level::IV => wire::IncidentLevel::IV,
    }
}

pub(super) fn level_of(level: wire::IncidentLevel) -> domain::Level {
    match level {
        wire::IncidentLevel::I => domain::Level::I,
        wire::IncidentLevel::II => domain::Level::II,
        wire::IncidentLevel::III => domain::Level::III,
        wire::IncidentLevel::IV => domain::Level::IV,
    }
}

pub(crate) fn state(state: domain::IncidentState) -> wire::IncidentState {
    match state {
        domain::IncidentState::Reported => wire::IncidentState::Reported,
        domain::IncidentState::Verified => wire::IncidentState::Verified,
        domain::IncidentState::Dispatched => wire::IncidentState::Dispatched,
        domain::IncidentState::Controlled => wire::IncidentState::Controlled,
        domain::IncidentState::Closed => wire::IncidentState::Closed,
        domain::IncidentState::Reviewed => wire::IncidentState::Reviewed,
        domain::IncidentState::Duplicate => wire::IncidentState::Duplicate,
        domain::IncidentState::False => wire::IncidentState::False,
    }
}

fn response(state: domain::ResponderState) -> wire::ResponderState {
    match state {
        domain::ResponderState::Assigned => wire::ResponderState::Assigned,
        domain::ResponderState::Acknowledged => wire::ResponderState::Acknowledged,
        domain::ResponderState::EnRoute => wire::ResponderState::EnRoute,
        domain::ResponderState::OnScene => wire::ResponderState::OnScene,
        domain::ResponderState::Done => wire::ResponderState::Done,
    }
}

fn response_of(state: wire::ResponderState) -> domain::ResponderState {
    match state {
        wire::ResponderState::Assigned => domain::ResponderState::Assigned,
        wire::ResponderState::Acknowledged => domain::ResponderState::Acknowledged,
        wire::ResponderState::EnRoute => domain::ResponderState::EnRoute,
        wire::ResponderState::OnScene => domain::ResponderState::OnScene,
        wire::ResponderState::Done => domain::ResponderState::Done,
    }
}

/// From somebody who is signed in.
#[must_use]
pub fn report(report: wire::IncidentReport) -> Report {
    Report {
        kind: kind_of(report.kind),
        level: report.level.map(level_of),
        title: report.title,
        text: report.text,
        place: report
            .place
            .map(|place| domain::Place::from_degrees(place.longitude, place.latitude)),
        address: report.address,
        site: report.site.map(|code| domain::SiteCode(code.0)),
        source: ReportSource::Account,
    }
}

/// Tiers and subtrees are no responders: they are left out, and an order
/// without anybody is refused by the rules.
#[must_use]
pub fn step(step: wire::IncidentStep) -> Step {
    match step {
        wire::IncidentStep::Verify { kind, level } => Step::Verify {
            kind: kind_of(kind),
            level: level_of(level),
        },
        wire::IncidentStep::MarkDuplicate { of } => Step::MarkDuplicate { of: id_of(of) },
        wire::IncidentStep::MarkFalse { reason } => Step::MarkFalse { reason },
        wire::IncidentStep::SetLevel { level, reason } => Step::SetLevel {
            level: level_of(level),
            reason,
        },
        wire::IncidentStep::Escalate { tier, reason } => Step::Escalate {
            tier: tier_of(tier),
            reason,
        },
        wire::IncidentStep::Assign { responders, text } => Step::Assign {
            responders: responders.into_iter().filter_map(callee).collect(),
            text,
        },
        wire::IncidentStep::Respond { state } => Step::Respond {
            state: response_of(state),
        },
        wire::IncidentStep::Control { text } => Step::Control { text },
        wire::IncidentStep::Close { text } => Step::Close { text },
        wire::IncidentStep::Review { findings } => Step::Review { findings },
        wire::IncidentStep::Note { text } => Step::Note { text },
    }
}

fn callee(target: protocol::Target) -> Option<domain::Callee> {
    match target {
        protocol::Target::Site { code } => Some(domain::Callee::Site {
            code: domain::SiteCode(code.0),
        }),
        protocol::Target::Person { account } => Some(domain::Callee::Person {
            account: domain::AccountId(account.0),
        }),
        protocol::Target::Tier { .. } | protocol::Target::Subtree { .. } => None,
    }
}

/// What the viewer may know: open ones and the last that are settled, by number.
#[must_use]
pub fn all(county: &domain::County, viewer: &domain::AccountId) -> Vec<wire::Incident> {
    let seen: Vec<&domain::Incident> = county
        .incidents()
        .filter(|one| county.sees_incident(viewer, one))
        .collect();
    let settled = seen.iter().filter(|one| one.state.is_final()).count();
    let mut skip = settled.saturating_sub(SETTLED);
    seen.into_iter()
        .filter(|one| {
            let skipped = skip > 0 && one.state.is_final();
            skip -= usize::from(skipped);
            !skipped
        })
        .map(|one| incident(county, viewer, one))
        .collect()
}

/// As it stands in the viewer's list.
#[must_use]
pub fn incident(
    county: &domain::County,
    viewer: &domain::AccountId,
    one: &domain::Incident,
) -> wire::Incident {
    let directory = county.directory();
    let account = directory.account(viewer);
    let name = |id: &domain::AccountId| account_name(county, id);
    let own = account.and_then(|account| one.response_of(account));
    let count = |wanted: fn(domain::ResponderState) -> bool| {
        let found = one.responders.iter().filter(|each| wanted(each.state));
        u32::try_from(found.count()).unwrap_or(u32::MAX)
    };
    wire::Incident {
        id: id(one.id),
        state: state(one.state),
        kind: kind(one.kind),
        level: one.level.map(level),
        title: one.report.title.clone(),
        site: site_code(&one.site),
        site_name: directory
            .site(&one.site)
            .map(|site| site.name.clone())
            .unwrap_or_default(),
        tier: tier(one.tier),
        place: one.report.place.map(|place| protocol::Place {
            longitude: place.longitude(),
            latitude: place.latitude(),
        }),
        address: one.report.address.clone(),
        reporter: one.reporter.as_ref().map(account_id),
        reporter_name: reporter(county, one),
        reported_at_ms: ms(one.reported_at),
        changed_at_ms: ms(one.changed_at()),
        commander_name: one.commander.as_ref().map(name),
        duplicate_of: one.duplicate_of.map(id),
        conferences: one.conferences.iter().copied().map(conference_id).collect(),
        sent: count(|_| true),
        on_scene: count(|state| state == domain::ResponderState::OnScene),
        handles: account.is_some_and(|account| county.handles(account, one)),
        own_response: own.map(|own| response(own.state)),
    }
}

/// The whole of it.
#[must_use]
pub fn dossier(
    county: &domain::County,
    viewer: &domain::AccountId,
    one: &domain::Incident,
) -> wire::Dossier {
    let visible = county
        .incidents()
        .filter(|other| county.sees_incident(viewer, other));
    wire::Dossier {
        incident: incident(county, viewer, one),
        text: one.report.text.clone(),
        responders: one
            .responders
            .iter()
            .map(|each| wire::Responder {
                who: target_of(&each.who),
                name: county.callee_name(&each.who).to_owned(),
                state: response(each.state),
                assigned_at_ms: ms(each.assigned_at),
                state_at_ms: ms(each.state_at),
            })
            .collect(),
        files: one.files.iter().map(file).collect(),
        timeline: one
            .timeline
            .iter()
            .map(|entry| wire::TimelineEntry {
                at_ms: ms(entry.at),
                by: entry.by.as_ref().map(account_id),
                by_name: match (&entry.by, &entry.what) {
                    (Some(by), _) => account_name(county, by),
                    (None, What::Reported { .. }) => reporter(county, one),
                    (None, _) => String::new(), // the server itself
                },
                what: what(county, &entry.what),
            })
            .collect(),
        alike: alike(one, visible)
            .into_iter()
            .map(|one| id(one.id))
            .collect(),
        plans: plans::choices(county, viewer, one),
        runs: plans::runs(county, one.id),
    }
}

fn what(county: &domain::County, what: &What) -> wire::TimelineWhat {
    let name = |who: &domain::Callee| county.callee_name(who).to_owned();
    match what {
        What::Reported { .. } => wire::TimelineWhat::Reported,
        What::Verified {
            kind: of,
            level: at,
        } => wire::TimelineWhat::Verified {
            kind: kind(*of),
            level: level(*at),
        },
        What::MarkedDuplicate { of } => wire::TimelineWhat::MarkedDuplicate { of: id(*of) },
        What::MarkedFalse { reason } => wire::TimelineWhat::MarkedFalse {
            reason: reason.clone(),
        },
        What::Levelled { level: at, reason } => wire::TimelineWhat::Levelled {
            level: level(*at),
            reason: reason.clone(),
        },
        What::Escalated { tier: to, reason } => wire::TimelineWhat::Escalated {
            tier: tier(*to),
            reason: reason.clone(),
        },
        What::Assigned { responder, text } => wire::TimelineWhat::Assigned {
            name: name(responder),
            text: text.clone(),
        },
        What::Responded { responder, state } => wire::TimelineWhat::Responded {
            name: name(responder),
            state: response(*state),
        },
        What::Convened { conference } => wire::TimelineWhat::Convened {
            conference: conference_id(*conference),
        },
        What::Controlled { text } => wire::TimelineWhat::Controlled { text: text.clone() },
        What::Closed { text } => wire::TimelineWhat::Closed { text: text.clone() },
        What::Reviewed { findings } => wire::TimelineWhat::Reviewed {
            findings: findings.clone(),
        },
        What::Noted { text } => wire::TimelineWhat::Noted { text: text.clone() },
        What::PlanStarted { name, version, .. } => wire::TimelineWhat::PlanStarted {
            name: name.clone(),
            version: *version,
        },
        What::PlanStopped { name, .. } => wire::TimelineWhat::PlanStopped { name: name.clone() },
        What::PlanStep {
            step, text, called, ..
        } => wire::TimelineWhat::PlanStep {
            step: step.saturating_add(1),
            text: text.clone(),
            called: *called,
        },
        What::PlanStepSettled {
            step,
            reached,
            missed,
            ..
        } => wire::TimelineWhat::PlanStepSettled {
            step: step.saturating_add(1),
            reached: *reached,
            missed: missed.iter().map(name).collect(),
        },
        What::Unreached { callee, told } => wire::TimelineWhat::Unreached {
            name: name(callee),
            told: told.as_ref().map(|code| plans::site_name(county, code)),
        },
        What::Reached { callee, name: by } => wire::TimelineWhat::Reached {
            name: name(callee),
            by: by.clone(),
        },
        What::Attached { file: of, text } => wire::TimelineWhat::Attached {
            file: file(of),
            text: text.clone(),
        },
    }
}

fn file(file: &FileRef) -> wire::IncidentFile {
    wire::IncidentFile {
        id: file.id.clone(),
        media_type: file.media_type.clone(),
        name: file.name.clone(),
        bytes: file.bytes,
    }
}

pub(super) fn account_name(county: &domain::County, id: &domain::AccountId) -> String {
    let account = county.directory().account(id);
    account.map_or_else(|| id.0.clone(), |account| account.name.clone())
}

fn reporter(county: &domain::County, one: &domain::Incident) -> String {
    match (&one.reporter, &one.report.source) {
        (Some(by), _) => account_name(county, by),
        (None, ReportSource::Platform { name, .. }) => name.clone(),
        (None, ReportSource::Account) => String::new(),
    }
}
