//! What is seen and heard by order: called up, broadcast, spotlight, carousel, roll call, devices.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod support;

use liandong_domain::{
    Address, Conduct, ConferenceId, Device, DeviceOrderState, Event, Gates, Mode, Order,
    ParticipantId, ParticipantRole, RefusalCode, Roll, RollEntry, RollOrder, RollState, Tier,
};
use support::{CHUNCHANGBA, COMMANDER, COUNTY, DATANGBA, JIZHOU, SHAHE, Shell, site};

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

fn by_chair(shell: &mut Shell, id: ConferenceId, step: Conduct) -> Vec<Event> {
    shell.by(COMMANDER, conduct(id, step)).unwrap()
}

fn id_of(shell: &Shell, account: &str) -> ParticipantId {
    shell.stay(account).expect("present").id
}

fn gates(shell: &Shell, account: &str) -> Gates {
    let stay = shell.stay(account).expect("present");
    shell.conference(stay.conference).gates(stay)
}

fn heard(shell: &Shell) -> Vec<&'static str> {
    let all = [COMMANDER, JIZHOU, CHUNCHANGBA, SHAHE];
    all.into_iter()
        .filter(|account| gates(shell, account).sound)
        .collect()
}

#[test]
fn one_named_site_speaks_to_all_then_the_next_and_the_permissions_come_back() {
    let (mut shell, id) = meeting();
    by_chair(
        &mut shell,
        id,
        Conduct::SetMode {
            mode: Mode::Chaired,
        },
    );
    let shahe = id_of(&shell, SHAHE);
    let permit = Conduct::Permit {
        participant: shahe,
        sound: true,
        picture: true,
    };
    by_chair(&mut shell, id, permit);
    let jizhou = id_of(&shell, JIZHOU);
    let mute = Order::Mute {
        conference: id,
        participant: jizhou,
        muted: true,
    };
    shell.by(COMMANDER, mute).unwrap();
    assert_eq!(heard(&shell), [COMMANDER, SHAHE]);

    let call_up = Conduct::CallUp {
        participant: jizhou,
    };
    shell.refused(SHAHE, conduct(id, call_up.clone()), RefusalCode::NotChair);
    by_chair(&mut shell, id, call_up);
    assert_eq!(heard(&shell), [COMMANDER, JIZHOU]);
    assert!(gates(&shell, JIZHOU).picture);
    assert_eq!(shell.conference(id).in_spotlight(), Some(jizhou));

    // In the order of sites: Jizhou, its community, Shahe; then it is over.
    by_chair(&mut shell, id, Conduct::NextSpeaker);
    assert_eq!(heard(&shell), [COMMANDER, CHUNCHANGBA]);
    by_chair(&mut shell, id, Conduct::NextSpeaker);
    assert_eq!(heard(&shell), [COMMANDER, SHAHE]);
    by_chair(&mut shell, id, Conduct::NextSpeaker);
    assert_eq!(shell.conference(id).address, None);
    assert_eq!(shell.conference(id).in_spotlight(), None);
    assert_eq!(heard(&shell), [COMMANDER, SHAHE]);
    assert!(!gates(&shell, CHUNCHANGBA).picture);
    shell.refused(
        COMMANDER,
        conduct(id, Conduct::NextSpeaker),
        RefusalCode::NotNow,
    );
}

#[test]
fn called_up_and_gone_it_is_over() {
    let (mut shell, id) = meeting();
    let participant = id_of(&shell, SHAHE);
    by_chair(&mut shell, id, Conduct::CallUp { participant });
    assert_eq!(heard(&shell), [COMMANDER, SHAHE]);
    shell.by(SHAHE, Order::Leave { conference: id }).unwrap();
    assert_eq!(shell.conference(id).address, None);
    assert!(gates(&shell, JIZHOU).sound);
}

