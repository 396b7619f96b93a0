//! Nothing grows without end, and what is forgotten is still answered right.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod support;

use std::time::Duration;

use liandong_domain::incident::{Report, ReportSource, Step};
use liandong_domain::limits::{
    MAX_ENDED_CONFERENCES, MAX_INVITATIONS, MAX_PARTICIPANTS, MAX_STAYS_PER_ACCOUNT, MAX_TARGETS,
};
use liandong_domain::plan::{OnMiss, PlanContent, PlanStep, Trigger, Whom};
use liandong_domain::{
    Account, Conduct, ConferenceId, County, IncidentId, IncidentKind, IncidentOrder, InvitationId,
    InvitationState, Level, Order, ParticipantId, PlanId, PlanOrder, RefusalCode, Role, Target,
    Timing,
};
use support::{COMMANDER, DISPATCHER, JIZHOU, SHAHE, START, Shell, call, person, site};

#[test]
fn a_conference_holds_200_with_those_who_are_rung() {
    let mut shell = Shell::lit();
    let mut accounts = support::accounts();
    let patrol = |number: usize| format!("patrol-{number:03}");
    accounts.extend((0..MAX_PARTICIPANTS).map(|number| Account {
        id: patrol(number).as_str().into(),
        name: format!("巡逻队员 {number}"),
        role: Role::Field,
        site: JIZHOU.into(),
        active: true,
    }));
    let order = Order::SetDirectory {
        sites: support::sites(),
        accounts,
    };
    shell.system(order).unwrap();

    let people: Vec<Target> = (0..MAX_PARTICIPANTS)
        .map(|number| person(&patrol(number)))
        .collect();
    let mut groups = people.chunks(MAX_TARGETS);
    let id = shell.call(COMMANDER, groups.next().unwrap(), true);
    let invite = |targets: &[Target]| Order::Invite {
        conference: id,
        targets: targets.to_vec(),
        ordered: true,
    };
    shell.by(COMMANDER, invite(groups.next().unwrap())).unwrap();
    shell.by(COMMANDER, invite(groups.next().unwrap())).unwrap();
    // The commander and 192 of them; the last eight would make 201.
    let last = groups.next().unwrap();
    assert_eq!(last.len(), 8);
    shell.refused(COMMANDER, invite(last), RefusalCode::Full);
    shell.by(COMMANDER, invite(&last[1..])).unwrap();
    shell.refused(COMMANDER, invite(&last[..1]), RefusalCode::Full);
}

#[test]
fn calling_the_absent_has_an_end() {
    let mut shell = Shell::dark();
    shell.devices(COMMANDER, 1);
    let id = shell.call(
        COMMANDER,
        &[Target::Subtree {
            root: support::COUNTY.into(),
        }],
        true,
    );
    let again = Order::InviteAbsent { conference: id };
    for _ in 1..MAX_INVITATIONS / 49 {
        shell.wait(30_000);
        shell.by(COMMANDER, again.clone()).unwrap();
    }
    shell.wait(30_000);
    shell.refused(COMMANDER, again, RefusalCode::Full);
}

/// Who comes and goes without end is called from then on, by others.
#[test]
fn coming_and_going_has_an_end() {
    let mut shell = Shell::lit();
    let conference = shell.call(COMMANDER, &[site(JIZHOU), site(SHAHE)], true);
    shell.join(JIZHOU);
    shell.join(SHAHE);
    let leave = Order::Leave { conference };
    let step = Conduct::Enter { reason: None };
    let enter = Order::Conduct { conference, step };
    for _ in 1..MAX_STAYS_PER_ACCOUNT {
        shell.by(SHAHE, leave.clone()).unwrap();
        shell.by(SHAHE, enter.clone()).unwrap();
    }
    shell.by(SHAHE, leave).unwrap();
    shell.refused(SHAHE, enter, RefusalCode::Full);
    let again = Order::InviteAbsent { conference };
    shell.by(COMMANDER, again).unwrap();
    shell.join(SHAHE);
}

/// Whoever is in the call already takes no second place.
#[test]
fn a_plan_that_names_who_is_there_fits_into_its_call() {
    let mut shell = Shell::lit();
    let patrol = |number: usize| format!("patrol-{number:03}");
    let mut accounts = support::accounts();
    accounts.extend((0..120).map(|number| Account {
        id: patrol(number).as_str().into(),
        name: format!("巡逻队员 {number}"),
        role: Role::Field,
        site: JIZHOU.into(),
        active: true,
    }));
    let sites = support::sites();
    let order = Order::SetDirectory { sites, accounts };
    shell.system(order).unwrap();
    let incident = reported(&mut shell);
    for (plan, name) in [(PlanId(1), "防汛"), (PlanId(2), "撤离")] {
        shell.by(DISPATCHER, saved(name)).unwrap();
        let approve = PlanOrder::Approve {
            plan,
            version: 1,
            saved_at: shell.now,
        };
        shell.by(COMMANDER, Order::Plan { order: approve }).unwrap();
        let order = PlanOrder::Start { plan, incident };
        shell.by(COMMANDER, Order::Plan { order }).unwrap();
    }
    let rung = shell.county.conferences().next().unwrap();
    assert!(rung.pending().count() > 120);
    assert_eq!(shell.county.conferences().count(), 1);
}

