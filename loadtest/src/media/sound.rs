//! The sound of a site: a tone of its own that comes and goes as speech does,
//! for a few seconds, then silence until its next turn. Encoded once.

use std::sync::Arc;

use bytes::Bytes;

use super::codec::{CodecError, OpusEncoder};
use super::made::Made;

/// Samples per second.
pub const SAMPLE_RATE: u32 = 48_000;
/// Samples in one packet: 20 ms.
pub const FRAME_SAMPLES: usize = 960;
/// Packets per second, were there no silence.
pub const FRAMES_PER_SECOND: usize = 50;
/// How long a site speaks.
const TALK_FRAMES: usize = 3 * FRAMES_PER_SECOND;
/// From the beginning of one turn to that of the next.
const ROUND_FRAMES: usize = 24 * FRAMES_PER_SECOND;
/// By so much the turn of the next index is later; coprime to the round in seconds.
const TURN_STRIDE: usize = 7 * FRAMES_PER_SECOND;
/// How long silence is really encoded: the codec's own falling silent.
const FADE_FRAMES: usize = FRAMES_PER_SECOND;
/// In silence libopus sends a packet every 400 ms, so that receivers keep their noise.
const COMFORT_EVERY: usize = 20;
const BITS_PER_SECOND: i32 = 24_000;
/// Peak, of full scale: about -14 dBov while it sounds.
const LOUDNESS: f64 = 0.28;
/// Syllables per second.
const SYLLABLES: f64 = 4.0;
/// Silence in the audio level extension (RFC 6464 §3).
pub const SILENT: u8 = 127;

/// The frequency of a site's tone, in Hz: 300 for index 0 and 25 more for each
/// further one; from 64 on the tones begin again.
#[must_use]
pub fn tone_of(index: u16) -> f64 {
    300.0 + 25.0 * f64::from(index % 64)
}

/// 20 ms of sound.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SoundFrame {
    /// Absent where the encoder has nothing to say (DTX).
    pub packet: Option<Bytes>,
    /// Below full scale, in dBov: 0 is the loudest, [`SILENT`] no sound.
    pub level: u8,
    pub voice: bool,
}

/// One round of a site's sound.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SoundLoop {
    frames: Vec<SoundFrame>,
    /// The frame of the round at which the process begins.
    offset: usize,
}

impl SoundLoop {
    /// # Errors
    /// An error of libopus.
    pub fn encode(index: u16) -> Result<Self, CodecError> {
        let mut encoder = OpusEncoder::new(BITS_PER_SECOND)?;
        let mut frames = Vec::with_capacity(ROUND_FRAMES);
        for number in 0..TALK_FRAMES + FADE_FRAMES {
            let samples = samples(index, number);
            let packet = encoder.encode(&samples)?;
            frames.push(SoundFrame {
                packet: (packet.len() > 2).then(|| Bytes::from(packet)),
                level: level_of(&samples),
                voice: number < TALK_FRAMES,
            });
        }
        // The encoder has fallen silent; from here on it would only repeat its
        // last word now and then, at a cost that fifty sites would feel.
        let comfort = frames.iter().rev().find_map(|f| f.packet.clone());
        for number in 0..ROUND_FRAMES - frames.len() {
            frames.push(SoundFrame {
                packet: comfort.clone().filter(|_| number % COMFORT_EVERY == 0),
                level: SILENT,
                voice: false,
            });
        }
        Ok(Self {
            frames,
            offset: ROUND_FRAMES - usize::from(index) * TURN_STRIDE % ROUND_FRAMES,
        })
    }

    /// The same, but encoded only once in a process.
    ///
    /// # Errors
    /// An error of libopus.
    pub fn of(index: u16) -> Result<Arc<Self>, CodecError> {
        static LOOPS: Made<SoundLoop> = Made::new();
        LOOPS.get(index, Self::encode)
    }

    /// The voice without its pauses, so many frames after its begin.
    #[must_use]
    pub fn voice(&self, frame: u64) -> &SoundFrame {
        &self.frames[(frame % TALK_FRAMES as u64) as usize]
    }

