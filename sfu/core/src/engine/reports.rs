//! RTCP to peers, as time goes by: reports, feedback, and statistics for the control side.

use std::time::{Duration, Instant};

use arrayvec::ArrayVec;

use super::Engine;
use super::encoding::Encoding;
use super::peer::MAX_STREAMS;
use super::source::{EncodingKey, PeerKey};
use crate::api::{Event, PeerStats, SlotStats};
use crate::codec::Codec;
use crate::ids::{EncodingIndex, SlotIndex, Track};
use crate::quality::{PictureLine, picture_score};
use crate::rtcp::{self, ReportBlock, SenderInfo};
use crate::rtp::munger::Clock;

const REPORT_INTERVAL: Duration = Duration::from_secs(1);
const FEEDBACK_INTERVAL: Duration = Duration::from_millis(100);
/// Above what any of the senders' encoders wants: they are to send at full
/// quality, and what a receiver's line carries is the receiver's matter.
const REMB_BITS_PER_SECOND: u64 = 20_000_000;
/// A compound is closed before it could outgrow a small path's MTU.
const COMPOUND_BYTES: usize = 1_000;

impl Engine {
    /// Everything that is due of one connected peer.
    pub(super) fn report(&mut self, now: Instant, key: PeerKey) {
        self.ask_for_missing(now, key);
        self.choose_layers_in_turn(now, key);
        let peer = &mut self.peers[key];
        if peer.feedback_at <= now {
            peer.feedback_at = now + FEEDBACK_INTERVAL;
            self.transport_feedback(key);
        }
        let peer = &mut self.peers[key];
        // Statistics tell of the loss that the reports of the same second count.
        if peer.report_at <= now || peer.stats_at <= now {
            peer.report_at = now + REPORT_INTERVAL;
            self.send_reports(now, key);
        }
        if self.peers[key].stats_at <= now {
            self.peers[key].stats_at = now + REPORT_INTERVAL;
            self.say_stats(now, key);
            self.look_at_speech(now, key);
        }
    }

    /// NACKs to the peer for what it sent and we did not get.
    fn ask_for_missing(&mut self, now: Instant, key: PeerKey) {
        let round_trip = self.peers[key].round_trip;
        for at in self.encodings_of(key) {
            let Some(encoding) = self.sources[at.source].encoding_mut(at.encoding) else {
                continue;
            };
            let (Some(media), Some(incoming)) = (encoding.ssrc, encoding.incoming.as_mut()) else {
                continue;
            };
            let mut ask = std::mem::take(&mut self.ask);
            ask.clear();
            incoming.due(now, round_trip, &mut ask);
            let gave_up = incoming.take_gave_up();
            if !ask.is_empty() {
                self.counters.nack_sent += 1;
                self.send_rtcp(key, |out, sender| {
                    rtcp::nack(out, sender, media, ask.iter().copied());
                });
            }
            self.ask = ask;
            let taken = self.sources[at.source].encoding(at.encoding);
            let taken = taken.is_some_and(Encoding::is_taken);
            if gave_up && taken {
                self.want_keyframe(now, at);
            }
        }
    }

    /// Of all that a peer sends.
    fn encodings_of(&self, key: PeerKey) -> ArrayVec<EncodingKey, MAX_STREAMS> {
        let mut all = ArrayVec::new();
        for &source in &self.peers[key].sources {
            for at in 0..self.sources[source].encodings.len() {
                let encoding = EncodingIndex(at as u8); // at most MAX_ENCODINGS
                all.extend(
                    [EncodingKey { source, encoding }]
                        .into_iter()
                        .take(all.remaining_capacity()),
                );
            }
        }
        all
    }

