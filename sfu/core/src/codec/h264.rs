//! H.264 payloads (RFC 6184): single NAL units, STAP-A and FU-A, as
//! packetization mode 1 has them.

use arrayvec::ArrayVec;

use super::bits::Bits;

/// As much of a parameter set as is read; the size stands well before.
const MAX_PARAMETERS: usize = 256;

/// NAL unit types (ITU-T H.264 table 7-1; RFC 6184 table 1).
mod nal {
    pub const SLICE: u8 = 1;
    pub const IDR_SLICE: u8 = 5;
    pub const SEI: u8 = 6;
    pub const SPS: u8 = 7;
    pub const PPS: u8 = 8;
    pub const DELIMITER: u8 = 9;
    pub const STAP_A: u8 = 24;
    pub const FU_A: u8 = 28;
}

/// What a payload holds, as far as forwarding has to know.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Summary {
    /// A sequence parameter set.
    pub sps: bool,
    /// The first slice of an IDR picture begins here.
    pub idr_start: bool,
    /// Something that stands at the beginning of an access unit.
    pub starts_frame: bool,
}

impl Summary {
    /// Of anything that is not well-formed, as much as could be read.
    #[must_use]
    pub fn of(payload: &[u8]) -> Self {
        let mut summary = Self::default();
        match payload {
            [head, rest @ ..] if head & 0x1f == nal::STAP_A => summary.add_aggregate(rest),
            // The S bit: only the first fragment has the unit's beginning.
            [indicator, head, rest @ ..] if indicator & 0x1f == nal::FU_A => {
                if head & 0x80 != 0 {
                    summary.add_unit(head & 0x1f, rest);
                }
            }
            [head, rest @ ..] => summary.add_unit(head & 0x1f, rest),
            [] => {}
        }
        summary
    }

    /// A decoder can begin here. A sender whose parameter sets come in a
    /// packet of their own has its keyframe begin with that packet.
    #[must_use]
    pub fn is_keyframe(&self) -> bool {
        self.sps || self.idr_start
    }

    /// 16 bits of length before each unit (RFC 6184 §5.7.1).
    fn add_aggregate(&mut self, mut rest: &[u8]) {
        while let Some((length, after)) = rest.split_first_chunk() {
            let length = usize::from(u16::from_be_bytes(*length));
            let Some((unit, after)) = after.split_at_checked(length) else {
                return;
            };
            if let Some((head, body)) = unit.split_first() {
                self.add_unit(head & 0x1f, body);
            }
            rest = after;
        }
    }

    fn add_unit(&mut self, kind: u8, body: &[u8]) {
        // first_mb_in_slice is an Exp-Golomb number in front: a leading 1 is zero.
        let first_slice = body.first().is_some_and(|byte| byte & 0x80 != 0);
        match kind {
            nal::SPS => {
                self.sps = true;
                self.starts_frame = true;
            }
            nal::IDR_SLICE if first_slice => {
                self.idr_start = true;
                self.starts_frame = true;
            }
            nal::SLICE if first_slice => self.starts_frame = true,
            nal::SEI | nal::PPS | nal::DELIMITER => self.starts_frame = true,
            _ => {}
        }
    }
}

/// Width and height in pixels, if a sequence parameter set is in the payload.
#[must_use]
pub fn frame_size(payload: &[u8]) -> Option<(u16, u16)> {
    match payload {
        [head, rest @ ..] if head & 0x1f == nal::STAP_A => {
            let mut rest = rest;
            while let Some((length, after)) = rest.split_first_chunk() {
                let length = usize::from(u16::from_be_bytes(*length));
                let (unit, after) = after.split_at_checked(length)?;
                match unit {
                    [head, body @ ..] if head & 0x1f == nal::SPS => return size_of(body),
                    _ => rest = after,
                }
            }
            None
        }
        [head, rest @ ..] if head & 0x1f == nal::SPS => size_of(rest),
        _ => None,
    }
}

/// seq_parameter_set_data() of ITU-T H.264 §7.3.2.1.1, as far as the size.
fn size_of(sps: &[u8]) -> Option<(u16, u16)> {
    let sps = unescaped(sps);
    let mut bits = Bits::new(&sps);
    let profile = bits.read(8)?;
    bits.skip(16)?;
    bits.golomb()?;
    let mut chroma = 1;
    if matches!(profile, 100 | 110 | 122 | 244 | 44 | 83 | 86 | 118 | 128) {
        chroma = bits.golomb()?;
        if chroma == 3 {
            bits.skip(1)?;
        }
        bits.skip_golomb(2)?;
        bits.skip(1)?;
        if bits.bit()? {
            return None; // scaling matrices: in no browser's stream
        }
    }
    bits.golomb()?;
    match bits.golomb()? {
        0 => bits.skip_golomb(1)?,
        1 => {
            bits.skip(1)?;
            bits.skip_golomb(2)?;
            let cycle = bits.golomb()?;
            bits.skip_golomb(cycle.min(255))?;
        }
        _ => {}
    }
    bits.skip_golomb(1)?;
    bits.skip(1)?;
    let (width, height) = (bits.golomb()?, bits.golomb()?); // macroblocks, minus one
    let fields = if bits.bit()? { 1 } else { 2 };
    if fields == 2 {
        bits.skip(1)?;
    }
    bits.skip(1)?;
    let mut crop = [0; 4];
    if bits.bit()? {
        for side in &mut crop {
            *side = bits.golomb()?;
        }
    }
    let [left, right, top, bottom] = crop;
    let across: u32 = if matches!(chroma, 1 | 2) { 2 } else { 1 };
    let down: u32 = if chroma == 1 { 2 } else { 1 };
    let blocks = |count: u32| count.checked_add(1)?.checked_mul(16);
    let width = blocks(width)?.checked_sub(left.checked_add(right)?.checked_mul(across)?)?;
    let lines = blocks(height)?.checked_mul(fields)?;
    let height = lines.checked_sub(top.checked_add(bottom)?.checked_mul(down * fields)?)?;
    Some((u16::try_from(width).ok()?, u16::try_from(height).ok()?))
}

