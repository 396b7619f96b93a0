//! ICE user fragments and passwords (RFC 8445 §5.3).

use std::fmt;

use super::TransportError;
use crate::ids::WorkerIndex;

/// The 64 characters of SDP's `ice-char` (RFC 8839 §5.4): six bits each.
const ICE_CHARS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// Two for the worker, ten random ones (60 bit): unique on this node.
const UFRAG_LEN: usize = 12;
/// 24 characters carry 144 bit; RFC 8445 §5.3 asks for 128.
const PWD_LEN: usize = 24;
/// RFC 8839 §5.4.
const MAX_LEN: usize = 256;

/// Our own user fragment and password of one negotiation.
#[derive(Clone, Eq, PartialEq)]
pub struct IceCredentials {
    ufrag: String,
    pwd: String,
}

impl IceCredentials {
    /// Spells random bytes as credentials. The first two characters of the
    /// user fragment are the worker in hexadecimal, so that any worker can tell
    /// from a peer's first datagram whose it is ([`worker_of_ufrag`]).
    ///
    /// `secrets` come from the system's generator and are used for nothing else.
    #[must_use]
    pub fn from_secrets(worker: WorkerIndex, secrets: &[u8; 32]) -> Self {
        let mut chars = secrets_to_chars(secrets);
        let mut ufrag = format!("{:02x}", worker.0);
        ufrag.extend(chars.by_ref().take(UFRAG_LEN - 2));
        let pwd = chars.take(PWD_LEN).collect();
        Self { ufrag, pwd }
    }

    /// For `a=ice-ufrag`.
    #[must_use]
    pub fn ufrag(&self) -> &str {
        &self.ufrag
    }

    /// For `a=ice-pwd`.
    #[must_use]
    pub fn pwd(&self) -> &str {
        &self.pwd
    }
}

impl fmt::Debug for IceCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IceCredentials({}, ..)", self.ufrag)
    }
}

/// Six bits at a time: 32 bytes give 42 characters, more than are needed.
fn secrets_to_chars(secrets: &[u8; 32]) -> impl Iterator<Item = char> + '_ {
    (0..secrets.len() * 8 / 6).map(|i| {
        let bit = i * 6;
        let high = u16::from(secrets[bit / 8]) << 8;
        let low = u16::from(secrets.get(bit / 8 + 1).copied().unwrap_or(0));
        let six = ((high | low) >> (10 - bit % 8)) & 0x3f;
        char::from(ICE_CHARS[usize::from(six)])
    })
}

/// The peer's user fragment and password, from its offer.
#[derive(Clone, Eq, PartialEq)]
pub struct IceRemote {
    ufrag: String,
    pwd: String,
}

impl IceRemote {
    /// Refuses what RFC 8839 §5.4 does not allow.
    pub fn new(ufrag: &str, pwd: &str) -> Result<Self, TransportError> {
        let ice_chars = |text: &str| {
            text.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/')
        };
        if !(4..=MAX_LEN).contains(&ufrag.len()) || !ice_chars(ufrag) {
            return Err(TransportError::MalformedCredentials("ice-ufrag"));
        }
        if !(22..=MAX_LEN).contains(&pwd.len()) || !ice_chars(pwd) {
            return Err(TransportError::MalformedCredentials("ice-pwd"));
        }
        Ok(Self {
            ufrag: ufrag.to_owned(),
            pwd: pwd.to_owned(),
        })
    }

    #[must_use]
    pub fn ufrag(&self) -> &str {
        &self.ufrag
    }
}

impl fmt::Debug for IceRemote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IceRemote({}, ..)", self.ufrag)
    }
}

/// Which worker made this user fragment; `None` if it is not of our making.
#[must_use]
pub fn worker_of_ufrag(ufrag: &str) -> Option<WorkerIndex> {
    if ufrag.len() != UFRAG_LEN {
        return None;
    }
    let digits = ufrag.get(..2)?;
    let lower_hex = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    if !digits.bytes().all(lower_hex) {
        return None;
    }
    u8::from_str_radix(digits, 16).ok().map(WorkerIndex)
}

