//! Calls as a dispatcher makes them: 县呼乡, 乡呼村, 三级联调, the answers to
//! them, and calling the absent.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod support;

use liandong_domain::limits::{MAX_CONFERENCES_PER_ACCOUNT, MAX_TARGETS};
use liandong_domain::{
    ConferenceKind, ConferenceState, Event, InvitationState, LeaveReason, Order, ParticipantState,
    RefusalCode, Target, Tier, Timing,
};
use support::{
    ADMINISTRATOR, CHUNCHANGBA, COMMANDER, COUNTY, DATANGBA, DISPATCHER, FIELD_CHUNCHANGBA,
    FIELD_JIZHOU, JIZHOU, LUOPING, SHAHE, SUPERVISOR, Shell, call, lower_accounts, person, site,
    subtree,
};

const RING_MS: u64 = 30_000;
const ALONE_MS: u64 = 60_000;

fn tier(tier: Tier) -> Target {
    Target::Tier { tier }
}

#[test]
fn the_waits_of_these_tests_are_the_usual_ones() {
    assert_eq!(Timing::default().ring.as_millis(), u128::from(RING_MS));
    assert_eq!(Timing::default().alone.as_millis(), u128::from(ALONE_MS));
}

#[test]
fn the_county_calls_its_townships() {
    let mut shell = Shell::lit();
    let id = shell.call(COMMANDER, &[tier(Tier::Township)], true);
    let conference = shell.conference(id);
    assert_eq!(conference.kind, ConferenceKind::AdHoc);
    assert_eq!(conference.state, ConferenceState::Inviting);
    assert_eq!(conference.invitations().count(), 13);
    assert!(
        conference
            .invitations()
            .all(|one| one.state == InvitationState::Ringing && one.ordered && one.attempt == 1)
    );
    assert!(shell.ring_of(CHUNCHANGBA).is_none());

    shell.join(JIZHOU);
    assert_eq!(shell.conference(id).state, ConferenceState::Live);
    assert_eq!(shell.state(id, JIZHOU), InvitationState::Joined);
}

#[test]
fn a_township_calls_its_own_communities_only() {
    let mut shell = Shell::lit();
    let id = shell.call(JIZHOU, &[tier(Tier::Community)], true);
    assert_eq!(shell.conference(id).invitations().count(), 8);
    assert!(shell.ring_of(CHUNCHANGBA).is_some());
    assert!(shell.ring_of(LUOPING).is_none());
    let foreign = |ordered| Order::Invite {
        conference: id,
        targets: vec![site(SHAHE)],
        ordered,
    };
    shell.refused(JIZHOU, foreign(true), RefusalCode::NotBelow);
    shell.by(JIZHOU, foreign(false)).unwrap();
    // What its directory does not name is as if it did not exist.
    for ordered in [true, false] {
        for target in [
            site(LUOPING),
            person(LUOPING),
            subtree(LUOPING),
            site("000"),
        ] {
            let invite = Order::Invite {
                conference: id,
                targets: vec![target],
                ordered,
            };
            shell.refused(JIZHOU, invite, RefusalCode::UnknownTarget);
        }
    }
}

#[test]
fn three_tiers_ring_with_one_tap_and_all_49_answer() {
    let mut shell = Shell::lit();
    let id = shell.call(COMMANDER, &[subtree(COUNTY)], true);
    assert_eq!(shell.conference(id).invitations().count(), 49);
    for (number, account) in lower_accounts().iter().enumerate() {
        shell.wait(20);
        shell.accept(&account.0);
        shell.connect(&account.0);
        assert_eq!(shell.conference(id).present().count(), number + 2);
    }
    let conference = shell.conference(id);
    assert!(
        conference
            .invitations()
            .all(|one| one.state == InvitationState::Joined)
    );
    assert!(
        conference
            .present()
            .all(|one| one.state == ParticipantState::In)
    );
    assert_eq!(shell.county.due(), None);
    assert_eq!(shell.replayed(), shell.county);

    shell.by(COMMANDER, Order::End { conference: id }).unwrap();
    assert_eq!(shell.conference(id).state, ConferenceState::Ended);
    assert!(
        shell
            .conference(id)
            .participants()
            .all(|one| one.left == Some(LeaveReason::ConferenceEnded))
    );
}

