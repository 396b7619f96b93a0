//! Redundant audio (RFC 2198): finding the newest encoding, for receivers that did not
//! negotiate RED, and adding earlier packets to it, for those that lose some.

use std::ops::Range;
use std::time::{Duration, Instant};

use arrayvec::ArrayVec;

/// Chromium adds one or two; more than this is no speech payload.
const MAX_BLOCKS: usize = 32;

/// The primary encoding of a payload: the sound of the packet's own timestamp.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Primary {
    /// Of the encoding, as negotiated for it alone.
    pub payload_type: u8,
    /// Where it is in the payload; may be empty.
    pub range: Range<usize>,
}

impl Primary {
    /// `None` if the block lengths run over the payload.
    #[must_use]
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let mut at = 0;
        let mut redundant = 0;
        for _ in 0..MAX_BLOCKS {
            let first = *payload.get(at)?;
            if first & 0x80 == 0 {
                let start = at + 1 + redundant;
                return (start <= payload.len()).then_some(Self {
                    payload_type: first,
                    range: start..payload.len(),
                });
            }
            // F and type, 14 bits of timestamp offset, 10 bits of length.
            let &[_, _, high, low] = payload.get(at..)?.first_chunk()?;
            redundant += usize::from(u16::from_be_bytes([high & 0x03, low]));
            at += 4;
        }
        None
    }
}

/// Earlier packets that one packet carries at most: with three chances each, 97 % of the sound
/// survives when 30 % of the packets are lost at random.
pub const MAX_REDUNDANT: usize = 2;
/// The fields of a block's head: 14 bits of age in ticks, 10 bits of length.
const MAX_AGE: u32 = (1 << 14) - 1;
const MAX_BLOCK: usize = (1 << 10) - 1;

/// An earlier packet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Earlier<'a> {
    /// How much older than the primary encoding, in ticks of the RTP clock.
    pub age: u32,
    pub payload: &'a [u8],
}

/// What a payload repeats of the packets before it, newest first; nothing if it is malformed.
#[must_use]
pub fn repeated(payload: &[u8]) -> ArrayVec<Earlier<'_>, MAX_REDUNDANT> {
    let mut newest = ArrayVec::new();
    let Some(primary) = Primary::parse(payload) else {
        return newest;
    };
    // The heads come oldest first: the newest block ends where the primary encoding begins.
    let heads = payload.chunks_exact(4);
    let count = heads.clone().take_while(|head| head[0] & 0x80 != 0).count();
    let mut end = primary.range.start;
    for head in heads.take(count).rev().take(MAX_REDUNDANT) {
        let word = u32::from_be_bytes([0, head[1], head[2], head[3]]);
        let start = end.saturating_sub(word as usize & MAX_BLOCK);
        newest.push(Earlier {
            age: word >> 10,
            payload: payload.get(start..end).unwrap_or_default(),
        });
        end = start;
    }
    newest
}

/// Of the packets before this one, newest first, as many as are `wanted` and as it can carry
/// without exceeding `limit` bytes in all; gives them oldest first, as [`write`] wants them. What
/// is there twice goes along once.
pub fn select<'a>(
    earlier: impl Iterator<Item = Earlier<'a>>,
    wanted: usize,
    primary: usize,
    limit: usize,
) -> ArrayVec<Earlier<'a>, MAX_REDUNDANT> {
    let mut chosen = ArrayVec::new();
    let mut size = 1 + primary;
    let mut oldest = 0;
    let older = earlier.filter(|block| {
        let is_older = block.age > oldest;
        oldest = oldest.max(block.age);
        is_older
    });
    for block in older.take(wanted.min(MAX_REDUNDANT)) {
        size += 4 + block.payload.len();
        let fits = (1..=MAX_AGE).contains(&block.age)
            && (1..=MAX_BLOCK).contains(&block.payload.len())
            && size <= limit;
        if !fits {
            break;
        }
        chosen.push(block);
    }
    chosen.reverse();
    chosen
}

