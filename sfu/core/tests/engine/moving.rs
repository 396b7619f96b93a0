//! A client changes its network in the middle of a call.

use std::time::Duration;

use liandong_sfu_core::ids::Path;

use crate::client::Wants;
use crate::world::{World, server};

const SECOND: Duration = Duration::from_secs(1);

/// From Wi-Fi to mobile, by a check; and back, where only media says so.
#[test]
fn a_client_on_another_network_is_followed_within_a_second() {
    let (mut world, ids) = World::call(1, 2, Wants::default(), 95);
    let viewer = ids[0];
    world.show(viewer, 0, Some(ids[1]));
    world.run_media(SECOND);
    let seen = |world: &World| world.clients[&viewer].video(0).len();
    let wifi = world.clients[&viewer].path;
    let mobile = Path {
        local: 0,
        remote: "[2001:db8::7]:4001".parse().unwrap(),
    };

    let now = world.now;
    let client = world.clients.get_mut(&viewer).unwrap();
    client.path = mobile;
    client.check(now, server());
    let before = seen(&world);
    world.run_media(Duration::from_millis(300));
    assert!(seen(&world) > before + 10, "{} more", seen(&world) - before);

    // Silence while the network changes, then media without any check before it.
    world.run(Duration::from_millis(350), |_| {});
    world.clients.get_mut(&viewer).unwrap().path = wifi;
    let before = seen(&world);
    world.run_media(Duration::from_millis(300));
    assert!(seen(&world) > before + 10, "{} more", seen(&world) - before);
}
