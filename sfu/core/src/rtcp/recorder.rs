//! Transport-wide feedback, writing: what a receiver tells a sender of every
//! packet (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1).

use std::collections::VecDeque;
use std::num::NonZeroU64;
use std::time::Instant;

use super::build::feedback;
use super::kind;
use super::transport::{DELTA_UNIT_US, REFERENCE_UNIT_US};

/// Sequence numbers remembered at most; a larger jump starts anew.
const WINDOW: usize = 4_096;
/// Sequence numbers remembered after they were reported: a packet that comes
/// later than its report is reported again, with all that follow.
const KEPT: usize = 128;
/// Of one feedback packet, so that it stays below an MTU: at most 2 bytes of
/// chunk for 7 statuses and 2 bytes of delta for each arrival.
const MAX_STATUSES: usize = 1_200;
const MAX_DELTA_BYTES: usize = 700;
/// Delta units in a unit of the reference time.
const REFERENCE_UNITS: i64 = REFERENCE_UNIT_US / DELTA_UNIT_US;

/// Remembers arrivals and turns them into feedback packets.
#[derive(Debug, Default)]
pub struct TransportFeedbackRecorder {
    /// Arrivals count from the first packet's.
    epoch: Option<Instant>,
    /// Unwrapped number of `arrivals[0]`.
    oldest: u64,
    /// The last one, if any, is an arrival.
    arrivals: VecDeque<Option<Arrival>>,
    /// Index into `arrivals` of the first that was not reported.
    unreported: usize,
    feedback_count: u8,
}

/// In delta units since the epoch, plus one.
#[derive(Clone, Copy, Debug)]
struct Arrival(NonZeroU64);

impl Arrival {
    fn units(self) -> i64 {
        // Far below 2^63: a u64 of units would last for 146 million years.
        (self.0.get() - 1) as i64
    }
}

