//! A client as light as can be, without sockets: checks, DTLS as the client,
//! SRTP. It cannot judge the server as an independent client does, for it shares
//! the server's SRTP; it is for load, and for attacks that need the keys.

mod reports;

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use is::stun::{StunMessage, TransId};
use is::{DefaultSha1HmacProvider, Sha1HmacProvider as _};
use liandong_sfu_core::rtp::{Extension, ExtensionMap, RtpHeader};
use liandong_sfu_core::transport::{OutboundStream, SrtpIn, SrtpOut, SrtpProfile, srtp};

use reports::Reports;

pub const OPUS: u8 = 111;
pub const VP8: u8 = 96;
pub const VP8_RTX: u8 = 97;
/// Header extension ids: of RFC 6464, and of the transport-wide sequence number.
const LEVEL: u8 = 1;
const TRANSPORT_CC: u8 = 3;
const TRANSPORT_CC_URI: &str =
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
const PASSWORD: &str = "lightlightlightlightlight";
/// Checks are this far apart until DTLS is done, and afterwards (consent).
const CHECK: Duration = Duration::from_millis(50);
const CONSENT: Duration = Duration::from_secs(4);

/// A certificate, which many clients may share.
pub struct Identity {
    certificate: dimpl::DtlsCertificate,
    config: Arc<dimpl::Config>,
    /// As SDP writes it.
    pub fingerprint: String,
}

impl Identity {
    pub fn generate() -> Self {
        let certificate = dimpl::certificate::generate_self_signed_certificate().unwrap();
        let digest = ring::digest::digest(&ring::digest::SHA256, &certificate.certificate);
        let hex: Vec<String> = digest.as_ref().iter().map(|b| format!("{b:02X}")).collect();
        Self {
            certificate,
            config: Arc::default(),
            fingerprint: format!("sha-256 {}", hex.join(":")),
        }
    }
}

/// What a client offers.
#[derive(Clone, Copy, Debug)]
pub struct Wishes {
    /// Microphone and camera.
    pub sends: bool,
    pub audio_slots: usize,
    pub video_slots: usize,
}

/// What a datagram from the server was.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Got {
    Other,
    /// Not opened: its header says enough.
    Media {
        ssrc: u32,
        payload_type: u8,
        sequence: u16,
    },
    KeyframeWanted,
}

#[derive(Debug)]
struct Stream {
    ssrc: u32,
    sequence: u16,
    out: OutboundStream,
}

pub struct Light {
    name: u32,
    ufrag: String,
    server_ufrag: String,
    server_pwd: String,
    dtls: dimpl::Dtls,
    dtls_timer: Option<Instant>,
    dtls_started: bool,
    srtp: Option<(SrtpIn, SrtpOut)>,
    next_check: Instant,
    microphone: Stream,
    camera: Stream,
    picture: u16,
    /// Of the packets sent.
    transport_sequence: u16,
    extensions: ExtensionMap,
    reports: Reports,
    /// The last bytes of each video packet's payload.
    pub tail: [u8; 8],
    pub transmits: VecDeque<Vec<u8>>,
}

/// The offer of client `name`.
pub fn offer(name: u32, fingerprint: &str, wishes: Wishes) -> String {
    let mut lines: Vec<(&str, &str, String)> = Vec::new();
    if wishes.sends {
        lines.push(("audio", "sendonly", "mic".into()));
        lines.push(("video", "sendonly", "cam".into()));
    }
    lines.extend((0..wishes.audio_slots).map(|i| ("audio", "recvonly", format!("a{i}"))));
    lines.extend((0..wishes.video_slots).map(|i| ("video", "recvonly", format!("v{i}"))));

    let mut sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE".to_owned();
    for (_, _, mid) in &lines {
        let _ = write!(sdp, " {mid}");
    }
    sdp.push_str("\r\n");
    for (kind, direction, mid) in &lines {
        let formats = if *kind == "audio" { "111" } else { "96 97" };
        let ufrag = ufrag(name);
        let _ = write!(
            sdp,
            "m={kind} 9 UDP/TLS/RTP/SAVPF {formats}\r\nc=IN IP4 0.0.0.0\r\na=mid:{mid}\r\n\
             a=ice-ufrag:{ufrag}\r\na=ice-pwd:{PASSWORD}\r\na=fingerprint:{fingerprint}\r\n\
             a=setup:actpass\r\na=rtcp-mux\r\na={direction}\r\n"
        );
        sdp.push_str(if *kind == "audio" {
            "a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n\
             a=rtcp-fb:111 transport-cc\r\na=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n"
        } else {
            "a=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\n\
             a=rtcp-fb:96 ccm fir\r\na=rtcp-fb:96 goog-remb\r\na=rtcp-fb:96 transport-cc\r\n\
             a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n"
        });
        let _ = write!(sdp, "a=extmap:{TRANSPORT_CC} {TRANSPORT_CC_URI}\r\n");
        if *direction == "sendonly" {
            let ssrc = ssrc(name, *kind == "video");
            let _ = write!(sdp, "a=ssrc:{ssrc} cname:light{name}\r\n");
        }
    }
    sdp
}

