//! One simulated site: a client that logs in, answers, sends and receives.
//!
//! A bot runs by itself from [`Bot::start`] on: it logs in, keeps its
//! connection, comes back after a loss (resuming the client, or with a new
//! login where the session is gone), answers rings as its [`Behaviour`] says
//! and connects its media to every conference it is in. A scenario looks at
//! [`Bot::seen`] and sends orders by [`Bot::order`].

mod answer;
mod board;
mod call;
mod described;
mod frames;
mod health;
mod keyframes;
mod link;
mod media;
mod observer;
mod peer;
mod picture;
mod radio;
mod run;
mod seen;
mod sending;
mod sequence;
mod slot;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use liandong_protocol::{AccountId, Device, Reply, Request, SiteCode};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

pub use link::{Link, RequestError};
pub use radio::{Radio, Sound};
pub use seen::{InvitationTimes, Seen};

use board::Board;
use call::OwnCall;

use crate::report::BotReport;
use crate::server::Server;

/// What a bot does when it is rung.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Behaviour {
    /// Accepts: after the countdown where the server says one, else at once.
    Answer,
    /// Accepts after this time, whatever the countdown.
    AnswerAfter(Duration),
    Decline,
    /// Lets it ring.
    Never,
}

/// What a bot negotiates.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MediaPlan {
    /// Videos it receives at a time, 0 to 49.
    pub video_slots: u8,
    /// Sounds it receives at a time, 0 to 4.
    pub audio_slots: u8,
    /// Whether it sends its picture and its tone.
    pub sends: bool,
    /// Whether its picture is sent in three sizes (rids q, h, f).
    pub simulcast: bool,
    /// The own network addresses to use.
    pub addresses: Vec<IpAddr>,
}

impl Default for MediaPlan {
    fn default() -> Self {
        Self {
            video_slots: 4,
            audio_slots: 4,
            sends: true,
            simulcast: false,
            addresses: vec![IpAddr::V4(Ipv4Addr::LOCALHOST)],
        }
    }
}

/// Who a bot is and how it behaves.
#[derive(Clone)]
pub struct BotPlan {
    pub account: AccountId,
    pub password: String,
    /// For the report and the log.
    pub name: String,
    /// Gives colour, number and tone; see [`crate::colour_of`].
    pub index: u16,
    pub device: Device,
    /// Whether orders from above may be answered for it.
    pub auto_answer: bool,
    pub behaviour: Behaviour,
    /// `None`: no media at all.
    pub media: Option<MediaPlan>,
    /// The index of each site that a bot may play, to tell who is in a slot.
    pub roll: Arc<BTreeMap<SiteCode, u16>>,
}

impl std::fmt::Debug for BotPlan {
    /// Never shows the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BotPlan")
            .field("account", &self.account)
            .field("index", &self.index)
            .field("behaviour", &self.behaviour)
            .field("media", &self.media)
            .finish_non_exhaustive()
    }
}

impl BotPlan {
    /// A room terminal that answers and sends.
    #[must_use]
    pub fn terminal(account: AccountId, password: String, name: String, index: u16) -> Self {
        Self {
            account,
            password,
            name,
            index,
            device: Device::Terminal,
            auto_answer: true,
            behaviour: Behaviour::Answer,
            media: Some(MediaPlan::default()),
            roll: Arc::default(),
        }
    }
}

/// An order on its way into the bot.
#[derive(Debug)]
struct Order {
    key: Option<String>,
    request: Request,
    reply: oneshot::Sender<Result<Reply, RequestError>>,
}

/// Figures that several tasks of one bot add to.
#[derive(Clone, Debug, Default)]
struct Tally(Arc<Mutex<BotReport>>);

impl Tally {
    fn add<T>(&self, change: impl FnOnce(&mut BotReport) -> T) -> T {
        // A panic elsewhere leaves plain counters behind: still good to read.
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A running bot. Dropping it without [`Bot::stop`] leaves it running.
#[derive(Debug)]
pub struct Bot {
    plan: BotPlan,
    orders: mpsc::Sender<Order>,
    seen: watch::Receiver<Seen>,
    tally: Tally,
    board: Arc<Board>,
    restarts: watch::Sender<u32>,
    task: JoinHandle<()>,
}

impl Bot {
    /// Starts a bot on the current runtime.
    #[must_use]
    pub fn start(server: Server, plan: BotPlan) -> Self {
        let (orders, incoming) = mpsc::channel(16);
        let (seen_tx, seen) = watch::channel(Seen::default());
        let tally = Tally::default();
        tally.add(|report| {
            report.account = plan.account.0.clone();
            report.name.clone_from(&plan.name);
            report.index = plan.index;
        });
        let board = Arc::new(Board::new(&plan.media.clone().unwrap_or(MediaPlan {
            video_slots: 0,
            audio_slots: 0,
            ..MediaPlan::default()
        })));
        let restarts = watch::Sender::new(0);
        let call = OwnCall::new(&plan, &seen_tx, &tally, &board, restarts.subscribe());
        let runner = run::Runner::new(server, plan.clone(), seen_tx, tally.clone(), call);
        Self {
            plan,
            orders,
            seen,
            tally,
            board,
            restarts,
            task: tokio::spawn(runner.run(incoming)),
        }
    }

    #[must_use]
    pub fn plan(&self) -> &BotPlan {
        &self.plan
    }

    /// The bot's view of the world; wait for a condition by `wait_for`.
    #[must_use]
    pub fn seen(&self) -> watch::Receiver<Seen> {
        self.seen.clone()
    }

    /// Sends one order as this client and waits for the reply.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn order(
        &self,
        key: Option<String>,
        request: Request,
    ) -> Result<Reply, RequestError> {
        let (reply, answer) = oneshot::channel();
        let order = Order {
            key,
            request,
            reply,
        };
        self.orders
            .send(order)
            .await
            .map_err(|_| RequestError::Lost)?;
        answer.await.unwrap_or(Err(RequestError::Lost))
    }

    /// Looks for the way to the server anew, as a client does that notices another network
    /// (RFC 8839 §4.4.3). Without a media connection it does nothing.
    pub fn restart_ice(&self) {
        self.restarts.send_modify(|n| *n = n.wrapping_add(1));
    }

    /// The figures so far.
    #[must_use]
    pub fn report(&self) -> BotReport {
        gather(&self.tally, &self.board)
    }

    /// Hangs up, closes the connection and gives the last figures.
    pub async fn stop(self) -> BotReport {
        drop(self.orders);
        // The task ends by itself when its orders end; a panic in it has been reported.
        let _ = self.task.await;
        gather(&self.tally, &self.board)
    }
}

fn gather(tally: &Tally, board: &Board) -> BotReport {
    let mut report = tally.add(|report| report.clone());
    board.report(&mut report, Instant::now());
    report
}

#[cfg(test)]
mod tests;
