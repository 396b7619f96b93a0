//! From the configured directory to events, or to everything that is wrong with it.

use std::collections::{BTreeMap, BTreeSet};

use crate::directory::{Account, Directory, Site, Tier};
use crate::event::Event;
use crate::ids::{AccountId, SiteCode};
use crate::limits::MAX_NAME_CHARS;
use crate::text::is_plain;

/// A mistake in the configured directory, with what mends it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryMistake {
    #[error("there is no county site: give exactly one site the tier county")]
    NoCounty,
    #[error("site {0} is a second county: give it another tier")]
    SecondCounty(SiteCode),
    #[error("site {0} is the county and has a parent: leave the parent empty")]
    CountyWithParent(SiteCode),
    #[error("site {0} has no parent: name the site above it")]
    NoParent(SiteCode),
    #[error("site {site} has the unknown parent {parent}: add that site or correct the code")]
    UnknownParent { site: SiteCode, parent: SiteCode },
    #[error(
        "site {site} is not of a lower tier than its parent {parent}: correct the tier or the parent"
    )]
    NotBelowParent { site: SiteCode, parent: SiteCode },
    #[error("site {0} is listed twice: remove one")]
    DuplicateSite(SiteCode),
    #[error("site {0} is nowhere on earth: give longitude and latitude in degrees")]
    NoPlace(SiteCode),
    #[error("{what} {id:?} has no name or code of 1 to 64 printable characters: correct it")]
    BadName { what: &'static str, id: String },
    #[error("account {0} is listed twice: remove one")]
    DuplicateAccount(AccountId),
    #[error(
        "account {account} belongs to the unknown site {site}: add that site or correct the code"
    )]
    UnknownSite { account: AccountId, site: SiteCode },
    #[error(
        "account {account} has a role that does not exist at the tier of {site}: correct the role or the site"
    )]
    WrongRole { account: AccountId, site: SiteCode },
}

/// What has to be registered or changed so that the directory is as
/// configured: sites first, parents before children. Accounts that are not
/// listed become inactive; sites that are not listed stay, because the
/// journal speaks of them.
pub(crate) fn changes(
    known: &Directory,
    sites: &[Site],
    accounts: &[Account],
) -> Result<Vec<Event>, Vec<DirectoryMistake>> {
    let mut mistakes = Vec::new();
    let all_sites = all_sites(known, sites, &mut mistakes);
    check_sites(&all_sites, &mut mistakes);
    check_accounts(accounts, &all_sites, &mut mistakes);
    if !mistakes.is_empty() {
        return Err(mistakes);
    }

    let mut events = Vec::new();
    let mut ordered: Vec<&Site> = sites.iter().collect();
    ordered.sort_by_key(|site| (site.tier, &site.code));
    for site in ordered {
        match known.site(&site.code) {
            None => events.push(Event::SiteRegistered { site: site.clone() }),
            Some(old) if old != site => events.push(Event::SiteChanged { site: site.clone() }),
            Some(_) => {}
        }
    }
    for account in accounts {
        match known.account(&account.id) {
            None => events.push(Event::AccountRegistered {
                account: account.clone(),
            }),
            Some(old) if old != account => events.push(Event::AccountChanged {
                account: account.clone(),
            }),
            Some(_) => {}
        }
    }
    let listed: BTreeSet<&AccountId> = accounts.iter().map(|account| &account.id).collect();
    for gone in known
        .accounts()
        .filter(|one| one.active && !listed.contains(&one.id))
    {
        events.push(Event::AccountChanged {
            account: Account {
                active: false,
                ..gone.clone()
            },
        });
    }
    Ok(events)
}

/// The known sites with the listed ones over them.
fn all_sites<'a>(
    known: &'a Directory,
    sites: &'a [Site],
    mistakes: &mut Vec<DirectoryMistake>,
) -> BTreeMap<&'a SiteCode, &'a Site> {
    let mut all: BTreeMap<&SiteCode, &Site> =
        known.sites().map(|site| (&site.code, site)).collect();
    let mut listed = BTreeSet::new();
    for site in sites {
        if listed.insert(&site.code) {
            all.insert(&site.code, site);
        } else {
            mistakes.push(DirectoryMistake::DuplicateSite(site.code.clone()));
        }
    }
    all
}

/// A cycle cannot pass: on the way round some site is not below its parent.
fn check_sites(all: &BTreeMap<&SiteCode, &Site>, mistakes: &mut Vec<DirectoryMistake>) {
    let mut county = None;
    for site in all.values() {
        if !is_name(&site.name) || !is_name(&site.code.0) {
            mistakes.push(DirectoryMistake::BadName {
                what: "site",
                id: site.code.0.clone(),
            });
        }
        if !site.place.is_on_earth() {
            mistakes.push(DirectoryMistake::NoPlace(site.code.clone()));
        }
        match (site.tier, &site.parent) {
            (Tier::County, parent) => {
                if county.replace(&site.code).is_some() {
                    mistakes.push(DirectoryMistake::SecondCounty(site.code.clone()));
                }
                if parent.is_some() {
                    mistakes.push(DirectoryMistake::CountyWithParent(site.code.clone()));
                }
            }
            (Tier::Township | Tier::Community, None) => {
                mistakes.push(DirectoryMistake::NoParent(site.code.clone()));
            }
            (Tier::Township | Tier::Community, Some(parent)) => match all.get(parent) {
                None => mistakes.push(DirectoryMistake::UnknownParent {
                    site: site.code.clone(),
                    parent: parent.clone(),
                }),
                Some(above) if above.tier >= site.tier => {
                    mistakes.push(DirectoryMistake::NotBelowParent {
                        site: site.code.clone(),
                        parent: parent.clone(),
                    });
                }
                Some(_) => {}
            },
        }
    }
    if county.is_none() {
        mistakes.push(DirectoryMistake::NoCounty);
    }
}

fn check_accounts(
    accounts: &[Account],
    all: &BTreeMap<&SiteCode, &Site>,
    mistakes: &mut Vec<DirectoryMistake>,
) {
    let mut listed = BTreeSet::new();
    for account in accounts {
        if !listed.insert(&account.id) {
            mistakes.push(DirectoryMistake::DuplicateAccount(account.id.clone()));
        }
        if !is_name(&account.name) || !is_name(&account.id.0) {
            mistakes.push(DirectoryMistake::BadName {
                what: "account",
                id: account.id.0.clone(),
            });
        }
        match all.get(&account.site) {
            None => mistakes.push(DirectoryMistake::UnknownSite {
                account: account.id.clone(),
                site: account.site.clone(),
            }),
            Some(site)
                if account
                    .role
                    .bound_to()
                    .is_some_and(|tier| tier != site.tier) =>
            {
                mistakes.push(DirectoryMistake::WrongRole {
                    account: account.id.clone(),
                    site: account.site.clone(),
                });
            }
            Some(_) => {}
        }
    }
}

fn is_name(text: &str) -> bool {
    is_plain(text) && !text.trim().is_empty() && text.chars().count() <= MAX_NAME_CHARS
}