fn ufrag(name: u32) -> String {
    format!("light{name}")
}

pub fn ssrc(name: u32, video: bool) -> u32 {
    0x1000_0000 + name * 2 + u32::from(video)
}

/// The first value of an attribute in SDP.
pub fn attribute<'a>(sdp: &'a str, name: &str) -> Option<&'a str> {
    sdp.lines()
        .filter_map(|line| {
            line.strip_prefix("a=")?
                .strip_prefix(name)?
                .strip_prefix(':')
        })
        .next()
}

impl Light {
    /// With the server's ICE credentials of the answer.
    pub fn new(
        now: Instant,
        name: u32,
        identity: &Identity,
        server_ufrag: &str,
        server_pwd: &str,
    ) -> Self {
        let config = identity.config.clone();
        let mut dtls = dimpl::Dtls::new_12(config, identity.certificate.clone(), now);
        dtls.set_active(true);
        let stream = |video| Stream {
            ssrc: ssrc(name, video),
            sequence: 1,
            out: OutboundStream::default(),
        };
        let mut extensions = ExtensionMap::default();
        extensions.insert(Extension::TransportCc, TRANSPORT_CC);
        Self {
            name,
            ufrag: ufrag(name),
            server_ufrag: server_ufrag.to_owned(),
            server_pwd: server_pwd.to_owned(),
            dtls,
            dtls_timer: None,
            dtls_started: false,
            srtp: None,
            next_check: now,
            microphone: stream(false),
            camera: stream(true),
            picture: 0,
            transport_sequence: 0,
            extensions,
            reports: Reports::new(now, report_ssrc(name)),
            tail: [0x5a; 8],
            transmits: VecDeque::new(),
        }
    }

    pub fn is_connected(&self) -> bool {
        self.srtp.is_some()
    }

    /// To be called every now and then.
    pub fn tick(&mut self, now: Instant) {
        if now >= self.next_check {
            self.next_check = now + if self.is_connected() { CONSENT } else { CHECK };
            let check = self.good_check();
            self.transmits.push_back(check);
        }
        if self.dtls_timer.is_some_and(|at| now >= at) {
            self.dtls.handle_timeout(now).ok();
            self.drain_dtls();
        }
        if let Some((_, out)) = &mut self.srtp {
            let transmits = &mut self.transmits;
            self.reports.tick(now, |mut compound| {
                out.protect_rtcp(&mut compound).unwrap();
                transmits.push_back(compound);
            });
        }
    }

    /// A check as it should be, to be sent at once: from a new address, for example.
    pub fn good_check(&self) -> Vec<u8> {
        self.check(&self.server_pwd)
    }

    /// A binding request under any password.
    pub fn check(&self, password: &str) -> Vec<u8> {
        let username = format!("{}:{}", self.server_ufrag, self.ufrag);
        let tie_breaker = u64::from(self.name);
        let message =
            StunMessage::binding_request(&username, TransId::new(), true, tie_breaker, 1, true);
        let mut bytes = vec![0; 256];
        let hmac = |key: &[u8], parts: &[&[u8]]| DefaultSha1HmacProvider.sha1_hmac(key, parts);
        let len = message
            .to_bytes(Some(password.as_bytes()), &mut bytes, hmac)
            .unwrap();
        bytes.truncate(len);
        bytes
    }

