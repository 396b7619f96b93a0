//! The picture as VP8: encoded once into a loop per size, each frame marked.
//!
//! A loop is [`GROUPS`] groups of [`GROUP_FRAMES`] frames, each beginning with
//! a keyframe. It starts again seamlessly, because its first frame is a
//! keyframe; a keyframe asked for is the beginning of the next group. Every
//! other frame is one that nothing builds on: the upper of two temporal layers.

use std::sync::Arc;

use bytes::Bytes;

use super::codec::{CodecError, FrameKind, Vp8Encoder};
use super::made::Made;
use super::picture::{self, FRAMES_PER_SECOND, HEIGHT, WIDTH};
use super::vp8::Mark;

/// Frames from one keyframe to the next: two seconds.
pub const GROUP_FRAMES: usize = 2 * FRAMES_PER_SECOND as usize;
pub const GROUPS: usize = 3;
const LOOP_FRAMES: usize = GROUP_FRAMES * GROUPS;
/// A keyframe is so many times as large as another frame, at least.
const KEYFRAME_WEIGHT: usize = 4;

/// One of the encodings of a simulcast.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Size {
    /// The name of its stream (RFC 8851).
    pub rid: &'static str,
    /// From the smallest.
    pub layer: u8,
    /// So many times [`WIDTH`] and [`HEIGHT`].
    pub factor: usize,
    /// kbit/s that the encoder aims at.
    target_kbps: u32,
    /// kbit/s that frames are filled up to: a plain picture needs less than a
    /// camera's, and what a line carries is to be tested.
    filled_kbps: u32,
}

impl Size {
    /// The only encoding of a bot without simulcast: as small as its picture.
    pub const SINGLE: Self = Self {
        rid: "",
        layer: 0,
        factor: 1,
        target_kbps: 120,
        filled_kbps: 0,
    };
    /// 320×180, 640×360, 1280×720.
    pub const SIMULCAST: [Self; 3] = [
        Self {
            rid: "q",
            filled_kbps: 120,
            ..Self::SINGLE
        },
        Self {
            rid: "h",
            layer: 1,
            factor: 2,
            target_kbps: 400,
            filled_kbps: 400,
        },
        Self {
            rid: "f",
            layer: 2,
            factor: 4,
            target_kbps: 1200,
            filled_kbps: 1200,
        },
    ];

    /// Bytes that a frame is filled up to.
    fn filled(self, kind: FrameKind) -> usize {
        let group =
            self.filled_kbps as usize * 1000 / 8 * GROUP_FRAMES / FRAMES_PER_SECOND as usize;
        let one = group / (GROUP_FRAMES - 1 + KEYFRAME_WEIGHT);
        match kind {
            FrameKind::Key => one * KEYFRAME_WEIGHT,
            FrameKind::Base | FrameKind::Discardable => one,
        }
    }
}

/// What later frames may build on, by the number in the loop.
#[must_use]
pub fn kind_of(number: usize) -> FrameKind {
    match number % GROUP_FRAMES {
        0 => FrameKind::Key,
        n if n % 2 == 0 => FrameKind::Base,
        _ => FrameKind::Discardable,
    }
}

