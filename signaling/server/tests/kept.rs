//! The journal of an older version, kept as text, on today's code.
//!
//! `kept/journal-1.jsonl` holds bodies of entries in form 1, line by line: at least one of
//! every event, and every name that an event may hold. Lines are only ever added. Whoever
//! adds an event or a name is told here to add a line of it, so that later versions
//! go on reading it.
#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

use std::collections::{BTreeMap, BTreeSet};

use liandong_domain::{
    AccountId, Actor, ConferenceId, County, Decision, IncidentId, IncidentState, InvitationId,
    InvitationState, LeaveReason, Order, Outcome, ParticipantId, ParticipantState, Presence,
    Timestamp,
};
use liandong_server::journal::record::{Content, Record};
use serde_json::Value;

const KEPT: &str = include_str!("kept/journal-1.jsonl");

/// Orders of the server itself: they have no key, so none is in the journal.
const NEVER_JOURNALED: [&str; 11] = [
    "setDirectory",
    "restarted",
    "tick",
    "setDevices",
    "mediaConnected",
    "mediaLost",
    "deviceLost",
    "spoke",
    "received",
    "install",
    "result",
];

fn replayed() -> County {
    let mut county = County::new();
    for line in KEPT.lines() {
        match Record::read(line)
            .unwrap_or_else(|error| panic!("{line}: {error}"))
            .content
        {
            Content::Event(event) => county.apply(&event),
            Content::Access(_) | Content::Upkeep(_) => {}
        }
    }
    county
}

#[test]
fn kept_conferences_are_as_they_were() {
    let county = replayed();
    let site = county.directory().site(&"101001".into()).unwrap();
    assert_eq!(site.name, "磨坊社区");
    assert!(!county.directory().account(&"watch".into()).unwrap().active);
    assert_eq!(county.presence().of_site(&"101".into()), Presence::Degraded);

    let first = county.conference(ConferenceId(1)).unwrap();
    assert_eq!(first.incident, Some(IncidentId(1)));
    assert_eq!(first.chair, Some(ParticipantId(2)));
    let township = first.participant(ParticipantId(2)).unwrap();
    assert_eq!(
        (township.state, township.muted),
        (ParticipantState::In, false)
    );
    let invitation = |id| county.invitation(InvitationId(id)).unwrap();
    assert_eq!(invitation(1).state, InvitationState::Joined);
    assert_eq!(invitation(5).state, InvitationState::NoAnswer);
    assert_eq!(invitation(4).state, InvitationState::Cancelled);

    // Written before there were incidents: it is about none.
    let second = county.conference(ConferenceId(2)).unwrap();
    assert_eq!(second.incident, None);
    assert!(second.is_over());
    let left = |id| second.participant(ParticipantId(id)).unwrap().left;
    assert_eq!(left(4), Some(LeaveReason::Removed));
    assert_eq!(left(5), Some(LeaveReason::MediaFailed));
}

