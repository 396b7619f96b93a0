//! Who listens to which group, on which device, by which peer of the media node.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use axum::extract::ws::Utf8Bytes;
use liandong_domain::talk::floor::Talker;
use liandong_domain::{AccountId, Place, TalkGroupId};
use liandong_sfu_node::PeerId;

use crate::desk::clients::{ClientId, ConnectionId};
use crate::ws::outbox::Outbox;

/// A device may listen to so many groups at a time.
pub const MAX_GROUPS: usize = 8;
/// A position that is older says nothing.
const POSITION_HOLDS: Duration = Duration::from_secs(600);

/// One device that is, or was just, connected.
#[derive(Debug)]
pub struct Client {
    pub account: AccountId,
    pub connection: ConnectionId,
    pub outbox: Outbox,
    /// Since when the connection is lost.
    pub lost: Option<Instant>,
    position: Option<(Place, Instant)>,
    pub sees: BTreeSet<TalkGroupId>,
    pub listens: BTreeMap<TalkGroupId, Ear>,
}

/// The sound of one group at one device.
#[derive(Debug, Default)]
pub struct Ear {
    /// The number of the last offer: an answer to an earlier one is stale.
    pub offers: u32,
    pub link: Option<Link>,
}

#[derive(Debug)]
pub struct Link {
    pub peer: PeerId,
    /// Of the client's DTLS certificate; another one is another connection.
    pub fingerprint: String,
    /// What its encoder is to send at most.
    pub speech_bits_per_second: Option<u32>,
}

impl Client {
    pub fn push(&self, text: &Utf8Bytes) {
        if self.lost.is_none() {
            self.outbox.push(text.clone());
        }
    }

    pub fn position(&self) -> Option<Place> {
        self.position.map(|(place, _)| place)
    }
}

/// All of them.
#[derive(Debug, Default)]
pub struct Ears {
    clients: BTreeMap<ClientId, Client>,
    by_peer: HashMap<PeerId, (ClientId, TalkGroupId)>,
}

impl Ears {
    /// New, or the same client over another connection.
    pub fn attach(
        &mut self,
        client: ClientId,
        connection: ConnectionId,
        account: AccountId,
        outbox: Outbox,
    ) {
        let before = self.clients.remove(&client);
        let (position, listens) = before.map_or((None, BTreeMap::new()), |before| {
            (before.position, before.listens)
        });
        self.clients.insert(
            client,
            Client {
                account,
                connection,
                outbox,
                lost: None,
                position,
                sees: BTreeSet::new(),
                listens,
            },
        );
    }

    /// False: it has another connection already.
    pub fn detach(&mut self, client: ClientId, connection: ConnectionId, now: Instant) -> bool {
        match self.clients.get_mut(&client) {
            Some(found) if found.connection == connection && found.lost.is_none() => {
                found.lost = Some(now);
                true
            }
            Some(_) | None => false,
        }
    }

    pub fn one(&self, client: ClientId) -> Option<&Client> {
        self.clients.get(&client)
    }

    pub fn one_mut(&mut self, client: ClientId) -> Option<&mut Client> {
        self.clients.get_mut(&client)
    }

    pub fn ids(&self) -> Vec<ClientId> {
        self.clients.keys().copied().collect()
    }

    /// Those who see the group.
    pub fn seeing(&self, group: TalkGroupId) -> impl Iterator<Item = &Client> {
        self.clients
            .values()
            .filter(move |client| client.sees.contains(&group))
    }

    pub fn account_of(&self, who: Talker) -> Option<&AccountId> {
        self.clients.get(&ClientId(who.0)).map(|one| &one.account)
    }

    pub fn place(&mut self, client: ClientId, place: Place, now: Instant) {
        if let Some(found) = self.clients.get_mut(&client) {
            found.position = Some((place, now));
        }
    }

    /// Those whose position has grown old; it is forgotten.
    pub fn forget_positions(&mut self, now: Instant) -> Vec<ClientId> {
        let mut old = Vec::new();
        for (id, client) in &mut self.clients {
            if client
                .position
                .is_some_and(|(_, at)| now.duration_since(at) >= POSITION_HOLDS)
            {
                client.position = None;
                old.push(*id);
            }
        }
        old
    }

    /// The client that did not come back in time is forgotten.
    pub fn remove(&mut self, client: ClientId) {
        self.clients.remove(&client);
    }

    /// Lost for longer than that.
    pub fn lost_for(&self, wait: Duration, now: Instant) -> Vec<ClientId> {
        let gone = |one: &Client| one.lost.is_some_and(|at| now.duration_since(at) >= wait);
        self.clients
            .iter()
            .filter(|(_, one)| gone(one))
            .map(|(id, _)| *id)
            .collect()
    }

    pub fn peer(&self, who: Talker, group: TalkGroupId) -> Option<PeerId> {
        let ear = self.clients.get(&ClientId(who.0))?.listens.get(&group)?;
        ear.link.as_ref().map(|link| link.peer)
    }

    /// Whose peer it is, and in which group.
    pub fn by_peer(&self, peer: PeerId) -> Option<(ClientId, TalkGroupId)> {
        self.by_peer.get(&peer).copied()
    }

    /// The client's sound comes by this peer from now on. Gives the one before.
    pub fn link(&mut self, client: ClientId, group: TalkGroupId, link: Link) -> Option<PeerId> {
        let ear = self.clients.get_mut(&client)?.listens.get_mut(&group)?;
        self.by_peer.insert(link.peer, (client, group));
        let before = ear.link.replace(link)?;
        self.by_peer.remove(&before.peer);
        Some(before.peer)
    }

    /// The peer's encoder is to send no more than this. Gives whose it is.
    pub fn limit_speech(
        &mut self,
        peer: PeerId,
        bits_per_second: Option<u32>,
    ) -> Option<(ClientId, TalkGroupId)> {
        let (client, group) = self.by_peer(peer)?;
        let ear = self.clients.get_mut(&client)?.listens.get_mut(&group)?;
        ear.link.as_mut()?.speech_bits_per_second = bits_per_second;
        Some((client, group))
    }

    /// The peer is gone.
    pub fn unlink(&mut self, peer: PeerId) -> Option<(ClientId, TalkGroupId)> {
        let (client, group) = self.by_peer.remove(&peer)?;
        if let Some(ear) = self
            .clients
            .get_mut(&client)
            .and_then(|one| one.listens.get_mut(&group))
        {
            ear.link = None;
        }
        Some((client, group))
    }

    /// The client listens to the group no longer. Gives its peer, which has to leave.
    pub fn unlisten(&mut self, client: ClientId, group: TalkGroupId) -> Option<PeerId> {
        let ear = self.clients.get_mut(&client)?.listens.remove(&group)?;
        let peer = ear.link?.peer;
        self.by_peer.remove(&peer);
        Some(peer)
    }
}
