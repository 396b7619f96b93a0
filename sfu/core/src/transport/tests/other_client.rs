//! The server against the DTLS client of another implementation, on lines
//! that lose chosen datagrams.
//!
//! That client is the one of the load test's bots. It repeats its flight
//! once a second, at most seven times, and takes any handshake record for
//! progress.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::BytesMut;
use rtc_dtls::config::{ConfigBuilder, ExtendedMasterSecretType, HandshakeConfig};
use rtc_dtls::crypto::Certificate as ClientCertificate;
use rtc_dtls::endpoint::{Endpoint, EndpointEvent};
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc_shared::TransportProtocol;

use super::*;

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum To {
    Server,
    Client,
}

/// Decides about a datagram.
type Lose = Box<dyn FnMut(To, &[u8]) -> bool>;

/// One way.
const DELAY: Duration = Duration::from_millis(20);

struct Line {
    now: Instant,
    began: Instant,
    server: Transport,
    client: Endpoint,
    done: bool,
    flying: BTreeMap<(Instant, u64), (To, Vec<u8>)>,
    sent: u64,
    log: Vec<(Duration, To, Vec<u8>, bool)>,
    lose: Lose,
}

fn far() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 1))
}

impl Line {
    fn new(lose: impl FnMut(To, &[u8]) -> bool + 'static) -> Self {
        let now = epoch();
        let provider = rtc_crypto::default_provider().unwrap();
        let own =
            ClientCertificate::generate_self_signed(vec!["client".to_owned()], provider.crypto())
                .unwrap();
        let fingerprint = Fingerprint::sha256_of(&own.certificate[0]);
        let config: Arc<HandshakeConfig> = Arc::new(
            ConfigBuilder::default()
                .with_crypto_provider(provider)
                .with_certificates(vec![own])
                .with_srtp_protection_profiles(vec![SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm])
                .with_insecure_skip_verify(true)
                .with_extended_master_secret(ExtendedMasterSecretType::Require)
                .build(true, None)
                .unwrap(),
        );
        let mut server = Transport::new(
            now,
            TransportConfig {
                local: credentials(1),
                remote: remote_of(&credentials(2)),
                fingerprints: vec![fingerprint],
                role: DtlsRole::Server,
                certificate: certificate(),
            },
        )
        .unwrap();
        server.handle_stun(now, path(4_000), &check(true)).unwrap();
        let mut client = Endpoint::new(far(), TransportProtocol::UDP, None);
        client.connect(now, far(), config, None).unwrap();
        Self {
            now,
            began: now,
            server,
            client,
            done: false,
            flying: BTreeMap::new(),
            sent: 0,
            log: Vec::new(),
            lose: Box::new(lose),
        }
    }

    fn launch(&mut self, to: To, bytes: Vec<u8>) {
        if classify(&bytes) != Some(Kind::Dtls) {
            return;
        }
        let lost = (self.lose)(to, &bytes);
        self.log
            .push((self.now - self.began, to, bytes.clone(), lost));
        if !lost {
            self.sent += 1;
            self.flying
                .insert((self.now + DELAY, self.sent), (to, bytes));
        }
    }

    fn collect(&mut self) {
        while let Some(Transmit { bytes, .. }) = self.server.poll_transmit() {
            self.launch(To::Client, bytes);
        }
        while let Some(message) = self.client.poll_transmit() {
            self.launch(To::Server, message.message.to_vec());
        }
    }

    fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            self.collect();
            let next = [
                self.server.poll_timeout(),
                self.client.poll_timeout(&far()),
                self.flying.keys().next().map(|(at, _)| *at),
            ]
            .into_iter()
            .flatten()
            .min();
            match next {
                Some(at) if at <= end && !(self.done && self.server.is_connected()) => {
                    self.now = self.now.max(at);
                }
                _ => return,
            }
            while let Some(entry) = self.flying.first_entry()
                && entry.key().0 <= self.now
            {
                let (to, bytes) = entry.remove();
                match to {
                    To::Server => {
                        let _ = self.server.handle_dtls(self.now, path(4_000), &bytes);
                    }
                    To::Client => {
                        let heard =
                            self.client
                                .read(self.now, far(), None, BytesMut::from(&bytes[..]));
                        for event in heard.unwrap() {
                            self.done |= matches!(event, EndpointEvent::HandshakeComplete);
                        }
                    }
                }
            }
            self.server.handle_timeout(self.now);
            let _ = self.client.handle_timeout(far(), self.now);
        }
    }
}

/// DTLS records' content types (RFC 5246 §6.2.1), of a datagram's first record.
const CHANGE_CIPHER_SPEC: u8 = 20;
const HANDSHAKE: u8 = 22;

/// The first `count` datagrams that way which begin with that message.
fn first_of(count: u32, of: fn(To, &[u8]) -> bool) -> impl FnMut(To, &[u8]) -> bool {
    let mut left = count;
    move |to, bytes| {
        let lost = left > 0 && of(to, bytes);
        left -= u32::from(lost);
        lost
    }
}

fn last_flight(to: To, bytes: &[u8]) -> bool {
    to == To::Client && bytes[0] == CHANGE_CIPHER_SPEC
}

fn server_hello(to: To, bytes: &[u8]) -> bool {
    to == To::Client && bytes[0] == HANDSHAKE
}

fn client_hello(to: To, bytes: &[u8]) -> bool {
    to == To::Server && bytes[0] == HANDSHAKE && bytes[13] == 1
}

fn clients_last_flight(to: To, bytes: &[u8]) -> bool {
    to == To::Server && !client_hello(to, bytes)
}

/// Both connect, however often such a datagram is lost, as soon as the client's own
/// repetitions allow.
fn connects_whatever_is_lost(of: fn(To, &[u8]) -> bool, most: u32) {
    for count in 0..=most {
        // The endpoint has dice of its own, for its timer.
        for round in 0..4 {
            let mut line = Line::new(first_of(count, of));
            line.run_for(14 * SECOND);
            let took = line.now - line.began;
            assert!(
                line.server.is_connected() && line.done,
                "lost {count} times, round {round}: server {}, client {}: {:#?}",
                line.server.is_connected(),
                line.done,
                line.log
            );
            assert!(
                took < SECOND * count + SECOND / 2,
                "{count}: {took:?} {:#?}",
                line.log
            );
        }
    }
}

#[test]
fn last_flight_lost() {
    connects_whatever_is_lost(last_flight, 7);
}

#[test]
fn server_hello_lost() {
    connects_whatever_is_lost(server_hello, 7);
}

#[test]
fn client_hello_lost() {
    connects_whatever_is_lost(client_hello, 7);
}

/// The client's timer stops when it hears a flight again, so the server must not say it
/// while the client still repeats its own.
#[test]
fn clients_last_flight_lost() {
    connects_whatever_is_lost(clients_last_flight, 4);
}

#[test]
fn server_breaks_a_silence() {
    let mut line = Line::new(clients_last_flight);
    line.run_for(14 * SECOND);
    let said = line.log.iter().filter(|(_, to, ..)| *to == To::Client);
    let said: Vec<u64> = said.map(|(at, ..)| at.as_secs()).collect();
    assert_eq!(said, [0, 5, 10]);
    line.run_for(5 * SECOND);
    assert_eq!(line.server.failure(), Some("timed out"));
}
