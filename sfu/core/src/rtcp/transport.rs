//! Transport-wide feedback, reading
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1).

use super::parse::split_u32;

/// Microseconds of one unit of the reference time.
pub(super) const REFERENCE_UNIT_US: i64 = 64_000;
/// Microseconds of one unit of a receive delta.
pub(super) const DELTA_UNIT_US: i64 = 250;

/// Which packets arrived, and when.
#[derive(Clone, Debug)]
pub struct TransportFeedback<'a> {
    pub sender: u32,
    pub media: u32,
    /// Counts the feedback packets, so that their loss shows.
    pub feedback_count: u8,
    statuses: Statuses<'a>,
}

impl<'a> TransportFeedback<'a> {
    /// `None` if chunks or deltas are fewer than the packet count asks for.
    pub(super) fn parse(body: &'a [u8]) -> Option<Self> {
        let (sender, rest) = split_u32(body)?;
        let (media, rest) = split_u32(rest)?;
        let (&[b0, b1, c0, c1, r0, r1, r2, feedback_count], rest) = rest.split_first_chunk()?;
        let count = u16::from_be_bytes([c0, c1]);
        // 24 bits, signed.
        let reference = i32::from_be_bytes([r0, r1, r2, 0]) >> 8;
        let chunks_length = chunks_length(rest, count)?;
        let (chunks, deltas) = rest.split_at_checked(chunks_length)?;
        let statuses = Statuses {
            sequence: u16::from_be_bytes([b0, b1]),
            left: count,
            chunk: Chunk::default(),
            chunks,
            deltas,
            arrival_us: i64::from(reference) * REFERENCE_UNIT_US,
        };
        let complete = statuses.clone().count() == usize::from(count);
        complete.then_some(Self {
            sender,
            media,
            feedback_count,
            statuses,
        })
    }

    /// Each packet in order: its transport-wide sequence number, and its
    /// arrival in microseconds of the receiver's clock if it arrived. At most 65,535.
    #[must_use]
    pub fn statuses(&self) -> Statuses<'a> {
        self.statuses.clone()
    }
}

/// How many bytes of chunks describe `count` packets.
fn chunks_length(bytes: &[u8], count: u16) -> Option<usize> {
    let mut described = 0;
    let mut length = 0;
    while described < usize::from(count) {
        let chunk = bytes.get(length..)?.first_chunk()?;
        let symbols = usize::from(Chunk::parse(*chunk).left);
        if symbols == 0 {
            // A run of nothing describes nothing: refused, or it could go on for ever.
            return None;
        }
        described += symbols;
        length += 2;
    }
    Some(length)
}

/// Symbols still to come of one packet status chunk.
#[derive(Clone, Copy, Debug, Default)]
struct Chunk {
    left: u16,
    layout: Layout,
}

#[derive(Clone, Copy, Debug)]
enum Layout {
    /// All the same symbol.
    Run(u8),
    /// 14 bits, the next symbol in the upper one.
    OneBit(u16),
    /// Seven pairs of bits, likewise.
    TwoBit(u16),
}

impl Default for Layout {
    fn default() -> Self {
        Self::Run(0)
    }
}

impl Chunk {
    fn parse(bytes: [u8; 2]) -> Self {
        let word = u16::from_be_bytes(bytes);
        let (left, layout) = match word >> 14 {
            0 | 1 => (word & 0x1fff, Layout::Run((word >> 13) as u8 & 0x03)),
            2 => (14, Layout::OneBit(word << 2)),
            _ => (7, Layout::TwoBit(word << 2)),
        };
        Self { left, layout }
    }

    fn next(&mut self) -> Option<u8> {
        self.left = self.left.checked_sub(1)?;
        Some(match &mut self.layout {
            Layout::Run(symbol) => *symbol,
            Layout::OneBit(bits) => {
                let symbol = *bits >> 15;
                *bits <<= 1;
                symbol as u8
            }
            Layout::TwoBit(bits) => {
                let symbol = *bits >> 14;
                *bits <<= 2;
                symbol as u8
            }
        })
    }
}

/// See [`TransportFeedback::statuses`].
#[derive(Clone, Debug)]
pub struct Statuses<'a> {
    sequence: u16,
    left: u16,
    chunk: Chunk,
    chunks: &'a [u8],
    deltas: &'a [u8],
    arrival_us: i64,
}

impl Statuses<'_> {
    fn symbol(&mut self) -> Option<u8> {
        loop {
            if let Some(symbol) = self.chunk.next() {
                return Some(symbol);
            }
            let (chunk, rest) = self.chunks.split_first_chunk()?;
            self.chunk = Chunk::parse(*chunk);
            self.chunks = rest;
        }
    }

    /// In units of [`DELTA_UNIT_US`].
    fn delta(&mut self, symbol: u8) -> Option<i64> {
        if symbol == 1 {
            let (&small, rest) = self.deltas.split_first()?;
            self.deltas = rest;
            Some(i64::from(small))
        } else {
            let (large, rest) = self.deltas.split_first_chunk()?;
            self.deltas = rest;
            Some(i64::from(i16::from_be_bytes(*large)))
        }
    }
}

impl Iterator for Statuses<'_> {
    type Item = (u16, Option<i64>);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let arrival = match self.symbol()? {
            // 3 is reserved.
            0 | 3 => None,
            symbol => {
                self.arrival_us += self.delta(symbol)? * DELTA_UNIT_US;
                Some(self.arrival_us)
            }
        };
        let sequence = self.sequence;
        self.sequence = sequence.wrapping_add(1);
        Some((sequence, arrival))
    }
}
