//! The table of accounts: `account,name,role,site,password_hash`, and one
//! account per site.

use std::collections::BTreeMap;
use std::path::Path;

use liandong_protocol::{AccountId, Role, SiteCode, Tier};
use serde::Deserialize;

use super::check::Mistakes;
use super::file::Accounts;
use super::{Account, Site};
use crate::auth::password;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    account: String,
    name: String,
    role: Role,
    site: String,
    password_hash: String,
}

/// What could be read; what could not is among the mistakes.
pub(super) fn load(
    section: &Accounts,
    folder: &Path,
    sites: &[Site],
    mistakes: &mut Mistakes,
) -> BTreeMap<AccountId, Account> {
    let mut accounts = BTreeMap::new();
    if section.per_site {
        accounts.extend(sites.iter().map(of_site).map(|a| (a.id.clone(), a)));
    }
    if let Some(file) = &section.file {
        let path = folder.join(file);
        match csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .from_path(&path)
        {
            Ok(mut reader) => {
                for (index, row) in reader.deserialize::<Row>().enumerate() {
                    // The head is line 1.
                    let at = format!("{}:{}", file.display(), index + 2);
                    read_row(row, &at, sites, &mut accounts, mistakes);
                }
            }
            Err(error) => mistakes.add(
                "accounts.file",
                format_args!("{}: {error}", path.display()),
                "name a CSV file, relative to the configuration file",
            ),
        }
    }
    if accounts.is_empty() && mistakes.0.is_empty() {
        mistakes.add(
            "accounts",
            "nobody could sign in",
            "set accounts.per_site = true or name accounts.file",
        );
    }
    if !section.demo_password && accounts.values().all(|a| a.password_hash.is_none()) {
        mistakes.add(
            "accounts",
            "no account has a password",
            "write hashes made by `liandong hash-password` into accounts.file; for a demo, accounts.demo_password = true",
        );
    }
    accounts
}

fn of_site(site: &Site) -> Account {
    Account {
        id: AccountId(site.code.0.clone()),
        name: site.name.clone(),
        role: match site.tier {
            Tier::County => Role::Dispatcher,
            Tier::Township => Role::Township,
            Tier::Community => Role::Community,
        },
        site: site.code.clone(),
        password_hash: None,
    }
}

fn read_row(
    row: Result<Row, csv::Error>,
    at: &str,
    sites: &[Site],
    accounts: &mut BTreeMap<AccountId, Account>,
    mistakes: &mut Mistakes,
) {
    let row = match row {
        Ok(row) => row,
        Err(error) => {
            mistakes.add(
                at,
                error,
                "five columns: account,name,role (commander, dispatcher, township, community, field, administrator, supervisor),site,password_hash",
            );
            return;
        }
    };
    let named = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    if row.account.is_empty() || row.account.len() > 64 || !row.account.bytes().all(named) {
        mistakes.add(
            at,
            format_args!("{:?} cannot be a login name", row.account),
            "use 1 to 64 Latin letters, digits, '.', '_' or '-'",
        );
    }
    let site = SiteCode(row.site);
    match sites.iter().find(|known| known.code == site) {
        // Once the table of sites is broken, every account would be reported.
        None if sites.is_empty() => {}
        None => mistakes.add(
            at,
            format_args!("there is no site {site}"),
            "use a code of the table of sites",
        ),
        Some(known) if !fits(row.role, known.tier) => mistakes.add(
            at,
            format_args!("the role does not fit the site {site}, a {:?}", known.tier),
            "commander, dispatcher, administrator and supervisor belong to the county, township and community to such a site",
        ),
        Some(_) => {}
    }
    let hash = (!row.password_hash.is_empty()).then_some(row.password_hash);
    if hash.as_deref().is_some_and(|hash| !password::is_hash(hash)) {
        mistakes.add(
            at,
            "password_hash is not an Argon2id hash",
            "write what `liandong hash-password` prints",
        );
    }
    let id = AccountId(row.account);
    let account = Account {
        id: id.clone(),
        name: row.name,
        role: row.role,
        site,
        password_hash: hash,
    };
    if account.name.is_empty() {
        mistakes.add(at, "the name is empty", "write the name to display");
    }
    // A row named by a site's code gives the site's own account its password.
    let own = sites.iter().any(|site| site.code.0 == id.0);
    if accounts.insert(id.clone(), account).is_some() && !own {
        mistakes.add(
            at,
            format_args!("the account {id} is there twice"),
            "give each account its own name",
        );
    }
}

fn fits(role: Role, tier: Tier) -> bool {
    match role {
        Role::Commander | Role::Dispatcher | Role::Administrator | Role::Supervisor => {
            tier == Tier::County
        }
        Role::Township => tier == Tier::Township,
        Role::Community => tier == Tier::Community,
        Role::Field => true,
    }
}
