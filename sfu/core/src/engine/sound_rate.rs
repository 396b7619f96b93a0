//! What the sound towards one receiver takes of its line: set aside before any picture, and
//! with copies only as far as the line carries them.

use std::time::{Duration, Instant};

use arrayvec::ArrayVec;

/// Speech comes in words: what counts is the most that was sent in a part of the last two
/// seconds, so that pauses between words do not let pictures in that the next word pushes out.
const PART: Duration = Duration::from_millis(250);
const PARTS: usize = 8;
/// For who may begin to speak at any moment: Opus as browsers send it, with its headers.
const VOICE_BITS_PER_SECOND: u64 = 40_000;
/// RTP header, extensions, and the tag of AES-GCM, beside the payload.
pub const OVERHEAD_BYTES: usize = 12 + 12 + 16;
/// Sound may leave earlier or later than its rate has it by this: packets are of unlike sizes.
const SLACK: Duration = Duration::from_millis(100);

/// See the module's text.
#[derive(Debug, Default)]
pub struct SoundRate {
    since: Option<Instant>,
    bytes: u64,
    /// Bits per second of the parts before, oldest first.
    parts: ArrayVec<u64, PARTS>,
    /// Bits that may leave now; below zero where plain sound alone takes more than its rate.
    allowance: i64,
    filled_at: Option<Instant>,
}

impl SoundRate {
    /// A packet of sound has left.
    pub fn count(&mut self, now: Instant, bytes: usize) {
        self.close(now);
        self.since.get_or_insert(now);
        self.bytes += bytes as u64;
        self.allowance = self.allowance.saturating_sub_unsigned(bytes as u64 * 8);
    }

    /// Bytes of payload that the next packet of sound may have with its copies, where all sound
    /// may take so much of the line; `None`: nothing is known of that.
    pub fn room(&mut self, now: Instant, bits_per_second: Option<u64>) -> usize {
        let Some(rate) = bits_per_second else {
            return usize::MAX;
        };
        let bits = |time: Duration| {
            let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
            let bits = rate.saturating_mul(micros) / 1_000_000;
            i64::try_from(bits).unwrap_or(i64::MAX)
        };
        let slack = bits(SLACK);
        let elapsed = self
            .filled_at
            .map_or(SLACK, |at| now.saturating_duration_since(at));
        self.filled_at = Some(now);
        // A line that carries more than before owes nothing to the time before.
        let left = self.allowance.max(-slack);
        self.allowance = left.saturating_add(bits(elapsed)).min(slack);
        let bytes = usize::try_from(self.allowance / 8).unwrap_or(0);
        bytes.saturating_sub(OVERHEAD_BYTES)
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

    /// Frames of 60 bytes, 50 a second, with a copy of 64 where there is room.
    #[test]
    fn copies_take_what_plain_sound_leaves() {
        // (kbit/s, part of the packets with a copy, in percent)
        let table = [(30, 0..=0), (40, 0..=3), (50, 35..=42), (66, 97..=100)];
        for (kbps, percent) in table {
            #[allow(clippy::disallowed_methods)] // any instant serves as the origin of virtual time
            let mut now = Instant::now();
            let mut rate = SoundRate::default();
            let (mut copies, mut bytes) = (0, 0);
            for _ in 0..1_000 {
                now += Duration::from_millis(20);
                let room = rate.room(now, Some(kbps * 1_000));
                let copied = room >= 1 + 60 + 64;
                copies += usize::from(copied);
                let size = OVERHEAD_BYTES + if copied { 125 } else { 60 };
                bytes += size as u64;
                rate.count(now, size);
            }
            let share = copies / 10;
            assert!(percent.contains(&share), "{kbps} kbit/s: {share} %");
            assert!(bytes * 8 / 20 <= kbps.max(40) * 1_010, "{kbps}: {bytes}");
        }
        let rate = &mut SoundRate::default();
        #[allow(clippy::disallowed_methods)] // any instant serves as the origin of virtual time
        let now = Instant::now();
        assert_eq!(rate.room(now, None), usize::MAX);
    }
}
