//! AV1 payloads (RTP Payload Format For AV1 v1.0, §4.4): the aggregation header
//! and, of the OBUs behind it, the sequence header.

use super::bits::Bits;

/// obu_type of a sequence header (AV1 specification §6.2.2).
const SEQUENCE_HEADER: u8 = 1;
/// OBU elements looked at; real packets have a handful.
const MAX_ELEMENTS: usize = 32;

/// The aggregation header.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Aggregation {
    /// Z: the first element goes on with one of the packet before.
    pub continues: bool,
    /// Y: the last element goes on in the next packet.
    pub continued: bool,
    /// W: how many elements there are; 0 is not told, and then each has its length.
    pub count: u8,
    /// N: the first packet of a coded video sequence.
    pub new_sequence: bool,
}

impl Aggregation {
    /// `None` without a payload, and if the two contradict each other.
    #[must_use]
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let first = *payload.first()?;
        let header = Self {
            continues: first & 0x80 != 0,
            continued: first & 0x40 != 0,
            count: first >> 4 & 0x03,
            new_sequence: first & 0x08 != 0,
        };
        (!(header.continues && header.new_sequence)).then_some(header)
    }
}

/// Whether a coded video sequence begins in this packet: a decoder can begin here.
#[must_use]
pub fn is_keyframe(payload: &[u8]) -> bool {
    Aggregation::parse(payload).is_some_and(|header| header.new_sequence)
}

/// Width and height in pixels, if a whole sequence header is in the payload. Of
/// a stream with spatial layers the largest.
#[must_use]
pub fn frame_size(payload: &[u8]) -> Option<(u16, u16)> {
    let header = Aggregation::parse(payload)?;
    let mut rest = payload.get(1..)?;
    for at in 1..=MAX_ELEMENTS {
        let element;
        if at == usize::from(header.count) {
            (element, rest) = (rest, &[][..]);
        } else {
            let (length, after) = leb128(rest)?;
            (element, rest) = after.split_at_checked(length)?;
        }
        let whole = !(at == 1 && header.continues);
        if whole && let Some(body) = sequence_header(element) {
            return size_of(body);
        }
        if rest.is_empty() {
            return None;
        }
    }
    None
}

/// What follows the OBU header, if it is a sequence header (AV1 specification §5.3).
fn sequence_header(obu: &[u8]) -> Option<&[u8]> {
    let (&first, mut rest) = obu.split_first()?;
    if first >> 3 & 0x0f != SEQUENCE_HEADER {
        return None;
    }
    if first & 0x04 != 0 {
        rest = rest.get(1..)?;
    }
    if first & 0x02 != 0 {
        let (length, after) = leb128(rest)?;
        rest = after.get(..length)?;
    }
    Some(rest)
}

/// A number of up to 8 bytes of 7 bits, the lowest first (§4.10.5), and what follows.
fn leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0_u64;
    for (at, &byte) in bytes.iter().take(8).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((usize::try_from(value).ok()?, &bytes[at + 1..]));
        }
    }
    None
}

/// sequence_header_obu() of §5.5.1, as far as the size.
fn size_of(header: &[u8]) -> Option<(u16, u16)> {
    let mut bits = Bits::new(header);
    bits.skip(4)?; // profile, still picture
    if bits.bit()? {
        bits.skip(5)?; // reduced: one level and nothing else
    } else {
        let mut delay_length = None;
        if bits.bit()? {
            bits.skip(64)?;
            if bits.bit()? {
                bits.golomb()?; // uvlc() is written as ue(v)
            }
            if bits.bit()? {
                delay_length = Some(bits.read(5)? as usize + 1);
                bits.skip(32 + 5 + 5)?;
            }
        }
        let display_delays = bits.bit()?;
        let points = bits.read(5)? + 1;
        for _ in 0..points {
            bits.skip(12)?;
            if bits.read(5)? > 7 {
                bits.skip(1)?; // tier
            }
            if let Some(length) = delay_length
                && bits.bit()?
            {
                bits.skip(2 * length + 1)?;
            }
            if display_delays && bits.bit()? {
                bits.skip(4)?;
            }
        }
    }
    let (width_bits, height_bits) = (bits.read(4)? + 1, bits.read(4)? + 1);
    let (width, height) = (bits.read(width_bits)?, bits.read(height_bits)?); // minus one
    Some((
        u16::try_from(width + 1).ok()?,
        u16::try_from(height + 1).ok()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sequence header OBU as encoders write it in real-time mode, for 640x360: profile 0,
    /// one operating point of level 4.0, ten bits of width and nine of height.
    const SEQUENCE: [u8; 11] = [
        0x0a, 0x09, 0x00, 0x00, 0x00, 0x42, 0x62, 0x7f, 0xb3, 0x80, 0x00,
    ];

    /// The same without its length field, as RTP wants it.
    fn sequence() -> Vec<u8> {
        let mut obu = vec![SEQUENCE[0] & !0x02];
        obu.extend(&SEQUENCE[2..]);
        obu
    }

    #[test]
    fn size_by_steps() {
        let obu = sequence();
        let with_lengths = [&[0x08, obu.len() as u8][..], &obu, &[2, 0x30, 9]].concat();
        let counted = [&[0x28, obu.len() as u8][..], &obu, &[0x30, 9]].concat();
        let alone = [&[0x18][..], &obu].concat();
        let own_length = [&[0x18][..], &SEQUENCE].concat();
        let second = [&[0x20, 2, 0x30, 9][..], &obu].concat();
        let continued = [&[0x90][..], &obu].concat();
        let size = Some((640, 360));
        type Row<'a> = (&'static str, &'a [u8], bool, Option<(u16, u16)>);
        let table: [Row<'_>; 9] = [
            ("empty", &[], false, None),
            ("each with its length", &with_lengths, true, size),
            ("two, counted", &counted, true, size),
            ("alone", &alone, true, size),
            ("with a length of its own", &own_length, true, size),
            ("second, within a sequence", &second, false, size),
            ("continued", &continued, false, None),
            ("contradiction", &[0x88, 1, 0x08], false, None),
            ("length over the end", &[0x08, 9, 0x08], true, None),
        ];
        for (what, payload, keyframe, size) in table {
            assert_eq!(is_keyframe(payload), keyframe, "{what}");
            assert_eq!(frame_size(payload), size, "{what}");
        }
        assert_eq!(frame_size(&[0x18, 0x08]), None);
    }
}
