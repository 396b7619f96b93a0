//! One m-line on which a peer receives: an outgoing stream that shows one
//! source after the other.

mod repair;
mod sound;

use std::time::{Duration, Instant};

use super::line::Backlog;
use super::source::{ClockSample, Origin, PacketMeta, SourceKey};
use super::writer::{Extensions, Outgoing, Writer};
use crate::api::SlotView;
use crate::codec::Codec;
use crate::codec::dependency::Structure;
use crate::codec::layer::{LayerInfo, LayerTarget};
use crate::codec::red::{Earlier, Redundancy};
use crate::codec::selector::{Candidate, Selection, Verdict};
use crate::ids::EncodingIndex;
use crate::room::allocate::Held;
use crate::rtp::Extension;
use crate::rtp::munger::{Clock, Joint, Mapped, Munger, Numbering, PictureIds};
use crate::sdp::{AudioSlotMedia, MediaCodec, VideoSlotMedia};
use crate::transport::{OutboundStream, SrtpOut};

/// The picture stands still if no frame comes for longer.
const FREEZE: Duration = Duration::from_millis(500);

/// Where packets for a slot come from.
#[derive(Clone, Copy, Debug)]
pub struct Feed<'a> {
    pub origin: Origin,
    /// The sender's clock, as far as it has told.
    pub clock: Option<ClockSample>,
    /// If the packets are old ones: the timestamp of the newest.
    pub present: Option<u32>,
    /// Of the dependency descriptors beside its packets.
    pub structure: Option<&'a Structure>,
}

/// What a slot has forwarded since its figures were last taken.
#[derive(Clone, Copy, Debug, Default)]
pub struct SlotFigures {
    pub bytes: u32,
    pub frames: u16,
    pub freezes: u16,
    frame_at: Option<Instant>,
}

impl SlotFigures {
    fn frame(&mut self, now: Instant) {
        self.frames = self.frames.saturating_add(1);
        self.freezes += u16::from(self.stands_still(now));
        self.frame_at = Some(now);
    }

    fn stands_still(&self, now: Instant) -> bool {
        self.frame_at
            .is_some_and(|at| now.saturating_duration_since(at) > FREEZE)
    }

    /// A standing picture counts once a second.
    pub fn take(&mut self, now: Instant) -> Self {
        let mut taken = *self;
        *self = Self {
            frame_at: self.frame_at,
            ..Self::default()
        };
        if self.stands_still(now) {
            taken.freezes += 1;
            self.frame_at = Some(now);
        }
        taken
    }
}

/// What became of a packet at a slot.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Forwarding {
    Sent,
    /// The first packet of a new source: the picture is about to change.
    Began,
    /// Nothing to send: no keyframe yet, padding, or older than the switch.
    Held,
    /// The receiver did not negotiate the codec.
    Unsupported,
    /// SRTP refused (its packet index is used up).
    Unsealed,
}

/// See the module's text.
#[derive(Debug)]
pub struct Slot {
    pub is_video: bool,
    pub mid: String,
    pub ssrc: u32,
    pub rtx_ssrc: u32,
    codecs: Vec<MediaCodec>,
    extensions: Extensions,
    /// Its packets bear transport-wide numbers, of which the receiver reports.
    pub is_numbered: bool,
    /// The source that it is to show.
    pub shows: Option<SourceKey>,
    pub view: SlotView,
    /// Since when it waits for that source's keyframe; `None` once it forwards.
    pub waits_since: Option<Instant>,
    /// The encoding that it should forward, and whose keyframe it waits for; the
    /// one that it forwards is the munger's origin.
    pub target: Option<EncodingIndex>,
    /// Until the target sends at all, this one is better than nothing.
    pub interim: Option<EncodingIndex>,
    /// The first of the old packets that it is to be served before new ones.
    replay: Option<(EncodingIndex, u64)>,
    /// Nothing is forwarded: hidden, or the line does not carry it.
    pub paused: bool,
    /// What the allocation gave it last.
    pub held: Held,
    /// Up to which layers it forwards an encoding that is not the one that it was given.
    pub meanwhile: LayerTarget,
    /// Which packets of the feed go on; `None` as long as no feed has layers.
    selection: Option<Box<Selection<Origin>>>,
    /// Outgoing timestamp less the node's time in ticks, for the present source.
    base: Option<u32>,
    pub figures: SlotFigures,
    pub munger: Munger<Origin>,
    /// What waits for the receiver's line.
    pub backlog: Backlog,
    /// Number of the last packet on the wire.
    pub last_wire: Option<u16>,
    stream: OutboundStream,
    rtx_stream: OutboundStream,
    rtx_sequence: u16,
    /// Empty, and without memory, while nothing is lost.
    resent: Vec<(u16, Instant)>,
    resent_next: usize,
    /// For sender reports; both wrap (RFC 3550 §6.4.1).
    pub packets: u32,
    pub octets: u32,
    /// When a keyframe last went out.
    pub keyframe_at: Option<Instant>,
    /// Lost since the receiver's last report, in 1/256.
    pub fraction_lost: u8,
    /// Of the receiver's last report, in ticks.
    pub jitter: u32,
    /// `packets` at the last statistics.
    pub counted_packets: u32,
    /// Earlier sound that goes along with each packet.
    pub redundancy: Redundancy,
    /// How many that was lately, in 1/256.
    copies_q8: u16,
    /// Sound went out that was more than silence, since that was last asked.
    spoke: bool,
    /// The first packet of the present source that went out.
    began_at: u64,
}

