//! The clients: who is connected, who may come back, whose media is whose.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use axum::extract::ws::Utf8Bytes;
use liandong_domain::{AccountId, ConferenceId, IncidentId, InvitationId, ParticipantId};
use liandong_protocol::conduct::Door;
use liandong_protocol::{Device, Push, ServerMessage};
use rand::RngExt as _;
use sha2::{Digest as _, Sha256};

use crate::views::snapshot::Answering;
use crate::ws::outbox::Outbox;

/// How long a client that lost its connection may come back as itself.
pub const RESUME_WITHIN: Duration = Duration::from_secs(120);

/// Numbered from 1; never reused while the server runs.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ClientId(pub u64);

/// One connection; a client that resumes has a new one.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ConnectionId(pub u64);

/// One browser tab, terminal, phone or bot.
#[derive(Debug)]
pub struct Client {
    pub account: AccountId,
    pub device: Device,
    pub answering: Answering,
    pub outbox: Outbox,
    pub connection: ConnectionId,
    /// SHA-256 of the resume token.
    resume: [u8; 32],
    /// Since when the connection is lost.
    pub lost: Option<Instant>,
    /// Beats are late.
    pub late: bool,
    /// Has its snapshot: pushes make sense.
    pub welcomed: bool,
    /// The participant whose media belongs to this client.
    pub stay: Option<ParticipantId>,
    /// The latest stay that was its own, over or not.
    held: Option<ParticipantId>,
    /// What it was told, to be told when it ends.
    pub sees: BTreeSet<ConferenceId>,
    pub rings: BTreeMap<InvitationId, ConferenceId>,
    /// The doors that it was told of.
    pub doors: Vec<Door>,
    /// Shown whole on its page.
    pub dossier: Option<IncidentId>,
}

impl Client {
    pub fn is_connected(&self) -> bool {
        self.lost.is_none()
    }

    /// Only to those who know what it is about.
    pub fn push(&self, text: &Utf8Bytes) {
        if self.is_connected() && self.welcomed {
            self.outbox.push(text.clone());
        }
    }
}

/// A message as it goes over the wire. Serialised once, sent to many.
pub fn encode(message: &ServerMessage) -> Utf8Bytes {
    match serde_json::to_string(message) {
        Ok(text) => text.into(),
        Err(error) => {
            // Plain data with string keys always becomes JSON.
            tracing::error!(%error, ?message, "message lost");
            Utf8Bytes::from_static("{}")
        }
    }
}

pub fn encode_push(push: Push) -> Utf8Bytes {
    encode(&ServerMessage::Push { push })
}

/// All clients.
#[derive(Debug, Default)]
pub struct Clients {
    clients: BTreeMap<ClientId, Client>,
    by_resume: BTreeMap<[u8; 32], ClientId>,
    by_account: BTreeMap<AccountId, BTreeSet<ClientId>>,
    holders: BTreeMap<ParticipantId, (ClientId, Hold)>,
    last_client: u64,
    last_connection: u64,
}

/// Who says Hello.
#[derive(Debug)]
pub struct Arrival {
    pub account: AccountId,
    pub device: Device,
    pub answering: Answering,
    pub resume: Option<String>,
    pub outbox: Outbox,
}

/// By what right a client holds a stay.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Hold {
    /// It called, accepted, or named the stay as its own.
    Own,
    /// It found the stay of its account without a connected holder.
    Found,
}

/// How it was taken in.
#[derive(Debug)]
pub struct Attached {
    pub client: ClientId,
    pub connection: ConnectionId,
    /// The next resume token.
    pub resume: String,
    pub resumed: bool,
}

impl Clients {
    /// A new client, or the one of the resume token with a new connection.
    pub fn attach(&mut self, arrival: Arrival) -> Attached {
        self.last_connection += 1;
        let connection = ConnectionId(self.last_connection);
        let token = hex::encode(rand::rng().random::<[u8; 16]>());
        let resume = hash(&token);
        let old = arrival
            .resume
            .as_deref()
            .and_then(|token| self.by_resume.get(&hash(token)).copied())
            .filter(|id| {
                // A token found elsewhere does not open another's client.
                self.clients
                    .get(id)
                    .is_some_and(|old| old.account == arrival.account)
            });
        let (client, resumed) = match old {
            Some(id) => (id, true),
            None => {
                self.last_client += 1;
                (ClientId(self.last_client), false)
            }
        };
        let before = self.clients.remove(&client);
        if let Some(before) = &before {
            self.by_resume.remove(&before.resume);
            if before.is_connected() {
                // Its socket hangs half open somewhere.
                before
                    .outbox
                    .close(crate::ws::outbox::CloseCode::Normal, "resumed elsewhere");
            }
        }
        self.by_resume.insert(resume, client);
        self.by_account
            .entry(arrival.account.clone())
            .or_default()
            .insert(client);
        self.clients.insert(
            client,
            Client {
                account: arrival.account,
                device: arrival.device,
                answering: arrival.answering,
                outbox: arrival.outbox,
                connection,
                resume,
                lost: None,
                late: false,
                welcomed: false,
                held: before.as_ref().and_then(|before| before.held),
                stay: before.and_then(|before| before.stay),
                sees: BTreeSet::new(),
                rings: BTreeMap::new(),
                doors: Vec::new(),
                dossier: None,
            },
        );
        Attached {
            client,
            connection,
            resume: token,
            resumed,
        }
    }

