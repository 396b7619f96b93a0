//! ICE, DTLS and SRTP of one peer put together.

use std::time::Instant;

use super::dtls::{Dtls, Failure, Progress};
use super::ice::IceLite;
use super::outbox::Outbox;
use super::{
    Certificate, DropReason, DtlsRole, Fingerprint, IceCredentials, IceRemote, SrtpError, SrtpIn,
    SrtpOut, SrtpProfile, TransportError,
};
use crate::api::DisconnectReason;
use crate::ids::Path;

/// What offer and answer have settled.
#[derive(Clone, Debug)]
pub struct TransportConfig {
    pub local: IceCredentials,
    pub remote: IceRemote,
    /// Of the offer; one of them has to be that of the peer's certificate. Not empty.
    pub fingerprints: Vec<Fingerprint>,
    /// Our side of the handshake.
    pub role: DtlsRole,
    pub certificate: Certificate,
}

/// A datagram to send.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Transmit {
    pub to: Path,
    pub bytes: Vec<u8>,
}

/// What happened to a transport.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TransportEvent {
    /// The handshake is done and the certificate is the right one: media can flow.
    Connected { profile: SrtpProfile },
    /// A check from there was verified: [`Transport::accepts`] it from now on.
    PathValidated(Path),
    /// No longer accepted: no check for 30 s, or too many others.
    PathForgotten(Path),
    /// [`Transport::path`] has changed.
    PathChanged { from: Option<Path>, to: Path },
    /// Over, for this reason.
    Failed(DisconnectReason),
    /// Over: the peer sent close_notify.
    Closed,
}

/// One peer's connection. After every call that takes `&mut self` and the time,
/// drain [`Transport::poll_transmit`] and [`Transport::poll_event`], then ask
/// [`Transport::poll_timeout`].
///
/// After [`TransportEvent::Failed`], [`TransportEvent::Closed`] or
/// [`Transport::close`] it is over: it accepts nothing and has no keys.
#[derive(Debug)]
pub struct Transport {
    ice: IceLite,
    dtls: Dtls,
    srtp: Option<Box<(SrtpIn, SrtpOut)>>,
    over: bool,
    failure: Option<String>,
    outbox: Outbox,
}

impl Transport {
    /// The peer has 30 s from now for its first check.
    ///
    /// # Errors
    /// If no fingerprint is given.
    pub fn new(now: Instant, config: TransportConfig) -> Result<Self, TransportError> {
        if config.fingerprints.is_empty() {
            return Err(TransportError::NoFingerprint);
        }
        Ok(Self {
            ice: IceLite::new(now, config.local, config.remote),
            dtls: Dtls::new(now, &config.certificate, config.role, config.fingerprints),
            srtp: None,
            over: false,
            failure: None,
            outbox: Outbox::default(),
        })
    }

    /// Whether an offer with these credentials is an ICE restart (RFC 8839
    /// §4.4.1.1.1) and not just another negotiation.
    #[must_use]
    pub fn is_restart(&self, remote: &IceRemote) -> bool {
        self.ice.is_restart(remote)
    }

    /// Accepts checks with new credentials beside the present ones, until the
    /// peer nominates with the new (RFC 8445 §9). DTLS and SRTP go on.
    pub fn restart_ice(
        &mut self,
        local: IceCredentials,
        remote: IceRemote,
    ) -> Option<IceCredentials> {
        self.ice.restart(local, remote)
    }

    /// The path is no more, without the peer's doing: a broken TCP connection.
    pub fn close_path(&mut self, now: Instant, path: Path) {
        if !self.over {
            self.ice.close_path(now, path, &mut self.outbox);
        }
    }

    /// Takes a datagram of [`Kind::Stun`](super::Kind::Stun) and answers it at most once.
    ///
    /// # Errors
    /// Says why it counts for nothing; an error response may still be on its way.
    pub fn handle_stun(
        &mut self,
        now: Instant,
        path: Path,
        datagram: &[u8],
    ) -> Result<(), DropReason> {
        if self.over {
            return Err(DropReason::Over);
        }
        self.ice.handle(now, path, datagram, &mut self.outbox)?;
        self.drive_dtls(|dtls, send| dtls.start(now, send));
        Ok(())
    }

    /// Takes a datagram of [`Kind::Dtls`](super::Kind::Dtls).
    ///
    /// # Errors
    /// If it comes from elsewhere than a valid path. What is wrong within DTLS
    /// is ignored or ends in [`TransportEvent::Failed`].
    pub fn handle_dtls(
        &mut self,
        now: Instant,
        path: Path,
        datagram: &[u8],
    ) -> Result<(), DropReason> {
        if self.over {
            return Err(DropReason::Over);
        }
        if !self.ice.accepts(path) {
            return Err(DropReason::UnknownPath);
        }
        self.ice.hint(path, &mut self.outbox);
        self.drive_dtls(|dtls, send| dtls.handle(now, datagram, send));
        Ok(())
    }

