//! Random orders about talk groups.

use std::collections::BTreeMap;

use liandong_domain::talk::group::{
    AlarmKind, Area, FloorRules, GroupPlan, GroupPriority, Standing, Talk, TalkEnd,
};
use liandong_domain::talk::{Rank, TalkOrder, Truth};
use liandong_domain::{Account, Actor, County, Order, Role, TalkGroupId, Timestamp};

/// `what`, `who` and `which` pick among what there is.
pub fn talk(
    county: &County,
    people: &[Account],
    (what, who, which): (u8, u8, u8),
    now: Timestamp,
) -> (Actor, Order) {
    let pick = |number: u8| &people[usize::from(number) % people.len()];
    let groups: Vec<TalkGroupId> = county.talk_groups().map(|one| one.id).collect();
    let group = *groups
        .get(usize::from(which) % groups.len().max(1))
        .unwrap_or(&TalkGroupId(which.into()));
    let heads: Vec<&Account> = people
        .iter()
        .filter(|one| matches!(one.role, Role::Commander | Role::Township))
        .collect();
    // Mostly somebody of the group's own site, once there is a group.
    let owner = county.talk_group(group).and_then(|group| {
        people
            .iter()
            .find(|one| one.site == group.plan.site && one.role.answers_for_site())
    });
    let by = match owner {
        _ if which.is_multiple_of(3) => pick(who),
        Some(owner) if what % 8 > 1 => owner,
        Some(_) | None => heads[usize::from(who) % heads.len()],
    };
    let member = if which.is_multiple_of(5) {
        pick(which)
    } else {
        by
    };
    let raised = county
        .talk_group(group)
        .and_then(|one| one.sos.keys().next().cloned());
    let order = match what % 8 {
        0 | 1 => TalkOrder::Create {
            plan: plan(by, member),
        },
        2 => TalkOrder::Change {
            group,
            plan: plan(by, member),
        },
        3 if which % 4 < 2 => TalkOrder::Dissolve { group },
        3..=5 => TalkOrder::RaiseSos {
            group,
            kind: if which < 128 {
                AlarmKind::Sos
            } else {
                AlarmKind::ImminentPeril
            },
            place: None,
        },
        6 => TalkOrder::CancelSos {
            group,
            who: raised.unwrap_or_else(|| by.id.clone()),
            truth: if which < 128 {
                Truth::True
            } else {
                Truth::False
            },
            text: String::new(),
        },
        _ => {
            let talk = Talk {
                who: by.id.clone(),
                rank: Rank::Member,
                from: now,
                until: now,
                end: TalkEnd::Released,
            };
            let order = TalkOrder::Spoke { group, talk };
            return (Actor::System, Order::Talk { order });
        }
    };
    (Actor::Account(by.id.clone()), Order::Talk { order })
}

fn plan(by: &Account, member: &Account) -> GroupPlan {
    let root = by.site.clone();
    GroupPlan {
        name: "巡逻一组".to_owned(),
        site: root.clone(),
        members: BTreeMap::from([(member.id.clone(), Standing::Member)]),
        area: Some(Area::Subtree { root }),
        priority: GroupPriority::Raised,
        rules: FloorRules::default(),
    }
}
