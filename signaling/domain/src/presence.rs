//! Who can be reached. Counts and beats stay in the shell; only changes of
//! presence are events.

use std::collections::BTreeMap;

use crate::directory::{Directory, Presence};
use crate::ids::{AccountId, SiteCode};

/// The presence of accounts and of the sites that they answer for.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct PresenceBoard {
    /// Whoever is not here is offline.
    accounts: BTreeMap<AccountId, Presence>,
    sites: BTreeMap<SiteCode, Presence>,
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
}
