//! Receivers on narrow lines: real clients that report arrivals, engines that estimate,
//! allocate, pace and probe.

use std::time::{Duration, Instant};

use liandong_sfu_core::api::{Command, Event, SlotView};
use liandong_sfu_core::ids::{PeerId, SlotIndex};

use crate::client::Wants;
use crate::world::{Bottleneck, World, camera};

const SECOND: Duration = Duration::from_secs(1);

/// A viewer of two cameras of about 600 kbit/s each, the first one prominent.
fn watched(seed: u64) -> (World, PeerId) {
    let wants = Wants {
        wide: true,
        ..Wants::default()
    };
    let (mut world, ids) = World::call(1, 3, wants, seed);
    for (slot, prominent) in [(0, true), (1, false)] {
        let command = Command::SetSlot {
            peer: ids[0],
            slot: SlotIndex(slot),
            source: Some(camera(ids[1 + usize::from(slot)])),
            view: SlotView {
                prominent,
                height: if prominent { 720 } else { 180 },
            },
        };
        world.order(ids[0].worker(), command);
    }
    (world, ids[0])
}

/// Cameras and microphones of all but the viewer; who misses packets asks for them.
fn run(world: &mut World, viewer: PeerId, time: Duration) {
    world.run(time, |step| {
        let ms = step.ms;
        for (id, client) in step.clients.iter_mut() {
            if *id == viewer {
                if ms.is_multiple_of(100) {
                    client.send_sound();
                }
                continue;
            }
            if ms.is_multiple_of(30) {
                client.send_large_frame(2);
            }
            if ms.is_multiple_of(20) {
                client.send_sound();
            }
        }
    });
}

fn narrow(world: &mut World, viewer: PeerId, kbps: u64) {
    let path = world.clients[&viewer].path;
    world
        .narrow
        .entry(path)
        .or_insert_with(|| Bottleneck::new(kbps))
        .kbps = kbps;
}

fn packets(world: &World, viewer: PeerId, slot: usize, from: Instant, to: Instant) -> usize {
    let seen = world.clients[&viewer].video(slot).iter();
    seen.filter(|seen| (from..to).contains(&seen.at)).count()
}

fn sounds(world: &World, viewer: PeerId, from: Instant, to: Instant) -> usize {
    let heard = world.clients[&viewer].heard();
    heard
        .iter()
        .filter(|seen| (from..to).contains(&seen.at))
        .count()
}

fn estimate(world: &World, viewer: PeerId) -> u32 {
    let told = world.events.iter().rev().find_map(|event| match event {
        Event::Stats { peer, stats, .. } if *peer == viewer => stats.estimate_bits_per_second,
        _ => None,
    });
    told.unwrap()
}

#[test]
fn a_drop_takes_the_lesser_picture_within_three_seconds_and_its_end_gives_it_back() {
    let (mut world, viewer) = watched(71);
    narrow(&mut world, viewer, 4_000);
    run(&mut world, viewer, 8 * SECOND);
    let begun = world.now;
    for slot in 0..2 {
        let count = packets(&world, viewer, slot, begun - 2 * SECOND, begun);
        assert!(count > 120, "slot {slot} on a wide line: {count}");
    }

    narrow(&mut world, viewer, 1_100);
    run(&mut world, viewer, 3 * SECOND);
    let path = world.clients[&viewer].path;
    world.narrow.get_mut(&path).unwrap().longest = Duration::ZERO;
    let settled = world.now;
    run(&mut world, viewer, 5 * SECOND);
    let now = world.now;
    assert_eq!(
        packets(&world, viewer, 1, settled, now),
        0,
        "the lesser one is paused"
    );
    let prominent = packets(&world, viewer, 0, settled, now);
    assert!(prominent > 300, "the prominent one goes on: {prominent}");
    let longest = world.narrow[&path].longest;
    assert!(longest < Duration::from_millis(150), "queue {longest:?}");
    let sounds = sounds(&world, viewer, settled, now);
    assert!(sounds >= 2 * 5 * 50 - 10, "sound is whole: {sounds}");

    narrow(&mut world, viewer, 4_000);
    run(&mut world, viewer, 15 * SECOND);
    let back = packets(&world, viewer, 1, world.now - SECOND, world.now);
    assert!(back > 60, "it is back: {back}");
}

