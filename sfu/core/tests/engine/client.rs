//! A client: negotiates, connects, sends marked packets and looks at what it gets.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use is::stun::{StunMessage, TransId};
use liandong_sfu_core::api::EncodingDemand;
use liandong_sfu_core::codec::dependency::Reader;
use liandong_sfu_core::codec::layer::LayerTarget;
use liandong_sfu_core::ids::{Path, PeerId, Track, WorkerIndex};
use liandong_sfu_core::rtcp::{
    self, Compound, Message, ReportBlock, SenderInfo, TransportFeedbackRecorder,
};
use liandong_sfu_core::rtp::{Extension, ExtensionMap, RtpHeader};
use liandong_sfu_core::transport::{
    Certificate, DtlsRole, IceCredentials, IceRemote, Kind, Transport, TransportConfig, classify,
};
use ring::hmac;

use crate::scalable::{self, Scheme};
use crate::sending::{RIDS, Sending};

pub const VP8: u8 = 96;
const VP8_RTX: u8 = 97;
pub const OPUS: u8 = 111;
pub const RED: u8 = 63;
pub const MID: u8 = 4;
pub const LEVEL: u8 = 1;
pub const WIDE: u8 = 5;
pub const RID: u8 = 6;
pub const REPAIRED_RID: u8 = 7;
pub const DEPENDENCY: u8 = 8;

/// What a client asks for.
#[derive(Clone, Copy, Debug)]
pub struct Wants {
    pub video_slots: usize,
    pub audio_slots: usize,
    pub rtx: bool,
    pub sends_levels: bool,
    /// Transport-wide feedback.
    pub wide: bool,
    /// Takes redundant audio (RFC 2198).
    pub red: bool,
    /// Sends each sound a second time with the next, as browsers do.
    pub repeats: bool,
    /// Sends sound of the rate that the server asks for.
    pub follows: bool,
    /// The camera in three encodings.
    pub simulcast: bool,
    pub scheme: Scheme,
    /// Has neither microphone nor camera.
    pub listens: bool,
}

impl Default for Wants {
    fn default() -> Self {
        Self {
            video_slots: 2,
            audio_slots: 4,
            rtx: true,
            sends_levels: true,
            wide: false,
            red: false,
            repeats: false,
            follows: false,
            simulcast: false,
            scheme: Scheme::Flat,
            listens: false,
        }
    }
}

/// A received packet of a slot: who sent it, and where it stood in the sender's stream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Seen {
    pub from: PeerId,
    pub track: Track,
    /// The sender's encoding.
    pub layer: u8,
    /// Of that encoding.
    pub layers: LayerTarget,
    pub count: u32,
    pub wire: u16,
    pub timestamp: u32,
    pub picture_id: u16,
    /// Of the dependency descriptor, and the layers that it says to be there.
    pub number: Option<u16>,
    pub top: Option<LayerTarget>,
    pub keyframe: bool,
    pub marker: bool,
    /// Newer ones came before it: reordered, or repaired.
    pub late: bool,
    pub at: Instant,
}

