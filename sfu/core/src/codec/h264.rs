//! H.264 payloads (RFC 6184): single NAL units, STAP-A and FU-A, as
//! packetization mode 1 has them.

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
}
