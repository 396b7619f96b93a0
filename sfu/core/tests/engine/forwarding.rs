//! The right source in the right slot, continuous for the receiver.

use std::time::Duration;

use liandong_sfu_core::api::{Command, CommandError, DisconnectReason, Event, SlotView};
use liandong_sfu_core::ids::{PeerId, SlotIndex};

use crate::client::{Client, Seen, Wants, missing};
use crate::world::{World, camera, microphone, path};

const SECOND: Duration = Duration::from_secs(1);

/// No gap, no packet twice, time and picture ids forward only.
pub fn assert_continuous(client: &Client, slot: usize) {
    let ssrc = client.video_ssrc(slot);
    let Some(numbers) = client.numbers.get(&ssrc) else {
        return;
    };
    assert_eq!(missing(numbers), [], "gaps in slot {slot}");
    assert_eq!(client.duplicates, 0);
    for pair in client.video(slot).windows(2) {
        let (a, b) = (pair[0], pair[1]);
        assert_eq!(b.wire, a.wire.wrapping_add(1));
        let step = b.timestamp.wrapping_sub(a.timestamp) as i32;
        let ids = b.picture_id.wrapping_sub(a.picture_id) & 0x7fff;
        if b.from == a.from && step == 0 {
            assert_eq!(ids, 0);
            assert_eq!(b.count, a.count + 1);
        } else {
            assert!(step > 0 && ids == 1, "{a:?} {b:?}");
            let elapsed = (b.at - a.at).as_millis() as i32;
            assert!(
                (step / 90 - elapsed).abs() < 60,
                "{step} ticks in {elapsed} ms: {a:?} {b:?}"
            );
        }
        if b.from != a.from {
            assert!(b.keyframe, "a new source begins with a keyframe");
        }
    }
}

#[test]
fn each_slot_shows_what_it_was_told() {
    let (mut world, ids) = World::call(1, 6, Wants::default(), 1);
    for (n, &id) in ids.iter().enumerate() {
        world.show(id, 0, Some(ids[(n + 1) % 6]));
        world.show(id, 1, Some(ids[(n + 2) % 6]));
    }
    world.run_media(3 * SECOND);
    for (n, id) in ids.iter().enumerate() {
        let client = &world.clients[id];
        for slot in 0..2 {
            let seen = client.video(slot);
            assert!(seen.len() > 250, "{}", seen.len());
            assert!(seen.iter().all(|s| s.from == ids[(n + 1 + slot) % 6]));
            assert!(seen[0].keyframe);
            assert_continuous(client, slot);
        }
        assert!(client.remb_seen >= 2);
        assert!(client.sender_reports.contains_key(&client.video_ssrc(0)));
    }
    let live = world
        .events
        .iter()
        .filter(|e| matches!(e, Event::SlotLive { .. }));
    assert_eq!(live.count(), 12);
    let counters = world.engines[0].counters();
    assert_eq!(counters.dropped_malformed, 0);
    assert_eq!(counters.dropped_unauthentic, 0);
}

#[test]
fn switching_never_breaks_the_stream_and_never_mixes_sources() {
    let (mut world, ids) = World::call(1, 5, Wants::default(), 2);
    let viewer = ids[0];
    let mut boundaries: Vec<(usize, PeerId)> = Vec::new();
    for round in 0..30 {
        let shown = ids[1 + world.dice.roll(4) as usize];
        world.show(viewer, 0, Some(shown));
        boundaries.push((world.clients[&viewer].video(0).len(), shown));
        world.run_media(Duration::from_millis(300 + 50 * (round % 7)));
    }
    let client = &world.clients[&viewer];
    assert_continuous(client, 0);
    let mut changes: Vec<Seen> = client.video(0).to_vec();
    changes.dedup_by_key(|seen| seen.from);
    let mut told: Vec<PeerId> = boundaries.iter().map(|(_, shown)| *shown).collect();
    told.dedup();
    assert_eq!(changes.iter().map(|s| s.from).collect::<Vec<_>>(), told);
    // Nobody else was sent anything.
    for id in &ids[1..] {
        assert_eq!(world.clients[id].video(0), []);
        assert_eq!(world.clients[id].video(1), []);
    }
}