#[derive(Debug)]
pub struct Client {
    pub id: PeerId,
    pub wants: Wants,
    /// As the server sees it.
    pub path: Path,
    pub transport: Option<Transport>,
    pub local: IceCredentials,
    server: Option<(String, String)>,
    pub certificate: Certificate,
    pub microphone: Sending,
    pub camera: Sending,
    /// The upper encodings of a simulcast; the camera is the lowest.
    pub uppers: Vec<Sending>,
    pub level: u8,
    /// SSRC of the slot by mid; RTX SSRC → SSRC.
    pub slot_ssrcs: BTreeMap<String, u32>,
    rtx_of: BTreeMap<u32, u32>,
    pub seen: BTreeMap<u32, Vec<Seen>>,
    readers: BTreeMap<u32, Reader>,
    /// Packets of slots that came without a payload.
    pub hollow: u32,
    /// Sounds that came as redundancy: who sent them, and their count.
    pub redundant: BTreeSet<(PeerId, u32)>,
    /// When their sound was first there, in whatever packet.
    pub heard_at: BTreeMap<(PeerId, u32), Instant>,
    /// Bytes of 20 ms of its own sound.
    pub sound_frame: usize,
    pub last_sound: Option<Vec<u8>>,
    /// Payload bytes of sound that arrived.
    pub sound_bytes: usize,
    /// Sequence numbers by SSRC, unwrapped.
    pub numbers: BTreeMap<u32, BTreeSet<u64>>,
    pub duplicates: u32,
    pub rtx_received: u32,
    pub plain_repeats: u32,
    pub sender_reports: BTreeMap<u32, SenderInfo>,
    /// Transport-wide numbers used, and those reported as arrived.
    pub wide_sequence: u16,
    pub wide_reported: BTreeSet<u16>,
    /// Arrivals that the server is told of.
    arrivals: TransportFeedbackRecorder,
    report_at: Option<Instant>,
    pub remb_seen: u32,
    pub nacks_received: u32,
    /// Answers the server's NACKs.
    pub repairs: bool,
    pub outgoing: Vec<Vec<u8>>,
}

fn sha1_hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 20] {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key);
    let mut context = hmac::Context::with_key(&key);
    for part in parts {
        context.update(part);
    }
    context.sign().as_ref().try_into().unwrap()
}

fn check(to: &str, password: &str, from: &str) -> Vec<u8> {
    let mut buffer = [0_u8; 256];
    let username = format!("{to}:{from}");
    let len = StunMessage::binding_request(&username, TransId::new(), true, 1, 0x6e00_01ff, true)
        .to_bytes(Some(password.as_bytes()), &mut buffer, sha1_hmac)
        .unwrap();
    buffer[..len].to_vec()
}

impl Client {
    pub fn new(id: PeerId, path: Path, wants: Wants, certificate: Certificate) -> Self {
        let seed = id.serial() + 100 * u32::from(id.worker().0);
        let secrets = [seed as u8 ^ 0x5a; 32];
        let mut camera = Sending::new(2_000 + seed, seed);
        let mut uppers = Vec::new();
        if wants.simulcast {
            camera.rid = Some(RIDS[0]);
            for (layer, rid) in (1_u32..).zip(&RIDS[1..]) {
                let mut upper = Sending::new(2_000 + 1_000 * layer + seed, seed + 7 * layer);
                upper.rid = Some(rid);
                uppers.push(upper);
            }
        }
        Self {
            id,
            wants,
            path,
            transport: None,
            local: IceCredentials::from_secrets(WorkerIndex(200), &secrets),
            server: None,
            certificate,
            microphone: Sending::new(1_000 + seed, seed),
            camera,
            uppers,
            level: 127,
            slot_ssrcs: BTreeMap::new(),
            rtx_of: BTreeMap::new(),
            seen: BTreeMap::new(),
            readers: BTreeMap::new(),
            hollow: 0,
            redundant: BTreeSet::new(),
            heard_at: BTreeMap::new(),
            sound_frame: 80,
            last_sound: None,
            sound_bytes: 0,
            numbers: BTreeMap::new(),
            duplicates: 0,
            rtx_received: 0,
            plain_repeats: 0,
            sender_reports: BTreeMap::new(),
            wide_sequence: 0,
            wide_reported: BTreeSet::new(),
            arrivals: TransportFeedbackRecorder::new(),
            report_at: None,
            remb_seen: 0,
            nacks_received: 0,
            repairs: true,
            outgoing: Vec::new(),
        }
    }

