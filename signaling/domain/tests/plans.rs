//! Plans: written, approved by a second person, run by one tap; who is pursued
//! when nobody answers; who has the seat.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod support;

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

fn pursuit<'a>(shell: &'a Shell, conference: ConferenceId, code: &str) -> &'a Pursuit {
    let found = shell.county.pursuits().of(conference, &callee(code));
    found.expect("is pursued")
}

/// What was tried, by whom and channel, with what result.
fn tried(one: &Pursuit) -> Vec<(&str, Channel, Option<AttemptResult>)> {
    let attempts = one.attempts.iter();
    attempts
        .map(|one| (one.name.as_str(), one.channel, one.result))
        .collect()
}

#[test]
fn plan_comes_into_force_by_a_second_person() {
    let mut shell = Shell::lit();
    let first = content("防汛一级", vec![step(0, vec![at(JIZHOU)])]);
    shell.by(DISPATCHER, save(&first)).unwrap();
    let order = approve(&shell, 1);
    shell.refused(DISPATCHER, order, RefusalCode::NotAllowed);
    let order = approve(&shell, 1);
    shell.refused(ADMINISTRATOR, order, RefusalCode::NotAllowed);
    let order = approve(&shell, 1);
    shell.refused(JIZHOU, order, RefusalCode::NotBelow);
    let order = approve(&shell, 2);
    shell.refused(COMMANDER, order, RefusalCode::UnknownPlan);
    let incident = verified(&mut shell, CHUNCHANGBA);
    shell.refused(COMMANDER, start(incident), RefusalCode::NotNow);
    let order = approve(&shell, 1);
    shell.by(COMMANDER, order).unwrap();
    let order = approve(&shell, 1);
    shell.refused(COMMANDER, order, RefusalCode::NotNow);

    // A new text stands beside the one in force until it is approved.
    let second = content("防汛一级", vec![step(0, vec![at(SHAHE)])]);
    let save = plan(PlanOrder::Save {
        plan: Some(PlanId(1)),
        content: second,
    });
    shell.by(COMMANDER, save.clone()).unwrap();
    shell.by(ADMINISTRATOR, save).unwrap();
    let versions = |shell: &Shell| -> Vec<PlanState> {
        let plan = shell.county.plans().plan(PlanId(1)).unwrap();
        plan.versions.values().map(|one| one.state).collect()
    };
    assert_eq!(versions(&shell), [PlanState::Approved, PlanState::Draft]);
    shell.by(COMMANDER, start(incident)).unwrap();
    // The administrator wrote it last, so the commander may approve it.
    let order = approve(&shell, 2);
    shell.by(COMMANDER, order).unwrap();
    assert_eq!(versions(&shell), [PlanState::Retired, PlanState::Approved]);
    // What runs keeps the version it started with.
    let run = shell.county.plans().running().next().unwrap();
    assert_eq!((run.version, &run.content), (1, &first));
    assert_eq!(shell.replayed(), shell.county);
}

#[test]
fn broken_plans_are_refused() {
    let mut shell = Shell::lit();
    let good = step(0, vec![at(JIZHOU)]);
    let none = Vec::new();
    for (broken, code) in [
        (content("", vec![good.clone()]), RefusalCode::Malformed),
        (content("x", none), RefusalCode::Malformed),
        (
            content("x", vec![step(60, vec![at(JIZHOU)])]),
            RefusalCode::Malformed,
        ),
        (content("x", vec![step(0, vec![])]), RefusalCode::Malformed),
        (
            content("x", vec![step(0, vec![at("999")])]),
            RefusalCode::UnknownTarget,
        ),
        (
            content(
                "x",
                vec![PlanStep {
                    ack_within_s: 0,
                    ..good.clone()
                }],
            ),
            RefusalCode::Malformed,
        ),
        (
            content("x", vec![good.clone(), step(90_000, vec![at(JIZHOU)])]),
            RefusalCode::Malformed,
        ),
        (
            content(
                "x",
                vec![PlanStep {
                    whom: vec![at(JIZHOU); 65],
                    ..good.clone()
                }],
            ),
            RefusalCode::Full,
        ),
    ] {
        shell.refused(DISPATCHER, save(&broken), code);
    }
    // A township's plan is for its own subtree.
    let mut elsewhere = content("沙河", vec![good]);
    elsewhere.trigger.area = Some(SHAHE.into());
    shell.refused(JIZHOU, save(&elsewhere), RefusalCode::NotBelow);
    shell.refused(CHUNCHANGBA, save(&elsewhere), RefusalCode::NotAllowed);
}

