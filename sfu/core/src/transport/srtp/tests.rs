//! Vectors of the RFCs and properties of the contexts.

use proptest::prelude::*;

use super::gcm::GcmKey;
use super::*;

const PROFILES: [SrtpProfile; 3] = [
    SrtpProfile::AeadAes128Gcm,
    SrtpProfile::AeadAes256Gcm,
    SrtpProfile::Aes128CmHmacSha1_80,
];

fn hex(text: &str) -> Vec<u8> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    hex::decode(digits).unwrap()
}

fn pair(profile: SrtpProfile) -> (SrtpOut, SrtpIn) {
    let (key_len, salt_len) = profile.master_lengths();
    let (key, salt) = ([7u8; 32], [9u8; 14]);
    (
        SrtpOut::new(profile, &key[..key_len], &salt[..salt_len]).unwrap(),
        SrtpIn::new(profile, &key[..key_len], &salt[..salt_len]).unwrap(),
    )
}

fn rtp(ssrc: u32, sequence: u16, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x80, 96];
    packet.extend_from_slice(&sequence.to_be_bytes());
    packet.extend_from_slice(&[0, 0, 1, 0]);
    packet.extend_from_slice(&ssrc.to_be_bytes());
    packet.extend_from_slice(payload);
    packet
}

fn rtcp(ssrc: u32, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x81, 200, 0, 1];
    packet.extend_from_slice(&ssrc.to_be_bytes());
    packet.extend_from_slice(body);
    packet
}

fn protect(out: &SrtpOut, stream: &mut OutboundStream, clear: &[u8]) -> Vec<u8> {
    let mut packet = clear.to_vec();
    packet.resize(clear.len() + MAX_TRAILER, 0);
    let header_len = rtp_header_len(clear).unwrap();
    let len = out
        .protect_rtp(stream, &mut packet, header_len, clear.len())
        .unwrap();
    packet.truncate(len);
    packet
}

fn unprotect(inbound: &mut SrtpIn, sealed: &[u8]) -> Result<Vec<u8>, SrtpError> {
    let mut packet = sealed.to_vec();
    let len = inbound.unprotect_rtp(&mut packet)?;
    packet.truncate(len);
    Ok(packet)
}

fn gcm_session(key_len: u8) -> GcmKey {
    let key: Vec<u8> = (0..key_len).collect();
    GcmKey::new(&key, *b"Quid pro quo").unwrap()
}

