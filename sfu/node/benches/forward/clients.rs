//! The clients' process: many light clients, ordered by lines on its input.

use std::cell::RefCell;
use std::process::Stdio;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::UdpSocket;
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::mpsc;

use crate::light::{self, Got, Identity, Light};

/// Makes this program the clients' process.
pub const ARGUMENT: &str = "--clients";
const SPEECH: Duration = Duration::from_millis(20);
/// Payload of each video packet, as in the raw loop.
const VIDEO_PAYLOAD: usize = 1_200;
/// So long nothing more came: all that was under way has arrived.
const QUIET: Duration = Duration::from_millis(300);
/// So that a client which has to wait for its turn loses nothing.
const SOCKET_BUFFER_BYTES: usize = 4 << 20;
const REPORT: Duration = Duration::from_secs(1);
/// One of so many video packets is asked for again.
const ASK_AGAIN: u16 = 256;

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
        let [sent, received, repaired] = self.reply().await?[..] else {
            anyhow::bail!("clients replied in another way");
        };
        Ok(Streamed {
            sent,
            received,
            repaired,
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

type Counts = Rc<RefCell<Streamed>>;

/// The child's end: until its input ends.
pub async fn serve() -> Result<()> {
    let identity = Identity::generate();
    println!("{}", identity.fingerprint);
    let counts = Counts::default();
    let mut source: Option<mpsc::UnboundedSender<(Duration, Flow)>> = None;
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["add", name, ufrag, pwd, port] => {
                let name = name.parse()?;
                let light = Light::new(Instant::now(), name, &identity, ufrag, pwd);
                let (stream, streams) = mpsc::unbounded_channel();
                if name == 0 {
                    source = Some(stream);
                }
                let client = Client::new(light, port.parse()?, counts.clone()).await?;
                tokio::task::spawn_local(client.run(streams));
            }
            ["stream", ms, packets, interval, speech] => {
                let time = Duration::from_millis(ms.parse()?);
                let flow = Flow {
                    packets: packets.parse()?,
                    interval: Duration::from_micros(interval.parse()?),
                    speech: speech == "1",
                };
                *counts.borrow_mut() = Streamed::default();
                source.as_ref().context("no source")?.send((time, flow))?;
                tokio::time::sleep(time).await;
                let c = settled(&counts).await;
                println!("{} {} {}", c.sent, c.received, c.repaired);
            }
            ["sinks", sockets] => {
                let mut ports = Vec::new();
                for _ in 0..sockets.parse()? {
                    let socket = open()?;
                    ports.push(socket.local_addr()?.port().to_string());
                    tokio::task::spawn_local(drain(socket, counts.clone()));
                }
                println!("{}", ports.join(" "));
            }
            ["received"] => {
                println!("{}", settled(&counts).await.received);
                *counts.borrow_mut() = Streamed::default();
            }
            _ => anyhow::bail!("what is {line}?"),
        }
    }
    Ok(())
}

/// The counts once nothing is under way any more.
async fn settled(counts: &Counts) -> Streamed {
    loop {
        let before = *counts.borrow();
        tokio::time::sleep(QUIET).await;
        let now = *counts.borrow();
        if now.received == before.received {
            return now;
        }
    }
}

fn open() -> Result<UdpSocket> {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0")?;
    socket.set_nonblocking(true)?;
    let socket = socket2::Socket::from(socket);
    socket.set_recv_buffer_size(SOCKET_BUFFER_BYTES)?;
    Ok(UdpSocket::from_std(socket.into())?)
}

async fn drain(socket: UdpSocket, counts: Counts) {
    let mut buffer = vec![0; 2_048];
    while socket.readable().await.is_ok() {
        while socket.try_recv(&mut buffer).is_ok() {
            counts.borrow_mut().received += 1;
        }
    }
}

struct Client {
    light: Light,
    socket: UdpSocket,
    counts: Counts,
    epoch: Instant,
    keyframe: bool,
    streaming: Option<Streaming>,
    /// The video slot's SSRC and highest sequence number.
    slot: Option<(u32, u16)>,
    next_report: Instant,
}

