//! What comes into one video slot, and whether it is what the server said.
//!
//! Two checks. Every complete frame of a bot ends with its sender's mark
//! ([`vp8::Mark`]), which is compared with the participant that
//! `Push::Slots` announced. Once a second a keyframe is also decoded, and its
//! ground colour compared: so the mark and the picture are known to agree.
//!
//! The announcement comes over the WebSocket and the frames over UDP: either
//! may be first. A frame of the former participant is right for a while after
//! a switch, and a frame of somebody unannounced is right if the announcement
//! follows in time.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::frames::Frames;
use super::health::Health;
use super::sequence::Sequence;
use crate::media::codec::Vp8Decoder;
use crate::media::picture::{COLOURS, ground_of, index_of};
use crate::media::vp8::{self, Mark};
use crate::report::SlotReport;

/// Sites whose announcement is waited for in one slot; more than that come from no server.
const MAX_EARLY: usize = 8;
/// How far announcement and frames may be apart.
const GRACE: Duration = Duration::from_secs(1);
/// How often a small picture is decoded.
const LOOK_EVERY: Duration = Duration::from_millis(950);
/// The certainty of [`index_of`].
const SAME_COLOUR: f64 = 17.0;

/// Who was announced, as the index of the site.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Occupant {
    /// Tells one stay from the next.
    pub(super) participant: u32,
    /// `None`: no bot of ours (a field phone); its frames are not judged.
    pub(super) index: Option<u16>,
}

/// Frames of somebody who has not been announced yet.
#[derive(Clone, Copy, Debug)]
struct Early {
    index: u16,
    at: Instant,
    frames: u64,
    keyframe: bool,
}

/// Only of a bot is it known that it sends.
fn expects_frames(occupant: Option<Occupant>) -> bool {
    occupant.is_some_and(|o| o.index.is_some())
}

#[derive(Debug, Default)]
pub(super) struct VideoSlot {
    pub(super) sequence: Sequence,
    frames: Frames,
    occupant: Option<Occupant>,
    /// Those before, each right until its moment; a restarted server shuffles fast.
    former: Vec<(Occupant, Instant)>,
    early: Vec<Early>,
    /// Since when a first frame is waited for.
    awaited_since: Option<Instant>,
    looked: Option<Instant>,
    health: Health,
    counts: SlotReport,
}

impl VideoSlot {
    /// The server's word on what the slot shows from now on.
    pub(super) fn announce(&mut self, occupant: Option<Occupant>, now: Instant) {
        if self.occupant.map(|o| o.participant) == occupant.map(|o| o.participant) {
            // Only now may it be known which site it is.
            self.occupant = occupant;
            return self.follow(now);
        }
        self.former.retain(|(_, until)| now <= *until);
        self.former.extend(self.occupant.map(|o| (o, now + GRACE)));
        self.occupant = occupant;
        self.awaited_since = occupant.map(|_| now);
        self.health.announced(occupant.and_then(|o| o.index), now);
        if occupant.is_some() {
            self.counts.switches += 1;
        }
        self.expire(now);
        self.follow(now);
    }

    /// Frames that came before their announcement were in the right slot.
    fn follow(&mut self, now: Instant) {
        let Some(occupant) = self.occupant else {
            return;
        };
        let expected = occupant.index;
        let followed = self
            .early
            .iter()
            .position(|e| expected.is_none_or(|x| x == e.index) && now - e.at <= GRACE);
        if let Some(position) = followed
            && self.early.remove(position).keyframe
        {
            self.first_frame(now);
        }
    }

    /// Frames that no announcement followed in time were in a wrong slot.
    fn expire(&mut self, now: Instant) {
        let wrong = &mut self.counts.wrong_frames;
        self.early.retain(|early| {
            let in_time = now - early.at <= GRACE;
            *wrong += if in_time { 0 } else { early.frames };
            in_time
        });
    }

    /// A new media connection: another stream, and the first frame is awaited again.
    pub(super) fn restart(&mut self, now: Instant) {
        self.sequence.restart();
        self.frames.clear();
        self.health.restart(expects_frames(self.occupant), now);
        self.awaited_since = self.occupant.map(|_| now);
    }

    /// The new connection is up.
    pub(super) fn connected(&mut self, now: Instant) {
        self.health.connected(now);
        self.awaited_since = self.awaited_since.map(|_| now);
    }

