//! Simulcast: which encoding a slot gets, how it changes, and what the sender is told.

use std::time::Duration;

use liandong_sfu_core::api::{Command, EncodingDemand, Event, SlotStats, SlotView};
use liandong_sfu_core::ids::{PeerId, WorkerIndex};
use liandong_sfu_core::rtcp::{self, SenderInfo};

use crate::client::{Client, Seen, Wants};
use crate::forwarding::assert_continuous;
use crate::sending::RIDS;
use crate::world::{ROOM, World, camera};

const SECOND: Duration = Duration::from_secs(1);
/// Asking for a keyframe, its way here and to the receiver, and a frame's time.
const SWITCHES_WITHIN: Duration = Duration::from_millis(300);

fn simulcast() -> Wants {
    Wants {
        audio_slots: 0,
        simulcast: true,
        ..Wants::default()
    }
}

fn view(height: u16) -> SlotView {
    SlotView {
        prominent: false,
        height,
    }
}

fn last_layer(client: &Client, slot: usize) -> u8 {
    client.video(slot).last().unwrap().layer
}

/// Each encoding begins with a keyframe, whole frames only, and the picture never stands.
fn assert_clean(client: &Client, slot: usize) {
    assert_continuous(client, slot);
    for pair in client.video(slot).windows(2) {
        let (a, b): (Seen, Seen) = (pair[0], pair[1]);
        if a.layer != b.layer {
            assert!(b.keyframe && a.marker, "{a:?} {b:?}");
        }
        assert!(b.at - a.at <= Duration::from_millis(60), "{a:?} {b:?}");
    }
}

#[test]
fn the_view_chooses_the_encoding() {
    let (mut world, ids) = World::call(1, 3, simulcast(), 201);
    world.show_as(ids[0], 0, Some(ids[1]), view(720));
    world.show_as(ids[0], 1, Some(ids[1]), view(180));
    world.show_as(ids[2], 0, Some(ids[1]), view(200));
    world.run_media(2 * SECOND);
    for (viewer, slot, layer) in [(0, 0, 2), (0, 1, 0), (2, 0, 1)] {
        let client = &world.clients[&ids[viewer]];
        assert_eq!(last_layer(client, slot), layer, "{viewer} {slot}");
        assert_clean(client, slot);
    }
}

#[test]
fn switches_show_no_gap_and_come_soon() {
    let (mut world, ids) = World::call(1, 2, simulcast(), 202);
    world.show_as(ids[0], 0, Some(ids[1]), view(180));
    world.run_media(SECOND);
    for (height, layer) in [(720, 2), (180, 0), (360, 1), (720, 2), (360, 1), (180, 0)] {
        let asked = world.now;
        world.show_as(ids[0], 0, Some(ids[1]), view(height));
        world.run_media(SECOND);
        let seen = world.clients[&ids[0]].video(0);
        let first = seen.iter().find(|s| s.at > asked && s.layer == layer);
        let waited = first.unwrap().at - asked;
        assert!(waited <= SWITCHES_WITHIN, "{waited:?} to layer {layer}");
        assert_eq!(seen.last().unwrap().layer, layer);
    }
    assert_clean(&world.clients[&ids[0]], 0);
    let stats = world.events.iter().rev().find_map(|event| match event {
        Event::Stats { peer, slots, .. } if *peer == ids[0] => Some(slots.clone()),
        _ => None,
    });
    let stats: SlotStats = stats.unwrap()[0];
    assert_eq!((stats.height, stats.freezes, stats.paused), (180, 0, false));
    assert!((28..=36).contains(&stats.frames_per_second), "{stats:?}");
    assert!(stats.bits_per_second > 60_000);
}

#[test]
fn timestamps_follow_the_senders_clock_across_encodings() {
    let (mut world, ids) = World::call(1, 2, simulcast(), 203);
    world.show_as(ids[0], 0, Some(ids[1]), view(180));
    world.run_media(SECOND);
    let sender = world.clients.get_mut(&ids[1]).unwrap();
    for layer in 0..3 {
        let stream = sender.sending(liandong_sfu_core::ids::Track::Camera, layer);
        let info = SenderInfo {
            ssrc: stream.ssrc,
            ntp: 1_000 << 32,
            rtp_timestamp: stream.timestamp,
            packets: 1,
            octets: 1,
        };
        sender.send_rtcp(|out| rtcp::sender_report(out, &info, &[]));
    }
    world.run_media(SECOND);
    let switched_from = world.now;
    for height in [720, 360, 180, 720] {
        world.show_as(ids[0], 0, Some(ids[1]), view(height));
        world.run_media(SECOND);
    }
    let seen = world.clients[&ids[0]].video(0);
    let later: Vec<&Seen> = seen.iter().filter(|s| s.at > switched_from).collect();
    let mut switches = 0;
    for pair in later.windows(2) {
        switches += u32::from(pair[0].layer != pair[1].layer);
        // The encodings' own clocks stand 3,000 ticks apart from frame to frame.
        let step = pair[1].timestamp.wrapping_sub(pair[0].timestamp);
        if pair[0].layer == pair[1].layer {
            assert!(step == 0 || step == 3_000, "{pair:?}");
        } else {
            // The keyframe may be of the very moment of the frame before.
            assert!((1..=3_000).contains(&step), "{pair:?}");
        }
    }
    assert_eq!(switches, 4);
}