#[test]
fn lip_sync_survives_translation() {
    let (mut world, ids) = World::call(1, 3, Wants::default(), 3);
    let (viewer, speaker) = (ids[0], ids[1]);
    world.clients.get_mut(&speaker).unwrap().level = 20;
    world.show(viewer, 0, Some(speaker));
    let began = world.now;
    // Its clock is years off, its tracks agree with each other.
    world.run(4 * SECOND, |step| {
        let ms = step.ms;
        let client = step.clients.get_mut(&speaker).unwrap();
        if ms.is_multiple_of(30) {
            client.camera.timestamp = client.camera.timestamp.wrapping_sub(300); // 30 ms a frame
            client.send_frame(2);
        }
        if ms.is_multiple_of(20) {
            client.send_sound();
        }
        if ms.is_multiple_of(500) {
            let ntp = (1_000_000 << 32) + (ms << 32) / 1_000;
            for (ssrc, timestamp) in [
                (client.camera.ssrc, client.camera.timestamp),
                (client.microphone.ssrc, client.microphone.timestamp),
            ] {
                let info = liandong_sfu_core::rtcp::SenderInfo {
                    ssrc,
                    ntp,
                    rtp_timestamp: timestamp,
                    packets: 0,
                    octets: 0,
                };
                client.send_rtcp(|out| liandong_sfu_core::rtcp::sender_report(out, &info, &[]));
            }
        }
    });
    assert!(world.now > began);
    let client = &world.clients[&viewer];
    let video = client.sender_reports[&client.video_ssrc(0)];
    let (ssrc, heard) = (0..4)
        .map(|slot| client.audio_ssrc(slot))
        .find_map(|ssrc| Some((ssrc, client.seen.get(&ssrc)?)))
        .unwrap();
    let audio = client.sender_reports[&ssrc];
    // The NTP time of a picture and a sound that left at the same moment.
    let ntp_ms = |info: liandong_sfu_core::rtcp::SenderInfo, timestamp: u32, rate: i64| {
        let ticks = i64::from(timestamp.wrapping_sub(info.rtp_timestamp) as i32);
        ((((info.ntp >> 16) as i64) * 1_000) >> 16) + ticks * 1_000 / rate
    };
    let picture = client.video(0).last().unwrap();
    let sound = heard.iter().rev().find(|s| s.at <= picture.at).unwrap();
    let apart = ntp_ms(video, picture.timestamp, 90_000) - ntp_ms(audio, sound.timestamp, 48_000);
    let arrived = (picture.at - sound.at).as_millis() as i64;
    assert!(
        (apart - arrived).abs() <= 20,
        "{apart} ms apart, arrived {arrived}"
    );
    // The audio slot of the same number goes with the video slot.
    assert_eq!(ssrc, client.audio_ssrc(0));
}

#[test]
fn closed_gate_drops_at_once_and_opens_with_a_keyframe() {
    let (mut world, ids) = World::call(1, 2, Wants::default(), 4);
    world.show(ids[0], 0, Some(ids[1]));
    world.run_media(SECOND);
    for source in [camera(ids[1]), microphone(ids[1])] {
        world.order(
            ids[1].worker(),
            Command::Gate {
                source,
                open: false,
            },
        );
    }
    let before = world.now;
    world.run_media(2 * SECOND);
    let client = &world.clients[&ids[0]];
    let slack = Duration::from_millis(11); // what was in the air
    assert!(client.video(0).iter().all(|seen| seen.at <= before + slack));
    assert!(client.heard().iter().all(|seen| seen.at <= before + slack));
    assert!(world.engines[0].counters().dropped_gated > 100);
    let shown = client.video(0).len();

    world.order(
        ids[1].worker(),
        Command::Gate {
            source: camera(ids[1]),
            open: true,
        },
    );
    world.run_media(SECOND);
    let client = &world.clients[&ids[0]];
    assert!(client.video(0).len() > shown + 50);
    assert!(client.video(0)[shown].keyframe);
    assert_continuous(client, 0);
    assert!(client.heard().iter().all(|seen| seen.at <= before + slack));
}

#[test]
fn gate_holds_before_the_first_packet() {
    let mut world = World::new(1, 5);
    let listener = world.join(0, 1, Wants::default());
    let muted = world.join(0, 2, Wants::default());
    world.order(
        muted.worker(),
        Command::Gate {
            source: microphone(muted),
            open: false,
        },
    );
    world.run(2 * SECOND, |_| {});
    world.run_media(SECOND);
    assert_eq!(world.clients[&listener].heard(), []);
    assert!(!world.clients[&muted].heard().is_empty());
    // Received, though nobody gets it.
    let source = microphone(muted);
    let told =
        |event: &Event| matches!(event, Event::SourceStarted { source: of } if *of == source);
    assert!(world.events.iter().any(told));
}

