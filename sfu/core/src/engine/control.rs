//! Commands, and the coming and going of peers.

use std::time::Instant;

use super::Engine;
use super::rooms::bit;
use super::source::{Owner, PeerKey, SlotRef, Source, SourceKey};
use crate::api::{Command, CommandError, DisconnectReason, Event, Outcome};
use crate::ids::{PeerId, SlotIndex, SourceId, Track};

impl Engine {
    pub(super) fn carry_out(
        &mut self,
        now: Instant,
        command: Command,
    ) -> Result<Outcome, CommandError> {
        match command {
            Command::Offer {
                peer,
                room,
                sdp,
                secrets,
            } => return self.offer(now, peer, room, &sdp, &secrets),
            Command::Leave { peer } => {
                let key = self.key_of(peer)?;
                self.peers[key].transport.close(now);
                self.drain_transport(now, key);
                if self.peer_keys.contains_key(&peer) {
                    self.remove_peer(now, key, DisconnectReason::Left);
                }
            }
            Command::SetSlot {
                peer, slot, source, ..
            } => {
                return self.set_slot(now, peer, slot, source);
            }
            Command::Gate { source, open } => self.gate(source, open)?,
            Command::RoomSpans { room, workers } => {
                let key = self.room(now, room);
                self.rooms[key].workers = workers;
                self.close_room_if_empty(key);
            }
            Command::Subscribe { source, at } => self.subscribe(source, at),
            Command::Unsubscribe { source, at } => {
                if let Some(&key) = self.source_keys.get(&source) {
                    self.sources[key].workers &= !bit(at);
                }
            }
            Command::RequestKeyframe { source } => {
                if let Some(&key) = self.source_keys.get(&source) {
                    self.want_keyframe(now, key);
                }
            }
            Command::SourceGone { source } => {
                if let Some(&key) = self.source_keys.get(&source)
                    && let Owner::Remote(_) = self.sources[key].owner
                {
                    self.remove_source(now, key);
                }
            }
            Command::PathClosed { path } => {
                if let Some(&key) = self.paths.get(&path) {
                    self.peers[key].transport.close_path(now, path);
                    self.drain_transport(now, key);
                }
            }
        }
        Ok(Outcome::Done)
    }

    fn key_of(&self, peer: PeerId) -> Result<PeerKey, CommandError> {
        let key = self.peer_keys.get(&peer);
        key.copied().ok_or(CommandError::UnknownPeer)
    }

    fn set_slot(
        &mut self,
        now: Instant,
        peer: PeerId,
        slot: SlotIndex,
        source: Option<SourceId>,
    ) -> Result<Outcome, CommandError> {
        let key = self.key_of(peer)?;
        if usize::from(slot.0) >= self.peers[key].video_slots {
            return Err(CommandError::UnknownSlot);
        }
        let source = match source {
            Some(id) => Some(self.video_source(key, id)?),
            None => None,
        };
        let at = SlotRef {
            peer: key,
            slot: slot.0,
        };
        self.bind(now, at, source);
        Ok(Outcome::Done)
    }

    /// The source of the peer's own room, also one of another worker.
    fn video_source(&mut self, key: PeerKey, id: SourceId) -> Result<SourceKey, CommandError> {
        let room = self.peers[key].room;
        if id.track == Track::Microphone {
            return Err(CommandError::UnknownSource);
        }
        if let Some(&source) = self.source_keys.get(&id) {
            let same_room = self.sources[source].room == room;
            return same_room
                .then_some(source)
                .ok_or(CommandError::UnknownSource);
        }
        let worker = id.peer.worker();
        if worker == self.config.worker {
            return Err(CommandError::UnknownSource);
        }
        let life = self.next_life();
        let source = Source::new(id, room, Owner::Remote(worker), life, true);
        let source = self.sources.insert(source);
        self.source_keys.insert(id, source);
        self.events
            .push_back(Event::SubscribeAt { worker, source: id });
        Ok(source)
    }

    /// Puts a source into a slot of any kind, or takes it out.
    pub(super) fn bind(&mut self, now: Instant, at: SlotRef, source: Option<SourceKey>) {
        let Some(slot) = self.peers[at.peer].slots.get_mut(usize::from(at.slot)) else {
            return;
        };
        let before = slot.shows;
        if before == source {
            return;
        }
        slot.show(now, source);
        if let Some(before) = before {
            self.sources[before].unsubscribe(at);
            self.drop_unwatched(before);
        }
        if let Some(source) = source {
            self.sources[source].subscribers.push(at);
            if self.sources[source].is_video && self.peers[at.peer].connected {
                self.want_keyframe(now, source);
            }
        }
    }

    /// A video of another worker that no slot shows any more is given back.
    fn drop_unwatched(&mut self, key: SourceKey) {
        let source = &self.sources[key];
        let Owner::Remote(worker) = source.owner else {
            return;
        };
        if source.is_video && source.subscribers.is_empty() {
            let source = source.id;
            self.events
                .push_back(Event::UnsubscribeAt { worker, source });
            self.forget_source(key);
        }
    }