#[test]
fn hidden_slots_get_nothing_and_come_back_at_once() {
    let (mut world, ids) = World::call(1, 2, simulcast(), 204);
    world.show_as(ids[0], 0, Some(ids[1]), view(360));
    world.run_media(SECOND);
    world.show_as(ids[0], 0, Some(ids[1]), view(0));
    world.run_media(Duration::from_millis(50));
    let before = world.clients[&ids[0]].video(0).len();
    world.run_media(3 * SECOND);
    assert_eq!(world.clients[&ids[0]].video(0).len(), before);
    let paused = |event: &Event| matches!(event, Event::Stats { peer, slots, .. } if *peer == ids[0] && slots.iter().any(|s| s.paused));
    assert!(world.events.iter().any(paused));
    let asked = world.now;
    world.show_as(ids[0], 0, Some(ids[1]), view(360));
    world.run_media(SECOND);
    let client = &world.clients[&ids[0]];
    let back = client.video(0)[before];
    assert!(
        back.keyframe && back.at - asked <= SWITCHES_WITHIN,
        "{back:?}"
    );
    assert_eq!(last_layer(client, 0), 1);
    assert_continuous(client, 0);
}

#[test]
fn fifty_joiners_cost_one_keyframe() {
    let wants = Wants {
        video_slots: 1,
        audio_slots: 0,
        ..Wants::default()
    };
    let (mut world, ids) = World::call(1, 51, wants, 205);
    let sender = ids[50];
    let media = |world: &mut World, time| {
        world.run(time, |step| {
            if step.ms.is_multiple_of(30) {
                step.clients.get_mut(&sender).unwrap().send_frame(3);
            }
        });
    };
    media(&mut world, 4 * SECOND);
    let keyframes = world.clients[&sender].camera.keyframes;
    // Half of them at the same moment, the others while its keyframe is fresh.
    for half in ids[..50].chunks(25) {
        for &viewer in half {
            world.show(viewer, 0, Some(sender));
        }
        media(&mut world, SECOND / 2);
        for viewer in half {
            let client = &world.clients[viewer];
            assert!(client.video(0).len() > 3 * 8, "{}", client.video(0).len());
            assert!(client.video(0)[0].keyframe);
            assert_continuous(client, 0);
        }
    }
    assert_eq!(world.clients[&sender].camera.keyframes, keyframes + 1);
    assert_eq!(world.engines[0].counters().keyframes_requested, 1);
    let live = world.events.iter().filter_map(|event| match event {
        Event::SlotLive { after, .. } => Some(*after),
        _ => None,
    });
    let live: Vec<Duration> = live.collect();
    assert_eq!(live.len(), 50);
    assert!(live.iter().all(|after| *after <= SWITCHES_WITHIN));
    // Those who came later did not wait at all.
    let step = Duration::from_millis(5);
    assert!(live[25..].iter().all(|after| *after <= step), "{live:?}");
}

/// What was last demanded of a camera, by encoding.
fn demanded(world: &World, of: PeerId) -> Option<Vec<bool>> {
    let demands = world.events.iter().rev().filter_map(|event| match event {
        Event::Demand { source, encodings } if *source == camera(of) => Some(encodings),
        _ => None,
    });
    let check = |encodings: &Vec<EncodingDemand>| {
        let rids: Vec<_> = encodings
            .iter()
            .map(|e| e.rid.as_deref().unwrap())
            .collect();
        assert_eq!(rids, RIDS);
        encodings.iter().map(|e| e.active).collect()
    };
    demands.map(check).next()
}

