//! The one timer. While media flows, or a probe goes out, it runs every ten milliseconds, so that
//! no packet needs a timer of its own. Peers with nothing pressing are looked after less often.

use std::time::{Duration, Instant};

use super::Engine;
use super::source::SILENT_AFTER;
use crate::api::Event;

const BUSY: Duration = Duration::from_millis(10);
const IDLE: Duration = Duration::from_millis(100);
/// After the last packet the quick pace is kept for repair.
const LINGER: Duration = Duration::from_millis(500);

impl Engine {
    /// Sees to it that the timer runs, and quickly if there is something to do.
    pub(super) fn wake(&mut self, now: Instant) {
        let soon = now + BUSY;
        if self.peers.is_empty() {
            return;
        }
        if self.tick_at.is_none_or(|at| at > soon) {
            self.tick_at = Some(soon);
        }
    }

    pub(super) fn tick(&mut self, now: Instant) {
        let mut keys = std::mem::take(&mut self.keys);
        keys.clear();
        keys.extend((0..self.attention.len()).filter(|key| self.attention.is_due(now, *key)));
        let mut pressing = false;
        for &key in &keys {
            let Some(peer) = self.peers.get_mut(key) else {
                continue;
            };
            peer.resends = 0;
            if peer.transport.poll_timeout().is_some_and(|at| at <= now) {
                peer.transport.handle_timeout(now);
                self.drain_transport(now, key);
            }
            if self.peers.get(key).is_some_and(|peer| peer.connected) {
                self.report(now, key);
                self.tend_line(now, key);
            }
            if let Some(peer) = self.peers.get(key) {
                pressing |= self.attention.given(now, key, peer);
            }
        }
        keys.clear();
        keys.extend(self.sources.iter().map(|(key, _)| key));
        for &key in &keys {
            self.watch_encodings(now, key);
            self.rest_speech(now, key);
            self.watch_silence(now, key);
        }
        self.keys = keys;
        self.choose_in_turn(now);
        let flowing = self
            .media_at
            .is_some_and(|at| now.saturating_duration_since(at) < LINGER);
        self.tick_at = match (self.peers.is_empty(), flowing || pressing) {
            (true, _) => None,
            (false, true) => Some(now + BUSY),
            (false, false) => Some(now + IDLE),
        };
    }

    fn watch_silence(&mut self, now: Instant, key: usize) {
        let source = &mut self.sources[key];
        let silent = source
            .last_packet
            .is_some_and(|at| now.saturating_duration_since(at) >= SILENT_AFTER);
        if !silent || !source.started {
            return;
        }
        for encoding in &mut source.encodings {
            encoding.cache.release();
        }
        if source.encodings.iter().all(|encoding| !encoding.active) {
            return; // it was told to stop
        }
        source.started = false;
        let id = source.id;
        if id.peer.worker() == self.config.worker {
            self.events.push_back(Event::SourceSilent { source: id });
        } else if !source.is_video {
            // It came unasked and has stopped coming.
            self.remove_source(now, key);
        }
    }
}