/// The user fragment of ours that a binding request names, read without
/// verifying anything: it only says whom to hand the datagram to.
#[must_use]
pub fn ufrag_of_request(datagram: &[u8]) -> Option<&str> {
    const BINDING_REQUEST: [u8; 2] = [0, 1];
    const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
    const USERNAME: u16 = 0x0006;

    if datagram.get(..2)? != BINDING_REQUEST || datagram.get(4..8)? != MAGIC_COOKIE {
        return None;
    }
    let mut attributes = datagram.get(20..)?;
    while let [t0, t1, l0, l1, rest @ ..] = attributes {
        let len = usize::from(u16::from_be_bytes([*l0, *l1]));
        if u16::from_be_bytes([*t0, *t1]) == USERNAME {
            let username = std::str::from_utf8(rest.get(..len)?).ok()?;
            return username.split_once(':').map(|(ours, _)| ours);
        }
        attributes = rest.get(len.next_multiple_of(4)..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worker_is_in_the_ufrag() {
        for worker in [0, 1, 9, 15, 16, 255].map(WorkerIndex) {
            let ours = IceCredentials::from_secrets(worker, &[0xa5; 32]);
            assert_eq!(worker_of_ufrag(ours.ufrag()), Some(worker));
            // What we hand out is what we would accept.
            IceRemote::new(ours.ufrag(), ours.pwd()).unwrap();
        }
        for foreign in [
            "",
            "0",
            "h6vY",
            "zz3456789012",
            "0A3456789012",
            "0é345678901",
        ] {
            assert_eq!(worker_of_ufrag(foreign), None, "{foreign:?}");
        }
    }

    #[test]
    fn every_secret_bit_counts() {
        let spell = |secrets: &[u8; 32]| {
            let ours = IceCredentials::from_secrets(WorkerIndex(0), secrets);
            (ours.ufrag().to_owned(), ours.pwd().to_owned())
        };
        let base = spell(&[0; 32]);
        assert_eq!((base.0.len(), base.1.len()), (UFRAG_LEN, PWD_LEN));
        // 34 characters of six bits are spelt; each of those 204 bits changes one.
        for bit in 0..204 {
            let mut secrets = [0u8; 32];
            secrets[bit / 8] = 0x80 >> (bit % 8);
            assert_ne!(spell(&secrets), base, "bit {bit}");
        }
    }

    #[test]
    fn debug_keeps_the_password() {
        let ours = IceCredentials::from_secrets(WorkerIndex(0), &[3; 32]);
        assert!(!format!("{ours:?}").contains(ours.pwd()));
    }

    #[test]
    fn remote_credentials_are_checked() {
        let pwd = "0123456789012345678901";
        assert!(IceRemote::new("abcd", pwd).is_ok());
        assert!(IceRemote::new("abc", pwd).is_err());
        assert!(IceRemote::new("ab:d", pwd).is_err());
        assert!(IceRemote::new("abcd", &pwd[1..]).is_err());
        assert!(IceRemote::new("abcd", &"a".repeat(257)).is_err());
        assert!(IceRemote::new("abcd", "0123456789 12345678901").is_err());
    }

    #[test]
    fn peeks_at_the_local_ufrag() {
        let mut datagram = vec![0, 1, 0, 24, 0x21, 0x12, 0xa4, 0x42];
        datagram.extend_from_slice(&[7; 12]);
        datagram.extend_from_slice(&[0x80, 0x22, 0, 3, b'x', b'y', b'z', 0]);
        datagram.extend_from_slice(&[0, 6, 0, 9]);
        datagram.extend_from_slice(b"evtj:h6vY\0\0\0");
        assert_eq!(ufrag_of_request(&datagram), Some("evtj"));
        for len in 0..datagram.len() - 3 {
            assert_eq!(ufrag_of_request(&datagram[..len]), None);
        }
        datagram[1] = 0x11;
        assert_eq!(ufrag_of_request(&datagram), None, "an indication");
    }
}
