//! Whether what comes into a slot can be shown: nothing garbled, nothing frozen.
//!
//! A frame's mark says its number in the sender's loop, and that says which
//! frame it builds on ([`video::reference_of`]): so it is known without decoding
//! whether a decoder would show it as it was sent.

use std::time::{Duration, Instant};

use crate::media::codec::FrameKind;
use crate::media::video::{self, kind_of};
use crate::media::vp8::Mark;
use crate::report::SlotHealth;

/// A longer pause between two frames is seen as a freeze.
const FREEZE: Duration = Duration::from_millis(500);
/// A slot that shows nothing for so long, although somebody is in it, is stuck.
const STUCK: Duration = Duration::from_secs(8);
/// From one request for a keyframe to the next.
const ASK_EVERY: Duration = Duration::from_millis(500);

#[derive(Debug, Default)]
pub(super) struct Health {
    /// The last frame that others may build on, and that was sound.
    base: Option<Mark>,
    layer: Option<u8>,
    /// When the last sound frame came, and whose it was.
    last: Option<(u16, Instant)>,
    /// Since when frames are due: the announcement or the media connection.
    due_since: Option<Instant>,
    /// A sound frame came over this media connection.
    begun: bool,
    /// The server says that it sends nothing at present: the line or the machine does not
    /// carry it.
    paused: bool,
    /// When a keyframe was last asked for.
    asked: Option<Instant>,
    watched: Duration,
    counts: SlotHealth,
}

impl Health {
    /// Another media connection: what comes next has nothing to do with what came before.
    pub(super) fn restart(&mut self, occupied: bool, now: Instant) {
        self.base = None;
        self.begun = false;
        self.paused = false;
        self.asked = None;
        self.announced(None, now);
        self.due_since = occupied.then_some(now);
    }

    /// The media connection is up: from now on frames are due, where somebody is in the slot.
    pub(super) fn connected(&mut self, now: Instant) {
        self.due_since = self.due_since.map(|_| now);
    }

    /// What the server's quality report says of the slot.
    pub(super) fn paused(&mut self, paused: bool, now: Instant) {
        if self.paused && !paused {
            self.due_since = self.due_since.map(|_| now);
        }
        self.paused = paused;
    }

    /// The server says who is in the slot, as far as it is known which site that is. The word and
    /// the frames come by different ways: what builds on what, the frames alone decide.
    pub(super) fn announced(&mut self, index: Option<u16>, now: Instant) {
        if self.last.is_none_or(|(of, _)| Some(of) != index) {
            self.last = None;
            self.layer = None;
        }
        self.due_since = index.map(|_| now);
    }

    /// One complete frame of a bot. True when a keyframe has to be asked for, as a browser
    /// does: the stack loses what comes in one burst with the end of the handshake, because
    /// it reads the whole burst before it takes the keys.
    pub(super) fn frame(&mut self, mark: Mark, keyframe: bool, now: Instant) -> bool {
        if !self.sound(mark, keyframe) {
            self.base = None;
            match self.begun {
                true => self.counts.garbled_frames += 1,
                false => self.counts.headless_frames += 1,
            }
            let due = self.asked.is_none_or(|at| now - at >= ASK_EVERY);
            self.asked = if due { Some(now) } else { self.asked };
            return due;
        }
        self.begun = true;
        self.asked = None;
        if kind_of(usize::from(mark.frame)) != FrameKind::Discardable {
            self.base = Some(mark);
        }
        let goes_on = self.last.filter(|(of, _)| *of == mark.index);
        if goes_on.is_some() && self.layer.is_some_and(|layer| layer != mark.layer) {
            self.counts.layer_switches += 1;
        }
        self.layer = Some(mark.layer);
        if let Some(frames) = self.counts.layer_frames.get_mut(usize::from(mark.layer)) {
            *frames += 1;
        }
        self.last = Some((mark.index, now));
        if let Some((_, last)) = goes_on {
            let gap = now.saturating_duration_since(last);
            self.watched += gap;
            if gap > FREEZE {
                self.counts.freezes += 1;
                self.counts.frozen_ms += gap.as_secs_f64() * 1e3;
            }
        }
        false
    }

    fn sound(&self, mark: Mark, keyframe: bool) -> bool {
        if keyframe {
            return true;
        }
        let reference = video::reference_of(usize::from(mark.frame));
        self.base.is_some_and(|base| {
            (base.index, base.layer) == (mark.index, mark.layer)
                && usize::from(base.frame) == reference
        })
    }