struct Streaming {
    until: Instant,
    flow: Flow,
    next_speech: Instant,
    next_frame: Instant,
}

impl Client {
    async fn new(light: Light, port: u16, counts: Counts) -> Result<Self> {
        let socket = open()?;
        socket.connect(("127.0.0.1", port)).await?;
        let now = Instant::now();
        Ok(Self {
            light,
            socket,
            counts,
            epoch: now,
            keyframe: true,
            streaming: None,
            slot: None,
            next_report: now,
        })
    }

    async fn run(mut self, mut streams: mpsc::UnboundedReceiver<(Duration, Flow)>) {
        loop {
            self.light.tick(Instant::now());
            while let Some(datagram) = self.light.transmits.pop_front() {
                let _ = self.socket.try_send(&datagram);
            }
            let wake = tokio::time::Instant::from_std(self.wake());
            tokio::select! {
                ready = self.socket.readable() => {
                    if ready.is_ok() {
                        self.receive();
                    }
                }
                () = tokio::time::sleep_until(wake) => {}
                Some((time, flow)) = streams.recv() => {
                    let now = Instant::now();
                    self.streaming = Some(Streaming {
                        until: now + time,
                        flow,
                        next_speech: now,
                        next_frame: now,
                    });
                }
            }
            self.stream();
        }
    }

    fn wake(&self) -> Instant {
        let pause = if self.light.is_connected() { 250 } else { 25 };
        let tick = Instant::now() + Duration::from_millis(pause);
        match &self.streaming {
            Some(s) if s.flow.speech => tick.min(s.next_speech).min(s.next_frame),
            Some(s) => tick.min(s.next_frame),
            None => tick,
        }
    }

    fn receive(&mut self) {
        let mut buffer = [0; 2_048];
        while let Ok(len) = self.socket.try_recv(&mut buffer) {
            let now = Instant::now();
            match self.light.handle(now, &mut buffer[..len]) {
                Got::Other => {}
                Got::KeyframeWanted => self.keyframe = true,
                Got::Media {
                    ssrc,
                    payload_type,
                    sequence,
                } => {
                    let mut counts = self.counts.borrow_mut();
                    counts.received += 1;
                    counts.repaired += u64::from(payload_type == light::VP8_RTX);
                    drop(counts);
                    if payload_type == light::VP8 {
                        self.slot = Some((ssrc, sequence));
                        if sequence % ASK_AGAIN == 0 {
                            self.report(&[sequence]);
                        }
                    }
                    if now >= self.next_report {
                        self.next_report = now + REPORT;
                        self.report(&[]);
                    }
                }
            }
        }
    }

    fn report(&mut self, missing: &[u16]) {
        if let Some((ssrc, highest)) = self.slot {
            let compound = self.light.report(ssrc, highest, missing);
            let _ = self.socket.try_send(&compound);
        }
    }

    /// Sends what is due.
    fn stream(&mut self) {
        let now = Instant::now();
        let Some(streaming) = &mut self.streaming else {
            return;
        };
        // RTP clocks of both streams: 48 and 90 kHz.
        let micros = (now - self.epoch).as_micros() as u64;
        let mut packets = Vec::new();
        let flow = streaming.flow;
        if flow.speech && now >= streaming.next_speech {
            streaming.next_speech += SPEECH;
            packets.push(self.light.speech((micros * 48 / 1_000) as u32));
        }
        if now >= streaming.next_frame {
            streaming.next_frame += flow.interval;
            let timestamp = (micros * 90 / 1_000) as u32;
            let keyframe = std::mem::take(&mut self.keyframe);
            let sizes = vec![VIDEO_PAYLOAD; flow.packets];
            packets.extend(self.light.frame(timestamp, keyframe, &sizes));
        }
        if now >= streaming.until {
            self.streaming = None;
        }
        for packet in packets {
            if self.socket.try_send(&packet).is_ok() {
                self.counts.borrow_mut().sent += 1;
            }
        }
    }
}
