//! The desk's loop. A batch is what waits: all of it is decided on a working
//! copy, journaled in one transaction, and only then told to anybody. So
//! fifty sites that answer at once cost one fsync, and nobody ever saw what a
//! crash could take back.
//!
//! * [`after`] – what follows once a batch is journaled, or could not be
//! * [`arrivals`] – clients that come and come back
//! * [`rolls`] – what is received of those whom a roll calls
//! * [`seats`] – stays that no client asked for
//! * [`media`] – what the media node tells
//! * [`reading`] – what is asked and changes nothing

mod after;
mod arrivals;
mod media;
mod reading;
mod rolls;
mod seats;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use liandong_domain::{
    AccountId, Actor, ConferenceId, County, IncidentId, Order, ParticipantId, Timestamp,
};
use liandong_protocol::{JournalState, Refusal, RefusalCode, Reply};
use liandong_sfu_node::NodeEvent;
use tokio::sync::{mpsc, oneshot, watch};

use self::after::After;
use super::clients::{Attached, ClientId, Clients, ConnectionId};
use super::ledger::Ledger;
use super::orders::Work;
use super::tell::Told;
use super::{Desk, Input, Look, Status, encode_reply};
use crate::channels::Channels;
use crate::clock;
use crate::http::metrics::DeskMetrics;
use crate::journal::Journal;
use crate::media::Media;
use crate::media::figures::SPEAKING_EVERY;
use crate::media::wishes::MAX_TILES;
use crate::talk::Talk;
use crate::views::incidents;
use crate::views::snapshot::{self, Setting};
use crate::views::wire::{self, refuse};
use crate::ws::outbox::CloseCode;

/// Inputs decided before they are written: bounds the wait of the first.
const BATCH: usize = 256;
/// How often lost clients and failed writes are looked after.
const HOUSEKEEPING_EVERY: std::time::Duration = std::time::Duration::from_secs(1);

/// What the desk is made of.
#[derive(Debug)]
pub struct Parts<J> {
    pub ledger: Ledger<J>,
    pub setting: Setting,
    pub media: Media,
    pub node_events: mpsc::Receiver<NodeEvent>,
    pub metrics: Arc<DeskMetrics>,
    /// Hears what the media node says of talk groups.
    pub talk: Talk,
    /// Gets every county whose groups, accounts or sites are others.
    pub counties: watch::Sender<County>,
    /// Told how many entries the journal has.
    pub entries: watch::Sender<u64>,
    pub channels: Channels,
}

/// Starts the desk's task.
pub fn start<J: Journal>(parts: Parts<J>) -> (Desk, tokio::task::JoinHandle<()>) {
    let (running, inputs, node_events) = Running::new(parts);
    let desk = running.desk.clone();
    // The desk's own handle keeps the channel open; `Stop` closes it.
    let task = tokio::spawn(running.run(inputs, node_events));
    (desk, task)
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}

struct Running<J> {
    ledger: Ledger<J>,
    setting: Setting,
    media: Media,
    metrics: Arc<DeskMetrics>,
    talk: Talk,
    counties: watch::Sender<County>,
    entries: watch::Sender<u64>,
    channels: Channels,
    clients: Clients,
    told: Told,
    /// The server's own orders that could not be journaled yet.
    again: Vec<Order>,
    desk: Desk,
    last_now: Timestamp,
    /// What the media node said last; 0: it reduces nothing.
    overload: u32,
    /// What clients were told of the journal.
    journal_state: JournalState,
}

/// A client that is attached and not welcomed yet.
struct Coming {
    attached: Attached,
    account: AccountId,
    /// The stay that it says it holds.
    claim: Option<ParticipantId>,
    id: u32,
    reply: oneshot::Sender<Result<(ClientId, ConnectionId), Refusal>>,
}

/// One batch in the making.
#[derive(Default)]
struct Batch {
    after: Vec<After>,
    /// Orders of the server itself, to be tried again when the append fails.
    own: Vec<Order>,
    /// Accounts whose devices changed.
    devices: BTreeSet<AccountId>,
    /// Conferences whose slots may change without an event.
    stages: BTreeSet<ConferenceId>,
    stop: bool,
}

impl<J: Journal> Running<J> {
    fn new(parts: Parts<J>) -> (Self, mpsc::Receiver<Input>, mpsc::Receiver<NodeEvent>) {
        let (desk, inputs) = Desk::channel();
        let running = Self {
            ledger: parts.ledger,
            setting: parts.setting,
            media: parts.media,
            metrics: parts.metrics,
            talk: parts.talk,
            counties: parts.counties,
            entries: parts.entries,
            channels: parts.channels,
            clients: Clients::default(),
            told: Told::default(),
            again: Vec::new(),
            desk,
            last_now: Timestamp(0),
            overload: 0,
            journal_state: JournalState::Well,
        };
        (running, inputs, parts.node_events)
    }

