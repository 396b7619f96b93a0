//! Does the application send less than it may? Then what arrives says nothing
//! of the path's capacity ("application-limited region").

use std::time::Instant;

use crate::units::Bitrate;

/// Below this part of the estimate for some time: limited.
const USAGE: f64 = 0.65;
/// The budget is as much as `USAGE` of the estimate gives in this time.
const WINDOW_SECONDS: f64 = 0.5;
const BEGINS_ABOVE: f64 = 0.8;
const ENDS_BELOW: f64 = 0.5;

/// See the module's text.
#[derive(Debug, Default)]
pub struct ApplicationLimit {
    /// Unused part of the budget, -1 to 1.
    level: f64,
    at: Option<Instant>,
    since: Option<Instant>,
}

impl ApplicationLimit {
    /// Since when, if now.
    #[must_use]
    pub fn since(&self) -> Option<Instant> {
        self.since
    }

    /// So much was sent since the last call.
    pub fn sent(&mut self, now: Instant, bytes: u64, estimate: Bitrate) {
        let elapsed = self
            .at
            .replace(now)
            .map_or(0.0, |at| now.saturating_duration_since(at).as_secs_f64());
        let budget = estimate.as_f64() * USAGE * WINDOW_SECONDS / 8.0;
        if budget <= 0.0 {
            return;
        }
        let change = elapsed / WINDOW_SECONDS - bytes as f64 / budget;
        self.level = (self.level + change).clamp(-1.0, 1.0);
        if self.level > BEGINS_ABOVE {
            self.since.get_or_insert(now);
        } else if self.level < ENDS_BELOW {
            self.since = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn half_of_the_estimate_is_limited_and_nine_tenths_are_not() {
        let estimate = Bitrate::kbps(1_000);
        let mut now = crate::bwe::epoch();
        let mut limit = ApplicationLimit::default();
        // kbit/s sent for three seconds, and the verdict
        for (kbps, limited) in [(500, true), (900, false), (300, true), (1_000, false)] {
            for _ in 0..300 {
                now += Duration::from_millis(10);
                limit.sent(now, kbps * 10 / 8, estimate);
            }
            assert_eq!(limit.since().is_some(), limited, "{kbps} kbit/s");
        }
    }
}
