//! Plans and their runs: domain types to and from those of the wire.

use domain::plan::{self as rules, PlanBook};
use liandong_domain as domain;
use liandong_protocol as protocol;
use liandong_protocol::plan as wire;

use super::incidents::{account_name, kind, kind_of, level, level_of};
use super::wire::{
    account_id, conference_id, ms, ms_of, role, role_of, site_code, target_of, tier, tier_of,
};

#[must_use]
pub fn order(order: wire::PlanOrder) -> domain::PlanOrder {
    match order {
        wire::PlanOrder::Save { plan, content } => domain::PlanOrder::Save {
            plan: plan.map(id_of),
            content: content_of(content),
        },
        wire::PlanOrder::Approve {
            plan,
            version,
            saved_at_ms,
        } => domain::PlanOrder::Approve {
            plan: id_of(plan),
            version,
            saved_at: ms_of(saved_at_ms),
        },
        wire::PlanOrder::Retire { plan, version } => domain::PlanOrder::Retire {
            plan: id_of(plan),
            version,
        },
        wire::PlanOrder::Start { plan, incident } => domain::PlanOrder::Start {
            plan: id_of(plan),
            incident: super::incidents::id_of(incident),
        },
        wire::PlanOrder::Stop { run } => domain::PlanOrder::Stop {
            run: domain::RunId(run.0),
        },
    }
}

/// A plan of the configuration.
#[must_use]
pub fn install(content: &wire::PlanContent) -> domain::Order {
    domain::Order::Plan {
        order: domain::PlanOrder::Install {
            content: content_of(content.clone()),
        },
    }
}

#[must_use]
pub fn id(id: domain::PlanId) -> protocol::PlanId {
    protocol::PlanId(id.0)
}

fn id_of(id: protocol::PlanId) -> domain::PlanId {
    domain::PlanId(id.0)
}

#[must_use]
pub fn content_of(content: wire::PlanContent) -> rules::PlanContent {
    rules::PlanContent {
        name: content.name,
        trigger: rules::Trigger {
            kind: content.trigger.kind.map(kind_of),
            level: content.trigger.level.map(level_of),
            area: content.trigger.area.map(|code| domain::SiteCode(code.0)),
        },
        steps: content.steps.into_iter().map(step_of).collect(),
        record: content.record,
    }
}

fn step_of(step: wire::PlanStep) -> rules::PlanStep {
    rules::PlanStep {
        after_s: step.after_s,
        whom: step.whom.into_iter().map(whom_of).collect(),
        show: step.show.into_iter().map(whom_of).collect(),
        text: step.text,
        ack_within_s: step.ack_within_s,
        on_miss: rules::OnMiss {
            repeat: step.on_miss.repeat,
            contacts: step.on_miss.contacts,
            above: step.on_miss.above,
        },
    }
}

fn whom_of(whom: wire::PlanWhom) -> rules::Whom {
    let code = |code: protocol::SiteCode| domain::SiteCode(code.0);
    match whom {
        wire::PlanWhom::Site { code: site } => rules::Whom::Site { code: code(site) },
        wire::PlanWhom::Person { account } => rules::Whom::Person {
            account: domain::AccountId(account.0),
        },
        wire::PlanWhom::Tier { tier } => rules::Whom::Tier {
            tier: tier_of(tier),
        },
        wire::PlanWhom::Subtree { root } => rules::Whom::Subtree { root: code(root) },
        wire::PlanWhom::Role { role } => rules::Whom::Role {
            role: role_of(role),
        },
        wire::PlanWhom::DutySeat { site } => rules::Whom::DutySeat {
            site: site.map(code),
        },
        wire::PlanWhom::IncidentSite => rules::Whom::IncidentSite,
        wire::PlanWhom::IncidentSubtree => rules::Whom::IncidentSubtree,
        wire::PlanWhom::IncidentSuperiors => rules::Whom::IncidentSuperiors,
    }
}

fn content(content: &rules::PlanContent) -> wire::PlanContent {
    wire::PlanContent {
        name: content.name.clone(),
        trigger: wire::PlanTrigger {
            kind: content.trigger.kind.map(kind),
            level: content.trigger.level.map(level),
            area: content.trigger.area.as_ref().map(site_code),
        },
        steps: content.steps.iter().map(step).collect(),
        record: content.record,
    }
}