#[test]
fn best_fit_is_suggested_first() {
    let mut shell = Shell::lit();
    let mut install = |name: &str, trigger: Trigger| {
        let content = PlanContent {
            trigger,
            ..content(name, vec![step(0, vec![Whom::IncidentSite])])
        };
        let order = plan(PlanOrder::Install { content });
        shell.system(order.clone()).unwrap();
        // At the next start the same configuration changes nothing.
        assert_eq!(shell.system(order).unwrap(), []);
    };
    let trigger = |kind, level, area: Option<&str>| Trigger {
        kind,
        level,
        area: area.map(Into::into),
    };
    let contingency = Some(IncidentKind::Contingency);
    install("any", trigger(None, None, None));
    install("graver", trigger(contingency, Some(Level::II), None));
    install("here", trigger(contingency, Some(Level::I), Some(JIZHOU)));
    install("other kind", trigger(Some(IncidentKind::Mass), None, None));
    install("elsewhere", trigger(contingency, None, Some(SHAHE)));
    let incident = verified(&mut shell, CHUNCHANGBA);
    let incident = shell.county.incident(incident).unwrap();
    let commander = shell.county.directory().account(&COMMANDER.into()).unwrap();
    let found = shell.county.plans_for(commander, incident);
    let found: Vec<(&str, bool)> = found
        .into_iter()
        .map(|(plan, fits)| (plan.in_force().unwrap().1.content.name.as_str(), fits))
        .collect();
    let expected = [
        ("here", true),
        ("graver", true),
        ("any", true),
        ("other kind", false),
        ("elsewhere", false),
    ];
    assert_eq!(found, expected);
}

#[test]
fn one_tap_convenes_rings_and_sends() {
    let mut shell = Shell::lit();
    let whom = vec![
        Whom::IncidentSuperiors,
        Whom::IncidentSite,
        at(SHAHE),
        at(COUNTY),
    ];
    let later = PlanStep {
        text: "增援".to_owned(),
        ..step(
            300,
            vec![Whom::Tier {
                tier: Tier::Township,
            }],
        )
    };
    let (id, conference) = running(&mut shell, &content("防汛", vec![step(0, whom), later]));
    let incident = shell.county.incident(id).unwrap();
    assert_eq!(incident.state, IncidentState::Dispatched);
    let sent: Vec<&Callee> = incident.responders.iter().map(|one| &one.who).collect();
    // The commander's own site is neither rung nor sent.
    assert_eq!(
        sent,
        [&callee(JIZHOU), &callee(CHUNCHANGBA), &callee(SHAHE)]
    );
    let call = shell.conference(conference);
    assert_eq!(
        (call.kind, call.incident),
        (ConferenceKind::Incident, Some(id))
    );
    assert_eq!(call.shown, [callee(CHUNCHANGBA)]);
    for code in [JIZHOU, CHUNCHANGBA, SHAHE] {
        assert_eq!(shell.state(conference, code), InvitationState::Ringing);
        assert!(shell.invitation(conference, code).ordered);
    }
    shell.refused(COMMANDER, start(id), RefusalCode::AlreadyThere);
    shell.refused(SHAHE, start(id), RefusalCode::NotAllowed);

    // Reached by coming in, or by acknowledging.
    shell.join(JIZHOU);
    shell.join(CHUNCHANGBA);
    let acknowledge = Step::Respond {
        state: ResponderState::Acknowledged,
    };
    shell.by(SHAHE, incident_step(id, acknowledge)).unwrap();
    let run = shell.county.plans().running().next().unwrap();
    assert_eq!(run.steps[0].state, RunStepState::Settled);
    assert_eq!(run.steps[0].missed, []);
    shell.wait(299_000);
    assert_eq!(
        shell.county.plans().running().next().unwrap().steps[1].callees,
        []
    );
    shell.wait(2_000);
    let run = shell.county.plans().running().next().unwrap();
    assert_eq!(run.steps[1].callees.len(), 13);
    assert_eq!(shell.county.incident(id).unwrap().responders.len(), 14);

    let stop = plan(PlanOrder::Stop { run: run.id });
    shell.refused(SHAHE, stop.clone(), RefusalCode::NotAllowed);
    shell.refused(LUOPING, stop.clone(), RefusalCode::UnknownPlan);
    shell.by(COMMANDER, stop.clone()).unwrap();
    shell.refused(COMMANDER, stop, RefusalCode::Settled);
    assert_eq!(shell.county.plans().running().count(), 0);
    assert_eq!(shell.replayed(), shell.county);
}

