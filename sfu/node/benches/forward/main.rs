//! What forwarding costs: the CPU time (user and system) of the worker per
//! packet delivered, beside a raw loop of the same run.
//!
//! One source sends 2.5 Mbit/s of VP8-like video (30 frames a second, each
//! eight packets of 1,200 bytes of payload and a shorter one, in one burst) and
//! 50 speech packets a second, in real time, to 50 and to 200 receivers over
//! DTLS-SRTP on loopback. Each receiver has one video and one audio slot, sends
//! a receiver report a second and asks for about one packet of 256 again, so
//! the NACK cache works. Clients live in processes of their own; their
//! sockets do not merge datagrams, so that the kernel's delivery of each datagram is
//! paid by the worker's send, in the raw loop just the same.
//!
//! The raw loop copies 1,200 bytes, seals them with AES-128-GCM and sends with
//! `sendmmsg` 32 single packets to 32 sockets that are drained likewise.
//!
//! The machine is noisy: raw and forward take turns, the medians count. Memory
//! is the growth of the node's resident set per peer, the source included:
//! connected and silent (idle), and after streaming.

mod clients;
#[path = "../../tests/support/light.rs"]
#[allow(dead_code, clippy::unwrap_used)] // shared with the tests
mod light;
mod raw;

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use liandong_sfu_node::{Node, NodeConfig, NodeEvent, PeerId, RoomId, Shown};
use tokio::sync::mpsc::Receiver;

use clients::Clients;

const ROUNDS: usize = 5;
/// Of one measurement, on a machine that does other work, too.
const TRIES: usize = 5;
/// Of one measurement.
const STREAMED: Duration = Duration::from_secs(3);
/// To connect, or to show the source everywhere.
const PATIENCE: Duration = Duration::from_secs(60);

