//! When a worker sheds video, and how much. Pure: the worker measures, the engine sheds.
//!
//! Two signs of overload: the thread uses next to all of a processor, or what came in waits long
//! before its consequences leave while the thread uses much of one. Delay alone says nothing: on a
//! machine that other programs keep busy, a worker with little to do is late, too, and does not come to
//! rest, because it waits for a processor in the middle of its work; sending less would hardly help it.
//! Where it gets less than it needs for so long that it never rests, it sends less, but never nothing.
//! Levels rise quickly, because everybody's speech waits behind the pictures, and fall slowly, because
//! a picture that comes and goes is worse than none.

use std::time::{Duration, Instant};

use liandong_sfu_core::room::shed::MAX_LEVEL;

/// A worker shows the controller a sample this often.
pub(crate) const INTERVAL: Duration = Duration::from_millis(250);

/// Waiting this long is felt in a conversation together with the network's own delay.
const LONG_DELAY: Duration = Duration::from_millis(10);
/// And this long is an emergency.
const VERY_LONG_DELAY: Duration = Duration::from_millis(60);
const SHORT_DELAY: Duration = Duration::from_millis(3);
/// Of the time that has passed.
const BUSY: f32 = 0.92;
/// The processor time from which on delay is of the worker's own making.
const MUCH_TO_DO: f32 = 0.6;
const EASY: f32 = 0.7;
/// Up to here, it is not.
const LITTLE_TO_DO: f32 = 0.4;
/// The most that is shed for want of a processor: the pictures that matter most stay.
const STARVED_LEVEL: u8 = MAX_LEVEL - 1;
/// So many samples in a row make an overload: one is a hiccup.
const SAMPLES: u32 = 2;
/// What was shed last shows its effect after this time.
const SETTLED_AFTER: Duration = Duration::from_millis(750);
/// Calm for so long, the level falls by one. Doubled each time that it was too early.
const CALM: Duration = Duration::from_secs(4);
const MAX_CALM: Duration = Duration::from_secs(64);

/// What one worker saw since the last sample.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// The longest time from a datagram's arrival in the kernel until its consequences were sent.
    pub delay: Duration,
    /// The share of the time that the thread did not wait for input, 0 to 1. It worked or waited
    /// for a processor.
    pub busy: f32,
    /// The share of the time that it had a processor.
    pub cpu: f32,
}

/// What a sample says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Load {
    Calm,
    /// Neither: the level is right.
    Between,
    /// Others have the processor all the time.
    Starved,
    Heavy,
    Emergency,
}

impl Sample {
    fn load(&self) -> Load {
        let late = self.cpu >= MUCH_TO_DO;
        let calm = self.delay <= SHORT_DELAY || self.cpu <= LITTLE_TO_DO;
        if late && self.delay >= VERY_LONG_DELAY {
            Load::Emergency
        } else if (late && self.delay >= LONG_DELAY) || self.cpu >= BUSY {
            Load::Heavy
        } else if self.busy >= BUSY && self.delay >= VERY_LONG_DELAY {
            Load::Starved
        } else if calm && self.cpu <= EASY {
            Load::Calm
        } else {
            Load::Between
        }
    }
}

/// The shed level of one worker.
#[derive(Debug)]
pub(crate) struct Overload {
    level: u8,
    heavy: u32,
    /// Since when every sample was calm.
    calm: Option<Instant>,
    raised: Option<Instant>,
    lowered: Option<Instant>,
    /// How long it has to be calm now.
    wanted: Duration,
}

impl Overload {
    pub(crate) fn new() -> Self {
        Self {
            level: 0,
            heavy: 0,
            calm: None,
            raised: None,
            lowered: None,
            wanted: CALM,
        }
    }

    pub(crate) fn level(&self) -> u8 {
        self.level
    }

    /// Takes a sample; gives the new level where it changes.
    pub(crate) fn sample(&mut self, now: Instant, sample: Sample) -> Option<u8> {
        let load = sample.load();
        self.heavy = match load {
            Load::Calm | Load::Between => 0,
            Load::Starved | Load::Heavy => self.heavy + 1,
            Load::Emergency => self.heavy + SAMPLES,
        };
        self.calm = match load {
            Load::Calm => self.calm.or(Some(now)),
            Load::Between | Load::Starved | Load::Heavy | Load::Emergency => None,
        };
        let most = match load {
            Load::Starved => STARVED_LEVEL,
            Load::Calm | Load::Between | Load::Heavy | Load::Emergency => MAX_LEVEL,
        };
        let since = |at: Option<Instant>| at.map(|at| now.saturating_duration_since(at));
        let settled = since(self.raised).is_none_or(|time| time >= SETTLED_AFTER);
        if self.heavy >= SAMPLES && settled && self.level < most {
            self.raise(now);
            return Some(self.level);
        }
        if self.level > 0 && since(self.calm).is_some_and(|time| time >= self.wanted) {
            self.level -= 1;
            self.lowered = Some(now);
            self.calm = Some(now);
            return Some(self.level);
        }
        // It held: the next time is an overload of its own.
        if self.level == 0 && since(self.lowered).is_some_and(|time| time >= MAX_CALM) {
            self.wanted = CALM;
        }
        None
    }

