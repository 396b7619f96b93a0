//! Calls as they go well, on bad lines and on moving phones.

use super::network::Call;
use super::*;
use crate::api::DisconnectReason;

#[test]
fn handshake_and_media() {
    let mut call = Call::connected(1);
    let connected = TransportEvent::Connected {
        profile: SrtpProfile::AeadAes256Gcm,
    };
    assert!(call.server_events.contains(&connected));
    assert!(call.client_events.contains(&connected));
    assert_eq!(call.server.path(), Some(call.client_at));
    let mut streams = Default::default();
    for sequence in 1..50 {
        call.exchange_media(&mut streams, sequence);
    }
    call.run_for(120 * SECOND);
    call.exchange_media(&mut streams, 50);
}

#[test]
fn handshake_survives_loss_and_reordering() {
    for seed in 0..40 {
        println!("seed {seed}");
        let mut call = Call::new(seed);
        call.loss_percent = 10;
        assert!(
            call.run_until(15 * SECOND, |call| call.is_connected()),
            "seed {seed}: {:?} {:?}",
            call.server.failure(),
            call.client.failure()
        );
        call.exchange_media(&mut Default::default(), 1);
    }
}

#[test]
fn phone_moves_from_wifi_to_mobile() {
    let mut call = Call::connected(2);
    let mut streams = Default::default();
    call.exchange_media(&mut streams, 1);
    let (wifi, mobile) = (call.client_at, path(41_000));
    call.client_at = mobile;
    assert!(!call.server.accepts(mobile));
    call.run_for(3 * SECOND);
    assert!(call.server_events.contains(&TransportEvent::PathChanged {
        from: Some(wifi),
        to: mobile
    }));
    assert_eq!(call.server.path(), Some(mobile));
    assert!(call.server.accepts(wifi), "packets may still be on the way");
    call.exchange_media(&mut streams, 2);
    call.run_for(31 * SECOND);
    assert!(!call.server.accepts(wifi));
    let forgotten = TransportEvent::PathForgotten(wifi);
    assert!(call.server_events.contains(&forgotten));
    call.exchange_media(&mut streams, 3);
}

#[test]
fn ice_restart_keeps_the_call() {
    let mut call = Call::connected(3);
    let mut streams = Default::default();
    let (old_server, old_client) = (call.server_local.clone(), call.client_local.clone());
    let (server, client) = (credentials(11), credentials(12));
    assert!(!call.server.is_restart(&remote_of(&old_client)));
    assert!(call.server.is_restart(&remote_of(&client)));
    call.server.restart_ice(server.clone(), remote_of(&client));
    call.client.restart_ice(client.clone(), remote_of(&server));
    assert!(!call.server.is_restart(&remote_of(&client)));

    // The peer goes on with the old ones until it has the answer.
    call.run_for(10 * SECOND);
    call.exchange_media(&mut streams, 1);

    // New credentials, and from elsewhere.
    call.server_local = server;
    call.client_local = client;
    call.client_at = path(42_000);
    call.run_for(5 * SECOND);
    assert_eq!(call.server.path(), Some(path(42_000)));
    call.exchange_media(&mut streams, 2);

    let old = Check {
        to: &old_server,
        from: old_client.ufrag(),
        nominate: true,
        controlling: true,
    };
    assert_eq!(
        call.server.handle_stun(call.now, path(4_000), &old.bytes()),
        Err(DropReason::WrongCredentials)
    );
    call.run_for(60 * SECOND);
    call.exchange_media(&mut streams, 3);
}

#[test]
fn new_credentials_wait_for_a_nomination() {
    let mut call = Call::connected(4);
    let (server, client) = (credentials(11), credentials(12));
    call.server.restart_ice(server.clone(), remote_of(&client));
    let probe = Check {
        to: &server,
        from: client.ufrag(),
        nominate: false,
        controlling: true,
    };
    assert_eq!(
        call.server
            .handle_stun(call.now, path(43_000), &probe.bytes()),
        Ok(())
    );
    assert_eq!(call.server.path(), Some(path(4_000)));
    assert_eq!(
        call.server.handle_stun(call.now, path(4_000), &check(true)),
        Ok(()),
        "the old ones are still good"
    );
}

#[test]
fn consent_expires() {
    let mut call = Call::connected(5);
    call.checking = false;
    let before = call.now;
    assert!(call.run_until(31 * SECOND, |call| !call.server.is_connected()));
    assert!(call.now >= before + 27 * SECOND);
    let lost = TransportEvent::Failed(DisconnectReason::ConsentLost);
    call.run_for(SECOND);
    assert_eq!(call.server_events.last(), Some(&lost));
    assert_eq!(call.server.poll_timeout(), None);
    assert_eq!(call.server.path(), None);
    assert!(!call.server.accepts(call.client_at));
    assert_eq!(
        call.server
            .handle_stun(call.now, call.client_at, &check(true)),
        Err(DropReason::Over)
    );
}

#[test]
fn nobody_comes() {
    let now = epoch();
    let mut server = invited(now);
    assert_eq!(server.poll_timeout(), Some(now + 30 * SECOND));
    server.handle_timeout(now + 29 * SECOND);
    assert_eq!(events(&mut server), []);
    server.handle_timeout(now + 30 * SECOND);
    let lost = TransportEvent::Failed(DisconnectReason::ConsentLost);
    assert_eq!(events(&mut server), [lost]);
}