    /// The connection is gone. `None` when the client has another one already.
    pub fn detach(
        &mut self,
        client: ClientId,
        connection: ConnectionId,
        now: Instant,
    ) -> Option<AccountId> {
        let found = self.clients.get_mut(&client)?;
        if found.connection != connection || !found.is_connected() {
            return None;
        }
        found.lost = Some(now);
        found.welcomed = false;
        Some(found.account.clone())
    }

    /// Those that did not come back in time; they are forgotten. Gives the
    /// participants that they held.
    pub fn expire(&mut self, now: Instant) -> Vec<(ClientId, Option<ParticipantId>)> {
        let over: Vec<ClientId> = self
            .clients
            .iter()
            .filter(|(_, client)| {
                client
                    .lost
                    .is_some_and(|lost| now.duration_since(lost) >= RESUME_WITHIN)
            })
            .map(|(id, _)| *id)
            .collect();
        over.into_iter()
            .filter_map(|id| Some((id, self.remove(id)?.stay)))
            .collect()
    }

    /// Forgets the client; it cannot come back as itself.
    pub fn remove(&mut self, id: ClientId) -> Option<Client> {
        let client = self.clients.remove(&id)?;
        self.by_resume.remove(&client.resume);
        if let Some(ids) = self.by_account.get_mut(&client.account) {
            ids.remove(&id);
            if ids.is_empty() {
                self.by_account.remove(&client.account);
            }
        }
        if let Some(stay) = client.stay {
            self.holders.remove(&stay);
        }
        Some(client)
    }

    pub fn one(&self, id: ClientId) -> Option<&Client> {
        self.clients.get(&id)
    }

    pub fn one_mut(&mut self, id: ClientId) -> Option<&mut Client> {
        self.clients.get_mut(&id)
    }

    pub fn all(&self) -> impl Iterator<Item = (ClientId, &Client)> {
        self.clients.iter().map(|(id, client)| (*id, client))
    }

    pub fn all_mut(&mut self) -> impl Iterator<Item = (ClientId, &mut Client)> {
        self.clients.iter_mut().map(|(id, client)| (*id, client))
    }

    /// Connected devices of the account, and how many of them are late.
    pub fn devices(&self, account: &AccountId) -> (u32, u32) {
        let connected = self
            .by_account
            .get(account)
            .into_iter()
            .flatten()
            .filter_map(|id| self.clients.get(id))
            .filter(|client| client.is_connected());
        connected.fold((0, 0), |(online, late), client| {
            (online + 1, late + u32::from(client.late))
        })
    }

    /// From now on the participant's media belongs to this client, and to no other.
    /// Gives the client that held it before.
    pub fn hold(
        &mut self,
        participant: ParticipantId,
        client: ClientId,
        hold: Hold,
    ) -> Option<ClientId> {
        let before = self.holders.insert(participant, (client, hold));
        let before = before.map(|(client, _)| client);
        if let Some(other) = before.filter(|other| *other != client)
            && let Some(other) = self.clients.get_mut(&other)
        {
            other.stay = None;
        }
        let found = self.clients.get_mut(&client)?;
        let old = found.stay.replace(participant);
        found.held = found.held.max(Some(participant));
        if let Some(old) = old.filter(|old| *old != participant) {
            self.holders.remove(&old);
        }
        before.filter(|other| *other != client)
    }

    /// Whose device goes into a call that nobody asked for there: the one that was in a call
    /// last, else a room's terminal before a console before a phone.
    pub fn to_seat(&self, account: &AccountId) -> Option<ClientId> {
        let connected = self
            .by_account
            .get(account)
            .into_iter()
            .flatten()
            .filter_map(|id| Some((*id, self.clients.get(id)?)))
            .filter(|(_, client)| client.is_connected() && client.welcomed);
        connected
            .min_by_key(|(id, client)| {
                let device = match client.device {
                    Device::Terminal => 0,
                    Device::Console => 1,
                    Device::Phone => 2,
                };
                (std::cmp::Reverse(client.held), device, *id)
            })
            .map(|(id, _)| id)
    }

    /// The participant is gone.
    pub fn release(&mut self, participant: ParticipantId) -> Option<ClientId> {
        let (holder, _) = self.holders.remove(&participant)?;
        if let Some(client) = self.clients.get_mut(&holder) {
            client.stay = None;
        }
        Some(holder)
    }

