//! Tells of plans, the roster and pursuits.

use std::collections::BTreeSet;

use liandong_domain::plan::PlanEvent;
use liandong_domain::{County, Event, IncidentId, PursuitId, Role};
use liandong_protocol::Push;
use liandong_protocol::server::Book;

use crate::desk::clients::{Clients, encode_push};
use crate::views::pursuits;

pub(super) fn tell(county: &County, clients: &Clients, events: &[Event]) {
    let mut touched: BTreeSet<PursuitId> = BTreeSet::new();
    let (mut plans, mut roster) = (false, false);
    for event in events {
        match event {
            Event::Pursuit { event } => drop(touched.insert(event.pursuit())),
            Event::Plan { event } => plans |= is_of_the_text(event),
            Event::Duty { .. } => roster = true,
            _ => {} // of no book
        }
    }
    for one in touched
        .into_iter()
        .filter_map(|id| county.pursuits().pursuit(id))
    {
        let text = encode_push(Push::Pursuit {
            pursuit: pursuits::pursuit(county, one),
        });
        for (_, client) in clients.all().filter(|(_, client)| client.welcomed) {
            if county.sees_pursuit(&client.account, one) {
                client.push(&text);
            }
        }
    }
    let changed = [(plans, Book::Plans), (roster, Book::Roster)];
    for (_, book) in changed.into_iter().filter(|(changed, _)| *changed) {
        let text = encode_push(Push::Changed { book });
        for (_, client) in clients.all().filter(|(_, client)| client.welcomed) {
            let account = county.directory().account(&client.account);
            if account.is_some_and(|account| account.role != Role::Field) {
                client.push(&text);
            }
        }
    }
}

/// Of a plan itself, not of its run.
fn is_of_the_text(event: &PlanEvent) -> bool {
    match event {
        PlanEvent::Saved { .. } | PlanEvent::Approved { .. } | PlanEvent::Retired { .. } => true,
        PlanEvent::Started { .. }
        | PlanEvent::StepBegun { .. }
        | PlanEvent::StepSettled { .. }
        | PlanEvent::Ended { .. } => false,
    }
}

/// Incidents with a plan at work whose progress these events may have changed:
/// somebody came into their conference.
pub(super) fn planned_incidents(county: &County, events: &[Event]) -> BTreeSet<IncidentId> {
    let running = || county.plans().running();
    let found = events.iter().filter_map(|event| match event {
        Event::ParticipantIn { conference, .. } | Event::InvitationJoined { conference, .. } => {
            let mut runs = running().filter(|run| run.conference == *conference);
            runs.next().map(|run| run.incident)
        }
        Event::Plan {
            event: PlanEvent::Ended { run, .. },
        } => county.plans().run(*run).map(|run| run.incident),
        _ => None,
    });
    found.collect()
}
