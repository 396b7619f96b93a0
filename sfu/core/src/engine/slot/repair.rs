//! What a slot sends once more: packets that the receiver lost or that a probe
//! repeats, and padding where there are none.

use std::time::{Duration, Instant};

use super::{Slot, active, numbering};
use crate::codec::dependency::Structure;
use crate::engine::source::PacketMeta;
use crate::engine::writer::{self, Writer};
use crate::transport::SrtpOut;

/// Remembers that many packets that were sent again, so as not to do so twice at once.
pub(super) const RECENT_RESENDS: usize = 64;

impl Slot {
    /// Sent packets can go out again as packets of their own (RFC 4588).
    #[must_use]
    pub fn can_repeat(&self) -> bool {
        let rtx = self.codecs.iter().any(|codec| codec.rtx.is_some());
        rtx && self.rtx_ssrc != 0 && self.munger.origin().is_some()
    }

    /// Appends padding to the stream of retransmissions: a line can be probed before
    /// anything was sent that could be repeated. False: that is not negotiated.
    pub fn pad(&mut self, srtp: &SrtpOut, out: &mut Vec<u8>) -> bool {
        let rtx = self.codecs.iter().find_map(|codec| codec.rtx);
        let Some(rtx) = rtx.filter(|_| self.rtx_ssrc != 0) else {
            return false;
        };
        let sequence = self.rtx_sequence;
        self.rtx_sequence = sequence.wrapping_add(1);
        let timestamp = self.munger.newest().map_or(0, |(newest, _)| newest);
        writer::padding(
            &self.extensions,
            (rtx, self.rtx_ssrc, sequence),
            timestamp,
            srtp,
            &mut self.rtx_stream,
            out,
        )
    }

    /// Whether the packet may be sent again now; if so, this counts as sent.
    /// A receiver asks several times within one round trip.
    pub fn may_resend(&mut self, now: Instant, wire: u16, interval: Duration) -> bool {
        let known = self.resent.iter().position(|(known, _)| *known == wire);
        match known {
            Some(at) => {
                if now.saturating_duration_since(self.resent[at].1) < interval {
                    return false;
                }
                self.resent[at].1 = now;
            }
            None if self.resent.len() >= RECENT_RESENDS => {
                self.resent[self.resent_next] = (wire, now);
                self.resent_next = (self.resent_next + 1) % RECENT_RESENDS;
            }
            None => {
                // At once, so that it never grows again.
                self.resent
                    .reserve_exact(RECENT_RESENDS - self.resent.len());
                self.resent.push((wire, now));
            }
        }
        true
    }

    /// Appends a packet that was sent as `wire` once more: as a retransmission
    /// (RFC 4588) if negotiated, else bit by bit as it was, which repeats its
    /// nonce with the same content only: never a packet of whose verdict nothing is known.
    pub fn resend(
        &mut self,
        srtp: &SrtpOut,
        (wire, sequence): (u16, u64),
        (meta, stored, structure): (&PacketMeta, &[u8], Option<&Structure>),
        out: &mut Vec<u8>,
    ) -> bool {
        let Some(codec) = self.outgoing(meta) else {
            return false;
        };
        let origin = self.munger.sent(wire).map(|(origin, _)| origin);
        let Some(verdict) = origin.and_then(|origin| self.selected(origin, meta)) else {
            return false;
        };
        let (payload, descriptor) = meta.split(stored);
        let payload = verdict.payload(payload);
        let numbering = numbering(sequence, meta, verdict);
        let Some(mapped) = self.munger.again(wire, &numbering) else {
            return false;
        };
        let writer = Writer {
            codec,
            extensions: &self.extensions,
            meta,
            payload,
            descriptor,
            active: active(verdict, structure),
            earlier: &[],
            mapped: &mapped,
            marker: verdict.marker(),
        };
        let Some(rtx) = codec.rtx else {
            // Another transport-wide number under the same nonce would break the cipher.
            // So would another word on the decode targets: the structure may be a new one.
            let same = !self.extensions.is_numbered() && verdict.announce().is_none();
            return self.is_video && same && writer.plain(self.ssrc, srtp, &mut self.stream, out);
        };
        let sequence = self.rtx_sequence;
        self.rtx_sequence = sequence.wrapping_add(1);
        writer.retransmission(
            (rtx, self.rtx_ssrc, sequence),
            srtp,
            &mut self.rtx_stream,
            out,
        )
    }
}
