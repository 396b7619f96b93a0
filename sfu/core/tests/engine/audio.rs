//! Who is heard.

use std::collections::BTreeSet;
use std::time::Duration;

use liandong_sfu_core::api::Event;
use liandong_sfu_core::ids::PeerId;

use crate::client::{Client, Wants};
use crate::world::World;

const SECOND: Duration = Duration::from_secs(1);

fn heard_since(client: &Client, from: std::time::Instant) -> BTreeSet<PeerId> {
    let heard = client.heard().into_iter();
    heard.filter(|s| s.at >= from).map(|s| s.from).collect()
}

#[test]
fn in_a_small_call_everybody_hears_everybody_and_never_himself() {
    let (mut world, ids) = World::call(1, 5, Wants::default(), 70);
    world.run_media(2 * SECOND);
    for id in &ids {
        let others: BTreeSet<PeerId> = ids.iter().copied().filter(|other| other != id).collect();
        let client = &world.clients[id];
        assert_eq!(heard_since(client, world.now - SECOND), others);
        // Nothing of a speaker's first second is lost.
        for slot in 0..4 {
            let seen = &client.seen[&client.audio_ssrc(slot)];
            assert_eq!(seen[0].count, 1);
            assert!(seen[0].marker);
            assert!(
                seen.windows(2)
                    .all(|pair| pair[1].count == pair[0].count + 1)
            );
        }
    }
}

#[test]
fn the_loudest_are_heard_and_said_to_speak() {
    let (mut world, ids) = World::call(1, 12, Wants::default(), 71);
    let loud = [ids[2], ids[5], ids[9], ids[11]];
    for id in loud {
        world.clients.get_mut(&id).unwrap().level = 25;
    }
    world.run_media(2 * SECOND);
    let since = world.now - SECOND;
    for id in &ids {
        let heard = heard_since(&world.clients[id], since);
        let wanted = loud.iter().filter(|speaker| *speaker != id);
        assert!(
            wanted.clone().all(|speaker| heard.contains(speaker)),
            "{id:?} {heard:?}"
        );
        assert!(!heard.contains(id));
        assert!(heard.len() <= 4);
    }
    let said = world.events.iter().rev().find_map(|event| match event {
        Event::Speaking { peers, .. } => Some(peers.iter().copied().collect::<BTreeSet<_>>()),
        _ => None,
    });
    assert_eq!(said, Some(loud.into_iter().collect()));
    let times = world
        .events
        .iter()
        .filter(|e| matches!(e, Event::Speaking { .. }));
    assert!(times.count() <= 15);
}

#[test]
fn audio_slots_stay_continuous_over_changes_of_speakers() {
    let (mut world, ids) = World::call(1, 10, Wants::default(), 72);
    for round in 0..12 {
        for (n, id) in ids.iter().enumerate() {
            let loud = (n + round) % 10 < 4;
            world.clients.get_mut(id).unwrap().level = if loud { 25 } else { 110 };
        }
        world.run_media(Duration::from_millis(1_500));
    }
    let client = &world.clients[&ids[0]];
    assert_eq!(client.duplicates, 0);
    let mut speakers = BTreeSet::new();
    for slot in 0..4 {
        let seen = &client.seen[&client.audio_ssrc(slot)];
        speakers.extend(seen.iter().map(|s| s.from));
        for pair in seen.windows(2) {
            assert_eq!(pair[1].wire, pair[0].wire.wrapping_add(1));
            let step = pair[1].timestamp.wrapping_sub(pair[0].timestamp) as i32;
            assert!(step >= 960, "{step}");
            assert_eq!(pair[1].marker, pair[1].from != pair[0].from);
        }
    }
    assert_eq!(speakers.len(), 9);
}

#[test]
fn senders_without_levels_are_heard() {
    let wants = Wants {
        sends_levels: false,
        ..Wants::default()
    };
    let (mut world, ids) = World::call(1, 3, wants, 73);
    world.run_media(SECOND);
    assert_eq!(
        heard_since(&world.clients[&ids[0]], world.now - SECOND).len(),
        2
    );
}

