//! How good a call is, as people would say: a mean opinion score from 1 (bad) to 5 (excellent).
//!
//! Sound: the E-model of ITU-T G.107 (06/2015) with the default values of its table 2, that is
//! R = 93.2 − Id − Ie,eff, and the score by its annex B. Ie,eff is that of equation 7-29 for random
//! loss (BurstR = 1); Opus has no entry in ITU-T G.113, so it counts as the codec with concealment
//! there that it is at least as good as (appendix I: G.711 with concealment, Ie = 0, Bpl = 25.1).
//! Earlier sound that goes along (RED, in-band FEC) leaves loss only where all copies are lost.
//! Id is the delay without echo, Idd of equation 7-27; echo is the browsers' matter.
//!
//! Pictures: after the form of ITU-T G.1070 (07/2018), 1 + coding quality × what
//! loss leaves of it, where coding quality falls with the frame rate as a Gaussian of its logarithm.
//! The coefficients there are of codecs of 2007, so that expected bitrates take the place of those.

use std::time::Duration;

/// R without any delay or loss: Ro − Is + A by default.
const BEST_RATING: f32 = 93.2;
/// Packet loss robustness, in percent.
const ROBUSTNESS: f32 = 25.1;
/// A frame of 20 ms with its look-ahead, and playing it out.
const CODING_DELAY: Duration = Duration::from_millis(40);
/// The browsers' jitter buffers hold a few times the jitter.
const BUFFERED_JITTERS: u32 = 3;

/// What one way of the sound is like.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SoundLine {
    /// Of the packets, 0 to 1, before any repair.
    pub loss: f32,
    /// Earlier packets that each packet carries.
    pub copies: usize,
    /// There and back.
    pub round_trip: Duration,
    pub jitter: Duration,
}

/// The score of sound that came by such a line.
#[must_use]
pub fn sound_score(line: &SoundLine) -> f32 {
    let copies = i32::try_from(line.copies).unwrap_or(i32::MAX).min(8);
    let lost = line.loss.clamp(0.0, 1.0).powi(copies + 1);
    let delay = line.round_trip / 2 + line.jitter * BUFFERED_JITTERS + CODING_DELAY;
    score(BEST_RATING - delay_impairment(delay) - loss_impairment(lost))
}

/// Idd: of the delay from mouth to ear.
fn delay_impairment(delay: Duration) -> f32 {
    let delay_ms = delay.as_secs_f32() * 1_000.0;
    if delay_ms <= 100.0 {
        return 0.0;
    }
    let x = (delay_ms / 100.0).log2();
    let root = |x: f32| (1.0 + x.powi(6)).powf(1.0 / 6.0);
    25.0 * (root(x) - 3.0 * root(x / 3.0) + 2.0)
}

/// Ie,eff: of what the decoder has to make up, 0 to 1.
fn loss_impairment(lost: f32) -> f32 {
    let percent = lost * 100.0;
    95.0 * percent / (percent + ROBUSTNESS)
}

/// Annex B: the mean opinion score of a rating.
fn score(rating: f32) -> f32 {
    if rating <= 0.0 {
        1.0
    } else if rating >= 100.0 {
        4.5
    } else {
        let bend = rating * (rating - 60.0) * (100.0 - rating) * 7e-6;
        // The curve dips below 1 next to nothing.
        (1.0 + 0.035 * rating + bend).max(1.0)
    }
}

/// What a picture shows and what one would like to see.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PictureLine {
    /// Slides change seldom, and are small while they do not: only their size and loss count.
    pub slides: bool,
    /// Pixels on the viewer's page; 0: hidden.
    pub wanted_height: u16,
    /// Pixels; 0: not known, taken as what is wanted.
    pub height: u16,
    pub frames_per_second: u8,
    pub bits_per_second: u32,
    /// Gaps of more than half a second within this second.
    pub freezes: u32,
    /// 0 to 1, before repair.
    pub loss: f32,
    /// Nothing is forwarded, though it is wanted.
    pub paused: bool,
}

/// Beyond this nobody misses a pixel in a conference.
const FULL_HEIGHT: u16 = 720;
/// A talking head needs no more.
const FULL_FRAME_RATE: f32 = 24.0;
/// Width of the Gaussian over the logarithm of the frame rate.
const FRAME_RATE_SPREAD: f32 = 1.2;
/// Loss at which 1/e of the quality is left: most is repaired, at the cost of delay.
const LOSS_SCALE: f32 = 0.3;
/// What each freeze leaves.
const AFTER_FREEZE: f32 = 0.4;

/// The score of a picture over one second. A hidden one misses nothing.
#[must_use]
pub fn picture_score(line: &PictureLine) -> f32 {
    if line.wanted_height == 0 {
        return 5.0;
    }
    if line.paused {
        return 1.0;
    }
    let wanted = line.wanted_height.min(FULL_HEIGHT);
    let height = match line.height {
        0 => wanted,
        known => known.min(wanted),
    };
    // Half the height is a quarter of the pixels, and looks soft rather than bad.
    let size = (f32::from(height) / f32::from(wanted)).sqrt();
    let left = (-line.loss.clamp(0.0, 1.0) / LOSS_SCALE).exp();
    let motion = if line.slides {
        1.0
    } else {
        motion(line, height)
    };
    1.0 + 4.0 * size * left * motion
}