    /// The server's word on whether it sends anything.
    pub(super) fn paused(&mut self, paused: bool, now: Instant) {
        self.health.paused(paused, now);
    }

    /// One RTP packet. True when a keyframe has to be asked for.
    pub(super) fn packet(
        &mut self,
        (number, timestamp, marker): (u16, u32, bool),
        payload: &Bytes,
        decoder: Option<&mut Vp8Decoder>,
        now: Instant,
    ) -> bool {
        self.counts.bytes += payload.len() as u64;
        let Some(number) = self.sequence.take(number) else {
            return false;
        };
        let frame = self.frames.take(number, timestamp, marker, payload);
        frame.is_some_and(|frame| self.frame(&frame, decoder, now))
    }

    fn frame(&mut self, frame: &Bytes, decoder: Option<&mut Vp8Decoder>, now: Instant) -> bool {
        self.counts.frames += 1;
        let keyframe = vp8::is_keyframe(frame);
        self.counts.keyframes += u64::from(keyframe);
        let Some(mark) = Mark::of(frame) else {
            self.counts.foreign_frames += 1;
            if keyframe {
                self.first_frame(now);
            }
            return false;
        };
        self.judge(mark.index, keyframe, now);
        let asks = self.health.frame(mark, keyframe, now);
        // A large picture takes many times as long to decode.
        let look_every = LOOK_EVERY * (1 << (2 * mark.layer.min(2)));
        if keyframe
            && self.looked.is_none_or(|at| now - at >= look_every)
            && let Some(decoder) = decoder
        {
            self.looked = Some(now);
            self.look(frame, mark.index, decoder);
        }
        asks
    }

    fn judge(&mut self, index: u16, keyframe: bool, now: Instant) {
        match self.occupant.map(|o| o.index) {
            Some(Some(expected)) if expected == index => {
                if keyframe {
                    self.first_frame(now);
                }
                return;
            }
            // Somebody without an index was announced: a bot is as good as anybody.
            Some(None) => {
                if keyframe {
                    self.first_frame(now);
                }
                return;
            }
            Some(Some(_)) | None => {}
        }
        let just_left = self
            .former
            .iter()
            .any(|(former, until)| now <= *until && former.index.is_none_or(|f| f == index));
        if !just_left {
            self.unannounced(index, keyframe, now);
        }
    }

    fn unannounced(&mut self, index: u16, keyframe: bool, now: Instant) {
        self.expire(now);
        if let Some(early) = self.early.iter_mut().find(|e| e.index == index) {
            early.frames += 1;
            early.keyframe |= keyframe;
            return;
        }
        if self.early.len() == MAX_EARLY {
            self.counts.wrong_frames += self.early.remove(0).frames;
        }
        self.early.push(Early {
            index,
            at: now,
            frames: 1,
            keyframe,
        });
    }

    fn first_frame(&mut self, now: Instant) {
        if let Some(since) = self.awaited_since.take() {
            let waited = now.saturating_duration_since(since);
            self.counts.first_frame_ms.push(waited.as_secs_f64() * 1e3);
        }
    }

    fn look(&mut self, frame: &Bytes, index: u16, decoder: &mut Vp8Decoder) {
        self.counts.pictures_checked += 1;
        let right = decoder
            .decode(frame)
            .ok()
            .and_then(|picture| ground_of(&picture))
            .is_some_and(|ground| {
                let (found, distance) = index_of(ground);
                found == index % COLOURS && distance < SAME_COLOUR
            });
        self.counts.pictures_wrong += u64::from(!right);
    }

    /// The figures so far.
    pub(super) fn report(&self, slot: u32, now: Instant) -> SlotReport {
        let overdue: u64 = self
            .early
            .iter()
            .filter(|early| now - early.at > GRACE)
            .map(|early| early.frames)
            .sum();
        SlotReport {
            slot,
            shows: self.occupant.and_then(|o| o.index),
            packets: self.sequence.received,
            lost: self.sequence.lost(),
            duplicate: self.sequence.duplicate,
            repaired: self.sequence.repaired,
            wrong_frames: self.counts.wrong_frames + overdue,
            health: self.health.report(now),
            ..self.counts.clone()
        }
    }
}

#[cfg(test)]
mod tests;
