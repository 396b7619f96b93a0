//! Units of more than one module.

use std::time::Duration;

/// Bits per second on the wire, RTP header and payload.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Bitrate(u64);

impl Bitrate {
    pub const ZERO: Self = Self(0);
    pub const MAX: Self = Self(u64::MAX);

    #[must_use]
    pub const fn bps(bits_per_second: u64) -> Self {
        Self(bits_per_second)
    }

    #[must_use]
    pub const fn kbps(kilobits_per_second: u64) -> Self {
        Self(kilobits_per_second.saturating_mul(1_000))
    }

    /// What so many bytes in so long are. A time of zero gives the highest rate.
    #[must_use]
    pub fn of(bytes: u64, time: Duration) -> Self {
        let bits = u128::from(bytes) * 8 * 1_000_000;
        let rate = bits.checked_div(time.as_micros()).unwrap_or(u128::MAX);
        Self(u64::try_from(rate).unwrap_or(u64::MAX))
    }

    #[must_use]
    pub const fn as_bps(self) -> u64 {
        self.0
    }

    #[must_use]
    pub fn as_f64(self) -> f64 {
        self.0 as f64
    }

    /// A factor below zero, or none, gives zero.
    #[must_use]
    pub fn scale(self, factor: f64) -> Self {
        // A cast saturates, and not-a-number gives zero.
        Self((self.0 as f64 * factor) as u64)
    }

    /// Bytes in so long.
    #[must_use]
    pub fn bytes_in(self, time: Duration) -> u64 {
        let bits = u128::from(self.0).saturating_mul(time.as_micros()) / 1_000_000;
        u64::try_from(bits / 8).unwrap_or(u64::MAX)
    }

    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_time_give_the_rate_and_back() {
        let second = Duration::from_secs(1);
        assert_eq!(Bitrate::of(125_000, second), Bitrate::kbps(1_000));
        assert_eq!(Bitrate::kbps(1_000).bytes_in(second), 125_000);
        assert_eq!(Bitrate::kbps(8).bytes_in(Duration::from_millis(10)), 10);
    }

    #[test]
    fn extremes_saturate() {
        assert_eq!(Bitrate::of(1, Duration::ZERO), Bitrate::MAX);
        assert_eq!(Bitrate::MAX.scale(2.0), Bitrate::MAX);
        assert_eq!(Bitrate::MAX.scale(f64::NAN), Bitrate::ZERO);
        assert_eq!(Bitrate::kbps(5).scale(-1.0), Bitrate::ZERO);
        assert_eq!(Bitrate::MAX.bytes_in(Duration::MAX), u64::MAX);
    }
}
