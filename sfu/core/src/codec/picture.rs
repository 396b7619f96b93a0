//! Picture ids of VP8 (RFC 7741 §4.2) and VP9 (RFC 9628 §4.2): 7 or 15 bits
//! behind a bit that tells which.

/// Widths differ in where they wrap.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PictureId {
    /// 0 to 127.
    Short(u8),
    /// 0 to 32767.
    Long(u16),
}

impl PictureId {
    /// From the first byte of the field on.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        match *bytes {
            [high, ..] if high & 0x80 == 0 => Some(Self::Short(high)),
            [high, low, ..] => Some(Self::Long(u16::from_be_bytes([high & 0x7f, low]))),
            [_] | [] => None,
        }
    }

    #[must_use]
    pub const fn value(self) -> u16 {
        match self {
            Self::Short(value) => value as u16,
            Self::Long(value) => value,
        }
    }

    /// The bits that it has: ids wrap behind it.
    #[must_use]
    pub const fn mask(self) -> u16 {
        match self {
            Self::Short(_) => 0x7f,
            Self::Long(_) => 0x7fff,
        }
    }

    /// Of the field, in bytes.
    #[must_use]
    pub const fn length(self) -> usize {
        match self {
            Self::Short(_) => 1,
            Self::Long(_) => 2,
        }
    }

    /// Writes another id over this one's field; a 7-bit field gets the low bits.
    pub fn write(self, field: &mut [u8], id: u16) {
        match (self, field) {
            (Self::Short(_), [short]) => *short = id as u8 & 0x7f,
            (Self::Long(_), [high, low]) => {
                let [wanted_high, wanted_low] = id.to_be_bytes();
                *high = wanted_high | 0x80;
                *low = wanted_low;
            }
            (Self::Short(_) | Self::Long(_), _) => {}
        }
    }
}
