//! What a run gives: rates, queueing delay, loss, how fast it settles.

use liandong_sfu_core::units::Bitrate;

use super::cases::Case;

#[derive(Clone, Debug, Default)]
pub struct Sample {
    pub second: f64,
    pub capacity_kbps: u64,
    /// Per flow.
    pub arrived_kbps: Vec<f64>,
    pub estimate_kbps: Vec<f64>,
    /// Longest of the interval, of the forward flows.
    pub queue_ms: f64,
}

#[derive(Debug)]
pub struct Trace {
    pub samples: Vec<Sample>,
    bytes: Vec<usize>,
    longest_us: i64,
    /// Second and microseconds, of every media packet.
    pub delays: Vec<(f64, i64)>,
    pub sent: Vec<u64>,
    pub dropped: Vec<u64>,
}

impl Trace {
    pub fn new(flows: usize) -> Self {
        Self {
            samples: Vec::new(),
            bytes: vec![0; flows],
            longest_us: 0,
            delays: Vec::new(),
            sent: vec![0; flows],
            dropped: vec![0; flows],
        }
    }

    pub fn sent(&mut self, flow: usize) {
        self.sent[flow] += 1;
    }

    pub fn dropped(&mut self, flow: usize) {
        self.dropped[flow] += 1;
    }

    pub fn served(&mut self, flow: usize, now_us: i64, waited_us: i64, bytes: usize) {
        self.bytes[flow] += bytes;
        self.longest_us = self.longest_us.max(waited_us);
        self.delays.push((now_us as f64 / 1e6, waited_us));
    }

    pub fn sample(
        &mut self,
        now_us: i64,
        capacity_kbps: u64,
        estimates: impl Iterator<Item = Bitrate>,
    ) {
        let arrived = self.bytes.iter().map(|bytes| *bytes as f64 * 8.0 / 100.0);
        self.samples.push(Sample {
            second: now_us as f64 / 1e6,
            capacity_kbps,
            arrived_kbps: arrived.collect(),
            estimate_kbps: estimates.map(|rate| rate.as_f64() / 1_000.0).collect(),
            queue_ms: self.longest_us as f64 / 1_000.0,
        });
        self.bytes.fill(0);
        self.longest_us = 0;
    }
}

#[derive(Debug)]
pub struct Measured {
    pub trace: Trace,
    /// Of what was there for the media and what they could use.
    pub utilisation: f64,
    pub queue_p50_ms: f64,
    pub queue_p95_ms: f64,
    /// By queue and policer, of what was sent.
    pub loss: f64,
    /// After a change, the longest time until the rate stays near its aim.
    pub convergence_s: f64,
    /// The least of the flows' mean rates against the largest, at the end.
    pub fairness: f64,
    pub switches: u32,
    pub late: u64,
}

impl Measured {
    pub fn new(case: &Case, trace: Trace, switches: u32, late: u64) -> Self {
        let mut waits: Vec<i64> = trace
            .delays
            .iter()
            .filter(|(second, _)| *second > case.settled)
            .map(|(_, us)| *us)
            .collect();
        waits.sort_unstable();
        let at = |part: f64| {
            let index = (waits.len() as f64 * part) as usize;
            waits.get(index).map_or(0.0, |us| *us as f64 / 1_000.0)
        };
        let (queue_p50_ms, queue_p95_ms) = (at(0.5), at(0.95));
        let sent: u64 = trace.sent.iter().sum();
        let dropped: u64 = trace.dropped.iter().sum();
        Self {
            utilisation: utilisation(case, &trace.samples),
            queue_p50_ms,
            queue_p95_ms,
            loss: dropped as f64 / sent.max(1) as f64,
            convergence_s: convergence(case, &trace.samples),
            fairness: fairness(case, &trace.samples),
            switches,
            late,
            trace,
        }
    }

    /// Mean rate of a flow between two seconds.
    pub fn mean_kbps(&self, flow: usize, from: f64, to: f64) -> f64 {
        mean(&self.trace.samples, from, to, |sample| {
            sample.arrived_kbps[flow]
        })
    }

    pub fn mean_estimate_kbps(&self, flow: usize, from: f64, to: f64) -> f64 {
        mean(&self.trace.samples, from, to, |sample| {
            sample.estimate_kbps[flow]
        })
    }
}

fn mean(samples: &[Sample], from: f64, to: f64, value: impl Fn(&Sample) -> f64) -> f64 {
    let within: Vec<f64> = samples
        .iter()
        .filter(|sample| sample.second > from && sample.second <= to)
        .map(value)
        .collect();
    within.iter().sum::<f64>() / within.len().max(1) as f64
}

/// What the forward flows that are active can reach together.
fn aim(case: &Case, sample: &Sample) -> f64 {
    let active = case
        .flows
        .iter()
        .filter(|flow| flow.direction == 0 && flow.is_active(sample.second));
    let wish: f64 = active
        .map(|flow| flow.source.most_kbps() as f64 + 64.0)
        .sum();
    let competitors = case
        .competitors
        .iter()
        .filter(|tcp| tcp.transfer.is_none() && (tcp.from..tcp.to).contains(&sample.second));
    let flows = case
        .flows
        .iter()
        .filter(|flow| flow.direction == 0 && flow.is_active(sample.second));
    let (media, others) = (flows.count() as f64, competitors.count() as f64);
    if media == 0.0 {
        return 0.0;
    }
    wish.min(sample.capacity_kbps as f64 * media / (media + others))
}

fn arrived(case: &Case, sample: &Sample) -> f64 {
    let forward = case.flows.iter().zip(&sample.arrived_kbps);
    forward
        .filter(|(flow, _)| flow.direction == 0)
        .map(|(_, kbps)| kbps)
        .sum()
}

fn utilisation(case: &Case, samples: &[Sample]) -> f64 {
    let settled = samples.iter().filter(|sample| sample.second > case.settled);
    let (got, aimed) = settled.fold((0.0, 0.0), |(got, aimed), sample| {
        (got + arrived(case, sample), aimed + aim(case, sample))
    });
    got / f64::max(aimed, 1.0)
}

/// From each change of the aim until the mean of a second reaches 0.75 of it and
/// (after a fall) the queue is below 100 ms again.
fn convergence(case: &Case, samples: &[Sample]) -> f64 {
    let mut longest = 0.0_f64;
    let mut changed = 0;
    for at in 1..=samples.len() {
        let ends = at == samples.len() || aim(case, &samples[at]) != aim(case, &samples[at - 1]);
        if !ends {
            continue;
        }
        let span = &samples[changed..at];
        changed = at;
        let settles = (9..span.len()).find(|end| {
            let second = &span[end - 9..=*end];
            let mean = second
                .iter()
                .map(|sample| arrived(case, sample))
                .sum::<f64>()
                / 10.0;
            let queue = second.iter().map(|sample| sample.queue_ms).sum::<f64>() / 10.0;
            mean >= case.reaches * aim(case, &span[0]) && queue < 100.0
        });
        let tenths = settles.map_or(span.len(), |end| end - 9);
        longest = longest.max(tenths as f64 / 10.0);
    }
    longest
}

fn fairness(case: &Case, samples: &[Sample]) -> f64 {
    let end = case.seconds;
    let rates = (0..case.flows.len())
        .filter(|flow| case.flows[*flow].direction == 0)
        .map(|flow| mean(samples, end * 0.75, end, |sample| sample.arrived_kbps[flow]));
    let (least, most) = rates.fold((f64::MAX, 0.0_f64), |(least, most), rate| {
        (least.min(rate), most.max(rate))
    });
    least / most.max(1.0)
}
