//! The DTLS side of a transport (RFC 5764), on a sans-IO DTLS 1.2 endpoint.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::srtp::from_keying_material;
use super::{Fingerprint, SrtpIn, SrtpOut, SrtpProfile, TransportError};
use crate::api::DisconnectReason;

/// From the first ClientHello to the keys.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(15);

/// A server answers repetitions at most this often, so that a burst of them gets one answer.
const REPEAT_APART: Duration = Duration::from_millis(500);
/// After this silence a server says its flight again unasked. RFC 6347 §4.2.4.1 proposes 1 s;
/// a client that repeats its own at that pace has then lost four of them.
const REPEAT_UNASKED: Duration = Duration::from_secs(5);
/// The longest that the endpoint takes; [`HANDSHAKE_TIMEOUT`] is ours to keep.
const NEVER: Duration = Duration::from_secs(3_600 * 24 * 3_650);

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
    server: Arc<dimpl::Config>,
    client: Arc<dimpl::Config>,
    fingerprint: Fingerprint,
}

impl Certificate {
    /// Makes a self-signed one (ECDSA P-256). Draws randomness and reads the
    /// date, so the shell calls it, once at start.
    pub fn generate() -> Result<Self, TransportError> {
        let dtls = dimpl::certificate::generate_self_signed_certificate()
            .map_err(|error| TransportError::Certificate(error.to_string()))?;
        let built = |builder: dimpl::ConfigBuilder| match builder.build() {
            Ok(config) => Ok(Arc::new(config)),
            Err(error) => Err(TransportError::Dtls(error.to_string())),
        };
        let server = dimpl::Config::builder()
            // A path has been verified by ICE before DTLS is heard from it: a
            // cookie would prove the same again for one more round trip.
            .use_server_cookie(false)
            // In its own time (see Dtls): with 15 s / REPEAT_APART doublings still before NEVER.
            .flight_start_rto(Duration::from_millis(1))
            .flight_retries(64)
            .handshake_timeout(NEVER);
        let client = dimpl::Config::builder().handshake_timeout(HANDSHAKE_TIMEOUT);
        let fingerprint = Fingerprint::sha256_of(&dtls.certificate);
        Ok(Self(Arc::new(Inner {
            dtls,
            server: built(server)?,
            client: built(client)?,
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
    fn endpoint(&self, now: Instant, role: DtlsRole) -> dimpl::Dtls {
        let config = match role {
            DtlsRole::Server => &self.0.server,
            DtlsRole::Client => &self.0.client,
        };
        let mut endpoint = dimpl::Dtls::new_12(config.clone(), self.0.dtls.clone(), now);
        endpoint.set_active(role == DtlsRole::Client);
        endpoint
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
///
/// A server lets the client set the pace: a flight that is lost, either way, makes the client
/// repeat its own (RFC 6347 §4.2.4), and every repetition is answered, the last flight's after
/// the handshake, too. The endpoint's own timer would interfere: it repeats a flight
/// while the client's answer may be on its way, some clients stop their timer when they hear
/// that, and then nobody repeats the answer if it was lost; and the endpoint answers
/// repetitions at doubling intervals, the client being out of patience first. So a server's
/// endpoint has a clock of its own, which stands still and is put forward to the
/// endpoint's timer when there is something to say again.
pub(super) struct Dtls {
    endpoint: dimpl::Dtls,
    /// The endpoint's time; a client's is the real one.
    clock: Instant,
    /// When the endpoint wants to be called, in its time.
    alarm: Option<Instant>,
    /// When we last sent something.
    spoke: Option<Instant>,
    /// When the peer last sent something.
    heard: Option<Instant>,
    role: DtlsRole,
    fingerprints: Vec<Fingerprint>,
    /// The peer's certificate has one of the fingerprints.
    certified: bool,
    stage: Stage,
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
        Self {
            endpoint: certificate.endpoint(now, role),
            clock: now,
            alarm: None,
            spoke: None,
            heard: None,
            role,
            fingerprints,
            certified: false,
            stage: Stage::Waiting,
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
        mut send: impl FnMut(&[u8]),
    ) -> Result<Progress, Failure> {
        match self.stage {
            Stage::Waiting | Stage::Over => return Ok(Progress::Nothing),
            Stage::Handshake { .. } | Stage::Connected => {}
        }
        self.heard = Some(now);
        let progress = self.step(now, Some(datagram), &mut send)?;
        if matches!(progress, Progress::Nothing) && self.is_asked_again(now, datagram) {
            self.put_forward();
            return self.step(now, Some(datagram), send);
        }
        Ok(progress)
    }

    /// Whether the peer repeats a flight that has been answered, and the answer is to be repeated.
    fn is_asked_again(&self, now: Instant, datagram: &[u8]) -> bool {
        /// ClientHello (RFC 5246 §7.4), where a record's first message begins.
        const CLIENT_HELLO: Option<&u8> = Some(&1);
        // A plain handshake record (RFC 6347 §4.1): type, version, epoch 0.
        let is_handshake = matches!(datagram, [22, _, _, 0, 0, ..]);
        let is_repetition = match self.stage {
            // A part of the next flight is none.
            Stage::Handshake { .. } => datagram.get(13) == CLIENT_HELLO,
            Stage::Connected => true,
            Stage::Waiting | Stage::Over => false,
        };
        let is_time = self.spoke.is_some_and(|at| now >= at + REPEAT_APART);
        self.role == DtlsRole::Server && is_handshake && is_repetition && is_time
    }

    /// Has the endpoint believe that its timer has run out.
    fn put_forward(&mut self) {
        self.clock = self.alarm.map_or(self.clock, |at| at.max(self.clock));
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
                if self.timer().is_some_and(|timer| now >= timer) =>
            {
                if self.role == DtlsRole::Server {
                    self.put_forward();
                    self.spoke = Some(now);
                }
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
                Some(self.timer().map_or(deadline, |timer| timer.min(deadline)))
            }
            Stage::Connected => self.timer(),
            Stage::Waiting | Stage::Over => None,
        }
    }

    /// When to repeat a flight unasked.
    fn timer(&self) -> Option<Instant> {
        match (self.role, self.stage) {
            (DtlsRole::Client, _) => self.alarm,
            (DtlsRole::Server, Stage::Handshake { .. }) => self
                .spoke
                .map(|spoke| self.heard.map_or(spoke, |heard| heard.max(spoke)) + REPEAT_UNASKED),
            (DtlsRole::Server, Stage::Waiting | Stage::Connected | Stage::Over) => None,
        }
    }

    /// The endpoint's time.
    fn clock(&mut self, now: Instant) -> Instant {
        if self.role == DtlsRole::Client {
            self.clock = now;
        }
        self.clock
    }

    /// Sends close_notify if there is a connection.
    pub(super) fn close(&mut self, now: Instant, send: impl FnMut(&[u8])) {
        let connected = self.stage == Stage::Connected;
        self.stage = Stage::Over;
        let clock = self.clock(now);
        if connected && self.endpoint.handle_timeout(clock).is_ok() && self.endpoint.close().is_ok()
        {
            // Nothing is left to fail.
            let _ = self.drain(send);
        }
    }

    fn step(
        &mut self,
        now: Instant,
        datagram: Option<&[u8]>,
        mut send: impl FnMut(&[u8]),
    ) -> Result<Progress, Failure> {
        let clock = self.clock(now);
        let fed = self
            .endpoint
            .handle_timeout(clock)
            .and_then(|()| datagram.map_or(Ok(()), |bytes| self.endpoint.handle_packet(bytes)));
        // An alert about the error may be waiting.
        let mut spoke = self.spoke;
        let progress = self.drain(|bytes| {
            spoke = Some(now);
            send(bytes);
        });
        self.spoke = spoke;
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
                    self.alarm = Some(at);
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
