//! Layers within one stream: who gets which, and what it looks like.

use std::time::Duration;

use liandong_sfu_core::api::{Command, Event, SlotView};
use liandong_sfu_core::ids::{PeerId, WorkerIndex};
use liandong_sfu_core::rtcp;

use crate::client::{Client, Seen, Wants, missing};
use crate::forwarding::assert_continuous;
use crate::scalable::Scheme;
use crate::world::{ROOM, World};

const SECOND: Duration = Duration::from_secs(1);
/// [`World::run_media`] sends a picture every 30 ms, in three packets of 100 bytes in
/// each layer that there is: 80 kbit/s.
const PICTURES: usize = 33;

fn wants(scheme: Scheme) -> Wants {
    Wants {
        audio_slots: 0,
        scheme,
        ..Wants::default()
    }
}

fn view(height: u16) -> SlotView {
    SlotView {
        prominent: false,
        height,
    }
}

/// The viewer says what its line carries.
fn narrow(world: &mut World, viewer: PeerId, kbps: u64) {
    let viewer = world.clients.get_mut(&viewer).unwrap();
    let ssrc = viewer.video_ssrc(0);
    viewer.send_rtcp(|out| rtcp::remb(out, 77, kbps * 1_000, &[ssrc]));
}

/// What the viewer's first slot shows in the next so many seconds.
fn shown(world: &mut World, viewer: PeerId, seconds: u32) -> Vec<Seen> {
    let before = world.clients[&viewer].video(0).len();
    world.run_media(seconds * SECOND);
    world.clients[&viewer].video(0)[before..].to_vec()
}

/// Pictures, each of whose last packet, and no other, bears the marker.
fn pictures(seen: &[Seen]) -> usize {
    for pair in seen.windows(2) {
        let last = pair[0].timestamp != pair[1].timestamp;
        assert_eq!(pair[0].marker, last, "{pair:?}");
    }
    seen.iter().filter(|seen| seen.marker).count()
}

/// A call of two in which the first sees the second, for a while.
fn call(scheme: Scheme, seed: u64) -> (World, PeerId, PeerId) {
    let (mut world, ids) = World::call(1, 2, wants(scheme), seed);
    world.show_as(ids[0], 0, Some(ids[1]), view(720));
    world.run_media(2 * SECOND);
    (world, ids[0], ids[1])
}

fn assert_numbers(client: &Client) {
    assert_eq!(missing(&client.numbers[&client.video_ssrc(0)]), []);
}

/// Without the assumption that nothing is left out of the sender's packets.
fn assert_smooth(seen: &[Seen]) {
    for pair in seen.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        assert_eq!(b.wire, a.wire.wrapping_add(1));
        let step = u16::from(b.timestamp != a.timestamp);
        let next = a.picture_id.wrapping_add(step) & 0x7fff;
        assert_eq!(b.picture_id, next, "{a:?} {b:?}");
    }
}

#[test]
fn a_narrow_line_gets_half_the_frames() {
    let (mut world, viewer, sender) = call(Scheme::Vp8Temporal, 301);
    assert_continuous(&world.clients[&viewer], 0);
    let plis = world.clients[&sender].camera.plis;
    for (kbps, top, share) in [(75, 1, 2), (40, 0, 4), (2_000, 2, 1)] {
        narrow(&mut world, viewer, kbps);
        // Up goes after a second, and then layer by layer.
        world.run_media(2 * SECOND);
        let seen = shown(&mut world, viewer, 4);
        let wanted = 4 * PICTURES / share;
        let count = pictures(&seen);
        assert!(count.abs_diff(wanted) <= 2, "{kbps}: {count}");
        assert!(seen.iter().all(|seen| seen.layers.temporal <= top));
        assert!(seen.iter().any(|seen| seen.layers.temporal == top));
    }
    let client = &world.clients[&viewer];
    assert_smooth(client.video(0));
    assert_numbers(client);
    assert_eq!((client.hollow, client.duplicates), (0, 0));
    // Frames come and go without a keyframe.
    assert_eq!(world.clients[&sender].camera.plis, plis);
}