fn step(step: &rules::PlanStep) -> wire::PlanStep {
    wire::PlanStep {
        after_s: step.after_s,
        whom: step.whom.iter().map(whom).collect(),
        show: step.show.iter().map(whom).collect(),
        text: step.text.clone(),
        ack_within_s: step.ack_within_s,
        on_miss: wire::PlanOnMiss {
            repeat: step.on_miss.repeat,
            contacts: step.on_miss.contacts,
            above: step.on_miss.above,
        },
    }
}

fn whom(whom: &rules::Whom) -> wire::PlanWhom {
    match whom {
        rules::Whom::Site { code } => wire::PlanWhom::Site {
            code: site_code(code),
        },
        rules::Whom::Person { account } => wire::PlanWhom::Person {
            account: account_id(account),
        },
        rules::Whom::Tier { tier: of } => wire::PlanWhom::Tier { tier: tier(*of) },
        rules::Whom::Subtree { root } => wire::PlanWhom::Subtree {
            root: site_code(root),
        },
        rules::Whom::Role { role: of } => wire::PlanWhom::Role { role: role(*of) },
        rules::Whom::DutySeat { site } => wire::PlanWhom::DutySeat {
            site: site.as_ref().map(site_code),
        },
        rules::Whom::IncidentSite => wire::PlanWhom::IncidentSite,
        rules::Whom::IncidentSubtree => wire::PlanWhom::IncidentSubtree,
        rules::Whom::IncidentSuperiors => wire::PlanWhom::IncidentSuperiors,
    }
}

/// Every plan that the viewer may see, by number.
#[must_use]
pub fn all(county: &domain::County, viewer: &domain::AccountId) -> Vec<wire::Plan> {
    let plans = county.plans().plans();
    let seen = plans.filter(|plan| county.sees_plan(viewer, plan));
    seen.map(|plan| one(county, viewer, plan)).collect()
}

fn one(county: &domain::County, viewer: &domain::AccountId, plan: &rules::Plan) -> wire::Plan {
    let account = county.directory().account(viewer);
    let may = |kind| {
        account.is_some_and(|account| {
            county.keeps_plan(account, &plan.owner)
                && domain::authority::role_may(account.role, domain::OrderKind::Plan(kind))
        })
    };
    let name = |id: &domain::AccountId| {
        // The configuration has no login name.
        (!id.0.is_empty()).then(|| account_name(county, id))
    };
    let versions = plan.versions.iter().rev().map(|(number, version)| {
        let drafted = version.state == rules::PlanState::Draft;
        wire::PlanVersion {
            number: *number,
            state: state(version.state),
            content: content(&version.content),
            author_name: name(&version.author),
            saved_at_ms: ms(version.saved_at),
            approved_by_name: version.approved_by.as_ref().and_then(name),
            approved_at_ms: version.approved_at.map(ms),
            retired_at_ms: version.retired_at.map(ms),
            approvable: drafted && version.author != *viewer && may(rules::PlanOrderKind::Approve),
        }
    });
    wire::Plan {
        id: id(plan.id),
        owner: site_code(&plan.owner),
        owner_name: site_name(county, &plan.owner),
        keeps: may(rules::PlanOrderKind::Save),
        versions: versions.collect(),
    }
}

fn state(state: rules::PlanState) -> wire::PlanState {
    match state {
        rules::PlanState::Draft => wire::PlanState::Draft,
        rules::PlanState::Approved => wire::PlanState::Approved,
        rules::PlanState::Retired => wire::PlanState::Retired,
    }
}

/// What the account may run on the incident, while it may.
#[must_use]
pub fn choices(
    county: &domain::County,
    viewer: &domain::AccountId,
    incident: &domain::Incident,
) -> Vec<wire::PlanChoice> {
    let account = county.directory().account(viewer);
    let account = account.filter(|account| {
        let kind = domain::OrderKind::Plan(rules::PlanOrderKind::Start);
        let sends = incident
            .state
            .after(domain::incident::IncidentInput::Assign);
        sends.is_ok()
            && domain::authority::role_may(account.role, kind)
            && county.handles(account, incident)
    });
    let Some(account) = account else {
        return Vec::new();
    };
    let found = county.plans_for(account, incident).into_iter();
    found
        .filter_map(|(plan, fits)| {
            let (version, in_force) = plan.in_force()?;
            let text = &in_force.content;
            Some(wire::PlanChoice {
                plan: id(plan.id),
                version,
                name: text.name.clone(),
                fits,
                rings: count(county.rings_at_once(account, &incident.site, text)),
                steps: count(text.steps.len()),
                content: content(text),
            })
        })
        .collect()
}

