//! Session keys out of a master key (RFC 3711 §4.3).

use aes::cipher::{KeyIvInit, StreamCipher};

/// What a derived key is for (RFC 3711 §4.3.1, §4.3.2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Label {
    RtpKey = 0,
    RtpAuth = 1,
    RtpSalt = 2,
    RtcpKey = 3,
    RtcpAuth = 4,
    RtcpSalt = 5,
}

/// Fills `out` with the key for `label`: AES-CM as a pseudo-random function,
/// with a key derivation rate of zero. `None` for a master key or salt of a length no profile has.
///
/// The master key has 16 or 32 bytes (RFC 6188 §2), the salt up to 14; GCM's
/// salt of 12 bytes (RFC 7714 §11) is filled up with zeros on the right.
pub(super) fn derive(key: &[u8], salt: &[u8], label: Label, out: &mut [u8]) -> Option<()> {
    type Aes128Ctr = ctr::Ctr128BE<aes::Aes128>;
    type Aes256Ctr = ctr::Ctr128BE<aes::Aes256>;

    // The counter block: the salt, then 16 bits that count blocks.
    let mut block = [0u8; 16];
    block[..14].get_mut(..salt.len())?.copy_from_slice(salt);
    // The label and a 48-bit index of zero are right-aligned under the salt's 112 bits.
    block[7] ^= label as u8;
    out.fill(0);
    match key.len() {
        16 => Aes128Ctr::new_from_slices(key, &block)
            .ok()?
            .apply_keystream(out),
        32 => Aes256Ctr::new_from_slices(key, &block)
            .ok()?
            .apply_keystream(out),
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn derived<const N: usize>(label: Label) -> String {
        let key = hex::decode("e1f97a0d3e018be0d64fa32c06de4139").unwrap();
        let salt = hex::decode("0ec675ad498afeebb6960b3aabe6").unwrap();
        let mut out = [0u8; N];
        derive(&key, &salt, label, &mut out).unwrap();
        hex::encode(out)
    }

    /// RFC 3711 appendix B.3.
    #[test]
    fn key_derivation_vectors() {
        assert_eq!(
            derived::<16>(Label::RtpKey),
            "c61e7a93744f39ee10734afe3ff7a087"
        );
        assert_eq!(
            derived::<14>(Label::RtpSalt),
            "30cbbc08863d8c85d49db34a9ae1"
        );
        assert_eq!(
            derived::<94>(Label::RtpAuth),
            "cebe321f6ff7716b6fd4ab49af256a156d38baa48f0a0acf3c34e2359e6cdbce\
             e049646c43d9327ad175578ef72270986371c10c9a369ac2f94a8c5fbcdddc25\
             6d6e919a48b610ef17c2041e474035766b68642c59bbfc2f34db60dbdfb2"
        );
    }

    #[test]
    fn lengths_of_no_profile_are_refused() {
        let mut out = [0u8; 16];
        assert_eq!(derive(&[0; 15], &[0; 14], Label::RtpKey, &mut out), None);
        assert_eq!(derive(&[0; 16], &[0; 15], Label::RtpKey, &mut out), None);
    }
}
