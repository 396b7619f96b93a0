//! RTCP from peers: reports, retransmissions, keyframes wanted.

use std::time::{Duration, Instant};

use super::Engine;
use super::line::number;
use super::peer::{Peer, RESENDS_PER_TICK};
use super::source::{ClockSample, EncodingKey, Owner, PeerKey};
use crate::api::{Event, Received, Relay, RelayContent};
use crate::rtcp::{self, Compound, LostSequences, Message, ReportBlock, SenderInfo};

/// Within one round trip a receiver asks again; what it asked for is on its way. Its own
/// idea of the round trip may be a little shorter than ours.
const MIN_RESEND_INTERVAL: Duration = Duration::from_millis(20);
const MAX_RESEND_INTERVAL: Duration = Duration::from_millis(500);
/// What is older is shown no more, whatever the cache still holds.
const MAX_RESEND_AGE: Duration = Duration::from_secs(2);
/// A keyframe that went out so lately has not been seen by who asks for one.
const KEYFRAME_ON_ITS_WAY: Duration = Duration::from_millis(100);
/// A sender whose clock leaves ours by more (32.32 seconds) has set it anew.
const MAX_CLOCK_DRIFT: i64 = 2 << 32;
/// The origin of the node's NTP timeline in seconds: far from zero, which means "none".
const NTP_ORIGIN: u64 = 1 << 31;

impl Engine {
    pub(super) fn receive_rtcp(&mut self, now: Instant, key: PeerKey, packet: &[u8]) -> Received {
        self.counters.rtcp_received += 1;
        let Ok(compound) = Compound::parse(packet) else {
            self.counters.dropped_malformed += 1;
            return Received::Dropped;
        };
        for message in compound {
            match message {
                Message::SenderReport { info, reports } => {
                    self.sender_report(now, key, &info);
                    reports.for_each(|report| self.report_block(now, key, &report));
                }
                Message::ReceiverReport { reports, .. } => {
                    reports.for_each(|report| self.report_block(now, key, &report));
                }
                Message::Nack { media, lost, .. } => self.resend(now, key, media, lost),
                Message::Pli { media, .. } => self.keyframe_wanted(now, key, media),
                Message::Fir { entries, .. } => {
                    for (media, _) in entries {
                        self.keyframe_wanted(now, key, media);
                    }
                }
                Message::Remb {
                    bits_per_second, ..
                } => self.receiver_estimate(now, key, bits_per_second),
                Message::TransportFeedback(feedback) => self.arrivals(now, key, &feedback),
                // A track that ends is told by signaling; a silent one by its silence.
                Message::Bye { .. } => {}
            }
        }
        Received::Handled
    }

    /// The node's time in NTP format.
    pub(super) fn ntp(&self, now: Instant) -> u64 {
        let elapsed = now.saturating_duration_since(self.epoch);
        let fraction = (u64::from(elapsed.subsec_nanos()) << 32) / 1_000_000_000;
        (NTP_ORIGIN.wrapping_add(elapsed.as_secs()) << 32) | fraction
    }

