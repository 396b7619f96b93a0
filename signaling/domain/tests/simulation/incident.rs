//! Random orders about incidents.

use super::*;

/// An order about an incident, mostly by somebody at its site or by whoever was sent.
pub fn incident(county: &County, people: &[Account], what: u8, draw: &Draw) -> (Actor, Order) {
    let all: Vec<&Incident> = county
        .incidents()
        .filter(|one| !one.state.is_final())
        .collect();
    let known = pick(&all, draw.which / 5).filter(|_| !what.is_multiple_of(8));
    let (Some(known), false) = (known, draw.flag && draw.who.is_multiple_of(4)) else {
        return report(people, draw);
    };
    let at_site: Vec<Account> = people
        .iter()
        .filter(|one| one.site == known.site || one.role == Role::Commander)
        .cloned()
        .collect();
    let sent = known.responders.iter().filter_map(|one| match &one.who {
        Callee::Person { account } => Some(account.clone()),
        Callee::Site { code } => people
            .iter()
            .find(|one| one.site == *code && one.role.answers_for_site())
            .map(|one| one.id.clone()),
    });
    let sent: Vec<AccountId> = sent.collect();
    let who = match draw.targets.first() {
        Some((0..=24, number)) => pick(people, *number).unwrap().id,
        _ => pick(&at_site, draw.who).unwrap().id,
    };
    let text = "水位上涨".to_owned();
    let level = pick(&[Level::I, Level::II, Level::III, Level::IV], draw.who).unwrap();
    // Half of the time what would come next, else anything.
    let next = match known.state {
        IncidentState::Reported => 12,
        IncidentState::Verified => 5,
        IncidentState::Dispatched if draw.which.is_multiple_of(2) => 7,
        IncidentState::Dispatched => 0,
        IncidentState::Controlled => 8,
        _ => 9,
    };
    let what = if draw.flag { next } else { what % 13 };
    let who = if what == 0 {
        pick(&sent, draw.who).unwrap_or(who)
    } else {
        who
    };
    let step = match what {
        0 => Step::Respond {
            state: pick(&ResponderState::ALL, draw.which).unwrap(),
        },
        1 => Step::MarkDuplicate {
            of: IncidentId(u32::from(draw.who % 8)),
        },
        2 => Step::MarkFalse { reason: text },
        3 => Step::SetLevel {
            level,
            reason: text,
        },
        4 => Step::Escalate {
            tier: pick(&Tier::ALL, draw.who).unwrap(),
            reason: text,
        },
        5 | 6 => Step::Assign {
            responders: responders(people, known, draw),
            text,
        },
        7 => Step::Control { text },
        8 => Step::Close { text },
        9 => Step::Review { findings: text },
        10 => Step::Note { text },
        11 => Step::Attach {
            file: FileRef {
                id: format!("{:064x}", draw.which),
                media_type: "image/jpeg".to_owned(),
                name: if draw.who.is_multiple_of(8) {
                    "a\u{0}"
                } else {
                    "现场.jpg"
                }
                .to_owned(),
                bytes: 1,
            },
            text,
        },
        _ => Step::Verify {
            kind: IncidentKind::Sudden,
            level,
        },
    };
    let order = IncidentOrder::Step {
        incident: known.id,
        step,
    };
    (Actor::Account(who), Order::Incident { order })
}

fn report(people: &[Account], draw: &Draw) -> (Actor, Order) {
    let own = !draw.who.is_multiple_of(8);
    let report = Report {
        kind: IncidentKind::Contingency,
        level: draw.flag.then_some(Level::II),
        title: if draw.which < 16 { "" } else { "河水漫堤" }.to_owned(),
        text: String::new(),
        place: pick(&sites(), draw.which).map(|site| site.place),
        address: String::new(),
        site: None,
        source: if own {
            ReportSource::Account
        } else {
            ReportSource::Platform {
                name: "12345".to_owned(),
                reference: format!("{}", draw.which),
            }
        },
    };
    let actor = if own {
        Actor::Account(pick(people, draw.who).unwrap().id)
    } else {
        Actor::Platform("12345".to_owned())
    };
    let order = IncidentOrder::Report { report };
    (actor, Order::Incident { order })
}

/// The incident's own site, and whoever is drawn.
fn responders(people: &[Account], incident: &Incident, draw: &Draw) -> Vec<Callee> {
    let own = Callee::Site {
        code: incident.site.clone(),
    };
    let drawn = draw.targets.iter().filter_map(|(kind, number)| {
        (kind % 16 == 0).then_some(Callee::Person {
            account: pick(people, *number)?.id,
        })
    });
    drawn.chain([own]).collect()
}
