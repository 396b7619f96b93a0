//! What loss says of the path. A channel is modelled by two numbers: the
//! bandwidth from which on packets are dropped, and the loss that it has at any
//! rate ("inherent"). The pair that explains the last observations best wins, with
//! a bias to higher bandwidth; so random loss costs little, and a policer is
//! found (after LossBasedBweV2 of libwebrtc).

use arrayvec::ArrayVec;

use super::history::PacketResult;
use crate::units::Bitrate;

/// Observations, each of at least `OBSERVATION_US` of sending.
const WINDOW: usize = 15;
const OBSERVATION_US: i64 = 250_000;
const MIN_OBSERVATIONS: usize = 3;
/// Weight of an observation against the next newer one.
const AGEING: f64 = 0.9;
/// Bandwidths that are tried, as factors of the present one.
const FACTORS: [f64; 3] = [1.02, 1.0, 0.95];
const MIN_INHERENT: f64 = 1e-3;
const FIRST_INHERENT: f64 = 0.01;
/// The more bandwidth, the less loss is taken for inherent:
/// `OFFSET + BALANCE / bandwidth`.
const INHERENT_OFFSET: f64 = 0.1;
const INHERENT_BALANCE_KBPS: f64 = 50.0;
/// And whatever the model says, loss above the offset bounds the rate in the same way.
const BOUND_OFFSET: f64 = 0.1;
const BOUND_BALANCE_KBPS: f64 = 50.0;
const BIAS: f64 = 0.000_2;
const LOG_BIAS: f64 = 0.02;
/// Above this loss the bias turns round, within the smoothing.
const BIAS_TURNS: f64 = 0.2;
const BIAS_SMOOTHING: f64 = 0.002;
/// Less loss in the whole window limits nothing.
const NO_LOSS: f64 = 0.005;
const NEWTON_STEP: f64 = 0.75;
/// While loss limits, the estimate stays below this many times what arrives,
const MAX_OVER_ACKNOWLEDGED: f64 = 1.5;
/// or this many, just after it had to fall to about what arrives.
const MAX_OVER_ACKNOWLEDGED_IN_HOLD: f64 = 1.2;
const HOLD_THRESHOLD: f64 = 1.3;
/// And grows by at most this factor in `INCREASE_US`.
const MAX_INCREASE: f64 = 1.3;
const INCREASE_US: i64 = 300_000;
/// After a decrease the rate rests, twice as long each time.
const FIRST_HOLD_US: i64 = 300_000;
const MAX_HOLD_US: i64 = 60_000_000;

/// What limits the estimate.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum LossState {
    /// Loss does not: delay does.
    #[default]
    Free,
    Decreasing,
    Increasing,
}

#[derive(Clone, Copy, Debug)]
struct Observation {
    lost_kb: f64,
    kb: f64,
    sending_kbps: f64,
}

/// An observation that is being made.
#[derive(Debug, Default)]
struct Partial {
    lost: u64,
    bytes: u64,
}

#[derive(Clone, Copy, Debug)]
struct Channel {
    kbps: f64,
    inherent: f64,
}

#[derive(Clone, Copy, Debug)]
struct Hold {
    until_us: i64,
    next_us: i64,
    kbps: f64,
}

const NO_HOLD: Hold = Hold {
    until_us: i64::MIN,
    next_us: FIRST_HOLD_US,
    kbps: f64::INFINITY,
};

/// See the module's text.
#[derive(Debug)]
pub struct LossControl {
    /// Oldest first.
    window: ArrayVec<Observation, WINDOW>,
    partial: Partial,
    /// When the newest packet of the last observation was sent.
    observed_us: Option<i64>,
    average_loss: f64,
    channel: Option<Channel>,
    state: LossState,
    hold: Hold,
    /// The bound of the present step of increase, and when it began.
    step: Option<(f64, i64)>,
    result: Option<Bitrate>,
}

impl Default for LossControl {
    fn default() -> Self {
        Self {
            window: ArrayVec::new(),
            partial: Partial::default(),
            observed_us: None,
            average_loss: 0.0,
            channel: None,
            state: LossState::Free,
            hold: NO_HOLD,
            step: None,
            result: None,
        }
    }
}

