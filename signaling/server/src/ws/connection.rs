//! The life of one connection.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use liandong_domain::{AccountId, ParticipantId};
use liandong_protocol::{
    ClientMessage, MAX_MESSAGE_BYTES, PROTOCOL_VERSION, Push, Refusal, RefusalCode, Request,
    ServerMessage,
};
use serde::Deserialize;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite;

use super::limits::{Cost, Limits, Verdict};
use super::outbox::{CloseCode, Next, Outbox};
use crate::auth::session::Held;
use crate::clock;
use crate::desk::clients::{ClientId, ConnectionId, encode, encode_push};
use crate::desk::{Desk, Hello};
use crate::http::App;
use crate::talk::Asking;
use crate::views::talk;
use crate::views::wire::{refuse, refuse_for};

const HELLO_WITHIN: Duration = Duration::from_secs(10);
const PING_EVERY: Duration = Duration::from_secs(5);
/// Beats are late when nothing came for so long.
const LATE_AFTER: Duration = Duration::from_millis(7_500);
const DEAD_AFTER: Duration = Duration::from_secs(15);
/// One message must be taken by the network within this.
const SEND_WITHIN: Duration = Duration::from_secs(15);
/// The close frame is a courtesy.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);

/// Who is at the other end, once it has said Hello.
type Who = OnceLock<(ClientId, ConnectionId)>;
/// The task in which the desk takes the client in.
type Arriving = Mutex<Option<JoinHandle<()>>>;

/// When the other end was last heard.
struct Heard {
    start: Instant,
    /// Since the start.
    at_ms: AtomicU64,
}

