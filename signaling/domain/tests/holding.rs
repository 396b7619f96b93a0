//! Pre-emption: an incident's conference takes parties out of lower ones, and they come back.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod support;

use liandong_domain::incident::{Report, ReportSource, Step};
use liandong_domain::pursuit::PursuitState;
use liandong_domain::{
    Conduct, ConferenceId, Contact, Device, DutyOrder, Gates, IncidentId, IncidentKind,
    IncidentOrder, InvitationState, Level, Order, Outcome, ParticipantId, ParticipantState,
    PursuitOrder, RefusalCode, Target,
};
use support::{
    CHUNCHANGBA, COMMANDER, DATANGBA, DISPATCHER, FIELD_JIZHOU, JIZHOU, LUOPING, SHAHE, Shell, site,
};

fn incident(shell: &mut Shell) -> IncidentId {
    let report = Report {
        kind: IncidentKind::Sudden,
        level: Some(Level::I),
        title: "山洪".to_owned(),
        text: String::new(),
        place: None,
        address: String::new(),
        site: None,
        source: ReportSource::Account,
    };
    let order = IncidentOrder::Report { report };
    shell.by(COMMANDER, Order::Incident { order }).unwrap();
    let incident = shell.county.incidents().last().unwrap().id;
    let step = Step::Verify {
        kind: IncidentKind::Sudden,
        level: Level::I,
    };
    let order = IncidentOrder::Step { incident, step };
    shell.by(COMMANDER, Order::Incident { order }).unwrap();
    incident
}

/// An incident's conference by the account, all of it ordered.
fn emergency(shell: &mut Shell, by: &str, targets: &[Target]) -> ConferenceId {
    let incident = Some(incident(shell));
    let order = Order::Call {
        targets: targets.to_vec(),
        title: None,
        ordered: true,
        incident,
    };
    let events = shell.by(by, order.clone()).unwrap();
    shell.connect(by);
    match Outcome::of(&order, &events) {
        Outcome::Called { conference, .. } => conference,
        other => panic!("{other:?}"),
    }
}

/// A routine meeting of a township with two of its communities.
fn routine(shell: &mut Shell) -> (ConferenceId, ParticipantId) {
    let id = shell.call(JIZHOU, &[site(CHUNCHANGBA), site(DATANGBA)], true);
    shell.join(CHUNCHANGBA);
    shell.join(DATANGBA);
    (id, shell.stay(CHUNCHANGBA).unwrap().id)
}

fn state(shell: &Shell, conference: ConferenceId, one: ParticipantId) -> ParticipantState {
    shell.conference(conference).participant(one).unwrap().state
}

#[test]
fn an_incident_takes_a_site_out_of_a_routine_meeting_and_gives_it_back_at_its_end() {
    let mut shell = Shell::lit();
    let (meeting, community) = routine(&mut shell);
    let alarm = emergency(&mut shell, COMMANDER, &[site(CHUNCHANGBA)]);
    assert_eq!(shell.state(alarm, CHUNCHANGBA), InvitationState::Ringing);
    shell.join(CHUNCHANGBA);
    assert_eq!(state(&shell, meeting, community), ParticipantState::Held);
    let held = shell.conference(meeting).participant(community).unwrap();
    assert_eq!(shell.conference(meeting).gates(held), Gates::CLOSED);
    assert_eq!(held.held.unwrap().by_conference, alarm);
    // It is there for those who would call the absent.
    shell.refused(
        JIZHOU,
        Order::InviteAbsent {
            conference: meeting,
        },
        RefusalCode::NobodyToRing,
    );

    shell
        .by(COMMANDER, Order::End { conference: alarm })
        .unwrap();
    assert_eq!(state(&shell, meeting, community), ParticipantState::Joining);
    shell.connect(CHUNCHANGBA);
    assert_eq!(state(&shell, meeting, community), ParticipantState::In);
    assert_eq!(shell.conference(meeting).chair.map(|_| ()), Some(()));
}

/// It has come, and is called away before its media are there: nobody is rung for it.
#[test]
fn whoever_is_held_is_not_gone_after() {
    let mut shell = Shell::lit();
    let deputy = Contact {
        name: "副".to_owned(),
        account: Some(FIELD_JIZHOU.into()),
        phone: None,
    };
    let order = DutyOrder::SetContacts {
        site: SHAHE.into(),
        contacts: Vec::new(),
        deputy: Some(deputy),
    };
    shell.by(COMMANDER, Order::Duty { order }).unwrap();
    let meeting = shell.call(COMMANDER, &[site(SHAHE), site(JIZHOU)], true);
    shell.join(JIZHOU);
    shell.wait(31_000);
    let invitation = shell.invitation(meeting, SHAHE).id;
    let order = PursuitOrder::Pursue { invitation };
    shell.by(COMMANDER, Order::Pursuit { order }).unwrap();
    assert!(shell.ring_of(FIELD_JIZHOU).is_some());
    let step = Conduct::Enter { reason: None };
    let enter = Order::Conduct {
        conference: meeting,
        step,
    };
    shell.by(SHAHE, enter).unwrap();
    let place = shell.stay(SHAHE).unwrap().id;
    let alarm = emergency(&mut shell, DISPATCHER, &[site(SHAHE)]);
    shell.join(SHAHE);
    assert_eq!(state(&shell, meeting, place), ParticipantState::Held);
    shell.wait(100_000);
    let one = shell.county.pursuits().all().next().unwrap();
    assert_eq!((one.state, one.attempts.len()), (PursuitState::Calling, 1));
    shell
        .by(DISPATCHER, Order::End { conference: alarm })
        .unwrap();
    shell.connect(SHAHE);
    let one = shell.county.pursuits().all().next().unwrap();
    assert_eq!(one.state, PursuitState::Reached);
}

