//! The sound of a slot, with as much of what came before as its receiver's loss asks for and its
//! line carries (RFC 2198).

use std::time::Instant;

use arrayvec::ArrayVec;

use super::Slot;
use crate::codec::red::{self, Earlier, MAX_REDUNDANT};
use crate::codec::{Codec, opus};
use crate::engine::source::{DTX_BYTES, Origin, PacketMeta};
use crate::engine::writer::Outgoing;
use crate::rtp::cache::Cache;
use crate::rtp::munger::Clock;

/// Of one voice with its copies, as RTP payload: more than two copies of speech it cannot be.
const MOST_BITS_PER_SECOND: u32 = 128_000;

impl Slot {
    /// The receiver has reported. What a full line loses, it would lose all the more with copies.
    pub fn hear_loss(&mut self, now: Instant, fraction_lost: u8, congested: bool) {
        if !congested {
            self.redundancy.report(now, fraction_lost);
        }
    }

    /// Earlier packets that each packet of sound carried of late, on the average.
    #[must_use]
    pub fn redundancy_sent(&self) -> usize {
        usize::from((self.copies_q8 + 128) >> 8)
    }

    /// Earlier packets without which speech suffers.
    #[must_use]
    pub fn redundancy_needed(&self) -> usize {
        match self.codec(Codec::Red) {
            Some(_) => self.redundancy.needed(),
            None => 0,
        }
    }

    /// Somebody was heard in it since this was last asked.
    pub fn take_spoke(&mut self) -> bool {
        std::mem::take(&mut self.spoke)
    }

    /// The sound before a packet that is to go along with it, in a payload of at most `room`
    /// bytes: what the receiver's loss asks for, and of a sender that repeats itself the last
    /// packet in any case. `None`: the packet goes as it came.
    #[must_use]
    pub fn earlier<'a>(
        &self,
        cache: &'a Cache<PacketMeta>,
        (origin, sequence): (Origin, u64),
        (meta, payload): (&PacketMeta, &'a [u8]),
        room: usize,
    ) -> Option<ArrayVec<Earlier<'a>, MAX_REDUNDANT>> {
        if self.is_video || self.codec(Codec::Red).is_none() {
            return None;
        }
        let wanted = match meta.codec {
            Codec::Opus => self.redundancy.level(),
            Codec::Red => self.redundancy.level().max(1),
            Codec::Vp8 | Codec::Vp9 | Codec::H264 | Codec::H265 | Codec::Av1 => return None,
        };
        // What came before the switch was another's turn.
        if wanted == 0 || self.munger.origin() != Some(origin) {
            return Some(ArrayVec::new());
        }
        let sound = primary(meta, payload);
        let ticks = opus::duration(sound).unwrap_or(Clock::OPUS.step);
        let most = MOST_BITS_PER_SECOND / 8 * ticks / Clock::OPUS.rate;
        let own = repeated(meta, payload).into_iter();
        let before = (self.began_at..sequence).rev().take(MAX_REDUNDANT);
        let known = before.filter_map(|sequence| cache.packet(sequence));
        let known = known.flat_map(|(earlier, payload)| {
            let since = meta.timestamp.wrapping_sub(earlier.timestamp);
            let first = Earlier {
                age: since,
                payload: primary(earlier, payload),
            };
            let further = repeated(earlier, payload).into_iter();
            std::iter::once(first).chain(further.map(move |block| Earlier {
                age: block.age.saturating_add(since),
                payload: block.payload,
            }))
        });
        let limit = room.min(most as usize);
        Some(red::select(own.chain(known), wanted, sound.len(), limit))
    }

    /// A packet of sound has left, with so many copies.
    pub fn sound_sent(&mut self, meta: &PacketMeta, payload: &[u8], copies: usize) {
        if primary(meta, payload).len() <= DTX_BYTES {
            return;
        }
        self.spoke = true;
        // About a second of speech.
        let target = (copies as u16) << 8; // at most MAX_REDUNDANT
        let step = (i32::from(target) - i32::from(self.copies_q8)) / 32;
        self.copies_q8 = self.copies_q8.saturating_add_signed(step as i16);
    }

    /// How a packet leaves of which the blocks are chosen anew.
    pub(super) fn repacked(&self, codec: Outgoing, meta: &PacketMeta, wrap: bool) -> Outgoing {
        let wanted = if wrap { Codec::Red } else { Codec::Opus };
        let Some(chosen) = self.codec(wanted) else {
            return codec;
        };
        Outgoing {
            payload_type: chosen.payload_type,
            strip: meta.codec == Codec::Red,
            wrap,
            ..codec
        }
    }
}

/// What the packet says itself.
fn primary<'a>(meta: &PacketMeta, payload: &'a [u8]) -> &'a [u8] {
    payload
        .get(usize::from(meta.primary_at)..)
        .unwrap_or_default()
}

/// And what its sender repeats with it.
fn repeated<'a>(meta: &PacketMeta, payload: &'a [u8]) -> ArrayVec<Earlier<'a>, MAX_REDUNDANT> {
    match meta.codec {
        Codec::Red => red::repeated(payload),
        Codec::Opus | Codec::Vp8 | Codec::Vp9 | Codec::H264 | Codec::H265 | Codec::Av1 => {
            ArrayVec::new()
        }
    }
}
