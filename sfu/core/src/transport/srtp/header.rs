//! The little of RTP and RTCP headers that protection needs.

/// Length of an RTP header with its CSRCs and header extension (RFC 3550
/// §5.1): what is authenticated but not encrypted. `None` if the packet is not
/// version 2 or is shorter than it says.
#[must_use]
pub fn rtp_header_len(packet: &[u8]) -> Option<usize> {
    let first = *packet.first()?;
    if first >> 6 != 2 {
        return None;
    }
    let mut len = 12 + 4 * usize::from(first & 0x0f);
    if first & 0x10 != 0 {
        len += 4 + 4 * usize::from(half_word(packet, len + 2)?);
    }
    (packet.len() >= len).then_some(len)
}

/// The 16-bit number at an offset.
pub(super) fn half_word(packet: &[u8], at: usize) -> Option<u16> {
    let bytes = packet.get(at..)?.first_chunk()?;
    Some(u16::from_be_bytes(*bytes))
}

/// The 32-bit number at an offset.
pub(super) fn word(packet: &[u8], at: usize) -> Option<u32> {
    let bytes = packet.get(at..)?.first_chunk()?;
    Some(u32::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_with_csrcs_and_extension() {
        let mut packet = [0u8; 40];
        packet[0] = 0x80;
        assert_eq!(rtp_header_len(&packet), Some(12));
        assert_eq!(rtp_header_len(&packet[..11]), None);
        packet[0] = 0x92; // two CSRCs and an extension of one word
        packet[20..24].copy_from_slice(&[0xbe, 0xde, 0, 1]);
        assert_eq!(rtp_header_len(&packet), Some(28));
        assert_eq!(rtp_header_len(&packet[..27]), None);
        assert_eq!(rtp_header_len(&packet[..23]), None);
        packet[0] = 0x52;
        assert_eq!(rtp_header_len(&packet), None, "version 1");
        assert_eq!(rtp_header_len(&[]), None);
    }
}
