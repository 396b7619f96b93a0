//! The own authority: made once, kept in DATA/tls; its certificate goes to
//! the phones (`/ca.pem`), its key nowhere. The server certificate is renewed
//! whenever the addresses change or its end is near.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType,
};
use time::{Duration, OffsetDateTime};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use super::addresses::Reachable;
use crate::disk::write_whole;

const AUTHORITY_DAYS: i64 = 3_650;
/// The longest that browsers take without complaint.
const SERVER_DAYS: i64 = 397;
const RENEW_BEFORE_DAYS: i64 = 30;

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    #[error("{path}: {source}")]
    File {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("certificate cannot be made: {0}")]
    Make(#[from] rcgen::Error),
    /// The files are there but hold something else.
    #[error("{path}: {what}")]
    Content { path: PathBuf, what: &'static str },
    #[error("TLS: {0}")]
    Rustls(#[from] rustls::Error),
}

/// The authority and its server certificate, in the folder.
#[derive(Clone, Debug)]
pub struct Authority {
    folder: PathBuf,
}

impl Authority {
    /// Makes whatever is missing.
    ///
    /// # Errors
    /// When the folder cannot be written or holds broken files.
    pub fn open(folder: &Path, county: &str, now: OffsetDateTime) -> Result<Self, TlsError> {
        std::fs::create_dir_all(folder).map_err(|source| TlsError::File {
            path: folder.to_owned(),
            source,
        })?;
        let authority = Self {
            folder: folder.to_owned(),
        };
        if !authority.certificate_path().exists() {
            authority.make(county, now)?;
        }
        Ok(authority)
    }

    /// PEM, for everybody.
    #[must_use]
    pub fn certificate_path(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    #[must_use]
    pub fn server_certificate_path(&self) -> PathBuf {
        self.folder.join("server.pem")
    }

    #[must_use]
    pub fn server_key_path(&self) -> PathBuf {
        self.folder.join("server.key")
    }

    fn key_path(&self) -> PathBuf {
        self.folder.join("ca.key")
    }

    fn make(&self, county: &str, now: OffsetDateTime) -> Result<(), TlsError> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name = rcgen::DistinguishedName::new();
        params
            .distinguished_name
            .push(DnType::CommonName, format!("Liandong 联动 {county}"));
        params.not_before = now - Duration::DAY;
        params.not_after = now + Duration::days(AUTHORITY_DAYS);
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let certificate = params.self_signed(&key)?;
        // The certificate last: with it, the authority is complete.
        write_file(&self.key_path(), &key.serialize_pem(), 0o600)?;
        write_file(&self.certificate_path(), &certificate.pem(), 0o644)
    }

    /// Makes a new server certificate unless the present one is good for all
    /// that is reachable and for some time yet. True when it made one.
    ///
    /// # Errors
    /// As [`Authority::open`].
    pub fn renew(&self, reachable: &Reachable, now: OffsetDateTime) -> Result<bool, TlsError> {
        if self.server_key_path().exists() && self.covers(reachable, now) {
            return Ok(false);
        }
        let authority_key = KeyPair::from_pem(&read(&self.key_path())?)?;
        let issuer = Issuer::from_ca_cert_pem(&read(&self.certificate_path())?, authority_key)?;
        let mut params =
            CertificateParams::new(reachable.names.iter().cloned().collect::<Vec<_>>())?;
        params
            .subject_alt_names
            .extend(reachable.addresses.iter().copied().map(SanType::IpAddress));
        params.distinguished_name = rcgen::DistinguishedName::new();
        params
            .distinguished_name
            .push(DnType::CommonName, "Liandong 联动");
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.not_before = now - Duration::DAY;
        params.not_after = now + Duration::days(SERVER_DAYS);
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let certificate = params.signed_by(&key, &issuer)?;
        write_file(&self.server_key_path(), &key.serialize_pem(), 0o600)?;
        write_file(&self.server_certificate_path(), &certificate.pem(), 0o644)?;
        Ok(true)
    }

    /// An unreadable certificate covers nothing, and so is made anew.
    fn covers(&self, reachable: &Reachable, now: OffsetDateTime) -> bool {
        let Ok(text) = read(&self.server_certificate_path()) else {
            return false;
        };
        let Ok((_, pem)) = x509_parser::pem::parse_x509_pem(text.as_bytes()) else {
            return false;
        };
        let Ok((_, certificate)) = X509Certificate::from_der(&pem.contents) else {
            return false;
        };
        let end = certificate.validity().not_after.timestamp();
        if end < (now + Duration::days(RENEW_BEFORE_DAYS)).unix_timestamp() {
            return false;
        }
        subjects(&certificate).is_some_and(|covered| {
            covered.names.is_superset(&reachable.names)
                && covered.addresses.is_superset(&reachable.addresses)
        })
    }
}

fn subjects(certificate: &X509Certificate<'_>) -> Option<Reachable> {
    let names = certificate.subject_alternative_name().ok()??;
    let mut reachable = Reachable::default();
    for name in &names.value.general_names {
        match name {
            GeneralName::DNSName(name) => {
                reachable.names.insert((*name).to_owned());
            }
            GeneralName::IPAddress(bytes) => reachable.addresses.extend(address(bytes)),
            _ => {}
        }
    }
    Some(reachable)
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(bytes)
        .map(IpAddr::from)
        .or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from))
        .ok()
}

fn read(path: &Path) -> Result<String, TlsError> {
    std::fs::read_to_string(path).map_err(|source| TlsError::File {
        path: path.to_owned(),
        source,
    })
}

fn write_file(path: &Path, text: &str, mode: u32) -> Result<(), TlsError> {
    write_whole(path, text.as_bytes(), mode).map_err(|source| TlsError::File {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn reachable(addresses: &[&str]) -> Reachable {
        Reachable {
            names: BTreeSet::from(["localhost".to_owned()]),
            addresses: addresses.iter().map(|a| a.parse().unwrap()).collect(),
        }
    }

    #[test]
    fn certificate_is_renewed_when_addresses_change_or_its_end_is_near() {
        let folder = tempfile::tempdir().unwrap();
        let now = OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap();
        let authority = Authority::open(folder.path(), "南江县", now).unwrap();
        let (home, moved) = (reachable(&["10.0.0.1", "::1"]), reachable(&["10.0.0.2"]));
        assert!(authority.renew(&home, now).unwrap());
        assert!(!authority.renew(&home, now).unwrap());
        assert!(authority.renew(&moved, now).unwrap());
        assert!(!authority.renew(&moved, now + Duration::days(366)).unwrap());
        assert!(authority.renew(&moved, now + Duration::days(368)).unwrap());
    }

    #[test]
    fn authority_stays_the_same_and_keys_are_private() {
        let folder = tempfile::tempdir().unwrap();
        let now = OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap();
        let authority = Authority::open(folder.path(), "南江县", now).unwrap();
        authority.renew(&reachable(&["127.0.0.1"]), now).unwrap();
        let first = read(&authority.certificate_path()).unwrap();
        let again = Authority::open(folder.path(), "南江县", now).unwrap();
        assert_eq!(read(&again.certificate_path()).unwrap(), first);
        for path in [again.key_path(), again.server_key_path()] {
            let mode = path.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{}", path.display());
        }
    }

    #[test]
    fn broken_certificate_is_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let now = OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap();
        let authority = Authority::open(folder.path(), "南江县", now).unwrap();
        authority.renew(&reachable(&["::1"]), now).unwrap();
        std::fs::write(authority.server_certificate_path(), "no").unwrap();
        assert!(authority.renew(&reachable(&["::1"]), now).unwrap());
    }
}