    /// Whether a verified check came from there: only then DTLS, RTP and RTCP count.
    #[must_use]
    pub fn accepts(&self, path: Path) -> bool {
        !self.over && self.ice.accepts(path)
    }

    /// Decrypts an SRTP packet in place; gives the length of the clear packet.
    /// The caller has asked [`Transport::accepts`].
    pub fn unprotect_rtp(&mut self, packet: &mut [u8]) -> Result<usize, SrtpError> {
        match self.srtp.as_deref_mut() {
            Some((inbound, _)) => inbound.unprotect_rtp(packet),
            None => Err(SrtpError::Unauthentic),
        }
    }

    /// Decrypts an SRTCP packet in place; gives the length of the clear compound.
    /// The caller has asked [`Transport::accepts`].
    pub fn unprotect_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, SrtpError> {
        match self.srtp.as_deref_mut() {
            Some((inbound, _)) => inbound.unprotect_rtcp(packet),
            None => Err(SrtpError::Unauthentic),
        }
    }

    /// Authentic media came by this path: [`Transport::path`] may change.
    pub fn heard(&mut self, now: Instant, path: Path) {
        if !self.over {
            self.ice.heard(now, path, &mut self.outbox);
        }
    }

    /// For protecting what goes to this peer; `None` until connected, and once over.
    pub fn srtp_out(&mut self) -> Option<&mut SrtpOut> {
        self.srtp.as_deref_mut().map(|(_, out)| out)
    }

    /// Where to send now.
    #[must_use]
    pub fn path(&self) -> Option<Path> {
        self.ice.selected().filter(|_| !self.over)
    }

    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.srtp.is_some()
    }

    /// Why it failed, in words for a log. Holds nothing secret.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// Timers may fire early or late; the deadlines decide.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.over {
            return;
        }
        if self.ice.handle_timeout(now, &mut self.outbox).is_err() {
            return self.fail(Failure {
                reason: DisconnectReason::ConsentLost,
                detail: "no verified check for 30 s".to_owned(),
            });
        }
        self.drive_dtls(|dtls, send| dtls.handle_timeout(now, send));
    }

    /// When to call [`Transport::handle_timeout`] next; `None` when over.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.over {
            return None;
        }
        let consent = self.ice.poll_timeout();
        Some(
            self.dtls
                .poll_timeout()
                .map_or(consent, |at| at.min(consent)),
        )
    }

    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.outbox.transmits.pop_front()
    }

    /// Whether [`Transport::poll_event`] has something.
    #[must_use]
    pub fn has_events(&self) -> bool {
        !self.outbox.events.is_empty()
    }

    pub fn poll_event(&mut self) -> Option<TransportEvent> {
        self.outbox.events.pop_front()
    }

    /// Says goodbye (close_notify) and is over; no event follows.
    pub fn close(&mut self, now: Instant) {
        if self.over {
            return;
        }
        if let Some(to) = self.ice.selected() {
            let outbox = &mut self.outbox;
            self.dtls
                .close(now, |bytes| outbox.send(to, bytes.to_vec()));
        }
        self.end();
    }

    /// As after a handshake, with keys that everybody knows.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn pretend_keys(&mut self) {
        let profile = SrtpProfile::AeadAes128Gcm;
        self.srtp = super::srtp::from_keying_material(profile, &[7; 56], false).map(Box::new);
    }

    /// Has DTLS do something, its datagrams sent where the peer is, and draws the consequence.
    fn drive_dtls(
        &mut self,
        act: impl FnOnce(&mut Dtls, &mut dyn FnMut(&[u8])) -> Result<Progress, Failure>,
    ) {
        let to = self.ice.selected();
        let outbox = &mut self.outbox;
        let mut send = |bytes: &[u8]| {
            if let Some(to) = to {
                outbox.send(to, bytes.to_vec());
            }
        };
        match act(&mut self.dtls, &mut send) {
            Ok(Progress::Nothing) => {}
            Ok(Progress::Connected(profile, contexts)) => {
                self.srtp = Some(contexts);
                self.outbox.tell(TransportEvent::Connected { profile });
            }
            Ok(Progress::Closed) => {
                self.outbox.tell(TransportEvent::Closed);
                self.end();
            }
            Err(failure) => self.fail(failure),
        }
    }

    fn fail(&mut self, failure: Failure) {
        self.outbox.tell(TransportEvent::Failed(failure.reason));
        self.failure = Some(failure.detail);
        self.end();
    }

    fn end(&mut self) {
        self.over = true;
        self.srtp = None;
    }
}
