//! Conducting a conference: roles and permissions, hands, lock and lobby, coming in, being moved.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod support;

use liandong_domain::limits::MAX_PARTICIPANTS;
use liandong_domain::{
    Account, Conduct, Conducted, ConferenceId, DoorState, Event, Gates, InvitationState,
    LeaveReason, Mode, Order, Outcome, ParticipantId, ParticipantRole, RefusalCode, Role, Target,
    Tier,
};
use support::{
    CHUNCHANGBA, COMMANDER, COUNTY, DATANGBA, DISPATCHER, FIELD_JIZHOU, JIZHOU, LUOPING, SHAHE,
    SUPERVISOR, Shell, person, site,
};

const OPEN: Gates = Gates {
    sound: true,
    picture: true,
};

/// The county with two townships and a community in; a second community was called.
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

fn conduct(conference: ConferenceId, step: Conduct) -> Order {
    Order::Conduct { conference, step }
}

fn id_of(shell: &Shell, account: &str) -> ParticipantId {
    shell.stay(account).expect("present").id
}

fn gates(shell: &Shell, account: &str) -> Gates {
    let stay = shell.stay(account).expect("present");
    shell.conference(stay.conference).gates(stay)
}

fn door(shell: &Shell, account: &str) -> Option<DoorState> {
    let doors = shell.county.doors(&account.into());
    doors.first().map(|door| door.state)
}

#[test]
fn in_a_chaired_conference_listeners_are_gated_until_permitted() {
    let (mut shell, id) = meeting();
    let mode = |mode| conduct(id, Conduct::SetMode { mode });
    shell.refused(JIZHOU, mode(Mode::Chaired), RefusalCode::NotChair);
    shell.by(COMMANDER, mode(Mode::Chaired)).unwrap();
    assert_eq!(gates(&shell, COMMANDER), OPEN);
    assert_eq!(gates(&shell, JIZHOU), Gates::CLOSED);
    shell.join(DATANGBA);
    assert_eq!(gates(&shell, DATANGBA), Gates::CLOSED);

    let raise = conduct(id, Conduct::Hand { raised: true });
    shell.by(JIZHOU, raise).unwrap();
    assert_eq!(shell.stay(JIZHOU).unwrap().hand, Some(shell.now));
    let permit = |participant, sound, picture| {
        let step = Conduct::Permit {
            participant,
            sound,
            picture,
        };
        conduct(id, step)
    };
    let jizhou = id_of(&shell, JIZHOU);
    shell.refused(SHAHE, permit(jizhou, true, true), RefusalCode::NotChair);
    shell.by(COMMANDER, permit(jizhou, true, false)).unwrap();
    let heard = Gates {
        sound: true,
        picture: false,
    };
    assert_eq!(gates(&shell, JIZHOU), heard);
    assert_eq!(shell.stay(JIZHOU).unwrap().hand, None);
    shell.by(COMMANDER, permit(jizhou, false, false)).unwrap();
    assert_eq!(gates(&shell, JIZHOU), Gates::CLOSED);

    shell.by(COMMANDER, mode(Mode::Free)).unwrap();
    assert_eq!(gates(&shell, JIZHOU), OPEN);
}

#[test]
fn a_word_that_is_given_lifts_the_mute_and_a_mute_closes_what_is_permitted() {
    let (mut shell, id) = meeting();
    let muted = Order::MuteAll {
        conference: id,
        muted: true,
    };
    shell.by(COMMANDER, muted).unwrap();
    let jizhou = id_of(&shell, JIZHOU);
    assert!(!gates(&shell, JIZHOU).sound);
    let permit = Conduct::Permit {
        participant: jizhou,
        sound: true,
        picture: true,
    };
    shell.by(COMMANDER, conduct(id, permit)).unwrap();
    assert_eq!(gates(&shell, JIZHOU), OPEN);
    assert!(!gates(&shell, SHAHE).sound);
}

