//! One RTP packet, read in place (RFC 3550 §5.1).
//!
//! Parsing gives a small `Copy` header of numbers and offsets; nothing is
//! copied or allocated. The offsets stay valid for any buffer with the same bytes.

use std::ops::Range;

use super::extension::Elements;

/// The fixed part of the header, in bytes.
pub const FIXED_HEADER: usize = 12;

/// Why bytes are not an RTP packet. The packet is dropped and counted, no more.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RtpError {
    #[error("shorter than its own header says")]
    Truncated,
    #[error("longer than a UDP datagram can be")]
    TooLong,
    #[error("RTP version is not 2")]
    Version,
    #[error("padding count is zero or larger than the payload")]
    Padding,
}

/// How the elements of the extension block are laid out (RFC 8285 §4.2, §4.3).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ExtensionForm {
    OneByte,
    TwoByte,
}

/// What the header says, and where things are in the packet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RtpHeader {
    pub marker: bool,
    /// 0 to 127.
    pub payload_type: u8,
    pub sequence: u16,
    /// In ticks of the codec's clock.
    pub timestamp: u32,
    pub ssrc: u32,
    /// 0 to 15 contributing sources follow the fixed header.
    pub csrc_count: u8,
    /// `None` without an extension block, or with one of another profile.
    pub extension_form: Option<ExtensionForm>,
    extension_start: u16,
    extension_end: u16,
    payload_start: u16,
    payload_end: u16,
}

impl RtpHeader {
    /// Reads a clear packet.
    ///
    /// # Errors
    /// If the lengths inside the packet disagree with its size.
    pub fn parse(packet: &[u8]) -> Result<Self, RtpError> {
        let layout = Layout::of(packet)?;
        let payload_end = if packet[0] & 0x20 == 0 {
            packet.len()
        } else {
            // The last byte counts the padding, itself included.
            let padding = usize::from(packet[packet.len() - 1]);
            if padding == 0 || padding > packet.len() - layout.header {
                return Err(RtpError::Padding);
            }
            packet.len() - padding
        };
        Ok(Self {
            marker: packet[1] & 0x80 != 0,
            payload_type: packet[1] & 0x7f,
            sequence: u16::from_be_bytes([packet[2], packet[3]]),
            timestamp: u32::from_be_bytes([packet[4], packet[5], packet[6], packet[7]]),
            ssrc: u32::from_be_bytes([packet[8], packet[9], packet[10], packet[11]]),
            csrc_count: packet[0] & 0x0f,
            extension_form: layout.form,
            // All below 2^16: `Layout::of` refuses longer packets.
            extension_start: layout.extension.start as u16,
            extension_end: layout.extension.end as u16,
            payload_start: layout.header as u16,
            payload_end: payload_end as u16,
        })
    }

    /// The payload without padding; empty for a packet of padding only.
    #[must_use]
    pub fn payload_range(&self) -> Range<usize> {
        usize::from(self.payload_start)..usize::from(self.payload_end)
    }

    /// The extension elements without the four bytes of profile and length.
    #[must_use]
    pub fn extension_range(&self) -> Range<usize> {
        usize::from(self.extension_start)..usize::from(self.extension_end)
    }

    /// Fixed header, contributing sources and extension block, in bytes.
    #[must_use]
    pub fn header_length(&self) -> usize {
        usize::from(self.payload_start)
    }

    /// The payload of the packet that this header was read from; of any
    /// shorter buffer, nothing.
    #[must_use]
    pub fn payload<'a>(&self, packet: &'a [u8]) -> &'a [u8] {
        packet.get(self.payload_range()).unwrap_or_default()
    }

    /// The header extension elements of the packet that this header was read from.
    #[must_use]
    pub fn extensions<'a>(&self, packet: &'a [u8]) -> Elements<'a> {
        let block = packet.get(self.extension_range()).unwrap_or_default();
        Elements::new(self.extension_form, block)
    }
}

/// A header together with the packet it describes.
#[derive(Clone, Copy, Debug)]
pub struct RtpView<'a> {
    pub header: RtpHeader,
    pub packet: &'a [u8],
}

impl<'a> RtpView<'a> {
    /// See [`RtpHeader::parse`].
    ///
    /// # Errors
    /// As [`RtpHeader::parse`].
    pub fn parse(packet: &'a [u8]) -> Result<Self, RtpError> {
        RtpHeader::parse(packet).map(|header| Self { header, packet })
    }

    #[must_use]
    pub fn payload(&self) -> &'a [u8] {
        self.header.payload(self.packet)
    }

    #[must_use]
    pub fn extensions(&self) -> Elements<'a> {
        self.header.extensions(self.packet)
    }
}

/// The header's length of a packet whose payload may still be encrypted: what
/// SRTP authenticates but does not encrypt (RFC 3711 §3.1). Padding is not looked at.
///
/// # Errors
/// As [`RtpHeader::parse`], without [`RtpError::Padding`].
pub fn header_length(packet: &[u8]) -> Result<usize, RtpError> {
    Layout::of(packet).map(|layout| layout.header)
}

struct Layout {
    header: usize,
    form: Option<ExtensionForm>,
    /// Without profile and length; empty if there is no block.
    extension: Range<usize>,
}

