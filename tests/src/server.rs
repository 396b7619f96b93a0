//! The server in a process of its own, with a data folder and ports of its own.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use liandong_loadtest::scenario::{Choice, Fleet};
use liandong_loadtest::{Behaviour, MediaPlan, Server, Trust, sites};
use liandong_protocol::AccountId;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{Room, until};

/// Of all demo accounts of a server under test.
pub const PASSWORD: &str = "e2e-Nanjiang-3am";

/// Killed, with its data folder, when dropped.
#[derive(Debug)]
pub struct ServerProcess {
    folder: TempDir,
    port: u16,
    child: Option<Child>,
    /// Little room for its data.
    room: Option<Room>,
}

impl ServerProcess {
    /// Starts a fresh server with the demo county and waits until it is ready.
    ///
    /// # Errors
    /// It does not start, or is not ready in time.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_in(None).await
    }

    /// The same with little room for its data, see [`Self::fill`].
    ///
    /// # Errors
    /// See [`Self::start`].
    pub async fn start_in(room: Option<Room>) -> anyhow::Result<Self> {
        let mut server = Self {
            folder: TempDir::new()?,
            port: free_port()?,
            child: None,
            room,
        };
        std::fs::create_dir(server.folder.path().join("data"))?;
        server.run().await?;
        Ok(server)
    }

    /// Starts the process on the same data and ports, again after [`Self::kill`].
    ///
    /// # Errors
    /// See [`Self::start`].
    pub async fn run(&mut self) -> anyhow::Result<()> {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.path().join("server.log"))?;
        let port = self.port.to_string();
        let (program, data) = (binary("liandong")?, self.folder.path().join("data"));
        let mut command = match self.room {
            Some(room) => room.command(&program, &data),
            None => Command::new(program),
        };
        let child = command
            .arg("serve")
            .arg("--config")
            .arg(root().join("deploy/nanjiang/liandong.toml"))
            .arg("--data")
            .arg(data)
            .args(["--https-port", &port, "--media-port", &port])
            .env("LIANDONG_DEMO_PASSWORD", PASSWORD)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("liandong does not start")?;
        self.child = Some(child);
        until("the server is ready", Duration::from_secs(20), || async {
            self.get("/healthz")
                .await
                .is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
        })
        .await
        .with_context(|| self.log())
    }

    /// As a power cut would.
    ///
    /// # Errors
    /// It is not running.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        let mut child = self.child.take().context("the server is not running")?;
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    /// Leaves no room on its disk.
    ///
    /// # Errors
    /// It was not started in a [`Room`], or does not run.
    pub fn fill(&self) -> anyhow::Result<()> {
        let (room, process) = self.in_room()?;
        room.fill(&self.data(), process)
    }

    /// Makes room again.
    ///
    /// # Errors
    /// See [`Self::fill`].
    pub fn empty(&self) -> anyhow::Result<()> {
        let (room, process) = self.in_room()?;
        room.empty(&self.data(), process)
    }

    fn in_room(&self) -> anyhow::Result<(Room, u32)> {
        let room = self.room.context("its disk has room")?;
        let child = self.child.as_ref().context("the server is not running")?;
        Ok((room, child.id()))
    }

    /// It has not ended by itself.
    pub fn is_running(&mut self) -> bool {
        self.child
            .as_mut()
            .is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    #[must_use]
    pub fn data(&self) -> PathBuf {
        let data = self.folder.path().join("data");
        match self.in_room() {
            Ok((room, process)) => room.seen(&data, process),
            Err(_) => data,
        }
    }

    /// The file of the journal.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.data().join("liandong.db")
    }

    /// What the server wrote.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("server.log")).unwrap_or_default()
    }

    /// The server as clients reach it.
    ///
    /// # Errors
    /// Its certificate authority cannot be read.
    pub fn address(&self) -> anyhow::Result<Server> {
        let ca = self.data().join("tls/ca.pem");
        Ok(Server::new(
            &format!("https://127.0.0.1:{}", self.port),
            &Trust::Authority(&ca),
        )?)
    }

    /// Bots of this server that answer at once.
    ///
    /// # Errors
    /// See [`Self::address`].
    pub fn fleet(&self, media: Option<MediaPlan>) -> anyhow::Result<Fleet> {
        Ok(Fleet {
            server: self.address()?,
            passwords: Choice::Same(PASSWORD.to_owned()),
            behaviour: Behaviour::AnswerAfter(Duration::ZERO),
            media,
            roll: Arc::new(
                sites::read(None)?
                    .into_iter()
                    .map(|site| (site.code, site.index))
                    .collect(),
            ),
        })
    }

    /// The whole answer to a plain GET over HTTP/1.1, head and body.
    ///
    /// # Errors
    /// No connection.
    pub async fn get(&self, path: &str) -> anyhow::Result<String> {
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
        let mut stream = self.address()?.connect().await?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        // Servers may close without the TLS goodbye; what came, came.
        if let Err(error) = stream.read_to_end(&mut answer).await
            && answer.is_empty()
        {
            return Err(error.into());
        }
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    /// The sum of all samples of one metric whose labels contain this text.
    ///
    /// # Errors
    /// No such metric.
    pub async fn metric(&self, name: &str, label: &str) -> anyhow::Result<f64> {
        let text = self.get("/metrics").await?;
        let values: Vec<f64> = text
            .lines()
            .filter(|line| {
                line.strip_prefix(name)
                    .is_some_and(|rest| rest.starts_with([' ', '{']) && rest.contains(label))
            })
            .filter_map(|line| line.rsplit(' ').next()?.parse().ok())
            .collect();
        if values.is_empty() {
            bail!("there is no metric {name} in\n{text}");
        }
        Ok(values.iter().sum())
    }

    /// The account's session cookie.
    ///
    /// # Errors
    /// The login is refused.
    pub async fn login(&self, account: &str) -> anyhow::Result<String> {
        let session = self
            .address()?
            .login(&AccountId::from(account), PASSWORD)
            .await?;
        Ok(session.cookie)
    }

    /// Runs `liandong journal verify` on this server's data.
    ///
    /// # Errors
    /// The command does not start.
    pub fn verify_journal(&self) -> anyhow::Result<Output> {
        let program = binary("liandong")?;
        let mut command = match self.in_room() {
            Ok((room, process)) => room.beside(&program, process),
            Err(_) => Command::new(program),
        };
        Ok(command
            .args(["journal", "verify", "--data"])
            .arg(self.folder.path().join("data"))
            .output()?)
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.kill();
        if std::thread::panicking() {
            eprintln!("--- the server's log ---\n{}", self.log());
        }
    }
}

/// Free for TCP and UDP at this moment.
fn free_port() -> anyhow::Result<u16> {
    for _ in 0..50 {
        let port = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0))?
            .local_addr()?
            .port();
        if UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no port is free for both TCP and UDP")
}

fn root() -> &'static Path {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    folder.parent().unwrap_or(folder)
}

/// Beside this test's own binary.
fn binary(name: &str) -> anyhow::Result<PathBuf> {
    let test = std::env::current_exe()?;
    let folder = test.parent().and_then(Path::parent);
    let path = folder.context("the test has no folder")?.join(name);
    if !path.exists() {
        bail!("{} is missing: build it first (make build)", path.display());
    }
    Ok(path)
}
