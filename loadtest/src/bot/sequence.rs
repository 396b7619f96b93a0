//! Follows the sequence numbers of one received stream.

use std::collections::BTreeSet;

/// A jump of more than this is a new stream, not a loss (RFC 3550 A.1).
const MAX_DROPOUT: i64 = 3000;
/// What is missing for so many packets stays lost.
const REPAIR_WINDOW: u64 = 2048;

/// Counts since the start; a new stream (another SSRC) goes on in the same counters.
#[derive(Clone, Debug, Default)]
pub(super) struct Sequence {
    highest: Option<u64>,
    first: u64,
    missing: BTreeSet<u64>,
    gave_up_on: u64,
    pub(super) received: u64,
    pub(super) duplicate: u64,
    pub(super) repaired: u64,
}

impl Sequence {
    /// Takes one packet and gives its number without wraps, or `None` of a
    /// duplicate or one from before the first.
    pub(super) fn take(&mut self, number: u16) -> Option<u64> {
        let Some(highest) = self.highest else {
            return Some(self.begin(u64::from(number) + 0x1_0000));
        };
        let step = i64::from(number.wrapping_sub(highest as u16) as i16);
        let extended = highest.wrapping_add_signed(step);
        if step > MAX_DROPOUT {
            return Some(self.begin(extended));
        }
        if step > 0 {
            self.received += 1;
            self.missing.extend(highest + 1..extended);
            self.highest = Some(extended);
            self.forget(extended);
            return Some(extended);
        }
        if self.missing.remove(&extended) {
            self.received += 1;
            self.repaired += 1;
            return Some(extended);
        }
        if extended >= self.first {
            self.duplicate += 1;
        }
        None
    }

    fn begin(&mut self, number: u64) -> u64 {
        self.gave_up_on += self.missing.len() as u64;
        self.missing.clear();
        self.received += 1;
        self.first = number;
        self.highest = Some(number);
        number
    }

    fn forget(&mut self, highest: u64) {
        while let Some(oldest) = self.missing.first().copied() {
            if oldest + REPAIR_WINDOW > highest {
                break;
            }
            self.missing.pop_first();
            self.gave_up_on += 1;
        }
    }

    /// The next packet begins a new stream.
    pub(super) fn restart(&mut self) {
        self.gave_up_on += self.missing.len() as u64;
        self.missing.clear();
        self.highest = None;
    }

    pub(super) fn lost(&self) -> u64 {
        self.gave_up_on + self.missing.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(numbers: &[u16]) -> Sequence {
        let mut sequence = Sequence::default();
        for number in numbers {
            sequence.take(*number);
        }
        sequence
    }

    #[test]
    fn wraps_without_loss() {
        let s = after(&[65534, 65535, 0, 1]);
        assert_eq!((s.received, s.lost(), s.duplicate), (4, 0, 0));
    }

    #[test]
    fn gap_repair_and_duplicate() {
        let s = after(&[10, 11, 14, 13, 14]);
        assert_eq!((s.received, s.lost()), (4, 1));
        assert_eq!((s.repaired, s.duplicate), (1, 1));
    }

    #[test]
    fn numbers_without_wraps() {
        let mut s = Sequence::default();
        let first = s.take(65535).unwrap();
        assert_eq!(s.take(1), Some(first + 2));
        assert_eq!(s.take(0), Some(first + 1));
        assert_eq!(s.take(0), None);
        assert_eq!(s.take(65534), None, "before the first");
        assert_eq!(s.duplicate, 1);
    }

    #[test]
    fn old_losses_stay_lost_and_restart_keeps_counts() {
        let mut s = after(&[0, 2]);
        for number in 3..3000 {
            s.take(number);
        }
        assert_eq!((s.missing.len(), s.lost()), (0, 1));
        s.restart();
        s.take(40_000);
        assert_eq!((s.lost(), s.received), (1, 3000));
    }
}
