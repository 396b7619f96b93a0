//! What a browser makes of a video slot: it asks again for what is missing, shows
//! frames once all is there that they build on, and asks for a keyframe when it is stuck.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use liandong_sfu_core::rtcp::{self, ReportBlock};

use crate::client::{Client, Seen};

/// As browsers have it: a round trip that they do not know better, and tries.
const ASK_AGAIN: Duration = Duration::from_millis(100);
const TRIES: u8 = 10;
const STUCK: Duration = Duration::from_secs(3);

/// A frame that was shown.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    pub at: Instant,
    /// The sender's encoding.
    pub layer: u8,
}

#[derive(Debug)]
pub struct Pane {
    slot: usize,
    /// Packets of the client's list that were looked at.
    looked: usize,
    newest: u64,
    packets: BTreeMap<u64, Seen>,
    /// The next packet to decode.
    next: Option<u64>,
    asked: BTreeMap<u64, (Instant, u8)>,
    stuck_since: Instant,
    pub shown: Vec<Shown>,
    pub plis: u32,
}

impl Pane {
    pub fn new(now: Instant, slot: usize) -> Self {
        Self {
            slot,
            looked: 0,
            newest: 1 << 20,
            packets: BTreeMap::new(),
            next: None,
            asked: BTreeMap::new(),
            stuck_since: now,
            shown: Vec::new(),
            plis: 0,
        }
    }

    /// Takes what has come, and asks for what has not.
    pub fn look(&mut self, now: Instant, client: &mut Client) {
        for seen in client.video(self.slot).iter().skip(self.looked).copied() {
            self.looked += 1;
            let step = i64::from(seen.wire.wrapping_sub(self.newest as u16) as i16);
            let number = self.newest.wrapping_add_signed(step);
            self.newest = self.newest.max(number);
            self.packets.insert(number, seen);
            self.asked.remove(&number);
            self.show(seen.at);
        }
        let ssrc = client.video_ssrc(self.slot);
        let missing = self.missing(now);
        if !missing.is_empty() {
            client.send_rtcp(|out| rtcp::nack(out, 77, ssrc, missing));
        }
        let waits = self.next.is_some_and(|next| self.newest >= next);
        if !waits {
            self.stuck_since = now;
        } else if now - self.stuck_since > STUCK {
            self.stuck_since = now;
            self.plis += 1;
            client.send_rtcp(|out| rtcp::pli(out, 77, ssrc));
        }
    }

    fn show(&mut self, at: Instant) {
        let jump = self.packets.iter().rev().find(|(number, seen)| {
            seen.keyframe && self.next.is_none_or(|next| **number > next) && self.whole(**number)
        });
        if let Some((number, _)) = jump {
            self.next = Some(*number);
        }
        while let Some(next) = self.next
            && let Some(seen) = self.packets.get(&next)
        {
            self.next = Some(next + 1);
            if seen.marker {
                self.stuck_since = at;
                let layer = seen.layer;
                self.shown.push(Shown { at, layer });
            }
        }
    }

    /// All packets of the frame that begins here have come.
    fn whole(&self, first: u64) -> bool {
        (first..=self.newest)
            .map_while(|number| self.packets.get(&number))
            .any(|seen| seen.marker)
    }

    fn missing(&mut self, now: Instant) -> Vec<u16> {
        let mut due = Vec::new();
        for number in self.next.unwrap_or(self.newest)..self.newest {
            if self.packets.contains_key(&number) {
                continue;
            }
            let (at, tries) = self.asked.get(&number).copied().unwrap_or((now, 0));
            if tries < TRIES && (tries == 0 || now - at >= ASK_AGAIN) {
                self.asked.insert(number, (now, tries + 1));
                due.push(number as u16);
            }
        }
        due
    }

    pub fn frames(&self, from: Instant, to: Instant) -> impl Iterator<Item = &Shown> {
        let within = move |shown: &&Shown| (from..to).contains(&shown.at);
        self.shown.iter().filter(within)
    }

    pub fn longest_gap(&self, from: Instant, to: Instant) -> Duration {
        let mut before = from;
        let mut longest = Duration::ZERO;
        for at in self.frames(from, to).map(|shown| shown.at).chain([to]) {
            longest = longest.max(at - before);
            before = at;
        }
        longest
    }
}

/// Tells how much of the sound was lost.
#[derive(Debug, Default)]
pub struct Ears {
    /// By audio SSRC: the newest number, and how many had come.
    told: BTreeMap<u32, (u64, u64)>,
}

impl Ears {
    /// A receiver report of what was lost since the last one.
    pub fn report(&mut self, client: &mut Client) {
        let mut blocks = Vec::new();
        for slot in 0..client.wants.audio_slots {
            let ssrc = client.audio_ssrc(slot);
            let Some(numbers) = client.numbers.get(&ssrc) else {
                continue;
            };
            let newest = *numbers.last().unwrap();
            let count = numbers.len() as u64;
            let first = *numbers.first().unwrap() - 1;
            let (before, then) = self
                .told
                .insert(ssrc, (newest, count))
                .unwrap_or((first, 0));
            let (expected, came) = (newest - before, count - then);
            if expected > 0 {
                let lost = expected.saturating_sub(came);
                blocks.push(ReportBlock {
                    ssrc,
                    fraction_lost: (lost * 256 / expected).min(255) as u8,
                    total_lost: 0,
                    highest_sequence: newest as u32,
                    jitter: 0,
                    last_sender_report: 0,
                    delay_since_sender_report: 0,
                });
            }
        }
        client.send_rtcp(|out| rtcp::receiver_report(out, 77, &blocks));
    }
}
