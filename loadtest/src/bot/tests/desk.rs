//! The server's side of the conversation, told by the test what to say.

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::{Method, Request as HttpRequest, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use liandong_protocol::http::{Login, Me};
use liandong_protocol::{
    ClientMessage, Directory, Refusal, RefusalCode, Role, ServerMessage, SiteCode, Snapshot, Tier,
};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role as SocketRole;

use super::*;

pub(super) const PASSWORD: &str = "right-password";

/// A listening desk; each WebSocket that a bot opens comes out of `calls`.
pub(super) struct Desk {
    pub(super) server: Server,
    pub(super) calls: mpsc::Receiver<Call>,
    pub(super) logins: Arc<AtomicUsize>,
    /// Cookies up to this number are no longer good.
    pub(super) expired: Arc<AtomicUsize>,
}

/// One WebSocket, from the server's end.
pub(super) struct Call(WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>);

impl Call {
    pub(super) async fn next(&mut self) -> ClientMessage {
        loop {
            if let Message::Text(text) = self.0.next().await.unwrap().unwrap() {
                return serde_json::from_str(&text).unwrap();
            }
        }
    }

    pub(super) async fn say(&mut self, message: &ServerMessage) {
        let text = serde_json::to_string(message).unwrap();
        self.0.send(Message::Text(text.into())).await.unwrap();
    }

    /// Takes the hello and welcomes; gives the resume token that came with it.
    pub(super) async fn welcome(&mut self, resume: &str, resumed: bool) -> Option<String> {
        let hello = self.next().await;
        let Request::Hello { resume: came, .. } = hello.request else {
            panic!("{hello:?}");
        };
        let reply = Reply::Welcome {
            me: me(),
            resume: resume.to_owned(),
            resumed,
            server_time_ms: 0.0,
            snapshot: snapshot(),
            ice_servers: Vec::new(),
        };
        let id = hello.id;
        self.say(&ServerMessage::Reply { id, reply }).await;
        came
    }
}

fn me() -> Me {
    Me {
        account: AccountId::from("511922101"),
        name: "沙河镇".into(),
        role: Role::Township,
        site: SiteCode::from("511922101"),
        site_name: "沙河镇综治中心".into(),
        tier: Tier::Township,
        county_name: "南江县".into(),
    }
}

fn snapshot() -> Snapshot {
    Snapshot {
        directory: Directory {
            sites: Vec::new(),
            people: Vec::new(),
        },
        conferences: Vec::new(),
        invitations: Vec::new(),
        participants: Vec::new(),
        incidents: Vec::new(),
        pursuits: Vec::new(),
        rings: Vec::new(),
        doors: Vec::new(),
        own_participant: None,
    }
}

impl Desk {
    pub(super) async fn open() -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (calls_tx, calls) = mpsc::channel(8);
        let (logins, expired) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let state = (calls_tx, logins.clone(), expired.clone());
        tokio::spawn(async move {
            loop {
                let (tcp, _) = listener.accept().await.unwrap();
                let (acceptor, state) = (acceptor.clone(), state.clone());
                tokio::spawn(async move {
                    let Ok(tls) = acceptor.accept(tcp).await else {
                        return;
                    };
                    let service = service_fn(move |request| serve(request, state.clone()));
                    let connection = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(tls), service)
                        .with_upgrades();
                    // The bot may hang up at any time.
                    let _ = connection.await;
                });
            }
        });
        let address = format!("https://127.0.0.1:{port}");
        Self {
            server: Server::new(&address, &crate::Trust::Anybody).unwrap(),
            calls,
            logins,
            expired,
        }
    }

    /// The next WebSocket of the bot.
    pub(super) async fn call(&mut self) -> Call {
        let call = self.calls.recv();
        let call = tokio::time::timeout(Duration::from_secs(30), call).await;
        call.unwrap().unwrap()
    }
}

type State = (mpsc::Sender<Call>, Arc<AtomicUsize>, Arc<AtomicUsize>);

async fn serve(
    mut request: HttpRequest<Incoming>,
    (calls, logins, expired): State,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    if request.method() == Method::POST && request.uri().path() == "/api/login" {
        let body = request.into_body().collect().await?.to_bytes();
        let login: Login = serde_json::from_slice(&body).unwrap();
        if login.password != PASSWORD {
            return Ok(no(RefusalCode::WrongLogin));
        }
        let number = logins.fetch_add(1, Ordering::SeqCst) + 1;
        let body = serde_json::to_vec(&me()).unwrap();
        return Ok(Response::builder()
            .header(
                header::SET_COOKIE,
                format!("__Host-liandong={number}; Path=/; Secure; HttpOnly"),
            )
            .body(Full::from(body))
            .unwrap());
    }
    assert_eq!(request.uri().path(), "/ws");
    let cookie = request.headers()[header::COOKIE].to_str().unwrap();
    let number: usize = cookie.split_once('=').unwrap().1.parse().unwrap();
    if number <= expired.load(Ordering::SeqCst) {
        return Ok(no(RefusalCode::NotSignedIn));
    }
    let key = request.headers()[header::SEC_WEBSOCKET_KEY].as_bytes();
    let accept = derive_accept_key(key);
    tokio::spawn(async move {
        let upgraded = TokioIo::new(hyper::upgrade::on(&mut request).await.unwrap());
        let socket = WebSocketStream::from_raw_socket(upgraded, SocketRole::Server, None).await;
        calls.send(Call(socket)).await.unwrap();
    });
    Ok(Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_ACCEPT, accept)
        .body(Full::default())
        .unwrap())
}

fn no(code: RefusalCode) -> Response<Full<Bytes>> {
    let refusal = Refusal {
        code,
        message: "no".into(),
        retry_after_ms: None,
    };
    Response::builder()
        .status(StatusCode::UNAUTHORIZED)
        .body(Full::from(serde_json::to_vec(&refusal).unwrap()))
        .unwrap()
}
