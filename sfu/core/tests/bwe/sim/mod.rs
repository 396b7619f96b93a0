//! Senders, receivers and competitors on one bottleneck, in virtual time. The same
//! seed gives the same run, everywhere.
//!
//! The crate `str0m-netem` was considered: it has no policer, no queue that
//! several flows with ways of different length share, and no rate that changes while
//! packets wait.
#![allow(clippy::unwrap_used, dead_code)] // the tests use a part of it, the benchmark another

pub mod cases;
pub mod link;
pub mod measure;
pub mod report;
mod rng;
pub mod sender;
mod tcp;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

use cases::Case;
use link::{Link, Packet};
use measure::{Measured, Trace};
use rng::Rng;
use sender::{Receiver, Sender};
use tcp::{SEGMENT, Tcp};

const FRAME_US: i64 = 33_333;
const AUDIO_US: i64 = 20_000;
const TICK_US: i64 = 10_000;
const FEEDBACK_US: i64 = 100_000;
const SAMPLE_US: i64 = 100_000;
const TCP_US: i64 = 5_000;

#[derive(Clone, Debug)]
enum Content {
    Media { flow: usize, sequence: u16 },
    Feedback { flow: usize, packet: Vec<u8> },
    Segment { flow: usize, segment: u64 },
}

#[derive(Clone, Debug)]
enum Event {
    Frame(usize),
    Audio(usize),
    Tick(usize),
    Report(usize),
    Tcp(usize),
    Serve(usize),
    Arrive(Content),
    Acknowledge { flow: usize, segment: u64 },
    Sample,
}

struct World<'a> {
    case: &'a Case,
    rng: Rng,
    links: [Link<Content>; 2],
    flows: Vec<(Sender, Receiver)>,
    competitors: Vec<Tcp>,
    times: BinaryHeap<Reverse<(i64, u64)>>,
    events: std::collections::HashMap<u64, Event>,
    serial: u64,
    trace: Trace,
}

/// Runs a case.
#[allow(clippy::disallowed_methods)] // any instant serves as the origin of virtual time
pub fn run(case: &Case, seed: u64) -> Measured {
    let start = Instant::now();
    let flows = case
        .flows
        .iter()
        .map(|spec| (Sender::new(start, spec.source), Receiver::new(start)));
    let mut world = World {
        case,
        rng: Rng::new(seed),
        links: [
            Link::new(case.forward.clone()),
            Link::new(case.backward.clone()),
        ],
        flows: flows.collect(),
        competitors: case
            .competitors
            .iter()
            .map(|spec| Tcp::new(*spec))
            .collect(),
        times: BinaryHeap::new(),
        events: std::collections::HashMap::new(),
        serial: 0,
        trace: Trace::new(case.flows.len()),
    };
    world.begin();
    world.run((case.seconds * 1e6) as i64);
    let switches = world.flows.iter().map(|(sender, _)| sender.switches).sum();
    let late = world
        .flows
        .iter()
        .map(|(sender, _)| sender.dropped_late)
        .sum();
    Measured::new(case, world.trace, switches, late)
}

