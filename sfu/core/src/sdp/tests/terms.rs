//! Offers of a few lines: the terms of an agreement, and what has none.

use super::*;

/// An offer of one m-line, made of lines.
pub(super) fn small(session: &[&str], media: &[&str]) -> String {
    let mut lines = vec!["v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0"];
    lines.extend(session);
    lines.extend(media);
    lines.join("\r\n") + "\r\n"
}

pub(super) const SESSION: [&str; 4] = [
    "a=group:BUNDLE 0",
    "a=ice-ufrag:abcd",
    "a=ice-pwd:0123456789012345678901",
    "a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0f",
];
pub(super) const AUDIO: [&str; 6] = [
    "m=audio 9 UDP/TLS/RTP/SAVPF 111",
    "a=mid:0",
    "a=setup:actpass",
    "a=rtcp-mux",
    "a=sendonly",
    "a=rtpmap:111 opus/48000/2",
];

#[test]
fn tracks_and_slots_beyond_the_limits_are_rejected() {
    let mut text = small(&[], &[]);
    let mids: Vec<String> = (0..60).map(|mid| mid.to_string()).collect();
    let mut push = |line: &str| {
        text.push_str(line);
        text.push_str("\r\n");
    };
    push(&format!("a=group:BUNDLE {}", mids.join(" ")));
    SESSION[1..].iter().for_each(|line| push(line));
    for (index, mid) in mids.iter().enumerate() {
        push("m=video 9 UDP/TLS/RTP/SAVPF 96");
        push(&format!("a=mid:{mid}"));
        push("a=rtpmap:96 VP8/90000");
        push("a=rtcp-mux\r\na=setup:actpass");
        push(if index < 3 {
            "a=sendonly"
        } else {
            "a=recvonly"
        });
    }
    let (answered, negotiated) = answer(&text).unwrap();
    check_answer(&text, &answered, &negotiated);
    assert_eq!(negotiated.video_slots.len(), MAX_VIDEO_SLOTS);
    assert_eq!(negotiated.sends.len(), 2, "a camera and a screen");
    assert_eq!(negotiated.bundle.len(), MAX_VIDEO_SLOTS + 2);
    assert_eq!(Offer::parse(&text).unwrap().video_slots(), 57);
}

#[test]
fn roles_follow_the_setup_of_the_offer() {
    for (setup, role, written) in [
        ("actpass", DtlsRole::Passive, "passive"),
        ("active", DtlsRole::Passive, "passive"),
        ("passive", DtlsRole::Active, "active"),
    ] {
        let text = small(&SESSION, &AUDIO).replace("actpass", setup);
        let (answered, negotiated) = answer(&text).unwrap();
        assert_eq!(negotiated.dtls_role, role);
        assert_eq!(
            values(&read(&answered).media_descriptions[0], "setup"),
            [written]
        );
    }
}

#[test]
fn transport_of_the_session_serves_where_the_media_has_none() {
    let (_, negotiated) = answer(&small(&SESSION, &AUDIO)).unwrap();
    assert_eq!(negotiated.remote_ice.ufrag, "abcd");
    let mut own = AUDIO.to_vec();
    own.extend(["a=ice-ufrag:mine", "a=ice-pwd:9876543210987654321098"]);
    let (_, negotiated) = answer(&small(&SESSION, &own)).unwrap();
    assert_eq!(negotiated.remote_ice.ufrag, "mine");
    assert_eq!(negotiated.remote_ice.pwd, "9876543210987654321098");
}

#[test]
fn fingerprint_is_of_the_certificate() {
    let digest = ring::digest::digest(&ring::digest::SHA256, b"certificate");
    let hex: Vec<String> = digest
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let line = format!("a=fingerprint:SHA-256 {}", hex.join(":"));
    let mut session = SESSION;
    session[3] = &line;
    let (_, negotiated) = answer(&small(&session, &AUDIO)).unwrap();
    assert!(negotiated.fingerprints[0].matches(b"certificate"));
    assert!(!negotiated.fingerprints[0].matches(b"another"));
}

