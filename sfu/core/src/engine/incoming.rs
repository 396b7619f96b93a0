//! A clear RTP packet from a peer: which source it is of, and into its cache.

use std::time::Instant;

use super::Engine;
use super::loss::{Arrival, Incoming};
use super::peer::IncomingStream;
use super::source::{PacketMeta, PeerKey, SourceKey};
use crate::api::{Event, Received};
use crate::rtp::RtpHeader;
use crate::rtp::cache::Insertion;
use crate::rtp::munger::Clock;

impl Engine {
    pub(super) fn receive_rtp(&mut self, now: Instant, key: PeerKey, packet: &[u8]) -> Received {
        self.counters.rtp_received += 1;
        self.media_at = Some(now);
        self.wake(now);
        match self.take_rtp(now, key, packet) {
            Some(received) => received,
            None => {
                self.counters.dropped_malformed += 1;
                Received::Dropped
            }
        }
    }

    /// `None`: not a packet that we can read, or of no track.
    fn take_rtp(&mut self, now: Instant, key: PeerKey, packet: &[u8]) -> Option<Received> {
        let header = RtpHeader::parse(packet).ok()?;
        self.peers[key].up.bytes += packet.len() as u64;
        let stream = match self.peers[key].stream(header.ssrc) {
            Some(stream) => stream,
            None => self.learn(key, &header, packet)?,
        };
        let source = &mut self.sources[stream.source];
        let (open, life_started) = (source.open, source.last_packet.is_some());
        let upstream = source.upstream()?;
        let values = upstream.extensions.read(&header, packet);
        if let (Some(sequence), Some(recorder)) =
            (values.transport_sequence, self.peers[key].recorder.as_mut())
        {
            recorder.record(now, sequence);
        }
        let (codec, rtx) = upstream.codec_of(header.payload_type)?;
        if !open {
            if life_started {
                // Muted is not silent.
                source.last_packet = Some(now);
            }
            self.counters.dropped_gated += 1;
            return Some(Received::Dropped);
        }
        let upstream = source.upstream_mut()?;
        if !rtx && upstream.ssrc != Some(header.ssrc) {
            let restarts = upstream.ssrc.is_some() && life_started;
            upstream.ssrc = Some(header.ssrc);
            if restarts {
                self.restart(stream.source);
            }
        }
        let payload = header.payload(packet);
        let (wire, payload) = if rtx {
            // RFC 4588 §4: the original number stands before the original payload.
            match payload.split_first_chunk() {
                Some((original, payload)) => (u16::from_be_bytes(*original), payload),
                None => return Some(Received::Handled), // a probe of padding
            }
        } else {
            (header.sequence, payload)
        };
        let sequence = self.place(stream.source, wire, rtx)?;
        let mut meta = PacketMeta::new(codec.codec, header.timestamp, header.marker, payload);
        meta.level = values.audio_level;
        meta.orientation = values.video_orientation;
        let insertion = self.store(now, stream.source, sequence, meta, payload);
        let source = &mut self.sources[stream.source];
        let upstream = source.upstream_mut()?;
        upstream.codec = Some(codec);
        let incoming = upstream.incoming.as_mut()?;
        match (insertion, rtx) {
            (Insertion::Stored, false) => {
                let arrival = incoming.note(now, sequence, codec.feedback.nack);
                if arrival == Arrival::Newest {
                    let elapsed = now.saturating_duration_since(self.epoch);
                    let clock = if codec.codec.is_video() {
                        Clock::VIDEO
                    } else {
                        Clock::OPUS
                    };
                    incoming.jitter(clock.ticks(elapsed), header.timestamp);
                }
            }
            (Insertion::Stored | Insertion::Duplicate | Insertion::TooOld, _) => {
                incoming.found(now, sequence);
            }
        }
        Some(Received::Handled)
    }

    /// The extended number of a packet; a far jump begins a new life.
    fn place(&mut self, key: SourceKey, wire: u16, rtx: bool) -> Option<u64> {
        let upstream = self.sources[key].upstream_mut()?;
        let incoming = match upstream.incoming.as_mut() {
            Some(incoming) => incoming,
            None if rtx => return None,
            None => upstream.incoming.insert(Incoming::new(wire)),
        };
        let sequence = incoming.extend(wire);
        if !incoming.jumps(sequence) {
            return Some(sequence);
        }
        if rtx {
            return None;
        }
        self.restart(key);
        let upstream = self.sources[key].upstream_mut()?;
        let incoming = upstream.incoming.insert(Incoming::new(wire));
        Some(incoming.extend(wire))
    }

    fn restart(&mut self, key: SourceKey) {
        let life = self.next_life();
        self.sources[key].begin_life(life);
    }

    /// Puts a packet of any source into its cache and its queue.
    pub(super) fn store(
        &mut self,
        now: Instant,
        key: SourceKey,
        sequence: u64,
        meta: PacketMeta,
        payload: &[u8],
    ) -> Insertion {
        let source = &mut self.sources[key];
        let insertion = source.cache.insert(now, sequence, meta, payload);
        if insertion != Insertion::Stored {
            return insertion;
        }
        source.last_packet = Some(now);
        if source.is_video && meta.keyframe {
            source.keyframe.seen();
        }
        self.counters.dropped_overload += source.enqueue(sequence) as u64;
        if !source.dirty {
            source.dirty = true;
            self.fan_out.dirty(key);
        }
        if !source.started {
            source.started = true;
            if source.id.peer.worker() == self.config.worker {
                let source = source.id;
                self.events.push_back(Event::SourceStarted { source });
                // The sender is to know soon how much it may send.
                if let Some(upstream) = self.sources[key].upstream() {
                    let peer = upstream.peer;
                    self.peers[peer].report_at = now;
                }
            }
        }
        let source = &self.sources[key];
        if !source.is_video {
            let loudness = meta.loudness(payload);
            let room = &mut self.rooms[source.room];
            room.speakers.observe(now, key, loudness);
            if room.speakers.unsettled() && !self.unsettled.contains(&source.room) {
                self.unsettled.push(source.room);
            }
            if source.id.peer.worker() == self.config.worker && room.others(self.config.worker) != 0
            {
                room.own_speakers.observe(now, key, loudness);
            }
        }
        insertion
    }

    /// Finds the source of an SSRC that is not known yet: by the mid it carries,
    /// else by a payload type that only one track has.
    fn learn(&mut self, key: PeerKey, header: &RtpHeader, packet: &[u8]) -> Option<IncomingStream> {
        let peer = &self.peers[key];
        let mid = peer.extensions.read(header, packet).mid;
        let mut found = None;
        for &source in &peer.sources {
            let Some(upstream) = self.sources[source].upstream() else {
                continue;
            };
            let Some((_, rtx)) = upstream.codec_of(header.payload_type) else {
                continue;
            };
            match mid {
                Some(mid) if mid != upstream.mid.as_slice() => {}
                // Two tracks with this payload type and no mid: nobody knows whose it is.
                _ if found.is_some() => return None,
                _ => {
                    found = Some(IncomingStream {
                        ssrc: header.ssrc,
                        source,
                        rtx,
                    });
                }
            }
        }
        let stream = found?;
        self.peers[key].learn(stream).then_some(stream)
    }
}
