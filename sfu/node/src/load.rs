//! What a worker measures of itself, and how far it sheds video for it.

use std::time::{Duration, Instant};

use crate::overload::{INTERVAL, Overload, Sample};

/// Of one worker.
#[derive(Debug)]
pub(crate) struct Load {
    overload: Overload,
    /// The present sample.
    began: Instant,
    /// Waiting for input.
    rest: Duration,
    /// The thread's processor time when the sample began.
    cpu: Duration,
    longest_delay: Duration,
}

impl Load {
    pub(crate) fn new() -> Self {
        Self {
            overload: Overload::new(),
            began: Instant::now(),
            rest: Duration::ZERO,
            cpu: Duration::ZERO,
            longest_delay: Duration::ZERO,
        }
    }

    /// When the next sample is to be taken: recovery needs them also when nothing else happens.
    pub(crate) fn interval(&self) -> Option<Duration> {
        (self.overload.level() > 0).then_some(INTERVAL)
    }

    /// The worker waited for input.
    pub(crate) fn rested(&mut self, time: Duration) {
        self.rest += time;
    }

    /// What came in waited so long until its consequences were sent.
    pub(crate) fn delayed(&mut self, delay: Duration) {
        self.longest_delay = self.longest_delay.max(delay);
    }

    /// Ends a turn; `cpu` gives the thread's processor time so far. Where the level changes, the
    /// new one and what it comes of.
    pub(crate) fn turned(
        &mut self,
        now: Instant,
        cpu: impl FnOnce() -> Option<Duration>,
    ) -> Option<(u8, Sample)> {
        let passed = now.saturating_duration_since(self.began);
        if passed < INTERVAL {
            return None;
        }
        let share = |time: Duration| time.as_secs_f32() / passed.as_secs_f32();
        let busy = 1.0 - share(std::mem::take(&mut self.rest));
        // Where there is no such clock, all of it counts as the worker's own work.
        let used = cpu().map_or(busy, |cpu| {
            let before = std::mem::replace(&mut self.cpu, cpu);
            share(cpu.saturating_sub(before))
        });
        let sample = Sample {
            delay: std::mem::take(&mut self.longest_delay),
            busy,
            cpu: used,
        };
        self.began = now;
        let level = self.overload.sample(now, sample)?;
        Some((level, sample))
    }
}
