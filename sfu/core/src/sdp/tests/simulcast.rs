//! Several encodings of one track (RFC 8851, 8852, 8853), and what comes with them.

use super::terms::{SESSION, small};
use super::*;

/// The camera's rids and its lines of the answer.
fn camera(offer: &str) -> (Vec<String>, Vec<String>) {
    let (text, negotiated) = answer(offer).unwrap();
    check_answer(offer, &text, &negotiated);
    let camera = negotiated
        .sends
        .iter()
        .find(|send| send.track == Track::Camera)
        .unwrap();
    let read = read(&text);
    let media = read
        .media_descriptions
        .iter()
        .find(|media| values(media, "mid") == [camera.mid.as_str()])
        .unwrap();
    let lines = ["rid", "simulcast"]
        .into_iter()
        .flat_map(|key| {
            values(media, key)
                .into_iter()
                .map(move |v| format!("{key}:{v}"))
        })
        .collect();
    (camera.rids.clone(), lines)
}

/// An offer of a camera that has these lines, and what the answer says to them.
fn asked(lines: &[&str]) -> (Vec<String>, Vec<String>) {
    let mut media = vec![
        "m=video 9 UDP/TLS/RTP/SAVPF 96 98",
        "a=mid:0",
        "a=setup:actpass",
        "a=rtcp-mux",
        "a=sendonly",
        "a=rtpmap:96 VP8/90000",
        "a=rtpmap:98 H263/90000",
    ];
    if lines.iter().all(|line| !line.starts_with("a=extmap")) {
        media.push("a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id");
    }
    media.extend(lines);
    camera(&small(&SESSION, &media))
}

#[test]
fn browsers_may_send_three_encodings() {
    for offer in [SIMULCAST, CHROMIUM_AV1, FIREFOX_SIMULCAST] {
        let (rids, lines) = camera(offer);
        assert_eq!(rids, ["q", "h", "f"]);
        let wanted = [
            "rid:q recv",
            "rid:h recv",
            "rid:f recv",
            "simulcast:recv q;h;f",
        ];
        assert_eq!(lines, wanted);
        let (_, negotiated) = answer(offer).unwrap();
        for send in &negotiated.sends {
            let layered = send.track == Track::Camera;
            assert_eq!(send.rids.is_empty(), !layered, "{:?}", send.track);
            for extension in [Extension::Rid, Extension::RepairedRid] {
                assert_eq!(send.extensions.id(extension).is_some(), layered);
            }
            assert!(send.extensions.id(Extension::TransportCc).is_some());
        }
    }
}

#[test]
fn encodings_by_steps() {
    type Row = (
        &'static [&'static str],
        &'static [&'static str],
        &'static str,
    );
    let table: &[Row] = &[
        // A paused one may come later; of alternatives the first that is declared.
        (
            &["a=rid:a send", "a=rid:c send", "a=simulcast:send ~a;b,c"],
            &["a", "c"],
            "rid:a recv|rid:c recv|simulcast:recv a;c",
        ),
        // What the client would receive is not what it sends.
        (
            &[
                "a=rid:a send",
                "a=rid:b send",
                "a=rid:r recv",
                "a=simulcast:recv r send a;b",
            ],
            &["a", "b"],
            "rid:a recv|rid:b recv|simulcast:recv a;b",
        ),
        (
            &[
                "a=rid:a send",
                "a=rid:b send",
                "a=rid:c send",
                "a=rid:d send",
                "a=simulcast:send a;b;c;d",
            ],
            &["a", "b", "c"],
            "rid:a recv|rid:b recv|rid:c recv|simulcast:recv a;b;c",
        ),
        // Restrictions come back, without the payload types that are not ours.
        (
            &[
                "a=rid:a send pt=96,98;max-width=320",
                "a=rid:b send max-fr=15",
                "a=simulcast:send a;b",
            ],
            &["a", "b"],
            "rid:a recv pt=96;max-width=320|rid:b recv max-fr=15|simulcast:recv a;b",
        ),
        // One of one codec that is not ours, one twice, one of an empty or too long name,
        // one that is not declared: nothing is left to choose from.
        (
            &["a=rid:a send", "a=rid:b send pt=98", "a=simulcast:send a;b"],
            &[],
            "",
        ),
        (&["a=rid:a send", "a=simulcast:send a;a"], &[], ""),
        (
            &["a=rid:a send", "a=rid: send", "a=simulcast:send a;;"],
            &[],
            "",
        ),
        (
            &[
                "a=rid:a send",
                "a=rid:abcdefghijklmnopq send",
                "a=simulcast:send a;abcdefghijklmnopq",
            ],
            &[],
            "",
        ),
        (&["a=rid:a send", "a=simulcast:send a;b"], &[], ""),
        (
            &["a=rid:a send", "a=rid:b recv", "a=simulcast:send a;b"],
            &[],
            "",
        ),
        (
            &["a=rid:a send", "a=rid:b sendonly", "a=simulcast:send a;b"],
            &[],
            "",
        ),
        (
            &["a=rid:a send", "a=rid:b send", "a=simulcast:recv a;b"],
            &[],
            "",
        ),
        (&["a=rid:a send", "a=rid:b send"], &[], ""),
        // Nobody could tell them apart.
        (
            &[
                "a=extmap:10/recvonly urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
                "a=rid:a send",
                "a=rid:b send",
                "a=simulcast:send a;b",
            ],
            &[],
            "",
        ),
    ];
    for (lines, rids, answered) in table {
        let (found, written) = asked(lines);
        assert_eq!(found, *rids, "{lines:?}");
        assert_eq!(written.join("|"), *answered, "{lines:?}");
    }
}

