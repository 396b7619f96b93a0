//! Tells each client what changed, and nothing that it may not know.
//!
//! What was told last is compared with what is so now. So it does not matter
//! by which events something came about, and nothing unchanged is sent.

mod books;

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::ws::Utf8Bytes;
use liandong_domain::{
    AccountId, Conference, ConferenceId, County, Event, IncidentId, InvitationId, LeaveReason,
    ParticipantId, Role,
};
use liandong_protocol::{self as protocol, Push};

use super::clients::{Client, ClientId, Clients, encode_push};
use crate::views::snapshot::{self, Setting};
use crate::views::{conduct, incidents, wire};

/// What the clients were told of the conferences that go on.
#[derive(Debug, Default)]
pub struct Told {
    conferences: BTreeMap<ConferenceId, ToldConference>,
}

#[derive(Debug, Default)]
struct ToldConference {
    conference: Option<protocol::Conference>,
    participants: BTreeMap<ParticipantId, protocol::Participant>,
    invitations: BTreeMap<InvitationId, protocol::Invitation>,
}

impl Told {
    /// Tells what the journaled events of one batch changed.
    pub fn tell(
        &mut self,
        county: &County,
        setting: &Setting,
        clients: &mut Clients,
        events: &[Event],
    ) {
        for event in events {
            tell_presence(county, clients, event);
            tell_removal(county, clients, event);
        }
        let mut touched: BTreeSet<ConferenceId> =
            events.iter().filter_map(Event::conference).collect();
        if events.iter().any(changes_audience) {
            touched.extend(
                county
                    .conferences()
                    .filter(|one| !one.is_over())
                    .map(|one| one.id),
            );
        }
        for id in touched {
            match county.conference(id).filter(|one| !one.is_over()) {
                Some(conference) => self.tell_conference(county, setting, clients, conference),
                None => self.tell_end(clients, id, events),
            }
        }
        tell_notices(county, clients, events);
        tell_incidents(county, clients, events);
        books::tell(county, clients, events);
        if !events.is_empty() {
            tell_rings(county, setting, clients);
        }
        if events.iter().any(changes_doors) {
            tell_doors(county, clients);
        }
    }

    fn tell_conference(
        &mut self,
        county: &County,
        setting: &Setting,
        clients: &mut Clients,
        now: &Conference,
    ) {
        let told = self.conferences.entry(now.id).or_default();
        let changes = told.changes(county, setting, now);
        let involved = county.involved_in(now);
        let mut whole: Option<Vec<Utf8Bytes>> = None;
        for (_, client) in clients.all_mut().filter(|(_, client)| client.welcomed) {
            let sees = involved.contains(&client.account) || county.oversees(&client.account, now);
            let saw = client.sees.contains(&now.id);
            match (saw, sees) {
                (false, false) => {}
                (true, true) => changes.iter().for_each(|text| client.push(text)),
                (false, true) => {
                    client.sees.insert(now.id);
                    whole
                        .get_or_insert_with(|| told.whole())
                        .iter()
                        .for_each(|text| client.push(text));
                }
                (true, false) => {
                    client.sees.remove(&now.id);
                    client.push(&ended(now.id, None));
                }
            }
        }
    }

    fn tell_end(&mut self, clients: &mut Clients, id: ConferenceId, events: &[Event]) {
        self.conferences.remove(&id);
        let by = events.iter().find_map(|event| match event {
            Event::ConferenceEnded { conference, by, .. } if *conference == id => by.as_ref(),
            _ => None,
        });
        let text = ended(id, by);
        for (_, client) in clients.all_mut() {
            if client.sees.remove(&id) {
                client.push(&text);
            }
        }
    }
}

impl ToldConference {
    /// What is new or different, as pushes; remembers it as told.
    fn changes(&mut self, county: &County, setting: &Setting, now: &Conference) -> Vec<Utf8Bytes> {
        let mut pushes = Vec::new();
        let conference = wire::conference(county, now);
        if self.conference.as_ref() != Some(&conference) {
            self.conference = Some(conference.clone());
            pushes.push(encode_push(Push::Conference { conference }));
        }
        for one in now.participants() {
            let participant = wire::participant(county, setting, now, one);
            if self.participants.get(&one.id) != Some(&participant) {
                self.participants.insert(one.id, participant.clone());
                pushes.push(encode_push(Push::Participant { participant }));
            }
        }
        for one in now.invitations() {
            let invitation = wire::invitation(county, one);
            if self.invitations.get(&one.id) != Some(&invitation) {
                self.invitations.insert(one.id, invitation.clone());
                pushes.push(encode_push(Push::Invitation { invitation }));
            }
        }
        pushes
    }

