//! What forwarding costs: the CPU time (user and system) of the worker per
//! packet delivered, beside a raw loop of the same run.
//!
//! One source sends video packets of 1,200 bytes of payload in real time to many receivers
//! over DTLS-SRTP on loopback, beside 50 speech packets a second:
//!
//! * single (`forward_ratio_50`, `_200`): each packet by itself, 250 a second, so that nothing can
//!   leave as a train;
//! * burst (`forward_ratio_50_burst`, `_200_burst`): 30 frames a second of eight packets each;
//! * wide (`forward_ns_per_packet_800`, `_2000`, and `_wide_50` beside them): 25 single packets a second and no
//!   speech, the same for each number of receivers, so that the growth can be told.
//!
//! `worker_scaling_2` is one room of 200 receivers, spread over two workers, with packets relayed from
//! one to the other: how many packets a second of the *busiest* worker's CPU time delivers, over the same
//! with one worker. So it holds on a machine that has no two cores to spare for the server.
//!
//! `added_latency_p99_us` is seen from outside, in single packets to 200 receivers, while the worker is
//! about half busy: from the moment at which the source writes into a packet that it sends it, until the
//! kernel has it for a receiver, whenever that receiver's thread has its turn (`SO_TIMESTAMPNS`). One of
//! 16 packets is opened for that. `media_delay_p99_us` is the server's own figure of the same time:
//! from the kernel's receipt of a turn's first datagram until all that came of the turn was sent.
//!
//! Everything is on: each receiver has one video and one audio slot, tells of each packet's arrival ten
//! times a second, so the server estimates, paces and probes; sends a receiver report a second,
//! and asks for about one packet of 256 again. Clients live in processes of their own; their
//! sockets do not merge datagrams, so that the kernel's delivery of each datagram is
//! paid by the worker's send, in the raw loop just the same. They look at their sockets every two
//! milliseconds: on a network the server does not pay for waking its receivers. A burst comes to the
//! worker as one train, as from a network card that merges what comes at once.
//!
//! The raw loop copies 1,200 bytes, seals them with AES-128-GCM and sends with
//! `sendmmsg` 32 single packets to 32 sockets that are drained likewise.
//!
//! The machine is noisy: raw and forward take turns, the medians count. Memory
//! is the growth of the node's resident set per peer, the source included:
//! connected and silent (idle), and after streaming.

mod clients;
mod crowd;
#[path = "../../tests/support/light.rs"]
#[allow(dead_code, clippy::unwrap_used)] // shared with the tests
mod light;
mod raw;
mod receive;
mod source;

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use liandong_sfu_node::{Limits, Node, NodeConfig, NodeEvent, PeerId, RoomId, Shown};
use prometheus_client::registry::Registry;
use tokio::sync::mpsc::Receiver;

use clients::{Clients, Flow};

const ROUNDS: usize = 5;
/// Of one measurement, on a machine that does other work, too.
const TRIES: usize = 5;
/// Of one measurement.
const STREAMED: Duration = Duration::from_secs(3);
/// Of lines at the rate of half load.
const WARM_UP: Duration = Duration::from_secs(8);
const WIDE_ROUNDS: usize = 3;
const SINGLE: Flow = Flow {
    packets: 1,
    interval: Duration::from_millis(4),
    speech: true,
};
const BURST: Flow = Flow {
    packets: 8,
    interval: Duration::from_nanos(1_000_000_000 / 30),
    speech: true,
};
const WIDE: Flow = Flow {
    packets: 1,
    interval: Duration::from_millis(40),
    speech: false,
};
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
    if child {
        return clients::serve();
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(measure())
}

