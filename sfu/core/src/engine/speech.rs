//! Speech over thin lines that lose much: as much of it goes along again as the line carries,
//! and whoever speaks is asked for less sound where that is not enough.

use std::time::{Duration, Instant};

use arrayvec::ArrayVec;

use super::Engine;
use super::peer::Peer;
use super::sound_rate::OVERHEAD_BYTES;
use super::source::{Owner, PeerKey, SourceKey};
use crate::api::Event;
use crate::ids::SourceId;
use crate::sdp::MAX_AUDIO_SLOTS;

/// What the thinnest line that we serve carries of RTP: 64 kbit/s, less IP and UDP headers, 50
/// packets a second, and a little for RTCP. An estimate falls below it for loss that is random.
const THINNEST_LINE: u64 = 50_000;
/// Of an Opus encoder; below this, speech suffers more from the coding than from the loss.
const LEAST: u32 = 10_000;
/// What senders are asked for: few steps, so that an estimate that wavers changes nothing.
const STEPS: [u32; 7] = [LEAST, 12_000, 14_000, 16_000, 20_000, 24_000, 32_000];
/// Packets of 20 ms, as browsers send them: bytes of each are bits per second divided by this.
const BITS_PER_BYTE: u64 = 400;
/// Copies of a voice that loses nothing take no more than this part of the line: a thin one would
/// be full of them, and have a queue for every probe.
const UNNEEDED: u64 = 3;
/// Without need for so long, a sender may send more again.
const CALM: Duration = Duration::from_secs(10);

/// The Opus rate with which so many copies of each frame fit into a share of the line, one of
/// [`STEPS`]; `None`: any rate of speech does.
fn rate_for(share_bits_per_second: u64, copies: usize) -> Option<u32> {
    let copies = copies as u64;
    // RFC 2198 §3: one byte, and four for each copy.
    let heads = OVERHEAD_BYTES as u64 + 1 + 4 * copies;
    let frame = (share_bits_per_second / BITS_PER_BYTE).saturating_sub(heads) / (copies + 1);
    let fits = frame * BITS_PER_BYTE;
    let first = STEPS.iter().position(|step| u64::from(*step) > fits)?;
    Some(STEPS[first.saturating_sub(1)])
}

/// Bytes of payload of a packet with copies that no loss asks for, where all sound may take so
/// much of the line.
pub fn unneeded_room(limit_bits_per_second: Option<u64>) -> usize {
    let Some(limit) = limit_bits_per_second else {
        return usize::MAX;
    };
    let bytes = usize::try_from(limit / UNNEEDED / BITS_PER_BYTE).unwrap_or(usize::MAX);
    bytes.saturating_sub(OVERHEAD_BYTES)
}

impl Peer {
    /// What all sound towards it may take, in bits per second of RTP, if it is known what its
    /// line carries. A line without a queue loses at random, and less sound would not help.
    pub(super) fn sound_limit(&self, now: Instant) -> Option<u64> {
        let budget = self.budget?;
        let congested = self.line.as_ref().map(|line| line.is_congested(now));
        Some(match congested {
            Some(false) => budget.max(THINNEST_LINE),
            Some(true) | None => budget,
        })
    }
}

/// What the sender of a microphone is asked for: less at once, more after [`CALM`].
#[derive(Clone, Debug, Default)]
pub struct SpeechRate {
    asked: Option<u32>,
    /// When so little was last needed.
    needed_at: Option<Instant>,
    /// The least that was needed since, if that is more.
    since: Option<u32>,
}

impl SpeechRate {
    /// A receiver needs the rate to be no higher. True: the sender is to be told.
    fn need(&mut self, now: Instant, bits_per_second: u32) -> bool {
        let asked = self.asked.unwrap_or(u32::MAX);
        if bits_per_second > asked {
            let least = self.since.unwrap_or(u32::MAX);
            self.since = Some(least.min(bits_per_second));
            return false;
        }
        self.asked = Some(bits_per_second);
        self.needed_at = Some(now);
        self.since = None;
        bits_per_second < asked
    }

    /// Time goes by. True: the sender is to be told.
    fn rest(&mut self, now: Instant) -> bool {
        let calm = |at: Instant| now.saturating_duration_since(at) >= CALM;
        if !self.needed_at.is_some_and(calm) {
            return false;
        }
        self.asked = self.since.take();
        self.needed_at = self.asked.map(|_| now);
        true
    }
}