impl LossControl {
    /// `None` until there is enough to judge by.
    #[must_use]
    pub fn estimate(&self) -> Option<Bitrate> {
        self.result
            .filter(|_| self.window.len() >= MIN_OBSERVATIONS)
    }

    #[must_use]
    pub fn state(&self) -> LossState {
        self.state
    }

    /// Of the last four seconds, without the best and the worst part.
    #[must_use]
    pub fn average_loss(&self) -> f64 {
        self.average_loss
    }

    /// A probe has shown that much.
    pub fn set(&mut self, estimate: Bitrate) {
        let inherent = self
            .channel
            .map_or(FIRST_INHERENT, |channel| channel.inherent);
        self.channel = Some(Channel {
            kbps: kbps(estimate),
            inherent,
        });
        self.state = LossState::Free;
        self.result = Some(estimate);
    }

    /// Takes the results of one feedback.
    pub fn update(
        &mut self,
        results: &[PacketResult],
        delay_based: Bitrate,
        acknowledged: Option<Bitrate>,
        limited: bool,
    ) {
        if !self.observe(results) {
            return;
        }
        let delay_kbps = kbps(delay_based);
        let acknowledged_kbps = acknowledged.map(kbps);
        if self.average_loss <= NO_LOSS {
            self.free(delay_based);
            return;
        }
        let now_us = self.observed_us.unwrap_or_default();
        let before = *self.channel.get_or_insert(Channel {
            kbps: delay_kbps,
            inherent: FIRST_INHERENT,
        });
        let mut best = self.best(before, delay_kbps, acknowledged_kbps, limited);
        // More loss than the channel has by itself is no reason to send more.
        if self.average_loss > best.inherent {
            best.kbps = best.kbps.min(before.kbps);
        }
        if self.state != LossState::Free {
            best.kbps = self.bounded_increase(now_us, before.kbps, best.kbps, acknowledged_kbps);
        }
        let floor = acknowledged_kbps.unwrap_or(0.0);
        let bounded = best
            .kbps
            .min(self.instant_bound())
            .min(delay_kbps)
            .max(floor);
        self.channel = Some(if bounded < best.kbps {
            Channel {
                kbps: bounded,
                inherent: 0.0,
            }
        } else {
            Channel {
                kbps: best.kbps.max(floor),
                ..best
            }
        });
        self.conclude(now_us, bounded, delay_kbps, floor);
    }

    fn free(&mut self, delay_based: Bitrate) {
        self.set(delay_based);
        self.hold = NO_HOLD;
        self.step = None;
    }

    fn conclude(&mut self, now_us: i64, bounded: f64, delay_kbps: f64, floor: f64) {
        let last = self.result.map_or(f64::INFINITY, kbps);
        let held = self.state == LossState::Decreasing && self.hold.until_us > now_us;
        if held && bounded < delay_kbps {
            self.hold.kbps = self.hold.kbps.max(floor);
            self.result = Some(bitrate(bounded.min(self.hold.kbps)));
            return;
        }
        let lossy = bounded < delay_kbps;
        let grows = bounded > last || (bounded == last && self.state == LossState::Increasing);
        self.state = match (lossy, self.state) {
            (false, LossState::Free | LossState::Decreasing | LossState::Increasing) => {
                self.hold = NO_HOLD;
                LossState::Free
            }
            (true, LossState::Decreasing | LossState::Increasing) if grows => LossState::Increasing,
            (true, LossState::Decreasing) => LossState::Decreasing,
            (true, LossState::Free | LossState::Increasing) => {
                self.hold = Hold {
                    until_us: now_us + self.hold.next_us,
                    next_us: (self.hold.next_us * 2).min(MAX_HOLD_US),
                    kbps: bounded,
                };
                LossState::Decreasing
            }
        };
        self.result = Some(bitrate(bounded));
        let stepped = self.step.is_some_and(|(_, at)| now_us - at <= INCREASE_US);
        if self.state != LossState::Free && !stepped {
            let from = self.channel.map_or(bounded, |channel| channel.kbps);
            self.step = Some((from * MAX_INCREASE, now_us));
        }
    }

