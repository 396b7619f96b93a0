//! Push-to-talk: the exchange, a task of its own beside the desk.
//!
//! A grant must not wait for a disk, so the floors do not belong to the desk: requests come
//! straight from the connections, the media node's gate moves with the decision, and only
//! then the clients are told. The desk hears afterwards what was spoken, for the journal.
//! Groups and alarms are orders and go to the desk; it hands every change on to here.
//!
//! * [`exchange`] – the task: floors, and what follows from their outputs
//! * [`relay`] – what the media node hears of speakers, before the desk
//! * [`ears`] – who listens where, and by which peer
//! * `acts` – what clients ask for
//! * `tell` – who is told what

mod acts;
mod ears;
pub mod exchange;
pub mod relay;
mod tell;

use liandong_domain::{AccountId, TalkGroupId};
use liandong_protocol::Place;
use liandong_protocol::talk::FloorAct;
use liandong_sfu_node::{Answered, NodeEvent, OfferError, PeerId, RoomId};
use tokio::sync::mpsc;

use crate::desk::clients::{ClientId, ConnectionId};
use crate::ws::outbox::Outbox;

/// Inputs that may wait; then whoever brings more waits himself.
const QUEUE: usize = 8_192;
/// Rooms of talk groups, apart from those of conferences, which are numbered from 1.
const TALK_ROOMS: u32 = 1 << 31;

/// A handle to the exchange.
#[derive(Clone, Debug)]
pub struct Talk {
    inputs: mpsc::Sender<Input>,
}

/// What one connection asks.
#[derive(Clone, Copy, Debug)]
pub struct Asking {
    pub client: ClientId,
    pub connection: ConnectionId,
    /// Of the request, for the reply.
    pub id: u32,
}

#[derive(Debug)]
enum Input {
    Attach {
        client: ClientId,
        connection: ConnectionId,
        account: AccountId,
        outbox: Outbox,
    },
    Detach {
        client: ClientId,
        connection: ConnectionId,
    },
    /// The client missed pushes.
    Resync {
        client: ClientId,
    },
    Act {
        asking: Asking,
        group: TalkGroupId,
        act: FloorAct,
    },
    Here {
        asking: Asking,
        place: Place,
    },
    Offered {
        asking: Asking,
        group: TalkGroupId,
        done: OfferDone,
    },
    Node(NodeEvent),
}

/// How the media node took an offer.
#[derive(Debug)]
struct OfferDone {
    number: u32,
    fingerprint: String,
    result: Result<Answered, OfferError>,
}

/// The inputs that wait; for [`exchange::start`].
#[derive(Debug)]
pub struct Waiting(mpsc::Receiver<Input>);

fn room(group: TalkGroupId) -> RoomId {
    RoomId(TALK_ROOMS | group.0)
}

/// The group of a room of the media node; `None`: a conference's.
#[must_use]
fn group_of(room: RoomId) -> Option<TalkGroupId> {
    (room.0 & TALK_ROOMS != 0).then_some(TalkGroupId(room.0 & !TALK_ROOMS))
}

impl Talk {
    #[must_use]
    pub fn channel() -> (Self, Waiting) {
        let (inputs, received) = mpsc::channel(QUEUE);
        (Self { inputs }, Waiting(received))
    }

    /// The desk has taken the client in.
    pub async fn attach(
        &self,
        client: ClientId,
        connection: ConnectionId,
        account: AccountId,
        outbox: Outbox,
    ) {
        self.tell(Input::Attach {
            client,
            connection,
            account,
            outbox,
        })
        .await;
    }

    /// The connection is gone.
    pub async fn detach(&self, client: ClientId, connection: ConnectionId) {
        self.tell(Input::Detach { client, connection }).await;
    }

    /// The client missed pushes and wants the whole.
    pub async fn resync(&self, client: ClientId) {
        self.tell(Input::Resync { client }).await;
    }

    /// A request; the reply goes into the outbox.
    pub async fn act(&self, asking: Asking, group: TalkGroupId, act: FloorAct) {
        self.tell(Input::Act { asking, group, act }).await;
    }

    /// Where the client's device is.
    pub async fn here(&self, asking: Asking, place: Place) {
        self.tell(Input::Here { asking, place }).await;
    }

    /// What the media node says by way of the desk: a peer went that is no participant's.
    /// Of speakers [`relay`] tells. Gives it back where it is a conference's.
    #[must_use]
    pub fn node_event(
        &self,
        event: NodeEvent,
        is_participant: impl Fn(PeerId) -> bool,
    ) -> Option<NodeEvent> {
        let ours = match &event {
            NodeEvent::Disconnected { peer, .. } | NodeEvent::SpeechRate { peer, .. } => {
                !is_participant(*peer)
            }
            NodeEvent::Speaking { .. }
            | NodeEvent::Stats { .. }
            | NodeEvent::Connected { .. }
            | NodeEvent::SourceStarted { .. }
            | NodeEvent::SourceSilent { .. }
            | NodeEvent::SlotLive { .. }
            | NodeEvent::Overload { .. }
            | NodeEvent::Demand { .. } => false,
        };
        if !ours {
            return Some(event);
        }
        // A peer that went is found out by its next offer.
        if let Err(error) = self.inputs.try_send(Input::Node(event.clone())) {
            tracing::warn!(%error, "the exchange is behind");
        }
        Some(event)
    }

    async fn tell(&self, input: Input) {
        if self.inputs.send(input).await.is_err() {
            tracing::debug!("the exchange has ended");
        }
    }
}