    pub fn handle(&mut self, now: Instant, datagram: &mut [u8]) -> Got {
        match datagram {
            [0..=3, ..] => {
                if !self.dtls_started {
                    self.dtls_started = true;
                    self.dtls.handle_timeout(now).ok();
                    self.drain_dtls();
                }
                Got::Other
            }
            [20..=63, ..] => {
                self.dtls.handle_packet(datagram).ok();
                self.drain_dtls();
                Got::Other
            }
            [128..=191, 192..=223, ..] => self.control(now, datagram),
            [128..=191, ..] => self.media(now, datagram),
            _ => Got::Other,
        }
    }

    fn media(&mut self, now: Instant, datagram: &mut [u8]) -> Got {
        // The length of padding is sealed.
        let first = datagram[0];
        datagram[0] = first & !0x20;
        let header = RtpHeader::parse(datagram);
        datagram[0] = first;
        let Ok(header) = header else {
            return Got::Other;
        };
        let number = self.extensions.read(&header, datagram).transport_sequence;
        let (ssrc, sequence) = (header.ssrc, header.sequence);
        let mut missing = self
            .reports
            .arrived(now, (ssrc, sequence), number)
            .peekable();
        if header.payload_type == VP8 && missing.peek().is_some() {
            self.ask_again(ssrc, missing);
        }
        Got::Media {
            ssrc,
            payload_type: header.payload_type,
            sequence,
        }
    }

    /// Opens a packet of media; gives its length in clear.
    pub fn open(&mut self, datagram: &mut [u8]) -> Option<usize> {
        let (inbound, _) = self.srtp.as_mut()?;
        inbound.unprotect_rtp(datagram).ok()
    }

    fn control(&mut self, now: Instant, datagram: &mut [u8]) -> Got {
        let Some((inbound, _)) = &mut self.srtp else {
            return Got::Other;
        };
        let Ok(len) = inbound.unprotect_rtcp(datagram) else {
            return Got::Other;
        };
        let mut compound = &datagram[..len];
        while let [first, kind, l1, l0, ..] = *compound {
            // PLI (RFC 4585 §6.3.1) or FIR (RFC 5104 §4.3.1).
            if kind == 206 && matches!(first & 0x1f, 1 | 4) {
                return Got::KeyframeWanted;
            }
            // Sender report (RFC 3550 §6.4.1).
            if let (200, Some(&[a, b, c, d, _, _, n2, n1, n0, f, ..])) = (
                kind,
                compound.get(4..14).and_then(|b| b.first_chunk::<10>()),
            ) {
                let ssrc = u32::from_be_bytes([a, b, c, d]);
                let ntp = u32::from_be_bytes([n2, n1, n0, f]);
                self.reports.sender_reported(now, ssrc, ntp);
            }
            let words = usize::from(u16::from_be_bytes([l1, l0])) + 1;
            compound = compound.get(words * 4..).unwrap_or_default();
        }
        Got::Other
    }

    fn drain_dtls(&mut self) {
        let mut buffer = vec![0; 2_048];
        loop {
            match self.dtls.poll_output(&mut buffer) {
                dimpl::Output::Packet(packet) => self.transmits.push_back(packet.to_vec()),
                dimpl::Output::BufferTooSmall { needed } => buffer.resize(needed, 0),
                dimpl::Output::Timeout(at) => {
                    self.dtls_timer = Some(at);
                    return;
                }
                dimpl::Output::KeyingMaterial(material, profile) => {
                    let profile = match profile {
                        dimpl::SrtpProfile::AEAD_AES_128_GCM => SrtpProfile::AeadAes128Gcm,
                        dimpl::SrtpProfile::AEAD_AES_256_GCM => SrtpProfile::AeadAes256Gcm,
                        _ => SrtpProfile::Aes128CmHmacSha1_80,
                    };
                    self.srtp = srtp::from_keying_material(profile, &material, true);
                }
                _ => {}
            }
        }
    }

