//! One slot and what its receiver decrypts.

use super::*;
use crate::codec::dependency::{self, tests as dependency_tests};
use crate::codec::red;
use crate::rtp::{AudioLevel, ExtensionMap, RtpHeader};
use crate::sdp::Feedback;
use crate::transport::{SrtpIn, SrtpProfile};

const OPUS: u8 = 109;
const RED: u8 = 63;

fn start() -> Instant {
    #[allow(clippy::disallowed_methods)] // any instant serves as the origin of virtual time
    Instant::now()
}

fn codec(codec: Codec, payload_type: u8, rtx: Option<u8>) -> MediaCodec {
    MediaCodec {
        codec,
        payload_type,
        rtx,
        feedback: Feedback::default(),
    }
}

fn extensions() -> ExtensionMap {
    let mut map = ExtensionMap::default();
    map.insert(Extension::Mid, 3);
    map.insert(Extension::AudioLevel, 7);
    map.insert(Extension::VideoOrientation, 9);
    map
}

fn audio_slot(codecs: Vec<MediaCodec>) -> Slot {
    let media = AudioSlotMedia {
        mid: "a1".into(),
        codecs,
        extensions: extensions(),
        ssrc: 11,
    };
    Slot::audio(media, [0xffff, 5])
}

fn video_slot(codecs: Vec<MediaCodec>) -> Slot {
    let media = VideoSlotMedia {
        mid: "v1".into(),
        codecs,
        extensions: extensions(),
        mixed_extensions: false,
        ssrc: 21,
        rtx_ssrc: 22,
    };
    Slot::video(media, [100, 200])
}

struct Line {
    srtp: SrtpOut,
    receiver: SrtpIn,
    slot: Slot,
    out: Vec<u8>,
}

impl Line {
    fn new(slot: Slot) -> Self {
        let profile = SrtpProfile::AeadAes128Gcm;
        Self {
            srtp: SrtpOut::new(profile, &[1; 16], &[2; 12]).unwrap(),
            receiver: SrtpIn::new(profile, &[1; 16], &[2; 12]).unwrap(),
            slot,
            out: Vec::new(),
        }
    }

    fn forward(
        &mut self,
        life: u32,
        sequence: u64,
        meta: &PacketMeta,
        payload: &[u8],
    ) -> Forwarding {
        self.out.clear();
        let origin = Origin {
            source: 0,
            encoding: EncodingIndex(0),
            life,
        };
        let feed = Feed {
            origin,
            clock: None,
            present: None,
            structure: None,
        };
        self.slot.forward(
            start(),
            &self.srtp,
            (feed, sequence),
            (meta, payload),
            None,
            &mut self.out,
        )
    }

    /// What came out, decrypted.
    fn clear(&mut self) -> (RtpHeader, Vec<u8>) {
        let len = self.receiver.unprotect_rtp(&mut self.out).unwrap();
        self.out.truncate(len);
        (RtpHeader::parse(&self.out).unwrap(), self.out.clone())
    }
}

/// A redundant block of 5 bytes and a primary of 20, as Chromium sends them.
fn red_payload() -> Vec<u8> {
    let mut payload = vec![0x80 | 111, 0x0f, 0x00, 5, 111];
    payload.extend([0x11; 5]);
    payload.extend([0x78; 20]);
    payload
}

#[test]
fn red_is_passed_with_the_receivers_numbers() {
    let codecs = vec![codec(Codec::Red, RED, None), codec(Codec::Opus, OPUS, None)];
    let mut line = Line::new(audio_slot(codecs));
    let payload = red_payload();
    let mut meta = PacketMeta::new(Codec::Red, 960, false, &payload);
    meta.level = Some(AudioLevel {
        minus_dbov: 33,
        voice: true,
    });
    assert_eq!(line.forward(1, 1_000, &meta, &payload), Forwarding::Began);
    let (header, packet) = line.clear();
    assert_eq!(header.payload_type, RED);
    assert!(header.marker, "a new speaker begins");
    let values = extensions().read(&header, &packet);
    assert_eq!(values.mid, Some(&b"a1"[..]));
    assert_eq!(values.audio_level, meta.level);
    let body = header.payload(&packet);
    assert_eq!(body[0] & 0x7f, OPUS);
    let primary = red::Primary::parse(body).unwrap();
    assert_eq!(primary.payload_type, OPUS);
    assert_eq!(body[5..], payload[5..]);
}

