//! Fuzz targets within the transport, and a way into an engine without its
//! handshakes.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use super::dtls::{Dtls, Progress};
use super::stun::{self, Password, Request};
use super::{Certificate, DtlsRole, ufrag_of_request, worker_of_ufrag};
use crate::fuzzing::pieces;

#[allow(clippy::expect_used)] // no key, no target
static CERTIFICATE: LazyLock<Certificate> =
    LazyLock::new(|| Certificate::generate().expect("the system gives randomness"));

/// The node's certificate of this run.
pub(crate) fn certificate() -> &'static Certificate {
    &CERTIFICATE
}

pub(crate) use stun::signed_check;

/// As it is, and with the checksum put right, so that the attributes are reached.
pub fn stun(data: &[u8]) {
    binding_request(data);
    let mut repaired = data.to_vec();
    if stun::repair_fingerprint(&mut repaired) {
        binding_request(&repaired);
    }
}

fn binding_request(data: &[u8]) {
    let _ = ufrag_of_request(data).map(worker_of_ufrag);
    let Ok(request) = Request::parse(data) else {
        return;
    };
    let password = Password::new("VOkJxbRl1RmTxUk/WvJxBt");
    let _ = request.is_for("evtj", "h6vY");
    let _ = request.is_signed_with(&password);
    let _ = (request.nominates(), request.says_controlled());
    let answer = request.answer(([192, 0, 2, 1], 32_853).into(), &password);
    assert!(answer.is_some());
}

/// Datagrams one after the other to a fresh endpoint; the first byte has its role and how
/// much time passes between them.
pub fn dtls(data: &[u8]) {
    let Some((&first, rest)) = data.split_first() else {
        return;
    };
    let role = match first & 1 {
        0 => DtlsRole::Server,
        _ => DtlsRole::Client,
    };
    #[allow(clippy::disallowed_methods)] // any instant serves as the origin of virtual time
    let mut now = Instant::now();
    let prints = vec![certificate().fingerprint_sha256().clone()];
    let mut endpoint = Dtls::new(now, certificate(), role, prints);
    let _ = endpoint.start(now, |_| {});
    for datagram in pieces(rest) {
        now += Duration::from_millis(u64::from(first >> 1) * 8);
        match endpoint.handle(now, datagram, |_| {}) {
            Ok(Progress::Connected(..)) => unreachable!("nobody has our key"),
            Ok(Progress::Nothing | Progress::Closed) | Err(_) => {}
        }
        let _ = endpoint.handle_timeout(now, |_| {});
    }
    endpoint.close(now, |_| {});
}

/// What a client says first.
#[cfg(test)]
pub(crate) fn client_hello() -> Vec<Vec<u8>> {
    #[allow(clippy::disallowed_methods)] // any instant serves as the origin of virtual time
    let now = Instant::now();
    let prints = vec![certificate().fingerprint_sha256().clone()];
    let mut client = Dtls::new(now, certificate(), DtlsRole::Client, prints);
    let mut said = Vec::new();
    let _ = client.start(now, |bytes| said.push(bytes.to_vec()));
    said
}
