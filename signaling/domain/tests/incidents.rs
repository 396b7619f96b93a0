//! Incidents as they come in and are worked on: who may do what, who sees what,
//! and what a flood of reports does.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod support;

use liandong_domain::incident::near::alike;
use liandong_domain::incident::{FileRef, Report, ReportSource, Step};
use liandong_domain::limits::{
    MAX_FILES, MAX_OPEN_REPORTS_PER_ACCOUNT, MAX_OPEN_REPORTS_PER_PLATFORM,
};
use liandong_domain::{
    Actor, Callee, ConferenceKind, Decision, Event, Incident, IncidentId, IncidentKind,
    IncidentOrder, IncidentState, Level, Order, Outcome, Place, Refusal, RefusalCode,
    ResponderState, Tier,
};
use support::{
    ADMINISTRATOR, CHUNCHANGBA, COMMANDER, DATANGBA, FIELD_CHUNCHANGBA, JIZHOU, LUOPING, SHAHE,
    SUPERVISOR, Shell, person, site,
};

fn flood(title: &str) -> Report {
    Report {
        kind: IncidentKind::Contingency,
        level: None,
        title: title.to_owned(),
        text: "水已漫过堤脚\n约二十户".to_owned(),
        place: Some(Place::from_degrees(106.84, 32.35)),
        address: "春场坝河堤".to_owned(),
        site: None,
        source: ReportSource::Account,
    }
}

fn report(report: Report) -> Order {
    Order::Incident {
        order: IncidentOrder::Report { report },
    }
}

fn step(incident: IncidentId, step: Step) -> Order {
    Order::Incident {
        order: IncidentOrder::Step { incident, step },
    }
}

fn verify() -> Step {
    Step::Verify {
        kind: IncidentKind::Sudden,
        level: Level::II,
    }
}

fn send(codes: &[&str]) -> Step {
    Step::Assign {
        responders: codes
            .iter()
            .map(|code| Callee::Site {
                code: (*code).into(),
            })
            .collect(),
        text: "立即到场".to_owned(),
    }
}

fn arrive(state: ResponderState) -> Step {
    Step::Respond { state }
}

fn text(text: &str) -> String {
    text.to_owned()
}

fn reported(shell: &mut Shell, by: &str) -> IncidentId {
    let order = report(flood("河水漫堤"));
    let events = shell.by(by, order.clone()).unwrap();
    match Outcome::of(&order, &events) {
        Outcome::Reported { incident } => incident,
        other => panic!("{other:?}"),
    }
}

fn incident(shell: &Shell, id: IncidentId) -> &Incident {
    shell.county.incident(id).unwrap()
}

#[test]
fn from_a_report_by_phone_to_its_review() {
    let mut shell = Shell::lit();
    let id = reported(&mut shell, FIELD_CHUNCHANGBA);
    let one = incident(&shell, id);
    assert_eq!((one.state, one.level), (IncidentState::Reported, None));
    assert_eq!(
        (one.site.0.as_str(), one.tier),
        (CHUNCHANGBA, Tier::Community)
    );

    shell.by(JIZHOU, step(id, verify())).unwrap();
    let one = incident(&shell, id);
    assert_eq!(one.level, Some(Level::II));
    assert_eq!(one.commander, Some(JIZHOU.into()));
    let escalate = Step::Escalate {
        tier: Tier::County,
        reason: text("需要县级力量"),
    };
    shell.by(JIZHOU, step(id, escalate)).unwrap();
    shell.refused(JIZHOU, step(id, send(&[DATANGBA])), RefusalCode::NotAllowed);
    shell
        .by(COMMANDER, step(id, send(&[JIZHOU, SHAHE])))
        .unwrap();
    shell.refused(
        COMMANDER,
        step(id, send(&[SHAHE])),
        RefusalCode::AlreadyThere,
    );
    shell
        .by(COMMANDER, step(id, send(&[SHAHE, LUOPING])))
        .unwrap();
    assert_eq!(incident(&shell, id).responders.len(), 3);

    shell
        .by(SHAHE, step(id, arrive(ResponderState::EnRoute)))
        .unwrap();
    shell.refused(
        SHAHE,
        step(id, arrive(ResponderState::Acknowledged)),
        RefusalCode::Settled,
    );
    shell.refused(
        DATANGBA,
        step(id, arrive(ResponderState::OnScene)),
        RefusalCode::UnknownIncident,
    );
    shell
        .by(
            COMMANDER,
            step(
                id,
                Step::Control {
                    text: text("水位回落"),
                },
            ),
        )
        .unwrap();
    shell
        .by(
            COMMANDER,
            step(
                id,
                Step::Close {
                    text: text("撤离")
                },
            ),
        )
        .unwrap();
    shell.refused(COMMANDER, step(id, verify()), RefusalCode::NotNow);
    let findings = Step::Review {
        findings: text("预警应提前一小时"),
    };
    shell.by(COMMANDER, step(id, findings)).unwrap();
    let one = incident(&shell, id);
    assert_eq!(one.state, IncidentState::Reviewed);
    assert_eq!(one.entered.len(), 6);
    assert_eq!(one.timeline.len(), 10);
    assert_eq!(shell.replayed(), shell.county);
    for split in 0..shell.journal.len() {
        assert_eq!(shell.restored(split), shell.county);
    }
}

