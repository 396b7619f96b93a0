//! VP8 over RTP: frames, cut into payloads and found again; and who sent a frame.

use bytes::{BufMut, Bytes, BytesMut};

/// Bytes of VP8 in one packet. With descriptor, header and extensions a packet
/// stays below 1,200 bytes.
const CHUNK: usize = 1100;
/// The first byte, X, a picture id of 15 bits, TL0PICIDX and TID (RFC 7741 §4.2).
const DESCRIPTOR: usize = 6;

/// Marks a frame of a bot; see [`Mark`].
const MARK: [u8; 4] = [0x4c, 0x44, 0xb0, 0x07];
const MARK_LENGTH: usize = MARK.len() + 5;

/// Who sent a frame, in its last nine bytes.
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
    /// Which of the sender's encodings, from the smallest.
    pub layer: u8,
}

impl Mark {
    /// Fills the frame up to `at_least` bytes, then marks it.
    pub(super) fn append(self, frame: &mut Vec<u8>, at_least: usize) {
        let filled = at_least.saturating_sub(MARK_LENGTH).max(frame.len());
        frame.resize(filled, 0);
        frame.extend_from_slice(&MARK);
        frame.extend_from_slice(&self.index.to_be_bytes());
        frame.extend_from_slice(&self.frame.to_be_bytes());
        frame.push(self.layer);
    }

    /// `None` of a frame that no bot sent.
    #[must_use]
    pub fn of(frame: &[u8]) -> Option<Self> {
        let tail = frame.last_chunk::<MARK_LENGTH>()?;
        let [a, b, c, d, i0, i1, f0, f1, layer] = *tail;
        ([a, b, c, d] == MARK).then_some(Self {
            index: u16::from_be_bytes([i0, i1]),
            frame: u16::from_be_bytes([f0, f1]),
            layer,
        })
    }
}

/// True when an uncompressed header of a keyframe begins the frame (RFC 6386 §9.1).
#[must_use]
pub fn is_keyframe(frame: &[u8]) -> bool {
    // The first bit of the frame tag is 0 for a keyframe; the start code follows the tag.
    frame.first().is_some_and(|tag| tag & 1 == 0) && frame.get(3..6) == Some(&[0x9d, 0x01, 0x2a])
}

/// What the payload descriptor says of a frame.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Descriptor {
    /// 15 bits.
    pub picture_id: u16,
    /// Counts the frames of the lower temporal layer.
    pub base_id: u8,
    /// Nothing builds on the frame: it is of the upper temporal layer.
    pub discardable: bool,
}

/// Cuts a frame into RTP payloads with the VP8 payload descriptor (RFC 7741 §4.2).
pub fn payloads(frame: &Bytes, descriptor: Descriptor) -> impl Iterator<Item = Bytes> + '_ {
    frame.chunks(CHUNK).enumerate().map(move |(number, chunk)| {
        let mut payload = BytesMut::with_capacity(DESCRIPTOR + chunk.len());
        // X; N: nothing refers to it; S on the first packet of the only partition.
        let reference = u8::from(descriptor.discardable) << 5;
        payload.put_u8(0x80 | reference | u8::from(number == 0) << 4);
        payload.put_u8(0xe0); // I, L, T: all three follow
        payload.put_u16(0x8000 | (descriptor.picture_id & 0x7fff)); // M: of 15 bits
        payload.put_u8(descriptor.base_id);
        // TID, and Y: the upper layer builds on the lower one only.
        let temporal = u8::from(descriptor.discardable);
        payload.put_u8(temporal << 6 | temporal << 5);
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
    use super::*;

    #[test]
    fn payloads_give_the_frame_back() {
        let frame = Bytes::from((0..2500).map(|i| i as u8).collect::<Vec<_>>());
        let descriptor = Descriptor {
            picture_id: 0x1234,
            base_id: 7,
            discardable: false,
        };
        let parts: Vec<_> = payloads(&frame, descriptor).collect();
        assert_eq!(parts.len(), 3);
        assert_eq!(parts[0][..6], [0x90, 0xe0, 0x92, 0x34, 7, 0]);
        let upper = Descriptor {
            discardable: true,
            ..descriptor
        };
        let first = payloads(&frame, upper).next().unwrap();
        assert_eq!(first[..6], [0xb0, 0xe0, 0x92, 0x34, 7, 0x60]);
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
}
