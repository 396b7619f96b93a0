//! What is missing of one incoming stream: which packets to ask for again,
//! and what the receiver reports say (RFC 3550 §6.4.1, appendix A).

use std::time::{Duration, Instant};

/// Missing packets that are waited for at a time.
const MAX_MISSING: usize = 256;
/// A jump further than this is a new beginning, not loss.
const MAX_JUMP: u64 = 1_000;
/// So often one packet is asked for.
const MAX_TRIES: u8 = 10;
/// Packets overtake each other: what is missing is asked for only after this.
const REORDERING: Duration = Duration::from_millis(10);

#[derive(Clone, Copy, Debug)]
struct Missing {
    sequence: u64,
    ask_at: Instant,
    tries: u8,
}

/// How the stream goes on with one packet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Arrival {
    /// Newer than all before.
    Newest,
    /// Older: reordered, or sent again.
    Late,
}

/// The figures of one report block.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Reception {
    /// Lost of the packets since the last report, in 1/256.
    pub fraction_lost: u8,
    /// 24 bits, signed.
    pub cumulative_lost: i32,
    /// Extended.
    pub highest_sequence: u32,
    /// In RTP ticks.
    pub jitter: u32,
}

/// Sequence numbers of one incoming stream in one life of it.
#[derive(Clone, Debug)]
pub struct Incoming {
    first: u64,
    highest: u64,
    received: u64,
    reported_expected: u64,
    reported_received: u64,
    /// Oldest first.
    missing: Vec<Missing>,
    /// Jitter in 1/16 ticks, and the transit time of the last packet.
    jitter_q4: u32,
    transit: Option<u32>,
    gave_up: bool,
}

impl Incoming {
    /// Begins with the first packet's number on the wire.
    #[must_use]
    pub fn new(wire: u16) -> Self {
        // One lap ahead, so that packets overtaken by the first have numbers, too.
        let first = (1 << 16) | u64::from(wire);
        Self {
            first,
            highest: first - 1,
            received: 0,
            reported_expected: 0,
            reported_received: 0,
            missing: Vec::new(),
            jitter_q4: 0,
            transit: None,
            gave_up: false,
        }
    }

    /// The extended number nearest to the highest one.
    #[must_use]
    pub fn extend(&self, wire: u16) -> u64 {
        let ahead = wire.wrapping_sub(self.highest as u16) as i16;
        self.highest.saturating_add_signed(i64::from(ahead))
    }

    /// Whether a packet is so far away that the sender must have begun anew.
    #[must_use]
    pub fn jumps(&self, sequence: u64) -> bool {
        sequence > self.highest + MAX_JUMP || sequence + MAX_JUMP < self.highest
    }

    /// Takes note of a packet that is not a copy and does not jump.
    /// `repairable`: what is missing is to be asked for.
    pub fn note(&mut self, now: Instant, sequence: u64, repairable: bool) -> Arrival {
        self.received += 1;
        if sequence <= self.highest {
            self.found(sequence);
            return Arrival::Late;
        }
        if repairable {
            for sequence in self.highest + 1..sequence {
                if self.missing.len() == MAX_MISSING {
                    self.missing.clear();
                    self.gave_up = true;
                    break;
                }
                self.missing.push(Missing {
                    sequence,
                    ask_at: now + REORDERING,
                    tries: 0,
                });
            }
        }
        self.highest = sequence;
        Arrival::Newest
    }

    /// A copy came, by repair or otherwise: stop asking.
    pub fn found(&mut self, sequence: u64) {
        if let Ok(at) = self.missing.binary_search_by_key(&sequence, |m| m.sequence) {
            self.missing.remove(at);
        }
    }

    /// The packets to ask for now, each again after `round_trip`.
    pub fn due(&mut self, now: Instant, round_trip: Duration, ask: &mut Vec<u16>) {
        let mut gave_up = false;
        self.missing.retain_mut(|missing| {
            if now < missing.ask_at {
                return true;
            }
            if missing.tries == MAX_TRIES {
                gave_up = true;
                return false;
            }
            missing.tries += 1;
            missing.ask_at = now + round_trip.max(REORDERING);
            ask.push(missing.sequence as u16);
            true
        });
        self.gave_up |= gave_up;
    }

    /// True once after something was given up: only a keyframe helps.
    pub fn take_gave_up(&mut self) -> bool {
        std::mem::take(&mut self.gave_up)
    }

    /// Folds one packet into the jitter estimate (RFC 3550 §6.4.1, A.8).
    /// `arrival` and `timestamp` are in ticks of the stream's clock and may wrap.
    pub fn jitter(&mut self, arrival: u32, timestamp: u32) {
        let transit = arrival.wrapping_sub(timestamp);
        if let Some(before) = self.transit {
            // Bounded because the sender chooses the timestamps.
            let delta = (transit.wrapping_sub(before) as i32)
                .unsigned_abs()
                .min(1 << 20);
            self.jitter_q4 = self.jitter_q4 + delta - ((self.jitter_q4 + 8) >> 4);
        }
        self.transit = Some(transit);
    }

