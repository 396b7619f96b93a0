//! Who is shown in which slot, and whose sound passes.

use std::time::Instant;

use liandong_domain::{Conference, ConferenceId, County, ParticipantId, ParticipantState, stage};
use liandong_protocol::Push;
use liandong_sfu_node::{PeerId, Shown, SlotView, Track};

use super::Media;
use super::wishes::{Tile, usual_height};
use crate::desk::clients::{ClientId, Clients, encode_push};
use crate::views::wire;

impl Media {
    /// Brings the slots of those in line whose wish is due.
    pub fn follow_wishes(&mut self, county: &County, clients: &Clients, now: Instant) {
        for client in self.wishes.take_due(now) {
            let viewer = clients.one(client).and_then(|client| client.stay);
            let conference = self
                .conference_of(client)
                .and_then(|id| county.conference(id))
                .filter(|one| !one.is_over());
            if let Some((viewer, conference)) = viewer.zip(conference) {
                let seen = self.seen(conference, clients);
                self.assign(county, clients, conference, client, viewer, &seen);
            }
        }
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
        let tiles = match self.wishes.tiles(client, conference.id) {
            Some(tiles) => tiles.to_vec(),
            None => county
                .usual_wish(conference, viewer)
                .into_iter()
                .map(Tile::usual)
                .collect(),
        };
        let wanted: Vec<ParticipantId> = tiles.iter().map(|tile| tile.participant).collect();
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
        let on_wall = slots.iter().flatten().count();
        let shown: Vec<Option<Shown>> = slots
            .iter()
            .map(|slot| {
                let one = (*slot)?;
                let tile = tiles.iter().find(|tile| tile.participant == one);
                Some(Shown {
                    view: tile.map(|tile| view(tile, on_wall)).unwrap_or_default(),
                    ..Shown::camera(peer_of(one)?)
                })
            })
            .collect();
        // Said before the media switches, so that no tile bears a wrong name for long.
        if slots != link.slots {
            link.slots = slots;
            if let Some(client) = clients.one(client) {
                client.push(&encode_push(slots_push(conference.id, &link.slots)));
            }
        }
        if shown != link.shown {
            self.node.set_slots(link.peer, &shown);
            link.shown = shown;
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

/// How a picture is looked at, on a wall of so many.
fn view(tile: &Tile, on_wall: usize) -> SlotView {
    SlotView {
        prominent: tile.prominent,
        height: tile.height.unwrap_or_else(|| usual_height(on_wall)),
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
