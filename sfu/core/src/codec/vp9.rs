//! VP9 payload descriptor (RFC 9628 §4.2): which layer a packet is of, what its
//! frame refers to, and the sizes of the spatial layers.

use std::ops::Range;

use super::picture::PictureId;

/// VP9 has up to eight, of which WebRTC uses three (SID has three bits).
pub const MAX_SPATIAL: usize = 8;
/// P_DIFF fields of one frame (RFC 9628 §4.2): more is malformed.
const MAX_REFERENCES: usize = 3;

/// What the descriptor says and where its rewritable fields are.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Descriptor {
    pub picture_id: Option<PictureId>,
    /// TL0PICIDX: counts the pictures of the base temporal layer; not in flexible mode.
    pub tl0_picture_index: Option<u8>,
    /// P: the frame depends on frames of earlier pictures.
    pub inter_picture: bool,
    /// B: the first packet of a frame (one spatial layer of a picture).
    pub frame_start: bool,
    /// E: the last packet of a frame.
    pub frame_end: bool,
    /// TID, 0 to 7; 0 without layer indices.
    pub temporal: u8,
    /// U: later pictures of higher temporal layers do not depend on any picture before
    /// this one whose temporal layer is above this one's.
    pub switching_up: bool,
    /// SID, 0 to 7; 0 without layer indices.
    pub spatial: u8,
    /// D: the frame depends on the next lower spatial layer of its picture.
    pub inter_layer: bool,
    picture_id_at: u8,
    tl0_at: u8,
    /// Where the scalability structure begins; 0 without one.
    structure_at: u8,
    length: u16,
}

impl Descriptor {
    /// `None` if the payload ends within the descriptor, or if it breaks its rules.
    #[must_use]
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let first = *payload.first()?;
        let has = |bit: u8| first & bit != 0;
        let (flexible, inter_picture) = (has(0x10), has(0x40));
        let mut descriptor = Self {
            inter_picture,
            frame_start: has(0x08),
            frame_end: has(0x04),
            ..Self::default()
        };
        let mut at = 1;
        if has(0x80) {
            descriptor.picture_id_at = at as u8;
            let id = PictureId::parse(payload.get(at..)?)?;
            at += id.length();
            descriptor.picture_id = Some(id);
        }
        if has(0x20) {
            let layers = *payload.get(at)?;
            descriptor.temporal = layers >> 5;
            descriptor.switching_up = layers & 0x10 != 0;
            descriptor.spatial = layers >> 1 & 0x07;
            descriptor.inter_layer = layers & 0x01 != 0;
            at += 1;
            if !flexible {
                descriptor.tl0_at = at as u8;
                descriptor.tl0_picture_index = Some(*payload.get(at)?);
                at += 1;
            }
        }
        if flexible && inter_picture {
            let mut references = 0;
            loop {
                let difference = *payload.get(at)?;
                at += 1;
                references += 1;
                if difference & 0x01 == 0 {
                    break;
                }
                if references == MAX_REFERENCES {
                    return None;
                }
            }
        }
        if has(0x02) {
            descriptor.structure_at = at as u8; // at most 8
            at += Structure::length(payload.get(at..)?)?;
        }
        descriptor.length = u16::try_from(at).ok()?;
        Some(descriptor)
    }

    /// The descriptor's own length in bytes; the VP9 data follows.
    #[must_use]
    pub fn length(&self) -> usize {
        usize::from(self.length)
    }

    /// A decoder can begin with the picture whose first packet this is.
    #[must_use]
    pub fn starts_keyframe(&self) -> bool {
        self.frame_start && self.spatial == 0 && !self.inter_picture
    }

    /// The scalability structure, from the payload that this was read from.
    #[must_use]
    pub fn structure(&self, payload: &[u8]) -> Option<Structure> {
        if self.structure_at == 0 {
            return None;
        }
        Structure::parse(payload.get(usize::from(self.structure_at)..)?)
    }

    /// Where the picture id is in the payload.
    #[must_use]
    pub fn picture_id_range(&self) -> Option<Range<usize>> {
        let at = usize::from(self.picture_id_at);
        Some(at..at + self.picture_id?.length())
    }

    /// Sets picture id and TL0PICIDX in a copy of the payload that this
    /// descriptor was read from. Widths stay, and what is not there stays away.
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

/// The scalability structure (RFC 9628 §4.2.1), as far as forwarding needs it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Structure {
    /// 1 to 8.
    pub spatial_layers: u8,
    /// As far as its picture group tells.
    pub temporal_layers: Option<u8>,
    /// Width and height of each spatial layer, in pixels.
    pub sizes: Option<[(u16, u16); MAX_SPATIAL]>,
}

