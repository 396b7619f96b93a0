//! What a light client tells of what it receives, as browsers do: the arrival of each packet ten
//! times a second, a receiver report once a second, and at once what is missing.

use std::time::{Duration, Instant};

use liandong_sfu_core::rtcp::{self, ReportBlock, TransportFeedbackRecorder};

const FEEDBACK: Duration = Duration::from_millis(100);
const REPORT: Duration = Duration::from_secs(1);
/// Asked for at most after one gap.
const MAX_ASKED: u16 = 16;

/// A stream that comes.
#[derive(Debug)]
struct Heard {
    ssrc: u32,
    /// With the number of wraps above (RFC 3550 §6.4.1).
    highest: u32,
    /// The middle of the last sender report's NTP time, and when it came.
    sender_report: Option<(u32, Instant)>,
}

#[derive(Debug)]
pub struct Reports {
    own: u32,
    recorder: TransportFeedbackRecorder,
    heard: Vec<Heard>,
    feedback_at: Instant,
    report_at: Instant,
}

impl Reports {
    /// `own`: the SSRC that they are sent under.
    pub fn new(now: Instant, own: u32) -> Self {
        Self {
            own,
            recorder: TransportFeedbackRecorder::new(),
            heard: Vec::new(),
            // Not all at once of clients that begin together.
            feedback_at: now + FEEDBACK * (own % 16) / 16,
            report_at: now + REPORT * (own % 16) / 16,
        }
    }

    /// A packet came; gives what has to be asked for again because of a gap before it.
    pub fn arrived(
        &mut self,
        at: Instant,
        (ssrc, sequence): (u32, u16),
        transport_sequence: Option<u16>,
    ) -> impl Iterator<Item = u16> + use<> {
        if let Some(number) = transport_sequence {
            self.recorder.record(at, number);
        }
        let known = self.heard.iter_mut().find(|heard| heard.ssrc == ssrc);
        let (from, missing) = match known {
            Some(heard) => {
                let before = heard.highest as u16;
                let step = sequence.wrapping_sub(before);
                let ahead = step < 1 << 15;
                if ahead {
                    heard.highest = heard.highest.wrapping_add(step.into());
                }
                let missing = if ahead { step.saturating_sub(1) } else { 0 };
                (before, missing.min(MAX_ASKED))
            }
            None => {
                self.heard.push(Heard {
                    ssrc,
                    highest: sequence.into(),
                    sender_report: None,
                });
                (sequence, 0)
            }
        };
        (1..=missing).map(move |back| from.wrapping_add(back))
    }

    /// `ntp`: the middle 32 bits of the time in the report.
    pub fn sender_reported(&mut self, now: Instant, ssrc: u32, ntp: u32) {
        if let Some(heard) = self.heard.iter_mut().find(|heard| heard.ssrc == ssrc) {
            heard.sender_report = Some((ntp, now));
        }
    }

    /// Gives each compound that is due to `send`.
    pub fn tick(&mut self, now: Instant, mut send: impl FnMut(Vec<u8>)) {
        if now >= self.report_at && !self.heard.is_empty() {
            self.report_at = now + REPORT;
            let mut compound = Vec::new();
            rtcp::receiver_report(&mut compound, self.own, &self.blocks(now));
            send(compound);
        }
        if now >= self.feedback_at {
            self.feedback_at = now + FEEDBACK;
            while self.recorder.is_pending() {
                let mut compound = self.compound();
                let media = self.heard.first().map_or(0, |heard| heard.ssrc);
                if !self.recorder.build(&mut compound, self.own, media) {
                    return;
                }
                send(compound);
            }
        }
    }

    /// Asks for packets of a stream again.
    pub fn nack(&self, ssrc: u32, missing: impl Iterator<Item = u16>) -> Vec<u8> {
        let mut compound = self.compound();
        rtcp::nack(&mut compound, self.own, ssrc, missing);
        compound
    }

    /// A compound has to begin with a report (RFC 3550 §6.1).
    fn compound(&self) -> Vec<u8> {
        let mut compound = Vec::with_capacity(256);
        rtcp::receiver_report(&mut compound, self.own, &[]);
        compound
    }

    fn blocks(&self, now: Instant) -> Vec<ReportBlock> {
        let block = |heard: &Heard| {
            let (last_sender_report, delay) = match heard.sender_report {
                Some((ntp, at)) => (ntp, now.saturating_duration_since(at)),
                None => (0, Duration::ZERO),
            };
            ReportBlock {
                ssrc: heard.ssrc,
                fraction_lost: 0,
                total_lost: 0,
                highest_sequence: heard.highest,
                jitter: 0,
                last_sender_report,
                delay_since_sender_report: (delay.as_micros() * 65_536 / 1_000_000) as u32,
            }
        };
        self.heard.iter().map(block).collect()
    }
}
