//! What a client sends: its sound, and its camera in one encoding or three.

use std::collections::BTreeMap;

use liandong_sfu_core::ids::Track;
use liandong_sfu_core::rtp::{Extension, ExtensionMap, RtpHeader, write_extensions};
use liandong_sfu_core::transport::OutboundStream;

use crate::client::{Client, DEPENDENCY, LEVEL, MID, OPUS, RED, REPAIRED_RID, RID, VP8, WIDE};
use crate::scalable::{Place, Scheme, heads};

/// The encodings of a simulcast, and the height of their pictures.
pub const RIDS: [&str; 3] = ["q", "h", "f"];
pub const HEIGHTS: [u16; 3] = [180, 360, 720];

/// One stream that a client sends.
#[derive(Debug)]
pub struct Sending {
    pub ssrc: u32,
    pub sequence: u16,
    pub timestamp: u32,
    pub picture_id: u16,
    pub place: Place,
    /// Packets made, in this track's numbering of its own.
    pub count: u32,
    pub wants_keyframe: bool,
    pub keyframes: u32,
    pub plis: u32,
    /// Its name in a simulcast.
    pub rid: Option<&'static str>,
    /// The server wants it.
    pub active: bool,
    pub stream: OutboundStream,
    pub rtx_stream: OutboundStream,
    pub rtx_sequence: u16,
    /// For repair: sequence → clear packet.
    pub history: BTreeMap<u16, Vec<u8>>,
}

impl Sending {
    pub fn new(ssrc: u32, seed: u32) -> Self {
        Self {
            ssrc,
            sequence: (seed.wrapping_mul(2_654_435_761) >> 17) as u16 | 0x7f00,
            timestamp: u32::MAX - seed * 999,
            picture_id: 0x7ff0 + seed as u16 % 10,
            place: Place::default(),
            count: 0,
            wants_keyframe: true,
            keyframes: 0,
            plis: 0,
            rid: None,
            active: true,
            stream: OutboundStream::default(),
            rtx_stream: OutboundStream::default(),
            rtx_sequence: 1,
            history: BTreeMap::new(),
        }
    }
}

impl Client {
    /// A frame of so many packets, 33 ms after the last; in each encoding, the
    /// upper ones with larger packets.
    pub fn send_frame(&mut self, packets: usize) {
        for layer in 0..=self.uppers.len() {
            self.send_frame_of(layer, packets, 100 + 200 * layer);
        }
    }

    /// A frame of packets of a usual MTU.
    #[allow(dead_code)] // the benchmark's
    pub fn send_large_frame(&mut self, packets: usize) {
        self.send_frame_of(0, packets, 1_100);
    }

    /// A frame of so many bytes, a keyframe of four times as many.
    #[allow(dead_code)] // not used by all that have this file
    pub fn send_picture(&mut self, layer: usize, bytes: usize) {
        let keyframe = self.sending(Track::Camera, layer).wants_keyframe;
        let bytes = if keyframe { 4 * bytes } else { bytes };
        let packets = bytes.div_ceil(1_100);
        self.send_frame_of(layer, packets, bytes / packets);
    }

    fn send_frame_of(&mut self, layer: usize, packets: usize, bytes: usize) {
        let scheme = self.wants.scheme;
        let camera = self.sending(Track::Camera, layer);
        camera.timestamp = camera.timestamp.wrapping_add(3_000);
        if !camera.active {
            return;
        }
        let keyframe = std::mem::take(&mut camera.wants_keyframe);
        camera.picture_id = camera.picture_id.wrapping_add(1) & 0x7fff;
        camera.keyframes += u32::from(keyframe);
        if scheme != Scheme::Flat {
            let picture = (camera.picture_id, keyframe);
            for head in heads(scheme, &mut camera.place, picture, packets) {
                let mut payload = head.bytes;
                payload.extend(self.marks(Track::Camera, layer));
                payload.resize(bytes, 0xab);
                let sender = (Track::Camera, layer);
                self.send_rtp(sender, VP8, head.marker, (&payload, &head.descriptor));
            }
            return;
        }
        let [high, low] = camera.picture_id.to_be_bytes();
        let sized = camera.rid.is_some() && keyframe;
        for packet in 0..packets {
            let start = if packet == 0 { 0x10 } else { 0 };
            let tag = if keyframe { 0 } else { 1 };
            let mut payload = vec![0x80 | start, 0x80, high | 0x80, low, tag];
            if sized && packet == 0 {
                let [low, high] = HEIGHTS[layer].to_le_bytes();
                payload.extend([0, 0, 0x9d, 0x01, 0x2a, 0x40, 0x01, low, high]);
            }
            payload.extend(self.marks(Track::Camera, layer));
            payload.resize(bytes + packet % 10, 0xab);
            let marker = packet + 1 == packets;
            self.send_rtp((Track::Camera, layer), VP8, marker, (&payload, &[]));
        }
    }

    /// 20 ms of sound.
    pub fn send_sound(&mut self) {
        self.microphone.timestamp = self.microphone.timestamp.wrapping_add(960);
        let mut payload = vec![0x78];
        payload.extend(self.marks(Track::Microphone, 0));
        payload.resize(self.sound_frame, 0xcd);
        if !self.wants.repeats {
            return self.send_rtp((Track::Microphone, 0), OPUS, false, (&payload, &[]));
        }
        let mut repeated = Vec::new();
        if let Some(last) = self.last_sound.replace(payload.clone()) {
            let word = 960 << 10 | last.len() as u32;
            repeated.extend((word | (0x80 | u32::from(OPUS)) << 24).to_be_bytes());
            repeated.push(OPUS);
            repeated.extend(last);
        } else {
            repeated.push(OPUS);
        }
        repeated.extend(payload);
        self.send_rtp((Track::Microphone, 0), RED, false, (&repeated, &[]));
    }

