//! SRTP and SRTCP that go to a peer.

use super::SrtpError;

/// Rollover counter and highest sequence number of one SSRC that we send.
/// Lives in the slot that writes this SSRC.
#[derive(Clone, Copy, Debug, Default)]
pub struct OutboundStream {}

/// Seals what goes to one peer. There is one per peer and it is the only one
/// with these keys: a second would repeat nonces.
#[derive(Debug)]
pub struct SrtpOut {}

impl SrtpOut {
    /// Seals an RTP packet in place. `packet[..clear_len]` is the clear packet,
    /// of which `header_len` bytes stay readable; behind it there is room for
    /// [`MAX_TRAILER`](super::MAX_TRAILER) bytes. Gives the length to send.
    pub fn protect_rtp(
        &self,
        _stream: &mut OutboundStream,
        _packet: &mut [u8],
        _header_len: usize,
        _clear_len: usize,
    ) -> Result<usize, SrtpError> {
        Err(SrtpError::NoRoom)
    }

    /// Seals an RTCP compound and appends tag and index.
    pub fn protect_rtcp(&mut self, _packet: &mut Vec<u8>) -> Result<(), SrtpError> {
        Err(SrtpError::NoRoom)
    }
}