#[test]
fn a_broadcast_mutes_all_others_and_gives_the_earlier_permissions_back() {
    let (mut shell, id) = meeting();
    by_chair(&mut shell, id, Conduct::Broadcast { tier: None });
    assert_eq!(heard(&shell), [COMMANDER]);
    assert!(gates(&shell, SHAHE).picture);
    // Whoever comes meanwhile is not heard either.
    shell.join(DATANGBA);
    assert!(!gates(&shell, DATANGBA).sound);
    let tier = Some(Tier::Township);
    by_chair(&mut shell, id, Conduct::Broadcast { tier });
    assert_eq!(heard(&shell), [COMMANDER, JIZHOU, SHAHE]);
    by_chair(&mut shell, id, Conduct::EndAddress);
    assert_eq!(heard(&shell), [COMMANDER, JIZHOU, CHUNCHANGBA, SHAHE]);
    shell.refused(
        COMMANDER,
        conduct(id, Conduct::EndAddress),
        RefusalCode::NotNow,
    );
}

#[test]
fn the_carousel_turns_rests_and_skips_who_is_gone() {
    let (mut shell, id) = meeting();
    let start = |interval_s| Conduct::StartCarousel {
        accounts: Vec::new(),
        interval_s,
    };
    for bad in [4, 601] {
        shell.refused(COMMANDER, conduct(id, start(bad)), RefusalCode::Malformed);
    }
    let shows = |shell: &Shell| shell.conference(id).in_spotlight();
    let [jizhou, community, shahe] =
        [JIZHOU, CHUNCHANGBA, SHAHE].map(|account| Some(id_of(&shell, account)));
    by_chair(&mut shell, id, start(10));
    assert_eq!(shows(&shell), jizhou);
    shell.wait(9_999);
    assert_eq!(shows(&shell), jizhou);
    shell.wait(1);
    assert_eq!(shows(&shell), community);
    by_chair(&mut shell, id, Conduct::NextInCarousel);
    assert_eq!(shows(&shell), shahe);
    by_chair(&mut shell, id, Conduct::PauseCarousel { paused: true });
    shell.wait(25_000);
    assert_eq!(shows(&shell), shahe);
    by_chair(&mut shell, id, Conduct::PauseCarousel { paused: false });
    shell.by(SHAHE, Order::Leave { conference: id }).unwrap();
    assert_eq!(shows(&shell), jizhou);
    by_chair(&mut shell, id, Conduct::StopCarousel);
    assert_eq!(shows(&shell), None);
    assert_eq!(shell.conference(id).carousel, None);
}

#[test]
fn a_carousel_keeps_its_list_and_a_chosen_spotlight_waits_behind_it() {
    let (mut shell, id) = meeting();
    let [jizhou, shahe] = [JIZHOU, SHAHE].map(|account| Some(id_of(&shell, account)));
    by_chair(
        &mut shell,
        id,
        Conduct::Spotlight {
            participant: jizhou,
        },
    );
    assert_eq!(shell.conference(id).in_spotlight(), jizhou);
    let list = Conduct::StartCarousel {
        accounts: vec![SHAHE.into(), DATANGBA.into()],
        interval_s: 5,
    };
    by_chair(&mut shell, id, list);
    assert_eq!(shell.conference(id).in_spotlight(), shahe);
    shell.wait(5_000); // Datangba is not there
    assert_eq!(shell.conference(id).in_spotlight(), shahe);
    shell.join(DATANGBA);
    let datangba = Some(id_of(&shell, DATANGBA));
    shell.wait(5_000);
    assert_eq!(shell.conference(id).in_spotlight(), datangba);
    // Named goes before both.
    let participant = id_of(&shell, CHUNCHANGBA);
    by_chair(&mut shell, id, Conduct::CallUp { participant });
    assert_eq!(shell.conference(id).in_spotlight(), Some(participant));
    by_chair(&mut shell, id, Conduct::EndAddress);
    by_chair(&mut shell, id, Conduct::StopCarousel);
    assert_eq!(shell.conference(id).in_spotlight(), jizhou);
}