    /// Padding alone, as a probe.
    pub fn send_padding(&mut self) {
        self.send_rtp((Track::Camera, 0), VP8, false, (&[], &[]));
    }

    fn marks(&mut self, track: Track, layer: usize) -> Vec<u8> {
        let id = (u32::from(self.id.worker().0) << 24) | self.id.serial();
        let sending = self.sending(track, layer);
        sending.count += 1;
        let mut marks = id.to_be_bytes().to_vec();
        marks.push(track as u8 | (layer as u8) << 4);
        marks.extend(sending.count.to_be_bytes());
        marks
    }

    pub fn sending(&mut self, track: Track, layer: usize) -> &mut Sending {
        match (track, layer.checked_sub(1)) {
            (Track::Microphone, _) => &mut self.microphone,
            (Track::Camera | Track::Screen, None) => &mut self.camera,
            (Track::Camera | Track::Screen, Some(upper)) => &mut self.uppers[upper],
        }
    }

    /// The camera's encoding with this SSRC.
    pub fn layer_of(&self, ssrc: u32) -> usize {
        let mut cameras = std::iter::once(&self.camera).chain(&self.uppers);
        cameras.position(|sending| sending.ssrc == ssrc).unwrap()
    }

    fn send_rtp(
        &mut self,
        (track, layer): (Track, usize),
        payload_type: u8,
        marker: bool,
        (payload, descriptor): (&[u8], &[u8]),
    ) {
        let level = [self.level];
        let wide = self.wide_sequence.to_be_bytes();
        self.wide_sequence += u16::from(self.wants.wide);
        let with_wide = self.wants.wide;
        let with_level = track == Track::Microphone && self.wants.sends_levels;
        let mid: &[u8] = if track == Track::Microphone {
            b"0"
        } else {
            b"1"
        };
        let sending = self.sending(track, layer);
        let padded = payload.is_empty();
        let first = if padded { 0xb0 } else { 0x90 };
        let mut packet = vec![first, payload_type | u8::from(marker) << 7];
        packet.extend(sending.sequence.to_be_bytes());
        packet.extend(sending.timestamp.to_be_bytes());
        packet.extend(sending.ssrc.to_be_bytes());
        let mut block = [0; 80];
        let mut elements = vec![(MID, mid)];
        if !descriptor.is_empty() {
            elements.push((DEPENDENCY, descriptor));
        }
        if with_level {
            elements.push((LEVEL, &level[..]));
        }
        if with_wide {
            elements.push((WIDE, &wide[..]));
        }
        if let Some(rid) = sending.rid {
            elements.push((RID, rid.as_bytes()));
        }
        let len = write_extensions(&mut block, &elements).unwrap();
        packet.extend(&block[..len]);
        packet.extend(payload);
        if padded {
            packet.extend([0, 0, 0, 4]);
        }
        sending.history.insert(sending.sequence, packet.clone());
        sending.sequence = sending.sequence.wrapping_add(1);
        self.seal(track, layer, packet, false);
    }

    pub fn seal(&mut self, track: Track, layer: usize, mut packet: Vec<u8>, rtx: bool) {
        let sending = match (track, layer.checked_sub(1)) {
            (Track::Microphone, _) => &mut self.microphone,
            (Track::Camera | Track::Screen, None) => &mut self.camera,
            (Track::Camera | Track::Screen, Some(upper)) => &mut self.uppers[upper],
        };
        let Some(srtp) = self.transport.as_mut().and_then(|t| t.srtp_out()) else {
            return;
        };
        let stream = if rtx {
            &mut sending.rtx_stream
        } else {
            &mut sending.stream
        };
        let clear = packet.len();
        let header = RtpHeader::parse(&packet).unwrap().header_length();
        packet.resize(clear + 16, 0);
        let len = srtp
            .protect_rtp(stream, &mut packet, header, clear)
            .unwrap();
        packet.truncate(len);
        self.outgoing.push(packet);
    }

    /// A retransmission of what the server misses (RFC 4588), or the packet as it was.
    pub fn repair(&mut self, layer: usize, wire: u16) {
        let with_rtx = self.wants.rtx;
        let sending = self.sending(Track::Camera, layer);
        let Some(packet) = sending.history.get(&wire).cloned() else {
            return;
        };
        if !with_rtx {
            return self.seal(Track::Camera, layer, packet, false);
        }
        let header = RtpHeader::parse(&packet).unwrap();
        let payload = header.payload(&packet);
        let mut again = packet[..12].to_vec();
        again[0] = 0x90;
        again[1] = (VP8 + 1) | (again[1] & 0x80);
        again[2..4].copy_from_slice(&sending.rtx_sequence.to_be_bytes());
        again[8..12].copy_from_slice(&(sending.ssrc + 50_000).to_be_bytes());
        sending.rtx_sequence += 1;
        let mut block = [0; 80];
        let mut elements: Vec<(u8, &[u8])> = vec![(MID, b"1")];
        let mut map = ExtensionMap::default();
        map.insert(Extension::DependencyDescriptor, DEPENDENCY);
        if let Some(descriptor) = map.read(&header, &packet).dependency_descriptor {
            elements.push((DEPENDENCY, descriptor));
        }
        if let Some(rid) = sending.rid {
            elements.push((REPAIRED_RID, rid.as_bytes()));
        }
        let len = write_extensions(&mut block, &elements).unwrap();
        again.extend(&block[..len]);
        again.extend(wire.to_be_bytes());
        again.extend(payload);
        self.seal(Track::Camera, layer, again, true);
    }
}