#[test]
fn comes_but_says_nothing() {
    let now = epoch();
    let mut server = invited(now);
    server.handle_stun(now, path(4_000), &check(true)).unwrap();
    assert_eq!(server.poll_timeout(), Some(now + 15 * SECOND));
    server.handle_timeout(now + 15 * SECOND);
    let failed = TransportEvent::Failed(DisconnectReason::HandshakeFailed);
    assert_eq!(events(&mut server).last(), Some(&failed));
    assert_eq!(server.failure(), Some("timed out"));
}

#[test]
fn wrong_fingerprint_on_either_side() {
    let right = certificate().fingerprint_sha256().clone();
    let wrong = Fingerprint::sha256_of(b"somebody else's");
    let refused = TransportEvent::Failed(DisconnectReason::WrongFingerprint);

    let mut call = Call::with_fingerprints(6, wrong.clone(), right.clone());
    call.run_for(20 * SECOND);
    assert!(call.server_events.contains(&refused));
    assert!(!call.server.is_connected() && call.server.srtp_out().is_none());

    let mut call = Call::with_fingerprints(7, right, wrong);
    call.run_for(20 * SECOND);
    assert!(call.client_events.contains(&refused));
    assert!(!call.client.is_connected());
}

#[test]
fn one_of_several_fingerprints_is_enough() {
    let now = epoch();
    let config = |fingerprints| TransportConfig {
        local: credentials(1),
        remote: remote_of(&credentials(2)),
        fingerprints,
        role: DtlsRole::Server,
        certificate: certificate(),
    };
    let none = Transport::new(now, config(Vec::new()));
    assert_eq!(none.err(), Some(TransportError::NoFingerprint));

    let mut call = Call::new(8);
    let other = Fingerprint::sha256_of(b"an older certificate");
    let right = certificate().fingerprint_sha256().clone();
    call.server = Transport::new(call.now, config(vec![other, right])).unwrap();
    assert!(call.run_until(15 * SECOND, |call| call.is_connected()));
}

#[test]
fn goodbye_is_heard() {
    let mut call = Call::connected(9);
    call.run_for(SECOND);
    call.client.close(call.now);
    assert!(call.client.srtp_out().is_none());
    assert!(call.run_until(SECOND, |call| !call.server.is_connected()));
    assert_eq!(call.server_events.last(), Some(&TransportEvent::Closed));
    assert_eq!(call.client.poll_timeout(), None);
}

#[test]
fn peer_that_never_nominates() {
    let now = epoch();
    let mut server = invited(now);
    let (first, second) = (path(4_000), path(4_001));
    for from in [first, second] {
        server.handle_stun(now, from, &check(false)).unwrap();
    }
    assert_eq!(server.path(), Some(first));
    // DTLS shows which one it means.
    server.handle_dtls(now, second, &[22, 254, 253, 0]).unwrap();
    assert_eq!(server.path(), Some(second));
    // Until it does nominate.
    server.handle_stun(now, first, &check(true)).unwrap();
    server.handle_dtls(now, second, &[22, 254, 253, 0]).unwrap();
    assert_eq!(server.path(), Some(first));
}

#[test]
fn remembered_paths_are_bounded() {
    let now = epoch();
    let mut server = invited(now);
    let chosen = path(4_000);
    server.handle_stun(now, chosen, &check(true)).unwrap();
    for i in 1..100 {
        let later = now + Duration::from_millis(i);
        let from = path(4_000 + i as u16);
        server.handle_stun(later, from, &check(false)).unwrap();
        assert!(server.accepts(from));
    }
    assert!(server.accepts(chosen));
    let accepted = (4_000..4_100).filter(|port| server.accepts(path(*port)));
    assert_eq!(accepted.count(), 8);
}

#[test]
fn next_best_path_when_the_chosen_one_goes_silent() {
    let mut call = Call::connected(10);
    let (chosen, spare) = (call.client_at, path(44_000));
    call.checking = false;
    for _ in 0..7 {
        call.run_for(5 * SECOND);
        let probe = check(false);
        call.server.handle_stun(call.now, spare, &probe).unwrap();
    }
    call.run_for(SECOND);
    assert!(!call.server.accepts(chosen));
    assert_eq!(call.server.path(), Some(spare));
    assert!(call.server.is_connected());
}

#[test]
fn broken_connection_leaves_the_next_path_or_time_to_come_back() {
    let mut call = Call::connected(5);
    let mut streams = Default::default();
    let (first, second) = (call.client_at, path(43_000));
    call.client_at = second;
    call.run_for(3 * SECOND);
    assert_eq!(call.server.path(), Some(second));
    let now = call.now;
    call.server.close_path(now, second);
    assert_eq!(call.server.path(), Some(first));
    assert!(!call.server.accepts(second));
    call.server.close_path(now, first);
    assert_eq!(call.server.path(), None);
    call.client_at = path(44_000);
    call.run_for(10 * SECOND);
    assert_eq!(call.server.path(), Some(path(44_000)));
    call.exchange_media(&mut streams, 1);

    let now = call.now;
    call.server.close_path(now, path(44_000));
    call.checking = false;
    call.run_for(31 * SECOND);
    let lost = TransportEvent::Failed(DisconnectReason::ConsentLost);
    assert!(call.server_events.contains(&lost));
}