#[test]
fn a_community_cannot_order_a_township() {
    let mut shell = Shell::lit();
    for targets in [
        vec![site(JIZHOU)],
        vec![tier(Tier::Township)],
        vec![tier(Tier::County)],
        vec![subtree(JIZHOU)],
        vec![subtree(COUNTY)],
        vec![site(DATANGBA)],
        vec![person(COMMANDER)],
        // One that is allowed does not carry another that is not.
        vec![person(FIELD_CHUNCHANGBA), site(JIZHOU)],
    ] {
        shell.refused(CHUNCHANGBA, call(&targets, true), RefusalCode::NotBelow);
    }
    // Asked, it rings, and the township may decline.
    let id = shell.call(CHUNCHANGBA, &[site(JIZHOU)], false);
    assert_eq!(shell.conference(id).kind, ConferenceKind::PointToPoint);
    let invitation = shell.ring_of(JIZHOU).unwrap();
    shell.by(JIZHOU, Order::Decline { invitation }).unwrap();
    assert_eq!(shell.state(id, JIZHOU), InvitationState::Declined);
    // A tier or a subtree cannot be asked upwards either.
    shell.refused(
        CHUNCHANGBA,
        call(&[tier(Tier::Township)], false),
        RefusalCode::NotBelow,
    );
    shell.refused(
        CHUNCHANGBA,
        call(&[subtree(COUNTY)], false),
        RefusalCode::NotBelow,
    );
}

#[test]
fn field_units_stand_below_their_site() {
    let mut shell = Shell::lit();
    shell.call(CHUNCHANGBA, &[person(FIELD_CHUNCHANGBA)], true);
    assert!(shell.ring_of(FIELD_CHUNCHANGBA).is_some());
    shell.refused(
        FIELD_JIZHOU,
        call(&[site(JIZHOU)], true),
        RefusalCode::NotBelow,
    );
    shell.refused(
        FIELD_JIZHOU,
        call(&[subtree(JIZHOU)], false),
        RefusalCode::NotBelow,
    );
    // It asks its own centre, whose room rings.
    shell.call(FIELD_JIZHOU, &[site(JIZHOU)], false);
    assert!(shell.ring_of(JIZHOU).is_some());
}

#[test]
fn a_site_call_does_not_ring_its_field_units() {
    let mut shell = Shell::lit();
    let id = shell.call(COMMANDER, &[site(JIZHOU)], true);
    assert!(shell.ring_of(FIELD_JIZHOU).is_none());
    let invitation = shell.invitation(id, JIZHOU).id;
    shell.refused(
        FIELD_JIZHOU,
        Order::Accept { invitation },
        RefusalCode::UnknownInvitation,
    );
}

#[test]
fn duplicates_are_merged_and_the_own_site_is_left_out() {
    let mut shell = Shell::lit();
    let targets = [
        site(CHUNCHANGBA),
        subtree(JIZHOU),
        site(JIZHOU),
        site(CHUNCHANGBA),
        site(COUNTY),
        person(COMMANDER),
    ];
    let id = shell.call(COMMANDER, &targets, false);
    assert_eq!(shell.conference(id).invitations().count(), 9);
    let first = shell.conference(id).invitations().next().unwrap();
    assert_eq!(first.callee, support::callee(CHUNCHANGBA));
    for nobody in [vec![], vec![site(COUNTY)], vec![person(DISPATCHER)]] {
        shell.refused(DISPATCHER, call(&nobody, false), RefusalCode::NobodyToRing);
    }
}

