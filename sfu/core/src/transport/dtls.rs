//! The DTLS side of a transport (RFC 5764), on a sans-IO DTLS 1.2 endpoint.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::srtp::from_keying_material;
use super::{Fingerprint, SrtpIn, SrtpOut, SrtpProfile, TransportError};
use crate::api::DisconnectReason;

/// From the first ClientHello to the keys.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(15);

/// Which side of the handshake is ours (RFC 5763 §5).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DtlsRole {
    /// `a=setup:passive`, the answer to `actpass`.
    Server,
    /// `a=setup:active`.
    Client,
}

/// The node's certificate with its key, made once and shared by all peers.
#[derive(Clone)]
pub struct Certificate(Arc<Inner>);

struct Inner {
    dtls: dimpl::DtlsCertificate,
    config: Arc<dimpl::Config>,
    fingerprint: Fingerprint,
}

impl Certificate {
    /// Makes a self-signed one (ECDSA P-256). Draws randomness and reads the
    /// date, so the shell calls it, once at start.
    pub fn generate() -> Result<Self, TransportError> {
        let dtls = dimpl::certificate::generate_self_signed_certificate()
            .map_err(|error| TransportError::Certificate(error.to_string()))?;
        let config = dimpl::Config::builder()
            // A path has been verified by ICE before DTLS is heard from it: a
            // cookie would prove the same again for one more round trip.
            .use_server_cookie(false)
            .handshake_timeout(HANDSHAKE_TIMEOUT)
            .build()
            .map_err(|error| TransportError::Dtls(error.to_string()))?;
        let fingerprint = Fingerprint::sha256_of(&dtls.certificate);
        Ok(Self(Arc::new(Inner {
            dtls,
            config: Arc::new(config),
            fingerprint,
        })))
    }

    /// For `a=fingerprint`.
    #[must_use]
    pub fn fingerprint_sha256(&self) -> &Fingerprint {
        &self.0.fingerprint
    }

    /// A fresh endpoint with this certificate.
    ///
    /// DTLS 1.2 and not 1.3, which every WebRTC client speaks: there this crate's server
    /// chooses the SRTP profile by its own order, AEAD first. In 1.3 it takes the client's first,
    /// which is AES-CM with Chromium, at three times the cost per packet.
    fn endpoint(&self, now: Instant) -> dimpl::Dtls {
        dimpl::Dtls::new_12(self.0.config.clone(), self.0.dtls.clone(), now)
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Certificate")
            .field(&self.0.fingerprint.to_string())
            .finish()
    }
}

/// Why there will be no connection, for the control side and for a person who reads logs.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) reason: DisconnectReason,
    pub(super) detail: String,
}

/// What a DTLS datagram or the time has brought about.
#[derive(Debug)]
pub(super) enum Progress {
    Nothing,
    /// The handshake is done and the peer is who the offer said.
    Connected(SrtpProfile, Box<(SrtpIn, SrtpOut)>),
    /// close_notify from the peer.
    Closed,
}

/// One peer's DTLS connection.
pub(super) struct Dtls {
    endpoint: dimpl::Dtls,
    role: DtlsRole,
    fingerprints: Vec<Fingerprint>,
    /// The peer's certificate has one of the fingerprints.
    certified: bool,
    stage: Stage,
    /// When the endpoint wants to be called.
    timer: Option<Instant>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Stage {
    /// There is no path yet.
    Waiting,
    Handshake {
        deadline: Instant,
    },
    Connected,
    Over,
}

impl Dtls {
    pub(super) fn new(
        now: Instant,
        certificate: &Certificate,
        role: DtlsRole,
        fingerprints: Vec<Fingerprint>,
    ) -> Self {
        let mut endpoint = certificate.endpoint(now);
        endpoint.set_active(role == DtlsRole::Client);
        Self {
            endpoint,
            role,
            fingerprints,
            certified: false,
            stage: Stage::Waiting,
            timer: None,
        }
    }

    /// A path is there: a client says hello, a server has the peer's time run.
    pub(super) fn start(
        &mut self,
        now: Instant,
        send: impl FnMut(&[u8]),
    ) -> Result<Progress, Failure> {
        if self.stage != Stage::Waiting {
            return Ok(Progress::Nothing);
        }
        let deadline = now + HANDSHAKE_TIMEOUT;
        self.stage = Stage::Handshake { deadline };
        match self.role {
            DtlsRole::Client => self.step(now, None, send),
            DtlsRole::Server => Ok(Progress::Nothing),
        }
    }

    pub(super) fn handle(
        &mut self,
        now: Instant,
        datagram: &[u8],
        send: impl FnMut(&[u8]),
    ) -> Result<Progress, Failure> {
        match self.stage {
            Stage::Waiting | Stage::Over => Ok(Progress::Nothing),
            Stage::Handshake { .. } | Stage::Connected => self.step(now, Some(datagram), send),
        }
    }

