//! Real offers and what the answers to them say.

mod garbage;
mod simulcast;
mod terms;

use std::io::Cursor;

use rtc_sdp::description::media::MediaDescription;
use rtc_sdp::description::session::SessionDescription;

use super::*;
use crate::codec::Codec;
use crate::ids::Track;
use crate::rtp::Extension;

/// 1 sendrecv audio, 1 sendonly video, 9 recvonly videos, 4 recvonly audios.
const CHROMIUM: &str = include_str!("../testdata/chromium.sdp");
/// The same.
const FIREFOX: &str = include_str!("../testdata/firefox.sdp");
/// The same.
const WEBRTC_RS: &str = include_str!("../testdata/webrtc-rs.sdp");
/// A microphone, a camera with three rids, a screen, a slot of each kind, a data channel.
const SIMULCAST: &str = include_str!("../testdata/chromium-simulcast.sdp");
/// A microphone, a camera with three rids that prefers AV1, a screen, two video slots, three for audio.
const CHROMIUM_AV1: &str = include_str!("../testdata/chromium-av1.sdp");
/// The same, without the preference.
const FIREFOX_SIMULCAST: &str = include_str!("../testdata/firefox-simulcast.sdp");

fn answer(text: &str) -> Result<(String, Negotiated), SdpError> {
    let video_slots: Vec<SlotSsrcs> = (0..60)
        .map(|slot| SlotSsrcs {
            ssrc: 1_000 + slot,
            rtx_ssrc: 2_000 + slot,
        })
        .collect();
    let candidates = [
        (CandidateProtocol::Udp, "192.0.2.1:7000"),
        (CandidateProtocol::Udp, "[2001:db8::1]:7000"),
        (CandidateProtocol::TcpPassive, "192.0.2.1:7000"),
    ]
    .map(|(protocol, addr)| Candidate {
        protocol,
        addr: addr.parse().unwrap(),
    });
    Offer::parse(text)?.answer(&AnswerParams {
        session_id: 7,
        session_version: 3,
        ice_ufrag: "oursoursours",
        ice_pwd: "ourpasswordourpassword1",
        fingerprint: &[0x5a; 32],
        candidates: &candidates,
        cname: "liandong",
        video_slots: &video_slots,
        audio_slots: &[3_000, 3_001, 3_002, 3_003, 3_004],
    })
}

fn read(text: &str) -> SessionDescription {
    SessionDescription::unmarshal(&mut Cursor::new(text)).unwrap()
}

fn values<'a>(media: &'a MediaDescription, key: &str) -> Vec<&'a str> {
    let of = |key: &str| {
        media
            .attributes
            .iter()
            .filter(move |a| a.key == *key)
            .collect::<Vec<_>>()
    };
    of(key)
        .into_iter()
        .map(|attribute| attribute.value.as_deref().unwrap_or_default())
        .collect()
}

const CHROMIUM_SENDS: [(Codec, u8, Option<u8>); 4] = [
    (Codec::Vp8, 96, Some(97)),
    (Codec::H264, 108, Some(109)),
    (Codec::Av1, 45, Some(46)),
    (Codec::Vp9, 98, Some(99)),
];

fn codecs(list: &[MediaCodec]) -> Vec<(Codec, u8, Option<u8>)> {
    list.iter()
        .map(|c| (c.codec, c.payload_type, c.rtx))
        .collect()
}

/// True of every answer, whatever the offer.
fn check_answer(offer: &str, text: &str, negotiated: &Negotiated) {
    let offered = read(offer);
    let answered = read(text);
    assert_eq!(
        answered.media_descriptions.len(),
        offered.media_descriptions.len()
    );
    assert!(answered.has_attribute("ice-lite"));
    let group = format!("BUNDLE {}", negotiated.bundle.join(" "));
    assert_eq!(answered.attribute("group"), Some(&group));
    assert!(
        answered
            .attribute("fingerprint")
            .unwrap()
            .starts_with("sha-256 5A:5A:")
    );
    let mut accepted = Vec::new();
    for (ours, theirs) in answered
        .media_descriptions
        .iter()
        .zip(&offered.media_descriptions)
    {
        assert!(!ours.media_name.formats.is_empty());
        if ours.media_name.port.value == 0 {
            assert!(ours.has_attribute("inactive"));
            continue;
        }
        assert_eq!(ours.media_name.media, theirs.media_name.media);
        assert_eq!(ours.media_name.protos, theirs.media_name.protos);
        assert_eq!(values(ours, "ice-ufrag"), ["oursoursours"]);
        assert!(ours.has_attribute("rtcp-mux") && ours.has_attribute("rtcp-rsize"));
        for format in &ours.media_name.formats {
            assert!(
                theirs.media_name.formats.contains(format),
                "{format} was not offered"
            );
        }
        // Candidates are the transport's: with the tagged m-line only.
        assert_eq!(ours.has_attribute("candidate"), accepted.is_empty());
        assert_eq!(ours.has_attribute("end-of-candidates"), accepted.is_empty());
        accepted.extend(values(ours, "mid"));
    }
    assert_eq!(accepted, negotiated.bundle);
    assert!(negotiated.video_slots.len() <= MAX_VIDEO_SLOTS);
    assert!(negotiated.audio_slots.len() <= MAX_AUDIO_SLOTS);
}