impl Layout {
    fn of(packet: &[u8]) -> Result<Self, RtpError> {
        if packet.len() > usize::from(u16::MAX) {
            return Err(RtpError::TooLong);
        }
        if packet.len() < FIXED_HEADER {
            return Err(RtpError::Truncated);
        }
        if packet[0] >> 6 != 2 {
            return Err(RtpError::Version);
        }
        let mut end = FIXED_HEADER + 4 * usize::from(packet[0] & 0x0f);
        let mut form = None;
        let mut extension = end..end;
        if packet[0] & 0x10 != 0 {
            let head = packet.get(end..end + 4).ok_or(RtpError::Truncated)?;
            let profile = u16::from_be_bytes([head[0], head[1]]);
            let words = usize::from(u16::from_be_bytes([head[2], head[3]]));
            form = match profile {
                0xbede => Some(ExtensionForm::OneByte),
                // The low four bits are for the application (RFC 8285 §4.3).
                0x1000..=0x100f => Some(ExtensionForm::TwoByte),
                _ => None,
            };
            extension = end + 4..end + 4 + 4 * words;
            end = extension.end;
        }
        if end > packet.len() {
            return Err(RtpError::Truncated);
        }
        Ok(Self {
            header: end,
            form,
            extension,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Marker, PT 96, sequence 0x1234, timestamp 0x01020304, SSRC 0xaabbccdd.
    const PLAIN: [u8; 14] = [
        0x80, 0xe0, 0x12, 0x34, 1, 2, 3, 4, 0xaa, 0xbb, 0xcc, 0xdd, 0x55, 0x66,
    ];

    #[test]
    fn fixed_header_is_read() {
        let view = RtpView::parse(&PLAIN).unwrap();
        assert!(view.header.marker);
        assert_eq!(view.header.payload_type, 96);
        assert_eq!(view.header.sequence, 0x1234);
        assert_eq!(view.header.timestamp, 0x0102_0304);
        assert_eq!(view.header.ssrc, 0xaabb_ccdd);
        assert_eq!(view.header.extension_form, None);
        assert_eq!(view.payload(), [0x55, 0x66]);
    }

    #[test]
    fn contributing_sources_and_extension_come_before_the_payload() {
        let mut packet = PLAIN[..12].to_vec();
        packet[0] = 0x92;
        packet.extend([0; 8]);
        packet.extend([0xbe, 0xde, 0, 1, 0x10, 0xff, 0, 0, 9, 8, 7]);
        let view = RtpView::parse(&packet).unwrap();
        assert_eq!(view.header.csrc_count, 2);
        assert_eq!(view.header.header_length(), 28);
        assert_eq!(view.header.extension_range(), 24..28);
        assert_eq!(view.header.extension_form, Some(ExtensionForm::OneByte));
        assert_eq!(view.payload(), [9, 8, 7]);
        assert_eq!(header_length(&packet), Ok(28));
    }

    #[test]
    fn foreign_extension_profile_is_stepped_over() {
        let mut packet = PLAIN[..12].to_vec();
        packet[0] = 0x90;
        packet.extend([0x12, 0x34, 0, 1, 1, 2, 3, 4, 42]);
        let view = RtpView::parse(&packet).unwrap();
        assert_eq!(view.header.extension_form, None);
        assert_eq!(view.extensions().count(), 0);
        assert_eq!(view.payload(), [42]);
    }

    #[test]
    fn padding_is_taken_off() {
        let mut packet = PLAIN.to_vec();
        packet[0] = 0xa0;
        packet.extend([0, 0, 3]);
        assert_eq!(RtpView::parse(&packet).unwrap().payload(), [0x55, 0x66]);
        // Padding alone: a probe.
        let mut probe = PLAIN[..12].to_vec();
        probe[0] = 0xa0;
        probe.extend([0, 2]);
        assert!(RtpView::parse(&probe).unwrap().payload().is_empty());
    }

    #[test]
    fn lengths_that_lie_are_refused() {
        assert_eq!(RtpHeader::parse(&[]), Err(RtpError::Truncated));
        assert_eq!(RtpHeader::parse(&PLAIN[..11]), Err(RtpError::Truncated));
        let mut packet = PLAIN;
        packet[0] = 0x40;
        assert_eq!(RtpHeader::parse(&packet), Err(RtpError::Version));
        packet[0] = 0x8f;
        assert_eq!(RtpHeader::parse(&packet), Err(RtpError::Truncated));
        packet[0] = 0x90;
        assert_eq!(RtpHeader::parse(&packet), Err(RtpError::Truncated));
        packet[0] = 0xa0;
        for padding in [0, 3] {
            packet[13] = padding;
            assert_eq!(RtpHeader::parse(&packet), Err(RtpError::Padding));
        }
        assert_eq!(RtpHeader::parse(&[0x80; 70_000]), Err(RtpError::TooLong));
    }

    proptest! {
        #[test]
        fn ranges_lie_within_the_packet(mut packet in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Some(first) = packet.first_mut() {
                *first = *first & 0x3f | 0x80;
            }
            if let Ok(view) = RtpView::parse(&packet) {
                let payload = view.header.payload_range();
                prop_assert!(view.header.extension_range().end <= payload.start);
                prop_assert!(payload.start <= payload.end && payload.end <= packet.len());
                prop_assert!(view.extensions().count() <= packet.len());
            }
        }
    }
}
