//! A line that becomes thin: what a browser shows of several cameras, and how it sounds.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use liandong_sfu_core::api::SlotView;
use liandong_sfu_core::ids::PeerId;

use crate::browser::{Ears, Pane};
use crate::client::Wants;
use crate::scalable::Scheme;
use crate::world::{Bottleneck, World};

const SECOND: Duration = Duration::from_secs(1);
const WIDE: u64 = 3_000;
const THIN: u64 = 300;
/// Bytes of a frame, 33 times a second: 120, 400 and 1,200 kbit/s.
const FRAME_BYTES: [usize; 3] = [450, 1_500, 4_500];

struct Scene {
    world: World,
    viewer: PeerId,
    speaker: PeerId,
    panes: Vec<Pane>,
    ears: Ears,
}

impl Scene {
    /// A prominent picture and two lesser ones; one speaks, the others are silent.
    fn new(seed: u64, scheme: Scheme) -> Self {
        let wants = Wants {
            wide: true,
            simulcast: true,
            red: true,
            video_slots: 3,
            scheme,
            ..Wants::default()
        };
        let (mut world, ids) = World::call(1, 4, wants, seed);
        let viewer = ids[0];
        for (slot, height) in [(0, 720), (1, 360), (2, 360)] {
            let view = SlotView {
                prominent: slot == 0,
                height,
            };
            world.show_as(viewer, slot, Some(ids[1 + usize::from(slot)]), view);
        }
        let path = world.clients[&viewer].path;
        world.narrow.insert(path, Bottleneck::new(WIDE));
        let panes = (0..3).map(|slot| Pane::new(world.now, slot)).collect();
        Self {
            world,
            viewer,
            speaker: ids[2],
            panes,
            ears: Ears::default(),
        }
    }

    fn line(&mut self, kbps: u64) {
        let path = self.world.clients[&self.viewer].path;
        self.world.narrow.get_mut(&path).unwrap().kbps = kbps;
    }

    fn run(&mut self, time: Duration) {
        let Self {
            world,
            viewer,
            speaker,
            panes,
            ears,
        } = self;
        let mut left = time;
        while left > Duration::ZERO {
            let part = left.min(SECOND);
            left -= part;
            world.run(part, |step| {
                for (id, client) in step.clients.iter_mut() {
                    let silent = id != speaker;
                    client.level = if silent { 127 } else { 30 };
                    let every = if silent { 400 } else { 20 };
                    if step.ms.is_multiple_of(every) {
                        client.send_sound();
                    }
                    if id == viewer {
                        panes
                            .iter_mut()
                            .for_each(|pane| pane.look(step.now, client));
                        if step.ms == 0 {
                            ears.report(client);
                        }
                    } else if step.ms.is_multiple_of(30) {
                        for (layer, bytes) in FRAME_BYTES.into_iter().enumerate() {
                            client.send_picture(layer, bytes);
                        }
                    }
                }
            });
        }
    }

    /// Since `from`, the first frame of a lower or higher layer than before.
    fn first(&self, from: Instant, layer: impl Fn(u8) -> bool) -> Option<Duration> {
        let shown = self.panes[0].frames(from, self.world.now);
        let first = shown
            .filter(|shown| layer(shown.layer))
            .map(|shown| shown.at);
        first.min().map(|at| at - from)
    }

    /// The part of the speaker's sound that was not heard.
    fn unheard(&self, counts: std::ops::Range<u32>) -> f64 {
        let client = &self.world.clients[&self.viewer];
        let heard: BTreeSet<u32> = client
            .heard()
            .iter()
            .filter(|seen| seen.from == self.speaker)
            .map(|seen| seen.count)
            .collect();
        let copied = |count: &u32| client.redundant.contains(&(self.speaker, *count));
        let missed = counts
            .clone()
            .filter(|count| !heard.contains(count) && !copied(count));
        missed.count() as f64 / f64::from(counts.end - counts.start)
    }

    fn said(&self) -> u32 {
        self.world.clients[&self.speaker].microphone.count
    }
}

fn drop_and_end(seed: u64, scheme: Scheme) {
    let mut scene = Scene::new(seed, scheme);
    scene.run(10 * SECOND);
    let begun = scene.world.now;
    assert!(scene.first(begun - SECOND, |layer| layer == 2).is_some());

    scene.line(THIN);
    let said = scene.said();
    scene.run(20 * SECOND);
    let ended = scene.world.now;
    let unheard = scene.unheard(said..scene.said());
    let adapted = scene.first(begun, |layer| layer < 2).unwrap();
    let settled = begun + 3 * SECOND;
    let rate =
        scene.panes[0].frames(settled, ended).count() as f64 / (ended - settled).as_secs_f64();
    let gap = scene.panes[0].longest_gap(settled, ended);
    let whole_gap = scene.panes[0].longest_gap(begun, ended);
    let others: Vec<usize> = (1..3)
        .map(|slot| scene.panes[slot].frames(settled, ended).count())
        .collect();

    scene.line(WIDE);
    scene.run(20 * SECOND);
    let back = scene
        .first(ended, |layer| layer == 2)
        .unwrap_or(99 * SECOND);
    println!(
        "adapted in {adapted:?}; {rate:.1} frames/s, longest gap {gap:?} ({whole_gap:?}), \
         others {others:?} frames, {:.1} % of the sound missed; back in {back:?}",
        unheard * 100.0
    );
    assert!(adapted < 3 * SECOND, "{adapted:?}");
    assert!(rate > 15.0, "{rate}");
    assert!(gap < 1_500 * SECOND / 1_000, "{gap:?}");
    assert!(unheard < 0.05, "{unheard}");
    assert!(back < 15 * SECOND, "{back:?}");
}

#[test]
fn a_drop_to_300_kbit_leaves_a_picture_that_moves() {
    drop_and_end(81, Scheme::Flat);
}

#[test]
fn and_one_of_temporal_layers() {
    drop_and_end(82, Scheme::Vp8Temporal);
}
