//! How much an encoding sends, by layer.

use std::time::{Duration, Instant};

use crate::api::{MAX_SPATIAL, MAX_TEMPORAL, Rate};
use crate::codec::layer::LayerTarget;

/// Over so long it is measured; the first time, less must do.
const WINDOW: Duration = Duration::from_millis(1_000);
const FIRST_WINDOW: Duration = Duration::from_millis(300);

/// See the module's text.
#[derive(Clone, Copy, Debug, Default)]
pub struct Meter {
    since: Option<Instant>,
    measured: bool,
    bytes: [[u32; MAX_TEMPORAL]; MAX_SPATIAL],
    frames: [u16; MAX_TEMPORAL],
    frame: Option<u32>,
}

/// What an encoding sent in some time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Measured {
    /// How many layers there are.
    pub spatial: u8,
    pub temporal: u8,
    /// By layers, each with all below it.
    pub rates: [[Rate; MAX_TEMPORAL]; MAX_SPATIAL],
}

impl Meter {
    /// Counts a packet of a picture with this timestamp.
    pub fn count(&mut self, now: Instant, layer: LayerTarget, timestamp: u32, bytes: usize) {
        self.since.get_or_insert(now);
        let spatial = usize::from(layer.spatial).min(MAX_SPATIAL - 1);
        let temporal = usize::from(layer.temporal).min(MAX_TEMPORAL - 1);
        let counted = &mut self.bytes[spatial][temporal];
        *counted = counted.saturating_add(bytes as u32);
        let newer = self
            .frame
            .is_none_or(|frame| timestamp.wrapping_sub(frame) as i32 > 0);
        if newer {
            self.frame = Some(timestamp);
            self.frames[temporal] = self.frames[temporal].saturating_add(1);
        }
    }

    /// What was sent in the time that ends now; `None`: too early to tell.
    pub fn measure(&mut self, now: Instant) -> Option<Measured> {
        let elapsed = now.saturating_duration_since(self.since?);
        let enough = if self.measured { WINDOW } else { FIRST_WINDOW };
        if elapsed < enough {
            return None;
        }
        let micros = elapsed.as_micros().max(1) as u64;
        let per_second = |count: u64| count.saturating_mul(1_000_000) / micros;
        let mut measured = Measured {
            spatial: 0,
            temporal: 0,
            rates: Default::default(),
        };
        // With all spatial layers below.
        let mut sums = [0_u64; MAX_TEMPORAL];
        for (spatial, rates) in measured.rates.iter_mut().enumerate() {
            let (mut bytes, mut frames) = (0, 0);
            for (temporal, rate) in rates.iter_mut().enumerate() {
                let sent = self.bytes[spatial][temporal];
                if sent != 0 {
                    // At most MAX_SPATIAL and MAX_TEMPORAL.
                    measured.spatial = spatial as u8 + 1;
                    measured.temporal = measured.temporal.max(temporal as u8 + 1);
                }
                sums[temporal] += u64::from(sent);
                bytes += sums[temporal];
                frames += u64::from(self.frames[temporal]);
                *rate = Rate {
                    bits_per_second: u32::try_from(per_second(bytes * 8)).unwrap_or(u32::MAX),
                    frames_per_second: per_second(frames).min(255) as u8,
                };
            }
        }
        *self = Self {
            since: Some(now),
            measured: true,
            frame: self.frame,
            ..Self::default()
        };
        Some(measured)
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
        for picture in 0..30_u32 {
            let now = start + Duration::from_millis(u64::from(picture) * 33);
            let temporal = (picture % 2) as u8;
            for (spatial, bytes) in [(0, 500), (1, 1_500)] {
                let layer = LayerTarget { spatial, temporal };
                meter.count(now, layer, picture * 3_000, bytes);
                meter.count(now, layer, picture * 3_000, bytes);
            }
        }
        let measured = meter.measure(start + WINDOW).unwrap();
        assert_eq!((measured.spatial, measured.temporal), (2, 2));
        let rate = |kbps: u32, frames_per_second| Rate {
            bits_per_second: kbps * 1_000,
            frames_per_second,
        };
        assert_eq!(measured.rates[0][..2], [rate(120, 15), rate(240, 30)]);
        assert_eq!(measured.rates[1][..2], [rate(480, 15), rate(960, 30)]);
        assert_eq!(meter.measure(start + WINDOW), None);
    }
}
