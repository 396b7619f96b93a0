//! The simulations of bandwidth estimation that must hold, for more than one seed.

#![allow(clippy::expect_used)]

mod sim;

use sim::cases::named;
use sim::measure::Measured;
use sim::{report, run};

fn holds(name: &str) {
    let case = named(name);
    for seed in [1, 2] {
        let measured = run(&case, seed);
        let missed = report::missed(&case, &measured);
        assert!(
            missed.is_empty(),
            "seed {seed} missed {missed:?}: {}",
            report::table_row(&case, &measured)
        );
    }
}

macro_rules! cases {
    ($($test:ident: $name:literal,)*) => { $(#[test] fn $test() { holds($name); })* };
}

cases! {
    variable_capacity_one_flow: "5.1",
    congested_feedback: "5.3",
    media_and_a_long_tcp_flow: "5.6",
    a_drop_and_its_end: "drop",
    random_loss_does_not_collapse: "loss10",
    bursts_of_loss: "bursts",
    reordering: "reordering",
    policer: "policer",
    layers_on_a_dropping_line: "layers-drop",
    layers_at_random_loss: "layers-loss10",
}

/// The first second after `from` at which the mean of a second is within `kbps`.
fn reached(measured: &Measured, from: f64, kbps: std::ops::Range<f64>) -> f64 {
    (0..300)
        .map(|tenths| f64::from(tenths) / 10.0)
        .find(|after| kbps.contains(&measured.mean_kbps(0, from + after, from + after + 1.0)))
        .expect("reached within 30 s")
}

#[test]
fn a_server_is_down_within_three_seconds_and_back_within_fifteen() {
    for seed in 1..=3 {
        let measured = run(&named("layers-drop"), seed);
        let down = reached(&measured, 30.0, 0.0..300.0);
        let back = reached(&measured, 60.0, 1_300.0..2_000.0);
        assert!(
            down <= 3.0 && back <= 15.0,
            "seed {seed}: down {down} s, back {back} s"
        );
        // The lowest layer and sound stay within the line.
        let low = measured.mean_kbps(0, 40.0, 59.0);
        assert!((200.0..300.0).contains(&low), "seed {seed}: {low} kbit/s");
    }
}

#[test]
fn three_flows_share() {
    let measured = run(&named("5.4"), 3);
    assert!(measured.fairness > 0.4, "{}", measured.fairness);
}
