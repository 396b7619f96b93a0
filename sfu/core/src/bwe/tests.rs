//! Whatever feedback comes, and whatever is sent.

use proptest::prelude::*;

use super::*;
use crate::rtcp::{Compound, Message, TransportFeedbackRecorder};

/// A transport feedback packet around what follows its header.
fn packet(body: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x8f, 205, 0, 0];
    packet.extend(body);
    packet.resize(packet.len().next_multiple_of(4), 0);
    let words = (packet.len() / 4 - 1) as u16;
    packet[2..4].copy_from_slice(&words.to_be_bytes());
    packet
}

#[derive(Clone, Debug)]
enum Step {
    Send(u16),
    Wait(u32),
    Tick,
    Feedback(Vec<u8>),
    Want(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let chunk = prop_oneof![
        // A run of arrivals with small deltas, so that some of it is complete.
        (0_u16..40).prop_map(|count| (count, 0x2000 | count, count)),
        any::<u16>().prop_map(|chunk| (14, chunk, 60)),
    ];
    let feedback = (any::<u16>(), chunk, any::<[u8; 4]>(), any::<[u8; 60]>()).prop_map(
        |(base, (count, chunk, deltas), reference, bytes)| {
            let mut body = vec![0, 0, 0, 1, 0, 0, 0, 2];
            body.extend((base % 600).to_be_bytes());
            body.extend(count.to_be_bytes());
            body.extend(reference);
            body.extend(chunk.to_be_bytes());
            body.extend(&bytes[..usize::from(deltas).min(60)]);
            Step::Feedback(body)
        },
    );
    let step = prop_oneof![
        4 => any::<u16>().prop_map(Step::Send),
        2 => (0_u32..3_000_000).prop_map(Step::Wait),
        2 => Just(Step::Tick),
        3 => feedback,
        1 => any::<u64>().prop_map(Step::Want),
    ];
    proptest::collection::vec(step, 0..300)
}

proptest! {
    #[test]
    fn no_feedback_does_harm(steps in steps()) {
        let mut now = crate::bwe::epoch();
        let mut estimator = Estimator::new(now, START);
        for step in steps {
            match step {
                Step::Send(bytes) => {
                    for _ in 0..8 {
                        estimator.sent(now, usize::from(bytes));
                    }
                }
                Step::Wait(us) => now += Duration::from_micros(u64::from(us)),
                Step::Tick => estimator.tick(now),
                Step::Want(bps) => estimator.want(Bitrate::bps(bps)),
                Step::Feedback(body) => {
                    let packet = packet(&body);
                    let Ok(compound) = Compound::parse(&packet) else { continue };
                    for message in compound {
                        if let Message::TransportFeedback(feedback) = message {
                            estimator.feedback(now, &feedback);
                        }
                    }
                }
            }
            prop_assert!((MIN..=MAX).contains(&estimator.estimate()));
            // Two packets' worth more than a probe of the highest rate.
            prop_assert!(estimator.probe_bytes(now) <= MAX.scale(2.0).bytes_in(Duration::from_millis(60)));
        }
    }
}

#[test]
fn without_feedback_the_estimate_falls() {
    let mut now = crate::bwe::epoch();
    let mut estimator = Estimator::new(now, Bitrate::kbps(2_000));
    for _ in 0..1_000 {
        now += Duration::from_millis(10);
        estimator.sent(now, 1_000);
        estimator.tick(now);
    }
    assert!(
        estimator.estimate() < Bitrate::kbps(200),
        "{:?}",
        estimator.estimate()
    );
}

/// An estimator, and a receiver behind a line of one rate, with a queue of 300 ms.
struct Path {
    now: Instant,
    estimator: Estimator,
    receiver: TransportFeedbackRecorder,
    line: Bitrate,
    free_at: Instant,
    arriving: Vec<(Instant, u16)>,
}

impl Path {
    const WAY: Duration = Duration::from_millis(20);

