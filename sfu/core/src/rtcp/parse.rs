//! Compound packets, read in place. Reduced-size packets (RFC 5506) are
//! accepted: nothing is asked of the first packet's type.

use super::kind;
use super::transport::TransportFeedback;

/// Why bytes are not RTCP at all. The datagram is dropped and counted.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RtcpError {
    #[error("shorter than its own header says")]
    Truncated,
    #[error("RTCP version is not 2")]
    Version,
    #[error("not a packet type of RTCP")]
    Kind,
}

/// One datagram's packets, in order.
///
/// Packets of kinds that we have no use for and packets whose contents do
/// not fit into them are stepped over and counted; the others still come.
#[derive(Clone, Debug)]
pub struct Compound<'a> {
    rest: &'a [u8],
    skipped: u32,
}

impl<'a> Compound<'a> {
    /// # Errors
    /// If not even the first packet's header is right.
    pub fn parse(datagram: &'a [u8]) -> Result<Self, RtcpError> {
        let (header, _, _) = split(datagram)?;
        // RFC 5761 §4: what cannot be RTP with the marker bit.
        if !(192..=223).contains(&header.kind) {
            return Err(RtcpError::Kind);
        }
        Ok(Self {
            rest: datagram,
            skipped: 0,
        })
    }

    /// Packets stepped over so far, SDES and the like included.
    #[must_use]
    pub fn skipped(&self) -> u32 {
        self.skipped
    }
}

impl<'a> Iterator for Compound<'a> {
    type Item = Message<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() {
            let Ok((header, body, rest)) = split(self.rest) else {
                self.rest = &[];
                self.skipped += 1;
                break;
            };
            self.rest = rest;
            if let Some(message) = Message::parse(header, body) {
                return Some(message);
            }
            self.skipped += 1;
        }
        None
    }
}

#[derive(Clone, Copy)]
struct Header {
    /// Report count or feedback format, 0 to 31.
    count: u8,
    kind: u8,
}

/// The first packet's header, its body without padding, and the bytes behind it.
fn split(bytes: &[u8]) -> Result<(Header, &[u8], &[u8]), RtcpError> {
    let &[first, kind, high, low] = bytes.first_chunk().ok_or(RtcpError::Truncated)?;
    if first >> 6 != 2 {
        return Err(RtcpError::Version);
    }
    let length = 4 + 4 * usize::from(u16::from_be_bytes([high, low]));
    let (packet, rest) = bytes.split_at_checked(length).ok_or(RtcpError::Truncated)?;
    let mut body = &packet[4..];
    if first & 0x20 != 0 {
        let padding = body.last().copied().map_or(0, usize::from);
        let kept = body.len().checked_sub(padding);
        body = &body[..kept.ok_or(RtcpError::Truncated)?];
    }
    let header = Header {
        count: first & 0x1f,
        kind,
    };
    Ok((header, body, rest))
}

/// What the engine acts on.
#[derive(Clone, Debug)]
pub enum Message<'a> {
    SenderReport {
        info: SenderInfo,
        reports: ReportBlocks<'a>,
    },
    ReceiverReport {
        sender: u32,
        reports: ReportBlocks<'a>,
    },
    /// Send these again.
    Nack {
        sender: u32,
        media: u32,
        lost: LostSequences<'a>,
    },
    /// A picture cannot be decoded.
    Pli {
        sender: u32,
        media: u32,
    },
    /// Keyframes are wanted of these.
    Fir {
        sender: u32,
        entries: FirEntries<'a>,
    },
    /// How much the receiver believes it can take, in bit/s, of all these streams together.
    Remb {
        sender: u32,
        bits_per_second: u64,
        ssrcs: Ssrcs<'a>,
    },
    TransportFeedback(TransportFeedback<'a>),
    /// These streams have ended.
    Bye {
        ssrcs: Ssrcs<'a>,
    },
}

impl<'a> Message<'a> {
    fn parse(header: Header, body: &'a [u8]) -> Option<Self> {
        let count = usize::from(header.count);
        match (header.kind, header.count) {
            (kind::SENDER_REPORT, _) => {
                let (info, rest) = body.split_first_chunk()?;
                let reports = ReportBlocks(rest.get(..count * ReportBlock::LENGTH)?);
                let info = SenderInfo::parse(info);
                Some(Self::SenderReport { info, reports })
            }
            (kind::RECEIVER_REPORT, _) => {
                let (sender, rest) = split_u32(body)?;
                let reports = ReportBlocks(rest.get(..count * ReportBlock::LENGTH)?);
                Some(Self::ReceiverReport { sender, reports })
            }
            (kind::BYE, _) => {
                let ssrcs = Ssrcs(body.get(..4 * count)?);
                Some(Self::Bye { ssrcs })
            }
            (kind::TRANSPORT_FEEDBACK, kind::NACK) => {
                let (sender, rest) = split_u32(body)?;
                let (media, rest) = split_u32(rest)?;
                let lost = LostSequences {
                    rest,
                    packet: 0,
                    following: 0,
                };
                Some(Self::Nack {
                    sender,
                    media,
                    lost,
                })
            }
            (kind::TRANSPORT_FEEDBACK, kind::TRANSPORT_WIDE) => {
                TransportFeedback::parse(body).map(Self::TransportFeedback)
            }
            (kind::PAYLOAD_FEEDBACK, kind::PLI) => {
                let (sender, rest) = split_u32(body)?;
                let (media, _) = split_u32(rest)?;
                Some(Self::Pli { sender, media })
            }
            (kind::PAYLOAD_FEEDBACK, kind::FIR) => {
                let (sender, rest) = split_u32(body)?;
                // The media SSRC is unused (RFC 5104 §4.3.1.2).
                let (_, rest) = split_u32(rest)?;
                let entries = FirEntries(rest);
                Some(Self::Fir { sender, entries })
            }
            (kind::PAYLOAD_FEEDBACK, kind::APPLICATION) => Self::parse_remb(body),
            _ => None,
        }
    }