    fn whole(&self) -> Vec<Utf8Bytes> {
        let conference = self.conference.clone().into_iter();
        let participants = self.participants.values().cloned();
        let invitations = self.invitations.values().cloned();
        conference
            .map(|conference| Push::Conference { conference })
            .chain(participants.map(|participant| Push::Participant { participant }))
            .chain(invitations.map(|invitation| Push::Invitation { invitation }))
            .map(encode_push)
            .collect()
    }
}

/// Who sees a conference can also change by what is no event of it: a device
/// comes (and is rung), or somebody goes into another call.
fn changes_audience(event: &Event) -> bool {
    matches!(
        event,
        Event::AccountPresenceChanged { .. }
            | Event::AccountChanged { .. }
            | Event::ParticipantJoining { .. }
            | Event::ParticipantLeft { .. }
    )
}

/// Who may come in by himself.
fn changes_doors(event: &Event) -> bool {
    matches!(
        event,
        Event::ConferenceEnded { .. }
            | Event::InvitationMissed { .. }
            | Event::InvitationAccepted { .. }
            | Event::InvitationIssued { .. }
            | Event::ParticipantJoining { .. }
            | Event::ParticipantLeft { .. }
            | Event::AccountChanged { .. }
            | Event::Conduct { .. }
    )
}

fn tell_doors(county: &County, clients: &mut Clients) {
    for (_, client) in clients.all_mut().filter(|(_, client)| client.welcomed) {
        let doors = conduct::doors(county, &client.account);
        if doors != client.doors {
            client.doors.clone_from(&doors);
            client.push(&encode_push(Push::Doors { doors }));
        }
    }
}

/// To those who are in the conference.
fn tell_notices(county: &County, clients: &Clients, events: &[Event]) {
    for event in events {
        let Event::Conduct { event } = event else {
            continue;
        };
        let told = conduct::notice(county, event).zip(county.conference(event.conference));
        let Some((notice, conference)) = told else {
            continue;
        };
        let text = encode_push(Push::Conducted {
            conference: wire::conference_id(conference.id),
            notice,
        });
        let holders = conference
            .present()
            .filter_map(|one| clients.holder(one.id));
        for client in holders.filter_map(|client| clients.one(client)) {
            client.push(&text);
        }
    }
}

fn ended(id: ConferenceId, by: Option<&AccountId>) -> Utf8Bytes {
    encode_push(Push::ConferenceEnded {
        conference: wire::conference_id(id),
        ended_by: by.map(wire::account_id),
    })
}

fn tell_presence(county: &County, clients: &mut Clients, event: &Event) {
    let directory = county.directory();
    let (site, push) = match event {
        Event::SitePresenceChanged { site, presence, .. } => (
            site,
            Push::SitePresence {
                site: wire::site_code(site),
                presence: wire::presence(*presence),
            },
        ),
        // The people behind a site's devices are not in the directory of people.
        Event::AccountPresenceChanged {
            account, presence, ..
        } => match directory.account(account) {
            Some(one) if one.role == Role::Field => (
                &one.site,
                Push::PersonPresence {
                    account: wire::account_id(account),
                    presence: wire::presence(*presence),
                },
            ),
            Some(_) | None => return,
        },
        _ => return,
    };
    let text = encode_push(push);
    for (_, client) in clients.all() {
        if client.welcomed && county.sees_presence(&client.account, site) {
            client.push(&text);
        }
    }
}