fn main() -> std::process::ExitCode {
    match run() {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(e) => {
            let causes: Vec<String> = e.chain().map(ToString::to_string).collect();
            eprintln!("forward: {}", causes.join(": "));
            std::process::ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let child = std::env::args().any(|argument| argument == clients::ARGUMENT);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    if child {
        runtime.block_on(tokio::task::LocalSet::new().run_until(clients::serve()))
    } else {
        runtime.block_on(measure())
    }
}

async fn measure() -> Result<()> {
    let mut raw = raw::Raw::start().await?;
    let mut calls = Vec::new();
    let mut memory = (0.0, 0.0);
    for receivers in [200, 50] {
        let mut call = Call::start(receivers).await?;
        if receivers == 200 {
            memory = call.memory;
        }
        call.stream(STREAMED).await?;
        calls.push(call);
    }
    let mut raw_ns = Vec::new();
    let mut forward_ns = vec![Vec::new(); calls.len()];
    for round in 0..ROUNDS {
        raw_ns.push(raw.round().await?);
        for (call, ns) in calls.iter_mut().zip(&mut forward_ns) {
            ns.push(call.stream(STREAMED).await?);
        }
        eprintln!(
            "round {round}: raw {:.0} ns, to 200 {:.0} ns, to 50 {:.0} ns",
            raw_ns[round], forward_ns[0][round], forward_ns[1][round]
        );
    }
    let ratio = |ns: &[f64]| median(ns.iter().zip(&raw_ns).map(|(f, r)| f / r).collect());
    println!("raw_ns_per_packet: {:.0}", median(raw_ns.clone()));
    println!(
        "forward_ns_per_packet_50: {:.0}",
        median(forward_ns[1].clone())
    );
    println!(
        "forward_ns_per_packet_200: {:.0}",
        median(forward_ns[0].clone())
    );
    println!("forward_ratio_50: {:.2}", ratio(&forward_ns[1]));
    println!("forward_ratio_200: {:.2}", ratio(&forward_ns[0]));
    println!("participant_idle_kb: {:.0}", memory.0);
    println!("participant_streaming_kb: {:.0}", memory.1);
    for call in calls {
        call.node.shutdown().await;
    }
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// One node with one source and its receivers.
struct Call {
    node: Node,
    events: Receiver<NodeEvent>,
    clients: Clients,
    receivers: u64,
    /// kB per peer: idle, streaming.
    memory: (f64, f64),
}

impl Call {
    async fn start(receivers: u32) -> Result<Self> {
        let config = NodeConfig {
            listen: vec![std::net::Ipv4Addr::LOCALHOST.into()],
            advertise: vec![std::net::Ipv4Addr::LOCALHOST.into()],
            port: 0,
            workers: 1,
            ..NodeConfig::default()
        };
        let (node, events) = Node::start(config)?;
        let mut call = Self {
            node,
            events,
            clients: Clients::start().await?,
            receivers: receivers.into(),
            memory: (0.0, 0.0),
        };
        // A first call of two brings up what does not grow with peers.
        let mut warm = Vec::new();
        for name in [900_000, 900_001] {
            warm.push(call.join(name, RoomId(1)).await?);
        }
        call.await_connected(2).await?;
        let before = resident_kb()?;

        let mut peers = Vec::new();
        for name in 0..=receivers {
            peers.push(call.join(name, RoomId(2)).await?);
        }
        call.await_connected(peers.len()).await?;
        let idle = resident_kb()?;

        let source = peers.remove(0);
        for peer in &peers {
            call.node.set_slots(*peer, &[Some(Shown::camera(source))]);
        }
        call.clients.stream(STREAMED).await?;
        call.await_shown(peers.len()).await?;
        let streaming = resident_kb()?;
        let per_peer = |now: f64| (now - before) / f64::from(receivers + 1);
        call.memory = (per_peer(idle), per_peer(streaming));
        for peer in warm {
            call.node.leave(peer);
        }
        Ok(call)
    }

    /// Client 0 sends; the others have one slot of each kind.
    async fn join(&mut self, name: u32, room: RoomId) -> Result<PeerId> {
        let wishes = light::Wishes {
            sends: name == 0,
            audio_slots: usize::from(name != 0),
            video_slots: usize::from(name != 0),
        };
        let offer = light::offer(name, &self.clients.fingerprint, wishes);
        let answered = self.node.offer(None, room, offer).await?;
        let value = |key| light::attribute(&answered.sdp, key).context(key);
        let (ufrag, pwd) = (value("ice-ufrag")?, value("ice-pwd")?);
        let port = self.node.port();
        self.clients.add(name, ufrag, pwd, port).await?;
        Ok(answered.peer)
    }

    async fn await_connected(&mut self, peers: usize) -> Result<()> {
        self.await_events(peers, |e| matches!(e, NodeEvent::Connected { .. }))
            .await
            .context("clients did not connect")
    }

    async fn await_shown(&mut self, peers: usize) -> Result<()> {
        self.await_events(peers, |e| matches!(e, NodeEvent::SlotLive { .. }))
            .await
            .context("the source was not shown everywhere")
    }

    async fn await_events(&mut self, n: usize, wanted: fn(&NodeEvent) -> bool) -> Result<()> {
        let mut seen = 0;
        while seen < n {
            let event = tokio::time::timeout(PATIENCE, self.events.recv())
                .await
                .with_context(|| format!("{seen} of {n}"))?
                .context("the node ended")?;
            if let NodeEvent::Disconnected { peer, reason } = &event {
                anyhow::bail!("{peer:?} disconnected: {reason:?}");
            }
            seen += usize::from(wanted(&event));
        }
        Ok(())
    }

    /// Streams that long; gives the worker's CPU time per delivered packet in ns. Done
    /// again where the machine was too busy for the clients to take what they got.
    async fn stream(&mut self, time: Duration) -> Result<f64> {
        for _ in 1..TRIES {
            match self.stream_once(time).await {
                Ok(ns) => return Ok(ns),
                Err(e) => eprintln!("once more: {e}"),
            }
        }
        self.stream_once(time).await
    }

    async fn stream_once(&mut self, time: Duration) -> Result<f64> {
        while self.events.try_recv().is_ok() {}
        let before = self.cpu()?;
        let streamed = self.clients.stream(time).await?;
        let spent = self.cpu()? - before;
        let wanted = streamed.sent * self.receivers;
        ensure!(
            streamed.received * 100 >= wanted * 99,
            "{} of {wanted} packets were delivered",
            streamed.received
        );
        ensure!(streamed.repaired > 0, "no packet was sent again");
        Ok(spent.as_nanos() as f64 / streamed.received as f64)
    }

    fn cpu(&self) -> Result<Duration> {
        let loads = self.node.loads();
        loads
            .iter()
            .map(|load| load.cpu)
            .sum::<Option<Duration>>()
            .context("no CPU clock of a worker")
    }
}

fn resident_kb() -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"));
    let kb = line.and_then(|l| l.split_whitespace().next());
    Ok(kb.context("VmRSS")?.parse()?)
}
