//! The two kinds of transforms behind one face.

use std::fmt;

use super::SrtpProfile;
use super::cm_sha1::{self, CmKey};
use super::gcm::{self, GcmKey};
use super::kdf::{Label, derive};

/// Session keys of RTP or of RTCP in one direction.
pub(super) enum Cipher {
    Gcm(Box<GcmKey>),
    Cm(Box<CmKey>),
}

/// For which of the two the keys are; they share a master key only.
#[derive(Clone, Copy, Debug)]
pub(super) enum Use {
    Rtp,
    Rtcp,
}

impl Cipher {
    /// `None` if key or salt has not the profile's length.
    pub(super) fn new(profile: SrtpProfile, key: &[u8], salt: &[u8], of: Use) -> Option<Self> {
        if (key.len(), salt.len()) != profile.master_lengths() {
            return None;
        }
        let (key_label, salt_label, auth_label) = match of {
            Use::Rtp => (Label::RtpKey, Label::RtpSalt, Label::RtpAuth),
            Use::Rtcp => (Label::RtcpKey, Label::RtcpSalt, Label::RtcpAuth),
        };
        match profile {
            SrtpProfile::AeadAes128Gcm | SrtpProfile::AeadAes256Gcm => {
                let mut session_key = [0u8; 32];
                let session_key = session_key.get_mut(..key.len())?;
                let mut session_salt = [0u8; 12];
                derive(key, salt, key_label, session_key)?;
                derive(key, salt, salt_label, &mut session_salt)?;
                GcmKey::new(session_key, session_salt).map(|key| Cipher::Gcm(Box::new(key)))
            }
            SrtpProfile::Aes128CmHmacSha1_80 => {
                let mut session_key = [0u8; 16];
                let mut session_salt = [0u8; 14];
                let mut auth = [0u8; 20];
                derive(key, salt, key_label, &mut session_key)?;
                derive(key, salt, salt_label, &mut session_salt)?;
                derive(key, salt, auth_label, &mut auth)?;
                CmKey::new(&session_key, &session_salt, &auth).map(|key| Cipher::Cm(Box::new(key)))
            }
        }
    }

    /// Bytes behind an RTP packet.
    pub(super) fn rtp_trailer(&self) -> usize {
        match self {
            Cipher::Gcm(_) => gcm::TAG_LEN,
            Cipher::Cm(_) => cm_sha1::TAG_LEN,
        }
    }

    /// Bytes behind an RTCP compound, and where in them the E-flag and index stand.
    pub(super) fn rtcp_trailer(&self) -> (usize, usize) {
        match self {
            Cipher::Gcm(_) => (gcm::RTCP_TRAILER, gcm::TAG_LEN),
            Cipher::Cm(_) => (cm_sha1::RTCP_TRAILER, 0),
        }
    }

    pub(super) fn seal_rtp(
        &self,
        packet: &mut [u8],
        header_len: usize,
        clear_len: usize,
        ssrc: u32,
        index: u64,
    ) -> Option<usize> {
        match self {
            Cipher::Gcm(key) => key.seal_rtp(packet, header_len, clear_len, ssrc, index),
            Cipher::Cm(key) => key.seal_rtp(packet, header_len, clear_len, ssrc, index),
        }
    }

    pub(super) fn open_rtp(
        &self,
        packet: &mut [u8],
        header_len: usize,
        ssrc: u32,
        index: u64,
    ) -> Option<usize> {
        match self {
            Cipher::Gcm(key) => key.open_rtp(packet, header_len, ssrc, index),
            Cipher::Cm(key) => key.open_rtp(packet, header_len, ssrc, index),
        }
    }

    pub(super) fn seal_rtcp(&self, packet: &mut Vec<u8>, index: u32) -> Option<()> {
        match self {
            Cipher::Gcm(key) => key.seal_rtcp(packet, index),
            Cipher::Cm(key) => key.seal_rtcp(packet, index),
        }
    }

    pub(super) fn open_rtcp(&self, packet: &mut [u8], trailer: u32) -> Option<usize> {
        match self {
            Cipher::Gcm(key) => key.open_rtcp(packet, trailer),
            Cipher::Cm(key) => key.open_rtcp(packet, trailer),
        }
    }
}

impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Cipher::Gcm(_) => "AES-GCM(..)",
            Cipher::Cm(_) => "AES-CM with HMAC-SHA1(..)",
        })
    }
}
