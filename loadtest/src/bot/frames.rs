//! Puts VP8 frames together from packets that may come out of order.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};

use crate::media::vp8;

/// Packets that wait for the rest of their frame.
const MAX_WAITING: usize = 512;

#[derive(Debug)]
struct Waiting {
    timestamp: u32,
    starts: bool,
    ends: bool,
    data: Bytes,
}

#[derive(Debug, Default)]
pub(super) struct Frames {
    waiting: BTreeMap<u64, Waiting>,
}

impl Frames {
    /// Takes a packet by its number without wraps; gives the frame that it completes.
    pub(super) fn take(
        &mut self,
        number: u64,
        timestamp: u32,
        marker: bool,
        payload: &Bytes,
    ) -> Option<Bytes> {
        let (starts, data) = vp8::open(payload)?;
        if starts && marker {
            return Some(data);
        }
        let waiting = Waiting {
            timestamp,
            starts,
            ends: marker,
            data,
        };
        self.waiting.insert(number, waiting);
        while self.waiting.len() > MAX_WAITING {
            self.waiting.pop_first();
        }
        let first = self.edge(number, timestamp, |w| w.starts, |n| n.wrapping_sub(1))?;
        let last = self.edge(number, timestamp, |w| w.ends, |n| n + 1)?;
        let mut frame = BytesMut::new();
        for part in first..=last {
            frame.extend_from_slice(&self.waiting.remove(&part)?.data);
        }
        Some(frame.freeze())
    }

    /// Walks over neighbours of the same frame to its edge.
    fn edge(
        &self,
        from: u64,
        timestamp: u32,
        is_edge: impl Fn(&Waiting) -> bool,
        next: impl Fn(u64) -> u64,
    ) -> Option<u64> {
        let mut number = from;
        loop {
            let part = self.waiting.get(&number)?;
            if part.timestamp != timestamp {
                return None;
            }
            if is_edge(part) {
                return Some(number);
            }
            number = next(number);
        }
    }

    /// Another stream follows.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(length: usize) -> (Bytes, Vec<Bytes>) {
        let frame = Bytes::from((0..length).map(|i| i as u8).collect::<Vec<_>>());
        let parts = vp8::payloads(&frame, vp8::Descriptor::default()).collect();
        (frame, parts)
    }

    #[test]
    fn any_order_gives_the_frame_once() {
        let (frame, parts) = parts(3000);
        assert_eq!(parts.len(), 3);
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [0, 2, 1]] {
            let mut frames = Frames::default();
            let got: Vec<_> = order
                .iter()
                .filter_map(|i| frames.take(100 + *i as u64, 9000, *i == 2, &parts[*i]))
                .collect();
            assert_eq!(got, std::slice::from_ref(&frame), "{order:?}");
            assert!(frames.waiting.is_empty());
        }
    }

    #[test]
    fn a_frame_with_a_hole_never_comes() {
        let (_, parts) = parts(3000);
        let mut frames = Frames::default();
        assert_eq!(frames.take(1, 1, false, &parts[0]), None);
        assert_eq!(frames.take(3, 1, true, &parts[2]), None);
        // The neighbour belongs to the next frame.
        assert_eq!(frames.take(2, 2, false, &parts[1]), None);
    }

    #[test]
    fn waiting_is_bounded() {
        let (_, parts) = parts(3000);
        let mut frames = Frames::default();
        for number in 0..2000 {
            frames.take(number, number as u32, false, &parts[0]);
        }
        assert_eq!(frames.waiting.len(), MAX_WAITING);
    }
}