#[test]
fn plan_waits_for_a_verified_incident_and_ends_with_it() {
    let mut shell = Shell::lit();
    let one = content(
        "防汛",
        vec![step(0, vec![at(JIZHOU)]), step(600, vec![at(SHAHE)])],
    );
    shell.by(DISPATCHER, save(&one)).unwrap();
    let order = approve(&shell, 1);
    shell.by(COMMANDER, order).unwrap();
    let id = reported(&mut shell, CHUNCHANGBA);
    shell.refused(COMMANDER, start(id), RefusalCode::NotNow);
    shell.refused(
        COMMANDER,
        start(IncidentId(9)),
        RefusalCode::UnknownIncident,
    );
    shell.refused(SUPERVISOR, start(id), RefusalCode::NotAllowed);
    let verify = Step::Verify {
        kind: IncidentKind::Sudden,
        level: Level::III,
    };
    shell.by(COMMANDER, incident_step(id, verify)).unwrap();
    shell.by(COMMANDER, start(id)).unwrap();
    let control = Step::Control {
        text: String::new(),
    };
    shell.by(COMMANDER, incident_step(id, control)).unwrap();
    assert_eq!(shell.county.plans().running().count(), 0);
}

#[test]
fn second_plan_goes_into_the_same_conference() {
    let mut shell = Shell::lit();
    let (id, conference) = running(
        &mut shell,
        &content("防汛", vec![step(0, vec![at(JIZHOU)])]),
    );
    let other = content("转移", vec![step(0, vec![at(JIZHOU), at(SHAHE)])]);
    shell
        .system(plan(PlanOrder::Install { content: other }))
        .unwrap();
    let start = plan(PlanOrder::Start {
        plan: PlanId(2),
        incident: id,
    });
    shell.by(COMMANDER, start).unwrap();
    assert_eq!(shell.county.incident(id).unwrap().conferences, [conference]);
    assert_eq!(shell.conference(conference).invitations().count(), 2);
}

#[test]
fn dry_run_says_who_would_ring_and_changes_nothing() {
    let mut shell = Shell::lit();
    shell.devices(SHAHE, 0);
    shell.devices(LUOPING, 0);
    shell.call(DATANGBA, &[site(CHUNCHANGBA)], false);
    let contacts = DutyOrder::SetContacts {
        site: SHAHE.into(),
        contacts: vec![contact("李主任", None, Some("13800000001"))],
        deputy: None,
    };
    shell.by(COMMANDER, duty(contacts)).unwrap();
    let before = shell.county.clone();
    let whom = vec![at(JIZHOU), at(SHAHE), at(LUOPING), at(DATANGBA), at(COUNTY)];
    let one = content("演练", vec![step(0, whom)]);
    let via = |by: &str| -> Vec<(bool, Via)> {
        let by = before.directory().account(&by.into()).unwrap();
        let found = before.rehearse(by, &CHUNCHANGBA.into(), &one);
        let rings = found.steps[0].rings.iter();
        rings.map(|ring| (ring.ordered, ring.via)).collect()
    };
    let expected = [
        (true, Via::Devices),
        (true, Via::Contacts),
        (true, Via::Nobody),
        (true, Via::TakenOut),
    ];
    assert_eq!(via(COMMANDER), expected);
    // Of a community it only asks, and of whom it does not know, nobody.
    assert_eq!(
        via(CHUNCHANGBA),
        [
            (false, Via::Devices),
            (false, Via::Busy),
            (false, Via::Devices)
        ]
    );
    assert_eq!(shell.county, before);
}

