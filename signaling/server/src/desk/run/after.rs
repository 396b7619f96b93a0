//! What follows once a batch is journaled: replies, pushes and messages, in the order of the
//! inputs. Or could not be: then nothing of it has happened, and everybody is told so.

use std::time::{Duration, Instant};

use liandong_domain::talk::TalkWhat;
use liandong_domain::{Event, Order, Outcome};
use liandong_protocol::{JournalState, Push, Refusal, RefusalCode};
use tokio::sync::oneshot;

use super::{Batch, Coming, Running};
use crate::desk::clients::{ClientId, ConnectionId, encode_push};
use crate::desk::tell::{self, Told};
use crate::journal::{Journal, JournalError};
use crate::views::wire::{self, refuse_for};
/// Orders of the server itself that wait for the journal, beyond which talks are not kept.
const MAX_AGAIN: usize = 4_096;
/// What a client waits when the journal cannot be written.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// What has to be done once the batch is journaled, in the order of the inputs.
pub(super) enum After {
    Reply {
        client: ClientId,
        connection: ConnectionId,
        id: u32,
        outcome: Outcome,
    },
    Refuse {
        client: ClientId,
        connection: ConnectionId,
        id: u32,
        refusal: Refusal,
    },
    Welcome(Coming),
    /// By HTTP.
    Ordered(
        oneshot::Sender<Result<Outcome, Refusal>>,
        Result<Outcome, Refusal>,
    ),
    Recorded(oneshot::Sender<Result<(), Refusal>>),
}

/// The exchange has to know; not of what it told itself.
fn concerns_talk(event: &Event) -> bool {
    match event {
        Event::Talk { event } => !matches!(event.what, TalkWhat::Spoke { .. }),
        Event::SiteRegistered { .. }
        | Event::SiteChanged { .. }
        | Event::AccountRegistered { .. }
        | Event::AccountChanged { .. } => true,
        _ => false,
    }
}

impl<J: Journal> Running<J> {
    /// Journals the batch, then tells.
    pub(super) async fn finish(&mut self, batch: &mut Batch) {
        for account in std::mem::take(&mut batch.devices) {
            let (online, degraded) = self.clients.devices(&account);
            self.own_order(
                Order::SetDevices {
                    account,
                    online,
                    degraded,
                },
                batch,
            );
        }
        let (started, before) = (Instant::now(), self.ledger.seq());
        let now = self.now();
        let committed = self.ledger.commit(now).await;
        match &committed {
            Ok(_) if self.ledger.seq() == before => {} // nothing to write
            Ok(_) => {
                self.metrics.journaled(started.elapsed(), self.ledger.seq());
                self.entries.send_replace(self.ledger.seq());
            }
            Err(_) => self.metrics.not_journaled(),
        }
        match committed {
            Ok(events) => self.happened(batch, &events),
            Err(error) => self.failed(batch, &error),
        }
        self.tell_journal_state();
        for after in std::mem::take(&mut batch.after) {
            if let After::Welcome(coming) = after {
                self.welcome(coming);
            }
        }
    }

    fn happened(&mut self, batch: &mut Batch, events: &[Event]) {
        if events.iter().any(concerns_talk) {
            // Before the replies: whoever raised an alarm asks for the floor next.
            self.counties.send_replace(self.ledger.county().clone());
        }
        let mut welcomes = Vec::new();
        for after in std::mem::take(&mut batch.after) {
            match after {
                After::Reply {
                    client,
                    connection,
                    id,
                    outcome,
                } => {
                    self.hold(client, &outcome);
                    self.reply(client, connection, id, Ok(wire::outcome(outcome)));
                }
                After::Refuse {
                    client,
                    connection,
                    id,
                    refusal,
                } => self.reply(client, connection, id, Err(refusal)),
                After::Recorded(reply) => drop(reply.send(Ok(()))),
                After::Ordered(reply, result) => {
                    if let Err(refusal) = &result {
                        self.metrics.refused(refusal.code);
                    }
                    drop(reply.send(result));
                }
                welcome @ After::Welcome(_) => welcomes.push(welcome),
            }
        }
        batch.after = welcomes;
        let county = self.ledger.county();
        self.told
            .tell(county, &self.setting, &mut self.clients, events);
        self.channels.send(county, events);
        self.release_gone();
        self.seat_new_stays(events);
        batch
            .stages
            .extend(events.iter().filter_map(Event::conference));
        for conference in std::mem::take(&mut batch.stages) {
            self.media
                .restage(self.ledger.county(), &self.clients, conference);
        }
    }

