//! All slots of one bot.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use liandong_protocol::server::SlotQuality;
use rtc::rtp::Packet;

use super::MediaPlan;
use super::sequence::Sequence;
use super::slot::{Occupant, VideoSlot};
use crate::media::codec::Vp8Decoder;
use crate::report::{BotReport, SlotReport};

/// Where a received stream belongs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Place {
    Video(usize),
    Audio(usize),
}

#[derive(Debug, Default)]
struct AudioSlot {
    sequence: Sequence,
    bytes: u64,
}

#[derive(Debug)]
struct Slots {
    video: Vec<VideoSlot>,
    audio: Vec<AudioSlot>,
    /// Opened when the first keyframe is looked at; `None` before and if there is none.
    decoder: Option<Vp8Decoder>,
    last_packet: Option<Instant>,
    /// The last packet before the present media connection, until its first one.
    silent_since: Option<Instant>,
    away_ms: Vec<f64>,
}

/// Shared by the tasks that receive; each holds the lock for one packet.
#[derive(Debug)]
pub(super) struct Board(Mutex<Slots>);

impl Board {
    pub(super) fn new(plan: &MediaPlan) -> Self {
        Self(Mutex::new(Slots {
            video: (0..plan.video_slots)
                .map(|_| VideoSlot::default())
                .collect(),
            audio: (0..plan.audio_slots)
                .map(|_| AudioSlot::default())
                .collect(),
            decoder: None,
            last_packet: None,
            silent_since: None,
            away_ms: Vec::new(),
        }))
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        // A panic elsewhere leaves counters behind, which are still good to read.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `Push::Slots` said; slots that it does not name are empty.
    pub(super) fn announce(&self, occupants: &[Option<Occupant>], now: Instant) {
        for (number, slot) in self.slots().video.iter_mut().enumerate() {
            slot.announce(occupants.get(number).copied().flatten(), now);
        }
    }

    /// What `Push::SlotQuality` said.
    pub(super) fn quality(&self, reports: &[SlotQuality], now: Instant) {
        let mut slots = self.slots();
        for report in reports {
            if let Some(slot) = slots.video.get_mut(report.slot as usize) {
                slot.paused(report.paused, now);
            }
        }
    }

    /// Another media connection is about to come up.
    pub(super) fn restart(&self, now: Instant) {
        let mut slots = self.slots();
        slots.silent_since = slots.silent_since.or(slots.last_packet);
        slots.video.iter_mut().for_each(|slot| slot.restart(now));
        slots
            .audio
            .iter_mut()
            .for_each(|slot| slot.sequence.restart());
    }

    /// It is up.
    pub(super) fn connected(&self, now: Instant) {
        let mut slots = self.slots();
        slots.video.iter_mut().for_each(|slot| slot.connected(now));
    }

    /// The call is over: the silence that follows is no loss.
    pub(super) fn hang_up(&self) {
        let mut slots = self.slots();
        slots.last_packet = None;
        slots.silent_since = None;
    }

    /// One packet. True when a keyframe of its stream has to be asked for.
    pub(super) fn packet(&self, place: Place, packet: &Packet, now: Instant) -> bool {
        let head = &packet.header;
        let mut slots = self.slots();
        slots.last_packet = Some(now);
        if let Some(since) = slots.silent_since.take() {
            let away = now.saturating_duration_since(since);
            slots.away_ms.push(away.as_secs_f64() * 1e3);
        }
        let Slots {
            video,
            audio,
            decoder,
            ..
        } = &mut *slots;
        match place {
            Place::Video(number) => {
                let Some(slot) = video.get_mut(number) else {
                    return false;
                };
                if decoder.is_none() {
                    *decoder = Vp8Decoder::new().ok();
                }
                let head = (head.sequence_number, head.timestamp, head.marker);
                slot.packet(head, &packet.payload, decoder.as_mut(), now)
            }
            Place::Audio(number) => {
                if let Some(slot) = audio.get_mut(number) {
                    slot.bytes += packet.payload.len() as u64;
                    slot.sequence.take(head.sequence_number);
                }
                false
            }
        }
    }

    /// Writes the figures of all slots into the report.
    pub(super) fn report(&self, report: &mut BotReport, now: Instant) {
        let slots = self.slots();
        report.media_away_ms.clone_from(&slots.away_ms);
        report.video_slots = (0..)
            .zip(&slots.video)
            .map(|(number, slot)| slot.report(number, now))
            .collect();
        report.audio_slots = (0..)
            .zip(&slots.audio)
            .map(|(slot, audio)| SlotReport {
                slot,
                packets: audio.sequence.received,
                bytes: audio.bytes,
                lost: audio.sequence.lost(),
                duplicate: audio.sequence.duplicate,
                repaired: audio.sequence.repaired,
                ..SlotReport::default()
            })
            .collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sound_is_counted_and_strangers_are_not() {
        let board = Board::new(&MediaPlan {
            video_slots: 1,
            audio_slots: 2,
            ..MediaPlan::default()
        });
        let now = Instant::now();
        let mut packet = Packet::default();
        for number in [5, 6, 8] {
            packet.header.sequence_number = number;
            board.packet(Place::Audio(1), &packet, now);
        }
        board.packet(Place::Audio(9), &packet, now);
        board.packet(Place::Video(1), &packet, now);
        let mut report = BotReport::default();
        board.report(&mut report, now);
        assert_eq!((report.video_slots.len(), report.audio_slots.len()), (1, 2));
        let sound = &report.audio_slots[1];
        assert_eq!((sound.slot, sound.packets, sound.lost), (1, 3, 1));
        assert!(report.media_away_ms.is_empty());

        board.restart(now);
        let later = now + std::time::Duration::from_millis(700);
        board.packet(Place::Audio(0), &packet, later);
        board.packet(Place::Audio(0), &packet, later);
        board.report(&mut report, later);
        assert_eq!(report.media_away_ms, [700.0]);
        board.hang_up();
        board.restart(later);
        board.packet(Place::Audio(0), &packet, later);
        board.report(&mut report, later);
        assert_eq!(report.media_away_ms.len(), 1);
    }
}
