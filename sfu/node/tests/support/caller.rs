//! A client on the `webrtc` crate, whose ICE, DTLS, SRTP and SDP share nothing
//! with the server's.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use liandong_sfu_node::{Answered, Node, PeerId, RoomId};
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::media_engine::{MIME_TYPE_OPUS, MIME_TYPE_VP8};
use rtc::rtp;
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind,
};
use tokio::sync::{Notify, watch};
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::peer_connection::{
    MediaEngine, PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler,
    RTCIceGatheringState, RTCPeerConnectionState, RTCSessionDescription, Registry,
    SettingEngineBuilder, register_default_interceptors,
};
use webrtc::rtp_transceiver::{RTCRtpTransceiverDirection, RTCRtpTransceiverInit};

const OPUS: u8 = 111;
const VP8: u8 = 96;
const PATIENCE: Duration = Duration::from_secs(30);

/// The payloads that came in, by SSRC.
pub type Seen = HashMap<u32, Vec<Bytes>>;

#[derive(Default)]
struct Inbox {
    seen: Mutex<Seen>,
    grown: Notify,
}

struct Observer {
    gathered: watch::Sender<bool>,
    connected: watch::Sender<bool>,
    inbox: Arc<Inbox>,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Observer {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            self.gathered.send_replace(true);
        }
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        let up = state == RTCPeerConnectionState::Connected;
        self.connected.send_replace(up);
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        let inbox = self.inbox.clone();
        tokio::spawn(async move {
            while let Some(event) = track.poll().await {
                if let TrackRemoteEvent::OnRtpPacket(packet) = event {
                    let mut seen = inbox.seen.lock().unwrap();
                    let stream = seen.entry(packet.header.ssrc).or_default();
                    stream.push(packet.payload);
                    drop(seen);
                    inbox.grown.notify_waiters();
                }
            }
        });
    }
}

pub struct Caller {
    pub peer: PeerId,
    /// SSRCs of the video slots and of the audio slots, in the order of the answer.
    pub video_slots: Vec<u32>,
    pub audio_slots: Vec<u32>,
    connection: Arc<dyn PeerConnection>,
    microphone: Outgoing,
    camera: Outgoing,
    inbox: Arc<Inbox>,
    connected: watch::Receiver<bool>,
}

struct Outgoing {
    track: Arc<TrackLocalStaticRTP>,
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
}

impl Caller {
    /// Offers, is answered and connects. `mark` goes into all that it sends.
    pub async fn join(node: &Node, room: RoomId, mark: u8, video_slots: usize) -> Self {
        let (gathered, mut is_gathered) = watch::channel(false);
        let (connected_now, connected) = watch::channel(false);
        let inbox = Arc::new(Inbox::default());
        let observer = Arc::new(Observer {
            gathered,
            connected: connected_now,
            inbox: inbox.clone(),
        });
        let mut engine = MediaEngine::default();
        engine.register_default_codecs().unwrap();
        let registry = register_default_interceptors(Registry::new(), &mut engine).unwrap();
        let settings = SettingEngineBuilder::new()
            .with_include_loopback_candidate(true)
            .build();
        // On the heap: the builder's future is large.
        let connection = Box::pin(
            PeerConnectionBuilder::new()
                .with_media_engine(engine)
                .with_setting_engine(settings)
                .with_interceptor_registry(registry)
                .with_handler(observer)
                .with_udp_addrs(vec!["127.0.0.1:0".to_owned()])
                .build(),
        )
        .await
        .unwrap();
        let connection: Arc<dyn PeerConnection> = Arc::new(connection);
        let microphone = Outgoing::add(&connection, mark, RtpCodecKind::Audio).await;
        let camera = Outgoing::add(&connection, mark, RtpCodecKind::Video).await;
        let slots = [(RtpCodecKind::Video, video_slots), (RtpCodecKind::Audio, 2)];
        for (kind, count) in slots {
            for _ in 0..count {
                let init = RTCRtpTransceiverInit {
                    direction: RTCRtpTransceiverDirection::Recvonly,
                    streams: Vec::new(),
                    send_encodings: Vec::new(),
                };
                connection
                    .add_transceiver_from_kind(kind, Some(init))
                    .await
                    .unwrap();
            }
        }
        let offer = connection.create_offer(None).await.unwrap();
        connection.set_local_description(offer).await.unwrap();
        is_gathered.wait_for(|done| *done).await.unwrap();
        let offer = connection.local_description().await.unwrap();

        let Answered { peer, sdp, .. } = node.offer(None, room, offer.sdp).await.unwrap();
        let (video_slots, audio_slots) = slot_ssrcs(&sdp);
        let answer = RTCSessionDescription::answer(sdp).unwrap();
        connection.set_remote_description(answer).await.unwrap();
        Self {
            peer,
            video_slots,
            audio_slots,
            connection,
            microphone,
            camera,
            inbox,
            connected,
        }
    }

    pub async fn connected(&mut self) {
        let up = self.connected.wait_for(|up| *up);
        tokio::time::timeout(PATIENCE, up).await.unwrap().unwrap();
    }

    pub fn is_connected(&self) -> bool {
        *self.connected.borrow()
    }

