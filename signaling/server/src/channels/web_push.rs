//! Web Push: a message to a browser that is not open, by way of its maker's
//! push service, which can read nothing of it.
//!
//! Protocol RFC 8030, encryption RFC 8291 over RFC 8188, sender RFC 8292 (VAPID).
//!
//! The steps of RFC 8291 are here, their ciphers are not: those are of aws-lc-rs, which TLS uses
//! too. Of the libraries for it `ece` wants OpenSSL, or a trait that is longer than [`encrypt`];
//! `web-push-native` brings a second set of ciphers and of JWT. The test holds the RFC's example.

use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use aws_lc_rs::{aead, agreement, hkdf};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::join_all;
use liandong_domain::pursuit::AttemptResult;
use serde_json::json;

use super::subscriptions::{Subscription, Subscriptions};
use super::{Adapter, Busy, Message, Sending, Waits, may_be_repeated};
use crate::clock;
use crate::disk::write_whole;

/// The server's own key, in the data folder.
pub const KEY_FILE: &str = "vapid.p8";
/// One record holds the whole message (RFC 8188 §2.1); services take 4,096 bytes.
const RECORD_SIZE: u32 = 4_096;
const SALT_BYTES: usize = 16;
/// The service keeps the message so long for a phone that sleeps; as long as it rings.
const TTL_S: u32 = 60;
/// RFC 8292 §2: at most 24 hours.
const TOKEN_VALID_S: u64 = 12 * 3_600;

/// The server's own key, by which push services know it again.
pub struct Vapid {
    key: EcdsaKeyPair,
    /// Whom a push service can ask: `mailto:` or `https:`.
    subject: String,
}

impl std::fmt::Debug for Vapid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vapid").finish_non_exhaustive()
    }
}

impl Vapid {
    /// Reads the key, or makes one. Another key makes every subscription worthless.
    ///
    /// # Errors
    /// The file cannot be read or written, or holds no key.
    pub fn open(folder: &Path, subject: &str) -> std::io::Result<Self> {
        let path = folder.join(KEY_FILE);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => make_key(&path)?,
            Err(error) => return Err(error),
        };
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &bytes);
        let key =
            key.map_err(|_| std::io::Error::other(format!("{KEY_FILE} holds no P-256 key")))?;
        Ok(Self {
            key,
            subject: subject.to_owned(),
        })
    }

    /// For `PushManager.subscribe`.
    #[must_use]
    pub fn public_key(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.key.public_key().as_ref())
    }

    /// The `Authorization` of a request to that origin (RFC 8292 §3).
    fn authorization(&self, origin: &str, now_s: u64) -> Result<String, Unspecified> {
        let head = json!({ "typ": "JWT", "alg": "ES256" }).to_string();
        let claims = json!({
            "aud": origin,
            "exp": now_s + TOKEN_VALID_S,
            "sub": self.subject,
        });
        let signed = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(head),
            URL_SAFE_NO_PAD.encode(claims.to_string())
        );
        let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes())?;
        let signature = URL_SAFE_NO_PAD.encode(signature.as_ref());
        Ok(format!(
            "vapid t={signed}.{signature}, k={}",
            self.public_key()
        ))
    }
}

fn make_key(path: &Path) -> std::io::Result<Vec<u8>> {
    let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
        .map_err(|_| std::io::Error::other("no key could be made"))?;
    write_whole(path, made.as_ref(), 0o600)?;
    Ok(made.as_ref().to_vec())
}

struct Bytes(usize);

impl hkdf::KeyType for Bytes {
    fn len(&self) -> usize {
        self.0
    }
}

fn expand<const N: usize>(prk: &hkdf::Prk, info: &[&[u8]]) -> Result<[u8; N], Unspecified> {
    let mut out = [0; N];
    prk.expand(info, Bytes(N))?.fill(&mut out)?;
    Ok(out)
}

/// The body of a push message (RFC 8291 §4).
fn encrypt(
    to: &Subscription,
    own: &agreement::PrivateKey,
    salt: &[u8; SALT_BYTES],
    text: &[u8],
) -> Result<Vec<u8>, Unspecified> {
    let own_public = own.compute_public_key()?;
    let peer = agreement::UnparsedPublicKey::new(&agreement::ECDH_P256, &to.p256dh);
    let secret = agreement::agree(own, peer, Unspecified, |secret| Ok(secret.to_vec()))?;
    // §3.4
    let combined = hkdf::Salt::new(hkdf::HKDF_SHA256, &to.auth).extract(&secret);
    let info: [&[u8]; 3] = [b"WebPush: info\0", &to.p256dh, own_public.as_ref()];
    let input: [u8; 32] = expand(&combined, &info)?;
    let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(&input);
    let key: [u8; 16] = expand(&prk, &[b"Content-Encoding: aes128gcm\0"])?;
    let nonce: [u8; 12] = expand(&prk, &[b"Content-Encoding: nonce\0"])?;

    // RFC 8188 §2: 2 ends the last record.
    let mut sealed = text.to_vec();
    sealed.push(2);
    let key = aead::LessSafeKey::new(aead::UnboundKey::new(&aead::AES_128_GCM, &key)?);
    // The salt is new for every message, and the key and nonce with it.
    let nonce = aead::Nonce::assume_unique_for_key(nonce);
    key.seal_in_place_append_tag(nonce, aead::Aad::empty(), &mut sealed)?;

    let id = own_public.as_ref();
    let mut body = Vec::with_capacity(SALT_BYTES + 5 + id.len() + sealed.len());
    body.extend_from_slice(salt);
    body.extend_from_slice(&RECORD_SIZE.to_be_bytes());
    body.push(u8::try_from(id.len()).map_err(|_| Unspecified)?);
    body.extend_from_slice(id);
    body.extend_from_slice(&sealed);
    Ok(body)
}

