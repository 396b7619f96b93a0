//! A sender under the estimator, and its receiver.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use liandong_sfu_core::bwe::{Estimator, Pacer, START};
use liandong_sfu_core::rtcp::{Compound, Message, TransportFeedbackRecorder};
use liandong_sfu_core::units::Bitrate;

use super::rng::Rng;

const PACKET: usize = 1_200;
const AUDIO_BYTES: usize = 160;
/// What waits longer is dropped, up to the next keyframe.
const MAX_WAIT_US: i64 = 800_000;

/// What is sent.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// An encoder that follows the estimate, as RFC 8867 §4 assumes: up to so many kbit/s.
    Smooth(u64),
    /// A media server's choice between layers of one camera, kbit/s each.
    Layers(&'static [u64]),
}

impl Source {
    pub fn most_kbps(self) -> u64 {
        match self {
            Self::Smooth(most) => most,
            Self::Layers(layers) => *layers.last().unwrap(),
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    bytes: usize,
    since_us: i64,
}

#[derive(Debug)]
pub struct Sender {
    start: Instant,
    pub estimator: Estimator,
    pacer: Pacer,
    source: Source,
    /// Index of the layer that is shown; frames until a switch up takes effect.
    layer: usize,
    switch_in: u32,
    backlog: VecDeque<Waiting>,
    broken: bool,
    pub paused: bool,
    pub dropped_late: u64,
    pub switches: u32,
    frame: u64,
}

impl Sender {
    pub fn new(start: Instant, source: Source) -> Self {
        let mut estimator = Estimator::new(start, START);
        estimator.want(Bitrate::kbps(source.most_kbps() + 64));
        Self {
            start,
            estimator,
            pacer: Pacer::new(start, START),
            source,
            layer: 0,
            switch_in: 0,
            backlog: VecDeque::new(),
            broken: false,
            paused: false,
            dropped_late: 0,
            switches: 0,
            frame: 0,
        }
    }

    fn at(&self, us: i64) -> Instant {
        self.start + Duration::from_micros(us as u64)
    }

    /// 30 times a second.
    pub fn frame(&mut self, now_us: i64, rng: &mut Rng) {
        if self.paused {
            self.backlog.clear();
            return;
        }
        self.frame += 1;
        let room = self.estimator.estimate().saturating_sub(Bitrate::kbps(64));
        let kbps = room.as_bps() as f64 / 1_000.0;
        let (rate, keyframe) = match self.source {
            Source::Smooth(most) => ((kbps * 0.95).clamp(50.0, most as f64), false),
            Source::Layers(layers) => self.choose(layers, kbps),
        };
        if self.broken && !keyframe {
            // A receiver that lost a part waits for the next keyframe, 300 ms later.
            if self.switch_in == 0 {
                self.switch_in = 9;
            }
            return;
        }
        self.broken = false;
        let mean = rate * 1_000.0 / 8.0 / 30.0;
        let size = mean * (1.0 + 0.15 * rng.normal()).clamp(0.4, 1.8);
        let size = if keyframe { mean * 4.0 } else { size };
        let mut left = size as usize;
        while left > 0 {
            let bytes = left.min(PACKET);
            left -= bytes;
            self.backlog.push_back(Waiting {
                bytes: bytes + 40,
                since_us: now_us,
            });
        }
    }

    fn choose(&mut self, layers: &[u64], kbps: f64) -> (f64, bool) {
        let fits = |factor: f64| {
            layers
                .iter()
                .rposition(|layer| *layer as f64 * factor <= kbps)
                .unwrap_or(0)
        };
        let mut keyframe = false;
        if self.switch_in > 0 {
            self.switch_in -= 1;
            if self.switch_in == 0 {
                self.layer = fits(1.0).max(self.layer.min(fits(0.95)));
                keyframe = true;
                self.switches += 1;
            }
        } else if fits(1.1) > self.layer || fits(0.95) < self.layer {
            // Round trip to the camera and its encoder.
            self.switch_in = 5;
        }
        (layers[self.layer] as f64, keyframe)
    }

    /// Packets that leave now: size and transport-wide sequence number.
    pub fn flush(&mut self, now_us: i64, out: &mut Vec<(usize, u16)>) {
        let now = self.at(now_us);
        self.pacer.refill(now, self.estimator.pacing_rate());
        if self
            .backlog
            .front()
            .is_some_and(|head| now_us - head.since_us > MAX_WAIT_US)
        {
            self.dropped_late += self.backlog.len() as u64;
            self.backlog.clear();
            self.broken = matches!(self.source, Source::Layers(_));
        }
        while self.pacer.may_send() {
            let Some(head) = self.backlog.pop_front() else {
                break;
            };
            self.send(now, head.bytes, out);
        }
    }

    fn send(&mut self, now: Instant, bytes: usize, out: &mut Vec<(usize, u16)>) {
        self.pacer.sent(bytes);
        out.push((bytes, self.estimator.sent(now, bytes)));
    }

    /// 50 times a second; never waits.
    pub fn audio(&mut self, now_us: i64, out: &mut Vec<(usize, u16)>) {
        let now = self.at(now_us);
        self.send(now, AUDIO_BYTES, out);
    }

    /// 100 times a second.
    pub fn tick(&mut self, now_us: i64, out: &mut Vec<(usize, u16)>) {
        let now = self.at(now_us);
        self.estimator.tick(now);
        self.flush(now_us, out);
        loop {
            let bytes = self.estimator.probe_bytes(now);
            if bytes == 0 || self.paused {
                return;
            }
            self.send(now, (bytes as usize).clamp(200, PACKET), out);
        }
    }

    pub fn feedback(&mut self, now_us: i64, packet: &[u8]) {
        let now = self.at(now_us);
        for message in Compound::parse(packet).unwrap() {
            if let Message::TransportFeedback(feedback) = message {
                self.estimator.feedback(now, &feedback);
            }
        }
    }
}

#[derive(Debug)]
pub struct Receiver {
    start: Instant,
    recorder: TransportFeedbackRecorder,
}

impl Receiver {
    pub fn new(start: Instant) -> Self {
        Self {
            start,
            recorder: TransportFeedbackRecorder::new(),
        }
    }

    pub fn arrived(&mut self, now_us: i64, sequence: u16) {
        self.recorder
            .record(self.start + Duration::from_micros(now_us as u64), sequence);
    }

    pub fn report(&mut self) -> Vec<Vec<u8>> {
        let mut reports = Vec::new();
        while self.recorder.is_pending() {
            let mut packet = Vec::new();
            if !self.recorder.build(&mut packet, 1, 2) {
                break;
            }
            reports.push(packet);
        }
        reports
    }
}
