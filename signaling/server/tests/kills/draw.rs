//! Orders that the rules carry out in the present state.

use liandong_domain::{Actor, County};
use liandong_protocol::incident::{IncidentKind, IncidentLevel, ResponderState};
use liandong_protocol::{
    ConferenceId, IncidentId, IncidentReport, IncidentStep, InvitationId, ParticipantId, Request,
    SiteCode, Target,
};
use liandong_server::clock;
use liandong_server::desk::orders::Work;
use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;

/// Draws until one is carried out and changes something.
pub fn draw(
    rng: &mut StdRng,
    county: &County,
    accounts: &[&'static str],
) -> (&'static str, Request) {
    for _ in 0..10_000 {
        let account = *accounts.choose(rng).unwrap();
        let request = request(rng, county);
        let Work::Order(order) = Work::from(request.clone()) else {
            panic!("{request:?} is no order");
        };
        let decided = county.decide(&Actor::Account(account.into()), &order, clock::now());
        if decided.is_ok_and(|events| !events.is_empty()) {
            return (account, request);
        }
    }
    panic!("no order can be carried out");
}

fn request(rng: &mut StdRng, county: &County) -> Request {
    let conferences: Vec<_> = county.conferences().filter(|one| !one.is_over()).collect();
    let mut conference = || conferences.choose(rng).map_or(0, |one| one.id.0);
    let conference = ConferenceId(conference());
    let within = conferences.iter().find(|one| one.id.0 == conference.0);
    let present: Vec<u32> = within
        .map(|one| one.present().map(|stay| stay.id.0).collect())
        .unwrap_or_default();
    let participant = ParticipantId(present.choose(rng).copied().unwrap_or(0));
    let rings: Vec<u32> = conferences
        .iter()
        .flat_map(|one| one.pending().map(|ring| ring.id.0))
        .collect();
    let invitation = InvitationId(rings.choose(rng).copied().unwrap_or(0));
    match rng.random_range(0..16) {
        0 | 1 => Request::Call {
            targets: vec![target(rng)],
            title: rng.random_bool(0.5).then(|| "演练".to_owned()),
            ordered: rng.random(),
            incident: None,
        },
        2 => Request::Invite {
            conference,
            targets: vec![target(rng)],
            ordered: rng.random(),
        },
        3 => Request::InviteAbsent { conference },
        4 => Request::CancelInvitation { invitation },
        5 | 6 => Request::Accept { invitation },
        7 => Request::Decline { invitation },
        8 => Request::Leave { conference },
        9 => Request::Remove {
            conference,
            participant,
            reason: "换人".to_owned(),
        },
        10 => Request::End { conference },
        11 => Request::Mute {
            conference,
            participant,
            muted: rng.random(),
        },
        12 => Request::MuteAll {
            conference,
            muted: rng.random(),
        },
        13 => Request::HandOver {
            conference,
            participant,
        },
        14 => Request::SetOwnMedia {
            conference,
            microphone: rng.random(),
            camera: rng.random(),
        },
        _ => incident(rng, county),
    }
}

fn target(rng: &mut StdRng) -> Target {
    let sites = ["101", "102", "101001"];
    match sites.get(rng.random_range(0..=sites.len())) {
        Some(code) => Target::Site {
            code: SiteCode::from(*code),
        },
        None => Target::Person {
            account: "field1".into(),
        },
    }
}

fn incident(rng: &mut StdRng, county: &County) -> Request {
    let known: Vec<u32> = county.incidents().map(|one| one.id.0).collect();
    let Some(incident) = known.choose(rng).copied().filter(|_| rng.random_bool(0.8)) else {
        return Request::ReportIncident {
            report: IncidentReport {
                kind: IncidentKind::Sudden,
                level: None,
                title: "河水上涨".to_owned(),
                text: String::new(),
                place: None,
                address: String::new(),
                site: None,
            },
        };
    };
    let text = || "现场".to_owned();
    let step = match rng.random_range(0..10) {
        0 | 1 => IncidentStep::Verify {
            kind: IncidentKind::Sudden,
            level: IncidentLevel::II,
        },
        2 => IncidentStep::MarkDuplicate {
            of: IncidentId(known[0]),
        },
        3 => IncidentStep::MarkFalse { reason: text() },
        4 => IncidentStep::SetLevel {
            level: IncidentLevel::I,
            reason: text(),
        },
        5 => IncidentStep::Assign {
            responders: vec![target(rng)],
            text: text(),
        },
        6 => IncidentStep::Respond {
            state: ResponderState::Acknowledged,
        },
        7 => IncidentStep::Control { text: text() },
        8 => IncidentStep::Close { text: text() },
        _ => IncidentStep::Note { text: text() },
    };
    Request::IncidentStep {
        incident: IncidentId(incident),
        step,
    }
}