/// Rings every field unit of the township.
fn saved(name: &str) -> Order {
    let step = PlanStep {
        after_s: 0,
        whom: vec![Whom::Role { role: Role::Field }],
        show: Vec::new(),
        text: String::new(),
        ack_within_s: 120,
        on_miss: OnMiss::default(),
    };
    let content = PlanContent {
        name: name.to_owned(),
        trigger: Trigger::default(),
        steps: vec![step],
        record: false,
    };
    let order = PlanOrder::Save {
        plan: None,
        content,
    };
    Order::Plan { order }
}

/// And verified, at the township.
fn reported(shell: &mut Shell) -> IncidentId {
    let report = Report {
        kind: IncidentKind::Contingency,
        level: None,
        title: "河水漫堤".to_owned(),
        text: String::new(),
        place: None,
        address: String::new(),
        site: Some(JIZHOU.into()),
        source: ReportSource::Account,
    };
    let order = IncidentOrder::Report { report };
    shell.by(COMMANDER, Order::Incident { order }).unwrap();
    let incident = shell.county.incidents().last().unwrap().id;
    let step = Step::Verify {
        kind: IncidentKind::Contingency,
        level: Level::I,
    };
    let order = IncidentOrder::Step { incident, step };
    shell.by(COMMANDER, Order::Incident { order }).unwrap();
    incident
}

#[test]
fn old_conferences_are_forgotten_and_their_numbers_are_not() {
    let mut shell = Shell::lit();
    let mut ids = Vec::new();
    for _ in 0..MAX_ENDED_CONFERENCES + 3 {
        let id = shell.call(COMMANDER, &[site(JIZHOU)], true);
        shell.by(COMMANDER, Order::End { conference: id }).unwrap();
        ids.push(id);
    }
    assert_eq!(shell.county.conferences().count(), MAX_ENDED_CONFERENCES);
    assert_eq!(ids[0], ConferenceId(1));
    assert!(shell.county.conference(ids[2]).is_none());
    assert!(shell.county.conference(ids[3]).is_some());

    let leave = |conference| Order::Leave { conference };
    let accept = |number| Order::Accept {
        invitation: InvitationId(number),
    };
    shell.refused(COMMANDER, leave(ids[0]), RefusalCode::Ended);
    shell.refused(JIZHOU, accept(1), RefusalCode::Settled);
    shell.refused(JIZHOU, accept(999), RefusalCode::UnknownInvitation);
    for nothing in [ConferenceId(0), ConferenceId(999)] {
        shell.refused(COMMANDER, leave(nothing), RefusalCode::UnknownConference);
    }
    for (number, code) in [
        (1, RefusalCode::NotInConference),
        (0, RefusalCode::UnknownParticipant),
        (999, RefusalCode::UnknownParticipant),
    ] {
        let lost = Order::DeviceLost {
            participant: ParticipantId(number),
        };
        assert_eq!(shell.system(lost).unwrap_err().code(), code);
    }
    assert_eq!(shell.replayed(), shell.county);
    // Numbers go on after the forgotten ones.
    let next = shell.call(COMMANDER, &[site(SHAHE)], true);
    assert_eq!(next.0, ids.last().unwrap().0 + 1);
}

#[test]
fn configured_waits_hold_for_what_is_decided_from_then_on() {
    let mut shell = Shell {
        county: County::with_timing(Timing {
            ring: Duration::from_secs(5),
            ..Timing::default()
        }),
        journal: Vec::new(),
        now: START,
    };
    let order = Order::SetDirectory {
        sites: support::sites(),
        accounts: support::accounts(),
    };
    shell.system(order).unwrap();
    shell.devices(JIZHOU, 1);
    shell.by(COMMANDER, call(&[site(JIZHOU)], true)).unwrap();
    let id = shell.county.conferences().next().unwrap().id;
    shell.wait(4_999);
    assert_eq!(shell.state(id, JIZHOU), InvitationState::Ringing);
    shell.wait(1);
    assert_eq!(shell.state(id, JIZHOU), InvitationState::NoAnswer);
}

#[test]
fn a_late_timer_does_what_is_due_and_an_early_one_nothing() {
    let mut shell = Shell::lit();
    let id = shell.call(COMMANDER, &[site(JIZHOU)], true);
    assert!(shell.system(Order::Tick).unwrap().is_empty());
    shell.now = START.after(Duration::from_secs(3_600));
    // An answer that is faster than the late timer counts.
    shell.join(JIZHOU);
    assert_eq!(shell.state(id, JIZHOU), InvitationState::Joined);
    assert!(shell.system(Order::Tick).unwrap().is_empty());
}
