//! How much one receiver's line carries: a send-side estimate from
//! transport-wide feedback, after draft-ietf-rmcat-gcc-02 and what libwebrtc does
//! today. Delay says when a queue grows (`groups`, `trendline`, `rate_control`), loss
//! when packets are dropped (`loss`), probes whether there is more (`prober`).

mod acknowledged;
mod application_limit;
mod groups;
mod history;
mod loss;
mod pacer;
mod prober;
mod rate_control;
mod standing_queue;
mod trendline;

use std::time::{Duration, Instant};

use crate::rtcp::TransportFeedback;
use crate::units::Bitrate;

use acknowledged::AcknowledgedRate;
use application_limit::ApplicationLimit;
use groups::ArrivalGroups;
use history::{PacketResult, SendHistory};
use loss::{LossControl, LossState};
pub use pacer::Pacer;
use prober::Prober;
use rate_control::{RateControl, Told};
use standing_queue::StandingQueue;
use trendline::{Trendline, Usage};

/// Before anything is known. Probes raise it within a few round trips.
pub const START: Bitrate = Bitrate::kbps(500);
const MIN: Bitrate = Bitrate::kbps(50);
const MAX: Bitrate = Bitrate::kbps(50_000);
/// Without feedback for so long while packets are sent, the estimate falls once a second.
const STARVED: Duration = Duration::from_secs(2);
const STARVED_FACTOR: f64 = 0.7;
/// A stream that paused for so long begins with new delays.
const STREAM_TIMEOUT: Duration = Duration::from_secs(2);
/// A fall below this part is a drop.
const DROP: f64 = 0.66;
/// A probe among competitors takes from them and finds what is not there: none for a second
/// after overuse for each of these that one has, so that the smaller flow comes first.
const CALM_SHARE: Bitrate = Bitrate::kbps(300);
const CALM_SECONDS: std::ops::RangeInclusive<f64> = 1.0..=6.0;
/// Of the estimate: if so much arrives, there is media to measure a probe with.
const FLOWS: f64 = 0.3;
/// A queue below this drains by itself if less is sent than the path carries.
const STANDING_QUEUE_US: i64 = 30_000;
/// A queue that stands so high, with so much loss, is full.
const FULL_QUEUE_US: i64 = 80_000;
const FULL_QUEUE_LOSS: f64 = 0.02;
/// Of the estimate, while a queue is to drain. (The pacer lets twice as much pass.)
const DRAINING: f64 = 0.4;
/// And where the path was full not far from here: a large frame is to wait with us rather than
/// in the path's queue, before sound.
const NEAR_FULL: f64 = 0.6;
/// A receiver reports loss once a second.
const CONGESTED: Duration = Duration::from_millis(1_500);
const FIRST_ROUND_TRIP: Duration = Duration::from_millis(200);

/// The estimate for one receiver. Call [`Self::tick`] every ten milliseconds
/// or so while a probe goes out, else some twenty times a second, and after feedback.
#[derive(Debug)]
pub struct Estimator {
    epoch: Instant,
    history: SendHistory,
    groups: ArrivalGroups,
    trendline: Trendline,
    standing_queue: StandingQueue,
    acknowledged: AcknowledgedRate,
    rate_control: RateControl,
    loss: LossControl,
    limit: ApplicationLimit,
    prober: Prober,
    wanted: Bitrate,
    estimate: Bitrate,
    /// The path's queue grows, or drains.
    drains: bool,
    round_trip: Duration,
    last_round_trip: Duration,
    sent_since_tick: u64,
    feedback_at: Instant,
    /// When the last packet left; `None` once the silence after it was long.
    sent_at: Option<Instant>,
    starved_at: Instant,
    /// When the detector last saw overuse.
    over_at: Option<Instant>,
    /// The first packet after the last feedback.
    unanswered_since: Option<Instant>,
    /// Reused.
    results: Vec<PacketResult>,
}

impl Estimator {
    #[must_use]
    pub fn new(now: Instant, start: Bitrate) -> Self {
        Self {
            epoch: now,
            history: SendHistory::default(),
            groups: ArrivalGroups::default(),
            trendline: Trendline::default(),
            standing_queue: StandingQueue::default(),
            acknowledged: AcknowledgedRate::default(),
            rate_control: RateControl::new(start),
            loss: LossControl::default(),
            limit: ApplicationLimit::default(),
            prober: Prober::new(now),
            wanted: Bitrate::ZERO,
            estimate: start,
            drains: false,
            round_trip: FIRST_ROUND_TRIP,
            last_round_trip: FIRST_ROUND_TRIP,
            sent_since_tick: 0,
            feedback_at: now,
            sent_at: None,
            starved_at: now,
            over_at: None,
            unanswered_since: None,
            results: Vec::new(),
        }
    }

    /// What the line carries, of all packets that bear transport-wide numbers.
    #[must_use]
    pub fn estimate(&self) -> Bitrate {
        self.estimate
    }

