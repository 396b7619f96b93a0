//! Engines, clients and the network between them, in virtual time.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use liandong_sfu_core::Engine;
use liandong_sfu_core::api::{
    Command, CommandError, EngineConfig, Event, Flushed, Outbox, Outcome, Received, Secrets,
    SlotView,
};
use liandong_sfu_core::ids::{Path, PeerId, RoomId, SlotIndex, SourceId, Track, WorkerIndex};
use liandong_sfu_core::transport::{Certificate, Kind, classify};

use crate::client::{Client, Wants};

pub const ROOM: RoomId = RoomId(7);
const STEP: Duration = Duration::from_millis(5);
const DELAY: Duration = Duration::from_millis(10);

/// SplitMix64, the same on every machine.
#[derive(Debug)]
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }
}

/// The way down to a client: a rate, and a queue of 300 ms that drops what is behind.
#[derive(Debug)]
pub struct Bottleneck {
    pub kbps: u64,
    /// What a packet takes beside itself, in bytes.
    pub headers: usize,
    /// Bytes that were to pass, with their headers.
    pub offered: usize,
    /// The longest wait since it was last taken.
    pub longest: Duration,
    free_at: Option<Instant>,
}

impl Bottleneck {
    pub fn new(kbps: u64) -> Self {
        Self {
            kbps,
            headers: 0,
            offered: 0,
            longest: Duration::ZERO,
            free_at: None,
        }
    }

    fn pass(&mut self, now: Instant, bytes: usize) -> Option<Instant> {
        let bytes = bytes + self.headers;
        self.offered += bytes;
        let begins = self.free_at.map_or(now, |free| free.max(now));
        let waits = begins - now;
        if waits > Duration::from_millis(300) {
            return None;
        }
        self.longest = self.longest.max(waits);
        let leaves = begins + Duration::from_micros(bytes as u64 * 8_000 / self.kbps);
        self.free_at = Some(leaves);
        Some(leaves)
    }
}

#[derive(Debug)]
enum Flying {
    Up(Path, Vec<u8>),
    Down(Path, Vec<u8>),
}

pub struct World {
    pub now: Instant,
    pub engines: Vec<Engine>,
    pub clients: BTreeMap<PeerId, Client>,
    pub events: Vec<Event>,
    /// RTP and RTCP lost on the way up and down, in percent.
    pub loss_up: u64,
    pub loss_down: u64,
    /// Lines of clients that carry little.
    pub narrow: BTreeMap<Path, Bottleneck>,
    pub dice: Dice,
    owners: BTreeMap<Path, usize>,
    flying: BTreeMap<(Instant, u64), Flying>,
    launched: u64,
    outbox: Outbox,
}

pub fn certificate() -> Certificate {
    static SHARED: OnceLock<Certificate> = OnceLock::new();
    SHARED
        .get_or_init(|| Certificate::generate().unwrap())
        .clone()
}

pub fn path(port: u16) -> Path {
    Path {
        local: 0,
        remote: ([198, 51, 100, 7], port).into(),
    }
}

/// Where the server is, as the clients see it.
pub fn server() -> Path {
    path(3478)
}

#[allow(clippy::disallowed_methods)] // any instant serves as the origin of virtual time
pub fn epoch() -> Instant {
    Instant::now()
}

impl World {
    pub fn new(workers: u8, seed: u64) -> Self {
        println!("seed {seed}");
        let now = epoch();
        let engine = |worker: u8| {
            let config = EngineConfig {
                worker: WorkerIndex(worker),
                certificate: certificate(),
                candidates: vec![server().remote],
                tcp_candidates: vec![server().remote],
                max_peers: 1_000,
            };
            let mut bytes = [worker; 32];
            bytes[..8].copy_from_slice(&seed.to_le_bytes());
            Engine::new(now, config, bytes)
        };
        Self {
            now,
            engines: (0..workers).map(engine).collect(),
            clients: BTreeMap::new(),
            events: Vec::new(),
            loss_up: 0,
            loss_down: 0,
            narrow: BTreeMap::new(),
            dice: Dice(seed),
            owners: BTreeMap::new(),
            flying: BTreeMap::new(),
            launched: 0,
            outbox: Outbox::default(),
        }
    }

    /// A call of so many clients that have connected, spread over the workers.
    pub fn call(workers: u8, clients: u32, wants: Wants, seed: u64) -> (Self, Vec<PeerId>) {
        let mut world = Self::new(workers, seed);
        let ids: Vec<PeerId> = (0..clients)
            .map(|n| world.join((n % u32::from(workers)) as u8, n + 1, wants))
            .collect();
        world.run(Duration::from_secs(2), |_| {});
        assert!(world.clients.values().all(Client::connected));
        (world, ids)
    }

