//! Parsers of media packets, and what is done with what they give.

use std::time::{Duration, Instant};

use super::pieces;
use crate::codec::dependency::{self, MAX_LENGTH, Reader};
use crate::codec::layer::{LayerInfo, LayerTarget, StreamLayers, frame_size};
use crate::codec::selector::{Candidate, Selector, Verdict};
use crate::codec::{self, Codec};
use crate::rtcp::{Compound, Message, TransportFeedbackRecorder};
use crate::rtp::munger::PictureIds;
use crate::rtp::{Extension, ExtensionMap, RtpHeader, write_extensions};
use crate::sdp::{AnswerParams, Candidate as IceCandidate, CandidateProtocol, Offer, SlotSsrcs};

pub fn rtp(data: &[u8]) {
    if let Ok(header) = RtpHeader::parse(data) {
        assert!(header.payload(data).len() <= data.len());
        assert!(header.extensions(data).count() <= data.len());
    }
}

/// Both forms, with every known extension negotiated, and written again.
pub fn extensions(data: &[u8]) {
    let mut map = ExtensionMap::default();
    for (at, extension) in Extension::ALL.into_iter().enumerate() {
        map.insert(extension, at as u8 + 1);
    }
    for profile in [[0xbe, 0xde], [0x10, 0x00]] {
        let block = &data[..data.len().min(1_200) / 4 * 4];
        let words = (block.len() / 4) as u16;
        let head = [0x90, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
        let packet = [&head, &profile[..], &words.to_be_bytes(), block].concat();
        let Ok(header) = RtpHeader::parse(&packet) else {
            continue;
        };
        let _ = map.read(&header, &packet);
        let elements: Vec<_> = header.extensions(&packet).collect();
        let mut out = [0; 1_500];
        if let Some(length) = write_extensions(&mut out, &elements) {
            assert!(length <= block.len() + 4);
        }
    }
}

/// The values of one stream's packets, one after the other.
pub fn dependency_descriptor(data: &[u8]) {
    let mut reader = Reader::default();
    let mut stream = Stream::new(Codec::Av1);
    for value in pieces(data) {
        let Some(frame) = reader.read(value) else {
            continue;
        };
        let structure = reader.structure();
        let info = LayerInfo::Dependency(frame);
        let verdict = stream.take(&info, &[], structure);
        let limit = match verdict {
            Verdict::Forward(fix) => fix.announce,
            Verdict::Drop => None,
        };
        let active = limit.and_then(|limit| Some(structure?.active_within(limit)));
        let mut out = [0; MAX_LENGTH];
        if value.len() <= MAX_LENGTH {
            let length = dependency::rewrite(value, &frame, 0xabcd, active, &mut out);
            let again = length.and_then(|length| reader.clone().read(&out[..length]));
            assert_eq!(again.map(|frame| frame.number), Some(0xabcd));
        }
    }
}

/// Reduced-size packets are accepted, so any packet may stand first.
pub fn rtcp(data: &[u8]) {
    if let Ok(mut compound) = Compound::parse(data) {
        for message in compound.by_ref() {
            if let Message::TransportFeedback(feedback) = message {
                assert!(feedback.statuses().count() <= usize::from(u16::MAX));
            }
        }
        assert!(compound.skipped() as usize <= data.len() / 4 + 1);
    }
    record(data);
}

/// What comes in is told to its sender, in packets that can be read.
fn record(data: &[u8]) {
    let mut now = epoch();
    let mut recorder = TransportFeedbackRecorder::new();
    let mut out = Vec::new();
    for step in data.chunks_exact(4) {
        now += Duration::from_micros(u64::from(step[0]) << (step[1] & 0x0f));
        recorder.record(now, u16::from_be_bytes([step[2], step[3]]));
    }
    while recorder.build(&mut out, 1, 2) {
        assert_eq!(Compound::parse(&out).map(Iterator::count), Ok(1));
        out.clear();
    }
}

pub fn sdp(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let Ok(offer) = Offer::parse(text) else {
        return;
    };
    let slots: Vec<_> = (0..offer.video_slots() as u32)
        .map(|slot| SlotSsrcs {
            ssrc: 1_000 + slot,
            rtx_ssrc: 2_000 + slot,
        })
        .collect();
    let audio: Vec<_> = (0..offer.audio_slots() as u32).collect();
    let answer = offer.answer(&AnswerParams {
        session_id: 1,
        session_version: 1,
        ice_ufrag: "example1",
        ice_pwd: "example1example1example1",
        fingerprint: &[0xab; 32],
        candidates: &[IceCandidate {
            protocol: CandidateProtocol::Udp,
            addr: ([127, 0, 0, 1], 7_000).into(),
        }],
        cname: "example",
        video_slots: &slots,
        audio_slots: &audio,
    });
    if let Ok((text, _)) = answer {
        // What a peer wrote must not bring lines of its own into the answer.
        assert!(
            text.lines()
                .all(|line| line.as_bytes().get(1) == Some(&b'='))
        );
    }
}

pub fn vp8(data: &[u8]) {
    payloads(Codec::Vp8, data);
}

pub fn vp9(data: &[u8]) {
    payloads(Codec::Vp9, data);
}

pub fn av1(data: &[u8]) {
    payloads(Codec::Av1, data);
}

pub fn h264(data: &[u8]) {
    payloads(Codec::H264, data);
}

pub fn h265(data: &[u8]) {
    payloads(Codec::H265, data);
}

pub fn opus(data: &[u8]) {
    if let Some(ticks) = codec::opus::duration(data) {
        assert!((120..=5_760).contains(&ticks));
    }
}

pub fn red(data: &[u8]) {
    if let Some(primary) = codec::red::Primary::parse(data) {
        assert!(data.get(primary.range).is_some());
    }
}

/// The payloads of one stream's packets, one after the other, through the selector.
fn payloads(codec: Codec, data: &[u8]) {
    let mut stream = Stream::new(codec);
    for payload in pieces(data) {
        let keyframe = codec::is_keyframe(codec, payload);
        assert!(!keyframe || !payload.is_empty());
        let _ = frame_size(codec, payload);
        let info = LayerInfo::of_payload(codec, payload);
        stream.take(&info, payload, None);
        let mut copy = payload.to_vec();
        let numbers = PictureIds {
            picture_id: Some(0x1234),
            base_layer: Some(0x56),
            frame_number: Some(0x789a),
        };
        info.rewrite(&mut copy, &numbers);
        let again = LayerInfo::of_payload(codec, &copy);
        assert_eq!(again.layer(), info.layer());
        assert_eq!(codec::is_keyframe(codec, &copy), keyframe);
    }
}

/// A selector whose target wanders.
struct Stream {
    codec: Codec,
    selector: Selector,
    layers: StreamLayers,
    packets: u32,
}

impl Stream {
    fn new(codec: Codec) -> Self {
        Self {
            codec,
            selector: Selector::default(),
            layers: StreamLayers::default(),
            packets: 0,
        }
    }

    fn take(
        &mut self,
        info: &LayerInfo,
        payload: &[u8],
        structure: Option<&dependency::Structure>,
    ) -> Verdict {
        self.packets += 1;
        self.layers.note(self.codec, info, payload, structure);
        assert!(self.layers.spatial() >= 1 && self.layers.temporal() >= 1);
        let target = LayerTarget {
            spatial: (self.packets >> 3 & 3) as u8,
            temporal: (self.packets >> 2 & 3) as u8,
        };
        let packet = Candidate {
            info,
            timestamp: self.packets >> 1,
            marker: false,
        };
        let verdict = self.selector.select(packet, target);
        if let Some(again) = self.selector.again(packet) {
            assert_eq!(again, verdict);
        }
        let _ = self.selector.wants_keyframe(target);
        let _ = self.selector.current();
        verdict
    }
}

/// The origin of a target's virtual time.
pub(super) fn epoch() -> Instant {
    #[allow(clippy::disallowed_methods)] // any instant serves as the origin of virtual time
    Instant::now()
}
