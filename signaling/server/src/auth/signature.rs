//! How another platform signs a request: HMAC-SHA256 over method, path, time, nonce and body.
//!
//! ```text
//! Liandong-Signature: platform=12345, time=1764039600, nonce=5f0c…, body=HEX, v1=HEX
//! HEX = HMAC-SHA256(key, METHOD \n PATH?QUERY \n TIME \n NONCE \n HEX(SHA-256(BODY)))
//! ```
//! `body` is the body's hash; it may be left out where the body is short.
//! docs/api.md shows it with `openssl`. Pure.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::config::Secret;

/// The header's name.
pub const HEADER: &str = "liandong-signature";
const NONCE_LENGTH: std::ops::RangeInclusive<usize> = 8..=64;

/// The header, read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Signature<'a> {
    pub platform: &'a str,
    /// Unix time in seconds.
    pub time: i64,
    pub nonce: &'a str,
    /// SHA-256 of the body, where it is named.
    pub body: Option<[u8; 32]>,
    mac: [u8; 32],
}

/// What is signed besides time and nonce.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    pub method: &'a str,
    /// With the query, as it was sent.
    pub path: &'a str,
    /// SHA-256 of the body; of nothing if there is none.
    pub body_hash: &'a [u8; 32],
}

impl<'a> Signature<'a> {
    /// `None`: not of the form. Each part comes once, in any order; `body` may be left out.
    #[must_use]
    pub fn parse(header: &'a str) -> Option<Self> {
        let (mut platform, mut time, mut nonce) = (None, None, None);
        let (mut body, mut mac) = (None, None);
        for part in header.split(',') {
            let (name, value) = part.trim().split_once('=')?;
            let slot = match name {
                "platform" => &mut platform,
                "time" => &mut time,
                "nonce" => &mut nonce,
                "body" => &mut body,
                "v1" => &mut mac,
                _ => return None,
            };
            if slot.replace(value).is_some() {
                return None;
            }
        }
        let nonce = nonce.filter(|nonce| {
            NONCE_LENGTH.contains(&nonce.len()) && nonce.bytes().all(|b| b.is_ascii_alphanumeric())
        })?;
        Some(Self {
            platform: platform?,
            time: time?.parse().ok()?,
            nonce,
            body: match body {
                Some(hash) => Some(hex::decode(hash).ok()?.try_into().ok()?),
                None => None,
            },
            mac: hex::decode(mac?).ok()?.try_into().ok()?,
        })
    }

    /// In the same time for every wrong one.
    #[must_use]
    pub fn is_by(&self, key: &Secret, signed: Signed<'_>) -> bool {
        // A hash that is named and is another one: the header was not made for this body.
        self.body.is_none_or(|named| named == *signed.body_hash)
            && hmac(key, &self.text(signed)).is_some_and(|mac| mac.verify_slice(&self.mac).is_ok())
    }

    fn text(&self, signed: Signed<'_>) -> String {
        let Signed {
            method,
            path,
            body_hash,
        } = signed;
        let (time, nonce, hash) = (self.time, self.nonce, hex::encode(body_hash));
        format!("{method}\n{path}\n{time}\n{nonce}\n{hash}")
    }
}

fn hmac(key: &Secret, text: &str) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(&key.0).ok()?;
    mac.update(text.as_bytes());
    Some(mac)
}

/// Of a body.
#[must_use]
pub fn body_hash(body: &[u8]) -> [u8; 32] {
    Sha256::digest(body).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with the commands of docs/api.md:
    /// `printf 'POST\n/api/v1/incidents\n1764039600\nnonce123\n%s' "$(printf '{}' | sha256sum | cut -d' ' -f1)"
    /// | openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef`
    const HEADER: &str = "platform=grid, time=1764039600, nonce=nonce123, \
        v1=b1c23339c4f6cb0147a703806680f91935977f5f009d75893f0840c0e8c9e412";

    fn signed(body_hash: &[u8; 32]) -> Signed<'_> {
        Signed {
            method: "POST",
            path: "/api/v1/incidents",
            body_hash,
        }
    }

    #[test]
    fn signature_made_with_openssl_holds_for_nothing_else() {
        let key = Secret(b"0123456789abcdef0123456789abcdef".to_vec());
        let hash = body_hash(b"{}");
        let signature = Signature::parse(HEADER).unwrap();
        assert!(signature.is_by(&key, signed(&hash)));
        assert!(!signature.is_by(&key, signed(&body_hash(b"{ }"))));
        let get = Signed {
            method: "GET",
            ..signed(&hash)
        };
        assert!(!signature.is_by(&key, get));
        let query = Signed {
            path: "/api/v1/incidents?x",
            ..signed(&hash)
        };
        assert!(!signature.is_by(&key, query));
        assert!(!signature.is_by(&Secret(vec![b'x'; 32]), signed(&hash)));
        let named = |body: &[u8]| format!("{HEADER}, body={}", hex::encode(body_hash(body)));
        let same = named(b"{}");
        assert!(Signature::parse(&same).unwrap().is_by(&key, signed(&hash)));
        let other = named(b"{ }");
        assert!(!Signature::parse(&other).unwrap().is_by(&key, signed(&hash)));
        let later = HEADER.replace("1764039600", "1764039601");
        assert!(!Signature::parse(&later).unwrap().is_by(&key, signed(&hash)));
    }

    #[test]
    fn header_out_of_its_form_is_none() {
        let whole = HEADER;
        assert!(Signature::parse(whole).is_some());
        for (part, other) in [
            ("platform=grid, ", ""),
            ("platform=grid", "platform=grid, platform=grid"),
            ("time=1764039600", "time=soon"),
            ("nonce=nonce123", "nonce=short"),
            ("nonce=nonce123", "nonce=with\n line"),
            ("v1=", "body=0, v1="),
            ("v1=", "v2="),
            ("v1=", "v1=0"),
        ] {
            let header = whole.replace(part, other);
            assert_eq!(Signature::parse(&header), None, "{header}");
        }
    }
}
