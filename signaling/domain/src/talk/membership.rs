//! Who belongs to a group, who may listen to it, and how much each one counts.

use serde::{Deserialize, Serialize};

use super::group::{AlarmKind, Area, Standing, TalkGroup};
use crate::county::County;
use crate::directory::{Account, Place, Role};
use crate::ids::{AccountId, SiteCode, TalkGroupId};
use crate::incident::near::metres;

/// Whose word counts more: the later in this list. Within one rank, first come first served.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Rank {
    Volunteer,
    Member,
    PatrolLeader,
    Township,
    CountyDispatcher,
    CountyCommander,
    ImminentPeril,
    Sos,
}

impl Rank {
    pub const ALL: [Rank; 8] = [
        Rank::Volunteer,
        Rank::Member,
        Rank::PatrolLeader,
        Rank::Township,
        Rank::CountyDispatcher,
        Rank::CountyCommander,
        Rank::ImminentPeril,
        Rank::Sos,
    ];

    #[must_use]
    pub fn is_emergency(self) -> bool {
        match self {
            Rank::ImminentPeril | Rank::Sos => true,
            Rank::Volunteer
            | Rank::Member
            | Rank::PatrolLeader
            | Rank::Township
            | Rank::CountyDispatcher
            | Rank::CountyCommander => false,
        }
    }

    /// Takes the floor from the other at once. An emergency waits for another one.
    #[must_use]
    pub fn preempts(self, other: Rank) -> bool {
        self > other && !other.is_emergency()
    }
}

impl County {
    /// In order of creation.
    pub fn talk_groups(&self) -> impl Iterator<Item = &TalkGroup> {
        self.talk_groups.values().map(|group| &**group)
    }

    #[must_use]
    pub fn talk_group(&self, id: TalkGroupId) -> Option<&TalkGroup> {
        self.talk_groups.get(&id).map(|group| &**group)
    }

    /// Belongs to the group, by name or by where he is; whoever has raised an alarm
    /// there stays until it is cancelled, wherever he flees to. `position`: what
    /// the device of a field unit said last; of a centre it is known.
    #[must_use]
    pub fn is_member(&self, account: &Account, group: &TalkGroup, position: Option<Place>) -> bool {
        let plan = &group.plan;
        let within =
            |root: &SiteCode| account.site == *root || self.directory.is_under(&account.site, root);
        let by_area = match &plan.area {
            None => false,
            Some(Area::Subtree { root }) => within(root),
            Some(Area::Circle { center, radius_m }) => {
                let place = match account.role {
                    Role::Field => position,
                    Role::Commander
                    | Role::Dispatcher
                    | Role::Township
                    | Role::Community
                    | Role::Administrator
                    | Role::Supervisor => self.directory.site(&account.site).map(|site| site.place),
                };
                within(&plan.site)
                    && place.is_some_and(|place| metres(place, *center) <= f64::from(*radius_m))
            }
        };
        let alarmed = group.sos.contains_key(&account.id);
        account.active && (plan.members.contains_key(&account.id) || alarmed || by_area)
    }

    /// Stands at the group's site or above it, and not in the field.
    #[must_use]
    pub fn oversees_group(&self, account: &Account, group: &TalkGroup) -> bool {
        account.active
            && account.role != Role::Field
            && (account.site == group.plan.site
                || self.directory.is_under(&group.plan.site, &account.site))
    }

    /// May change and dissolve the group, and cancel its alarms.
    #[must_use]
    pub fn commands_group(&self, account: &Account, group: &TalkGroup) -> bool {
        let commands = match account.role {
            Role::Commander | Role::Dispatcher | Role::Township => true,
            Role::Community | Role::Field | Role::Administrator | Role::Supervisor => false,
        };
        commands && self.oversees_group(account, group)
    }

    /// Sees the group and may listen to it; who listens is shown to all who see it.
    #[must_use]
    pub fn sees_group(
        &self,
        viewer: &AccountId,
        group: &TalkGroup,
        position: Option<Place>,
    ) -> bool {
        self.directory.account(viewer).is_some_and(|account| {
            self.oversees_group(account, group) || self.is_member(account, group, position)
        })
    }

    /// How much the account's word counts in the group; `None`: it only listens.
    #[must_use]
    pub fn rank_in(&self, account: &AccountId, group: &TalkGroup) -> Option<Rank> {
        let found = self.directory.account(account)?;
        if let Some(sos) = group.sos.get(account) {
            return Some(match sos.kind {
                AlarmKind::ImminentPeril => Rank::ImminentPeril,
                AlarmKind::Sos => Rank::Sos,
            });
        }
        match found.role {
            Role::Commander => Some(Rank::CountyCommander),
            Role::Dispatcher => Some(Rank::CountyDispatcher),
            Role::Township => Some(Rank::Township),
            // A community centre leads the patrols of its community.
            Role::Community => Some(Rank::PatrolLeader),
            Role::Field => Some(match group.plan.members.get(account) {
                Some(Standing::Leader) => Rank::PatrolLeader,
                Some(Standing::Volunteer) => Rank::Volunteer,
                Some(Standing::Member) | None => Rank::Member,
            }),
            Role::Administrator | Role::Supervisor => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rank_over_every_rank() {
        for (at, upper) in Rank::ALL.into_iter().enumerate() {
            for (below, lower) in Rank::ALL.into_iter().enumerate() {
                let emergency = below >= 6;
                assert_eq!(
                    upper.preempts(lower),
                    at > below && !emergency,
                    "{upper:?} over {lower:?}"
                );
            }
        }
    }
}