async fn measure() -> Result<()> {
    let mut raw = raw::Raw::start().await?;
    let mut two_hundred = Call::start(200, 1).await?;
    let memory = two_hundred.memory;
    let mut fifty = Call::start(50, 1).await?;
    let mut split = Call::start(200, 2).await?;
    let mut raw_ns = Vec::new();
    let mut costs: [Vec<f64>; 5] = Default::default();
    for round in 0..ROUNDS {
        raw_ns.push(raw.round().await?);
        let spread = split.stream(STREAMED, SINGLE).await?;
        let round_costs = [
            fifty.stream(STREAMED, SINGLE).await?.all,
            two_hundred.stream(STREAMED, SINGLE).await?.all,
            fifty.stream(STREAMED, BURST).await?.all,
            two_hundred.stream(STREAMED, BURST).await?.all,
            spread.busiest,
        ];
        eprintln!(
            "round {round}: raw {:.0} ns, {round_costs:.0?}",
            raw_ns[round]
        );
        for (costs, ns) in costs.iter_mut().zip(round_costs) {
            costs.push(ns);
        }
    }
    let ratio = |ns: &[f64]| median(ns.iter().zip(&raw_ns).map(|(f, r)| f / r).collect());
    println!("raw_ns_per_packet: {:.0}", median(raw_ns.clone()));
    for (name, ns) in ["50", "200", "50_burst", "200_burst"].iter().zip(&costs) {
        println!("forward_ns_per_packet_{name}: {:.0}", median(ns.clone()));
        println!("forward_ratio_{name}: {:.2}", ratio(ns));
    }
    let scaling = costs[1].iter().zip(&costs[4]).map(|(one, two)| one / two);
    println!("worker_scaling_2: {:.2}", median(scaling.collect()));
    println!("participant_idle_kb: {:.0}", memory.0);
    println!("participant_streaming_kb: {:.0}", memory.1);
    let latency = two_hundred.half_load(median(costs[1].clone())).await?;
    println!("added_latency_p99_us: {latency:.0}");
    for call in [two_hundred, split] {
        call.node.shutdown().await;
    }
    growth(fifty).await
}

/// The same flow to ever more receivers.
async fn growth(mut fifty: Call) -> Result<()> {
    let mut small = Vec::new();
    for receivers in [800, 2_000] {
        let mut call = Call::start(receivers, 1).await?;
        let mut large = Vec::new();
        let mut growth = Vec::new();
        for _ in 0..WIDE_ROUNDS {
            let few = fifty.stream(STREAMED, WIDE).await?.all;
            let many = call.stream(STREAMED, WIDE).await?.all;
            small.push(few);
            large.push(many);
            growth.push(many / few);
        }
        println!("forward_ns_per_packet_{receivers}: {:.0}", median(large));
        println!("forward_growth_{receivers}_over_50: {:.2}", median(growth));
        call.node.shutdown().await;
    }
    println!("forward_ns_per_packet_wide_50: {:.0}", median(small));
    fifty.node.shutdown().await;
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
    registry: Registry,
    /// How far video is reduced.
    shed: u8,
}

/// CPU time per delivered packet in ns.
#[derive(Clone, Copy, Debug)]
struct Cost {
    /// Of all workers together.
    all: f64,
    /// Of the one that worked most.
    busiest: f64,
}