    fn raise(&mut self, now: Instant) {
        let too_early = self
            .lowered
            .is_some_and(|at| now.saturating_duration_since(at) < self.wanted * 2);
        if too_early {
            self.wanted = (self.wanted * 2).min(MAX_CALM);
        }
        self.level += 1;
        self.heavy = 0;
        self.raised = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EASY_GOING: Sample = sample(1, 0.3, 0.3);
    const HEAVY: Sample = sample(15, 0.7, 0.7);
    const BUSY_THREAD: Sample = sample(1, 0.97, 0.97);
    const BETWEEN: Sample = sample(5, 0.8, 0.8);
    const EMERGENCY: Sample = sample(200, 1.0, 1.0);
    /// Other programs have the processor, and there is little to do.
    const LATE: Sample = sample(200, 0.2, 0.1);
    /// So many of them that the little takes most of the time.
    const LATE_AND_SLOW: Sample = sample(200, 0.85, 0.1);
    /// It is never done.
    const STARVED: Sample = sample(600, 1.0, 0.2);

    const fn sample(delay_ms: u64, busy: f32, cpu: f32) -> Sample {
        Sample {
            delay: Duration::from_millis(delay_ms),
            busy,
            cpu,
        }
    }

    /// Runs (sample, how often); gives each change as (milliseconds, level).
    fn run(steps: &[(Sample, u32)]) -> Vec<(u64, u8)> {
        let start = Instant::now();
        let mut overload = Overload::new();
        let mut now = start;
        let mut changes = Vec::new();
        for (sample, times) in steps {
            for _ in 0..*times {
                now += INTERVAL;
                if let Some(level) = overload.sample(now, *sample) {
                    changes.push(((now - start).as_millis() as u64, level));
                }
            }
        }
        changes
    }

    #[test]
    fn steps() {
        for (what, steps, changes) in [
            ("calm stays", &[(EASY_GOING, 100)][..], &[][..]),
            (
                "a hiccup is none",
                &[(HEAVY, 1), (EASY_GOING, 1), (HEAVY, 1)],
                &[],
            ),
            ("delay", &[(HEAVY, 2)], &[(500, 1)]),
            ("late, but not for its own work", &[(LATE, 100)], &[]),
            ("nor slow for it", &[(LATE_AND_SLOW, 100)], &[]),
            (
                "it recovers all the same",
                &[(HEAVY, 2), (LATE_AND_SLOW, 17)],
                &[(500, 1), (4_750, 0)],
            ),
            (
                "what it does not get a processor for, down to the last picture",
                &[(STARVED, 100)],
                &[(500, 1), (1_250, 2), (2_000, 3)],
            ),
            ("time", &[(BUSY_THREAD, 2)], &[(500, 1)]),
            ("emergency", &[(EMERGENCY, 1)], &[(250, 1)]),
            (
                "it goes on, up to the end",
                &[(HEAVY, 100)],
                &[(500, 1), (1_250, 2), (2_000, 3), (2_750, 4)],
            ),
            ("between holds", &[(HEAVY, 2), (BETWEEN, 100)], &[(500, 1)]),
            (
                "recovers by itself, level by level",
                &[(EMERGENCY, 4), (EASY_GOING, 100)],
                &[(250, 1), (1_000, 2), (5_250, 1), (9_250, 0)],
            ),
            (
                "calm has to be unbroken",
                &[(HEAVY, 2), (EASY_GOING, 10), (BETWEEN, 1), (EASY_GOING, 17)],
                &[(500, 1), (7_500, 0)],
            ),
        ] {
            assert_eq!(run(steps), changes, "{what}");
        }
    }

    #[test]
    fn too_early_a_recovery_makes_the_next_one_wait_longer() {
        let changes = run(&[
            (HEAVY, 2),
            (EASY_GOING, 17),
            (HEAVY, 2),
            (EASY_GOING, 33),
            (HEAVY, 2),
            (EASY_GOING, 65),
        ]);
        let falls: Vec<u64> = changes
            .windows(2)
            .filter(|w| w[1].1 < w[0].1)
            .map(|w| w[1].0 - w[0].0)
            .collect();
        assert_eq!(falls, [4_250, 8_250, 16_250]);
    }

    #[test]
    fn never_swings_faster_than_it_may() {
        // Just as bad with video as without is calm: the worst case for a controller.
        let start = Instant::now();
        let mut overload = Overload::new();
        let mut changes = 0;
        for i in 1..=4 * 600 {
            let sample = if overload.level == 0 {
                HEAVY
            } else {
                EASY_GOING
            };
            changes += u32::from(overload.sample(start + INTERVAL * i, sample).is_some());
        }
        assert!(changes < 30, "{changes} changes in ten minutes");
    }
}
