//! Losses on either side are repaired.

use std::time::Duration;

use crate::client::{Wants, missing};
use crate::world::World;

const SECOND: Duration = Duration::from_secs(1);

/// A sender, a viewer, loss for ten seconds, then a quiet second to catch up.
fn lossy_call(wants: Wants, up: u64, down: u64, seed: u64) -> World {
    let (mut world, ids) = World::call(1, 2, wants, seed);
    world.show(ids[0], 0, Some(ids[1]));
    world.run_media(SECOND);
    (world.loss_up, world.loss_down) = (up, down);
    let run = |world: &mut World, seconds: u32| {
        world.run(seconds * SECOND, |step| {
            if step.ms.is_multiple_of(30) {
                step.clients.get_mut(&ids[1]).unwrap().send_frame(3);
            }
            if step.ms.is_multiple_of(50) {
                step.clients.get_mut(&ids[0]).unwrap().ask_for_missing();
            }
        });
    };
    run(&mut world, 10);
    (world.loss_up, world.loss_down) = (0, 0);
    run(&mut world, 1);
    world
}

fn assert_repaired(world: &World) {
    let viewer = world.clients.values().next().unwrap();
    let ssrc = viewer.video_ssrc(0);
    let numbers = &viewer.numbers[&ssrc];
    assert!(numbers.len() > 1_000, "{}", numbers.len());
    assert_eq!(missing(numbers), []);
    // What arrived is the sender's stream, whole and in order of its numbers.
    let mut counts: Vec<u32> = viewer.video(0).iter().map(|seen| seen.count).collect();
    counts.sort_unstable();
    for pair in counts.windows(2) {
        assert_eq!(pair[0] + 1, pair[1]);
    }
}

#[test]
fn loss_towards_the_receiver_is_repaired_by_rtx() {
    for seed in 20..24 {
        let world = lossy_call(Wants::default(), 0, 10, seed);
        assert_repaired(&world);
        let viewer = world.clients.values().next().unwrap();
        assert!(viewer.rtx_received > 50);
        assert!(world.engines[0].counters().retransmitted > 50);
    }
}

#[test]
fn loss_towards_the_receiver_is_repaired_without_rtx() {
    let wants = Wants {
        rtx: false,
        ..Wants::default()
    };
    let world = lossy_call(wants, 0, 10, 30);
    assert_repaired(&world);
    let viewer = world.clients.values().next().unwrap();
    assert_eq!(viewer.rtx_received, 0);
    assert!(world.engines[0].counters().retransmitted > 50);
}

#[test]
fn loss_from_the_sender_is_repaired() {
    for (seed, rtx) in [(40, true), (41, true), (42, false)] {
        let wants = Wants {
            rtx,
            ..Wants::default()
        };
        let world = lossy_call(wants, 10, 0, seed);
        assert_repaired(&world);
        assert!(world.clients.values().any(|c| c.nacks_received > 10));
        assert!(world.engines[0].counters().nack_sent > 10);
    }
}

#[test]
fn loss_on_both_sides_is_repaired() {
    let world = lossy_call(Wants::default(), 5, 10, 50);
    assert_repaired(&world);
}

#[test]
fn what_cannot_be_repaired_asks_for_a_keyframe() {
    let (mut world, ids) = World::call(1, 2, Wants::default(), 60);
    world.show(ids[0], 0, Some(ids[1]));
    world.clients.get_mut(&ids[1]).unwrap().repairs = false;
    world.run_media(SECOND);
    let before = world.clients[&ids[1]].camera.plis;
    world.loss_up = 20;
    world.run_media(Duration::from_millis(200));
    world.loss_up = 0;
    world.run_media(3 * SECOND);
    assert!(world.clients[&ids[1]].camera.plis > before);
}

#[test]
fn a_packet_is_not_sent_again_for_every_complaint() {
    let (mut world, ids) = World::call(1, 2, Wants::default(), 61);
    world.show(ids[0], 0, Some(ids[1]));
    world.run_media(SECOND);
    let viewer = world.clients.get_mut(&ids[0]).unwrap();
    let (ssrc, wire) = (viewer.video_ssrc(0), viewer.video(0).last().unwrap().wire);
    for _ in 0..50 {
        viewer.send_rtcp(|out| liandong_sfu_core::rtcp::nack(out, 77, ssrc, [wire]));
    }
    world.run(Duration::from_millis(100), |_| {});
    assert_eq!(world.engines[0].counters().retransmitted, 1);
}

#[test]
fn senders_are_told_of_every_arrival() {
    let wants = Wants {
        wide: true,
        ..Wants::default()
    };
    let (mut world, ids) = World::call(1, 2, wants, 62);
    world.show(ids[0], 0, Some(ids[1]));
    world.run_media(2 * SECOND);
    let sender = &world.clients[&ids[1]];
    let sent = sender.camera.count + sender.microphone.count;
    // All but those of the last tenth of a second, which no feedback has told of yet.
    assert!(sender.wide_reported.len() as u32 > sent - 40);
    assert!(sender.remb_seen >= 2);
}
