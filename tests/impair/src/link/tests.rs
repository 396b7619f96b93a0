use super::*;
use crate::conditions::{Burst, Policer};

const PACKET: usize = 1200;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// One packet each `every_ms`, `count` of them.
fn run(link: &mut Link, every_ms: u64, count: u64) -> Vec<Fate> {
    (0..count)
        .map(|n| link.datagram(ms(n * every_ms), PACKET))
        .collect()
}

fn share(fates: &[Fate], of: Fate) -> f64 {
    fates.iter().filter(|f| **f == of).count() as f64 / fates.len() as f64
}

#[test]
fn a_perfect_line_changes_nothing() {
    let mut link = Link::new(Conditions::default(), 1);
    for (n, fate) in run(&mut link, 3, 100).into_iter().enumerate() {
        assert_eq!(fate, Fate::Arrives(ms(3 * n as u64)));
    }
}

#[test]
fn the_bottleneck_spaces_packets_and_its_queue_is_bounded() {
    let conditions = Conditions {
        kbps: Some(300), // 32 ms for a packet of 1,200 bytes
        queue_ms: 100,
        delay_ms: 10,
        ..Conditions::default()
    };
    let mut link = Link::new(conditions, 1);
    let burst: Vec<Fate> = (0..6).map(|_| link.datagram(ms(0), PACKET)).collect();
    let arrives = |ms_after| Fate::Arrives(ms(ms_after));
    // The fifth would wait 128 ms.
    let expected = [42, 74, 106, 138].map(arrives);
    assert_eq!(burst[..4], expected);
    assert_eq!(burst[4..], [Fate::Overflow, Fate::Overflow]);
    // Dropped packets take no time of the bottleneck.
    assert_eq!(link.datagram(ms(64), PACKET), arrives(170));
}

#[test]
fn a_steady_excess_is_cut_to_the_rate() {
    let conditions = Conditions {
        kbps: Some(480), // a packet each 20 ms
        ..Conditions::default()
    };
    let fates = run(&mut Link::new(conditions, 1), 10, 3000);
    let passed = 1.0 - share(&fates, Fate::Overflow);
    assert!((0.49..0.52).contains(&passed), "{passed} passed");
}

#[test]
fn loss_is_as_likely_as_said_and_repeats_with_the_seed() {
    let conditions = Conditions {
        loss: 0.1,
        ..Conditions::default()
    };
    let fates = run(&mut Link::new(conditions.clone(), 7), 1, 20_000);
    let lost = share(&fates, Fate::Lost);
    assert!((0.09..0.11).contains(&lost), "{lost} lost");
    assert_eq!(fates, run(&mut Link::new(conditions.clone(), 7), 1, 20_000));
    assert_ne!(fates, run(&mut Link::new(conditions, 8), 1, 20_000));
}

#[test]
fn bursts_have_their_length_and_their_share() {
    let burst = Burst {
        enter: 0.02,
        leave: 0.25,
        loss: 1.0,
    };
    let conditions = Conditions {
        burst: Some(burst),
        ..Conditions::default()
    };
    let fates = run(&mut Link::new(conditions, 3), 1, 50_000);
    // In the long run bad with enter / (enter + leave) = 0.074, for 1 / leave = 4 packets.
    let lost = share(&fates, Fate::Lost);
    assert!((0.065..0.085).contains(&lost), "{lost} lost");
    let bursts = fates
        .windows(2)
        .filter(|pair| pair[0] != Fate::Lost && pair[1] == Fate::Lost)
        .count();
    let mean = lost * fates.len() as f64 / bursts as f64;
    assert!((3.5..4.5).contains(&mean), "bursts of {mean}");
}

#[test]
fn jitter_keeps_the_order_unless_told() {
    let arrivals = |reorder: bool| -> Vec<Duration> {
        let conditions = Conditions {
            delay_ms: 50,
            jitter_ms: 40,
            reorder,
            ..Conditions::default()
        };
        run(&mut Link::new(conditions, 5), 5, 1000)
            .into_iter()
            .map(|fate| match fate {
                Fate::Arrives(at) => at,
                other => panic!("{other:?} without a reason"),
            })
            .collect()
    };
    for reorder in [false, true] {
        let arrivals = arrivals(reorder);
        assert_eq!(arrivals.is_sorted(), !reorder);
        for (n, at) in arrivals.iter().enumerate() {
            let sent = ms(5 * n as u64);
            assert!(*at >= sent + ms(50) && *at <= sent + ms(90));
        }
    }
}

#[test]
fn a_policer_drops_what_exceeds_and_delays_nothing() {
    let policer = Policer {
        kbps: 480, // half of what comes
        burst_bytes: 12_000,
    };
    let conditions = Conditions {
        policer: Some(policer),
        ..Conditions::default()
    };
    let fates = run(&mut Link::new(conditions, 1), 10, 2000);
    assert!(fates[..10].iter().all(|f| *f != Fate::Policed), "the burst");
    let policed = share(&fates[100..], Fate::Policed);
    assert!((0.48..0.52).contains(&policed), "{policed} dropped");
    for (n, fate) in fates.into_iter().enumerate() {
        assert!(fate == Fate::Policed || fate == Fate::Arrives(ms(10 * n as u64)));
    }
}

#[test]
fn a_change_counts_from_the_next_packet() {
    let rate = |kbps| Conditions {
        kbps,
        ..Conditions::default()
    };
    let mut link = Link::new(rate(Some(960)), 1); // 10 ms each
    assert_eq!(link.datagram(ms(0), PACKET), Fate::Arrives(ms(10)));
    link.change(ms(1), rate(Some(96))); // 100 ms each
    assert_eq!(link.datagram(ms(1), PACKET), Fate::Arrives(ms(110)));
    link.change(ms(2), rate(None));
    // Unlimited again, but never before what is on its way.
    assert_eq!(link.datagram(ms(2), PACKET), Fate::Arrives(ms(110)));
    assert_eq!(link.datagram(ms(200), PACKET), Fate::Arrives(ms(200)));
}

#[test]
fn a_stream_is_held_back_instead_of_dropped() {
    let conditions = Conditions {
        kbps: Some(300),
        queue_ms: 100,
        loss: 1.0,
        ..Conditions::default()
    };
    let mut link = Link::new(conditions, 1);
    let arrivals: Vec<Duration> = (0..5).map(|_| link.stream(ms(0), PACKET)).collect();
    assert_eq!(arrivals, [32, 64, 96, 128, 160].map(ms));
    assert_eq!(link.hold(ms(0)), ms(60));
    assert_eq!(link.hold(ms(70)), Duration::ZERO);
}