    /// What the estimate may grow to while loss limits it.
    fn bounded_increase(
        &self,
        now_us: i64,
        before: f64,
        mut best: f64,
        acknowledged: Option<f64>,
    ) -> f64 {
        if let Some((most, since)) = self.step
            && now_us - since < INCREASE_US
        {
            best = best.min(most);
        }
        if let (Some(acknowledged), true) = (acknowledged, best > before) {
            let factor = if acknowledged < self.hold.kbps * HOLD_THRESHOLD {
                MAX_OVER_ACKNOWLEDGED_IN_HOLD
            } else {
                MAX_OVER_ACKNOWLEDGED
            };
            best = best.min(acknowledged * factor).max(before);
        }
        best
    }

    /// The candidate that explains the window best.
    fn best(
        &self,
        before: Channel,
        delay_kbps: f64,
        acknowledged: Option<f64>,
        limited: bool,
    ) -> Channel {
        let mut candidates: ArrayVec<f64, 5> =
            FACTORS.iter().map(|factor| factor * before.kbps).collect();
        // What arrives while the application sends little is no bandwidth.
        candidates.extend(acknowledged.filter(|_| !limited));
        candidates.extend(Some(delay_kbps).filter(|kbps| *kbps > before.kbps));
        let most = match (self.state, self.step) {
            (LossState::Decreasing | LossState::Increasing, Some((most, _))) => most,
            (_, _) => f64::INFINITY,
        };
        let mut best = before;
        let mut highest = f64::NEG_INFINITY;
        for kbps in candidates {
            let kbps = kbps.min(most.max(before.kbps));
            let inherent = self.fitted_inherent(kbps, before.inherent);
            let candidate = Channel { kbps, inherent };
            let objective = self.objective(candidate);
            if objective > highest || (objective == highest && kbps > best.kbps) {
                highest = objective;
                best = candidate;
            }
        }
        best
    }

    /// One step of Newton's method towards the likeliest inherent loss.
    fn fitted_inherent(&self, kbps: f64, inherent: f64) -> f64 {
        let inherent = feasible(inherent, kbps);
        let (mut first, mut second) = (0.0, 0.0);
        for (weight, seen) in self.weighted(AGEING) {
            let p = loss_probability(Channel { kbps, inherent }, seen.sending_kbps);
            let arrived = seen.kb - seen.lost_kb;
            first += weight * (seen.lost_kb / p - arrived / (1.0 - p));
            second -= weight * (seen.lost_kb / (p * p) + arrived / ((1.0 - p) * (1.0 - p)));
        }
        if second < 0.0 {
            feasible(inherent - NEWTON_STEP * first / second, kbps)
        } else {
            inherent
        }
    }

    fn objective(&self, channel: Channel) -> f64 {
        let turn = BIAS_TURNS - self.average_loss;
        let sign = turn / (BIAS_SMOOTHING + turn.abs());
        let bias = sign * (BIAS * channel.kbps + LOG_BIAS * channel.kbps.ln_1p());
        let mut objective = 0.0;
        for (weight, seen) in self.weighted(AGEING) {
            let p = loss_probability(channel, seen.sending_kbps);
            let arrived = seen.kb - seen.lost_kb;
            let likelihood = seen.lost_kb * p.ln() + arrived * (1.0 - p).ln();
            objective += weight * (likelihood + bias * seen.kb);
        }
        objective
    }

    fn weighted(&self, ageing: f64) -> impl Iterator<Item = (f64, &Observation)> {
        let mut weight = 1.0;
        self.window.iter().rev().map(move |observation| {
            let own = weight;
            weight *= ageing;
            (own, observation)
        })
    }

    fn instant_bound(&self) -> f64 {
        let excess = self.average_loss - BOUND_OFFSET;
        if excess > 0.0 {
            BOUND_BALANCE_KBPS / excess
        } else {
            f64::INFINITY
        }
    }