fn roll(shell: &Shell, id: ConferenceId) -> &Roll {
    shell.conference(id).roll.as_ref().expect("called")
}

fn entry<'a>(shell: &'a Shell, id: ConferenceId, code: &str) -> &'a RollEntry {
    let entries = &roll(shell, id).entries;
    let found = entries
        .iter()
        .find(|one| one.callee == support::callee(code));
    found.expect("a member")
}

fn received(shell: &mut Shell, id: ConferenceId, account: &str, sound: bool, picture: bool) {
    let participant = id_of(shell, account);
    let step = Conduct::Received {
        participant,
        sound,
        picture,
    };
    shell.system(conduct(id, step)).unwrap();
}

#[test]
fn a_roll_called_at_once_says_who_was_there_late_or_absent_and_what_was_received() {
    let (mut shell, id) = meeting();
    shell.by(SHAHE, Order::Leave { conference: id }).unwrap();
    shell.wait(31_000); // the rings of the call are over
    let start = Conduct::StartRoll {
        order: RollOrder::Parallel,
        answer_s: 20,
    };
    by_chair(&mut shell, id, start.clone());
    shell.refused(COMMANDER, conduct(id, start), RefusalCode::NotNow);
    assert_eq!(entry(&shell, id, JIZHOU).state, RollState::Present);
    assert_eq!(entry(&shell, id, SHAHE).state, RollState::Called);
    received(&mut shell, id, JIZHOU, true, false);
    received(&mut shell, id, JIZHOU, false, true);
    received(&mut shell, id, CHUNCHANGBA, true, false);
    // Whoever is absent is rung, and late by as much as he needs.
    shell.wait(7_000);
    shell.join(SHAHE);
    let shahe = entry(&shell, id, SHAHE);
    assert_eq!(
        (shahe.state, shahe.late_ms()),
        (RollState::Late, Some(7_000))
    );
    shell.wait(13_000);
    assert_eq!(entry(&shell, id, DATANGBA).state, RollState::Absent);
    let jizhou = entry(&shell, id, JIZHOU);
    assert!(jizhou.sound && jizhou.picture);
    let community = entry(&shell, id, CHUNCHANGBA);
    assert!(community.sound && !community.picture);
    assert!(!roll(&shell, id).goes_on());
    // Nothing is added to a sheet that is closed.
    let late = Conduct::Received {
        participant: id_of(&shell, SHAHE),
        sound: true,
        picture: true,
    };
    assert!(shell.system(conduct(id, late)).is_err());
    assert_eq!(shell.replayed(), shell.county);
}

#[test]
fn a_roll_called_in_order_shows_each_and_goes_on_when_it_is_seen_and_heard() {
    let (mut shell, id) = meeting();
    let start = Conduct::StartRoll {
        order: RollOrder::InOrder,
        answer_s: 10,
    };
    by_chair(&mut shell, id, start);
    let shows = |shell: &Shell| shell.conference(id).in_spotlight();
    // By code: Jizhou, its two communities, Shahe.
    assert_eq!(shows(&shell), Some(id_of(&shell, JIZHOU)));
    assert_eq!(entry(&shell, id, CHUNCHANGBA).state, RollState::Waiting);
    received(&mut shell, id, JIZHOU, true, true);
    assert_eq!(shows(&shell), Some(id_of(&shell, CHUNCHANGBA)));
    // Nothing comes of it: it is looked at for a while.
    shell.wait(5_000);
    assert_eq!(entry(&shell, id, DATANGBA).state, RollState::Called);
    shell.wait(10_000);
    assert_eq!(entry(&shell, id, DATANGBA).state, RollState::Absent);
    assert_eq!(shows(&shell), Some(id_of(&shell, SHAHE)));
    received(&mut shell, id, SHAHE, true, true);
    assert!(!roll(&shell, id).goes_on());
    assert_eq!(shows(&shell), None);
}

