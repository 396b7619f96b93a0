//! A receiver's line: what it carries, what may leave now, and what waits.
//!
//! Only receivers that report each packet's arrival have one. What finds the
//! pacer's budget empty waits at its slot as a pair of encoding and sequence number; the
//! packet itself stays in the encoding's cache. Sound never waits.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::Engine;
use super::peer::{Peer, Pending};
use super::slot::Slot;
use super::source::{EncodingKey, Origin, PeerKey, SlotRef};
use crate::bwe::{Estimator, Pacer};
use crate::rtcp::TransportFeedback;
use crate::units::Bitrate;

/// Before the first probe. A picture should be there at once, and on a narrow line
/// not much should be in the queue when that shows.
const START: Bitrate = Bitrate::kbps(800);
/// Kept free beside the media: RTCP, repair, what is below RTP; in percent of the estimate.
const OVERHEAD_PERCENT: u64 = 5;
/// A receiver begins with what there is since the last keyframe, if the line takes no longer for it.
const CATCH_UP: Duration = Duration::from_millis(250);
/// What waits longer is given up, up to the next keyframe.
const MAX_WAIT: Duration = Duration::from_millis(800);
/// Packets that wait at a slot at most.
const MAX_BACKLOG: usize = 512;
/// A client that has agreed to report arrivals, and in so long did not, is served without.
const UNHEARD: Duration = Duration::from_secs(4);
/// Sent packets that a probe repeats, the latest first.
const REPEATED: u16 = 48;
/// Packets of one burst of a probe: 10 Mbit/s and more.
const MAX_BURST: usize = 64;

/// See the module's text.
#[derive(Debug)]
pub struct Line {
    estimator: Estimator,
    pacer: Pacer,
    /// When the first packet left, until feedback comes.
    unheard_since: Option<Instant>,
    heard: bool,
    /// Slots with a backlog, by bits.
    waiting: u64,
    /// Of what is sent once more.
    repair: Pacer,
}

impl Line {
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self {
            estimator: Estimator::new(now, START),
            pacer: Pacer::new(now, START),
            unheard_since: None,
            heard: false,
            waiting: 0,
            repair: Pacer::repair(now, START),
        }
    }

    /// What the slots could take at most, in bits per second.
    pub fn want(&mut self, bits_per_second: u64) {
        let gross = bits_per_second.saturating_mul(100) / (100 - OVERHEAD_PERCENT);
        self.estimator.want(Bitrate::bps(gross));
    }

    pub fn refill(&mut self, now: Instant) {
        self.pacer.refill(now, self.estimator.pacing_rate());
        self.repair.refill(now, self.estimator.estimate());
    }

    /// Whether one more packet may be sent again now.
    #[must_use]
    pub fn may_repair(&self) -> bool {
        self.repair.may_send()
    }

    /// A packet was sent again; that it has left is told apart.
    pub fn repaired(&mut self, bytes: usize) {
        self.repair.sent(bytes);
    }

    /// Its queue was full a moment ago.
    #[must_use]
    pub fn is_congested(&self, now: Instant) -> bool {
        self.estimator.is_congested(now)
    }

    /// Whether so much may go out at once without making all that follows late.
    #[must_use]
    pub fn catches_up(&self, bytes: usize) -> bool {
        bytes as u64 <= self.estimator.estimate().bytes_in(CATCH_UP)
    }

    /// Of a packet and its feedback, lately.
    #[must_use]
    pub fn round_trip(&self) -> Duration {
        self.estimator.present_round_trip()
    }

    /// A packet that bears the estimator's next number has left.
    pub fn sent(&mut self, now: Instant, bytes: usize) {
        self.estimator.sent(now, bytes);
        self.pacer.sent(bytes);
        if !self.heard {
            self.unheard_since.get_or_insert(now);
        }
    }

    /// Whether a packet has to wait; then it does. What a slot begins with goes at once,
    /// and so does sound.
    pub fn holds_back(
        &mut self,
        now: Instant,
        at: u8,
        slot: &mut Slot,
        (origin, sequence): (Origin, u64),
    ) -> bool {
        let begins = slot.munger.origin() != Some(origin);
        let free = slot.backlog.is_empty() && (begins || self.pacer.may_send());
        if free || !slot.is_video || !slot.is_numbered {
            return false;
        }
        self.waiting |= 1_u64.checked_shl(u32::from(at)).unwrap_or(0);
        slot.backlog.push(now, origin, sequence);
        true
    }

    fn budget(&self) -> u64 {
        self.estimator.estimate().as_bps() * (100 - OVERHEAD_PERCENT) / 100
    }

    /// Something waits that may leave with the next tick.
    #[must_use]
    pub fn is_pressing(&self) -> bool {
        self.waiting != 0 || self.estimator.is_probing()
    }

    fn is_mute(&self, now: Instant) -> bool {
        let since = self.unheard_since.filter(|_| !self.heard);
        since.is_some_and(|since| now.saturating_duration_since(since) > UNHEARD)
    }
}