/// Smoothness and sharpness of a moving picture, 0 to 1.
fn motion(line: &PictureLine, height: u16) -> f32 {
    if line.frames_per_second == 0 {
        return 0.0;
    }
    let rate = f32::from(line.frames_per_second).min(FULL_FRAME_RATE);
    let distance = (FULL_FRAME_RATE / rate).ln() / FRAME_RATE_SPREAD;
    let smooth = (-distance * distance / 2.0).exp();
    // Per frame that is there: a slower picture needs less.
    let expected = expected_bits_per_second(height) * rate / FULL_FRAME_RATE;
    let sharp = 1.0 - (-4.0 * line.bits_per_second as f32 / expected).exp();
    let freezes = i32::try_from(line.freezes).unwrap_or(i32::MAX).min(8);
    smooth * sharp * AFTER_FREEZE.powi(freezes)
}

/// What browsers give VP8 of this height: 150 kbit/s for 180, 500 for 360, 1,500 for 720.
fn expected_bits_per_second(height: u16) -> f32 {
    500_000.0 * (f32::from(height) / 360.0).powf(1.6)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(value: f32, wanted: f32, by: f32, what: &str) {
        assert!(
            (value - wanted).abs() <= by,
            "{what}: {value}, not {wanted}"
        );
    }

    /// ITU-T G.107, table B.1: the limits of user satisfaction, and the default rating.
    #[test]
    fn scores_of_ratings_as_published() {
        for (rating, wanted) in [
            (93.2, 4.41),
            (90.0, 4.34),
            (80.0, 4.03),
            (70.0, 3.60),
            (60.0, 3.10),
            (50.0, 2.58),
            (0.0, 1.0),
            (-7.0, 1.0),
            (100.0, 4.5),
            (120.0, 4.5),
        ] {
            near(score(rating), wanted, 0.01, "rating");
        }
    }

    #[test]
    fn impairments_by_steps() {
        // Idd of equation 7-27 with mT = 100 ms and sT = 1.
        for (delay_ms, wanted) in [
            (0, 0.0),
            (100, 0.0),
            (200, 3.04),
            (400, 24.07),
            (800, 40.83),
        ] {
            let impairment = delay_impairment(Duration::from_millis(delay_ms));
            near(impairment, wanted, 0.1, "delay");
        }
        // G.711 with concealment (Ie = 0, Bpl = 25.1): 95 × 5 / 30.1.
        for (percent, wanted) in [(0.0, 0.0), (1.0, 3.64), (5.0, 15.78), (20.0, 42.13)] {
            near(loss_impairment(percent / 100.0), wanted, 0.01, "loss");
        }
    }

    #[test]
    fn sound_by_steps() {
        let line = |percent: f32, copies, round_trip_ms, jitter_ms| SoundLine {
            loss: percent / 100.0,
            copies,
            round_trip: Duration::from_millis(round_trip_ms),
            jitter: Duration::from_millis(jitter_ms),
        };
        for (what, line, wanted) in [
            ("a good line", line(0.0, 0, 40, 2), 4.41),
            ("a satellite", line(0.0, 0, 560, 5), 3.81),
            ("10 %", line(10.0, 0, 40, 5), 3.41),
            ("10 %, one copy", line(10.0, 1, 40, 5), 4.33),
            ("30 %", line(30.0, 0, 40, 5), 2.14),
            ("30 %, two copies", line(30.0, 2, 40, 5), 4.16),
            ("nothing arrives", line(100.0, 2, 40, 5), 1.18),
        ] {
            near(sound_score(&line), wanted, 0.02, what);
        }
    }

    #[test]
    fn pictures_by_steps() {
        let good = PictureLine {
            slides: false,
            wanted_height: 360,
            height: 360,
            frames_per_second: 30,
            bits_per_second: 600_000,
            freezes: 0,
            loss: 0.0,
            paused: false,
        };
        let table = [
            ("good", good, 4.9..=5.0),
            (
                "hidden",
                PictureLine {
                    wanted_height: 0,
                    paused: true,
                    ..good
                },
                5.0..=5.0,
            ),
            (
                "paused",
                PictureLine {
                    paused: true,
                    ..good
                },
                1.0..=1.0,
            ),
            (
                "half the height",
                PictureLine {
                    height: 180,
                    ..good
                },
                3.6..=3.9,
            ),
            (
                "7 frames",
                PictureLine {
                    frames_per_second: 7,
                    ..good
                },
                3.2..=3.7,
            ),
            (
                "a third of the bits",
                PictureLine {
                    bits_per_second: 170_000,
                    ..good
                },
                3.8..=4.2,
            ),
            ("one freeze", PictureLine { freezes: 1, ..good }, 2.4..=2.7),
            ("two freezes", PictureLine { freezes: 2, ..good }, 1.5..=1.7),
            ("10 % of loss", PictureLine { loss: 0.1, ..good }, 3.7..=4.0),
            (
                "no frames",
                PictureLine {
                    frames_per_second: 0,
                    ..good
                },
                1.0..=1.0,
            ),
            (
                "slides at rest",
                PictureLine {
                    slides: true,
                    frames_per_second: 0,
                    bits_per_second: 0,
                    freezes: 1,
                    ..good
                },
                5.0..=5.0,
            ),
        ];
        for (what, line, wanted) in table {
            let score = picture_score(&line);
            assert!(wanted.contains(&score), "{what}: {score}, not {wanted:?}");
        }
    }
}
