//! Push-to-talk over the wire: groups, the floor, alarms. Sound is tried with browsers.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod support;

use std::cell::Cell;

use liandong_protocol::talk::{
    AlarmKind, AlarmTruth, FloorAct, FloorCause, FloorRules, FloorStanding, GroupArea, GroupFloor,
    GroupPlan, GroupPriority, TalkEnd, TalkGroup, TalkNews, TalkOrder, TalkRank,
};
use liandong_protocol::{
    AccountId, Place, Push, RefusalCode, Reply, Request, SiteCode, TalkGroupId,
};
use support::{Client, County};

fn plan(area: GroupArea) -> GroupPlan {
    GroupPlan {
        name: "北镇巡逻组".into(),
        site: SiteCode::from("101"),
        members: Vec::new(),
        area: Some(area),
        priority: GroupPriority::Routine,
        rules: FloorRules {
            talk_limit_s: 30,
            grace_s: 3,
            media_end_s: 30,
            queue_length: 4,
        },
    }
}

fn talk(order: TalkOrder) -> Request {
    Request::Talk { order }
}

fn floor(group: TalkGroupId, act: FloorAct) -> Request {
    Request::Floor { group, act }
}

fn group(push: &Push) -> Option<TalkGroup> {
    match push {
        Push::Talk {
            news: TalkNews::Group { group },
        } => Some(group.clone()),
        _ => None,
    }
}

fn standing(push: &Push) -> Option<FloorStanding> {
    match push {
        Push::Talk {
            news: TalkNews::Standing { standing, .. },
        } => Some(standing.clone()),
        _ => None,
    }
}

fn floor_of(push: &Push) -> Option<GroupFloor> {
    match push {
        Push::Talk {
            news: TalkNews::Floor { floor },
        } => Some(floor.clone()),
        _ => None,
    }
}

async fn create(client: &mut Client, area: GroupArea) -> TalkGroupId {
    let order = TalkOrder::Create { plan: plan(area) };
    match client.ask_once(talk(order), Some("create")).await {
        Ok(Reply::GroupCreated { group }) => group,
        other => panic!("{other:?}"),
    }
}

async fn listen(client: &mut Client, group: TalkGroupId) {
    let reply = client.ask(floor(group, FloorAct::Listen)).await;
    assert_eq!(reply, Ok(Reply::Done));
    let silent = FloorStanding::Silent { cause: None };
    assert_eq!(client.push(standing).await, silent);
}

async fn stands(client: &mut Client, group: TalkGroupId, act: FloorAct) -> FloorStanding {
    let reply = client.ask(floor(group, act)).await;
    assert_eq!(reply, Ok(Reply::Done));
    client.push(standing).await
}

fn subtree() -> GroupArea {
    GroupArea::Subtree {
        root: SiteCode::from("101"),
    }
}

#[tokio::test]
async fn one_speaks_the_next_waits_and_the_county_goes_first() {
    let county = County::new();
    let _server = county.start();
    let (mut township, _) = county.client("101").await;
    let (mut field, _) = county.client("field1").await;
    let (mut mill, _) = county.client("101001").await;
    let (mut commander, _) = county.client("commander").await;
    let (mut south, _) = county.client("102").await;

    let id = create(&mut township, subtree()).await;
    let seen = field.push(group).await;
    assert_eq!((seen.id, seen.member, seen.commanded), (id, true, false));
    assert!(commander.push(group).await.commanded);
    // Another township does not know of it.
    let refused = south.ask(floor(id, FloorAct::Listen)).await.unwrap_err();
    assert_eq!(refused.code, RefusalCode::UnknownTalkGroup);

    let refused = field.ask(floor(id, FloorAct::Request)).await.unwrap_err();
    assert_eq!(refused.code, RefusalCode::NotInConference);
    listen(&mut field, id).await;
    let denied = stands(&mut field, id, FloorAct::Request).await;
    let cause = Some(FloorCause::OnlyOne);
    assert_eq!(denied, FloorStanding::Silent { cause });
    listen(&mut mill, id).await;
    listen(&mut commander, id).await;

    let holding = stands(&mut field, id, FloorAct::Request).await;
    assert!(matches!(
        holding,
        FloorStanding::Holding { revoked: false, .. }
    ));
    let holder = |push: &Push| floor_of(push)?.holder;
    let told = commander.push(holder).await;
    assert_eq!(told.talker.account, AccountId::from("field1"));
    // A centre counts more than a member of the patrol: it is heard at once.
    let holding = stands(&mut mill, id, FloorAct::Request).await;
    assert!(matches!(holding, FloorStanding::Holding { .. }));
    let cause = Some(FloorCause::Preempted);
    assert_eq!(field.push(standing).await, FloorStanding::Silent { cause });
    // The other way round one waits.
    let queued = stands(&mut field, id, FloorAct::Request).await;
    assert_eq!(queued, FloorStanding::Queued { position: 1 });
    let holding = stands(&mut commander, id, FloorAct::Request).await;
    assert!(matches!(holding, FloorStanding::Holding { .. }));
    let silent = stands(&mut commander, id, FloorAct::Release).await;
    assert_eq!(silent, FloorStanding::Silent { cause: None });
    let granted = |push: &Push| match standing(push)? {
        FloorStanding::Holding { .. } => Some(()),
        FloorStanding::Queued { .. } | FloorStanding::Silent { .. } => None,
    };
    field.push(granted).await;
}