impl Engine {
    /// Once a second for each receiver: asks whoever it hears for what its line carries
    /// with the copies that its loss asks for.
    pub(super) fn look_at_speech(&mut self, now: Instant, key: PeerKey) {
        let peer = &mut self.peers[key];
        let limit = peer.sound_limit(now);
        let sounds = peer.slots.iter_mut().skip(peer.video_slots);
        let voices: ArrayVec<_, MAX_AUDIO_SLOTS> = sounds
            .filter_map(|slot| {
                slot.take_spoke()
                    .then_some((slot.shows?, slot.redundancy_needed()))
            })
            .take(MAX_AUDIO_SLOTS)
            .collect();
        let Some(limit) = limit else { return };
        let share = limit / voices.len().max(1) as u64;
        for (source, copies) in voices {
            let Some(rate) = rate_for(share, copies).filter(|_| copies > 0) else {
                continue;
            };
            match self.sources[source].owner {
                Owner::Local(_) => self.need_speech(now, source, rate),
                Owner::Remote(worker) => self.events.push_back(Event::SpeechNeedAt {
                    worker,
                    source: self.sources[source].id,
                    bits_per_second: rate,
                }),
            }
        }
    }

    /// A receiver of another worker needs it.
    pub(super) fn speech_needed(&mut self, now: Instant, id: SourceId, bits_per_second: u32) {
        let Some(&key) = self.source_keys.get(&id) else {
            return;
        };
        let source = &self.sources[key];
        if !source.is_video && source.upstream().is_some() {
            self.need_speech(now, key, bits_per_second);
        }
    }

    fn need_speech(&mut self, now: Instant, key: SourceKey, bits_per_second: u32) {
        if self.sources[key].speech.need(now, bits_per_second) {
            self.say_speech_rate(key);
        }
    }

    /// The need of the listeners may be over.
    pub(super) fn rest_speech(&mut self, now: Instant, key: SourceKey) {
        if self.sources[key].speech.rest(now) {
            self.say_speech_rate(key);
        }
    }

    fn say_speech_rate(&mut self, key: SourceKey) {
        let source = &self.sources[key];
        self.events.push_back(Event::SpeechRate {
            source: source.id,
            bits_per_second: source.speech.asked,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_by_share_and_copies() {
        // (share in bit/s, copies, rate)
        let table = [
            // 125 bytes a packet: 40 of overhead, 3 × 25 and 9.
            (THINNEST_LINE, 2, Some(10_000)),
            // 2 × 40 and 5.
            (THINNEST_LINE, 1, Some(16_000)),
            (30_000, 2, Some(LEAST)),
            (0, 2, Some(LEAST)),
            (56_000, 2, Some(12_000)),
            (70_000, 2, Some(16_000)),
            (92_000, 2, Some(24_000)),
            (120_000, 2, None),
            (90_000, 1, None),
        ];
        for (share, copies, rate) in table {
            assert_eq!(rate_for(share, copies), rate, "{share} bit/s, {copies}");
        }
    }

    #[test]
    fn copies_that_nobody_needs_are_for_wide_lines() {
        // 60 bytes of Opus, the same again, and its heads.
        let fits = |limit| unneeded_room(limit) >= 60 + 60 + 5;
        assert!(!fits(Some(100_000)));
        assert!(fits(Some(200_000)));
        assert!(fits(None));
    }

    #[test]
    fn down_at_once_and_up_after_the_calm() {
        #[allow(clippy::disallowed_methods)] // any instant serves as the origin of virtual time
        let start = Instant::now();
        let mut rate = SpeechRate::default();
        // (second, what is needed then, what is asked after it, whether that is said)
        let table: [(u64, Option<u32>, Option<u32>, bool); 12] = [
            (0, None, None, false),
            (1, Some(16_000), Some(16_000), true),
            (2, Some(16_000), Some(16_000), false),
            (3, Some(10_000), Some(10_000), true),
            (8, Some(16_000), Some(10_000), false),
            (9, Some(14_000), Some(10_000), false),
            (12, Some(16_000), Some(10_000), false),
            // Nobody needed 10,000 for ten seconds, but somebody 14,000.
            (13, None, Some(14_000), true),
            (14, Some(14_000), Some(14_000), false),
            (23, None, Some(14_000), false),
            (24, None, None, true),
            (40, None, None, false),
        ];
        for (second, need, asked, said) in table {
            let now = start + Duration::from_secs(second);
            let told = match need {
                Some(need) => rate.need(now, need),
                None => rate.rest(now),
            };
            assert_eq!((rate.asked, told), (asked, said), "second {second}");
        }
    }
}