    pub fn join(&mut self, worker: u8, serial: u32, wants: Wants) -> PeerId {
        let id = PeerId::new(WorkerIndex(worker), serial);
        let port = 10_000 + 1_000 * u16::from(worker) + serial as u16;
        let client = Client::new(id, path(port), wants, certificate());
        self.clients.insert(id, client);
        self.offer(id).unwrap();
        id
    }

    pub fn offer(&mut self, id: PeerId) -> Result<Outcome, CommandError> {
        let now = self.now;
        let client = self.clients.get_mut(&id).unwrap();
        let mut secrets = [0; 32];
        secrets.fill_with(|| self.dice.roll(256) as u8);
        let outcome = self.engines[usize::from(id.worker().0)].command(
            now,
            Command::Offer {
                peer: id,
                room: ROOM,
                sdp: client.offer(),
                secrets: Secrets(secrets),
            },
        )?;
        let Outcome::Answered { sdp, .. } = &outcome else {
            panic!("no answer");
        };
        client.answered(now, sdp, server());
        Ok(outcome)
    }

    pub fn order(&mut self, worker: WorkerIndex, command: Command) {
        let now = self.now;
        self.engines[usize::from(worker.0)]
            .command(now, command)
            .unwrap();
    }

    /// Shows the camera of `of` to `peer`.
    pub fn show(&mut self, peer: PeerId, slot: u8, of: Option<PeerId>) {
        self.show_as(peer, slot, of, SlotView::default());
    }

    pub fn show_as(&mut self, peer: PeerId, slot: u8, of: Option<PeerId>, view: SlotView) {
        let command = Command::SetSlot {
            peer,
            slot: SlotIndex(slot),
            source: of.map(camera),
            view,
        };
        self.order(peer.worker(), command);
    }