#[test]
fn a_co_chair_conducts_but_not_against_the_chair() {
    let (mut shell, id) = meeting();
    let role = |participant, role| conduct(id, Conduct::SetRole { participant, role });
    let (jizhou, shahe) = (id_of(&shell, JIZHOU), id_of(&shell, SHAHE));
    let chair = id_of(&shell, COMMANDER);
    for co_chair in [jizhou, shahe] {
        shell
            .by(COMMANDER, role(co_chair, ParticipantRole::CoChair))
            .unwrap();
    }
    let community = id_of(&shell, CHUNCHANGBA);
    shell
        .by(SHAHE, role(community, ParticipantRole::Listener))
        .unwrap();
    shell
        .by(SHAHE, conduct(id, Conduct::Lock { locked: true }))
        .unwrap();
    let mute_all = Order::MuteAll {
        conference: id,
        muted: true,
    };
    shell.by(JIZHOU, mute_all).unwrap();
    for order in [
        Order::Mute {
            conference: id,
            participant: chair,
            muted: true,
        },
        Order::End { conference: id },
        Order::HandOver {
            conference: id,
            participant: jizhou,
        },
        role(shahe, ParticipantRole::Speaker),
        role(community, ParticipantRole::CoChair),
        role(chair, ParticipantRole::Listener),
    ] {
        shell.refused(JIZHOU, order, RefusalCode::NotChair);
    }
    shell.refused(
        COMMANDER,
        role(chair, ParticipantRole::Listener),
        RefusalCode::NotNow,
    );
    // The chair passes to a co-chair before anybody else.
    shell
        .by(COMMANDER, role(shahe, ParticipantRole::Speaker))
        .unwrap();
    shell
        .by(COMMANDER, Order::Leave { conference: id })
        .unwrap();
    assert_eq!(shell.conference(id).chair, Some(jizhou));
}

#[test]
fn a_locked_conference_takes_only_who_is_ordered_in() {
    let (mut shell, id) = meeting();
    let asks = Order::Invite {
        conference: id,
        targets: vec![site(LUOPING)],
        ordered: false,
    };
    shell.by(SHAHE, asks.clone()).unwrap();
    shell
        .by(COMMANDER, conduct(id, Conduct::Lock { locked: true }))
        .unwrap();
    assert_eq!(shell.state(id, LUOPING), InvitationState::Cancelled);
    // Ordered rings go on.
    assert_eq!(shell.state(id, DATANGBA), InvitationState::Ringing);
    shell.refused(SHAHE, asks, RefusalCode::Locked);
    let leave = Order::Leave { conference: id };
    shell.by(CHUNCHANGBA, leave).unwrap();
    assert_eq!(door(&shell, CHUNCHANGBA), Some(DoorState::Locked));
    let enter = conduct(id, Conduct::Enter { reason: None });
    shell.refused(CHUNCHANGBA, enter, RefusalCode::Locked);
    let orders = Order::Invite {
        conference: id,
        targets: vec![site(CHUNCHANGBA)],
        ordered: true,
    };
    shell.by(COMMANDER, orders).unwrap();
    shell.join(CHUNCHANGBA);
}

#[test]
fn late_comers_wait_in_the_lobby_until_they_are_admitted() {
    let (mut shell, id) = meeting();
    let enter = conduct(id, Conduct::Enter { reason: None });
    let leave = Order::Leave { conference: id };
    for account in [CHUNCHANGBA, JIZHOU, SHAHE] {
        shell.by(account, leave.clone()).unwrap();
    }
    // Without a lobby whoever was called may come back by himself.
    assert_eq!(door(&shell, JIZHOU), Some(DoorState::Open));
    let events = shell.by(JIZHOU, enter.clone()).unwrap();
    assert!(matches!(
        Outcome::of(&enter, &events),
        Outcome::Accepted { conference, .. } if conference == id
    ));
    shell.refused(LUOPING, enter.clone(), RefusalCode::UnknownConference);

    let lobby = |open| conduct(id, Conduct::SetLobby { open });
    shell.by(COMMANDER, lobby(true)).unwrap();
    for account in [CHUNCHANGBA, SHAHE] {
        let events = shell.by(account, enter.clone()).unwrap();
        assert_eq!(Outcome::of(&enter, &events), Outcome::Done);
        assert_eq!(door(&shell, account), Some(DoorState::Knocking));
    }
    let admit = |account: &str, admitted| {
        let account = account.into();
        conduct(id, Conduct::Admit { account, admitted })
    };
    shell.refused(JIZHOU, admit(SHAHE, true), RefusalCode::NotChair);
    shell.refused(COMMANDER, admit(LUOPING, true), RefusalCode::Settled);
    shell.by(COMMANDER, admit(SHAHE, false)).unwrap();
    assert_eq!(door(&shell, SHAHE), Some(DoorState::Lobby));
    shell.by(COMMANDER, admit(CHUNCHANGBA, true)).unwrap();
    shell.connect(CHUNCHANGBA);

    // Whoever goes into another call waits no longer.
    shell.by(SHAHE, enter).unwrap();
    shell.call(SHAHE, &[site(LUOPING)], true);
    assert_eq!(shell.conference(id).knocks().count(), 0);
}