    /// 20 ms of speech and a frame of one packet, both with this number. A keyframe
    /// each time, so that any packet can be the first of a slot.
    pub async fn send(&mut self, number: u32) {
        let mark = self.microphone_mark();
        let mut speech = vec![0xfc, mark];
        speech.extend_from_slice(&number.to_be_bytes());
        self.microphone.send(OPUS, 960, speech).await;
        // RFC 7741 §4.2 with a 15 bit picture id; RFC 6386 §9.1, 320 × 180.
        let picture = (number as u16 & 0x7fff | 0x8000).to_be_bytes();
        let mut frame = vec![0x90, 0x80, picture[0], picture[1]];
        frame.extend_from_slice(&[0x10, 0, 0, 0x9d, 1, 0x2a, 64, 1, 180, 0, mark]);
        frame.extend_from_slice(&number.to_be_bytes());
        self.camera.send(VP8, 1_800, frame).await;
    }

    fn microphone_mark(&self) -> u8 {
        (self.microphone.ssrc >> 24) as u8
    }

    /// Waits until `enough` of what came in.
    pub async fn until(&self, what: &str, enough: impl Fn(&Seen) -> bool) {
        let wait = async {
            loop {
                let grown = self.inbox.grown.notified();
                if enough(&self.inbox.seen.lock().unwrap()) {
                    return;
                }
                grown.await;
            }
        };
        if tokio::time::timeout(PATIENCE, wait).await.is_err() {
            let seen = self.inbox.seen.lock().unwrap();
            let counts: Vec<(u32, usize)> = seen.iter().map(|(s, p)| (*s, p.len())).collect();
            panic!("{what} did not come; got (ssrc, packets) {counts:?}");
        }
    }

    /// Whether that much came, seen now.
    pub fn has(&self, enough: impl Fn(&Seen) -> bool) -> bool {
        enough(&self.inbox.seen.lock().unwrap())
    }

    pub async fn hang_up(self) {
        self.connection.close().await.unwrap();
    }
}

impl Outgoing {
    async fn add(connection: &Arc<dyn PeerConnection>, mark: u8, kind: RtpCodecKind) -> Self {
        let audio = kind == RtpCodecKind::Audio;
        let codec = RTCRtpCodec {
            mime_type: if audio { MIME_TYPE_OPUS } else { MIME_TYPE_VP8 }.to_owned(),
            clock_rate: if audio { 48_000 } else { 90_000 },
            channels: if audio { 2 } else { 0 },
            ..RTCRtpCodec::default()
        };
        let ssrc = u32::from(mark) << 24 | u32::from(audio);
        let encoding = RTCRtpEncodingParameters {
            rtp_coding_parameters: RTCRtpCodingParameters {
                ssrc: Some(ssrc),
                ..RTCRtpCodingParameters::default()
            },
            active: true,
            codec,
            ..RTCRtpEncodingParameters::default()
        };
        let track = Arc::new(TrackLocalStaticRTP::new(MediaStreamTrack::new(
            format!("caller-{mark}"),
            format!("caller-{mark}-{kind}"),
            format!("caller-{mark}"),
            kind,
            vec![encoding.clone()],
        )));
        let init = RTCRtpTransceiverInit {
            direction: RTCRtpTransceiverDirection::Sendonly,
            streams: vec![format!("caller-{mark}")],
            send_encodings: vec![encoding],
        };
        let local = track.clone() as Arc<dyn TrackLocal>;
        connection
            .add_transceiver_from_track(local, Some(init))
            .await
            .unwrap();
        Self {
            track,
            ssrc,
            sequence: 0,
            timestamp: 0,
        }
    }

    async fn send(&mut self, payload_type: u8, ticks: u32, payload: Vec<u8>) {
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(ticks);
        let packet = rtp::Packet {
            header: rtp::Header {
                version: 2,
                marker: true,
                payload_type,
                sequence_number: self.sequence,
                timestamp: self.timestamp,
                ssrc: self.ssrc,
                ..rtp::Header::default()
            },
            payload: payload.into(),
        };
        self.track.write_rtp(packet).await.unwrap();
    }
}

/// (video, audio): the SSRCs that the answer's sending m-lines announce.
fn slot_ssrcs(answer: &str) -> (Vec<u32>, Vec<u32>) {
    let mut slots = (Vec::new(), Vec::new());
    for section in answer.split("\r\nm=").skip(1) {
        let ssrc = section
            .lines()
            .find_map(|line| line.strip_prefix("a=ssrc:"))
            .and_then(|rest| rest.split(' ').next()?.parse().ok());
        if let Some(ssrc) = ssrc {
            let of_kind = if section.starts_with("video") {
                &mut slots.0
            } else {
                &mut slots.1
            };
            of_kind.push(ssrc);
        }
    }
    slots
}

/// The numbers of the packets of `mark` among these payloads, in order of arrival.
pub fn numbers(payloads: &[Bytes], mark: u8) -> Vec<u32> {
    payloads
        .iter()
        .filter_map(|payload| {
            let (rest, number) = payload.split_last_chunk::<4>()?;
            (rest.last() == Some(&mark)).then(|| u32::from_be_bytes(*number))
        })
        .collect()
}
