//! Talk groups: domain types to and from those of the wire.

use domain::talk::floor::{DenyCause, Floor, State, Talker};
use domain::talk::group as kept;
use domain::talk::{Rank, Truth};
use liandong_domain as domain;
use liandong_protocol as protocol;
use liandong_protocol::talk as wire;

use super::wire::{account_id, ms, site_code};

#[must_use]
pub fn id(id: domain::TalkGroupId) -> protocol::TalkGroupId {
    protocol::TalkGroupId(id.0)
}

#[must_use]
pub fn id_of(id: protocol::TalkGroupId) -> domain::TalkGroupId {
    domain::TalkGroupId(id.0)
}

#[must_use]
pub fn place_of(place: protocol::Place) -> domain::Place {
    domain::Place::from_degrees(place.longitude, place.latitude)
}

fn place(place: domain::Place) -> protocol::Place {
    protocol::Place {
        longitude: place.longitude(),
        latitude: place.latitude(),
    }
}

/// What a client orders.
#[must_use]
pub fn order_of(order: wire::TalkOrder) -> domain::TalkOrder {
    use domain::TalkOrder as To;
    use wire::TalkOrder as From;
    match order {
        From::Create { plan } => To::Create {
            plan: plan_of(plan),
        },
        From::Change { group, plan } => To::Change {
            group: id_of(group),
            plan: plan_of(plan),
        },
        From::Dissolve { group } => To::Dissolve {
            group: id_of(group),
        },
        From::RaiseSos { group, kind, place } => To::RaiseSos {
            group: id_of(group),
            kind: match kind {
                wire::AlarmKind::ImminentPeril => kept::AlarmKind::ImminentPeril,
                wire::AlarmKind::Sos => kept::AlarmKind::Sos,
            },
            place: place.map(place_of),
        },
        From::CancelSos {
            group,
            who,
            truth,
            text,
        } => To::CancelSos {
            group: id_of(group),
            who: domain::AccountId(who.0),
            truth: match truth {
                wire::AlarmTruth::True => Truth::True,
                wire::AlarmTruth::False => Truth::False,
            },
            text,
        },
    }
}

fn plan_of(plan: wire::GroupPlan) -> domain::talk::GroupPlan {
    let standing = |standing| match standing {
        wire::GroupStanding::Volunteer => kept::Standing::Volunteer,
        wire::GroupStanding::Member => kept::Standing::Member,
        wire::GroupStanding::Leader => kept::Standing::Leader,
    };
    domain::talk::GroupPlan {
        name: plan.name,
        site: domain::SiteCode(plan.site.0),
        members: plan
            .members
            .into_iter()
            .map(|one| (domain::AccountId(one.account.0), standing(one.standing)))
            .collect(),
        area: plan.area.map(|area| match area {
            wire::GroupArea::Subtree { root } => kept::Area::Subtree {
                root: domain::SiteCode(root.0),
            },
            wire::GroupArea::Circle { center, radius_m } => kept::Area::Circle {
                center: place_of(center),
                radius_m,
            },
        }),
        priority: match plan.priority {
            wire::GroupPriority::Routine => kept::GroupPriority::Routine,
            wire::GroupPriority::Raised => kept::GroupPriority::Raised,
            wire::GroupPriority::Command => kept::GroupPriority::Command,
        },
        rules: kept::FloorRules {
            talk_limit_s: plan.rules.talk_limit_s,
            grace_s: plan.rules.grace_s,
            media_end_s: plan.rules.media_end_s,
            queue_length: plan.rules.queue_length,
        },
    }
}

fn plan(plan: &domain::talk::GroupPlan) -> wire::GroupPlan {
    let standing = |standing| match standing {
        kept::Standing::Volunteer => wire::GroupStanding::Volunteer,
        kept::Standing::Member => wire::GroupStanding::Member,
        kept::Standing::Leader => wire::GroupStanding::Leader,
    };
    wire::GroupPlan {
        name: plan.name.clone(),
        site: site_code(&plan.site),
        members: plan
            .members
            .iter()
            .map(|(account, one)| wire::GroupMember {
                account: account_id(account),
                standing: standing(*one),
            })
            .collect(),
        area: plan.area.as_ref().map(|area| match area {
            kept::Area::Subtree { root } => wire::GroupArea::Subtree {
                root: site_code(root),
            },
            kept::Area::Circle { center, radius_m } => wire::GroupArea::Circle {
                center: place(*center),
                radius_m: *radius_m,
            },
        }),
        priority: match plan.priority {
            kept::GroupPriority::Routine => wire::GroupPriority::Routine,
            kept::GroupPriority::Raised => wire::GroupPriority::Raised,
            kept::GroupPriority::Command => wire::GroupPriority::Command,
        },
        rules: wire::FloorRules {
            talk_limit_s: plan.rules.talk_limit_s,
            grace_s: plan.rules.grace_s,
            media_end_s: plan.rules.media_end_s,
            queue_length: plan.rules.queue_length,
        },
    }
}

