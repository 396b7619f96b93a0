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
use std::time::Duration;

use liandong_domain::pursuit::{AttemptResult, Channel, PursuitEvent};
use liandong_domain::{AccountId, County, Event, Order, PursuitId, PursuitOrder, Timestamp};
use tokio::sync::{Semaphore, mpsc};

use crate::clock;

/// Messages of one channel on their way at the same time; the rest wait their turn.
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
    lines: BTreeMap<Channel, Line>,
    results: mpsc::Sender<Told>,
}

/// One channel. Each has places of its own: where a push service does not answer, text messages
/// go all the same.
#[derive(Clone, Debug)]
struct Line {
    adapter: Arc<dyn Adapter>,
    places: Arc<Semaphore>,
}

impl Line {
    /// `None`: the server has stopped.
    async fn send(&self, message: &Message) -> Option<AttemptResult> {
        let _place = self.places.acquire().await.ok()?;
        Some(self.adapter.send(message).await)
    }
}

impl Channels {
    /// With the results that the desk is to hear.
    #[must_use]
    pub fn new(adapters: BTreeMap<Channel, Arc<dyn Adapter>>) -> (Self, mpsc::Receiver<Told>) {
        let (results, heard) = mpsc::channel(RESULTS);
        let lines = adapters.into_iter().map(|(channel, adapter)| {
            let places = Arc::new(Semaphore::new(AT_ONCE));
            (channel, Line { adapter, places })
        });
        let lines = lines.collect();
        (Self { lines, results }, heard)
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
        let left = attempt.deadline.since(clock::now());
        self.dispatch(attempt.channel, message, left);
    }

    /// `left`: until the rules take it for unanswered. It must not ring after that.
    fn dispatch(&self, channel: Channel, message: Message, left: Duration) {
        let line = self.lines.get(&channel).cloned();
        let results = self.results.clone();
        tokio::spawn(async move {
            let result = match line {
                Some(line) => match tokio::time::timeout(left, line.send(&message)).await {
                    Ok(Some(result)) => result,
                    Ok(None) | Err(_) => return,
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
pub type Waits = [Duration; 2];

/// With a request's own limit of ten seconds all of it ends within the minute for which
/// the rules wait for a channel.
pub const RETRY_AFTER: Waits = [Duration::from_secs(1), Duration::from_secs(4)];

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
        .timeout(Duration::from_secs(10))
        .redirect(reqwest::redirect::Policy::none())
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes the first attempts, and never says what became of them.
    #[derive(Debug)]
    struct Silent {
        upto: u32,
    }

    impl Adapter for Silent {
        fn send<'a>(&'a self, message: &'a Message) -> Sending<'a> {
            Box::pin(async {
                if message.attempt <= self.upto {
                    std::future::pending::<()>().await;
                }
                AttemptResult::Delivered
            })
        }
    }

    fn message(attempt: u32) -> Message {
        Message {
            pursuit: PursuitId(7),
            attempt,
            name: "张三".to_owned(),
            account: None,
            phone: None,
            title: String::new(),
            text: String::new(),
        }
    }

    const LONG: Duration = Duration::from_secs(3_600);

    fn channels(all: [(Channel, u32); 2]) -> (Channels, mpsc::Receiver<Told>) {
        let adapters = all.map(|(channel, upto)| {
            let adapter: Arc<dyn Adapter> = Arc::new(Silent { upto });
            (channel, adapter)
        });
        Channels::new(adapters.into())
    }

    fn at_once() -> u32 {
        u32::try_from(AT_ONCE).unwrap()
    }

    #[tokio::test]
    async fn channel_that_does_not_answer_holds_up_no_other() {
        let all = [(Channel::WebPush, u32::MAX), (Channel::Gateway, 0)];
        let (channels, mut heard) = channels(all);
        for attempt in 1..=2 * at_once() {
            channels.dispatch(Channel::WebPush, message(attempt), LONG);
        }
        channels.dispatch(Channel::Gateway, message(1), LONG);
        let told = tokio::time::timeout(Duration::from_secs(30), heard.recv()).await;
        let told = told.expect("it waits for the other channel").unwrap();
        assert_eq!((told.attempt, told.result), (1, AttemptResult::Delivered));
    }

    #[tokio::test]
    async fn message_ends_with_its_deadline_and_makes_room() {
        let all = [(Channel::WebPush, at_once()), (Channel::Gateway, 0)];
        let (channels, mut heard) = channels(all);
        for attempt in 1..=at_once() {
            channels.dispatch(
                Channel::WebPush,
                message(attempt),
                Duration::from_millis(20),
            );
        }
        channels.dispatch(Channel::WebPush, message(at_once() + 1), Duration::ZERO);
        channels.dispatch(Channel::WebPush, message(at_once() + 2), LONG);
        let told = tokio::time::timeout(Duration::from_secs(30), heard.recv()).await;
        let told = told.expect("no place comes free").unwrap();
        // The one before waited in vain, and is not sent too late.
        assert_eq!(told.attempt, at_once() + 2);
    }
}
