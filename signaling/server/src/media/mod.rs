//! Ties participants to the peers of the media node.
//!
//! * this file: offers and answers, whose peer is whose
//! * [`slots`] – who is shown where, and whose sound passes
//! * [`wishes`] – what clients want to see
//! * [`figures`] – speaking marks and quality, paced
//! * [`ice_servers`] – STUN and TURN servers for the clients

pub mod figures;
pub mod ice_servers;
pub mod sdp;
pub mod slots;
pub mod wishes;

use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

use liandong_domain::{ConferenceId, Gates, ParticipantId};
use liandong_protocol::server::{SendLayer, SentTrack};
use liandong_protocol::{Push, Refusal, RefusalCode};
use liandong_sfu_node::{Answered, Node, OfferError, PeerId, RoomId, Shown, Track};

use crate::desk::clients::ClientId;
use crate::views::wire::{self, refuse};
use figures::Figures;
use wishes::Wishes;

/// What the node receives of a client, passed on or not.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Received {
    pub sound: bool,
    pub picture: bool,
}

/// One client's media.
#[derive(Debug)]
struct Link {
    peer: PeerId,
    conference: ConferenceId,
    /// Of the client's DTLS certificate; another one is another connection.
    fingerprint: String,
    connected: bool,
    /// Since the offer, until the first picture comes.
    waits_since: Option<Instant>,
    /// What each slot shows.
    slots: Vec<Option<ParticipantId>>,
    /// What the node was told, by peer: a participant may have come back with another.
    shown: Vec<Option<Shown>>,
    gates: Gates,
    /// What the node receives of it at present.
    receives: Received,
}

/// All media of this server's clients.
#[derive(Debug)]
pub struct Media {
    node: Node,
    links: BTreeMap<ClientId, Link>,
    by_peer: HashMap<PeerId, ClientId>,
    pub wishes: Wishes,
    /// What each peer is to send, as the node said last. Kept apart from the
    /// links: the node may say it before the answer is through.
    demands: HashMap<PeerId, BTreeMap<SentTrack, Vec<SendLayer>>>,
    /// What each peer's microphone is to send at most, where the node wants it to; likewise.
    speech_rates: HashMap<PeerId, u32>,
    /// The number of each client's last offer: an answer to an earlier one is stale.
    offers: BTreeMap<ClientId, u32>,
    pub figures: Figures,
}

/// An offer on its way to the node.
#[derive(Debug)]
pub struct OfferSent {
    node: Node,
    pub client: ClientId,
    pub conference: ConferenceId,
    number: u32,
    peer: Option<PeerId>,
    fingerprint: String,
    since: Instant,
    sdp: String,
}

/// How the node took it.
#[derive(Debug)]
pub struct OfferDone {
    pub client: ClientId,
    pub conference: ConferenceId,
    number: u32,
    fingerprint: String,
    since: Instant,
    result: Result<Answered, OfferError>,
}

/// Why a client gets no answer.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum OfferFailure {
    #[error(transparent)]
    Node(#[from] OfferError),
    /// The client has sent a later offer, or left.
    #[error("superseded by a later offer or a departure")]
    Superseded,
}

/// In the words of the wire.
#[must_use]
pub fn refusal(failure: &OfferFailure) -> Refusal {
    let code = match failure {
        OfferFailure::Node(OfferError::BadOffer(_)) => RefusalCode::BadOffer,
        OfferFailure::Node(OfferError::Full(_)) => RefusalCode::Full,
        OfferFailure::Superseded => RefusalCode::NotInConference,
        OfferFailure::Node(_) => RefusalCode::MediaUnavailable,
    };
    refuse(code, failure.to_string())
}

fn send_layers(conference: ConferenceId, track: SentTrack, layers: Vec<SendLayer>) -> Push {
    Push::SendLayers {
        conference: wire::conference_id(conference),
        track,
        layers,
    }
}

