use liandong_domain::{InvitationState, ParticipantId, ParticipantState};
use liandong_protocol::{Presence, Push, Request, SiteCode, Target};

use super::*;
use crate::journal::JournalError;
use crate::testing::{Disk, Paper, Seat, desk, parts};

fn call() -> Request {
    Request::Call {
        targets: vec![Target::Site {
            code: SiteCode::from("101"),
        }],
        title: None,
        ordered: true,
        incident: None,
    }
}

fn presence_of(seat: &Seat, site: &str) -> Option<Presence> {
    let sites = &seat.welcome.directory.sites;
    sites.iter().find(|one| one.code.0 == site)?.presence
}

#[tokio::test]
async fn hello_is_answered_while_nothing_can_be_journaled_and_made_good_after() {
    let paper = Paper::new();
    let desk = desk(&paper).await;
    let mut commander = Seat::take(&desk, "commander", None).await;
    paper.disk(Disk::Full);
    let township = Seat::take(&desk, "101", None).await;
    assert_eq!(presence_of(&township, "101"), Some(Presence::Offline));
    let refusal = commander.ask(call()).await.unwrap_err();
    assert_eq!(refusal.code, RefusalCode::JournalUnavailable);
    assert!(refusal.retry_after_ms.is_some());
    assert!(desk.status().await.unwrap().journal_trouble.is_some());

    paper.disk(Disk::Well);
    // By itself: nobody has to say Hello again.
    commander
        .push(|push| match push {
            Push::SitePresence { site, presence } if site.0 == "101" => {
                assert_eq!(*presence, Presence::Online);
                Some(())
            }
            _ => None,
        })
        .await;
    commander.ask(call()).await.unwrap();
}

#[tokio::test]
async fn device_that_came_and_went_while_nothing_could_be_journaled_was_never_there() {
    let paper = Paper::new();
    let (mut running, _inputs, _events) = Running::new(parts(&paper).await);
    let account = AccountId::from("101");
    paper.disk(Disk::Full);
    let mut batch = Batch::default();
    let came = Order::SetDevices {
        account: account.clone(),
        online: 1,
        degraded: 0,
    };
    for order in [came.clone(), Order::Tick, came.clone()] {
        running.own_order(order, &mut batch);
    }
    running.finish(&mut batch).await;
    assert_eq!(running.again, [came], "once, and no tick");

    paper.disk(Disk::Well);
    let (mut batch, written) = (Batch::default(), paper.len());
    running.housekeep(&mut batch);
    running.finish(&mut batch).await;
    assert!(running.again.is_empty());
    // It is offline, as it was before: nothing but the trouble is written down.
    assert_eq!(paper.len(), written + 1);
    let last = paper.sheet().entries.last().unwrap().body.clone();
    assert!(last.contains("wasUnwritable"), "{last}");
    let county = running.ledger.county();
    assert_eq!(
        county.presence().of_account(&account),
        liandong_domain::Presence::Offline
    );
}

#[tokio::test]
async fn media_that_was_lost_while_nothing_could_be_journaled_is_not_connected_later() {
    let paper = Paper::new();
    let (mut running, _inputs, _events) = Running::new(parts(&paper).await);
    let now = running.now();
    let order = Order::Call {
        targets: vec![liandong_domain::Target::Site { code: "101".into() }],
        title: None,
        ordered: true,
        incident: None,
    };
    let by = Actor::Account("commander".into());
    running.ledger.order(&by, None, &order, now).unwrap();
    running.ledger.commit(now).await.unwrap();
    let stay = |running: &Running<Paper>| {
        let county = running.ledger.county();
        county.stay_of(&"commander".into()).unwrap().clone()
    };
    let participant: ParticipantId = stay(&running).id;
    assert!(running.due().is_some(), "the ring's end");

    paper.disk(Disk::Full);
    let mut batch = Batch::default();
    running.own_order(Order::MediaConnected { participant }, &mut batch);
    running.finish(&mut batch).await;
    assert_eq!(running.again, [Order::MediaConnected { participant }]);
    assert_eq!(stay(&running).state, ParticipantState::Joining);
    assert_eq!(running.due(), None, "it would be tried without a pause");

    // No client holds the stay, so no media is there by now.
    paper.disk(Disk::Well);
    let mut batch = Batch::default();
    running.housekeep(&mut batch);
    running.finish(&mut batch).await;
    assert_eq!(stay(&running).state, ParticipantState::Joining);
    assert!(running.again.is_empty());
    assert!(running.due().is_some());
    let county = running.ledger.county();
    let invitation = county
        .conferences()
        .flat_map(liandong_domain::Conference::invitations)
        .next();
    assert_eq!(invitation.unwrap().state, InvitationState::Queued);
}

