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
    /// RFC 9628, profile 0.
    Vp9,
    /// AV1 RTP specification, profile 0.
    Av1,
    /// RFC 7798, main profile.
    H265,
}

impl Codec {
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
        Codec::Vp9 => vp9_begins(payload) && payload[0] & 0x40 == 0,
        Codec::Av1 => payload.first().is_some_and(|first| first & 0x88 == 0x08),
        Codec::H265 => h265_unit(payload).is_some_and(|unit| matches!(unit, 16..=23 | 32..=34)),
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
        Codec::Vp9 => vp9_begins(payload),
        Codec::Av1 => payload.first().is_some_and(|first| first & 0x80 == 0),
        Codec::H265 => h265_unit(payload).is_some(),
    }
}

/// A picture begins here, in its lowest spatial layer (RFC 9628 §4.2).
fn vp9_begins(payload: &[u8]) -> bool {
    let Some(&flags) = payload.first() else {
        return false;
    };
    let picture_id = match (flags & 0x80, payload.get(1)) {
        (0, _) => 0,
        (_, Some(id)) if id & 0x80 != 0 => 2,
        (_, _) => 1,
    };
    let layer = payload.get(1 + picture_id).map_or(0, |byte| byte >> 1 & 7);
    flags & 0x08 != 0 && (flags & 0x20 == 0 || layer == 0)
}

/// The type of the first NAL unit that begins here (RFC 7798 §4.4).
fn h265_unit(payload: &[u8]) -> Option<u8> {
    match payload.first()? >> 1 & 0x3f {
        48 => Some(payload.get(4)? >> 1 & 0x3f),
        49 => Some(*payload.get(2)?)
            .filter(|head| head & 0x80 != 0)
            .map(|head| head & 0x3f),
        unit => Some(unit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_payload_has_an_answer(payload in proptest::collection::vec(any::<u8>(), 0..64)) {
            let video = [Codec::Vp8, Codec::H264, Codec::Vp9, Codec::Av1, Codec::H265];
            for codec in [Codec::Opus, Codec::Red].into_iter().chain(video) {
                let starts = starts_frame(codec, &payload);
                prop_assert!(starts || !is_keyframe(codec, &payload));
            }
            let _ = red::Primary::parse(&payload);
            let _ = opus::duration(&payload);
            let _ = vp8::frame_size(&payload);
        }
    }
}
