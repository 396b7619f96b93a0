//! RTCP (RFC 3550 §6, 4585, 5104, REMB, transport-wide feedback).
//!
//! Reading and writing are our own. `rtc-rtcp` gives up a whole compound for
//! one packet in it that it dislikes and boxes each packet; what we need is small, and reads in place
//! without allocation. `rtc-rtcp` is the independent reader and writer of the tests.

mod build;
mod parse;
mod recorder;
mod transport;

pub use build::{nack, pli, receiver_report, remb, sdes_cname, sender_report};
pub use parse::{
    Compound, FirEntries, LostSequences, Message, ReportBlock, ReportBlocks, RtcpError, SenderInfo,
    Ssrcs,
};
pub use recorder::TransportFeedbackRecorder;
pub use transport::{Statuses, TransportFeedback};

/// Packet types and feedback formats.
mod kind {
    pub const SENDER_REPORT: u8 = 200;
    pub const RECEIVER_REPORT: u8 = 201;
    pub const SDES: u8 = 202;
    pub const BYE: u8 = 203;
    pub const TRANSPORT_FEEDBACK: u8 = 205;
    pub const PAYLOAD_FEEDBACK: u8 = 206;

    /// Of transport feedback (RFC 4585 §6.2).
    pub const NACK: u8 = 1;
    pub const TRANSPORT_WIDE: u8 = 15;
    /// Of payload feedback (RFC 4585 §6.3, RFC 5104 §4.3).
    pub const PLI: u8 = 1;
    pub const FIR: u8 = 4;
    pub const APPLICATION: u8 = 15;
}

#[cfg(test)]
mod tests;
