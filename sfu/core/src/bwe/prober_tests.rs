use super::*;

const ROUND_TRIP: Duration = Duration::from_millis(50);
const PACKET: usize = 1_000;

/// A path of one rate and 20 ms; gives the results of all probes within `time`.
fn probe(capacity: Bitrate, wanted: Bitrate, time: Duration) -> Vec<u64> {
    let start = crate::bwe::epoch();
    let mut prober = Prober::new(start);
    let mut estimate = Bitrate::kbps(500);
    let mut results = Vec::new();
    let mut free_us = 0;
    let mut told: Vec<(Instant, PacketResult)> = Vec::new();
    let mut now = start;
    while now < start + time {
        let sent_us = (now - start).as_micros() as i64;
        prober.tick(now, estimate, wanted, ROUND_TRIP, (false, true));
        while prober.burst(now) > 0 {
            let cluster = prober.sent(now, PACKET);
            let drain = PACKET as f64 * 8.0 / capacity.as_f64() * 1e6;
            free_us = free_us.max(sent_us + 20_000) + drain as i64;
            let result = PacketResult {
                sent_us,
                arrived_us: Some(free_us),
                bytes: PACKET as u16,
                cluster,
                was_lost: false,
            };
            told.push((
                start + Duration::from_micros(free_us as u64 + 50_000),
                result,
            ));
        }
        told.retain(|(at, result)| {
            if *at <= now {
                prober.feedback(result);
            }
            *at > now
        });
        if let Some(result) = prober.result(now, wanted) {
            results.push(result.as_bps() / 1_000);
            estimate = result;
        }
        now += Duration::from_millis(10);
    }
    results
}

#[test]
fn a_wide_path_is_found_in_steps() {
    let results = probe(
        Bitrate::kbps(20_000),
        Bitrate::kbps(5_000),
        Duration::from_secs(3),
    );
    let last = *results.last().unwrap();
    assert!((5_000..=8_000).contains(&last), "{results:?}");
    assert!(results.len() <= 4, "{results:?}");
}

#[test]
fn a_narrow_path_is_measured() {
    let results = probe(
        Bitrate::kbps(800),
        Bitrate::kbps(5_000),
        Duration::from_millis(900),
    );
    let last = *results.last().unwrap();
    assert!((700..=820).contains(&last), "{results:?}");
}

#[test]
fn failed_probes_become_rare() {
    let results = probe(
        Bitrate::kbps(500),
        Bitrate::kbps(5_000),
        Duration::from_secs(60),
    );
    assert!((8..=13).contains(&results.len()), "{results:?}");
}

#[test]
fn who_needs_no_more_is_left_alone() {
    let results = probe(
        Bitrate::kbps(5_000),
        Bitrate::kbps(300),
        Duration::from_secs(10),
    );
    assert!(results.is_empty(), "{results:?}");
}

/// Sends a probe of 1,500 kbit/s in packets of 125 bytes over a wide path. Sound leaves
/// 5 ms after its last burst.
fn probe_and_sound(sound: bool) -> Option<Bitrate> {
    let start = crate::bwe::epoch();
    let mut prober = Prober::new(start);
    let mut results = Vec::new();
    let mut send = |prober: &mut Prober, ms: u64, bytes: u16| {
        let cluster = prober.sent(start + Duration::from_millis(ms), usize::from(bytes));
        let sent_us = ms as i64 * 1_000;
        results.push(PacketResult {
            sent_us,
            arrived_us: Some(sent_us + 20_000),
            bytes,
            cluster,
            was_lost: false,
        });
    };
    let wanted = Bitrate::kbps(1_200);
    for ms in (0..=50).step_by(10) {
        let now = start + Duration::from_millis(ms);
        prober.tick(now, Bitrate::kbps(500), wanted, ROUND_TRIP, (false, true));
        while prober.burst(now) > 0 {
            send(&mut prober, ms, 125);
        }
        if sound && ms == 40 {
            send(&mut prober, 45, 100);
        }
    }
    assert_eq!(prober.last_id, 1);
    for result in &results {
        prober.feedback(result);
    }
    prober.result(start + Duration::from_millis(100), wanted)
}

#[test]
fn sound_after_the_last_burst_does_not_lower_the_result() {
    let expected = Some(Bitrate::kbps(1_500));
    assert_eq!(probe_and_sound(false), expected);
    assert_eq!(probe_and_sound(true), expected);
}

#[test]
fn bursts_of_any_size_tell_the_rate() {
    // packets of bursts 10 ms apart, the path's kbit/s, what is measured
    let steps: [(&[u64], u64, u64); 5] = [
        (&[2, 2, 2, 2, 2], 100_000, 1_600),
        // A small last burst is no full path,
        (&[2, 2, 2, 2, 1], 100_000, 1_600),
        (&[2, 2, 2, 2, 2], 800, 760),
        // and after a large frame few packets in a long time no wide one.
        (&[3, 0, 0, 1, 1], 400, 380),
        (&[3, 0, 0, 1, 1], 100_000, 800),
    ];
    for (step, (bursts, path_kbps, expected)) in steps.into_iter().enumerate() {
        let mut measure = Measure::default();
        measure.complete(bursts.iter().sum::<u64>() * PACKET as u64);
        let mut free_us = 0;
        for (at, packets) in (0..).zip(bursts) {
            for _ in 0..*packets {
                let sent_us = at * 10_000;
                free_us = free_us.max(sent_us) + PACKET as i64 * 8_000 / path_kbps as i64;
                measure.add(sent_us, free_us, PACKET as u16);
            }
        }
        let kbps = measure.result().map(|rate| rate.as_bps() / 1_000);
        assert_eq!(kbps, Some(expected), "step {step}");
    }
}

#[test]
fn a_probe_that_nothing_can_be_sent_with_ends() {
    let start = crate::bwe::epoch();
    let mut prober = Prober::new(start);
    let (estimate, wanted) = (Bitrate::kbps(500), Bitrate::kbps(5_000));
    let mut sending = 0;
    for ms in (0..60_000).step_by(10) {
        let now = start + Duration::from_millis(ms);
        prober.tick(now, estimate, wanted, ROUND_TRIP, (false, true));
        sending += u32::from(prober.rate().is_some());
    }
    assert!((50..6_000 / 8).contains(&sending), "{sending} ticks");
}

#[test]
fn beside_speech_on_the_thinnest_lines_probes_are_small() {
    let now = crate::bwe::epoch();
    // (estimate, whether media flows, rate of the probe)
    for (kbps, flows, rate) in [
        (60, true, 120),
        (60, false, 260),
        (400, true, 600),
        (400, false, 600),
    ] {
        let mut prober = Prober::new(now);
        prober.full();
        let wanted = Bitrate::kbps(2_000);
        prober.tick(now, Bitrate::kbps(kbps), wanted, ROUND_TRIP, (flows, true));
        assert_eq!(prober.rate(), Some(Bitrate::kbps(rate)), "{kbps} {flows}");
    }
}