#[test]
fn what_cannot_be_answered_is_refused() {
    let whole = small(&SESSION, &AUDIO);
    let without = |line: &str| whole.replace(&format!("{line}\r\n"), "");
    let with = |from: &str, to: &str| whole.replace(from, to);
    let twice = whole.clone() + &AUDIO.join("\r\n") + "\r\n";
    let alone = with("a=mid:0", "a=mid:1");
    let long = with("a=mid:0", "a=mid:01234567890123456");
    let mut many = small(&SESSION, &[]);
    many.push_str(&"m=audio 0 UDP/TLS/RTP/SAVPF 0\r\n".repeat(MAX_MEDIA + 1));
    let huge = whole.clone() + &"a=x:y\r\n".repeat(MAX_OFFER_BYTES / 7);
    let table = [
        ("many m-lines", many, SdpError::TooLarge),
        ("huge", huge, SdpError::TooLarge),
        ("no mid", without("a=mid:0"), SdpError::BadMid),
        ("mid twice", twice, SdpError::BadMid),
        ("long mid", long, SdpError::BadMid),
        ("not bundled", alone, SdpError::NotBundled),
        ("no group", without(SESSION[0]), SdpError::NotBundled),
        ("no mux", without("a=rtcp-mux"), SdpError::NoRtcpMux),
        ("no ufrag", without(SESSION[1]), SdpError::BadIce),
        (
            "short password",
            with("0123456789012345678901", "short"),
            SdpError::BadIce,
        ),
        ("foreign ufrag", with("abcd", "ab d"), SdpError::BadIce),
        (
            "no fingerprint",
            without(SESSION[3]),
            SdpError::BadFingerprint,
        ),
        (
            "weak hash",
            with("sha-256", "sha-1"),
            SdpError::BadFingerprint,
        ),
        ("short digest", with("00:01:", ""), SdpError::BadFingerprint),
        (
            "signed digits",
            with("00:01:02", "+0:01:02"),
            SdpError::BadFingerprint,
        ),
        ("holdconn", with("actpass", "holdconn"), SdpError::BadSetup),
        ("no setup", without("a=setup:actpass"), SdpError::BadSetup),
        ("no m-line", small(&SESSION, &[]), SdpError::NoMedia),
        (
            "data only",
            with(
                "m=audio 9 UDP/TLS/RTP/SAVPF 111",
                "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
            ),
            SdpError::NoMedia,
        ),
        (
            "unencrypted",
            with("UDP/TLS/RTP/SAVPF", "RTP/AVP"),
            SdpError::NoMedia,
        ),
        ("no codec of ours", with("opus", "G722"), SdpError::NoMedia),
    ];
    for (what, text, error) in table {
        assert_eq!(answer(&text).map(|_| ()), Err(error), "{what}");
    }
    for text in ["", "hello", "v=0", "v=0\r\no=- 1 1 IN IP4 x\r\nm=audio"] {
        let refused = answer(text).unwrap_err();
        assert!(matches!(refused, SdpError::Syntax(_)), "{text}: {refused}");
    }
}

