//! Short bursts above the estimate that show whether the path carries more:
//! at the beginning, when the receiver could use more than the estimate, and
//! after a drop. A probe ("cluster") is a few bursts, one at each tick; what
//! they have beyond media is sent packets again, or padding.

use std::time::{Duration, Instant};

use arrayvec::ArrayVec;

use super::history::{ClusterId, PacketResult};
use crate::units::Bitrate;

/// From a probe's first to its last burst.
const LENGTH: Duration = Duration::from_millis(40);
/// The engine's tick: what a burst has to last for.
const BURST: Duration = Duration::from_millis(10);
/// At the very beginning, above the starting rate.
const FIRST_SCALE: f64 = 3.0;
/// While nothing has shown where the path is full; each probe follows on the one before.
const STARTING_SCALE: f64 = 2.0;
/// Later: small steps, and after each a look whether a queue grows. Short bursts among
/// competitors measure what they push aside, not what is free.
const SCALE: f64 = 1.5;
/// A few packets at least, or nothing can be measured. Where others leave with them, no more than
/// twice the estimate: on the thinnest lines the queue of a larger burst would make speech late.
const MIN_STEP: Bitrate = Bitrate::kbps(200);
const STEP: Duration = Duration::from_secs(1);
/// A result of this part of the probe's rate asks for a further probe.
const FURTHER: f64 = 0.7;
/// Nobody needs a path wider than this many times what could be sent.
const HEADROOM: f64 = 1.25;
/// After a drop, of the rate before; but the path may have become as thin as it seems, and a
/// burst many times too large would fill its queue.
const AFTER_DROP: f64 = 0.85;
const AFTER_DROP_SCALE: f64 = 3.0;
/// Waits for the result for so long, and the round trip.
const PATIENCE: Duration = Duration::from_millis(500);
/// Between probes, doubled by each that finds nothing.
const MIN_PAUSE: Duration = Duration::from_secs(2);
const MAX_PAUSE: Duration = Duration::from_secs(6);
/// The trend of the delay is smoothed: for so long it shows what a probe did.
const ECHO: Duration = Duration::from_millis(500);

#[derive(Clone, Copy, Debug)]
enum State {
    /// No probe before the time.
    Idle(Instant),
    /// The probe goes out.
    Sending(Cluster),
    /// Its feedback is waited for.
    Waiting(Cluster, Instant),
}

#[derive(Clone, Copy, Debug)]
struct Cluster {
    id: ClusterId,
    rate: Bitrate,
    /// If there is nothing to send it with, it ends then.
    until: Instant,
    /// When its first burst left.
    began: Option<Instant>,
    sent_bytes: u64,
}

impl Cluster {
    /// Bytes that should have left by now.
    fn due(&self, now: Instant) -> u64 {
        let began = self.began.unwrap_or(now);
        let elapsed = now.saturating_duration_since(began).min(LENGTH);
        self.rate.bytes_in(elapsed + BURST)
    }

