//! Talk groups by orders: who may make them, who belongs to them, alarms.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod support;

use std::collections::BTreeMap;

use liandong_domain::talk::group::{
    AlarmKind, Area, FloorRules, GroupPlan, GroupPriority, Standing, Talk, TalkEnd,
};
use liandong_domain::talk::{Rank, TalkOrder, Truth};
use liandong_domain::{AccountId, Order, Outcome, Place, RefusalCode, TalkGroupId, Timestamp};
use support::{
    CHUNCHANGBA, COMMANDER, COUNTY, DATANGBA, DISPATCHER, FIELD_CHUNCHANGBA, FIELD_COUNTY,
    FIELD_JIZHOU, JIZHOU, LUOPING, SHAHE, SUPERVISOR, Shell,
};

const GROUP: TalkGroupId = TalkGroupId(1);

fn plan(site: &str, members: &[&str]) -> GroupPlan {
    GroupPlan {
        name: "集州巡逻".to_owned(),
        site: site.into(),
        members: members
            .iter()
            .map(|one| (AccountId::from(*one), Standing::Member))
            .collect(),
        area: None,
        priority: GroupPriority::Routine,
        rules: FloorRules::default(),
    }
}

fn order(order: TalkOrder) -> Order {
    Order::Talk { order }
}

fn create(plan: GroupPlan) -> Order {
    order(TalkOrder::Create { plan })
}

fn code(shell: &mut Shell, by: &str, order: Order) -> Option<RefusalCode> {
    shell.by(by, order).err().map(|refusal| refusal.code())
}

fn raise(kind: AlarmKind, place: Option<Place>) -> Order {
    let group = GROUP;
    order(TalkOrder::RaiseSos { group, kind, place })
}

fn cancel(who: &str, truth: Truth) -> Order {
    order(TalkOrder::CancelSos {
        group: GROUP,
        who: who.into(),
        truth,
        text: "误触".to_owned(),
    })
}

fn rank(shell: &Shell, who: &str) -> Option<Rank> {
    let group = shell.county.talk_group(GROUP).unwrap();
    shell.county.rank_in(&who.into(), group)
}

#[test]
fn groups_are_made_for_ones_own_subtree_only() {
    let mut shell = Shell::lit();
    let mut refused = |by: &str, plan: GroupPlan| code(&mut shell, by, create(plan));
    let not_below = Some(RefusalCode::NotBelow);
    let malformed = Some(RefusalCode::Malformed);
    assert_eq!(refused(JIZHOU, plan(SHAHE, &[JIZHOU])), not_below);
    assert_eq!(refused(JIZHOU, plan(JIZHOU, &[LUOPING])), not_below);
    let area = |area| GroupPlan {
        area: Some(area),
        ..plan(JIZHOU, &[])
    };
    let subtree = |root: &str| area(Area::Subtree { root: root.into() });
    assert_eq!(refused(JIZHOU, subtree(COUNTY)), not_below);
    assert_eq!(refused(JIZHOU, plan(JIZHOU, &[])), malformed);
    assert_eq!(
        refused(JIZHOU, plan(JIZHOU, &["nobody"])),
        Some(RefusalCode::UnknownTarget)
    );
    let too_long = FloorRules {
        talk_limit_s: 301,
        ..FloorRules::default()
    };
    let rules = GroupPlan {
        rules: too_long,
        ..plan(JIZHOU, &[JIZHOU])
    };
    assert_eq!(refused(JIZHOU, rules), malformed);
    assert_eq!(
        refused(CHUNCHANGBA, plan(CHUNCHANGBA, &[CHUNCHANGBA])),
        Some(RefusalCode::NotAllowed)
    );
    assert_eq!(refused(JIZHOU, subtree(JIZHOU)), None);
    assert_eq!(refused(DISPATCHER, plan(COUNTY, &[JIZHOU, SHAHE])), None);
    assert_eq!(shell.county.talk_groups().count(), 2);
}

