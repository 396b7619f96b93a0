//! Who is shown in which slot, and whose sound passes.

use std::time::Instant;

use liandong_domain::{
    Conference, ConferenceId, County, Gates, ParticipantId, ParticipantState, stage,
};
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
                self.gate(client, conference.gates(own));
            }
        }
    }

    /// Those who may be seen and are in with media, and by which peer.
    fn seen(&self, conference: &Conference, clients: &Clients) -> Vec<(ParticipantId, PeerId)> {
        conference
            .present()
            .filter(|one| one.state == ParticipantState::In && conference.gates(one).picture)
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
        let mut tiles = tiles;
        let spotlight = conference.in_spotlight().filter(|one| *one != viewer);
        if let Some(spotlight) = spotlight {
            bring_forward(&mut tiles, spotlight);
        }
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

    /// What of the client's media passes. Only changes act.
    pub(super) fn gate(&mut self, client: ClientId, gates: Gates) {
        let Some(link) = self.links.get_mut(&client) else {
            return;
        };
        let before = std::mem::replace(&mut link.gates, gates);
        if before.sound != gates.sound {
            self.node.gate(link.peer, Track::Microphone, gates.sound);
        }
        if before.picture != gates.picture {
            self.node.gate(link.peer, Track::Camera, gates.picture);
        }
    }

    /// Told anew after a lost connection: what the slots show.
    pub fn slots_of(&self, client: ClientId) -> Option<Push> {
        let link = self.links.get(&client)?;
        Some(slots_push(link.conference, &link.slots))
    }
}

/// Whoever is in the spotlight is shown on every wall, whatever its client wished.
fn bring_forward(tiles: &mut Vec<Tile>, spotlight: ParticipantId) {
    let known = tiles.iter().position(|tile| tile.participant == spotlight);
    let tile = match known {
        Some(at) => tiles.remove(at),
        None => Tile::usual(spotlight),
    };
    let prominent = Tile {
        prominent: true,
        ..tile
    };
    tiles.insert(0, prominent);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn wished(ids: &[u32]) -> Vec<Tile> {
        ids.iter()
            .map(|id| Tile::usual(ParticipantId(*id)))
            .collect()
    }

    #[test]
    fn spotlight_comes_first_whether_it_was_wished_or_not() {
        for ids in [&[1, 2, 3][..], &[1, 2][..], &[][..]] {
            let mut tiles = wished(ids);
            bring_forward(&mut tiles, ParticipantId(3));
            assert_eq!(tiles[0].participant, ParticipantId(3));
            assert!(tiles[0].prominent);
            let threes = tiles.iter().filter(|tile| tile.participant.0 == 3);
            assert_eq!(threes.count(), 1);
        }
    }

    #[test]
    fn spotlight_keeps_the_height_that_its_client_said() {
        let mut tiles = wished(&[1, 3]);
        tiles[1].height = Some(1_080);
        bring_forward(&mut tiles, ParticipantId(3));
        assert_eq!(tiles[0].height, Some(1_080));
    }
}
