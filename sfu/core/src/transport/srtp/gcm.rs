//! AES-GCM for SRTP and SRTCP (RFC 7714).
//!
//! A nonce is salt ⊕ (SSRC ‖ index). One key never seals two different packets
//! with the same SSRC and index: that would give away the authentication key.

use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use super::header::word;
use super::rtcp::{ENCRYPTED, HEADER_LEN};

pub(super) const TAG_LEN: usize = 16;
/// The tag and, behind it, the E-flag and index.
pub(super) const RTCP_TRAILER: usize = TAG_LEN + 4;

/// A session key and salt: of RTP or of RTCP, in one direction.
pub(super) struct GcmKey {
    key: LessSafeKey,
    salt: [u8; 12],
}

impl GcmKey {
    /// `key` has 16 or 32 bytes.
    pub(super) fn new(key: &[u8], salt: [u8; 12]) -> Option<Self> {
        let algorithm = match key.len() {
            16 => &AES_128_GCM,
            32 => &AES_256_GCM,
            _ => return None,
        };
        let key = LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?);
        Some(Self { key, salt })
    }

    /// RFC 7714 §8.1; for RTCP (§9.1) the upper 16 bits of the index are zero.
    fn nonce(&self, ssrc: u32, index: u64) -> Nonce {
        let mut nonce = [0u8; 12];
        nonce[2..6].copy_from_slice(&ssrc.to_be_bytes());
        nonce[6..].copy_from_slice(&index.to_be_bytes()[2..]);
        for (byte, salt) in nonce.iter_mut().zip(self.salt) {
            *byte ^= salt;
        }
        Nonce::assume_unique_for_key(nonce)
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
        let (header, rest) = packet.split_at_mut_checked(header_len)?;
        let (payload, room) = rest.split_at_mut_checked(clear_len.checked_sub(header_len)?)?;
        let room = room.first_chunk_mut::<TAG_LEN>()?;
        let tag = self
            .key
            .seal_in_place_separate_tag(self.nonce(ssrc, index), Aad::from(&*header), payload)
            .ok()?;
        room.copy_from_slice(tag.as_ref());
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
        let (header, sealed) = packet.split_at_mut_checked(header_len)?;
        let clear = self
            .key
            .open_in_place(self.nonce(ssrc, index), Aad::from(&*header), sealed)
            .ok()?;
        Some(header_len + clear.len())
    }

    /// Appends tag, E-flag and index to a compound of at least [`HEADER_LEN`] bytes.
    pub(super) fn seal_rtcp(&self, packet: &mut Vec<u8>, index: u32) -> Option<()> {
        let ssrc = word(packet, 4)?;
        let (header, payload) = packet.split_at_mut_checked(HEADER_LEN)?;
        let trailer = (ENCRYPTED | index).to_be_bytes();
        let aad = encrypted_aad(header, trailer)?;
        let tag = self
            .key
            .seal_in_place_separate_tag(self.nonce(ssrc, u64::from(index)), Aad::from(aad), payload)
            .ok()?;
        packet.extend_from_slice(tag.as_ref());
        packet.extend_from_slice(&trailer);
        Some(())
    }

    /// Opens a compound whose trailer is `trailer` in place; `None` if not authentic.
    pub(super) fn open_rtcp(&self, packet: &mut [u8], trailer: u32) -> Option<usize> {
        let ssrc = word(packet, 4)?;
        let nonce = self.nonce(ssrc, u64::from(trailer & !ENCRYPTED));
        let sealed_len = packet.len().checked_sub(4)?;
        let clear_len = sealed_len.checked_sub(TAG_LEN)?;
        if trailer & ENCRYPTED == 0 {
            // Authenticated only (§9.3): everything but the tag is associated data.
            let mut aad = Vec::with_capacity(clear_len + 4);
            aad.extend_from_slice(packet.get(..clear_len)?);
            aad.extend_from_slice(&trailer.to_be_bytes());
            let tag = packet.get_mut(clear_len..sealed_len)?;
            self.key.open_in_place(nonce, Aad::from(aad), tag).ok()?;
            return Some(clear_len);
        }
        let (header, rest) = packet.split_at_mut_checked(HEADER_LEN)?;
        let sealed = rest.get_mut(..sealed_len.checked_sub(HEADER_LEN)?)?;
        let aad = encrypted_aad(header, trailer.to_be_bytes())?;
        self.key.open_in_place(nonce, Aad::from(aad), sealed).ok()?;
        Some(clear_len)
    }
}

/// RFC 7714 §9.2: the header's 8 bytes, the E-flag and the index.
fn encrypted_aad(header: &[u8], trailer: [u8; 4]) -> Option<[u8; HEADER_LEN + 4]> {
    let mut aad = [0u8; HEADER_LEN + 4];
    aad[..HEADER_LEN].copy_from_slice(header.first_chunk::<HEADER_LEN>()?);
    aad[HEADER_LEN..].copy_from_slice(&trailer);
    Some(aad)
}
