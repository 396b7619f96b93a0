//! The desk: the one task that owns the county. Everything that changes
//! anything passes through it, in order.
//!
//! * [`run`] – the loop: a batch of inputs, one journal transaction, then the telling
//! * [`ledger`] – state and journal in step
//! * [`clients`] – who is connected
//! * [`orders`] – what of the wire is an order of the rules
//! * [`tell`] – who is told what

pub mod clients;
pub mod ledger;
pub mod orders;
pub mod run;
pub mod tell;

use liandong_domain::{AccountId, Actor, County, Order, Outcome, ParticipantId};
use liandong_protocol::http::Me;
use liandong_protocol::{ClientMessage, Device, Refusal, RefusalCode, Reply};
use tokio::sync::{mpsc, oneshot};

use crate::channels::Told;
use crate::journal::record::Access;
use crate::media::OfferDone;
use crate::views::wire::refuse;
use crate::ws::outbox::Outbox;
use clients::{ClientId, ConnectionId};

/// Inputs that may wait; then whoever brings more waits himself.
const QUEUE: usize = 1_024;

/// A handle to the desk.
#[derive(Clone, Debug)]
pub struct Desk {
    inputs: mpsc::Sender<Input>,
}

/// One Hello.
#[derive(Debug)]
pub struct Hello {
    pub account: AccountId,
    pub device: Device,
    pub auto_answer: bool,
    pub resume: Option<String>,
    /// The stay that the client says it holds.
    pub claim: Option<ParticipantId>,
    pub outbox: Outbox,
}

/// How the server is, for `/healthz`.
#[derive(Clone, Debug)]
pub struct Status {
    /// Why nothing can be journaled at present.
    pub journal_trouble: Option<String>,
    pub journal_entries: u64,
    pub clients: usize,
    pub conferences: usize,
    /// How far the media node reduces video; 0: not at all.
    pub overload: u32,
}

#[derive(Debug)]
enum Input {
    Attach {
        hello: Hello,
        /// The number of the request, for the reply in the outbox.
        id: u32,
        reply: oneshot::Sender<Result<(ClientId, ConnectionId), Refusal>>,
    },
    Detach {
        client: ClientId,
        connection: ConnectionId,
    },
    Message {
        client: ClientId,
        connection: ConnectionId,
        message: ClientMessage,
    },
    Beats {
        client: ClientId,
        connection: ConnectionId,
        late: bool,
    },
    Resync {
        client: ClientId,
        connection: ConnectionId,
    },
    Offered {
        id: u32,
        connection: ConnectionId,
        done: OfferDone,
    },
    Record {
        access: Access,
        reply: oneshot::Sender<Result<(), Refusal>>,
    },
    /// What a channel says of an attempt.
    Channel(Told),
    Me {
        account: AccountId,
        reply: oneshot::Sender<Option<Me>>,
    },
    /// Whether the one may give a one-time link to the other.
    MayGiveLink {
        by: AccountId,
        to: AccountId,
        reply: oneshot::Sender<Result<(), Refusal>>,
    },
    Status {
        reply: oneshot::Sender<Status>,
    },
    /// An order of the server itself, from outside the desk.
    Own(Order),
    /// By HTTP.
    Order {
        by: Actor,
        key: Option<String>,
        order: Order,
        reply: oneshot::Sender<Result<Outcome, Refusal>>,
    },
    Look(Look),
    /// All clients are told; then the desk ends.
    Stop,
}

/// Something that wants to know how the county is.
struct Look(Box<dyn FnOnce(&County) + Send>);

impl std::fmt::Debug for Look {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Look")
    }
}

impl Desk {
    fn channel() -> (Self, mpsc::Receiver<Input>) {
        let (inputs, received) = mpsc::channel(QUEUE);
        (Self { inputs }, received)
    }

