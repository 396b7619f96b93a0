//! One direction of one line: a pure model, told the time.

use std::time::Duration;

use crate::conditions::Conditions;
use crate::dice::Dice;

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fate {
    /// It arrives at this time.
    Arrives(Duration),
    /// It is lost on the way.
    Lost,
    /// The queue in front of the bottleneck is too long.
    Overflow,
    /// The policer dropped it.
    Policed,
}

/// One direction; time counts from any fixed moment.
#[derive(Clone, Debug)]
pub struct Link {
    conditions: Conditions,
    dice: Dice,
    /// In the bad state of [`crate::Burst`].
    bad: bool,
    /// When the bottleneck has sent all that it was given.
    free_at: Duration,
    /// Of the packet before, to keep the order.
    last_arrival: Duration,
    /// Bytes that the policer would let through at `policed_at`.
    tokens: f64,
    policed_at: Duration,
}

impl Link {
    #[must_use]
    pub fn new(conditions: Conditions, seed: u64) -> Self {
        let tokens = conditions.policer.map_or(0.0, |p| f64::from(p.burst_bytes));
        Self {
            conditions,
            dice: Dice::new(seed),
            bad: false,
            free_at: Duration::ZERO,
            last_arrival: Duration::ZERO,
            tokens,
            policed_at: Duration::ZERO,
        }
    }

    /// Other conditions from now on. What is on its way keeps its time.
    pub fn change(&mut self, now: Duration, conditions: Conditions) {
        if conditions.policer != self.conditions.policer {
            self.tokens = conditions.policer.map_or(0.0, |p| f64::from(p.burst_bytes));
            self.policed_at = now;
        }
        if conditions.burst.is_none() {
            self.bad = false;
        }
        self.conditions = conditions;
    }

    /// A datagram enters.
    pub fn datagram(&mut self, now: Duration, bytes: usize) -> Fate {
        if !self.police(now, bytes) {
            return Fate::Policed;
        }
        if self.loses() {
            return Fate::Lost;
        }
        if self.waiting(now) > self.longest_wait() {
            return Fate::Overflow;
        }
        Fate::Arrives(self.pass(now, bytes))
    }

    /// Bytes of a stream enter, which are held back where a datagram would be
    /// dropped; gives when they arrive. Loss is not applied: the stream's own
    /// kernel would repeat, which is only more delay.
    pub fn stream(&mut self, now: Duration, bytes: usize) -> Duration {
        let at = self.pass(now, bytes).max(self.last_arrival);
        self.last_arrival = at;
        at
    }

    /// How long a stream has to wait until the queue is within its limit.
    #[must_use]
    pub fn hold(&self, now: Duration) -> Duration {
        self.waiting(now).saturating_sub(self.longest_wait())
    }

    fn waiting(&self, now: Duration) -> Duration {
        match self.conditions.kbps {
            Some(_) => self.free_at.saturating_sub(now),
            None => Duration::ZERO,
        }
    }

    fn longest_wait(&self) -> Duration {
        Duration::from_millis(u64::from(self.conditions.queue_ms))
    }

    /// Bottleneck, delay, jitter.
    fn pass(&mut self, now: Duration, bytes: usize) -> Duration {
        let left = match self.conditions.kbps {
            // A bit takes 1/kbps milliseconds.
            Some(kbps) => {
                let takes = bytes as f64 * 8.0 / f64::from(kbps) / 1e3;
                self.free_at = self.free_at.max(now) + Duration::from_secs_f64(takes);
                self.free_at
            }
            None => {
                self.free_at = now;
                now
            }
        };
        let jitter = f64::from(self.conditions.jitter_ms) * self.dice.part() / 1e3;
        let delay = Duration::from_millis(u64::from(self.conditions.delay_ms));
        let arrival = left + delay + Duration::from_secs_f64(jitter);
        if self.conditions.reorder {
            return arrival;
        }
        self.last_arrival = self.last_arrival.max(arrival);
        self.last_arrival
    }

    fn police(&mut self, now: Duration, bytes: usize) -> bool {
        let Some(policer) = self.conditions.policer else {
            return true;
        };
        let since = now.saturating_sub(self.policed_at).as_secs_f64();
        self.policed_at = now;
        let filled = self.tokens + since * f64::from(policer.kbps) * 1e3 / 8.0;
        self.tokens = filled.min(f64::from(policer.burst_bytes));
        if self.tokens < bytes as f64 {
            return false;
        }
        self.tokens -= bytes as f64;
        true
    }

    fn loses(&mut self) -> bool {
        let alone = self.dice.happens(self.conditions.loss);
        let Some(burst) = self.conditions.burst else {
            return alone;
        };
        let changes = if self.bad { burst.leave } else { burst.enter };
        self.bad ^= self.dice.happens(changes);
        let within = self.bad && self.dice.happens(burst.loss);
        alone || within
    }
}

#[cfg(test)]
mod tests;