#[test]
fn missed_site_is_pursued_until_somebody_comes() {
    let mut shell = Shell::lit();
    let field = FIELD_CHUNCHANGBA;
    let contacts = DutyOrder::SetContacts {
        site: CHUNCHANGBA.into(),
        contacts: vec![
            contact("王支书", None, Some("13800000002")),
            contact("巡逻", Some(field), None),
        ],
        deputy: None,
    };
    shell.by(COMMANDER, duty(contacts)).unwrap();
    let (id, conference) = running(
        &mut shell,
        &content("防汛", vec![step(0, vec![at(CHUNCHANGBA), at(JIZHOU)])]),
    );
    shell.join(JIZHOU);
    assert_eq!(shell.county.pursuits().all().count(), 0);
    shell.wait(31_000);
    // The site's own device rang; now the contact's does.
    let one = pursuit(&shell, conference, CHUNCHANGBA);
    assert_eq!(tried(one), [("巡逻", Channel::Devices, None)]);
    shell.join(field);
    let one = pursuit(&shell, conference, CHUNCHANGBA);
    assert_eq!(
        (one.state, one.reached.as_deref()),
        (PursuitState::Reached, Some("巡逻"))
    );
    let run = shell.county.plans().runs().next().unwrap();
    assert_eq!(run.steps[0].state, RunStepState::Settled);
    let timeline = &shell.county.incident(id).unwrap().timeline;
    assert!(
        timeline
            .iter()
            .any(|entry| matches!(&entry.what, What::Reached { .. }))
    );
    assert_eq!(shell.replayed(), shell.county);
}

/// The site comes by itself while its deputy's phone rings: that ends. The ring of whom the
/// plan itself rings does not.
#[test]
fn nobody_is_rung_on_for_somebody_who_has_come() {
    let mut shell = Shell::lit();
    shell.devices(CHUNCHANGBA, 0);
    let contacts = DutyOrder::SetContacts {
        site: CHUNCHANGBA.into(),
        contacts: vec![contact("巡逻", Some(FIELD_JIZHOU), None)],
        deputy: Some(contact("副", Some(FIELD_CHUNCHANGBA), None)),
    };
    shell.by(COMMANDER, duty(contacts)).unwrap();
    let planned = Whom::Person {
        account: FIELD_CHUNCHANGBA.into(),
    };
    let whom = vec![at(CHUNCHANGBA), at(JIZHOU), planned];
    let (_, conference) = running(&mut shell, &content("防汛", vec![step(0, whom)]));
    assert!(shell.ring_of(FIELD_JIZHOU).is_some());
    shell.devices(CHUNCHANGBA, 1);
    shell.join(CHUNCHANGBA);
    assert_eq!(shell.ring_of(FIELD_JIZHOU), None);
    assert!(shell.ring_of(FIELD_CHUNCHANGBA).is_some());
    let one = pursuit(&shell, conference, CHUNCHANGBA);
    assert_eq!(one.state, PursuitState::Reached);
    assert_eq!(
        tried(one),
        [("巡逻", Channel::Devices, Some(AttemptResult::Stopped))]
    );
    // Gone and called anew, it is gone after anew.
    shell.by(CHUNCHANGBA, Order::Leave { conference }).unwrap();
    shell.devices(CHUNCHANGBA, 0);
    let again = Order::Invite {
        conference,
        targets: vec![site(CHUNCHANGBA)],
        ordered: true,
    };
    shell.wait(1_000);
    shell.by(COMMANDER, again).unwrap();
    let one = pursuit(&shell, conference, CHUNCHANGBA);
    assert_eq!(one.state, PursuitState::Calling);
    assert!(shell.ring_of(FIELD_JIZHOU).is_some());
    // Taken back: nobody is rung for it any more.
    let invitation = shell.invitation(conference, CHUNCHANGBA).id;
    shell
        .by(COMMANDER, Order::CancelInvitation { invitation })
        .unwrap();
    let one = pursuit(&shell, conference, CHUNCHANGBA);
    assert_eq!(one.state, PursuitState::Stopped);
    assert_eq!(shell.ring_of(FIELD_JIZHOU), None);
    assert_eq!(shell.replayed(), shell.county);
}

