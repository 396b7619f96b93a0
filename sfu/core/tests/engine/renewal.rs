//! What a peer leaves behind: credentials of ICE restarts, gates of tracks that it never sent.

use std::time::Duration;

use liandong_sfu_core::api::{Command, CommandError, Received};
use liandong_sfu_core::ids::{PeerId, SourceId, Track};

use crate::client::Wants;
use crate::world::{World, microphone};

const SECOND: Duration = Duration::from_secs(1);

/// How the engine takes a check that comes from where the client is.
fn knock(world: &mut World, id: PeerId, check: &[u8]) -> Received {
    let (now, path) = (world.now, world.clients[&id].path);
    world.engines[0].receive(now, path, &mut check.to_vec())
}

#[test]
fn restart_that_never_came_about_leaves_no_credentials() {
    let (mut world, ids) = World::call(1, 2, Wants::default(), 21);
    let phone = ids[0];
    world.show(phone, 0, Some(ids[1]));
    world.run_media(SECOND);
    let original = world.clients[&phone].knock();
    let mut checks = Vec::new();
    for n in 0..10 {
        let client = world.clients.get_mut(&phone).unwrap();
        client.restart_ice([0x80 + n; 32]);
        world.offer(phone).unwrap();
        let client = world.clients.get_mut(&phone).unwrap();
        client.outgoing.clear(); // its line is dead: no check arrives
        checks.push(client.knock());
    }
    let last = checks.pop().unwrap();
    for check in &checks {
        assert_eq!(knock(&mut world, phone, check), Received::Dropped);
    }
    // Until the last one comes about, the call goes on as it was.
    assert_eq!(knock(&mut world, phone, &original), Received::Handled);
    assert_eq!(knock(&mut world, phone, &last), Received::Handled);
    world.run_media(2 * SECOND);
    let client = &world.clients[&phone];
    assert!(client.connected());
    let seen = client.video(0).last().unwrap();
    assert!(seen.at > world.now - Duration::from_millis(100));
}

#[test]
fn gate_of_a_track_that_was_never_sent_goes_with_its_peer() {
    let mut world = World::new(1, 22);
    let listener = world.join(0, 1, Wants::default());
    let muted = world.join(0, 2, Wants::default());
    let screen = SourceId {
        peer: muted,
        track: Track::Screen,
    };
    for source in [microphone(muted), screen] {
        let gate = Command::Gate {
            source,
            open: false,
        };
        world.order(muted.worker(), gate);
    }
    world.run(2 * SECOND, |_| {});
    world.order(muted.worker(), Command::Leave { peer: muted });
    let gate = Command::Gate {
        source: microphone(muted),
        open: false,
    };
    let now = world.now;
    let late = world.engines[0].command(now, gate);
    assert!(matches!(late, Err(CommandError::UnknownPeer)), "{late:?}");

    // No node gives a number twice; here it shows that nothing is left of the gate.
    let again = world.join(0, 2, Wants::default());
    assert_eq!(again, muted);
    world.run(2 * SECOND, |_| {});
    world.run_media(SECOND);
    assert!(!world.clients[&listener].heard().is_empty());
}
