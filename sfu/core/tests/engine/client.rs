//! A client: negotiates, connects, sends marked packets and looks at what it gets.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Instant;

use is::stun::{StunMessage, TransId};
use liandong_sfu_core::codec::vp8;
use liandong_sfu_core::ids::{Path, PeerId, Track, WorkerIndex};
use liandong_sfu_core::rtcp::{self, Compound, Message, ReportBlock, SenderInfo};
use liandong_sfu_core::rtp::{Extension, ExtensionMap, RtpHeader, write_extensions};
use liandong_sfu_core::transport::{
    Certificate, DtlsRole, IceCredentials, IceRemote, Kind, OutboundStream, Transport,
    TransportConfig, classify,
};
use ring::hmac;

pub const VP8: u8 = 96;
const VP8_RTX: u8 = 97;
pub const OPUS: u8 = 111;
const RED: u8 = 63;
const MID: u8 = 4;
const LEVEL: u8 = 1;
const WIDE: u8 = 5;

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
        }
    }
}

/// A received packet of a slot: who sent it, and where it stood in the sender's stream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Seen {
    pub from: PeerId,
    pub track: Track,
    pub count: u32,
    pub wire: u16,
    pub timestamp: u32,
    pub picture_id: u16,
    pub keyframe: bool,
    pub marker: bool,
    /// Newer ones came before it: reordered, or repaired.
    pub late: bool,
    pub at: Instant,
}

/// One stream that a client sends.
#[derive(Debug)]
pub struct Sending {
    pub ssrc: u32,
    pub sequence: u16,
    pub timestamp: u32,
    pub picture_id: u16,
    /// Packets made, in this track's numbering of its own.
    pub count: u32,
    pub wants_keyframe: bool,
    pub keyframes: u32,
    pub plis: u32,
    stream: OutboundStream,
    rtx_stream: OutboundStream,
    rtx_sequence: u16,
    /// For repair: sequence → clear packet.
    history: BTreeMap<u16, Vec<u8>>,
}

impl Sending {
    fn new(ssrc: u32, seed: u32) -> Self {
        Self {
            ssrc,
            sequence: (seed.wrapping_mul(2_654_435_761) >> 17) as u16 | 0x7f00,
            timestamp: u32::MAX - seed * 999,
            picture_id: 0x7ff0 + seed as u16 % 10,
            count: 0,
            wants_keyframe: true,
            keyframes: 0,
            plis: 0,
            stream: OutboundStream::default(),
            rtx_stream: OutboundStream::default(),
            rtx_sequence: 1,
            history: BTreeMap::new(),
        }
    }
}

