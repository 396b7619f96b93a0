//! What the figures of a peer come to: jitter and score (see [`quality`](crate::quality)).

use std::time::Duration;

use super::peer::{Peer, Traffic};
use super::slot::Slot;
use crate::quality::{SoundLine, sound_score};
use crate::rtp::munger::Clock;

impl Slot {
    /// As the receiver's last report says.
    pub fn reported_jitter(&self) -> Duration {
        self.clock().duration(self.jitter)
    }

    pub fn reported_loss(&self) -> f32 {
        f32::from(self.fraction_lost) / 256.0
    }
}

impl Clock {
    /// How long so many ticks are.
    fn duration(self, ticks: u32) -> Duration {
        Duration::from_micros(u64::from(ticks) * 1_000_000 / u64::from(self.rate))
    }
}

impl Peer {
    /// Of what the peer sends, from a receiver report of ours.
    pub fn note_jitter(&mut self, is_video: bool, ticks: u32) {
        let clock = if is_video { Clock::VIDEO } else { Clock::OPUS };
        self.jitter = self.jitter.max(clock.duration(ticks));
    }

    /// The score of the worst of its sounds: what it says, and whom it hears.
    /// `sound`: packets of its microphone in the last second.
    pub fn sound_score(&self, sound: Traffic) -> f32 {
        let round_trip = self.round_trip.unwrap_or_default();
        let up = SoundLine {
            loss: sound.loss(),
            copies: usize::from(self.sends_redundancy),
            round_trip,
            jitter: self.jitter,
        };
        let heard = self.slots[self.video_slots..].iter();
        let down = heard.filter(|slot| slot.shows.is_some()).map(|slot| {
            sound_score(&SoundLine {
                loss: slot.reported_loss(),
                copies: slot.redundancy_sent(),
                round_trip,
                jitter: slot.reported_jitter(),
            })
        });
        down.fold(sound_score(&up), f32::min)
    }
}

impl Traffic {
    pub fn count(&mut self, expected: u64, lost: u64) {
        self.expected += expected;
        self.lost += lost;
    }

    /// 0 to 1.
    pub fn loss(&self) -> f32 {
        if self.expected == 0 {
            0.0
        } else {
            self.lost as f32 / self.expected as f32
        }
    }
}
