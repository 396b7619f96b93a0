//! Real calls through a running node, by clients of the `webrtc` crate, and
//! what attackers beside them can and cannot do.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "support/caller.rs"]
mod caller;
#[path = "support/light.rs"]
#[allow(dead_code)] // shared with the benchmark
mod light;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use caller::{Caller, numbers};
use liandong_sfu_node::{Limits, Node, NodeConfig, NodeEvent, PeerId, RoomId, Shown, Track};
use light::{Got, Identity, Light, Wishes};
use prometheus_client::registry::Registry;
use tokio::sync::mpsc::Receiver;

const ROOM: RoomId = RoomId(1);
const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);
const PATIENCE: Duration = Duration::from_secs(30);

/// `spread`: each peer of a room goes to another worker.
fn start(workers: usize, spread: bool) -> (Node, Receiver<NodeEvent>) {
    let config = NodeConfig {
        listen: vec![V4, V6],
        advertise: vec![V4, V6],
        port: 0,
        workers,
        limits: Limits {
            peers_before_spreading: if spread { 1 } else { 64 },
            ..Limits::default()
        },
        ..NodeConfig::default()
    };
    Node::start(config).unwrap()
}

async fn event(events: &mut Receiver<NodeEvent>, wanted: impl Fn(&NodeEvent) -> bool) -> NodeEvent {
    let wait = async {
        loop {
            let event = events.recv().await.expect("the node runs");
            if wanted(&event) {
                return event;
            }
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.expect("event")
}

/// Two callers that show each other, each in its second slot, and both connected.
async fn pair(node: &Node) -> (Caller, Caller) {
    let mut a = Caller::join(node, ROOM, 0xa1, 2).await;
    let mut b = Caller::join(node, ROOM, 0xb2, 2).await;
    node.set_slots(a.peer, &[None, Some(Shown::camera(b.peer))]);
    node.set_slots(b.peer, &[None, Some(Shown::camera(a.peer))]);
    a.connected().await;
    b.connected().await;
    (a, b)
}

/// Sends from both, 50 times a second, until `done`.
async fn talk(
    a: &mut Caller,
    b: &mut Caller,
    number: &mut u32,
    done: impl Fn(&Caller, &Caller) -> bool,
) {
    let talk = async {
        let mut pace = tokio::time::interval(Duration::from_millis(20));
        while !done(a, b) {
            pace.tick().await;
            *number += 1;
            a.send(*number).await;
            b.send(*number).await;
        }
    };
    tokio::time::timeout(PATIENCE, talk).await.expect("media");
}

fn sees(who: &Caller, mark: u8, packets: usize) -> bool {
    who.has(|seen| {
        let slot = seen.get(&who.video_slots[1]);
        slot.is_some_and(|p| numbers(p, mark).len() >= packets)
    })
}

fn hears(who: &Caller, mark: u8, packets: usize) -> bool {
    who.has(|seen| {
        let slots = who.audio_slots.iter().filter_map(|s| seen.get(s));
        slots.map(|p| numbers(p, mark).len()).sum::<usize>() >= packets
    })
}

async fn two_see_and_hear_each_other(workers: usize, spread: bool) {
    let (node, mut events) = start(workers, spread);
    let (mut a, mut b) = pair(&node).await;
    if spread {
        assert_ne!(a.peer.worker(), b.peer.worker());
    }
    let mut number = 0;
    talk(&mut a, &mut b, &mut number, |a, b| {
        sees(a, 0xb2, 50) && sees(b, 0xa1, 50) && hears(a, 0xb2, 50) && hears(b, 0xa1, 50)
    })
    .await;
    for (who, own, other) in [(&a, 0xa1, 0xb2), (&b, 0xb2, 0xa1)] {
        assert!(!who.has(|seen| seen.contains_key(&who.video_slots[0])));
        who.until("only the other's media, in order", |seen| {
            let shown = numbers(&seen[&who.video_slots[1]], other);
            let own = seen.values().map(|p| numbers(p, own).len()).sum::<usize>();
            own == 0 && shown.windows(2).all(|w| w[0] + 1 == w[1])
        })
        .await;
    }
    let live = |peer: PeerId| move |e: &NodeEvent| matches!(e, NodeEvent::SlotLive { peer: p, .. } if *p == peer);
    let a_live = event(&mut events, live(a.peer)).await;
    let NodeEvent::SlotLive { slot, shows, .. } = a_live else {
        unreachable!("asked for it");
    };
    assert_eq!((slot.0, shows), (1, b.peer));

    // Mute closes at the server, whatever the client does.
    node.gate(a.peer, Track::Microphone, false);
    let (gone, left) = (a.peer, b.peer);
    a.hang_up().await;
    event(
        &mut events,
        |e| matches!(e, NodeEvent::Disconnected { peer, .. } if *peer == gone),
    )
    .await;
    assert_eq!(node.loads().iter().map(|l| l.peers).sum::<u32>(), 1);
    node.leave(left);
    event(
        &mut events,
        |e| matches!(e, NodeEvent::Disconnected { peer, .. } if *peer == left),
    )
    .await;
    b.hang_up().await;
    node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_clients_on_one_worker_see_and_hear_each_other() {
    two_see_and_hear_each_other(1, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_clients_on_two_workers_see_and_hear_each_other() {
    two_see_and_hear_each_other(2, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn closed_gate_silences_and_an_open_one_does_not() {
    let (node, _events) = start(1, false);
    let (mut a, mut b) = pair(&node).await;
    let mut number = 0;
    talk(&mut a, &mut b, &mut number, |_, b| hears(b, 0xa1, 10)).await;
    node.gate(a.peer, Track::Microphone, false);
    // The gate acts between two turns of the worker: what comes after frames that were
    // sent after it has passed it.
    let before = number + 50;
    talk(&mut a, &mut b, &mut number, |_, b| {
        b.has(|seen| numbers(&seen[&b.video_slots[1]], 0xa1).last() >= Some(&before))
    })
    .await;
    let heard = |b: &Caller| {
        b.has(|seen| {
            let slots = b.audio_slots.iter().filter_map(|s| seen.get(s));
            slots.flat_map(|p| numbers(p, 0xa1)).any(|n| n >= before)
        })
    };
    assert!(!heard(&b), "heard through a closed gate");
    node.gate(a.peer, Track::Microphone, true);
    talk(&mut a, &mut b, &mut number, |_, b| heard(b)).await;
    node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_offers_are_refused_and_leave_nothing_behind() {
    let (node, _events) = start(2, false);
    for sdp in ["", "v=0", "no such thing", &"x".repeat(1 << 20)] {
        node.offer(None, ROOM, sdp.to_owned()).await.unwrap_err();
    }
    let stranger = PeerId::new(liandong_sfu_node::WorkerIndex(9), 1);
    node.offer(Some(stranger), ROOM, String::new())
        .await
        .unwrap_err();
    node.leave(stranger);
    node.set_slots(stranger, &[None]);
    node.gate(stranger, Track::Camera, false);
    assert!(node.loads().iter().all(|load| load.peers == 0));
    node.shutdown().await;
}

fn dropped(registry: &Registry, reason: &str) -> u64 {
    counted(
        registry,
        "media_dropped_total",
        &format!("reason=\"{reason}\""),
    )
}

/// A counter with that label, summed over the workers.
fn counted(registry: &Registry, name: &str, label: &str) -> u64 {
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, registry).unwrap();
    text.lines()
        .filter(|line| line.starts_with(name) && line.contains(label))
        .map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap())
        .sum()
}

/// A light client with its socket.
struct Wired {
    light: Light,
    socket: UdpSocket,
}

impl Wired {
    async fn join(node: &Node, name: u32, over: IpAddr) -> Self {
        let identity = Identity::generate();
        let wishes = Wishes {
            sends: true,
            audio_slots: 1,
            video_slots: 1,
        };
        let offer = light::offer(name, &identity.fingerprint, wishes);
        let answered = node.offer(None, ROOM, offer).await.unwrap();
        let value = |key| light::attribute(&answered.sdp, key).unwrap();
        let (ufrag, pwd) = (value("ice-ufrag"), value("ice-pwd"));
        let mut light = Light::new(Instant::now(), name, &identity, ufrag, pwd);
        let socket = UdpSocket::bind((over, 0)).unwrap();
        socket.connect((over, node.port())).unwrap();
        socket
            .set_read_timeout(Some(Duration::from_millis(20)))
            .unwrap();
        let deadline = Instant::now() + PATIENCE;
        while !light.is_connected() {
            assert!(Instant::now() < deadline, "light client is not connected");
            light.tick(Instant::now());
            for datagram in light.transmits.drain(..) {
                socket.send(&datagram).unwrap();
            }
            let mut buffer = [0; 2_048];
            if let Ok(len) = socket.recv(&mut buffer) {
                light.handle(Instant::now(), &mut buffer[..len]);
            }
        }
        // The last flight of the handshake.
        for datagram in light.transmits.drain(..) {
            socket.send(&datagram).unwrap();
        }
        Self { light, socket }
    }
}

/// The kernel spreads source ports over the sockets of both workers, whoever
/// owns the peer.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_kernel_gave_to_the_wrong_worker_is_handed_over() {
    const CLIENTS: u32 = 24;
    const PACKETS: u32 = 50;
    let (node, _events) = start(2, true);
    let mut registry = Registry::default();
    node.register(&mut registry);
    let mut clients = Vec::new();
    for name in 0..CLIENTS {
        let over = if name % 2 == 0 { V4 } else { V6 };
        clients.push(Wired::join(&node, name, over).await);
    }
    for packet in 0..PACKETS {
        for client in &mut clients {
            let speech = client.light.speech(packet * 960);
            client.socket.send(&speech).unwrap();
        }
    }
    let arrived = async {
        let mut pace = tokio::time::interval(Duration::from_millis(20));
        while counted(&registry, "media_rtp_received_total", "") < u64::from(CLIENTS * PACKETS) {
            pace.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE, arrived)
        .await
        .expect("media");
    // Some half of them; that none was misdirected has a probability of 2^-24.
    assert!(counted(&registry, "media_handed_over_total", "") > u64::from(PACKETS));
    assert_eq!(dropped(&registry, "unknown_path"), 0);
    assert!(node.loads().iter().all(|load| load.peers == CLIENTS / 2));
    node.shutdown().await;
}

/// As a phone does between Wi-Fi and mobile data: the same session from another
/// address, here many times and so over the sockets of both workers.
#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_moves_keeps_its_call() {
    const MOVES: u64 = 12;
    const PACKETS: u64 = 5;
    let (node, _events) = start(2, true);
    let mut registry = Registry::default();
    node.register(&mut registry);
    let mut speaker = Wired::join(&node, 1, V4).await;
    let mut mover = Wired::join(&node, 2, V4).await;
    let mut total = 0;
    for round in 0..MOVES {
        mover.socket = UdpSocket::bind((V4, 0)).unwrap();
        mover.socket.connect((V4, node.port())).unwrap();
        mover
            .socket
            .set_read_timeout(Some(Duration::from_millis(20)))
            .unwrap();
        mover.socket.send(&mover.light.good_check()).unwrap();
        let mut heard = 0;
        let mut sent = 0;
        let deadline = Instant::now() + PATIENCE;
        while heard < PACKETS || sent < PACKETS {
            assert!(Instant::now() < deadline, "silence after move {round}");
            let timestamp = (round * 1_000 + sent) as u32 * 960;
            let speech = speaker.light.speech(timestamp);
            speaker.socket.send(&speech).unwrap();
            total += 1;
            let mut buffer = [0; 2_048];
            while let Ok(len) = mover.socket.recv(&mut buffer) {
                match mover.light.handle(Instant::now(), &mut buffer[..len]) {
                    // The answer to the check: from now on the address is known.
                    Got::Other | Got::KeyframeWanted => {}
                    Got::Media { .. } => heard += 1,
                }
            }
            if heard > 0 {
                sent += 1;
                total += 1;
                mover.socket.send(&mover.light.speech(timestamp)).unwrap();
            }
        }
    }
    let all = async {
        let mut pace = tokio::time::interval(Duration::from_millis(20));
        while counted(&registry, "media_rtp_received_total", "") < total {
            pace.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE, all).await.expect("media");
    assert_eq!(dropped(&registry, "unknown_path"), 0);
    node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_datagrams_are_counted_and_the_call_beside_does_not_notice() {
    let (node, _events) = start(2, true);
    let mut registry = Registry::default();
    node.register(&mut registry);
    let (mut a, mut b) = pair(&node).await;
    let mut number = 0;
    talk(&mut a, &mut b, &mut number, |a, b| {
        sees(a, 0xb2, 10) && sees(b, 0xa1, 10)
    })
    .await;

    let mut attacker = Wired::join(&node, 66, V4).await;
    let to: SocketAddr = (V4, node.port()).into();
    let stranger = UdpSocket::bind((V4, 0)).unwrap();
    let reasons = [
        "unclassified",
        "unknown_path",
        "stun",
        "unauthentic",
        "replayed",
    ];
    let before = reasons.map(|reason| dropped(&registry, reason));
    let first = number + 1;
    let mut seed = 1u64;
    let mut pace = tokio::time::interval(Duration::from_millis(20));
    for round in 0..200u32 {
        // xorshift64: the same garbage in every run.
        let mut garbage = [0u8; 300];
        for byte in &mut garbage {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            *byte = seed as u8;
        }
        let len = 1 + (seed % 299) as usize;
        stranger.send_to(&garbage[..len], to).unwrap();
        attacker.socket.send(&garbage[..len]).unwrap();
        garbage[0] = 0xff;
        stranger.send_to(&garbage, to).unwrap();

        let check = attacker.light.check("not the password of this session");
        stranger.send_to(&check, to).unwrap();
        attacker.socket.send(&check[..check.len() / 2]).unwrap();

        let speech = attacker.light.speech(round * 960);
        attacker.socket.send(&speech).unwrap();
        attacker.socket.send(&speech).unwrap();
        stranger.send_to(&speech, to).unwrap();
        let mut altered = attacker.light.speech(round * 960 + 480);
        let last = altered.len() - 1;
        altered[last] ^= 1;
        attacker.socket.send(&altered).unwrap();
        attacker.socket.send(&altered[..13]).unwrap();
        if round % 10 == 0 {
            number += 1;
            a.send(number).await;
            b.send(number).await;
            pace.tick().await;
        }
    }
    let last = number;
    // The kernel may drop some of a flood; of each kind enough must have been counted.
    let all_counted = async {
        let mut pace = tokio::time::interval(Duration::from_millis(20));
        loop {
            pace.tick().await;
            let now = reasons.map(|reason| dropped(&registry, reason));
            if (0..reasons.len()).all(|i| now[i] >= before[i] + 100) {
                return;
            }
        }
    };
    if tokio::time::timeout(PATIENCE, all_counted).await.is_err() {
        let now = reasons.map(|reason| dropped(&registry, reason));
        panic!("{reasons:?}: {before:?} became {now:?}");
    }
    for (who, other) in [(&a, 0xb2), (&b, 0xa1)] {
        who.until("all frames sent under attack", |seen| {
            let shown = numbers(&seen[&who.video_slots[1]], other);
            (first..=last).all(|n| shown.contains(&n))
        })
        .await;
        assert!(who.is_connected());
    }
    node.shutdown().await;
}
