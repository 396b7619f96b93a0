//! One direction of a bottleneck: a rate that changes, a drop-tail queue, a policer, loss,
//! jitter, reordering. Times in microseconds.

use std::collections::VecDeque;

use super::rng::Rng;

/// How packets get lost on the way, queue apart.
#[derive(Clone, Copy, Debug)]
pub enum Loss {
    None,
    /// Each with this probability.
    Random(f64),
    /// Gilbert-Elliott: into a bad state, out of it, loss within it; per packet.
    Bursts {
        enter: f64,
        leave: f64,
        loss: f64,
    },
}

#[derive(Clone, Debug)]
pub struct LinkSpec {
    /// From second, kbit/s.
    pub rate: Vec<(f64, u64)>,
    /// The queue drops what would wait longer.
    pub queue_ms: u64,
    pub loss: Loss,
    /// Half-normal, at most twice the deviation; keeps the order.
    pub jitter_ms: f64,
    /// Part of the packets that come 20 ms later, behind others.
    pub reordered: f64,
    /// A token bucket in front: kbit/s, bytes.
    pub policer: Option<(u64, u64)>,
}

impl LinkSpec {
    pub fn steady(kbps: u64) -> Self {
        Self::steps(&[(0.0, kbps)])
    }

    pub fn steps(rate: &[(f64, u64)]) -> Self {
        Self {
            rate: rate.to_vec(),
            queue_ms: 300,
            loss: Loss::None,
            jitter_ms: 0.0,
            reordered: 0.0,
            policer: None,
        }
    }

    pub fn kbps_at(&self, us: i64) -> u64 {
        let now = us as f64 / 1e6;
        let past = self.rate.iter().rev().find(|(from, _)| *from <= now);
        let rate = past.map_or(self.rate[0].1, |(_, kbps)| *kbps);
        self.policer.map_or(rate, |(policed, _)| rate.min(policed))
    }

    fn line_kbps_at(&self, us: i64) -> u64 {
        let now = us as f64 / 1e6;
        let past = self.rate.iter().rev().find(|(from, _)| *from <= now);
        past.map_or(self.rate[0].1, |(_, kbps)| *kbps)
    }
}

#[derive(Clone, Debug)]
pub struct Packet<T> {
    pub bytes: usize,
    pub queued_us: i64,
    pub delay_us: i64,
    pub content: T,
}

#[derive(Debug)]
pub struct Link<T> {
    pub spec: LinkSpec,
    queue: VecDeque<Packet<T>>,
    queued_bytes: usize,
    busy: bool,
    bad: bool,
    tokens: f64,
    tokens_us: i64,
    last_us: i64,
}

/// What the link says of a packet that has left it.
#[derive(Debug)]
pub struct Departure<T> {
    pub packet: Packet<T>,
    /// `None`: lost on the way.
    pub arrives_us: Option<i64>,
}

impl<T> Link<T> {
    pub fn new(spec: LinkSpec) -> Self {
        let tokens = spec.policer.map_or(0.0, |(_, bytes)| bytes as f64);
        Self {
            spec,
            queue: VecDeque::new(),
            queued_bytes: 0,
            busy: false,
            bad: false,
            tokens,
            tokens_us: 0,
            last_us: 0,
        }
    }

    fn serving_us(&self, now_us: i64, bytes: usize) -> i64 {
        let kbps = self.spec.line_kbps_at(now_us).max(1);
        (bytes as i64 * 8_000) / kbps as i64
    }

    /// False: dropped by policer or queue. `Some` is when to call `serve`.
    pub fn send(&mut self, now_us: i64, packet: Packet<T>) -> (bool, Option<i64>) {
        if let Some((kbps, most)) = self.spec.policer {
            let earned = (now_us - self.tokens_us) as f64 * kbps as f64 / 8_000.0;
            self.tokens = (self.tokens + earned).min(most as f64);
            self.tokens_us = now_us;
            if self.tokens < packet.bytes as f64 {
                return (false, None);
            }
            self.tokens -= packet.bytes as f64;
        }
        let waits_us = self.serving_us(now_us, self.queued_bytes);
        if waits_us > self.spec.queue_ms as i64 * 1_000 {
            return (false, None);
        }
        self.queued_bytes += packet.bytes;
        self.queue.push_back(packet);
        let start = (!self.busy).then(|| {
            self.busy = true;
            now_us + self.serving_us(now_us, self.queue[0].bytes)
        });
        (true, start)
    }

    /// The head has left; gives it and when the next one will have.
    pub fn serve(&mut self, now_us: i64, rng: &mut Rng) -> (Option<Departure<T>>, Option<i64>) {
        let Some(packet) = self.queue.pop_front() else {
            self.busy = false;
            return (None, None);
        };
        self.queued_bytes -= packet.bytes;
        let next = self
            .queue
            .front()
            .map(|head| now_us + self.serving_us(now_us, head.bytes));
        self.busy = next.is_some();
        let arrives_us = (!self.loses(rng)).then(|| self.arrival(now_us, packet.delay_us, rng));
        (Some(Departure { packet, arrives_us }), next)
    }

    fn loses(&mut self, rng: &mut Rng) -> bool {
        match self.spec.loss {
            Loss::None => false,
            Loss::Random(probability) => rng.chance(probability),
            Loss::Bursts { enter, leave, loss } => {
                self.bad = if self.bad {
                    !rng.chance(leave)
                } else {
                    rng.chance(enter)
                };
                self.bad && rng.chance(loss)
            }
        }
    }

    fn arrival(&mut self, now_us: i64, delay_us: i64, rng: &mut Rng) -> i64 {
        let jitter = (rng.normal().abs().min(2.0) * self.spec.jitter_ms * 1_000.0) as i64;
        let at = now_us + delay_us + jitter;
        if rng.chance(self.spec.reordered) {
            return at + 20_000;
        }
        // Several flows with ways of their own length share the link; order is kept per instant.
        if self.spec.jitter_ms > 0.0 {
            self.last_us = self.last_us.max(at);
            return self.last_us;
        }
        at
    }
}
