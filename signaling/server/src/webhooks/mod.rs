//! Outgoing webhooks, signed after Standard Webhooks 1.0 (<https://www.standardwebhooks.com>).
//!
//! The journal is the queue: each receiver has a place in it, and messages are made of the entries
//! after that place. So the desk knows nothing of receivers, waits for none, and nothing that
//! happened while one was away, or the server, is lost.
//!
//! * this file – one task per receiver
//! * [`store`] – places, messages and dead letters in `DATA/webhooks.db`
//! * [`message`] – journal entries as messages
//! * [`sending`] – one try; signature, waits

pub mod message;
pub mod sending;
pub mod store;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use liandong_protocol::webhook::{Webhook as ShownOne, Webhooks as Shown};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use crate::clock;
use crate::config::Webhook;
use crate::desk::Desk;
use crate::http::metrics::DoorMetrics;
use crate::http::metrics::Metrics;
use message::make;
use sending::{Receiver, Tried};
use store::{Message, Store, StoreError};

/// Entries looked at in one go.
const STEP: usize = 256;
/// Journal and store are looked at so often even if nobody says that there is something new.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// A handle to all receivers.
#[derive(Clone, Debug)]
pub struct Webhooks {
    store: Store,
    hooks: Arc<[Arc<Hook>]>,
    metrics: Arc<Metrics>,
}

#[derive(Debug)]
struct Hook {
    config: Webhook,
    /// Something may be due.
    wake: Notify,
}

impl Webhooks {
    /// Opens the store. A receiver that is new begins with what happens from now on.
    ///
    /// # Errors
    /// The store cannot be opened.
    pub fn open(
        data: &Path,
        webhooks: &[Webhook],
        metrics: Arc<Metrics>,
    ) -> Result<Self, StoreError> {
        let store = Store::open(data)?;
        for hook in webhooks {
            store.begin(&hook.id)?;
        }
        let hooks = webhooks.iter().map(|config| {
            Arc::new(Hook {
                config: config.clone(),
                wake: Notify::new(),
            })
        });
        Ok(Self {
            store,
            hooks: hooks.collect(),
            metrics,
        })
    }

    /// Sends until the desk says no more (`entries` closes). `entries` tells how long the journal is.
    pub fn start(&self, desk: &Desk, entries: &watch::Receiver<u64>) -> Vec<JoinHandle<()>> {
        let mut tasks = Vec::new();
        for hook in self.hooks.iter() {
            let receiver = match Receiver::new(&hook.config) {
                Ok(receiver) => receiver,
                Err(error) => {
                    tracing::error!(hook = hook.config.id, %error, "webhook not started");
                    continue;
                }
            };
            let running = Running {
                hook: Arc::clone(hook),
                store: self.store.clone(),
                desk: desk.clone(),
                entries: entries.clone(),
                receiver,
                metrics: Arc::clone(&self.metrics),
            };
            tasks.push(tokio::spawn(running.run()));
        }
        tasks
    }

    /// How all of them stand.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn show(&self) -> Result<Shown, StoreError> {
        let (store, hooks) = (self.store.clone(), Arc::clone(&self.hooks));
        store::blocking(move || {
            let webhooks = hooks.iter().map(|hook| {
                let standing = store.standing(&hook.config.id)?;
                Ok(ShownOne {
                    id: hook.config.id.clone(),
                    url: shown(&hook.config.url),
                    events: hook
                        .config
                        .events
                        .as_ref()
                        .map(|all| all.iter().cloned().collect()),
                    waiting: standing.waiting,
                    delivered: standing.delivered,
                    trouble: standing.trouble,
                    given_up: standing.given_up,
                    dead: standing.dead,
                })
            });
            let webhooks: Result<Vec<ShownOne>, StoreError> = webhooks.collect();
            Ok(Shown {
                webhooks: webhooks?,
            })
        })
        .await
    }

    /// Tries a dead letter anew, or all of them, with all the time that a new message has. False:
    /// there is none.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn again(&self, id: &str, entry: Option<u64>) -> Result<bool, StoreError> {
        let Some(hook) = self.hooks.iter().find(|hook| hook.config.id == id) else {
            return Ok(false);
        };
        let (store, id) = (self.store.clone(), id.to_owned());
        let found = store::blocking(move || store.again(&id, entry, clock::now_ms())).await?;
        hook.wake.notify_one();
        Ok(found)
    }
}

