//! VP8 payload descriptor (RFC 7741 §4.2) and the part of the payload header
//! that tells keyframes (§4.3, RFC 6386 §9.1).

use std::ops::Range;

pub use super::picture::PictureId;

/// What the descriptor says and where its rewritable fields are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Descriptor {
    /// N: no other frame refers to this one.
    pub non_reference: bool,
    /// S: a partition begins in this packet.
    pub partition_start: bool,
    /// PID: 0 to 7.
    pub partition: u8,
    pub picture_id: Option<PictureId>,
    /// TL0PICIDX: counts the frames of the base temporal layer.
    pub tl0_picture_index: Option<u8>,
    /// TID: 0 is the base layer.
    pub temporal_layer: Option<u8>,
    /// Y: the frame depends on the base layer only; a switch up is possible.
    pub layer_sync: bool,
    /// KEYIDX: 0 to 31.
    pub key_index: Option<u8>,
    picture_id_at: u8,
    tl0_at: u8,
    length: u8,
}

impl Descriptor {
    /// `None` if the payload ends within the descriptor.
    #[must_use]
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let first = *payload.first()?;
        let mut descriptor = Self {
            non_reference: first & 0x20 != 0,
            partition_start: first & 0x10 != 0,
            partition: first & 0x07,
            picture_id: None,
            tl0_picture_index: None,
            temporal_layer: None,
            layer_sync: false,
            key_index: None,
            picture_id_at: 0,
            tl0_at: 0,
            length: 1,
        };
        if first & 0x80 != 0 {
            descriptor.parse_fields(payload)?;
        }
        Some(descriptor)
    }

    fn parse_fields(&mut self, payload: &[u8]) -> Option<()> {
        let present = *payload.get(1)?;
        let mut at = 2;
        if present & 0x80 != 0 {
            self.picture_id_at = at as u8;
            let id = PictureId::parse(payload.get(at..)?)?;
            at += id.length();
            self.picture_id = Some(id);
        }
        if present & 0x40 != 0 {
            self.tl0_at = at as u8;
            self.tl0_picture_index = Some(*payload.get(at)?);
            at += 1;
        }
        if present & 0x30 != 0 {
            let byte = *payload.get(at)?;
            if present & 0x20 != 0 {
                self.temporal_layer = Some(byte >> 6);
                self.layer_sync = byte & 0x20 != 0;
            }
            if present & 0x10 != 0 {
                self.key_index = Some(byte & 0x1f);
            }
            at += 1;
        }
        self.length = at as u8;
        Some(())
    }

    /// The descriptor's own length in bytes, 1 to 6; the VP8 data follows.
    #[must_use]
    pub fn length(&self) -> usize {
        usize::from(self.length)
    }

    #[must_use]
    pub fn starts_frame(&self) -> bool {
        self.partition_start && self.partition == 0
    }

    /// Where the picture id is in the payload.
    #[must_use]
    pub fn picture_id_range(&self) -> Option<Range<usize>> {
        let at = usize::from(self.picture_id_at);
        Some(at..at + self.picture_id?.length())
    }

    /// Sets picture id and TL0PICIDX in a copy of the payload that this
    /// descriptor was read from. Widths stay: a 7-bit field gets the low 7
    /// bits, a field that is not there stays away.
    pub fn rewrite(&self, payload: &mut [u8], picture_id: u16, tl0: u8) {
        let range = self.picture_id_range();
        if let (Some(id), Some(field)) = (
            self.picture_id,
            range.and_then(|range| payload.get_mut(range)),
        ) {
            id.write(field, picture_id);
        }
        if self.tl0_picture_index.is_some()
            && let Some(field) = payload.get_mut(usize::from(self.tl0_at))
        {
            *field = tl0;
        }
    }
}

/// Whether a keyframe begins in this packet.
#[must_use]
pub fn is_keyframe(payload: &[u8]) -> bool {
    Descriptor::parse(payload).is_some_and(|descriptor| {
        descriptor.starts_frame()
            // The bit says "not a keyframe".
            && payload.get(descriptor.length()).is_some_and(|tag| tag & 0x01 == 0)
    })
}