#[test]
fn who_waits_in_the_lobby_comes_in_when_it_is_closed_and_not_when_all_is_locked() {
    let (mut shell, id) = meeting();
    let lobby = |open| conduct(id, Conduct::SetLobby { open });
    let enter = conduct(id, Conduct::Enter { reason: None });
    shell.by(COMMANDER, lobby(true)).unwrap();
    for account in [JIZHOU, SHAHE] {
        shell.by(account, Order::Leave { conference: id }).unwrap();
    }
    shell.by(JIZHOU, enter.clone()).unwrap();
    shell
        .by(COMMANDER, conduct(id, Conduct::Lock { locked: true }))
        .unwrap();
    assert_eq!(door(&shell, JIZHOU), Some(DoorState::Locked));
    shell
        .by(COMMANDER, conduct(id, Conduct::Lock { locked: false }))
        .unwrap();
    shell.by(SHAHE, enter).unwrap();
    shell.by(COMMANDER, lobby(false)).unwrap();
    assert!(shell.stay(SHAHE).is_some());
    assert!(shell.stay(JIZHOU).is_none());
}

#[test]
fn whoever_was_removed_does_not_come_back_by_himself() {
    let (mut shell, id) = meeting();
    let remove = Order::Remove {
        conference: id,
        participant: id_of(&shell, JIZHOU),
        reason: "噪声".to_owned(),
    };
    shell.by(COMMANDER, remove).unwrap();
    assert_eq!(door(&shell, JIZHOU), None);
    let enter = conduct(id, Conduct::Enter { reason: None });
    shell.refused(JIZHOU, enter, RefusalCode::UnknownConference);
}

#[test]
fn the_county_comes_into_a_townships_call_with_a_reason_and_without_asking() {
    let mut shell = Shell::lit();
    let id = shell.call(JIZHOU, &[site(CHUNCHANGBA)], true);
    shell.join(CHUNCHANGBA);
    shell
        .by(JIZHOU, conduct(id, Conduct::Lock { locked: true }))
        .unwrap();
    let enter = |reason: &str| {
        let reason = Some(reason.to_owned());
        conduct(id, Conduct::Enter { reason })
    };
    shell.refused(COMMANDER, enter(" "), RefusalCode::Malformed);
    shell.refused(SHAHE, enter("插话"), RefusalCode::UnknownConference);
    shell.by(COMMANDER, enter("汛情紧急")).unwrap();
    assert_eq!(gates(&shell, COMMANDER), OPEN);
}

