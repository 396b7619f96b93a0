//! What was decided about the latest pictures of a stream, by their wrapping numbers.

/// The decisions on up to `N` numbers, counted back from the newest.
#[derive(Clone, Debug)]
pub struct History<T, const N: usize> {
    /// Extended: wraps are undone.
    newest: Option<u64>,
    decisions: [Option<T>; N],
}

impl<T: Copy, const N: usize> Default for History<T, N> {
    fn default() -> Self {
        Self {
            newest: None,
            decisions: [None; N],
        }
    }
}

impl<T: Copy, const N: usize> History<T, N> {
    /// The extended number nearest to the newest; `mask` has the bits of the
    /// wire's number.
    pub fn extend(&self, number: u16, mask: u16) -> u64 {
        let Some(newest) = self.newest else {
            // Some laps ahead, so that nothing older than the first is ever negative.
            return (1 << 20) + u64::from(number & mask);
        };
        let ahead = number.wrapping_sub(newest as u16) & mask;
        if ahead <= mask / 2 {
            newest + u64::from(ahead)
        } else {
            newest.saturating_sub(u64::from(mask - ahead) + 1)
        }
    }

    /// Newer than all before.
    pub fn is_new(&self, number: u64) -> bool {
        self.newest.is_none_or(|newest| number > newest)
    }

    /// Too old for a decision on it to be remembered.
    pub fn forgets(&self, number: u64) -> bool {
        self.newest
            .is_some_and(|newest| number + N as u64 <= newest)
    }

    pub fn get(&self, number: u64) -> Option<&T> {
        if self.is_new(number) || self.forgets(number) {
            return None;
        }
        self.decisions[Self::index(number)].as_ref()
    }

    /// The latest decision before this number.
    pub fn before(&self, number: u64) -> Option<&T> {
        (1..N as u64).find_map(|back| self.get(number.checked_sub(back)?))
    }

    /// Nothing is kept of a number that is too old.
    pub fn put(&mut self, number: u64, decision: T) {
        if self.forgets(number) {
            return;
        }
        if self.is_new(number) {
            let first = self.newest.map_or(number, |newest| newest + 1);
            let first = first.max((number + 1).saturating_sub(N as u64));
            for skipped in first..number {
                self.decisions[Self::index(skipped)] = None;
            }
            self.newest = Some(number);
        }
        self.decisions[Self::index(number)] = Some(decision);
    }

    fn index(number: u64) -> usize {
        (number % N as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_wrap_and_old_decisions_are_forgotten() {
        let mut history = History::<u8, 4>::default();
        let first = history.extend(0x7f, 0x7f);
        history.put(first, 1);
        assert_eq!(history.extend(0, 0x7f), first + 1);
        assert_eq!(history.extend(0x7e, 0x7f), first - 1);
        history.put(first + 2, 3);
        assert_eq!(history.get(first), Some(&1));
        assert_eq!(history.get(first + 1), None, "skipped");
        assert_eq!(history.before(first + 2), Some(&1));
        history.put(first + 1, 2);
        assert_eq!(history.get(first + 1), Some(&2));
        history.put(first + 4, 5);
        assert_eq!(history.get(first), None, "forgotten");
        history.put(first, 9);
        assert_eq!(history.get(first + 4), Some(&5));
        history.put(first + 400, 7);
        assert_eq!(history.before(first + 400), None);
    }
}
