//! A queue that is full no longer grows, so the trend sees nothing, and what
//! it drops looks like random loss. But packets are later than the earliest ever were.

/// The least delay of so long counts as that of the path without a queue, for up to
/// twice as long: a path may change, and clocks drift by some ms in this time.
const BASE_US: i64 = 30_000_000;
/// The least delay of so long is what stands in the queue.
const LATELY_US: i64 = 500_000;

/// See the module's text.
#[derive(Debug)]
pub struct StandingQueue {
    base: Least,
    lately: Least,
}

impl Default for StandingQueue {
    fn default() -> Self {
        Self {
            base: Least::new(BASE_US),
            lately: Least::new(LATELY_US),
        }
    }
}

impl StandingQueue {
    pub fn add(&mut self, sent_us: i64, arrived_us: i64) {
        self.base.add(sent_us, arrived_us - sent_us);
        self.lately.add(sent_us, arrived_us - sent_us);
    }

    /// How much later packets are than the path needs.
    #[must_use]
    pub fn micros(&self) -> i64 {
        match (self.lately.get(), self.base.get()) {
            (Some(lately), Some(base)) => (lately - base).max(0),
            (_, _) => 0,
        }
    }
}

/// The least value of one to two spans of time.
#[derive(Debug)]
struct Least {
    span_us: i64,
    since_us: i64,
    before: Option<i64>,
    now: Option<i64>,
}

impl Least {
    fn new(span_us: i64) -> Self {
        Self {
            span_us,
            since_us: i64::MIN,
            before: None,
            now: None,
        }
    }

    fn add(&mut self, at_us: i64, value: i64) {
        if self.since_us == i64::MIN {
            self.since_us = at_us;
        }
        if at_us - self.since_us >= self.span_us {
            self.before = self.now.take();
            self.since_us = at_us;
        }
        self.now = Some(self.now.map_or(value, |least| least.min(value)));
    }

    fn get(&self) -> Option<i64> {
        match (self.before, self.now) {
            (Some(before), Some(now)) => Some(before.min(now)),
            (before, now) => before.or(now),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000;

    #[test]
    fn steps() {
        let mut queue = StandingQueue::default();
        let mut at = 0;
        // seconds, delay beyond the path, what stands then
        for (seconds, delay, expected) in [(5, 0, 0), (3, 200, 200), (2, 50, 50), (120, 100, 0)] {
            for _ in 0..seconds * 50 {
                at += 20 * MS;
                queue.add(at, at + (1_000_000 + delay) * MS);
            }
            assert_eq!(
                queue.micros(),
                expected * MS,
                "after {seconds} s of {delay} ms"
            );
        }
    }
}
