//! One tap, what the time does after it, and the dry run.

use super::*;

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