#[test]
fn kept_incidents_and_keys_are_as_they_were() {
    let county = replayed();
    let state = |id| county.incident(IncidentId(id)).unwrap().state;
    assert_eq!(state(1), IncidentState::Reviewed);
    assert_eq!(state(2), IncidentState::Duplicate);
    assert_eq!(state(3), IncidentState::False);
    assert_eq!(state(4), IncidentState::Reported);
    let flood = county.incident(IncidentId(1)).unwrap();
    assert_eq!(flood.responders.len(), 2);
    assert_eq!(flood.conferences, [ConferenceId(1)]);
    assert_eq!(flood.timeline.len(), 15);
    // An order that was carried out then is answered as it was.
    let call = KEPT
        .lines()
        .find(|line| line.contains(r#""type":"called""#));
    let Content::Event(liandong_domain::Event::OrderCarriedOut {
        by,
        key,
        order,
        outcome,
        at,
    }) = Record::read(call.unwrap()).unwrap().content
    else {
        panic!("{call:?}");
    };
    let again = county.decide_once(&by, &key, &order, Timestamp(at.0 + 1));
    assert_eq!(again, Ok(Decision::Repeated(outcome)));
    // Numbers go on where they ended.
    let report = Order::Incident {
        order: liandong_domain::IncidentOrder::Report {
            report: flood.report.clone(),
        },
    };
    let by = Actor::Account(AccountId::from("101"));
    let events = county.decide(&by, &report, Timestamp(10_000)).unwrap();
    let next = Outcome::Reported {
        incident: IncidentId(5),
    };
    assert_eq!(Outcome::of(&report, &events), next);
}

#[test]
fn kept_talk_groups_are_as_they_were() {
    let county = replayed();
    let groups: Vec<_> = county.talk_groups().collect();
    assert_eq!(groups.len(), 1, "the other one is dissolved");
    assert_eq!(groups[0].plan.rules.talk_limit_s, 30);
    assert!(groups[0].plan.members.is_empty() && groups[0].sos.is_empty());
    assert_eq!(groups[0].talks.len(), 8);
}

#[test]
fn every_name_that_the_journal_may_hold_is_kept() {
    let (mut known, mut seen) = (BTreeMap::new(), BTreeSet::new());
    for line in KEPT.lines() {
        let value: Value = serde_json::from_str(line).unwrap();
        for (path, name) in texts(&value, String::new()) {
            let mut other = value.clone();
            *other.pointer_mut(&path).unwrap() = "?".into();
            let Err(error) = Record::read(&other.to_string()) else {
                continue; // free text
            };
            // serde names all that it would have taken.
            let Some((_, expected)) = error.split_once("expected ") else {
                continue;
            };
            if error.contains("unknown variant") {
                let names: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
                known.entry(names.join(" ")).or_insert((path, line));
                seen.insert((names.join(" "), name));
            }
        }
    }
    // The event, What, Order and so on: far more than one list was found.
    assert!(known.len() > 15, "{known:?}");
    for (names, (path, line)) in &known {
        for name in names.split(' ') {
            assert!(
                seen.contains(&(names.clone(), name.to_owned())) || NEVER_JOURNALED.contains(&name),
                "no line with `{name}` at {path}, as here: {line}\n\
                 add one to signaling/server/tests/kept/journal-1.jsonl"
            );
        }
    }
}

#[test]
fn fields_of_a_later_version_are_passed_over_everywhere() {
    for line in KEPT.lines() {
        let value: Value = serde_json::from_str(line).unwrap();
        let as_read = Record::read(line).unwrap();
        for path in objects(&value, String::new()) {
            // The envelope holds one thing under the name of what it is.
            if path.is_empty() {
                continue;
            }
            let mut later = value.clone();
            let object = later.pointer_mut(&path).unwrap();
            object["addedLater"] = serde_json::json!({ "deep": [1, "two"] });
            assert_eq!(
                Record::read(&later.to_string()).as_ref(),
                Ok(&as_read),
                "{later}"
            );
        }
    }
}

/// Every text in it, with its JSON pointer.
fn texts(value: &Value, path: String) -> Vec<(String, String)> {
    match value {
        Value::String(text) => vec![(path, text.clone())],
        _ => children(value, &path)
            .into_iter()
            .flat_map(|(path, child)| texts(child, path))
            .collect(),
    }
}

/// Every object in it.
fn objects(value: &Value, path: String) -> Vec<String> {
    let below = children(value, &path)
        .into_iter()
        .flat_map(|(path, child)| objects(child, path));
    value
        .is_object()
        .then(|| path.clone())
        .into_iter()
        .chain(below)
        .collect()
}

fn children<'a>(value: &'a Value, path: &str) -> Vec<(String, &'a Value)> {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, child)| (format!("{path}/{name}"), child))
            .collect(),
        Value::Array(all) => all
            .iter()
            .enumerate()
            .map(|(index, child)| (format!("{path}/{index}"), child))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}