#[tokio::test]
async fn alarm_speaks_first_and_is_cancelled_from_above() {
    let county = County::new();
    let mut server = county.start();
    let (mut township, _) = county.client("101").await;
    let id = create(&mut township, subtree()).await;
    let (mut field, _) = county.client("field1").await;
    listen(&mut township, id).await;
    listen(&mut field, id).await;
    stands(&mut township, id, FloorAct::Request).await;

    let raise = talk(TalkOrder::RaiseSos {
        group: id,
        kind: AlarmKind::Sos,
        place: None,
    });
    assert_eq!(field.ask_once(raise, Some("sos")).await, Ok(Reply::Done));
    let holding = stands(&mut field, id, FloorAct::Request).await;
    assert!(matches!(holding, FloorStanding::Holding { .. }));
    let alarmed = |push: &Push| group(push).filter(|group| !group.sos.is_empty());
    let group_then = township.push(alarmed).await;
    assert_eq!(group_then.sos[0].account, AccountId::from("field1"));
    let sos = |push: &Push| {
        let holder = floor_of(push)?.holder?;
        (holder.talker.rank == TalkRank::Sos).then_some(())
    };
    township.push(sos).await;

    // Alarms outlive a restart, the floor does not.
    server.stop();
    let _server = county.start();
    let (mut township, _) = county.client("101").await;
    let whole = |push: &Push| match push {
        Push::Talk {
            news: TalkNews::All { groups },
        } => Some(groups.clone()),
        _ => None,
    };
    let groups = township.push(whole).await;
    assert_eq!(groups[0].sos.len(), 1);
    assert_eq!(township.push(floor_of).await.holder, None);
    let cancel = talk(TalkOrder::CancelSos {
        group: id,
        who: AccountId::from("field1"),
        truth: AlarmTruth::False,
        text: "误触".into(),
    });
    let reply = township.ask_once(cancel, Some("cancel")).await;
    assert_eq!(reply, Ok(Reply::Done));
    assert!(township.push(group).await.sos.is_empty());
}

#[tokio::test]
async fn who_walks_out_of_the_circle_is_out_of_the_group() {
    let county = County::new();
    let _server = county.start();
    let (mut field, _) = county.client("field1").await;
    let (mut township, _) = county.client("101").await;
    let center = Place {
        longitude: 106.8,
        latitude: 32.4,
    };
    let circle = GroupArea::Circle {
        center,
        radius_m: 1_000,
    };
    let id = create(&mut township, circle).await;
    let refused = field.ask(floor(id, FloorAct::Listen)).await.unwrap_err();
    assert_eq!(refused.code, RefusalCode::UnknownTalkGroup);

    let here = |latitude| Request::Here {
        place: Place { latitude, ..center },
    };
    assert_eq!(field.ask(here(32.405)).await, Ok(Reply::Done));
    assert_eq!(field.push(group).await.id, id);
    listen(&mut field, id).await;
    listen(&mut township, id).await;
    stands(&mut field, id, FloorAct::Request).await;
    assert_eq!(field.ask(here(32.42)).await, Ok(Reply::Done));
    // He is told why before the group is gone.
    let why = Cell::new(None);
    let gone = |push: &Push| match push {
        Push::Talk {
            news: TalkNews::Gone { group },
        } => Some(*group),
        push => {
            why.set(standing(push).or(why.take()));
            None
        }
    };
    assert_eq!(field.push(gone).await, id);
    let cause = Some(FloorCause::NotAllowed);
    assert_eq!(why.take(), Some(FloorStanding::Silent { cause }));
    // What was spoken is told, and the floor is free.
    let spoke = |push: &Push| match push {
        Push::Talk {
            news: TalkNews::Spoke { talks, .. },
        } => Some((talks[0].talker.account.clone(), talks[0].end)),
        _ => None,
    };
    let end = (AccountId::from("field1"), TalkEnd::NotAllowed);
    assert_eq!(township.push(spoke).await, end);
    let refused = field.ask(here(95.0)).await.unwrap_err();
    assert_eq!(refused.code, RefusalCode::Malformed);
}
