//! Channels besides the WebSocket, by which somebody is tried who has no device
//! connected. The rules say whom to try ([`PursuitEvent::Tried`]); an adapter
//! takes the message there and says what became of it, which the rules hear as
//! an order. Console, room terminal and phone page need no adapter: they ring
//! by what the desk tells them.
//!
//! * [`web_push`] – to a phone's browser (RFC 8030, 8291, 8292)
//! * [`gateway`] – to a text message or telephone gateway by HTTP
//! * [`subscriptions`] – which browsers want messages

pub mod gateway;
pub mod subscriptions;
pub mod web_push;

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use liandong_domain::pursuit::{AttemptResult, Channel, PursuitEvent};
use liandong_domain::{AccountId, County, Event, Order, PursuitId, PursuitOrder, Timestamp};
use tokio::sync::{Semaphore, mpsc};

/// Messages on their way at the same time; the rest wait their turn.
const AT_ONCE: usize = 64;
/// Results that wait for the desk.
const RESULTS: usize = 1_024;

/// One message to one contact.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Message {
    /// The attempt that it belongs to. The same for a message that is sent again.
    pub pursuit: PursuitId,
    pub attempt: u32,
    pub name: String,
    pub account: Option<AccountId>,
    pub phone: Option<String>,
    pub title: String,
    pub text: String,
}

/// What became of a message, as the adapter knows it.
pub type Sending<'a> = Pin<Box<dyn Future<Output = AttemptResult> + Send + 'a>>;

/// Takes messages by one channel. Ends within a bounded time, and never fails:
/// what goes wrong is a result, too.
pub trait Adapter: fmt::Debug + Send + Sync {
    fn send<'a>(&'a self, message: &'a Message) -> Sending<'a>;
}

/// What a channel says of one attempt.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Told {
    pub pursuit: PursuitId,
    pub attempt: u32,
    pub result: AttemptResult,
}

impl Told {
    /// As the desk takes it.
    #[must_use]
    pub fn order(self) -> Order {
        let order = PursuitOrder::Result {
            pursuit: self.pursuit,
            attempt: self.attempt,
            result: self.result,
        };
        Order::Pursuit { order }
    }
}

/// All adapters of this server.
#[derive(Debug)]
pub struct Channels {
    adapters: BTreeMap<Channel, Arc<dyn Adapter>>,
    slots: Arc<Semaphore>,
    results: mpsc::Sender<Told>,
}

impl Channels {
    /// With the results that the desk is to hear.
    #[must_use]
    pub fn new(adapters: BTreeMap<Channel, Arc<dyn Adapter>>) -> (Self, mpsc::Receiver<Told>) {
        let (results, heard) = mpsc::channel(RESULTS);
        let slots = Arc::new(Semaphore::new(AT_ONCE));
        let channels = Self {
            adapters,
            slots,
            results,
        };
        (channels, heard)
    }

    /// Sends what these journaled events ask for.
    pub fn send(&self, county: &County, events: &[Event]) {
        for event in events {
            if let Event::Pursuit {
                event:
                    PursuitEvent::Tried {
                        pursuit, attempt, ..
                    },
            } = event
            {
                self.send_one(county, *pursuit, *attempt);
            }
        }
    }

    /// Sends again what was on its way when the server stopped.
    pub fn resume(&self, county: &County, now: Timestamp) {
        for pursuit in county.pursuits().all() {
            for (number, attempt) in (1..).zip(&pursuit.attempts) {
                if attempt.result.is_none() && attempt.deadline > now {
                    self.send_one(county, pursuit.id, number);
                }
            }
        }
    }

    fn send_one(&self, county: &County, pursuit: PursuitId, number: u32) {
        let known = county.pursuits().pursuit(pursuit);
        let Some((known, attempt)) = known.and_then(|one| Some((one, one.attempt(number)?))) else {
            return;
        };
        if attempt.channel == Channel::Devices {
            return; // rings by what the desk tells
        }
        let conference = county.conference(known.conference);
        let message = Message {
            pursuit,
            attempt: number,
            name: attempt.name.clone(),
            account: attempt.account.clone(),
            phone: attempt.phone.clone(),
            title: conference.map(|one| one.title.clone()).unwrap_or_default(),
            text: county.callee_name(&known.callee).to_owned(),
        };
        let adapter = self.adapters.get(&attempt.channel).cloned();
        let (slots, results) = (Arc::clone(&self.slots), self.results.clone());
        tokio::spawn(async move {
            let result = match adapter {
                // Closed only when the server has stopped.
                Some(adapter) => match slots.acquire().await {
                    Ok(_slot) => adapter.send(&message).await,
                    Err(_) => return,
                },
                None => AttemptResult::Unreachable, // no such channel here
            };
            let told = Told {
                pursuit: message.pursuit,
                attempt: message.attempt,
                result,
            };
            if results.send(told).await.is_err() {
                tracing::debug!(?told, "the desk has ended");
            }
        });
    }
}

/// Between tries of one message.
pub type Waits = [std::time::Duration; 2];

/// With a request's own limit of ten seconds all of it ends within the minute for which
/// the rules wait for a channel.
pub const RETRY_AFTER: Waits = [
    std::time::Duration::from_secs(1),
    std::time::Duration::from_secs(4),
];

/// Not taken this time, and may be taken the next.
#[derive(Clone, Copy, Debug)]
pub struct Busy;

/// 429 and what is the server's own fault (RFC 9110 §15.6); the rest would be refused again.
fn may_be_repeated(status: http::StatusCode) -> bool {
    status == http::StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}

/// The client for requests to other machines: bounded in time, following nowhere,
/// so that whoever names an address cannot send us elsewhere.
///
/// # Errors
/// The platform's certificates cannot be read.
pub fn http_client() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .timeout(std::time::Duration::from_secs(10))
        .redirect(reqwest::redirect::Policy::none())
        .build()
}