    /// Takes the answer; the connection can begin.
    pub fn answered(&mut self, now: Instant, sdp: &str, server_at: Path) {
        let line = |name: &str| {
            let found = sdp.lines().find_map(|line| line.strip_prefix(name));
            found
                .unwrap_or_else(|| panic!("{name} in {sdp}"))
                .trim()
                .to_owned()
        };
        let (ufrag, pwd) = (line("a=ice-ufrag:"), line("a=ice-pwd:"));
        let mut mid = String::new();
        for line in sdp.lines().map(str::trim) {
            if let Some(value) = line.strip_prefix("a=mid:") {
                mid = value.to_owned();
            } else if let Some(value) = line.strip_prefix("a=ssrc-group:FID ") {
                let pair: Vec<u32> = value.split(' ').map(|s| s.parse().unwrap()).collect();
                self.rtx_of.insert(pair[1], pair[0]);
            } else if let Some(value) = line.strip_prefix("a=ssrc:") {
                let ssrc: u32 = value.split(' ').next().unwrap().parse().unwrap();
                self.slot_ssrcs.entry(mid.clone()).or_insert(ssrc);
            }
        }
        if self.transport.is_none() {
            let config = TransportConfig {
                local: self.local.clone(),
                remote: IceRemote::new(&ufrag, &pwd).unwrap(),
                fingerprints: vec![line("a=fingerprint:").parse().unwrap()],
                role: DtlsRole::Client,
                certificate: self.certificate.clone(),
            };
            self.transport = Some(Transport::new(now, config).unwrap());
        }
        self.server = Some((ufrag, pwd));
        self.check(now, server_at);
    }

    /// New credentials, as `restartIce()` gives; offer again after it.
    pub fn restart_ice(&mut self, secrets: [u8; 32]) {
        self.local = IceCredentials::from_secrets(WorkerIndex(200), &secrets);
    }

    /// Checks the path, as a full agent does all the time.
    pub fn check(&mut self, now: Instant, server_at: Path) {
        let (Some((ufrag, pwd)), Some(transport)) = (&self.server, &mut self.transport) else {
            return;
        };
        self.outgoing.push(check(ufrag, pwd, self.local.ufrag()));
        // Our own side is a lite agent, too: it has to be asked before it talks.
        let back = check(self.local.ufrag(), self.local.pwd(), ufrag);
        let _ = transport.handle_stun(now, server_at, &back);
    }

    /// A check with the credentials that it has now, to be sent at any time.
    pub fn knock(&self) -> Vec<u8> {
        let (ufrag, pwd) = self.server.as_ref().unwrap();
        check(ufrag, pwd, self.local.ufrag())
    }

    pub fn connected(&self) -> bool {
        self.transport.as_ref().is_some_and(Transport::is_connected)
    }

    pub fn video_ssrc(&self, slot: usize) -> u32 {
        self.slot_ssrcs[&(2 + slot).to_string()]
    }

    pub fn audio_ssrc(&self, slot: usize) -> u32 {
        self.slot_ssrcs[&(2 + self.wants.video_slots + slot).to_string()]
    }

    pub fn video(&self, slot: usize) -> &[Seen] {
        self.seen
            .get(&self.video_ssrc(slot))
            .map_or(&[], Vec::as_slice)
    }

    /// Everything heard in any audio slot.
    pub fn heard(&self) -> Vec<Seen> {
        (0..self.wants.audio_slots)
            .filter_map(|slot| self.seen.get(&self.audio_ssrc(slot)))
            .flatten()
            .copied()
            .collect()
    }

    pub fn send_rtcp(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let Some(srtp) = self.transport.as_mut().and_then(Transport::srtp_out) else {
            return;
        };
        let mut packet = Vec::new();
        rtcp::receiver_report(&mut packet, 77, &[]);
        write(&mut packet);
        srtp.protect_rtcp(&mut packet).unwrap();
        self.outgoing.push(packet);
    }

    /// Tells of arrivals ten times a second, as browsers do.
    pub fn report_arrivals(&mut self, now: Instant) {
        let due = self.report_at.is_none_or(|at| at <= now);
        if !self.wants.wide || !due {
            return;
        }
        self.report_at = Some(now + Duration::from_millis(100));
        let mut arrivals = std::mem::take(&mut self.arrivals);
        while arrivals.is_pending() {
            let mut wrote = false;
            self.send_rtcp(|out| wrote = arrivals.build(out, 77, 0));
            if !wrote {
                break;
            }
        }
        self.arrivals = arrivals;
    }

