//! A competitor: NewReno in substance. Slow start, additive increase, halving once
//! per round trip on loss, a timeout.

use std::collections::BTreeMap;

pub const SEGMENT: usize = 1_240;

#[derive(Clone, Copy, Debug)]
pub struct TcpSpec {
    pub from: f64,
    pub to: f64,
    /// Short flows: segments of a transfer, and the mean pause between two.
    pub transfer: Option<(u64, f64)>,
}

#[derive(Debug)]
pub struct Tcp {
    pub spec: TcpSpec,
    window: f64,
    threshold: f64,
    next: u64,
    /// Segments under way, and when they left.
    in_flight: BTreeMap<u64, i64>,
    /// Loss of segments before this one has been answered.
    recovered: u64,
    left: u64,
    pub resumes_us: i64,
    round_trip_us: i64,
}

impl Tcp {
    pub fn new(spec: TcpSpec) -> Self {
        Self {
            spec,
            window: 10.0,
            threshold: f64::INFINITY,
            next: 0,
            in_flight: BTreeMap::new(),
            recovered: 0,
            left: spec.transfer.map_or(u64::MAX, |(segments, _)| segments),
            resumes_us: (spec.from * 1e6) as i64,
            round_trip_us: 200_000,
        }
    }

    /// Segments that leave now. `pause` is the length of the next pause in seconds.
    pub fn send(&mut self, now_us: i64, pause: f64) -> Vec<u64> {
        let mut out = Vec::new();
        if now_us < self.resumes_us || now_us > (self.spec.to * 1e6) as i64 {
            return out;
        }
        if self.left == 0 && self.in_flight.is_empty() {
            let (segments, mean) = self.spec.transfer.unwrap();
            self.left = segments;
            self.window = 10.0;
            self.threshold = f64::INFINITY;
            self.resumes_us = now_us + (mean * pause * 1e6) as i64;
            return out;
        }
        let oldest = self.in_flight.values().next().copied();
        if oldest.is_some_and(|at| now_us - at > 1_000_000 + self.round_trip_us) {
            self.left = self.left.saturating_add(self.in_flight.len() as u64);
            self.in_flight.clear();
            self.threshold = (self.window / 2.0).max(2.0);
            self.window = 1.0;
        }
        while (self.in_flight.len() as f64) < self.window && self.left > 0 {
            out.push(self.next);
            self.in_flight.insert(self.next, now_us);
            self.next += 1;
            self.left -= 1;
        }
        out
    }

    pub fn acknowledged(&mut self, now_us: i64, segment: u64) {
        let Some(sent) = self.in_flight.remove(&segment) else {
            return;
        };
        self.round_trip_us = (self.round_trip_us * 7 + now_us - sent) / 8;
        if self.window < self.threshold {
            self.window += 1.0;
        } else {
            self.window += 1.0 / self.window;
        }
        // Three later ones came: it is lost, and is sent again as a new one.
        let lost: Vec<u64> = self
            .in_flight
            .range(..segment.saturating_sub(2))
            .map(|(s, _)| *s)
            .collect();
        for segment in lost {
            self.in_flight.remove(&segment);
            self.left = self.left.saturating_add(1);
            if segment >= self.recovered {
                self.threshold = (self.window / 2.0).max(2.0);
                self.window = self.threshold;
                self.recovered = self.next;
            }
        }
    }
}