    pub(super) fn handle_timeout(
        &mut self,
        now: Instant,
        send: impl FnMut(&[u8]),
    ) -> Result<Progress, Failure> {
        match self.stage {
            Stage::Handshake { deadline } if now >= deadline => {
                self.stage = Stage::Over;
                Err(handshake_failed("timed out"))
            }
            Stage::Handshake { .. } | Stage::Connected
                if self.timer.is_some_and(|timer| now >= timer) =>
            {
                self.step(now, None, send)
            }
            Stage::Waiting | Stage::Handshake { .. } | Stage::Connected | Stage::Over => {
                Ok(Progress::Nothing)
            }
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        match self.stage {
            Stage::Handshake { deadline } => {
                Some(self.timer.map_or(deadline, |timer| timer.min(deadline)))
            }
            Stage::Connected => self.timer,
            Stage::Waiting | Stage::Over => None,
        }
    }

    /// Sends close_notify if there is a connection.
    pub(super) fn close(&mut self, now: Instant, send: impl FnMut(&[u8])) {
        let connected = self.stage == Stage::Connected;
        self.stage = Stage::Over;
        if connected && self.endpoint.handle_timeout(now).is_ok() && self.endpoint.close().is_ok() {
            // Nothing is left to fail.
            let _ = self.drain(send);
        }
    }

    fn step(
        &mut self,
        now: Instant,
        datagram: Option<&[u8]>,
        send: impl FnMut(&[u8]),
    ) -> Result<Progress, Failure> {
        let fed = self
            .endpoint
            .handle_timeout(now)
            .and_then(|()| datagram.map_or(Ok(()), |bytes| self.endpoint.handle_packet(bytes)));
        // An alert about the error may be waiting.
        let progress = self.drain(send);
        let outcome = match (fed, progress) {
            (_, Err(failure)) => Err(failure),
            (Err(error), Ok(_)) => Err(handshake_failed(&describe(&error))),
            (Ok(()), Ok(progress)) => Ok(progress),
        };
        match (&outcome, self.stage) {
            (Ok(Progress::Connected(..)), _) => self.stage = Stage::Connected,
            (Ok(Progress::Closed), _) => self.stage = Stage::Over,
            (Err(_), Stage::Connected) => {
                // The keys stand; only the goodbye will not be heard.
                self.stage = Stage::Over;
                return Ok(Progress::Nothing);
            }
            (Err(_), _) => self.stage = Stage::Over,
            (Ok(Progress::Nothing), _) => {}
        }
        outcome
    }

    /// Polls the endpoint until it wants to wait.
    fn drain(&mut self, mut send: impl FnMut(&[u8])) -> Result<Progress, Failure> {
        let mut buffer = vec![0u8; 2_048];
        let mut connected = false;
        let mut progress = Progress::Nothing;
        loop {
            match self.endpoint.poll_output(&mut buffer) {
                dimpl::Output::Packet(bytes) => send(bytes),
                dimpl::Output::BufferTooSmall { needed } => buffer.resize(needed, 0),
                dimpl::Output::PeerCert(der) => {
                    if !self.fingerprints.iter().any(|print| print.matches(der)) {
                        return Err(Failure {
                            reason: DisconnectReason::WrongFingerprint,
                            detail: format!(
                                "the certificate is {}, not the one of the offer",
                                Fingerprint::sha256_of(der)
                            ),
                        });
                    }
                    self.certified = true;
                }
                dimpl::Output::Connected => connected = true,
                dimpl::Output::KeyingMaterial(material, profile) => {
                    progress = self.keys(&material, profile)?;
                }
                dimpl::Output::CloseNotify => progress = Progress::Closed,
                dimpl::Output::Timeout(at) => {
                    self.timer = Some(at);
                    break;
                }
                // No data channels are negotiated.
                dimpl::Output::ApplicationData(_) => {}
                _ => {}
            }
        }
        if connected && matches!(progress, Progress::Nothing) {
            return Err(handshake_failed("no SRTP profile in common"));
        }
        Ok(progress)
    }

    fn keys(&self, material: &[u8], profile: dimpl::SrtpProfile) -> Result<Progress, Failure> {
        if !self.certified {
            return Err(handshake_failed("the peer showed no certificate"));
        }
        let profile = match profile {
            dimpl::SrtpProfile::AEAD_AES_128_GCM => SrtpProfile::AeadAes128Gcm,
            dimpl::SrtpProfile::AEAD_AES_256_GCM => SrtpProfile::AeadAes256Gcm,
            dimpl::SrtpProfile::AES128_CM_SHA1_80 => SrtpProfile::Aes128CmHmacSha1_80,
            other => return Err(handshake_failed(&format!("unknown SRTP profile {other}"))),
        };
        from_keying_material(profile, material, self.role == DtlsRole::Client)
            .map(|contexts| Progress::Connected(profile, Box::new(contexts)))
            .ok_or_else(|| handshake_failed("keying material of a wrong length"))
    }
}

impl fmt::Debug for Dtls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dtls")
            .field("role", &self.role)
            .field("stage", &self.stage)
            .finish_non_exhaustive()
    }
}

fn handshake_failed(detail: &str) -> Failure {
    Failure {
        reason: DisconnectReason::HandshakeFailed,
        detail: detail.to_owned(),
    }
}

/// The endpoint's words, with a hint where the cause is the peer's kind of certificate.
fn describe(error: &dimpl::Error) -> String {
    // A peer without such a certificate either sends none or gives up by an
    // alert: handshake_failure (RFC 5246 §7.2.2).
    let kind_of_certificate = matches!(
        error,
        dimpl::Error::CryptoError(dimpl::CryptoError::UnsupportedPublicKeyAlgorithm)
            | dimpl::Error::CertificateError(dimpl::CertificateError::NoClientCertificateReceived)
            | dimpl::Error::SecurityError(dimpl::SecurityError::FatalAlert { description: 40 })
    );
    if kind_of_certificate {
        return format!(
            "{error}; only ECDSA certificates (P-256, P-384) are supported: is the peer's RSA?"
        );
    }
    error.to_string()
}