impl Call {
    async fn start(receivers: u32, workers: usize) -> Result<Self> {
        let config = NodeConfig {
            // Half of the room here, half there.
            limits: Limits {
                peers_before_spreading: if workers == 1 { 64 } else { receivers / 2 },
                ..Limits::default()
            },
            listen: vec![std::net::Ipv4Addr::LOCALHOST.into()],
            advertise: vec![std::net::Ipv4Addr::LOCALHOST.into()],
            port: 0,
            workers,
            ..NodeConfig::default()
        };
        let (node, events) = Node::start(config)?;
        let mut call = Self {
            node,
            events,
            clients: Clients::start().await?,
            receivers: receivers.into(),
            memory: (0.0, 0.0),
            registry: Registry::default(),
            shed: 0,
        };
        call.node.register(&mut call.registry);
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
        // No more than a worker can carry: it would shed, and be slow to give back.
        let flow = if receivers > 200 { WIDE } else { SINGLE };
        call.clients.stream(STREAMED, flow).await?;
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

    /// Streams that long; gives the cost. Done again where the machine was too busy for the
    /// clients to take what they got.
    async fn stream(&mut self, time: Duration, flow: Flow) -> Result<Cost> {
        for _ in 1..TRIES {
            match self.stream_once(time, flow).await {
                Ok(cost) => return Ok(cost),
                Err(e) => eprintln!("once more: {e}"),
            }
            self.await_calm().await;
        }
        self.stream_once(time, flow).await
    }

    /// Where the machine was too busy, the worker has shed video and takes it up again by itself.
    async fn await_calm(&mut self) {
        while let Ok(event) = self.events.try_recv() {
            if let NodeEvent::Overload { level } = event {
                self.shed = level;
            }
        }
        while self.shed > 0 {
            let event = tokio::time::timeout(PATIENCE, self.events.recv()).await;
            let Ok(Some(event)) = event else { return };
            if let NodeEvent::Overload { level } = event {
                self.shed = level;
            }
        }
    }

    async fn stream_once(&mut self, time: Duration, flow: Flow) -> Result<Cost> {
        self.await_calm().await;
        let before = self.cpu()?;
        let streamed = self.clients.stream(time, flow).await?;
        let after = self.cpu()?;
        let wanted = streamed.sent * self.receivers;
        ensure!(
            streamed.received * 100 >= wanted * 99,
            "{} of {wanted} packets were delivered",
            streamed.received
        );
        ensure!(streamed.repaired > 0, "no packet was sent again");
        let spent = after
            .iter()
            .zip(&before)
            .map(|(after, before)| *after - *before);
        let spent: Vec<f64> = spent.map(|spent| spent.as_nanos() as f64).collect();
        let packets = streamed.received as f64;
        Ok(Cost {
            all: spent.iter().sum::<f64>() / packets,
            busiest: spent.iter().copied().fold(0.0, f64::max) / packets,
        })
    }

    /// Of each worker.
    fn cpu(&self) -> Result<Vec<Duration>> {
        let loads = self.node.loads();
        let cpu = loads.iter().map(|load| load.cpu);
        cpu.collect::<Option<_>>()
            .context("no CPU clock of a worker")
    }

    /// The 99th percentile of the packets' delay in µs, while single packets that cost `ns`
    /// each keep the worker half busy.
    async fn half_load(&mut self, ns: f64) -> Result<f64> {
        let flow = Flow {
            interval: Duration::from_nanos((ns * self.receivers as f64 * 2.0) as u64),
            ..SINGLE
        };
        // Until the receivers' lines are known to carry as much.
        self.clients.stream(WARM_UP, flow).await?;
        let before = self.delays()?;
        let cpu = self.cpu()?;
        let streamed = self.clients.stream(STREAMED, flow).await?;
        let cpu = self.cpu()?[0] - cpu[0];
        let share = cpu.as_secs_f64() / STREAMED.as_secs_f64() * 100.0;
        let [middle, p99, longest] = streamed.delay_us;
        eprintln!("half load: {share:.0} % of the worker's time, µs {middle} {p99} {longest}");
        let wanted = streamed.sent * self.receivers;
        ensure!(
            streamed.received * 100 >= wanted * 99,
            "half load: {} of {wanted} packets were delivered",
            streamed.received
        );
        let after = self.delays()?;
        let buckets: Vec<(f64, f64)> = after
            .iter()
            .zip(&before)
            .map(|((bound, now), (_, then))| (*bound, now - then))
            .collect();
        let turns = percentile(&buckets, 0.99) * 1e6;
        println!("media_delay_p99_us: {turns:.0}");
        Ok(p99 as f64)
    }

    /// `media_delay`: (upper bound in seconds, turns at or below it).
    fn delays(&self) -> Result<Vec<(f64, f64)>> {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)?;
        let mut buckets = Vec::new();
        for line in text.lines() {
            let Some(rest) = line.strip_prefix("media_delay_seconds_bucket{le=\"") else {
                continue;
            };
            let (bound, rest) = rest.split_once('"').context("le")?;
            let count = rest.rsplit(' ').next().context("count")?;
            let bound = if bound == "+Inf" {
                f64::INFINITY
            } else {
                bound.parse()?
            };
            buckets.push((bound, count.parse()?));
        }
        ensure!(!buckets.is_empty(), "no media_delay");
        Ok(buckets)
    }
}

/// Within cumulative buckets, evenly within each one.
fn percentile(buckets: &[(f64, f64)], share: f64) -> f64 {
    let wanted = buckets.last().map_or(0.0, |(_, all)| all * share);
    let mut below = (0.0, 0.0);
    for (bound, count) in buckets {
        if *count >= wanted && *count > below.1 {
            let part = (wanted - below.1) / (count - below.1);
            return if bound.is_finite() {
                below.0 + (bound - below.0) * part
            } else {
                below.0
            };
        }
        below = (*bound, *count);
    }
    f64::NAN
}

fn resident_kb() -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"));
    let kb = line.and_then(|l| l.split_whitespace().next());
    Ok(kb.context("VmRSS")?.parse()?)
}
