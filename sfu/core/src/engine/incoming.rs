//! A clear RTP packet from a peer: which encoding it is of, and into its cache.

use std::time::Instant;

use super::Engine;
use super::loss::{Arrival, Incoming};
use super::peer::IncomingStream;
use super::source::{EncodingKey, PacketMeta, PeerKey, SourceKey};
use crate::api::{Event, Received};
use crate::ids::EncodingIndex;
use crate::room::Loudness;
use crate::rtp::RtpHeader;
use crate::rtp::cache::Insertion;
use crate::rtp::munger::Clock;

/// RTP header, extensions and the seal, as a receiver's line carries them beside a payload.
const AROUND_PAYLOAD: usize = 40;

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
        let source = &mut self.sources[stream.key.source];
        let upstream = source.upstream()?;
        let values = upstream.extensions.read(&header, packet);
        if let (Some(sequence), Some(recorder)) =
            (values.transport_sequence, self.peers[key].recorder.as_mut())
        {
            recorder.record(now, sequence);
        }
        let (codec, rtx) = upstream.codec_of(header.payload_type)?;
        if !source.open {
            // Muted is not silent, nor is one that was never open: what comes counts as received.
            source.last_packet = Some(now);
            if !source.started {
                source.started = true;
                let source = source.id;
                self.events.push_back(Event::SourceStarted { source });
            }
            self.counters.dropped_gated += 1;
            return Some(Received::Dropped);
        }
        let encoding = source.encoding_mut(stream.key.encoding)?;
        if !rtx && encoding.ssrc != Some(header.ssrc) {
            let restarts = encoding.ssrc.is_some() && encoding.last_packet.is_some();
            encoding.ssrc = Some(header.ssrc);
            if restarts {
                self.restart(stream.key);
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
        let sequence = self.place(stream.key, wire, rtx)?;
        let mut meta = PacketMeta::new(codec.codec, header.timestamp, header.marker, payload);
        meta.level = values.audio_level;
        meta.orientation = values.video_orientation;
        let packet = match values.dependency_descriptor {
            Some(descriptor) if !payload.is_empty() => (payload, descriptor),
            Some(_) | None => (payload, &[][..]),
        };
        let insertion = self.store(now, stream.key, sequence, meta, packet);
        let encoding = self.sources[stream.key.source].encoding_mut(stream.key.encoding)?;
        encoding.codec = Some(codec);
        let incoming = encoding.incoming.as_mut()?;
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
    fn place(&mut self, key: EncodingKey, wire: u16, rtx: bool) -> Option<u64> {
        let encoding = self.sources[key.source].encoding_mut(key.encoding)?;
        let incoming = match encoding.incoming.as_mut() {
            Some(incoming) => incoming,
            None if rtx => return None,
            None => encoding.incoming.insert(Incoming::new(wire)),
        };
        let sequence = incoming.extend(wire);
        if !incoming.jumps(sequence) {
            return Some(sequence);
        }
        if rtx {
            return None;
        }
        self.restart(key);
        let encoding = self.sources[key.source].encoding_mut(key.encoding)?;
        let incoming = encoding.incoming.insert(Incoming::new(wire));
        Some(incoming.extend(wire))
    }

    fn restart(&mut self, key: EncodingKey) {
        let life = self.next_life();
        if let Some(encoding) = self.sources[key.source].encoding_mut(key.encoding) {
            encoding.begin_life(life);
        }
    }

    /// Puts a packet of any encoding into its cache and its queue, with its
    /// dependency descriptor, if it has one.
    pub(super) fn store(
        &mut self,
        now: Instant,
        key: EncodingKey,
        sequence: u64,
        mut meta: PacketMeta,
        (payload, descriptor): (&[u8], &[u8]),
    ) -> Insertion {
        let source = &mut self.sources[key.source];
        let (is_video, is_local) = (source.is_video, source.upstream().is_some());
        let Some(encoding) = source.encoding_mut(key.encoding) else {
            return Insertion::TooOld;
        };
        let descriptor = encoding.describe(&mut meta, descriptor);
        let cache = &mut encoding.cache;
        let insertion = cache.insert(now, sequence, meta, payload, descriptor);
        if insertion != Insertion::Stored {
            return insertion;
        }
        encoding.last_packet = Some(now);
        if is_video {
            let layer = meta.info.layer();
            encoding
                .meter
                .count(now, layer, meta.timestamp, payload.len() + AROUND_PAYLOAD);
            if meta.keyframe {
                encoding.keyframe_came(now, sequence, meta.timestamp);
            }
        }
        self.counters.dropped_overload += encoding.enqueue(sequence) as u64;
        if !encoding.dirty {
            encoding.dirty = true;
            self.fan_out.dirty(key);
        }
        if is_local && is_video && meta.keyframe {
            self.look_at_encoding(key, &meta, payload);
        }
        let source = &mut self.sources[key.source];
        source.last_packet = Some(now);
        if !source.started {
            source.started = true;
            if let Some(upstream) = source.upstream() {
                let (peer, source) = (upstream.peer, source.id);
                self.events.push_back(Event::SourceStarted { source });
                // The sender is to know soon how much it may send.
                self.peers[peer].report_at = now;
            }
        }
        if !is_video {
            self.listen(now, key.source, meta.loudness(payload));
        }
        insertion
    }

    /// A microphone's packet counts in the choice of speakers.
    fn listen(&mut self, now: Instant, key: SourceKey, loudness: Loudness) {
        let source = &self.sources[key];
        let room = &mut self.rooms[source.room];
        room.speakers.observe(now, key, loudness);
        if room.speakers.unsettled() && !self.unsettled.contains(&source.room) {
            self.unsettled.push(source.room);
        }
        if source.upstream().is_some() && room.others(self.config.worker) != 0 {
            room.own_speakers.observe(now, key, loudness);
        }
    }

    /// Finds the encoding of an SSRC that is not known yet: its track by the mid it
    /// carries, else by a payload type that only one track has; and if that has several
    /// encodings, by the rid (RFC 8853 §5.5), or the repaired rid, which it has to carry.
    fn learn(&mut self, key: PeerKey, header: &RtpHeader, packet: &[u8]) -> Option<IncomingStream> {
        let peer = &self.peers[key];
        let values = peer.extensions.read(header, packet);
        let mut found = None;
        for &source in &peer.sources {
            let Some(upstream) = self.sources[source].upstream() else {
                continue;
            };
            let Some((_, rtx)) = upstream.codec_of(header.payload_type) else {
                continue;
            };
            match values.mid {
                Some(mid) if mid != upstream.mid.as_slice() => {}
                // Two tracks with this payload type and no mid: nobody knows whose it is.
                _ if found.is_some() => return None,
                _ => found = Some((source, rtx)),
            }
        }
        let (source, rtx) = found?;
        let encodings = &self.sources[source].encodings;
        let rid = if rtx { values.repaired_rid } else { values.rid };
        let at = match rid {
            _ if encodings.len() == 1 => 0,
            Some(rid) => encodings
                .iter()
                .position(|known| known.rid.as_ref().is_some_and(|r| r.as_bytes() == rid))?,
            None => return None,
        };
        let stream = IncomingStream {
            ssrc: header.ssrc,
            key: EncodingKey {
                source,
                encoding: EncodingIndex(at as u8), // at most MAX_ENCODINGS
            },
            rtx,
        };
        self.peers[key].learn(stream).then_some(stream)
    }
}
