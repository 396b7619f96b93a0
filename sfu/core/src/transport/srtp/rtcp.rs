//! What SRTCP adds to a compound (RFC 3711 §3.4).

/// The first packet's header with the sender's SSRC: stays readable.
pub(super) const HEADER_LEN: usize = 8;
/// The E-flag in the word that carries the 31-bit index.
pub(super) const ENCRYPTED: u32 = 1 << 31;