/// Without its query, which may hold a key of the receiver's.
fn shown(url: &reqwest::Url) -> String {
    let mut url = url.clone();
    if url.query().is_some() {
        url.set_query(Some("…"));
    }
    // As people write it.
    url.to_string().replace("%E2%80%A6", "…")
}

struct Running {
    hook: Arc<Hook>,
    store: Store,
    desk: Desk,
    entries: watch::Receiver<u64>,
    receiver: Receiver,
    metrics: Arc<Metrics>,
}

impl Running {
    async fn run(mut self) {
        loop {
            let due = match self.turn().await {
                Ok(due) => due,
                Err(error) => {
                    tracing::error!(hook = self.hook.config.id, %error, "webhook waits");
                    Some(LOOK_AGAIN)
                }
            };
            tokio::select! {
                changed = self.entries.changed() => if changed.is_err() { return },
                () = self.hook.wake.notified() => {}
                () = tokio::time::sleep(due.unwrap_or(LOOK_AGAIN).min(LOOK_AGAIN)) => {}
            }
        }
    }

    /// Makes messages of what is new, and sends what is due. Gives how long nothing more is.
    async fn turn(&self) -> Result<Option<Duration>, StoreError> {
        let id = &self.hook.config.id;
        loop {
            let (store, hook) = (self.store.clone(), id.clone());
            let (entries, end) = store::blocking(move || store.entries(&hook, STEP)).await?;
            if end.is_none() && entries.is_empty() {
                break;
            }
            let messages = make(&self.hook.config, &self.desk, entries).await;
            let Ok(messages) = messages else {
                return Ok(None); // the server is stopping
            };
            let (store, hook) = (self.store.clone(), id.clone());
            let now = clock::now_ms();
            store::blocking(move || store.put(&hook, &messages, end, now)).await?;
        }
        loop {
            let (store, hook, now) = (self.store.clone(), id.clone(), clock::now_ms());
            let (message, next) = store::blocking(move || store.due(&hook, now)).await?;
            let Some(message) = message else {
                return Ok(
                    next.map(|ms| Duration::from_millis(ms.saturating_sub(now).unsigned_abs()))
                );
            };
            let tried = self.receiver.send(&message, clock::now_ms() / 1_000).await;
            self.doors().webhook(id, tried.is_ok());
            self.settle(message, tried).await?;
        }
    }

    fn doors(&self) -> &DoorMetrics {
        &self.metrics.doors
    }

    async fn settle(&self, message: Message, tried: Tried) -> Result<(), StoreError> {
        let config = &self.hook.config;
        let now = clock::now_ms();
        let wait = match &tried {
            Ok(()) => None,
            Err(trouble) => {
                let wait = sending::wait(config, message.attempts, trouble, rand::random());
                let give_up = i64::try_from(config.give_up.as_millis()).unwrap_or(i64::MAX);
                let next = now.saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
                let dead = trouble.is_final || next > message.begun_ms.saturating_add(give_up);
                tracing::warn!(
                    hook = config.id,
                    entry = message.entry,
                    trouble = trouble.text,
                    dead,
                    "webhook not delivered"
                );
                Some((!dead).then_some(next))
            }
        };
        let (store, hook) = (self.store.clone(), config.id.clone());
        store::blocking(move || match (wait, tried) {
            (None, _) | (_, Ok(())) => store.delivered(&hook, message.entry),
            (Some(next), Err(trouble)) => store.failed(&hook, message.entry, next, &trouble.text),
        })
        .await
    }
}
