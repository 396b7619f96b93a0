//! What is wanted of each track: encodings that nobody receives are stopped at
//! their sender, and started when somebody wants them.

use std::time::{Duration, Instant};

use super::Engine;
use super::encoding::Encoding;
use super::layers::heights_of;
use super::source::{EncodingKey, PacketMeta, SourceKey};
use crate::api::{EncodingDemand, EncodingFigures, Event};
use crate::ids::{EncodingIndex, Track, WorkerIndex};

/// An upper encoding without takers is stopped after this, the lowest later:
/// somebody may look again soon.
const KEEP_UPPER: Duration = Duration::from_secs(2);
const KEEP_LOWEST: Duration = Duration::from_secs(10);
/// An encoding that was to start and has not by then will not: its sender lacks the means.
const STARTS_WITHIN: Duration = Duration::from_secs(3);
/// Without a packet for so long it has stopped. A still screen sends seldom.
const CAMERA_PAUSES: Duration = Duration::from_millis(1_500);
const SCREEN_PAUSES: Duration = Duration::from_secs(5);
/// Other workers are told so often what encodings cost.
const TELL_INTERVAL: Duration = Duration::from_secs(1);

impl Engine {
    /// What is due of a source's encodings.
    pub(super) fn watch_encodings(&mut self, now: Instant, key: SourceKey) {
        for at in 0..self.sources[key].encodings.len() {
            let encoding = EncodingIndex(at as u8); // at most MAX_ENCODINGS
            let source = key;
            self.ask_keyframe(now, EncodingKey { source, encoding });
        }
        let source = &mut self.sources[key];
        if !source.is_video || source.upstream().is_none() {
            return;
        }
        let pauses = match source.id.track {
            Track::Screen => SCREEN_PAUSES,
            Track::Microphone | Track::Camera => CAMERA_PAUSES,
        };
        let mut changed = std::mem::take(&mut source.changed);
        for encoding in &mut source.encodings {
            changed |= encoding.look(now, pauses);
        }
        self.stop_untaken(now, key);
        if changed {
            self.choose_for_watchers(now, key);
        }
        let source = &mut self.sources[key];
        if source.workers != 0 && (changed || source.tell_at <= now) {
            source.tell_at = now + TELL_INTERVAL;
            let workers = source.workers;
            for worker in (0..64).filter(|worker| workers & (1 << worker) != 0) {
                self.tell_encodings(key, WorkerIndex(worker));
            }
        }
    }

    /// Tells another worker what there is to choose from.
    pub(super) fn tell_encodings(&mut self, key: SourceKey, worker: WorkerIndex) {
        let source = &self.sources[key];
        let mut figures: Vec<EncodingFigures> =
            source.encodings.iter().map(|e| e.figures).collect();
        for (figures, height) in figures.iter_mut().zip(heights_of(source)) {
            figures.height = height;
        }
        self.events.push_back(Event::EncodingsAt {
            worker,
            source: source.id,
            figures,
        });
    }

    /// A keyframe's packet of a local video.
    pub(super) fn look_at_encoding(&mut self, key: EncodingKey, meta: &PacketMeta, payload: &[u8]) {
        let source = &mut self.sources[key.source];
        let encoding = source.encoding_mut(key.encoding);
        source.changed |= encoding.is_some_and(|e| e.look_at_keyframe(meta, payload));
    }

    /// Somebody wants an encoding: its sender is told if it had been stopped.
    pub(super) fn start_encoding(&mut self, now: Instant, key: EncodingKey) {
        let source = &mut self.sources[key.source];
        if !source.is_video || source.upstream().is_none() {
            return;
        }
        let Some(encoding) = source.encoding_mut(key.encoding) else {
            return;
        };
        if !encoding.active {
            encoding.start(now);
            self.say_demand(key.source);
        }
    }

    fn stop_untaken(&mut self, now: Instant, key: SourceKey) {
        let heights = heights_of(&self.sources[key]);
        let lowest = heights.iter().min().copied();
        let mut stopped = false;
        for (encoding, height) in self.sources[key].encodings.iter_mut().zip(heights) {
            if encoding.is_taken() {
                encoding.taken_at = now;
            }
            let keep = if Some(height) == lowest {
                KEEP_LOWEST
            } else {
                KEEP_UPPER
            };
            let idle = now.saturating_duration_since(encoding.taken_at) >= keep;
            if encoding.active && idle {
                encoding.active = false;
                encoding.cache.release();
                stopped = true;
            }
        }
        if stopped {
            self.say_demand(key);
        }
    }

    fn say_demand(&mut self, key: SourceKey) {
        let source = &self.sources[key];
        let encodings = source.encodings.iter().map(|encoding| EncodingDemand {
            rid: encoding.rid.clone(),
            active: encoding.active,
        });
        self.events.push_back(Event::Demand {
            source: source.id,
            encodings: encodings.collect(),
        });
    }
}

impl Encoding {
    /// Its sender is to send it again.
    fn start(&mut self, now: Instant) {
        self.active = true;
        self.active_since = now;
        self.taken_at = now;
        if !self.figures.live {
            self.keyframe.expected(now);
        }
    }

    /// Brings the figures up to date. True: there is something else to choose from than before.
    fn look(&mut self, now: Instant, pauses: Duration) -> bool {
        let before = self.figures;
        let since = |at: Instant| now.saturating_duration_since(at);
        let figures = &mut self.figures;
        figures.live = self.last_packet.is_some_and(|at| since(at) < pauses);
        figures.available =
            figures.live || !self.active || since(self.active_since) < STARTS_WITHIN;
        if !figures.live || !self.active {
            // What trickles in of one that was told to stop is not its rate.
            self.meter.rest();
        } else if let Some(measured) = self.meter.measure(now) {
            figures.spatial_layers = measured.spatial;
            figures.temporal_layers = measured.temporal;
            figures.rates = measured.rates;
            self.settle_height();
        }
        before.offers_other(&self.figures)
    }
}
