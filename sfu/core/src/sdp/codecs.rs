//! Which of the offered codecs the server agrees to, and on what terms.

use super::negotiated::{Feedback, MediaCodec};
use super::offer::{Kind, Media, Payload};
use crate::codec::Codec;

/// A codec with what the answer says of it.
#[derive(Clone, Debug)]
pub(super) struct Agreed {
    pub media: MediaCodec,
    /// Without the payload type; empty if there is nothing to say.
    pub parameters: String,
}

/// The mutually supported codecs in the order of the offer, each once.
pub(super) fn agree(media: &Media) -> Vec<Agreed> {
    let opus = media
        .payloads
        .iter()
        .find(|payload| payload.encoding == "opus/48000/2");
    let h264 = best_h264(media);
    let mut agreed: Vec<Agreed> = Vec::new();
    for payload in &media.payloads {
        let (codec, parameters) = match (media.kind, payload.encoding.as_str()) {
            (Kind::Audio, "opus/48000/2") => (Codec::Opus, opus_parameters(payload)),
            (Kind::Audio, "red/48000/2") => {
                let Some(opus) = opus else { continue };
                let inner = format!("{0}/{0}", opus.number);
                if payload.parameters != inner {
                    continue;
                }
                (Codec::Red, inner)
            }
            (Kind::Video, "vp8/90000") => (Codec::Vp8, String::new()),
            (Kind::Video, "h264/90000") if Some(payload.number) == h264 => {
                (Codec::H264, h264_parameters(payload))
            }
            (Kind::Video, "vp9/90000") if is_or_unsaid(payload, "profile-id", "0") => {
                (Codec::Vp9, "profile-id=0".to_owned())
            }
            (Kind::Video, "av1/90000") if is_or_unsaid(payload, "profile", "0") => {
                (Codec::Av1, echo(payload, &["level-idx", "profile", "tier"]))
            }
            (Kind::Video, "h265/90000") if is_plain_h265(payload) => {
                (Codec::H265, h265_parameters(payload))
            }
            _ => continue,
        };
        if agreed.iter().all(|known| known.media.codec != codec) {
            agreed.push(Agreed {
                media: MediaCodec {
                    codec,
                    payload_type: payload.number,
                    rtx: rtx_of(media, payload.number),
                    feedback: feedback(payload, codec),
                },
                parameters,
            });
        }
    }
    // Redundancy without the speech itself is no use.
    if agreed.iter().all(|known| known.media.codec == Codec::Red) {
        agreed.clear();
    }
    agreed
}

/// As `a=rtpmap` writes it.
pub(super) const fn encoding(codec: Codec) -> &'static str {
    match codec {
        Codec::Opus => "opus/48000/2",
        Codec::Red => "red/48000/2",
        Codec::Vp8 => "VP8/90000",
        Codec::Vp9 => "VP9/90000",
        Codec::H264 => "H264/90000",
        Codec::H265 => "H265/90000",
        Codec::Av1 => "AV1/90000",
    }
}

/// The value of a parameter in `a=fmtp`.
fn parameter<'a>(payload: &'a Payload, key: &str) -> Option<&'a str> {
    payload
        .parameters
        .split(';')
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == key).then_some(value))
}

/// RFC 7587 §6.1. In-band FEC is always wanted: the server cannot repair speech
/// in time. Silence suppression and stereo are as the client has them.
fn opus_parameters(payload: &Payload) -> String {
    let mut parameters = "minptime=10;useinbandfec=1".to_owned();
    for key in ["usedtx", "stereo", "sprop-stereo"] {
        if parameter(payload, key) == Some("1") {
            parameters.push_str(&format!(";{key}=1"));
        }
    }
    parameters
}

/// Packetization mode 1 and the baseline profile, rather with constraint set 1
/// (RFC 6184 §8.1): what every decoder takes.
fn best_h264(media: &Media) -> Option<u8> {
    let baseline = |payload: &&Payload| {
        payload.encoding == "h264/90000"
            && parameter(payload, "packetization-mode") == Some("1")
            && profile(payload) >> 16 == 0x42
    };
    let mut offered = media.payloads.iter().filter(baseline);
    let constrained = |payload: &&Payload| profile(payload) & 0x4000 != 0;
    offered
        .clone()
        .find(constrained)
        .or_else(|| offered.next())
        .map(|payload| payload.number)
}

/// profile-level-id: profile, constraints and level, a byte each.
fn profile(payload: &Payload) -> u32 {
    /// Baseline at level 1, if nothing is said.
    const DEFAULT: u32 = 0x42_000a;
    parameter(payload, "profile-level-id").map_or(DEFAULT, |digits| {
        u32::from_str_radix(digits, 16).unwrap_or_default()
    })
}

fn h264_parameters(payload: &Payload) -> String {
    let asymmetry = match parameter(payload, "level-asymmetry-allowed") {
        Some("1") => "level-asymmetry-allowed=1;",
        _ => "",
    };
    format!(
        "{asymmetry}packetization-mode=1;profile-level-id={:06x}",
        profile(payload)
    )
}

fn is_or_unsaid(payload: &Payload, key: &str, wanted: &str) -> bool {
    parameter(payload, key).is_none_or(|value| value == wanted)
}

/// Those of the parameters that are there and are numbers, as offered.
fn echo(payload: &Payload, keys: &[&str]) -> String {
    let number =
        |value: &&str| (1..=3).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_digit());
    let pairs: Vec<String> = keys
        .iter()
        .filter_map(|key| Some((key, parameter(payload, key).filter(number)?)))
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    pairs.join(";")
}

/// The main profile on a single stream (RFC 7798 §7.1).
fn is_plain_h265(payload: &Payload) -> bool {
    is_or_unsaid(payload, "profile-id", "1") && is_or_unsaid(payload, "tx-mode", "srst")
}

fn h265_parameters(payload: &Payload) -> String {
    let mut parameters = echo(payload, &["level-id", "profile-id", "tier-flag"]);
    if parameter(payload, "tx-mode").is_some() {
        let separator = if parameters.is_empty() { "" } else { ";" };
        parameters.push_str(separator);
        parameters.push_str("tx-mode=SRST");
    }
    parameters
}

/// RFC 4588 §8.1.
fn rtx_of(media: &Media, payload_type: u8) -> Option<u8> {
    let repairs = |payload: &&Payload| {
        payload.encoding == "rtx/90000"
            && parameter(payload, "apt").and_then(|apt| apt.parse().ok()) == Some(payload_type)
    };
    let found = media.payloads.iter().find(repairs);
    found.map(|payload| payload.number)
}

fn feedback(payload: &Payload, codec: Codec) -> Feedback {
    let offered = |what| payload.feedback.iter().any(|line| line == what);
    let video = codec.is_video();
    Feedback {
        nack: video && offered("nack"),
        pli: video && offered("nack pli"),
        fir: video && offered("ccm fir"),
        remb: video && offered("goog-remb"),
        transport_cc: offered("transport-cc"),
    }
}
