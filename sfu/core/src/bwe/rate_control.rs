//! From the delay's verdict to a rate: up by addition near where the path was
//! full before, by multiplication elsewhere, down to 0.85 of what arrives
//! (draft-ietf-rmcat-gcc-02 §5.5).

use std::time::{Duration, Instant};

use super::trendline::Usage;
use crate::units::Bitrate;

/// Of the acknowledged rate, so that the queue drains.
const BACKOFF: f64 = 0.85;
/// Multiplicative increase per second.
const INCREASE_PER_SECOND: f64 = 1.08;
/// How long the detector takes to see overuse.
const DETECTION: Duration = Duration::from_millis(100);
const FRAMES_PER_SECOND: f64 = 30.0;
const PACKET_BITS: f64 = 1_200.0 * 8.0;
const MIN_ADDED_PER_SECOND: f64 = 20_000.0;
/// What was never tried is not believed: the estimate stays below this many
/// times what arrives.
const MAX_OVER_ACKNOWLEDGED: f64 = 1.5;
const SLACK: Bitrate = Bitrate::kbps(10);

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Hold,
    Increase,
    Decrease,
}

/// See the module's text.
#[derive(Debug)]
pub struct RateControl {
    estimate: Bitrate,
    state: State,
    capacity: LinkCapacity,
    acknowledged: Bitrate,
    changed_at: Option<Instant>,
    lowered_at: Option<Instant>,
}

/// What feedback has told.
#[derive(Clone, Copy, Debug)]
pub struct Told {
    pub usage: Usage,
    pub acknowledged: Option<Bitrate>,
    /// Less is sent than may be, so what arrives says nothing of the path.
    pub limited: bool,
    /// When the newest packet that arrived was sent.
    pub sent_at: Instant,
    pub round_trip: Duration,
}

impl RateControl {
    #[must_use]
    pub fn new(start: Bitrate) -> Self {
        Self {
            estimate: start,
            state: State::Hold,
            capacity: LinkCapacity::default(),
            acknowledged: start,
            changed_at: None,
            lowered_at: None,
        }
    }

    #[must_use]
    pub fn estimate(&self) -> Bitrate {
        self.estimate
    }

    /// The path was full lately at about this rate.
    #[must_use]
    pub fn knows_capacity(&self) -> bool {
        self.capacity.mean_kbps.is_some()
    }

    /// A probe's result, or what else is known better.
    pub fn set(&mut self, now: Instant, estimate: Bitrate) {
        self.estimate = estimate;
        self.changed_at = Some(now);
    }

    /// Takes the verdict of a feedback.
    pub fn update(&mut self, now: Instant, told: &Told) {
        if let Some(rate) = told.acknowledged {
            self.acknowledged = rate;
        }
        self.state = match (told.usage, self.state) {
            (Usage::Normal, State::Hold) => {
                self.changed_at = Some(now);
                State::Increase
            }
            (Usage::Normal, state @ (State::Increase | State::Decrease)) => state,
            (Usage::Under, State::Hold | State::Increase | State::Decrease) => State::Hold,
            (Usage::Over, State::Hold | State::Increase | State::Decrease) => State::Decrease,
        };
        match self.state {
            State::Hold => {}
            State::Increase => self.increase(now, told.round_trip),
            State::Decrease => self.decrease(now, told),
        }
    }

    fn increase(&mut self, now: Instant, round_trip: Duration) {
        if self.capacity.is_far_above(self.acknowledged) {
            self.capacity = LinkCapacity::default();
        }
        let elapsed = self.since_change(now).min(Duration::from_secs(1));
        self.changed_at = Some(now);
        let limit = self
            .acknowledged
            .scale(MAX_OVER_ACKNOWLEDGED)
            .saturating_add(SLACK);
        if self.estimate >= limit {
            return;
        }
        let seconds = elapsed.as_secs_f64();
        let raised = match self.capacity.mean_kbps {
            Some(_) => {
                let added = self.added_per_second(round_trip) * seconds;
                self.estimate.saturating_add(Bitrate::bps(added as u64))
            }
            None => self.estimate.scale(INCREASE_PER_SECOND.powf(seconds)),
        };
        let least = self
            .estimate
            .saturating_add(Bitrate::bps((1_000.0 * seconds) as u64));
        self.estimate = raised.max(least).min(limit);
    }

    /// One packet in the time that it takes to see the effect.
    fn added_per_second(&self, round_trip: Duration) -> f64 {
        let frame = self.estimate.as_f64() / FRAMES_PER_SECOND;
        let packets = (frame / PACKET_BITS).ceil().max(1.0);
        let response = (round_trip + DETECTION).as_secs_f64() * 2.0;
        (frame / packets / response).max(MIN_ADDED_PER_SECOND)
    }

    /// Once for each round trip: until packets arrive that were sent since the last time, it is
    /// the old queue that is seen.
    fn decrease(&mut self, now: Instant, told: &Told) {
        self.state = State::Hold;
        let seen = self.lowered_at.is_none_or(|at| told.sent_at >= at);
        let Some(rate) = told.acknowledged else {
            // Overuse before anything could be measured.
            if seen {
                self.lower(now, self.estimate.scale(0.5));
            }
            return;
        };
        if told.limited {
            // What arrives is what was sent, and no measure of the path.
            if seen {
                self.lower(now, self.estimate.max(rate).scale(BACKOFF));
            }
            return;
        }
        if !seen && rate >= self.estimate.scale(0.5) {
            return;
        }
        // Where more arrives than the estimate, it is others who are to give way.
        let lowered = rate.scale(BACKOFF);
        if self.capacity.is_far_below(rate) {
            self.capacity = LinkCapacity::default();
        }
        self.capacity.full_at(rate);
        self.lower(now, lowered);
    }