/// Without the emulation prevention bytes (ITU-T H.264 §7.3.1, H.265 §7.3.1.1).
pub(super) fn unescaped(unit: &[u8]) -> ArrayVec<u8, MAX_PARAMETERS> {
    let mut plain = ArrayVec::new();
    let mut zeros = 0;
    for &byte in unit {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        if plain.try_push(byte).is_err() {
            break;
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_by_steps() {
        // (what, payload, sps, idr_start, starts_frame)
        let table: &[(&str, &[u8], bool, bool, bool)] = &[
            ("empty", &[], false, false, false),
            ("IDR slice", &[0x65, 0x88], false, true, true),
            ("second IDR slice", &[0x65, 0x44], false, false, false),
            ("IDR without body", &[0x65], false, false, false),
            ("slice", &[0x41, 0x9a], false, false, true),
            ("second slice", &[0x41, 0x1a], false, false, false),
            ("SPS", &[0x67, 0x42, 0xe0, 0x1f], true, false, true),
            ("PPS", &[0x68, 0xce], false, false, true),
            ("delimiter", &[0x09, 0x10], false, false, true),
            (
                "STAP-A of SPS, PPS",
                &[0x78, 0, 2, 0x67, 0x42, 0, 2, 0x68, 0xce],
                true,
                false,
                true,
            ),
            (
                "STAP-A of SPS, PPS, IDR",
                &[0x78, 0, 2, 0x67, 0x42, 0, 2, 0x68, 0xce, 0, 2, 0x65, 0x88],
                true,
                true,
                true,
            ),
            (
                "STAP-A of slices",
                &[0x78, 0, 2, 0x41, 0x9a, 0, 2, 0x41, 0x1a],
                false,
                false,
                true,
            ),
            (
                "STAP-A whose unit runs over the end",
                &[0x78, 0, 9, 0x67, 0x42],
                false,
                false,
                false,
            ),
            (
                "STAP-A whose second unit runs over the end",
                &[0x78, 0, 2, 0x41, 0x1a, 0xff, 0xff, 0x67],
                false,
                false,
                false,
            ),
            (
                "STAP-A with an empty unit",
                &[0x78, 0, 0, 0, 2, 0x65, 0x88],
                false,
                true,
                true,
            ),
            ("STAP-A without units", &[0x78], false, false, false),
            ("FU-A, IDR, first", &[0x7c, 0x85, 0x88], false, true, true),
            (
                "FU-A, IDR, middle",
                &[0x7c, 0x05, 0x88],
                false,
                false,
                false,
            ),
            ("FU-A, IDR, last", &[0x7c, 0x45, 0x88], false, false, false),
            (
                "FU-A, slice, first",
                &[0x5c, 0x81, 0x9a],
                false,
                false,
                true,
            ),
            ("FU-A, cut", &[0x7c], false, false, false),
            (
                "FU-A, cut after its head",
                &[0x7c, 0x85],
                false,
                false,
                false,
            ),
            ("reserved type", &[0x7f, 0x80], false, false, false),
        ];
        for (what, payload, sps, idr_start, starts_frame) in table {
            let wanted = Summary {
                sps: *sps,
                idr_start: *idr_start,
                starts_frame: *starts_frame,
            };
            assert_eq!(Summary::of(payload), wanted, "{what}");
            assert_eq!(wanted.is_keyframe(), *sps || *idr_start, "{what}");
        }
    }

    #[test]
    fn size_is_in_the_sequence_parameters() {
        // OpenH264's for 640x360: constrained baseline, cropped by 8 lines.
        let openh264 = hex::decode("6742c01f8c8d405017fcb03c2211a8").unwrap();
        // x264's for 1920x1080, high profile.
        let x264 = hex::decode("67640028acd940780227e5c044000003000400000300f03c60c658").unwrap();
        assert_eq!(frame_size(&openh264), Some((640, 360)));
        assert_eq!(frame_size(&x264), Some((1_920, 1_080)));
        let mut aggregate = vec![0x78, 0, 2, 0x09, 0x10, 0, x264.len() as u8];
        aggregate.extend(&x264);
        assert_eq!(frame_size(&aggregate), Some((1_920, 1_080)));
        assert_eq!(frame_size(&x264[..8]), None);
        assert_eq!(frame_size(&[0x67]), None);
    }
}
