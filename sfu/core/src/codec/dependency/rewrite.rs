//! A receiver's copy of a descriptor: its own frame number, and the decode
//! targets that go on to it.

use super::Frame;
use crate::codec::bits::{BitWriter, Bits};

/// Of a header extension element in the two-byte form (RFC 8285 §4.3).
pub const MAX_LENGTH: usize = 255;
/// Frame number and what stands before it.
const MANDATORY: usize = 3;

/// Writes the copy of `value`, from which `frame` was read, and gives its
/// length. `active`: the decode targets that the receiver gets; `None` leaves
/// the descriptor's own word on it.
///
/// `None`: `value` is not the one that was read.
#[must_use]
pub fn rewrite(
    value: &[u8],
    frame: &Frame,
    number: u16,
    active: Option<u32>,
    out: &mut [u8; MAX_LENGTH],
) -> Option<usize> {
    let announced = active.and_then(|active| with_active(value, frame, active, out));
    let length = match announced {
        Some(length) => length,
        None => {
            out.get_mut(..value.len())?.copy_from_slice(value);
            value.len()
        }
    };
    out.get_mut(1..MANDATORY)?
        .copy_from_slice(&number.to_be_bytes());
    (length >= MANDATORY).then_some(length)
}

/// `None`: it would be too long.
fn with_active(
    value: &[u8],
    frame: &Frame,
    active: u32,
    out: &mut [u8; MAX_LENGTH],
) -> Option<usize> {
    let targets = u32::from(frame.decode_targets);
    let mut bits = Bits::new(value);
    let mut writer = BitWriter::new(out);
    writer.write(bits.read(24)?, 24)?;
    if frame.active_at == 0 {
        // No extended fields yet: only the flag of this one.
        writer.write(0x08, 5)?;
        writer.write(active, targets)?;
        return Some(writer.length());
    }
    writer.write(bits.read(5)? | 0x08, 5)?;
    while bits.position() < usize::from(frame.active_at) {
        writer.bit(bits.bit()?)?;
    }
    writer.write(active, targets)?;
    if frame.has_active {
        bits.skip(targets as usize)?;
    }
    while let Some(bit) = bits.bit() {
        writer.bit(bit)?;
    }
    Some(writer.length())
}
