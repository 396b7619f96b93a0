//! Whatever feedback comes, and whatever is sent.

use proptest::prelude::*;

use super::*;
use crate::rtcp::{Compound, Message};

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
