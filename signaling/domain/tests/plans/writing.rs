//! Plans are written, and come into force by a second person.

use super::*;

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
