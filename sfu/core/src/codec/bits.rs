//! Reading bit by bit, most significant first, as codec headers are written.

/// A place in a bit string. Reading over the end gives `None`.
#[derive(Clone, Debug)]
pub struct Bits<'a> {
    bytes: &'a [u8],
    /// In bits.
    at: usize,
}

impl<'a> Bits<'a> {
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// In bits from the beginning.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.at
    }

    pub fn bit(&mut self) -> Option<bool> {
        let byte = *self.bytes.get(self.at / 8)?;
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        Some(bit == 1)
    }

    /// Up to 32 bits.
    pub fn read(&mut self, count: u32) -> Option<u32> {
        let mut value = 0;
        for _ in 0..count {
            value = value << 1 | u32::from(self.bit()?);
        }
        Some(value)
    }

    pub fn skip(&mut self, count: usize) -> Option<()> {
        let at = self.at.checked_add(count)?;
        (at <= self.bytes.len() * 8).then(|| self.at = at)
    }

    /// A number below `values`, ns(n) of the AV1 specification §4.10.7.
    pub fn below(&mut self, values: u32) -> Option<u32> {
        let width = values.checked_ilog2()? + 1;
        let short = (1 << width) - values;
        let value = self.read(width - 1)?;
        if value < short {
            return Some(value);
        }
        Some((value << 1) - short + u32::from(self.bit()?))
    }

    /// Exp-Golomb, ue(v) of ITU-T H.264 §9.1.
    pub fn golomb(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while !self.bit()? {
            zeros += 1;
            if zeros == 32 {
                return None;
            }
        }
        let rest = self.read(zeros)?;
        (1_u32 << zeros).checked_add(rest).map(|value| value - 1)
    }

    /// The sign does not matter to anybody here: se(v) has the same length.
    pub fn skip_golomb(&mut self, count: u32) -> Option<()> {
        (0..count).try_for_each(|_| self.golomb().map(drop))
    }
}

/// Writing bit by bit behind what is there; the last byte is filled up with zeros.
#[derive(Debug)]
pub struct BitWriter<'a> {
    out: &'a mut [u8],
    at: usize,
}

impl<'a> BitWriter<'a> {
    pub fn new(out: &'a mut [u8]) -> Self {
        out.fill(0);
        Self { out, at: 0 }
    }

    /// `None`: no room.
    pub fn bit(&mut self, bit: bool) -> Option<()> {
        let byte = self.out.get_mut(self.at / 8)?;
        *byte |= u8::from(bit) << (7 - self.at % 8);
        self.at += 1;
        Some(())
    }

    /// The low `count` bits, at most 32.
    pub fn write(&mut self, value: u32, count: u32) -> Option<()> {
        (0..count)
            .rev()
            .try_for_each(|shift| self.bit(value >> shift & 1 == 1))
    }

    /// In bytes, the begun one included.
    #[must_use]
    pub const fn length(&self) -> usize {
        self.at.div_ceil(8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_by_steps() {
        let mut bits = Bits::new(&[0b1010_0110, 0b0100_0000]);
        let golomb: Vec<_> = (0..4).map(|_| bits.golomb()).collect();
        assert_eq!(golomb, [Some(0), Some(1), Some(2), Some(3)]);
        assert_eq!(bits.read(5), None, "four are left");
        // ns(5): 0, 1, 2 in two bits, 3 and 4 in three.
        let mut bits = Bits::new(&[0b0001_1011, 0b0111_0000]);
        let below: Vec<_> = (0..5).map(|_| bits.below(5)).collect();
        assert_eq!(below, [0, 1, 2, 3, 4].map(Some));
        assert_eq!(Bits::new(&[]).below(1), Some(0));
        assert_eq!(Bits::new(&[0xff]).below(0), None);
        assert_eq!(Bits::new(&[0; 9]).golomb(), None);
        assert_eq!(Bits::new(&[1]).skip(9), None);
    }

    #[test]
    fn what_is_written_is_read() {
        let mut out = [0xff; 3];
        let mut writer = BitWriter::new(&mut out);
        writer.write(0b101, 3).unwrap();
        writer.write(0x3ff, 10).unwrap();
        assert_eq!(writer.length(), 2);
        assert_eq!(writer.write(0, 12), None);
        assert_eq!(out, [0b1011_1111, 0b1111_1000, 0]);
    }
}
