//! Writes one packet for one receiver: header, extensions, payload, seal.

use arrayvec::ArrayVec;

use super::source::PacketMeta;
use crate::codec::layer::LayerInfo;
use crate::codec::red::{self, Earlier};
use crate::codec::{Codec, dependency};
use crate::rtp::munger::Mapped;
use crate::rtp::{Extension, ExtensionMap, append_extension, write_extensions};
use crate::transport::{MAX_TRAILER, OutboundStream, SrtpOut};

/// The longest extension block that we write, in the two-byte form: a mid of 16 characters, one
/// byte, and the transport-wide number.
const MAX_EXTENSIONS: usize = 32;
/// With a dependency descriptor, the heads of the other elements grown to the two-byte form.
const MAX_DESCRIBED: usize = MAX_EXTENSIONS + 4 + 2 + dependency::MAX_LENGTH + 3;

/// The header extensions of the slot's packets, written once.
#[derive(Clone, Debug)]
pub struct Extensions {
    plain: Block,
    /// With one more element of one byte, in front.
    with_value: Block,
    value_at: Option<u8>,
    /// The id of the dependency descriptor.
    descriptor: Option<u8>,
}

#[derive(Clone, Debug)]
struct Block {
    bytes: ArrayVec<u8, MAX_EXTENSIONS>,
    /// Where the transport-wide sequence number stands.
    number_at: Option<u8>,
}

impl Block {
    /// `number` is the place of the transport-wide number among the elements.
    fn new(elements: &[(u8, &[u8])], number: Option<usize>) -> Self {
        let mut bytes = [0; MAX_EXTENSIONS];
        let len = write_extensions(&mut bytes, elements).unwrap_or(0);
        // The profile of the one-byte form (RFC 8285 §4.2).
        let head = if bytes[..2] == [0xbe, 0xde] { 1 } else { 2 };
        let number_at = number.filter(|_| len > 0).map(|place| {
            let before = elements.iter().take(place);
            let at = 4 + head + before.map(|(_, value)| head + value.len()).sum::<usize>();
            at as u8 // below MAX_EXTENSIONS
        });
        Self {
            bytes: bytes[..len].iter().copied().collect(),
            number_at,
        }
    }

    fn stamp(&mut self, number: u16) {
        let place = self.number_at.map(usize::from);
        if let Some(place) = place.and_then(|at| self.bytes.get_mut(at..at + 2)) {
            place.copy_from_slice(&number.to_be_bytes());
        }
    }
}

impl Extensions {
    /// The mid and the transport-wide number, and sometimes one byte of `value`.
    #[must_use]
    pub fn new(map: &ExtensionMap, mid: &str, value: Extension) -> Self {
        let mid: Option<(u8, &[u8])> = map.id(Extension::Mid).map(|id| (id, mid.as_bytes()));
        let number = map
            .id(Extension::TransportCc)
            .map(|id| (id, &[0_u8; 2][..]));
        let value = map.id(value).map(|id| (id, &[0_u8][..]));
        let plain: ArrayVec<_, 2> = number.into_iter().chain(mid).collect();
        let elements: ArrayVec<_, 3> = value.into_iter().chain(plain.iter().copied()).collect();
        let plain = Block::new(&plain, number.map(|_| 0));
        let with_value = Block::new(&elements, number.map(|_| usize::from(value.is_some())));
        let head = if with_value.bytes.starts_with(&[0xbe, 0xde]) {
            1
        } else {
            2
        };
        let value_at = (value.is_some() && !with_value.bytes.is_empty()).then_some(4 + head);
        Self {
            plain,
            with_value,
            value_at,
            descriptor: None,
        }
    }

    /// The same, and dependency descriptors under this id.
    #[must_use]
    pub fn describing(self, descriptor: Option<u8>) -> Self {
        Self { descriptor, ..self }
    }

    /// Whether packets bear the dependency descriptor, where there is one.
    #[must_use]
    pub fn describes(&self) -> bool {
        self.descriptor.is_some()
    }

    /// Whether packets bear a transport-wide number.
    #[must_use]
    pub fn is_numbered(&self) -> bool {
        self.plain.number_at.is_some()
    }