/// Plans at work on the incident and those that are done.
#[must_use]
pub fn runs(county: &domain::County, incident: domain::IncidentId) -> Vec<wire::PlanRun> {
    let book: &PlanBook = county.plans();
    let runs = book.runs().filter(|run| run.incident == incident);
    runs.map(|run| self::run(county, run)).collect()
}

fn run(county: &domain::County, run: &rules::PlanRun) -> wire::PlanRun {
    let steps = run.steps.iter().zip(&run.content.steps);
    wire::PlanRun {
        id: protocol::RunId(run.id.0),
        name: run.content.name.clone(),
        version: run.version,
        conference: conference_id(run.conference),
        record: run.content.record,
        by_name: account_name(county, &run.by),
        started_at_ms: ms(run.started_at),
        ended_at_ms: run.ended_at.map(ms),
        stopped_by_name: run.stopped_by.as_ref().map(|by| account_name(county, by)),
        steps: steps
            .map(|(step, planned)| {
                let missing = missing(county, run, step);
                wire::PlanRunStep {
                    state: match step.state {
                        rules::RunStepState::Waiting => wire::PlanRunStepState::Waiting,
                        rules::RunStepState::Begun => wire::PlanRunStepState::Begun,
                        rules::RunStepState::Settled => wire::PlanRunStepState::Settled,
                    },
                    text: planned.text.clone(),
                    at_ms: ms(step.at),
                    deadline_ms: ms(step.deadline),
                    called: count(step.callees.len()),
                    reached: count(step.callees.len() - missing.len()),
                    missing,
                }
            })
            .collect(),
    }
}

/// Who is not reached up to now, or was not by the deadline.
fn missing(county: &domain::County, run: &rules::PlanRun, step: &rules::RunStep) -> Vec<String> {
    let name = |callee: &domain::Callee| county.callee_name(callee).to_owned();
    match step.state {
        rules::RunStepState::Waiting => Vec::new(),
        rules::RunStepState::Begun => {
            let open = step
                .callees
                .iter()
                .filter(|one| !county.has_reached(run, one));
            open.map(name).collect()
        }
        rules::RunStepState::Settled => step.missed.iter().map(name).collect(),
    }
}

/// What the content would do now.
#[must_use]
pub fn rehearsal(
    county: &domain::County,
    by: &domain::Account,
    site: &domain::SiteCode,
    content: wire::PlanContent,
) -> wire::PlanRehearsal {
    let found = county.rehearse(by, site, &content_of(content));
    let name = |callee: &domain::Callee| county.callee_name(callee).to_owned();
    let ring = |ring: &rules::RehearsedRing| wire::PlanRehearsedRing {
        who: target_of(&ring.callee),
        name: name(&ring.callee),
        ordered: ring.ordered,
        via: match ring.via {
            rules::Via::Devices => wire::PlanVia::Devices,
            rules::Via::TakenOut => wire::PlanVia::TakenOut,
            rules::Via::Busy => wire::PlanVia::Busy,
            rules::Via::Contacts => wire::PlanVia::Contacts,
            rules::Via::Nobody => wire::PlanVia::Nobody,
        },
        contacts: ring.contacts.iter().map(|one| one.name.clone()).collect(),
    };
    let steps = found.steps.iter().map(|step| wire::PlanRehearsedStep {
        rings: step.rings.iter().map(ring).collect(),
        show: step.show.iter().map(name).collect(),
    });
    wire::PlanRehearsal {
        steps: steps.collect(),
    }
}

pub(super) fn site_name(county: &domain::County, code: &domain::SiteCode) -> String {
    let site = county.directory().site(code);
    site.map(|site| site.name.clone()).unwrap_or_default()
}

pub(super) fn count(of: usize) -> u32 {
    u32::try_from(of).unwrap_or(u32::MAX)
}
