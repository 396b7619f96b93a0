//! In the conference: the chair, muting, removal, lost media, a restart.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod support;

use liandong_domain::{
    ConferenceId, ConferenceState, Decision, Event, InvitationState, LeaveReason, MissReason,
    Order, Outcome, ParticipantId, ParticipantState, Presence, RefusalCode, Target, Tier,
};
use support::{
    ADMINISTRATOR, CHUNCHANGBA, COMMANDER, COUNTY, DATANGBA, DISPATCHER, FIELD_COUNTY, JIZHOU,
    SHAHE, Shell, call, person, site,
};

/// The county with two townships and a community in.
fn meeting() -> (Shell, ConferenceId) {
    let mut shell = Shell::lit();
    let targets = [site(SHAHE), site(JIZHOU), site(CHUNCHANGBA), site(DATANGBA)];
    let id = shell.call(COMMANDER, &targets, true);
    for account in [CHUNCHANGBA, SHAHE, JIZHOU] {
        shell.wait(10);
        shell.join(account);
    }
    (shell, id)
}

fn id_of(shell: &Shell, account: &str) -> ParticipantId {
    shell.stay(account).expect("present").id
}

fn muted(shell: &Shell, account: &str) -> bool {
    shell.stay(account).expect("present").muted
}

fn chair(shell: &Shell, id: ConferenceId) -> String {
    let conference = shell.conference(id);
    let chair = conference.participant(conference.chair.expect("a chair"));
    chair.expect("known").account.0.clone()
}

#[test]
fn the_chair_passes_to_the_highest_tier_and_then_the_earliest() {
    let (mut shell, id) = meeting();
    assert_eq!(chair(&shell, id), COMMANDER);
    for (leaver, heir) in [(COMMANDER, SHAHE), (SHAHE, JIZHOU), (JIZHOU, CHUNCHANGBA)] {
        shell.by(leaver, Order::Leave { conference: id }).unwrap();
        assert_eq!(chair(&shell, id), heir);
    }
}

#[test]
fn a_field_unit_takes_the_chair_after_every_site() {
    let mut shell = Shell::lit();
    let targets = [person(FIELD_COUNTY), site(CHUNCHANGBA), site(DATANGBA)];
    let id = shell.call(COMMANDER, &targets, true);
    for account in [FIELD_COUNTY, CHUNCHANGBA] {
        shell.join(account);
    }
    shell
        .by(COMMANDER, Order::Leave { conference: id })
        .unwrap();
    assert_eq!(chair(&shell, id), CHUNCHANGBA);
}

#[test]
fn whoever_does_not_command_takes_no_chair() {
    let mut shell = Shell::lit();
    shell.devices(ADMINISTRATOR, 1);
    let id = shell.call(JIZHOU, &[site(COUNTY), site(SHAHE)], false);
    shell.join(ADMINISTRATOR);
    let hand_over = Order::HandOver {
        conference: id,
        participant: id_of(&shell, ADMINISTRATOR),
    };
    shell.refused(JIZHOU, hand_over, RefusalCode::NotAllowed);
    shell.by(JIZHOU, Order::Leave { conference: id }).unwrap();
    assert_eq!(shell.conference(id).chair, None);
    // The next who can takes it.
    shell.accept(SHAHE);
    assert_eq!(chair(&shell, id), SHAHE);
}

#[test]
fn mute_all_spares_the_chair_and_catches_who_comes_late() {
    let (mut shell, id) = meeting();
    let all = |muted| Order::MuteAll {
        conference: id,
        muted,
    };
    shell.refused(JIZHOU, all(true), RefusalCode::NotChair);
    let events = shell.by(COMMANDER, all(true)).unwrap();
    let gates = events
        .iter()
        .filter(|event| matches!(event, Event::ParticipantMuted { muted: true, .. }));
    assert_eq!(gates.count(), 3);
    assert!(!muted(&shell, COMMANDER));
    assert!(muted(&shell, JIZHOU));
    shell.join(DATANGBA);
    assert!(muted(&shell, DATANGBA));
    assert!(shell.by(COMMANDER, all(true)).unwrap().is_empty());

    // One named site speaks to all.
    let one = |participant, muted| Order::Mute {
        conference: id,
        participant,
        muted,
    };
    let jizhou = id_of(&shell, JIZHOU);
    shell.by(COMMANDER, one(jizhou, false)).unwrap();
    assert!(!muted(&shell, JIZHOU));
    shell.by(COMMANDER, one(jizhou, true)).unwrap();

    shell.by(COMMANDER, all(false)).unwrap();
    assert!(shell.conference(id).present().all(|one| !one.muted));
}

#[test]
fn a_new_chair_can_be_heard_while_all_are_muted() {
    let (mut shell, id) = meeting();
    let all = Order::MuteAll {
        conference: id,
        muted: true,
    };
    shell.by(COMMANDER, all).unwrap();
    let hand_over = |participant| Order::HandOver {
        conference: id,
        participant,
    };
    let jizhou = id_of(&shell, JIZHOU);
    shell.refused(JIZHOU, hand_over(jizhou), RefusalCode::NotChair);
    shell.by(COMMANDER, hand_over(jizhou)).unwrap();
    assert_eq!(chair(&shell, id), JIZHOU);
    assert!(!muted(&shell, JIZHOU));
    shell.by(JIZHOU, Order::Leave { conference: id }).unwrap();
    assert_eq!(chair(&shell, id), COMMANDER);
}

