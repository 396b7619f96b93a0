//! Speech over a line of 64 kbit/s that loses up to 30 % of its packets.

use std::time::{Duration, Instant};

use liandong_sfu_core::api::{Command, Event, SlotView};
use liandong_sfu_core::ids::{PeerId, WorkerIndex};

use crate::browser::Ears;
use crate::client::Wants;
use crate::world::{Bottleneck, ROOM, World};

const SECOND: Duration = Duration::from_secs(1);
/// What comes later finds the listener's jitter buffer empty.
const IN_TIME: Duration = Duration::from_millis(200);
const IP_AND_UDP: usize = 28;

struct Scene {
    world: World,
    listener: PeerId,
    speaker: PeerId,
    ears: Ears,
    /// When each frame was said.
    said: Vec<Instant>,
    /// Who speaks sends a picture, too: bytes of a frame, 30 a second.
    picture: Option<usize>,
}

/// What reached the listener, and what it took.
struct Heard {
    /// Part of the frames that were there in time.
    share: f64,
    /// That were to pass the line, with all headers, and of the speaker's Opus.
    line_bits_per_second: f64,
    opus_bits_per_second: usize,
}

impl Scene {
    fn new(workers: u8, seed: u64, wants: Wants) -> Self {
        Self::with_red(workers, seed, true, wants)
    }

    fn with_red(workers: u8, seed: u64, red: bool, wants: Wants) -> Self {
        let wants = Wants {
            wide: true,
            red,
            ..wants
        };
        let (mut world, ids) = World::call(workers, 2, wants, seed);
        for worker in 0..workers {
            let spans = Command::RoomSpans {
                room: ROOM,
                workers: (1 << workers) - 1,
            };
            world.order(WorkerIndex(worker), spans);
        }
        let (listener, speaker) = (ids[0], ids[1]);
        let client = world.clients.get_mut(&speaker).unwrap();
        client.level = 30;
        client.sound_frame = 60;
        Self {
            world,
            listener,
            speaker,
            ears: Ears::default(),
            said: Vec::new(),
            picture: None,
        }
    }

    /// The listener sees the speaker in three sizes, of which the least takes so many bytes a frame.
    fn sees(&mut self, bytes: usize) {
        self.picture = Some(bytes);
        let view = SlotView {
            prominent: true,
            height: 720,
        };
        self.world
            .show_as(self.listener, 0, Some(self.speaker), view);
    }

    fn line(&mut self, kbps: u64, loss: u64) {
        let path = self.world.clients[&self.listener].path;
        let mut line = Bottleneck::new(kbps);
        line.headers = IP_AND_UDP;
        self.world.narrow.insert(path, line);
        self.world.loss_down = loss;
    }

    fn run(&mut self, seconds: usize) -> Heard {
        let from = self.said.len();
        let path = self.world.clients[&self.listener].path;
        let offered = |world: &World| world.narrow[&path].offered;
        let before = offered(&self.world);
        for _ in 0..seconds {
            self.second();
        }
        let to = self.said.len();
        let client = &self.world.clients[&self.listener];
        let in_time = |frame: &usize| {
            // They are counted from one.
            let at = client.heard_at.get(&(self.speaker, *frame as u32 + 1));
            at.is_some_and(|at| *at - self.said[*frame] <= IN_TIME)
        };
        // The last ones may still be on their way.
        let heard = (from..to).filter(in_time).count();
        let heard = Heard {
            share: heard as f64 / (to - from) as f64,
            line_bits_per_second: (offered(&self.world) - before) as f64 * 8.0 / seconds as f64,
            opus_bits_per_second: self.world.clients[&self.speaker].sound_frame * 400,
        };
        let estimate = self
            .world
            .events
            .iter()
            .rev()
            .find_map(|event| match event {
                Event::Stats { peer, stats, .. } if *peer == self.listener => {
                    stats.estimate_bits_per_second
                }
                _ => None,
            });
        println!(
            "{seconds} s at {} % of loss: {:.1} % heard in time, Opus {} bit/s, {:.0} bit/s on the line, estimate {estimate:?}",
            self.world.loss_down,
            heard.share * 100.0,
            heard.opus_bits_per_second,
            heard.line_bits_per_second,
        );
        heard
    }

