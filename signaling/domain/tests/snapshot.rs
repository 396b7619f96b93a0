//! The form of a snapshot is fixed per version: a start must never read a
//! state that an older program wrote in another form.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use liandong_domain::duty::NewShift;
use liandong_domain::incident::{FileRef, Report, ReportSource, Step};
use liandong_domain::plan::{OnMiss, PlanContent, PlanStep, Trigger, Whom};
use liandong_domain::snapshot::SNAPSHOT_VERSION;
use liandong_domain::talk::group::{
    AlarmKind, Area, FloorRules, GroupPlan, GroupPriority, Standing, Talk, TalkEnd,
};
use liandong_domain::talk::{Rank, TalkOrder};
use liandong_domain::{
    Actor, Callee, Conduct, Contact, Decision, Device, DutyOrder, IncidentKind, IncidentOrder,
    Level, Order, Place, PlanId, PlanOrder, RollOrder, TalkGroupId, Tier,
};
use serde_json::Value;
use support::{COMMANDER, DISPATCHER, JIZHOU, SHAHE, Shell, site};

/// The places of all values, with the names of sites, accounts and numbers left out.
fn form(value: &Value, at: &str, places: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let named = [
                    "sites",
                    "accounts",
                    "children",
                    "accountsAt",
                    "kept",
                    "entered",
                    "sos",
                    "knocks",
                    "contacts",
                ]
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

/// Two with all that a talk group can have.
fn talk_groups(shell: &mut Shell) {
    let plan = GroupPlan {
        name: "集州巡逻".to_owned(),
        site: JIZHOU.into(),
        members: BTreeMap::from([(JIZHOU.into(), Standing::Leader)]),
        area: Some(Area::Subtree {
            root: JIZHOU.into(),
        }),
        priority: GroupPriority::Command,
        rules: FloorRules::default(),
    };
    let circle = GroupPlan {
        area: Some(Area::Circle {
            center: Place::from_degrees(106.8, 32.3),
            radius_m: 500,
        }),
        ..plan.clone()
    };
    let mut by = |by: &str, order| shell.by(by, Order::Talk { order }).map(drop).unwrap();
    by(COMMANDER, TalkOrder::Create { plan });
    by(COMMANDER, TalkOrder::Create { plan: circle });
    let group = TalkGroupId(1);
    for place in [None, Some(Place::from_degrees(106.8, 32.3))] {
        let who = if place.is_some() { JIZHOU } else { COMMANDER };
        let kind = AlarmKind::Sos;
        by(who, TalkOrder::RaiseSos { group, kind, place });
    }
    let talk = Talk {
        who: JIZHOU.into(),
        rank: Rank::Sos,
        from: shell.now,
        until: shell.now,
        end: TalkEnd::Released,
    };
    let order = TalkOrder::Spoke { group, talk };
    shell.system(Order::Talk { order }).unwrap();
}

/// One with all that an incident can have.
fn incident(shell: &mut Shell) {
    let report = Report {
        kind: IncidentKind::Mass,
        level: Some(Level::III),
        title: "集聚".to_owned(),
        text: String::new(),
        place: Some(Place::from_degrees(106.8, 32.3)),
        address: String::new(),
        site: Some(JIZHOU.into()),
        source: ReportSource::Platform {
            name: "12345".to_owned(),
            reference: "1".to_owned(),
        },
    };
    let order = IncidentOrder::Report { report };
    let platform = Actor::Platform("12345".to_owned());
    shell.order(&platform, &Order::Incident { order }).unwrap();
    let incident = shell.county.incidents().next().unwrap().id;
    for step in [
        Step::Verify {
            kind: IncidentKind::Mass,
            level: Level::II,
        },
        Step::Assign {
            responders: vec![Callee::Site { code: SHAHE.into() }],
            text: String::new(),
        },
        Step::Escalate {
            tier: Tier::County,
            reason: "升级".to_owned(),
        },
        Step::Attach {
            file: FileRef {
                id: "a".repeat(64),
                media_type: "image/jpeg".to_owned(),
                name: "现场.jpg".to_owned(),
                bytes: 1,
            },
            text: String::new(),
        },
    ] {
        let order = IncidentOrder::Step { incident, step };
        shell.by(COMMANDER, Order::Incident { order }).unwrap();
    }
    let call = Order::Call {
        targets: vec![site(SHAHE)],
        title: None,
        ordered: true,
        incident: Some(incident),
    };
    shell.by(COMMANDER, call).unwrap();
}

/// All that a conference can have by being conducted.
fn everything(shell: &mut Shell) {
    let conference = shell.call(COMMANDER, &[site(JIZHOU), site(SHAHE)], true);
    let participant = shell.join(JIZHOU);
    shell.join(SHAHE);
    shell.by(SHAHE, Order::Leave { conference }).unwrap();
    for step in [
        Conduct::SetLobby { open: true },
        Conduct::Broadcast { tier: None },
        Conduct::Spotlight {
            participant: Some(participant),
        },
        Conduct::StartCarousel {
            accounts: vec![JIZHOU.into()],
            interval_s: 10,
        },
        Conduct::StartRoll {
            order: RollOrder::Parallel,
            answer_s: 10,
        },
        Conduct::OrderDevice {
            participant,
            device: Device::Camera,
            on: true,
            reason: "查岗".to_owned(),
        },
    ] {
        let order = Order::Conduct { conference, step };
        shell.by(COMMANDER, order).unwrap();
    }
}

/// A plan at work, somebody on duty and somebody who is pursued.
fn planned(shell: &mut Shell) {
    let contact = |account: Option<&str>| Contact {
        name: "值班".to_owned(),
        account: account.map(Into::into),
        phone: Some("13800000000".to_owned()),
    };
    let duty = |order| Order::Duty { order };
    let shift = NewShift {
        site: SHAHE.into(),
        person: contact(Some(COMMANDER)),
        from: shell.now,
        to: shell.now.after(Duration::from_secs(3_600)),
    };
    let plan = DutyOrder::Plan {
        shifts: vec![shift],
    };
    shell.by(COMMANDER, duty(plan)).unwrap();
    let contacts = DutyOrder::SetContacts {
        site: JIZHOU.into(),
        contacts: vec![contact(None)],
        deputy: Some(contact(Some(COMMANDER))),
    };
    shell.by(COMMANDER, duty(contacts)).unwrap();
    let step = PlanStep {
        after_s: 0,
        whom: vec![
            Whom::Site {
                code: JIZHOU.into(),
            },
            Whom::Tier {
                tier: Tier::Township,
            },
        ],
        show: vec![Whom::IncidentSite],
        text: "到岗".to_owned(),
        ack_within_s: 60,
        on_miss: OnMiss::default(),
    };
    let content = PlanContent {
        name: "防汛".to_owned(),
        trigger: Trigger {
            kind: Some(IncidentKind::Mass),
            level: Some(Level::II),
            area: Some(JIZHOU.into()),
        },
        steps: vec![step],
        record: true,
    };
    shell.devices(JIZHOU, 0);
    let plan = |order| Order::Plan { order };
    shell
        .by(
            DISPATCHER,
            plan(PlanOrder::Save {
                plan: None,
                content,
            }),
        )
        .unwrap();
    let approve = PlanOrder::Approve {
        plan: PlanId(1),
        version: 1,
        saved_at: shell.now,
    };
    shell.by(COMMANDER, plan(approve)).unwrap();
    let incident = shell.county.incidents().next().unwrap().id;
    let start = PlanOrder::Start {
        plan: PlanId(1),
        incident,
    };
    shell.by(COMMANDER, plan(start)).unwrap();
    assert_eq!(shell.county.pursuits().all().count(), 1);
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
    everything(&mut shell);
    incident(&mut shell);
    talk_groups(&mut shell);
    planned(&mut shell);

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
