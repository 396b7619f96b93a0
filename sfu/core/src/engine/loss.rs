//! What is missing of one incoming stream: which packets to ask for again,
//! and what the receiver reports say (RFC 3550 §6.4.1, appendix A).

use std::time::{Duration, Instant};

/// Missing packets that are waited for at a time.
const MAX_MISSING: usize = 256;
/// A jump further than this is a new beginning, not loss.
const MAX_JUMP: u64 = 1_000;
/// So often one packet is asked for.
const MAX_TRIES: u8 = 10;
/// And for so long, or for some round trips if that is longer: what comes later is shown no more.
const MAX_WAIT: Duration = Duration::from_secs(1);
const MAX_WAIT_ROUND_TRIPS: u32 = 5;
/// Packets overtake each other: what is missing is asked for only after this.
const REORDERING: Duration = Duration::from_millis(10);
/// Before anything is known of the line.
const FIRST_ROUND_TRIP: Duration = Duration::from_millis(100);
/// Believed of no line.
const MAX_ROUND_TRIP: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug)]
struct Missing {
    sequence: u64,
    ask_at: Instant,
    asked_at: Option<Instant>,
    give_up_at: Instant,
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
    /// How long a packet takes to come once it is asked for.
    repair_time: Option<Duration>,
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
            repair_time: None,
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
            self.found(now, sequence);
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
                    asked_at: None,
                    give_up_at: now + MAX_WAIT.max(MAX_WAIT_ROUND_TRIPS * self.round_trip(None)),
                    tries: 0,
                });
            }
        }
        self.highest = sequence;
        Arrival::Newest
    }

    /// A copy came, by repair or otherwise: stop asking.
    pub fn found(&mut self, now: Instant, sequence: u64) {
        let Ok(at) = self.missing.binary_search_by_key(&sequence, |m| m.sequence) else {
            return;
        };
        let missing = self.missing.remove(at);
        if let Some(asked_at) = missing.asked_at {
            let sample = now.saturating_duration_since(asked_at).min(MAX_ROUND_TRIP);
            self.repair_time = Some(match self.repair_time {
                // Counted from the first time it was asked for, it is too long where the first
                // repair was lost: short ones count for more.
                Some(known) if sample > known => (known * 15 + sample) / 16,
                Some(known) => (known * 3 + sample) / 4,
                None => sample,
            });
        }
    }

    /// The better of what the peer's reports and its repairs say. Who sends only reports nothing.
    fn round_trip(&self, reported: Option<Duration>) -> Duration {
        let known = reported.or(self.repair_time);
        known.unwrap_or(FIRST_ROUND_TRIP).min(MAX_ROUND_TRIP)
    }

    /// The packets to ask for now, each again when the repair should long be here.
    /// `reported`: the round trip by the peer's receiver reports.
    pub fn due(&mut self, now: Instant, reported: Option<Duration>, ask: &mut Vec<u16>) {
        let round_trip = self.round_trip(reported);
        // A tenth for its jitter, and our own tick.
        let again = round_trip + round_trip / 10 + REORDERING;
        let mut gave_up = false;
        self.missing.retain_mut(|missing| {
            if now < missing.ask_at {
                return true;
            }
            if missing.tries == MAX_TRIES || now >= missing.give_up_at {
                gave_up = true;
                return false;
            }
            missing.tries += 1;
            missing.asked_at.get_or_insert(now);
            missing.ask_at = now + again;
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
        incoming.due(now, Some(ROUND_TRIP), &mut ask);
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
    fn a_gap_is_asked_for_each_round_trip_until_it_fills_or_time_ends() {
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
        // Within 1 s, every other 50 ms: a repair takes 50 ms, and 15 ms of patience.
        assert_eq!(times, 10);
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

    /// Figures of a line with loss both ways, over a minute of 200 packets a second.
    struct Repair {
        lost: u32,
        asked: u32,
        given_up: u32,
        repaired_in: Duration,
    }

    fn repair(percent: u64, round_trip: Duration, reported: Option<Duration>) -> Repair {
        let mut now = start();
        let mut incoming = Incoming::new(7);
        let mut dice = percent + 1;
        let mut lost = || {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005);
            dice = dice.wrapping_add(1_442_695_040_888_963_407);
            (dice >> 33) % 100 < percent
        };
        let mut repairs: std::collections::BTreeMap<(Instant, u16), Instant> = Default::default();
        let mut since = std::collections::BTreeMap::new();
        let mut figures = Repair {
            lost: 0,
            asked: 0,
            given_up: 0,
            repaired_in: Duration::ZERO,
        };
        for wire in 7..12_007_u16 {
            now += Duration::from_millis(5);
            while let Some(entry) = repairs.first_entry().filter(|entry| entry.key().0 <= now) {
                let (_, wire) = *entry.key();
                entry.remove();
                let sequence = incoming.extend(wire);
                incoming.found(now, sequence);
                if let Some(at) = since.remove(&wire) {
                    figures.repaired_in += now - at;
                }
            }
            if lost() {
                figures.lost += 1;
                since.insert(wire, now);
            } else {
                let sequence = incoming.extend(wire);
                incoming.note(now, sequence, true);
            }
            let mut ask = Vec::new();
            incoming.due(now, reported, &mut ask);
            for wire in ask {
                figures.asked += 1;
                if !lost() && !lost() {
                    repairs.insert((now + round_trip, wire), now);
                }
            }
            figures.given_up += u32::from(incoming.take_gave_up());
        }
        println!(
            "{percent} % of loss, {round_trip:?}, reported {reported:?}: {} lost, {} asked for, {} given up, {:?} each",
            figures.lost,
            figures.asked,
            figures.given_up,
            figures.repaired_in / figures.lost,
        );
        figures
    }

    #[test]
    fn repair_on_a_slow_line_neither_nags_nor_gives_up() {
        const SLOW: Duration = Duration::from_millis(200);
        // Asked for once per chance: 1 / (0.9 × 0.9) and 1 / (0.7 × 0.7) times, and a few before
        // the line is known. Five of them fit within the time: 0.19⁵ and 0.51⁵ are left.
        for (percent, reported, asks, given_up) in [
            (10, Some(SLOW), 1.30, 0.003),
            (10, None, 1.35, 0.003),
            (30, Some(SLOW), 2.15, 0.05),
            (30, None, 2.30, 0.05),
        ] {
            let figures = repair(percent, SLOW, reported);
            let asked = f64::from(figures.asked) / f64::from(figures.lost);
            assert!(asked < asks, "{percent} %, {reported:?}: {asked}");
            let left = f64::from(figures.given_up) / f64::from(figures.lost);
            assert!(left <= given_up, "{percent} %, {reported:?}: {left}");
        }
        let fast = repair(10, Duration::from_millis(20), None);
        assert_eq!(fast.given_up, 0);
        assert!(fast.repaired_in / fast.lost < Duration::from_millis(60));
    }
}
