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

#[cfg(test)]
mod tests {
    use super::DirectoryMistake as Mistake;
    use super::*;
    use crate::directory::{Place, Role};

    fn site(code: &str, tier: Tier, parent: Option<&str>) -> Site {
        Site {
            code: code.into(),
            name: format!("{code} 综治中心"),
            tier,
            parent: parent.map(SiteCode::from),
            place: Place::from_degrees(106.843, 32.353),
        }
    }

    fn account(id: &str, role: Role, site: &str) -> Account {
        Account {
            id: id.into(),
            name: id.to_owned(),
            role,
            site: site.into(),
            active: true,
        }
    }

    fn small() -> (Vec<Site>, Vec<Account>) {
        let sites = vec![
            site("c1", Tier::Community, Some("t1")),
            site("t1", Tier::Township, Some("county")),
            site("county", Tier::County, None),
        ];
        let accounts = vec![
            account("chief", Role::Commander, "county"),
            account("t1", Role::Township, "t1"),
            account("c1", Role::Community, "c1"),
            account("patrol", Role::Field, "t1"),
        ];
        (sites, accounts)
    }

    fn mistakes(sites: &[Site], accounts: &[Account]) -> Vec<Mistake> {
        changes(&Directory::default(), sites, accounts).unwrap_err()
    }

    fn registered(sites: &[Site], accounts: &[Account]) -> Directory {
        let mut directory = Directory::default();
        for event in changes(&directory.clone(), sites, accounts).unwrap() {
            put(&mut directory, &event);
        }
        directory
    }

    fn put(directory: &mut Directory, event: &Event) {
        match event {
            Event::SiteRegistered { site } | Event::SiteChanged { site } => {
                directory.put_site(site);
            }
            Event::AccountRegistered { account } | Event::AccountChanged { account } => {
                directory.put_account(account);
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn parents_are_registered_before_children() {
        let (sites, accounts) = small();
        let events = changes(&Directory::default(), &sites, &accounts).unwrap();
        let codes: Vec<&str> = events
            .iter()
            .filter_map(|event| match event {
                Event::SiteRegistered { site } => Some(site.code.0.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(codes, ["county", "t1", "c1"]);
        assert_eq!(events.len(), 7);
    }

    #[test]
    fn the_same_configuration_changes_nothing() {
        let (sites, accounts) = small();
        let directory = registered(&sites, &accounts);
        assert_eq!(changes(&directory, &sites, &accounts), Ok(vec![]));
    }

    #[test]
    fn changes_and_absences_are_told() {
        let (mut sites, mut accounts) = small();
        let mut directory = registered(&sites, &accounts);
        sites.push(site("t2", Tier::Township, Some("county")));
        sites[0].parent = Some("t2".into());
        accounts[3].site = "t2".into();
        accounts.remove(2);
        for event in changes(&directory.clone(), &sites, &accounts).unwrap() {
            put(&mut directory, &event);
        }
        let moved = SiteCode::from("c1");
        assert!(directory.is_under(&moved, &"t2".into()));
        assert!(!directory.is_under(&moved, &"t1".into()));
        assert_eq!(directory.children(&"t1".into()).count(), 0);
        assert!(!directory.account(&"c1".into()).unwrap().active);
        assert_eq!(directory.accounts_at(&moved).count(), 0);
        assert_eq!(directory.accounts_at(&"t2".into()).count(), 1);
        assert_eq!(directory.accounts_at(&"t1".into()).count(), 1);
        assert_eq!(directory.subtree(&"county".into()).len(), 4);

        // A site that is no longer listed stays.
        sites.retain(|one| one.code.0 != "t1");
        accounts.retain(|one| one.site.0 != "t1");
        let events = changes(&directory, &sites, &accounts).unwrap();
        assert!(matches!(events[..], [Event::AccountChanged { .. }]));
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        let (mut sites, mut accounts) = small();
        sites.push(site("county2", Tier::County, Some("county")));
        sites.push(site("t3", Tier::Township, None));
        sites.push(site("t4", Tier::Township, Some("t1")));
        sites.push(site("c5", Tier::Community, Some("nowhere")));
        sites.push(site("t1", Tier::Township, Some("county")));
        sites[0].place = Place::from_degrees(f64::NAN, 32.0);
        sites[1].name = "a\u{202e}b".to_owned();
        accounts.push(account("chief", Role::Field, "county"));
        accounts.push(account("lost", Role::Field, "nowhere"));
        accounts.push(account("wrong", Role::Dispatcher, "t1"));
        accounts.push(account(" ", Role::Field, "t1"));
        let found = mistakes(&sites, &accounts);
        let code = |text: &str| SiteCode::from(text);
        let expected = [
            Mistake::DuplicateSite(code("t1")),
            Mistake::NoPlace(code("c1")),
            Mistake::UnknownParent {
                site: code("c5"),
                parent: code("nowhere"),
            },
            Mistake::SecondCounty(code("county2")),
            Mistake::CountyWithParent(code("county2")),
            Mistake::BadName {
                what: "site",
                id: "t1".to_owned(),
            },
            Mistake::NoParent(code("t3")),
            Mistake::NotBelowParent {
                site: code("t4"),
                parent: code("t1"),
            },
            Mistake::DuplicateAccount("chief".into()),
            Mistake::UnknownSite {
                account: "lost".into(),
                site: code("nowhere"),
            },
            Mistake::WrongRole {
                account: "wrong".into(),
                site: code("t1"),
            },
            Mistake::BadName {
                what: "account",
                id: " ".to_owned(),
            },
        ];
        for mistake in &expected {
            assert!(found.contains(mistake), "{mistake}: {found:?}");
        }
        assert_eq!(found.len(), expected.len(), "{found:?}");
    }

    #[test]
    fn no_county_and_a_cycle_are_mistakes() {
        assert_eq!(mistakes(&[], &[]), [Mistake::NoCounty]);
        let round = [
            site("county", Tier::County, None),
            site("a", Tier::Township, Some("b")),
            site("b", Tier::Community, Some("a")),
        ];
        assert_eq!(
            mistakes(&round, &[]),
            [Mistake::NotBelowParent {
                site: "a".into(),
                parent: "b".into()
            }]
        );
    }

    #[test]
    fn a_journal_with_a_cycle_does_not_hang() {
        let mut directory = Directory::default();
        directory.put_site(&site("a", Tier::Township, Some("b")));
        directory.put_site(&site("b", Tier::Township, Some("a")));
        let a = SiteCode::from("a");
        assert!(directory.superiors(&a).len() <= 4);
        assert!(directory.subtree(&a).len() <= 4);
    }

    #[test]
    fn degrees_come_back_as_they_were_given() {
        let place = Place::from_degrees(106.8304, 32.3703);
        assert_eq!((place.longitude(), place.latitude()), (106.8304, 32.3703));
        for outside in [(181.0, 0.0), (0.0, -90.1), (f64::INFINITY, 0.0)] {
            assert!(!Place::from_degrees(outside.0, outside.1).is_on_earth());
        }
    }
}
