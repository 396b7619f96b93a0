//! Sites and accounts: who stands where in the county.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, SiteCode};

/// The level of a site, from the top down.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Tier {
    County,
    Township,
    Community,
}

impl Tier {
    pub const ALL: [Tier; 3] = [Tier::County, Tier::Township, Tier::Community];
}

/// What an account may do; what it may do it *to* is decided by its site (see
/// [`crate::authority`]).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// Commands at the county.
    Commander,
    /// Works the county console for the commander.
    Dispatcher,
    /// The room terminal and console of a township centre.
    Township,
    /// The room terminal and console of a community centre.
    Community,
    /// A patrol member or grid worker with a phone.
    Field,
    Administrator,
    Supervisor,
}

impl Role {
    pub const ALL: [Role; 7] = [
        Role::Commander,
        Role::Dispatcher,
        Role::Township,
        Role::Community,
        Role::Field,
        Role::Administrator,
        Role::Supervisor,
    ];

    /// Devices of such an account ring when its site is called; a field unit
    /// is called in person.
    #[must_use]
    pub fn answers_for_site(self) -> bool {
        self != Role::Field
    }

    /// The only tier at which the role exists, if it is bound to one.
    pub(crate) fn bound_to(self) -> Option<Tier> {
        match self {
            Role::Commander | Role::Dispatcher => Some(Tier::County),
            Role::Township => Some(Tier::Township),
            Role::Community => Some(Tier::Community),
            Role::Field | Role::Administrator | Role::Supervisor => None,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Presence {
    #[default]
    Offline,
    Online,
    /// Connected, but beats are late or the media path is poor.
    Degraded,
}

/// WGS84 in units of 1e-7 degree (about a centimetre): whole numbers, so that
/// a place comes out of the journal exactly as it went in.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    pub longitude_e7: i32,
    pub latitude_e7: i32,
}

impl Place {
    /// Rounds to 1e-7 degree. Out of range or not a number gives a place that
    /// `SetDirectory` refuses with the site's name.
    #[must_use]
    pub fn from_degrees(longitude: f64, latitude: f64) -> Self {
        let e7 = |degrees: f64| {
            if degrees.is_nan() {
                i32::MAX
            } else {
                // `as` saturates, which is out of range as well.
                (degrees * 1e7).round() as i32
            }
        };
        Self {
            longitude_e7: e7(longitude),
            latitude_e7: e7(latitude),
        }
    }

    #[must_use]
    pub fn longitude(self) -> f64 {
        f64::from(self.longitude_e7) / 1e7
    }

    #[must_use]
    pub fn latitude(self) -> f64 {
        f64::from(self.latitude_e7) / 1e7
    }

    /// Whether there is such a place.
    #[must_use]
    pub fn is_on_earth(self) -> bool {
        self.longitude_e7.unsigned_abs() <= 1_800_000_000
            && self.latitude_e7.unsigned_abs() <= 900_000_000
    }
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Site {
    pub code: SiteCode,
    pub name: String,
    pub tier: Tier,
    /// The site above; absent for the county only.
    pub parent: Option<SiteCode>,
    pub place: Place,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    pub id: AccountId,
    pub name: String,
    pub role: Role,
    pub site: SiteCode,
    /// An inactive account orders nothing and is not rung.
    pub active: bool,
}

/// All sites and accounts, as the journal gives them.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Directory {
    sites: BTreeMap<SiteCode, Site>,
    children: BTreeMap<SiteCode, BTreeSet<SiteCode>>,
    accounts: BTreeMap<AccountId, Account>,
    accounts_at: BTreeMap<SiteCode, BTreeSet<AccountId>>,
}

impl Directory {
    #[must_use]
    pub fn site(&self, code: &SiteCode) -> Option<&Site> {
        self.sites.get(code)
    }

    /// By code.
    pub fn sites(&self) -> impl Iterator<Item = &Site> {
        self.sites.values()
    }

    #[must_use]
    pub fn account(&self, id: &AccountId) -> Option<&Account> {
        self.accounts.get(id)
    }

    /// By login name, inactive ones too.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.values()
    }

    /// The one site without a parent.
    #[must_use]
    pub fn county(&self) -> Option<&Site> {
        self.sites.values().find(|site| site.tier == Tier::County)
    }

    /// Active accounts of exactly this site.
    pub fn accounts_at(&self, site: &SiteCode) -> impl Iterator<Item = &Account> {
        self.accounts_at
            .get(site)
            .into_iter()
            .flatten()
            .filter_map(|id| self.accounts.get(id))
            .filter(|account| account.active)
    }

    /// The sites right below, by code.
    pub fn children(&self, site: &SiteCode) -> impl Iterator<Item = &Site> {
        self.children
            .get(site)
            .into_iter()
            .flatten()
            .filter_map(|code| self.sites.get(code))
    }

    /// The site and all below it; parents before children, by code.
    #[must_use]
    pub fn subtree(&self, root: &SiteCode) -> Vec<&Site> {
        let mut found: Vec<&Site> = self.sites.get(root).into_iter().collect();
        let mut next = 0;
        // Registration lets tiers only descend, so every site is met once; the
        // bound holds even for a journal that says otherwise.
        while next < found.len() && found.len() <= self.sites.len() {
            found.extend(self.children(&found[next].code));
            next += 1;
        }
        found
    }

    /// The sites above, nearest first.
    #[must_use]
    pub fn superiors(&self, site: &SiteCode) -> Vec<&Site> {
        let mut above = Vec::new();
        let mut at = self.sites.get(site);
        while let Some(parent) = at.and_then(|site| site.parent.as_ref()) {
            at = self.sites.get(parent);
            above.extend(at);
            if above.len() > Tier::ALL.len() {
                break; // only a journal with a cycle gets here
            }
        }
        above
    }

    /// True when `lower` stands under `upper`, at any distance; not for the same site.
    #[must_use]
    pub fn is_under(&self, lower: &SiteCode, upper: &SiteCode) -> bool {
        self.superiors(lower).iter().any(|site| site.code == *upper)
    }

    /// Registers a site, or replaces what is known of it.
    pub(crate) fn put_site(&mut self, site: &Site) {
        let old = self.sites.insert(site.code.clone(), site.clone());
        if let Some(above) = old.and_then(|old| old.parent)
            && let Some(siblings) = self.children.get_mut(&above)
        {
            siblings.remove(&site.code);
        }
        if let Some(above) = &site.parent {
            self.children
                .entry(above.clone())
                .or_default()
                .insert(site.code.clone());
        }
    }

    /// Registers an account, or replaces what is known of it.
    pub(crate) fn put_account(&mut self, account: &Account) {
        let old = self.accounts.insert(account.id.clone(), account.clone());
        if let Some(old) = old
            && let Some(others) = self.accounts_at.get_mut(&old.site)
        {
            others.remove(&old.id);
        }
        self.accounts_at
            .entry(account.site.clone())
            .or_default()
            .insert(account.id.clone());
    }
}
