//! The rustls configuration. The certificate can be exchanged while running;
//! connections that are open keep the old one.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::authority::TlsError;

/// The certificate that is shown at present.
#[derive(Debug)]
pub struct Shown {
    certificate: PathBuf,
    key: PathBuf,
    current: RwLock<Arc<CertifiedKey>>,
}

impl Shown {
    /// Reads both PEM files.
    ///
    /// # Errors
    /// When one is missing or broken, or they do not belong together.
    pub fn load(certificate: PathBuf, key: PathBuf) -> Result<Arc<Self>, TlsError> {
        let current = RwLock::new(read(&certificate, &key)?);
        Ok(Arc::new(Self {
            certificate,
            key,
            current,
        }))
    }

    /// Reads the files again, for connections from now on.
    ///
    /// # Errors
    /// As [`Shown::load`]; the old certificate stays then.
    pub fn reload(&self) -> Result<(), TlsError> {
        let new = read(&self.certificate, &self.key)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(&current))
    }
}

/// HTTP/2 and HTTP/1.1 over TLS 1.2 and 1.3.
///
/// # Errors
/// When the crypto provider offers none of the versions.
pub fn server_config(shown: Arc<Shown>) -> Result<Arc<ServerConfig>, TlsError> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(shown);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn read(certificate: &Path, key: &Path) -> Result<Arc<CertifiedKey>, TlsError> {
    let content = |path: &Path, what| TlsError::Content {
        path: path.to_owned(),
        what,
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|_| content(certificate, "is not a PEM certificate"))?;
    if chain.is_empty() {
        return Err(content(certificate, "holds no certificate"));
    }
    let private =
        PrivateKeyDer::from_pem_file(key).map_err(|_| content(key, "is not a PEM private key"))?;
    let certified = CertifiedKey::from_der(chain, private, &aws_lc_rs::default_provider())?;
    certified.keys_match()?;
    Ok(Arc::new(certified))
}
