//! What the forwarding path has to know of each codec; one file per codec.

pub mod av1;
mod bits;
pub mod dependency;
pub mod h264;
pub mod h265;
pub mod layer;
pub mod opus;
mod picture;
pub mod red;
pub mod selector;
pub mod vp8;
pub mod vp9;

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
    /// RFC 9628.
    Vp9,
    /// RTP Payload Format For AV1, v1.0.
    Av1,
    /// RFC 7798, without interleaving.
    H265,
}

impl Codec {
    pub const ALL: [Self; 7] = [
        Self::Opus,
        Self::Red,
        Self::Vp8,
        Self::H264,
        Self::Vp9,
        Self::Av1,
        Self::H265,
    ];

    /// RTP ticks per second.
    #[must_use]
    pub const fn clock_rate(self) -> u32 {
        match self {
            Self::Opus | Self::Red => 48_000,
            Self::Vp8 | Self::H264 | Self::Vp9 | Self::Av1 | Self::H265 => 90_000,
        }
    }

    #[must_use]
    pub const fn is_video(self) -> bool {
        match self {
            Self::Opus | Self::Red => false,
            Self::Vp8 | Self::H264 | Self::Vp9 | Self::Av1 | Self::H265 => true,
        }
    }
}

/// Whether a receiver that has seen nothing yet can begin with this packet.
/// Always true of audio.
#[must_use]
pub fn is_keyframe(codec: Codec, payload: &[u8]) -> bool {
    match codec {
        Codec::Opus | Codec::Red => true,
        Codec::Vp8 => vp8::is_keyframe(payload),
        Codec::H264 => h264::Summary::of(payload).is_keyframe(),
        Codec::Vp9 => vp9::Descriptor::parse(payload).is_some_and(|d| d.starts_keyframe()),
        Codec::Av1 => av1::is_keyframe(payload),
        Codec::H265 => h265::Summary::of(payload).is_keyframe(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_payload_has_an_answer(payload in proptest::collection::vec(any::<u8>(), 0..64)) {
            for codec in Codec::ALL {
                let _ = is_keyframe(codec, &payload);
                let _ = layer::frame_size(codec, &payload);
                let _ = layer::LayerInfo::of_payload(codec, &payload);
            }
            let _ = red::Primary::parse(&payload);
            let _ = opus::duration(&payload);
        }
    }
}