#[test]
fn codecs_by_steps() {
    // (payload types, attributes, agreed)
    type Row = (
        &'static str,
        &'static str,
        &'static [(Codec, u8, Option<u8>)],
    );
    let table: &[Row] = &[
        (
            "96 97",
            "rtpmap:96 vp8/90000;rtpmap:97 RTX/90000;fmtp:97 apt=96",
            &[(Codec::Vp8, 96, Some(97))],
        ),
        (
            "96",
            "rtpmap:96 VP8/90000;rtpmap:97 rtx/90000;fmtp:97 apt=96",
            &[(Codec::Vp8, 96, None)],
        ),
        // Profile 0 if nothing is said; the first of each codec, in the order of the offer.
        (
            "98 35 45 96",
            "rtpmap:98 VP9/90000;rtpmap:35 VP9/90000;fmtp:35 profile-id=0;\
             rtpmap:45 AV1/90000;rtpmap:96 VP8/90000",
            &[
                (Codec::Vp9, 98, None),
                (Codec::Av1, 45, None),
                (Codec::Vp8, 96, None),
            ],
        ),
        (
            "100 98 47 45",
            "rtpmap:100 VP9/90000;fmtp:100 profile-id=2;rtpmap:98 VP9/90000;fmtp:98 profile-id=0;\
             rtpmap:47 AV1/90000;fmtp:47 profile=1;rtpmap:45 AV1/90000;fmtp:45 profile=0",
            &[(Codec::Vp9, 98, None), (Codec::Av1, 45, None)],
        ),
        (
            "49 51",
            "rtpmap:49 H265/90000;fmtp:49 profile-id=2,tx-mode=SRST;\
             rtpmap:51 H265/90000;fmtp:51 level-id=93,tx-mode=SRST",
            &[(Codec::H265, 51, None)],
        ),
        ("49", "rtpmap:49 H265/90000;fmtp:49 tx-mode=MRST", &[]),
        // Constrained baseline is better than baseline, wherever it stands.
        (
            "102 108",
            "rtpmap:102 H264/90000;fmtp:102 packetization-mode=1,profile-level-id=42001f;\
             rtpmap:108 H264/90000;fmtp:108 packetization-mode=1,profile-level-id=42e01f",
            &[(Codec::H264, 108, None)],
        ),
        (
            "102",
            "rtpmap:102 H264/90000;fmtp:102 profile-level-id=42001F, packetization-mode=1",
            &[(Codec::H264, 102, None)],
        ),
        (
            "102",
            "rtpmap:102 H264/90000;fmtp:102 packetization-mode=1",
            &[(Codec::H264, 102, None)],
        ),
        // Mode 0, high profile, no number.
        (
            "102",
            "rtpmap:102 H264/90000;fmtp:102 profile-level-id=42e01f",
            &[],
        ),
        (
            "102",
            "rtpmap:102 H264/90000;fmtp:102 packetization-mode=1,profile-level-id=640032",
            &[],
        ),
        (
            "102",
            "rtpmap:102 H264/90000;fmtp:102 packetization-mode=1,profile-level-id=xyz",
            &[],
        ),
        ("200 96", "rtpmap:200 VP8/90000;rtpmap:96 H264/90000", &[]),
    ];
    for (formats, attributes, agreed) in table {
        let head = format!("m=video 9 UDP/TLS/RTP/SAVPF {formats}");
        let mut media = vec![
            head.as_str(),
            "a=mid:0",
            "a=setup:actpass",
            "a=rtcp-mux",
            "a=sendonly",
        ];
        let lines: Vec<String> = attributes
            .split(';')
            .map(|line| format!("a={}", line.replace(',', ";")))
            .collect();
        media.extend(lines.iter().map(String::as_str));
        let found = match answer(&small(&SESSION, &media)) {
            Ok((_, negotiated)) => codecs(&negotiated.sends[0].codecs),
            Err(error) => {
                assert_eq!(error, SdpError::NoMedia);
                Vec::new()
            }
        };
        assert_eq!(found, *agreed, "{attributes}");
    }
}

#[test]
fn redundancy_goes_with_its_own_opus_only() {
    let offer = |formats: &str, red: &str| {
        let head = format!("m=audio 9 UDP/TLS/RTP/SAVPF {formats}");
        let mut media = AUDIO.to_vec();
        media[0] = &head;
        let red = format!("a=fmtp:63 {red}");
        media.extend(["a=rtpmap:63 red/48000/2", &red]);
        answer(&small(&SESSION, &media)).map(|(_, negotiated)| codecs(&negotiated.sends[0].codecs))
    };
    let both = vec![(Codec::Red, 63, None), (Codec::Opus, 111, None)];
    assert_eq!(offer("63 111", "111/111"), Ok(both));
    assert_eq!(offer("63 111", "96/96"), Ok(vec![(Codec::Opus, 111, None)]));
    assert_eq!(offer("63", "111/111"), Err(SdpError::NoMedia));
}

#[test]
fn directed_extensions_are_turned_round() {
    let mut media = AUDIO.to_vec();
    media.extend([
        "a=extmap:1/sendonly urn:ietf:params:rtp-hdrext:ssrc-audio-level",
        "a=extmap:2/recvonly http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
        "a=extmap:15 urn:ietf:params:rtp-hdrext:sdes:mid",
        "a=extmap:1 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
        "a=extmap:zero urn:3gpp:video-orientation",
    ]);
    let (text, negotiated) = answer(&small(&SESSION, &media)).unwrap();
    let ids: Vec<(Extension, u8)> = negotiated.sends[0].extensions.iter().collect();
    assert_eq!(ids, [(Extension::AudioLevel, 1)]);
    let written = read(&text);
    assert_eq!(
        values(&written.media_descriptions[0], "extmap"),
        ["1/recvonly urn:ietf:params:rtp-hdrext:ssrc-audio-level"]
    );
}