    /// Smoothed, of packet and feedback.
    #[must_use]
    pub fn round_trip(&self) -> Duration {
        self.round_trip
    }

    /// Of the last feedback, if that is more: a queue may have grown.
    #[must_use]
    pub fn present_round_trip(&self) -> Duration {
        self.round_trip.max(self.last_round_trip)
    }

    /// The path was full a moment ago: what it loses, it loses for that.
    #[must_use]
    pub fn is_congested(&self, now: Instant) -> bool {
        self.over_at
            .is_some_and(|at| now.saturating_duration_since(at) < CONGESTED)
    }

    /// Loss of the last seconds, 0 to 1.
    #[must_use]
    pub fn loss(&self) -> f64 {
        self.loss.average_loss()
    }

    /// What could be sent at most if the line were wide: nothing above is probed for.
    pub fn want(&mut self, rate: Bitrate) {
        self.wanted = rate;
    }

    /// The number that [`Self::sent`] will give.
    #[must_use]
    pub fn next_sequence(&self) -> u16 {
        self.history.next_sequence()
    }

    /// A packet leaves; gives its transport-wide sequence number.
    pub fn sent(&mut self, now: Instant, bytes: usize) -> u16 {
        self.sent_since_tick += bytes as u64;
        self.sent_at = Some(now);
        self.unanswered_since.get_or_insert(now);
        let cluster = self.prober.sent(now, bytes);
        self.history.sent(self.micros(now), bytes, cluster)
    }

    /// Bytes that a probe asks for now, beyond the media that has left.
    #[must_use]
    pub fn probe_bytes(&self, now: Instant) -> u64 {
        self.prober.burst(now)
    }

    /// A probe goes out.
    #[must_use]
    pub fn is_probing(&self) -> bool {
        self.prober.rate().is_some()
    }

    /// While a probe goes out, its rate where that is above the estimate; less while there is a
    /// queue to drain.
    #[must_use]
    pub fn pacing_rate(&self) -> Bitrate {
        match self.prober.rate() {
            Some(rate) => rate.max(self.estimate),
            None if self.drains => self.estimate.scale(DRAINING),
            None if self.rate_control.knows_capacity() => self.estimate.scale(NEAR_FULL),
            None => self.estimate,
        }
    }

    /// Time goes by.
    pub fn tick(&mut self, now: Instant) {
        let sent = std::mem::take(&mut self.sent_since_tick);
        self.limit.sent(now, sent, self.estimate);
        let silent = |at| now.saturating_duration_since(at) > STREAM_TIMEOUT;
        if self.sent_at.is_some_and(silent) {
            self.sent_at = None;
            self.rest(now);
        }
        let calm = self.has_been_calm(now)
            && self.trendline.usage() == Usage::Normal
            && self.loss.state() != LossState::Decreasing
            && !self.is_starved(now);
        let part = self.estimate.scale(FLOWS);
        let flows = self.acknowledged.rate().is_some_and(|rate| rate > part);
        self.prober.tick(
            now,
            self.estimate,
            self.wanted,
            self.round_trip,
            (flows, calm),
        );
        if self.is_starved(now) && now >= self.starved_at + Duration::from_secs(1) {
            self.starved_at = now;
            let lowered = self.estimate.scale(STARVED_FACTOR).max(MIN);
            self.rate_control.set(now, lowered);
            self.estimate = lowered;
        }
        if self.unanswered_since.is_none()
            && now.saturating_duration_since(self.feedback_at) > STREAM_TIMEOUT
        {
            self.history.forget(self.micros(now));
            self.history.release();
        }
    }

    /// Nothing was sent or told for long: what the last packets said of the path holds no more, and
    /// nothing else would ever contradict it. The rate stays until there is news.
    fn rest(&mut self, now: Instant) {
        self.groups = ArrivalGroups::default();
        self.trendline = Trendline::default();
        self.standing_queue = StandingQueue::default();
        self.acknowledged.clear();
        self.loss = LossControl::default();
        self.unanswered_since = None;
        self.drains = false;
        self.rate_control.set(now, self.estimate);
    }

    fn has_been_calm(&self, now: Instant) -> bool {
        let shares = self.estimate.as_f64() / CALM_SHARE.as_f64();
        let wait = shares.clamp(*CALM_SECONDS.start(), *CALM_SECONDS.end());
        let wait = Duration::from_secs_f64(wait);
        self.over_at
            .is_none_or(|at| now.saturating_duration_since(at) > wait)
    }

    fn is_starved(&self, now: Instant) -> bool {
        self.unanswered_since
            .is_some_and(|since| now.saturating_duration_since(since) > STARVED)
    }

    /// Takes what the receiver tells.
    pub fn feedback(&mut self, now: Instant, feedback: &TransportFeedback<'_>) {
        let now_us = self.micros(now);
        let mut results = std::mem::take(&mut self.results);
        results.clear();
        self.history.feedback(now_us, feedback, &mut results);
        if !results.is_empty() {
            self.digest(now, now_us, &mut results);
        }
        // Only a hostile receiver makes it long.
        results.shrink_to(512);
        self.results = results;
    }