    async fn run(
        mut self,
        mut inputs: mpsc::Receiver<Input>,
        mut node_events: mpsc::Receiver<NodeEvent>,
    ) {
        let now = self.now();
        self.channels.resume(self.ledger.county(), now);
        let mut housekeeping = tokio::time::interval(HOUSEKEEPING_EVERY);
        housekeeping.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut figures = tokio::time::interval(SPEAKING_EVERY);
        figures.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let mut batch = Batch::default();
            let due = self.due();
            let shows_due = self.media.wishes.due();
            tokio::select! {
                input = inputs.recv() => match input {
                    Some(input) => self.take(input, &mut batch),
                    None => return,
                },
                Some(event) = node_events.recv() => self.node_event(event, &mut batch),
                () = clock::sleep_until(due) => self.own_order(Order::Tick, &mut batch),
                _ = housekeeping.tick() => self.housekeep(&mut batch),
                () = sleep_until(shows_due), if shows_due.is_some() => {
                    let now = Instant::now();
                    self.media.follow_wishes(self.ledger.county(), &self.clients, now);
                    continue;
                }
                _ = figures.tick(), if self.media.figures.is_waiting() => {
                    self.media.flush_figures(&self.clients, Instant::now());
                    continue;
                }
            }
            for _ in 1..BATCH {
                if let Ok(input) = inputs.try_recv() {
                    self.take(input, &mut batch);
                } else if let Ok(event) = node_events.try_recv() {
                    self.node_event(event, &mut batch);
                } else {
                    break;
                }
            }
            self.finish(&mut batch).await;
            if let Some(due) = self.ledger.snapshot_due() {
                tokio::spawn(due.write());
            }
            if batch.stop {
                self.stop();
                self.ledger.snapshot().write().await;
                return;
            }
        }
    }

    /// When something is due by itself. While nothing can be journaled nothing is: it would
    /// stay due, and be tried without a pause.
    fn due(&self) -> Option<Timestamp> {
        match self.ledger.trouble() {
            None => self.ledger.county().due(),
            Some(_) => None,
        }
    }

    fn take(&mut self, input: Input, batch: &mut Batch) {
        match input {
            Input::Attach { hello, id, reply } => self.attach(hello, id, reply, batch),
            Input::Detach { client, connection } => {
                let detached = self.clients.detach(client, connection, Instant::now());
                batch.devices.extend(detached);
            }
            Input::Message {
                client,
                connection,
                message,
            } => {
                let request = Work::from(message.request);
                self.request(client, connection, message.id, message.key, request, batch);
            }
            Input::Beats {
                client,
                connection,
                late,
            } => {
                let found = self.clients.one_mut(client);
                if let Some(client) = found.filter(|client| client.connection == connection) {
                    client.late = late;
                    batch.devices.insert(client.account.clone());
                }
            }
            Input::Resync { client, connection } => self.resync(client, connection),
            Input::Offered {
                id,
                connection,
                done,
            } => self.offered(id, connection, done, batch),
            Input::Record { access, reply } => {
                let now = self.now();
                self.ledger.access(access, now);
                batch.after.push(After::Recorded(reply));
            }
            Input::Channel(told) => self.own_order(told.order(), batch),
            Input::Me { account, reply } => {
                let me = snapshot::me(self.ledger.county(), &self.setting, &account);
                drop(reply.send(me)); // whoever asked may be gone
            }
            Input::MayGiveLink { by, to, reply } => {
                let may = self.ledger.county().may_give_link(&by, &to);
                drop(reply.send(may.map_err(|refusal| wire::refusal(&refusal))));
            }
            Input::Status { reply } => drop(reply.send(self.status())),
            Input::Own(order) => self.own_order(order, batch),
            Input::Order {
                by,
                key,
                order,
                reply,
            } => {
                let now = self.now();
                self.metrics.order(&order);
                let result = self.ledger.order(&by, key.as_deref(), &order, now);
                batch.after.push(After::Ordered(
                    reply,
                    result.map_err(|refusal| wire::refusal(&refusal)),
                ));
            }
            Input::Look(Look(view)) => view(self.ledger.county()),
            Input::Stop => batch.stop = true,
        }
    }

    fn request(
        &mut self,
        client: ClientId,
        connection: ConnectionId,
        id: u32,
        key: Option<String>,
        work: Work,
        batch: &mut Batch,
    ) {
        let Some(found) = self.clients.one(client) else {
            return;
        };
        if found.connection != connection {
            return;
        }
        let result = match work {
            Work::Order(order) => {
                let by = Actor::Account(found.account.clone());
                let now = self.now();
                self.metrics.order(&order);
                match self.ledger.order(&by, key.as_deref(), &order, now) {
                    Ok(outcome) => {
                        batch.after.push(After::Reply {
                            client,
                            connection,
                            id,
                            outcome,
                        });
                        return;
                    }
                    Err(refusal) => Err(wire::refusal(&refusal)),
                }
            }
            Work::Offer { conference, sdp } => match self.stays_in(client, conference) {
                Ok(_) => {
                    let sent = self.media.offer(client, conference, sdp);
                    let desk = self.desk.clone();
                    tokio::spawn(async move {
                        let done = sent.send().await;
                        desk.tell(Input::Offered {
                            id,
                            connection,
                            done,
                        })
                        .await;
                    });
                    return;
                }
                Err(refusal) => Err(refusal),
            },
            Work::Show { tiles, .. } if tiles.len() > MAX_TILES => Err(refuse(
                RefusalCode::Malformed,
                format!("more than {MAX_TILES} tiles"),
            )),
            Work::Show { conference, tiles } => self.stays_in(client, conference).map(|_| {
                self.media.wishes.wish(client, conference, tiles);
                Reply::Done
            }),
            Work::OpenIncident(incident) => self.open_incident(client, incident),
            Work::Read(reading) => {
                let account = found.account.clone();
                reading::read(self.ledger.county(), &account, reading)
            }
            Work::Ping => Ok(Reply::Done),
            Work::Floor => Err(refuse(
                RefusalCode::Malformed,
                "the floor is not the desk's",
            )),
            Work::Hello => Err(refuse(
                RefusalCode::Malformed,
                "Hello comes once per connection",
            )),
        };
        match result {
            Ok(reply) => self.reply(client, connection, id, Ok(reply)),
            // After the replies to earlier requests of the batch.
            Err(refusal) => batch.after.push(After::Refuse {
                client,
                connection,
                id,
                refusal,
            }),
        }
    }

    fn open_incident(
        &mut self,
        client: ClientId,
        incident: Option<IncidentId>,
    ) -> Result<Reply, Refusal> {
        let county = self.ledger.county();
        let found = self.clients.one_mut(client);
        let Some((client, id)) = found.map(|client| (client, incident)) else {
            return Ok(Reply::Done);
        };
        let Some(id) = id else {
            client.dossier = None;
            return Ok(Reply::Done);
        };
        let seen = county
            .incident(id)
            .filter(|one| county.sees_incident(&client.account, one))
            .ok_or_else(|| refuse(RefusalCode::UnknownIncident, "no such incident"))?;
        client.dossier = Some(id);
        Ok(Reply::Dossier {
            dossier: incidents::dossier(county, &client.account, seen),
        })
    }

    fn housekeep(&mut self, batch: &mut Batch) {
        for (client, stay) in self.clients.expire(Instant::now()) {
            self.media.forget_client(client);
            if let Some(participant) = stay {
                self.own_order(Order::DeviceLost { participant }, batch);
            }
        }
        for order in std::mem::take(&mut self.again) {
            self.order_again(order, batch);
        }
        self.look_at_rolls(batch);
        self.metrics.clients(self.clients.connected_count());
        let now = self.now();
        self.ledger.look_after(now);
    }

    /// An order of the server itself. A refusal means that the world has
    /// moved on (the participant left, say), which is no trouble.
    fn own_order(&mut self, order: Order, batch: &mut Batch) {
        let now = self.now();
        match self.ledger.order(&Actor::System, None, &order, now) {
            Ok(_) => batch.own.push(order),
            Err(refusal) => tracing::debug!(?order, %refusal, "passed over"),
        }
    }

    fn reply(
        &self,
        client: ClientId,
        connection: ConnectionId,
        id: u32,
        result: Result<Reply, Refusal>,
    ) {
        if let Err(refusal) = &result {
            self.metrics.refused(refusal.code);
        }
        let found = self.clients.one(client);
        if let Some(found) = found.filter(|found| found.connection == connection) {
            found.outbox.reply(encode_reply(id, result));
        }
    }

    fn status(&self) -> Status {
        let county = self.ledger.county();
        Status {
            journal_trouble: self
                .ledger
                .trouble()
                .map(|trouble| trouble.error.to_string()),
            journal_entries: self.ledger.seq(),
            clients: self.clients.connected_count(),
            conferences: county.conferences().filter(|one| !one.is_over()).count(),
            overload: self.overload,
        }
    }

    fn stop(&self) {
        for (_, client) in self.clients.all().filter(|(_, one)| one.is_connected()) {
            client
                .outbox
                .close(CloseCode::ServiceRestart, "the server restarts");
        }
    }

    /// Never runs back, whatever is done to the machine's clock.
    fn now(&mut self) -> Timestamp {
        self.last_now = self.last_now.max(clock::now());
        self.last_now
    }
}

#[cfg(test)]
mod tests;
