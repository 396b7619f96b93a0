//! Which protocol a datagram speaks, by its first byte (RFC 7983 §7).

/// What a datagram claims to be. Nothing beyond its first bytes and its length is checked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    Stun,
    Dtls,
    Rtp,
    Rtcp,
}

/// A STUN header (RFC 8489 §5).
const MIN_STUN: usize = 20;
/// A DTLS record header (RFC 6347 §4.1). DTLS 1.3's shorter unified header does
/// not occur: only DTLS 1.2 is negotiated.
const MIN_DTLS: usize = 13;
/// A fixed RTP header (RFC 3550 §5.1).
const MIN_RTP: usize = 12;
/// An RTCP header with its sender's SSRC (RFC 3550 §6.4).
const MIN_RTCP: usize = 8;

/// Sorts a datagram; `None` is for anything else, which is dropped.
///
/// RTP and RTCP share a port (RFC 5761 §4): the second byte is 192 to 223
/// for RTCP, which for RTP would be payload types 64 to 95 with the marker set.
#[must_use]
pub fn classify(datagram: &[u8]) -> Option<Kind> {
    let (kind, min) = match *datagram.first()? {
        0..=3 => (Kind::Stun, MIN_STUN),
        20..=63 => (Kind::Dtls, MIN_DTLS),
        128..=191 => match *datagram.get(1)? {
            192..=223 => (Kind::Rtcp, MIN_RTCP),
            _ => (Kind::Rtp, MIN_RTP),
        },
        _ => return None,
    };
    (datagram.len() >= min).then_some(kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_byte_decides() {
        for first in 0..=255u8 {
            let mut datagram = [0u8; 32];
            datagram[0] = first;
            let expected = match first {
                0..=3 => Some(Kind::Stun),
                20..=63 => Some(Kind::Dtls),
                128..=191 => Some(Kind::Rtp),
                _ => None,
            };
            assert_eq!(classify(&datagram), expected, "first byte {first}");
        }
    }

    #[test]
    fn second_byte_splits_rtcp_from_rtp() {
        for second in 0..=255u8 {
            let mut datagram = [0u8; 32];
            datagram[..2].copy_from_slice(&[0x80, second]);
            let rtcp = (192..=223).contains(&second);
            let expected = if rtcp { Kind::Rtcp } else { Kind::Rtp };
            assert_eq!(classify(&datagram), Some(expected), "second byte {second}");
        }
    }

    #[test]
    fn too_short_is_nothing() {
        for (first, second, min) in [(0, 1, 20), (22, 254, 13), (128, 96, 12), (128, 200, 8)] {
            let mut datagram = [0u8; 32];
            datagram[..2].copy_from_slice(&[first, second]);
            for len in 0..min {
                assert_eq!(classify(&datagram[..len]), None, "{first} with {len} bytes");
            }
            assert!(classify(&datagram[..min]).is_some());
        }
    }
}