#[test]
fn red_is_stripped_for_receivers_without_it() {
    let mut line = Line::new(audio_slot(vec![codec(Codec::Opus, OPUS, None)]));
    let payload = red_payload();
    let meta = PacketMeta::new(Codec::Red, 960, false, &payload);
    assert_eq!(line.forward(1, 1_000, &meta, &payload), Forwarding::Began);
    let (header, packet) = line.clear();
    assert_eq!(header.payload_type, OPUS);
    assert_eq!(header.payload(&packet), [0x78; 20]);
    // A RED payload whose lengths lie has no primary.
    let lying = [0x80 | 111, 0x0f, 0x03, 0xff, 111, 1];
    let meta = PacketMeta::new(Codec::Red, 1_920, false, &lying);
    assert_eq!(line.forward(1, 1_001, &meta, &lying), Forwarding::Sent);
    let (header, packet) = line.clear();
    assert_eq!(header.payload(&packet), [0; 0]);
}

#[test]
fn without_the_codec_nothing_is_sent() {
    let mut line = Line::new(video_slot(vec![codec(Codec::Vp8, 96, Some(97))]));
    let idr = [0x65, 0x88, 0x84];
    let meta = PacketMeta::new(Codec::H264, 0, true, &idr);
    assert_eq!(line.forward(1, 1_000, &meta, &idr), Forwarding::Unsupported);
    assert!(line.out.is_empty());
}

#[test]
fn h264_begins_with_its_parameter_sets_and_keeps_its_bytes() {
    let mut line = Line::new(video_slot(vec![codec(Codec::H264, 102, Some(103))]));
    let packets: [(&[u8], Forwarding); 4] = [
        (&[0x41, 0x9a, 1], Forwarding::Held),
        (
            &[0x78, 0, 2, 0x67, 0x42, 0, 2, 0x68, 0xce],
            Forwarding::Began,
        ),
        (&[0x7c, 0x85, 0x88, 0x84], Forwarding::Sent),
        (&[0x7c, 0x45, 0x12, 0x13], Forwarding::Sent),
    ];
    for (sequence, (payload, fate)) in (500..).zip(packets) {
        let mut meta = PacketMeta::new(Codec::H264, 90_000, sequence == 503, payload);
        meta.orientation = (sequence == 503).then_some(1);
        assert_eq!(line.forward(1, sequence, &meta, payload), fate);
        if fate == Forwarding::Held {
            continue;
        }
        let (header, packet) = line.clear();
        assert_eq!(header.payload(&packet), payload);
        assert_eq!(header.sequence, 100 + (sequence - 501) as u16);
        assert_eq!(header.marker, sequence == 503);
        let values = extensions().read(&header, &packet);
        assert_eq!(values.video_orientation, meta.orientation);
    }
}

/// Spatial layers that only a descriptor tells apart go to those who read descriptors;
/// others get the lowest, which is a stream of its own.
#[test]
fn without_the_descriptor_only_the_lowest_spatial_layer_is_sent() {
    // Both layers of a keyframe, then of a picture that builds on it.
    let frames = [(1, true), (3, false), (0, false), (2, false)];
    for (describes, fates) in [
        (true, "began sent held sent"),
        (false, "began held sent held"),
    ] {
        let mut map = extensions();
        if describes {
            map.insert(Extension::DependencyDescriptor, 5);
        }
        let media = VideoSlotMedia {
            mid: "v1".into(),
            codecs: vec![codec(Codec::Av1, 45, None)],
            extensions: map,
            mixed_extensions: true,
            ssrc: 21,
            rtx_ssrc: 22,
        };
        let mut line = Line::new(Slot::video(media, [100, 200]));
        let mut reader = dependency::Reader::default();
        let mut found = Vec::new();
        for (number, (template, keyframe)) in (0_u16..).zip(frames) {
            let more = dependency_tests::Extended {
                structure: keyframe.then_some(dependency_tests::L2T1_KEY),
                ..Default::default()
            };
            let value = dependency_tests::descriptor((true, true), template, number, more);
            let payload = [0x10 | u8::from(keyframe) << 3, 0x30, 7];
            let timestamp = u32::from(number / 2) * 6_000;
            let mut meta = PacketMeta::new(Codec::Av1, timestamp, number % 2 == 1, &payload);
            meta.info = LayerInfo::Dependency(reader.read(&value).unwrap());
            meta.descriptor_bytes = value.len() as u8;
            let stored = [&payload[..], &value].concat();
            found.push(
                match line.forward(1, u64::from(number) + 500, &meta, &stored) {
                    Forwarding::Began => "began",
                    Forwarding::Sent => "sent",
                    Forwarding::Held => "held",
                    Forwarding::Unsupported | Forwarding::Unsealed => "refused",
                },
            );
        }
        assert_eq!(found.join(" "), fates, "{describes}");
    }
}

