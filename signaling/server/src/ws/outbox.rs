//! What waits to be sent to one client: bounded, so that a client that reads
//! slowly costs no memory, and never in the desk's way.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::ws::Utf8Bytes;
use tokio::sync::Notify;

/// Pushes that may wait. A call of 49 sites changes some 150 things at once.
const MAX_PUSHES: usize = 1_024;
/// Replies that may wait; more means that the client asks and never reads.
const MAX_REPLIES: usize = 256;

/// WebSocket close codes (RFC 6455 §7.4.1 and its registry).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CloseCode {
    Normal = 1000,
    PolicyViolation = 1008,
    TooBig = 1009,
    /// Come back in a moment.
    ServiceRestart = 1012,
}

/// What the connection has to do next.
#[derive(Debug, PartialEq)]
pub enum Next {
    Send(Utf8Bytes),
    /// Pushes were dropped: fetch a fresh snapshot from the desk.
    Resync,
    Close(CloseCode, &'static str),
}

/// Shared by the desk, which fills it, and the connection, which empties it.
#[derive(Clone, Debug, Default)]
pub struct Outbox {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    filled: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    items: VecDeque<Item>,
    pushes: usize,
    /// Pushes were dropped and no snapshot has made up for it.
    behind: Behind,
    close: Option<(CloseCode, &'static str)>,
}

#[derive(Debug, Default, Eq, PartialEq)]
enum Behind {
    #[default]
    No,
    Yes,
    /// The desk was asked for a snapshot.
    Asked,
}

#[derive(Debug)]
enum Item {
    Reply(Utf8Bytes),
    Push(Utf8Bytes),
}

impl Outbox {
    /// When full, all waiting pushes give way to a resynchronisation.
    pub fn push(&self, text: Utf8Bytes) {
        let mut queue = self.queue();
        match queue.behind {
            // The snapshot will have it.
            Behind::Yes => return,
            Behind::No | Behind::Asked => {}
        }
        if queue.pushes >= MAX_PUSHES {
            queue.items.retain(|item| matches!(item, Item::Reply(_)));
            queue.pushes = 0;
            queue.behind = Behind::Yes;
        } else {
            queue.items.push_back(Item::Push(text));
            queue.pushes += 1;
        }
        self.shared.filled.notify_one();
    }

    /// Replies are never dropped; who does not read them is closed.
    pub fn reply(&self, text: Utf8Bytes) {
        let mut queue = self.queue();
        if queue.items.len() - queue.pushes >= MAX_REPLIES {
            queue
                .close
                .get_or_insert((CloseCode::PolicyViolation, "reads no replies"));
        } else {
            queue.items.push_back(Item::Reply(text));
        }
        self.shared.filled.notify_one();
    }

    /// A snapshot, which makes up for all that was dropped.
    pub fn resync(&self, text: Utf8Bytes) {
        let mut queue = self.queue();
        queue.behind = Behind::No;
        queue.items.push_back(Item::Push(text));
        queue.pushes += 1;
        self.shared.filled.notify_one();
    }

    /// After what waits already has been sent.
    pub fn close(&self, code: CloseCode, why: &'static str) {
        self.queue().close.get_or_insert((code, why));
        self.shared.filled.notify_one();
    }

    /// Waits for something to do. Cancel-safe: nothing is taken before it is returned.
    pub async fn next(&self) -> Next {
        loop {
            if let Some(next) = self.take() {
                return next;
            }
            self.shared.filled.notified().await;
        }
    }

    fn take(&self) -> Option<Next> {
        let mut queue = self.queue();
        match queue.items.pop_front() {
            Some(Item::Reply(text)) => return Some(Next::Send(text)),
            Some(Item::Push(text)) => {
                queue.pushes -= 1;
                return Some(Next::Send(text));
            }
            None => {}
        }
        if let Some((code, why)) = queue.close {
            return Some(Next::Close(code, why));
        }
        // Only once it has read all else: a snapshot is long.
        (queue.behind == Behind::Yes).then(|| {
            queue.behind = Behind::Asked;
            Next::Resync
        })
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.shared
            .queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn send(text: &str) -> Option<Next> {
        Some(Next::Send(Utf8Bytes::from(text)))
    }

    #[test]
    fn slow_reader_keeps_its_replies_and_gets_a_snapshot_for_the_pushes() {
        let outbox = Outbox::default();
        outbox.reply("reply".into());
        for n in 0..MAX_PUSHES + 10 {
            outbox.push(n.to_string().into());
        }
        assert_eq!(outbox.take(), send("reply"));
        assert_eq!(outbox.take(), Some(Next::Resync));
        assert_eq!(outbox.take(), None, "asked once");
        outbox.resync("snapshot".into());
        outbox.push("later".into());
        assert_eq!(outbox.take(), send("snapshot"));
        assert_eq!(outbox.take(), send("later"));
    }

    #[test]
    fn reader_that_never_reads_is_closed() {
        let outbox = Outbox::default();
        for _ in 0..=MAX_REPLIES {
            outbox.reply("reply".into());
        }
        for _ in 0..MAX_REPLIES {
            assert_eq!(outbox.take(), send("reply"));
        }
        assert!(matches!(
            outbox.take(),
            Some(Next::Close(CloseCode::PolicyViolation, _))
        ));
    }

    #[test]
    fn close_comes_after_what_waits() {
        let outbox = Outbox::default();
        outbox.push("last".into());
        outbox.close(CloseCode::ServiceRestart, "restart");
        outbox.close(CloseCode::Normal, "later ones do not count");
        assert_eq!(outbox.take(), send("last"));
        assert_eq!(
            outbox.take(),
            Some(Next::Close(CloseCode::ServiceRestart, "restart"))
        );
    }
}
