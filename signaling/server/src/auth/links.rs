//! One-time links: whoever scans one with a phone is signed in as the account that it was made
//! for. Good once and for ten minutes; the store keeps only the token's hash.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use liandong_protocol::AccountId;
use liandong_protocol::http::LoginLink;
use qrcode::QrCode;
use qrcode::render::svg;
use rand::RngExt as _;
use sha2::{Digest as _, Sha256};

use super::vault::{Vault, VaultError};

const VALID_MS: i64 = 10 * 60 * 1_000;
/// 192 bits; 32 letters.
const TOKEN_BYTES: usize = 24;
/// Longer ones are none of ours.
const MAX_TOKEN_BYTES: usize = 64;

/// All links that are open.
#[derive(Clone, Debug)]
pub struct Links {
    vault: Arc<Vault>,
}

impl Links {
    #[must_use]
    pub fn new(vault: Arc<Vault>) -> Self {
        Self { vault }
    }

    /// A link for the account; an earlier one is good no longer. `origin`: where the phone
    /// reaches the server. Waits for the disk.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn make(
        &self,
        account: &AccountId,
        origin: &str,
        now_ms: i64,
    ) -> Result<LoginLink, VaultError> {
        let bytes: [u8; TOKEN_BYTES] = rand::rng().random();
        let token = URL_SAFE_NO_PAD.encode(bytes);
        let expires_ms = now_ms + VALID_MS;
        self.vault
            .keep_link(hash(&token), account, now_ms, expires_ms)?;
        // Behind the #, so that no proxy and no log sees it.
        let url = format!("{origin}/#link={token}");
        let qr_svg = QrCode::new(&url)
            .map(|qr| {
                qr.render::<svg::Color<'_>>()
                    .min_dimensions(240, 240)
                    .build()
            })
            .unwrap_or_default();
        Ok(LoginLink {
            url,
            qr_svg,
            expires_ms: expires_ms as f64,
        })
    }

    /// Whose it is, the first time. Waits for the disk.
    ///
    /// # Errors
    /// The store cannot be written: then it stays good.
    pub fn redeem(&self, token: &str, now_ms: i64) -> Result<Option<AccountId>, VaultError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Ok(None);
        }
        self.vault.use_link(hash(token), now_ms)
    }
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links() -> (tempfile::TempDir, Links) {
        let folder = tempfile::tempdir().unwrap();
        let vault = Arc::new(Vault::open(folder.path()).unwrap());
        (folder, Links::new(vault))
    }

    fn token(link: &LoginLink) -> String {
        link.url.split_once("#link=").unwrap().1.to_owned()
    }

    #[test]
    fn link_is_good_once() {
        let (_folder, links) = links();
        let link = links
            .make(&"field1".into(), "https://county", 1_000)
            .unwrap();
        assert!(link.url.starts_with("https://county/#link="));
        assert!(link.qr_svg.contains("<svg"));
        let redeem = |token: &str| links.redeem(token, 2_000).unwrap();
        assert_eq!(redeem("another"), None);
        assert_eq!(redeem(&"x".repeat(1_000_000)), None);
        assert_eq!(redeem(&token(&link)), Some("field1".into()));
        assert_eq!(redeem(&token(&link)), None);
    }

    #[test]
    fn link_is_good_for_minutes_and_until_the_next_one() {
        let (_folder, links) = links();
        let old = links.make(&"field1".into(), "", 0).unwrap();
        let other = links.make(&"field2".into(), "", 0).unwrap();
        let new = links.make(&"field1".into(), "", 1).unwrap();
        assert_eq!(links.redeem(&token(&old), 2).unwrap(), None);
        assert_eq!(links.redeem(&token(&other), VALID_MS + 1).unwrap(), None);
        let last = links.redeem(&token(&new), VALID_MS + 1).unwrap();
        assert_eq!(last, Some("field1".into()));
    }
}
