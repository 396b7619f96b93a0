//! Clear payloads on their way to other workers, in memory that is used again.

use std::collections::VecDeque;
use std::ops::Deref;
use std::sync::Arc;

/// Payloads on their way that a pool keeps an eye on: more than the rings between
/// workers hold would only be memory that a stalled neighbour holds on to.
const MAX_GIVEN: usize = 2_048;

/// A payload that several workers read. Never changes while anybody has it.
#[derive(Clone, Debug)]
pub struct Payload(Arc<Vec<u8>>);

impl Deref for Payload {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

/// Where one worker takes memory for what it relays. Once it has as many buffers as are
/// under way at a time, it allocates no more.
#[derive(Debug, Default)]
pub struct PayloadPool {
    /// The oldest first: the first to come free.
    given: VecDeque<Arc<Vec<u8>>>,
}

impl PayloadPool {
    /// A payload with this content.
    pub fn fill(&mut self, content: &[u8]) -> Payload {
        let mut buffer = self.unused();
        if let Some(bytes) = Arc::get_mut(&mut buffer) {
            bytes.clear();
            bytes.extend_from_slice(content);
        }
        if self.given.len() < MAX_GIVEN {
            self.given.push_back(Arc::clone(&buffer));
        }
        Payload(buffer)
    }

    /// A buffer that nobody else has.
    fn unused(&mut self) -> Arc<Vec<u8>> {
        let oldest = self.given.front_mut();
        if oldest.is_some_and(|oldest| Arc::get_mut(oldest).is_some()) {
            self.given.pop_front().unwrap_or_default()
        } else {
            Arc::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_used_again_once_all_have_let_go() {
        let mut pool = PayloadPool::default();
        let first = pool.fill(b"first");
        let at = first.as_ptr();
        let other = first.clone();
        drop(first);
        let second = pool.fill(b"second");
        assert_ne!(second.as_ptr(), at);
        assert_eq!(&other[..], b"first");
        drop(other);
        let third = pool.fill(b"3rd");
        assert_eq!((third.as_ptr(), &third[..]), (at, &b"3rd"[..]));
    }

    #[test]
    fn stalled_neighbour_holds_no_more_than_it_has() {
        let mut pool = PayloadPool::default();
        let stalled: Vec<Payload> = (0..3 * MAX_GIVEN).map(|_| pool.fill(b"x")).collect();
        assert_eq!(pool.given.len(), MAX_GIVEN);
        drop(stalled);
        for _ in 0..MAX_GIVEN {
            pool.fill(b"y");
        }
        assert_eq!(pool.given.len(), MAX_GIVEN);
    }
}
