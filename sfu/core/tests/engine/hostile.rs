//! Garbage hurts nobody but its sender, and is counted.

use std::time::Duration;

use liandong_sfu_core::api::{Command, CommandError, Outbox, Received, Secrets, SlotView};
use liandong_sfu_core::ids::{PeerId, SlotIndex, WorkerIndex};

use crate::client::Wants;
use crate::forwarding::assert_continuous;
use crate::world::{ROOM, World, camera, microphone, path};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn garbage_from_anywhere_is_dropped_and_counted() {
    let (mut world, ids) = World::call(1, 3, Wants::default(), 90);
    world.show(ids[0], 0, Some(ids[1]));
    world.run_media(SECOND);
    let known = world.clients[&ids[2]].path;
    for _ in 0..20 {
        for _ in 0..200 {
            let len = world.dice.roll(200) as usize;
            let mut bytes: Vec<u8> = (0..len).map(|_| world.dice.roll(256) as u8).collect();
            // Half of it looks like something.
            if let (Some(first), 0) = (bytes.first_mut(), world.dice.roll(2)) {
                *first = [0, 22, 0x80, 0x90][world.dice.roll(4) as usize];
            }
            let from = if world.dice.roll(2) == 0 {
                known
            } else {
                path(1)
            };
            let received = world.engines[0].receive(world.now, from, &mut bytes);
            // DTLS says itself what it ignores.
            let dtls = bytes.first().is_some_and(|first| (20..64).contains(first));
            assert!(received != Received::Handled || dtls, "{bytes:?}");
        }
        world.run_media(Duration::from_millis(100));
    }
    let counters = world.engines[0].counters();
    assert!(counters.dropped_unclassified > 100);
    assert!(counters.dropped_unauthentic > 100);
    assert!(counters.dropped_stun > 100);
    let viewer = &world.clients[&ids[0]];
    assert!(viewer.video(0).len() > 200);
    assert_continuous(viewer, 0);
    assert!(viewer.video(0).last().unwrap().at > world.now - Duration::from_millis(60));
}

#[test]
fn replayed_packets_are_dropped() {
    let (mut world, ids) = World::call(1, 2, Wants::default(), 91);
    world.show(ids[0], 0, Some(ids[1]));
    world.run_media(SECOND);
    let sender = world.clients.get_mut(&ids[1]).unwrap();
    sender.send_frame(3);
    let packets = sender.outgoing.clone();
    let from = sender.path;
    world.run(Duration::from_millis(50), |_| {});
    let before = world.clients[&ids[0]].video(0).len();
    for mut packet in packets {
        let received = world.engines[0].receive(world.now, from, &mut packet);
        assert_eq!(received, Received::Dropped);
    }
    assert_eq!(world.engines[0].counters().dropped_replayed, 3);
    world.run(Duration::from_millis(50), |_| {});
    assert_eq!(world.clients[&ids[0]].video(0).len(), before);
}

#[test]
fn a_peer_with_many_ssrcs_hurts_only_itself() {
    let (mut world, ids) = World::call(1, 3, Wants::default(), 92);
    world.show(ids[0], 0, Some(ids[1]));
    world.run(2 * SECOND, |step| {
        let ms = step.ms;
        if ms.is_multiple_of(30) {
            step.clients.get_mut(&ids[1]).unwrap().send_frame(3);
        }
        let hostile = step.clients.get_mut(&ids[2]).unwrap();
        hostile.camera.ssrc = 90_000 + ms as u32;
        hostile.send_frame(1);
    });
    let viewer = &world.clients[&ids[0]];
    assert!(viewer.video(0).len() > 150);
    assert_continuous(viewer, 0);
}

#[test]
fn a_new_encoder_of_the_same_track_goes_on_in_the_slot() {
    let (mut world, ids) = World::call(1, 2, Wants::default(), 93);
    world.show(ids[0], 0, Some(ids[1]));
    world.run_media(SECOND);
    let sender = world.clients.get_mut(&ids[1]).unwrap();
    sender.camera.ssrc = 77_777;
    sender.camera.sequence = 12;
    sender.camera.timestamp = 5;
    sender.camera.wants_keyframe = true;
    let before = world.clients[&ids[0]].video(0).len();
    world.run_media(SECOND);
    let viewer = &world.clients[&ids[0]];
    assert!(viewer.video(0).len() > before + 50);
    assert!(viewer.video(0)[before..].iter().any(|s| s.keyframe));
    let numbers = &viewer.numbers[&viewer.video_ssrc(0)];
    assert_eq!(crate::client::missing(numbers), []);
}

#[test]
fn mistaken_orders_are_refused() {
    let (mut world, ids) = World::call(1, 2, Wants::default(), 94);
    let now = world.now;
    let engine = &mut world.engines[0];
    let slot = |peer, slot, source| Command::SetSlot {
        peer,
        slot: SlotIndex(slot),
        source: Some(source),
        view: SlotView::default(),
    };
    let nobody = PeerId::new(WorkerIndex(0), 99);
    let refused =
        |outcome: Result<_, CommandError>| format!("{}", outcome.map(|_| ()).unwrap_err());
    let unknown_slot = engine.command(now, slot(ids[0], 2, camera(ids[1])));
    assert_eq!(refused(unknown_slot), "no such slot");
    let sound = engine.command(now, slot(ids[0], 0, microphone(ids[1])));
    assert_eq!(refused(sound), "no such source");
    assert_eq!(
        refused(engine.command(now, slot(nobody, 0, camera(ids[1])))),
        "no such peer"
    );
    for sdp in [
        "",
        "v=0",
        "hello\r\n",
        "v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n",
    ] {
        let offer = Command::Offer {
            peer: nobody,
            room: ROOM,
            sdp: sdp.to_owned(),
            secrets: Secrets([1; 32]),
        };
        assert!(matches!(
            engine.command(now, offer),
            Err(CommandError::BadOffer(_))
        ));
    }
    // Nothing of the refused offers is left behind.
    let leave = engine.command(now, Command::Leave { peer: nobody });
    assert_eq!(refused(leave), "no such peer");
    let mut outbox = Outbox::default();
    engine.flush(now, &mut outbox);
    assert!(outbox.datagrams.iter().all(|d| d.to != path(1)));
}

#[test]
fn a_lost_client_is_told_and_forgotten() {
    let (mut world, ids) = World::call(1, 2, Wants::default(), 95);
    world.clients.remove(&ids[1]);
    world.run(40 * SECOND, |_| {});
    assert!(world.events.iter().any(|event| matches!(event,
        liandong_sfu_core::api::Event::Disconnected {
            peer, reason: liandong_sfu_core::api::DisconnectReason::ConsentLost
        } if *peer == ids[1])));
    let now = world.now;
    let leave = world.engines[0].command(now, Command::Leave { peer: ids[1] });
    assert!(matches!(leave, Err(CommandError::UnknownPeer)));
}
