//! What the forwarding path has to know of each codec; one file per codec.

pub mod h264;
pub mod opus;
pub mod red;
pub mod vp8;

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

impl Codec {
    /// RTP ticks per second.
    #[must_use]
    pub const fn clock_rate(self) -> u32 {
        match self {
            Self::Opus | Self::Red => 48_000,
            Self::Vp8 | Self::H264 => 90_000,
        }
    }

    #[must_use]
    pub const fn is_video(self) -> bool {
        match self {
            Self::Opus | Self::Red => false,
            Self::Vp8 | Self::H264 => true,
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
    }
}

/// Whether a frame may begin with this packet. Of H.264 several packets of one
/// frame can look so (parameter sets, then the slice): the first one with a new timestamp is it.
#[must_use]
pub fn starts_frame(codec: Codec, payload: &[u8]) -> bool {
    match codec {
        Codec::Opus | Codec::Red => true,
        Codec::Vp8 => vp8::Descriptor::parse(payload).is_some_and(|d| d.starts_frame()),
        Codec::H264 => h264::Summary::of(payload).starts_frame,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_payload_has_an_answer(payload in proptest::collection::vec(any::<u8>(), 0..64)) {
            for codec in [Codec::Opus, Codec::Red, Codec::Vp8, Codec::H264] {
                let starts = starts_frame(codec, &payload);
                prop_assert!(starts || !is_keyframe(codec, &payload));
            }
            let _ = red::Primary::parse(&payload);
            let _ = opus::duration(&payload);
            let _ = vp8::frame_size(&payload);
        }
    }
}
