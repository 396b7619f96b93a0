//! How much an encoding sends, by temporal layer.

use std::time::{Duration, Instant};

use crate::api::{MAX_TEMPORAL, Rate};

/// Over so long it is measured; the first time, less must do.
const WINDOW: Duration = Duration::from_millis(1_000);
const FIRST_WINDOW: Duration = Duration::from_millis(300);

/// See the module's text.
#[derive(Clone, Copy, Debug, Default)]
pub struct Meter {
    since: Option<Instant>,
    measured: bool,
    bytes: [u32; MAX_TEMPORAL],
    frames: [u16; MAX_TEMPORAL],
    frame: Option<u32>,
}

impl Meter {
    /// Counts a packet of a frame with this timestamp.
    pub fn count(&mut self, now: Instant, temporal: u8, timestamp: u32, bytes: usize) {
        self.since.get_or_insert(now);
        let layer = usize::from(temporal).min(MAX_TEMPORAL - 1);
        self.bytes[layer] = self.bytes[layer].saturating_add(bytes as u32);
        let newer = self
            .frame
            .is_none_or(|frame| timestamp.wrapping_sub(frame) as i32 > 0);
        if newer {
            self.frame = Some(timestamp);
            self.frames[layer] = self.frames[layer].saturating_add(1);
        }
    }

    /// The layers of the time that ended now, each with those below it, and how
    /// many there are; `None`: too early to tell.
    pub fn measure(&mut self, now: Instant) -> Option<(u8, [Rate; MAX_TEMPORAL])> {
        let elapsed = now.saturating_duration_since(self.since?);
        let enough = if self.measured { WINDOW } else { FIRST_WINDOW };
        if elapsed < enough {
            return None;
        }
        let micros = elapsed.as_micros().max(1) as u64;
        let per_second = |count: u64| count.saturating_mul(1_000_000) / micros;
        let mut rates = [Rate::default(); MAX_TEMPORAL];
        let (mut bytes, mut frames, mut layers) = (0, 0, 0);
        for (at, rate) in rates.iter_mut().enumerate() {
            bytes += u64::from(self.bytes[at]);
            frames += u64::from(self.frames[at]);
            if self.bytes[at] != 0 {
                layers = at as u8 + 1; // at most MAX_TEMPORAL
            }
            *rate = Rate {
                bits_per_second: u32::try_from(per_second(bytes * 8)).unwrap_or(u32::MAX),
                frames_per_second: per_second(frames).min(255) as u8,
            };
        }
        *self = Self {
            since: Some(now),
            measured: true,
            frame: self.frame,
            ..Self::default()
        };
        Some((layers, rates))
    }

    /// The encoding has stopped: the next measurement begins with its next packet.
    pub fn rest(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_counted_with_those_below() {
        #[allow(clippy::disallowed_methods)] // any instant serves as the origin of virtual time
        let start = Instant::now();
        let mut meter = Meter::default();
        for frame in 0..30_u32 {
            let now = start + Duration::from_millis(u64::from(frame) * 33);
            let temporal = (frame % 2) as u8;
            meter.count(now, temporal, frame * 3_000, 500);
            meter.count(now, temporal, frame * 3_000, 500);
        }
        let (layers, rates) = meter.measure(start + WINDOW).unwrap();
        assert_eq!(layers, 2);
        assert_eq!(rates[0].bits_per_second, 120_000);
        assert_eq!(rates[1].bits_per_second, 240_000);
        assert_eq!(
            (rates[0].frames_per_second, rates[1].frames_per_second),
            (15, 30)
        );
        assert_eq!(meter.measure(start + WINDOW), None);
    }
}