    fn transport_feedback(&mut self, key: PeerKey) {
        let Some(mut recorder) = self.peers[key].recorder.take() else {
            return;
        };
        let media = self.first_media(key);
        while recorder.is_pending() {
            let mut wrote = false;
            self.send_rtcp(key, |out, sender| {
                wrote = recorder.build(out, sender, media);
            });
            if !wrote {
                break;
            }
        }
        self.peers[key].recorder = Some(recorder);
    }

    fn first_media(&self, key: PeerKey) -> u32 {
        let streams = &self.peers[key].streams;
        streams.iter().find(|s| !s.rtx).map_or(0, |s| s.ssrc)
    }

    /// Receiver reports and REMB of what the peer sends, sender reports of its slots.
    fn send_reports(&mut self, now: Instant, key: PeerKey) {
        let blocks = self.report_blocks(now, key);
        let mut compound = std::mem::take(&mut self.scratch);
        compound.clear();
        let sender = self.peers[key].ssrc;
        rtcp::receiver_report(&mut compound, sender, &blocks);
        let cname = format!("{:016x}", self.peers[key].session_id);
        rtcp::sdes_cname(&mut compound, sender, &cname);
        let videos = self.remb_ssrcs(key);
        if !videos.is_empty() {
            rtcp::remb(&mut compound, sender, REMB_BITS_PER_SECOND, &videos);
        }
        for slot in 0..self.peers[key].slots.len() {
            let Some(info) = self.sender_info(now, key, slot) else {
                continue;
            };
            if compound.len() > COMPOUND_BYTES {
                self.send_compound(key, &mut compound);
                compound.clear();
            }
            rtcp::sender_report(&mut compound, &info, &[]);
        }
        self.send_compound(key, &mut compound);
        self.scratch = compound;
    }

    fn report_blocks(&mut self, now: Instant, key: PeerKey) -> ArrayVec<ReportBlock, MAX_STREAMS> {
        let mut blocks = ArrayVec::new();
        for at in self.encodings_of(key) {
            let is_video = self.sources[at.source].is_video;
            let Some(encoding) = self.sources[at.source].encoding_mut(at.encoding) else {
                continue;
            };
            let (Some(ssrc), Some(incoming)) = (encoding.ssrc, encoding.incoming.as_mut()) else {
                continue;
            };
            let (reception, expected, lost) = incoming.report();
            let peer = &mut self.peers[key];
            peer.up.count(expected, lost);
            if !is_video {
                peer.up_sound.count(expected, lost);
                peer.sends_redundancy = encoding.codec.is_some_and(|c| c.codec == Codec::Red);
            }
            peer.note_jitter(is_video, reception.jitter);
            let (last_sender_report, delay) = match encoding.report {
                Some((ntp, at)) => {
                    let delay = now.saturating_duration_since(at);
                    (ntp, (delay.as_micros() * 65_536 / 1_000_000) as u32)
                }
                None => (0, 0),
            };
            blocks.push(ReportBlock {
                ssrc,
                fraction_lost: reception.fraction_lost,
                total_lost: reception.cumulative_lost,
                highest_sequence: reception.highest_sequence,
                jitter: reception.jitter,
                last_sender_report,
                delay_since_sender_report: delay,
            });
        }
        blocks
    }

    /// The videos of senders that listen to REMB.
    fn remb_ssrcs(&self, key: PeerKey) -> ArrayVec<u32, MAX_STREAMS> {
        let encodings = self.encodings_of(key).into_iter();
        encodings
            .filter_map(|at| self.sources[at.source].encoding(at.encoding))
            .filter(|encoding| encoding.codec.is_some_and(|codec| codec.feedback.remb))
            .filter_map(|encoding| encoding.ssrc)
            .collect()
    }

