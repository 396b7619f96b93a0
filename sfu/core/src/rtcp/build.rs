//! Writing RTCP. Each function appends one packet, so that a compound is the
//! calls in order: a report, the CNAME, then feedback (RFC 3550 §6.1).

use super::kind;
use super::parse::{ReportBlock, SenderInfo};

/// The count field has five bits.
const MAX_BLOCKS: usize = 31;

/// A sender report. More than 31 blocks go on in receiver reports behind it.
pub fn sender_report(out: &mut Vec<u8>, info: &SenderInfo, reports: &[ReportBlock]) {
    let (first, more) = reports.split_at(reports.len().min(MAX_BLOCKS));
    let packet = Packet::begin(out, first.len() as u8, kind::SENDER_REPORT);
    out.extend(info.ssrc.to_be_bytes());
    out.extend(info.ntp.to_be_bytes());
    for word in [info.rtp_timestamp, info.packets, info.octets] {
        out.extend(word.to_be_bytes());
    }
    report_blocks(out, first);
    packet.end(out);
    if !more.is_empty() {
        receiver_report(out, info.ssrc, more);
    }
}

/// Receiver reports with all the blocks, 31 to a packet; without any, one empty report.
pub fn receiver_report(out: &mut Vec<u8>, sender: u32, reports: &[ReportBlock]) {
    let mut rest = reports;
    loop {
        let (now, later) = rest.split_at(rest.len().min(MAX_BLOCKS));
        let packet = Packet::begin(out, now.len() as u8, kind::RECEIVER_REPORT);
        out.extend(sender.to_be_bytes());
        report_blocks(out, now);
        packet.end(out);
        rest = later;
        if rest.is_empty() {
            return;
        }
    }
}

/// A source description with the CNAME alone (RFC 3550 §6.5.1), of which the
/// first 255 bytes count.
pub fn sdes_cname(out: &mut Vec<u8>, ssrc: u32, cname: &str) {
    let cname = &cname.as_bytes()[..cname.len().min(255)];
    let packet = Packet::begin(out, 1, kind::SDES);
    out.extend(ssrc.to_be_bytes());
    out.extend([1, cname.len() as u8]);
    out.extend(cname);
    // The list ends with at least one zero byte, and on a word boundary.
    let chunk = out.len() - packet.start;
    out.resize(packet.start + (chunk + 1).next_multiple_of(4), 0);
    packet.end(out);
}

/// Asks for packets again (RFC 4585 §6.2.1). Sequence numbers in their order
/// of sending pack best: up to 17 in 4 bytes. Writes nothing if none are lost.
pub fn nack(out: &mut Vec<u8>, sender: u32, media: u32, lost: impl IntoIterator<Item = u16>) {
    /// Keeps one packet well below an MTU.
    const MAX_PAIRS: usize = 200;
    let mut lost = lost.into_iter().peekable();
    while lost.peek().is_some() {
        let packet = feedback(out, kind::NACK, kind::TRANSPORT_FEEDBACK, sender, media);
        for _ in 0..MAX_PAIRS {
            let Some(first) = lost.next() else { break };
            let mut following = 0u16;
            let near = |next: &u16| (1..=16).contains(&next.wrapping_sub(first));
            while let Some(next) = lost.next_if(near) {
                following |= 1 << (next.wrapping_sub(first) - 1);
            }
            out.extend(first.to_be_bytes());
            out.extend(following.to_be_bytes());
        }
        packet.end(out);
    }
}

/// Asks for a keyframe (RFC 4585 §6.3.1).
pub fn pli(out: &mut Vec<u8>, sender: u32, media: u32) {
    feedback(out, kind::PLI, kind::PAYLOAD_FEEDBACK, sender, media).end(out);
}

/// Says how much all these streams together may send
/// (draft-alvestrand-rmcat-remb-03 §2.2). At most 255 streams; the rate is
/// rounded down to 18 significant bits.
pub fn remb(out: &mut Vec<u8>, sender: u32, bits_per_second: u64, ssrcs: &[u32]) {
    let ssrcs = &ssrcs[..ssrcs.len().min(255)];
    let exponent = (64 - bits_per_second.leading_zeros()).saturating_sub(18);
    let mantissa = (bits_per_second >> exponent) as u32;
    let [_, high, middle, low] = mantissa.to_be_bytes();
    let packet = feedback(out, kind::APPLICATION, kind::PAYLOAD_FEEDBACK, sender, 0);
    out.extend(b"REMB");
    out.extend([ssrcs.len() as u8, (exponent as u8) << 2 | high, middle, low]);
    for ssrc in ssrcs {
        out.extend(ssrc.to_be_bytes());
    }
    packet.end(out);
}

/// A packet begun in a buffer, whose length is not known yet.
pub(super) struct Packet {
    start: usize,
}

impl Packet {
    pub(super) fn begin(out: &mut Vec<u8>, count: u8, kind: u8) -> Self {
        let start = out.len();
        out.extend([0x80 | count & 0x1f, kind, 0, 0]);
        Self { start }
    }

    /// Enters the length; the caller has filled whole words.
    pub(super) fn end(self, out: &mut [u8]) {
        let words = (out.len() - self.start) / 4 - 1;
        debug_assert!((out.len() - self.start).is_multiple_of(4) && words <= 0xffff);
        out[self.start + 2..self.start + 4].copy_from_slice(&(words as u16).to_be_bytes());
    }
}

pub(super) fn feedback(out: &mut Vec<u8>, format: u8, kind: u8, sender: u32, media: u32) -> Packet {
    let packet = Packet::begin(out, format, kind);
    out.extend(sender.to_be_bytes());
    out.extend(media.to_be_bytes());
    packet
}

fn report_blocks(out: &mut Vec<u8>, reports: &[ReportBlock]) {
    for report in reports {
        out.extend(report.ssrc.to_be_bytes());
        // RFC 3550 A.3: the count sticks at its ends.
        let lost = report.total_lost.clamp(-0x80_0000, 0x7f_ffff);
        let [_, lost @ ..] = lost.to_be_bytes();
        out.push(report.fraction_lost);
        out.extend(lost);
        for word in [
            report.highest_sequence,
            report.jitter,
            report.last_sender_report,
            report.delay_since_sender_report,
        ] {
            out.extend(word.to_be_bytes());
        }
    }
}