    pub fn holder(&self, participant: ParticipantId) -> Option<ClientId> {
        self.holders.get(&participant).map(|(client, _)| *client)
    }

    /// Whether a client of the same account may take the stay up. A connected
    /// holder keeps it, unless it only found it and the other says that it is its own.
    pub fn may_take_up(&self, participant: ParticipantId, by: Hold) -> bool {
        let Some((holder, held)) = self.holders.get(&participant) else {
            return true;
        };
        let connected = self.clients.get(holder).is_some_and(Client::is_connected);
        !connected || (by, *held) == (Hold::Own, Hold::Found)
    }

    pub fn holders(&self) -> impl Iterator<Item = (ParticipantId, ClientId)> {
        self.holders
            .iter()
            .map(|(stay, (client, _))| (*stay, *client))
    }

    pub fn connected_count(&self) -> usize {
        self.clients.values().filter(|c| c.is_connected()).count()
    }
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAY: ParticipantId = ParticipantId(7);

    fn arrival(account: &str, resume: Option<&str>) -> Arrival {
        Arrival {
            account: account.into(),
            device: Device::Console,
            answering: Answering { automatic: false },
            resume: resume.map(str::to_owned),
            outbox: Outbox::default(),
        }
    }

    #[test]
    fn resumed_client_is_the_same_and_keeps_its_stay() {
        let mut clients = Clients::default();
        let now = Instant::now();
        let first = clients.attach(arrival("a", None));
        clients.hold(STAY, first.client, Hold::Own);
        clients.detach(first.client, first.connection, now);
        assert_eq!(clients.devices(&"a".into()), (0, 0));
        let second = clients.attach(arrival("a", Some(&first.resume)));
        assert!(second.resumed);
        assert_eq!(second.client, first.client);
        assert_eq!(clients.one(second.client).unwrap().stay, Some(STAY));
        assert_eq!(clients.devices(&"a".into()), (1, 0));
        // The old connection's end comes late and does no harm.
        assert_eq!(clients.detach(first.client, first.connection, now), None);
        assert_eq!(clients.devices(&"a".into()), (1, 0));
    }

    #[test]
    fn resume_token_serves_once_and_its_own_account_only() {
        let mut clients = Clients::default();
        let first = clients.attach(arrival("a", None));
        assert!(!clients.attach(arrival("b", Some(&first.resume))).resumed);
        assert!(clients.attach(arrival("a", Some(&first.resume))).resumed);
        assert!(!clients.attach(arrival("a", Some(&first.resume))).resumed);
    }

    #[test]
    fn lost_client_is_forgotten_after_two_minutes() {
        let mut clients = Clients::default();
        let now = Instant::now();
        let first = clients.attach(arrival("a", None));
        clients.hold(STAY, first.client, Hold::Own);
        clients.detach(first.client, first.connection, now);
        assert!(clients.expire(now + RESUME_WITHIN / 2).is_empty());
        assert_eq!(
            clients.expire(now + RESUME_WITHIN),
            [(first.client, Some(STAY))]
        );
        assert_eq!(clients.holder(STAY), None);
        assert!(!clients.attach(arrival("a", Some(&first.resume))).resumed);
    }

    #[test]
    fn one_client_holds_a_participant_and_one_participant_only() {
        let mut clients = Clients::default();
        let (a, b) = (
            clients.attach(arrival("a", None)).client,
            clients.attach(arrival("a", None)).client,
        );
        assert_eq!(clients.hold(STAY, a, Hold::Own), None);
        assert_eq!(clients.hold(STAY, b, Hold::Own), Some(a));
        assert_eq!(clients.one(a).unwrap().stay, None);
        clients.hold(ParticipantId(8), b, Hold::Own);
        assert_eq!(clients.holder(STAY), None);
        assert_eq!(clients.release(ParticipantId(8)), Some(b));
    }

    #[test]
    fn stay_goes_to_the_client_that_names_it_and_stays_with_it() {
        let mut clients = Clients::default();
        let now = Instant::now();
        let first = clients.attach(arrival("a", None)).client;
        assert!(clients.may_take_up(STAY, Hold::Found));
        clients.hold(STAY, first, Hold::Found);
        assert!(!clients.may_take_up(STAY, Hold::Found), "it is connected");
        assert!(clients.may_take_up(STAY, Hold::Own));

        let owner = clients.attach(arrival("a", None));
        assert_eq!(clients.hold(STAY, owner.client, Hold::Own), Some(first));
        assert_eq!(clients.one(first).unwrap().stay, None);
        // A copy of the same tab names it as well.
        assert!(!clients.may_take_up(STAY, Hold::Own));
        clients.detach(owner.client, owner.connection, now);
        assert!(clients.may_take_up(STAY, Hold::Found));
    }
}
