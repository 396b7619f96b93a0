//! The clients' process: many light clients, ordered by lines on its input.

use std::io::BufRead as _;
use std::net::UdpSocket;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Sender};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::crowd::{Crowd, Member};
use crate::light::{Identity, Light};
use crate::source::Source;

/// Makes this program the clients' process.
pub const ARGUMENT: &str = "--clients";
/// So long nothing more came: all that was under way has arrived.
const QUIET: Duration = Duration::from_millis(300);
/// So that a client which has to wait for its turn loses nothing.
const SOCKET_BUFFER_BYTES: usize = 4 << 20;
/// What client 0 sends.
#[derive(Clone, Copy, Debug)]
pub struct Flow {
    /// Of each frame, sent at once.
    pub packets: usize,
    /// Between frames.
    pub interval: Duration,
    /// Fifty packets a second beside the video.
    pub speech: bool,
}

/// What came of streaming, in packets.
#[derive(Clone, Copy, Debug, Default)]
pub struct Streamed {
    pub sent: u64,
    pub received: u64,
    /// Of those received: sent again.
    pub repaired: u64,
    /// From the source's sending of a video packet until the kernel had it for a receiver, in µs:
    /// the median, the 99th percentile, the longest.
    pub delay_us: [u64; 3],
}

/// The parent's end.
pub struct Clients {
    _child: Child,
    orders: ChildStdin,
    replies: Lines<BufReader<ChildStdout>>,
    /// Of the certificate of all clients, as SDP writes it.
    pub fingerprint: String,
}

impl Clients {
    pub async fn start() -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg(ARGUMENT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let orders = child.stdin.take().context("stdin")?;
        let mut replies = BufReader::new(child.stdout.take().context("stdout")?).lines();
        let fingerprint = replies.next_line().await?.context("fingerprint")?;
        Ok(Self {
            _child: child,
            orders,
            replies,
            fingerprint,
        })
    }

    pub async fn add(&mut self, name: u32, ufrag: &str, pwd: &str, port: u16) -> Result<()> {
        self.order(&format!("add {name} {ufrag} {pwd} {port}"))
            .await
    }

    /// Client 0 streams for that long.
    pub async fn stream(&mut self, time: Duration, flow: Flow) -> Result<Streamed> {
        let (packets, interval) = (flow.packets, flow.interval.as_micros());
        let (ms, speech) = (time.as_millis(), u8::from(flow.speech));
        self.order(&format!("stream {ms} {packets} {interval} {speech}"))
            .await?;
        let [sent, received, repaired, median, p99, longest] = self.reply().await?[..] else {
            anyhow::bail!("clients replied in another way");
        };
        Ok(Streamed {
            sent,
            received,
            repaired,
            delay_us: [median, p99, longest],
        })
    }

    /// Opens so many sockets that are only drained; gives their ports.
    pub async fn sinks(&mut self, sockets: usize) -> Result<Vec<u16>> {
        self.order(&format!("sinks {sockets}")).await?;
        let ports = self.reply().await?;
        Ok(ports.into_iter().map(|port| port as u16).collect())
    }

    /// How many packets were received since the last time.
    pub async fn received(&mut self) -> Result<u64> {
        self.order("received").await?;
        self.reply().await?.first().copied().context("no count")
    }

    async fn order(&mut self, line: &str) -> Result<()> {
        self.orders
            .write_all(format!("{line}\n").as_bytes())
            .await?;
        Ok(())
    }

    async fn reply(&mut self) -> Result<Vec<u64>> {
        let line = self.replies.next_line().await?.context("clients ended")?;
        line.split_whitespace()
            .map(|word| word.parse().context("not a number"))
            .collect()
    }
}

/// What all threads of the clients' process count.
#[derive(Debug, Default)]
pub struct Counts {
    pub sent: AtomicU64,
    pub received: AtomicU64,
    pub repaired: AtomicU64,
    /// Of a sample of the video packets received, in µs.
    pub delays_us: std::sync::Mutex<Vec<u32>>,
}

impl Counts {
    fn take(&self) -> Streamed {
        let take = |count: &AtomicU64| count.swap(0, Ordering::Relaxed);
        let mut delays = self.delays_us.lock().map_or_else(
            |poisoned| std::mem::take(&mut *poisoned.into_inner()),
            |mut delays| std::mem::take(&mut *delays),
        );
        delays.sort_unstable();
        let at = |per_mille: usize| {
            let place = (delays.len() * per_mille / 1_000).min(delays.len().saturating_sub(1));
            delays.get(place).copied().unwrap_or(0).into()
        };
        Streamed {
            sent: take(&self.sent),
            received: take(&self.received),
            repaired: take(&self.repaired),
            delay_us: [at(500), at(990), at(1_000)],
        }
    }

    /// Once nothing is under way any more.
    fn settled(&self) -> Streamed {
        let mut before = None;
        loop {
            let now = self.received.load(Ordering::Relaxed);
            if before.replace(now) == Some(now) {
                return self.take();
            }
            std::thread::sleep(QUIET);
        }
    }
}

/// The child's end: until its input ends. One thread has all receivers, one the source, so that
/// it sends when it should.
pub fn serve() -> Result<()> {
    let identity = Identity::generate();
    println!("{}", identity.fingerprint);
    let counts = Arc::new(Counts::default());
    let (members, joining) = mpsc::channel();
    let counted = counts.clone();
    std::thread::spawn(move || Crowd::new(joining, counted)?.run());
    let mut source: Option<Sender<(Duration, Flow)>> = None;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["add", name, ufrag, pwd, port] => {
                let name = name.parse()?;
                let light = Light::new(Instant::now(), name, &identity, ufrag, pwd);
                let socket = open()?;
                socket.connect(("127.0.0.1", port.parse()?))?;
                if name == 0 {
                    let (stream, streams) = mpsc::channel();
                    source = Some(stream);
                    let from = Source::new(light, socket, counts.clone());
                    std::thread::spawn(move || from.run(&streams));
                } else {
                    members.send(Member::new(socket, Some(light)))?;
                }
            }
            ["stream", ms, packets, interval, speech] => {
                let time = Duration::from_millis(ms.parse()?);
                let flow = Flow {
                    packets: packets.parse()?,
                    interval: Duration::from_micros(interval.parse()?),
                    speech: speech == "1",
                };
                counts.take();
                source.as_ref().context("no source")?.send((time, flow))?;
                std::thread::sleep(time);
                let c = counts.settled();
                let [median, p99, longest] = c.delay_us;
                let (sent, received, repaired) = (c.sent, c.received, c.repaired);
                println!("{sent} {received} {repaired} {median} {p99} {longest}");
            }
            ["sinks", sockets] => {
                let mut ports = Vec::new();
                for _ in 0..sockets.parse()? {
                    let socket = open()?;
                    ports.push(socket.local_addr()?.port().to_string());
                    members.send(Member::new(socket, None))?;
                }
                println!("{}", ports.join(" "));
            }
            ["received"] => println!("{}", counts.settled().received),
            _ => anyhow::bail!("what is {line}?"),
        }
    }
    Ok(())
}

fn open() -> Result<UdpSocket> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.set_nonblocking(true)?;
    let socket = socket2::Socket::from(socket);
    socket.set_recv_buffer_size(SOCKET_BUFFER_BYTES)?;
    Ok(socket.into())
}