    /// 20 ms of speech: a sealed packet.
    pub fn speech(&mut self, timestamp: u32) -> Vec<u8> {
        let [n1, n0] = self.next_number();
        let mut packet = header(&self.microphone, OPUS, true, timestamp);
        // One-byte form: voice, 20 below full scale (RFC 6464 §3), the number, padded.
        packet.extend_from_slice(&[0xbe, 0xde, 0, 2, LEVEL << 4, 0x80 | 20]);
        packet.extend_from_slice(&[TRANSPORT_CC << 4 | 1, n1, n0, 0, 0, 0]);
        let header_len = packet.len();
        packet.extend_from_slice(&[0xfc; 80]);
        self.seal(packet, header_len, false)
    }

    /// A VP8-like frame cut into packets of these payload sizes.
    pub fn frame(&mut self, timestamp: u32, keyframe: bool, sizes: &[usize]) -> Vec<Vec<u8>> {
        self.picture = self.picture.wrapping_add(1) & 0x7fff;
        let picture = self.picture.to_be_bytes();
        let last = sizes.len() - 1;
        sizes
            .iter()
            .enumerate()
            .map(|(i, size)| {
                let [n1, n0] = self.next_number();
                let mut packet = header(&self.camera, VP8, i == last, timestamp);
                packet.extend_from_slice(&[0xbe, 0xde, 0, 1, TRANSPORT_CC << 4 | 1, n1, n0, 0]);
                let header_len = packet.len();
                // RFC 7741 §4.2: extended, start of partition; with a 15 bit picture id.
                packet.extend_from_slice(&[if i == 0 { 0x90 } else { 0x80 }, 0x80]);
                packet.extend_from_slice(&[picture[0] | 0x80, picture[1]]);
                if i == 0 && keyframe {
                    // RFC 6386 §9.1: shown keyframe, 320 × 180.
                    packet.extend_from_slice(&[0x10, 0, 0, 0x9d, 1, 0x2a, 64, 1, 180, 0]);
                } else {
                    packet.push(0x11);
                }
                packet.resize(header_len + size, 0x5a);
                let tail_at = packet.len() - self.tail.len();
                packet[tail_at..].copy_from_slice(&self.tail);
                self.seal(packet, header_len, true)
            })
            .collect()
    }

    fn seal(&mut self, mut packet: Vec<u8>, header_len: usize, video: bool) -> Vec<u8> {
        let stream = if video {
            &mut self.camera
        } else {
            &mut self.microphone
        };
        stream.sequence = stream.sequence.wrapping_add(1);
        let clear = packet.len();
        packet.resize(clear + srtp_room(), 0);
        let (_, out) = self.srtp.as_ref().unwrap();
        let len = out
            .protect_rtp(&mut stream.out, &mut packet, header_len, clear)
            .unwrap();
        packet.truncate(len);
        packet
    }

    /// Asks for video packets of a stream again.
    pub fn ask_again(&mut self, ssrc: u32, missing: impl Iterator<Item = u16>) {
        let mut compound = self.reports.nack(ssrc, missing);
        if let Some((_, out)) = &mut self.srtp {
            out.protect_rtcp(&mut compound).unwrap();
            self.transmits.push_back(compound);
        }
    }

    fn next_number(&mut self) -> [u8; 2] {
        self.transport_sequence = self.transport_sequence.wrapping_add(1);
        self.transport_sequence.to_be_bytes()
    }
}

/// With an extension block to follow.
fn header(stream: &Stream, payload_type: u8, marker: bool, timestamp: u32) -> Vec<u8> {
    let mut packet = Vec::with_capacity(1_400);
    packet.extend_from_slice(&[0x90, u8::from(marker) << 7 | payload_type]);
    packet.extend_from_slice(&stream.sequence.to_be_bytes());
    packet.extend_from_slice(&timestamp.to_be_bytes());
    packet.extend_from_slice(&stream.ssrc.to_be_bytes());
    packet
}

fn report_ssrc(name: u32) -> u32 {
    0x2000_0000 + name
}

fn srtp_room() -> usize {
    liandong_sfu_core::transport::MAX_TRAILER
}
