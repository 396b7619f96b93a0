//! The way to the server: address, trust, login.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use liandong_protocol::http::{Login, Me};
use liandong_protocol::{AccountId, Refusal, RefusalCode};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

mod trust;

/// How long a connection or an answer may take: fifty logins at once are fifty
/// slow password hashes.
const PATIENCE: Duration = Duration::from_secs(30);
/// Longer answers are not of this server.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// Where a server is and how its certificate is checked.
#[derive(Clone)]
pub struct Server {
    /// Host and port as in the URL, for the `Host` header.
    authority: String,
    host: String,
    port: u16,
    name: ServerName<'static>,
    tls: TlsConnector,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Server").field(&self.authority).finish()
    }
}

/// Whose certificates are believed.
#[derive(Clone, Debug)]
pub enum Trust<'a> {
    /// Those signed by the authority in this PEM file.
    Authority(&'a Path),
    /// Any: for a server on a test bench.
    Anybody,
}

/// A mistake in the address or the certificate file: no retry helps.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    #[error("{0:?} is not an address like https://host:8443")]
    Address(String),
    #[error("cannot read the certificate file {path}: {reason}")]
    Certificate { path: String, reason: String },
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}

/// Why there is no connection or no session.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoginError {
    /// Try again later.
    #[error("server not reachable: {0}")]
    Unreachable(String),
    /// The server's certificate is not of the expected authority; a retry
    /// helps only if the server changes.
    #[error("the server's certificate is not trusted: {0}")]
    Untrusted(String),
    /// The server said no; [`Refusal::code`] says whether a retry can help.
    #[error("login refused: {} ({:?})", .0.message, .0.code)]
    Refused(Refusal),
    /// Not an answer of this server.
    #[error("unexpected answer: {0}")]
    Unexpected(String),
}

impl LoginError {
    /// The same login cannot succeed later.
    #[must_use]
    pub fn is_final(&self) -> bool {
        match self {
            Self::Refused(refusal) => {
                matches!(
                    refusal.code,
                    RefusalCode::WrongLogin | RefusalCode::NotAllowed
                )
            }
            Self::Untrusted(_) => true,
            Self::Unreachable(_) | Self::Unexpected(_) => false,
        }
    }
}

/// A login that succeeded.
#[derive(Clone)]
pub struct Session {
    /// `name=value` for the `Cookie` header.
    pub cookie: String,
    pub me: Me,
}

impl std::fmt::Debug for Session {
    /// Never shows the cookie.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Session").field(&self.me.account).finish()
    }
}

impl Server {
    /// `address` is `https://host:port`; the port may be left out (443).
    ///
    /// # Errors
    /// The address is no HTTPS URL, or the certificate file cannot be read.
    pub fn new(address: &str, trust: &Trust) -> Result<Self, ServerError> {
        let wrong = || ServerError::Address(address.to_owned());
        let uri: Uri = address.parse().map_err(|_| wrong())?;
        let authority = uri.authority().ok_or_else(wrong)?;
        if uri.scheme_str() != Some("https") || !matches!(uri.path(), "" | "/") {
            return Err(wrong());
        }
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let name = ServerName::try_from(host.clone()).map_err(|_| wrong())?;
        Ok(Self {
            authority: authority.to_string(),
            port: authority.port_u16().unwrap_or(443),
            host,
            name,
            tls: TlsConnector::from(Arc::new(client_config(trust)?)),
        })
    }

    /// `https://host:port`, which is also the `Origin` of this client.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("https://{}", self.authority)
    }

    /// The URL of the WebSocket.
    #[must_use]
    pub fn socket_url(&self) -> String {
        format!("wss://{}/ws", self.authority)
    }

    /// One TLS connection.
    ///
    /// # Errors
    /// [`LoginError::Unreachable`] or [`LoginError::Untrusted`].
    pub async fn connect(&self) -> Result<TlsStream<TcpStream>, LoginError> {
        let connecting = async {
            let tcp = TcpStream::connect((self.host.as_str(), self.port))
                .await
                .map_err(|e| LoginError::Unreachable(e.to_string()))?;
            tcp.set_nodelay(true)
                .map_err(|e| LoginError::Unreachable(e.to_string()))?;
            self.tls
                .connect(self.name.clone(), tcp)
                .await
                .map_err(|e| blame(&e))
        };
        tokio::time::timeout(PATIENCE, connecting)
            .await
            .unwrap_or_else(|_| Err(LoginError::Unreachable("no answer in time".into())))
    }

    /// Logs in and keeps the session cookie.
    ///
    /// # Errors
    /// See [`LoginError`]; [`LoginError::is_final`] tells which to give up on.
    pub async fn login(&self, account: &AccountId, password: &str) -> Result<Session, LoginError> {
        let body = serde_json::to_vec(&Login {
            code: None,
            account: account.clone(),
            password: password.to_owned(),
        })
        .map_err(|e| LoginError::Unexpected(e.to_string()))?;
        let request = Request::builder()
            .method(Method::POST)
            .uri("/api/login")
            .header(header::HOST, &self.authority)
            .header(header::ORIGIN, self.origin())
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|e| LoginError::Unexpected(e.to_string()))?;
        let stream = self.connect().await?;
        tokio::time::timeout(PATIENCE, exchange(stream, request))
            .await
            .unwrap_or_else(|_| Err(LoginError::Unreachable("no answer in time".into())))
    }
}

