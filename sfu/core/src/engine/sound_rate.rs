//! What the sound towards one receiver takes of its line: set aside before any picture.

use std::time::{Duration, Instant};

use arrayvec::ArrayVec;

/// Speech comes in words: what counts is the most that was sent in a part of the last two
/// seconds, so that pauses between words do not let pictures in that the next word pushes out.
const PART: Duration = Duration::from_millis(250);
const PARTS: usize = 8;
/// For who may begin to speak at any moment: Opus as browsers send it, with its headers.
const VOICE_BITS_PER_SECOND: u64 = 40_000;

/// See the module's text.
#[derive(Debug, Default)]
pub struct SoundRate {
    since: Option<Instant>,
    bytes: u64,
    /// Bits per second of the parts before, oldest first.
    parts: ArrayVec<u64, PARTS>,
}

impl SoundRate {
    /// A packet of sound has left.
    pub fn count(&mut self, now: Instant, bytes: usize) {
        self.close(now);
        self.since.get_or_insert(now);
        self.bytes += bytes as u64;
    }

    /// Bits per second to set aside, if there is anybody who may be heard.
    pub fn reserve(&mut self, now: Instant, anybody: bool) -> u64 {
        self.close(now);
        let most = self.parts.iter().copied().max().unwrap_or(0);
        if anybody {
            most.max(VOICE_BITS_PER_SECOND)
        } else {
            most
        }
    }

    fn close(&mut self, now: Instant) {
        let Some(since) = self.since else { return };
        let elapsed = now.saturating_duration_since(since);
        if elapsed < PART {
            return;
        }
        // What came before a silence came in its first part.
        let took = elapsed.min(2 * PART);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let rate = std::mem::take(&mut self.bytes).saturating_mul(8_000_000) / micros.max(1);
        let silent = (elapsed.as_micros() / PART.as_micros()).min(PARTS as u128);
        for rate in std::iter::once(rate).chain((1..silent).map(|_| 0)) {
            if self.parts.is_full() {
                self.parts.remove(0);
            }
            self.parts.push(rate);
        }
        self.since = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_what_is_spoken() {
        #[allow(clippy::disallowed_methods)] // any instant serves as the origin of virtual time
        let mut now = Instant::now();
        let mut rate = SoundRate::default();
        let longer = PARTS as u32 * PART;
        assert_eq!(rate.reserve(now, false), 0);
        assert_eq!(rate.reserve(now, true), VOICE_BITS_PER_SECOND);
        // (voices, seconds, least and most that is set aside then, in kbit/s)
        for (voices, seconds, least, most) in [
            (3, 1, 135, 160),
            (1, 1, 135, 160),
            (1, 3, 45, 52),
            (0, 4, 40, 40),
        ] {
            for _ in 0..seconds * 50 {
                now += Duration::from_millis(20);
                (0..voices).for_each(|_| rate.count(now, 120));
            }
            let set_aside = rate.reserve(now, true) / 1_000;
            assert!(
                (least..=most).contains(&set_aside),
                "{voices} voices: {set_aside}"
            );
        }
        assert_eq!(rate.reserve(now + longer, false), 0);
    }
}