/// On a line of 64 kbit/s, copies of speech wait for a better one: the speech itself comes first.
#[test]
fn repeated_sound_keeps_to_what_the_line_carries() {
    let wants = Wants {
        red: true,
        ..Wants::default()
    };
    let (mut world, ids) = World::call(1, 2, wants, 76);
    let arrived = |world: &mut World, bits: u64| {
        for second in 0..6 {
            if second == 3 {
                world.clients.get_mut(&ids[0]).unwrap().sound_bytes = 0;
            }
            world.run_media(SECOND);
            let client = world.clients.get_mut(&ids[0]).unwrap();
            let slots: Vec<u32> = client.slot_ssrcs.values().copied().collect();
            client.send_rtcp(|out| liandong_sfu_core::rtcp::remb(out, 77, bits, &slots));
            client.report_loss(77);
        }
        world.clients[&ids[0]].sound_bytes as u64 * 8 / 3
    };
    // Of 32 kbit/s each: two copies and the sound, then the sound alone.
    let wide = arrived(&mut world, 1_000_000);
    assert!((95_000..=128_000).contains(&wide), "{wide}");
    let narrow = arrived(&mut world, 64_000);
    assert!((30_000..=64_000).contains(&narrow), "{narrow}");
}

/// As the last statistics say.
fn score(world: &World, of: PeerId) -> f32 {
    let said = world.events.iter().rev().find_map(|event| match event {
        Event::Stats { peer, stats, .. } if *peer == of => Some(stats.score),
        _ => None,
    });
    said.unwrap()
}

/// A listener that loses 30 % hears nearly all of the speech once it has reported so, and
/// pays nothing for it when the line is good again.
#[test]
fn sound_is_repeated_towards_a_listener_that_loses_it() {
    let wants = Wants {
        red: true,
        ..Wants::default()
    };
    let (mut world, ids) = World::call(1, 2, wants, 74);
    let (listener, speaker) = (ids[0], ids[1]);
    let run = |world: &mut World, seconds: u32, loss: u64| {
        world.loss_down = loss;
        let (count, bytes) = (
            world.clients[&speaker].microphone.count,
            world.clients[&listener].sound_bytes,
        );
        for _ in 0..seconds {
            world.run_media(SECOND);
            let client = world.clients.get_mut(&listener).unwrap();
            client.report_loss((loss * 256 / 100) as u8);
        }
        let said = count..world.clients[&speaker].microphone.count;
        let client = &world.clients[&listener];
        let plain: BTreeSet<u32> = client.heard().iter().map(|seen| seen.count).collect();
        let total = said.len();
        let heard =
            |count: &u32| plain.contains(count) || client.redundant.contains(&(speaker, *count));
        let share = said.filter(heard).count() as f64 / total as f64;
        let bits = (client.sound_bytes - bytes) as f64 * 8.0 / f64::from(seconds);
        println!(
            "{loss} % of loss: {:.1} % heard, {bits:.0} bit/s arrived",
            share * 100.0
        );
        (share, bits, score(world, listener))
    };
    let (share, plain_bits, first) = run(&mut world, 5, 0);
    assert!(first > 4.3, "{first}");
    assert!(share > 0.99, "{share}");
    assert_eq!(world.clients[&listener].redundant, BTreeSet::new());
    run(&mut world, 5, 30); // until it is known
    let (share, bits, repeated) = run(&mut world, 30, 30);
    assert!(share >= 0.95, "{share}");
    assert!(bits <= 128_000.0 * 0.75, "{bits}");
    assert!(repeated > 3.9, "{repeated}");
    run(&mut world, 30, 0);
    let before = world.clients[&listener].redundant.len();
    let (share, bits, last) = run(&mut world, 5, 0);
    assert!(last > 4.3, "{last}");
    assert!(share > 0.99, "{share}");
    assert!(bits < plain_bits * 1.1, "{bits}");
    assert_eq!(world.clients[&listener].redundant.len(), before);
}

#[test]
fn a_listener_without_red_gets_plain_sound() {
    let (mut world, ids) = World::call(1, 2, Wants::default(), 75);
    for _ in 0..5 {
        world.run_media(SECOND);
        world.clients.get_mut(&ids[0]).unwrap().report_loss(77);
    }
    let client = &world.clients[&ids[0]];
    assert!(client.heard().len() > 200);
    let score = score(&world, ids[0]);
    assert!((1.0..2.5).contains(&score), "{score}");
    assert_eq!(client.redundant, BTreeSet::new());
}
