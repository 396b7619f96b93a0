//! One WebSocket to the server: requests with replies, and pushes.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use http::HeaderValue;
use http::header::{COOKIE, ORIGIN};
use liandong_protocol::{ClientMessage, Push, Refusal, RefusalCode, Reply, Request, ServerMessage};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::server::{LoginError, Server, Session};

/// Requests that wait to be sent.
const OUTGOING: usize = 64;
/// Pushes that wait to be read; a bot that is slower than that slows the server's socket.
const PUSHES: usize = 1024;
/// How often the line is probed.
const PING_EVERY: Duration = Duration::from_secs(10);
/// Silent for so long, the line counts as cut.
const SILENCE: Duration = Duration::from_secs(25);

/// Why a request got no reply.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The server said no.
    #[error("{} ({:?})", .0.message, .0.code)]
    Refused(Refusal),
    /// The connection was lost before the reply: whether the order acted is
    /// not known. Sent again with the same key it acts once.
    #[error("connection lost")]
    Lost,
}

/// Sends requests over one connection.
#[derive(Clone, Debug)]
pub struct Link {
    pub(super) outgoing: mpsc::Sender<Outgoing>,
}

#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) key: Option<String>,
    pub(super) request: Request,
    pub(super) reply: oneshot::Sender<Result<Reply, RequestError>>,
}

impl Link {
    /// Opens the WebSocket. The pushes end when the connection is lost.
    ///
    /// # Errors
    /// [`LoginError::Refused`] with [`RefusalCode::NotSignedIn`] where the
    /// session is gone.
    pub async fn open(
        server: &Server,
        session: &Session,
    ) -> Result<(Self, mpsc::Receiver<Push>), LoginError> {
        let unexpected = |e: String| LoginError::Unexpected(e);
        let mut request = server
            .socket_url()
            .into_client_request()
            .map_err(|e| unexpected(e.to_string()))?;
        let value = |text: &str| HeaderValue::from_str(text).map_err(|e| unexpected(e.to_string()));
        let cookie = value(&session.cookie)?;
        let origin = value(&server.origin())?;
        request.headers_mut().insert(COOKIE, cookie);
        request.headers_mut().insert(ORIGIN, origin);
        let stream = server.connect().await?;
        let (socket, _) = client_async(request, stream).await.map_err(refusal)?;
        let (outgoing, requests) = mpsc::channel(OUTGOING);
        let (pushes, received) = mpsc::channel(PUSHES);
        tokio::spawn(Line::new(socket, pushes).run(requests));
        Ok((Self { outgoing }, received))
    }

    /// Sends one request and waits for its reply.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn request(&self, request: Request) -> Result<Reply, RequestError> {
        self.order(None, request).await
    }

    /// The same with an idempotency key.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn order(
        &self,
        key: Option<String>,
        request: Request,
    ) -> Result<Reply, RequestError> {
        let (reply, answer) = oneshot::channel();
        let outgoing = Outgoing {
            key,
            request,
            reply,
        };
        self.outgoing
            .send(outgoing)
            .await
            .map_err(|_| RequestError::Lost)?;
        answer.await.unwrap_or(Err(RequestError::Lost))
    }
}

/// The handshake's error in terms of the login.
fn refusal(error: SocketError) -> LoginError {
    let SocketError::Http(response) = error else {
        return LoginError::Unreachable(error.to_string());
    };
    let status = response.status();
    let refusal = response
        .into_body()
        .and_then(|body| serde_json::from_slice::<Refusal>(&body).ok());
    match refusal {
        Some(refusal) => LoginError::Refused(refusal),
        None if status == http::StatusCode::UNAUTHORIZED => LoginError::Refused(Refusal {
            code: RefusalCode::NotSignedIn,
            message: "no session".into(),
            retry_after_ms: None,
        }),
        None => LoginError::Unexpected(format!("status {status}")),
    }
}

/// The task that owns the socket.
struct Line {
    socket: WebSocketStream<TlsStream<TcpStream>>,
    pushes: mpsc::Sender<Push>,
    waiting: HashMap<u32, oneshot::Sender<Result<Reply, RequestError>>>,
    next_id: u32,
    heard: Instant,
}

impl Line {
    fn new(socket: WebSocketStream<TlsStream<TcpStream>>, pushes: mpsc::Sender<Push>) -> Self {
        Self {
            socket,
            pushes,
            waiting: HashMap::new(),
            next_id: 1,
            heard: Instant::now(),
        }
    }

    async fn run(mut self, mut requests: mpsc::Receiver<Outgoing>) {
        let mut ping = tokio::time::interval(PING_EVERY);
        loop {
            let going = tokio::select! {
                message = self.socket.next() => match message {
                    Some(Ok(message)) => self.receive(message).await,
                    Some(Err(error)) => {
                        tracing::debug!(%error, "the WebSocket broke");
                        false
                    }
                    None => false,
                },
                request = requests.recv() => match request {
                    Some(request) => self.send(request).await,
                    None => false,
                },
                _ = ping.tick() => {
                    self.heard.elapsed() < SILENCE
                        && self.socket.send(Message::Ping(Vec::new().into())).await.is_ok()
                }
            };
            if !going {
                break;
            }
        }
        // Waiting requests learn of the loss when their senders are dropped.
        // The goodbye is a courtesy; the line may be gone.
        let _ = tokio::time::timeout(Duration::from_secs(1), self.socket.close(None)).await;
    }

    async fn send(&mut self, outgoing: Outgoing) -> bool {
        let id = self.next_id;
        self.next_id = self.next_id.wrapping_add(1).max(1);
        let message = ClientMessage {
            id,
            key: outgoing.key,
            request: outgoing.request,
        };
        let text = match serde_json::to_string(&message) {
            Ok(text) => text,
            Err(error) => {
                tracing::warn!(%error, "a request cannot be written as JSON");
                return true;
            }
        };
        self.waiting.insert(id, outgoing.reply);
        self.socket.send(Message::Text(text.into())).await.is_ok()
    }

    /// False when the line is over.
    async fn receive(&mut self, message: Message) -> bool {
        self.heard = Instant::now();
        let text = match message {
            Message::Text(text) => text,
            Message::Close(frame) => {
                tracing::debug!(?frame, "the server closed the WebSocket");
                return false;
            }
            // Pings are answered by the socket itself.
            Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {
                return true;
            }
        };
        let (id, result) = match serde_json::from_str::<ServerMessage>(&text) {
            Ok(ServerMessage::Push { push }) => return self.pushes.send(push).await.is_ok(),
            Ok(ServerMessage::Reply { id, reply }) => (id, Ok(reply)),
            Ok(ServerMessage::Refused { id, refusal }) => (id, Err(RequestError::Refused(refusal))),
            Err(error) => {
                let start: String = text.chars().take(200).collect();
                tracing::warn!(%error, start, "a message that is not of this protocol");
                return true;
            }
        };
        match self.waiting.remove(&id) {
            // The asker may have given up.
            Some(waiting) => drop(waiting.send(result)),
            None => tracing::warn!(id, ?result, "a reply to no request"),
        }
        true
    }
}
