//! SRTP and SRTCP (RFC 3711, RFC 7714): one [`SrtpIn`] and one [`SrtpOut`] per peer.

mod cipher;
mod cm_sha1;
mod gcm;
mod header;
mod inbound;
mod index;
mod kdf;
mod outbound;
mod replay;
mod rtcp;
#[cfg(test)]
mod tests;

pub use header::rtp_header_len;
pub use inbound::{MAX_STREAMS, SrtpIn};
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

/// Both directions out of the keying material of a DTLS handshake (RFC 5764
/// §4.2): client's key, server's key, client's salt, server's salt. `None` if it has not the
/// profile's length.
#[must_use]
pub fn from_keying_material(
    profile: SrtpProfile,
    material: &[u8],
    we_are_client: bool,
) -> Option<(SrtpIn, SrtpOut)> {
    let (key_len, salt_len) = profile.master_lengths();
    let (client_key, rest) = material.split_at_checked(key_len)?;
    let (server_key, rest) = rest.split_at_checked(key_len)?;
    let (client_salt, server_salt) = rest.split_at_checked(salt_len)?;
    let (client, server) = ((client_key, client_salt), (server_key, server_salt));
    let (ours, theirs) = if we_are_client {
        (client, server)
    } else {
        (server, client)
    };
    let inbound = SrtpIn::new(profile, theirs.0, theirs.1)?;
    let outbound = SrtpOut::new(profile, ours.0, ours.1)?;
    Some((inbound, outbound))
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
