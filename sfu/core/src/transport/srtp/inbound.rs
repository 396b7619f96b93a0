//! SRTP and SRTCP that come from a peer.

use super::SrtpError;

/// Opens what one peer sends, on any of its SSRCs.
#[derive(Debug)]
pub struct SrtpIn {}

impl SrtpIn {
    /// In place; gives the length of the clear packet.
    pub fn unprotect_rtp(&mut self, _packet: &mut [u8]) -> Result<usize, SrtpError> {
        Err(SrtpError::Unauthentic)
    }

    /// In place; gives the length of the clear compound.
    pub fn unprotect_rtcp(&mut self, _packet: &mut [u8]) -> Result<usize, SrtpError> {
        Err(SrtpError::Unauthentic)
    }
}