/// What was written anew after somebody had read it is not approved by his word.
#[test]
fn text_that_was_written_anew_has_to_be_read_anew() {
    let mut shell = Shell::lit();
    let first = content("防汛", vec![step(0, vec![at(JIZHOU)])]);
    shell.by(DISPATCHER, save(&first)).unwrap();
    let read = approve(&shell, 1);
    shell.wait(5_000);
    let second = plan(PlanOrder::Save {
        plan: Some(PlanId(1)),
        content: content("防汛", vec![step(0, vec![at(SHAHE)])]),
    });
    shell.by(DISPATCHER, second).unwrap();
    shell.refused(COMMANDER, read, RefusalCode::NotNow);
    let read = approve(&shell, 1);
    shell.by(COMMANDER, read).unwrap();
}

/// An account that is closed is nobody's deputy any more.
#[test]
fn closed_account_is_not_tried() {
    let mut shell = Shell::lit();
    let contacts = DutyOrder::SetContacts {
        site: SHAHE.into(),
        contacts: vec![contact("李四", Some(FIELD_JIZHOU), Some("13800000009"))],
        deputy: None,
    };
    shell.by(COMMANDER, duty(contacts)).unwrap();
    let mut accounts = support::accounts();
    accounts.retain(|one| one.id != FIELD_JIZHOU.into());
    let sites = support::sites();
    shell
        .system(Order::SetDirectory { sites, accounts })
        .unwrap();
    let found = shell.county.contacts_of(&callee(SHAHE));
    assert_eq!(found, [contact("李四", None, Some("13800000009"))]);
}

#[test]
fn offline_site_is_pursued_at_once_by_every_channel_and_then_above() {
    let mut shell = Shell::lit();
    shell.devices(SHAHE, 0);
    let shift = NewShift {
        site: SHAHE.into(),
        person: contact("张三", None, Some("13800000003")),
        from: shell.now,
        to: shell.now.after(Duration::from_secs(3_600)),
    };
    shell
        .by(
            SHAHE,
            duty(DutyOrder::Plan {
                shifts: vec![shift],
            }),
        )
        .unwrap();
    let (id, conference) = running(
        &mut shell,
        &content("防汛", vec![step(0, vec![at(SHAHE), at(JIZHOU)])]),
    );
    shell.join(JIZHOU);
    let one = pursuit(&shell, conference, SHAHE);
    let (name, pursuit_id) = (one.attempts[0].name.clone(), one.id);
    assert_eq!(
        tried(one),
        [
            (name.as_str(), Channel::WebPush, None),
            ("张三", Channel::Gateway, None)
        ]
    );
    // The ring waits for whoever opens the message.
    assert!(shell.invitation(conference, SHAHE).state.is_pending());
    let result = |attempt, result| Order::Pursuit {
        order: PursuitOrder::Result {
            pursuit: pursuit_id,
            attempt,
            result,
        },
    };
    shell.system(result(1, AttemptResult::Unreachable)).unwrap();
    shell.system(result(2, AttemptResult::Delivered)).unwrap();
    shell.wait(61_000);
    let one = pursuit(&shell, conference, SHAHE);
    assert_eq!(
        (one.state, &one.told),
        (PursuitState::ToldAbove, &Some(COUNTY.into()))
    );
    let told = |what: &What| matches!(what, What::Unreached { told: Some(_), .. });
    let timeline = &shell.county.incident(id).unwrap().timeline;
    assert!(timeline.iter().any(|entry| told(&entry.what)));
    // Whoever reads the message late is reached all the same.
    shell
        .system(result(2, AttemptResult::Acknowledged))
        .unwrap();
    assert_eq!(
        pursuit(&shell, conference, SHAHE).state,
        PursuitState::Reached
    );
    assert_eq!(shell.replayed(), shell.county);
}

