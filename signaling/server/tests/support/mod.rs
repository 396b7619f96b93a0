//! The real program on ports of its own, and a plain client.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "support of tests only"
)]

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use liandong_protocol::{
    ClientMessage, Device, PROTOCOL_VERSION, Push, Refusal, Reply, Request, ServerMessage,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use sha2::Digest as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{self, Message};

pub const PASSWORD: &str = "a-password-of-tests";
/// Nothing here takes so long; a test that waits longer has failed.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub const PLATFORM_KEY: &str = "0123456789abcdef0123456789abcdef";
pub const PLATFORM_TOKEN: &str = "token-of-the-hotline";
pub const GRID_TOKEN: &str = "token-of-the-grid";

const SITES: &str = "code,tier,name,parent,longitude,latitude\n\
    1,county,County,,106.8,32.3\n\
    101,township,North,1,106.8,32.4\n\
    102,township,South,1,106.8,32.2\n\
    101001,community,Mill,101,106.8,32.5\n";
const ACCOUNTS: &str = "account,name,role,site,password_hash\n\
    commander,Commander,commander,1,\n\
    field1,Patrol,field,101,\n";
const CONFIG: &str = "[county]\nname = \"County\"\nsites = \"sites.csv\"\n\
    [accounts]\nfile = \"accounts.csv\"\nper_site = true\ndemo_password = true\n";

/// A folder with a small county; servers come and go on it.
pub struct County {
    pub folder: tempfile::TempDir,
    pub port: u16,
}

pub struct Server {
    child: Child,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// As an operator does it; returns when it has stopped.
    pub fn stop(&mut self) {
        let pid = self.child.id().to_string();
        let told = Command::new("kill").args(["-TERM", &pid]).status().unwrap();
        assert!(told.success());
        assert!(self.child.wait().unwrap().success());
    }
}

fn liandong(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_liandong"));
    command.args(arguments);
    command
}

impl County {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("sites.csv", SITES),
            ("accounts.csv", ACCOUNTS),
            ("liandong.toml", CONFIG),
        ] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        Self {
            folder,
            port: free_port(),
        }
    }

    /// One more line of the section of accounts.
    pub fn configure(&self, line: &str) {
        let path = self.folder.path().join("liandong.toml");
        std::fs::write(path, format!("{CONFIG}{line}\n")).unwrap();
    }

    /// One more line of the section of the county.
    pub fn configure_county(&self, line: &str) {
        let path = self.folder.path().join("liandong.toml");
        let text = CONFIG.replacen("[accounts]", &format!("{line}\n[accounts]"), 1);
        std::fs::write(path, text).unwrap();
    }

    /// One more row of the table of accounts.
    pub fn add_account(&self, row: &str) {
        let path = self.folder.path().join("accounts.csv");
        std::fs::write(path, format!("{ACCOUNTS}{row}\n")).unwrap();
    }

    /// With an administrator and two platforms: `12345` signs and has a token, `grid` may report
    /// to 101 only.
    pub fn with_platforms() -> Self {
        use std::os::unix::fs::PermissionsExt as _;
        let county = Self::new();
        county.add_account("admin,Admin,administrator,1,");
        let folder = county.folder.path();
        let key = folder.join("12345.key");
        std::fs::write(&key, format!("{PLATFORM_KEY}\n")).unwrap();
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
        let hash = |token: &str| hex::encode(sha2::Sha256::digest(token));
        let platforms = format!(
            "[[platforms]]\nid = \"12345\"\nname = \"12345 热线\"\nkey_file = \"12345.key\"\n\
             token_sha256 = \"{}\"\n\
             [[platforms]]\nid = \"grid\"\nname = \"网格\"\nsite = \"101\"\n\
             token_sha256 = \"{}\"\nrights = [\"report\"]\nrequests_per_minute = 3\n",
            hash(PLATFORM_TOKEN),
            hash(GRID_TOKEN),
        );
        std::fs::write(folder.join("liandong.toml"), format!("{CONFIG}{platforms}")).unwrap();
        county
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_liandong"));
        command
            .arg("serve")
            .arg("--config")
            .arg(self.folder.path().join("liandong.toml"))
            .arg("--data")
            .arg(self.data())
            .args(["--listen", "127.0.0.1", "--workers", "1"])
            .args(["--https-port", &self.port.to_string()])
            .args(["--media-port", &self.port.to_string()])
            .env("LIANDONG_DEMO_PASSWORD", PASSWORD)
            .env("LIANDONG_LOG", "warn");
        command
    }

    /// Returns once the addresses are printed: then it serves.
    pub fn start(&self) -> Server {
        let mut child = self.command().stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let served = lines.any(|line| line.unwrap().contains("all of them:"));
        assert!(served, "the server did not start");
        Server { child }
    }

    /// Why it does not start.
    pub fn complaint_at_start(&self) -> String {
        let mut child = self.command().stderr(Stdio::piped()).spawn().unwrap();
        let began = Instant::now();
        let ended = loop {
            if let Some(ended) = child.try_wait().unwrap() {
                break ended;
            }
            if began.elapsed() > PATIENCE {
                child.kill().unwrap();
                panic!("it started");
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        assert!(!ended.success());
        complaint(&mut child)
    }

    pub fn store(&self) -> PathBuf {
        self.data().join("liandong.db")
    }

    /// What `liandong journal verify` says, and whether it is content.
    pub fn verify(&self) -> (bool, String) {
        self.said(&mut liandong(&["journal", "verify"]))
    }

    /// The same of another command that names a folder.
    pub fn run(&self, command: &[&str], folder: &Path) -> (bool, String) {
        self.said(liandong(command).arg(folder))
    }

    fn said(&self, command: &mut Command) -> (bool, String) {
        let output = command.arg("--data").arg(self.data()).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (
            output.status.success(),
            String::from_utf8_lossy(&said).into_owned(),
        )
    }

    async fn connect(&self) -> TlsStream<TcpStream> {
        let mut roots = rustls::RootCertStore::empty();
        let authority = self.data().join("tls/ca.pem");
        roots
            .add(CertificateDer::from_pem_file(authority).unwrap())
            .unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        TlsConnector::from(Arc::new(config))
            .connect(ServerName::try_from("localhost").unwrap(), stream)
            .await
            .unwrap()
    }

    /// One HTTP/1.1 request: the status, the cookie that it set, the body.
    pub async fn http(
        &self,
        method: &str,
        path: &str,
        headers: &str,
        body: &str,
    ) -> (u16, Option<String>, String) {
        let (status, head, body) = self.answer(method, path, headers, body).await;
        let cookie = head.lines().find_map(|line| {
            let value = line.strip_prefix("set-cookie: ")?;
            Some(value.split(';').next().unwrap_or(value).to_owned())
        });
        (status, cookie, body)
    }

    /// The same with the whole head.
    pub async fn answer(
        &self,
        method: &str,
        path: &str,
        headers: &str,
        body: &str,
    ) -> (u16, String, String) {
        let mut stream = self.connect().await;
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost:{}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n{headers}\r\n{body}",
            self.port,
            body.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        // Closing without TLS's farewell is no matter here.
        let _ = stream.read_to_end(&mut bytes).await;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head.to_owned(), body.to_owned())
    }

    pub async fn login(&self, account: &str, password: &str) -> (u16, Option<String>, String) {
        let body = serde_json::json!({ "account": account, "password": password });
        self.http("POST", "/api/login", "", &body.to_string()).await
    }

    /// The cookie of a login that has to succeed.
    pub async fn cookie(&self, account: &str) -> String {
        let (status, cookie, body) = self.login(account, PASSWORD).await;
        assert_eq!(status, 200, "{body}");
        cookie.unwrap()
    }

    /// A WebSocket, or the status of its refusal.
    pub async fn socket(&self, headers: &[(&'static str, &str)]) -> Result<Client, u16> {
        let mut request = format!("wss://localhost:{}/ws", self.port)
            .into_client_request()
            .unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match tokio_tungstenite::client_async(request, self.connect().await).await {
            Ok((socket, _)) => Ok(Client {
                socket,
                last_id: 0,
                pushes: Vec::new(),
            }),
            Err(tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    /// Signed in, connected, welcomed.
    pub async fn client(&self, account: &str) -> (Client, Reply) {
        let cookie = self.cookie(account).await;
        let mut client = self.socket(&[("cookie", &cookie)]).await.unwrap();
        let welcome = client.hello(None).await.unwrap();
        (client, welcome)
    }
}

pub struct Client {
    pub socket: WebSocketStream<TlsStream<TcpStream>>,
    last_id: u32,
    /// Came while something else was waited for.
    pub pushes: Vec<Push>,
}

impl Client {
    pub async fn hello(&mut self, resume: Option<String>) -> Result<Reply, Refusal> {
        self.ask(Request::Hello {
            version: PROTOCOL_VERSION,
            device: Device::Console,
            resume,
            participant: None,
            auto_answer: true,
        })
        .await
    }

    pub async fn ask(&mut self, request: Request) -> Result<Reply, Refusal> {
        self.ask_once(request, None).await
    }

    pub async fn ask_once(
        &mut self,
        request: Request,
        key: Option<&str>,
    ) -> Result<Reply, Refusal> {
        let sent = self.begin(request, key).await;
        let (id, result) = self.reply().await;
        assert_eq!(id, sent);
        result
    }

    pub async fn send(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    /// The next reply or refusal.
    pub async fn reply(&mut self) -> (u32, Result<Reply, Refusal>) {
        loop {
            match self.next().await {
                Ok(ServerMessage::Reply { id, reply }) => return (id, Ok(reply)),
                Ok(ServerMessage::Refused { id, refusal }) => return (id, Err(refusal)),
                Ok(ServerMessage::Push { push }) => self.pushes.push(push),
                Err(code) => panic!("closed with {code}"),
            }
        }
    }

    /// The next reply or refusal, or nothing once the connection has ended.
    pub async fn reply_or_end(&mut self) -> Option<(u32, Result<Reply, Refusal>)> {
        loop {
            match self.next().await {
                Ok(ServerMessage::Reply { id, reply }) => return Some((id, Ok(reply))),
                Ok(ServerMessage::Refused { id, refusal }) => return Some((id, Err(refusal))),
                Ok(ServerMessage::Push { push }) => self.pushes.push(push),
                Err(_) => return None,
            }
        }
    }

    /// Sends a request without waiting; the number that its answer will have.
    pub async fn begin(&mut self, request: Request, key: Option<&str>) -> u32 {
        self.last_id += 1;
        let message = ClientMessage {
            id: self.last_id,
            key: key.map(str::to_owned),
            request,
        };
        self.send(&serde_json::to_string(&message).unwrap()).await;
        self.last_id
    }

    /// The next push that is wanted.
    pub async fn push<T>(&mut self, wanted: impl Fn(&Push) -> Option<T>) -> T {
        for push in std::mem::take(&mut self.pushes) {
            if let Some(found) = wanted(&push) {
                return found;
            }
        }
        loop {
            match self.next().await {
                Ok(ServerMessage::Push { push }) => {
                    if let Some(found) = wanted(&push) {
                        return found;
                    }
                }
                Ok(other) => panic!("a reply to nothing: {other:?}"),
                Err(code) => panic!("closed with {code}"),
            }
        }
    }

    /// Reads to the end and gives the close code.
    pub async fn closed(&mut self) -> u16 {
        loop {
            match self.next().await {
                Ok(ServerMessage::Push { push }) => self.pushes.push(push),
                Ok(_) => {}
                Err(code) => return code,
            }
        }
    }

    async fn next(&mut self) -> Result<ServerMessage, u16> {
        loop {
            let received = tokio::time::timeout(PATIENCE, self.socket.next())
                .await
                .expect("nothing came");
            match received {
                Some(Ok(Message::Text(text))) => {
                    return Ok(serde_json::from_str(&text).unwrap());
                }
                Some(Ok(Message::Close(frame))) => {
                    return Err(frame.map_or(1005, |frame| frame.code.into()));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(1006),
            }
        }
    }
}

fn free_port() -> u16 {
    // Free for TCP and UDP both, since media uses the same number.
    (0..100)
        .find_map(|_| {
            let tcp = TcpListener::bind("127.0.0.1:0").ok()?;
            let port = tcp.local_addr().ok()?.port();
            UdpSocket::bind(("127.0.0.1", port)).ok()?;
            Some(port)
        })
        .expect("no free port")
}

/// What the process said on standard error, once it has ended.
pub fn complaint(child: &mut Child) -> String {
    let mut text = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    text
}
