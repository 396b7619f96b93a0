//! Commands, and the coming and going of peers.

use std::time::Instant;

use super::Engine;
use super::encoding::Encoding;
use super::rooms::bit;
use super::source::{EncodingKey, Owner, PeerKey, SlotRef, Source, SourceKey};
use crate::api::{Command, CommandError, DisconnectReason, Event, Outcome, SlotView};
use crate::ids::{EncodingIndex, PeerId, SlotIndex, SourceId, Track, WorkerIndex};

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
                peer,
                slot,
                source,
                view,
            } => {
                return self.set_slot(now, peer, slot, source, view);
            }
            Command::Gate { source, open } => self.gate(source, open)?,
            Command::RoomSpans { room, workers } => {
                let key = self.room(now, room);
                self.rooms[key].workers = workers;
                self.close_room_if_empty(key);
            }
            Command::Subscribe {
                source,
                encodings,
                at,
            } => self.subscribe(now, source, encodings, at),
            Command::Unsubscribe { source, at } => {
                if let Some(&key) = self.source_keys.get(&source) {
                    let source = &mut self.sources[key];
                    source.workers &= !bit(at);
                    for encoding in &mut source.encodings {
                        encoding.workers &= !bit(at);
                    }
                }
            }
            Command::RequestKeyframe { source, encoding } => {
                if let Some(&source) = self.source_keys.get(&source) {
                    self.want_keyframe(now, EncodingKey { source, encoding });
                }
            }
            Command::Encodings { source, figures } => self.learn_encodings(now, source, &figures),
            Command::SourceGone { source } => {
                if let Some(&key) = self.source_keys.get(&source)
                    && let Owner::Remote(_) = self.sources[key].owner
                {
                    self.remove_source(now, key);
                }
            }
            Command::SpeechNeed {
                source,
                bits_per_second,
            } => self.speech_needed(now, source, bits_per_second),
            Command::Shed { level } => self.shed(now, level),
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
        view: SlotView,
    ) -> Result<Outcome, CommandError> {
        let key = self.key_of(peer)?;
        if usize::from(slot.0) >= self.peers[key].video_slots {
            return Err(CommandError::UnknownSlot);
        }
        let source = match source {
            Some(id) => Some(self.video_source(now, key, id)?),
            None => None,
        };
        let at = SlotRef {
            peer: key,
            slot: slot.0,
        };
        let known = &mut self.peers[key].slots[usize::from(slot.0)];
        let looked = std::mem::replace(&mut known.view, view);
        if known.shows == source && source.is_some() && looked != view {
            known.held.renew();
            self.choose_layers(now, key);
        }
        self.bind(now, at, source);
        Ok(Outcome::Done)
    }

    /// The source of the peer's own room, also one of another worker.
    fn video_source(
        &mut self,
        now: Instant,
        key: PeerKey,
        id: SourceId,
    ) -> Result<SourceKey, CommandError> {
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
        // Its encodings are told by its worker.
        let source = Source::new(now, id, room, Owner::Remote(worker), true);
        let source = self.sources.insert(source);
        self.source_keys.insert(id, source);
        self.events.push_back(Event::SubscribeAt {
            worker,
            source: id,
            encodings: 0,
        });
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
        let is_video = slot.is_video;
        slot.show(now, source);
        if let Some(before) = before {
            self.unwatch(before, at);
        }
        if let Some(source) = source {
            self.sources[source].watchers.push(at);
        }
        if is_video {
            self.choose_layers(now, at.peer);
        } else if source.is_some() {
            let slot = &mut self.peers[at.peer].slots[usize::from(at.slot)];
            slot.target = Some(EncodingIndex(0));
            self.settle(at);
        }
    }

    fn unwatch(&mut self, key: SourceKey, at: SlotRef) {
        let source = &mut self.sources[key];
        source.watchers.retain(|known| *known != at);
        for encoding in &mut source.encodings {
            encoding.subscribers.retain(|known| *known != at);
        }
        self.drop_unwatched(key);
    }

    /// A video of another worker that no slot shows any more is given back.
    fn drop_unwatched(&mut self, key: SourceKey) {
        let source = &self.sources[key];
        let Owner::Remote(worker) = source.owner else {
            return;
        };
        if !source.is_video {
            return;
        }
        if !source.watchers.is_empty() {
            self.tell_owner(key);
        } else {
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
            for at in 0..self.sources[key].encodings.len() {
                let life = self.next_life();
                let encoding = &mut self.sources[key].encodings[at];
                encoding.begin_life(life);
                encoding.keyframe.want();
            }
        } else {
            let source = &mut self.sources[key];
            source.encodings.iter_mut().for_each(Encoding::drop_queue);
            let room = source.room;
            self.rooms[room].speakers.remove(key);
            self.rooms[room].own_speakers.remove(key);
        }
        Ok(())
    }

    fn subscribe(&mut self, now: Instant, id: SourceId, encodings: u8, at: WorkerIndex) {
        let Some(&key) = self.source_keys.get(&id) else {
            // It has just left.
            let source = id;
            return self
                .events
                .push_back(Event::SourceGoneAt { worker: at, source });
        };
        let source = &mut self.sources[key];
        let first = source.workers & bit(at) == 0;
        source.workers |= bit(at);
        let mut began = 0_u8;
        for (index, encoding) in source.encodings.iter_mut().enumerate() {
            let had = encoding.workers & bit(at) != 0;
            if encodings & 1 << index == 0 {
                encoding.workers &= !bit(at);
            } else {
                encoding.workers |= bit(at);
                began |= u8::from(!had) << index;
            }
        }
        if first {
            self.tell_encodings(key, at);
        }
        for index in (0..8).filter(|index| began & 1 << index != 0) {
            let encoding = EncodingIndex(index);
            let source = key;
            self.begin_relay(now, EncodingKey { source, encoding }, at);
        }
    }

    /// Another worker gets an encoding from the last keyframe on if that is fresh, else
    /// from the next one.
    fn begin_relay(&mut self, now: Instant, key: EncodingKey, at: WorkerIndex) {
        self.start_encoding(now, key);
        let Some(encoding) = self.sources[key.source].encoding(key.encoding) else {
            return;
        };
        let Some(first) = encoding.fresh(now) else {
            return self.want_keyframe(now, key);
        };
        let old: Vec<u64> = encoding.since(first).collect();
        for sequence in old {
            let relay = self.relayed(key, bit(at), sequence);
            self.control.relays.extend(relay);
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
        self.choose_layers(now, key);
        self.assign_audio(now, room, key);
    }

    /// Takes a peer out with everything it has.
    pub(super) fn remove_peer(&mut self, now: Instant, key: PeerKey, reason: DisconnectReason) {
        // What the transport still had to say goes first.
        while let Some(transmit) = self.peers[key].transport.poll_transmit() {
            self.control.push(transmit.to, &transmit.bytes);
        }
        // Nothing is chosen for it any more.
        self.peers[key].connected = false;
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
        let watchers = std::mem::take(&mut source.watchers);
        let (id, workers) = (source.id, source.workers);
        let spread = match (&source.owner, source.is_video) {
            // Loud microphones went to every worker of the room.
            (Owner::Local(_), false) => self.rooms[source.room].others(self.config.worker),
            (Owner::Local(_), true) => workers,
            (Owner::Remote(_), _) => 0,
        };
        for at in watchers {
            if let Some(slot) = self.peers[at.peer].slots.get_mut(usize::from(at.slot)) {
                slot.show(now, None);
            }
        }
        for worker in (0..64).filter(|worker| spread & (1 << worker) != 0) {
            let worker = WorkerIndex(worker);
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