    /// Runs the time on; `media` is called every 5 ms with the milliseconds gone.
    pub fn run(&mut self, time: Duration, mut media: impl FnMut(&mut RunStep<'_>)) {
        let steps = time.as_millis() / STEP.as_millis();
        for step in 0..steps as u64 {
            self.now += STEP;
            media(&mut RunStep {
                now: self.now,
                ms: step * STEP.as_millis() as u64,
                clients: &mut self.clients,
            });
            if step % 200 == 199 {
                for client in self.clients.values_mut() {
                    client.check(self.now, server());
                }
            }
            self.deliver();
            self.turn();
        }
    }

    /// All clients send 30 frames and 50 sounds a second.
    pub fn run_media(&mut self, time: Duration) {
        self.run(time, |step| {
            let ms = step.ms;
            for client in step.clients.values_mut() {
                if ms.is_multiple_of(33 / 5 * 5) {
                    client.send_frame(3);
                }
                if ms.is_multiple_of(20) {
                    client.send_sound();
                }
            }
        });
    }

    fn deliver(&mut self) {
        while let Some(entry) = self.flying.first_entry() {
            let at = entry.key().0;
            if at > self.now {
                break;
            }
            match entry.remove() {
                Flying::Up(path, datagram) => self.up(path, datagram),
                Flying::Down(path, datagram) => {
                    let client = self.clients.values_mut().find(|c| c.path == path);
                    if let Some(client) = client {
                        client.receive(at, server(), datagram);
                    }
                }
            }
        }
    }

    /// A datagram reaches the first worker's socket, whoever it is for.
    fn up(&mut self, path: Path, mut datagram: Vec<u8>) {
        let first = self.engines[0].receive(self.now, path, &mut datagram);
        let owner = match first {
            Received::Handled | Received::Dropped => return,
            Received::NotMine(Some(worker)) => usize::from(worker.0),
            Received::NotMine(None) => match self.owners.get(&path) {
                Some(owner) => *owner,
                None => return,
            },
        };
        self.engines[owner].receive(self.now, path, &mut datagram);
    }

    /// What a shell does: timers, flush, events; then the clients.
    fn turn(&mut self) {
        for worker in 0..self.engines.len() {
            let due = self.engines[worker].poll_timeout();
            if due.is_some_and(|at| at <= self.now) {
                self.engines[worker].handle_timeout(self.now);
            }
            self.events_of(worker);
            loop {
                let mut outbox = std::mem::take(&mut self.outbox);
                outbox.clear();
                let flushed = self.engines[worker].flush(self.now, &mut outbox);
                self.send(&outbox);
                self.outbox = outbox;
                if flushed == Flushed::Done {
                    break;
                }
            }
            self.events_of(worker);
        }
        let mut sent = Vec::new();
        for client in self.clients.values_mut() {
            client.report_arrivals(self.now);
            if let Some(transport) = &mut client.transport {
                if transport.poll_timeout().is_some_and(|at| at <= self.now) {
                    transport.handle_timeout(self.now);
                }
                while let Some(transmit) = transport.poll_transmit() {
                    client.outgoing.push(transmit.bytes);
                }
                while transport.poll_event().is_some() {}
            }
            let outgoing = client.outgoing.drain(..);
            sent.extend(outgoing.map(|bytes| Flying::Up(client.path, bytes)));
        }
        sent.into_iter().for_each(|flying| self.launch(flying));
    }

    fn send(&mut self, outbox: &Outbox) {
        for datagram in &outbox.datagrams {
            let bytes = outbox.payload(datagram).to_vec();
            self.launch(Flying::Down(datagram.to, bytes));
        }
        for relay in &outbox.relays {
            for (worker, engine) in self.engines.iter_mut().enumerate() {
                if relay.workers & (1 << worker) != 0 {
                    engine.relay(self.now, relay.clone());
                }
            }
        }
    }

    fn launch(&mut self, flying: Flying) {
        let (bytes, loss) = match &flying {
            Flying::Up(_, bytes) => (bytes, self.loss_up),
            Flying::Down(_, bytes) => (bytes, self.loss_down),
        };
        let media = matches!(classify(bytes), Some(Kind::Rtp));
        let lost = media && self.dice.roll(100) < loss;
        // What is lost on the air has passed the line before.
        let mut leaves = self.now;
        if let Flying::Down(path, bytes) = &flying
            && let Some(line) = self.narrow.get_mut(path)
        {
            let Some(at) = line.pass(self.now, bytes.len()) else {
                return;
            };
            leaves = at;
        }
        if lost {
            return;
        }
        self.launched += 1;
        let arrival = (leaves + DELAY, self.launched);
        self.flying.insert(arrival, flying);
    }

    fn events_of(&mut self, worker: usize) {
        while let Some(event) = self.engines[worker].poll_event() {
            let at = WorkerIndex(worker as u8);
            if let Event::Demand { source, encodings } = &event
                && let Some(client) = self.clients.get_mut(&source.peer)
                && client.wants.simulcast
            {
                client.demand(encodings);
            }
            if let Event::SpeechRate {
                source,
                bits_per_second,
            } = &event
                && let Some(client) = self.clients.get_mut(&source.peer)
                && client.wants.follows
            {
                // Twenty milliseconds of it.
                client.sound_frame =
                    bits_per_second.map_or(60, |rate| rate.min(24_000) / 400) as usize;
            }
            let carried = match event.clone() {
                Event::SubscribeAt {
                    worker,
                    source,
                    encodings,
                } => {
                    let command = Command::Subscribe {
                        source,
                        encodings,
                        at,
                    };
                    Some((worker, command))
                }
                Event::EncodingsAt {
                    worker,
                    source,
                    figures,
                } => Some((worker, Command::Encodings { source, figures })),
                Event::UnsubscribeAt { worker, source } => {
                    Some((worker, Command::Unsubscribe { source, at }))
                }
                Event::KeyframeAt {
                    worker,
                    source,
                    encoding,
                } => Some((worker, Command::RequestKeyframe { source, encoding })),
                Event::SpeechNeedAt {
                    worker,
                    source,
                    bits_per_second,
                } => {
                    let command = Command::SpeechNeed {
                        source,
                        bits_per_second,
                    };
                    Some((worker, command))
                }
                Event::SourceGoneAt { worker, source } => {
                    Some((worker, Command::SourceGone { source }))
                }
                Event::PathOwned { path, .. } => {
                    self.owners.insert(path, worker);
                    None
                }
                Event::PathReleased { path } => {
                    self.owners.remove(&path);
                    None
                }
                _ => None,
            };
            if let Some((worker, command)) = carried {
                self.order(worker, command);
            }
            self.events.push(event);
        }
    }
}

pub struct RunStep<'a> {
    pub now: Instant,
    pub ms: u64,
    pub clients: &'a mut BTreeMap<PeerId, Client>,
}

pub fn camera(peer: PeerId) -> SourceId {
    SourceId {
        peer,
        track: Track::Camera,
    }
}

pub fn microphone(peer: PeerId) -> SourceId {
    SourceId {
        peer,
        track: Track::Microphone,
    }
}