    /// Its last burst has left. What leaves after it, until the next tick, would count as a
    /// burst of its own: little, after a long time.
    fn is_full(&self, now: Instant) -> bool {
        self.began.is_some_and(|began| now >= began + LENGTH) && self.due(now) <= self.sent_bytes
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Phase {
    First,
    Starting,
    Running,
}

/// See the module's text.
#[derive(Debug)]
pub struct Prober {
    state: State,
    last_id: ClusterId,
    measure: Measure,
    /// When the last one's result was known, or given up.
    ended_at: Option<Instant>,
    pause: Duration,
    phase: Phase,
    /// The rate before the last drop, to try again.
    before_drop: Option<(Bitrate, Instant)>,
}

impl Prober {
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self {
            state: State::Idle(now),
            last_id: 0,
            measure: Measure::default(),
            ended_at: None,
            pause: MIN_PAUSE,
            phase: Phase::First,
            before_drop: None,
        }
    }

    /// Begins a probe if it is time and of use. `wanted` is what could be sent at most;
    /// `flows` says that media leaves that fills a good part of the estimate, `may` that nothing
    /// speaks against more load.
    pub fn tick(
        &mut self,
        now: Instant,
        estimate: Bitrate,
        wanted: Bitrate,
        round_trip: Duration,
        (flows, may): (bool, bool),
    ) {
        match self.state {
            State::Idle(not_before) => {
                if now >= not_before && may && estimate < wanted.scale(HEADROOM) {
                    let scale = match self.phase {
                        Phase::First => FIRST_SCALE,
                        Phase::Starting => STARTING_SCALE,
                        Phase::Running => SCALE,
                    };
                    if self.phase == Phase::First {
                        self.phase = Phase::Starting;
                    }
                    let step = if flows {
                        MIN_STEP.min(estimate)
                    } else {
                        MIN_STEP
                    };
                    let rate = estimate.scale(scale).max(estimate.saturating_add(step));
                    let rate = rate.min(wanted.scale(HEADROOM));
                    self.begin(now, rate);
                }
            }
            State::Sending(cluster) => {
                if cluster.is_full(now) {
                    self.measure.complete(cluster.sent_bytes);
                    self.state = State::Waiting(cluster, now + PATIENCE + round_trip);
                } else if now >= cluster.until {
                    self.found_nothing(now);
                }
            }
            State::Waiting(_, until) => {
                if now >= until {
                    self.found_nothing(now);
                }
            }
        }
    }

    /// The path was full.
    pub fn full(&mut self) {
        self.phase = Phase::Running;
    }

    /// The estimate fell by more than a third; once the queue has drained,
    /// the former rate is tried again.
    pub fn dropped(&mut self, now: Instant, before: Bitrate) {
        if self.before_drop.is_none_or(|(rate, _)| rate <= before) {
            self.before_drop = Some((before, now));
        }
    }

    /// The queue has drained after overuse.
    pub fn recovered(&mut self, now: Instant, estimate: Bitrate) {
        let Some((before, at)) = self.before_drop.take() else {
            return;
        };
        let rate = before
            .scale(AFTER_DROP)
            .min(estimate.scale(AFTER_DROP_SCALE));
        let fresh = now.saturating_duration_since(at) < Duration::from_secs(5);
        if let (State::Idle(_), true, true) = (self.state, fresh, rate > estimate) {
            self.begin(now, rate);
        }
    }

    fn begin(&mut self, now: Instant, rate: Bitrate) {
        self.last_id = self.last_id.checked_add(1).unwrap_or(1);
        self.measure = Measure::default();
        self.state = State::Sending(Cluster {
            id: self.last_id,
            rate,
            until: now + PATIENCE,
            began: None,
            sent_bytes: 0,
        });
    }

    fn found_nothing(&mut self, now: Instant) {
        self.measure = Measure::default();
        self.ended_at = Some(now);
        self.state = State::Idle(now + self.pause);
        self.pause = (self.pause * 2).min(MAX_PAUSE);
    }

    /// One goes out, or its feedback is waited for.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        match self.state {
            State::Sending(cluster) => cluster.began.is_some(),
            State::Waiting(..) => true,
            State::Idle(_) => false,
        }
    }

    /// Its queue may still be seen.
    #[must_use]
    pub fn was_lately(&self, now: Instant) -> bool {
        self.ended_at
            .is_some_and(|at| now.saturating_duration_since(at) < ECHO)
    }

    /// Bytes that the probe asks for now beyond what has left.
    #[must_use]
    pub fn burst(&self, now: Instant) -> u64 {
        match self.state {
            State::Sending(cluster) => cluster.due(now).saturating_sub(cluster.sent_bytes),
            State::Idle(_) | State::Waiting(..) => 0,
        }
    }

    /// The probe's rate while it goes out.
    #[must_use]
    pub fn rate(&self) -> Option<Bitrate> {
        match self.state {
            State::Sending(cluster) => Some(cluster.rate),
            State::Idle(_) | State::Waiting(..) => None,
        }
    }

    /// A packet leaves; gives the probe that it belongs to.
    pub fn sent(&mut self, now: Instant, bytes: usize) -> Option<ClusterId> {
        match &mut self.state {
            State::Sending(cluster) if !cluster.is_full(now) => {
                cluster.began.get_or_insert(now);
                cluster.sent_bytes += bytes as u64;
                Some(cluster.id)
            }
            State::Sending(_) | State::Idle(_) | State::Waiting(..) => None,
        }
    }

    /// Takes what feedback told of a packet of a probe.
    pub fn feedback(&mut self, result: &PacketResult) {
        let (Some(arrived), true) = (result.arrived_us, result.cluster == Some(self.last_id))
        else {
            return;
        };
        self.measure.add(result.sent_us, arrived, result.bytes);
    }

    /// The capacity that the probe has shown, once. A further one follows if
    /// the path carried this one and `wanted` is still more.
    pub fn result(&mut self, now: Instant, wanted: Bitrate) -> Option<Bitrate> {
        let (State::Waiting(cluster, _) | State::Sending(cluster)) = self.state else {
            return None;
        };
        let measured = self.measure.result()?;
        self.ended_at = Some(now);
        let carried = measured >= cluster.rate.scale(FURTHER);
        let more = measured < wanted.scale(HEADROOM);
        if !carried {
            self.phase = Phase::Running;
            self.found_nothing(now);
        } else if more && self.phase != Phase::Running {
            self.begin(
                now,
                measured.scale(STARTING_SCALE).min(wanted.scale(HEADROOM)),
            );
        } else {
            self.pause = MIN_PAUSE;
            self.state = State::Idle(now + STEP);
        }
        Some(measured)
    }
}