    /// draft-alvestrand-rmcat-remb-03 §2.2.
    fn parse_remb(body: &'a [u8]) -> Option<Self> {
        let (sender, rest) = split_u32(body)?;
        let (_, rest) = split_u32(rest)?;
        let (name, rest) = rest.split_first_chunk()?;
        let (&[count, high, middle, low], rest) = rest.split_first_chunk()?;
        if name != b"REMB" {
            return None;
        }
        let mantissa = u128::from(u32::from_be_bytes([0, high & 0x03, middle, low]));
        let rate = mantissa << (high >> 2);
        Some(Self::Remb {
            sender,
            bits_per_second: u64::try_from(rate).unwrap_or(u64::MAX),
            ssrcs: Ssrcs(rest.get(..4 * usize::from(count))?),
        })
    }
}

/// What a sender says of its own stream (RFC 3550 §6.4.1).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct SenderInfo {
    pub ssrc: u32,
    /// Seconds since 1900 in 32.32 fixed point.
    pub ntp: u64,
    /// The same moment in the stream's clock.
    pub rtp_timestamp: u32,
    pub packets: u32,
    pub octets: u32,
}

impl SenderInfo {
    fn parse(bytes: &[u8; 24]) -> Self {
        let word = |at: usize| {
            u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        Self {
            ssrc: word(0),
            ntp: u64::from(word(4)) << 32 | u64::from(word(8)),
            rtp_timestamp: word(12),
            packets: word(16),
            octets: word(20),
        }
    }
}

/// What a receiver says of one stream (RFC 3550 §6.4.1).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ReportBlock {
    pub ssrc: u32,
    /// Since the last report, in 1/256.
    pub fraction_lost: u8,
    /// Since the beginning; duplicates make it negative. 24 bits on the wire.
    pub total_lost: i32,
    /// Cycles in the upper half.
    pub highest_sequence: u32,
    /// In ticks of the stream's clock.
    pub jitter: u32,
    /// The middle 32 bits of the last sender report's NTP time; 0 if none came.
    pub last_sender_report: u32,
    /// In 1/65,536 s.
    pub delay_since_sender_report: u32,
}

impl ReportBlock {
    pub(super) const LENGTH: usize = 24;

    fn parse(bytes: &[u8; Self::LENGTH]) -> Self {
        let word = |at: usize| {
            u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        Self {
            ssrc: word(0),
            fraction_lost: bytes[4],
            // The shift up and down carries the sign of 24 bits.
            total_lost: ((word(4) << 8) as i32) >> 8,
            highest_sequence: word(8),
            jitter: word(12),
            last_sender_report: word(16),
            delay_since_sender_report: word(20),
        }
    }
}

#[derive(Clone, Debug)]
pub struct ReportBlocks<'a>(&'a [u8]);

impl Iterator for ReportBlocks<'_> {
    type Item = ReportBlock;

    fn next(&mut self) -> Option<ReportBlock> {
        let (block, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(ReportBlock::parse(block))
    }
}

#[derive(Clone, Debug)]
pub struct Ssrcs<'a>(&'a [u8]);

impl Iterator for Ssrcs<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let (ssrc, rest) = split_u32(self.0)?;
        self.0 = rest;
        Some(ssrc)
    }
}

/// Sequence numbers of lost packets, at most 17 for each 4 bytes (RFC 4585 §6.2.1).
#[derive(Clone, Debug)]
pub struct LostSequences<'a> {
    rest: &'a [u8],
    packet: u16,
    /// Bit 0: the packet after `packet`.
    following: u16,
}

impl Iterator for LostSequences<'_> {
    type Item = u16;

    fn next(&mut self) -> Option<u16> {
        if self.following != 0 {
            let bit = self.following.trailing_zeros() as u16;
            self.following &= self.following - 1;
            return Some(self.packet.wrapping_add(bit + 1));
        }
        let (&[p0, p1, m0, m1], rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        self.packet = u16::from_be_bytes([p0, p1]);
        self.following = u16::from_be_bytes([m0, m1]);
        Some(self.packet)
    }
}

/// Pairs of SSRC and command number; a repeated number is the same request (RFC 5104 §4.3.1).
#[derive(Clone, Debug)]
pub struct FirEntries<'a>(&'a [u8]);

impl Iterator for FirEntries<'_> {
    type Item = (u32, u8);

    fn next(&mut self) -> Option<(u32, u8)> {
        let (&[s0, s1, s2, s3, number, _, _, _], rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some((u32::from_be_bytes([s0, s1, s2, s3]), number))
    }
}

pub(super) fn split_u32(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (word, rest) = bytes.split_first_chunk()?;
    Some((u32::from_be_bytes(*word), rest))
}
