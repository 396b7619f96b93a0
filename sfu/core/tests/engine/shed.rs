//! A worker that cannot keep up.

use std::time::Duration;

use liandong_sfu_core::api::Command;
use liandong_sfu_core::room::shed::MAX_LEVEL;

use crate::client::Wants;
use crate::forwarding::assert_continuous;
use crate::world::World;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn pictures_give_way_speech_does_not_and_both_are_there_again() {
    let (mut world, ids) = World::call(1, 3, Wants::default(), 31);
    let viewer = ids[0];
    world.show(viewer, 0, Some(ids[1]));
    for id in &ids[1..] {
        world.clients.get_mut(id).unwrap().level = 10;
    }
    world.run_media(3 * SECOND);
    let counts = |world: &World| {
        let client = &world.clients[&viewer];
        (client.video(0).len(), client.heard().len())
    };
    let before = counts(&world);
    assert!(before.0 > 100 && before.1 > 50, "{before:?}");

    let shed = |level| Command::Shed { level };
    world.order(viewer.worker(), shed(MAX_LEVEL));
    world.run_media(SECOND / 2); // what was under way
    let from = counts(&world);
    world.run_media(3 * SECOND);
    let shed_for = counts(&world);
    assert_eq!(shed_for.0, from.0, "no picture");
    assert!(shed_for.1 >= from.1 + 100, "speech as before");

    world.order(viewer.worker(), shed(0));
    world.run_media(3 * SECOND);
    let again = counts(&world);
    assert!(again.0 > shed_for.0 + 100, "{again:?}");
    let client = &world.clients[&viewer];
    assert!(client.video(0)[shed_for.0].keyframe);
    assert_continuous(client, 0);
}