/// At most so many bursts are told apart; later ones join the last.
const BURSTS: usize = 16;
/// Packets of one burst leave within this.
const SAME_BURST_US: i64 = 2_000;
/// So much of a probe must arrive.
const MIN_ARRIVED: f64 = 0.8;
/// Arriving much faster than sent: the clock or the path jumped.
const MAX_RATIO: f64 = 2.0;
/// The sending took less than this part of the arriving: the path was full; stay a little below.
const UNSATURATED: f64 = 0.9;
const TARGET: f64 = 0.95;
const MAX_INTERVAL_US: i64 = 1_000_000;

#[derive(Clone, Copy, Debug)]
struct Burst {
    sent_us: i64,
    first_arrived_us: i64,
    last_arrived_us: i64,
    bytes: u64,
    /// Of the packet that arrived first.
    first_bytes: u64,
}

/// When the bursts of a probe left and were complete.
#[derive(Debug, Default)]
struct Measure {
    bursts: ArrayVec<Burst, BURSTS>,
    sent_bytes: Option<u64>,
}

impl Measure {
    fn complete(&mut self, sent_bytes: u64) {
        self.sent_bytes = Some(sent_bytes);
    }

    fn add(&mut self, sent_us: i64, arrived_us: i64, bytes: u16) {
        let full = self.bursts.is_full();
        let same = |burst: &Burst| (sent_us - burst.sent_us).abs() < SAME_BURST_US;
        let burst = match self.bursts.iter().position(same) {
            Some(at) => self.bursts.get_mut(at),
            None if full => self.bursts.last_mut(),
            None => {
                self.bursts.push(Burst {
                    sent_us,
                    first_arrived_us: arrived_us,
                    last_arrived_us: arrived_us,
                    bytes: 0,
                    first_bytes: u64::from(bytes),
                });
                self.bursts.last_mut()
            }
        };
        if let Some(burst) = burst {
            burst.bytes += u64::from(bytes);
            burst.last_arrived_us = burst.last_arrived_us.max(arrived_us);
            if arrived_us < burst.first_arrived_us {
                burst.first_arrived_us = arrived_us;
                burst.first_bytes = u64::from(bytes);
            }
        }
    }

    /// Once enough has arrived. Bytes of a burst fill the time up to the next one where they
    /// leave; those of a packet the time from the one before where they arrive, as a burst may
    /// be a large frame that takes the path as long as the whole probe.
    fn result(&self) -> Option<Bitrate> {
        let total: u64 = self.bursts.iter().map(|burst| burst.bytes).sum();
        let enough = self.sent_bytes? as f64 * MIN_ARRIVED;
        let first = self.bursts.iter().min_by_key(|burst| burst.sent_us)?;
        let last = self.bursts.iter().max_by_key(|burst| burst.sent_us)?;
        let sent_us = last.sent_us - first.sent_us;
        let arrived_us = last.last_arrived_us - first.first_arrived_us;
        let valid = 1..MAX_INTERVAL_US;
        if (total as f64) < enough || !valid.contains(&sent_us) || !valid.contains(&arrived_us) {
            return None;
        }
        let leaving = rate(total - last.bytes, sent_us);
        let arriving = rate(total - first.first_bytes, arrived_us);
        if arriving > leaving.scale(MAX_RATIO) {
            return None;
        }
        // By the times: the bytes of the two rates differ, as the last burst may be a small one.
        Some(if (sent_us as f64) < UNSATURATED * arrived_us as f64 {
            arriving.scale(TARGET)
        } else {
            leaving
        })
    }
}

fn rate(bytes: u64, us: i64) -> Bitrate {
    Bitrate::of(bytes, Duration::from_micros(us.unsigned_abs()))
}

#[cfg(test)]
#[path = "prober_tests.rs"]
mod tests;