    /// The transport-wide number of the next packet.
    pub fn stamp(&mut self, number: u16) {
        self.plain.stamp(number);
        self.with_value.stamp(number);
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
    /// It goes out as RED with the writer's copies.
    pub wrap: bool,
}

/// See the module's text.
#[derive(Debug)]
pub struct Writer<'a> {
    pub codec: Outgoing,
    pub extensions: &'a Extensions,
    pub meta: &'a PacketMeta,
    pub payload: &'a [u8],
    /// The dependency descriptor as it came, if there is one, and the decode targets
    /// that it has to tell as active.
    pub descriptor: &'a [u8],
    pub active: Option<u32>,
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
            (Some(at), Some(value)) => (&self.extensions.with_value.bytes, Some((at, value))),
            (_, _) => (&self.extensions.plain.bytes, None),
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
            out[start + 12 + usize::from(at)] = value;
        }
        self.describe(start, out);
        out.len() - start
    }

    /// Adds the receiver's copy of the dependency descriptor to the extension block
    /// of the packet that begins at `start`.
    fn describe(&self, start: usize, out: &mut Vec<u8>) {
        // Without payload there is no frame.
        let shown = !self.descriptor.is_empty() && !self.payload.is_empty();
        let (Some(id), LayerInfo::Dependency(frame), true) =
            (self.extensions.descriptor, &self.meta.info, shown)
        else {
            return;
        };
        let number = self.mapped.pictures.frame_number.unwrap_or(frame.number);
        let mut value = [0; dependency::MAX_LENGTH];
        let length = dependency::rewrite(self.descriptor, frame, number, self.active, &mut value);
        let value = length.and_then(|length| value.get(..length));
        let mut block = [0; MAX_DESCRIBED];
        let written = value.and_then(|value| {
            let known = out.get(start + 12..).unwrap_or_default();
            append_extension(&mut block, known, (id, value))
        });
        if let Some(length) = written {
            out.truncate(start + 12);
            out.extend_from_slice(&block[..length]);
            out[start] |= 0x10;
        }
    }

    fn body(&self, out: &mut Vec<u8>) {
        let primary = match self.codec.strip {
            true => self.payload.get(usize::from(self.meta.primary_at)..),
            false => Some(self.payload),
        };
        let primary = primary.unwrap_or_default();
        if let (true, Some(inner)) = (self.codec.wrap, self.codec.inner) {
            red::write(out, inner, self.earlier, primary);
            return;
        }
        if self.codec.strip {
            out.extend_from_slice(primary);
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

/// Appends a packet of padding alone (RFC 3550 §5.1), of a stream of retransmissions: it
/// says nothing and fills the line for a probe. `number` is type, SSRC and sequence number.
pub fn padding(
    extensions: &Extensions,
    number: (u8, u32, u16),
    timestamp: u32,
    srtp: &SrtpOut,
    stream: &mut OutboundStream,
    out: &mut Vec<u8>,
) -> bool {
    let (payload_type, ssrc, sequence) = number;
    let start = out.len();
    let block = &extensions.plain.bytes;
    let mut fixed = [0_u8; 12];
    fixed[0] = 0xa0 | if block.is_empty() { 0 } else { 0x10 };
    fixed[1] = payload_type;
    fixed[2..4].copy_from_slice(&sequence.to_be_bytes());
    fixed[4..8].copy_from_slice(&timestamp.to_be_bytes());
    fixed[8..12].copy_from_slice(&ssrc.to_be_bytes());
    out.extend_from_slice(&fixed);
    out.extend_from_slice(block);
    let header = out.len() - start;
    out.resize(out.len() + usize::from(u8::MAX) - 1, 0);
    out.push(u8::MAX);
    seal(srtp, stream, (start, header), out)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtp::RtpHeader;

    #[test]
    fn the_number_is_read_where_it_was_stamped() {
        // One-byte and two-byte form.
        for id in [3, 20] {
            let mut map = ExtensionMap::default();
            map.insert(Extension::Mid, 4);
            map.insert(Extension::VideoOrientation, 13);
            map.insert(Extension::TransportCc, id);
            let mut extensions = Extensions::new(&map, "17", Extension::VideoOrientation);
            assert!(extensions.is_numbered());
            extensions.stamp(0xabcd);
            for block in [&extensions.plain, &extensions.with_value] {
                let mut packet = vec![0x90, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
                packet.extend(&block.bytes);
                let header = RtpHeader::parse(&packet).unwrap();
                let values = map.read(&header, &packet);
                assert_eq!(values.transport_sequence, Some(0xabcd));
                assert_eq!(values.mid, Some(&b"17"[..]));
            }
        }
    }

    #[test]
    fn without_the_extension_nothing_is_numbered() {
        let mut map = ExtensionMap::default();
        map.insert(Extension::Mid, 4);
        let extensions = Extensions::new(&map, "1", Extension::AudioLevel);
        assert!(!extensions.is_numbered());
    }
}