impl Slot {
    /// `numbers`: random, for the first sequence numbers.
    #[must_use]
    pub fn video(media: VideoSlotMedia, numbers: [u16; 2]) -> Self {
        let extensions =
            Extensions::new(&media.extensions, &media.mid, Extension::VideoOrientation);
        // A keyframe's is longer than the one-byte form takes.
        let descriptor = media.extensions.id(Extension::DependencyDescriptor);
        let extensions = extensions.describing(descriptor.filter(|_| media.mixed_extensions));
        Self::new(
            true,
            media.mid,
            media.codecs,
            extensions,
            (media.ssrc, media.rtx_ssrc),
            numbers,
        )
    }

    /// As [`Self::video`].
    #[must_use]
    pub fn audio(media: AudioSlotMedia, numbers: [u16; 2]) -> Self {
        let extensions = Extensions::new(&media.extensions, &media.mid, Extension::AudioLevel);
        Self::new(
            false,
            media.mid,
            media.codecs,
            extensions,
            (media.ssrc, 0),
            numbers,
        )
    }

    fn new(
        is_video: bool,
        mid: String,
        codecs: Vec<MediaCodec>,
        extensions: Extensions,
        (ssrc, rtx_ssrc): (u32, u32),
        numbers: [u16; 2],
    ) -> Self {
        let reports = codecs.iter().any(|codec| codec.feedback.transport_cc);
        Self {
            is_video,
            mid,
            ssrc,
            rtx_ssrc,
            codecs,
            is_numbered: reports && extensions.is_numbered(),
            extensions,
            shows: None,
            view: SlotView::default(),
            waits_since: None,
            target: None,
            interim: None,
            replay: None,
            paused: false,
            held: Held::default(),
            meanwhile: LayerTarget::ALL,
            selection: None,
            base: None,
            figures: SlotFigures::default(),
            // Below 2^15, so that no early packet lies before the first wrap (RFC 3711 §3.3.1).
            munger: Munger::new(numbers[0] & 0x7fff),
            backlog: Backlog::default(),
            last_wire: None,
            stream: OutboundStream::default(),
            rtx_stream: OutboundStream::default(),
            rtx_sequence: numbers[1] & 0x7fff,
            resent: Vec::new(),
            resent_next: 0,
            packets: 0,
            octets: 0,
            keyframe_at: None,
            fraction_lost: 0,
            jitter: 0,
            counted_packets: 0,
            redundancy: Redundancy::default(),
            copies_q8: 0,
            spoke: false,
            began_at: 0,
        }
    }

    /// Shows another source, or nothing; its packets before the next keyframe are held.
    pub fn show(&mut self, now: Instant, source: Option<SourceKey>) {
        self.munger.stop();
        self.backlog.clear();
        self.shows = source;
        self.waits_since = source.map(|_| now);
        self.target = None;
        self.interim = None;
        self.replay = None;
        self.paused = false;
        self.held = Held::default();
        self.base = None;
        self.figures = SlotFigures::default();
    }

    /// Forwards nothing until [`Self::aim`] is called.
    pub fn pause(&mut self) {
        self.munger.stop();
        self.backlog.clear();
        self.target = None;
        self.interim = None;
        self.replay = None;
        self.paused = true;
        self.figures.frame_at = None;
    }

    /// The encoding that it forwards.
    #[must_use]
    pub fn current(&self) -> Option<EncodingIndex> {
        self.munger.origin().map(|origin| origin.encoding)
    }

