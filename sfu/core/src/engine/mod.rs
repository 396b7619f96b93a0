//! One worker's engine: its peers, what they send and what they are shown.
//!
//! A packet's way: [`Engine::receive`] decrypts it in place and stores the
//! clear payload once, in its source's cache (`incoming`). [`Engine::flush`] goes
//! receiver by receiver, writes each its own header, copies the payload and seals it
//! within the outbox (`fanout`). Everything else happens on a tick (`tick`).

mod attention;
mod audio;
mod control;
mod demand;
mod encoding;
mod fanout;
mod feedback;
#[cfg(any(test, fuzzing))]
mod fuzzing;
mod incoming;
mod judge;
mod layers;
mod line;
mod loss;
mod meter;
mod negotiation;
mod peer;
mod relay;
mod reports;
mod rng;
mod rooms;
mod slot;
mod sound_rate;
mod source;
mod speech;
mod tick;
mod writer;

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Instant;

use slab::Slab;

use crate::api::{
    Command, CommandError, Counters, EngineConfig, Event, Flushed, Outbox, Outcome, Received, Relay,
};
use crate::ids::{Path, PeerId, RoomId, SourceId};
use crate::payload::PayloadPool;
use crate::transport::{self, Kind, SrtpError, TransportEvent};

use attention::Attention;
use fanout::FanOut;
use peer::Peer;
use rng::Numbers;
use rooms::{Room, RoomKey};
use source::{PeerKey, Source, SourceKey};

/// Pure: takes commands, datagrams and the time, gives datagrams and events.
/// The [module `api`](crate::api) has the words of the conversation.
#[derive(Debug)]
pub struct Engine {
    config: EngineConfig,
    /// Origin of the NTP timeline.
    epoch: Instant,
    numbers: Numbers,
    /// The last life that a source began.
    lives: u32,
    counters: Counters,
    events: VecDeque<Event>,
    peers: Slab<Peer>,
    peer_keys: HashMap<PeerId, PeerKey>,
    paths: HashMap<Path, PeerKey>,
    ufrags: HashMap<String, PeerKey>,
    sources: Slab<Source>,
    source_keys: HashMap<SourceId, SourceKey>,
    rooms: Slab<Room>,
    room_keys: HashMap<RoomId, RoomKey>,
    /// Gates that were closed before their source was there, or still are.
    closed: HashSet<SourceId>,
    /// STUN, DTLS, RTCP and retransmissions that wait for the next flush.
    control: Outbox,
    fan_out: FanOut,
    attention: Attention,
    /// How far video is reduced, see [`crate::room::shed`].
    shed: u8,
    /// For relays.
    payloads: PayloadPool,
    /// Reused buffers.
    scratch: Vec<u8>,
    ask: Vec<u16>,
    keys: Vec<usize>,
    keys_of_watchers: Vec<PeerKey>,
    /// Rooms where the speakers should be chosen at once.
    unsettled: Vec<RoomKey>,
    tick_at: Option<Instant>,
    /// When media last came.
    media_at: Option<Instant>,
}

impl Engine {
    /// `now` is the origin of the engine's NTP timeline: give all engines of a
    /// node the same. `seed` is for SSRCs and first sequence numbers.
    #[must_use]
    pub fn new(now: Instant, config: EngineConfig, seed: [u8; 32]) -> Self {
        Self {
            config,
            epoch: now,
            numbers: Numbers::new(seed),
            lives: 0,
            counters: Counters::default(),
            events: VecDeque::new(),
            peers: Slab::new(),
            peer_keys: HashMap::new(),
            paths: HashMap::new(),
            ufrags: HashMap::new(),
            sources: Slab::new(),
            source_keys: HashMap::new(),
            rooms: Slab::new(),
            room_keys: HashMap::new(),
            closed: HashSet::new(),
            control: Outbox::default(),
            fan_out: FanOut::default(),
            attention: Attention::default(),
            shed: 0,
            payloads: PayloadPool::default(),
            scratch: Vec::new(),
            ask: Vec::new(),
            keys: Vec::new(),
            keys_of_watchers: Vec::new(),
            unsettled: Vec::new(),
            tick_at: None,
            media_at: None,
        }
    }

    /// Carries out an order.
    ///
    /// # Errors
    /// Says why not; then nothing has changed.
    pub fn command(&mut self, now: Instant, command: Command) -> Result<Outcome, CommandError> {
        let outcome = self.carry_out(now, command);
        self.wake(now);
        outcome
    }

    /// Takes a datagram and decrypts it in place. Fan-out waits for [`Self::flush`].
    pub fn receive(&mut self, now: Instant, path: Path, datagram: &mut [u8]) -> Received {
        let Some(kind) = transport::classify(datagram) else {
            self.counters.dropped_unclassified += 1;
            return Received::Dropped;
        };
        if kind == Kind::Stun {
            self.counters.stun_received += 1;
            return self.receive_stun(now, path, datagram);
        }
        let Some(&key) = self.paths.get(&path) else {
            return Received::NotMine(None);
        };
        match kind {
            Kind::Stun => Received::Handled, // above
            Kind::Dtls => self.receive_dtls(now, key, path, datagram),
            Kind::Rtp => {
                let result = self.peers[key].transport.unprotect_rtp(datagram);
                match result {
                    Ok(len) => {
                        self.heard(now, key, path);
                        self.receive_rtp(now, key, &datagram[..len])
                    }
                    Err(error) => self.drop_sealed(error),
                }
            }
            Kind::Rtcp => {
                let result = self.peers[key].transport.unprotect_rtcp(datagram);
                match result {
                    Ok(len) => {
                        self.heard(now, key, path);
                        self.receive_rtcp(now, key, &datagram[..len])
                    }
                    Err(error) => self.drop_sealed(error),
                }
            }
        }
    }

