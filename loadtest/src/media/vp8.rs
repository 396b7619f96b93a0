//! The picture as VP8: encoded once into a loop, marked, cut into RTP payloads;
//! and the way back at the receiver.
//!
//! A loop is [`GROUPS`] groups of [`GROUP_FRAMES`] frames, each beginning with
//! a keyframe. It starts again seamlessly, because its first frame is a
//! keyframe; a keyframe asked for is the beginning of the next group.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};

use super::codec::{CodecError, Vp8Encoder};
use super::made::Made;
use super::picture::{self, FRAMES_PER_SECOND, HEIGHT, WIDTH};

/// Frames from one keyframe to the next: two seconds.
pub const GROUP_FRAMES: usize = 2 * FRAMES_PER_SECOND as usize;
pub const GROUPS: usize = 3;
const LOOP_FRAMES: usize = GROUP_FRAMES * GROUPS;
/// kbit/s.
const TARGET_KBPS: u32 = 120;

/// Bytes of VP8 in one packet. With descriptor, header and extensions a packet
/// stays below 1,200 bytes.
const CHUNK: usize = 1100;
/// X bit and picture id of 15 bits (RFC 7741 §4.2).
const DESCRIPTOR: usize = 4;

/// Marks a frame of a bot; see [`Mark`].
const MARK: [u8; 4] = [0x4c, 0x44, 0xb0, 0x07];
const MARK_LENGTH: usize = MARK.len() + 4;

/// Who sent a frame, in its last eight bytes.
///
/// A VP8 frame's last partition reaches to the end of the data, and a decoder
/// reads no further than the picture needs: bytes behind it change nothing.
/// So the mark travels through any forwarder that leaves payloads alone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Mark {
    /// The sender's index.
    pub index: u16,
    /// The number of the frame in the sender's loop.
    pub frame: u16,
}

impl Mark {
    fn append(self, frame: &mut Vec<u8>) {
        frame.extend_from_slice(&MARK);
        frame.extend_from_slice(&self.index.to_be_bytes());
        frame.extend_from_slice(&self.frame.to_be_bytes());
    }

    /// `None` of a frame that no bot sent.
    #[must_use]
    pub fn of(frame: &[u8]) -> Option<Self> {
        let tail = frame.last_chunk::<MARK_LENGTH>()?;
        let [a, b, c, d, i0, i1, f0, f1] = *tail;
        ([a, b, c, d] == MARK).then_some(Self {
            index: u16::from_be_bytes([i0, i1]),
            frame: u16::from_be_bytes([f0, f1]),
        })
    }
}

/// True when an uncompressed header of a keyframe begins the frame (RFC 6386 §9.1).
#[must_use]
pub fn is_keyframe(frame: &[u8]) -> bool {
    // The first bit of the frame tag is 0 for a keyframe; the start code follows the tag.
    frame.first().is_some_and(|tag| tag & 1 == 0) && frame.get(3..6) == Some(&[0x9d, 0x01, 0x2a])
}

/// The frames that a bot sends round and round.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct VideoLoop {
    frames: Vec<Bytes>,
}

impl VideoLoop {
    /// Draws and encodes the loop of a site.
    ///
    /// # Errors
    /// An error of libvpx.
    pub fn encode(index: u16) -> Result<Self, CodecError> {
        let mut encoder = Vp8Encoder::new(WIDTH, HEIGHT, FRAMES_PER_SECOND, TARGET_KBPS)?;
        let mut still = picture::Still::new(index);
        let mut frames = Vec::with_capacity(LOOP_FRAMES);
        for number in 0..LOOP_FRAMES {
            let turn = number as f64 / LOOP_FRAMES as f64;
            let picture = still.at(turn);
            let mut frame = encoder.encode(picture, number % GROUP_FRAMES == 0)?;
            let mark = Mark {
                index,
                frame: number as u16,
            };
            mark.append(&mut frame);
            frames.push(Bytes::from(frame));
        }
        Ok(Self { frames })
    }

    /// The same, but encoded only once in a process.
    ///
    /// # Errors
    /// An error of libvpx.
    pub fn of(index: u16) -> Result<Arc<Self>, CodecError> {
        static LOOPS: Made<VideoLoop> = Made::new();
        LOOPS.get(index, Self::encode)
    }

    #[must_use]
    pub fn frames(&self) -> &[Bytes] {
        &self.frames
    }

    /// The number of the next keyframe at or after a frame.
    #[must_use]
    pub fn next_keyframe(&self, frame: usize) -> usize {
        frame.div_ceil(GROUP_FRAMES) * GROUP_FRAMES % self.frames.len().max(1)
    }
}

/// Cuts a frame into RTP payloads with the VP8 payload descriptor (RFC 7741 §4.2).
pub fn payloads(frame: &Bytes, picture_id: u16) -> impl Iterator<Item = Bytes> + '_ {
    frame.chunks(CHUNK).enumerate().map(move |(number, chunk)| {
        let mut payload = BytesMut::with_capacity(DESCRIPTOR + chunk.len());
        // X, and S on the first packet of the only partition.
        payload.put_u8(if number == 0 { 0x90 } else { 0x80 });
        payload.put_u8(0x80); // I: a picture id follows
        payload.put_u16(0x8000 | (picture_id & 0x7fff)); // M: of 15 bits
        payload.put_slice(chunk);
        payload.freeze()
    })
}

