//! Binding requests and their answers (RFC 8489), as far as a lite ICE agent
//! needs them. Parsing and building is the `is` crate's; the checksum that it leaves to the
//! caller is verified here.

use std::net::SocketAddr;

use crc::{CRC_32_ISO_HDLC, Crc, Table};
use is::stun::{StunMessage, StunMessageBuilder};
use ring::hmac;

use super::DropReason;

/// Enough for any answer: header, XOR-MAPPED-ADDRESS or ERROR-CODE,
/// MESSAGE-INTEGRITY, FINGERPRINT.
const MAX_ANSWER: usize = 128;
/// The largest check: what passes every IPv4 path.
pub const MAX_CHECK: usize = 576;
/// RFC 8489 §14.7.
const FINGERPRINT_XOR: u32 = 0x5354_554e;
static CRC: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISO_HDLC);

/// A password ready for MESSAGE-INTEGRITY (RFC 8489 §9.1.1: short-term credentials).
#[derive(Clone, Debug)]
pub(super) struct Password(hmac::Key);

impl Password {
    pub(super) fn new(pwd: &str) -> Self {
        let algorithm = hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY;
        Self(hmac::Key::new(algorithm, pwd.as_bytes()))
    }

    fn sign(&self, parts: &[&[u8]]) -> [u8; 20] {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(part);
        }
        let mut tag = [0u8; 20];
        tag.copy_from_slice(context.sign().as_ref());
        tag
    }
}

/// Why a request is answered by an error (RFC 8489 §14.8).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Refusal {
    Unauthorized,
    RoleConflict,
}

/// A binding request that is well formed; nothing says yet who sent it.
#[derive(Debug)]
pub(super) struct Request<'a> {
    message: StunMessage<'a>,
    len: usize,
}

impl<'a> Request<'a> {
    pub(super) fn parse(datagram: &'a [u8]) -> Result<Self, DropReason> {
        // Checked first: ICE requires it (RFC 8445 §7.1), and it costs an intruder's noise the least.
        verify_fingerprint(datagram).ok_or(DropReason::Malformed)?;
        let message = StunMessage::parse(datagram).map_err(|_| DropReason::Malformed)?;
        if !message.is_binding_request() {
            return Err(DropReason::NotARequest);
        }
        let len = datagram.len();
        Ok(Self { message, len })
    }

    /// Whether USERNAME is `ours:theirs` (RFC 8445 §7.2.2).
    pub(super) fn is_for(&self, ours: &str, theirs: &str) -> bool {
        self.message.split_username() == Some((ours, theirs))
    }

    /// Whether MESSAGE-INTEGRITY was made with this password; compared in constant time.
    pub(super) fn is_signed_with(&self, password: &Password) -> bool {
        self.message.verify(&[], |_, parts| password.sign(parts))
    }

    /// The peer chooses the path that the request came by (RFC 8445 §7.3.1.5).
    pub(super) fn nominates(&self) -> bool {
        self.message.use_candidate()
    }

    /// PRIORITY (RFC 8445 §7.1.1); the lowest if it is missing.
    pub(super) fn priority(&self) -> u32 {
        self.message.prio().unwrap_or_default()
    }

    pub(super) fn says_controlled(&self) -> bool {
        self.message.ice_controlled().is_some()
    }

    /// The success response, signed.
    pub(super) fn answer(&self, from: SocketAddr, password: &Password) -> Option<Vec<u8>> {
        // A dual-stack socket sees IPv4 peers at mapped addresses; they know themselves by the other.
        let seen = SocketAddr::new(from.ip().to_canonical(), from.port());
        let message = StunMessage::binding_reply(self.message.trans_id(), seen);
        encode(message, Some(password))
    }

    /// The error response, signed if there is a password in common. `None` if
    /// it would be larger than the request: whoever forged its source must not gain by us.
    pub(super) fn refuse(&self, why: Refusal, password: Option<&Password>) -> Option<Vec<u8>> {
        let (code, reason) = match why {
            Refusal::Unauthorized => (401, "Unauthorized"),
            Refusal::RoleConflict => (487, "Role Conflict"),
        };
        let message = StunMessageBuilder::new()
            .binding()
            .failure()
            .error_code(code, reason)
            .build(self.message.trans_id());
        encode(message, password).filter(|answer| answer.len() <= self.len)
    }
}