impl OfferSent {
    /// Waits for the node, off the desk.
    pub async fn send(self) -> OfferDone {
        let room = RoomId(self.conference.0);
        let mut result = self.node.offer(self.peer, room, self.sdp.clone()).await;
        if let (Err(OfferError::UnknownPeer), Some(_)) = (&result, self.peer) {
            // The peer went meanwhile; the same offer makes a new one.
            result = self.node.offer(None, room, self.sdp).await;
        }
        OfferDone {
            client: self.client,
            conference: self.conference,
            number: self.number,
            fingerprint: self.fingerprint,
            since: self.since,
            result,
        }
    }
}

impl Media {
    #[must_use]
    pub fn new(node: Node) -> Self {
        Self {
            node,
            links: BTreeMap::new(),
            by_peer: HashMap::new(),
            wishes: Wishes::default(),
            demands: HashMap::new(),
            speech_rates: HashMap::new(),
            offers: BTreeMap::new(),
            figures: Figures::default(),
        }
    }

    #[cfg(test)]
    pub(crate) fn node(&self) -> &Node {
        &self.node
    }

    /// An offer of the client for the conference. The same certificate in the
    /// same conference is an ICE restart; everything else a new peer.
    pub fn offer(&mut self, client: ClientId, conference: ConferenceId, sdp: String) -> OfferSent {
        let fingerprint = sdp::fingerprint(&sdp).unwrap_or_default();
        let peer = self
            .links
            .get(&client)
            .filter(|link| link.conference == conference)
            .filter(|link| !fingerprint.is_empty() && link.fingerprint == fingerprint)
            .map(|link| link.peer);
        let number = self.offers.entry(client).or_default();
        *number += 1;
        OfferSent {
            node: self.node.clone(),
            client,
            conference,
            number: *number,
            peer,
            fingerprint,
            since: Instant::now(),
            sdp,
        }
    }

    /// The node has answered. `gates`: closed before the first packet where they are to
    /// be; `None` when the client is no longer in the conference.
    ///
    /// # Errors
    /// Why there is no answer for the client.
    pub fn answered(
        &mut self,
        done: OfferDone,
        gates: Option<Gates>,
    ) -> Result<Answered, OfferFailure> {
        let OfferDone {
            client,
            conference,
            number,
            fingerprint,
            since,
            result,
        } = done;
        let answered = result?;
        let known = self
            .links
            .get(&client)
            .is_some_and(|link| link.peer == answered.peer);
        let current = self.offers.get(&client) == Some(&number);
        let (Some(gates), true) = (gates, current) else {
            if !known {
                self.node.leave(answered.peer);
            }
            return Err(OfferFailure::Superseded);
        };
        if known {
            // The same peer under new ICE credentials goes on as it is.
            return Ok(answered);
        }
        self.unlink(client);
        self.by_peer.insert(answered.peer, client);
        self.links.insert(
            client,
            Link {
                peer: answered.peer,
                conference,
                fingerprint,
                connected: false,
                waits_since: Some(since),
                slots: vec![None; usize::from(answered.video_slots)],
                shown: Vec::new(),
                gates: Gates {
                    sound: true,
                    picture: true,
                },
                receives: Received::default(),
            },
        );
        self.gate(client, gates);
        Ok(answered)
    }

    /// The node receives something of the peer's track, or no longer.
    pub fn heard_of(&mut self, peer: PeerId, track: Track, started: bool) {
        let client = self.by_peer.get(&peer);
        let Some(link) = client.and_then(|client| self.links.get_mut(client)) else {
            return;
        };
        match track {
            Track::Microphone => link.receives.sound = started,
            Track::Camera => link.receives.picture = started,
            Track::Screen => {}
        }
    }

    /// What the node receives of the client.
    #[must_use]
    pub fn received_of(&self, client: ClientId) -> Received {
        let link = self.links.get(&client);
        link.map(|link| link.receives).unwrap_or_default()
    }

    /// Media flows.
    pub fn connected(&mut self, peer: PeerId) -> Option<ClientId> {
        let client = *self.by_peer.get(&peer)?;
        let link = self.links.get_mut(&client)?;
        link.connected = true;
        self.figures.tell_again(link.conference);
        Some(client)
    }

    /// A slot of the peer shows its first keyframe. Gives since when the client waited for
    /// its very first picture, if this is it.
    pub fn first_frame(&mut self, peer: PeerId) -> Option<Instant> {
        let client = self.client_of(peer)?;
        self.links.get_mut(&client)?.waits_since.take()
    }