#[test]
fn nobodys_encodings_are_stopped_and_started_again() {
    let (mut world, ids) = World::call(1, 2, simulcast(), 206);
    world.show_as(ids[0], 0, Some(ids[1]), view(180));
    world.run_media(3 * SECOND);
    assert_eq!(demanded(&world, ids[1]), Some(vec![true, false, false]));
    world.show(ids[0], 0, None);
    world.run_media(8 * SECOND);
    assert_eq!(demanded(&world, ids[1]), Some(vec![true, false, false]));
    world.run_media(9 * SECOND);
    assert_eq!(demanded(&world, ids[1]), Some(vec![false, false, false]));
    // It was told to: that is no silence, and nobody asks it for anything.
    let silent = |event: &Event| matches!(event, Event::SourceSilent { source } if *source == camera(ids[1]));
    assert!(!world.events.iter().any(silent));
    let plis = |world: &World| {
        let sender = &world.clients[&ids[1]];
        sender.camera.plis + sender.uppers.iter().map(|upper| upper.plis).sum::<u32>()
    };
    let before = plis(&world);
    let asked = world.now;
    world.show_as(ids[0], 0, Some(ids[1]), view(720));
    world.run_media(2 * SECOND);
    let seen = world.clients[&ids[0]].video(0);
    let first = seen.iter().find(|s| s.at > asked && s.layer == 2).unwrap();
    assert!(first.keyframe && first.at - asked <= SWITCHES_WITHIN);
    assert_eq!(demanded(&world, ids[1]), Some(vec![false, false, true]));
    assert_eq!(plis(&world), before, "it begins with a keyframe unasked");
}

#[test]
fn a_narrow_line_gets_less_at_once_and_more_after_a_while() {
    let (mut world, ids) = World::call(1, 2, simulcast(), 207);
    world.show_as(ids[0], 0, Some(ids[1]), view(720));
    world.run_media(2 * SECOND);
    assert_eq!(last_layer(&world.clients[&ids[0]], 0), 2);
    // About 110, 270 and 430 kbit/s with headers, and 50 of sound.
    for (kbps, within, layer) in [
        (400, SWITCHES_WITHIN, Some(1)),
        (190, SWITCHES_WITHIN, Some(0)),
        (40, SWITCHES_WITHIN, None),
        (2_000, 2 * SECOND, Some(2)),
    ] {
        let viewer = world.clients.get_mut(&ids[0]).unwrap();
        let ssrc = viewer.video_ssrc(0);
        viewer.send_rtcp(|out| rtcp::remb(out, 77, kbps * 1_000, &[ssrc]));
        world.run_media(within + SWITCHES_WITHIN);
        let before = world.clients[&ids[0]].video(0).len();
        world.run_media(SECOND);
        let seen = &world.clients[&ids[0]].video(0)[before..];
        match layer {
            Some(layer) => {
                assert!(seen.len() > 90, "{kbps}: {}", seen.len());
                assert!(seen.iter().all(|s| s.layer == layer), "{kbps}");
            }
            None => assert_eq!(seen, []),
        }
    }
    assert_continuous(&world.clients[&ids[0]], 0);
}

#[test]
fn workers_take_only_what_their_slots_need() {
    let (mut world, ids) = World::call(2, 4, simulcast(), 208);
    for worker in 0..2 {
        let spans = Command::RoomSpans {
            room: ROOM,
            workers: 0b11,
        };
        world.order(WorkerIndex(worker), spans);
    }
    // 1 and 3 are on the second worker.
    world.show_as(ids[1], 0, Some(ids[0]), view(720));
    world.show_as(ids[3], 0, Some(ids[0]), view(180));
    world.run_media(2 * SECOND);
    let subscribed = |world: &World| {
        let masks = world.events.iter().rev().filter_map(|event| match event {
            Event::SubscribeAt { encodings, .. } => Some(*encodings),
            _ => None,
        });
        masks.into_iter().next()
    };
    assert_eq!(subscribed(&world), Some(0b101));
    assert_eq!(last_layer(&world.clients[&ids[1]], 0), 2);
    assert_eq!(last_layer(&world.clients[&ids[3]], 0), 0);
    world.show_as(ids[1], 0, Some(ids[0]), view(360));
    world.run_media(4 * SECOND);
    assert_eq!(subscribed(&world), Some(0b011));
    assert_eq!(last_layer(&world.clients[&ids[1]], 0), 1);
    // The demand is that of all workers.
    assert_eq!(demanded(&world, ids[0]), Some(vec![true, true, false]));
    for viewer in [1, 3] {
        assert_clean(&world.clients[&ids[viewer]], 0);
    }
}

#[test]
fn encodings_are_repaired_by_their_own_numbers() {
    let (mut world, ids) = World::call(1, 2, simulcast(), 209);
    world.show_as(ids[0], 0, Some(ids[1]), view(720));
    world.run_media(SECOND);
    world.loss_up = 5;
    world.run_media(3 * SECOND);
    world.loss_up = 0;
    world.run_media(SECOND);
    let client = &world.clients[&ids[0]];
    let numbers = &client.numbers[&client.video_ssrc(0)];
    assert_eq!(crate::client::missing(numbers), []);
    assert!(world.clients[&ids[1]].nacks_received > 0);
    assert_eq!(last_layer(client, 0), 2);
}
