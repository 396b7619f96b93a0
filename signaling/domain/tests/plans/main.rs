//! Plans: written, approved by a second person, run by one tap; who is pursued
//! when nobody answers; who has the seat.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod duty;
mod pursuit;
mod running;
#[path = "../support/mod.rs"]
mod support;
mod writing;

use std::time::Duration;

use liandong_domain::duty::{NewShift, ShiftState};
use liandong_domain::incident::event::What;
use liandong_domain::incident::{Report, ReportSource, Step};
use liandong_domain::plan::{
    OnMiss, PlanContent, PlanState, PlanStep, RunStepState, Trigger, Via, Whom,
};
use liandong_domain::pursuit::{AttemptResult, Channel, Pursuit, PursuitState};
use liandong_domain::{
    Callee, ConferenceId, ConferenceKind, Contact, DutyId, DutyOrder, IncidentId, IncidentKind,
    IncidentOrder, IncidentState, InvitationState, Level, Order, Outcome, PlanId, PlanOrder,
    PursuitOrder, RefusalCode, ResponderState, Tier,
};
use support::{
    ADMINISTRATOR, CHUNCHANGBA, COMMANDER, COUNTY, DATANGBA, DISPATCHER, FIELD_CHUNCHANGBA,
    FIELD_JIZHOU, JIZHOU, LUOPING, SHAHE, SUPERVISOR, Shell, callee, site,
};

fn step(after_s: u32, whom: Vec<Whom>) -> PlanStep {
    PlanStep {
        after_s,
        whom,
        show: vec![Whom::IncidentSite],
        text: "立即到岗，核实险情".to_owned(),
        ack_within_s: 120,
        on_miss: OnMiss::default(),
    }
}

fn at(code: &str) -> Whom {
    Whom::Site { code: code.into() }
}

fn content(name: &str, steps: Vec<PlanStep>) -> PlanContent {
    PlanContent {
        name: name.to_owned(),
        trigger: Trigger::default(),
        steps,
        record: false,
    }
}

fn plan(order: PlanOrder) -> Order {
    Order::Plan { order }
}

fn save(content: &PlanContent) -> Order {
    plan(PlanOrder::Save {
        plan: None,
        content: content.clone(),
    })
}

/// Of the text as it stands.
fn approve(shell: &Shell, version: u32) -> Order {
    let known = shell.county.plans().plan(PlanId(1));
    let one = known.and_then(|plan| plan.versions.get(&version));
    plan(PlanOrder::Approve {
        plan: PlanId(1),
        version,
        saved_at: one.map_or(shell.now, |one| one.saved_at),
    })
}

fn start(incident: IncidentId) -> Order {
    plan(PlanOrder::Start {
        plan: PlanId(1),
        incident,
    })
}

fn duty(order: DutyOrder) -> Order {
    Order::Duty { order }
}

fn incident_step(incident: IncidentId, step: Step) -> Order {
    Order::Incident {
        order: IncidentOrder::Step { incident, step },
    }
}

fn reported(shell: &mut Shell, code: &str) -> IncidentId {
    let report = Report {
        kind: IncidentKind::Contingency,
        level: None,
        title: "河水漫堤".to_owned(),
        text: String::new(),
        place: None,
        address: String::new(),
        site: Some(code.into()),
        source: ReportSource::Account,
    };
    let order = Order::Incident {
        order: IncidentOrder::Report { report },
    };
    shell.by(COMMANDER, order).unwrap();
    shell.county.incidents().last().unwrap().id
}

fn verified(shell: &mut Shell, code: &str) -> IncidentId {
    let id = reported(shell, code);
    let verify = Step::Verify {
        kind: IncidentKind::Contingency,
        level: Level::I,
    };
    shell.by(COMMANDER, incident_step(id, verify)).unwrap();
    id
}

/// In force, and at work on an incident at Chunchangba.
fn running(shell: &mut Shell, content: &PlanContent) -> (IncidentId, ConferenceId) {
    shell.by(DISPATCHER, save(content)).unwrap();
    let order = approve(shell, 1);
    shell.by(COMMANDER, order).unwrap();
    let incident = verified(shell, CHUNCHANGBA);
    let events = shell.by(COMMANDER, start(incident)).unwrap();
    let Outcome::Called { conference, .. } = Outcome::of(&start(incident), &events) else {
        panic!("a plan rings somebody");
    };
    shell.connect(COMMANDER);
    (incident, conference)
}

fn contact(name: &str, account: Option<&str>, phone: Option<&str>) -> Contact {
    Contact {
        name: name.to_owned(),
        account: account.map(Into::into),
        phone: phone.map(ToOwned::to_owned),
    }
}
