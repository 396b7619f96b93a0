//! Who is shown in which slot, and whose sound passes.

use liandong_domain::{Conference, ConferenceId, County, ParticipantId, ParticipantState, stage};
use liandong_protocol::Push;
use liandong_sfu_node::{PeerId, Shown, Track};

use super::Media;
use crate::desk::clients::{ClientId, Clients, encode_push};
use crate::views::wire;

impl Media {
    /// What the client would like to see, in order of importance. Empty: the usual.
    pub fn wish(&mut self, client: ClientId, conference: ConferenceId, tiles: Vec<ParticipantId>) {
        self.wishes.insert(client, (conference, tiles));
    }

    /// Brings slots and gates of the conference in line with the county.
    pub fn restage(&mut self, county: &County, clients: &Clients, id: ConferenceId) {
        let going_on = county.conference(id).filter(|one| !one.is_over());
        let Some(conference) = going_on else {
            self.figures.forget_conference(id);
            return;
        };
        let seen = self.seen(conference, clients);
        for client in self.clients_in(id).collect::<Vec<_>>() {
            let Some(viewer) = clients.one(client).and_then(|client| client.stay) else {
                continue;
            };
            self.assign(county, clients, conference, client, viewer, &seen);
            if let Some(own) = conference.participant(viewer) {
                self.gate(client, !own.muted);
            }
        }
    }

    /// Those who are in with media, and by which peer.
    fn seen(&self, conference: &Conference, clients: &Clients) -> Vec<(ParticipantId, PeerId)> {
        conference
            .present()
            .filter(|one| one.state == ParticipantState::In)
            .filter_map(|one| {
                let link = self.links.get(&clients.holder(one.id)?)?;
                (link.connected && link.conference == conference.id).then_some((one.id, link.peer))
            })
            .collect()
    }

    fn assign(
        &mut self,
        county: &County,
        clients: &Clients,
        conference: &Conference,
        client: ClientId,
        viewer: ParticipantId,
        seen: &[(ParticipantId, PeerId)],
    ) {
        let wanted = match self.wishes.get(&client) {
            Some((of, tiles)) if *of == conference.id && !tiles.is_empty() => tiles.clone(),
            Some(_) | None => county.usual_wish(conference, viewer),
        };
        let present: Vec<ParticipantId> = seen
            .iter()
            .map(|(participant, _)| *participant)
            .filter(|participant| *participant != viewer)
            .collect();
        let Some(link) = self.links.get_mut(&client) else {
            return;
        };
        let slots = stage::assign(&link.slots, &wanted, &present);
        let peer_of = |one: ParticipantId| {
            seen.iter()
                .find(|(participant, _)| *participant == one)
                .map(|(_, peer)| *peer)
        };
        let shown: Vec<Option<PeerId>> = slots.iter().map(|slot| slot.and_then(peer_of)).collect();
        // Said before the media switches, so that no tile bears a wrong name for long.
        if slots != link.slots {
            link.slots = slots;
            if let Some(client) = clients.one(client) {
                client.push(&encode_push(slots_push(conference.id, &link.slots)));
            }
        }
        if shown != link.shown {
            let wanted: Vec<Option<Shown>> =
                shown.iter().map(|peer| peer.map(Shown::camera)).collect();
            link.shown = shown;
            self.node.set_slots(link.peer, &wanted);
        }
    }

    /// Whether the client's sound passes. Only changes act.
    pub(super) fn gate(&mut self, client: ClientId, open: bool) {
        if let Some(link) = self.links.get_mut(&client)
            && link.microphone_open != open
        {
            link.microphone_open = open;
            self.node.gate(link.peer, Track::Microphone, open);
        }
    }

    /// Told anew after a lost connection: what the slots show.
    pub fn slots_of(&self, client: ClientId) -> Option<Push> {
        let link = self.links.get(&client)?;
        Some(slots_push(link.conference, &link.slots))
    }
}

fn slots_push(conference: ConferenceId, slots: &[Option<ParticipantId>]) -> Push {
    Push::Slots {
        conference: wire::conference_id(conference),
        slots: slots
            .iter()
            .map(|slot| slot.map(wire::participant_id))
            .collect(),
    }
}