    /// Asks for everything that is missing.
    pub fn ask_for_missing(&mut self) {
        let missing: Vec<(u32, Vec<u16>)> = self
            .numbers
            .iter()
            .map(|(ssrc, numbers)| (*ssrc, missing(numbers)))
            .collect();
        for (ssrc, missing) in missing {
            if !missing.is_empty() {
                self.send_rtcp(|out| rtcp::nack(out, 77, ssrc, missing));
            }
        }
    }

    pub fn receive(&mut self, now: Instant, server_at: Path, mut datagram: Vec<u8>) {
        let Some(transport) = &mut self.transport else {
            return;
        };
        match classify(&datagram) {
            Some(Kind::Dtls) => {
                let _ = transport.handle_dtls(now, server_at, &datagram);
            }
            Some(Kind::Rtp) => {
                let ssrc = u32::from_be_bytes(datagram[8..12].try_into().unwrap());
                match transport.unprotect_rtp(&mut datagram) {
                    Ok(len) => self.receive_rtp(now, &datagram[..len]),
                    // The same packet once more, as it was: a repair without RTX.
                    Err(error) => {
                        assert!(self.numbers.contains_key(&ssrc), "{error}");
                        self.plain_repeats += 1;
                    }
                }
            }
            Some(Kind::Rtcp) => {
                let len = transport.unprotect_rtcp(&mut datagram).unwrap();
                self.receive_rtcp(&datagram[..len]);
            }
            Some(Kind::Stun) | None => {}
        }
    }

    fn receive_rtp(&mut self, now: Instant, packet: &[u8]) {
        let header = RtpHeader::parse(packet).unwrap();
        let mut map = ExtensionMap::default();
        map.insert(Extension::Mid, MID);
        map.insert(Extension::TransportCc, WIDE);
        map.insert(Extension::DependencyDescriptor, DEPENDENCY);
        if let Some(number) = map.read(&header, packet).transport_sequence {
            self.arrivals.record(now, number);
        }
        let mut payload = header.payload(packet);
        let (mut ssrc, mut wire) = (header.ssrc, header.sequence);
        if header.payload_type == VP8_RTX {
            ssrc = self.rtx_of[&ssrc];
            let Some((original, rest)) = payload.split_first_chunk() else {
                return; // the padding of a probe
            };
            self.rtx_received += 1;
            wire = u16::from_be_bytes(*original);
            payload = rest;
        }
        let mid = map.read(&header, packet).mid.unwrap();
        let mid = std::str::from_utf8(mid).unwrap();
        assert_eq!(
            self.slot_ssrcs[mid], ssrc,
            "mid and SSRC name the same slot"
        );
        let numbers = self.numbers.entry(ssrc).or_default();
        let newest = numbers.last().copied().unwrap_or(1 << 20 | u64::from(wire));
        let number = newest.wrapping_add_signed(i64::from(wire.wrapping_sub(newest as u16) as i16));
        if !numbers.insert(number) {
            self.duplicates += 1;
            return;
        }
        if payload.is_empty() {
            self.hollow += 1;
            return;
        }
        if matches!(header.payload_type, OPUS | RED) {
            self.sound_bytes += payload.len();
        }
        if header.payload_type == RED {
            payload = self.receive_redundant(now, payload);
        }
        let (track, read) = if matches!(header.payload_type, OPUS | RED) {
            let sound = scalable::Read {
                at: 1,
                picture_id: 0,
                keyframe: false,
                layers: LayerTarget {
                    spatial: 0,
                    temporal: 0,
                },
                number: None,
                top: None,
            };
            (Track::Microphone, sound)
        } else {
            let value = map.read(&header, packet).dependency_descriptor;
            let reader = self.readers.entry(ssrc).or_default();
            let read = scalable::read(self.wants.scheme, payload, (value, reader));
            (Track::Camera, read)
        };
        let at = read.at;
        let word = |at: usize| u32::from_be_bytes(payload[at..at + 4].try_into().unwrap());
        let id = word(at);
        assert_eq!(
            payload[at + 4] & 0x0f,
            track as u8,
            "a camera's packet in a video slot"
        );
        let seen = Seen {
            from: PeerId::new(WorkerIndex((id >> 24) as u8), id & 0xff_ffff),
            track,
            layer: payload[at + 4] >> 4,
            layers: read.layers,
            count: word(at + 5),
            wire,
            timestamp: header.timestamp,
            picture_id: read.picture_id,
            number: read.number,
            top: read.top,
            keyframe: read.keyframe,
            marker: header.marker,
            late: number < newest,
            at: now,
        };
        if track == Track::Microphone {
            self.heard_at.entry((seen.from, seen.count)).or_insert(now);
        }
        self.seen.entry(ssrc).or_default().push(seen);
    }