    /// Adds results to the observation under way. True: one is complete.
    fn observe(&mut self, results: &[PacketResult]) -> bool {
        let mut last_us = i64::MIN;
        let mut first_us = i64::MAX;
        for result in results {
            let bytes = u64::from(result.bytes);
            if result.was_lost {
                self.arrived_after_all(bytes);
                continue;
            }
            self.partial.bytes += bytes;
            if result.arrived_us.is_none() {
                self.partial.lost += bytes;
            }
            last_us = last_us.max(result.sent_us);
            first_us = first_us.min(result.sent_us);
        }
        if last_us == i64::MIN {
            return false;
        }
        let since = *self.observed_us.get_or_insert(first_us);
        let length_us = last_us - since;
        if length_us < OBSERVATION_US {
            return false;
        }
        let Partial { lost, bytes } = std::mem::take(&mut self.partial);
        if self.window.is_full() {
            self.window.remove(0);
        }
        self.window.push(Observation {
            lost_kb: lost as f64 / 1_000.0,
            kb: bytes as f64 / 1_000.0,
            sending_kbps: bytes as f64 * 8_000.0 / length_us as f64,
        });
        self.observed_us = Some(last_us);
        self.average_loss = self.average();
        true
    }

    fn arrived_after_all(&mut self, bytes: u64) {
        if self.partial.lost >= bytes {
            self.partial.lost -= bytes;
        } else if let Some(last) = self.window.last_mut() {
            last.lost_kb = (last.lost_kb - bytes as f64 / 1_000.0).max(0.0);
        }
    }

    /// Without the extremes, unless the worst came when much more was sent than usual. Each
    /// observation counts alike: by bytes, the large ones of a rate that was too high would
    /// outweigh all that little sound says after it.
    fn average(&self) -> f64 {
        let (mut lost, mut total) = (0.0, 0.0);
        let (mut worst, mut best) = ((0.0, 0.0, 0.0, 0.0), (1.0, 0.0, 0.0));
        for (weight, seen) in self.weighted(AGEING) {
            let ratio = if seen.kb > 0.0 {
                seen.lost_kb / seen.kb
            } else {
                0.0
            };
            let (part, whole) = (weight * ratio, weight);
            lost += part;
            total += whole;
            if ratio > worst.0 {
                worst = (ratio, part, whole, seen.sending_kbps);
            }
            if ratio < best.0 {
                best = (ratio, part, whole);
            }
        }
        let rest = total - worst.2 - best.2;
        let sudden = self.median_sending() * 2.0 <= worst.3;
        if self.window.len() <= 3 || sudden || rest <= 0.0 {
            return if total > 0.0 { lost / total } else { 0.0 };
        }
        ((lost - worst.1 - best.1) / rest).max(0.0)
    }

    fn median_sending(&self) -> f64 {
        let mut rates: ArrayVec<f64, WINDOW> =
            self.window.iter().map(|seen| seen.sending_kbps).collect();
        rates.sort_by(f64::total_cmp);
        rates.get(rates.len() / 2).copied().unwrap_or(0.0)
    }
}

fn feasible(inherent: f64, kbps: f64) -> f64 {
    let most = (INHERENT_OFFSET + INHERENT_BALANCE_KBPS / kbps.max(1.0)).min(1.0);
    inherent.max(MIN_INHERENT).min(most)
}

fn loss_probability(channel: Channel, sending_kbps: f64) -> f64 {
    let mut p = channel.inherent;
    if sending_kbps > channel.kbps {
        p += (1.0 - p) * (sending_kbps - channel.kbps) / sending_kbps;
    }
    p.clamp(1e-6, 1.0 - 1e-6)
}

fn kbps(rate: Bitrate) -> f64 {
    rate.as_f64() / 1_000.0
}

fn bitrate(kbps: f64) -> Bitrate {
    Bitrate::bps((kbps * 1_000.0) as u64)
}

#[cfg(test)]
#[path = "loss_tests.rs"]
mod tests;