#[derive(Debug)]
pub struct Client {
    pub id: PeerId,
    pub wants: Wants,
    /// As the server sees it.
    pub path: Path,
    pub transport: Option<Transport>,
    local: IceCredentials,
    server: Option<(String, String)>,
    certificate: Certificate,
    pub microphone: Sending,
    pub camera: Sending,
    pub level: u8,
    /// SSRC of the slot by mid; RTX SSRC → SSRC.
    pub slot_ssrcs: BTreeMap<String, u32>,
    rtx_of: BTreeMap<u32, u32>,
    pub seen: BTreeMap<u32, Vec<Seen>>,
    /// Sounds that came as redundancy: who sent them, and their count.
    pub redundant: BTreeSet<(PeerId, u32)>,
    /// Payload bytes of sound that arrived.
    pub sound_bytes: usize,
    /// Sequence numbers by SSRC, unwrapped.
    pub numbers: BTreeMap<u32, BTreeSet<u64>>,
    pub duplicates: u32,
    pub rtx_received: u32,
    pub plain_repeats: u32,
    pub sender_reports: BTreeMap<u32, SenderInfo>,
    /// Transport-wide numbers used, and those reported as arrived.
    wide_sequence: u16,
    pub wide_reported: BTreeSet<u16>,
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
        Self {
            id,
            wants,
            path,
            transport: None,
            local: IceCredentials::from_secrets(WorkerIndex(200), &secrets),
            server: None,
            certificate,
            microphone: Sending::new(1_000 + seed, seed),
            camera: Sending::new(2_000 + seed, seed),
            level: 127,
            slot_ssrcs: BTreeMap::new(),
            rtx_of: BTreeMap::new(),
            seen: BTreeMap::new(),
            redundant: BTreeSet::new(),
            sound_bytes: 0,
            numbers: BTreeMap::new(),
            duplicates: 0,
            rtx_received: 0,
            plain_repeats: 0,
            sender_reports: BTreeMap::new(),
            wide_sequence: 0,
            wide_reported: BTreeSet::new(),
            remb_seen: 0,
            nacks_received: 0,
            repairs: true,
            outgoing: Vec::new(),
        }
    }

    pub fn offer(&self) -> String {
        let mids = 2 + self.wants.video_slots + self.wants.audio_slots;
        let bundle: Vec<String> = (0..mids).map(|mid| mid.to_string()).collect();
        let mut sdp = format!(
            "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE {}\r\n",
            bundle.join(" ")
        );
        let mut mid = 0;
        self.section(&mut sdp, &mut mid, "audio", "sendonly");
        self.section(&mut sdp, &mut mid, "video", "sendonly");
        for _ in 0..self.wants.video_slots {
            self.section(&mut sdp, &mut mid, "video", "recvonly");
        }
        for _ in 0..self.wants.audio_slots {
            self.section(&mut sdp, &mut mid, "audio", "recvonly");
        }
        sdp
    }

    fn section(&self, sdp: &mut String, mid: &mut usize, kind: &str, direction: &str) {
        let rtx = kind == "video" && self.wants.rtx;
        let red = self.wants.red && direction == "recvonly";
        let types = match (kind, rtx) {
            ("audio", _) if red => "111 63".to_owned(),
            ("audio", _) => "111".to_owned(),
            (_, true) => "96 97".to_owned(),
            (_, false) => "96".to_owned(),
        };
        write!(
            sdp,
            "m={kind} 9 UDP/TLS/RTP/SAVPF {types}\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n\
             a=ice-ufrag:{}\r\na=ice-pwd:{}\r\na=fingerprint:{}\r\na=setup:actpass\r\n\
             a=mid:{mid}\r\na=extmap:{MID} urn:ietf:params:rtp-hdrext:sdes:mid\r\na={direction}\r\n\
             a=rtcp-mux\r\na=rtcp-rsize\r\n",
            self.local.ufrag(),
            self.local.pwd(),
            self.certificate.fingerprint_sha256(),
        )
        .unwrap();
        let levels = direction == "recvonly" || self.wants.sends_levels;
        if kind == "audio" {
            sdp.push_str("a=rtpmap:111 opus/48000/2\r\na=fmtp:111 useinbandfec=1\r\n");
            if red {
                sdp.push_str("a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n");
            }
            if levels {
                write!(sdp, "a=extmap:{LEVEL} {}\r\n", Extension::AudioLevel.uri()).unwrap();
            }
        } else {
            sdp.push_str(
                "a=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\n\
                 a=rtcp-fb:96 ccm fir\r\na=rtcp-fb:96 goog-remb\r\n",
            );
        }
        if self.wants.wide {
            let payload_type = if kind == "audio" { OPUS } else { VP8 };
            write!(
                sdp,
                "a=rtcp-fb:{payload_type} transport-cc\r\na=extmap:{WIDE} {}\r\n",
                Extension::TransportCc.uri()
            )
            .unwrap();
        }
        if rtx {
            sdp.push_str("a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n");
        }
        *mid += 1;
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

    /// A frame of so many packets, 33 ms after the last.
    pub fn send_frame(&mut self, packets: usize) {
        self.send_frame_of(packets, 100);
    }

    /// A frame of packets of a usual MTU.
    #[allow(dead_code)] // the benchmark's
    pub fn send_large_frame(&mut self, packets: usize) {
        self.send_frame_of(packets, 1_100);
    }

    fn send_frame_of(&mut self, packets: usize, bytes: usize) {
        let keyframe = std::mem::take(&mut self.camera.wants_keyframe);
        self.camera.timestamp = self.camera.timestamp.wrapping_add(3_000);
        self.camera.picture_id = self.camera.picture_id.wrapping_add(1) & 0x7fff;
        self.camera.keyframes += u32::from(keyframe);
        for packet in 0..packets {
            let [high, low] = self.camera.picture_id.to_be_bytes();
            let start = if packet == 0 { 0x10 } else { 0 };
            let tag = if keyframe { 0 } else { 1 };
            let mut payload = vec![0x80 | start, 0x80, high | 0x80, low, tag];
            payload.extend(self.marks(Track::Camera));
            payload.resize(bytes + packet % 10, 0xab);
            self.send_rtp(Track::Camera, VP8, packet + 1 == packets, &payload);
        }
    }

    /// 20 ms of sound.
    pub fn send_sound(&mut self) {
        self.microphone.timestamp = self.microphone.timestamp.wrapping_add(960);
        let mut payload = vec![0x78];
        payload.extend(self.marks(Track::Microphone));
        payload.resize(80, 0xcd);
        self.send_rtp(Track::Microphone, OPUS, false, &payload);
    }

    /// Padding alone, as a probe.
    pub fn send_padding(&mut self) {
        self.send_rtp(Track::Camera, VP8, false, &[]);
    }

    fn marks(&mut self, track: Track) -> Vec<u8> {
        let id = (u32::from(self.id.worker().0) << 24) | self.id.serial();
        let sending = self.sending(track);
        sending.count += 1;
        let mut marks = id.to_be_bytes().to_vec();
        marks.push(track as u8);
        marks.extend(sending.count.to_be_bytes());
        marks
    }

    pub fn sending(&mut self, track: Track) -> &mut Sending {
        match track {
            Track::Microphone => &mut self.microphone,
            Track::Camera | Track::Screen => &mut self.camera,
        }
    }

    fn send_rtp(&mut self, track: Track, payload_type: u8, marker: bool, payload: &[u8]) {
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
        let sending = self.sending(track);
        let padded = payload.is_empty();
        let first = if padded { 0xb0 } else { 0x90 };
        let mut packet = vec![first, payload_type | u8::from(marker) << 7];
        packet.extend(sending.sequence.to_be_bytes());
        packet.extend(sending.timestamp.to_be_bytes());
        packet.extend(sending.ssrc.to_be_bytes());
        let mut block = [0; 32];
        let mut elements = vec![(MID, mid)];
        if with_level {
            elements.push((LEVEL, &level[..]));
        }
        if with_wide {
            elements.push((WIDE, &wide[..]));
        }
        let len = write_extensions(&mut block, &elements).unwrap();
        packet.extend(&block[..len]);
        packet.extend(payload);
        if padded {
            packet.extend([0, 0, 0, 4]);
        }
        sending.history.insert(sending.sequence, packet.clone());
        sending.sequence = sending.sequence.wrapping_add(1);
        self.seal(track, packet, false);
    }

    fn seal(&mut self, track: Track, mut packet: Vec<u8>, rtx: bool) {
        let Some(transport) = &mut self.transport else {
            return;
        };
        let Some(srtp) = transport.srtp_out() else {
            return;
        };
        let sending = match track {
            Track::Microphone => &mut self.microphone,
            Track::Camera | Track::Screen => &mut self.camera,
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
        let mut payload = header.payload(packet);
        let (mut ssrc, mut wire) = (header.ssrc, header.sequence);
        if header.payload_type == VP8_RTX {
            self.rtx_received += 1;
            ssrc = self.rtx_of[&ssrc];
            wire = u16::from_be_bytes([payload[0], payload[1]]);
            payload = &payload[2..];
        }
        let mut map = ExtensionMap::default();
        map.insert(Extension::Mid, MID);
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
            return;
        }
        if matches!(header.payload_type, OPUS | RED) {
            self.sound_bytes += payload.len();
        }
        if header.payload_type == RED {
            payload = self.receive_redundant(payload);
        }
        let (track, at, picture_id, keyframe) = if matches!(header.payload_type, OPUS | RED) {
            (Track::Microphone, 1, 0, false)
        } else {
            let descriptor = vp8::Descriptor::parse(payload).unwrap();
            let id = descriptor.picture_id.unwrap().value();
            (Track::Camera, 5, id, vp8::is_keyframe(payload))
        };
        let word = |at: usize| u32::from_be_bytes(payload[at..at + 4].try_into().unwrap());
        let id = word(at);
        assert_eq!(
            payload[at + 4],
            track as u8,
            "a camera's packet in a video slot"
        );
        let seen = Seen {
            from: PeerId::new(WorkerIndex((id >> 24) as u8), id & 0xff_ffff),
            track,
            count: word(at + 5),
            wire,
            timestamp: header.timestamp,
            picture_id,
            keyframe,
            marker: header.marker,
            late: number < newest,
            at: now,
        };
        self.seen.entry(ssrc).or_default().push(seen);
    }

    /// Notes the earlier sounds of a RED payload; gives the primary one.
    fn receive_redundant<'a>(&mut self, payload: &'a [u8]) -> &'a [u8] {
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
                    assert_eq!(media, self.camera.ssrc);
                    self.camera.wants_keyframe = true;
                    self.camera.plis += 1;
                }
                Message::Nack { media, lost, .. } => {
                    assert_eq!(media, self.camera.ssrc);
                    self.nacks_received += 1;
                    repair.extend(lost);
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
        for wire in repair {
            let Some(packet) = self.camera.history.get(&wire).cloned() else {
                continue;
            };
            if !self.wants.rtx {
                self.seal(Track::Camera, packet, false);
                continue;
            }
            let header = RtpHeader::parse(&packet).unwrap();
            let mut again = packet[..header.header_length()].to_vec();
            again[0] &= !0x20;
            again[1] = VP8_RTX | (again[1] & 0x80);
            again[2..4].copy_from_slice(&self.camera.rtx_sequence.to_be_bytes());
            again[8..12].copy_from_slice(&(self.camera.ssrc + 50_000).to_be_bytes());
            self.camera.rtx_sequence += 1;
            again.extend(wire.to_be_bytes());
            again.extend(header.payload(&packet));
            self.seal(Track::Camera, again, true);
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
