//! What offer and answer have agreed on, as the engine needs it.

use arrayvec::ArrayVec;

use crate::codec::Codec;
use crate::ids::Track;
use crate::rtp::ExtensionMap;

/// The agreement of one offer and its answer.
#[derive(Clone, Debug)]
pub struct Negotiated {
    /// The client's side of the STUN credentials.
    pub remote_ice: IceCredentials,
    /// The client's certificate has to match one of these; never empty.
    pub fingerprints: Vec<Fingerprint>,
    /// Ours.
    pub dtls_role: DtlsRole,
    /// The mids of all accepted m-lines in the order of the offer.
    pub bundle: Vec<String>,
    /// At most one of each [`Track`].
    pub sends: Vec<SendTrack>,
    /// By [`SlotIndex`](crate::ids::SlotIndex); a rejected m-line has none.
    pub video_slots: Vec<VideoSlotMedia>,
    pub audio_slots: Vec<AudioSlotMedia>,
}

/// RFC 8839 §5.4.
#[derive(Clone, Eq, PartialEq)]
pub struct IceCredentials {
    pub ufrag: String,
    pub pwd: String,
}

impl std::fmt::Debug for IceCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The password is a secret.
        write!(f, "IceCredentials({}, ..)", self.ufrag)
    }
}

/// RFC 8122 §5: the hash of a certificate in DER.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fingerprint {
    pub algorithm: HashAlgorithm,
    pub digest: ArrayVec<u8, 64>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum HashAlgorithm {
    Sha256,
    Sha384,
    Sha512,
}

impl Fingerprint {
    #[must_use]
    pub fn matches(&self, certificate_der: &[u8]) -> bool {
        let algorithm = match self.algorithm {
            HashAlgorithm::Sha256 => &ring::digest::SHA256,
            HashAlgorithm::Sha384 => &ring::digest::SHA384,
            HashAlgorithm::Sha512 => &ring::digest::SHA512,
        };
        ring::digest::digest(algorithm, certificate_der).as_ref() == self.digest.as_slice()
    }
}

/// Who sends the ClientHello (RFC 8842 §5.2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DtlsRole {
    /// The client does.
    Passive,
    /// We do.
    Active,
}

/// A codec of an m-line with its numbers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct MediaCodec {
    pub codec: Codec,
    pub payload_type: u8,
    /// Payload type of its retransmissions (RFC 4588 §8).
    pub rtx: Option<u8>,
    pub feedback: Feedback,
}

/// The RTCP feedback messages agreed on (RFC 4585 §4.2).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Feedback {
    pub nack: bool,
    pub pli: bool,
    pub fir: bool,
    pub remb: bool,
    pub transport_cc: bool,
}

/// An m-line on which the client sends.
#[derive(Clone, Debug)]
pub struct SendTrack {
    pub mid: String,
    pub track: Track,
    /// In the client's order of preference; never empty.
    pub codecs: Vec<MediaCodec>,
    /// As far as the offer declares them; else the mid extension tells.
    pub streams: Vec<SentStream>,
    /// Its encodings, in the order of the offer, up to [`MAX_ENCODINGS`](super::MAX_ENCODINGS); each
    /// is a stream of its own, which says by its rid extension which one it is. Empty without
    /// simulcast.
    pub rids: Vec<String>,
    pub extensions: ExtensionMap,
}

/// SSRCs of a stream that the client sends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SentStream {
    pub ssrc: u32,
    /// From its FID group (RFC 5576 §4.2).
    pub rtx: Option<u32>,
}

/// An m-line on which we send video.
#[derive(Clone, Debug)]
pub struct VideoSlotMedia {
    pub mid: String,
    /// In the client's order of preference; never empty.
    pub codecs: Vec<MediaCodec>,
    pub extensions: ExtensionMap,
    /// Header extensions may have the two-byte form (RFC 8285 §6).
    pub mixed_extensions: bool,
    pub ssrc: u32,
    /// Declared only if some codec has RTX.
    pub rtx_ssrc: u32,
}

/// An m-line on which we send audio.
#[derive(Clone, Debug)]
pub struct AudioSlotMedia {
    pub mid: String,
    /// In the client's order of preference; never empty.
    pub codecs: Vec<MediaCodec>,
    pub extensions: ExtensionMap,
    pub ssrc: u32,
}