#[test]
fn unknown_targets_and_too_many_are_refused() {
    let mut shell = Shell::lit();
    for target in [site("000"), person("nobody"), subtree("000")] {
        shell.refused(
            COMMANDER,
            call(&[target], false),
            RefusalCode::UnknownTarget,
        );
    }
    let many = vec![site(JIZHOU); MAX_TARGETS + 1];
    shell.refused(COMMANDER, call(&many, true), RefusalCode::Full);
    let titled = |title: &str| Order::Call {
        targets: vec![site(JIZHOU)],
        title: Some(title.to_owned()),
        ordered: true,
        incident: None,
    };
    shell.refused(COMMANDER, titled("a\u{7}b"), RefusalCode::Malformed);
    shell.refused(COMMANDER, titled(&"长".repeat(81)), RefusalCode::Malformed);
    shell.by(COMMANDER, titled(&"长".repeat(80))).unwrap();
}

#[test]
fn whoever_is_there_is_named_in_vain_and_skipped_in_a_tier() {
    let mut shell = Shell::lit();
    let id = shell.call(COMMANDER, &[site(JIZHOU), site(SHAHE)], true);
    shell.join(JIZHOU);
    let invite = |targets: &[Target]| Order::Invite {
        conference: id,
        targets: targets.to_vec(),
        ordered: true,
    };
    // One is in, the other rings.
    for there in [JIZHOU, SHAHE] {
        shell.refused(COMMANDER, invite(&[site(there)]), RefusalCode::AlreadyThere);
    }
    shell.refused(
        COMMANDER,
        invite(&[person(JIZHOU)]),
        RefusalCode::AlreadyThere,
    );
    shell
        .by(COMMANDER, invite(&[tier(Tier::Township)]))
        .unwrap();
    assert_eq!(shell.conference(id).pending().count(), 12);
    shell.refused(
        COMMANDER,
        invite(&[tier(Tier::Township)]),
        RefusalCode::NobodyToRing,
    );
}

#[test]
fn a_call_of_two_widens_with_a_third() {
    let mut shell = Shell::lit();
    let id = shell.call(COMMANDER, &[site(JIZHOU)], true);
    assert_eq!(shell.conference(id).kind, ConferenceKind::PointToPoint);
    let invite = Order::Invite {
        conference: id,
        targets: vec![site(SHAHE)],
        ordered: true,
    };
    shell.by(COMMANDER, invite).unwrap();
    assert_eq!(shell.conference(id).kind, ConferenceKind::AdHoc);
}

#[test]
fn only_participants_invite() {
    let mut shell = Shell::lit();
    let id = shell.call(COMMANDER, &[site(JIZHOU)], true);
    shell.join(JIZHOU);
    let invite = |conference| Order::Invite {
        conference,
        targets: vec![site(CHUNCHANGBA)],
        ordered: true,
    };
    shell.refused(SHAHE, invite(id), RefusalCode::NotInConference);
    // The township brings in its own community.
    shell.by(JIZHOU, invite(id)).unwrap();
    let unknown = liandong_domain::ConferenceId(99);
    shell.refused(JIZHOU, invite(unknown), RefusalCode::UnknownConference);
    shell.by(COMMANDER, Order::End { conference: id }).unwrap();
    shell.refused(JIZHOU, invite(id), RefusalCode::Ended);
}

#[test]
fn an_offline_site_is_queued_and_rings_when_it_comes() {
    let mut shell = Shell::lit();
    shell.devices(JIZHOU, 0);
    shell.devices(SHAHE, 0);
    let id = shell.call(COMMANDER, &[site(JIZHOU), site(SHAHE)], true);
    assert_eq!(shell.state(id, JIZHOU), InvitationState::Queued);
    shell.wait(29_000);
    shell.devices(JIZHOU, 1);
    assert_eq!(shell.state(id, JIZHOU), InvitationState::Ringing);
    shell.wait(1_000);
    assert_eq!(shell.state(id, SHAHE), InvitationState::Unreachable);
    // The ring lasts as long as any other.
    shell.wait(RING_MS - 1_001);
    assert_eq!(shell.state(id, JIZHOU), InvitationState::Ringing);
    shell.wait(1);
    assert_eq!(shell.state(id, JIZHOU), InvitationState::NoAnswer);
}