/// The frame that an inter frame builds on, by the numbers in the loop.
#[must_use]
pub fn reference_of(number: usize) -> usize {
    match kind_of(number) {
        FrameKind::Key => number,
        FrameKind::Base => number.saturating_sub(2),
        FrameKind::Discardable => number.saturating_sub(1),
    }
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
    pub fn encode(index: u16, size: Size) -> Result<Self, CodecError> {
        let (width, height) = (WIDTH * size.factor, HEIGHT * size.factor);
        let mut encoder = Vp8Encoder::new(width, height, FRAMES_PER_SECOND, size.target_kbps)?;
        let mut still = picture::Still::new(index);
        let mut frames = Vec::with_capacity(LOOP_FRAMES);
        for number in 0..LOOP_FRAMES {
            let turn = number as f64 / LOOP_FRAMES as f64;
            let mut picture = still.enlarged_at(turn, size.factor);
            let kind = kind_of(number);
            let mut frame = encoder.encode(&mut picture, kind)?;
            let mark = Mark {
                index,
                frame: number as u16,
                layer: size.layer,
            };
            mark.append(&mut frame, size.filled(kind));
            frames.push(Bytes::from(frame));
        }
        Ok(Self { frames })
    }

    /// The same, but encoded only once in a process.
    ///
    /// # Errors
    /// An error of libvpx.
    pub fn of(index: u16, size: Size) -> Result<Arc<Self>, CodecError> {
        static SINGLE: Made<VideoLoop> = Made::new();
        static LAYERS: [Made<VideoLoop>; 3] = [Made::new(), Made::new(), Made::new()];
        let layer = LAYERS.get(usize::from(size.layer));
        let made = layer.filter(|_| size != Size::SINGLE).unwrap_or(&SINGLE);
        made.get(index, |index| Self::encode(index, size))
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

#[cfg(test)]
mod tests {
    use super::super::codec::Vp8Decoder;
    use super::super::vp8::is_keyframe;
    use super::*;
    use crate::media::picture::{colour_of, ground_of, index_of};

    #[test]
    fn loop_is_decodable_from_each_keyframe_and_shows_the_colour() {
        for index in [1, 20, 49] {
            let video = VideoLoop::encode(index, Size::SINGLE).unwrap();
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
    fn the_lower_temporal_layer_is_the_same_without_the_upper() {
        let video = VideoLoop::encode(4, Size::SINGLE).unwrap();
        let (mut all, mut lower) = (Vp8Decoder::new().unwrap(), Vp8Decoder::new().unwrap());
        for (number, frame) in video.frames()[..GROUP_FRAMES].iter().enumerate() {
            let picture = all.decode(frame).unwrap();
            if kind_of(number) != FrameKind::Discardable {
                let same = lower.decode(frame).unwrap() == picture;
                assert!(same, "frame {number}");
            }
        }
    }

    #[test]
    fn each_size_has_its_pixels_and_its_rate() {
        for (layer, size) in (0..).zip(Size::SIMULCAST) {
            let video = VideoLoop::encode(6, size).unwrap();
            let bytes: usize = video.frames().iter().map(Bytes::len).sum();
            let seconds = LOOP_FRAMES / FRAMES_PER_SECOND as usize;
            let kbps = (bytes * 8 / seconds / 1000) as u32;
            let off = kbps.abs_diff(size.filled_kbps);
            assert!(off < size.filled_kbps / 8, "{}: {kbps} kbit/s", size.rid);
            let picture = Vp8Decoder::new()
                .unwrap()
                .decode(&video.frames()[0])
                .unwrap();
            assert_eq!(picture.height, HEIGHT * size.factor);
            assert_eq!(index_of(ground_of(&picture).unwrap()).0, 6);
            assert_eq!(Mark::of(&video.frames()[21]).unwrap().layer, layer);
        }
    }

    #[test]
    fn loop_has_real_inter_frames_and_moves() {
        let video = VideoLoop::encode(7, Size::SINGLE).unwrap();
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
    fn mark_and_filling_change_no_pixel() {
        let video = VideoLoop::encode(3, Size::SINGLE).unwrap();
        let plain = &video.frames()[0];
        let mark = Mark {
            index: 3,
            frame: 0,
            layer: 0,
        };
        assert_eq!(Mark::of(plain), Some(mark));
        let mut filled = plain.to_vec();
        mark.append(&mut filled, 40_000);
        assert_eq!((filled.len(), Mark::of(&filled)), (40_000, Some(mark)));
        assert_eq!(Mark::of(&filled[..39_999]), None);
        let decode = |frame: &[u8]| Vp8Decoder::new().unwrap().decode(frame).unwrap();
        assert_eq!(decode(&filled), decode(plain));
    }

    #[test]
    fn references_and_keyframes_by_number() {
        let video = VideoLoop::of(2, Size::SINGLE).unwrap();
        assert_eq!(video.next_keyframe(0), 0);
        assert_eq!(video.next_keyframe(1), GROUP_FRAMES);
        assert_eq!(video.next_keyframe(LOOP_FRAMES - 1), 0);
        assert_eq!([20, 21, 22, 23].map(reference_of), [20, 20, 20, 22]);
        assert!(Arc::ptr_eq(
            &video,
            &VideoLoop::of(2, Size::SINGLE).unwrap()
        ));
        let other = VideoLoop::of(2, Size::SIMULCAST[0]).unwrap();
        assert!(!Arc::ptr_eq(&video, &other));
    }
}