#[test]
fn only_the_handling_tier_and_those_above_work_on_it() {
    for (who, refusal) in [
        (COMMANDER, None),
        (JIZHOU, None),
        (CHUNCHANGBA, None),
        // It is not theirs, so they do not even know of it.
        (SHAHE, Some(RefusalCode::UnknownIncident)),
        (DATANGBA, Some(RefusalCode::UnknownIncident)),
        (FIELD_CHUNCHANGBA, Some(RefusalCode::NotAllowed)),
        (ADMINISTRATOR, Some(RefusalCode::NotAllowed)),
        (SUPERVISOR, Some(RefusalCode::NotAllowed)),
    ] {
        let mut shell = Shell::lit();
        let id = reported(&mut shell, FIELD_CHUNCHANGBA);
        match refusal {
            None => drop(shell.by(who, step(id, verify())).unwrap()),
            Some(code) => shell.refused(who, step(id, verify()), code),
        }
    }
}

#[test]
fn whoever_is_sent_sees_it_from_then_on() {
    let mut shell = Shell::lit();
    let id = reported(&mut shell, FIELD_CHUNCHANGBA);
    let sees =
        |shell: &Shell, who: &str| shell.county.sees_incident(&who.into(), incident(shell, id));
    assert!(sees(&shell, FIELD_CHUNCHANGBA), "reported it");
    assert!(sees(&shell, SUPERVISOR), "supervises the county");
    assert!(!sees(&shell, SHAHE));
    shell.by(COMMANDER, step(id, verify())).unwrap();
    shell.by(COMMANDER, step(id, send(&[SHAHE]))).unwrap();
    assert!(sees(&shell, SHAHE));
    assert!(!sees(&shell, LUOPING));
    shell.refused(
        SHAHE,
        step(
            id,
            Step::Close {
                text: String::new(),
            },
        ),
        RefusalCode::NotNow,
    );
    shell
        .by(
            SHAHE,
            step(
                id,
                Step::Note {
                    text: text("已出发"),
                },
            ),
        )
        .unwrap();
}

fn photo(number: usize) -> Step {
    Step::Attach {
        file: FileRef {
            id: format!("{number:064x}"),
            media_type: text("image/jpeg"),
            name: text(" 现场.jpg "),
            bytes: 2_000_000,
        },
        text: text("三组河堤"),
    }
}

#[test]
fn files_are_added_by_whoever_sees_it_once_each_and_not_without_end() {
    let mut shell = Shell::lit();
    let id = reported(&mut shell, FIELD_CHUNCHANGBA);
    let first = shell.by(FIELD_CHUNCHANGBA, step(id, photo(1))).unwrap();
    assert_eq!(first.len(), 1);
    let again = shell.by(CHUNCHANGBA, step(id, photo(1))).unwrap();
    assert_eq!(again.len(), 0, "the same file is there already");
    assert_eq!(incident(&shell, id).files[0].name, "现场.jpg");
    shell.refused(SHAHE, step(id, photo(2)), RefusalCode::UnknownIncident);
    let path = Step::Attach {
        file: FileRef {
            id: text("../../liandong.db"),
            ..incident(&shell, id).files[0].clone()
        },
        text: String::new(),
    };
    shell.refused(CHUNCHANGBA, step(id, path), RefusalCode::Malformed);
    for number in 2..=MAX_FILES {
        shell.by(CHUNCHANGBA, step(id, photo(number))).unwrap();
    }
    let one_more = step(id, photo(MAX_FILES + 1));
    shell.refused(CHUNCHANGBA, one_more, RefusalCode::Full);
    // A platform adds to its own only.
    let platform = Actor::Platform(text("12345"));
    assert!(shell.order(&platform, &step(id, photo(99))).is_err());
}