    /// Up to which of its layers it forwards an encoding.
    #[must_use]
    pub fn layers(&self, encoding: EncodingIndex) -> LayerTarget {
        match self.held.layer {
            Some(given) if given.encoding == encoding => LayerTarget {
                spatial: given.spatial,
                temporal: given.temporal,
            },
            Some(_) | None => self.meanwhile,
        }
    }

    /// The highest that it forwards at present.
    #[must_use]
    pub fn spatial_layer(&self) -> u8 {
        let selection = self.selection.as_ref();
        let layers = selection.and_then(|selection| selection.current());
        layers.unwrap_or(LayerTarget::ALL).spatial
    }

    /// Whether the receiver asked for dependency descriptors, and so can decode spatial layers
    /// that only these tell apart.
    #[must_use]
    pub fn describes(&self) -> bool {
        self.extensions.describes()
    }

    /// The layers that it is to forward do not come without a keyframe.
    #[must_use]
    pub fn wants_keyframe(&self) -> bool {
        let Some((current, selection)) = self.current().zip(self.selection.as_ref()) else {
            return false;
        };
        selection.wants_keyframe(self.layers(current))
    }

    /// What is to become of a packet of its feed, once for each.
    fn select(&mut self, origin: Origin, meta: &PacketMeta) -> Verdict {
        let mut target = self.layers(origin.encoding);
        if matches!(meta.info, LayerInfo::Dependency(_)) && !self.describes() {
            target.spatial = 0;
        }
        let packet = candidate(meta);
        match meta.info.tells_layers() {
            true => {
                let selection = self.selection.get_or_insert_default();
                selection.select(origin, packet, target)
            }
            false => Verdict::unchanged(packet),
        }
    }

    /// What [`Self::select`] said; `None`: forgotten, or not asked yet.
    fn selected(&self, origin: Origin, meta: &PacketMeta) -> Option<Verdict> {
        let packet = candidate(meta);
        match meta.info.tells_layers() {
            true => self.selection.as_ref()?.again(origin, packet),
            false => Some(Verdict::unchanged(packet)),
        }
    }

    /// Whether a keyframe of this encoding is to begin here: it is waited for, or
    /// began a new life while it was forwarded.
    #[must_use]
    pub fn awaits(&self, origin: Origin) -> bool {
        let encoding = Some(origin.encoding);
        let restarted = self
            .munger
            .origin()
            .is_some_and(|o| o.source == origin.source && Some(o.encoding) == encoding);
        self.target == encoding || self.interim == encoding || restarted
    }

    /// Has it served old packets, from this one on, with the next batch of the encoding.
    pub fn replay(&mut self, encoding: EncodingIndex, first: u64) {
        self.replay = Some((encoding, first));
    }

    /// The first packet to replay, once.
    pub fn take_replay(&mut self, encoding: EncodingIndex) -> Option<u64> {
        let (_, first) = self.replay.take_if(|(of, _)| *of == encoding)?;
        Some(first)
    }

    /// Remembers where the timestamps stand against the node's time, before
    /// another encoding follows. `clock` is of the encoding that is forwarded.
    pub fn keep_base(&mut self, clock: Option<ClockSample>) {
        if self.base.is_some() {
            return;
        }
        self.base = clock.and_then(|clock| {
            let out = self.munger.timestamp(clock.timestamp)?;
            Some(out.wrapping_sub(node_ticks(clock)))
        });
    }

    /// The receiver reports the arrival of each packet.
    #[must_use]
    pub fn tells_arrivals(&self) -> bool {
        self.codecs.iter().any(|codec| codec.feedback.transport_cc)
    }

    /// The transport-wide number of the next packet.
    pub fn stamp(&mut self, number: u16) {
        self.extensions.stamp(number);
    }

    pub fn clock(&self) -> Clock {
        if self.is_video {
            Clock::VIDEO
        } else {
            Clock::OPUS
        }
    }

    fn codec(&self, codec: Codec) -> Option<&MediaCodec> {
        self.codecs.iter().find(|known| known.codec == codec)
    }

