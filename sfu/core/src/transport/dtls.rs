//! The DTLS side of a transport (RFC 5764), on a sans-IO DTLS 1.2 endpoint.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Fingerprint, TransportError};

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

    /// A fresh DTLS 1.2 endpoint with this certificate.
    pub fn endpoint(&self, now: Instant) -> dimpl::Dtls {
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
