//! What waits to be written to one TCP connection.
//!
//! A stalled line must neither hold the worker nor fill memory: of video the
//! oldest goes, for a newer picture is worth more; the rest is small, and when even that does not
//! pass, its newest is lost. Always whole datagrams, so that the stream stays readable.

use std::collections::VecDeque;
use std::io::IoSlice;

use super::framing::LENGTH;

/// Half a second of 1 Mbit/s.
const VIDEO_BYTES: usize = 64 << 10;
/// Speech, control and handshakes.
const URGENT_BYTES: usize = 32 << 10;

/// Frames on their way, urgent ones first.
#[derive(Debug, Default)]
pub(crate) struct SendQueue {
    /// The rest of a frame that was written in part.
    begun: VecDeque<u8>,
    urgent: VecDeque<u8>,
    video: VecDeque<u8>,
}

impl SendQueue {
    /// Appends a datagram; gives how many were dropped for it, itself perhaps.
    pub(crate) fn push(&mut self, datagram: &[u8], video: bool) -> u64 {
        let len = (datagram.len() as u16).to_be_bytes();
        let frame = LENGTH + datagram.len();
        let mut dropped = 0;
        let queue = if video {
            while !self.video.is_empty() && self.video.len() + frame > VIDEO_BYTES {
                drop_first(&mut self.video);
                dropped += 1;
            }
            &mut self.video
        } else {
            if self.urgent.len() + frame > URGENT_BYTES {
                return 1;
            }
            &mut self.urgent
        };
        queue.extend(len);
        queue.extend(datagram);
        dropped
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.begun.is_empty() && self.urgent.is_empty() && self.video.is_empty()
    }

    /// All that waits, in the order to write it.
    pub(crate) fn slices(&self) -> [IoSlice<'_>; 6] {
        let [begun, urgent, video] =
            [&self.begun, &self.urgent, &self.video].map(VecDeque::as_slices);
        [begun.0, begun.1, urgent.0, urgent.1, video.0, video.1].map(IoSlice::new)
    }

    /// The first `bytes` of [`Self::slices`] are written.
    pub(crate) fn written(&mut self, mut bytes: usize) {
        let rest = bytes.min(self.begun.len());
        self.begun.drain(..rest);
        bytes -= rest;
        for queue in [&mut self.urgent, &mut self.video] {
            while bytes > 0
                && let Some(frame) = first(queue)
            {
                let done = bytes.min(frame);
                queue.drain(..done);
                self.begun.extend(queue.drain(..frame - done));
                bytes -= done;
            }
        }
    }
}

fn drop_first(queue: &mut VecDeque<u8>) {
    if let Some(frame) = first(queue) {
        queue.drain(..frame);
    }
}

/// The length of the first frame of a queue.
fn first(queue: &VecDeque<u8>) -> Option<usize> {
    let len = u16::from_be_bytes([*queue.front()?, *queue.get(1)?]);
    Some((LENGTH + usize::from(len)).min(queue.len()))
}

#[cfg(test)]
mod tests {
    use super::super::framing::Deframer;
    use super::*;

    /// Writes up to `most` bytes into the stream, as a socket would.
    fn write(queue: &mut SendQueue, stream: &mut Vec<u8>, most: usize) {
        let all: Vec<u8> = queue.slices().iter().flat_map(|s| s.to_vec()).collect();
        let n = most.min(all.len());
        stream.extend_from_slice(&all[..n]);
        queue.written(n);
    }

    fn read(mut stream: Vec<u8>) -> Vec<Vec<u8>> {
        let mut got = Vec::new();
        let mut deframer = Deframer::default();
        deframer
            .take(&mut stream, |d| got.push(d.to_vec()))
            .unwrap();
        got
    }

    #[test]
    fn whatever_is_written_at_once_the_stream_stays_whole() {
        for step in [1, 3, 50, 1_000, 5_000] {
            let mut queue = SendQueue::default();
            let mut stream = Vec::new();
            let mut sent = 0;
            for i in 0..200u8 {
                let video = i % 3 != 0;
                assert_eq!(queue.push(&vec![i; 1 + usize::from(i)], video), 0);
                sent += 1;
                write(&mut queue, &mut stream, step);
            }
            while !queue.is_empty() {
                write(&mut queue, &mut stream, step);
            }
            let got = read(stream);
            assert_eq!(got.len(), sent, "steps of {step}");
            let order = |video: bool| {
                let of = got.iter().map(|d| d[0]);
                of.filter(|i| (i % 3 != 0) == video).collect::<Vec<_>>()
            };
            assert!(order(true).is_sorted() && order(false).is_sorted());
            assert!(got.iter().all(|d| d.len() == 1 + usize::from(d[0])));
        }
    }

    #[test]
    fn of_video_the_oldest_goes_and_speech_overtakes_it() {
        let mut queue = SendQueue::default();
        let mut dropped = 0;
        for i in 0..200u8 {
            dropped += queue.push(&[i; 1_000], true);
        }
        assert_eq!(queue.push(b"speech", false), 0);
        assert!(queue.video.len() <= VIDEO_BYTES);
        let mut stream = Vec::new();
        write(&mut queue, &mut stream, usize::MAX);
        let got = read(stream);
        assert_eq!(got[0], b"speech");
        assert_eq!(got.len() as u64 - 1 + dropped, 200);
        assert_eq!(got.last().unwrap()[0], 199);
    }

    #[test]
    fn when_not_even_speech_passes_its_newest_is_lost() {
        let mut queue = SendQueue::default();
        let dropped: u64 = (0..100).map(|_| queue.push(&[1; 1_000], false)).sum();
        assert!(queue.urgent.len() <= URGENT_BYTES);
        assert_eq!(dropped, 100 - (URGENT_BYTES / 1_002) as u64);
        let mut stream = Vec::new();
        // In the middle of a frame.
        write(&mut queue, &mut stream, 500);
        assert_eq!(queue.push(&[2; 10], false), 0);
        write(&mut queue, &mut stream, usize::MAX);
        assert_eq!(read(stream).last().unwrap(), &[2; 10]);
    }
}
