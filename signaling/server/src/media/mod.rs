//! Ties participants to the peers of the media node.
//!
//! * this file: offers and answers, whose peer is whose
//! * [`slots`] – who is shown where, and whose sound passes
//! * [`figures`] – speaking marks and quality, paced

pub mod figures;
pub mod sdp;
pub mod slots;

use std::collections::{BTreeMap, HashMap};

use liandong_domain::{ConferenceId, ParticipantId};
use liandong_protocol::{Push, Refusal, RefusalCode};
use liandong_sfu_node::{Answered, Node, OfferError, PeerId, RoomId};

use crate::desk::clients::ClientId;
use crate::views::wire::refuse;
use figures::Figures;

/// One client's media.
#[derive(Debug)]
struct Link {
    peer: PeerId,
    conference: ConferenceId,
    /// Of the client's DTLS certificate; another one is another connection.
    fingerprint: String,
    connected: bool,
    /// What each slot shows.
    slots: Vec<Option<ParticipantId>>,
    /// What the node was told, by peer: a participant may have come back with another.
    shown: Vec<Option<PeerId>>,
    microphone_open: bool,
}

/// All media of this server's clients.
#[derive(Debug)]
pub struct Media {
    node: Node,
    links: BTreeMap<ClientId, Link>,
    by_peer: HashMap<PeerId, ClientId>,
    wishes: BTreeMap<ClientId, (ConferenceId, Vec<ParticipantId>)>,
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
    sdp: String,
}

/// How the node took it.
#[derive(Debug)]
pub struct OfferDone {
    pub client: ClientId,
    pub conference: ConferenceId,
    number: u32,
    fingerprint: String,
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
            wishes: BTreeMap::new(),
            offers: BTreeMap::new(),
            figures: Figures::default(),
        }
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
            sdp,
        }
    }

    /// The node has answered. `muted`: closes the gate before the first
    /// packet; `None` when the client is no longer in the conference.
    ///
    /// # Errors
    /// Why there is no answer for the client.
    pub fn answered(
        &mut self,
        done: OfferDone,
        muted: Option<bool>,
    ) -> Result<Answered, OfferFailure> {
        let OfferDone {
            client,
            conference,
            number,
            fingerprint,
            result,
        } = done;
        let answered = result?;
        let known = self
            .links
            .get(&client)
            .is_some_and(|link| link.peer == answered.peer);
        let current = self.offers.get(&client) == Some(&number);
        let (Some(muted), true) = (muted, current) else {
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
                slots: vec![None; usize::from(answered.video_slots)],
                shown: Vec::new(),
                microphone_open: true,
            },
        );
        self.gate(client, !muted);
        Ok(answered)
    }

    /// Media flows.
    pub fn connected(&mut self, peer: PeerId) -> Option<ClientId> {
        let client = *self.by_peer.get(&peer)?;
        let link = self.links.get_mut(&client)?;
        link.connected = true;
        self.figures.tell_again(link.conference);
        Some(client)
    }

    /// The client's media flows.
    #[must_use]
    pub fn is_connected(&self, client: ClientId) -> bool {
        self.links.get(&client).is_some_and(|link| link.connected)
    }

    /// The client may have missed pushes: tells it what it sees and who speaks.
    pub fn catch_up(&mut self, client: ClientId) -> Option<Push> {
        let conference = self.conference_of(client)?;
        self.figures.tell_again(conference);
        self.slots_of(client)
    }

    /// The node lost the peer. `None` when it was not the client's present one.
    pub fn disconnected(&mut self, peer: PeerId) -> Option<(ClientId, ConferenceId)> {
        let client = self.by_peer.remove(&peer)?;
        self.figures.forget(peer);
        let link = self.links.remove(&client)?;
        Some((client, link.conference))
    }

    /// The client's media ends. True when it had any.
    pub fn drop_client(&mut self, client: ClientId) -> bool {
        self.wishes.remove(&client);
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