#[test]
fn ordinary_call_is_pursued_by_order_only() {
    let mut shell = Shell::lit();
    let conference = shell.call(COMMANDER, &[site(SHAHE), site(JIZHOU)], true);
    shell.join(JIZHOU);
    shell.wait(31_000);
    assert_eq!(shell.state(conference, SHAHE), InvitationState::NoAnswer);
    assert_eq!(shell.county.pursuits().all().count(), 0);
    let invitation = shell.invitation(conference, SHAHE).id;
    let pursue = Order::Pursuit {
        order: PursuitOrder::Pursue { invitation },
    };
    shell.refused(DISPATCHER, pursue.clone(), RefusalCode::NotInConference);
    shell.by(COMMANDER, pursue.clone()).unwrap();
    shell.refused(COMMANDER, pursue, RefusalCode::Settled);
    shell.join(SHAHE);
    assert_eq!(
        pursuit(&shell, conference, SHAHE).state,
        PursuitState::Reached
    );
}

#[test]
fn seat_is_never_empty_and_is_handed_over_with_a_note() {
    let mut shell = Shell::lit();
    let start = shell.now;
    let hours = |from: u64, to: u64, name: &str| NewShift {
        site: SHAHE.into(),
        person: contact(name, None, Some("13800000004")),
        from: start.after(Duration::from_secs(from * 3_600)),
        to: start.after(Duration::from_secs(to * 3_600)),
    };
    let shifts = vec![
        hours(0, 8, "早班"),
        hours(8, 16, "中班"),
        hours(20, 24, "夜班"),
    ];
    let order = duty(DutyOrder::Plan {
        shifts: shifts.clone(),
    });
    shell.refused(JIZHOU, order.clone(), RefusalCode::NotBelow);
    shell.refused(LUOPING, order.clone(), RefusalCode::NotBelow);
    shell.refused(FIELD_CHUNCHANGBA, order.clone(), RefusalCode::NotAllowed);
    shell.by(SHAHE, order.clone()).unwrap();
    shell.refused(SHAHE, order, RefusalCode::AlreadyThere);
    let seat = |shell: &Shell| -> Vec<String> {
        let on_duty = shell.county.duty().on_duty(&SHAHE.into());
        on_duty.iter().map(|one| one.person.name.clone()).collect()
    };
    assert_eq!(seat(&shell), ["早班"]);
    let over = |duty, to| DutyOrder::HandOver {
        duty,
        to,
        note: "水位正常".to_owned(),
    };
    shell.refused(SHAHE, duty(over(DutyId(2), None)), RefusalCode::NotNow);
    shell.refused(
        SHAHE,
        duty(over(DutyId(9), None)),
        RefusalCode::UnknownShift,
    );
    shell
        .by(SHAHE, duty(over(DutyId(1), Some(DutyId(2)))))
        .unwrap();
    assert_eq!(seat(&shell), ["中班"]);
    let first = shell.county.duty().shift(DutyId(1)).unwrap();
    assert_eq!(
        (first.state, first.note.as_str()),
        (ShiftState::HandedOver, "水位正常")
    );
    // Past its end the seat is kept until the next one begins.
    shell.wait(17 * 3_600_000);
    assert_eq!(seat(&shell), ["中班"]);
    shell.wait(4 * 3_600_000);
    assert_eq!(seat(&shell), ["夜班"]);
    shell.refused(
        SHAHE,
        duty(DutyOrder::Cancel { duty: DutyId(3) }),
        RefusalCode::NotNow,
    );
    let mut wrong = shifts;
    wrong[0].person.phone = Some("12 34".to_owned());
    shell.refused(
        SHAHE,
        duty(DutyOrder::Plan { shifts: wrong }),
        RefusalCode::Malformed,
    );
    assert_eq!(shell.replayed(), shell.county);
}
