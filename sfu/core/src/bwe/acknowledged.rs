//! How fast data arrives at the receiver, over the last half second.

use std::collections::VecDeque;

use crate::units::Bitrate;

/// Arrivals this close count as one.
const STEP_US: i64 = 5_000;
/// The window is at least so long and so many packets, and at most `MAX_WINDOW_US`.
const WINDOW_US: i64 = 500_000;
const MAX_WINDOW_US: i64 = 3_000_000;
const WINDOW_PACKETS: u32 = 20;
/// Fewer say nothing.
const REQUIRED_PACKETS: u32 = 8;
const CAPACITY: usize = 512;
/// See [`AcknowledgedRate::is_held_up`].
const HELD_UP: f64 = 0.85;
/// The receiver's clock has been set anew.
const MAX_REORDERING_US: i64 = 1_000_000;

#[derive(Clone, Copy, Debug)]
struct Step {
    first_arrived_us: i64,
    last_arrived_us: i64,
    first_sent_us: i64,
    last_sent_us: i64,
    bytes: u32,
    packets: u32,
}

/// See the module's text.
#[derive(Debug, Default)]
pub struct AcknowledgedRate {
    steps: VecDeque<Step>,
    packets: u32,
}

impl AcknowledgedRate {
    /// Takes an arrived packet.
    pub fn add(&mut self, sent_us: i64, arrived_us: i64, bytes: u16) {
        let new = Step {
            first_arrived_us: arrived_us,
            last_arrived_us: arrived_us,
            first_sent_us: sent_us,
            last_sent_us: sent_us,
            bytes: u32::from(bytes),
            packets: 1,
        };
        match self.steps.back_mut() {
            Some(last) if last.first_arrived_us - arrived_us > MAX_REORDERING_US => self.clear(),
            Some(last) if arrived_us - last.first_arrived_us < STEP_US => {
                last.first_arrived_us = last.first_arrived_us.min(arrived_us);
                last.last_arrived_us = last.last_arrived_us.max(arrived_us);
                last.first_sent_us = last.first_sent_us.min(sent_us);
                last.last_sent_us = last.last_sent_us.max(sent_us);
                last.bytes = last.bytes.saturating_add(u32::from(bytes));
                last.packets += 1;
                self.packets += 1;
                return;
            }
            Some(_) | None => {}
        }
        self.packets += 1;
        self.steps.push_back(new);
        while self.first_is_outside() {
            if let Some(gone) = self.steps.pop_front() {
                self.packets -= gone.packets;
            }
        }
    }

    /// After a silence that the window should not count.
    pub fn clear(&mut self) {
        self.steps.clear();
        self.packets = 0;
    }

    fn first_is_outside(&self) -> bool {
        let (Some(first), Some(last)) = (self.steps.front(), self.steps.back()) else {
            return false;
        };
        let length = last.last_arrived_us - first.first_arrived_us;
        let enough = self.packets > WINDOW_PACKETS && length > WINDOW_US;
        enough || length > MAX_WINDOW_US || self.steps.len() > CAPACITY
    }

    /// The lower of the rates at which the window's packets left and arrived: a pile
    /// that arrives at once after an outage was not sent at that rate.
    #[must_use]
    pub fn rate(&self) -> Option<Bitrate> {
        let (arriving, leaving) = self.rates()?;
        Some(arriving.min(leaving))
    }

    /// What was sent arrives slower than it left: the path is full, and what arrives is what it
    /// carries.
    #[must_use]
    pub fn is_held_up(&self) -> bool {
        self.rates()
            .is_some_and(|(arriving, leaving)| arriving < leaving.scale(HELD_UP))
    }

    fn rates(&self) -> Option<(Bitrate, Bitrate)> {
        if self.packets < REQUIRED_PACKETS || self.steps.len() < 3 {
            return None;
        }
        let (first, last) = (self.steps.front()?, self.steps.back()?);
        let total: u64 = self.steps.iter().map(|step| u64::from(step.bytes)).sum();
        let first_sent = self.steps.iter().map(|s| s.first_sent_us).min()?;
        let last_sent = self.steps.iter().map(|s| s.last_sent_us).max()?;
        // A step's bytes arrived after the step before it was complete, and
        // fill the time until the next one leaves.
        let arrived = last.last_arrived_us - first.last_arrived_us;
        let arriving = rate(total - u64::from(first.bytes), arrived);
        let leaving = rate(total - u64::from(last.bytes), last_sent - first_sent);
        Some((arriving, leaving))
    }
}

fn rate(bytes: u64, us: i64) -> Bitrate {
    let time = std::time::Duration::from_micros(us.max(1_000).unsigned_abs());
    Bitrate::of(bytes, time)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn within(rate: Option<Bitrate>, kbps: u64) -> bool {
        let rate = rate.unwrap().as_bps();
        rate.abs_diff(kbps * 1_000) < kbps * 30
    }

    #[test]
    fn frames_in_bursts_give_their_mean() {
        let mut acknowledged = AcknowledgedRate::default();
        for frame in 0..60 {
            for packet in 0..4 {
                // 4 × 1,000 bytes, 25 times a second: 800 kbit/s.
                acknowledged.add(frame * 40_000, frame * 40_000 + packet * 300, 1_000);
            }
        }
        assert!(
            within(acknowledged.rate(), 800),
            "{:?}",
            acknowledged.rate()
        );
    }

    #[test]
    fn a_pile_after_an_outage_is_no_rate() {
        let mut acknowledged = AcknowledgedRate::default();
        for at in 0..100 {
            let arrived = if at < 50 {
                500_000 + at * 50
            } else {
                at * 10_000
            };
            acknowledged.add(at * 10_000, arrived, 1_000);
        }
        assert!(
            within(acknowledged.rate(), 800),
            "{:?}",
            acknowledged.rate()
        );
    }

    #[test]
    fn memory_is_bounded() {
        let mut acknowledged = AcknowledgedRate::default();
        for at in 0..100_000 {
            acknowledged.add(at, at * 6_000, 1_000);
        }
        assert!(acknowledged.steps.len() <= CAPACITY);
    }
}