    /// The report since the last one, with the packets expected and lost since then.
    pub fn report(&mut self) -> (Reception, u64, u64) {
        let expected = self.highest + 1 - self.first.min(self.highest + 1);
        let lost = expected as i64 - self.received as i64;
        let expected_now = expected.saturating_sub(self.reported_expected);
        let received_now = self.received - self.reported_received;
        self.reported_expected = expected;
        self.reported_received = self.received;
        let lost_now = expected_now.saturating_sub(received_now);
        let fraction = (lost_now * 256).checked_div(expected_now).unwrap_or(0);
        let reception = Reception {
            fraction_lost: fraction.min(255) as u8,
            cumulative_lost: lost.clamp(-0x80_0000, 0x7f_ffff) as i32,
            // The made-up first lap is not the receiver's count of wraps.
            highest_sequence: self.highest.saturating_sub(1 << 16) as u32,
            jitter: self.jitter_q4 >> 4,
        };
        (reception, expected_now, lost_now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> Instant {
        #[allow(clippy::disallowed_methods)] // any instant serves as the origin of virtual time
        Instant::now()
    }

    const ROUND_TRIP: Duration = Duration::from_millis(50);

    fn asked(incoming: &mut Incoming, now: Instant) -> Vec<u16> {
        let mut ask = Vec::new();
        incoming.due(now, ROUND_TRIP, &mut ask);
        ask
    }

    #[test]
    fn wraps_are_counted_both_ways() {
        let now = start();
        let mut incoming = Incoming::new(65_534);
        for wire in [65_534_u16, 65_535, 0, 1] {
            let sequence = incoming.extend(wire);
            assert_eq!(incoming.note(now, sequence, true), Arrival::Newest);
        }
        assert_eq!(incoming.extend(65_535) + 2, incoming.highest);
        assert_eq!(incoming.report().0.highest_sequence, 65_537);
        assert!(asked(&mut incoming, now + ROUND_TRIP).is_empty());
    }

    #[test]
    fn a_gap_is_asked_for_each_round_trip_until_it_fills_or_tries_end() {
        let mut now = start();
        let mut incoming = Incoming::new(10);
        for wire in [10, 13, 15] {
            let sequence = incoming.extend(wire);
            incoming.note(now, sequence, true);
        }
        assert!(asked(&mut incoming, now).is_empty(), "may be reordered");
        now += REORDERING;
        assert_eq!(asked(&mut incoming, now), [11, 12, 14]);
        assert!(asked(&mut incoming, now).is_empty());
        let sequence = incoming.extend(12);
        assert_eq!(incoming.note(now, sequence, true), Arrival::Late);
        let mut times = 1;
        for _ in 0..30 {
            now += ROUND_TRIP;
            let ask = asked(&mut incoming, now);
            assert!(ask.is_empty() || ask == [11, 14]);
            times += usize::from(!ask.is_empty());
        }
        assert_eq!(times, usize::from(MAX_TRIES));
        assert!(incoming.take_gave_up());
        assert!(!incoming.take_gave_up());
    }

    #[test]
    fn a_far_jump_is_a_restart() {
        let now = start();
        let mut incoming = Incoming::new(10);
        let first = incoming.extend(10);
        incoming.note(now, first, true);
        assert!(incoming.jumps(first + 5_000));
        assert!(incoming.jumps(first - 5_000));
        assert!(!incoming.jumps(first - 1));
        assert_eq!(incoming.note(now, first + 1, true), Arrival::Newest);
    }

    #[test]
    fn missing_is_bounded() {
        let now = start();
        let mut incoming = Incoming::new(0);
        let first = incoming.extend(0);
        incoming.note(now, first, true);
        incoming.note(now, first + 900, true);
        assert!(incoming.missing.len() <= MAX_MISSING);
        assert!(incoming.take_gave_up());
    }

    #[test]
    fn reports_count_loss_since_the_last_one() {
        let now = start();
        let mut incoming = Incoming::new(0);
        for wire in (0..100_u16).filter(|wire| wire % 4 != 1) {
            let sequence = incoming.extend(wire);
            incoming.note(now, sequence, false);
        }
        let report = incoming.report().0;
        assert_eq!(report.cumulative_lost, 25);
        assert_eq!(report.fraction_lost, 64);
        for wire in 100..200 {
            let sequence = incoming.extend(wire);
            incoming.note(now, sequence, false);
        }
        let report = incoming.report().0;
        assert_eq!(report.fraction_lost, 0);
        assert_eq!(report.cumulative_lost, 25);
        assert_eq!(report.highest_sequence, 199);
    }

    #[test]
    fn even_pace_has_no_jitter() {
        let mut incoming = Incoming::new(0);
        for packet in 0..50_u32 {
            incoming.jitter(
                packet.wrapping_mul(960),
                packet.wrapping_mul(960).wrapping_add(77),
            );
        }
        assert_eq!(incoming.report().0.jitter, 0);
        for packet in 50..100_u32 {
            incoming.jitter(packet * 960 + (packet % 2) * 480, packet * 960);
        }
        let jitter = incoming.report().0.jitter;
        assert!((300..=480).contains(&jitter), "{jitter}");
    }
}
