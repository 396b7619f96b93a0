//! Writes one packet for one receiver: header, extensions, payload, seal.

use arrayvec::ArrayVec;

use super::source::PacketMeta;
use crate::codec::Codec;
use crate::codec::red::{self, Earlier};
use crate::rtp::munger::Mapped;
use crate::rtp::{Extension, ExtensionMap, write_extensions};
use crate::transport::{MAX_TRAILER, OutboundStream, SrtpOut};

/// The longest extension block that we write: a mid of 16 characters and one byte.
const MAX_EXTENSIONS: usize = 28;

/// The header extensions of the slot's packets, written once.
#[derive(Clone, Debug)]
pub struct Extensions {
    plain: ArrayVec<u8, MAX_EXTENSIONS>,
    /// With one more element of one byte, at the offset.
    with_value: ArrayVec<u8, MAX_EXTENSIONS>,
    value_at: Option<usize>,
}

impl Extensions {
    /// The mid, and sometimes one byte of `value`.
    #[must_use]
    pub fn new(map: &ExtensionMap, mid: &str, value: Extension) -> Self {
        let block = |elements: &[(u8, &[u8])]| {
            let mut bytes = [0; MAX_EXTENSIONS];
            let len = write_extensions(&mut bytes, elements).unwrap_or(0);
            bytes[..len].iter().copied().collect()
        };
        let mid: Option<(u8, &[u8])> = map.id(Extension::Mid).map(|id| (id, mid.as_bytes()));
        let value = map.id(value).map(|id| (id, &[0_u8][..]));
        let elements: ArrayVec<_, 2> = value.into_iter().chain(mid).collect();
        let with_value: ArrayVec<u8, MAX_EXTENSIONS> = block(&elements);
        // The value stands first: behind the block's head and its own.
        let value_at = (value.is_some() && !with_value.is_empty()).then_some(5);
        Self {
            plain: block(mid.as_slice()),
            with_value,
            value_at,
        }
    }
}

/// How a packet leaves.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing {
    pub payload_type: u8,
    pub rtx: Option<u8>,
    /// The receiver's payload type of Opus, for the blocks within RED.
    pub inner: Option<u8>,
    /// Only the primary encoding of RED.
    pub strip: bool,
    /// Opus goes out as RED.
    pub wrap: bool,
}

/// See the module's text.
#[derive(Debug)]
pub struct Writer<'a> {
    pub codec: Outgoing,
    pub extensions: &'a Extensions,
    pub meta: &'a PacketMeta,
    pub payload: &'a [u8],
    /// What goes along with it if it is wrapped.
    pub earlier: &'a [Earlier<'a>],
    pub mapped: &'a Mapped,
    pub marker: bool,
}

impl Writer<'_> {
    /// As a packet of the stream. False: SRTP refused, and nothing is written.
    pub fn plain(
        &self,
        ssrc: u32,
        srtp: &SrtpOut,
        stream: &mut OutboundStream,
        out: &mut Vec<u8>,
    ) -> bool {
        let start = out.len();
        let sequence = self.mapped.sequence as u16;
        let header = self.header(self.codec.payload_type, sequence, ssrc, out);
        self.body(out);
        seal(srtp, stream, (start, header), out)
    }

    /// As a retransmission (RFC 4588 §4) with its own type, SSRC and number.
    pub fn retransmission(
        &self,
        (payload_type, ssrc, sequence): (u8, u32, u16),
        srtp: &SrtpOut,
        stream: &mut OutboundStream,
        out: &mut Vec<u8>,
    ) -> bool {
        let start = out.len();
        let header = self.header(payload_type, sequence, ssrc, out);
        out.extend_from_slice(&(self.mapped.sequence as u16).to_be_bytes());
        self.body(out);
        seal(srtp, stream, (start, header), out)
    }

    /// Gives the header's length.
    fn header(&self, payload_type: u8, sequence: u16, ssrc: u32, out: &mut Vec<u8>) -> usize {
        let value = match (self.meta.level, self.meta.orientation) {
            (Some(level), _) => Some(level.to_byte()),
            (None, orientation) => orientation,
        };
        let start = out.len();
        let (block, value) = match (self.extensions.value_at, value) {
            (Some(at), Some(value)) => (&self.extensions.with_value, Some((at, value))),
            (_, _) => (&self.extensions.plain, None),
        };
        let mut fixed = [0_u8; 12];
        fixed[0] = 0x80 | if block.is_empty() { 0 } else { 0x10 };
        fixed[1] = payload_type | u8::from(self.marker) << 7;
        fixed[2..4].copy_from_slice(&sequence.to_be_bytes());
        fixed[4..8].copy_from_slice(&self.mapped.timestamp.to_be_bytes());
        fixed[8..12].copy_from_slice(&ssrc.to_be_bytes());
        out.extend_from_slice(&fixed);
        out.extend_from_slice(block);
        if let Some((at, value)) = value {
            out[start + 12 + at] = value;
        }
        out.len() - start
    }

    fn body(&self, out: &mut Vec<u8>) {
        if self.codec.strip {
            let primary = self.payload.get(usize::from(self.meta.primary_at)..);
            out.extend_from_slice(primary.unwrap_or_default());
            return;
        }
        if let (true, Some(inner)) = (self.codec.wrap, self.codec.inner) {
            red::write(out, inner, self.earlier, self.payload);
            return;
        }
        let start = out.len();
        out.extend_from_slice(self.payload);
        let copy = &mut out[start..];
        self.meta.info.rewrite(copy, &self.mapped.pictures);
        if let (Codec::Red, Some(inner)) = (self.meta.codec, self.codec.inner) {
            renumber_blocks(copy, inner);
        }
    }
}

/// Sets the payload type of all blocks of a RED payload (RFC 2198 §3).
fn renumber_blocks(payload: &mut [u8], payload_type: u8) {
    let mut at = 0;
    while let Some(first) = payload.get_mut(at) {
        let more = *first & 0x80;
        *first = more | (payload_type & 0x7f);
        if more == 0 {
            return;
        }
        at += 4;
    }
}

/// Seals `out[start..]`, or takes it back.
fn seal(
    srtp: &SrtpOut,
    stream: &mut OutboundStream,
    (start, header): (usize, usize),
    out: &mut Vec<u8>,
) -> bool {
    let clear = out.len() - start;
    out.resize(start + clear + MAX_TRAILER, 0);
    match srtp.protect_rtp(stream, &mut out[start..], header, clear) {
        Ok(len) => {
            out.truncate(start + len);
            true
        }
        Err(_) => {
            out.truncate(start);
            false
        }
    }
}
