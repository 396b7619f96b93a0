//! Two transports over a seeded network in virtual time.

mod call;
mod hostile;
mod moving;
mod network;
mod other_client;

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use is::stun::{StunMessage, TransId};
use ring::hmac;

use super::*;
use crate::ids::{Path, WorkerIndex};

/// An instant to count from; the time is virtual from then on.
#[expect(
    clippy::disallowed_methods,
    reason = "there is no other way to an Instant"
)]
fn epoch() -> Instant {
    Instant::now()
}

/// Where the server's datagrams come from, as the client sees it.
const SERVER: u16 = 5_000;

fn path(port: u16) -> Path {
    Path {
        local: 0,
        remote: SocketAddr::from(([198, 51, 100, 7], port)),
    }
}

fn certificate() -> Certificate {
    static SHARED: OnceLock<Certificate> = OnceLock::new();
    SHARED
        .get_or_init(|| Certificate::generate().unwrap())
        .clone()
}

fn credentials(seed: u8) -> IceCredentials {
    IceCredentials::from_secrets(WorkerIndex(1), &[seed; 32])
}

fn remote_of(local: &IceCredentials) -> IceRemote {
    IceRemote::new(local.ufrag(), local.pwd()).unwrap()
}

/// A check as a full agent would send it to the owner of `to`.
#[derive(Clone, Copy, Debug)]
struct Check<'a> {
    to: &'a IceCredentials,
    from: &'a str,
    nominate: bool,
    controlling: bool,
}

impl Check<'_> {
    fn bytes(self) -> Vec<u8> {
        self.bytes_with(self.to.pwd())
    }

    fn bytes_with(self, password: &str) -> Vec<u8> {
        self.bytes_of(password, 0x6e00_01ff)
    }

    fn bytes_of(self, password: &str, priority: u32) -> Vec<u8> {
        let username = format!("{}:{}", self.to.ufrag(), self.from);
        let mut buffer = [0u8; 256];
        let len = StunMessage::binding_request(
            &username,
            TransId::new(),
            self.controlling,
            1,
            priority,
            self.nominate,
        )
        .to_bytes(Some(password.as_bytes()), &mut buffer, sha1_hmac)
        .unwrap();
        buffer[..len].to_vec()
    }
}

fn sha1_hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 20] {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key);
    let mut context = hmac::Context::with_key(&key);
    for part in parts {
        context.update(part);
    }
    context.sign().as_ref().try_into().unwrap()
}

/// A server's transport that has not heard anything yet.
fn invited(now: Instant) -> Transport {
    Transport::new(
        now,
        TransportConfig {
            local: credentials(1),
            remote: remote_of(&credentials(2)),
            fingerprints: vec![certificate().fingerprint_sha256().clone()],
            role: DtlsRole::Server,
            certificate: certificate(),
        },
    )
    .unwrap()
}

fn check(nominate: bool) -> Vec<u8> {
    Check {
        to: &credentials(1),
        from: credentials(2).ufrag(),
        nominate,
        controlling: true,
    }
    .bytes()
}

fn events(transport: &mut Transport) -> Vec<TransportEvent> {
    std::iter::from_fn(|| transport.poll_event()).collect()
}

const SECOND: Duration = Duration::from_secs(1);
