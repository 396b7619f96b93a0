//! Chooses who of many microphones is heard: the loudest few, without flapping.
//!
//! Everybody hears up to [`HEARD`] others. Nobody hears himself, so one more,
//! the spare, is chosen for those who are among the loudest. As long as no
//! more microphones than that are on, all of them are heard and no onset is lost;
//! beyond, a challenger has to be clearly louder than the quietest one chosen.

use std::time::{Duration, Instant};

use arrayvec::ArrayVec;

/// How many sources each receiver hears.
pub const HEARD: usize = 4;
/// With the spare.
pub const CHOSEN: usize = HEARD + 1;

/// Above this it counts as speech, where the sender does not say so itself.
const SPEECH_FLOOR: f32 = 127.0 - 50.0;
/// Below this it is no speech even if the sender's detector says so.
const SILENCE: f32 = 127.0 - 70.0;
/// A challenger must be louder by this, in dB, than a speaking holder.
const CLEARLY_LOUDER: f32 = 6.0;
/// Who has just got a place keeps it for this long against other speakers.
const LEAST_HOLD: Duration = Duration::from_millis(1_000);
/// A pause between words does not end speech.
const HANGOVER: Duration = Duration::from_millis(600);
/// Without packets for this long a source is no candidate (DTX sends every 400 ms).
const GONE: Duration = Duration::from_millis(1_500);
/// How loud a sender counts that does not say.
const UNKNOWN_LEVEL: f32 = 127.0 - 35.0;

/// What one packet says about its loudness.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Loudness {
    /// RFC 6464: 0 is loudest, 127 silence; with the sender's voice activity flag.
    Level { minus_dbov: u8, voice: bool },
    /// The sender does not say, and this is no comfort noise.
    Unknown,
    /// The sender does not say, and sends next to nothing.
    Silence,
}

#[derive(Clone, Debug)]
struct Candidate<S> {
    source: S,
    /// Smoothed, in dB above silence: 0 to 127.
    loudness: f32,
    heard_at: Instant,
    spoke_at: Option<Instant>,
    chosen_at: Option<Instant>,
}

impl<S> Candidate<S> {
    fn speaks(&self, now: Instant) -> bool {
        self.spoke_at
            .is_some_and(|at| now.saturating_duration_since(at) < HANGOVER)
    }

    /// By what a challenger is measured: speech counts before noise of any loudness.
    fn rank(&self, now: Instant) -> f32 {
        self.loudness + if self.speaks(now) { 128.0 } else { 0.0 }
    }
}

/// The microphones of one room, as one worker knows them.
#[derive(Clone, Debug)]
pub struct Speakers<S> {
    candidates: Vec<Candidate<S>>,
    /// First those that everybody hears, last the spare.
    chosen: ArrayVec<S, CHOSEN>,
    /// A microphone came or went: places may be free.
    unsettled: bool,
}

impl<S> Default for Speakers<S> {
    fn default() -> Self {
        Self {
            candidates: Vec::new(),
            chosen: ArrayVec::new(),
            unsettled: false,
        }
    }
}

impl<S: Copy + Eq> Speakers<S> {
    /// Takes note of one packet.
    pub fn observe(&mut self, now: Instant, source: S, loudness: Loudness) {
        let (level, voice) = match loudness {
            Loudness::Level { minus_dbov, voice } => {
                let level = 127.0 - f32::from(minus_dbov.min(127));
                (level, level > SPEECH_FLOOR || (voice && level > SILENCE))
            }
            Loudness::Unknown => (UNKNOWN_LEVEL, true),
            Loudness::Silence => (0.0, false),
        };
        let candidate = match self.candidates.iter().position(|c| c.source == source) {
            Some(index) => &mut self.candidates[index],
            None => {
                self.unsettled = true;
                self.candidates.push(Candidate {
                    source,
                    loudness: level,
                    heard_at: now,
                    spoke_at: None,
                    chosen_at: None,
                });
                let last = self.candidates.len() - 1;
                &mut self.candidates[last]
            }
        };
        // Quick to rise, slow to fall: a word's onset counts, a pause within it does not.
        let weight = if level > candidate.loudness {
            0.4
        } else {
            0.05
        };
        candidate.loudness += (level - candidate.loudness) * weight;
        candidate.heard_at = now;
        if voice {
            let begins = !candidate.speaks(now);
            candidate.spoke_at = Some(now);
            // Whoever begins to speak unheard must not wait for the next turn.
            self.unsettled |= begins && !self.chosen.contains(&source);
        }
    }

    /// Forgets a source at once.
    pub fn remove(&mut self, source: S) {
        self.candidates.retain(|c| c.source != source);
        self.chosen.retain(|chosen| *chosen != source);
        self.unsettled = true;
    }