#[test]
fn sound_goes_on_where_no_picture_fits() {
    let (mut world, viewer) = watched(72);
    narrow(&mut world, viewer, 2_000);
    run(&mut world, viewer, 4 * SECOND);
    // Two voices of 50 kbit/s with their headers.
    narrow(&mut world, viewer, 130);
    run(&mut world, viewer, 6 * SECOND);
    let settled = world.now;
    run(&mut world, viewer, 10 * SECOND);
    let heard = sounds(&world, viewer, settled, world.now);
    assert!(heard >= 2 * 10 * 50 * 97 / 100, "{heard}");
}

#[test]
fn random_loss_does_not_collapse() {
    let (mut world, viewer) = watched(73);
    world.loss_down = 10;
    run(&mut world, viewer, 20 * SECOND);
    let told = estimate(&world, viewer);
    assert!(told > 900_000, "{told}");
    let count = packets(&world, viewer, 0, world.now - 2 * SECOND, world.now);
    assert!(count > 100, "the prominent picture: {count}");
}

#[test]
fn a_client_that_never_reports_is_served_all_the_same() {
    let (mut world, viewer) = watched(74);
    world.clients.get_mut(&viewer).unwrap().wants.wide = false;
    run(&mut world, viewer, 10 * SECOND);
    for slot in 0..2 {
        let count = packets(&world, viewer, slot, world.now - 2 * SECOND, world.now);
        assert!(count > 120, "slot {slot}: {count}");
    }
}

#[test]
fn a_drop_to_300_kbit_takes_the_top_layer_within_three_seconds_and_its_end_gives_it_back() {
    let wants = Wants {
        wide: true,
        simulcast: true,
        ..Wants::default()
    };
    let (mut world, ids) = World::call(1, 2, wants, 75);
    let viewer = ids[0];
    let view = SlotView {
        prominent: false,
        height: 720,
    };
    world.show_as(viewer, 0, Some(ids[1]), view);
    narrow(&mut world, viewer, 3_000);
    world.run_media(6 * SECOND);
    let layer = |world: &World| world.clients[&viewer].video(0).last().unwrap().layer;
    assert_eq!(layer(&world), 2, "on a wide line");

    narrow(&mut world, viewer, 300);
    world.run_media(3 * SECOND);
    let settled = world.now;
    world.run_media(5 * SECOND);
    let seen = world.clients[&viewer].video(0).iter();
    let narrow_ones: Vec<u8> = seen
        .filter(|seen| seen.at > settled)
        .map(|seen| seen.layer)
        .collect();
    assert!(narrow_ones.len() > 200, "{}", narrow_ones.len());
    assert!(
        narrow_ones.iter().all(|layer| *layer < 2),
        "{narrow_ones:?}"
    );

    narrow(&mut world, viewer, 3_000);
    world.run_media(15 * SECOND);
    assert_eq!(layer(&world), 2, "back at the top");
}

#[test]
fn what_waits_for_somebody_who_only_listens_leaves_with_the_next_tick() {
    let wants = Wants {
        wide: true,
        ..Wants::default()
    };
    let (mut world, ids) = World::call(1, 1, wants, 76);
    let listens = Wants {
        listens: true,
        ..wants
    };
    let viewer = world.join(0, 2, listens);
    world.run(2 * SECOND, |_| {});
    world.show(viewer, 0, Some(ids[0]));
    world.run_media(SECOND);
    let from = world.now;
    // Frames that take the pacer more than one tick.
    world.run(2 * SECOND, |step| {
        if step.ms.is_multiple_of(200) {
            let client = step.clients.get_mut(&ids[0]).unwrap();
            client.send_large_frame(24);
        }
    });
    let seen = world.clients[&viewer].video(0).iter();
    let seen: Vec<_> = seen.filter(|seen| seen.at > from).collect();
    assert!(seen.len() > 100, "{}", seen.len());
    let within = seen.windows(2).filter(|pair| !pair[0].marker);
    let waits: Vec<Duration> = within.map(|pair| pair[1].at - pair[0].at).collect();
    let longest = waits.iter().max().unwrap();
    assert!(*longest > Duration::ZERO, "nothing had to wait");
    assert!(*longest <= Duration::from_millis(10), "{longest:?}");
}