    /// Puts the sender's clock onto the node's timeline: by the same shift for all its
    /// tracks, so that sound and picture stay in step.
    fn sender_report(&mut self, now: Instant, key: PeerKey, info: &SenderInfo) {
        let here = self.ntp(now);
        let peer = &mut self.peers[key];
        let Some(stream) = peer.stream(info.ssrc) else {
            return;
        };
        if stream.rtx {
            return;
        }
        let shift = here.wrapping_sub(info.ntp);
        let known = *peer.ntp_shift.get_or_insert(shift);
        let drift = shift.wrapping_sub(known) as i64;
        let shift = if drift.saturating_abs() > MAX_CLOCK_DRIFT {
            *peer.ntp_shift.insert(shift)
        } else {
            known
        };
        let ntp = info.ntp.wrapping_add(shift);
        let worker = self.config.worker;
        let source = &mut self.sources[stream.key.source];
        let (id, is_video, room) = (source.id, source.is_video, source.room);
        let Some(encoding) = source.encoding_mut(stream.key.encoding) else {
            return;
        };
        encoding.report = Some(((info.ntp >> 16) as u32, now));
        encoding.clock = Some(ClockSample {
            ntp,
            timestamp: info.rtp_timestamp,
        });
        let room = &self.rooms[room];
        let workers = if is_video {
            encoding.workers
        } else if room.own_speakers.chosen().contains(&stream.key.source) {
            room.others(worker)
        } else {
            0
        };
        if workers != 0 {
            self.control.relays.push(Relay {
                source: id,
                encoding: stream.key.encoding,
                room: room.id,
                workers,
                content: RelayContent::Clock {
                    generation: encoding.life,
                    ntp,
                    timestamp: info.rtp_timestamp,
                },
            });
        }
    }

    fn report_block(&mut self, now: Instant, key: PeerKey, report: &ReportBlock) {
        let here = (self.ntp(now) >> 16) as u32;
        let peer = &mut self.peers[key];
        let congested = peer.line.as_ref().is_some_and(|l| l.is_congested(now));
        let Some(slot) = peer.slots.iter_mut().find(|slot| slot.ssrc == report.ssrc) else {
            return;
        };
        slot.fraction_lost = report.fraction_lost;
        slot.jitter = report.jitter;
        if !slot.is_video {
            slot.hear_loss(now, report.fraction_lost, congested);
        }
        if report.last_sender_report == 0 {
            return;
        }
        // RFC 3550 §6.4.1: in 1/65536 s; a negative result is the peer's error.
        let round_trip = here
            .wrapping_sub(report.delay_since_sender_report)
            .wrapping_sub(report.last_sender_report);
        if round_trip < 10 << 16 {
            let micros = (u64::from(round_trip) * 1_000_000) >> 16;
            peer.measure_round_trip(Duration::from_micros(micros));
        }
    }

    /// Answers a NACK from the caches.
    fn resend(&mut self, now: Instant, key: PeerKey, media: u32, lost: LostSequences<'_>) {
        let peer = &mut self.peers[key];
        let interval =
            (peer.present_round_trip() * 3 / 4).clamp(MIN_RESEND_INTERVAL, MAX_RESEND_INTERVAL);
        let Peer {
            transport,
            slots,
            resends,
            down,
            line,
            ..
        } = peer;
        let (Some(path), Some(slot)) = (
            transport.path(),
            slots.iter_mut().find(|slot| slot.ssrc == media),
        ) else {
            return;
        };
        let Some(srtp) = transport.srtp_out() else {
            return;
        };
        if let Some(line) = line {
            line.refill(now);
        }
        // With the next tick more may be sent again.
        self.attention.at_once(key);
        for wire in lost {
            // A receiver with a thin line would fill it with what is late already.
            let full = line.as_ref().is_some_and(|line| !line.may_repair());
            if *resends >= RESENDS_PER_TICK || full {
                return;
            }
            // Shown no more: a keyframe of another encoding has taken its place, or will.
            if slot.munger.is_past(wire) {
                continue;
            }
            let Some((origin, sequence)) = slot.munger.sent(wire) else {
                continue;
            };
            let source = self.sources.get(origin.source);
            let encoding = source.and_then(|source| source.encoding(origin.encoding));
            let Some(encoding) = encoding.filter(|known| known.life == origin.life) else {
                continue;
            };
            // Lost before us: it goes out when its sender has sent it again.
            let Some((meta, payload)) = encoding.cache.packet(sequence) else {
                continue;
            };
            if encoding
                .cache
                .age(now, sequence)
                .is_none_or(|age| age > MAX_RESEND_AGE)
            {
                continue;
            }
            if !slot.may_resend(now, wire, interval) {
                continue;
            }
            let start = self.control.bytes.len();
            let packet = (wire, sequence);
            let numbered = number(line, slot);
            let stored = (meta, payload, encoding.structure());
            if slot.resend(srtp, packet, stored, &mut self.control.bytes) {
                self.control.enter_video(path, start);
                let bytes = self.control.bytes.len() - start;
                down.bytes += bytes as u64;
                if let Some(line) = numbered {
                    line.sent(now, bytes);
                    line.repaired(bytes);
                }
                *resends += 1;
                self.counters.retransmitted += 1;
            }
        }
    }

