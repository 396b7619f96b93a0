//! Cameras whose one stream has several layers: what they put before the marks of
//! each packet, and how it is read.

use liandong_sfu_core::codec::dependency::{Frame, Reader};
use liandong_sfu_core::codec::layer::LayerTarget;
use liandong_sfu_core::codec::{av1, vp8, vp9};

/// Lines of the spatial layers.
pub const LINES: [u16; 3] = [180, 360, 720];
/// Temporal layers of four pictures, one after the other.
const PATTERN: [u8; 4] = [0, 2, 1, 2];

/// What a client's cameras send, and its slots receive.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Scheme {
    /// VP8 without layers.
    #[default]
    Flat,
    /// VP8 in three temporal layers.
    Vp8Temporal,
    /// VP9 in three spatial layers.
    Vp9Spatial,
    /// AV1 in three temporal layers, with the dependency descriptor.
    Av1Temporal,
}

impl Scheme {
    pub const fn codec(self) -> &'static str {
        match self {
            Self::Flat | Self::Vp8Temporal => "VP8",
            Self::Vp9Spatial => "VP9",
            Self::Av1Temporal => "AV1",
        }
    }
}

/// Where a camera stands in its pattern.
#[derive(Debug, Default)]
pub struct Place {
    picture: usize,
    base: u8,
    number: u16,
}

/// A packet before its marks.
#[derive(Debug)]
pub struct Head {
    pub bytes: Vec<u8>,
    pub descriptor: Vec<u8>,
    pub marker: bool,
}

/// The packets of the next picture: so many in each layer.
pub fn heads(
    scheme: Scheme,
    place: &mut Place,
    (picture_id, keyframe): (u16, bool),
    packets: usize,
) -> Vec<Head> {
    if keyframe {
        place.picture = 0;
    }
    let turn = place.picture % PATTERN.len();
    let temporal = match scheme {
        Scheme::Flat | Scheme::Vp9Spatial => 0,
        Scheme::Vp8Temporal | Scheme::Av1Temporal => PATTERN[turn],
    };
    place.picture += 1;
    place.base = place.base.wrapping_add(u8::from(temporal == 0));
    place.number = place.number.wrapping_add(1);
    let [high, low] = picture_id.to_be_bytes();
    let spatial = match scheme {
        Scheme::Vp9Spatial => LINES.len(),
        Scheme::Flat | Scheme::Vp8Temporal | Scheme::Av1Temporal => 1,
    };
    let mut heads = Vec::new();
    for layer in 0..spatial {
        for packet in 0..packets {
            let (first, last) = (packet == 0, packet + 1 == packets);
            let mut descriptor = Vec::new();
            let bytes = match scheme {
                Scheme::Flat | Scheme::Vp8Temporal => {
                    let start = 0x80 | u8::from(first) << 4;
                    // The first two of a pattern's upper layers refer to the base layer only.
                    let sync = u8::from(turn == 1 || turn == 2) << 5;
                    let layer = temporal << 6 | sync;
                    vec![
                        start,
                        0xe0,
                        high | 0x80,
                        low,
                        place.base,
                        layer,
                        !keyframe as u8,
                    ]
                }
                Scheme::Vp9Spatial => vp9_head(
                    layer as u8,
                    keyframe,
                    (first, last),
                    [high, low],
                    place.base,
                ),
                Scheme::Av1Temporal => {
                    descriptor = described((first, last), turn, keyframe, place.number);
                    vec![0x10 | u8::from(keyframe && first) << 3, 0x30]
                }
            };
            let marker = last && layer + 1 == spatial;
            heads.push(Head {
                bytes,
                descriptor,
                marker,
            });
        }
    }
    heads
}

/// Non-flexible mode: RFC 9628 §4.2.
fn vp9_head(
    layer: u8,
    keyframe: bool,
    (first, last): (bool, bool),
    [high, low]: [u8; 2],
    base: u8,
) -> Vec<u8> {
    let sized = keyframe && first && layer == 0;
    let flags = 0xa0
        | u8::from(!keyframe) << 6
        | u8::from(first) << 3
        | u8::from(last) << 2
        | u8::from(sized) << 1;
    let mut bytes = vec![
        flags,
        high | 0x80,
        low,
        layer << 1 | u8::from(layer > 0),
        base,
    ];
    if sized {
        bytes.push(2 << 5 | 0x10);
        for lines in LINES {
            bytes.extend((lines * 16 / 9).to_be_bytes());
            bytes.extend(lines.to_be_bytes());
        }
    }
    bytes
}

/// A dependency descriptor of L1T3, written bit by bit.
fn described((first, last): (bool, bool), turn: usize, keyframe: bool, number: u16) -> Vec<u8> {
    let template = match (keyframe, PATTERN[turn]) {
        (true, _) => 0,
        (false, temporal) => u16::from(temporal) + 1,
    };
    let mut bits = format!(
        "{}{}{template:06b}{number:016b}",
        u8::from(first),
        u8::from(last)
    );
    if keyframe && first {
        bits += "10000"; // a structure comes
        bits += "000000"; // from template 0 on
        bits += "00010"; // for three decode targets:
        bits += "00010111"; // layers of the templates
        bits += "101010101010000110000001"; // SSS SSS -DS --D
        bits += "0100110100010100000"; // references: none, 4, 2, 1 back
        bits += "00"; // no chains
        bits += &format!("1{:016b}{:016b}", 1_279, 719);
    }
    let mut bytes = Vec::new();
    for chunk in bits.as_bytes().chunks(8) {
        let byte = chunk.iter().fold(0, |byte, bit| byte << 1 | (bit - b'0'));
        bytes.push(byte << (8 - chunk.len()));
    }
    bytes
}

/// What a receiver reads of a packet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Read {
    /// Where the marks begin.
    pub at: usize,
    pub picture_id: u16,
    pub keyframe: bool,
    pub layers: LayerTarget,
    /// Of the dependency descriptor.
    pub number: Option<u16>,
    /// Up to which layers the sender says that it sends.
    pub top: Option<LayerTarget>,
}

/// `descriptor`: what came beside the payload, and the reader of the stream.
pub fn read(scheme: Scheme, payload: &[u8], descriptor: (Option<&[u8]>, &mut Reader)) -> Read {
    let layers = |spatial, temporal| LayerTarget { spatial, temporal };
    match scheme {
        Scheme::Flat | Scheme::Vp8Temporal => {
            let vp8 = vp8::Descriptor::parse(payload).unwrap();
            let size = if vp8::frame_size(payload).is_some() {
                9
            } else {
                0
            };
            Read {
                at: vp8.length() + 1 + size,
                picture_id: vp8.picture_id.unwrap().value(),
                keyframe: vp8::is_keyframe(payload),
                layers: layers(0, vp8.temporal_layer.unwrap_or_default()),
                number: None,
                top: None,
            }
        }
        Scheme::Vp9Spatial => {
            let vp9 = vp9::Descriptor::parse(payload).unwrap();
            Read {
                at: vp9.length(),
                picture_id: vp9.picture_id.unwrap().value(),
                keyframe: vp9.starts_keyframe(),
                layers: layers(vp9.spatial, vp9.temporal),
                number: None,
                top: None,
            }
        }
        Scheme::Av1Temporal => {
            let (value, reader) = descriptor;
            let frame: Frame = reader.read(value.unwrap()).unwrap();
            Read {
                at: 2,
                picture_id: 0,
                keyframe: av1::is_keyframe(payload),
                layers: layers(frame.spatial, frame.temporal),
                number: Some(frame.number),
                top: reader.structure().map(|structure| structure.top()),
            }
        }
    }
}