impl Heard {
    fn new() -> Self {
        Self {
            start: Instant::now(),
            at_ms: AtomicU64::new(0),
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn hear(&self) {
        self.at_ms.store(self.now_ms(), Ordering::Relaxed);
    }

    fn silent(&self) -> Duration {
        let at_ms = self.at_ms.load(Ordering::Relaxed);
        Duration::from_millis(self.now_ms().saturating_sub(at_ms))
    }
}

/// Runs the connection to its end.
pub async fn run(socket: WebSocket, app: App, held: Held) {
    let (sink, stream) = socket.split();
    let outbox = Outbox::default();
    let who = Arc::new(Who::default());
    let arriving = Arriving::default();
    let heard = Heard::new();
    let reader = Reader {
        app: &app,
        held: &held,
        outbox: &outbox,
        who: &who,
        arriving: &arriving,
        heard: &heard,
        limits: Limits::new(Instant::now()),
    };
    let writer = Writer {
        sink,
        app: &app,
        held: &held,
        outbox: &outbox,
        who: &who,
        heard: &heard,
        late: false,
    };
    // The writer ends by itself when the outbox says close; so after the
    // reader's end it still sends what waits.
    tokio::select! {
        () = writer.run() => {}
        () = async {
            reader.run(stream).await;
            std::future::pending::<()>().await;
        } => {}
    }
    // The desk may be taking the client in at this moment, or have done so
    // without our knowing yet: it would stay online for ever.
    let arrival = arriving
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    if let Some(arrival) = arrival {
        // A panic in it has been reported.
        let _ = arrival.await;
    }
    if let Some(&(client, connection)) = who.get() {
        app.desk.detach(client, connection).await;
        app.talk.detach(client, connection).await;
    }
}

struct Reader<'a> {
    app: &'a App,
    held: &'a Held,
    outbox: &'a Outbox,
    who: &'a Arc<Who>,
    arriving: &'a Arriving,
    heard: &'a Heard,
    limits: Limits,
}

impl Reader<'_> {
    /// Returns when nothing more is to be read; the outbox is told to close.
    async fn run(mut self, mut stream: SplitStream<WebSocket>) {
        loop {
            let received = if self.who.get().is_some() {
                stream.next().await
            } else {
                match tokio::time::timeout(HELLO_WITHIN, stream.next()).await {
                    Ok(received) => received,
                    Err(_) => {
                        return self.outbox.close(CloseCode::PolicyViolation, "no Hello");
                    }
                }
            };
            self.heard.hear();
            match received {
                Some(Ok(message @ (Message::Text(_) | Message::Binary(_))))
                    if length(&message) > MAX_MESSAGE_BYTES =>
                {
                    return self.too_large();
                }
                Some(Ok(Message::Text(text))) => {
                    if !self.text(&text).await {
                        return;
                    }
                }
                Some(Ok(Message::Binary(_))) => {
                    if !self.malformed(0, "binary messages are not understood") {
                        return;
                    }
                }
                // Pings are answered by the library.
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Close(_))) | None => {
                    return self.outbox.close(CloseCode::Normal, "");
                }
                Some(Err(error)) => return self.broken(error),
            }
        }
    }

    /// False: the connection ends.
    async fn text(&mut self, text: &str) -> bool {
        let now = Instant::now();
        let verdict = self.limits.message(now);
        if verdict != Verdict::Take {
            return self.slow_down(verdict, id_of(text));
        }
        let message = match serde_json::from_str::<ClientMessage>(text) {
            Ok(message) => message,
            Err(error) => return self.malformed(id_of(text), &error.to_string()),
        };
        let verdict = self.limits.request(now, Cost::from(&message.request));
        if verdict != Verdict::Take {
            return self.slow_down(verdict, message.id);
        }
        match self.who.get() {
            Some(&(client, connection)) => {
                self.request(client, connection, message).await;
                true
            }
            None => self.hello(message).await,
        }
    }

    /// To whom it concerns: the floor must not wait behind what the desk writes down.
    async fn request(&self, client: ClientId, connection: ConnectionId, message: ClientMessage) {
        let asking = Asking {
            client,
            connection,
            id: message.id,
        };
        let exchange = &self.app.talk;
        match message.request {
            Request::Floor { group, act } => {
                exchange.act(asking, talk::id_of(group), act).await;
            }
            Request::Here { place } => exchange.here(asking, place).await,
            _ => self.app.desk.message(client, connection, message).await,
        }
    }

    /// False: the connection ends.
    fn slow_down(&self, verdict: Verdict, id: u32) -> bool {
        match verdict {
            Verdict::Take => true,
            Verdict::Wait(wait) => {
                let refusal = refuse_for(RefusalCode::TooMany, "too many requests", wait);
                self.refused(id, refusal);
                true
            }
            Verdict::Enough => {
                self.outbox
                    .close(CloseCode::PolicyViolation, "too many requests");
                false
            }
        }
    }

    async fn hello(&mut self, message: ClientMessage) -> bool {
        let id = message.id;
        let Request::Hello {
            version,
            device,
            resume,
            participant,
            auto_answer,
        } = message.request
        else {
            self.refused(id, refuse(RefusalCode::HelloFirst, "say Hello first"));
            return true;
        };
        if version != PROTOCOL_VERSION {
            let what = format!("this server speaks version {PROTOCOL_VERSION}");
            self.refused(id, refuse(RefusalCode::ProtocolVersion, what));
            self.outbox
                .close(CloseCode::PolicyViolation, "protocol version");
            return false;
        }
        let hello = Hello {
            account: AccountId(self.held.account.0.clone()),
            device,
            auto_answer,
            resume,
            claim: participant.map(|claim| ParticipantId(claim.0)),
            outbox: self.outbox.clone(),
        };
        match self.attach(id, hello).await {
            Ok(()) => true,
            Err(refusal) => {
                self.refused(id, refusal);
                self.outbox
                    .close(CloseCode::PolicyViolation, "not taken in");
                false
            }
        }
    }

    /// In a task of its own, which goes on when the writer ends this reader in the
    /// middle of it.
    async fn attach(&self, id: u32, hello: Hello) -> Result<(), Refusal> {
        let (told, outcome) = oneshot::channel();
        let (desk, who) = (self.app.desk.clone(), Arc::clone(self.who));
        let talk = self.app.talk.clone();
        let (account, outbox) = (hello.account.clone(), hello.outbox.clone());
        let arrival = tokio::spawn(async move {
            let attached = desk.attach(id, hello).await;
            if let Ok((client, connection)) = attached {
                talk.attach(client, connection, account, outbox).await;
            }
            let outcome = attached.map(|attached| {
                // Only the first Hello comes here.
                let _ = who.set(attached);
            });
            // The reader may be gone.
            drop(told.send(outcome));
        });
        *self.arriving.lock().unwrap_or_else(PoisonError::into_inner) = Some(arrival);
        outcome.await.unwrap_or_else(|_| {
            Err(refuse(
                RefusalCode::JournalUnavailable,
                "the desk has ended",
            ))
        })
    }

    fn malformed(&mut self, id: u32, what: &str) -> bool {
        self.refused(id, refuse(RefusalCode::Malformed, what));
        let goes_on = self.limits.malformed();
        if !goes_on {
            self.outbox
                .close(CloseCode::PolicyViolation, "too many malformed messages");
        }
        goes_on
    }

    fn refused(&self, id: u32, refusal: Refusal) {
        self.outbox
            .reply(encode(&ServerMessage::Refused { id, refusal }));
    }

    fn too_large(&self) {
        self.refused(0, refuse(RefusalCode::TooLarge, "message too long"));
        self.outbox.close(CloseCode::TooBig, "message too long");
    }

    fn broken(&self, error: axum::Error) {
        let error = error.into_inner();
        match error.downcast_ref::<tungstenite::Error>() {
            Some(tungstenite::Error::Capacity(_)) => self.too_large(),
            Some(tungstenite::Error::Utf8(_)) => {
                self.outbox
                    .close(CloseCode::PolicyViolation, "text is not UTF-8");
            }
            _ => {
                tracing::debug!(%error, "connection broken");
                self.outbox.close(CloseCode::Normal, "");
            }
        }
    }
}