    /// Nothing of the batch has happened.
    fn failed(&mut self, batch: &mut Batch, error: &JournalError) {
        for order in batch.own.drain(..) {
            keep(&mut self.again, order);
        }
        let refusal = refuse_for(
            RefusalCode::JournalUnavailable,
            "the journal cannot be written",
            RETRY_AFTER,
        );
        let mut welcomes = Vec::new();
        let mut refused = 0;
        for after in std::mem::take(&mut batch.after) {
            match after {
                After::Reply {
                    client,
                    connection,
                    id,
                    ..
                } => {
                    refused += 1;
                    self.reply(client, connection, id, Err(refusal.clone()));
                }
                After::Refuse {
                    client,
                    connection,
                    id,
                    refusal,
                } => self.reply(client, connection, id, Err(refusal)),
                After::Recorded(reply) => {
                    refused += 1;
                    drop(reply.send(Err(refusal.clone())));
                }
                After::Ordered(reply, result) => {
                    let said = match result {
                        Ok(_) => {
                            refused += 1;
                            refusal.clone()
                        }
                        Err(said) => said,
                    };
                    self.metrics.refused(said.code);
                    drop(reply.send(Err(said)));
                }
                welcome @ After::Welcome(_) => welcomes.push(welcome),
            }
        }
        batch.after = welcomes;
        self.ledger.refused(refused);
        if let JournalError::Diverged { .. } = error {
            self.told = Told::default();
            self.counties.send_replace(self.ledger.county().clone());
            self.release_gone();
            tell::resync_all(self.ledger.county(), &self.setting, &mut self.clients);
        }
    }

    /// To the log, the metrics and everybody who is connected, once for each change.
    fn tell_journal_state(&mut self) {
        let trouble = self.ledger.trouble();
        let state = match trouble {
            None => JournalState::Well,
            Some(trouble) if trouble.error.is_damage() => JournalState::Damaged,
            Some(_) => JournalState::Unwritable,
        };
        if state == self.journal_state {
            return;
        }
        match trouble {
            None => tracing::info!("the journal is written again; orders are carried out"),
            Some(trouble) => tracing::error!(
                error = %trouble.error,
                mend = trouble.error.mend(),
                "orders are refused; running calls go on"
            ),
        }
        self.journal_state = state;
        self.metrics.journal_writable(state == JournalState::Well);
        let text = encode_push(Push::Journal { state });
        for (_, client) in self.clients.all() {
            client.push(&text);
        }
    }

    /// What could not be journaled may be out of date by now: what the world
    /// looks like at this moment is ordered instead.
    pub(super) fn order_again(&mut self, order: Order, batch: &mut Batch) {
        match order {
            Order::SetDevices { account, .. } => {
                batch.devices.insert(account);
            }
            Order::MediaConnected { participant } | Order::MediaLost { participant } => {
                let holder = self.clients.holder(participant);
                let order = if holder.is_some_and(|client| self.media.is_connected(client)) {
                    Order::MediaConnected { participant }
                } else {
                    Order::MediaLost { participant }
                };
                self.own_order(order, batch);
            }
            order => self.own_order(order, batch),
        }
    }
}

/// Keeps an order of the server for when the journal can be written again.
fn keep(again: &mut Vec<Order>, order: Order) {
    match order {
        Order::Tick => {} // what is due then comes by itself
        Order::Talk { .. } if again.len() >= MAX_AGAIN => {
            tracing::warn!(?order, "not journaled, and too much waits to keep it");
        }
        order if again.contains(&order) => {}
        order => again.push(order),
    }
}
