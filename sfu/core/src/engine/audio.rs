//! Speakers into audio slots.

use std::time::{Duration, Instant};

use arrayvec::ArrayVec;

use super::Engine;
use super::rooms::RoomKey;
use super::source::{PeerKey, SlotRef, SourceKey};
use crate::api::Event;
use crate::ids::PeerId;
use crate::room::HEARD;

/// How often places are contested when nothing urgent happens.
const TURN: Duration = Duration::from_millis(100);
/// Who speaks is said at most this often.
const SAY_INTERVAL: Duration = Duration::from_millis(200);

impl Engine {
    /// Somebody has begun to send or to speak: no word of it should be missed.
    pub(super) fn choose_unsettled(&mut self, now: Instant) {
        while let Some(room) = self.unsettled.pop() {
            if self.rooms.contains(room) {
                self.choose(now, room);
            }
        }
    }

    /// The regular turn of all rooms.
    pub(super) fn choose_in_turn(&mut self, now: Instant) {
        for key in self.room_keys.values() {
            let room = &mut self.rooms[*key];
            if room.choose_at <= now {
                room.choose_at = now + TURN;
                self.unsettled.push(*key);
            }
        }
        for at in 0..self.unsettled.len() {
            self.say_who_speaks(now, self.unsettled[at]);
        }
        self.choose_unsettled(now);
    }

    fn choose(&mut self, now: Instant, key: RoomKey) {
        let room = &mut self.rooms[key];
        room.own_speakers.choose(now);
        if room.speakers.choose(now) {
            for at in 0..self.rooms[key].peers.len() {
                let peer = self.rooms[key].peers[at];
                self.assign_audio(now, key, peer);
            }
        }
    }

    /// Brings a peer's audio slots in line with who is heard. A speaker keeps its
    /// slot; a new one gets the slot with the number of the video slot that shows it, if
    /// that is free, so that picture and sound are played in step.
    pub(super) fn assign_audio(&mut self, now: Instant, room: RoomKey, key: PeerKey) {
        let peer = &self.peers[key];
        let audio_slots = peer.slots.len() - peer.video_slots;
        if !peer.connected || audio_slots == 0 {
            return;
        }
        let wanted: ArrayVec<SourceKey, HEARD> = self.rooms[room]
            .speakers
            .chosen()
            .iter()
            .filter(|source| !peer.sources.contains(source))
            .take(audio_slots.min(HEARD))
            .copied()
            .collect();
        for slot in peer.video_slots..peer.slots.len() {
            let shows = self.peers[key].slots[slot].shows;
            if shows.is_some_and(|source| !wanted.contains(&source)) {
                self.bind(now, slot_ref(key, slot), None);
            }
        }
        for source in wanted {
            if let Some(slot) = self.free_audio_slot(key, source) {
                self.bind(now, slot_ref(key, slot), Some(source));
            }
        }
    }

    /// `None`: it has one already, or there is none.
    fn free_audio_slot(&self, key: PeerKey, source: SourceKey) -> Option<usize> {
        let peer = &self.peers[key];
        let (video, audio) = peer.slots.split_at(peer.video_slots);
        if audio.iter().any(|slot| slot.shows == Some(source)) {
            return None;
        }
        let speaker = self.sources[source].id.peer;
        let seen_at = video.iter().position(|slot| {
            slot.shows
                .is_some_and(|shown| self.sources[shown].id.peer == speaker)
        });
        let free = |at: &usize| audio.get(*at).is_some_and(|slot| slot.shows.is_none());
        let at = seen_at
            .filter(free)
            .or_else(|| (0..audio.len()).find(free))?;
        Some(peer.video_slots + at)
    }

    fn say_who_speaks(&mut self, now: Instant, key: RoomKey) {
        let worker = self.config.worker;
        let Some(room) = self.rooms.get_mut(key) else {
            return;
        };
        let rested = room
            .said_at
            .is_none_or(|at| now.saturating_duration_since(at) >= SAY_INTERVAL);
        if !rested || !room.tells(worker) {
            return;
        }
        let speaking: Vec<PeerId> = room
            .speakers
            .speaking(now)
            .iter()
            .map(|source| self.sources[*source].id.peer)
            .collect();
        if speaking != room.said {
            room.said_at = Some(now);
            room.said.clone_from(&speaking);
            self.events.push_back(Event::Speaking {
                room: room.id,
                peers: speaking,
            });
        }
    }
}

fn slot_ref(peer: PeerKey, slot: usize) -> SlotRef {
    SlotRef {
        peer,
        slot: slot as u8, // at most 53
    }
}