/// Appends a payload: heads, earlier packets, primary encoding (RFC 2198 §3).
/// All are of one codec with this payload type.
pub fn write(out: &mut Vec<u8>, payload_type: u8, earlier: &[Earlier<'_>], primary: &[u8]) {
    let payload_type = payload_type & 0x7f;
    for block in earlier {
        // Both fit: `select` has seen to it.
        let word = block.age.min(MAX_AGE) << 10 | block.payload.len().min(MAX_BLOCK) as u32;
        let [_, high, middle, low] = word.to_be_bytes();
        out.extend_from_slice(&[0x80 | payload_type, high, middle, low]);
    }
    out.push(payload_type);
    for block in earlier {
        out.extend_from_slice(block.payload);
    }
    out.extend_from_slice(primary);
}

/// How many earlier packets each packet of a stream carries, by what its receiver loses.
///
/// Rises at once, falls only after [`Self::CALM`] below the lower limit, so that a line with
/// bursts does not lose the first packets of each.
#[derive(Clone, Debug, Default)]
pub struct Redundancy {
    level: u8,
    /// Loss in 1/256, smoothed over a few reports; in sixteenths of that.
    loss_q4: u16,
    calm_since: Option<Instant>,
}

impl Redundancy {
    const CALM: Duration = Duration::from_secs(10);
    /// Loss in 1/256 above which one or two earlier packets are carried: 3 % and 10 %.
    const RISE: [u16; MAX_REDUNDANT] = [8, 26];
    /// Above which one is not enough for 95 % of the sound: 20 %.
    const HEAVY: u16 = 51;
    /// And below which it is one fewer: 1 % and 6 %.
    const FALL: [u16; MAX_REDUNDANT] = [3, 15];

    /// A receiver report has come; `fraction_lost` in 1/256.
    pub fn report(&mut self, now: Instant, fraction_lost: u8) {
        // Weight 1/4: with a report a second, a spike of one second is no trend, and loss that
        // lasts is believed within two.
        let sample = u16::from(fraction_lost) << 4;
        self.loss_q4 = (self.loss_q4 * 3 + sample) / 4;
        let loss = self.loss_q4 >> 4;
        let wanted = Self::RISE.iter().filter(|limit| loss >= **limit).count() as u8;
        if wanted > self.level {
            self.level = wanted;
            self.calm_since = None;
            return;
        }
        let below = usize::from(self.level)
            .checked_sub(1)
            .is_some_and(|at| loss < Self::FALL[at]);
        if !below {
            self.calm_since = None;
            return;
        }
        let since = *self.calm_since.get_or_insert(now);
        if now.saturating_duration_since(since) >= Self::CALM {
            self.level -= 1;
            self.calm_since = None;
        }
    }

    /// Earlier packets to carry, 0 to [`MAX_REDUNDANT`].
    #[must_use]
    pub fn level(&self) -> usize {
        usize::from(self.level)
    }

    /// Those of them without which speech suffers.
    #[must_use]
    pub fn needed(&self) -> usize {
        let heavy = self.loss_q4 >> 4 >= Self::HEAVY;
        self.level().min(if heavy { MAX_REDUNDANT } else { 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All blocks of a payload with their age, as a receiver reads them.
    fn blocks(payload: &[u8]) -> Vec<(u8, u32, Vec<u8>)> {
        let mut heads = Vec::new();
        let mut at = 0;
        while payload[at] & 0x80 != 0 {
            let word = u32::from_be_bytes([0, payload[at + 1], payload[at + 2], payload[at + 3]]);
            heads.push((payload[at] & 0x7f, word >> 10, word as usize & MAX_BLOCK));
            at += 4;
        }
        let primary = payload[at];
        at += 1;
        let mut blocks = Vec::new();
        for (payload_type, age, len) in heads {
            blocks.push((payload_type, age, payload[at..at + len].to_vec()));
            at += len;
        }
        blocks.push((primary, 0, payload[at..].to_vec()));
        blocks
    }

    #[test]
    fn what_is_written_is_read() {
        let (old, older): (&[u8], &[u8]) = (&[7; 1_023], &[8; 3]);
        let earlier = [
            Earlier {
                age: 16_383,
                payload: older,
            },
            Earlier {
                age: 960,
                payload: old,
            },
        ];
        let mut out = vec![1, 2];
        write(&mut out, 111, &earlier, b"now");
        let read = blocks(&out[2..]);
        let wanted = [
            (111, 16_383, older.to_vec()),
            (111, 960, old.to_vec()),
            (111, 0, b"now".to_vec()),
        ];
        assert_eq!(read, wanted);
        let primary = Primary::parse(&out[2..]).unwrap();
        assert_eq!(out[2..][primary.range], *b"now");
        out.clear();
        write(&mut out, 111, &[], b"now");
        assert_eq!(out, *b"\x6fnow");
    }

    #[test]
    fn what_a_payload_repeats_is_read_newest_first() {
        let block = |age, payload| Earlier { age, payload };
        let earlier = [
            block(2_880, &b"one"[..]),
            block(1_920, &b"seven"[..]),
            block(960, &b"eleven"[..]),
        ];
        let mut out = Vec::new();
        write(&mut out, 111, &earlier, b"now");
        assert_eq!(repeated(&out)[..], [earlier[2], earlier[1]]);
        out.clear();
        write(&mut out, 111, &earlier[..1], b"now");
        assert_eq!(repeated(&out)[..], earlier[..1]);
        assert!(repeated(b"\x6fnow").is_empty());
        // Lengths that lie.
        assert!(repeated(&[0x80 | 111, 0x0f, 0x03, 0xff, 111, 1]).is_empty());
        assert!(repeated(&[0xff; 400]).is_empty());
    }

    #[test]
    fn one_copy_will_do_until_loss_is_heavy() {
        #[allow(clippy::disallowed_methods)] // any instant serves as the origin of virtual time
        let now = Instant::now();
        for (percent, level, needed) in [(0, 0, 0), (5, 1, 1), (12, 2, 1), (30, 2, 2)] {
            let mut redundancy = Redundancy::default();
            (0..20).for_each(|_| redundancy.report(now, (percent * 256 / 100) as u8));
            let both = (redundancy.level(), redundancy.needed());
            assert_eq!(both, (level, needed), "{percent} %");
        }
    }

    #[test]
    fn what_is_there_twice_goes_along_once() {
        let ages = [960, 960, 1_920, 960];
        let blocks = ages.map(|age| Earlier {
            age,
            payload: b"one",
        });
        let chosen = select(blocks.into_iter(), MAX_REDUNDANT, 3, 100);
        let ages: Vec<u32> = chosen.iter().map(|block| block.age).collect();
        assert_eq!(ages, [1_920, 960]);
        assert_eq!(select(blocks.into_iter(), 1, 3, 100).len(), 1);
        assert_eq!(select(blocks.into_iter(), 0, 3, 100).len(), 0);
    }

    #[test]
    fn earlier_packets_by_steps() {
        let of = |sizes: &[(u32, usize)], limit: usize| {
            let bytes = [0; 2_000];
            let earlier = sizes.iter().map(|(age, len)| Earlier {
                age: *age,
                payload: &bytes[..*len],
            });
            let chosen = select(earlier, MAX_REDUNDANT, 50, limit);
            chosen.iter().map(|block| block.age).collect::<Vec<_>>()
        };
        // (age and length of each, limit, ages of those chosen)
        type Row = (&'static [(u32, usize)], usize, &'static [u32]);
        let table: &[Row] = &[
            (&[], 1_000, &[]),
            (&[(960, 50), (1_920, 50)], 159, &[1_920, 960]),
            (&[(960, 50), (1_920, 50)], 158, &[960]),
            (&[(960, 50), (1_920, 50)], 104, &[]),
            (&[(960, 50), (1_920, 50), (2_880, 50)], 1_000, &[1_920, 960]),
            // A pause in between, a packet that no head can describe, one of nothing.
            (&[(960, 50), (16_384, 50)], 1_000, &[960]),
            (&[(960, 1_024), (1_920, 50)], 5_000, &[]),
            (&[(960, 0)], 1_000, &[]),
            (&[(0, 50)], 1_000, &[]),
        ];
        for (sizes, limit, ages) in table {
            assert_eq!(of(sizes, *limit), *ages, "{sizes:?} {limit}");
        }
    }

    #[test]
    fn redundancy_follows_loss_with_hysteresis() {
        #[allow(clippy::disallowed_methods)] // any instant serves as the origin of virtual time
        let mut now = Instant::now();
        let mut redundancy = Redundancy::default();
        // (seconds, loss in percent, level after them)
        let table = [
            (30, 0, 0),
            (1, 10, 0),
            (20, 2, 0),
            (4, 5, 1),
            (60, 2, 1),
            (3, 30, 2),
            (60, 8, 2),
            (25, 4, 1),
            (60, 2, 1),
            (30, 0, 0),
        ];
        for (seconds, percent, level) in table {
            for _ in 0..seconds {
                now += Duration::from_secs(1);
                redundancy.report(now, (percent * 256 / 100) as u8);
            }
            assert_eq!(redundancy.level(), level, "{seconds} s of {percent} %");
        }
    }

    /// Speech of 20 kbit/s over a line that loses 30 % at random: at least 95 % of it arrives
    /// within two packets, in 64 kbit/s.
    #[test]
    fn thirty_percent_of_loss_leaves_speech_whole_in_64_kbit() {
        const FRAMES: usize = 5_000;
        const LIMIT: usize = 64_000 / 8 / 50;
        let frame = |n: usize| vec![n as u8; 50 - n % 4];
        let mut dice = 7_u64;
        let mut lost = || {
            dice = dice
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            dice >> 33 < (1 << 31) * 3 / 10
        };
        let mut heard = vec![false; FRAMES];
        let (mut bytes, mut arrived) = (0, 0);
        for n in 0..FRAMES {
            let before: Vec<Vec<u8>> = (1..=n.min(2)).map(|back| frame(n - back)).collect();
            let earlier = before.iter().zip(1..).map(|(payload, back)| Earlier {
                age: back * 960,
                payload,
            });
            let primary = frame(n);
            let chosen = select(earlier, MAX_REDUNDANT, primary.len(), LIMIT);
            let mut payload = Vec::new();
            write(&mut payload, 111, &chosen, &primary);
            assert!(payload.len() <= LIMIT);
            bytes += payload.len();
            if lost() {
                continue;
            }
            arrived += 1;
            for (_, age, block) in blocks(&payload) {
                let of = n - age as usize / 960;
                assert_eq!(block, frame(of));
                heard[of] = true;
            }
        }
        let heard = heard.iter().filter(|heard| **heard).count();
        assert!((3_400..3_600).contains(&arrived), "{arrived}");
        assert!(heard * 100 >= FRAMES * 95, "{heard} of {FRAMES}");
        assert!(bytes * 8 * 50 / FRAMES <= 64_000);
    }

    #[test]
    fn primary_comes_last() {
        type Row = (&'static [u8], Option<(u8, Range<usize>)>);
        let table: &[Row] = &[
            (&[], None),
            (&[111, 1, 2, 3], Some((111, 1..4))),
            (&[111], Some((111, 1..1))),
            // One redundant block of two bytes, 960 ticks older.
            (
                &[0x80 | 111, 0x0f, 0x00, 2, 111, 9, 9, 1, 2],
                Some((111, 7..9)),
            ),
            (&[0x80 | 111, 0x0f, 0x00, 3, 111, 9, 9], None),
            (&[0x80 | 111, 0x0f, 0x00], None),
            (&[0x80 | 111, 0x0f, 0x00, 2], None),
            (&[0xff; 400], None),
        ];
        for (payload, wanted) in table {
            let read = Primary::parse(payload).map(|p| (p.payload_type, p.range));
            assert_eq!(read, *wanted, "{payload:x?}");
        }
    }
}
