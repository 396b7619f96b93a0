//! The form of a snapshot is fixed per version: a start must never read a
//! state that an older program wrote in another form.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod support;

use std::collections::BTreeSet;

use liandong_domain::snapshot::SNAPSHOT_VERSION;
use liandong_domain::{Actor, Decision, Order};
use serde_json::Value;
use support::{COMMANDER, JIZHOU, SHAHE, Shell, site};

/// The places of all values, with the names of sites, accounts and numbers left out.
fn form(value: &Value, at: &str, places: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let named = ["sites", "accounts", "children", "accountsAt", "kept"]
                    .iter()
                    .any(|map| at.ends_with(map));
                let place = if named || name.parse::<u32>().is_ok() {
                    format!("{at}.*")
                } else {
                    format!("{at}.{name}")
                };
                form(value, &place, places);
            }
        }
        Value::Array(items) => {
            for item in items {
                form(item, &format!("{at}[]"), places);
            }
        }
        Value::Null => drop(places.insert(format!("{at}: null"))),
        Value::Bool(_) => drop(places.insert(format!("{at}: bool"))),
        Value::Number(_) => drop(places.insert(format!("{at}: number"))),
        Value::String(_) => drop(places.insert(format!("{at}: string"))),
    }
}

#[test]
fn form_of_a_snapshot_changes_only_with_its_version() {
    let mut shell = Shell::lit();
    let conference = shell.call(COMMANDER, &[site(JIZHOU), site(SHAHE)], true);
    shell.join(JIZHOU);
    let order = Order::MuteAll {
        conference,
        muted: true,
    };
    let decided = shell
        .county
        .decide_once(&COMMANDER.into(), "key", &order, shell.now);
    let Ok(Decision::New { events, .. }) = decided else {
        panic!("{decided:?}");
    };
    shell.take(&events);
    shell
        .order(
            &Actor::Account(COMMANDER.into()),
            &Order::End { conference },
        )
        .unwrap();
    shell.call(COMMANDER, &[site(SHAHE)], true);

    let mut places = BTreeSet::from([format!(" version {SNAPSHOT_VERSION}")]);
    form(
        &serde_json::to_value(&shell.county).unwrap(),
        "",
        &mut places,
    );
    let found: Vec<&str> = places.iter().map(String::as_str).collect();
    let fixed: Vec<&str> = include_str!("snapshot-form.txt").lines().collect();
    assert!(
        found == fixed,
        "the form has changed: raise SNAPSHOT_VERSION and put this into snapshot-form.txt:\n{}",
        found.join("\n")
    );
}