/// RFC 7714 §16: session keys given.
#[test]
fn gcm_rtp_vectors() {
    let clear = hex("8040f17b8041f8d35501a0b2 47616c6c696120657374206f6d6e6973
        20646976697361 20696e20 70617274657320 74726573");
    let sealed_128 = hex("8040f17b8041f8d35501a0b2 f24de3a3fb34de6cacba861c9d7e4bca
        be633bd50d294e6f42a5f47a51c7d19b36de3adf8833 899d7f27beb16a9152cf765ee4390cce");
    let sealed_256 = hex("8040f17b8041f8d35501a0b2 32b1de78a822fe12ef9f78fa332e33aa
        b18012389a58e2f3b50b2a0276ffae0f1ba63799b87b 7aa3db36dfffd6b0f9bb7878d7a76c13");
    for (key_len, sealed) in [(16, sealed_128), (32, sealed_256)] {
        let key = gcm_session(key_len);
        let mut packet = clear.clone();
        packet.resize(clear.len() + 16, 0);
        assert_eq!(
            key.seal_rtp(&mut packet, 12, clear.len(), 0x5501_a0b2, 0xf17b),
            Some(sealed.len())
        );
        assert_eq!(packet, sealed);
        assert_eq!(
            key.open_rtp(&mut packet, 12, 0x5501_a0b2, 0xf17b),
            Some(clear.len())
        );
        assert_eq!(packet[..clear.len()], clear);
    }
}

/// RFC 7714 §17: session keys given.
#[test]
fn gcm_rtcp_vectors() {
    let clear = hex("81c8000d4d617273 4e5450314e545032525450200000042a0000e930
        4c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef");
    let sealed_128 = hex(
        "81c8000d4d617273 63e94885dcdab67ca727d7662f6b7e997ff5c0f7
        6c06f32dc676a5f1730d6fda4ce09b4686303ded0bb9275b c84aa45896cf4d2fc5abf87245d9eade 800005d4",
    );
    let sealed_256 = hex(
        "81c8000d4d617273 d50ae4d1f5ce5d304ba297e47d470c282c3ece5d
        bffe0a50a2eaa5c1110555be8415f658c61de0476f1b6fad 1d1eb30c4446839f57ff6f6cb26ac3be 800005d4",
    );
    for (key_len, sealed) in [(16, sealed_128), (32, sealed_256)] {
        let key = gcm_session(key_len);
        let mut packet = clear.clone();
        key.seal_rtcp(&mut packet, 0x5d4).unwrap();
        assert_eq!(packet, sealed);
        let len = key.open_rtcp(&mut packet, 0x8000_05d4).unwrap();
        assert_eq!(packet[..len], clear);
    }

    // Authenticated only.
    let mut packet = clear.clone();
    packet.extend(hex("841dd9683dd78ec92ae58790125f62b3 000005d4"));
    let len = gcm_session(16).open_rtcp(&mut packet, 0x5d4).unwrap();
    assert_eq!(packet[..len], clear);
    packet[10] ^= 1;
    assert_eq!(gcm_session(16).open_rtcp(&mut packet, 0x5d4), None);
}

/// One packet each way under the master key of RFC 3711 appendix B.3, as libsrtp computes them.
#[test]
fn cm_sha1_packet_vectors() {
    let key = hex("e1f97a0d3e018be0d64fa32c06de4139");
    let salt = hex("0ec675ad498afeebb6960b3aabe6");
    let profile = SrtpProfile::Aes128CmHmacSha1_80;
    let mut out = SrtpOut::new(profile, &key, &salt).unwrap();
    let mut inbound = SrtpIn::new(profile, &key, &salt).unwrap();

    let clear = hex("800f1234decafbadcafebabe abababababababababababababababab");
    let sealed = hex("800f1234decafbadcafebabe 4e55dc4ce79978d88ca4d215949d2402
        b78d6acc99ea179b8dbb");
    assert_eq!(
        protect(&out, &mut OutboundStream::default(), &clear),
        sealed
    );
    assert_eq!(unprotect(&mut inbound, &sealed).unwrap(), clear);

    let clear = hex("81c8000bcafebabe abababababababababababababababab");
    let sealed = hex("81c8000bcafebabe 7128035be487b9bdbef89041f977a5a8
        80000001 993e08cd54d6c1230798");
    out.protect_rtcp(&mut hex("81c8000bcafebabe")).unwrap(); // index 0
    let mut packet = clear.clone();
    out.protect_rtcp(&mut packet).unwrap();
    assert_eq!(packet, sealed);
    let len = inbound.unprotect_rtcp(&mut packet).unwrap();
    assert_eq!(packet[..len], clear);
}

/// The same packets under GCM with that master key, as other implementations compute them.
#[test]
fn gcm_packets_under_a_master_key() {
    let key = hex("000102030405060708090a0b0c0d0e0f");
    let salt = hex("a0a1a2a3a4a5a6a7a8a9aaab");
    let profile = SrtpProfile::AeadAes128Gcm;
    let mut out = SrtpOut::new(profile, &key, &salt).unwrap();
    let clear = hex("800f1234decafbadcafebabe abababababababababababababababab");
    let sealed = hex("800f1234decafbadcafebabe c5002ede04cfdd2eb91159e0880aa06e
        d2976826f796b201df3131a1 27e8a392");
    assert_eq!(
        protect(&out, &mut OutboundStream::default(), &clear),
        sealed
    );

    let clear = hex("81c8000bcafebabe abababababababababababababababab");
    let sealed = hex("81c8000bcafebabe c98b8b5df0392a55852b6c21ac8e7025
        c52c6fbea2b3b446ea31123ba88ce61e 80000001");
    out.protect_rtcp(&mut hex("81c8000bcafebabe")).unwrap(); // index 0
    let mut packet = clear.clone();
    out.protect_rtcp(&mut packet).unwrap();
    assert_eq!(packet, sealed);
}

#[test]
fn both_sides_agree_on_the_keying_material() {
    for profile in PROFILES {
        let (key_len, salt_len) = profile.master_lengths();
        let material: Vec<u8> = (0..2 * (key_len + salt_len) as u8).collect();
        let (_, client) = from_keying_material(profile, &material, true).unwrap();
        let (mut server, _) = from_keying_material(profile, &material, false).unwrap();
        let sealed = protect(
            &client,
            &mut OutboundStream::default(),
            &rtp(1, 1, b"hello"),
        );
        assert_eq!(
            unprotect(&mut server, &sealed).unwrap(),
            rtp(1, 1, b"hello")
        );
        assert!(from_keying_material(profile, &material[1..], true).is_none());
    }
}

#[test]
fn streams_are_bounded_and_cost_nothing_before_they_prove_authentic() {
    let (out, mut inbound) = pair(SrtpProfile::AeadAes128Gcm);
    for ssrc in 1_000..2_000 {
        let forged = rtp(ssrc, 1, &[0; 40]);
        assert_eq!(
            unprotect(&mut inbound, &forged),
            Err(SrtpError::Unauthentic)
        );
    }
    for ssrc in 0..MAX_STREAMS as u32 {
        let sealed = protect(&out, &mut OutboundStream::default(), &rtp(ssrc, 1, b"x"));
        assert!(unprotect(&mut inbound, &sealed).is_ok());
    }
    let sealed = protect(&out, &mut OutboundStream::default(), &rtp(999, 1, b"x"));
    assert_eq!(
        unprotect(&mut inbound, &sealed),
        Err(SrtpError::TooManyStreams)
    );
    let mut known = OutboundStream::default();
    let sealed = protect(&out, &mut known, &rtp(3, 2, b"x"));
    assert!(unprotect(&mut inbound, &sealed).is_ok());
}

#[test]
fn misuse_is_refused() {
    let (mut out, _) = pair(SrtpProfile::AeadAes128Gcm);
    let mut stream = OutboundStream::default();
    let mut packet = rtp(1, 1, b"payload");
    let len = packet.len();
    assert_eq!(
        out.protect_rtp(&mut stream, &mut packet, 12, len),
        Err(SrtpError::NoRoom)
    );
    packet.resize(len + MAX_TRAILER, 0);
    assert_eq!(
        out.protect_rtp(&mut stream, &mut packet, 11, len),
        Err(SrtpError::TooShort)
    );
    assert_eq!(
        out.protect_rtp(&mut stream, &mut packet, 13, 12),
        Err(SrtpError::TooShort)
    );
    assert_eq!(
        out.protect_rtcp(&mut vec![0x80; 7]),
        Err(SrtpError::TooShort)
    );
    // Before the first packet of a stream there is no index.
    protect(&out, &mut stream, &rtp(1, 2, b"x"));
    let mut early = rtp(1, 65_535, b"x");
    early.resize(early.len() + MAX_TRAILER, 0);
    assert_eq!(
        out.protect_rtp(&mut stream, &mut early, 12, 13),
        Err(SrtpError::IndexExhausted)
    );
}

#[test]
fn rtcp_of_several_senders_may_share_indices() {
    for profile in PROFILES {
        let (mut first, mut inbound) = pair(profile);
        let (mut second, _) = pair(profile);
        for (out, ssrc) in [(&mut first, 1), (&mut second, 2)] {
            let mut packet = rtcp(ssrc, b"report");
            out.protect_rtcp(&mut packet).unwrap();
            let replay = packet.clone();
            let len = inbound.unprotect_rtcp(&mut packet).unwrap();
            assert_eq!(packet[..len], rtcp(ssrc, b"report"));
            assert_eq!(
                inbound.unprotect_rtcp(&mut replay.clone()),
                Err(SrtpError::Replayed)
            );
        }
    }
}

fn profiles() -> impl Strategy<Value = SrtpProfile> {
    prop::sample::select(&PROFILES[..])
}

proptest! {
    /// Packets cross several wraps, reordered, some of them lost, some twice.
    #[test]
    fn round_trip_over_wraps(
        profile in profiles(),
        start in 0u16..0x8000,
        steps in prop::collection::vec((1u64..9_000, 0usize..6, any::<bool>()), 1..120),
        payload in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let (out, mut inbound) = pair(profile);
        let mut stream = OutboundStream::default();
        let mut index = u64::from(start);
        let mut wire = Vec::new();
        for (place, (step, later, twice)) in steps.into_iter().enumerate() {
            // Small steps, now and then a gap.
            index += if step > 8_000 { step - 7_000 } else { 1 };
            let clear = rtp(77, index as u16, &payload);
            let sealed = protect(&out, &mut stream, &clear);
            // The first packet sets the rollover counter: it arrives first.
            let arrival = if place == 0 { 0 } else { place + later };
            wire.push((arrival, place, twice, clear, sealed));
        }
        wire.sort_by_key(|(arrival, place, ..)| (*arrival, *place));
        let mut highest = 0;
        for (_, place, twice, clear, sealed) in wire {
            let opened = unprotect(&mut inbound, &sealed);
            highest = highest.max(place);
            match opened {
                Ok(opened) => prop_assert_eq!(opened, clear),
                // Gaps of up to 2,000 may push what came late out of the window.
                Err(error) => {
                    prop_assert_eq!(error, SrtpError::Replayed);
                    prop_assert!(place < highest);
                    continue;
                }
            }
            if twice {
                prop_assert_eq!(unprotect(&mut inbound, &sealed), Err(SrtpError::Replayed));
            }
        }
    }

    /// A packet with any bit flipped is refused, and the genuine one still passes.
    #[test]
    fn bit_flips_change_nothing(
        profile in profiles(),
        payload in prop::collection::vec(any::<u8>(), 1..40),
        flips in prop::collection::vec(any::<prop::sample::Index>(), 1..20),
        report in any::<bool>(),
    ) {
        let (mut out, mut inbound) = pair(profile);
        let clear = if report { rtcp(5, &payload) } else { rtp(5, 20, &payload) };
        let sealed = if report {
            let mut packet = clear.clone();
            out.protect_rtcp(&mut packet).unwrap();
            packet
        } else {
            protect(&out, &mut OutboundStream::default(), &clear)
        };
        let mut open = |packet: &mut [u8]| if report {
            inbound.unprotect_rtcp(packet)
        } else {
            inbound.unprotect_rtp(packet)
        };
        for flip in flips {
            let bit = flip.index(sealed.len() * 8);
            let mut altered = sealed.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(open(&mut altered).is_err());
        }
        for cut in 0..sealed.len() {
            prop_assert!(open(&mut sealed[..cut].to_vec()).is_err());
        }
        let mut packet = sealed.clone();
        let len = open(&mut packet).unwrap();
        prop_assert_eq!(&packet[..len], &clear[..]);
        prop_assert_eq!(open(&mut sealed.clone()), Err(SrtpError::Replayed));
    }

    #[test]
    fn random_bytes_are_refused(
        profile in profiles(),
        mut bytes in prop::collection::vec(any::<u8>(), 0..120),
        version in any::<bool>(),
    ) {
        let (_, mut inbound) = pair(profile);
        if version && let Some(first) = bytes.first_mut() {
            *first = 0x80 | (*first & 0x3f);
        }
        prop_assert!(inbound.unprotect_rtp(&mut bytes.clone()).is_err());
        prop_assert!(inbound.unprotect_rtcp(&mut bytes).is_err());
        prop_assert!(inbound.rtp_streams_len() == 0);
    }
}