#[test]
fn picture_ids_of_vp8_are_not_traded_for_the_dependency_descriptor() {
    let dependency = Extension::DependencyDescriptor;
    for (offer, sent) in [
        (SIMULCAST, None),
        (CHROMIUM_AV1, Some(12)),
        (FIREFOX_SIMULCAST, None),
    ] {
        let (_, negotiated) = answer(offer).unwrap();
        let camera = &negotiated.sends[1];
        assert_eq!(camera.track, Track::Camera);
        assert_eq!(camera.extensions.id(dependency), sent);
    }
    // What we send may have it, whatever comes first.
    let (_, negotiated) = answer(SIMULCAST).unwrap();
    assert_eq!(negotiated.video_slots[0].codecs[0].codec, Codec::Vp8);
    assert_eq!(
        negotiated.video_slots[0].extensions.id(dependency),
        Some(12)
    );
}

#[test]
fn preference_of_the_client_decides_the_order() {
    let (text, negotiated) = answer(CHROMIUM_AV1).unwrap();
    let sent = codecs(&negotiated.sends[1].codecs);
    assert_eq!(
        sent,
        [
            (Codec::Av1, 45, Some(46)),
            (Codec::Vp8, 96, Some(97)),
            (Codec::H264, 108, Some(109)),
            (Codec::Vp9, 98, Some(99)),
        ]
    );
    let camera = &read(&text).media_descriptions[1];
    assert_eq!(
        camera.media_name.formats,
        ["45", "96", "108", "98", "46", "97", "109", "99"]
    );
    let parameters = values(camera, "fmtp");
    assert!(
        parameters.contains(&"45 level-idx=5;profile=0;tier=0"),
        "{parameters:?}"
    );
    assert!(parameters.contains(&"98 profile-id=0"), "{parameters:?}");
}

#[test]
fn both_forms_of_extensions_where_the_client_takes_both() {
    for offer in [CHROMIUM_AV1, FIREFOX_SIMULCAST] {
        let (text, negotiated) = answer(offer).unwrap();
        assert!(
            negotiated
                .video_slots
                .iter()
                .all(|slot| slot.mixed_extensions)
        );
        for media in &read(&text).media_descriptions {
            assert!(media.has_attribute("extmap-allow-mixed"));
        }
    }
    let lines = [
        "m=video 9 UDP/TLS/RTP/SAVPF 96",
        "a=mid:0",
        "a=setup:actpass",
        "a=rtcp-mux",
        "a=sendonly",
        "a=rtpmap:96 VP8/90000",
        "a=extmap:200 urn:3gpp:video-orientation",
    ];
    let ids = |lines: &[&str]| {
        let (text, negotiated) = answer(&small(&SESSION, lines)).unwrap();
        let id = negotiated.sends[0]
            .extensions
            .id(Extension::VideoOrientation);
        (id, text.contains("a=extmap-allow-mixed"))
    };
    assert_eq!(ids(&lines), (None, false));
    assert_eq!(
        ids(&[&lines[..], &["a=extmap-allow-mixed"]].concat()),
        (Some(200), true)
    );
}

/// The wall of 49 slots with every codec: the answer fits a message with room to spare.
#[test]
fn largest_answer_is_bounded() {
    let start = SIMULCAST.rfind("m=video").unwrap();
    let end = SIMULCAST.rfind("m=audio").unwrap();
    let slot = &SIMULCAST[start..end];
    let trimmed: String = slot
        .lines()
        // A client that offers every profile and repair format exceeds the limit of offers.
        .filter(|line| !line.starts_with("a=rtcp-fb:4") && !line.starts_with("a=rtcp-fb:3"))
        .map(|line| format!("{line}\r\n"))
        .collect();
    let mut offer = SIMULCAST[..start].to_owned();
    let mids: Vec<String> = (0..3 + MAX_VIDEO_SLOTS)
        .map(|mid| mid.to_string())
        .collect();
    offer = offer.replace("BUNDLE 0 1 2 3 4 5", &format!("BUNDLE {}", mids.join(" ")));
    for mid in &mids[3..] {
        offer.push_str(&trimmed.replace("a=mid:3", &format!("a=mid:{mid}")));
    }
    assert!(offer.len() < MAX_OFFER_BYTES, "{}", offer.len());
    let (text, negotiated) = answer(&offer).unwrap();
    assert_eq!(negotiated.video_slots.len(), MAX_VIDEO_SLOTS);
    assert_eq!(negotiated.video_slots[48].codecs.len(), 4);
    assert!(text.len() < MAX_OFFER_BYTES / 2, "{}", text.len());
}
