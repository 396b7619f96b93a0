//! H.265 payloads (RFC 7798): single NAL units, aggregation packets and
//! fragmentation units, without DONL fields (sprop-max-don-diff 0).

use super::bits::Bits;
use super::h264::unescaped;

/// NAL unit types (ITU-T H.265 table 7-1; RFC 7798 §4.4).
mod nal {
    /// Highest of the slice segments.
    pub const LAST_SLICE: u8 = 31;
    /// Pictures at which decoding can begin: BLA, IDR, CRA.
    pub const FIRST_IRAP: u8 = 16;
    pub const LAST_IRAP: u8 = 23;
    pub const VPS: u8 = 32;
    pub const SPS: u8 = 33;
    pub const PPS: u8 = 34;
    pub const DELIMITER: u8 = 35;
    pub const PREFIX_SEI: u8 = 39;
    pub const AGGREGATION: u8 = 48;
    pub const FRAGMENT: u8 = 49;
}

/// Of each NAL unit and payload, in bytes.
const HEADER: usize = 2;

/// What a payload holds, as far as forwarding has to know.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Summary {
    /// A video or sequence parameter set.
    pub parameters: bool,
    /// The first slice of a picture at which decoding can begin.
    pub irap_start: bool,
    /// Something that stands at the beginning of an access unit.
    pub starts_frame: bool,
}

impl Summary {
    /// Of anything that is not well-formed, as much as could be read.
    #[must_use]
    pub fn of(payload: &[u8]) -> Self {
        let mut summary = Self::default();
        units(payload, |kind, body| {
            summary.add_unit(kind, body);
            None::<()>
        });
        summary
    }

    /// A decoder can begin here; parameter sets may have a packet of their own.
    #[must_use]
    pub fn is_keyframe(&self) -> bool {
        self.parameters || self.irap_start
    }

    fn add_unit(&mut self, kind: u8, body: &[u8]) {
        // first_slice_segment_in_pic_flag
        let first_slice = body.first().is_some_and(|byte| byte & 0x80 != 0);
        match kind {
            nal::VPS | nal::SPS => {
                self.parameters = true;
                self.starts_frame = true;
            }
            nal::FIRST_IRAP..=nal::LAST_IRAP if first_slice => {
                self.irap_start = true;
                self.starts_frame = true;
            }
            0..=nal::LAST_SLICE if first_slice => self.starts_frame = true,
            nal::PPS | nal::DELIMITER | nal::PREFIX_SEI => self.starts_frame = true,
            _ => {}
        }
    }
}

/// Calls `visit` with type and body of each unit that begins in the payload, until it gives something.
fn units<T>(payload: &[u8], mut visit: impl FnMut(u8, &[u8]) -> Option<T>) -> Option<T> {
    let (header, rest) = payload.split_first_chunk::<HEADER>()?;
    match kind(header) {
        nal::AGGREGATION => {
            let mut rest = rest;
            while let Some((length, after)) = rest.split_first_chunk() {
                let length = usize::from(u16::from_be_bytes(*length));
                let (unit, after) = after.split_at_checked(length)?;
                if let Some((header, body)) = unit.split_first_chunk::<HEADER>() {
                    let found = visit(kind(header), body);
                    if found.is_some() {
                        return found;
                    }
                }
                rest = after;
            }
            None
        }
        nal::FRAGMENT => {
            let (&head, body) = rest.split_first()?;
            // The S bit: only the first fragment has the unit's beginning.
            if head & 0x80 == 0 {
                return None;
            }
            visit(head & 0x3f, body)
        }
        other => visit(other, rest),
    }
}

const fn kind(header: &[u8; HEADER]) -> u8 {
    header[0] >> 1 & 0x3f
}

/// Width and height in pixels, if a sequence parameter set is in the payload.
#[must_use]
pub fn frame_size(payload: &[u8]) -> Option<(u16, u16)> {
    units(payload, |kind, body| {
        (kind == nal::SPS).then(|| size_of(body)).flatten()
    })
}

