//! How much may leave at once: a budget of bytes that refills with time. No
//! timer belongs to a packet: what finds the budget empty waits for the next tick or
//! flush.

use std::time::{Duration, Instant};

use crate::units::Bitrate;

/// Above the estimate, so that a frame of more than average size is not late.
const FACTOR: f64 = 2.0;
/// The budget does not grow beyond what this time gives: a frame after a pause
/// leaves in one piece if it is not large.
const MAX_SAVED: Duration = Duration::from_millis(20);
const MIN_SAVED_BYTES: i64 = 3_000;
/// What is sent once more: a quarter of the packets may be lost for long, and a frame at once.
/// More would only fill a line that became thin.
const REPAIR_FACTOR: f64 = 0.3;
const MAX_SAVED_REPAIR: Duration = Duration::from_millis(500);
/// What never waits, audio and repair, takes no more from later packets than this.
const MAX_DEBT: Duration = Duration::from_millis(100);

/// See the module's text.
#[derive(Debug)]
pub struct Pacer {
    /// Of the estimate.
    factor: f64,
    max_saved: Duration,
    rate: Bitrate,
    budget_bytes: i64,
    refilled_at: Instant,
}

impl Pacer {
    #[must_use]
    pub fn new(now: Instant, estimate: Bitrate) -> Self {
        Self::with(now, estimate, FACTOR, MAX_SAVED)
    }

    /// For what is sent once more, within what may leave at all.
    #[must_use]
    pub fn repair(now: Instant, estimate: Bitrate) -> Self {
        Self::with(now, estimate, REPAIR_FACTOR, MAX_SAVED_REPAIR)
    }

    fn with(now: Instant, estimate: Bitrate, factor: f64, max_saved: Duration) -> Self {
        Self {
            factor,
            max_saved,
            rate: estimate.scale(factor),
            budget_bytes: MIN_SAVED_BYTES,
            refilled_at: now,
        }
    }

    /// What has been earned since the last call is added, at the former rate.
    pub fn refill(&mut self, now: Instant, estimate: Bitrate) {
        let elapsed = now.saturating_duration_since(self.refilled_at);
        if elapsed.is_zero() {
            return;
        }
        self.refilled_at = self.refilled_at.max(now);
        let saved = |time| i64::try_from(self.rate.bytes_in(time)).unwrap_or(i64::MAX);
        let most = saved(self.max_saved).max(MIN_SAVED_BYTES);
        let least = -saved(MAX_DEBT).max(MIN_SAVED_BYTES);
        let budget = self.budget_bytes.max(least).saturating_add(saved(elapsed));
        self.budget_bytes = budget.min(most);
        self.rate = estimate.scale(self.factor);
    }

    /// Whether one more packet may leave now.
    #[must_use]
    pub fn may_send(&self) -> bool {
        self.budget_bytes > 0
    }

    /// A packet has left. Audio and repair count, too, though they never wait.
    pub fn sent(&mut self, bytes: usize) {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.budget_bytes = self.budget_bytes.saturating_sub(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_that_may(pacer: &mut Pacer, size: usize) -> usize {
        let mut sent = 0;
        while pacer.may_send() {
            pacer.sent(size);
            sent += 1;
        }
        sent
    }

    #[test]
    fn the_rate_is_kept_over_time() {
        let start = crate::bwe::epoch();
        let estimate = Bitrate::kbps(1_000);
        let mut pacer = Pacer::new(start, estimate);
        let mut packets = 0;
        for tick in 0..1_000 {
            let now = start + Duration::from_millis(10 * tick);
            pacer.refill(now, estimate);
            packets += all_that_may(&mut pacer, 1_200);
        }
        // Ten seconds of twice the estimate.
        let expected = 2_500_000 / 1_200;
        assert!(packets.abs_diff(expected) < 10, "{packets} of {expected}");
    }

    #[test]
    fn a_pause_saves_up_little() {
        let start = crate::bwe::epoch();
        let estimate = Bitrate::kbps(4_000);
        let mut pacer = Pacer::new(start, estimate);
        pacer.refill(start, estimate);
        pacer.refill(start + Duration::from_secs(60), estimate);
        // 20 ms of 8 Mbit/s.
        assert_eq!(all_that_may(&mut pacer, 1_000), 20);
    }
}
