//! One function per fuzz target, for `fuzz/` and for the test that runs every kept seed
//! through them. Only built for these two: this is no part of the interface.

mod engine;
mod framing;
mod media;

pub use engine::engine;
pub use framing::framing;
pub use media::{
    av1, dependency_descriptor, extensions, h264, h265, opus, red, rtcp, rtp, sdp, vp8, vp9,
};

pub use crate::transport::fuzzing::{dtls, stun};

/// Takes any input.
pub type Target = fn(&[u8]);

/// The targets by the names of their seed folders.
pub const TARGETS: &[(&str, Target)] = &[
    ("av1", av1),
    ("dependency_descriptor", dependency_descriptor),
    ("dtls", dtls),
    ("engine", engine),
    ("extensions", extensions),
    ("framing", framing),
    ("h264", h264),
    ("h265", h265),
    ("opus", opus),
    ("red", red),
    ("rtcp", rtcp),
    ("rtp", rtp),
    ("sdp", sdp),
    ("stun", stun),
    ("vp8", vp8),
    ("vp9", vp9),
];

/// Several pieces in one input: each behind its length in 16 bits; the last may be cut short.
pub(crate) fn pieces(mut data: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = data.split_first_chunk()?;
        let length = usize::from(u16::from_be_bytes(*length)).min(rest.len());
        let (piece, rest) = rest.split_at(length);
        data = rest;
        Some(piece)
    })
}

#[cfg(test)]
mod seeds;
#[cfg(test)]
mod tests;