#[test]
fn nobody_is_sent_who_stands_elsewhere() {
    let mut shell = Shell::lit();
    let id = reported(&mut shell, FIELD_CHUNCHANGBA);
    shell.by(JIZHOU, step(id, verify())).unwrap();
    shell.refused(JIZHOU, step(id, send(&[SHAHE])), RefusalCode::NotBelow);
    shell.refused(JIZHOU, step(id, send(&["999"])), RefusalCode::UnknownTarget);
    shell
        .by(JIZHOU, step(id, send(&[JIZHOU, DATANGBA])))
        .unwrap();
}

#[test]
fn doubles_are_found_nearby_and_marked() {
    let mut shell = Shell::lit();
    let first = reported(&mut shell, FIELD_CHUNCHANGBA);
    let second = reported(&mut shell, CHUNCHANGBA);
    let far = Report {
        place: Some(Place::from_degrees(106.9, 32.35)),
        ..flood("山体滑坡")
    };
    shell.by(CHUNCHANGBA, report(far)).unwrap();
    let without_place = Report {
        place: None,
        ..flood("水漫到路上")
    };
    shell.by(CHUNCHANGBA, report(without_place)).unwrap();
    let ids = |one: IncidentId| -> Vec<u32> {
        let county = &shell.county;
        let found = alike(county.incident(one).unwrap(), county.incidents());
        found.into_iter().map(|one| one.id.0).collect()
    };
    assert_eq!(ids(first), [2, 4]);
    assert_eq!(ids(IncidentId(3)), [4]);

    let mark = |of| Step::MarkDuplicate { of };
    shell.refused(JIZHOU, step(second, mark(second)), RefusalCode::Malformed);
    shell.refused(
        JIZHOU,
        step(second, mark(IncidentId(99))),
        RefusalCode::UnknownIncident,
    );
    shell.by(JIZHOU, step(second, mark(first))).unwrap();
    shell.refused(JIZHOU, step(first, mark(second)), RefusalCode::Malformed);
    let one = incident(&shell, second);
    assert_eq!(
        (one.state, one.duplicate_of),
        (IncidentState::Duplicate, Some(first))
    );
}

#[test]
fn platform_that_reports_again_gives_one_incident() {
    let mut shell = Shell::lit();
    let from = |reference: &str| {
        report(Report {
            source: ReportSource::Platform {
                name: text("12345"),
                reference: text(reference),
            },
            ..flood("市民来电")
        })
    };
    let platform = Actor::Platform(text("12345"));
    let mut sent = |order: Order| shell.order(&platform, &order).map(|events| events.len());
    assert_eq!(sent(from("A-1")), Ok(1));
    assert_eq!(sent(from("A-1")), Ok(0));
    assert_eq!(sent(from("A-2")), Ok(1));
    assert!(sent(report(flood("x"))).is_err());
    assert_eq!(shell.county.incidents().count(), 2);
    assert!(shell.county.incidents().all(|one| one.tier == Tier::County));
    // An account cannot pose as a platform, nor the other way round.
    shell.refused(COMMANDER, from("A-3"), RefusalCode::Malformed);
    let other = Actor::Platform(text("grid"));
    assert!(shell.order(&other, &from("A-3")).is_err());
    assert!(shell.system(from("A-3")).is_err());
}