fn encode(message: StunMessage<'_>, password: Option<&Password>) -> Option<Vec<u8>> {
    let mut buffer = [0u8; MAX_ANSWER];
    // The password itself is within the keyed context that signs.
    let signed = password.map(|_| &[][..]);
    let sign = |_: &[u8], parts: &[&[u8]]| password.map_or([0; 20], |key| key.sign(parts));
    let len = message.to_bytes(signed, &mut buffer, sign).ok()?;
    buffer.get(..len).map(<[u8]>::to_vec)
}

/// Whether a datagram can be a check, as far as anybody can tell who does not know the
/// password: short enough for every path (RFC 8489 §6.1), and its checksum is right. Costs a
/// forger nothing, but keeps noise from travelling between workers.
#[must_use]
pub fn may_be_check(datagram: &[u8]) -> bool {
    datagram.len() <= MAX_CHECK && verify_fingerprint(datagram).is_some()
}

/// A full agent's check of a path, which it nominates.
#[cfg(any(test, fuzzing))]
pub(crate) fn signed_check(to: &str, pwd: &str, from: &str) -> Option<Vec<u8>> {
    let password = Password::new(pwd);
    let username = format!("{to}:{from}");
    let id = is::stun::TransId::new();
    let message = StunMessage::binding_request(&username, id, true, 1, 0x6e00_01ff, true);
    let mut buffer = [0u8; 256];
    let sign = |_: &[u8], parts: &[&[u8]]| password.sign(parts);
    let len = message.to_bytes(Some(&[]), &mut buffer, sign).ok()?;
    buffer.get(..len).map(<[u8]>::to_vec)
}

/// Puts header and checksum right, so that what is in between counts. False: too short.
#[cfg(any(test, fuzzing))]
pub(super) fn repair_fingerprint(datagram: &mut Vec<u8>) -> bool {
    datagram.truncate(datagram.len().min(1_500) / 4 * 4);
    let Some(covered) = datagram.len().checked_sub(8).filter(|at| *at >= 20) else {
        return false;
    };
    let attributes = (datagram.len() - 20) as u16;
    datagram[2..4].copy_from_slice(&attributes.to_be_bytes());
    datagram[4..8].copy_from_slice(&[0x21, 0x12, 0xa4, 0x42]);
    datagram[covered..covered + 4].copy_from_slice(&[0x80, 0x28, 0, 4]);
    let sum = (CRC.checksum(&datagram[..covered]) ^ FINGERPRINT_XOR).to_be_bytes();
    datagram[covered + 4..].copy_from_slice(&sum);
    true
}

