//! A line that becomes thin: what a browser shows of several cameras, and how it sounds.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use liandong_sfu_core::api::SlotView;
use liandong_sfu_core::ids::{PeerId, Track};

use crate::browser::{Ears, Pane};
use crate::client::Wants;
use crate::scalable::Scheme;
use crate::world::{Bottleneck, World};

const SECOND: Duration = Duration::from_secs(1);
const WIDE: u64 = 3_000;
const THIN: u64 = 300;
/// Bytes of a frame, 33 times a second: 120, 400 and 1,200 kbit/s.
const FRAME_BYTES: [usize; 3] = [450, 1_500, 4_500];

/// What the cameras and microphones send.
#[derive(Clone, Copy, Debug)]
struct Media {
    /// Milliseconds between frames, and their bytes by layer.
    frame_every: u64,
    frame_bytes: [usize; 3],
    keyframe_every: Option<u64>,
    /// Milliseconds between the sounds of those who are silent, if they are not muted.
    sound_every: Option<u64>,
}

const SMOOTH: Media = Media {
    frame_every: 30,
    frame_bytes: FRAME_BYTES,
    keyframe_every: None,
    sound_every: Some(400),
};
/// As a weak browser sends: ten frames a second of the same rates, keyframes of its own accord.
const COARSE: Media = Media {
    frame_every: 100,
    frame_bytes: [1_300, 4_350, 13_000],
    keyframe_every: Some(2_000),
    sound_every: None,
};

struct Scene {
    world: World,
    viewer: PeerId,
    speaker: Option<PeerId>,
    media: Media,
    panes: Vec<Pane>,
    ears: Ears,
    ms: u64,
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
            speaker: Some(ids[2]),
            media: SMOOTH,
            panes,
            ears: Ears::default(),
            ms: 0,
        }
    }

    /// One picture on a line without a bottleneck; nobody speaks.
    fn alone(seed: u64, sound_every: Option<u64>) -> Self {
        let wants = Wants {
            wide: true,
            simulcast: true,
            video_slots: 1,
            ..Wants::default()
        };
        let (mut world, ids) = World::call(1, 2, wants, seed);
        let view = SlotView {
            prominent: true,
            height: 720,
        };
        world.show_as(ids[0], 0, Some(ids[1]), view);
        let panes = vec![Pane::new(world.now, 0)];
        Self {
            world,
            viewer: ids[0],
            speaker: None,
            media: Media {
                sound_every,
                ..COARSE
            },
            panes,
            ears: Ears::default(),
            ms: 0,
        }
    }

    fn line(&mut self, kbps: u64) {
        let path = self.world.clients[&self.viewer].path;
        let line = self.world.narrow.entry(path);
        line.or_insert_with(|| Bottleneck::new(kbps)).kbps = kbps;
    }

    /// The bottleneck is gone.
    fn free(&mut self) {
        let path = self.world.clients[&self.viewer].path;
        self.world.narrow.remove(&path);
    }

    fn run(&mut self, time: Duration) {
        let Self {
            world,
            viewer,
            speaker,
            media,
            panes,
            ears,
            ms,
        } = self;
        let mut left = time;
        while left > Duration::ZERO {
            let part = left.min(SECOND);
            left -= part;
            world.run(part, |step| {
                let at = *ms + step.ms;
                for (id, client) in step.clients.iter_mut() {
                    let silent = Some(*id) != *speaker;
                    client.level = if silent { 127 } else { 30 };
                    let every = if silent { media.sound_every } else { Some(20) };
                    if every.is_some_and(|every| at.is_multiple_of(every)) {
                        client.send_sound();
                    }
                    if id == viewer {
                        panes
                            .iter_mut()
                            .for_each(|pane| pane.look(step.now, client));
                        if step.ms == 0 {
                            ears.report(client);
                        }
                    } else if at.is_multiple_of(media.frame_every) {
                        for (layer, bytes) in media.frame_bytes.into_iter().enumerate() {
                            let due = media.keyframe_every.is_some_and(|ms| at.is_multiple_of(ms));
                            client.sending(Track::Camera, layer).wants_keyframe |= due;
                            client.send_picture(layer, bytes);
                        }
                    }
                }
            });
            *ms += part.as_millis() as u64;
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
            .filter(|seen| Some(seen.from) == self.speaker)
            .map(|seen| seen.count)
            .collect();
        let speaker = self.speaker.unwrap();
        let copied = |count: &u32| client.redundant.contains(&(speaker, *count));
        let missed = counts
            .clone()
            .filter(|count| !heard.contains(count) && !copied(count));
        missed.count() as f64 / f64::from(counts.end - counts.start)
    }

    fn said(&self) -> u32 {
        self.world.clients[&self.speaker.unwrap()].microphone.count
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

/// A picture of few frames a second, whose keyframes are as large as all between them.
fn drop_and_end_of_one(seed: u64, sound_every: Option<u64>) {
    let mut scene = Scene::alone(seed, sound_every);
    scene.run(12 * SECOND);
    let begun = scene.world.now;
    assert!(scene.first(begun - SECOND, |layer| layer == 2).is_some());

    scene.line(THIN);
    scene.run(20 * SECOND);
    let ended = scene.world.now;
    let settled = begun + 3 * SECOND;
    let rate =
        scene.panes[0].frames(settled, ended).count() as f64 / (ended - settled).as_secs_f64();
    let gap = scene.panes[0].longest_gap(begun + SECOND, ended);

    scene.free();
    scene.run(20 * SECOND);
    let back = scene
        .first(ended, |layer| layer == 2)
        .unwrap_or(99 * SECOND);
    println!("{rate:.1} frames/s, longest gap {gap:?}; back in {back:?}");
    assert!(rate > 7.0, "{rate}");
    assert!(gap < 4_500 * SECOND / 1_000, "{gap:?}");
    assert!(back < 15 * SECOND, "{back:?}");
}

#[test]
fn a_picture_alone_goes_on_in_300_kbit() {
    drop_and_end_of_one(83, None);
}

#[test]
fn and_beside_the_sound_of_silence() {
    drop_and_end_of_one(84, Some(400));
}

#[test]
fn and_beside_sound() {
    drop_and_end_of_one(85, Some(20));
}

#[test]
fn a_line_on_which_nothing_was_sent_any_more_is_found_to_be_free() {
    let mut scene = Scene::alone(86, None);
    scene.run(12 * SECOND);
    scene.line(60);
    scene.run(30 * SECOND);
    let freed = scene.world.now;
    let last = scene.panes[0].frames(freed - 5 * SECOND, freed).count();
    assert_eq!(last, 0, "not even the lowest layer fits");

    scene.free();
    scene.run(20 * SECOND);
    let back = scene
        .first(freed, |layer| layer == 2)
        .unwrap_or(99 * SECOND);
    println!("back in {back:?}");
    assert!(back < 15 * SECOND, "{back:?}");
}
