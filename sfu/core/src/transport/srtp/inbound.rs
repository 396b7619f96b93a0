//! SRTP and SRTCP that come from a peer.

use super::cipher::{Cipher, Use};
use super::header::{half_word, rtp_header_len, word};
use super::index::nearest;
use super::replay::{RTCP_WORDS, RTP_WORDS, ReplayWindow};
use super::rtcp::{ENCRYPTED, HEADER_LEN};
use super::{SrtpError, SrtpProfile};

/// SSRCs that one peer may use. It needs a dozen: three tracks, up to three
/// layers each, retransmissions apart. An SSRC is never forgotten, since its old packets could
/// be replayed then.
pub const MAX_STREAMS: usize = 64;

/// Opens what one peer sends, on any of its SSRCs.
///
/// Nothing changes by a packet that is not authentic.
#[derive(Debug)]
pub struct SrtpIn {
    rtp: Cipher,
    rtcp: Cipher,
    rtp_streams: Streams<RTP_WORDS>,
    rtcp_streams: Streams<RTCP_WORDS>,
}

impl SrtpIn {
    /// `None` if key or salt has not the profile's length.
    #[must_use]
    pub fn new(profile: SrtpProfile, master_key: &[u8], master_salt: &[u8]) -> Option<Self> {
        Some(Self {
            rtp: Cipher::new(profile, master_key, master_salt, Use::Rtp)?,
            rtcp: Cipher::new(profile, master_key, master_salt, Use::Rtcp)?,
            rtp_streams: Streams::default(),
            rtcp_streams: Streams::default(),
        })
    }

    /// In place; gives the length of the clear packet. After an error the
    /// packet's bytes are undefined.
    pub fn unprotect_rtp(&mut self, packet: &mut [u8]) -> Result<usize, SrtpError> {
        let sequence = half_word(packet, 2).ok_or(SrtpError::TooShort)?;
        let ssrc = word(packet, 8).ok_or(SrtpError::TooShort)?;
        let header_len = rtp_header_len(packet).ok_or(SrtpError::Malformed)?;
        if packet.len() < header_len + self.rtp.rtp_trailer() {
            return Err(SrtpError::TooShort);
        }
        let place = self.rtp_streams.place(ssrc)?;
        // RFC 3711 §3.3.1: the rollover counter of a new stream is zero.
        let index = match self.rtp_streams.highest(place) {
            Some(highest) => nearest(highest, sequence).ok_or(SrtpError::Replayed)?,
            None => u64::from(sequence),
        };
        self.rtp_streams.check(place, index)?;
        let clear_len = self
            .rtp
            .open_rtp(packet, header_len, ssrc, index)
            .ok_or(SrtpError::Unauthentic)?;
        self.rtp_streams.commit(place, ssrc, index);
        Ok(clear_len)
    }

    /// In place; gives the length of the clear compound. After an error the
    /// packet's bytes are undefined.
    pub fn unprotect_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, SrtpError> {
        let (trailer_len, word_at) = self.rtcp.rtcp_trailer();
        let clear_len = packet
            .len()
            .checked_sub(trailer_len)
            .filter(|len| *len >= HEADER_LEN)
            .ok_or(SrtpError::TooShort)?;
        if packet[0] >> 6 != 2 {
            return Err(SrtpError::Malformed);
        }
        let ssrc = word(packet, 4).ok_or(SrtpError::TooShort)?;
        let trailer = word(packet, clear_len + word_at).ok_or(SrtpError::TooShort)?;
        let index = u64::from(trailer & !ENCRYPTED);
        let place = self.rtcp_streams.place(ssrc)?;
        self.rtcp_streams.check(place, index)?;
        let clear_len = self
            .rtcp
            .open_rtcp(packet, trailer)
            .ok_or(SrtpError::Unauthentic)?;
        self.rtcp_streams.commit(place, ssrc, index);
        Ok(clear_len)
    }
}

#[cfg(test)]
impl SrtpIn {
    /// How many SSRCs have a state.
    pub(super) fn rtp_streams_len(&self) -> usize {
        self.rtp_streams.ssrcs.len()
    }
}

/// The replay windows of all SSRCs. Few enough that a scan beats a hash.
#[derive(Debug)]
struct Streams<const WORDS: usize> {
    ssrcs: Vec<u32>,
    windows: Vec<ReplayWindow<WORDS>>,
}

impl<const WORDS: usize> Default for Streams<WORDS> {
    fn default() -> Self {
        Self {
            ssrcs: Vec::new(),
            windows: Vec::new(),
        }
    }
}

impl<const WORDS: usize> Streams<WORDS> {
    /// Where this SSRC is, or would be if it proves authentic.
    fn place(&self, ssrc: u32) -> Result<usize, SrtpError> {
        match self.ssrcs.iter().position(|known| *known == ssrc) {
            Some(place) => Ok(place),
            None if self.ssrcs.len() < MAX_STREAMS => Ok(self.ssrcs.len()),
            None => Err(SrtpError::TooManyStreams),
        }
    }

    fn highest(&self, place: usize) -> Option<u64> {
        self.windows.get(place).map(ReplayWindow::highest)
    }

    fn check(&self, place: usize, index: u64) -> Result<(), SrtpError> {
        self.windows
            .get(place)
            .map_or(Ok(()), |window| window.check(index))
    }

    fn commit(&mut self, place: usize, ssrc: u32, index: u64) {
        match self.windows.get_mut(place) {
            Some(window) => window.commit(index),
            None => {
                self.ssrcs.push(ssrc);
                self.windows.push(ReplayWindow::starting_at(index));
            }
        }
    }
}