/// Gives the next packet of the slot its transport-wide number, if it bears one;
/// the line has to be told when it has left.
pub fn number<'a>(line: &'a mut Option<Box<Line>>, slot: &mut Slot) -> Option<&'a mut Line> {
    let line = line.as_deref_mut().filter(|_| slot.is_numbered)?;
    slot.stamp(line.estimator.next_sequence());
    Some(line)
}

/// What of a slot waits for its line, in the order in which it goes out.
#[derive(Debug, Default)]
pub struct Backlog {
    packets: VecDeque<(Instant, Origin, u64)>,
}

impl Backlog {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    /// Beyond the bound nothing is taken; the backlog is stale then anyway.
    fn push(&mut self, now: Instant, origin: Origin, sequence: u64) {
        if self.packets.len() < MAX_BACKLOG {
            self.packets.push_back((now, origin, sequence));
        }
    }

    pub fn clear(&mut self) {
        self.packets = VecDeque::new();
    }

    fn is_stale(&self, now: Instant) -> bool {
        let first = self.packets.front().map(|(since, ..)| *since);
        self.packets.len() >= MAX_BACKLOG
            || first.is_some_and(|since| now.saturating_duration_since(since) > MAX_WAIT)
    }
}

impl Engine {
    /// The receiver tells what arrived.
    pub(super) fn arrivals(
        &mut self,
        now: Instant,
        key: PeerKey,
        feedback: &TransportFeedback<'_>,
    ) {
        let peer = &mut self.peers[key];
        let Some(line) = &mut peer.line else {
            return;
        };
        line.heard = true;
        line.estimator.feedback(now, feedback);
        let budget = line.budget();
        let before = peer.budget.replace(budget);
        // A probe may follow on the one before, though no media flows.
        self.attention.at_once(key);
        self.wake(now);
        // A narrower line is heeded at once, a wider one in turn.
        let narrower = before.is_none_or(|before| budget < before / 10 * 9);
        if narrower {
            self.choose_layers(now, key);
        }
    }

    /// Time goes by for a line: what waited goes on, probes go out.
    pub(super) fn tend_line(&mut self, now: Instant, key: PeerKey) {
        let peer = &mut self.peers[key];
        let Some(line) = &mut peer.line else {
            return;
        };
        if line.is_mute(now) {
            peer.line = None;
            peer.budget = None;
            peer.slots.iter_mut().for_each(|slot| slot.backlog.clear());
            return self.choose_layers(now, key);
        }
        line.estimator.tick(now);
        line.refill(now);
        peer.budget = Some(line.budget());
        if line.waiting != 0 {
            self.serve_waiting(now, key);
        }
        self.probe(now, key);
    }