#[test]
fn key_of_a_platform_acts_once_and_is_not_that_of_another() {
    let mut shell = Shell::lit();
    let from = |name: &str, title: &str| {
        report(Report {
            source: ReportSource::Platform {
                name: text(name),
                reference: text("A-1"),
            },
            ..flood(title)
        })
    };
    let order = from("12345", "市民来电");
    let decided = shell
        .county
        .decide_once_for_platform("12345", "k", &order, shell.now);
    let Ok(Decision::New { events, outcome }) = decided else {
        panic!("{decided:?}");
    };
    shell.take(&events);
    let again = |name: &str, order: &Order| {
        shell
            .county
            .decide_once_for_platform(name, "k", order, shell.now)
    };
    assert_eq!(again("12345", &order), Ok(Decision::Repeated(outcome)));
    let refusal = again("12345", &from("12345", "另一件事")).unwrap_err();
    assert_eq!(refusal.code(), RefusalCode::KeyReused);
    assert!(matches!(
        again("grid", &from("grid", "网格")),
        Ok(Decision::New { .. })
    ));
}

#[test]
fn flood_of_reports_from_one_platform_leaves_room_for_others() {
    let mut shell = Shell::lit();
    let from = |name: &str, number: usize| {
        let source = ReportSource::Platform {
            name: text(name),
            reference: format!("{number}"),
        };
        report(Report {
            source,
            ..flood("摄像头")
        })
    };
    let camera = Actor::Platform(text("camera"));
    for number in 0..MAX_OPEN_REPORTS_PER_PLATFORM {
        shell.order(&camera, &from("camera", number)).unwrap();
    }
    let one_more = from("camera", MAX_OPEN_REPORTS_PER_PLATFORM);
    let refusal = shell.order(&camera, &one_more).unwrap_err();
    assert_eq!(refusal.code(), RefusalCode::Full);
    let other = Actor::Platform(text("12345"));
    shell.order(&other, &from("12345", 1)).unwrap();
    reported(&mut shell, FIELD_CHUNCHANGBA);
}

#[test]
fn flood_of_reports_from_one_account_ends() {
    let mut shell = Shell::lit();
    for _ in 0..MAX_OPEN_REPORTS_PER_ACCOUNT {
        reported(&mut shell, FIELD_CHUNCHANGBA);
    }
    shell.refused(FIELD_CHUNCHANGBA, report(flood("又")), RefusalCode::Full);
    reported(&mut shell, CHUNCHANGBA);
    let id = shell.county.incidents().next().unwrap().id;
    shell
        .by(
            JIZHOU,
            step(
                id,
                Step::MarkFalse {
                    reason: text("误报"),
                },
            ),
        )
        .unwrap();
    reported(&mut shell, FIELD_CHUNCHANGBA);
}

#[test]
fn call_about_an_incident_stands_in_its_timeline() {
    let mut shell = Shell::lit();
    let id = reported(&mut shell, FIELD_CHUNCHANGBA);
    let call = |incident| Order::Call {
        targets: vec![site(CHUNCHANGBA), person(FIELD_CHUNCHANGBA)],
        title: None,
        ordered: true,
        incident: Some(incident),
    };
    shell.refused(SHAHE, call(id), RefusalCode::UnknownIncident);
    let events = shell.by(COMMANDER, call(id)).unwrap();
    let Outcome::Called { conference, .. } = Outcome::of(&call(id), &events) else {
        panic!("{events:?}");
    };
    assert_eq!(incident(&shell, id).conferences, [conference]);
    let called = shell.conference(conference);
    assert_eq!(
        (called.kind, called.incident),
        (ConferenceKind::Incident, Some(id))
    );
}

#[test]
fn nothing_is_reported_that_cannot_be_read() {
    let mut shell = Shell::lit();
    for broken in [
        flood(""),
        flood("a\u{202e}b"),
        Report {
            text: "字".repeat(2_001),
            ..flood("x")
        },
        Report {
            place: Some(Place::from_degrees(181.0, 0.0)),
            ..flood("x")
        },
        Report {
            site: Some("999".into()),
            ..flood("x")
        },
    ] {
        let by = Actor::Account(FIELD_CHUNCHANGBA.into());
        let refusal: Refusal = shell.order(&by, &report(broken)).unwrap_err();
        assert!(
            matches!(
                refusal.code(),
                RefusalCode::Malformed | RefusalCode::UnknownTarget
            ),
            "{refusal}"
        );
    }
    assert!(
        !shell
            .journal
            .iter()
            .any(|event| matches!(event, Event::Incident { .. }))
    );
}