    /// Notes the earlier sounds of a RED payload; gives the primary one.
    fn receive_redundant<'a>(&mut self, now: Instant, payload: &'a [u8]) -> &'a [u8] {
        let mut lengths = Vec::new();
        let mut at = 0;
        while payload[at] & 0x80 != 0 {
            assert_eq!(payload[at] & 0x7f, OPUS);
            lengths.push(usize::from(payload[at + 2] & 3) << 8 | usize::from(payload[at + 3]));
            at += 4;
        }
        assert_eq!(payload[at], OPUS);
        at += 1;
        for length in lengths {
            let block = &payload[at..at + length];
            let word = |at: usize| u32::from_be_bytes(block[at..at + 4].try_into().unwrap());
            let id = PeerId::new(WorkerIndex(block[1]), word(1) & 0xff_ffff);
            self.redundant.insert((id, word(6)));
            self.heard_at.entry((id, word(6))).or_insert(now);
            at += length;
        }
        &payload[at..]
    }

    /// A receiver report of this loss on all slots, in 1/256.
    pub fn report_loss(&mut self, fraction_lost: u8) {
        let blocks: Vec<ReportBlock> = self
            .slot_ssrcs
            .values()
            .map(|ssrc| ReportBlock {
                ssrc: *ssrc,
                fraction_lost,
                total_lost: 0,
                highest_sequence: 0,
                jitter: 0,
                last_sender_report: 0,
                delay_since_sender_report: 0,
            })
            .collect();
        self.send_rtcp(|out| rtcp::receiver_report(out, 77, &blocks));
    }

    fn receive_rtcp(&mut self, packet: &[u8]) {
        let mut repair = Vec::new();
        for message in Compound::parse(packet).unwrap() {
            match message {
                Message::SenderReport { info, .. } => {
                    self.sender_reports.insert(info.ssrc, info);
                }
                Message::Pli { media, .. } => {
                    let layer = self.layer_of(media);
                    let camera = self.sending(Track::Camera, layer);
                    camera.wants_keyframe = true;
                    camera.plis += 1;
                }
                Message::Nack { media, lost, .. } => {
                    let layer = self.layer_of(media);
                    self.nacks_received += 1;
                    repair.extend(lost.map(|wire| (layer, wire)));
                }
                Message::Remb { .. } => self.remb_seen += 1,
                Message::TransportFeedback(feedback) => {
                    let arrived = feedback.statuses().filter(|(_, at)| at.is_some());
                    self.wide_reported.extend(arrived.map(|(number, _)| number));
                }
                _ => {}
            }
        }
        if !self.repairs {
            return;
        }
        for (layer, wire) in repair {
            self.repair(layer, wire);
        }
    }

    /// What the server says is wanted of the camera.
    pub fn demand(&mut self, encodings: &[EncodingDemand]) {
        for (layer, wanted) in encodings.iter().enumerate() {
            let camera = self.sending(Track::Camera, layer);
            assert_eq!(camera.rid, wanted.rid.as_deref());
            camera.wants_keyframe |= wanted.active && !camera.active;
            camera.active = wanted.active;
        }
    }
}

/// The holes between the first and the last.
pub fn missing(numbers: &BTreeSet<u64>) -> Vec<u16> {
    let (Some(first), Some(last)) = (numbers.first(), numbers.last()) else {
        return Vec::new();
    };
    let holes = (*first..*last).filter(|number| !numbers.contains(number));
    holes.map(|number| number as u16).collect()
}