#[test]
fn outcome_names_the_group_and_only_its_commanders_change_it() {
    let mut shell = Shell::lit();
    let order_of = create(plan(JIZHOU, &[FIELD_JIZHOU, JIZHOU]));
    let events = shell.by(JIZHOU, order_of.clone()).unwrap();
    assert_eq!(
        Outcome::of(&order_of, &events),
        Outcome::GroupCreated { group: GROUP }
    );
    let changed = GroupPlan {
        name: "集州一组".to_owned(),
        ..plan(JIZHOU, &[FIELD_JIZHOU])
    };
    let change = order(TalkOrder::Change {
        group: GROUP,
        plan: changed,
    });
    let dissolve = order(TalkOrder::Dissolve { group: GROUP });
    for (by, expected) in [
        (FIELD_JIZHOU, Some(RefusalCode::NotAllowed)),
        (SHAHE, Some(RefusalCode::UnknownTalkGroup)),
        (COMMANDER, None),
    ] {
        assert_eq!(code(&mut shell, by, change.clone()), expected, "{by}");
    }
    assert_eq!(
        shell.county.talk_group(GROUP).unwrap().plan.name,
        "集州一组"
    );
    assert_eq!(code(&mut shell, JIZHOU, dissolve.clone()), None);
    assert_eq!(
        code(&mut shell, JIZHOU, dissolve),
        Some(RefusalCode::UnknownTalkGroup)
    );
    // Numbers never come back.
    let again = create(plan(JIZHOU, &[JIZHOU]));
    let events = shell.by(JIZHOU, again.clone()).unwrap();
    let group = TalkGroupId(2);
    assert_eq!(
        Outcome::of(&again, &events),
        Outcome::GroupCreated { group }
    );
}

#[test]
fn membership_follows_place_and_subtree() {
    let mut shell = Shell::lit();
    let jizhou = shell.county.directory().site(&JIZHOU.into()).unwrap().place;
    let circle = GroupPlan {
        area: Some(Area::Circle {
            center: jizhou,
            radius_m: 500,
        }),
        ..plan(JIZHOU, &[])
    };
    shell.by(JIZHOU, create(circle)).unwrap();
    let subtree = GroupPlan {
        area: Some(Area::Subtree {
            root: JIZHOU.into(),
        }),
        ..plan(JIZHOU, &[])
    };
    shell.by(JIZHOU, create(subtree)).unwrap();
    let groups: Vec<_> = shell.county.talk_groups().cloned().collect();
    let member = |who: &str, group: usize, place| {
        let account = shell.county.directory().account(&who.into()).unwrap();
        shell.county.is_member(account, &groups[group], place)
    };
    let near = Some(Place {
        latitude_e7: jizhou.latitude_e7 + 40_000,
        ..jizhou
    });
    let far = Some(Place {
        latitude_e7: jizhou.latitude_e7 + 50_000,
        ..jizhou
    });
    assert!(member(FIELD_JIZHOU, 0, near));
    assert!(!member(FIELD_JIZHOU, 0, far));
    assert!(!member(FIELD_JIZHOU, 0, None));
    // A centre stands where it stands; one of another subtree is no business of the group's.
    assert!(member(JIZHOU, 0, None));
    assert!(!member(FIELD_COUNTY, 0, near));

    assert!(member(FIELD_CHUNCHANGBA, 1, None));
    assert!(member(DATANGBA, 1, None));
    assert!(!member(SHAHE, 1, None));
    assert!(!member(COMMANDER, 1, None));
    // The county listens to whatever is below it, and is no member for that.
    assert!(shell.county.sees_group(&COMMANDER.into(), &groups[1], None));
    assert!(
        shell
            .county
            .sees_group(&SUPERVISOR.into(), &groups[1], None)
    );
    assert!(!shell.county.sees_group(&SHAHE.into(), &groups[1], None));
}

#[test]
fn alarm_keeps_its_raiser_in_the_circle_until_it_is_cancelled() {
    let mut shell = Shell::lit();
    let center = shell.county.directory().site(&JIZHOU.into()).unwrap().place;
    let radius_m = 500;
    let circle = GroupPlan {
        area: Some(Area::Circle { center, radius_m }),
        ..plan(JIZHOU, &[FIELD_JIZHOU])
    };
    shell.by(JIZHOU, create(circle.clone())).unwrap();
    let sos = raise(AlarmKind::Sos, None);
    shell.by(FIELD_JIZHOU, sos).unwrap();
    let nameless = GroupPlan {
        members: BTreeMap::new(),
        ..circle
    };
    let group = GROUP;
    let change = order(TalkOrder::Change {
        group,
        plan: nameless,
    });
    shell.by(JIZHOU, change).unwrap();
    let sees = |shell: &Shell| {
        let group = shell.county.talk_group(GROUP).unwrap();
        shell.county.sees_group(&FIELD_JIZHOU.into(), group, None)
    };
    assert!(sees(&shell));
    shell.by(JIZHOU, cancel(FIELD_JIZHOU, Truth::True)).unwrap();
    assert!(!sees(&shell));
}