#[test]
fn listening_in_is_from_above_and_seen_by_all() {
    let mut shell = Shell::lit();
    shell.devices(SUPERVISOR, 1);
    let id = shell.call(JIZHOU, &[site(CHUNCHANGBA)], true);
    shell.join(CHUNCHANGBA);
    let observe = |reason: &str| {
        let reason = reason.to_owned();
        conduct(id, Conduct::Observe { reason })
    };
    shell.refused(SUPERVISOR, observe(""), RefusalCode::Malformed);
    let observe = observe("督导检查");
    shell.refused(SHAHE, observe.clone(), RefusalCode::UnknownConference);
    shell.refused(FIELD_JIZHOU, observe.clone(), RefusalCode::NotAllowed);
    shell.by(SUPERVISOR, observe.clone()).unwrap();
    shell.connect(SUPERVISOR);
    shell.refused(SUPERVISOR, observe, RefusalCode::AlreadyThere);
    assert_eq!(gates(&shell, SUPERVISOR), Gates::CLOSED);
    let seen = shell.conference(id).present();
    assert!(
        seen.into_iter()
            .any(|one| one.role == ParticipantRole::Observer)
    );
    // It has no word to ask for, and none can be given.
    let hand = conduct(id, Conduct::Hand { raised: true });
    shell.refused(SUPERVISOR, hand, RefusalCode::NotNow);
    let permit = Conduct::Permit {
        participant: id_of(&shell, SUPERVISOR),
        sound: true,
        picture: true,
    };
    shell.refused(JIZHOU, conduct(id, permit), RefusalCode::NotNow);
    // A conference of a host and a listener is one that the host is alone in.
    shell
        .by(CHUNCHANGBA, Order::Leave { conference: id })
        .unwrap();
    assert!(shell.conference(id).alone_until.is_some());
    shell.by(JIZHOU, Order::Leave { conference: id }).unwrap();
    assert!(shell.conference(id).is_over());
}

#[test]
fn a_participant_is_moved_by_who_commands_here_and_there() {
    let mut shell = Shell::lit();
    let from = shell.call(JIZHOU, &[site(CHUNCHANGBA), site(DATANGBA)], true);
    shell.join(CHUNCHANGBA);
    shell.join(DATANGBA);
    let to = shell.call(COMMANDER, &[site(SHAHE)], true);
    shell.join(SHAHE);
    let community = id_of(&shell, CHUNCHANGBA);
    let moves = |reason: &str| {
        let step = Conduct::Move {
            participant: community,
            to,
            reason: reason.to_owned(),
        };
        conduct(from, step)
    };
    shell.refused(COMMANDER, moves(""), RefusalCode::Malformed);
    // The township commands here, but not there.
    shell.refused(JIZHOU, moves("支援"), RefusalCode::NotInConference);
    shell.refused(SHAHE, moves("支援"), RefusalCode::NotInConference);
    shell.by(COMMANDER, moves("支援")).unwrap();
    let stay = shell.stay(CHUNCHANGBA).unwrap();
    assert_eq!(stay.conference, to);
    let before = shell.conference(from).participant(community).unwrap();
    assert_eq!(before.left, Some(LeaveReason::Moved));
}

#[test]
fn inserting_is_an_order_with_a_reason_for_one_at_a_time() {
    let (mut shell, id) = meeting();
    let insert = |target, reason: &str| {
        let reason = reason.to_owned();
        conduct(id, Conduct::Insert { target, reason })
    };
    shell.refused(COMMANDER, insert(site(LUOPING), ""), RefusalCode::Malformed);
    shell.refused(JIZHOU, insert(site(SHAHE), "开会"), RefusalCode::NotBelow);
    shell.refused(
        DISPATCHER,
        insert(site(LUOPING), "开会"),
        RefusalCode::NotInConference,
    );
    let townships = Target::Tier {
        tier: Tier::Township,
    };
    shell.refused(COMMANDER, insert(townships, "开会"), RefusalCode::Malformed);
    shell
        .by(COMMANDER, insert(site(LUOPING), " 立即到会 "))
        .unwrap();
    let invitation = shell.invitation(id, LUOPING);
    assert_eq!(invitation.forced.as_deref(), Some("立即到会"));
    assert!(invitation.ordered);
}

#[test]
fn a_supervisor_listens_and_does_not_break_in() {
    let mut shell = Shell::lit();
    shell.devices(SUPERVISOR, 1);
    let id = shell.call(JIZHOU, &[site(CHUNCHANGBA)], true);
    shell.join(CHUNCHANGBA);
    let enter = Conduct::Enter {
        reason: Some("检查".to_owned()),
    };
    shell.refused(
        SUPERVISOR,
        conduct(id, enter),
        RefusalCode::UnknownConference,
    );
    let reason = "督导检查".to_owned();
    let events = shell
        .by(SUPERVISOR, conduct(id, Conduct::Observe { reason }))
        .unwrap();
    let why = |event: &Event| {
        matches!(event, Event::Conduct { event } if matches!(&event.what,
            Conducted::Entered { reason, .. } if reason == "督导检查"))
    };
    assert!(events.iter().any(why));
}

