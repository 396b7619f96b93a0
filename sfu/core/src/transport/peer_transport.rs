//! ICE, DTLS and SRTP of one peer put together.

use std::collections::VecDeque;
use std::time::Instant;

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
#[derive(Debug)]
pub struct Transport {
    config: TransportConfig,
    srtp: Option<(SrtpIn, SrtpOut)>,
    transmits: VecDeque<Transmit>,
    events: VecDeque<TransportEvent>,
}

impl Transport {
    /// # Errors
    /// If no fingerprint is given.
    pub fn new(_now: Instant, config: TransportConfig) -> Result<Self, TransportError> {
        if config.fingerprints.is_empty() {
            return Err(TransportError::NoFingerprint);
        }
        Ok(Self {
            config,
            srtp: None,
            transmits: VecDeque::new(),
            events: VecDeque::new(),
        })
    }

    /// Whether an offer with these credentials is an ICE restart (RFC 8839
    /// §4.4.1.1.1) and not just another negotiation.
    #[must_use]
    pub fn is_restart(&self, remote: &IceRemote) -> bool {
        self.config.remote != *remote
    }

    /// Accepts checks with new credentials beside the present ones, until the
    /// peer nominates with the new (RFC 8445 §9). DTLS and SRTP go on.
    pub fn restart_ice(&mut self, local: IceCredentials, remote: IceRemote) {
        self.config.local = local;
        self.config.remote = remote;
    }

    /// Takes a datagram of [`Kind::Stun`](super::Kind::Stun) and answers it at most once.
    ///
    /// # Errors
    /// Says why it counts for nothing; an error response may still be on its way.
    pub fn handle_stun(
        &mut self,
        _now: Instant,
        _path: Path,
        _datagram: &[u8],
    ) -> Result<(), DropReason> {
        Err(DropReason::WrongCredentials)
    }

    /// Takes a datagram of [`Kind::Dtls`](super::Kind::Dtls).
    pub fn handle_dtls(
        &mut self,
        _now: Instant,
        path: Path,
        _datagram: &[u8],
    ) -> Result<(), DropReason> {
        if !self.accepts(path) {
            return Err(DropReason::UnknownPath);
        }
        Ok(())
    }

    /// Whether a verified check came from there: only then DTLS, RTP and RTCP count.
    #[must_use]
    pub fn accepts(&self, _path: Path) -> bool {
        false
    }

    /// Decrypts an SRTP packet in place; gives the length of the clear packet.
    /// The caller has asked [`Transport::accepts`].
    pub fn unprotect_rtp(&mut self, packet: &mut [u8]) -> Result<usize, SrtpError> {
        match &mut self.srtp {
            Some((inbound, _)) => inbound.unprotect_rtp(packet),
            None => Err(SrtpError::Unauthentic),
        }
    }

    /// Decrypts an SRTCP packet in place; gives the length of the clear compound.
    pub fn unprotect_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, SrtpError> {
        match &mut self.srtp {
            Some((inbound, _)) => inbound.unprotect_rtcp(packet),
            None => Err(SrtpError::Unauthentic),
        }
    }

    /// For protecting what goes to this peer; `None` until connected, and once over.
    pub fn srtp_out(&mut self) -> Option<&mut SrtpOut> {
        self.srtp.as_mut().map(|(_, out)| out)
    }

    /// Where to send now.
    #[must_use]
    pub fn path(&self) -> Option<Path> {
        None
    }

    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.srtp.is_some()
    }

    /// Timers may fire early or late; the deadlines decide.
    pub fn handle_timeout(&mut self, _now: Instant) {}

    /// When to call [`Transport::handle_timeout`] next; `None` when over.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    pub fn poll_event(&mut self) -> Option<TransportEvent> {
        self.events.pop_front()
    }

    /// Says goodbye (close_notify) and is over; no event follows.
    pub fn close(&mut self, _now: Instant) {
        self.srtp = None;
    }
}
