//! What an overloaded worker still sends to each receiver. Pure.
//!
//! A cap on what the allocation over a receiver's slots may hand out: so the picture that matters
//! least goes first, as on a bad line. Speech is not part of it.

/// No video at all.
pub const MAX_LEVEL: u8 = 4;

/// Bits per second of video for one receiver; `None`: as much as its line carries.
#[must_use]
pub const fn cap(level: u8) -> Option<u64> {
    match level {
        0 => None,
        1 => Some(2_500_000),
        2 => Some(1_000_000),
        3 => Some(300_000),
        MAX_LEVEL.. => Some(0),
    }
}

/// The budget of a receiver, given what its line carries.
#[must_use]
pub fn budget(level: u8, line: Option<u64>) -> Option<u64> {
    match (cap(level), line) {
        (Some(cap), Some(line)) => Some(cap.min(line)),
        (cap, line) => cap.or(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_level_leaves_less_and_a_bad_line_stays_bad() {
        let lines = [None, Some(5_000_000), Some(500_000), Some(0)];
        for line in lines {
            assert_eq!(budget(0, line), line);
            for level in 1..=MAX_LEVEL {
                let (now, before) = (budget(level, line), budget(level - 1, line));
                assert!(
                    now.unwrap() <= before.unwrap_or(u64::MAX),
                    "{level} {line:?}"
                );
                assert!(now <= line || line.is_none());
            }
            assert_eq!(budget(MAX_LEVEL, line), Some(0));
            assert_eq!(budget(u8::MAX, line), Some(0));
        }
    }
}
