//! Sets up the independent media stack as a site's client would.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::media_engine::{
    MIME_TYPE_OPUS, MIME_TYPE_RTX, MIME_TYPE_VP8,
};
use rtc::rtp_transceiver::rtp_sender::{
    RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters,
    RTCRtpEncodingParameters, RTCRtpHeaderExtensionCapability, RTCRtpRtxParameters, RtpCodecKind,
};
use webrtc::error::Error;
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::peer_connection::{
    MediaEngine, PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, Registry,
    SettingEngine, SettingEngineBuilder, Slot, SrtpProtectionProfile, configure_nack,
    configure_rtcp_reports, configure_twcc_receiver_only,
};
use webrtc::rtp_transceiver::{RTCRtpTransceiverDirection, RTCRtpTransceiverInit};

use super::MediaPlan;
use super::keyframes::{KeyframeRequests, NEXT_TO_THE_BOT};
use super::observer::Observer;
use super::sending::Stream;
use crate::media::video::Size;

pub(super) const MID: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";
pub(super) const RID: &str = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id";
pub(super) const AUDIO_LEVEL: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";

const OPUS: u8 = 111;
const VP8: u8 = 96;
const VP8_RTX: u8 = 97;

/// Checks go out this often until a pair works; the stack's own 200 ms would
/// add up to a second to every connection.
const CHECK_EVERY: Duration = Duration::from_millis(50);
/// Without a check's answer for so long, the path counts as disconnected …
const DISCONNECTED_AFTER: Duration = Duration::from_secs(3);
/// … and for so much longer, as failed.
const FAILED_AFTER: Duration = Duration::from_secs(3);
const KEEP_ALIVE: Duration = Duration::from_secs(1);

/// What a bot sends with.
pub(super) struct Tracks {
    pub(super) audio: Stream,
    /// The encodings of one track, from the smallest.
    pub(super) video: Vec<(Size, Stream)>,
}

/// A connection with the transceivers of the plan, in the order that the
/// protocol asks for: own sound, own picture, the slots.
///
/// # Errors
/// The stack refuses, for example because no socket can be bound.
pub(super) async fn build(
    plan: &MediaPlan,
    index: u16,
    observer: Arc<Observer>,
) -> Result<(Arc<dyn PeerConnection>, Option<Tracks>), Error> {
    let connection = connection(plan, observer).await?;
    let tracks = if plan.sends {
        Some(Tracks {
            audio: add_sound(&connection, index).await?,
            video: add_picture(&connection, index, plan.simulcast).await?,
        })
    } else {
        None
    };
    add_slots(&connection, plan).await?;
    Ok((connection, tracks))
}

/// The same with sound only, for a talk group.
///
/// # Errors
/// As [`build`].
pub(super) async fn build_sound(
    plan: &MediaPlan,
    index: u16,
    handler: Arc<dyn PeerConnectionEventHandler>,
) -> Result<(Arc<dyn PeerConnection>, Stream), Error> {
    let connection = connection(plan, handler).await?;
    let stream = add_sound(&connection, index).await?;
    add_slots(&connection, plan).await?;
    Ok((connection, stream))
}

async fn connection(
    plan: &MediaPlan,
    handler: Arc<dyn PeerConnectionEventHandler>,
) -> Result<Arc<dyn PeerConnection>, Error> {
    let mut engine = codecs()?;
    let registry = configure_nack(Registry::new(), &mut engine);
    // What arrived when: by that the server judges the line to the bot.
    let registry = configure_twcc_receiver_only(registry, &mut engine)?;
    let registry = configure_rtcp_reports(registry)
        .with(Slot::from(NEXT_TO_THE_BOT), KeyframeRequests::default());
    let addresses: Vec<SocketAddr> = plan
        .addresses
        .iter()
        .map(|address| SocketAddr::new(*address, 0))
        .collect();
    let building = PeerConnectionBuilder::new()
        .with_media_engine(engine)
        .with_setting_engine(settings())
        .with_interceptor_registry(registry)
        .with_handler(handler)
        .with_udp_addrs(addresses)
        .build();
    // The future holds the whole stack by value: some 20 kB.
    Ok(Arc::new(Box::pin(building).await?))
}

async fn add_slots(connection: &Arc<dyn PeerConnection>, plan: &MediaPlan) -> Result<(), Error> {
    let slots = [
        (RtpCodecKind::Video, plan.video_slots),
        (RtpCodecKind::Audio, plan.audio_slots),
    ];
    for (kind, count) in slots {
        for _ in 0..count {
            let init = RTCRtpTransceiverInit {
                direction: RTCRtpTransceiverDirection::Recvonly,
                streams: Vec::new(),
                send_encodings: Vec::new(),
            };
            connection
                .add_transceiver_from_kind(kind, Some(init))
                .await?;
        }
    }
    Ok(())
}

fn settings() -> SettingEngine {
    SettingEngineBuilder::new()
        .with_include_loopback_candidate(true)
        .with_ice_connection_attempts(Some(CHECK_EVERY), None)
        .with_host_acceptance_min_wait(Some(Duration::ZERO))
        .with_ice_timeouts(
            Some(DISCONNECTED_AFTER),
            Some(FAILED_AFTER),
            Some(KEEP_ALIVE),
        )
        .with_srtp_protection_profiles(vec![
            SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm,
            SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80,
        ])
        .build()
}