    /// The sound so many frames after the epoch that all bots share; their
    /// turns follow each other.
    #[must_use]
    pub fn at(&self, frame: u64) -> &SoundFrame {
        let number = (frame % ROUND_FRAMES as u64) as usize + self.offset;
        &self.frames[number % self.frames.len()]
    }
}

fn samples(index: u16, frame: usize) -> Vec<i16> {
    if frame >= TALK_FRAMES {
        return vec![0; FRAME_SAMPLES];
    }
    let first = frame * FRAME_SAMPLES;
    (first..first + FRAME_SAMPLES)
        .map(|n| {
            let t = n as f64 / f64::from(SAMPLE_RATE);
            // Rises and falls with each syllable, from and to nothing: no clicks.
            let envelope = (t * SYLLABLES * std::f64::consts::PI).sin().abs();
            let tone = (t * tone_of(index) * std::f64::consts::TAU).sin();
            (envelope * tone * LOUDNESS * f64::from(i16::MAX)) as i16
        })
        .collect()
}

/// RFC 6464 §3: the level below full scale, in dB.
fn level_of(samples: &[i16]) -> u8 {
    let power: f64 = samples.iter().map(|s| f64::from(*s).powi(2)).sum();
    let rms = (power / samples.len().max(1) as f64).sqrt() / f64::from(i16::MAX);
    if rms <= 0.0 {
        return SILENT;
    }
    (-20.0 * rms.log10()).round().clamp(0.0, f64::from(SILENT)) as u8
}

#[cfg(test)]
mod tests {
    use super::super::codec::OpusDecoder;
    use super::*;

    /// How much of a frequency is in the sound (Goertzel).
    fn strength(samples: &[i16], hz: f64) -> f64 {
        let w = std::f64::consts::TAU * hz / f64::from(SAMPLE_RATE);
        let (mut a, mut b) = (0.0, 0.0);
        for s in samples {
            let c = f64::from(*s) + 2.0 * w.cos() * a - b;
            b = a;
            a = c;
        }
        (a * a + b * b - 2.0 * w.cos() * a * b).sqrt()
    }

    #[test]
    fn tone_is_heard_while_the_site_speaks() {
        let sound = SoundLoop::encode(9).unwrap();
        let mut decoder = OpusDecoder::new().unwrap();
        let mut heard = Vec::new();
        for frame in &sound.frames[..TALK_FRAMES] {
            heard.extend(decoder.decode(frame.packet.as_ref().unwrap()).unwrap());
        }
        let own = strength(&heard, tone_of(9));
        for other in [7, 8, 10, 11, 30] {
            assert!(own > 3.0 * strength(&heard, tone_of(other)), "{other}");
        }
    }

    #[test]
    fn silence_sends_almost_nothing() {
        let sound = SoundLoop::encode(1).unwrap();
        let silence = &sound.frames[TALK_FRAMES..];
        let sent = silence.iter().filter(|f| f.packet.is_some()).count();
        assert!(sent < silence.len() / 10, "{sent} of {}", silence.len());
        let lengths = silence
            .iter()
            .filter_map(|f| f.packet.as_ref().map(Bytes::len));
        assert!(lengths.skip(10).all(|length| length < 20));
        assert!(silence.iter().all(|f| f.level == SILENT && !f.voice));
        let loudest = sound.frames.iter().map(|f| f.level).min().unwrap();
        assert!((10..20).contains(&loudest), "{loudest} dBov");
    }

    #[test]
    fn sites_speak_in_turns() {
        let speaks = |sound: &SoundLoop, frame| sound.at(frame).voice;
        let [a, b] = [1, 2].map(|index| SoundLoop::encode(index).unwrap());
        assert!((0..ROUND_FRAMES as u64).all(|f| !(speaks(&a, f) && speaks(&b, f))));
        let talk = (0..ROUND_FRAMES as u64).filter(|f| speaks(&a, *f)).count();
        assert_eq!(talk, TALK_FRAMES);
        // Index 1 speaks 7 s after the epoch.
        assert!(speaks(&a, 350) && !speaks(&a, 349));
    }

    #[test]
    fn levels() {
        assert_eq!(level_of(&[0; 960]), SILENT);
        assert_eq!(level_of(&[i16::MAX; 960]), 0);
        assert_eq!(level_of(&[]), SILENT);
    }
}