/// Sends to every browser of the account.
#[derive(Debug)]
pub struct WebPush {
    vapid: Arc<Vapid>,
    subscriptions: Arc<Subscriptions>,
    client: reqwest::Client,
    waits: Waits,
}

impl WebPush {
    #[must_use]
    pub fn new(
        vapid: Arc<Vapid>,
        subscriptions: Arc<Subscriptions>,
        client: reqwest::Client,
        waits: Waits,
    ) -> Self {
        Self {
            vapid,
            subscriptions,
            client,
            waits,
        }
    }

    async fn push(&self, message: &Message) -> AttemptResult {
        let Some(account) = message.account.clone() else {
            return AttemptResult::Unreachable;
        };
        let store = Arc::clone(&self.subscriptions);
        let found = tokio::task::spawn_blocking(move || store.of(&account.0)).await;
        let browsers = match found {
            Ok(Ok(browsers)) => browsers,
            Ok(Err(error)) => {
                tracing::warn!(%error, "subscriptions cannot be read");
                return AttemptResult::Failed;
            }
            Err(_) => return AttemptResult::Failed,
        };
        // At once: a service that does not answer must not keep the message from the next phone.
        let sent = browsers
            .iter()
            .map(|one| self.push_until_taken(one, message));
        let results = join_all(sent).await;
        if results.contains(&AttemptResult::Delivered) {
            return AttemptResult::Delivered; // one of several phones has it
        }
        results
            .last()
            .copied()
            .unwrap_or(AttemptResult::Unreachable)
    }

    async fn push_until_taken(&self, browser: &Subscription, message: &Message) -> AttemptResult {
        for wait in self.waits {
            match self.push_to(browser, message).await {
                Ok(result) => return result,
                Err(Busy) => tokio::time::sleep(wait).await,
            }
        }
        let last = self.push_to(browser, message).await;
        last.unwrap_or(AttemptResult::Failed)
    }

    async fn push_to(
        &self,
        browser: &Subscription,
        message: &Message,
    ) -> Result<AttemptResult, Busy> {
        let text = json!({
            "title": message.title,
            "body": message.text,
            "tag": format!("pursuit-{}", message.pursuit),
        });
        let Some((body, authorization)) = self.sealed(browser, text.to_string().as_bytes()) else {
            return Ok(AttemptResult::Failed);
        };
        let sent = self
            .client
            .post(&browser.endpoint)
            .header("authorization", authorization)
            .header("content-encoding", "aes128gcm")
            .header("content-type", "application/octet-stream")
            .header("ttl", TTL_S)
            .header("urgency", "high")
            .body(body)
            .send()
            .await;
        match sent.map(|response| response.status()) {
            Ok(status) if status.is_success() => Ok(AttemptResult::Delivered),
            // RFC 8030 §7.3: the browser does not want it any more.
            Ok(reqwest::StatusCode::NOT_FOUND | reqwest::StatusCode::GONE) => {
                let (store, endpoint) = (Arc::clone(&self.subscriptions), browser.endpoint.clone());
                let forgotten = tokio::task::spawn_blocking(move || store.forget(&endpoint)).await;
                if !matches!(forgotten, Ok(Ok(()))) {
                    tracing::warn!("a subscription that is over could not be forgotten");
                }
                Ok(AttemptResult::Unreachable)
            }
            Ok(status) => {
                tracing::warn!(%status, "the push service refuses a message");
                if may_be_repeated(status) {
                    Err(Busy)
                } else {
                    Ok(AttemptResult::Failed)
                }
            }
            Err(error) => {
                // Without the URL, which is the browser's secret.
                tracing::warn!(error = %error.without_url(), "the push service cannot be reached");
                Err(Busy)
            }
        }
    }

    fn sealed(&self, browser: &Subscription, text: &[u8]) -> Option<(Vec<u8>, String)> {
        let url = reqwest::Url::parse(&browser.endpoint).ok()?;
        let own = agreement::PrivateKey::generate(&agreement::ECDH_P256).ok()?;
        let mut salt = [0; SALT_BYTES];
        aws_lc_rs::rand::fill(&mut salt).ok()?;
        let body = encrypt(browser, &own, &salt, text).ok()?;
        let origin = url.origin().ascii_serialization();
        let authorization = self.vapid.authorization(&origin, clock::now().0 / 1_000);
        Some((body, authorization.ok()?))
    }
}

impl Adapter for WebPush {
    fn send<'a>(&'a self, message: &'a Message) -> Sending<'a> {
        Box::pin(self.push(message))
    }
}

#[cfg(test)]
mod tests;