    fn new(line: Bitrate) -> Self {
        let now = crate::bwe::epoch();
        let mut estimator = Estimator::new(now, START);
        estimator.want(Bitrate::kbps(1_500));
        Self {
            now,
            estimator,
            receiver: TransportFeedbackRecorder::new(),
            line,
            free_at: now,
            arriving: Vec::new(),
        }
    }

    fn send(&mut self, bytes: u64) {
        let number = self.estimator.sent(self.now, bytes as usize);
        let begins = self.free_at.max(self.now);
        if begins - self.now < Duration::from_millis(300) {
            let micros = bytes * 8_000_000 / self.line.as_bps();
            self.free_at = begins + Duration::from_micros(micros);
            self.arriving.push((self.free_at + Self::WAY, number));
        }
    }

    /// Sends so much of what is wanted, and probes if there is a slot to `probe` with.
    fn run(&mut self, time: Duration, media: Bitrate, probe: bool) {
        let end = self.now + time;
        let mut tick = 0_u32;
        while self.now < end {
            self.now += Duration::from_millis(10);
            tick += 1;
            self.estimator.tick(self.now);
            let bytes = media.bytes_in(Duration::from_millis(50));
            if bytes > 0 && tick.is_multiple_of(5) {
                (0..bytes.div_ceil(1_000)).for_each(|_| self.send(bytes.min(1_000)));
            }
            while probe && self.estimator.probe_bytes(self.now) > 0 {
                self.send(1_000);
            }
            let now = self.now;
            self.arriving.sort();
            for &(at, number) in self.arriving.iter().filter(|(at, _)| *at <= now) {
                self.receiver.record(at, number);
            }
            self.arriving.retain(|(at, _)| *at > now);
            let mut packet = Vec::new();
            if tick.is_multiple_of(10) && self.receiver.build(&mut packet, 1, 2) {
                self.told(&packet);
            }
        }
    }

    fn told(&mut self, packet: &[u8]) {
        for message in Compound::parse(packet).unwrap() {
            if let Message::TransportFeedback(feedback) = message {
                self.estimator.feedback(self.now, &feedback);
            }
        }
    }

    fn kbps(&self) -> u64 {
        self.estimator.estimate().as_bps() / 1_000
    }
}

#[test]
fn a_line_that_was_full_is_tried_again_though_nothing_is_sent_any_more() {
    let mut path = Path::new(Bitrate::kbps(3_000));
    path.run(Duration::from_secs(5), Bitrate::kbps(1_000), true);
    assert!(path.kbps() > 1_000, "{}", path.kbps());
    path.line = Bitrate::kbps(60);
    path.run(Duration::from_secs(4), Bitrate::kbps(300), true);
    let thin = path.kbps();
    assert!(thin < 100, "{thin}");

    // All that was shown is paused; what was under way is lost, and the line is free.
    path.line = Bitrate::kbps(3_000);
    path.arriving.clear();
    path.free_at = path.now;
    path.run(Duration::from_millis(1_900), Bitrate::ZERO, false);
    let paused = path.kbps();
    path.run(Duration::from_millis(200), Bitrate::ZERO, false);
    assert_eq!(path.kbps(), paused, "nothing jumps");
    path.run(Duration::from_secs(15), Bitrate::ZERO, true);
    assert!(path.kbps() > 1_500, "{}", path.kbps());
}

#[test]
fn a_full_queue_is_no_lack_of_media() {
    for media in [400, 600] {
        let mut path = Path::new(Bitrate::kbps(3_000));
        path.run(Duration::from_secs(5), Bitrate::kbps(1_000), true);
        // Far less than may be sent, but more than the line will carry.
        path.run(Duration::from_secs(3), Bitrate::kbps(media), true);
        assert!(path.kbps() > 1_500, "{}", path.kbps());
        path.line = Bitrate::kbps(250);
        path.run(Duration::from_millis(1_500), Bitrate::kbps(media), false);
        assert!(path.kbps() < 250, "{media} sent: {}", path.kbps());
    }
}
