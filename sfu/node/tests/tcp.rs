//! Media by TCP (RFC 6544): clients that no UDP reaches, clients that stall, and strangers.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "support/light.rs"]
#[allow(dead_code)] // shared with the benchmark
mod light;

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use liandong_sfu_node::{Limits, Node, NodeConfig, NodeEvent, PeerId, RoomId, Shown};
use light::{Got, Identity, Light, Wishes};
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio::sync::mpsc::Receiver;

const ROOM: RoomId = RoomId(1);
const PATIENCE: Duration = Duration::from_secs(30);
const KEYFRAME: [usize; 3] = [1_100, 1_100, 700];

/// A node behind a TCP port, as the program has it.
struct World {
    node: Node,
    events: Receiver<NodeEvent>,
    registry: Registry,
    at: SocketAddr,
}

impl World {
    async fn start(workers: usize) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let at = listener.local_addr().unwrap();
        let config = NodeConfig {
            listen: vec![at.ip()],
            port: 0,
            tcp_port: Some(at.port()),
            workers,
            limits: Limits {
                peers_before_spreading: 1,
                ..Limits::default()
            },
            ..NodeConfig::default()
        };
        let (node, events) = Node::start(config).unwrap();
        let mut registry = Registry::default();
        node.register(&mut registry);
        tokio::spawn({
            let node = node.clone();
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let node = node.clone();
                    tokio::spawn(async move { node.accept_tcp(stream).await });
                }
            }
        });
        Self {
            node,
            events,
            registry,
            at,
        }
    }

    /// The sum of a metric's lines that contain `label`.
    fn metric(&self, name: &str, label: &str) -> u64 {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry).unwrap();
        text.lines()
            .filter(|line| line.starts_with(name) && line.contains(label))
            .map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap())
            .sum()
    }

    /// Until the metric is there, while `meanwhile` is done every now and then.
    fn until(&self, what: &str, mut met: impl FnMut() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !met() {
            assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
            std::thread::yield_now();
        }
    }
}

/// A light client with its connection.
struct Wired {
    peer: PeerId,
    light: Light,
    stream: TcpStream,
    /// What was read and is no whole frame yet.
    read: Vec<u8>,
    timestamp: u32,
}

impl Wired {
    async fn join(world: &World, name: u32) -> Self {
        let identity = Identity::generate();
        let wishes = Wishes {
            sends: true,
            audio_slots: 2,
            video_slots: 1,
        };
        let offer = light::offer(name, &identity.fingerprint, wishes);
        let answered = world.node.offer(None, ROOM, offer).await.unwrap();
        let candidate = format!(
            "{} {} typ host tcptype passive",
            world.at.ip(),
            world.at.port()
        );
        let of_tcp = |line: &&str| line.starts_with("a=candidate:") && line.contains(" tcp ");
        let told = answered.sdp.lines().find(of_tcp).unwrap();
        assert!(told.ends_with(&candidate), "{told}");
        let value = |key| light::attribute(&answered.sdp, key).unwrap();
        let (ufrag, pwd) = (value("ice-ufrag"), value("ice-pwd"));
        let light = Light::new(Instant::now(), name, &identity, ufrag, pwd);
        let mut this = Self {
            peer: answered.peer,
            light,
            stream: connect(world.at),
            read: Vec::new(),
            timestamp: 0,
        };
        world.until("a connected client", || {
            this.turn();
            this.light.is_connected()
        });
        this.turn();
        this
    }

    /// Sends what is due, and reads what is there or comes within some milliseconds.
    fn turn(&mut self) -> Vec<Got> {
        self.light.tick(Instant::now());
        while let Some(datagram) = self.light.transmits.pop_front() {
            self.send(&datagram);
        }
        let mut buffer = [0; 4_096];
        match self.stream.read(&mut buffer) {
            Ok(0) => panic!("the server closed the connection"),
            Ok(n) => self.read.extend_from_slice(&buffer[..n]),
            Err(e) => assert!(
                matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
                "{e}"
            ),
        }
        let mut got = Vec::new();
        while let [high, low, ..] = self.read[..] {
            let whole = 2 + usize::from(u16::from_be_bytes([high, low]));
            if self.read.len() < whole {
                break;
            }
            let mut frame: Vec<u8> = self.read.drain(..whole).collect();
            got.push(self.light.handle(Instant::now(), &mut frame[2..]));
        }
        got
    }

    fn send(&mut self, datagram: &[u8]) {
        self.stream.write_all(&framed(datagram)).unwrap();
    }

    fn speak(&mut self) {
        self.timestamp += 960;
        let speech = self.light.speech(self.timestamp);
        self.send(&speech);
    }

    fn show(&mut self, keyframe: bool, sizes: &[usize]) {
        self.timestamp += 960;
        for packet in self.light.frame(self.timestamp, keyframe, sizes) {
            self.send(&packet);
        }
    }
}

fn connect(at: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(at).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_millis(5)))
        .unwrap();
    stream
}

fn framed(datagram: &[u8]) -> Vec<u8> {
    let mut frame = (datagram.len() as u16).to_be_bytes().to_vec();
    frame.extend_from_slice(datagram);
    frame
}

fn of_type(got: &[Got], wanted: u8) -> usize {
    let media = |g: &&Got| matches!(g, Got::Media { payload_type, .. } if *payload_type == wanted);
    got.iter().filter(media).count()
}