#[test]
fn whoever_listens_in_and_is_moved_listens_in_there() {
    let mut shell = Shell::lit();
    let id = shell.call(JIZHOU, &[site(CHUNCHANGBA), site(DATANGBA)], true);
    shell.join(CHUNCHANGBA);
    shell.join(DATANGBA);
    let participant = id_of(&shell, DATANGBA);
    let role = ParticipantRole::Observer;
    shell
        .by(JIZHOU, conduct(id, Conduct::SetRole { participant, role }))
        .unwrap();
    let to = shell.call(COMMANDER, &[site(SHAHE)], true);
    shell.join(SHAHE);
    let moves = Conduct::Move {
        participant,
        to,
        reason: "旁听全县会议".to_owned(),
    };
    shell.by(COMMANDER, conduct(id, moves)).unwrap();
    let moved = shell.stay(DATANGBA).unwrap();
    assert_eq!((moved.conference, moved.role), (to, role));
    assert_eq!(gates(&shell, DATANGBA), Gates::CLOSED);
}

#[test]
fn whoever_only_listens_in_does_not_broadcast() {
    let mut shell = Shell::lit();
    let id = shell.call(JIZHOU, &[site(CHUNCHANGBA)], true);
    shell.join(CHUNCHANGBA);
    let reason = "了解情况".to_owned();
    shell
        .by(COMMANDER, conduct(id, Conduct::Observe { reason }))
        .unwrap();
    shell.connect(COMMANDER);
    shell.refused(
        COMMANDER,
        conduct(id, Conduct::Broadcast { tier: None }),
        RefusalCode::NotNow,
    );
    assert_eq!(gates(&shell, CHUNCHANGBA), OPEN);
}

/// All who wait come in when a lobby that is full to the last place is closed.
#[test]
fn a_lobby_that_fills_the_last_places_can_be_emptied() {
    let mut shell = Shell::lit();
    let crowd: Vec<String> = (1..MAX_PARTICIPANTS).map(|n| format!("unit-{n}")).collect();
    let unit = |id: &String| Account {
        id: id.as_str().into(),
        name: id.clone(),
        role: Role::Field,
        site: COUNTY.into(),
        active: true,
    };
    let directory = Order::SetDirectory {
        sites: support::sites(),
        accounts: support::accounts()
            .into_iter()
            .chain(crowd.iter().map(unit))
            .collect(),
    };
    shell.system(directory).unwrap();
    for one in &crowd {
        shell.devices(one, 1);
    }
    let targets: Vec<Target> = crowd.iter().map(|one| person(one)).collect();
    let mut portions = targets.chunks(60);
    let id = shell.call(COMMANDER, portions.next().unwrap(), true);
    for portion in portions {
        let invite = Order::Invite {
            conference: id,
            targets: portion.to_vec(),
            ordered: true,
        };
        shell.by(COMMANDER, invite).unwrap();
    }
    for one in &crowd {
        shell.join(one);
    }
    let last = &crowd[crowd.len() - 2..];
    shell
        .by(COMMANDER, conduct(id, Conduct::SetLobby { open: true }))
        .unwrap();
    for one in last {
        shell.by(one, Order::Leave { conference: id }).unwrap();
    }
    for one in last {
        let knock = Conduct::Enter { reason: None };
        shell.by(one, conduct(id, knock)).unwrap();
    }
    let admit = Conduct::Admit {
        account: last[0].as_str().into(),
        admitted: true,
    };
    shell.by(COMMANDER, conduct(id, admit)).unwrap();
    shell
        .by(COMMANDER, conduct(id, Conduct::SetLobby { open: false }))
        .unwrap();
    for one in last {
        assert!(shell.stay(one).is_some(), "{one}");
    }
    assert_eq!(shell.conference(id).present().count(), MAX_PARTICIPANTS);
}