/// Width and height in pixels, from the first packet of a keyframe.
#[must_use]
pub fn frame_size(payload: &[u8]) -> Option<(u16, u16)> {
    if !is_keyframe(payload) {
        return None;
    }
    let data = payload.get(Descriptor::parse(payload)?.length()..)?;
    let &[_, _, _, 0x9d, 0x01, 0x2a, w0, w1, h0, h1, ..] = data else {
        return None;
    };
    // The upper two bits are a hint for scaling.
    let size = |low, high| u16::from_le_bytes([low, high]) & 0x3fff;
    Some((size(w0, w1), size(h0, h1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn descriptor_by_steps() {
        // (payload, picture id, tl0, tid, sync, keyidx, length)
        type Row = (
            &'static [u8],
            Option<PictureId>,
            Option<u8>,
            Option<u8>,
            bool,
            Option<u8>,
            usize,
        );
        let short = Some(PictureId::Short(0x11));
        let long = Some(PictureId::Long(0x1234));
        let table: &[Row] = &[
            (&[0x10, 0x00], None, None, None, false, None, 1),
            (&[0x90, 0x00, 0x00], None, None, None, false, None, 2),
            (&[0x90, 0x80, 0x11, 0x00], short, None, None, false, None, 3),
            (&[0x90, 0x80, 0x92, 0x34], long, None, None, false, None, 4),
            (&[0x90, 0x40, 0x07], None, Some(7), None, false, None, 3),
            (&[0x90, 0x20, 0x60], None, None, Some(1), true, None, 3),
            (&[0x90, 0x10, 0x45], None, None, None, false, Some(5), 3),
            (
                &[0x90, 0xf0, 0x92, 0x34, 0x07, 0x85],
                long,
                Some(7),
                Some(2),
                false,
                Some(5),
                6,
            ),
        ];
        for (payload, picture_id, tl0, tid, sync, key, length) in table {
            let read = Descriptor::parse(payload).unwrap();
            assert_eq!(read.picture_id, *picture_id, "{payload:x?}");
            assert_eq!(read.tl0_picture_index, *tl0, "{payload:x?}");
            assert_eq!(read.temporal_layer, *tid, "{payload:x?}");
            assert_eq!(read.layer_sync, *sync, "{payload:x?}");
            assert_eq!(read.key_index, *key, "{payload:x?}");
            assert_eq!(read.length(), *length, "{payload:x?}");
        }
    }

    #[test]
    fn cut_descriptors_are_none() {
        let whole = [0x90, 0xf0, 0x92, 0x34, 0x07, 0x85];
        for cut in 0..whole.len() {
            assert_eq!(Descriptor::parse(&whole[..cut]), None, "{cut} bytes");
        }
    }

    #[test]
    fn keyframes_by_steps() {
        let table: &[(&[u8], bool)] = &[
            (&[0x10, 0x00], true),                   // S=1 PID=0 P=0
            (&[0x10, 0x01], false),                  // interframe
            (&[0x00, 0x00], false),                  // continuation
            (&[0x11, 0x00], false),                  // second partition
            (&[0x90, 0x80, 0x80, 0x05, 0x10], true), // long picture id
            (&[0x90, 0x80, 0x80, 0x05], false),      // no data
            (&[0x10], false),
            (&[], false),
        ];
        for (payload, keyframe) in table {
            assert_eq!(is_keyframe(payload), *keyframe, "{payload:x?}");
        }
    }

    #[test]
    fn size_is_in_the_keyframe_header() {
        let payload = [
            0x10, 0x50, 0x01, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x42, 0x68, 0x01,
        ];
        assert_eq!(frame_size(&payload), Some((640, 360)));
        assert_eq!(frame_size(&payload[..10]), None);
    }

    #[test]
    fn rewriting_keeps_widths() {
        let mut long = [0x90, 0xe0, 0x92, 0x34, 0x07, 0x40, 0xab];
        let read = Descriptor::parse(&long).unwrap();
        read.rewrite(&mut long, 0x7fff, 9);
        assert_eq!(long, [0x90, 0xe0, 0xff, 0xff, 9, 0x40, 0xab]);

        let mut short = [0x90, 0x80, 0x11, 0xab];
        let read = Descriptor::parse(&short).unwrap();
        read.rewrite(&mut short, 0x1234, 9);
        assert_eq!(short, [0x90, 0x80, 0x34, 0xab]);

        let mut none = [0x10, 0xab];
        Descriptor::parse(&none).unwrap().rewrite(&mut none, 1, 1);
        assert_eq!(none, [0x10, 0xab]);
        // A shorter buffer than the one read is left alone.
        read.rewrite(&mut [0x90], 1, 1);
    }

    proptest! {
        #[test]
        fn what_is_rewritten_is_read(
            payload in proptest::collection::vec(any::<u8>(), 0..12), id: u16, tl0: u8
        ) {
            if let Some(before) = Descriptor::parse(&payload) {
                let mut copy = payload.clone();
                before.rewrite(&mut copy, id, tl0);
                let after = Descriptor::parse(&copy).unwrap();
                let wanted = before.picture_id.map(|old| match old {
                    PictureId::Short(_) => PictureId::Short(id as u8 & 0x7f),
                    PictureId::Long(_) => PictureId::Long(id & 0x7fff),
                });
                prop_assert_eq!(after.picture_id, wanted);
                prop_assert_eq!(after.tl0_picture_index, before.tl0_picture_index.map(|_| tl0));
                prop_assert_eq!(after.length(), before.length());
                prop_assert_eq!(&copy[after.length()..], &payload[before.length()..]);
            }
        }
    }
}