#[test]
fn dropped_frames_are_neither_missed_nor_repeated() {
    for (rtx, up, down) in [(true, 0, 5), (false, 0, 5), (true, 5, 0)] {
        let (mut world, ids) = World::call(
            1,
            2,
            Wants {
                rtx,
                ..wants(Scheme::Vp8Temporal)
            },
            302,
        );
        world.show_as(ids[0], 0, Some(ids[1]), view(720));
        world.run_media(2 * SECOND);
        narrow(&mut world, ids[0], 60);
        world.run_media(SECOND);
        let before = world.clients[&ids[0]].video(0).len();
        (world.loss_up, world.loss_down) = (up, down);
        let media = |world: &mut World, seconds: u32| {
            world.run(seconds * SECOND, |step| {
                if step.ms.is_multiple_of(30) {
                    step.clients.get_mut(&ids[1]).unwrap().send_frame(3);
                }
                if step.ms.is_multiple_of(50) {
                    step.clients.get_mut(&ids[0]).unwrap().ask_for_missing();
                }
            });
        };
        media(&mut world, 10);
        (world.loss_up, world.loss_down) = (0, 0);
        media(&mut world, 1);
        let client = &world.clients[&ids[0]];
        assert_numbers(client);
        let seen = &client.video(0)[before..];
        assert!(seen.len() > 10 * PICTURES, "{}", seen.len());
        assert!(seen.iter().all(|seen| seen.layers.temporal <= 1));
        assert!(seen.iter().any(|seen| seen.late));
        // What was lost before us and came late is dropped, but for its number.
        assert_eq!(client.hollow > 0, up > 0, "{}", client.hollow);
    }
}

#[test]
fn without_limit_everything_goes_on() {
    for scheme in [Scheme::Vp8Temporal, Scheme::Vp9Spatial] {
        let (mut world, viewer, _) = call(scheme, 303);
        let seen = shown(&mut world, viewer, 2);
        assert!(pictures(&seen).abs_diff(2 * PICTURES) <= 1);
        assert_continuous(&world.clients[&viewer], 0);
    }
}

#[test]
fn described_frames_are_dropped_and_the_receiver_is_told() {
    let (mut world, viewer, sender) = call(Scheme::Av1Temporal, 304);
    let plis = world.clients[&sender].camera.plis;
    for (kbps, top, share) in [(75, 1, 2), (40, 0, 4), (2_000, 2, 1)] {
        narrow(&mut world, viewer, kbps);
        world.run_media(2 * SECOND);
        let seen = shown(&mut world, viewer, 4);
        let count = pictures(&seen);
        assert!(count.abs_diff(4 * PICTURES / share) <= 2, "{kbps}: {count}");
        for seen in &seen {
            assert!(seen.layers.temporal <= top);
            assert_eq!(seen.top.map(|layers| layers.temporal), Some(top));
        }
        // References are differences of frame numbers: these keep their gaps.
        for pair in seen.windows(2) {
            let frames = pair[1].timestamp.wrapping_sub(pair[0].timestamp) / 3_000;
            let numbers = pair[1]
                .number
                .unwrap()
                .wrapping_sub(pair[0].number.unwrap());
            assert_eq!(u32::from(numbers), frames);
        }
    }
    let client = &world.clients[&viewer];
    assert_numbers(client);
    assert_eq!((client.hollow, client.duplicates), (0, 0));
    assert_eq!(world.clients[&sender].camera.plis, plis);
}

#[test]
fn frame_numbers_go_on_across_sources_of_either_worker() {
    let (mut world, ids) = World::call(2, 3, wants(Scheme::Av1Temporal), 305);
    for worker in 0..2 {
        let spans = Command::RoomSpans {
            room: ROOM,
            workers: 0b11,
        };
        world.order(WorkerIndex(worker), spans);
    }
    // The second is on the other worker.
    for source in [ids[1], ids[2], ids[1]] {
        world.show_as(ids[0], 0, Some(source), view(720));
        let seen = shown(&mut world, ids[0], 2);
        assert!(seen.len() > 3 * PICTURES, "{}", seen.len());
        assert_eq!(seen.last().map(|seen| seen.from), Some(source));
    }
    let client = &world.clients[&ids[0]];
    assert_numbers(client);
    for pair in client.video(0).windows(2) {
        let (a, b) = (pair[0], pair[1]);
        let step = u16::from(a.marker);
        assert_eq!(
            b.number,
            a.number.map(|n| n.wrapping_add(step)),
            "{a:?} {b:?}"
        );
        assert!(a.from == b.from || b.keyframe);
    }
}