#[test]
fn a_ring_whose_devices_go_waits_with_the_same_deadline() {
    let mut shell = Shell::lit();
    let id = shell.call(COMMANDER, &[site(JIZHOU)], true);
    let deadline = shell.invitation(id, JIZHOU).deadline;
    shell.wait(10_000);
    shell.devices(JIZHOU, 0);
    assert_eq!(shell.state(id, JIZHOU), InvitationState::Queued);
    shell.devices(JIZHOU, 1);
    assert_eq!(shell.state(id, JIZHOU), InvitationState::Ringing);
    assert_eq!(shell.invitation(id, JIZHOU).deadline, deadline);
    shell.devices(JIZHOU, 0);
    shell.wait(20_000);
    assert_eq!(shell.state(id, JIZHOU), InvitationState::NoAnswer);
}

#[test]
fn the_first_account_of_a_site_wins() {
    let mut shell = Shell::lit();
    let id = shell.call(JIZHOU, &[site(COUNTY)], false);
    let invitation = shell.ring_of(DISPATCHER).unwrap();
    assert_eq!(shell.ring_of(COMMANDER), Some(invitation));
    shell.by(DISPATCHER, Order::Accept { invitation }).unwrap();
    shell.refused(
        COMMANDER,
        Order::Accept { invitation },
        RefusalCode::AnsweredElsewhere,
    );
    shell.refused(
        COMMANDER,
        Order::Decline { invitation },
        RefusalCode::Settled,
    );
    assert_eq!(shell.ring_of(COMMANDER), None);
    assert_eq!(shell.state(id, COUNTY), InvitationState::Accepted);
}

#[test]
fn an_asked_callee_in_a_call_is_busy_and_an_ordered_one_rings() {
    let mut shell = Shell::lit();
    let first = shell.call(JIZHOU, &[site(CHUNCHANGBA)], true);
    shell.join(CHUNCHANGBA);
    let asked = shell.call(SHAHE, &[site(JIZHOU), site(LUOPING)], false);
    assert_eq!(shell.state(asked, JIZHOU), InvitationState::Busy);
    let ordered = shell.call(COMMANDER, &[site(JIZHOU)], true);
    assert_eq!(shell.state(ordered, JIZHOU), InvitationState::Ringing);

    let invitation = shell.invitation(ordered, JIZHOU).id;
    let events = shell.by(JIZHOU, Order::Accept { invitation }).unwrap();
    assert!(events.iter().any(|event| matches!(
        event,
        Event::ParticipantLeft { conference, reason: LeaveReason::Moved, .. } if *conference == first
    )));
    // The community was left alone there.
    assert!(shell.conference(first).is_over());
    assert_eq!(shell.stay(JIZHOU).map(|one| one.conference), Some(ordered));
}

#[test]
fn who_goes_into_another_call_is_busy_for_those_who_ask() {
    let mut shell = Shell::lit();
    let asked = shell.call(SHAHE, &[site(JIZHOU), site(LUOPING)], false);
    assert_eq!(shell.state(asked, JIZHOU), InvitationState::Ringing);
    shell.call(JIZHOU, &[site(CHUNCHANGBA)], true);
    assert_eq!(shell.state(asked, JIZHOU), InvitationState::Busy);
    assert_eq!(shell.state(asked, LUOPING), InvitationState::Ringing);
}

#[test]
fn a_site_with_somebody_free_still_rings_at_him() {
    let mut shell = Shell::lit();
    shell.call(COMMANDER, &[site(SHAHE)], true);
    let id = shell.call(JIZHOU, &[site(COUNTY)], false);
    assert_eq!(shell.state(id, COUNTY), InvitationState::Ringing);
    assert_eq!(shell.ring_of(COMMANDER), None);
    assert!(shell.ring_of(DISPATCHER).is_some());
}