    /// Takes what another worker's outbox had for this one.
    pub fn relay(&mut self, now: Instant, relay: Relay) {
        self.receive_relay(now, relay);
    }

    /// To be called when [`Self::poll_timeout`] has passed; early or late does no harm.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.tick_at.is_some_and(|at| at <= now) {
            self.tick(now);
        }
    }

    /// `None`: nothing to do until the next call of anything else.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.tick_at
    }

    /// Appends what is to be sent, receiver by receiver, until all is out or the
    /// outbox holds about 72 kB.
    pub fn flush(&mut self, now: Instant, out: &mut Outbox) -> Flushed {
        self.choose_unsettled(now);
        self.fan_out(now, out)
    }

    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Since the engine's start.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Nothing is held for anybody: no peers, sources, rooms, or paths.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.peers.is_empty()
            && self.sources.is_empty()
            && self.rooms.is_empty()
            && self.source_keys.is_empty()
            && self.paths.is_empty()
            && self.ufrags.is_empty()
            && self.closed.is_empty()
    }

    fn receive_stun(&mut self, now: Instant, path: Path, datagram: &[u8]) -> Received {
        let named = transport::ufrag_of_request(datagram);
        let key = match named {
            Some(ufrag) => match self.ufrags.get(ufrag) {
                Some(&key) => key,
                None => match transport::worker_of_ufrag(ufrag) {
                    Some(worker)
                        if worker != self.config.worker && transport::may_be_check(datagram) =>
                    {
                        self.counters.stun_received -= 1; // its owner counts it
                        return Received::NotMine(Some(worker));
                    }
                    Some(_) | None => {
                        self.counters.dropped_stun += 1;
                        return Received::Dropped;
                    }
                },
            },
            None => match self.paths.get(&path) {
                Some(&key) => key,
                None => {
                    self.counters.dropped_stun += 1;
                    return Received::Dropped;
                }
            },
        };
        let result = self.peers[key].transport.handle_stun(now, path, datagram);
        self.drain_transport(now, key);
        match result {
            Ok(()) => {
                self.own_again(key, path);
                Received::Handled
            }
            Err(_) => {
                self.counters.dropped_stun += 1;
                Received::Dropped
            }
        }
    }

    /// A path that another peer's check took away (a reused NAT port, or a forged
    /// source address) comes back with the next verified check of its peer.
    fn own_again(&mut self, key: PeerKey, path: Path) {
        let Some(peer) = self.peers.get(key) else {
            return;
        };
        if !peer.transport.accepts(path) || self.paths.get(&path) == Some(&key) {
            return;
        }
        self.paths.insert(path, key);
        let peer = peer.id;
        self.events.push_back(Event::PathOwned { peer, path });
    }

    /// Authentic media by a path other than the chosen one may mean that its peer has moved.
    fn heard(&mut self, now: Instant, key: PeerKey, path: Path) {
        let transport = &mut self.peers[key].transport;
        transport.heard(now, path);
        if transport.has_events() {
            self.drain_transport(now, key);
        }
    }

    fn receive_dtls(
        &mut self,
        now: Instant,
        key: PeerKey,
        path: Path,
        datagram: &[u8],
    ) -> Received {
        self.counters.dtls_received += 1;
        let result = self.peers[key].transport.handle_dtls(now, path, datagram);
        self.drain_transport(now, key);
        match result {
            Ok(()) => Received::Handled,
            Err(_) => {
                self.counters.dropped_dtls += 1;
                Received::Dropped
            }
        }
    }

    fn drop_sealed(&mut self, error: SrtpError) -> Received {
        match error {
            SrtpError::Replayed => self.counters.dropped_replayed += 1,
            SrtpError::TooShort | SrtpError::Malformed | SrtpError::TooManyStreams => {
                self.counters.dropped_malformed += 1;
            }
            _ => self.counters.dropped_unauthentic += 1,
        }
        Received::Dropped
    }

    /// Carries out what the transport of a peer has to send and to say. The
    /// peer may be gone after it.
    fn drain_transport(&mut self, now: Instant, key: PeerKey) {
        let peer = &mut self.peers[key];
        while let Some(transmit) = peer.transport.poll_transmit() {
            self.control.push(transmit.to, &transmit.bytes);
        }
        while let Some(event) = self.peers[key].transport.poll_event() {
            match event {
                TransportEvent::Connected { .. } => self.connected(now, key),
                TransportEvent::PathValidated(path) => {
                    let peer = &mut self.peers[key];
                    if !peer.paths.contains(&path) {
                        peer.paths.push(path);
                    }
                    let peer = peer.id;
                    self.paths.insert(path, key);
                    self.events.push_back(Event::PathOwned { peer, path });
                }
                TransportEvent::PathForgotten(path) => {
                    self.peers[key].paths.retain(|known| *known != path);
                    self.release_path(key, path);
                }
                TransportEvent::PathChanged { .. } => {} // asked for at each flush
                TransportEvent::Failed(reason) => {
                    return self.remove_peer(now, key, reason);
                }
                TransportEvent::Closed => {
                    let reason = crate::api::DisconnectReason::Closed;
                    return self.remove_peer(now, key, reason);
                }
            }
        }
    }

    /// Unless another peer of ours is there by now.
    fn release_path(&mut self, key: PeerKey, path: Path) {
        if self.paths.get(&path) == Some(&key) {
            self.paths.remove(&path);
            self.events.push_back(Event::PathReleased { path });
        }
    }

    fn next_life(&mut self) -> u32 {
        self.lives = self.lives.wrapping_add(1);
        self.lives
    }
}
