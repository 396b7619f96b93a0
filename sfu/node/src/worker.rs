//! The worker threads.

use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::mpsc;

use crate::event::{NodeEvent, OfferError};
use crate::mailbox::Order;
use crate::node::Shared;
use crate::socket::MediaPort;
use crate::sys::{self, Ready};

/// Starts one thread for each worker's sockets.
pub(crate) fn start(
    shared: &Arc<Shared>,
    media: MediaPort,
    events: mpsc::Sender<NodeEvent>,
) -> std::io::Result<Vec<JoinHandle<()>>> {
    let mut threads = Vec::new();
    for (i, sockets) in media.sockets.into_iter().enumerate() {
        let shared = shared.clone();
        let events = events.clone();
        let name = format!("media-{i}");
        threads.push(std::thread::Builder::new().name(name).spawn(move || {
            let _held = (sockets, events);
            run(i, &shared);
        })?);
    }
    Ok(threads)
}

fn run(index: usize, shared: &Shared) {
    let mailbox = &shared.mailboxes()[index];
    let mut orders = std::collections::VecDeque::new();
    loop {
        let mut ready = [Ready::to_read(mailbox.wake())];
        if let Err(e) = sys::wait(&mut ready, None) {
            tracing::error!(%e, "worker cannot wait");
            return;
        }
        mailbox.wake().clear();
        mailbox.take(&mut orders);
        for order in orders.drain(..) {
            match order {
                Order::Offer(offer) => {
                    shared.forget(offer.peer);
                    // The asker may have gone.
                    let _ = offer.reply.send(Err(OfferError::Full("no media engine")));
                }
                Order::Engine(_) | Order::PathOwned { .. } | Order::PathReleased { .. } => {}
                Order::Stop => {
                    mailbox.close();
                    return;
                }
            }
        }
    }
}