#[tokio::test]
async fn after_a_restart_the_stay_goes_to_the_client_that_held_it() {
    let paper = Paper::new();
    let before = desk(&paper).await;
    let mut owner = Seat::take(&before, "commander", None).await;
    owner.ask(call()).await.unwrap();
    let stay = owner
        .push(|push| match push {
            Push::Participant { participant } => Some(participant.id),
            _ => None,
        })
        .await;
    before.stop().await;

    let after = desk(&paper).await;
    let mut tablet = Seat::take(&after, "commander", None).await;
    assert_eq!(
        tablet.welcome.own_participant,
        Some(stay),
        "it found it free"
    );
    let wrong = Seat::take(&after, "commander", Some(stay.0 + 1)).await;
    assert_eq!(wrong.welcome.own_participant, None);
    let stranger = Seat::take(&after, "101", Some(stay.0)).await;
    assert_eq!(stranger.welcome.own_participant, None);

    let owner = Seat::take(&after, "commander", Some(stay.0)).await;
    assert_eq!(owner.welcome.own_participant, Some(stay));
    let told = tablet
        .push(|push| match push {
            Push::Resync { snapshot } => Some(snapshot.own_participant),
            _ => None,
        })
        .await;
    assert_eq!(told, None);
    let copy = Seat::take(&after, "commander", Some(stay.0)).await;
    assert_eq!(copy.welcome.own_participant, None, "who has it keeps it");
    owner.leave().await;
    let copy = Seat::take(&after, "commander", Some(stay.0)).await;
    assert_eq!(copy.welcome.own_participant, Some(stay));
}

#[tokio::test]
async fn ping_is_answered_and_a_wish_out_of_all_bounds_refused() {
    let paper = Paper::new();
    let desk = desk(&paper).await;
    let mut commander = Seat::take(&desk, "commander", None).await;
    assert_eq!(commander.ask(Request::Ping).await, Ok(Reply::Done));
    let Ok(Reply::Called { conference, .. }) = commander.ask(call()).await else {
        panic!("not called");
    };
    let show = |tiles: u32| Request::Show {
        conference,
        wish: liandong_protocol::MediaWish {
            tiles: (0..tiles)
                .map(|participant| liandong_protocol::Tile {
                    participant: liandong_protocol::ParticipantId(participant),
                    height: Some(u32::MAX),
                    prominent: true,
                })
                .collect(),
        },
    };
    assert_eq!(commander.ask(show(200)).await, Ok(Reply::Done));
    let refusal = commander.ask(show(201)).await.unwrap_err();
    assert_eq!(refusal.code, RefusalCode::Malformed);
}

#[tokio::test]
async fn whoever_comes_during_an_overload_is_told_of_it() {
    let paper = Paper::new();
    let (node, node_events) = mpsc::channel(1);
    let parts = Parts {
        node_events,
        ..parts(&paper).await
    };
    let (desk, _task) = start(parts);
    let mut early = Seat::take(&desk, "commander", None).await;
    let level = |push: &Push| match push {
        Push::Overload { level } => Some(*level),
        _ => None,
    };
    node.send(NodeEvent::Overload { level: 2 }).await.unwrap();
    assert_eq!(early.push(level).await, 2);
    let mut late = Seat::take(&desk, "101", None).await;
    assert_eq!(late.push(level).await, 2);
}

#[tokio::test]
async fn whoever_is_connected_or_comes_is_told_that_nothing_can_be_journaled() {
    let state = |push: &Push| match push {
        Push::Journal { state } => Some(*state),
        _ => None,
    };
    let paper = Paper::new();
    let desk = desk(&paper).await;
    let mut commander = Seat::take(&desk, "commander", None).await;
    paper.disk(Disk::Full);
    commander.ask(call()).await.unwrap_err();
    let mut township = Seat::take(&desk, "101", None).await;
    assert_eq!(township.push(state).await, JournalState::Unwritable);
    paper.disk(Disk::Well);
    // Though nobody orders anything.
    assert_eq!(township.push(state).await, JournalState::Well);
    assert!(desk.status().await.unwrap().journal_trouble.is_none());

    paper.sheet().damage = Some(JournalError::Damaged("page 7".into()));
    assert_eq!(township.push(state).await, JournalState::Damaged);
    let trouble = desk.status().await.unwrap().journal_trouble;
    assert!(trouble.is_some_and(|trouble| trouble.contains("page 7")));
    let refusal = commander.ask(call()).await.unwrap_err();
    assert_eq!(refusal.code, RefusalCode::JournalUnavailable);
}