    fn digest(&mut self, now: Instant, now_us: i64, results: &mut [PacketResult]) {
        if now.saturating_duration_since(self.feedback_at) > STREAM_TIMEOUT {
            self.rest(now);
        }
        self.feedback_at = now;
        self.unanswered_since = None;
        self.loss_results(results, now_us);
        let sent_at = self.newest_sent(now_us, results);
        let recovered = self.delay_results(results);
        let acknowledged = self.acknowledged.rate();
        let usage = self.usage();
        self.drains = usage != Usage::Normal;
        let limited = self.limit.since().is_some();
        let usage = self.judge(now, usage, limited);
        let probed = self.prober.result(now, self.wanted);
        let before = self.estimate;
        match (usage, probed) {
            // A probe shows what a line carries at least. That it carries less is for delay and
            // loss to tell: a receiver that was busy for a moment took the burst late, no more.
            (Usage::Normal | Usage::Under, Some(rate)) if rate > before => {
                self.rate_control.set(now, rate);
                self.loss.set(rate);
            }
            (Usage::Normal | Usage::Over | Usage::Under, _) => {
                let told = Told {
                    usage,
                    acknowledged,
                    limited: limited && !self.acknowledged.is_held_up() && !self.is_full(),
                    sent_at,
                    round_trip: self.round_trip,
                };
                self.rate_control.update(now, &told);
            }
        }
        let delay_based = self.rate_control.estimate().clamp(MIN, MAX);
        self.loss
            .update(results, delay_based, acknowledged, limited);
        let loss_based = self.loss.estimate().unwrap_or(Bitrate::MAX);
        self.estimate = delay_based.min(loss_based).clamp(MIN, MAX);
        if self.estimate < before.scale(DROP) {
            self.prober.dropped(now, before);
        }
        if recovered && limited {
            self.prober.recovered(now, self.estimate);
        }
    }

    /// When the newest packet that arrived was sent.
    fn newest_sent(&self, now_us: i64, results: &[PacketResult]) -> Instant {
        let arrived = results.iter().filter(|result| result.arrived_us.is_some());
        let newest = arrived.map(|result| result.sent_us).max();
        let us = newest.unwrap_or(now_us).max(0).unsigned_abs();
        self.epoch + Duration::from_micros(us)
    }

    /// Whether overuse counts. Not that of a probe's own queue, but what outlasts it does; and not
    /// the queue of a single large frame where little is sent otherwise.
    fn judge(&mut self, now: Instant, usage: Usage, limited: bool) -> Usage {
        match usage {
            Usage::Over => {
                self.over_at = Some(now);
                self.prober.full();
                let alone = limited || self.prober.was_lately(now);
                let passes = alone && self.standing_queue.micros() < STANDING_QUEUE_US;
                if self.prober.is_under_way() || passes {
                    Usage::Under
                } else {
                    usage
                }
            }
            Usage::Normal | Usage::Under => usage,
        }
    }

    /// A full queue does not grow: what it drops is overuse, too.
    fn usage(&self) -> Usage {
        match self.trendline.usage() {
            Usage::Normal if self.is_full() => Usage::Over,
            usage @ (Usage::Normal | Usage::Over | Usage::Under) => usage,
        }
    }

    /// Then what arrives is what the path carries, however little is sent.
    fn is_full(&self) -> bool {
        self.standing_queue.micros() > FULL_QUEUE_US && self.loss.average_loss() > FULL_QUEUE_LOSS
    }

    fn loss_results(&mut self, results: &[PacketResult], now_us: i64) {
        for result in results {
            self.prober.feedback(result);
        }
        let newest = results
            .iter()
            .rev()
            .find(|result| result.arrived_us.is_some());
        if let Some(newest) = newest {
            let us = (now_us - newest.sent_us).max(0).unsigned_abs();
            let sample = Duration::from_micros(us);
            self.round_trip = (self.round_trip * 7 + sample) / 8;
            self.last_round_trip = sample;
        }
    }

    /// True: the queue that had grown is empty again.
    fn delay_results(&mut self, results: &mut [PacketResult]) -> bool {
        results.sort_by_key(|result| (result.arrived_us, result.sent_us));
        let mut recovered = false;
        for result in results.iter() {
            let Some(arrived_us) = result.arrived_us else {
                continue;
            };
            self.standing_queue.add(result.sent_us, arrived_us);
            self.acknowledged
                .add(result.sent_us, arrived_us, result.bytes);
            let before = self.trendline.usage();
            if let Some(delta) = self.groups.add(result.sent_us, arrived_us) {
                self.trendline.add(&delta);
            }
            recovered |= before == Usage::Under && self.trendline.usage() == Usage::Normal;
        }
        recovered
    }

    fn micros(&self, now: Instant) -> i64 {
        // 292,000 years.
        now.saturating_duration_since(self.epoch).as_micros() as i64
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods)] // any instant serves as the origin of virtual time
fn epoch() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests;