/// seq_parameter_set_rbsp() of ITU-T H.265 §7.3.2.2, as far as the size.
fn size_of(sps: &[u8]) -> Option<(u16, u16)> {
    let sps = unescaped(sps);
    let mut bits = Bits::new(&sps);
    bits.skip(4)?;
    let sub_layers = bits.read(3)?; // minus one
    bits.skip(1)?;
    skip_profile(&mut bits, sub_layers)?;
    bits.golomb()?;
    let chroma = bits.golomb()?;
    if chroma == 3 {
        bits.skip(1)?;
    }
    let (width, height) = (bits.golomb()?, bits.golomb()?);
    let mut crop = [0; 4];
    if bits.bit()? {
        for side in &mut crop {
            *side = bits.golomb()?;
        }
    }
    let [left, right, top, bottom] = crop;
    let across: u32 = if matches!(chroma, 1 | 2) { 2 } else { 1 };
    let down: u32 = if chroma == 1 { 2 } else { 1 };
    let width = width.checked_sub(left.checked_add(right)?.checked_mul(across)?)?;
    let height = height.checked_sub(top.checked_add(bottom)?.checked_mul(down)?)?;
    Some((u16::try_from(width).ok()?, u16::try_from(height).ok()?))
}

/// profile_tier_level() of §7.3.3.
fn skip_profile(bits: &mut Bits<'_>, sub_layers: u32) -> Option<()> {
    const PROFILE: usize = 88;
    const LEVEL: usize = 8;
    bits.skip(PROFILE + LEVEL)?;
    let mut more = 0;
    for _ in 0..sub_layers {
        more += if bits.bit()? { PROFILE } else { 0 };
        more += if bits.bit()? { LEVEL } else { 0 };
    }
    if sub_layers > 0 {
        bits.skip(2 * (8 - sub_layers as usize))?;
    }
    bits.skip(more)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Main profile, 1280x736 cropped to 1280x720.
    const SPS: &str = "42010101600000030090000003000003005da00280802e1f13c0";

    #[test]
    fn payloads_by_steps() {
        // (what, payload, parameters, irap_start, starts_frame)
        let table: &[(&str, &[u8], bool, bool, bool)] = &[
            ("empty", &[], false, false, false),
            ("half a header", &[0x26], false, false, false),
            ("IDR_W_RADL", &[0x26, 1, 0x80], false, true, true),
            ("IDR, second slice", &[0x26, 1, 0x40], false, false, false),
            ("CRA", &[0x2a, 1, 0x80], false, true, true),
            ("TRAIL_R", &[0x02, 1, 0x80], false, false, true),
            ("VPS", &[0x40, 1, 0x0c], true, false, true),
            ("SPS", &[0x42, 1, 0x01], true, false, true),
            ("PPS", &[0x44, 1, 0xc1], false, false, true),
            ("suffix SEI", &[0x50, 1, 0xc1], false, false, false),
            (
                "AP of PPS and IDR",
                &[0x60, 1, 0, 3, 0x44, 1, 0xc1, 0, 3, 0x26, 1, 0x80],
                false,
                true,
                true,
            ),
            (
                "AP whose unit runs over the end",
                &[0x60, 1, 0, 9, 0x26, 1, 0x80],
                false,
                false,
                false,
            ),
            ("FU, IDR, first", &[0x62, 1, 0x93, 0x80], false, true, true),
            (
                "FU, IDR, middle",
                &[0x62, 1, 0x13, 0x80],
                false,
                false,
                false,
            ),
            ("FU, cut", &[0x62, 1], false, false, false),
        ];
        for (what, payload, parameters, irap_start, starts_frame) in table {
            let wanted = Summary {
                parameters: *parameters,
                irap_start: *irap_start,
                starts_frame: *starts_frame,
            };
            assert_eq!(Summary::of(payload), wanted, "{what}");
        }
    }

    #[test]
    fn size_is_in_the_sequence_parameters() {
        let sps = hex::decode(SPS).unwrap();
        assert_eq!(frame_size(&sps), Some((1_280, 720)));
        let mut aggregate = vec![0x60, 1, 0, sps.len() as u8];
        aggregate.extend(&sps);
        assert_eq!(frame_size(&aggregate), Some((1_280, 720)));
        for cut in 0..sps.len() - 3 {
            assert_eq!(frame_size(&sps[..cut]), None);
        }
    }
}