#[test]
fn chromium_is_answered() {
    let (text, negotiated) = answer(CHROMIUM).unwrap();
    check_answer(CHROMIUM, &text, &negotiated);
    assert_eq!(negotiated.dtls_role, DtlsRole::Passive);
    assert_eq!(negotiated.remote_ice.ufrag.len(), 4);
    assert_eq!(negotiated.fingerprints.len(), 1);

    let [microphone, camera] = negotiated.sends.as_slice() else {
        panic!("{:?}", negotiated.sends);
    };
    assert_eq!(
        (microphone.track, microphone.mid.as_str()),
        (Track::Microphone, "0")
    );
    let audio = [(Codec::Opus, 111, None), (Codec::Red, 63, None)];
    assert_eq!(codecs(&microphone.codecs), audio);
    assert!(microphone.codecs[0].feedback.transport_cc);
    assert_eq!(microphone.extensions.id(Extension::AudioLevel), Some(1));
    assert_eq!(microphone.streams.len(), 1);

    assert_eq!((camera.track, camera.mid.as_str()), (Track::Camera, "1"));
    let video = CHROMIUM_SENDS;
    assert_eq!(codecs(&camera.codecs), video);
    let all = Feedback {
        nack: true,
        pli: true,
        fir: true,
        remb: true,
        transport_cc: true,
    };
    assert!(camera.codecs.iter().all(|codec| codec.feedback == all));
    let ids: Vec<(Extension, u8)> = camera.extensions.iter().collect();
    let wanted = [
        (Extension::Mid, 4),
        (Extension::AbsSendTime, 2),
        (Extension::TransportCc, 3),
        (Extension::VideoOrientation, 13),
    ];
    assert_eq!(ids, wanted);
    assert!(matches!(
        camera.streams[..],
        [SentStream { rtx: Some(_), .. }]
    ));

    assert_eq!(negotiated.video_slots.len(), 9);
    for (index, slot) in negotiated.video_slots.iter().enumerate() {
        assert_eq!(slot.mid, (index + 2).to_string());
        assert_eq!(
            (slot.ssrc, slot.rtx_ssrc),
            (1_000 + index as u32, 2_000 + index as u32)
        );
        let mut received = codecs(&slot.codecs);
        received.sort_by_key(|codec| video.iter().position(|sent| sent == codec));
        assert_eq!(received, video);
        assert!(slot.codecs.iter().all(|codec| codec.feedback == all));
        assert_eq!(slot.extensions.id(Extension::TransportCc), Some(3));
        assert!(slot.mixed_extensions);
        assert_eq!(slot.extensions.id(Extension::VideoOrientation), Some(13));
    }
    // The sendrecv audio is one of the four; the last recvonly one is left over.
    let mids: Vec<&str> = negotiated
        .audio_slots
        .iter()
        .map(|slot| slot.mid.as_str())
        .collect();
    assert_eq!(mids, ["0", "11", "12", "13"]);
    assert_eq!(read(&text).media_descriptions[14].media_name.port.value, 0);
}

#[test]
fn chromium_answer_says_what_was_agreed() {
    let (text, _) = answer(CHROMIUM).unwrap();
    let read = read(&text);
    assert_eq!(
        (read.origin.session_id, read.origin.session_version),
        (7, 3)
    );
    let [audio, camera, slot, ..] = read.media_descriptions.as_slice() else {
        panic!("{text}");
    };
    assert!(audio.has_attribute("sendrecv"));
    assert!(camera.has_attribute("recvonly"));
    assert!(slot.has_attribute("sendonly"));
    assert_eq!(values(audio, "setup"), ["passive"]);
    assert_eq!(
        values(audio, "candidate"),
        [
            "1 1 udp 2130706431 192.0.2.1 7000 typ host",
            "2 1 udp 2130706175 2001:db8::1 7000 typ host",
            "3 1 tcp 1526726143 192.0.2.1 7000 typ host tcptype passive",
        ]
    );
    assert_eq!(
        values(audio, "fmtp"),
        ["111 minptime=10;useinbandfec=1", "63 111/111"]
    );
    assert!(values(camera, "ssrc").is_empty() && values(camera, "msid").is_empty());
    assert_eq!(values(slot, "msid"), ["video-slot-0 video-0"]);
    assert_eq!(values(slot, "ssrc-group"), ["FID 1000 2000"]);
    assert_eq!(
        values(slot, "ssrc"),
        ["1000 cname:liandong", "2000 cname:liandong"]
    );
    assert_eq!(
        values(slot, "fmtp"),
        [
            "97 apt=96",
            "98 profile-id=0",
            "99 apt=98",
            "108 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
            "109 apt=108",
            "45 level-idx=5;profile=0;tier=0",
            "46 apt=45",
        ]
    );
    assert!(values(slot, "rtcp-fb").contains(&"96 nack pli"));
    assert!(values(slot, "rtcp-fb").contains(&"96 transport-cc"));
}

