//! Numbers that need to be spread, not secret: SSRCs and first sequence numbers.

/// SplitMix64 (Steele, Lea, Flood 2014), seeded by the shell.
#[derive(Clone, Debug)]
pub struct Numbers(u64);

impl Numbers {
    #[must_use]
    pub fn new(seed: [u8; 32]) -> Self {
        let mut state = 0;
        for word in seed.chunks_exact(8) {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(word);
            state = mix(state ^ u64::from_le_bytes(bytes));
        }
        Self(state)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// Not zero, which some take for "none".
    pub fn ssrc(&mut self) -> u32 {
        loop {
            let ssrc = (self.next() >> 32) as u32;
            if ssrc != 0 {
                return ssrc;
            }
        }
    }

    pub fn pair(&mut self) -> [u16; 2] {
        let bits = self.next();
        [bits as u16, (bits >> 16) as u16]
    }
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
