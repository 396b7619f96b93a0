use super::*;

/// Feeds seconds of packets sent at `estimate`, of which `lost` says what becomes;
/// gives the estimate in kbit/s afterwards.
fn run(
    control: &mut LossControl,
    at_us: &mut i64,
    seconds: u32,
    lost: impl Fn(u64, u64) -> u64,
) -> u64 {
    let delay_based = Bitrate::kbps(3_000);
    for _ in 0..seconds * 10 {
        let sending = control.estimate().unwrap_or(delay_based).min(delay_based);
        let packets = sending.as_bps() / 10 / 8 / 100;
        let gone = lost(sending.as_bps() / 1_000, packets);
        let results: Vec<_> = (0..packets)
            .map(|index| PacketResult {
                sent_us: *at_us + index as i64 * 100_000 / packets as i64,
                arrived_us: (index >= gone).then_some(0),
                bytes: 100,
                cluster: None,
                was_lost: false,
            })
            .collect();
        *at_us += 100_000;
        let arrived = sending.scale(1.0 - gone as f64 / packets as f64);
        control.update(&results, delay_based, Some(arrived), false);
    }
    control.estimate().unwrap().as_bps() / 1_000
}

#[test]
fn steps() {
    let mut control = LossControl::default();
    let mut at_us = 0;
    let free = run(&mut control, &mut at_us, 5, |_, _| 0);
    assert_eq!((free, control.state()), (3_000, LossState::Free));
    let random = run(&mut control, &mut at_us, 20, |_, packets| packets / 10);
    assert!(random >= 1_500, "10 % at random: {random}");
    let policed = run(&mut control, &mut at_us, 20, |kbps, packets| {
        packets * kbps.saturating_sub(800) / kbps
    });
    assert!(
        (600..=900).contains(&policed),
        "a policer at 800: {policed}"
    );
    let healed = run(&mut control, &mut at_us, 20, |_, _| 0);
    assert_eq!((healed, control.state()), (3_000, LossState::Free));
}

#[test]
fn half_of_all_lost_is_too_much() {
    let mut control = LossControl::default();
    let mut at_us = 0;
    let kbps = run(&mut control, &mut at_us, 20, |_, packets| packets / 2);
    assert!(kbps < 700, "{kbps}");
}

#[test]
fn sound_alone_clears_the_loss_of_a_rate_that_was_too_high() {
    let mut control = LossControl::default();
    let mut at_us = 0;
    let half = |_, packets: u64| packets / 2;
    // An observation of 100 kB, of which half is lost, then of 1 kB, of which nothing is.
    run(&mut control, &mut at_us, 1, half);
    assert!(control.average_loss() > 0.3, "{}", control.average_loss());
    for _ in 0..12 {
        let arrived = PacketResult {
            sent_us: at_us,
            arrived_us: Some(at_us),
            bytes: 1_000,
            cluster: None,
            was_lost: false,
        };
        at_us += OBSERVATION_US;
        control.update(&[arrived], Bitrate::kbps(300), None, true);
    }
    // Three seconds; by bytes it was 0.45 still.
    assert!(control.average_loss() < 0.1, "{}", control.average_loss());
}

#[test]
fn what_arrives_late_was_not_lost() {
    let mut control = LossControl::default();
    let packet = |sent_us: i64, arrived: bool, was_lost: bool| PacketResult {
        sent_us,
        arrived_us: arrived.then_some(sent_us),
        bytes: 1_000,
        cluster: None,
        was_lost,
    };
    for step in 0..40 {
        let at = step * 100_000;
        let results = [packet(at, true, false), packet(at + 1, false, false)];
        control.update(&results, Bitrate::kbps(500), None, false);
        control.update(
            &[packet(at + 1, true, true)],
            Bitrate::kbps(500),
            None,
            false,
        );
    }
    assert!(control.average_loss() < 0.01, "{}", control.average_loss());
}
