//! Who may work on an incident: every role and relation × every step × every tier that may
//! handle it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod support;

use liandong_domain::incident::{FileRef, IncidentOrderKind, Report, ReportSource, Step};
use liandong_domain::{
    Actor, IncidentId, IncidentKind, IncidentOrder, Level, Order, RefusalCode, Tier,
};
use support::{
    ADMINISTRATOR, CHUNCHANGBA, COMMANDER, DATANGBA, DISPATCHER, FIELD_CHUNCHANGBA, FIELD_COUNTY,
    FIELD_JIZHOU, JIZHOU, LUOPING, SHAHE, SUPERVISOR, Shell, callee,
};

/// Who, whether he knows of an incident of the community 春场坝 that its field unit reported,
/// and an `x` where he handles it once it is the community's, the township's, the county's.
const WHO: [(&str, bool, &str); 12] = [
    (COMMANDER, true, "xxx"),
    (DISPATCHER, true, "xxx"),
    (JIZHOU, true, "xx."),
    (CHUNCHANGBA, true, "x.."),
    (FIELD_CHUNCHANGBA, true, "..."),
    (ADMINISTRATOR, true, "..."),
    (SUPERVISOR, true, "..."),
    (SHAHE, false, "..."),
    (DATANGBA, false, "..."),
    (LUOPING, false, "..."),
    (FIELD_COUNTY, false, "..."),
    (FIELD_JIZHOU, false, "..."),
];
const TIERS: [Tier; 3] = [Tier::Community, Tier::Township, Tier::County];

const ONE: IncidentId = IncidentId(1);
const OTHER: IncidentId = IncidentId(2);

fn order(step: Step) -> Order {
    let incident = ONE;
    let order = IncidentOrder::Step { incident, step };
    Order::Incident { order }
}

/// A step of each kind that is one, besides responding, which each does for himself.
fn step(kind: IncidentOrderKind) -> Option<Step> {
    let text = String::from("堤坝");
    Some(match kind {
        IncidentOrderKind::Report | IncidentOrderKind::Respond => return None,
        IncidentOrderKind::Verify => Step::Verify {
            kind: IncidentKind::Sudden,
            level: Level::II,
        },
        IncidentOrderKind::MarkDuplicate => Step::MarkDuplicate { of: OTHER },
        IncidentOrderKind::MarkFalse => Step::MarkFalse { reason: text },
        IncidentOrderKind::SetLevel => Step::SetLevel {
            level: Level::I,
            reason: text,
        },
        IncidentOrderKind::Escalate => Step::Escalate {
            tier: Tier::County,
            reason: text,
        },
        IncidentOrderKind::Assign => Step::Assign {
            responders: vec![callee(CHUNCHANGBA)],
            text,
        },
        IncidentOrderKind::Control => Step::Control { text },
        IncidentOrderKind::Close => Step::Close { text },
        IncidentOrderKind::Review => Step::Review { findings: text },
        IncidentOrderKind::Note => Step::Note { text },
        IncidentOrderKind::Attach => Step::Attach {
            file: FileRef {
                id: "a".repeat(64),
                media_type: "image/jpeg".to_owned(),
                name: String::new(),
                bytes: 1,
            },
            text,
        },
    })
}

/// What the commander did before, so that the state allows the step.
fn before(kind: IncidentOrderKind) -> &'static [IncidentOrderKind] {
    use IncidentOrderKind as Kind;
    const LIFE: [Kind; 4] = [Kind::Verify, Kind::Assign, Kind::Control, Kind::Close];
    match kind {
        Kind::Assign => &LIFE[..1],
        Kind::Control => &LIFE[..2],
        Kind::Close => &LIFE[..3],
        Kind::Review => &LIFE,
        Kind::Report
        | Kind::Verify
        | Kind::MarkDuplicate
        | Kind::MarkFalse
        | Kind::SetLevel
        | Kind::Escalate
        | Kind::Respond
        | Kind::Note
        | Kind::Attach => &[],
    }
}

fn prepared(kind: IncidentOrderKind, tier: Tier) -> Shell {
    let mut shell = Shell::lit();
    for reporter in [FIELD_CHUNCHANGBA, CHUNCHANGBA] {
        let report = Report {
            kind: IncidentKind::Sudden,
            level: None,
            title: "塌方".to_owned(),
            text: String::new(),
            place: None,
            address: String::new(),
            site: None,
            source: ReportSource::Account,
        };
        let order = IncidentOrder::Report { report };
        shell.by(reporter, Order::Incident { order }).unwrap();
    }
    let escalate = Step::Escalate {
        tier,
        reason: "力量不足".to_owned(),
    };
    shell.by(COMMANDER, order(escalate)).unwrap();
    for earlier in before(kind) {
        shell.by(COMMANDER, order(step(*earlier).unwrap())).unwrap();
    }
    shell
}

#[test]
fn every_role_and_relation_to_every_step_at_every_tier() {
    let mut tried = 0;
    for kind in IncidentOrderKind::ALL {
        let Some(step) = step(kind) else { continue };
        for (column, tier) in TIERS.into_iter().enumerate() {
            let shell = prepared(kind, tier);
            for (who, knows, handles) in WHO {
                let decided = shell.county.decide(
                    &Actor::Account(who.into()),
                    &order(step.clone()),
                    shell.now,
                );
                let code = decided.err().map(|refusal| refusal.code());
                let note = [IncidentOrderKind::Note, IncidentOrderKind::Attach].contains(&kind);
                let idle = who.starts_with("field") || [ADMINISTRATOR, SUPERVISOR].contains(&who);
                let expected = if idle && !note {
                    Some(RefusalCode::NotAllowed)
                } else if !knows {
                    Some(RefusalCode::UnknownIncident)
                } else if note || handles.as_bytes()[column] == b'x' {
                    None
                } else {
                    Some(RefusalCode::NotAllowed)
                };
                assert_eq!(code, expected, "{who}: {kind:?} at the {tier:?}");
                tried += 1;
            }
        }
    }
    assert_eq!(tried, 11 * TIERS.len() * WHO.len());
}
