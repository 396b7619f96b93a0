//! A call between two transports: a network that loses, delays and reorders,
//! and the checks that lite agents do not send by themselves.

use std::collections::BTreeMap;

use super::*;

/// SplitMix64: enough for dice, and the same on every machine.
#[derive(Debug)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }
}

#[derive(Debug)]
struct Flying {
    to_server: bool,
    path: Path,
    bytes: Vec<u8>,
}

pub(super) struct Call {
    pub(super) now: Instant,
    pub(super) server: Transport,
    pub(super) client: Transport,
    pub(super) server_local: IceCredentials,
    pub(super) client_local: IceCredentials,
    /// The client's address as the server sees it.
    pub(super) client_at: Path,
    pub(super) loss_percent: u64,
    pub(super) checking: bool,
    pub(super) server_events: Vec<TransportEvent>,
    pub(super) client_events: Vec<TransportEvent>,
    /// Every DTLS datagram that was sent, lost or not.
    pub(super) dtls_sent: Vec<Vec<u8>>,
    dice: Dice,
    next_check: Instant,
    flying: BTreeMap<(Instant, u64), Flying>,
    sent: u64,
}

impl Call {
    pub(super) fn new(seed: u64) -> Self {
        let fingerprint = certificate().fingerprint_sha256().clone();
        Self::with_fingerprints(seed, fingerprint.clone(), fingerprint)
    }

    pub(super) fn with_fingerprints(seed: u64, client: Fingerprint, server: Fingerprint) -> Self {
        let now = epoch();
        let (server_local, client_local) = (credentials(1), credentials(2));
        let config = |local: &IceCredentials, remote, fingerprint, role| TransportConfig {
            local: local.clone(),
            remote: remote_of(remote),
            fingerprints: vec![fingerprint],
            role,
            certificate: certificate(),
        };
        let serving = config(&server_local, &client_local, client, DtlsRole::Server);
        let calling = config(&client_local, &server_local, server, DtlsRole::Client);
        Self {
            now,
            server: Transport::new(now, serving).unwrap(),
            client: Transport::new(now, calling).unwrap(),
            server_local,
            client_local,
            client_at: path(4_000),
            loss_percent: 0,
            checking: true,
            server_events: Vec::new(),
            client_events: Vec::new(),
            dtls_sent: Vec::new(),
            dice: Dice::new(seed),
            next_check: now,
            flying: BTreeMap::new(),
            sent: 0,
        }
    }

    pub(super) fn connected(seed: u64) -> Self {
        let mut call = Self::new(seed);
        assert!(call.run_until(20 * SECOND, |call| call.is_connected()));
        call
    }

    pub(super) fn is_connected(&self) -> bool {
        self.server.is_connected() && self.client.is_connected()
    }

    /// Until the condition holds; `false` if it does not within that time.
    pub(super) fn run_until(&mut self, at_most: Duration, met: impl Fn(&Self) -> bool) -> bool {
        let end = self.now + at_most;
        loop {
            self.collect();
            if met(self) {
                return true;
            }
            let timers = [self.server.poll_timeout(), self.client.poll_timeout()];
            let arrival = self.flying.keys().next().map(|(at, _)| *at);
            let check = self.checking.then_some(self.next_check);
            let next = timers.into_iter().chain([arrival, check]).flatten().min();
            match next {
                Some(at) if at <= end => self.advance(at),
                _ => {
                    self.now = end;
                    return false;
                }
            }
        }
    }

    pub(super) fn run_for(&mut self, time: Duration) {
        self.run_until(time, |_| false);
    }

    fn advance(&mut self, to: Instant) {
        self.now = self.now.max(to);
        if self.checking && self.now >= self.next_check {
            self.check_both();
            self.next_check = self.now + Duration::from_millis(2_500);
        }
        while let Some(entry) = self.flying.first_entry()
            && entry.key().0 <= self.now
        {
            let Flying {
                to_server,
                path,
                bytes,
            } = entry.remove();
            let receiver = if to_server {
                &mut self.server
            } else {
                &mut self.client
            };
            let _ = receiver.handle_dtls(self.now, path, &bytes);
        }
        self.server.handle_timeout(self.now);
        self.client.handle_timeout(self.now);
    }

    /// As both would, were they full agents. Checks are not lost: they come often.
    fn check_both(&mut self) {
        let to_server = Check {
            to: &self.server_local,
            from: self.client_local.ufrag(),
            nominate: true,
            controlling: true,
        };
        let _ = self
            .server
            .handle_stun(self.now, self.client_at, &to_server.bytes());
        let to_client = Check {
            to: &self.client_local,
            from: self.server_local.ufrag(),
            ..to_server
        };
        let _ = self
            .client
            .handle_stun(self.now, path(SERVER), &to_client.bytes());
    }

    fn collect(&mut self) {
        while let Some(event) = self.server.poll_event() {
            self.server_events.push(event);
        }
        while let Some(event) = self.client.poll_event() {
            self.client_events.push(event);
        }
        while let Some(Transmit { to, bytes }) = self.server.poll_transmit() {
            // What goes to an address that the client has left is lost.
            if to == self.client_at {
                self.launch(false, path(SERVER), bytes);
            }
        }
        while let Some(Transmit { bytes, .. }) = self.client.poll_transmit() {
            self.launch(true, self.client_at, bytes);
        }
    }

    fn launch(&mut self, to_server: bool, path: Path, bytes: Vec<u8>) {
        if classify(&bytes) != Some(Kind::Dtls) {
            return;
        }
        self.dtls_sent.push(bytes.clone());
        if self.dice.roll(100) < self.loss_percent {
            return;
        }
        // Delays overlap, so that datagrams overtake each other.
        let delay = Duration::from_millis(10 + self.dice.roll(60));
        self.sent += 1;
        let flying = Flying {
            to_server,
            path,
            bytes,
        };
        self.flying.insert((self.now + delay, self.sent), flying);
    }

    /// A packet of media each way, and a report.
    pub(super) fn exchange_media(&mut self, streams: &mut [OutboundStream; 2], sequence: u16) {
        let [up, down] = streams;
        media_passes(&mut self.client, &mut self.server, up, sequence);
        media_passes(&mut self.server, &mut self.client, down, sequence);
    }
}

fn media_passes(
    sender: &mut Transport,
    receiver: &mut Transport,
    stream: &mut OutboundStream,
    sequence: u16,
) {
    let mut clear = vec![0x80, 96];
    clear.extend_from_slice(&sequence.to_be_bytes());
    clear.extend_from_slice(&[0, 0, 0, 1, 0, 0, 0, 9]);
    clear.extend_from_slice(b"picture");
    let mut packet = clear.clone();
    packet.resize(clear.len() + MAX_TRAILER, 0);
    let out = sender.srtp_out().unwrap();
    let len = out
        .protect_rtp(stream, &mut packet, 12, clear.len())
        .unwrap();
    assert_ne!(&packet[12..clear.len()], b"picture");
    let len = receiver.unprotect_rtp(&mut packet[..len]).unwrap();
    assert_eq!(packet[..len], clear);

    let report = [0x81, 201, 0, 1, 0, 0, 0, 9];
    let mut packet = report.to_vec();
    out.protect_rtcp(&mut packet).unwrap();
    let len = receiver.unprotect_rtcp(&mut packet).unwrap();
    assert_eq!(packet[..len], report);
}