#[test]
fn described_frames_are_repaired_with_their_descriptors() {
    let (mut world, ids) = World::call(1, 2, wants(Scheme::Av1Temporal), 306);
    world.show_as(ids[0], 0, Some(ids[1]), view(720));
    world.run_media(SECOND);
    let media = |world: &mut World, seconds: u32| {
        world.run(seconds * SECOND, |step| {
            if step.ms.is_multiple_of(30) {
                step.clients.get_mut(&ids[1]).unwrap().send_frame(3);
            }
            if step.ms.is_multiple_of(50) {
                step.clients.get_mut(&ids[0]).unwrap().ask_for_missing();
            }
        });
    };
    (world.loss_up, world.loss_down) = (3, 3);
    media(&mut world, 5);
    (world.loss_up, world.loss_down) = (0, 0);
    media(&mut world, 1);
    let client = &world.clients[&ids[0]];
    assert_numbers(client);
    assert!(client.rtx_received > 5 && client.video(0).iter().any(|seen| seen.late));
    assert_eq!(client.hollow, 0);
}

#[test]
fn small_slots_get_small_pictures_of_one_stream() {
    let (mut world, ids) = World::call(1, 3, wants(Scheme::Vp9Spatial), 307);
    let (small, large, sender) = (ids[0], ids[1], ids[2]);
    world.show_as(small, 0, Some(sender), view(180));
    world.show_as(large, 0, Some(sender), view(720));
    world.run_media(2 * SECOND);
    let top = |seen: &[Seen]| seen.iter().map(|seen| seen.layers.spatial).max();
    let before = world.clients[&large].video(0).len();
    let seen = shown(&mut world, small, 2);
    assert_eq!(top(&seen), Some(0));
    // Every picture ends with a marker, though the sender's ends with another layer.
    assert!(pictures(&seen).abs_diff(2 * PICTURES) <= 1);
    let seen = &world.clients[&large].video(0)[before..];
    assert_eq!((top(seen), seen.len() / 9), (Some(2), pictures(seen)));

    // Up with the next keyframe, which is asked for.
    let plis = world.clients[&sender].camera.plis;
    for (height, wanted) in [(360, 1), (720, 2)] {
        world.show_as(small, 0, Some(sender), view(height));
        let asked = world.now;
        let seen = shown(&mut world, small, 2);
        pictures(&seen);
        assert_eq!(top(&seen), Some(wanted));
        let first = seen
            .iter()
            .position(|seen| seen.layers.spatial == wanted)
            .unwrap();
        let picture = seen[first].timestamp;
        let begins = seen.iter().find(|seen| seen.timestamp == picture).unwrap();
        assert!(begins.keyframe && begins.layers.spatial == 0);
        assert!(seen[first].at - asked < Duration::from_millis(300));
    }
    assert_eq!(world.clients[&sender].camera.plis, plis + 2);

    // Down at once, without one; 110 kbit/s are one layer.
    for (kbps, wanted) in [(270, 1), (140, 0)] {
        narrow(&mut world, small, kbps);
        world.run_media(SECOND / 4);
        let seen = shown(&mut world, small, 2);
        assert!(pictures(&seen).abs_diff(2 * PICTURES) <= 1);
        assert_eq!(top(&seen), Some(wanted));
    }
    assert_eq!(world.clients[&sender].camera.plis, plis + 2);
    let client = &world.clients[&small];
    assert_smooth(client.video(0));
    assert_numbers(client);
    let slots = world.events.iter().rev().find_map(|event| match event {
        Event::Stats { peer, slots, .. } if *peer == small => Some(slots.clone()),
        _ => None,
    });
    assert_eq!(slots.unwrap()[0].height, 180);
}
