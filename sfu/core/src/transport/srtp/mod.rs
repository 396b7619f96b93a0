//! SRTP and SRTCP (RFC 3711, RFC 7714): one [`SrtpIn`] and one [`SrtpOut`] per peer.

mod header;
mod inbound;
mod outbound;

pub use header::rtp_header_len;
pub use inbound::SrtpIn;
pub use outbound::{OutboundStream, SrtpOut};

/// The most that protecting an RTP packet appends to it: GCM's tag.
pub const MAX_TRAILER: usize = 16;

/// A protection profile that both sides agreed on (RFC 5764 §4.1.2, RFC 7714 §14.2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SrtpProfile {
    AeadAes128Gcm,
    AeadAes256Gcm,
    Aes128CmHmacSha1_80,
}

impl SrtpProfile {
    /// Bytes of a master key, then of a master salt.
    #[must_use]
    pub const fn master_lengths(self) -> (usize, usize) {
        match self {
            SrtpProfile::AeadAes128Gcm => (16, 12),
            SrtpProfile::AeadAes256Gcm => (32, 12),
            SrtpProfile::Aes128CmHmacSha1_80 => (16, 14),
        }
    }

    /// Bytes that protecting an RTP packet appends.
    #[must_use]
    pub const fn rtp_trailer(self) -> usize {
        match self {
            SrtpProfile::AeadAes128Gcm | SrtpProfile::AeadAes256Gcm => 16,
            SrtpProfile::Aes128CmHmacSha1_80 => 10,
        }
    }
}

/// A packet that was not protected or unprotected; the context is as before.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SrtpError {
    /// Not even the headers and the tag.
    #[error("too short")]
    TooShort,
    /// Headers that contradict themselves.
    #[error("malformed header")]
    Malformed,
    /// The tag is wrong: altered, or under other keys.
    #[error("authentication failed")]
    Unauthentic,
    /// Seen before, or too old to know (RFC 3711 §3.3.2).
    #[error("replayed or too old")]
    Replayed,
    /// The peer uses more SSRCs than any peer of ours needs.
    #[error("too many streams")]
    TooManyStreams,
    /// Ours: the buffer has no room for the tag.
    #[error("no room for the trailer")]
    NoRoom,
    /// Ours: the packet index would run out or go below zero, and a nonce be used twice.
    #[error("packet index exhausted")]
    IndexExhausted,
}