    /// What waits goes out as far as the budget reaches, the most important slot first.
    fn serve_waiting(&mut self, now: Instant, key: PeerKey) {
        let mut out = std::mem::take(&mut self.control);
        let mut left = match &mut self.peers[key].line {
            Some(line) => std::mem::take(&mut line.waiting),
            None => 0,
        };
        while left != 0 {
            let slots = self.peers[key].slots.iter().enumerate();
            let first = slots
                .take(64)
                .filter(|(at, _)| left & (1 << at) != 0)
                .max_by_key(|(_, slot)| (slot.view.prominent, slot.view.height));
            let Some((at, _)) = first else { break };
            left &= !(1 << at);
            let at = SlotRef {
                peer: key,
                slot: at as u8, // below 64
            };
            self.serve_backlog(now, at, &mut out);
        }
        out.append(&mut self.control);
        self.control = out;
    }

    fn serve_backlog(&mut self, now: Instant, at: SlotRef, out: &mut crate::api::Outbox) {
        loop {
            let peer = &mut self.peers[at.peer];
            let slot = &mut peer.slots[usize::from(at.slot)];
            let Some(line) = &mut peer.line else { return };
            if slot.backlog.is_stale(now) {
                return self.give_up(now, at);
            }
            if !line.pacer.may_send() {
                line.waiting |= 1 << at.slot;
                return;
            }
            let Some((_, origin, sequence)) = slot.backlog.packets.pop_front() else {
                return slot.backlog.clear();
            };
            let pending = Pending {
                slot: at.slot,
                encoding: origin.encoding,
            };
            self.serve(now, at.peer, pending, Some((origin, sequence)), out);
        }
    }

    /// The line does not carry what the slot shows: it stands until the next keyframe, as
    /// a broken picture would be worse.
    fn give_up(&mut self, now: Instant, at: SlotRef) {
        let slot = &mut self.peers[at.peer].slots[usize::from(at.slot)];
        let lost = slot.backlog.packets.len() as u64;
        slot.backlog.clear();
        self.counters.dropped_overload += lost;
        let (Some(source), Some(origin)) = (slot.shows, slot.munger.origin()) else {
            return;
        };
        slot.munger.stop();
        let encoding = *slot.target.get_or_insert(origin.encoding);
        self.settle(at);
        self.want_keyframe(now, EncodingKey { source, encoding });
    }

    /// What a probe asks for beyond media: packets that were sent, once more, or padding
    /// where there are none.
    fn probe(&mut self, now: Instant, key: PeerKey) {
        let Peer {
            transport,
            slots,
            video_slots,
            line,
            down,
            ..
        } = &mut self.peers[key];
        let Some(line) = line
            .as_mut()
            .filter(|line| line.estimator.probe_bytes(now) > 0)
        else {
            return;
        };
        let slots = &mut slots[..*video_slots];
        let repeats = slots
            .iter()
            .rposition(|slot| slot.can_repeat() && slot.is_numbered);
        let padded = slots.iter().position(|slot| slot.is_numbered);
        let (Some(path), Some(at)) = (transport.path(), repeats.or(padded)) else {
            return;
        };
        let (slot, Some(srtp)) = (&mut slots[at], transport.srtp_out()) else {
            return;
        };
        let newest = slot.last_wire.filter(|_| repeats.is_some());
        let mut sent = 0;
        for back in (0..REPEATED).cycle().take(2 * usize::from(REPEATED)) {
            if line.estimator.probe_bytes(now) == 0 || sent >= MAX_BURST {
                return;
            }
            let packet = newest.and_then(|newest| {
                let wire = newest.wrapping_sub(back);
                let (origin, sequence) = slot.munger.sent(wire)?;
                let source = self.sources.get(origin.source)?;
                let encoding = source.encoding(origin.encoding);
                let encoding = encoding.filter(|known| known.life == origin.life)?;
                let (meta, payload) = encoding.cache.packet(sequence)?;
                Some(((wire, sequence), (meta, payload, encoding.structure())))
            });
            slot.stamp(line.estimator.next_sequence());
            let start = self.control.bytes.len();
            let out = &mut self.control.bytes;
            let written = match packet {
                Some((number, stored)) => slot.resend(srtp, number, stored, out),
                None => slot.pad(srtp, out),
            };
            if written {
                self.control.enter_video(path, start);
                let bytes = self.control.bytes.len() - start;
                down.bytes += bytes as u64;
                line.sent(now, bytes);
                sent += 1;
            }
        }
    }
}