/// Whether the server ends the connection.
fn is_closed(stream: &mut TcpStream) -> bool {
    let mut byte = [0; 64];
    match stream.read(&mut byte) {
        Ok(n) => n == 0,
        Err(e) => e.kind() == ErrorKind::ConnectionReset,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_without_udp_see_and_hear_each_other_across_workers() {
    let world = World::start(2).await;
    let mut a = Wired::join(&world, 1).await;
    let mut b = Wired::join(&world, 2).await;
    assert_ne!(a.peer.worker(), b.peer.worker());
    assert_eq!(world.metric("media_tcp_connections", ""), 2);
    world.node.set_slots(a.peer, &[Some(Shown::camera(b.peer))]);
    world.node.set_slots(b.peer, &[Some(Shown::camera(a.peer))]);
    let (mut heard, mut seen) = ([0, 0], [0, 0]);
    // At the pace of a camera: as fast as this loop turns would be more than the server believes
    // of a line, and it would rightly pause the picture.
    let mut next = Instant::now();
    world.until("picture and sound both ways", || {
        let due = Instant::now() >= next;
        if due {
            next += Duration::from_millis(20);
        }
        for (i, who) in [&mut a, &mut b].into_iter().enumerate() {
            if due {
                who.speak();
                who.show(true, &KEYFRAME);
            }
            let got = who.turn();
            heard[i] += of_type(&got, light::OPUS);
            seen[i] += of_type(&got, light::VP8);
        }
        heard.iter().chain(&seen).all(|n| *n >= 100)
    });
    for reason in ["tcp_full", "tcp_gone", "unknown_path", "unauthentic"] {
        let dropped = world.metric("media_dropped_total", &format!("reason=\"{reason}\""));
        assert_eq!(dropped, 0, "{reason}");
    }
    world.node.leave(a.peer);
    world.until("the end of the connection", || {
        world.metric("media_tcp_connections", "") == 1
    });
    world.node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stalled_client_loses_pictures_and_holds_nobody_up() {
    let world = World::start(1).await;
    let mut sender = Wired::join(&world, 1).await;
    let mut stalled = Wired::join(&world, 2).await;
    let mut other = Wired::join(&world, 3).await;
    for who in [&stalled, &other] {
        world
            .node
            .set_slots(who.peer, &[Some(Shown::camera(sender.peer))]);
    }
    let mut seen = 0;
    let full = || world.metric("media_dropped_total", "reason=\"tcp_full\"");
    world.until("the stalled one's queue full", || {
        sender.show(true, &KEYFRAME);
        sender.turn();
        seen += of_type(&other.turn(), light::VP8);
        full() > 100
    });
    let before = seen;
    world.until("the other one sees on", || {
        sender.show(true, &KEYFRAME);
        sender.turn();
        seen += of_type(&other.turn(), light::VP8);
        seen > before + 100
    });
    // The stream is whole, and what comes now passes.
    let mut heard = 0;
    world.until("speech for the one that reads again", || {
        sender.speak();
        sender.turn();
        heard += of_type(&stalled.turn(), light::OPUS);
        heard > 20
    });
    world.node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_connection_is_replaced_by_the_next() {
    let mut world = World::start(2).await;
    let mut sender = Wired::join(&world, 1).await;
    let mut moving = Wired::join(&world, 2).await;
    let mut heard = 0;
    world.until("speech", || {
        sender.speak();
        sender.turn();
        heard += of_type(&moving.turn(), light::OPUS);
        heard > 10
    });
    moving.stream = connect(world.at);
    moving.read.clear();
    let check = moving.light.good_check();
    moving.send(&check);
    let before = heard;
    world.until("speech by the new connection", || {
        sender.speak();
        sender.turn();
        heard += of_type(&moving.turn(), light::OPUS);
        heard > before + 10
    });
    assert_eq!(world.metric("media_tcp_connections", ""), 2);
    while let Ok(event) = world.events.try_recv() {
        assert!(
            !matches!(event, NodeEvent::Disconnected { .. }),
            "{event:?}"
        );
    }
    world.node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_sent_away_and_liars_cut_off() {
    let world = World::start(1).await;
    let mut call = Wired::join(&world, 1).await;
    let strangers: [&[u8]; 4] = [
        b"\x00\x08GET / HT",
        b"\x02\xff",
        &[
            0, 20, 0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
        ],
        &[0, 0],
    ];
    for bytes in strangers {
        let mut stream = connect(world.at);
        stream.write_all(bytes).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        world.until("the stranger's end", || is_closed(&mut stream));
    }
    let away = world.metric("media_tcp_turned_away", "no_check");
    assert_eq!(away, strangers.len() as u64);

    // A check that names the peer, but not with its password: let in, never proven.
    let mut liar = connect(world.at);
    let check = call.light.check("no password of anybody's");
    liar.write_all(&framed(&check)).unwrap();
    world.until("the liar's connection", || {
        world.metric("media_tcp_connections", "") == 2
    });
    liar.write_all(&[0xff; 3_000]).unwrap();
    world.until("its end", || is_closed(&mut liar));
    let malformed = world.metric("media_dropped_total", "reason=\"tcp_malformed\"");
    assert_eq!(malformed, 1);

    let mut silent = connect(world.at);
    silent.write_all(&framed(&check)).unwrap();
    world.until("the end of one that proves nothing", || {
        call.turn();
        is_closed(&mut silent)
    });
    assert_eq!(world.metric("media_tcp_unproven_total", ""), 1);
    world.until("the call's own connection alone", || {
        world.metric("media_tcp_connections", "") == 1
    });
    world.node.shutdown().await;
}