#[test]
fn the_conference_stays_for_whom_the_chair_was_handed_to() {
    let (mut shell, id) = meeting();
    let shahe = id_of(&shell, SHAHE);
    let hand_over = Order::HandOver {
        conference: id,
        participant: shahe,
    };
    shell.by(COMMANDER, hand_over).unwrap();
    shell.wait(30_000); // until the last ring is over
    for account in [COMMANDER, JIZHOU, CHUNCHANGBA] {
        shell.by(account, Order::Leave { conference: id }).unwrap();
    }
    assert!(shell.conference(id).alone_until.is_some());
    shell
        .by(SHAHE, Order::InviteAbsent { conference: id })
        .unwrap();
    // A township cannot order whom the county ordered.
    assert!(shell.conference(id).pending().all(|one| !one.ordered));
}

#[test]
fn removing_needs_the_chair_or_a_tier_above_and_a_reason() {
    let (mut shell, id) = meeting();
    let remove = |participant, reason: &str| Order::Remove {
        conference: id,
        participant,
        reason: reason.to_owned(),
    };
    let (community, shahe) = (id_of(&shell, CHUNCHANGBA), id_of(&shell, SHAHE));
    shell.refused(COMMANDER, remove(community, "  "), RefusalCode::Malformed);
    shell.refused(
        COMMANDER,
        remove(community, &"长".repeat(201)),
        RefusalCode::Malformed,
    );
    shell.refused(SHAHE, remove(community, "噪声"), RefusalCode::NotChair);
    shell.refused(CHUNCHANGBA, remove(shahe, "噪声"), RefusalCode::NotChair);
    shell.refused(
        DISPATCHER,
        remove(community, "噪声"),
        RefusalCode::NotInConference,
    );
    let events = shell.by(JIZHOU, remove(community, " 噪声 ")).unwrap();
    assert!(events.iter().any(|event| matches!(
        event,
        Event::ParticipantLeft { reason: LeaveReason::Removed, by: Some(by), text: Some(text), .. }
            if by.0 == JIZHOU && text == "噪声"
    )));
    shell.refused(
        COMMANDER,
        remove(community, "噪声"),
        RefusalCode::NotInConference,
    );
    shell.refused(
        COMMANDER,
        remove(ParticipantId(99), "噪声"),
        RefusalCode::UnknownParticipant,
    );
}

#[test]
fn a_tier_above_the_chair_may_end_it() {
    let mut shell = Shell::lit();
    let id = shell.call(JIZHOU, &[site(COUNTY), site(CHUNCHANGBA)], false);
    shell.join(CHUNCHANGBA);
    shell.join(COMMANDER);
    let end = Order::End { conference: id };
    shell.refused(CHUNCHANGBA, end.clone(), RefusalCode::NotChair);
    shell.refused(DISPATCHER, end.clone(), RefusalCode::NotInConference);
    shell.by(COMMANDER, end.clone()).unwrap();
    shell.refused(COMMANDER, end, RefusalCode::Ended);
}

#[test]
fn own_media_is_told_once() {
    let (mut shell, id) = meeting();
    let own = |camera| Order::SetOwnMedia {
        conference: id,
        microphone: true,
        camera,
    };
    assert!(shell.by(JIZHOU, own(true)).unwrap().is_empty());
    assert_eq!(shell.by(JIZHOU, own(false)).unwrap().len(), 1);
    assert!(!shell.stay(JIZHOU).unwrap().camera);
    shell.refused(DATANGBA, own(false), RefusalCode::NotInConference);
}

#[test]
fn lost_media_may_come_back_within_a_minute() {
    let (mut shell, id) = meeting();
    let participant = id_of(&shell, JIZHOU);
    shell.system(Order::MediaLost { participant }).unwrap();
    assert_eq!(shell.stay(JIZHOU).unwrap().state, ParticipantState::Joining);
    // Said again, it does not prolong the wait.
    shell.wait(59_999);
    assert!(
        shell
            .system(Order::MediaLost { participant })
            .unwrap()
            .is_empty()
    );
    shell.system(Order::MediaConnected { participant }).unwrap();
    assert_eq!(shell.stay(JIZHOU).unwrap().state, ParticipantState::In);
    // The invitation was joined and stays so.
    assert_eq!(shell.state(id, JIZHOU), InvitationState::Joined);

    shell.system(Order::MediaLost { participant }).unwrap();
    shell.wait(60_000);
    assert_eq!(shell.stay(JIZHOU), None);
    assert_eq!(shell.state(id, JIZHOU), InvitationState::Joined);
    for gone in [
        Order::MediaConnected { participant },
        Order::MediaLost { participant },
        Order::DeviceLost { participant },
    ] {
        let refusal = shell.system(gone).unwrap_err();
        assert_eq!(refusal.code(), RefusalCode::NotInConference);
    }
}