    fn lower(&mut self, now: Instant, to: Bitrate) {
        self.lowered_at = Some(now);
        self.set(now, to.min(self.estimate));
    }

    fn since_change(&self, now: Instant) -> Duration {
        match self.changed_at {
            Some(at) => now.saturating_duration_since(at),
            None => Duration::from_secs(1),
        }
    }
}

/// Where the path was full, and how that varied.
#[derive(Debug, Default)]
struct LinkCapacity {
    mean_kbps: Option<f64>,
    /// Variance over mean.
    variance: f64,
}

impl LinkCapacity {
    const WEIGHT: f64 = 0.05;
    const FIRST_VARIANCE: f64 = 0.4;
    const MAX_VARIANCE: f64 = 2.5;

    fn full_at(&mut self, rate: Bitrate) {
        let sample = rate.as_f64() / 1_000.0;
        let Some(mean) = self.mean_kbps else {
            self.mean_kbps = Some(sample);
            self.variance = Self::FIRST_VARIANCE;
            return;
        };
        let mean = mean + Self::WEIGHT * (sample - mean);
        let error = mean - sample;
        let new = error * error / mean.max(1.0);
        self.variance = (self.variance + Self::WEIGHT * (new - self.variance))
            .clamp(Self::FIRST_VARIANCE, Self::MAX_VARIANCE);
        self.mean_kbps = Some(mean);
    }

    fn deviations(&self, mean: f64) -> f64 {
        3.0 * (self.variance * mean).sqrt()
    }

    /// The path has become wider than it was.
    fn is_far_above(&self, rate: Bitrate) -> bool {
        self.mean_kbps
            .is_some_and(|mean| rate.as_f64() / 1_000.0 > mean + self.deviations(mean))
    }

    fn is_far_below(&self, rate: Bitrate) -> bool {
        self.mean_kbps
            .is_some_and(|mean| rate.as_f64() / 1_000.0 < mean - self.deviations(mean))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUND_TRIP: Duration = Duration::from_millis(100);

    struct Run {
        control: RateControl,
        limited: bool,
        now: Instant,
    }

    impl Run {
        fn new(start_kbps: u64) -> Self {
            Self {
                control: RateControl::new(Bitrate::kbps(start_kbps)),
                limited: false,
                now: crate::bwe::epoch(),
            }
        }

        /// Feedback every 100 ms; gives kbit/s.
        fn feed(&mut self, count: u32, usage: Usage, acknowledged_kbps: u64) -> u64 {
            for _ in 0..count {
                self.now += Duration::from_millis(100);
                let told = Told {
                    usage,
                    acknowledged: Some(Bitrate::kbps(acknowledged_kbps)),
                    limited: self.limited,
                    sent_at: self.now.checked_sub(ROUND_TRIP).unwrap(),
                    round_trip: ROUND_TRIP,
                };
                self.control.update(self.now, &told);
            }
            self.control.estimate().as_bps() / 1_000
        }
    }

    #[test]
    fn steps() {
        let mut run = Run::new(1_000);
        // verdict, feedbacks, acknowledged, between these
        let steps = [
            // Ten seconds of 8 %.
            (Usage::Normal, 100, 1_500, 2_100..=2_300),
            (Usage::Over, 1, 2_000, 1_700..=1_700),
            // Waits until the queue is empty.
            (Usage::Under, 10, 2_000, 1_700..=1_700),
            // Near what was full: a packet per response time (400 ms): 24 kbit/s a second.
            (Usage::Normal, 50, 1_900, 1_790..=1_830),
            // Far above it: fast again.
            (Usage::Normal, 50, 3_000, 2_550..=2_750),
            (Usage::Over, 1, 900, 765..=765),
        ];
        for (step, (usage, count, acknowledged, expected)) in steps.into_iter().enumerate() {
            let kbps = run.feed(count, usage, acknowledged);
            assert!(expected.contains(&kbps), "step {step}: {kbps}");
        }
    }

    #[test]
    fn what_was_never_tried_is_not_believed() {
        let mut run = Run::new(300);
        assert_eq!(run.feed(1_000, Usage::Normal, 400), 610);
        // A higher one, from a probe, stays.
        run.control.set(run.now, Bitrate::kbps(2_000));
        assert_eq!(run.feed(100, Usage::Normal, 400), 2_000);
    }

    #[test]
    fn overuse_with_little_sent_is_no_collapse() {
        let mut run = Run::new(1_000);
        run.limited = true;
        // Once for each round trip, whatever little arrives.
        assert_eq!(run.feed(4, Usage::Over, 100), 522);
        run.limited = false;
        assert_eq!(run.feed(1, Usage::Over, 100), 85);
    }

    #[test]
    fn one_decrease_in_a_round_trip() {
        let mut run = Run::new(1_000);
        run.feed(1, Usage::Over, 1_000);
        run.now -= Duration::from_millis(70);
        assert_eq!(run.feed(1, Usage::Over, 900), 850);
        // Unless far too much is under way.
        run.now -= Duration::from_millis(70);
        assert_eq!(run.feed(1, Usage::Over, 300), 255);
    }
}
