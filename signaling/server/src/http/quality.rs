//! How lines and pictures do, for Prometheus. Distributions over all participants
//! and slots, one observation a second each: a label per participant would
//! make a new series with every call.

use liandong_sfu_node::{PeerStats, SlotStats};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

const RATIOS: [f64; 8] = [0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3];
/// From "nearly all users dissatisfied" to "very satisfied" (ITU-T G.107 annex B).
const SCORES: [f64; 7] = [1.5, 2.0, 2.6, 3.1, 3.6, 4.0, 4.3];
const SECONDS: [f64; 8] = [0.005, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 2.0];
/// Of the usual layers.
const HEIGHTS: [f64; 5] = [0.0, 180.0, 360.0, 720.0, 1_080.0];

/// What the media node's figures add up to.
#[derive(Debug)]
pub struct QualityMetrics {
    poor: Counter,
    uplink_loss: Histogram,
    downlink_loss: Histogram,
    round_trip: Histogram,
    jitter: Histogram,
    score: Histogram,
    slot_score: Histogram,
    slot_height: Histogram,
    slot_freezes: Counter,
    slot_paused: Counter,
    overload: Gauge,
}

impl Default for QualityMetrics {
    fn default() -> Self {
        Self {
            poor: Counter::default(),
            uplink_loss: Histogram::new(RATIOS),
            downlink_loss: Histogram::new(RATIOS),
            round_trip: Histogram::new(SECONDS),
            jitter: Histogram::new(SECONDS),
            score: Histogram::new(SCORES),
            slot_score: Histogram::new(SCORES),
            slot_height: Histogram::new(HEIGHTS),
            slot_freezes: Counter::default(),
            slot_paused: Counter::default(),
            overload: Gauge::default(),
        }
    }
}

impl QualityMetrics {
    /// One second of one participant.
    pub fn peer(&self, stats: &PeerStats, poor: bool) {
        if poor {
            self.poor.inc();
        }
        self.uplink_loss.observe(stats.uplink_loss.into());
        self.downlink_loss.observe(stats.downlink_loss.into());
        if let Some(round_trip) = stats.round_trip {
            self.round_trip.observe(round_trip.as_secs_f64());
        }
        self.jitter.observe(stats.jitter.as_secs_f64());
        self.score.observe(stats.score.into());
    }

    /// One second of one slot; an empty one says nothing.
    pub fn slot(&self, stats: &SlotStats) {
        if stats.source.is_none() {
            return;
        }
        if stats.paused {
            // What is not sent has neither a height nor a score.
            self.slot_paused.inc();
            return;
        }
        self.slot_score.observe(stats.score.into());
        self.slot_height.observe(stats.height.into());
        self.slot_freezes.inc_by(stats.freezes.into());
    }

    /// How far the media node reduces video.
    pub fn overload(&self, level: u32) {
        self.overload.set(level.into());
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "media_poor_reports",
            "Seconds of participants with more than 15 % loss",
            self.poor.clone(),
        );
        let histograms = [
            (
                "uplink_loss_ratio",
                "Lost on the way to the server",
                &self.uplink_loss,
            ),
            (
                "downlink_loss_ratio",
                "Lost on the way from the server",
                &self.downlink_loss,
            ),
            (
                "round_trip_seconds",
                "To the participants and back",
                &self.round_trip,
            ),
            ("uplink_jitter_seconds", "Of what comes in", &self.jitter),
            (
                "participant_score",
                "Of the sound, 1 (bad) to 5 (excellent)",
                &self.score,
            ),
            (
                "slot_score",
                "Of a picture as it is received, 1 to 5",
                &self.slot_score,
            ),
            (
                "slot_height_pixels",
                "Of the pictures that are sent",
                &self.slot_height,
            ),
        ];
        for (name, help, histogram) in histograms {
            registry.register(name, help, histogram.clone());
        }
        registry.register(
            "slot_freezes",
            "Gaps of more than half a second in a picture",
            self.slot_freezes.clone(),
        );
        registry.register(
            "slot_paused_reports",
            "Seconds of slots whose picture was out of sight or not carried by the line",
            self.slot_paused.clone(),
        );
        registry.register(
            "media_overload_level",
            "How far video is reduced because the machine is at its limit; 0: not at all",
            self.overload.clone(),
        );
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use liandong_sfu_node::{PeerId, SlotIndex, SourceId, Track, WorkerIndex};

    use super::*;

    fn slot(source: Option<SourceId>, paused: bool) -> SlotStats {
        SlotStats {
            slot: SlotIndex(0),
            source,
            bits_per_second: 500_000,
            loss: 0.0,
            jitter: Duration::from_millis(3),
            height: 360,
            frames_per_second: 15,
            freezes: 2,
            paused,
            score: 4.1,
        }
    }

    #[test]
    fn many_participants_make_no_more_series_and_empty_slots_say_nothing() {
        let metrics = QualityMetrics::default();
        let mut registry = Registry::default();
        metrics.register(&mut registry);
        let text = |registry: &Registry| {
            let mut text = String::new();
            prometheus_client::encoding::text::encode(&mut text, registry).unwrap();
            text
        };
        let lines = text(&registry).lines().count();
        for _ in 0..100 {
            metrics.peer(&PeerStats::default(), true);
        }
        let source = SourceId {
            peer: PeerId::new(WorkerIndex(0), 1),
            track: Track::Camera,
        };
        metrics.slot(&slot(Some(source), false));
        metrics.slot(&slot(Some(source), true));
        metrics.slot(&slot(None, false));
        let text = text(&registry);
        assert_eq!(text.lines().count(), lines);
        for line in [
            "media_poor_reports_total 100",
            "participant_score_count 100",
            "round_trip_seconds_count 0",
            "slot_score_count 1",
            "slot_freezes_total 2",
            "slot_paused_reports_total 1",
        ] {
            assert!(text.contains(line), "{line} not in {text}");
        }
    }
}