/// FINGERPRINT is the last attribute and right (RFC 8489 §14.7).
fn verify_fingerprint(datagram: &[u8]) -> Option<()> {
    const ATTRIBUTE: [u8; 4] = [0x80, 0x28, 0, 4];
    let (covered, attribute) = datagram.split_at_checked(datagram.len().checked_sub(8)?)?;
    let sum = (CRC.checksum(covered) ^ FINGERPRINT_XOR).to_be_bytes();
    (attribute.starts_with(&ATTRIBUTE) && attribute.ends_with(&sum)).then_some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PASSWORD: &str = "VOkJxbRl1RmTxUk/WvJxBt";

    /// RFC 5769 §2.1.
    fn sample_request() -> Vec<u8> {
        hex::decode(concat!(
            "000100582112a442b7e7a701bc34d686fa87dfae",
            "802200105354554e207465737420636c69656e74",
            "002400046e0001ff80290008932ff9b151263b36",
            "000600096576746a3a68367659202020",
            "00080014",
            "9aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2",
            "80280004e57a3bcf",
        ))
        .unwrap()
    }

    #[test]
    fn rfc_5769_sample_request() {
        let datagram = sample_request();
        let request = Request::parse(&datagram).unwrap();
        assert!(request.is_for("evtj", "h6vY"));
        assert!(!request.is_for("evtj", "h6v"));
        assert!(request.is_signed_with(&Password::new(PASSWORD)));
        assert!(!request.is_signed_with(&Password::new("VOkJxbRl1RmTxUk/WvJxBT")));
        assert!(request.says_controlled());
        assert!(!request.nominates());
    }

    /// RFC 5769 §2.2 and §2.3 carry a SOFTWARE attribute that we do not send:
    /// what is compared are the mapped addresses, and the rest by verifying it.
    #[test]
    fn answers_map_addresses_like_rfc_5769() {
        let datagram = sample_request();
        let request = Request::parse(&datagram).unwrap();
        let password = Password::new(PASSWORD);
        for (address, attribute) in [
            ("192.0.2.1:32853", "002000080001a147e112a643"),
            ("[::ffff:192.0.2.1]:32853", "002000080001a147e112a643"),
            (
                "[2001:db8:1234:5678:11:2233:4455:6677]:32853",
                "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9",
            ),
        ] {
            let answer = request.answer(address.parse().unwrap(), &password).unwrap();
            assert!(hex::encode(&answer).contains(attribute), "{address}");
            assert_eq!(verify_fingerprint(&answer), Some(()));
            let parsed = StunMessage::parse(&answer).unwrap();
            assert!(parsed.is_successful_binding_response());
            assert!(parsed.verify(&[], |_, parts| password.sign(parts)));
        }
    }

    #[test]
    fn refusals_are_not_larger_than_the_request() {
        let datagram = sample_request();
        let request = Request::parse(&datagram).unwrap();
        let password = Password::new(PASSWORD);
        let unsigned = request.refuse(Refusal::Unauthorized, None).unwrap();
        assert!(unsigned.len() < datagram.len());
        let parsed = StunMessage::parse(&unsigned).unwrap();
        assert_eq!(parsed.error_code(), Some((401, "Unauthorized")));
        let signed = request
            .refuse(Refusal::RoleConflict, Some(&password))
            .unwrap();
        let parsed = StunMessage::parse(&signed).unwrap();
        assert_eq!(parsed.error_code(), Some((487, "Role Conflict")));
        assert!(parsed.verify(&[], |_, parts| password.sign(parts)));
    }

    proptest! {
        #[test]
        fn altered_requests_are_not_signed(bit in 0usize..108 * 8) {
            let mut datagram = sample_request();
            datagram[bit / 8] ^= 1 << (bit % 8);
            // As an attacker would: with a right checksum.
            let covered = datagram.len() - 8;
            let sum = (CRC.checksum(&datagram[..covered]) ^ FINGERPRINT_XOR).to_be_bytes();
            datagram[covered + 4..].copy_from_slice(&sum);
            if let Ok(request) = Request::parse(&datagram) {
                let sealed = bit / 8 < covered;
                prop_assert!(!sealed || !request.is_signed_with(&Password::new(PASSWORD)));
            }
        }

        #[test]
        fn random_bytes_never_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Request::parse(&bytes);
            // Past the checksum and the header, into the attributes.
            bytes.truncate(bytes.len() / 4 * 4);
            if bytes.len() >= 28 {
                let attributes = (bytes.len() - 20) as u16;
                bytes[..4].copy_from_slice(&[0, 1, (attributes >> 8) as u8, attributes as u8]);
                bytes[4..8].copy_from_slice(&[0x21, 0x12, 0xa4, 0x42]);
                let covered = bytes.len() - 8;
                bytes[covered..covered + 4].copy_from_slice(&[0x80, 0x28, 0, 4]);
                let sum = (CRC.checksum(&bytes[..covered]) ^ FINGERPRINT_XOR).to_be_bytes();
                bytes[covered + 4..].copy_from_slice(&sum);
                prop_assert!(Request::parse(&bytes).is_err());
            }
            let _ = crate::transport::ufrag_of_request(&bytes);
        }
    }
}