    /// The slot's clock against the node's: the source's own sender report,
    /// translated; before there is one, by when its frames arrived.
    fn sender_info(&self, now: Instant, key: PeerKey, slot: usize) -> Option<SenderInfo> {
        let slot = &self.peers[key].slots[slot];
        let origin = slot.munger.origin()?;
        let source = self.sources.get(origin.source)?.encoding(origin.encoding)?;
        let clock = if slot.is_video {
            Clock::VIDEO
        } else {
            Clock::OPUS
        };
        let ntp = self.ntp(now);
        let rtp_timestamp = match source.clock {
            Some(sample) => {
                let elapsed = ntp.wrapping_sub(sample.ntp) as i64;
                let ticks = (i128::from(elapsed) * i128::from(clock.rate)) >> 32;
                slot.munger
                    .timestamp(sample.timestamp.wrapping_add(ticks as u32))?
            }
            None => {
                let (timestamp, at) = slot.munger.newest()?;
                timestamp.wrapping_add(clock.ticks(now.saturating_duration_since(at)))
            }
        };
        Some(SenderInfo {
            ssrc: slot.ssrc,
            ntp,
            rtp_timestamp,
            packets: slot.packets,
            octets: slot.octets,
        })
    }

    fn slot_stats(&mut self, now: Instant, key: PeerKey) -> Vec<SlotStats> {
        let peer = &mut self.peers[key];
        let videos = peer.slots.iter_mut().take(peer.video_slots);
        let mut all = Vec::new();
        for (at, slot) in videos.enumerate() {
            let Some(source) = slot.shows else {
                continue;
            };
            let source = &self.sources[source];
            let running = slot.munger.origin();
            let running = running.and_then(|origin| source.encoding(origin.encoding));
            let figures = slot.figures.take(now);
            let line = PictureLine {
                slides: source.id.track == Track::Screen,
                wanted_height: slot.view.height,
                height: running.map_or(0, |e| e.figures.height_of(slot.spatial_layer())),
                frames_per_second: figures.frames.min(255) as u8,
                bits_per_second: bits(u64::from(figures.bytes)),
                freezes: u32::from(figures.freezes),
                loss: slot.reported_loss(),
                paused: slot.paused,
            };
            all.push(SlotStats {
                slot: SlotIndex(at as u8), // at most 49
                source: Some(source.id),
                bits_per_second: line.bits_per_second,
                loss: line.loss,
                jitter: slot.reported_jitter(),
                height: line.height,
                frames_per_second: line.frames_per_second,
                freezes: line.freezes,
                paused: line.paused,
                score: picture_score(&line),
            });
        }
        all
    }

    fn say_stats(&mut self, now: Instant, key: PeerKey) {
        let slots = self.slot_stats(now, key);
        let peer = &mut self.peers[key];
        let (mut sent, mut lost) = (0.0_f32, 0.0_f32);
        for slot in &mut peer.slots {
            let packets = slot.packets.wrapping_sub(slot.counted_packets) as f32;
            slot.counted_packets = slot.packets;
            sent += packets;
            lost += packets * f32::from(slot.fraction_lost) / 256.0;
        }
        let up = std::mem::take(&mut peer.up);
        let up_sound = std::mem::take(&mut peer.up_sound);
        let down = std::mem::take(&mut peer.down);
        let score = peer.sound_score(up_sound);
        let stats = PeerStats {
            uplink_loss: up.loss(),
            downlink_loss: ratio(lost, sent),
            round_trip: peer.round_trip,
            uplink_bits_per_second: bits(up.bytes),
            downlink_bits_per_second: bits(down.bytes),
            jitter: std::mem::take(&mut peer.jitter),
            score,
            estimate_bits_per_second: peer
                .budget
                .map(|budget| u32::try_from(budget).unwrap_or(u32::MAX)),
        };
        self.events.push_back(Event::Stats {
            peer: peer.id,
            stats,
            slots,
        });
    }
}

/// Bits per second of that many bytes in one second.
fn bits(bytes: u64) -> u32 {
    u32::try_from(bytes * 8).unwrap_or(u32::MAX)
}

fn ratio(part: f32, whole: f32) -> f32 {
    if whole > 0.0 { part / whole } else { 0.0 }
}