#[test]
fn keyframes_are_asked_for_seldom() {
    let (mut world, ids) = World::call(1, 12, Wants::default(), 6);
    for &id in &ids[1..] {
        world.show(id, 0, Some(ids[0]));
    }
    world.run_media(SECOND);
    // All viewers complain at once, again and again.
    world.run(3 * SECOND, |step| {
        let ms = step.ms;
        for client in step.clients.values_mut() {
            if ms.is_multiple_of(30) && client.id == ids[0] {
                client.send_frame(2);
            } else if ms.is_multiple_of(100) && client.id != ids[0] {
                let ssrc = client.video_ssrc(0);
                client.send_rtcp(|out| liandong_sfu_core::rtcp::pli(out, 77, ssrc));
            }
        }
    });
    let asked = world.clients[&ids[0]].camera.plis;
    assert!((2..=9).contains(&asked), "{asked}");
}

#[test]
fn who_leaves_is_gone_and_who_stays_does_not_notice() {
    let (mut world, ids) = World::call(1, 4, Wants::default(), 7);
    world.show(ids[0], 0, Some(ids[1]));
    world.show(ids[0], 1, Some(ids[2]));
    world.run_media(SECOND);
    world.order(ids[1].worker(), Command::Leave { peer: ids[1] });
    let now = world.now;
    let gone = world.engines[0].command(now, Command::Leave { peer: ids[1] });
    assert!(matches!(gone, Err(CommandError::UnknownPeer)));
    let show_gone = Command::SetSlot {
        peer: ids[0],
        slot: SlotIndex(0),
        source: Some(camera(ids[1])),
        view: SlotView::default(),
    };
    let refused = world.engines[0].command(now, show_gone);
    assert!(matches!(refused, Err(CommandError::UnknownSource)));
    world.run_media(SECOND);
    let client = &world.clients[&ids[0]];
    assert!(client.video(0).last().unwrap().at < now + Duration::from_millis(20));
    assert!(client.video(1).last().unwrap().at > now + Duration::from_millis(900));
    assert_continuous(client, 1);
    assert!(!world.clients[&ids[1]].connected(), "it was told goodbye");
    assert!(world.events.iter().any(|event| matches!(event,
        Event::Disconnected { peer, reason: DisconnectReason::Left } if *peer == ids[1])));
}

#[test]
fn a_phone_changes_networks_and_restarts_ice() {
    let (mut world, ids) = World::call(1, 2, Wants::default(), 8);
    world.show(ids[0], 0, Some(ids[1]));
    world.run_media(SECOND);
    world.clients.get_mut(&ids[0]).unwrap().path = path(20_000);
    world.run_media(3 * SECOND);
    let client = world.clients.get_mut(&ids[0]).unwrap();
    assert!(client.video(0).last().unwrap().at > world.now - Duration::from_millis(100));
    // And once more with new credentials, from a third place.
    client.restart_ice([9; 32]);
    client.path = path(20_001);
    world.offer(ids[0]).unwrap();
    world.run_media(SECOND);
    let client = &world.clients[&ids[0]];
    assert!(client.video(0).last().unwrap().at > world.now - Duration::from_millis(100));
    assert!(client.connected());
}

#[test]
fn padding_leaves_no_gap() {
    let (mut world, ids) = World::call(1, 2, Wants::default(), 9);
    world.show(ids[0], 0, Some(ids[1]));
    world.run(2 * SECOND, |step| {
        let sender = step.clients.get_mut(&ids[1]).unwrap();
        if step.ms.is_multiple_of(30) {
            sender.send_frame(2);
            sender.send_padding();
        }
    });
    assert!(world.clients[&ids[0]].video(0).len() > 100);
    assert_continuous(&world.clients[&ids[0]], 0);
}

#[test]
fn silence_and_statistics_are_told() {
    let (mut world, ids) = World::call(1, 2, Wants::default(), 10);
    world.show(ids[0], 0, Some(ids[1]));
    world.run_media(2 * SECOND);
    world.run(7 * SECOND, |_| {});
    let told = |wanted: fn(&Event) -> bool| world.events.iter().filter(|e| wanted(e)).count();
    assert_eq!(told(|e| matches!(e, Event::SourceStarted { .. })), 4);
    assert_eq!(told(|e| matches!(e, Event::SourceSilent { .. })), 4);
    let stats = world.events.iter().filter_map(|event| match event {
        Event::Stats { peer, stats, .. } if *peer == ids[0] => Some(stats.downlink_bits_per_second),
        _ => None,
    });
    assert!(stats.max().unwrap() > 80_000);
}
