//! 48-bit packet indices out of 16-bit sequence numbers (RFC 3711 §3.3.1).

/// One more than the largest index: ROC and SEQ have 32 and 16 bits.
const END: u64 = 1 << 48;

/// The index of a packet that carries `sequence`, if `highest` is the highest
/// index so far: the one that is nearest. `None` if that would be below zero or beyond 48 bits.
///
/// Agrees with RFC 3711 appendix A except at a distance of exactly 2^15, where both
/// directions are equally near and this takes the older.
pub(super) fn nearest(highest: u64, sequence: u16) -> Option<u64> {
    let distance = sequence.wrapping_sub(highest as u16) as i16;
    highest
        .checked_add_signed(i64::from(distance))
        .filter(|index| *index < END)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wraps_both_ways() {
        assert_eq!(nearest(65_535, 0), Some(65_536));
        assert_eq!(nearest(65_536, 65_535), Some(65_535));
        assert_eq!(nearest(65_536 * 3 + 5, 9), Some(65_536 * 3 + 9));
        assert_eq!(nearest(65_536 * 3 + 5, 65_530), Some(65_536 * 2 + 65_530));
        assert_eq!(nearest(100, 99), Some(99));
    }

    #[test]
    fn stays_within_48_bits() {
        assert_eq!(nearest(2, 65_535), None);
        assert_eq!(nearest(END - 1, 0), None);
        assert_eq!(nearest(END - 1, 65_534), Some(END - 2));
    }
}