/// A received payload: whether a frame begins with it, and the bytes behind the
/// descriptor. `None` of a payload that is not VP8.
#[must_use]
pub fn open(payload: &Bytes) -> Option<(bool, Bytes)> {
    let first = *payload.first()?;
    let mut at = 1;
    if first & 0x80 != 0 {
        let extension = *payload.get(at)?;
        at += 1;
        if extension & 0x80 != 0 {
            at += if payload.get(at)? & 0x80 != 0 { 2 } else { 1 };
        }
        // TL0PICIDX, then one byte for TID, Y and KEYIDX together.
        at += usize::from(extension & 0x40 != 0) + usize::from(extension & 0x30 != 0);
    }
    let starts = first & 0x10 != 0 && first & 0x07 == 0;
    (at < payload.len()).then(|| (starts, payload.slice(at..)))
}

#[cfg(test)]
mod tests {
    use super::super::codec::Vp8Decoder;
    use super::*;
    use crate::media::picture::{colour_of, ground_of, index_of};

    #[test]
    fn loop_is_decodable_from_each_keyframe_and_shows_the_colour() {
        for index in [1, 20, 49] {
            let video = VideoLoop::encode(index).unwrap();
            for group in 0..GROUPS {
                let mut decoder = Vp8Decoder::new().unwrap();
                for number in 0..GROUP_FRAMES {
                    let frame = &video.frames()[group * GROUP_FRAMES + number];
                    assert_eq!(is_keyframe(frame), number == 0);
                    let picture = decoder.decode(frame).unwrap();
                    assert_eq!((picture.width, picture.height), (WIDTH, HEIGHT));
                    let (found, distance) = index_of(ground_of(&picture).unwrap());
                    assert_eq!(found, index, "{:?}", colour_of(index));
                    assert!(distance < 10.0, "off by {distance}");
                }
            }
        }
    }

    #[test]
    fn loop_has_real_inter_frames_and_moves() {
        let video = VideoLoop::encode(7).unwrap();
        let size = |number: usize| video.frames()[number].len();
        assert!(size(1) < size(0) / 2, "{} after {}", size(1), size(0));
        let bytes: usize = video.frames().iter().map(Bytes::len).sum();
        let seconds = LOOP_FRAMES / FRAMES_PER_SECOND as usize;
        let kbps = bytes * 8 / seconds / 1000;
        assert!((15..200).contains(&kbps), "{kbps} kbit/s");
        let mut decoder = Vp8Decoder::new().unwrap();
        let first = decoder.decode(&video.frames()[0]).unwrap();
        let later = decoder.decode(&video.frames()[1]).unwrap();
        assert_ne!(first, later);
    }

    #[test]
    fn mark_changes_no_pixel() {
        let video = VideoLoop::encode(3).unwrap();
        let marked = &video.frames()[0];
        assert_eq!(Mark::of(marked), Some(Mark { index: 3, frame: 0 }));
        let plain = &marked[..marked.len() - MARK_LENGTH];
        assert_eq!(Mark::of(plain), None);
        let decode = |frame: &[u8]| Vp8Decoder::new().unwrap().decode(frame).unwrap();
        assert_eq!(decode(marked), decode(plain));
    }

    #[test]
    fn payloads_give_the_frame_back() {
        let frame = Bytes::from((0..2500).map(|i| i as u8).collect::<Vec<_>>());
        let parts: Vec<_> = payloads(&frame, 0x1234).collect();
        assert_eq!(parts.len(), 3);
        assert_eq!(parts[0][..4], [0x90, 0x80, 0x92, 0x34]);
        let opened: Vec<_> = parts.iter().map(|p| open(p).unwrap()).collect();
        let starts: Vec<_> = opened.iter().map(|(s, _)| *s).collect();
        assert_eq!(starts, [true, false, false]);
        let joined: Vec<u8> = opened.iter().flat_map(|(_, b)| b.to_vec()).collect();
        assert_eq!(joined, frame);
    }

    #[test]
    fn descriptors_of_others_and_garbage() {
        // Chromium: X, S; I, L, T, K; 15-bit picture id; TL0PICIDX; TID and KEYIDX.
        let chromium = Bytes::from_static(&[0x90, 0xf0, 0x80, 0x01, 0x07, 0x20, 0xaa]);
        assert_eq!(open(&chromium), Some((true, Bytes::from_static(&[0xaa]))));
        // No extension at all.
        let plain = Bytes::from_static(&[0x10, 0xbb]);
        assert_eq!(open(&plain), Some((true, Bytes::from_static(&[0xbb]))));
        for short in [
            &[][..],
            &[0x90],
            &[0x90, 0x80],
            &[0x90, 0xf0, 0x80, 0x01],
            &[0x10],
        ] {
            assert_eq!(open(&Bytes::copy_from_slice(short)), None);
        }
    }

    #[test]
    fn next_keyframe_wraps() {
        let video = VideoLoop::of(2).unwrap();
        assert_eq!(video.next_keyframe(0), 0);
        assert_eq!(video.next_keyframe(1), GROUP_FRAMES);
        assert_eq!(video.next_keyframe(LOOP_FRAMES - 1), 0);
        assert!(Arc::ptr_eq(&video, &VideoLoop::of(2).unwrap()));
    }
}