impl Structure {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let first = *bytes.first()?;
        let spatial_layers = (first >> 5) + 1;
        let mut rest = &bytes[1..];
        let mut sizes = None;
        if first & 0x10 != 0 {
            let mut read = [(0, 0); MAX_SPATIAL];
            for size in read.iter_mut().take(usize::from(spatial_layers)) {
                let (&[w0, w1, h0, h1], after) = rest.split_first_chunk()?;
                *size = (u16::from_be_bytes([w0, w1]), u16::from_be_bytes([h0, h1]));
                rest = after;
            }
            sizes = Some(read);
        }
        let mut temporal_layers = None;
        if first & 0x08 != 0 {
            let (&pictures, mut rest) = rest.split_first()?;
            for _ in 0..pictures {
                let (&head, after) = rest.split_first()?;
                temporal_layers = temporal_layers.max(Some((head >> 5) + 1));
                rest = after.get(usize::from(head >> 2 & 0x03)..)?;
            }
        }
        Some(Self {
            spatial_layers,
            temporal_layers,
            sizes,
        })
    }

    /// In bytes.
    fn length(bytes: &[u8]) -> Option<usize> {
        let first = *bytes.first()?;
        let mut at = 1;
        if first & 0x10 != 0 {
            at += 4 * (usize::from(first >> 5) + 1);
        }
        if first & 0x08 != 0 {
            let pictures = *bytes.get(at)?;
            at += 1;
            for _ in 0..pictures {
                at += 1 + usize::from(*bytes.get(at)? >> 2 & 0x03);
            }
        }
        (at <= bytes.len()).then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn descriptor_by_steps() {
        // (what, payload, picture id, tl0, (tid, u, sid, d), (p, b, e), length)
        type Row = (
            &'static str,
            &'static [u8],
            Option<PictureId>,
            Option<u8>,
            (u8, bool, u8, bool),
            (bool, bool, bool),
            usize,
        );
        let none = (0, false, 0, false);
        let table: &[Row] = &[
            (
                "bare",
                &[0x08, 1],
                None,
                None,
                none,
                (false, true, false),
                1,
            ),
            (
                "7-bit id",
                &[0x88, 0x11, 1],
                Some(PictureId::Short(0x11)),
                None,
                none,
                (false, true, false),
                2,
            ),
            (
                "15-bit id, end, inter",
                &[0xc4, 0x92, 0x34],
                Some(PictureId::Long(0x1234)),
                None,
                none,
                (true, false, true),
                3,
            ),
            (
                "layers",
                &[0xac, 0x05, 0b0101_0011, 0x77],
                Some(PictureId::Short(5)),
                Some(0x77),
                (2, true, 1, true),
                (false, true, true),
                4,
            ),
            (
                "flexible with two references",
                &[0xfc, 0x05, 0b0010_0100, 0x03, 0x04, 9],
                Some(PictureId::Short(5)),
                None,
                (1, false, 2, false),
                (true, true, true),
                5,
            ),
            (
                "two layers with sizes and a group",
                &[
                    0x8a,
                    0x05,
                    0b0011_1000,
                    1,
                    64,
                    0,
                    180,
                    2,
                    128,
                    1,
                    104,
                    2,
                    0b0001_0100,
                    4,
                    0b0100_0000,
                    9,
                ],
                Some(PictureId::Short(5)),
                None,
                none,
                (false, true, false),
                15,
            ),
        ];
        for (what, payload, id, tl0, layer, (p, b, e), length) in table {
            let read = Descriptor::parse(payload).unwrap();
            assert_eq!(read.picture_id, *id, "{what}");
            assert_eq!(read.tl0_picture_index, *tl0, "{what}");
            let read_layer = (
                read.temporal,
                read.switching_up,
                read.spatial,
                read.inter_layer,
            );
            assert_eq!(read_layer, *layer, "{what}");
            assert_eq!(
                (read.inter_picture, read.frame_start, read.frame_end),
                (*p, *b, *e),
                "{what}"
            );
            assert_eq!(read.length(), *length, "{what}");
            for cut in 0..*length {
                assert_eq!(Descriptor::parse(&payload[..cut]), None, "{what}, {cut}");
            }
        }
        let four = [0x50, 0x03, 0x03, 0x03, 0x02];
        assert_eq!(Descriptor::parse(&four), None, "four references");
    }

    #[test]
    fn structure_has_sizes_and_layers() {
        let payload = [
            0x8a,
            0x05,
            0b0011_1000,
            1,
            64,
            0,
            180,
            2,
            128,
            1,
            104,
            2,
            0b0001_0100,
            4,
            0b0100_0000,
        ];
        let descriptor = Descriptor::parse(&payload).unwrap();
        let structure = descriptor.structure(&payload).unwrap();
        assert_eq!(structure.spatial_layers, 2);
        assert_eq!(structure.temporal_layers, Some(3));
        assert_eq!(structure.sizes.unwrap()[..2], [(320, 180), (640, 360)]);
        assert!(descriptor.starts_keyframe());
    }

    proptest! {
        #[test]
        fn rewriting_changes_the_numbers_only(
            payload in proptest::collection::vec(any::<u8>(), 1..40), id in 0..0x8000_u16, tl0: u8
        ) {
            if let Some(before) = Descriptor::parse(&payload) {
                let mut copy = payload.clone();
                before.rewrite(&mut copy, id, tl0);
                let after = Descriptor::parse(&copy).unwrap();
                prop_assert_eq!(before.length(), after.length());
                prop_assert_eq!(before.structure(&payload), after.structure(&copy));
                prop_assert_eq!(&payload[before.length()..], &copy[before.length()..]);
                if let Some(read) = after.picture_id {
                    prop_assert_eq!(read.value(), id & read.mask());
                }
                prop_assert_eq!(after.tl0_picture_index, before.tl0_picture_index.map(|_| tl0));
            }
        }
    }
}