    fn second(&mut self) {
        let Self {
            world,
            listener,
            speaker,
            ears,
            said,
            picture,
        } = self;
        world.run(SECOND, |step| {
            if step.ms.is_multiple_of(20) {
                step.clients.get_mut(speaker).unwrap().send_sound();
                said.push(step.now);
            }
            if let Some(bytes) = picture.filter(|_| step.ms.is_multiple_of(30)) {
                let speaker = step.clients.get_mut(speaker).unwrap();
                for layer in 0..3 {
                    speaker.send_picture(layer, bytes << (2 * layer));
                }
            }
            if step.ms == 0 {
                ears.report(step.clients.get_mut(listener).unwrap());
            }
        });
    }

    /// Seconds until the speaker sends no more than this.
    fn until(&mut self, opus_bits_per_second: std::ops::RangeInclusive<usize>) -> usize {
        let holds = |scene: &Self| {
            let frame = scene.world.clients[&scene.speaker].sound_frame;
            opus_bits_per_second.contains(&(frame * 400))
        };
        (0..60)
            .find(|_| {
                let done = holds(self);
                if !done {
                    self.second();
                }
                done
            })
            .unwrap()
    }
}

fn thin_and_lossy(workers: u8, seed: u64, repeats: bool) {
    let wants = Wants {
        follows: true,
        repeats,
        ..Wants::default()
    };
    let mut scene = Scene::new(workers, seed, wants);
    scene.line(1_000, 0);
    let heard = scene.run(10);
    assert_eq!(heard.opus_bits_per_second, 24_000);
    assert!(heard.share > 0.99, "{}", heard.share);

    scene.line(64, 30);
    let lowered = scene.until(0..=16_000);
    scene.run(20);
    let heard = scene.run(60);
    assert!(heard.share >= 0.95, "{}", heard.share);
    assert!(
        heard.line_bits_per_second <= 64_000.0,
        "{}",
        heard.line_bits_per_second
    );

    scene.line(1_000, 0);
    let raised = scene.until(24_000..=24_000);
    println!("lowered after {lowered} s, raised {raised} s after the end");
    let heard = scene.run(20);
    assert!(lowered <= 6, "{lowered}");
    assert!((10..=40).contains(&raised), "{raised}");
    assert!(heard.share > 0.99, "{}", heard.share);
}

#[test]
fn who_follows_the_request_is_heard_over_a_thin_line_that_loses_much() {
    thin_and_lossy(1, 91, false);
}

#[test]
fn also_from_another_worker() {
    thin_and_lossy(2, 92, false);
}

#[test]
fn and_who_repeats_himself_as_browsers_do() {
    thin_and_lossy(1, 93, true);
}

/// 24 kbit/s take 51 kbit/s with all headers, so that copies fit into half of the packets at most.
#[test]
fn who_ignores_the_request_gets_as_many_copies_as_fit() {
    for repeats in [false, true] {
        let wants = Wants {
            repeats,
            ..Wants::default()
        };
        let mut scene = Scene::new(1, 94, wants);
        scene.line(64, 30);
        scene.run(20);
        let heard = scene.run(60);
        assert_eq!(heard.opus_bits_per_second, 24_000);
        assert!(heard.share >= 0.75, "{}", heard.share);
        assert!(
            heard.line_bits_per_second <= 64_000.0,
            "{}",
            heard.line_bits_per_second
        );
    }
}

/// How much of the speech is there in time, beside a picture of which the least size takes
/// 53 kbit/s, with 64 kbit/s for all.
fn part_heard(loss: u64, red: bool, seed: u64) -> f64 {
    let wants = Wants {
        follows: true,
        repeats: red,
        simulcast: true,
        ..Wants::default()
    };
    let mut scene = Scene::with_red(1, seed, red, wants);
    scene.sees(200);
    scene.line(64, loss);
    scene.run(30);
    let heard = scene.run(60);
    assert!(
        heard.line_bits_per_second <= 66_000.0,
        "{}",
        heard.line_bits_per_second
    );
    heard.share
}

#[test]
fn speech_by_loss_with_and_without_copies() {
    // (loss in percent, at most without copies, at least with them)
    for (loss, without, with) in [
        (0, 1.0, 0.99),
        (10, 0.92, 0.98),
        (20, 0.83, 0.97),
        (30, 0.73, 0.96),
    ] {
        let plain = part_heard(loss, false, 95);
        let copied = part_heard(loss, true, 95);
        println!("{loss} % lost: {plain:.3} heard without copies, {copied:.3} with them");
        assert!(plain <= without, "{loss} %: {plain}");
        assert!(copied >= with, "{loss} %: {copied}");
    }
}
