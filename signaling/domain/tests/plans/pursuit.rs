//! Who is gone after when nobody answers.

use super::*;

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

/// A message was taken, and so the deputy's phone rings as soon as it is there. That ring
/// counts for as long as it rings, and ends when the site comes by itself.
#[test]
fn ring_of_a_delivered_message_counts_and_ends_with_the_pursuit() {
    let mut shell = Shell::lit();
    shell.devices(CHUNCHANGBA, 0);
    shell.devices(FIELD_JIZHOU, 0);
    let contacts = DutyOrder::SetContacts {
        site: CHUNCHANGBA.into(),
        contacts: vec![contact("巡逻", Some(FIELD_JIZHOU), None)],
        deputy: None,
    };
    shell.by(COMMANDER, duty(contacts)).unwrap();
    let whom = vec![at(CHUNCHANGBA), at(JIZHOU)];
    let (_, conference) = running(&mut shell, &content("防汛", vec![step(0, whom)]));
    shell.join(JIZHOU);
    let one = pursuit(&shell, conference, CHUNCHANGBA);
    let messages = u32::try_from(one.attempts.len()).unwrap();
    assert!(tried(one).contains(&("巡逻", Channel::WebPush, None)));
    let id = one.id;
    for attempt in 1..=messages {
        let order = PursuitOrder::Result {
            pursuit: id,
            attempt,
            result: AttemptResult::Delivered,
        };
        shell.system(Order::Pursuit { order }).unwrap();
    }
    shell.wait(50_000);
    shell.devices(FIELD_JIZHOU, 1);
    shell.wait(15_000);
    // A minute after the message: it rings, so nobody above is told yet.
    assert!(shell.ring_of(FIELD_JIZHOU).is_some());
    let one = pursuit(&shell, conference, CHUNCHANGBA);
    assert_eq!(one.state, PursuitState::Calling);
    shell.devices(CHUNCHANGBA, 1);
    let again = Order::InviteAbsent { conference };
    shell.by(COMMANDER, again).unwrap();
    shell.join(CHUNCHANGBA);
    let one = pursuit(&shell, conference, CHUNCHANGBA);
    assert_eq!(one.state, PursuitState::Reached);
    assert_eq!(shell.ring_of(FIELD_JIZHOU), None);
    assert_eq!(shell.replayed(), shell.county);
}

/// A site that was given up is gone after anew by order, and comes: that is told once.
#[test]
fn whoever_comes_after_two_pursuits_is_told_once() {
    let mut shell = Shell::lit();
    let whom = vec![at(SHAHE), at(JIZHOU)];
    let (id, conference) = running(&mut shell, &content("防汛", vec![step(0, whom)]));
    shell.join(JIZHOU);
    shell.wait(200_000);
    let one = pursuit(&shell, conference, SHAHE);
    assert_eq!(one.state, PursuitState::ToldAbove);
    let invitation = shell.invitation(conference, SHAHE).id;
    let order = PursuitOrder::Pursue { invitation };
    shell.by(COMMANDER, Order::Pursuit { order }).unwrap();
    shell.join(SHAHE);
    let states: Vec<PursuitState> = shell.county.pursuits().all().map(|one| one.state).collect();
    assert_eq!(states, [PursuitState::Reached; 2]);
    let timeline = &shell.county.incident(id).unwrap().timeline;
    let told = |what: &What| matches!(what, What::Reached { .. });
    assert_eq!(timeline.iter().filter(|one| told(&one.what)).count(), 1);
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