/// As the account sees it, whose device is at this position.
#[must_use]
pub fn group(
    county: &domain::County,
    group: &domain::TalkGroup,
    viewer: &domain::AccountId,
    position: Option<domain::Place>,
) -> wire::TalkGroup {
    let account = county.directory().account(viewer);
    wire::TalkGroup {
        id: id(group.id),
        plan: plan(&group.plan),
        sos: group
            .sos
            .iter()
            .map(|(who, sos)| wire::GroupSos {
                account: account_id(who),
                name: name_of(county, who),
                kind: match sos.kind {
                    kept::AlarmKind::ImminentPeril => wire::AlarmKind::ImminentPeril,
                    kept::AlarmKind::Sos => wire::AlarmKind::Sos,
                },
                place: sos.place.map(place),
                at_ms: ms(sos.at),
            })
            .collect(),
        commanded: account.is_some_and(|one| county.commands_group(one, group)),
        member: account.is_some_and(|one| county.is_member(one, group, position)),
        speaks: county.rank_in(viewer, group).is_some(),
    }
}

/// The floor as it is; idle where there is none yet.
#[must_use]
pub fn floor<'a>(
    county: &domain::County,
    group: domain::TalkGroupId,
    floor: Option<&Floor>,
    account_of: impl Fn(Talker) -> Option<&'a domain::AccountId>,
) -> wire::GroupFloor {
    let named = |who: Talker, rank: Rank| Some(talker(county, account_of(who)?, rank));
    let holder = floor.and_then(|floor| {
        let hold = floor.holder()?;
        Some(wire::FloorHolder {
            talker: named(hold.who, hold.rank)?,
            since_ms: ms(hold.since),
            until_ms: ms(hold.until),
            revoked: matches!(floor.state(), State::PendingRevoke(_)),
        })
    });
    let queue = floor.into_iter().flat_map(Floor::queue);
    wire::GroupFloor {
        group: id(group),
        holder,
        queue: queue.filter_map(|(who, rank)| named(who, rank)).collect(),
    }
}

#[must_use]
pub fn talk(county: &domain::County, talk: &kept::Talk) -> wire::Talk {
    wire::Talk {
        talker: talker(county, &talk.who, talk.rank),
        from_ms: ms(talk.from),
        until_ms: ms(talk.until),
        end: match talk.end {
            kept::TalkEnd::Released => wire::TalkEnd::Released,
            kept::TalkEnd::TooLong => wire::TalkEnd::TooLong,
            kept::TalkEnd::NoMedia => wire::TalkEnd::NoMedia,
            kept::TalkEnd::Preempted => wire::TalkEnd::Preempted,
            kept::TalkEnd::Lost => wire::TalkEnd::Lost,
            kept::TalkEnd::NotAllowed => wire::TalkEnd::NotAllowed,
        },
    }
}

#[must_use]
pub fn denied(cause: DenyCause) -> wire::FloorCause {
    match cause {
        DenyCause::Taken => wire::FloorCause::Taken,
        DenyCause::OnlyOne => wire::FloorCause::OnlyOne,
        DenyCause::ReceiveOnly => wire::FloorCause::ReceiveOnly,
        DenyCause::QueueFull => wire::FloorCause::QueueFull,
        DenyCause::NotListening => wire::FloorCause::NotListening,
    }
}

/// Why the floor was taken away; absent when the client gave it up itself.
#[must_use]
pub fn revoked(cause: kept::TalkEnd) -> Option<wire::FloorCause> {
    match cause {
        kept::TalkEnd::TooLong => Some(wire::FloorCause::TooLong),
        kept::TalkEnd::NoMedia => Some(wire::FloorCause::NoMedia),
        kept::TalkEnd::Preempted => Some(wire::FloorCause::Preempted),
        kept::TalkEnd::NotAllowed => Some(wire::FloorCause::NotAllowed),
        kept::TalkEnd::Released | kept::TalkEnd::Lost => None,
    }
}

fn talker(county: &domain::County, who: &domain::AccountId, rank: Rank) -> wire::Talker {
    wire::Talker {
        account: account_id(who),
        name: name_of(county, who),
        rank: match rank {
            Rank::Volunteer => wire::TalkRank::Volunteer,
            Rank::Member => wire::TalkRank::Member,
            Rank::PatrolLeader => wire::TalkRank::PatrolLeader,
            Rank::Township => wire::TalkRank::Township,
            Rank::CountyDispatcher => wire::TalkRank::CountyDispatcher,
            Rank::CountyCommander => wire::TalkRank::CountyCommander,
            Rank::ImminentPeril => wire::TalkRank::ImminentPeril,
            Rank::Sos => wire::TalkRank::Sos,
        },
    }
}

fn name_of(county: &domain::County, who: &domain::AccountId) -> String {
    let account = county.directory().account(who);
    account.map_or_else(|| who.0.clone(), |account| account.name.clone())
}