#[test]
fn ranks_are_those_of_roles_and_of_the_plan() {
    let mut shell = Shell::lit();
    let members = BTreeMap::from([
        (FIELD_COUNTY.into(), Standing::Leader),
        (FIELD_JIZHOU.into(), Standing::Member),
        (FIELD_CHUNCHANGBA.into(), Standing::Volunteer),
    ]);
    let all = GroupPlan {
        members,
        ..plan(COUNTY, &[])
    };
    shell.by(COMMANDER, create(all)).unwrap();
    for (who, expected) in [
        (COMMANDER, Some(Rank::CountyCommander)),
        (DISPATCHER, Some(Rank::CountyDispatcher)),
        (JIZHOU, Some(Rank::Township)),
        (CHUNCHANGBA, Some(Rank::PatrolLeader)),
        (FIELD_COUNTY, Some(Rank::PatrolLeader)),
        (FIELD_JIZHOU, Some(Rank::Member)),
        (FIELD_CHUNCHANGBA, Some(Rank::Volunteer)),
        (SUPERVISOR, None),
    ] {
        assert_eq!(rank(&shell, who), expected, "{who}");
    }
}

#[test]
fn alarm_is_raised_by_a_member_and_cancelled_by_him_or_from_above() {
    let mut shell = Shell::lit();
    let members = [FIELD_JIZHOU, FIELD_CHUNCHANGBA, CHUNCHANGBA];
    shell.by(JIZHOU, create(plan(JIZHOU, &members))).unwrap();
    let sos = || raise(AlarmKind::Sos, None);
    assert_eq!(
        code(&mut shell, LUOPING, sos()),
        Some(RefusalCode::UnknownTalkGroup)
    );
    assert_eq!(
        code(&mut shell, JIZHOU, cancel(FIELD_JIZHOU, Truth::True)),
        Some(RefusalCode::NotNow)
    );
    let peril = raise(AlarmKind::ImminentPeril, None);
    assert_eq!(code(&mut shell, FIELD_JIZHOU, peril), None);
    assert_eq!(rank(&shell, FIELD_JIZHOU), Some(Rank::ImminentPeril));
    assert_eq!(code(&mut shell, FIELD_JIZHOU, sos()), None);
    assert_eq!(rank(&shell, FIELD_JIZHOU), Some(Rank::Sos));
    // Said again: nothing changes; a lower one takes nothing back.
    assert_eq!(shell.by(FIELD_JIZHOU, sos()).unwrap(), []);
    // Another member may not, the township may, and so may he himself.
    assert_eq!(
        code(&mut shell, CHUNCHANGBA, cancel(FIELD_JIZHOU, Truth::False)),
        Some(RefusalCode::NotAllowed)
    );
    assert_eq!(
        code(&mut shell, COMMANDER, cancel(FIELD_JIZHOU, Truth::True)),
        None
    );
    assert_eq!(rank(&shell, FIELD_JIZHOU), Some(Rank::Member));
    assert_eq!(code(&mut shell, FIELD_CHUNCHANGBA, sos()), None);
    let own = cancel(FIELD_CHUNCHANGBA, Truth::False);
    assert_eq!(code(&mut shell, FIELD_CHUNCHANGBA, own), None);
    assert_eq!(shell.replayed(), shell.county);
}

#[test]
fn what_was_spoken_is_kept_by_the_server_only_and_bounded() {
    let mut shell = Shell::lit();
    shell.by(JIZHOU, create(plan(JIZHOU, &[JIZHOU]))).unwrap();
    let talk = |from| Talk {
        who: JIZHOU.into(),
        rank: Rank::Township,
        from: Timestamp(from),
        until: Timestamp(from + 1),
        end: TalkEnd::Released,
    };
    let spoke = |from| {
        let (group, talk) = (GROUP, talk(from));
        order(TalkOrder::Spoke { group, talk })
    };
    assert_eq!(
        code(&mut shell, COMMANDER, spoke(0)),
        Some(RefusalCode::NotAllowed)
    );
    for from in 0..30 {
        shell.system(spoke(from)).unwrap();
    }
    let kept: Vec<u64> = shell
        .county
        .talk_group(GROUP)
        .unwrap()
        .talks
        .iter()
        .map(|one| one.from.0)
        .collect();
    assert_eq!(kept, (10..30).collect::<Vec<_>>());
}