    /// A receiver cannot decode what a slot shows.
    fn keyframe_wanted(&mut self, now: Instant, key: PeerKey, media: u32) {
        let peer = &self.peers[key];
        let wait = peer.round_trip().min(KEYFRAME_ON_ITS_WAY);
        let Some(slot) = peer.slots.iter().find(|slot| slot.ssrc == media) else {
            return;
        };
        let on_its_way = slot
            .keyframe_at
            .is_some_and(|at| now.saturating_duration_since(at) < wait);
        let (Some(source), Some(origin), false) = (slot.shows, slot.munger.origin(), on_its_way)
        else {
            return; // it waits for one anyway
        };
        let key = EncodingKey {
            source,
            encoding: origin.encoding,
        };
        if let Some(encoding) = self.sources[source].encoding_mut(key.encoding) {
            encoding.keyframe.want_repair();
        }
        self.ask_keyframe(now, key);
    }

    /// Asks an encoding for a keyframe, now or as soon as the last asking is long enough ago.
    pub(super) fn want_keyframe(&mut self, now: Instant, key: EncodingKey) {
        if let Some(encoding) = self.sources[key.source].encoding_mut(key.encoding) {
            encoding.keyframe.want();
        }
        self.ask_keyframe(now, key);
    }

    /// Asks if somebody wants one and it is time.
    pub(super) fn ask_keyframe(&mut self, now: Instant, key: EncodingKey) {
        let source = &mut self.sources[key.source];
        let id = source.id;
        if !source.is_video || !source.open {
            return;
        }
        let (worker, peer) = match &source.owner {
            Owner::Remote(worker) => (Some(*worker), 0),
            Owner::Local(upstream) => (None, upstream.peer),
        };
        let Some(encoding) = source.encoding_mut(key.encoding) else {
            return;
        };
        if let Some(worker) = worker {
            if encoding.keyframe.ask(now) {
                self.events.push_back(Event::KeyframeAt {
                    worker,
                    source: id,
                    encoding: key.encoding,
                });
            }
            return;
        }
        // Before its first packet there is nobody to ask; it begins with a keyframe. So
        // does a stopped one.
        let (Some(media), true) = (encoding.ssrc, encoding.active) else {
            return;
        };
        if encoding.keyframe.ask(now) {
            self.counters.keyframes_requested += 1;
            self.send_rtcp(peer, |out, sender| rtcp::pli(out, sender, media));
        }
    }

    /// Sends one compound to a peer: an empty receiver report, which a compound
    /// has to begin with (RFC 3550 §6.1), and what `write` appends.
    pub(super) fn send_rtcp(&mut self, key: PeerKey, write: impl FnOnce(&mut Vec<u8>, u32)) {
        let sender = self.peers[key].ssrc;
        let mut compound = std::mem::take(&mut self.scratch);
        compound.clear();
        rtcp::receiver_report(&mut compound, sender, &[]);
        write(&mut compound, sender);
        self.send_compound(key, &mut compound);
        self.scratch = compound;
    }

    pub(super) fn send_compound(&mut self, key: PeerKey, compound: &mut Vec<u8>) {
        let transport = &mut self.peers[key].transport;
        let Some(path) = transport.path() else {
            return;
        };
        let Some(srtp) = transport.srtp_out() else {
            return;
        };
        if srtp.protect_rtcp(compound).is_ok() {
            self.control.push(path, compound);
        }
    }
}
