//! Certificate fingerprints as SDP carries them (RFC 8122 §5).

use std::fmt;
use std::str::FromStr;

use ring::digest;

use super::TransportError;

/// Hash functions that are strong enough to identify a certificate. SHA-1 is not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    fn algorithm(self) -> &'static digest::Algorithm {
        match self {
            Hash::Sha256 => &digest::SHA256,
            Hash::Sha384 => &digest::SHA384,
            Hash::Sha512 => &digest::SHA512,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Hash::Sha256 => "sha-256",
            Hash::Sha384 => "sha-384",
            Hash::Sha512 => "sha-512",
        }
    }
}

/// The hash of a certificate in DER. Reads and writes the value of SDP's
/// `a=fingerprint`: `sha-256 4A:AD:…`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fingerprint {
    hash: Hash,
    digest: Vec<u8>,
}

impl Fingerprint {
    /// Of a certificate of ours.
    #[must_use]
    pub fn sha256_of(certificate_der: &[u8]) -> Self {
        let hash = Hash::Sha256;
        let digest = digest::digest(hash.algorithm(), certificate_der)
            .as_ref()
            .to_vec();
        Self { hash, digest }
    }

    /// Whether this is the certificate that was announced.
    #[must_use]
    pub fn matches(&self, certificate_der: &[u8]) -> bool {
        digest::digest(self.hash.algorithm(), certificate_der).as_ref() == self.digest
    }
}

impl FromStr for Fingerprint {
    type Err = TransportError;

    /// Fails with [`TransportError::NoFingerprint`] for hash functions other
    /// than SHA-256, SHA-384 and SHA-512: the caller skips those lines.
    fn from_str(value: &str) -> Result<Self, Self::Err> {
        let (name, bytes) = value
            .trim()
            .split_once(' ')
            .ok_or(TransportError::MalformedFingerprint)?;
        let hash = [Hash::Sha256, Hash::Sha384, Hash::Sha512]
            .into_iter()
            .find(|hash| hash.name().eq_ignore_ascii_case(name))
            .ok_or(TransportError::NoFingerprint)?;
        let mut digest = Vec::with_capacity(hash.algorithm().output_len());
        for byte in bytes.trim().split(':') {
            let two_digits = byte.len() == 2 && byte.bytes().all(|b| b.is_ascii_hexdigit());
            if !two_digits || digest.len() == hash.algorithm().output_len() {
                return Err(TransportError::MalformedFingerprint);
            }
            digest.push(
                u8::from_str_radix(byte, 16).map_err(|_| TransportError::MalformedFingerprint)?,
            );
        }
        if digest.len() != hash.algorithm().output_len() {
            return Err(TransportError::MalformedFingerprint);
        }
        Ok(Self { hash, digest })
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.hash.name())?;
        for (i, byte) in self.digest.iter().enumerate() {
            let colon = if i == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02X}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trip() {
        let ours = Fingerprint::sha256_of(b"certificate");
        let parsed: Fingerprint = ours.to_string().parse().unwrap();
        assert_eq!(parsed, ours);
        assert!(parsed.matches(b"certificate"));
        assert!(!parsed.matches(b"another"));
        let lower: Fingerprint = ours.to_string().to_lowercase().parse().unwrap();
        assert_eq!(lower, ours);
    }

    #[test]
    fn longer_hashes() {
        for hash in [Hash::Sha384, Hash::Sha512] {
            let digest = digest::digest(hash.algorithm(), b"x").as_ref().to_vec();
            let text = Fingerprint { hash, digest }.to_string();
            assert!(text.parse::<Fingerprint>().unwrap().matches(b"x"));
        }
    }

    #[test]
    fn refuses_weak_and_malformed() {
        let weak = "sha-1 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB";
        assert_eq!(
            weak.parse::<Fingerprint>(),
            Err(TransportError::NoFingerprint)
        );
        let good = Fingerprint::sha256_of(b"x").to_string();
        for bad in [
            String::new(),
            "sha-256".into(),
            "sha-256 ".into(),
            good[..good.len() - 1].into(),
            good[..good.len() - 3].into(),
            format!("{good}:00"),
            good.replacen(':', "", 1),
            "sha-256 +1:+2".into(),
        ] {
            assert_eq!(
                bad.parse::<Fingerprint>(),
                Err(TransportError::MalformedFingerprint),
                "{bad:?}"
            );
        }
    }
}