fn length(message: &Message) -> usize {
    match message {
        Message::Text(text) => text.len(),
        Message::Binary(bytes) => bytes.len(),
        Message::Ping(_) | Message::Pong(_) | Message::Close(_) => 0,
    }
}

/// The number of a message that cannot be read otherwise; 0 when that, too, cannot.
fn id_of(text: &str) -> u32 {
    #[derive(Deserialize)]
    struct Numbered {
        id: u32,
    }
    serde_json::from_str::<Numbered>(text).map_or(0, |numbered| numbered.id)
}

struct Writer<'a> {
    sink: SplitSink<WebSocket, Message>,
    app: &'a App,
    held: &'a Held,
    outbox: &'a Outbox,
    who: &'a Who,
    heard: &'a Heard,
    late: bool,
}

impl Writer<'_> {
    async fn run(mut self) {
        let mut ended = self.held.ended.clone();
        let mut over = false;
        let mut beat = tokio::time::interval(PING_EVERY);
        beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let goes_on = tokio::select! {
                next = self.outbox.next() => self.step(next).await,
                _ = beat.tick() => self.beat().await,
                // Nothing is ever sent: it changes by its end.
                _ = ended.changed(), if !over => {
                    over = true;
                    self.sign_out();
                    true
                }
            };
            if !goes_on {
                return;
            }
        }
    }

    async fn step(&mut self, next: Next) -> bool {
        match next {
            Next::Send(text) => self.send(Message::Text(text)).await,
            Next::Resync => {
                if let Some(&(client, connection)) = self.who.get() {
                    self.desk().resync(client, connection).await;
                    self.app.talk.resync(client).await;
                }
                true
            }
            Next::Close(code, why) => {
                let frame = CloseFrame {
                    code: code as u16,
                    reason: Utf8Bytes::from_static(why),
                };
                let close = self.sink.send(Message::Close(Some(frame)));
                // The other end may be long gone.
                drop(tokio::time::timeout(CLOSE_WITHIN, close).await);
                false
            }
        }
    }

    async fn beat(&mut self) -> bool {
        let silent = self.heard.silent();
        if silent >= DEAD_AFTER {
            return false;
        }
        let late = silent >= LATE_AFTER;
        if late != self.late {
            self.late = late;
            if let Some(&(client, connection)) = self.who.get() {
                self.desk().beats(client, connection, late).await;
            }
        }
        if !self.app.sessions.touch(self.held.id, clock::now_ms()) {
            self.sign_out();
        }
        self.send(Message::Ping(bytes::Bytes::new())).await
    }

    fn sign_out(&self) {
        let refusal = refuse(RefusalCode::NotSignedIn, "the session is over");
        self.outbox.push(encode_push(Push::SignedOut { refusal }));
        self.outbox
            .close(CloseCode::PolicyViolation, "the session is over");
    }

    async fn send(&mut self, message: Message) -> bool {
        matches!(
            tokio::time::timeout(SEND_WITHIN, self.sink.send(message)).await,
            Ok(Ok(()))
        )
    }

    fn desk(&self) -> &Desk {
        &self.app.desk
    }
}

#[cfg(test)]
mod tests;
