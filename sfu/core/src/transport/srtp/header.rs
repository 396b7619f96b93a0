//! The little of RTP and RTCP headers that protection needs.

/// Length of an RTP header with its CSRCs and header extension (RFC 3550
/// §5.1): what is authenticated but not encrypted. `None` if the packet is not
/// version 2 or shorter than it says.
#[must_use]
pub fn rtp_header_len(packet: &[u8]) -> Option<usize> {
    let first = *packet.first()?;
    if first >> 6 != 2 {
        return None;
    }
    let mut len = 12 + 4 * usize::from(first & 0x0f);
    if first & 0x10 != 0 {
        let words = packet.get(len + 2..len + 4)?;
        len += 4 + 4 * usize::from(u16::from_be_bytes([words[0], words[1]]));
    }
    (packet.len() >= len).then_some(len)
}