fn opus() -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: MIME_TYPE_OPUS.to_owned(),
        clock_rate: 48_000,
        channels: 2, // RFC 7587 §7: always so, whatever is sent
        sdp_fmtp_line: "minptime=10;useinbandfec=1;usedtx=1".to_owned(),
        rtcp_feedback: Vec::new(),
    }
}

fn vp8() -> RTCRtpCodec {
    let feedback = |typ: &str, parameter: &str| RTCPFeedback {
        typ: typ.to_owned(),
        parameter: parameter.to_owned(),
    };
    RTCRtpCodec {
        mime_type: MIME_TYPE_VP8.to_owned(),
        clock_rate: 90_000,
        channels: 0,
        sdp_fmtp_line: String::new(),
        rtcp_feedback: vec![
            feedback("ccm", "fir"),
            feedback("nack", ""),
            feedback("nack", "pli"),
        ],
    }
}

/// Only what the bots speak: the stack looks through the list for every packet.
fn codecs() -> Result<MediaEngine, Error> {
    let mut engine = MediaEngine::default();
    let rtx = RTCRtpCodec {
        mime_type: MIME_TYPE_RTX.to_owned(),
        clock_rate: 90_000,
        channels: 0,
        sdp_fmtp_line: format!("apt={VP8}"),
        rtcp_feedback: Vec::new(),
    };
    for (rtp_codec, payload_type, kind) in [
        (opus(), OPUS, RtpCodecKind::Audio),
        (vp8(), VP8, RtpCodecKind::Video),
        (rtx, VP8_RTX, RtpCodecKind::Video),
    ] {
        let codec = RTCRtpCodecParameters {
            rtp_codec,
            payload_type,
        };
        engine.register_codec(codec, kind)?;
    }
    for (uri, kind) in [
        (MID, RtpCodecKind::Audio),
        (MID, RtpCodecKind::Video),
        (RID, RtpCodecKind::Video),
        (AUDIO_LEVEL, RtpCodecKind::Audio),
    ] {
        let uri = uri.to_owned();
        let extension = RTCRtpHeaderExtensionCapability { uri };
        engine.register_header_extension(extension, kind, None)?;
    }
    Ok(engine)
}

async fn add_sound(connection: &Arc<dyn PeerConnection>, index: u16) -> Result<Stream, Error> {
    let ssrc = rand::random();
    let encodings = vec![encoding(opus(), "", ssrc, None)];
    let track = add_track(connection, index, RtpCodecKind::Audio, encodings).await?;
    Ok(Stream::new(track, ssrc, OPUS))
}

async fn add_picture(
    connection: &Arc<dyn PeerConnection>,
    index: u16,
    simulcast: bool,
) -> Result<Vec<(Size, Stream)>, Error> {
    let sizes: Vec<(Size, u32)> = if simulcast {
        Size::SIMULCAST.map(|size| (size, rand::random())).to_vec()
    } else {
        vec![(Size::SINGLE, rand::random())]
    };
    let encodings = sizes
        .iter()
        .map(|(size, ssrc)| {
            // Of several encodings each would need a repaired-stream name in its
            // repairs (RFC 8852 §3.2), which the stack does not write: they
            // are repeated in their own stream.
            let rtx = (!simulcast).then(rand::random);
            encoding(vp8(), size.rid, *ssrc, rtx)
        })
        .collect();
    let track = add_track(connection, index, RtpCodecKind::Video, encodings).await?;
    let stream = |(size, ssrc)| (size, Stream::new(track.clone(), ssrc, VP8));
    Ok(sizes.into_iter().map(stream).collect())
}

fn encoding(
    codec: RTCRtpCodec,
    rid: &str,
    ssrc: u32,
    rtx: Option<u32>,
) -> RTCRtpEncodingParameters {
    RTCRtpEncodingParameters {
        rtp_coding_parameters: RTCRtpCodingParameters {
            rid: rid.into(),
            ssrc: Some(ssrc),
            rtx: rtx.map(|ssrc| RTCRtpRtxParameters { ssrc }),
            ..RTCRtpCodingParameters::default()
        },
        active: true,
        codec,
        ..RTCRtpEncodingParameters::default()
    }
}

async fn add_track(
    connection: &Arc<dyn PeerConnection>,
    index: u16,
    kind: RtpCodecKind,
    encodings: Vec<RTCRtpEncodingParameters>,
) -> Result<Arc<TrackLocalStaticRTP>, Error> {
    let track = Arc::new(TrackLocalStaticRTP::new(MediaStreamTrack::new(
        format!("site-{index}"),
        format!("site-{index}-{kind}"),
        format!("site-{index}"),
        kind,
        encodings.clone(),
    )));
    let init = RTCRtpTransceiverInit {
        direction: RTCRtpTransceiverDirection::Sendonly,
        streams: vec![format!("site-{index}")],
        send_encodings: encodings,
    };
    let local = Arc::clone(&track) as Arc<dyn TrackLocal>;
    connection
        .add_transceiver_from_track(local, Some(init))
        .await?;
    Ok(track)
}
