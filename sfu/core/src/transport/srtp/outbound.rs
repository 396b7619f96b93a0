//! SRTP and SRTCP that go to a peer.

use super::cipher::{Cipher, Use};
use super::header::{half_word, word};
use super::index::nearest;
use super::rtcp::ENCRYPTED;
use super::{SrtpError, SrtpProfile};

/// The highest packet index (ROC and SEQ) of one SSRC that we send. Lives in
/// the slot that writes this SSRC, so that no packet costs a look-up.
///
/// Start the sequence below 2^15: a receiver that misses the first packets of a
/// stream around a wrap would guess the rollover counter wrong (RFC 3711 §3.3.1).
#[derive(Clone, Copy, Debug, Default)]
pub struct OutboundStream {
    highest: Option<u64>,
}

/// Seals what goes to one peer. The only one with these keys.
///
/// The caller's part of the bargain: **under one SSRC, a sequence number is
/// used for one packet only**, up to the wrap. A second packet with the same number and other bytes
/// (even in a header extension) would repeat a nonce, and with AES-GCM reveal the authentication
/// key. So retransmissions have an SSRC and a sequence of their own (RFC 4588), and a stream's
/// [`OutboundStream`] is not reset while the peer is connected.
#[derive(Debug)]
pub struct SrtpOut {
    rtp: Cipher,
    rtcp: Cipher,
    /// One count for all of our SSRCs; RFC 3711 §3.4 asks for less.
    next_rtcp_index: u32,
}

impl SrtpOut {
    /// `None` if key or salt has not the profile's length.
    #[must_use]
    pub fn new(profile: SrtpProfile, master_key: &[u8], master_salt: &[u8]) -> Option<Self> {
        Some(Self {
            rtp: Cipher::new(profile, master_key, master_salt, Use::Rtp)?,
            rtcp: Cipher::new(profile, master_key, master_salt, Use::Rtcp)?,
            next_rtcp_index: 0,
        })
    }

    /// Bytes that [`SrtpOut::protect_rtp`] appends; at most [`MAX_TRAILER`](super::MAX_TRAILER).
    #[must_use]
    pub fn rtp_trailer(&self) -> usize {
        self.rtp.rtp_trailer()
    }

    /// Seals an RTP packet in place. `packet[..clear_len]` is the clear packet,
    /// of which `header_len` bytes (CSRCs and extension included) stay readable; behind it there is
    /// room for [`MAX_TRAILER`](super::MAX_TRAILER) bytes. Gives the length to send.
    ///
    /// Packets may come reordered by up to 2^15.
    pub fn protect_rtp(
        &self,
        stream: &mut OutboundStream,
        packet: &mut [u8],
        header_len: usize,
        clear_len: usize,
    ) -> Result<usize, SrtpError> {
        if header_len < 12 || clear_len < header_len {
            return Err(SrtpError::TooShort);
        }
        if packet.len() < clear_len + self.rtp_trailer() {
            return Err(SrtpError::NoRoom);
        }
        let sequence = half_word(packet, 2).ok_or(SrtpError::TooShort)?;
        let ssrc = word(packet, 8).ok_or(SrtpError::TooShort)?;
        let index = match stream.highest {
            Some(highest) => nearest(highest, sequence).ok_or(SrtpError::IndexExhausted)?,
            None => u64::from(sequence),
        };
        let len = self
            .rtp
            .seal_rtp(packet, header_len, clear_len, ssrc, index)
            .ok_or(SrtpError::NoRoom)?;
        stream.highest = stream.highest.max(Some(index));
        Ok(len)
    }

    /// Seals an RTCP compound and appends tag and index.
    pub fn protect_rtcp(&mut self, packet: &mut Vec<u8>) -> Result<(), SrtpError> {
        let index = self.next_rtcp_index;
        if index & ENCRYPTED != 0 {
            return Err(SrtpError::IndexExhausted);
        }
        self.rtcp
            .seal_rtcp(packet, index)
            .ok_or(SrtpError::TooShort)?;
        self.next_rtcp_index = index + 1;
        Ok(())
    }
}