    /// Appends a packet of the shown source to `out`, sealed; `earlier` is from [`Self::earlier`]:
    /// what goes along with it instead of what its sender repeats.
    pub fn forward(
        &mut self,
        now: Instant,
        srtp: &SrtpOut,
        (feed, sequence): (Feed<'_>, u64),
        (meta, stored): (&PacketMeta, &[u8]),
        earlier: Option<&[Earlier<'_>]>,
        out: &mut Vec<u8>,
    ) -> Forwarding {
        let Some(mut codec) = self.outgoing(meta) else {
            return Forwarding::Unsupported;
        };
        if let Some(earlier) = earlier {
            codec = self.repacked(codec, meta, !earlier.is_empty());
        }
        let earlier = earlier.unwrap_or_default();
        let (payload, descriptor) = meta.split(stored);
        let running = self.munger.origin() == Some(feed.origin);
        if !running && (!meta.keyframe || payload.is_empty()) {
            return Forwarding::Held;
        }
        let verdict = self.select(feed.origin, meta);
        let payload = verdict.payload(payload);
        let numbering = numbering(sequence, meta, verdict);
        let mapped = if running {
            // Too late to leave it out, it goes on empty: the receiver does not ask for it.
            if payload.is_empty() && self.munger.skip(sequence) {
                return Forwarding::Held;
            }
            match self.munger.map(now, &numbering) {
                Some(mapped) => mapped,
                None => return Forwarding::Held,
            }
        } else if payload.is_empty() {
            return Forwarding::Held;
        } else {
            self.began_at = sequence;
            self.begin(now, &feed, meta, &numbering)
        };
        let marker = verdict.marker();
        if self.is_video && meta.keyframe {
            self.keyframe_at = Some(now);
        }
        let writer = Writer {
            codec,
            extensions: &self.extensions,
            meta,
            payload,
            descriptor,
            active: active(verdict, feed.structure),
            earlier,
            mapped: &mapped,
            // A new speaker's first packet is the start of a talk spurt (RFC 3551 §4.1).
            marker: marker || (!running && !self.is_video),
        };
        if !writer.plain(self.ssrc, srtp, &mut self.stream, out) {
            return Forwarding::Unsealed;
        }
        self.last_wire = Some(mapped.sequence as u16);
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(payload.len() as u32);
        self.figures.bytes = self.figures.bytes.wrapping_add(payload.len() as u32);
        if marker {
            self.figures.frame(now);
        }
        if running {
            Forwarding::Sent
        } else {
            Forwarding::Began
        }
    }

    /// Another feed follows, with this packet.
    fn begin(
        &mut self,
        now: Instant,
        feed: &Feed<'_>,
        meta: &PacketMeta,
        numbering: &Numbering,
    ) -> Mapped {
        // RTP ticks of the packet's moment on the node's timeline.
        let moment = feed.clock.map(|clock| {
            let since = meta.timestamp.wrapping_sub(clock.timestamp);
            node_ticks(clock).wrapping_add(since)
        });
        let joint = Joint {
            timestamp: moment
                .zip(self.base)
                .map(|(moment, base)| moment.wrapping_add(base)),
            present: feed.present,
        };
        self.munger
            .join(now, feed.origin, self.clock(), numbering, joint)
    }

    /// The receiver's numbers for the packet: those of its codec, or of Opus
    /// for the primary encoding of a RED packet.
    fn outgoing(&self, meta: &PacketMeta) -> Option<Outgoing> {
        let opus = self.codec(Codec::Opus).map(|opus| opus.payload_type);
        if let Some(codec) = self.codec(meta.codec) {
            return Some(Outgoing {
                payload_type: codec.payload_type,
                rtx: codec.rtx.filter(|_| self.rtx_ssrc != 0),
                inner: opus,
                strip: false,
                wrap: false,
            });
        }
        if meta.codec == Codec::Red {
            return Some(Outgoing {
                payload_type: opus?,
                rtx: None,
                inner: None,
                strip: true,
                wrap: false,
            });
        }
        None
    }
}

/// A sender's report, in ticks of the video clock on the node's timeline; wraps.
fn node_ticks(clock: ClockSample) -> u32 {
    ((u128::from(clock.ntp) * u128::from(Clock::VIDEO.rate)) >> 32) as u32
}

/// The decode targets that the receiver gets, if it has to be told.
fn active(verdict: Verdict, structure: Option<&Structure>) -> Option<u32> {
    let (target, structure) = verdict.announce().zip(structure)?;
    let active = structure.active_within(target);
    (active != 0).then_some(active)
}

fn candidate(meta: &PacketMeta) -> Candidate<'_> {
    Candidate {
        info: &meta.info,
        timestamp: meta.timestamp,
        marker: meta.marker,
    }
}

fn numbering(sequence: u64, meta: &PacketMeta, verdict: Verdict) -> Numbering {
    let pictures = match verdict {
        Verdict::Forward(fix) => fix.closed_up(meta.info.numbers()),
        // It shows no picture, and must not count as one.
        Verdict::Drop => PictureIds::default(),
    };
    Numbering {
        sequence,
        timestamp: meta.timestamp,
        pictures,
    }
}

#[cfg(test)]
#[path = "slot_tests.rs"]
mod tests;