impl World<'_> {
    fn begin(&mut self) {
        for flow in 0..self.flows.len() {
            let from = (self.case.flows[flow].from * 1e6) as i64;
            // Not in step with one another.
            let shift = flow as i64 * 3_700;
            self.at(from + shift, Event::Tick(flow));
            self.at(from + shift + 100, Event::Frame(flow));
            self.at(from + shift + 1_200, Event::Audio(flow));
            self.at(from + shift + FEEDBACK_US, Event::Report(flow));
        }
        for flow in 0..self.competitors.len() {
            self.at(flow as i64 * 700, Event::Tcp(flow));
        }
        self.at(SAMPLE_US, Event::Sample);
    }

    fn at(&mut self, us: i64, event: Event) {
        self.serial += 1;
        self.times.push(Reverse((us, self.serial)));
        self.events.insert(self.serial, event);
    }

    fn run(&mut self, until_us: i64) {
        while let Some(Reverse((now, serial))) = self.times.pop() {
            if now > until_us {
                return;
            }
            let event = self.events.remove(&serial).unwrap();
            self.handle(now, event);
        }
    }

    fn handle(&mut self, now: i64, event: Event) {
        let mut out = Vec::new();
        match event {
            Event::Frame(flow) => {
                let sender = &mut self.flows[flow].0;
                sender.paused = self.case.flows[flow].is_paused(now);
                sender.frame(now, &mut self.rng);
                sender.flush(now, &mut out);
                self.send_media(now, flow, &out);
                self.at(now + FRAME_US, Event::Frame(flow));
            }
            Event::Audio(flow) => {
                if !self.case.flows[flow].is_paused(now) {
                    self.flows[flow].0.audio(now, &mut out);
                }
                self.send_media(now, flow, &out);
                self.at(now + AUDIO_US, Event::Audio(flow));
            }
            Event::Tick(flow) => {
                self.flows[flow].0.tick(now, &mut out);
                self.send_media(now, flow, &out);
                self.at(now + TICK_US, Event::Tick(flow));
            }
            Event::Report(flow) => {
                for packet in self.flows[flow].1.report() {
                    let bytes = packet.len() + 40;
                    let back = 1 - self.case.flows[flow].direction;
                    self.send(
                        now,
                        back,
                        bytes,
                        self.delay_us(flow),
                        Content::Feedback { flow, packet },
                    );
                }
                self.at(now + FEEDBACK_US, Event::Report(flow));
            }
            Event::Tcp(flow) => {
                self.send_tcp(now, flow);
                self.at(now + TCP_US, Event::Tcp(flow));
            }
            Event::Serve(link) => self.serve(now, link),
            Event::Arrive(content) => self.arrive(now, content),
            Event::Acknowledge { flow, segment } => {
                self.competitors[flow].acknowledged(now, segment);
                self.send_tcp(now, flow);
            }
            Event::Sample => {
                let estimates = self
                    .flows
                    .iter()
                    .map(|(sender, _)| sender.estimator.estimate());
                self.trace
                    .sample(now, self.case.forward.kbps_at(now), estimates);
                self.at(now + SAMPLE_US, Event::Sample);
            }
        }
    }

    fn delay_us(&self, flow: usize) -> i64 {
        self.case.flows[flow].one_way_ms as i64 * 1_000
    }

    fn send_media(&mut self, now: i64, flow: usize, packets: &[(usize, u16)]) {
        let direction = self.case.flows[flow].direction;
        for &(bytes, sequence) in packets {
            self.trace.sent(flow);
            let kept = self.send(
                now,
                direction,
                bytes,
                self.delay_us(flow),
                Content::Media { flow, sequence },
            );
            if !kept {
                self.trace.dropped(flow);
            }
        }
    }

    fn send_tcp(&mut self, now: i64, flow: usize) {
        let pause = -self.rng.uniform().max(1e-6).ln();
        for segment in self.competitors[flow].send(now, pause) {
            self.send(now, 0, SEGMENT, 50_000, Content::Segment { flow, segment });
        }
    }

    fn send(
        &mut self,
        now: i64,
        link: usize,
        bytes: usize,
        delay_us: i64,
        content: Content,
    ) -> bool {
        let packet = Packet {
            bytes,
            queued_us: now,
            delay_us,
            content,
        };
        let (kept, serve_at) = self.links[link].send(now, packet);
        if let Some(at) = serve_at {
            self.at(at, Event::Serve(link));
        }
        kept
    }

    fn serve(&mut self, now: i64, link: usize) {
        let (departure, next) = self.links[link].serve(now, &mut self.rng);
        if let Some(at) = next {
            self.at(at, Event::Serve(link));
        }
        let Some(departure) = departure else {
            return;
        };
        let packet = departure.packet;
        if let Content::Media { flow, .. } = &packet.content {
            self.trace
                .served(*flow, now, now - packet.queued_us, packet.bytes);
        }
        if let Some(at) = departure.arrives_us {
            self.at(at, Event::Arrive(packet.content));
        }
    }

    fn arrive(&mut self, now: i64, content: Content) {
        match content {
            Content::Media { flow, sequence } => self.flows[flow].1.arrived(now, sequence),
            Content::Feedback { flow, packet } => self.flows[flow].0.feedback(now, &packet),
            // Acknowledgements are small; their way is not the bottleneck.
            Content::Segment { flow, segment } => {
                self.at(now + 50_000, Event::Acknowledge { flow, segment });
            }
        }
    }
}