async fn exchange(
    stream: TlsStream<TcpStream>,
    request: Request<Full<Bytes>>,
) -> Result<Session, LoginError> {
    let unreachable = |e: hyper::Error| LoginError::Unreachable(e.to_string());
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(unreachable)?;
    let driver = tokio::spawn(connection);
    let answer = sender.send_request(request).await.map_err(unreachable)?;
    let (head, body) = answer.into_parts();
    let body = Limited::new(body, MAX_ANSWER_BYTES)
        .collect()
        .await
        .map_err(|e| LoginError::Unreachable(e.to_string()))?
        .to_bytes();
    drop(sender);
    driver.abort();
    if head.status != StatusCode::OK {
        return Err(serde_json::from_slice::<Refusal>(&body).map_or_else(
            |_| LoginError::Unexpected(format!("status {}", head.status)),
            LoginError::Refused,
        ));
    }
    let me = serde_json::from_slice(&body).map_err(|e| LoginError::Unexpected(e.to_string()))?;
    let cookie = head
        .headers
        .get_all(header::SET_COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok()?.split(';').next())
        .find(|pair| pair.starts_with("__Host-liandong="))
        .ok_or_else(|| LoginError::Unexpected("no session cookie".into()))?
        .to_owned();
    Ok(Session { cookie, me })
}

/// A certificate nobody vouches for is the reader's to mend; all else may pass.
fn blame(error: &std::io::Error) -> LoginError {
    let certificate = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>())
        .is_some_and(|e| matches!(e, rustls::Error::InvalidCertificate(_)));
    if certificate {
        LoginError::Untrusted(error.to_string())
    } else {
        LoginError::Unreachable(error.to_string())
    }
}

fn client_config(trust: &Trust) -> Result<ClientConfig, ServerError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()?;
    let mut config = match trust {
        Trust::Authority(path) => builder
            .with_root_certificates(authorities(path)?)
            .with_no_client_auth(),
        Trust::Anybody => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(trust::Anybody::new(provider)))
            .with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn authorities(path: &Path) -> Result<RootCertStore, ServerError> {
    let wrong = |reason: String| ServerError::Certificate {
        path: path.display().to_string(),
        reason,
    };
    let mut store = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(path).map_err(|e| wrong(e.to_string()))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|e| wrong(e.to_string()))?;
        store.add(certificate).map_err(|e| wrong(e.to_string()))?;
    }
    if store.is_empty() {
        return Err(wrong("there is no certificate in it".into()));
    }
    Ok(store)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let server = Server::new("https://127.0.0.1:8443", &Trust::Anybody).unwrap();
        assert_eq!(server.socket_url(), "wss://127.0.0.1:8443/ws");
        assert_eq!((server.host.as_str(), server.port), ("127.0.0.1", 8443));
        let v6 = Server::new("https://[::1]:9443/", &Trust::Anybody).unwrap();
        assert_eq!((v6.host.as_str(), v6.port), ("::1", 9443));
        assert_eq!(
            Server::new("https://localhost", &Trust::Anybody)
                .unwrap()
                .port,
            443
        );
        for wrong in [
            "http://localhost",
            "localhost:8443",
            "https://a/b",
            "",
            "https://",
        ] {
            assert!(Server::new(wrong, &Trust::Anybody).is_err(), "{wrong}");
        }
    }

    #[test]
    fn missing_certificate_file_is_named() {
        let error = Server::new("https://x", &Trust::Authority(Path::new("no/such.pem")));
        assert!(error.unwrap_err().to_string().contains("no/such.pem"));
    }
}
