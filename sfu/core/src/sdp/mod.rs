//! Offer → answer (RFC 8829, 8843, 8866): what a client wants to send and
//! receive, and what the server agrees to. The server only ever answers, is ICE-lite,
//! and puts everything on one bundled transport.
//!
//! The grammar of the text is read by `rtc-sdp`; this module gives it meaning.

mod answer;
mod codecs;
mod negotiated;
mod offer;
mod write;

pub use answer::{AnswerParams, Candidate, CandidateProtocol, SlotSsrcs};
pub use negotiated::{
    AudioSlotMedia, DtlsRole, Feedback, Fingerprint, HashAlgorithm, IceCredentials, MediaCodec,
    Negotiated, SendTrack, SentStream, VideoSlotMedia,
};
pub use offer::Offer;

/// Video slots of one client at most: a wall of 7 × 7.
pub const MAX_VIDEO_SLOTS: usize = 49;
/// Audio slots of one client at most.
pub const MAX_AUDIO_SLOTS: usize = 4;
/// Of an offer's text, in bytes.
pub const MAX_OFFER_BYTES: usize = 256 * 1024;
/// Encodings of one track at most; of more, the first ones are taken.
pub const MAX_ENCODINGS: usize = 3;
/// m-lines of an offer, rejected ones included.
pub const MAX_MEDIA: usize = 128;

/// Why an offer cannot be answered. All are the offerer's doing; the same text
/// again has the same result.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SdpError {
    #[error("offer larger than {MAX_OFFER_BYTES} bytes or {MAX_MEDIA} m-lines")]
    TooLarge,
    #[error("not a session description: {0}")]
    Syntax(String),
    #[error("no m-line that could be accepted")]
    NoMedia,
    #[error("the m-lines are not in one BUNDLE group")]
    NotBundled,
    #[error("no rtcp-mux")]
    NoRtcpMux,
    #[error("mid missing, repeated, or not a token of at most 16 characters")]
    BadMid,
    #[error("ice-ufrag or ice-pwd missing or malformed")]
    BadIce,
    #[error("no fingerprint of a known hash")]
    BadFingerprint,
    #[error("setup is neither actpass, active nor passive")]
    BadSetup,
}

#[cfg(test)]
mod tests;