/// To whoever may know of it, in his own view; the whole to whoever has it open.
fn tell_incidents(county: &County, clients: &Clients, events: &[Event]) {
    let mut touched: BTreeSet<IncidentId> = events.iter().filter_map(Event::incident).collect();
    touched.extend(books::planned_incidents(county, events));
    for one in touched.into_iter().filter_map(|id| county.incident(id)) {
        for (_, client) in clients.all().filter(|(_, client)| client.welcomed) {
            if !county.sees_incident(&client.account, one) {
                continue;
            }
            client.push(&encode_push(Push::Incident {
                incident: incidents::incident(county, &client.account, one),
            }));
            if client.dossier == Some(one.id) {
                client.push(&encode_push(Push::Dossier {
                    dossier: incidents::dossier(county, &client.account, one),
                }));
            }
        }
    }
}

/// Whoever is taken out is told by whom and why.
fn tell_removal(county: &County, clients: &Clients, event: &Event) {
    let Event::ParticipantLeft {
        conference,
        participant,
        reason: LeaveReason::Removed,
        by: Some(by),
        text,
        ..
    } = event
    else {
        return;
    };
    let holder = clients
        .holder(*participant)
        .and_then(|client| clients.one(client));
    if let Some(client) = holder {
        let by_name = county
            .directory()
            .account(by)
            .map(|account| account.name.clone())
            .unwrap_or_default();
        client.push(&encode_push(Push::Removed {
            conference: wire::conference_id(*conference),
            by: wire::account_id(by),
            by_name,
            reason: text.clone().unwrap_or_default(),
        }));
    }
}

/// Everything that rings now, by account.
pub type Ringing = BTreeMap<AccountId, BTreeMap<InvitationId, ConferenceId>>;

pub fn ringing(county: &County) -> Ringing {
    let mut ringing = Ringing::new();
    for conference in county.conferences().filter(|one| !one.is_over()) {
        for invitation in conference.pending() {
            for account in county.rung_by(invitation) {
                ringing
                    .entry(account.clone())
                    .or_default()
                    .insert(invitation.id, conference.id);
            }
        }
    }
    ringing
}

fn tell_rings(county: &County, setting: &Setting, clients: &mut Clients) {
    let ringing = ringing(county);
    let none = BTreeMap::new();
    for (_, client) in clients.all_mut().filter(|(_, client)| client.welcomed) {
        let now = ringing.get(&client.account).unwrap_or(&none);
        if client.rings == *now {
            continue;
        }
        for id in client.rings.keys().filter(|id| !now.contains_key(id)) {
            client.push(&stopped(county, *id));
        }
        for id in now.keys().filter(|id| !client.rings.contains_key(id)) {
            let ring = county
                .invitation(*id)
                .and_then(|one| snapshot::ring(county, setting, one, client.answering));
            if let Some(ring) = ring {
                client.push(&encode_push(Push::Ring { ring }));
            }
        }
        client.rings = now.clone();
    }
}

fn stopped(county: &County, id: InvitationId) -> Utf8Bytes {
    let reason = match county.invitation(id) {
        // Still waits for an answer, but not from here: the account is in a call now.
        Some(one) if one.state.is_pending() => Some(protocol::MissReason::Busy),
        Some(one) => one.state.miss().map(wire::miss_reason),
        None => Some(protocol::MissReason::Cancelled),
    };
    encode_push(Push::RingStopped {
        invitation: wire::invitation_id(id),
        reason,
    })
}

/// The client gets the whole, and is told changes from there.
pub fn welcome(county: &County, setting: &Setting, client: &mut Client) -> protocol::Snapshot {
    client.sees = snapshot::conferences(county, &client.account)
        .map(|one| one.id)
        .collect();
    client.rings = county
        .rings_of(&client.account)
        .into_iter()
        .map(|one| (one.id, one.conference))
        .collect();
    client.doors = conduct::doors(county, &client.account);
    client.welcomed = true;
    snapshot::snapshot(
        county,
        setting,
        &client.account,
        client.answering,
        client.stay,
    )
}

/// All clients get the whole anew.
pub fn resync_all(county: &County, setting: &Setting, clients: &mut Clients) {
    let ids: Vec<ClientId> = clients.all().map(|(id, _)| id).collect();
    for id in ids {
        if let Some(client) = clients.one_mut(id).filter(|client| client.welcomed) {
            let snapshot = welcome(county, setting, client);
            client.outbox.resync(encode_push(Push::Resync { snapshot }));
        }
    }
}