#[test]
fn a_callee_that_comes_in_another_way_is_not_rung_on() {
    let mut shell = Shell::lit();
    let id = shell.call(COMMANDER, &[site(JIZHOU), person(JIZHOU)], true);
    assert_eq!(shell.county.rings_of(&JIZHOU.into()).len(), 2);
    shell.join(JIZHOU);
    assert_eq!(shell.conference(id).pending().count(), 0);
    assert_eq!(shell.county.rings_of(&JIZHOU.into()).len(), 0);
}

#[test]
fn media_that_does_not_connect_is_no_answer() {
    let mut shell = Shell::lit();
    let id = shell.call(COMMANDER, &[site(JIZHOU)], true);
    let participant = shell.accept(JIZHOU);
    shell.wait(20_000);
    assert_eq!(shell.state(id, JIZHOU), InvitationState::NoAnswer);
    let left = shell.conference(id).participant(participant).unwrap().left;
    assert_eq!(left, Some(LeaveReason::MediaFailed));
}

#[test]
fn who_hangs_up_before_the_media_connects_has_declined() {
    let mut shell = Shell::lit();
    let id = shell.call(COMMANDER, &[site(JIZHOU)], true);
    shell.accept(JIZHOU);
    shell.by(JIZHOU, Order::Leave { conference: id }).unwrap();
    assert_eq!(shell.state(id, JIZHOU), InvitationState::Declined);
}

#[test]
fn the_absent_are_called_again() {
    let mut shell = Shell::lit();
    shell.devices(LUOPING, 0);
    let targets = [
        site(JIZHOU),              // joins and stays
        site(SHAHE),               // does not answer
        site(LUOPING),             // is not there
        site(CHUNCHANGBA),         // joins and leaves
        site(DATANGBA),            // joins and is removed
        person(FIELD_JIZHOU),      // declines
        person(FIELD_CHUNCHANGBA), // is taken back
    ];
    let id = shell.call(COMMANDER, &targets, true);
    for account in [JIZHOU, CHUNCHANGBA, DATANGBA] {
        shell.join(account);
    }
    let invitation = shell.ring_of(FIELD_JIZHOU).unwrap();
    shell
        .by(FIELD_JIZHOU, Order::Decline { invitation })
        .unwrap();
    let invitation = shell.ring_of(FIELD_CHUNCHANGBA).unwrap();
    shell
        .by(COMMANDER, Order::CancelInvitation { invitation })
        .unwrap();
    shell.wait(RING_MS);
    shell
        .by(CHUNCHANGBA, Order::Leave { conference: id })
        .unwrap();
    let removal = Order::Remove {
        conference: id,
        participant: shell.stay(DATANGBA).unwrap().id,
        reason: "设备啸叫".to_owned(),
    };
    shell.by(COMMANDER, removal).unwrap();

    let again = Order::InviteAbsent { conference: id };
    shell.refused(JIZHOU, again.clone(), RefusalCode::NotChair);
    shell.by(COMMANDER, again.clone()).unwrap();
    let rung: Vec<&str> = shell
        .conference(id)
        .pending()
        .map(|one| {
            assert_eq!((one.attempt, one.ordered), (2, true));
            shell.county.callee_name(&one.callee)
        })
        .collect();
    assert_eq!(
        rung,
        [
            "沙河镇综治中心",
            "洛坪社区综治中心",
            "春场坝社区综治中心",
            "field-511922001 值班员"
        ]
    );
    assert_eq!(shell.state(id, LUOPING), InvitationState::Queued);
    shell.refused(COMMANDER, again, RefusalCode::NobodyToRing);
}

#[test]
fn the_host_waits_alone_for_a_minute() {
    let mut shell = Shell::lit();
    let id = shell.call(COMMANDER, &[site(JIZHOU)], true);
    shell.wait(RING_MS);
    assert_eq!(shell.state(id, JIZHOU), InvitationState::NoAnswer);
    shell.wait(ALONE_MS - 1);
    shell
        .by(COMMANDER, Order::InviteAbsent { conference: id })
        .unwrap();
    assert_eq!(shell.conference(id).alone_until, None);
    assert_eq!(shell.invitation(id, JIZHOU).attempt, 2);
    shell.wait(RING_MS + ALONE_MS - 1);
    assert!(!shell.conference(id).is_over());
    shell.wait(1);
    assert!(shell.conference(id).is_over());
    assert_eq!(shell.stay(COMMANDER), None);
}