    /// True when [`Self::choose`] should not wait for the next regular turn.
    #[must_use]
    pub fn unsettled(&self) -> bool {
        self.unsettled
    }

    /// Chooses anew; true if the choice is another one than before.
    pub fn choose(&mut self, now: Instant) -> bool {
        self.unsettled = false;
        let before = self.chosen.clone();
        self.candidates
            .retain(|c| now.saturating_duration_since(c.heard_at) < GONE);
        let candidates = &self.candidates;
        self.chosen
            .retain(|chosen| candidates.iter().any(|c| c.source == *chosen));
        while self.chosen.len() < CHOSEN {
            let Some(index) = self.loudest(now, |source| !self.chosen.contains(&source)) else {
                break;
            };
            self.candidates[index].chosen_at = Some(now);
            self.chosen.push(self.candidates[index].source);
        }
        // First the places that everybody hears, against all others; then the spare.
        self.contest(now, 0..HEARD.min(self.chosen.len()));
        if self.chosen.len() == CHOSEN {
            self.contest(now, HEARD..CHOSEN);
        }
        self.chosen != before
    }

    /// The chosen sources; the place says nothing but which one is the spare (the fifth).
    #[must_use]
    pub fn chosen(&self) -> &[S] {
        &self.chosen
    }

    /// The chosen sources that are speaking now, loudest first.
    #[must_use]
    pub fn speaking(&self, now: Instant) -> ArrayVec<S, CHOSEN> {
        let mut speaking: ArrayVec<&Candidate<S>, CHOSEN> = self
            .candidates
            .iter()
            .filter(|c| self.chosen.contains(&c.source) && c.speaks(now))
            .take(CHOSEN)
            .collect();
        speaking.sort_by(|a, b| b.loudness.total_cmp(&a.loudness));
        speaking.iter().map(|c| c.source).collect()
    }

    /// The best challenger from outside `places` against the weakest holder within.
    fn contest(&mut self, now: Instant, places: std::ops::Range<usize>) {
        for _ in 0..CHOSEN {
            let above = &self.chosen[..places.start];
            let holders = &self.chosen[places.clone()];
            let outside = |source: S| !above.contains(&source) && !holders.contains(&source);
            let Some(challenger) = self.loudest(now, outside) else {
                return;
            };
            let weakest = places
                .clone()
                .filter_map(|place| Some((place, self.find(self.chosen[place])?)))
                .min_by(|(_, a), (_, b)| {
                    let rank = |index: &usize| self.candidates[*index].rank(now);
                    rank(a).total_cmp(&rank(b))
                });
            let Some((place, holder)) = weakest else {
                return;
            };
            if !self.beats(now, challenger, holder) {
                return;
            }
            let winner = self.candidates[challenger].source;
            if let Some(other) = self.chosen.iter().position(|chosen| *chosen == winner) {
                self.chosen.swap(place, other);
            } else {
                self.chosen[place] = winner;
                self.candidates[holder].chosen_at = None;
            }
            self.candidates[challenger].chosen_at = Some(now);
        }
    }

    fn beats(&self, now: Instant, challenger: usize, holder: usize) -> bool {
        let challenger = &self.candidates[challenger];
        let holder = &self.candidates[holder];
        match (challenger.speaks(now), holder.speaks(now)) {
            (true, false) => true,
            (false, _) => false, // noise displaces nobody
            (true, true) => {
                let settled = holder
                    .chosen_at
                    .is_none_or(|at| now.saturating_duration_since(at) >= LEAST_HOLD);
                settled && challenger.loudness > holder.loudness + CLEARLY_LOUDER
            }
        }
    }

    fn loudest(&self, now: Instant, allowed: impl Fn(S) -> bool) -> Option<usize> {
        (0..self.candidates.len())
            .filter(|index| allowed(self.candidates[*index].source))
            .max_by(|a, b| {
                let rank = |index: &usize| self.candidates[*index].rank(now);
                // Of equals the first to come.
                rank(a).total_cmp(&rank(b)).then(b.cmp(a))
            })
    }

