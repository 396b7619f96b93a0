//! Who can be reached. Counts and beats stay in the shell; only changes of
//! presence are events.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::directory::{Directory, Presence};
use crate::ids::{AccountId, SiteCode};

/// The presence of accounts and of the sites that they answer for.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PresenceBoard {
    /// Whoever is not here is offline.
    accounts: BTreeMap<AccountId, Presence>,
    sites: BTreeMap<SiteCode, Presence>,
}

impl Presence {
    /// Of an account with so many connected devices, some of which are
    /// degraded. One good device is enough to be online.
    #[must_use]
    pub fn of_devices(online: u32, degraded: u32) -> Self {
        if online == 0 {
            Presence::Offline
        } else if degraded >= online {
            Presence::Degraded
        } else {
            Presence::Online
        }
    }

    /// The better of two: a site is as reachable as its best account.
    fn or(self, other: Presence) -> Presence {
        match (self, other) {
            (Presence::Online, _) | (_, Presence::Online) => Presence::Online,
            (Presence::Degraded, _) | (_, Presence::Degraded) => Presence::Degraded,
            (Presence::Offline, Presence::Offline) => Presence::Offline,
        }
    }
}

impl PresenceBoard {
    #[must_use]
    pub fn of_account(&self, account: &AccountId) -> Presence {
        self.accounts.get(account).copied().unwrap_or_default()
    }

    #[must_use]
    pub fn of_site(&self, site: &SiteCode) -> Presence {
        self.sites.get(site).copied().unwrap_or_default()
    }

    /// Accounts that are not offline, by login name.
    pub(crate) fn reachable(&self) -> impl Iterator<Item = &AccountId> {
        self.accounts.keys()
    }

    /// What a site's presence is by its accounts.
    pub(crate) fn derived(&self, site: &SiteCode, directory: &Directory) -> Presence {
        directory
            .accounts_at(site)
            .filter(|account| account.role.answers_for_site())
            .fold(Presence::Offline, |best, account| {
                best.or(self.of_account(&account.id))
            })
    }

    pub(crate) fn set_account(&mut self, account: &AccountId, presence: Presence) {
        match presence {
            Presence::Offline => self.accounts.remove(account),
            Presence::Online | Presence::Degraded => {
                self.accounts.insert(account.clone(), presence)
            }
        };
    }

    pub(crate) fn set_site(&mut self, site: &SiteCode, presence: Presence) {
        match presence {
            Presence::Offline => self.sites.remove(site),
            Presence::Online | Presence::Degraded => self.sites.insert(site.clone(), presence),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_good_device_is_enough() {
        let cases = [
            (0, 0, Presence::Offline),
            (0, 3, Presence::Offline),
            (1, 0, Presence::Online),
            (1, 1, Presence::Degraded),
            (2, 1, Presence::Online),
            (2, 2, Presence::Degraded),
            (1, 9, Presence::Degraded),
        ];
        for (online, degraded, expected) in cases {
            assert_eq!(
                Presence::of_devices(online, degraded),
                expected,
                "{degraded} of {online}"
            );
        }
    }

    #[test]
    fn the_better_presence_wins_in_either_order() {
        use Presence::{Degraded, Offline, Online};
        for (a, b, best) in [
            (Offline, Offline, Offline),
            (Offline, Degraded, Degraded),
            (Offline, Online, Online),
            (Degraded, Degraded, Degraded),
            (Degraded, Online, Online),
            (Online, Online, Online),
        ] {
            assert_eq!(a.or(b), best);
            assert_eq!(b.or(a), best);
        }
    }
}