    /// The client's media flows.
    #[must_use]
    pub fn is_connected(&self, client: ClientId) -> bool {
        self.links.get(&client).is_some_and(|link| link.connected)
    }

    /// The client may have missed pushes: tells it what it sees, what it is to
    /// send, and who speaks.
    pub fn catch_up(&mut self, client: ClientId) -> Vec<Push> {
        let Some(conference) = self.conference_of(client) else {
            return Vec::new();
        };
        self.figures.tell_again(conference);
        let slots = self.slots_of(client).into_iter();
        slots.chain(self.demands_of(client)).collect()
    }

    /// What the client is to send: of each track that the node spoke of, and its sound at most.
    #[must_use]
    pub fn demands_of(&self, client: ClientId) -> Vec<Push> {
        let Some(link) = self.links.get(&client) else {
            return Vec::new();
        };
        let demands = self.demands.get(&link.peer).into_iter().flatten();
        demands
            .map(|(track, layers)| send_layers(link.conference, *track, layers.clone()))
            .chain([self.speech_push(link)])
            .collect()
    }

    fn speech_push(&self, link: &Link) -> Push {
        Push::SpeechRate {
            conference: wire::conference_id(link.conference),
            bits_per_second: self.speech_rates.get(&link.peer).copied(),
        }
    }

    /// The node says what a peer's microphone is to send at most. Gives whom to tell, once
    /// there is somebody.
    pub fn speech_rate(
        &mut self,
        peer: PeerId,
        bits_per_second: Option<u32>,
    ) -> Option<(ClientId, Push)> {
        match bits_per_second {
            Some(rate) => self.speech_rates.insert(peer, rate),
            None => self.speech_rates.remove(&peer),
        };
        let client = self.client_of(peer)?;
        Some((client, self.speech_push(self.links.get(&client)?)))
    }

    /// The node says which encodings of a peer's track anybody receives. Gives
    /// whom to tell, once there is somebody.
    pub fn demand(
        &mut self,
        peer: PeerId,
        track: SentTrack,
        layers: Vec<SendLayer>,
    ) -> Option<(ClientId, Push)> {
        let of_peer = self.demands.entry(peer).or_default();
        of_peer.insert(track, layers.clone());
        let client = self.client_of(peer)?;
        let conference = self.conference_of(client)?;
        Some((client, send_layers(conference, track, layers)))
    }

    /// The node lost the peer. `None` when it was not the client's present one.
    pub fn disconnected(&mut self, peer: PeerId) -> Option<(ClientId, ConferenceId)> {
        self.demands.remove(&peer);
        self.speech_rates.remove(&peer);
        let client = self.by_peer.remove(&peer)?;
        self.figures.forget(peer);
        let link = self.links.remove(&client)?;
        Some((client, link.conference))
    }

    /// The client's media ends. True when it had any.
    pub fn drop_client(&mut self, client: ClientId) -> bool {
        self.wishes.forget(client);
        // Whatever is on its way is stale now.
        if let Some(number) = self.offers.get_mut(&client) {
            *number += 1;
        }
        self.unlink(client)
    }

    /// The client will never come back.
    pub fn forget_client(&mut self, client: ClientId) {
        self.drop_client(client);
        self.offers.remove(&client);
    }

    fn unlink(&mut self, client: ClientId) -> bool {
        let Some(link) = self.links.remove(&client) else {
            return false;
        };
        self.by_peer.remove(&link.peer);
        self.figures.forget(link.peer);
        self.node.leave(link.peer);
        true
    }

    /// The conference that the client's media is in.
    #[must_use]
    pub fn conference_of(&self, client: ClientId) -> Option<ConferenceId> {
        self.links.get(&client).map(|link| link.conference)
    }

    #[must_use]
    pub fn client_of(&self, peer: PeerId) -> Option<ClientId> {
        self.by_peer.get(&peer).copied()
    }

    /// Clients with media, by conference.
    pub fn clients_in(&self, conference: ConferenceId) -> impl Iterator<Item = ClientId> {
        self.links
            .iter()
            .filter(move |(_, link)| link.conference == conference)
            .map(|(client, _)| *client)
    }
}