#[test]
fn a_repair_without_rtx_repeats_the_very_bytes() {
    let mut line = Line::new(video_slot(vec![codec(Codec::Vp8, 96, None)]));
    let key = [0x90, 0xc0, 0x81, 0x02, 7, 0x00, 1, 2, 3];
    let meta = PacketMeta::new(Codec::Vp8, 5, true, &key);
    assert_eq!(line.forward(1, 1_000, &meta, &key), Forwarding::Began);
    let sent = line.out.clone();
    // Another source follows in the slot before the repair is asked for.
    assert_eq!(line.forward(2, 9_000, &meta, &key), Forwarding::Began);
    assert_ne!(line.out, sent);
    line.out.clear();
    let again = line
        .slot
        .resend(&line.srtp, (100, 1_000), (&meta, &key, None), &mut line.out);
    assert!(again);
    assert_eq!(line.out, sent);
}

#[test]
fn a_repair_by_rtx_has_its_own_stream() {
    let mut line = Line::new(video_slot(vec![codec(Codec::Vp8, 96, Some(97))]));
    let key = [0x90, 0xc0, 0x81, 0x02, 7, 0x00, 1, 2, 3];
    let meta = PacketMeta::new(Codec::Vp8, 5, true, &key);
    line.forward(1, 1_000, &meta, &key);
    for number in 0..3 {
        line.out.clear();
        let packet = (100, 1_000);
        assert!(
            line.slot
                .resend(&line.srtp, packet, (&meta, &key, None), &mut line.out)
        );
        let (header, packet) = line.clear();
        assert_eq!((header.ssrc, header.payload_type), (22, 97));
        assert_eq!(header.sequence, 200 + number);
        let body = header.payload(&packet);
        assert_eq!(body[..2], 100_u16.to_be_bytes());
        assert_eq!(body[2..], key);
    }
    line.out.clear();
    // What was never sent is not sent again.
    let unknown = (101, 1_001);
    let resent = line
        .slot
        .resend(&line.srtp, unknown, (&meta, &key, None), &mut line.out);
    assert!(!resent && line.out.is_empty());
}

/// A VP8 packet of one picture, of which it is all.
fn layered(id: u8, temporal: u8, keyframe: bool) -> ([u8; 9], PacketMeta) {
    let payload = [
        0x90,
        0xe0,
        0x80,
        id,
        1,
        temporal << 6,
        u8::from(!keyframe),
        0xaa,
        id,
    ];
    let timestamp = u32::from(id) * 3_000;
    let meta = PacketMeta::new(Codec::Vp8, timestamp, true, &payload);
    (payload, meta)
}

#[test]
fn without_rtx_only_what_is_known_is_repeated() {
    let mut line = Line::new(video_slot(vec![codec(Codec::Vp8, 96, None)]));
    line.slot.meanwhile.temporal = 0;
    let again = |line: &mut Line, packet, (payload, meta): &([u8; 9], PacketMeta)| {
        line.out.clear();
        let resent = line
            .slot
            .resend(&line.srtp, packet, (meta, payload, None), &mut line.out);
        assert_eq!(resent, !line.out.is_empty());
        resent
    };
    let (key, late, base) = (
        layered(1, 0, true),
        layered(2, 2, false),
        layered(3, 0, false),
    );
    assert_eq!(line.forward(1, 1_000, &key.1, &key.0), Forwarding::Began);
    assert_eq!(line.forward(1, 1_002, &base.1, &base.0), Forwarding::Sent);
    // It is not decided yet what becomes of it: whatever went out now under
    // its number could differ from what goes out then, under the same nonce.
    assert!(!again(&mut line, (101, 1_001), &late));
    assert_eq!(line.forward(1, 1_001, &late.1, &late.0), Forwarding::Sent);
    let sent = line.out.clone();
    assert!(again(&mut line, (101, 1_001), &late));
    assert_eq!(line.out, sent);
    let (header, packet) = line.clear();
    assert!(header.payload(&packet).is_empty() && !header.marker);
    // Newer pictures, until the decision is forgotten.
    for id in 4..90 {
        let (payload, meta) = layered(id, 0, false);
        let sequence = 999 + u64::from(id);
        assert_eq!(line.forward(1, sequence, &meta, &payload), Forwarding::Sent);
    }
    assert!(!again(&mut line, (101, 1_001), &late));
    let newest = layered(89, 0, false);
    assert!(again(&mut line, (188, 1_088), &newest));
}

#[test]
fn complaints_within_the_interval_count_once() {
    let mut slot = video_slot(vec![codec(Codec::Vp8, 96, None)]);
    let (mut now, interval) = (start(), Duration::from_millis(20));
    for wire in 0..200 {
        assert!(slot.may_resend(now, wire, interval));
    }
    assert!(!slot.may_resend(now, 199, interval));
    now += interval;
    assert!(slot.may_resend(now, 199, interval));
    assert!(slot.resent.len() <= super::repair::RECENT_RESENDS);
}

#[test]
fn an_idle_slot_is_small() {
    // 53 of them have to fit into an idle participant's 150 kB with much else.
    assert!(size_of::<Slot>() <= 640, "{}", size_of::<Slot>());
}
