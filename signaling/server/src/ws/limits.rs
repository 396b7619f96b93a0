//! What one connection may ask for. Pure.

use std::time::{Duration, Instant};

use crate::auth::rate::Bucket;

/// A page that is opened asks a few things at once; a person orders little.
const BURST: u32 = 100;
const PER_SECOND: f64 = 20.0;
/// Refused in a row for asking too often: no program of ours does that.
const MAX_FLOOD: u32 = 300;
/// Unreadable messages on one connection.
const MAX_MALFORMED: u32 = 20;

/// What to do with a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    Take,
    /// Refuse; it may come again after the wait.
    Wait(Duration),
    /// Close the connection.
    Enough,
}

/// Of one connection.
#[derive(Debug)]
pub struct Limits {
    bucket: Bucket,
    flood: u32,
    malformed: u32,
}

impl Limits {
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self {
            bucket: Bucket::new(now, BURST, PER_SECOND),
            flood: 0,
            malformed: 0,
        }
    }

    /// A message came.
    pub fn message(&mut self, now: Instant) -> Verdict {
        match self.bucket.take(now, 1) {
            Ok(()) => {
                self.flood = 0;
                Verdict::Take
            }
            Err(_) if self.flood >= MAX_FLOOD => Verdict::Enough,
            Err(wait) => {
                self.flood += 1;
                Verdict::Wait(wait)
            }
        }
    }

    /// It could not be read. False: enough of it.
    pub fn malformed(&mut self) -> bool {
        self.malformed += 1;
        self.malformed <= MAX_MALFORMED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn burst_passes_then_the_rate_holds() {
        let now = Instant::now();
        let mut limits = Limits::new(now);
        for _ in 0..BURST {
            assert_eq!(limits.message(now), Verdict::Take);
        }
        let Verdict::Wait(wait) = limits.message(now) else {
            panic!("no limit");
        };
        assert_eq!(wait, Duration::from_millis(50));
        assert_eq!(limits.message(now + wait), Verdict::Take);
    }

    #[test]
    fn flood_and_garbage_end_the_connection() {
        let now = Instant::now();
        let mut limits = Limits::new(now);
        let taken = (0..10_000)
            .take_while(|_| limits.message(now) != Verdict::Enough)
            .count();
        assert_eq!(taken, (BURST + MAX_FLOOD) as usize);
        assert!((0..MAX_MALFORMED).all(|_| limits.malformed()));
        assert!(!limits.malformed());
    }
}
