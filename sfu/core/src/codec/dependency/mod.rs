//! The dependency descriptor (AV1 RTP specification v1.0, appendix A): a header
//! extension that says which frames a frame refers to, and which decode
//! targets need it. It works for any codec.
//!
//! The structure that gives template numbers their meaning comes with keyframes only; a
//! [`Reader`] per encoding keeps it.

mod rewrite;
mod structure;

pub use rewrite::{MAX_LENGTH, rewrite};
pub use structure::Structure;

use super::bits::Bits;
use super::layer::LayerTarget;

/// Frames back that a reference is told exactly.
const NEAR: u32 = 64;
/// Custom frame differences: as many as any codec has reference buffers, and some.
const MAX_REFERENCES: usize = 64;

/// What a frame is to a decode target (§A.8.3.4).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Indication {
    /// Not part of it.
    NotPresent,
    /// No frame of the decode target refers to it.
    Discardable,
    /// All later frames of the decode target can be decoded if this one can.
    Switch,
    Required,
}

impl Indication {
    const fn of(bits: u64) -> Self {
        match bits & 3 {
            0 => Self::NotPresent,
            1 => Self::Discardable,
            2 => Self::Switch,
            _ => Self::Required,
        }
    }
}

/// One packet's descriptor, with its template resolved.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Frame {
    /// This is the first packet of the frame.
    pub start: bool,
    pub end: bool,
    /// Counts frames; wraps.
    pub number: u16,
    pub spatial: u8,
    pub temporal: u8,
    /// A structure comes with it: a keyframe begins.
    pub has_structure: bool,
    /// It says which decode targets the sender still feeds.
    pub has_active: bool,
    /// Bit i: it refers to the frame i + 1 numbers before.
    pub references: u64,
    /// It refers to something older still.
    pub far: bool,
    /// Two bits for each [`LayerTarget`], see [`Self::indication`].
    cells: u64,
    /// Where the mask of active decode targets is or belongs, in bits; 0 if there
    /// are no extended fields.
    active_at: u16,
    decode_targets: u8,
}

impl Frame {
    /// What the frame is to a receiver of these layers.
    #[must_use]
    pub fn indication(&self, target: LayerTarget) -> Indication {
        Indication::of(self.cells >> (2 * structure::cell(target)))
    }
}

/// Reads the descriptors of one encoding.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    structure: Option<Box<Structure>>,
}

impl Reader {
    /// The value of one packet's extension. `None`: malformed, or the structure has not
    /// been seen; then nothing changes.
    pub fn read(&mut self, value: &[u8]) -> Option<Frame> {
        let mut bits = Bits::new(value);
        let (start, end) = (bits.bit()?, bits.bit()?);
        let template = bits.read(6)? as u8;
        let number = bits.read(16)? as u16;
        let flags = if value.len() > 3 { bits.read(5)? } else { 0 };
        let has = |bit: u32| flags & bit != 0;
        let (has_structure, has_active) = (has(0x10), has(0x08));
        let fresh = match has_structure {
            true => Some(Structure::parse(&mut bits)?),
            false => None,
        };
        let structure = fresh.as_ref().or(self.structure.as_deref())?;
        let active_at = if value.len() > 3 { bits.position() } else { 0 };
        let active = match has_active {
            true => Some(bits.read(u32::from(structure.decode_targets()))?),
            false => None,
        };
        let template = structure.template(template)?;
        let mut frame = Frame {
            start,
            end,
            number,
            spatial: template.spatial,
            temporal: template.temporal,
            has_structure,
            has_active,
            references: u64::from(template.references),
            far: false,
            cells: template.cells,
            active_at: active_at as u16, // an extension has at most 255 bytes
            decode_targets: structure.decode_targets(),
        };
        if has(0x04) {
            frame.cells = structure.read_cells(&mut bits)?;
        }
        if has(0x02) {
            frame.read_references(&mut bits)?;
        }
        if has(0x01) {
            bits.skip(8 * structure.chains())?;
        }
        if let Some(fresh) = fresh {
            match &mut self.structure {
                Some(known) => **known = fresh,
                None => self.structure = Some(Box::new(fresh)),
            }
        }
        if let (Some(active), Some(structure)) = (active, &mut self.structure) {
            structure.set_active(active);
        }
        Some(frame)
    }

    /// The latest one.
    #[must_use]
    pub fn structure(&self) -> Option<&Structure> {
        self.structure.as_deref()
    }
}

impl Frame {
    /// frame_fdiffs() of §A.8.2.
    fn read_references(&mut self, bits: &mut Bits<'_>) -> Option<()> {
        self.references = 0;
        for _ in 0..=MAX_REFERENCES {
            let size = bits.read(2)?;
            if size == 0 {
                return Some(());
            }
            let back = bits.read(4 * size)?; // minus one
            if back < NEAR {
                self.references |= 1 << back;
            } else {
                self.far = true;
            }
        }
        None
    }
}

#[cfg(test)]
pub(crate) mod tests;
