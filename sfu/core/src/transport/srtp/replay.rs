//! Which packets were seen already (RFC 3711 §3.3.2).

use super::SrtpError;

/// A window of `WORDS * 64` indices that ends with the highest one seen.
#[derive(Clone, Debug)]
pub(super) struct ReplayWindow<const WORDS: usize> {
    highest: u64,
    /// Bit `index % (WORDS * 64)`; bits outside the window are stale until the window reaches them.
    seen: [u64; WORDS],
}

/// For RTP: 1,024 packets are half a second of high-rate video, more than a
/// retransmission takes on a line worth having.
pub(super) const RTP_WORDS: usize = 16;
/// For RTCP: 128 packets.
pub(super) const RTCP_WORDS: usize = 2;

impl<const WORDS: usize> ReplayWindow<WORDS> {
    const SIZE: u64 = WORDS as u64 * 64;

    /// With the first packet seen, and nothing before it.
    pub(super) fn starting_at(index: u64) -> Self {
        let mut window = Self {
            highest: index,
            seen: [0; WORDS],
        };
        window.mark(index, true);
        window
    }

    /// The highest index seen.
    pub(super) fn highest(&self) -> u64 {
        self.highest
    }

    /// Whether a packet with this index may still be accepted. Changes nothing:
    /// the packet has yet to prove that it is authentic.
    pub(super) fn check(&self, index: u64) -> Result<(), SrtpError> {
        if index > self.highest {
            return Ok(());
        }
        if self.highest - index >= Self::SIZE || self.is_marked(index) {
            return Err(SrtpError::Replayed);
        }
        Ok(())
    }

    /// Remembers an authentic packet that [`ReplayWindow::check`] has let pass.
    pub(super) fn commit(&mut self, index: u64) {
        if index > self.highest {
            if index - self.highest >= Self::SIZE {
                self.seen = [0; WORDS];
            } else {
                for skipped in self.highest + 1..index {
                    self.mark(skipped, false);
                }
            }
            self.highest = index;
        }
        self.mark(index, true);
    }

    fn mark(&mut self, index: u64, seen: bool) {
        let (word, bit) = Self::position(index);
        if seen {
            self.seen[word] |= bit;
        } else {
            self.seen[word] &= !bit;
        }
    }

    fn is_marked(&self, index: u64) -> bool {
        let (word, bit) = Self::position(index);
        self.seen[word] & bit != 0
    }

    fn position(index: u64) -> (usize, u64) {
        let slot = index % Self::SIZE;
        ((slot / 64) as usize, 1 << (slot % 64))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn window_holds_1024_packets_of_rtp() {
        let mut window = ReplayWindow::<RTP_WORDS>::starting_at(5_000);
        assert_eq!(window.check(5_000), Err(SrtpError::Replayed));
        assert_eq!(window.check(3_977), Ok(()));
        assert_eq!(window.check(3_976), Err(SrtpError::Replayed), "too old");
        window.commit(3_977);
        assert_eq!(window.check(3_977), Err(SrtpError::Replayed));
        assert_eq!(window.highest(), 5_000);
    }

    proptest! {
        /// Against a set that remembers everything.
        #[test]
        fn agrees_with_a_set(steps in proptest::collection::vec(-200i64..200, 1..400)) {
            let mut window = ReplayWindow::<RTCP_WORDS>::starting_at(1_000);
            let mut seen = BTreeSet::from([1_000u64]);
            for step in steps {
                let index = window.highest().saturating_add_signed(step);
                let fresh = !seen.contains(&index) && index + 128 > window.highest();
                prop_assert_eq!(window.check(index).is_ok(), fresh);
                if fresh {
                    window.commit(index);
                    seen.insert(index);
                }
            }
        }
    }
}
