//! Datagrams of strangers and of broken peers.

use proptest::prelude::*;

use super::network::{Call, Dice};
use super::*;

fn transmits(transport: &mut Transport) -> Vec<Transmit> {
    std::iter::from_fn(|| transport.poll_transmit()).collect()
}

#[test]
fn wrong_credentials_get_one_small_answer() {
    let now = epoch();
    let mut server = invited(now);
    let (ours, theirs) = (credentials(1), credentials(2));
    let stranger = credentials(7);
    let good = Check {
        to: &ours,
        from: theirs.ufrag(),
        nominate: true,
        controlling: true,
    };
    let wrong_password = good.bytes_with(stranger.pwd());
    let wrong_peer = Check {
        from: "abcd",
        ..good
    };
    let wrong_target = Check {
        to: &stranger,
        ..good
    };
    for datagram in [wrong_password, wrong_peer.bytes(), wrong_target.bytes()] {
        assert_eq!(
            server.handle_stun(now, path(4_000), &datagram),
            Err(DropReason::WrongCredentials)
        );
        let answers = transmits(&mut server);
        assert_eq!(answers.len(), 1);
        assert!(answers[0].bytes.len() <= datagram.len());
        let answer = StunMessage::parse(&answers[0].bytes).unwrap();
        assert_eq!(answer.error_code().unwrap().0, 401);
    }
    assert!(!server.accepts(path(4_000)));
    assert_eq!(server.path(), None);
    assert_eq!(events(&mut server), []);
}

#[test]
fn controlled_peer_is_told_of_the_conflict() {
    let now = epoch();
    let mut server = invited(now);
    let theirs = credentials(2);
    let controlled = Check {
        to: &credentials(1),
        from: theirs.ufrag(),
        nominate: false,
        controlling: false,
    };
    assert_eq!(
        server.handle_stun(now, path(4_000), &controlled.bytes()),
        Err(DropReason::RoleConflict)
    );
    let answers = transmits(&mut server);
    let answer = StunMessage::parse(&answers[0].bytes).unwrap();
    assert_eq!(answer.error_code().unwrap().0, 487);
    assert!(answer.verify(credentials(1).pwd().as_bytes(), sha1_hmac));
    assert!(!server.accepts(path(4_000)));
}

#[test]
fn good_check_is_answered_once() {
    let now = epoch();
    let mut server = invited(now);
    server.handle_stun(now, path(4_000), &check(true)).unwrap();
    let answers = transmits(&mut server);
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0].to, path(4_000));
    let answer = StunMessage::parse(&answers[0].bytes).unwrap();
    assert!(answer.verify(credentials(1).pwd().as_bytes(), sha1_hmac));
    assert_eq!(answer.mapped_address(), Some(path(4_000).remote));
    // Responses and indications are nobody's business here.
    assert_eq!(
        server.handle_stun(now, path(4_000), &answers[0].bytes),
        Err(DropReason::NotARequest)
    );
    assert_eq!(transmits(&mut server), []);
}

#[test]
fn dtls_counts_from_valid_paths_only() {
    let mut call = Call::new(20);
    let hello = {
        let mut other = Call::new(20);
        other.run_for(SECOND);
        other.dtls_sent[0].clone()
    };
    assert_eq!(
        call.server.handle_dtls(call.now, path(4_000), &hello),
        Err(DropReason::UnknownPath)
    );
    assert_eq!(transmits(&mut call.server), []);
    let now = call.now;
    call.server
        .handle_stun(now, path(4_000), &check(true))
        .unwrap();
    transmits(&mut call.server);
    assert_eq!(
        call.server.handle_dtls(now, path(4_001), &hello),
        Err(DropReason::UnknownPath)
    );
    assert_eq!(transmits(&mut call.server), []);
    call.server.handle_dtls(now, path(4_000), &hello).unwrap();
    assert!(!transmits(&mut call.server).is_empty());
}

/// Noise, and what was sent before, cut, altered or repeated.
fn disturb(call: &mut Call, dice: &mut Dice) {
    let mut bytes = match dice.roll(3) {
        0 => (0..dice.roll(200)).map(|_| dice.roll(256) as u8).collect(),
        1 => check(true),
        _ if call.dtls_sent.is_empty() => Vec::new(),
        _ => {
            let which = dice.roll(call.dtls_sent.len() as u64) as usize;
            call.dtls_sent[which].clone()
        }
    };
    if dice.roll(2) == 0 {
        bytes.truncate(dice.roll(bytes.len().max(1) as u64) as usize);
    } else if !bytes.is_empty() {
        let bit = dice.roll(bytes.len() as u64 * 8) as usize;
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
    let from = [call.client_at, path(6_666)][dice.roll(2) as usize];
    for transport in [&mut call.server, &mut call.client] {
        let _ = transport.handle_stun(call.now, from, &bytes);
        let _ = transport.handle_dtls(call.now, from, &bytes);
        assert!(transport.unprotect_rtp(&mut bytes.clone()).is_err());
        assert!(transport.unprotect_rtcp(&mut bytes.clone()).is_err());
    }
}

#[test]
fn live_call_does_not_notice_garbage() {
    for seed in 0..20 {
        println!("seed {seed}");
        let mut dice = Dice::new(seed);
        let mut call = Call::connected(seed);
        let mut streams = Default::default();
        for sequence in 1..60 {
            for _ in 0..5 {
                disturb(&mut call, &mut dice);
            }
            call.run_for(Duration::from_millis(50));
            call.exchange_media(&mut streams, sequence);
        }
        assert_eq!(call.server.path(), Some(call.client_at));
        assert!(!call.server.accepts(path(6_666)));
    }
}

/// A stranger who can forge the source address of a live peer sends noise into its handshake.
#[test]
fn handshake_does_not_notice_noise() {
    for seed in 0..20 {
        println!("seed {seed}");
        let mut dice = Dice::new(seed);
        let mut call = Call::new(seed);
        for _ in 0..40 {
            let mut noise: Vec<u8> = (0..dice.roll(200)).map(|_| dice.roll(256) as u8).collect();
            if let Some(first) = noise.first_mut() {
                *first = 20 + (*first % 44);
            }
            let _ = call.server.handle_dtls(call.now, call.client_at, &noise);
            call.run_for(Duration::from_millis(10));
        }
        assert!(
            call.run_until(15 * SECOND, |call| call.is_connected()),
            "{:?}",
            call.server.failure()
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever is done to the datagrams of a handshake: no panic, and no connection to a stranger.
    #[test]
    fn altered_handshakes_never_panic(seed in any::<u64>()) {
        let mut dice = Dice::new(seed);
        let mut call = Call::new(seed);
        for _ in 0..15 {
            disturb(&mut call, &mut dice);
            call.run_for(Duration::from_millis(20));
        }
        call.run_for(SECOND);
        prop_assert!(!call.server.accepts(path(6_666)));
    }
}