#[test]
fn a_roll_can_be_stopped_by_who_conducts_only() {
    let (mut shell, id) = meeting();
    let start = Conduct::StartRoll {
        order: RollOrder::Parallel,
        answer_s: 300,
    };
    shell.refused(JIZHOU, conduct(id, start.clone()), RefusalCode::NotChair);
    by_chair(&mut shell, id, start);
    by_chair(&mut shell, id, Conduct::StopRoll);
    assert!(!roll(&shell, id).goes_on());
    shell.refused(
        COMMANDER,
        conduct(id, Conduct::StopRoll),
        RefusalCode::NotNow,
    );
}

#[test]
fn a_camera_is_switched_on_order_with_a_reason_and_the_device_answers() {
    let (mut shell, id) = meeting();
    let participant = id_of(&shell, JIZHOU);
    let order = |on, reason: &str| Conduct::OrderDevice {
        participant,
        device: Device::Camera,
        on,
        reason: reason.to_owned(),
    };
    shell.refused(
        COMMANDER,
        conduct(id, order(true, "")),
        RefusalCode::Malformed,
    );
    shell.refused(
        SHAHE,
        conduct(id, order(true, "查岗")),
        RefusalCode::NotChair,
    );
    let answer = |obeyed| {
        let step = Conduct::AnswerDevice {
            device: Device::Camera,
            obeyed,
            asked_at: None,
        };
        conduct(id, step)
    };
    shell.refused(JIZHOU, answer(true), RefusalCode::NotNow);
    by_chair(&mut shell, id, order(true, "查看水位"));
    let own = |shell: &Shell| shell.stay(JIZHOU).unwrap().camera_order.clone();
    let asked = own(&shell).unwrap();
    assert_eq!(asked.state, DeviceOrderState::Asked);
    assert_eq!(
        (asked.by.0.as_str(), asked.reason.as_str()),
        (COMMANDER, "查看水位")
    );
    shell.by(JIZHOU, answer(true)).unwrap();
    assert_eq!(own(&shell).unwrap().state, DeviceOrderState::Obeyed);
    // Switched off at the device: the order holds no longer.
    let off = Order::SetOwnMedia {
        conference: id,
        microphone: true,
        camera: false,
    };
    shell.by(JIZHOU, off).unwrap();
    assert_eq!(own(&shell), None);
    by_chair(&mut shell, id, order(true, "查看水位"));
    shell.by(JIZHOU, answer(false)).unwrap();
    assert_eq!(own(&shell).unwrap().state, DeviceOrderState::Refused);
}

/// The answer to an order that was overtaken by another says nothing of that one.
#[test]
fn a_late_answer_does_not_settle_a_newer_order() {
    let (mut shell, id) = meeting();
    let participant = id_of(&shell, JIZHOU);
    let own = |shell: &Shell| shell.stay(JIZHOU).unwrap().camera_order.clone().unwrap();
    let mut asked = Vec::new();
    for on in [true, false] {
        let order = Conduct::OrderDevice {
            participant,
            device: Device::Camera,
            on,
            reason: "查看水位".to_owned(),
        };
        by_chair(&mut shell, id, order);
        asked.push(own(&shell).at);
        shell.wait(1_000);
    }
    let answer = |asked_at| {
        let step = Conduct::AnswerDevice {
            device: Device::Camera,
            obeyed: true,
            asked_at: Some(asked_at),
        };
        conduct(id, step)
    };
    shell.by(JIZHOU, answer(asked[0])).unwrap();
    assert_eq!(own(&shell).state, DeviceOrderState::Asked);
    shell.by(JIZHOU, answer(asked[1])).unwrap();
    assert_eq!(own(&shell).state, DeviceOrderState::Obeyed);
    assert_eq!(shell.replayed(), shell.county);
}