    /// Inputs that the desk has not taken yet.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.inputs.max_capacity() - self.inputs.capacity()
    }

    /// Takes a client in. The welcome goes into the outbox.
    ///
    /// # Errors
    /// The account is not active, or the server is stopping.
    pub async fn attach(&self, id: u32, hello: Hello) -> Result<(ClientId, ConnectionId), Refusal> {
        self.ask(|reply| Input::Attach { hello, id, reply }).await?
    }

    /// The connection is gone.
    pub async fn detach(&self, client: ClientId, connection: ConnectionId) {
        self.tell(Input::Detach { client, connection }).await;
    }

    /// A request; the reply goes into the outbox. Waits while the desk is busy.
    pub async fn message(
        &self,
        client: ClientId,
        connection: ConnectionId,
        message: ClientMessage,
    ) {
        self.tell(Input::Message {
            client,
            connection,
            message,
        })
        .await;
    }

    /// Beats are late now, or in time again.
    pub async fn beats(&self, client: ClientId, connection: ConnectionId, late: bool) {
        self.tell(Input::Beats {
            client,
            connection,
            late,
        })
        .await;
    }

    /// The client missed pushes and wants the whole.
    pub async fn resync(&self, client: ClientId, connection: ConnectionId) {
        self.tell(Input::Resync { client, connection }).await;
    }

    /// Returns when it is journaled.
    ///
    /// # Errors
    /// The journal cannot be written.
    pub async fn record(&self, access: Access) -> Result<(), Refusal> {
        self.ask(|reply| Input::Record { access, reply }).await?
    }

    /// What a channel says of an attempt to reach somebody.
    pub async fn heard(&self, told: Told) {
        self.tell(Input::Channel(told)).await;
    }

    /// Who the account is; `None` when it is unknown or inactive.
    ///
    /// # Errors
    /// The server is stopping.
    pub async fn me(&self, account: AccountId) -> Result<Option<Me>, Refusal> {
        self.ask(|reply| Input::Me { account, reply }).await
    }

    /// # Errors
    /// He may not, or there is no such account.
    pub async fn may_give_link(&self, by: AccountId, to: AccountId) -> Result<(), Refusal> {
        self.ask(|reply| Input::MayGiveLink { by, to, reply })
            .await?
    }

    /// # Errors
    /// The desk is gone.
    pub async fn status(&self) -> Result<Status, Refusal> {
        self.ask(|reply| Input::Status { reply }).await
    }

    /// An order of the server itself. False when the desk is too busy to take it: to be
    /// tried again, for whoever brings it does not wait.
    pub fn try_own(&self, order: &Order) -> bool {
        match self.inputs.try_reserve() {
            Ok(place) => {
                place.send(Input::Own(order.clone()));
                true
            }
            Err(_) => false,
        }
    }

    /// An order that came by HTTP; returns when it is journaled.
    ///
    /// # Errors
    /// The refusal; nothing was done then.
    pub async fn order(
        &self,
        by: Actor,
        key: Option<String>,
        order: Order,
    ) -> Result<Outcome, Refusal> {
        self.ask(|reply| Input::Order {
            by,
            key,
            order,
            reply,
        })
        .await?
    }

    /// What `view` makes of the county as it is journaled. It runs on the desk: it has to be short.
    ///
    /// # Errors
    /// The server is stopping.
    pub async fn look<T: Send + 'static>(
        &self,
        view: impl FnOnce(&County) -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        self.ask(|reply| {
            Input::Look(Look(Box::new(move |county| {
                drop(reply.send(view(county))); // whoever asked may be gone
            })))
        })
        .await
    }

    /// Tells all clients that the server restarts, and ends the desk once
    /// everything before is done.
    pub async fn stop(&self) {
        self.tell(Input::Stop).await;
        self.inputs.closed().await;
    }

    async fn ask<T>(&self, input: impl FnOnce(oneshot::Sender<T>) -> Input) -> Result<T, Refusal> {
        let stopping = || refuse(RefusalCode::JournalUnavailable, "the server is stopping");
        let (reply, answer) = oneshot::channel();
        self.inputs
            .send(input(reply))
            .await
            .map_err(|_| stopping())?;
        answer.await.map_err(|_| stopping())
    }

    async fn tell(&self, input: Input) {
        if self.inputs.send(input).await.is_err() {
            tracing::debug!("the desk has ended");
        }
    }
}

/// A reply or refusal, as it goes over the wire.
pub(crate) fn encode_reply(
    id: u32,
    result: Result<Reply, Refusal>,
) -> axum::extract::ws::Utf8Bytes {
    use liandong_protocol::ServerMessage;
    clients::encode(&match result {
        Ok(reply) => ServerMessage::Reply { id, reply },
        Err(refusal) => ServerMessage::Refused { id, refusal },
    })
}