    pub(super) fn report(&self, now: Instant) -> SlotHealth {
        let frames: u64 = self.counts.layer_frames.iter().sum();
        let seconds = self.watched.as_secs_f64();
        let waits = self.last.map(|(_, at)| at).max(self.due_since);
        SlotHealth {
            frames_per_second: (seconds > 0.0).then(|| frames as f64 / seconds),
            paused: self.paused,
            stuck: self.due_since.is_some()
                && !self.paused
                && waits.is_some_and(|since| now.saturating_duration_since(since) > STUCK),
            ..self.counts.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(start: Instant, ms: u64) -> Instant {
        start + Duration::from_millis(ms)
    }

    /// Frames of one layer by their numbers, 100 ms apart, into a fresh slot.
    fn after(frames: &[(u8, u16)]) -> SlotHealth {
        let start = Instant::now();
        let mut health = Health::default();
        health.restart(true, start);
        for (n, (layer, frame)) in (1..).zip(frames) {
            let mark = Mark {
                index: 1,
                frame: *frame,
                layer: *layer,
            };
            health.frame(mark, frame % 20 == 0, at(start, n * 100));
        }
        health.report(at(start, 1000))
    }

    #[test]
    fn a_whole_chain_is_sound_with_and_without_the_upper_layer() {
        let all: Vec<_> = (0..25).map(|n| (0, n)).collect();
        let lower: Vec<_> = (0..25).step_by(2).map(|n| (0, n)).collect();
        for frames in [all, lower] {
            let health = after(&frames);
            assert_eq!(health.garbled_frames, 0);
            assert_eq!(health.layer_frames[0], frames.len() as u64);
        }
    }

    #[test]
    fn a_hole_in_the_lower_layer_garbles_until_the_next_keyframe() {
        // Frame 4 is missing: 5 and 6 build on it, 7 on 6.
        let health = after(&[
            (0, 0),
            (0, 1),
            (0, 2),
            (0, 3),
            (0, 5),
            (0, 6),
            (0, 7),
            (0, 20),
        ]);
        assert_eq!(health.garbled_frames, 3);
        // A hole in the upper layer garbles nothing.
        assert_eq!(after(&[(0, 0), (0, 2), (0, 3)]).garbled_frames, 0);
    }

    #[test]
    fn a_switch_of_layers_needs_a_keyframe() {
        let good = after(&[(0, 0), (0, 2), (1, 20), (1, 21), (0, 40)]);
        assert_eq!((good.garbled_frames, good.layer_switches), (0, 2));
        assert_eq!(good.layer_frames, [3, 2, 0]);
        let bad = after(&[(0, 0), (1, 1), (1, 2)]);
        assert_eq!((bad.garbled_frames, bad.layer_switches), (2, 0));
    }

    #[test]
    fn word_that_comes_after_the_picture_breaks_nothing() {
        let start = Instant::now();
        let mut health = Health::default();
        health.announced(Some(1), start);
        let mark = |index, frame| Mark {
            index,
            frame,
            layer: 0,
        };
        health.frame(mark(1, 0), true, at(start, 100));
        health.frame(mark(2, 20), true, at(start, 200));
        health.announced(Some(2), at(start, 210));
        health.frame(mark(2, 22), false, at(start, 300));
        assert_eq!(health.report(at(start, 400)).garbled_frames, 0);
        // Of whom nothing has come, a picture without its keyframe is garbled.
        health.announced(Some(3), at(start, 410));
        health.frame(mark(3, 24), false, at(start, 500));
        assert_eq!(health.report(at(start, 600)).garbled_frames, 1);
    }

    #[test]
    fn frames_of_the_former_site_are_sound_until_the_next_one_begins() {
        let start = Instant::now();
        let mut health = Health::default();
        let mark = |index, frame| Mark {
            index,
            frame,
            layer: 0,
        };
        health.announced(Some(1), start);
        health.frame(mark(1, 0), true, at(start, 100));
        health.announced(Some(2), at(start, 150));
        health.frame(mark(1, 1), false, at(start, 200));
        health.frame(mark(2, 20), true, at(start, 900));
        let report = health.report(at(start, 1000));
        assert_eq!((report.garbled_frames, report.freezes), (0, 0));
    }

    #[test]
    fn a_keyframe_is_asked_for_until_one_comes() {
        let start = Instant::now();
        let mut health = Health::default();
        health.restart(true, start);
        let mut frame = |ms, number, keyframe| {
            let mark = Mark {
                index: 1,
                frame: number,
                layer: 0,
            };
            health.frame(mark, keyframe, at(start, ms))
        };
        let asked = [(0, 1), (100, 2), (550, 3), (650, 4)].map(|(ms, n)| frame(ms, n, false));
        assert_eq!(asked, [true, false, true, false]);
        assert!(!frame(700, 20, true) && !frame(800, 21, false));
        // Behind the first keyframe of a connection nothing may be missing.
        assert!(frame(900, 25, false));
        let report = health.report(at(start, 1000));
        assert_eq!((report.headless_frames, report.garbled_frames), (4, 1));
    }

    #[test]
    fn freezes_and_stuck_slots() {
        let start = Instant::now();
        let mut health = Health::default();
        let mark = |frame| Mark {
            index: 1,
            frame,
            layer: 0,
        };
        assert!(!health.report(at(start, 60_000)).stuck, "nobody is in it");
        health.restart(true, start);
        assert!(health.report(at(start, 9_000)).stuck);
        health.frame(mark(0), true, at(start, 9_500));
        health.frame(mark(2), false, at(start, 10_500));
        let report = health.report(at(start, 11_000));
        assert_eq!((report.freezes, report.frozen_ms), (1, 1000.0));
        assert_eq!(report.frames_per_second, Some(2.0));
        assert!(!report.stuck);
        assert!(health.report(at(start, 20_000)).stuck);
        health.paused(true, at(start, 20_000));
        assert!(!health.report(at(start, 40_000)).stuck, "it was told");
        health.paused(false, at(start, 40_000));
        assert!(!health.report(at(start, 41_000)).stuck);
        assert!(health.report(at(start, 50_000)).stuck);
        health.restart(false, at(start, 50_000));
        assert!(!health.report(at(start, 60_000)).stuck);
    }
}