    fn find(&self, source: S) -> Option<usize> {
        self.candidates.iter().position(|c| c.source == source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> Instant {
        #[allow(clippy::disallowed_methods)] // any instant serves as the origin of virtual time
        Instant::now()
    }

    const TURN: Duration = Duration::from_millis(20);

    /// Feeds levels (dB below overload) for so many packets; gives how often the choice changed.
    fn talk(
        speakers: &mut Speakers<u32>,
        now: &mut Instant,
        packets: usize,
        levels: &[(u32, u8)],
    ) -> usize {
        let mut changes = 0;
        for _ in 0..packets {
            *now += TURN;
            for (source, minus_dbov) in levels {
                let loudness = Loudness::Level {
                    minus_dbov: *minus_dbov,
                    voice: false,
                };
                speakers.observe(*now, *source, loudness);
            }
            changes += usize::from(speakers.choose(*now));
        }
        changes
    }

    fn heard(speakers: &Speakers<u32>) -> Vec<u32> {
        let mut heard: Vec<u32> = speakers.chosen().iter().take(HEARD).copied().collect();
        heard.sort_unstable();
        heard
    }

    #[test]
    fn few_microphones_are_all_heard_from_their_first_packet() {
        let mut now = start();
        let mut speakers = Speakers::default();
        for source in 0..5 {
            let silent = Loudness::Level {
                minus_dbov: 127,
                voice: false,
            };
            speakers.observe(now, source, silent);
            assert!(speakers.unsettled());
            assert!(speakers.choose(now));
        }
        assert_eq!(speakers.chosen(), [0, 1, 2, 3, 4]);
        assert!(speakers.speaking(now).is_empty());
        talk(&mut speakers, &mut now, 1, &[(2, 30)]);
        assert_eq!(speakers.speaking(now).as_slice(), [2]);
    }

    #[test]
    fn a_speaker_displaces_the_silent_within_one_packet() {
        let mut now = start();
        let mut speakers = Speakers::default();
        let silent: Vec<(u32, u8)> = (0..20).map(|source| (source, 90)).collect();
        talk(&mut speakers, &mut now, 20, &silent);
        let mut levels = silent.clone();
        levels[17].1 = 25;
        talk(&mut speakers, &mut now, 1, &levels);
        assert!(heard(&speakers).contains(&17));
    }

    #[test]
    fn equally_loud_speakers_do_not_flap() {
        let mut now = start();
        let mut speakers = Speakers::default();
        let levels: Vec<(u32, u8)> = (0..10)
            .map(|source| (source, 30 + source as u8 % 4))
            .collect();
        talk(&mut speakers, &mut now, 10, &levels);
        let mut changes = 0;
        for turn in 0..500 {
            // A few dB of wandering each.
            let levels: Vec<(u32, u8)> = (0..10)
                .map(|source| (source, 28 + ((turn * 7 + source * 13) % 5) as u8))
                .collect();
            changes += talk(&mut speakers, &mut now, 1, &levels);
        }
        assert_eq!(changes, 0);
    }

    #[test]
    fn clearly_louder_wins_after_the_least_hold() {
        let mut now = start();
        let mut speakers = Speakers::default();
        let mut levels: Vec<(u32, u8)> = (0..8).map(|source| (source, 40)).collect();
        talk(&mut speakers, &mut now, 100, &levels);
        levels[7].1 = 20;
        talk(&mut speakers, &mut now, 30, &levels);
        assert!(heard(&speakers).contains(&7));
        assert_eq!(speakers.speaking(now)[0], 7);
    }

    #[test]
    fn the_spare_is_the_best_of_the_rest() {
        let mut now = start();
        let mut speakers = Speakers::default();
        let mut levels: Vec<(u32, u8)> = (0..9).map(|source| (source, 110)).collect();
        for loud in [1, 3, 5, 7] {
            levels[loud].1 = 25;
        }
        levels[8].1 = 40;
        talk(&mut speakers, &mut now, 100, &levels);
        assert_eq!(heard(&speakers), [1, 3, 5, 7]);
        assert_eq!(speakers.chosen()[4], 8);
    }

    #[test]
    fn who_stops_sending_leaves_its_place() {
        let mut now = start();
        let mut speakers = Speakers::default();
        talk(&mut speakers, &mut now, 10, &[(1, 30), (2, 30)]);
        talk(&mut speakers, &mut now, 100, &[(2, 30)]);
        assert_eq!(speakers.chosen(), [2]);
        speakers.remove(2);
        assert!(speakers.chosen().is_empty());
    }

    #[test]
    fn senders_without_levels_count_as_speaking_while_they_send() {
        let mut now = start();
        let mut speakers = Speakers::default();
        let quiet: Vec<(u32, u8)> = (0..6).map(|source| (source, 100)).collect();
        talk(&mut speakers, &mut now, 20, &quiet);
        speakers.observe(now, 9, Loudness::Unknown);
        speakers.choose(now);
        assert_eq!(speakers.speaking(now).as_slice(), [9]);
        for _ in 0..60 {
            now += TURN;
            speakers.observe(now, 9, Loudness::Silence);
        }
        speakers.choose(now);
        assert!(speakers.speaking(now).is_empty());
    }
}
