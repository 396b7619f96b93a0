//! Orders to one worker, from the control side and from other workers.
//!
//! Offers are bounded: a flood of them is refused at the door. The rest is few
//! and must not be lost (a lost Gate would let somebody be heard who may not
//! speak), so it is queued without bound; its senders are ours.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use liandong_sfu_core::api::{Command, Secrets};
use liandong_sfu_core::ids::{Path, PeerId, RoomId, WorkerIndex};
use tokio::sync::oneshot;

use crate::event::{Answered, OfferError};
use crate::sys::Wake;
use crate::tcp::Arrived;

/// What a worker is told.
#[derive(Debug)]
pub(crate) enum Order {
    Offer(Box<Offer>),
    /// For the engine, no answer wanted.
    Engine(Command),
    /// Datagrams from this path belong to that worker.
    PathOwned {
        path: Path,
        worker: WorkerIndex,
    },
    PathReleased {
        path: Path,
        worker: WorkerIndex,
    },
    /// A TCP connection whose first check is for a peer of this worker.
    Connection(Box<Arrived>),
    /// Finish what is under way and end the thread.
    Stop,
}

#[derive(Debug)]
pub(crate) struct Offer {
    pub peer: PeerId,
    pub room: RoomId,
    pub sdp: String,
    pub secrets: Secrets,
    /// Not an ICE restart: if refused, the peer's name is void.
    pub is_new: bool,
    pub reply: oneshot::Sender<Result<Answered, OfferError>>,
}

#[derive(Debug)]
pub(crate) struct Mailbox {
    queue: Mutex<Queue>,
    wake: Wake,
}

#[derive(Debug, Default)]
struct Queue {
    orders: VecDeque<Order>,
    offers: usize,
    closed: bool,
}

impl Mailbox {
    pub(crate) fn new() -> std::io::Result<Self> {
        Ok(Self {
            queue: Mutex::default(),
            wake: Wake::new()?,
        })
    }

    /// What the worker waits on; rung by the rings between workers, too.
    pub(crate) fn wake(&self) -> &Wake {
        &self.wake
    }

    pub(crate) fn post(&self, order: Order) {
        let mut queue = self.lock();
        if !queue.closed {
            queue.orders.push_back(order);
            drop(queue);
            self.wake.ring();
        }
    }

    /// Refuses when `limit` offers wait already.
    pub(crate) fn post_offer(&self, offer: Box<Offer>, limit: usize) -> Result<(), OfferError> {
        let mut queue = self.lock();
        if queue.closed {
            return Err(OfferError::Stopped);
        }
        if queue.offers >= limit {
            return Err(OfferError::Full("too many offers at once"));
        }
        queue.offers += 1;
        queue.orders.push_back(Order::Offer(offer));
        drop(queue);
        self.wake.ring();
        Ok(())
    }

    /// Moves all that waits into `into`, which must be empty; its memory is used again.
    pub(crate) fn take(&self, into: &mut VecDeque<Order>) {
        let mut queue = self.lock();
        std::mem::swap(&mut queue.orders, into);
        queue.offers = 0;
    }

    /// Nothing is taken any more; waiting offers end as stopped.
    pub(crate) fn close(&self) {
        let mut queue = self.lock();
        queue.closed = true;
        queue.orders.clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Queue> {
        // A queue of plain data is whole between statements, whoever panicked.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer() -> (Box<Offer>, oneshot::Receiver<Result<Answered, OfferError>>) {
        let (reply, answer) = oneshot::channel();
        let offer = Offer {
            peer: PeerId::new(WorkerIndex(0), 1),
            room: RoomId(1),
            sdp: String::new(),
            secrets: Secrets([0; 32]),
            is_new: true,
            reply,
        };
        (Box::new(offer), answer)
    }

    #[test]
    fn too_many_offers_are_refused_at_the_door() {
        let mailbox = Mailbox::new().unwrap();
        mailbox.post_offer(offer().0, 1).unwrap();
        assert!(matches!(
            mailbox.post_offer(offer().0, 1),
            Err(OfferError::Full(_))
        ));
        let mut taken = VecDeque::new();
        mailbox.take(&mut taken);
        assert_eq!(taken.len(), 1);
        mailbox.post_offer(offer().0, 1).unwrap();
    }

    #[test]
    fn closing_ends_waiting_offers() {
        let mailbox = Mailbox::new().unwrap();
        let (waiting, mut answer) = offer();
        mailbox.post_offer(waiting, 9).unwrap();
        mailbox.close();
        assert!(answer.try_recv().is_err());
        assert_eq!(mailbox.post_offer(offer().0, 9), Err(OfferError::Stopped));
    }
}