    fn gate(&mut self, source: SourceId, open: bool) -> Result<(), CommandError> {
        if source.peer.worker() != self.config.worker {
            return Err(CommandError::UnknownSource);
        }
        // A gate belongs to a peer that is here, so the set cannot outgrow them.
        if !self.peer_keys.contains_key(&source.peer) {
            return Err(CommandError::UnknownPeer);
        }
        if open {
            self.closed.remove(&source);
        } else {
            self.closed.insert(source);
        }
        let Some(&key) = self.source_keys.get(&source) else {
            return Ok(());
        };
        if self.sources[key].open == open {
            return Ok(());
        }
        self.sources[key].open = open;
        if open {
            // The packets of the closed time are missing: receivers begin anew.
            let life = self.next_life();
            let source = &mut self.sources[key];
            source.begin_life(life);
            source.keyframe.want();
        } else {
            let source = &mut self.sources[key];
            source.queue.clear();
            source.batch = 0;
            let room = source.room;
            self.rooms[room].speakers.remove(key);
            self.rooms[room].own_speakers.remove(key);
        }
        Ok(())
    }

    fn subscribe(&mut self, source: SourceId, at: crate::ids::WorkerIndex) {
        match self.source_keys.get(&source) {
            Some(&key) => {
                let known = &mut self.sources[key];
                known.workers |= bit(at);
                known.keyframe.want();
            }
            // It has just left.
            None => self
                .events
                .push_back(Event::SourceGoneAt { worker: at, source }),
        }
    }

    /// DTLS is done.
    pub(super) fn connected(&mut self, now: Instant, key: PeerKey) {
        let peer = &mut self.peers[key];
        if peer.connected {
            return;
        }
        peer.connected = true;
        self.events.push_back(Event::Connected {
            peer: peer.id,
            after: now.saturating_duration_since(peer.offered_at),
        });
        let room = peer.room;
        let shown: Vec<SourceKey> = peer.slots.iter().filter_map(|slot| slot.shows).collect();
        for source in shown {
            if self.sources[source].is_video {
                self.want_keyframe(now, source);
            }
        }
        self.assign_audio(now, room, key);
    }

    /// Takes a peer out with everything it has.
    pub(super) fn remove_peer(&mut self, now: Instant, key: PeerKey, reason: DisconnectReason) {
        // What the transport still had to say goes first.
        while let Some(transmit) = self.peers[key].transport.poll_transmit() {
            self.control.push(transmit.to, &transmit.bytes);
        }
        for slot in 0..self.peers[key].slots.len() {
            let slot = slot as u8; // at most 53
            self.bind(now, SlotRef { peer: key, slot }, None);
        }
        let sources = self.peers[key].sources.clone();
        for source in sources {
            self.remove_source(now, source);
        }
        let peer = self.peers.remove(key);
        // Also those of tracks that the peer never sent.
        self.closed.retain(|source| source.peer != peer.id);
        self.peer_keys.remove(&peer.id);
        for ufrag in &peer.ufrags {
            self.ufrags.remove(ufrag);
        }
        for path in peer.paths {
            self.release_path(key, path);
        }
        self.rooms[peer.room].peers.retain(|known| *known != key);
        self.close_room_if_empty(peer.room);
        self.events.push_back(Event::Disconnected {
            peer: peer.id,
            reason,
        });
    }

    /// Takes a source out of all slots and tells the workers that have it.
    pub(super) fn remove_source(&mut self, now: Instant, key: SourceKey) {
        let source = &mut self.sources[key];
        let subscribers = std::mem::take(&mut source.subscribers);
        let (id, workers) = (source.id, source.workers);
        let spread = match (&source.owner, source.is_video) {
            // Loud microphones went to every worker of the room.
            (Owner::Local(_), false) => self.rooms[source.room].others(self.config.worker),
            (Owner::Local(_), true) => workers,
            (Owner::Remote(_), _) => 0,
        };
        for at in subscribers {
            if let Some(slot) = self.peers[at.peer].slots.get_mut(usize::from(at.slot)) {
                slot.show(now, None);
            }
        }
        for worker in (0..64).filter(|worker| spread & (1 << worker) != 0) {
            let worker = crate::ids::WorkerIndex(worker);
            self.events
                .push_back(Event::SourceGoneAt { worker, source: id });
        }
        self.forget_source(key);
    }

    pub(super) fn forget_source(&mut self, key: SourceKey) {
        let source = self.sources.remove(key);
        self.source_keys.remove(&source.id);
        self.fan_out.forget_source(key);
        let room = &mut self.rooms[source.room];
        room.speakers.remove(key);
        room.own_speakers.remove(key);
    }

    fn close_room_if_empty(&mut self, key: usize) {
        let room = &self.rooms[key];
        if !room.peers.is_empty() || room.workers & bit(self.config.worker) != 0 {
            return;
        }
        let of_room = self.sources.iter().filter(|(_, source)| source.room == key);
        let left: Vec<SourceKey> = of_room.map(|(source, _)| source).collect();
        for source in left {
            self.forget_source(source);
        }
        let room = self.rooms.remove(key);
        self.room_keys.remove(&room.id);
    }
}