impl TransportFeedbackRecorder {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether [`build`](Self::build) has something to say.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.unreported < self.arrivals.len()
    }

    /// A packet with this transport-wide sequence number arrived. The first
    /// arrival of a number counts.
    pub fn record(&mut self, now: Instant, sequence: u16) {
        let epoch = *self.epoch.get_or_insert(now);
        let elapsed = now.saturating_duration_since(epoch).as_micros();
        let units = (elapsed / DELTA_UNIT_US as u128) as u64;
        let arrival = Arrival(NonZeroU64::MIN.saturating_add(units));

        let number = self.unwrap(sequence);
        let end = self.oldest + self.arrivals.len() as u64;
        if self.arrivals.is_empty() || number >= end + WINDOW as u64 {
            self.restart(number);
        }
        // Too old to be told of.
        let Some(index) = number.checked_sub(self.oldest) else {
            return;
        };
        let index = index as usize;
        if index >= self.arrivals.len() {
            self.arrivals.resize(index, None);
            self.arrivals.push_back(Some(arrival));
            self.forget(self.arrivals.len().saturating_sub(WINDOW));
        } else if self.arrivals[index].is_none() {
            self.arrivals[index] = Some(arrival);
            self.unreported = self.unreported.min(index);
        }
    }

    /// Appends one feedback packet about what was not reported yet. False and
    /// nothing appended if all was; call it again until then.
    pub fn build(&mut self, out: &mut Vec<u8>, sender: u32, media: u32) -> bool {
        let first_arrival = self
            .arrivals
            .iter()
            .skip(self.unreported)
            .position(Option::is_some);
        let Some(losses) = first_arrival else {
            return false;
        };
        let first = self.unreported + losses;
        let reference = self.arrivals[first].map_or(0, Arrival::units) / REFERENCE_UNITS;
        let (symbols, deltas) = self.collect(first, reference * REFERENCE_UNITS);

        let base = self.oldest + self.unreported as u64;
        let count = losses + symbols.len();
        let packet = feedback(
            out,
            kind::TRANSPORT_WIDE,
            kind::TRANSPORT_FEEDBACK,
            sender,
            media,
        );
        out.extend((base as u16).to_be_bytes());
        // WINDOW bounds it.
        out.extend((count as u16).to_be_bytes());
        let [.., r0, r1, r2] = reference.to_be_bytes();
        out.extend([r0, r1, r2, self.feedback_count]);
        runs(out, Symbol::Lost, losses);
        chunks(out, &symbols);
        out.extend(&deltas);
        out.resize(out.len().next_multiple_of(4), 0);
        packet.end(out);

        self.feedback_count = self.feedback_count.wrapping_add(1);
        self.unreported += count;
        self.forget(self.unreported.saturating_sub(KEPT));
        true
    }

    /// The statuses from `first` on, up to an arrival, as far as they fit into
    /// one packet.
    fn collect(&self, first: usize, mut previous: i64) -> (Vec<Symbol>, Vec<u8>) {
        let mut symbols = Vec::new();
        let mut deltas = Vec::new();
        let mut complete = 0;
        for arrival in self.arrivals.iter().skip(first).take(MAX_STATUSES) {
            let Some(arrival) = arrival else {
                symbols.push(Symbol::Lost);
                continue;
            };
            let delta = arrival.units() - previous;
            if deltas.len() + 2 > MAX_DELTA_BYTES {
                break;
            }
            if let Ok(small) = u8::try_from(delta) {
                symbols.push(Symbol::Small);
                deltas.push(small);
            } else if let Ok(large) = i16::try_from(delta) {
                symbols.push(Symbol::Large);
                deltas.extend(large.to_be_bytes());
            } else {
                // More than 8 s: the next packet has a new reference time.
                break;
            }
            previous = arrival.units();
            complete = symbols.len();
        }
        symbols.truncate(complete);
        (symbols, deltas)
    }

    /// The number nearest to the newest one.
    fn unwrap(&self, sequence: u16) -> u64 {
        if self.arrivals.is_empty() {
            // One cycle up, so that an older one has a number, too.
            return 0x1_0000 + u64::from(sequence);
        }
        let newest = self.oldest + self.arrivals.len() as u64 - 1;
        let distance = sequence.wrapping_sub(newest as u16) as i16;
        newest.saturating_add_signed(i64::from(distance))
    }

    fn restart(&mut self, number: u64) {
        self.arrivals.clear();
        self.oldest = number;
        self.unreported = 0;
    }

    fn forget(&mut self, count: usize) {
        self.arrivals.drain(..count);
        self.oldest += count as u64;
        self.unreported = self.unreported.saturating_sub(count);
    }
}

/// Packet status symbols (§3.1.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Symbol {
    Lost = 0,
    /// One byte of delta.
    Small = 1,
    /// Two bytes of delta, signed.
    Large = 2,
}

/// Run length chunks (§3.1.3).
fn runs(out: &mut Vec<u8>, symbol: Symbol, mut length: usize) {
    while length > 0 {
        let run = length.min(0x1fff);
        out.extend(((symbol as u16) << 13 | run as u16).to_be_bytes());
        length -= run;
    }
}

/// Picks for what comes next the kind of chunk that covers most of it.
fn chunks(out: &mut Vec<u8>, mut symbols: &[Symbol]) {
    while let Some(&first) = symbols.first() {
        let run = symbols.iter().take_while(|next| **next == first).count();
        let ahead = &symbols[..symbols.len().min(14)];
        let one_bit = !ahead.contains(&Symbol::Large);
        let covered = if run == symbols.len() || run >= 14 || (run >= 7 && !one_bit) {
            runs(out, first, run);
            run
        } else if one_bit {
            vector(out, 0x8000, ahead, 1);
            ahead.len()
        } else {
            let ahead = &ahead[..ahead.len().min(7)];
            vector(out, 0xc000, ahead, 2);
            ahead.len()
        };
        symbols = &symbols[covered..];
    }
}

/// A status vector chunk (§3.1.4): 14 bits filled from the top; what is left
/// over lies behind the packet count.
fn vector(out: &mut Vec<u8>, head: u16, symbols: &[Symbol], bits: usize) {
    let mut word = head;
    for (index, symbol) in symbols.iter().enumerate() {
        word |= (*symbol as u16) << (14 - bits * (index + 1));
    }
    out.extend(word.to_be_bytes());
}
