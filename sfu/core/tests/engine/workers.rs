//! A room over two workers.

use std::collections::BTreeSet;
use std::time::Duration;

use liandong_sfu_core::api::{Command, Event};
use liandong_sfu_core::ids::{PeerId, WorkerIndex};

use crate::client::Wants;
use crate::forwarding::assert_continuous;
use crate::world::{ROOM, World, camera};

const SECOND: Duration = Duration::from_secs(1);

fn spanning_call(clients: u32, seed: u64) -> (World, Vec<PeerId>) {
    let (mut world, ids) = World::call(2, clients, Wants::default(), seed);
    for worker in 0..2 {
        let spans = Command::RoomSpans {
            room: ROOM,
            workers: 0b11,
        };
        world.order(WorkerIndex(worker), spans);
    }
    (world, ids)
}

#[test]
fn video_is_shown_across_workers() {
    let (mut world, ids) = spanning_call(4, 80);
    // 0 and 2 are on the first worker, 1 and 3 on the second.
    world.show(ids[0], 0, Some(ids[1]));
    world.show(ids[2], 0, Some(ids[1]));
    world.show(ids[1], 0, Some(ids[0]));
    world.show(ids[3], 0, Some(ids[1]));
    world.run_media(2 * SECOND);
    for (viewer, shown) in [(0, 1), (2, 1), (1, 0), (3, 1)] {
        let client = &world.clients[&ids[viewer]];
        assert!(client.video(0).len() > 150, "{}", client.video(0).len());
        assert!(client.video(0).iter().all(|s| s.from == ids[shown]));
        assert_continuous(client, 0);
    }
    // Switching to another remote one and back.
    for shown in [3, 1, 3] {
        world.show(ids[0], 0, Some(ids[shown]));
        world.run_media(SECOND);
        let client = &world.clients[&ids[0]];
        assert_eq!(client.video(0).last().unwrap().from, ids[shown]);
        assert_continuous(client, 0);
    }
    assert!(
        world
            .events
            .iter()
            .any(|e| matches!(e, Event::UnsubscribeAt { .. }))
    );
}

#[test]
fn speakers_are_heard_across_workers_and_said_once() {
    let (mut world, ids) = spanning_call(12, 81);
    let loud = [ids[0], ids[1], ids[6], ids[7]];
    for id in loud {
        world.clients.get_mut(&id).unwrap().level = 25;
    }
    world.run_media(2 * SECOND);
    for id in &ids {
        let client = &world.clients[id];
        let recent = client
            .heard()
            .into_iter()
            .filter(|s| s.at > world.now - SECOND);
        let heard: BTreeSet<PeerId> = recent.map(|s| s.from).collect();
        let mut wanted = loud.iter().filter(|speaker| *speaker != id);
        assert!(
            wanted.all(|speaker| heard.contains(speaker)),
            "{id:?} {heard:?}"
        );
        assert!(!heard.contains(id));
    }
    let mut said = world.events.iter().filter_map(|event| match event {
        Event::Speaking { peers, .. } => Some(peers),
        _ => None,
    });
    let last: BTreeSet<PeerId> = said.next_back().unwrap().iter().copied().collect();
    assert_eq!(last, loud.into_iter().collect());
}

#[test]
fn a_sender_that_leaves_is_gone_on_the_other_worker_too() {
    let (mut world, ids) = spanning_call(4, 82);
    world.show(ids[0], 0, Some(ids[1]));
    world.run_media(SECOND);
    world.order(ids[1].worker(), Command::Leave { peer: ids[1] });
    let left = world.now;
    world.run_media(SECOND);
    let client = &world.clients[&ids[0]];
    let slack = Duration::from_millis(20);
    assert!(client.video(0).iter().all(|s| s.at <= left + slack));
    assert!(
        client
            .heard()
            .iter()
            .all(|s| s.from != ids[1] || s.at <= left + slack)
    );
    // Asking for it again finds nobody; the slot stays free for others.
    world.show(ids[0], 0, Some(ids[1]));
    world.run_media(SECOND);
    world.show(ids[0], 0, Some(ids[3]));
    world.run_media(SECOND);
    assert_eq!(world.clients[&ids[0]].video(0).last().unwrap().from, ids[3]);
    let gone = camera(ids[1]);
    assert!(
        world
            .events
            .iter()
            .any(|e| matches!(e, Event::SourceGoneAt { source, .. } if *source == gone))
    );
}
