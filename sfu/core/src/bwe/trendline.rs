//! Does the queue of the bottleneck grow? A straight line through the smoothed one-way
//! delay of the last groups, and a threshold that adapts so that the flow
//! holds its own against others (draft-ietf-rmcat-gcc-02 §5.3–5.4; the line
//! in place of the draft's Kalman filter, as today's senders do it).

use arrayvec::ArrayVec;

use super::groups::GroupDelta;

/// Groups that the line goes through.
const WINDOW: usize = 20;
const SMOOTHING: f64 = 0.9;
/// Makes slopes comparable to the threshold in milliseconds.
const GAIN: f64 = 4.0;
const MAX_COUNTED: u32 = 60;
const FIRST_THRESHOLD: f64 = 12.5;
const THRESHOLD: std::ops::RangeInclusive<f64> = 6.0..=600.0;
/// The threshold follows the slope quickly down, slowly up, per millisecond.
const GAIN_UP: f64 = 0.0087;
const GAIN_DOWN: f64 = 0.039;
/// A slope further off is a sudden drop of capacity, not a competitor.
const MAX_ADAPT_OFFSET: f64 = 15.0;
/// Overuse must last for so long.
const OVERUSE_MS: f64 = 10.0;

/// What the delay says of the path.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Usage {
    #[default]
    Normal,
    /// The queue grows.
    Over,
    /// The queue drains.
    Under,
}

/// See the module's text.
#[derive(Debug)]
pub struct Trendline {
    /// Arrival and smoothed delay in milliseconds, a ring.
    points: ArrayVec<(f64, f64), WINDOW>,
    next: usize,
    first_us: Option<i64>,
    deltas: u32,
    accumulated_ms: f64,
    smoothed_ms: f64,
    slope: f64,
    threshold: f64,
    threshold_at_ms: Option<f64>,
    over_ms: Option<f64>,
    over_count: u32,
    usage: Usage,
}

impl Default for Trendline {
    fn default() -> Self {
        Self {
            points: ArrayVec::new(),
            next: 0,
            first_us: None,
            deltas: 0,
            accumulated_ms: 0.0,
            smoothed_ms: 0.0,
            slope: 0.0,
            threshold: FIRST_THRESHOLD,
            threshold_at_ms: None,
            over_ms: None,
            over_count: 0,
            usage: Usage::Normal,
        }
    }
}

impl Trendline {
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.usage
    }

    pub fn add(&mut self, delta: &GroupDelta) {
        let first = *self.first_us.get_or_insert(delta.complete_us);
        let arrival_ms = (delta.complete_us - first) as f64 / 1_000.0;
        let sent_ms = delta.sent_us as f64 / 1_000.0;
        self.deltas = (self.deltas + 1).min(MAX_COUNTED);
        self.accumulated_ms += (delta.arrived_us - delta.sent_us) as f64 / 1_000.0;
        self.smoothed_ms = SMOOTHING * self.smoothed_ms + (1.0 - SMOOTHING) * self.accumulated_ms;
        let point = (arrival_ms, self.smoothed_ms);
        if self.points.is_full() {
            self.points[self.next] = point;
            self.next = (self.next + 1) % WINDOW;
        } else {
            self.points.push(point);
        }
        let slope = if self.points.is_full() {
            fit(&self.points).unwrap_or(self.slope)
        } else {
            self.slope
        };
        self.detect(slope, sent_ms, arrival_ms);
    }

    fn detect(&mut self, slope: f64, sent_ms: f64, arrival_ms: f64) {
        if self.deltas < 2 {
            return;
        }
        let trend = f64::from(self.deltas) * slope * GAIN;
        if trend > self.threshold {
            // It began, say, half way between the two groups.
            let over = self.over_ms.map_or(sent_ms / 2.0, |over| over + sent_ms);
            self.over_ms = Some(over);
            self.over_count += 1;
            if over > OVERUSE_MS && self.over_count > 1 && slope >= self.slope {
                self.over_ms = Some(0.0);
                self.over_count = 0;
                self.usage = Usage::Over;
            }
        } else {
            self.over_ms = None;
            self.over_count = 0;
            self.usage = if trend < -self.threshold {
                Usage::Under
            } else {
                Usage::Normal
            };
        }
        self.slope = slope;
        self.adapt(trend.abs(), arrival_ms);
    }

    fn adapt(&mut self, trend: f64, arrival_ms: f64) {
        let before = self.threshold_at_ms.replace(arrival_ms);
        if trend > self.threshold + MAX_ADAPT_OFFSET {
            return;
        }
        let gain = if trend < self.threshold {
            GAIN_DOWN
        } else {
            GAIN_UP
        };
        let elapsed = before.map_or(0.0, |before| (arrival_ms - before).clamp(0.0, 100.0));
        self.threshold += gain * (trend - self.threshold) * elapsed;
        self.threshold = self.threshold.clamp(*THRESHOLD.start(), *THRESHOLD.end());
    }
}

/// Slope of the least-squares line; `None` if all points lie above one another.
fn fit(points: &[(f64, f64)]) -> Option<f64> {
    let count = points.len() as f64;
    let (sum_x, sum_y) = points
        .iter()
        .fold((0.0, 0.0), |(x, y), point| (x + point.0, y + point.1));
    let (mean_x, mean_y) = (sum_x / count, sum_y / count);
    let mut numerator = 0.0;
    let mut denominator = 0.0;
    for &(x, y) in points {
        numerator += (x - mean_x) * (y - mean_y);
        denominator += (x - mean_x) * (x - mean_x);
    }
    (denominator > 0.0).then(|| numerator / denominator)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Groups every 20 ms that arrive `later_us` later each.
    fn feed(trend: &mut Trendline, at: &mut i64, count: usize, later_us: i64) -> Vec<Usage> {
        (0..count)
            .map(|_| {
                *at += 20_000 + later_us;
                trend.add(&GroupDelta {
                    sent_us: 20_000,
                    arrived_us: 20_000 + later_us,
                    complete_us: *at,
                });
                trend.usage()
            })
            .collect()
    }

    #[test]
    fn steps() {
        let mut trend = Trendline::default();
        let mut at = 0;
        // name, groups, added delay of each, the state that must come, the one that must not
        let steps = [
            ("even", 60, 0, Usage::Normal, Usage::Over),
            ("growing", 30, 2_000, Usage::Over, Usage::Under),
            ("draining", 40, -3_000, Usage::Under, Usage::Normal),
        ];
        for (name, groups, later, comes, never) in steps {
            let seen = feed(&mut trend, &mut at, groups, later);
            assert!(seen.contains(&comes), "{name}: {seen:?}");
            let settled = &seen[seen.len() - 5..];
            assert!(!settled.contains(&never), "{name}: {seen:?}");
        }
    }

    #[test]
    fn jitter_without_a_trend_is_normal() {
        let mut trend = Trendline::default();
        let mut at = 0;
        for step in 0..500 {
            let later = if step % 2 == 0 { 4_000 } else { -4_000 };
            let seen = feed(&mut trend, &mut at, 1, later);
            assert_ne!(seen, [Usage::Over], "step {step}");
        }
    }
}