#[test]
fn every_address_against_every_role() {
    let (mut shell, id) = meeting();
    let [jizhou, shahe, community] = [JIZHOU, SHAHE, CHUNCHANGBA].map(|one| id_of(&shell, one));
    let role = |participant, role| Conduct::SetRole { participant, role };
    by_chair(&mut shell, id, role(jizhou, ParticipantRole::CoChair));
    by_chair(&mut shell, id, role(community, ParticipantRole::Listener));
    // Heard: the chair, the co-chair, the speaker, the listener.
    let named = |participant| Some(Address::Named { participant });
    for (step, address, expected) in [
        (None, None, vec![COMMANDER, JIZHOU, SHAHE]),
        (
            Some(Conduct::CallUp {
                participant: community,
            }),
            named(community),
            vec![COMMANDER, CHUNCHANGBA],
        ),
        (
            Some(Conduct::CallUp { participant: shahe }),
            named(shahe),
            vec![COMMANDER, SHAHE],
        ),
        (
            Some(Conduct::EndAddress),
            None,
            vec![COMMANDER, JIZHOU, SHAHE],
        ),
    ] {
        if let Some(step) = step {
            by_chair(&mut shell, id, step);
        }
        assert_eq!(shell.conference(id).address, address);
        assert_eq!(heard(&shell), expected);
    }
}

#[test]
fn a_chair_asks_its_superior_for_a_picture_and_does_not_order_it() {
    let mut shell = Shell::lit();
    let id = shell.call(JIZHOU, &[site(CHUNCHANGBA)], true);
    shell.join(CHUNCHANGBA);
    let invite = Order::Invite {
        conference: id,
        targets: vec![site(COUNTY)],
        ordered: false,
    };
    shell.by(JIZHOU, invite).unwrap();
    shell.join(COMMANDER);
    let mut order = |account: &str| {
        let step = Conduct::OrderDevice {
            participant: id_of(&shell, account),
            device: Device::Camera,
            on: true,
            reason: "查看水位".to_owned(),
        };
        shell.by(JIZHOU, conduct(id, step)).unwrap();
        let order = shell.stay(account).unwrap().camera_order.clone();
        order.unwrap().ordered
    };
    assert!(order(CHUNCHANGBA));
    assert!(!order(COMMANDER));
}

#[test]
fn a_roll_ends_with_its_conference_and_calls_nobody_who_was_removed() {
    let (mut shell, id) = meeting();
    let remove = Order::Remove {
        conference: id,
        participant: id_of(&shell, SHAHE),
        reason: "会议结束".to_owned(),
    };
    shell.by(COMMANDER, remove).unwrap();
    let start = Conduct::StartRoll {
        order: RollOrder::Parallel,
        answer_s: 20,
    };
    by_chair(&mut shell, id, start);
    let of = |code: &str| {
        let mut entries = roll(&shell, id).entries.iter();
        entries.any(|one| one.callee == support::callee(code))
    };
    assert!(of(JIZHOU) && !of(SHAHE));
    shell.by(COMMANDER, Order::End { conference: id }).unwrap();
    assert_eq!(roll(&shell, id).ended_at, Some(shell.now));
}

#[test]
fn whoever_comes_to_listen_only_is_large_on_no_wall() {
    let (mut shell, id) = meeting();
    let participant = id_of(&shell, JIZHOU);
    let spotlight = Conduct::Spotlight {
        participant: Some(participant),
    };
    by_chair(&mut shell, id, spotlight);
    assert_eq!(shell.conference(id).in_spotlight(), Some(participant));
    let role = ParticipantRole::Observer;
    by_chair(&mut shell, id, Conduct::SetRole { participant, role });
    assert_eq!(shell.conference(id).in_spotlight(), None);
    let accounts = vec!["nobody".into()];
    let start = Conduct::StartCarousel {
        accounts,
        interval_s: 10,
    };
    shell.refused(COMMANDER, conduct(id, start), RefusalCode::UnknownTarget);
}
