//! What the forwarding path has to know of each codec; one file per codec.

/// A codec that the server forwards.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Codec {
    /// RFC 7587; in-band FEC and DTX pass through.
    Opus,
    /// Redundant audio, RFC 2198, carrying Opus.
    Red,
    /// RFC 7741.
    Vp8,
    /// RFC 6184, packetization mode 1, constrained baseline.
    H264,
}
