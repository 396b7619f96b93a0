//! A WebSocket client that may misbehave.

use std::time::Duration;

use anyhow::{Context, bail};
use futures_util::{SinkExt, StreamExt};
use http::header::{COOKIE, ORIGIN};
use liandong_protocol::{
    ClientMessage, Device, PROTOCOL_VERSION, RefusalCode, Reply, Request, ServerMessage,
};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::ServerProcess;

/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends whatever it is given, and reads one answer at a time.
#[derive(Debug)]
pub struct RawClient {
    socket: WebSocketStream<TlsStream<TcpStream>>,
    next_id: u32,
}

impl RawClient {
    /// Opens `/ws` with this cookie; says nothing yet.
    ///
    /// # Errors
    /// The upgrade is refused; the HTTP status is in the text.
    pub async fn open(server: &ServerProcess, cookie: &str) -> anyhow::Result<Self> {
        let address = server.address()?;
        let mut request = address.socket_url().into_client_request()?;
        request.headers_mut().insert(COOKIE, cookie.parse()?);
        request
            .headers_mut()
            .insert(ORIGIN, address.origin().parse()?);
        let (socket, _) = client_async(request, address.connect().await?).await?;
        Ok(Self { socket, next_id: 1 })
    }

    /// Logs in, opens and says hello as a console.
    ///
    /// # Errors
    /// Any step is refused.
    pub async fn welcomed(server: &ServerProcess, account: &str) -> anyhow::Result<Self> {
        let cookie = server.login(account).await?;
        let mut client = Self::open(server, &cookie).await?;
        let hello = Request::Hello {
            version: PROTOCOL_VERSION,
            device: Device::Console,
            resume: None,
            participant: None,
            auto_answer: false,
        };
        match client.request(hello).await? {
            Ok(Reply::Welcome { .. }) => Ok(client),
            other => bail!("hello was answered by {other:?}"),
        }
    }

    /// Sends one text as it is.
    ///
    /// # Errors
    /// The connection is gone.
    pub async fn say(&mut self, text: impl Into<String>) -> anyhow::Result<()> {
        Ok(self.socket.send(Message::Text(text.into().into())).await?)
    }

    /// Sends one binary message.
    ///
    /// # Errors
    /// The connection is gone.
    pub async fn say_bytes(&mut self, bytes: Vec<u8>) -> anyhow::Result<()> {
        Ok(self.socket.send(Message::Binary(bytes.into())).await?)
    }

    /// Sends a request and gives its reply or the refusal's code; pushes are passed over.
    ///
    /// # Errors
    /// No answer in time, or the connection is gone.
    pub async fn request(
        &mut self,
        request: Request,
    ) -> anyhow::Result<Result<Reply, RefusalCode>> {
        self.order(None, request).await
    }

    /// The same with an idempotency key.
    ///
    /// # Errors
    /// See [`Self::request`].
    pub async fn order(
        &mut self,
        key: Option<String>,
        request: Request,
    ) -> anyhow::Result<Result<Reply, RefusalCode>> {
        let id = self.next_id;
        self.next_id += 1;
        let message = ClientMessage { id, key, request };
        self.say(serde_json::to_string(&message)?).await?;
        match self.answer().await? {
            ServerMessage::Reply { id: of, reply } if of == id => Ok(Ok(reply)),
            ServerMessage::Refused { id: of, refusal } if of == id => Ok(Err(refusal.code)),
            other => bail!("an answer to another request: {other:?}"),
        }
    }

    /// The next reply or refusal; pushes are passed over.
    ///
    /// # Errors
    /// None in time, or the connection is gone.
    pub async fn answer(&mut self) -> anyhow::Result<ServerMessage> {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.socket.next())
                .await
                .context("no answer in time")?
                .context("the connection has ended")??;
            if let Message::Text(text) = message {
                match serde_json::from_str(&text)? {
                    ServerMessage::Push { .. } => {}
                    answer => return Ok(answer),
                }
            }
        }
    }

    /// Waits until the server closes, and gives the close code, if it said one.
    ///
    /// # Errors
    /// It stays open.
    pub async fn closed(&mut self) -> anyhow::Result<Option<u16>> {
        let ending = async {
            loop {
                match self.socket.next().await {
                    Some(Ok(Message::Close(frame))) => return frame.map(|f| f.code.into()),
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return None,
                }
            }
        };
        tokio::time::timeout(PATIENCE, ending)
            .await
            .context("the connection stays open")
    }
}
