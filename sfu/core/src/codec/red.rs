//! Redundant audio (RFC 2198): finding the newest encoding, for receivers that
//! did not negotiate RED.

use std::ops::Range;

/// Chromium adds one or two; more than this is no speech payload.
const MAX_BLOCKS: usize = 32;

/// The primary encoding of a payload: the sound of the packet's own timestamp.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Primary {
    /// Of the encoding, as negotiated for it alone.
    pub payload_type: u8,
    /// Where it is in the payload; may be empty.
    pub range: Range<usize>,
}

impl Primary {
    /// `None` if the block lengths run over the payload.
    #[must_use]
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let mut at = 0;
        let mut redundant = 0;
        for _ in 0..MAX_BLOCKS {
            let first = *payload.get(at)?;
            if first & 0x80 == 0 {
                let start = at + 1 + redundant;
                return (start <= payload.len()).then_some(Self {
                    payload_type: first,
                    range: start..payload.len(),
                });
            }
            // F and type, 14 bits of timestamp offset, 10 bits of length.
            let &[_, _, high, low] = payload.get(at..)?.first_chunk()?;
            redundant += usize::from(u16::from_be_bytes([high & 0x03, low]));
            at += 4;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primary_comes_last() {
        type Row = (&'static [u8], Option<(u8, Range<usize>)>);
        let table: &[Row] = &[
            (&[], None),
            (&[111, 1, 2, 3], Some((111, 1..4))),
            (&[111], Some((111, 1..1))),
            // One redundant block of two bytes, 960 ticks older.
            (
                &[0x80 | 111, 0x0f, 0x00, 2, 111, 9, 9, 1, 2],
                Some((111, 7..9)),
            ),
            (&[0x80 | 111, 0x0f, 0x00, 3, 111, 9, 9], None),
            (&[0x80 | 111, 0x0f, 0x00], None),
            (&[0x80 | 111, 0x0f, 0x00, 2], None),
            (&[0xff; 400], None),
        ];
        for (payload, wanted) in table {
            let read = Primary::parse(payload).map(|p| (p.payload_type, p.range));
            assert_eq!(read, *wanted, "{payload:x?}");
        }
    }
}