#[test]
fn whoever_leaves_the_incident_is_given_back_and_the_chair_takes_its_chair() {
    let mut shell = Shell::lit();
    let (meeting, _) = routine(&mut shell);
    let chair = shell.stay(JIZHOU).unwrap().id;
    let alarm = emergency(&mut shell, COMMANDER, &[site(JIZHOU), site(SHAHE)]);
    shell.join(SHAHE);
    shell.join(JIZHOU);
    assert_eq!(state(&shell, meeting, chair), ParticipantState::Held);
    let other = shell.conference(meeting).chair.expect("passed on");
    assert_ne!(other, chair);
    shell
        .by(JIZHOU, Order::Leave { conference: alarm })
        .unwrap();
    assert_eq!(state(&shell, meeting, chair), ParticipantState::Joining);
    assert_eq!(shell.conference(meeting).chair, Some(chair));
}

#[test]
fn a_meeting_of_which_all_are_held_waits_for_them() {
    let mut shell = Shell::lit();
    let meeting = shell.call(JIZHOU, &[site(CHUNCHANGBA)], true);
    shell.join(CHUNCHANGBA);
    let alarm = emergency(&mut shell, COMMANDER, &[site(JIZHOU), site(CHUNCHANGBA)]);
    shell.join(JIZHOU);
    shell.join(CHUNCHANGBA);
    assert!(!shell.conference(meeting).is_over());
    assert_eq!(shell.conference(meeting).chair, None);
    shell.wait(3_600_000);
    assert!(!shell.conference(meeting).is_over());
    // A restart changes nothing about it.
    shell.system(Order::Restarted).unwrap();
    for account in [JIZHOU, CHUNCHANGBA, COMMANDER] {
        shell.devices(account, 1);
        shell.connect(account);
    }
    assert_eq!(shell.replayed(), shell.county);
    shell
        .by(COMMANDER, Order::End { conference: alarm })
        .unwrap();
    assert_eq!(shell.stay(JIZHOU).unwrap().conference, meeting);
    assert_eq!(shell.stay(CHUNCHANGBA).unwrap().conference, meeting);
    let chair = shell.stay(JIZHOU).unwrap().id;
    assert_eq!(shell.conference(meeting).chair, Some(chair));
}

#[test]
fn whoever_does_not_come_back_in_time_has_left() {
    let mut shell = Shell::lit();
    let (meeting, community) = routine(&mut shell);
    let alarm = emergency(&mut shell, COMMANDER, &[site(CHUNCHANGBA)]);
    shell.join(CHUNCHANGBA);
    shell
        .by(COMMANDER, Order::End { conference: alarm })
        .unwrap();
    shell.wait(60_000);
    assert_eq!(state(&shell, meeting, community), ParticipantState::Left);
}

#[test]
fn an_emergency_never_takes_from_an_emergency() {
    let mut shell = Shell::lit();
    let first = emergency(&mut shell, COMMANDER, &[site(JIZHOU)]);
    shell.join(JIZHOU);
    let second = emergency(&mut shell, DISPATCHER, &[site(JIZHOU), site(SHAHE)]);
    assert_eq!(shell.state(second, JIZHOU), InvitationState::Busy);
    assert_eq!(shell.state(second, SHAHE), InvitationState::Ringing);
    assert_eq!(shell.stay(JIZHOU).unwrap().conference, first);
}

#[test]
fn an_ordered_call_of_the_same_or_a_lower_weight_finds_the_callee_busy() {
    let mut shell = Shell::lit();
    let high = shell.call(COMMANDER, &[site(CHUNCHANGBA)], true);
    shell.join(CHUNCHANGBA);
    let low = shell.call(JIZHOU, &[site(CHUNCHANGBA), site(DATANGBA)], true);
    assert_eq!(shell.state(low, CHUNCHANGBA), InvitationState::Busy);
    let equal = shell.call(DISPATCHER, &[site(CHUNCHANGBA), site(LUOPING)], true);
    assert_eq!(shell.state(equal, CHUNCHANGBA), InvitationState::Busy);
    // The other way round the callee may go, for good.
    shell.join(DATANGBA);
    let invite = Order::Invite {
        conference: high,
        targets: vec![site(DATANGBA)],
        ordered: true,
    };
    shell.by(COMMANDER, invite).unwrap();
    shell.join(DATANGBA);
    assert_eq!(shell.stay(DATANGBA).unwrap().conference, high);
    assert!(shell.conference(low).place_of(&DATANGBA.into()).is_none());
}