#[test]
fn a_callee_alone_is_let_go() {
    let mut shell = Shell::lit();
    let id = shell.call(COMMANDER, &[site(JIZHOU), site(SHAHE)], true);
    shell.join(JIZHOU);
    shell
        .by(COMMANDER, Order::Leave { conference: id })
        .unwrap();
    // The other one still rings; the township holds the chair meanwhile.
    let chair = shell.conference(id).chair;
    assert_eq!(chair, shell.stay(JIZHOU).map(|one| one.id));
    shell.wait(RING_MS);
    assert!(shell.conference(id).is_over());
}

#[test]
fn a_caller_who_goes_before_anybody_came_takes_the_rings_along() {
    let mut shell = Shell::lit();
    let id = shell.call(COMMANDER, &[subtree(JIZHOU)], true);
    shell
        .by(COMMANDER, Order::Leave { conference: id })
        .unwrap();
    assert!(shell.conference(id).is_over());
    assert!(
        shell
            .conference(id)
            .invitations()
            .all(|one| one.state == InvitationState::Cancelled)
    );
    let invitation = shell.invitation(id, JIZHOU).id;
    shell.refused(JIZHOU, Order::Accept { invitation }, RefusalCode::Settled);
}

#[test]
fn a_ring_is_taken_back_by_who_may() {
    let mut shell = Shell::lit();
    let id = shell.call(COMMANDER, &[site(JIZHOU), site(SHAHE)], true);
    shell.join(JIZHOU);
    let ring = |code: &str, shell: &Shell| Order::CancelInvitation {
        invitation: shell.invitation(id, code).id,
    };
    let shahe = ring(SHAHE, &shell);
    shell.refused(JIZHOU, shahe.clone(), RefusalCode::NotChair);
    shell.refused(LUOPING, shahe.clone(), RefusalCode::NotInConference);
    shell.by(COMMANDER, shahe.clone()).unwrap();
    shell.refused(COMMANDER, shahe, RefusalCode::Settled);
    let joined = ring(JIZHOU, &shell);
    shell.refused(COMMANDER, joined, RefusalCode::Settled);
    let unknown = Order::CancelInvitation {
        invitation: liandong_domain::InvitationId(999),
    };
    shell.refused(COMMANDER, unknown, RefusalCode::UnknownInvitation);
}

#[test]
fn one_account_does_not_open_calls_without_end() {
    let mut shell = Shell::lit();
    let communities = [CHUNCHANGBA, DATANGBA, LUOPING, "511922001003"];
    for (number, account) in communities.into_iter().enumerate() {
        let partner = site([JIZHOU, SHAHE, "511922103", "511922104"][number]);
        // Somebody else stays in each, so that it goes on.
        shell.call(COMMANDER, &[site(account), partner], true);
        shell.join(account);
    }
    assert_eq!(communities.len(), MAX_CONFERENCES_PER_ACCOUNT);
    // The first three are kept by their rings.
    shell.refused(
        COMMANDER,
        call(&[site("511922105")], true),
        RefusalCode::Full,
    );
}

#[test]
fn administrators_and_supervisors_do_not_call() {
    let mut shell = Shell::lit();
    for account in [ADMINISTRATOR, SUPERVISOR] {
        shell.refused(
            account,
            call(&[site(JIZHOU)], false),
            RefusalCode::NotAllowed,
        );
    }
    shell.refused(
        "nobody",
        call(&[site(JIZHOU)], false),
        RefusalCode::NotSignedIn,
    );
    shell.refused(COMMANDER, Order::Tick, RefusalCode::NotAllowed);
    let refusal = shell.system(call(&[site(JIZHOU)], true)).unwrap_err();
    assert_eq!(refusal.code(), RefusalCode::NotAllowed);
}