#[test]
fn firefox_is_answered() {
    let (text, negotiated) = answer(FIREFOX).unwrap();
    check_answer(FIREFOX, &text, &negotiated);
    let tracks: Vec<Track> = negotiated.sends.iter().map(|send| send.track).collect();
    assert_eq!(tracks, [Track::Microphone, Track::Camera]);
    assert_eq!(
        codecs(&negotiated.sends[0].codecs),
        [(Codec::Opus, 109, None)]
    );
    // No H.264 without its plug-in.
    let video = [
        (Codec::Vp8, 120, Some(124)),
        (Codec::Vp9, 121, Some(125)),
        (Codec::Av1, 99, Some(100)),
    ];
    assert_eq!(codecs(&negotiated.sends[1].codecs), video);
    assert_eq!(
        negotiated.sends[1].extensions.id(Extension::TransportCc),
        Some(7)
    );
    assert_eq!(
        negotiated.video_slots.len(),
        9,
        "bundle-only m-lines have port 0"
    );
    assert_eq!(codecs(&negotiated.video_slots[8].codecs), video);
    assert_eq!(negotiated.audio_slots.len(), 4);
    let microphone = &read(&text).media_descriptions[0];
    assert_eq!(
        values(microphone, "fmtp"),
        ["109 minptime=10;useinbandfec=1;stereo=1"]
    );
}

#[test]
fn webrtc_crate_is_answered() {
    let (text, negotiated) = answer(WEBRTC_RS).unwrap();
    check_answer(WEBRTC_RS, &text, &negotiated);
    let sent: Vec<(Track, u32)> = negotiated
        .sends
        .iter()
        .map(|send| (send.track, send.streams[0].ssrc))
        .collect();
    assert_eq!(sent, [(Track::Microphone, 11), (Track::Camera, 22)]);
    assert_eq!(
        codecs(&negotiated.video_slots[0].codecs),
        [
            (Codec::Vp8, 96, Some(97)),
            (Codec::Vp9, 98, Some(99)),
            (Codec::H264, 125, Some(105)),
            (Codec::Av1, 41, Some(106)),
            (Codec::H265, 126, Some(107)),
        ]
    );
    assert_eq!(negotiated.audio_slots.len(), 4);
}

#[test]
fn data_channels_are_declined() {
    let (text, negotiated) = answer(SIMULCAST).unwrap();
    check_answer(SIMULCAST, &text, &negotiated);
    let sends: Vec<(Track, usize)> = negotiated
        .sends
        .iter()
        .map(|send| (send.track, send.streams.len()))
        .collect();
    // With rids, SSRCs are not declared.
    assert_eq!(
        sends,
        [
            (Track::Microphone, 1),
            (Track::Camera, 0),
            (Track::Screen, 1)
        ]
    );
    let read = read(&text);
    let data = read.media_descriptions.last().unwrap();
    assert_eq!(
        (data.media_name.media.as_str(), data.media_name.port.value),
        ("application", 0)
    );
    assert!(read.media_descriptions[0].has_attribute("recvonly"));
}

#[test]
fn paused_camera_keeps_its_place() {
    let camera = SIMULCAST.find("m=video").unwrap();
    let mut paused = SIMULCAST.to_owned();
    paused.replace_range(
        camera..,
        &SIMULCAST[camera..].replacen("a=sendonly", "a=inactive", 1),
    );
    let (text, negotiated) = answer(&paused).unwrap();
    check_answer(&paused, &text, &negotiated);
    let tracks: Vec<Track> = negotiated.sends.iter().map(|send| send.track).collect();
    assert_eq!(tracks, [Track::Microphone, Track::Screen]);
    assert!(read(&text).media_descriptions[1].has_attribute("inactive"));
    assert_eq!(negotiated.bundle, ["0", "1", "2", "3", "4"]);
}

#[test]
fn slides_are_the_screen_wherever_they_stand() {
    let slides = SIMULCAST.replacen("a=mid:1", "a=mid:1\r\na=content:slides", 1);
    let (_, negotiated) = answer(&slides).unwrap();
    let tracks: Vec<(&str, Track)> = negotiated
        .sends
        .iter()
        .map(|send| (send.mid.as_str(), send.track))
        .collect();
    assert_eq!(
        tracks,
        [
            ("0", Track::Microphone),
            ("1", Track::Screen),
            ("2", Track::Camera)
        ]
    );
}