#[test]
fn the_incidents_own_caller_is_held_in_the_meeting_that_he_left_for_it() {
    let mut shell = Shell::lit();
    let meeting = shell.call(COMMANDER, &[site(SHAHE)], true);
    shell.join(SHAHE);
    let alarm = emergency(&mut shell, COMMANDER, &[site(JIZHOU)]);
    shell.join(JIZHOU);
    let place = shell.conference(meeting).place_of(&COMMANDER.into());
    assert_eq!(place.unwrap().state, ParticipantState::Held);
    shell
        .by(COMMANDER, Order::End { conference: alarm })
        .unwrap();
    assert_eq!(shell.stay(COMMANDER).unwrap().conference, meeting);
}

#[test]
fn a_place_that_is_kept_can_be_given_up_taken_and_ends_with_its_meeting() {
    let mut shell = Shell::lit();
    let (meeting, community) = routine(&mut shell);
    let alarm = emergency(&mut shell, COMMANDER, &[site(CHUNCHANGBA), site(DATANGBA)]);
    shell.join(CHUNCHANGBA);
    shell.join(DATANGBA);
    shell
        .by(
            CHUNCHANGBA,
            Order::Leave {
                conference: meeting,
            },
        )
        .unwrap();
    assert_eq!(state(&shell, meeting, community), ParticipantState::Left);
    // Back by order: the place that is kept is taken up again.
    let moves = Order::Conduct {
        conference: alarm,
        step: Conduct::Move {
            participant: shell.stay(DATANGBA).unwrap().id,
            to: meeting,
            reason: "回原会议".to_owned(),
        },
    };
    shell.by(COMMANDER, moves).unwrap();
    let back = shell.stay(DATANGBA).unwrap();
    assert_eq!((back.conference, back.held), (meeting, None));
    shell
        .by(
            JIZHOU,
            Order::End {
                conference: meeting,
            },
        )
        .unwrap();
    assert!(shell.stay(DATANGBA).is_none());
}

#[test]
fn what_all_are_told_meanwhile_holds_for_whoever_comes_back() {
    let mut shell = Shell::lit();
    let (meeting, community) = routine(&mut shell);
    let ask = |on| Order::Conduct {
        conference: meeting,
        step: Conduct::OrderDevice {
            participant: community,
            device: Device::Camera,
            on,
            reason: "查看水位".to_owned(),
        },
    };
    shell.by(JIZHOU, ask(true)).unwrap();
    let alarm = emergency(&mut shell, COMMANDER, &[site(CHUNCHANGBA)]);
    shell.join(CHUNCHANGBA);
    let mute_all = Order::MuteAll {
        conference: meeting,
        muted: true,
    };
    shell.by(JIZHOU, mute_all).unwrap();
    shell
        .by(COMMANDER, Order::End { conference: alarm })
        .unwrap();
    shell.connect(CHUNCHANGBA);
    let back = shell.conference(meeting).participant(community).unwrap();
    assert!(!shell.conference(meeting).gates(back).sound);
    // What was not answered is asked no more: nobody waits for that picture now.
    assert_eq!(back.camera_order, None);
    assert_eq!(shell.replayed(), shell.county);
}

#[test]
fn whoever_goes_into_an_emergencys_call_by_himself_keeps_his_place() {
    let mut shell = Shell::lit();
    let alarm = emergency(&mut shell, COMMANDER, &[site(JIZHOU), site(SHAHE)]);
    shell.join(SHAHE);
    let decline = shell.invitation(alarm, JIZHOU).id;
    shell
        .by(
            JIZHOU,
            Order::Decline {
                invitation: decline,
            },
        )
        .unwrap();
    let (meeting, _) = routine(&mut shell);
    let enter = Order::Conduct {
        conference: alarm,
        step: Conduct::Enter { reason: None },
    };
    shell.by(JIZHOU, enter).unwrap();
    shell.connect(JIZHOU);
    assert_eq!(shell.stay(JIZHOU).unwrap().conference, alarm);
    let place = shell.conference(meeting).place_of(&JIZHOU.into());
    assert_eq!(place.unwrap().state, ParticipantState::Held);
    // Its meeting may end without it; then nothing is given back.
    for account in [CHUNCHANGBA, DATANGBA] {
        let leave = Order::Leave {
            conference: meeting,
        };
        shell.by(account, leave).unwrap();
    }
    assert!(!shell.conference(meeting).is_over());
    shell
        .by(JIZHOU, Order::Leave { conference: alarm })
        .unwrap();
    assert_eq!(shell.stay(JIZHOU).unwrap().conference, meeting);
}
