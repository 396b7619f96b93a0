//! AES-CM with HMAC-SHA1-80 for SRTP and SRTCP (RFC 3711 §4).

use aes::Aes128;
use aes::cipher::{InnerIvInit, KeyInit, StreamCipher, StreamCipherCoreWrapper};
use hmac::{Hmac, Mac};
use sha1::Sha1;
use subtle::ConstantTimeEq;

use super::header::word;
use super::rtcp::{ENCRYPTED, HEADER_LEN};

/// 80 bits of HMAC-SHA1's 160 (RFC 3711 §4.2.1).
pub(super) const TAG_LEN: usize = 10;
/// The E-flag and index and, behind them, the tag.
pub(super) const RTCP_TRAILER: usize = 4 + TAG_LEN;

/// Session keys and salt: of RTP or of RTCP, in one direction.
pub(super) struct CmKey {
    aes: Aes128,
    /// The salt over a 16-bit block counter of zero.
    salt: [u8; 16],
    /// Has absorbed the key's inner and outer pads already.
    mac: Hmac<Sha1>,
}

impl CmKey {
    pub(super) fn new(key: &[u8; 16], salt: &[u8; 14], auth: &[u8; 20]) -> Option<Self> {
        let mut padded = [0u8; 16];
        padded[..14].copy_from_slice(salt);
        Some(Self {
            aes: Aes128::new(key.into()),
            salt: padded,
            mac: Hmac::new_from_slice(auth).ok()?,
        })
    }

    /// Encrypts or decrypts (RFC 3711 §4.1.1).
    fn apply_keystream(&self, ssrc: u32, index: u64, payload: &mut [u8]) {
        let mut iv = self.salt;
        for (byte, ssrc) in iv[4..8].iter_mut().zip(ssrc.to_be_bytes()) {
            *byte ^= ssrc;
        }
        for (byte, index) in iv[8..14].iter_mut().zip(&index.to_be_bytes()[2..]) {
            *byte ^= index;
        }
        let core =
            ctr::CtrCore::<_, ctr::flavors::Ctr128BE>::inner_iv_init(&self.aes, (&iv).into());
        StreamCipherCoreWrapper::from_core(core).apply_keystream(payload);
    }

    fn tag(&self, parts: [&[u8]; 2]) -> [u8; TAG_LEN] {
        let mut mac = self.mac.clone();
        for part in parts {
            mac.update(part);
        }
        let full = mac.finalize().into_bytes();
        let mut tag = [0u8; TAG_LEN];
        tag.copy_from_slice(&full[..TAG_LEN]);
        tag
    }

    /// Seals `packet[..clear_len]` in place and puts the tag behind it. Gives the length.
    pub(super) fn seal_rtp(
        &self,
        packet: &mut [u8],
        header_len: usize,
        clear_len: usize,
        ssrc: u32,
        index: u64,
    ) -> Option<usize> {
        let (sealed, room) = packet.split_at_mut_checked(clear_len)?;
        let room = room.first_chunk_mut::<TAG_LEN>()?;
        self.apply_keystream(ssrc, index, sealed.get_mut(header_len..)?);
        *room = self.tag([sealed, &rollover(index)]);
        Some(clear_len + TAG_LEN)
    }

    /// Opens in place; `None` if not authentic. Gives the length without the tag.
    pub(super) fn open_rtp(
        &self,
        packet: &mut [u8],
        header_len: usize,
        ssrc: u32,
        index: u64,
    ) -> Option<usize> {
        let clear_len = packet.len().checked_sub(TAG_LEN)?;
        let (sealed, tag) = packet.split_at_mut_checked(clear_len)?;
        let expected = self.tag([sealed, &rollover(index)]);
        if !bool::from(expected.ct_eq(tag)) {
            return None;
        }
        self.apply_keystream(ssrc, index, sealed.get_mut(header_len..)?);
        Some(clear_len)
    }

    /// Appends E-flag, index and tag to a compound of at least [`HEADER_LEN`] bytes.
    pub(super) fn seal_rtcp(&self, packet: &mut Vec<u8>, index: u32) -> Option<()> {
        let ssrc = word(packet, 4)?;
        self.apply_keystream(ssrc, u64::from(index), packet.get_mut(HEADER_LEN..)?);
        packet.extend_from_slice(&(ENCRYPTED | index).to_be_bytes());
        let tag = self.tag([packet, &[]]);
        packet.extend_from_slice(&tag);
        Some(())
    }

    /// Opens a compound whose trailer is `trailer` in place; `None` if not authentic.
    pub(super) fn open_rtcp(&self, packet: &mut [u8], trailer: u32) -> Option<usize> {
        let ssrc = word(packet, 4)?;
        let (sealed, tag) = packet.split_at_mut_checked(packet.len().checked_sub(TAG_LEN)?)?;
        if !bool::from(self.tag([sealed, &[]]).ct_eq(tag)) {
            return None;
        }
        let clear_len = sealed.len().checked_sub(4)?;
        if trailer & ENCRYPTED != 0 {
            let payload = sealed.get_mut(HEADER_LEN..clear_len)?;
            self.apply_keystream(ssrc, u64::from(trailer & !ENCRYPTED), payload);
        }
        Some(clear_len)
    }
}

/// The rollover counter that the tag covers, too (RFC 3711 §4.2).
fn rollover(index: u64) -> [u8; 4] {
    ((index >> 16) as u32).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3711 appendix B.2.
    #[test]
    fn keystream_vector() {
        let key: [u8; 16] = hex::decode("2b7e151628aed2a6abf7158809cf4f3c")
            .unwrap()
            .try_into()
            .unwrap();
        let salt: [u8; 14] = hex::decode("f0f1f2f3f4f5f6f7f8f9fafbfcfd")
            .unwrap()
            .try_into()
            .unwrap();
        let cm = CmKey::new(&key, &salt, &[0; 20]).unwrap();
        let mut stream = vec![0u8; 0xff02 * 16];
        cm.apply_keystream(0, 0, &mut stream);
        let block = |i: usize| hex::encode(&stream[i * 16..(i + 1) * 16]);
        assert_eq!(block(0), "e03ead0935c95e80e166b16dd92b4eb4");
        assert_eq!(block(1), "d23513162b02d0f72a43a2fe4a5f97ab");
        assert_eq!(block(2), "41e95b3bb0a2e8dd477901e4fca894c0");
        assert_eq!(block(0xfeff), "ec8cdf7398607cb0f2d21675ea9ea1e4");
        assert_eq!(block(0xff00), "362b7c3c6773516318a077d7fc5073ae");
        assert_eq!(block(0xff01), "6a2cc3787889374fbeb4c81b17ba6c44");
    }
}