#[test]
fn a_lost_device_leaves() {
    let (mut shell, id) = meeting();
    let participant = id_of(&shell, COMMANDER);
    shell.system(Order::DeviceLost { participant }).unwrap();
    assert_eq!(shell.stay(COMMANDER), None);
    assert_eq!(chair(&shell, id), SHAHE);
}

#[test]
fn a_restart_loses_nothing() {
    let (mut shell, id) = meeting();
    let deadline = shell.invitation(id, DATANGBA).deadline;
    shell.county = shell.replayed();
    shell.system(Order::Restarted).unwrap();
    let offline = |one: &str| shell.county.presence().of_site(&one.into()) == Presence::Offline;
    assert!(offline(JIZHOU) && offline(COUNTY));
    let conference = shell.conference(id);
    assert_eq!(conference.state, ConferenceState::Live);
    assert!(
        conference
            .present()
            .all(|one| one.state == ParticipantState::Joining)
    );
    assert_eq!(shell.state(id, DATANGBA), InvitationState::Queued);

    shell.devices(DATANGBA, 1);
    assert_eq!(shell.state(id, DATANGBA), InvitationState::Ringing);
    assert_eq!(shell.invitation(id, DATANGBA).deadline, deadline);
    for account in [COMMANDER, SHAHE, JIZHOU] {
        shell.connect(account);
    }
    shell.wait(60_000);
    let left: Vec<&str> = shell
        .conference(id)
        .participants()
        .filter(|one| one.left == Some(LeaveReason::MediaFailed))
        .map(|one| one.account.0.as_str())
        .collect();
    assert_eq!(left, [CHUNCHANGBA]);
    assert_eq!(shell.replayed(), shell.county);
}

#[test]
fn the_end_takes_back_what_rings() {
    let (mut shell, id) = meeting();
    let events = shell.by(COMMANDER, Order::End { conference: id }).unwrap();
    assert!(events.iter().any(|event| matches!(
        event,
        Event::InvitationMissed {
            reason: MissReason::Cancelled,
            ..
        }
    )));
    assert!(matches!(
        events.last(),
        Some(Event::ConferenceEnded { by: Some(_), .. })
    ));
    assert_eq!(shell.ring_of(DATANGBA), None);
}

#[test]
fn an_order_with_a_key_acts_once_even_over_a_restart() {
    let mut shell = Shell::lit();
    let order = call(
        &[Target::Tier {
            tier: Tier::Township,
        }],
        true,
    );
    let decide = |shell: &Shell, order: &Order| {
        shell
            .county
            .decide_once(&COMMANDER.into(), "k1", order, shell.now)
    };
    let Decision::New { events, outcome } = decide(&shell, &order).unwrap() else {
        panic!("new");
    };
    shell.take(&events);
    let Outcome::Called { invitations, .. } = &outcome else {
        panic!("called");
    };
    assert_eq!(invitations.len(), 13);

    shell.county = shell.replayed();
    assert_eq!(
        decide(&shell, &order),
        Ok(Decision::Repeated(outcome.clone()))
    );
    let other = decide(&shell, &call(&[site(JIZHOU)], true)).unwrap_err();
    assert_eq!(other.code(), RefusalCode::KeyReused);
    for key in ["", "a\nb", &"k".repeat(65)] {
        let refusal = shell
            .county
            .decide_once(&COMMANDER.into(), key, &order, shell.now)
            .unwrap_err();
        assert_eq!(refusal.code(), RefusalCode::Malformed);
    }

    let accept = Order::Accept {
        invitation: shell.ring_of(JIZHOU).unwrap(),
    };
    let accepted = shell
        .county
        .decide_once(&JIZHOU.into(), "k1", &accept, shell.now);
    let Ok(Decision::New { events, outcome }) = accepted else {
        panic!("new");
    };
    shell.take(&events);
    let stay = shell.stay(JIZHOU).unwrap();
    assert_eq!(
        outcome,
        Outcome::Accepted {
            conference: stay.conference,
            participant: stay.id
        }
    );
}

#[test]
fn an_account_that_is_made_inactive_goes() {
    let (mut shell, id) = meeting();
    let mut accounts = support::accounts();
    accounts.retain(|one| one.id.0 != JIZHOU);
    let order = Order::SetDirectory {
        sites: support::sites(),
        accounts,
    };
    shell.system(order.clone()).unwrap();
    assert_eq!(shell.stay(JIZHOU), None);
    assert_eq!(
        shell.county.presence().of_site(&JIZHOU.into()),
        Presence::Offline
    );
    shell.refused(
        JIZHOU,
        Order::Leave { conference: id },
        RefusalCode::NotSignedIn,
    );
    let devices = Order::SetDevices {
        account: JIZHOU.into(),
        online: 1,
        degraded: 0,
    };
    assert!(shell.system(devices).is_err());
    // The same configuration again changes nothing.
    assert!(shell.system(order).unwrap().is_empty());
}
