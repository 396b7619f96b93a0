//! Sends a bot's picture and sound: already encoded, in step with the clock.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rtc::rtp::{Header, Packet};
use tokio::time::MissedTickBehavior;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_local::{TrackLocal, TrackLocalEvent};

use super::Tally;
use super::keyframes::asks_for_keyframe;
use crate::media::picture;
use crate::media::sound::{FRAME_SAMPLES, SoundLoop};
use crate::media::vp8::{self, VideoLoop};

/// 20 ms: one packet of sound.
const TICK: Duration = Duration::from_millis(20);
/// Ticks from one picture to the next.
const TICKS_PER_PICTURE: u64 = 1000 / 20 / picture::FRAMES_PER_SECOND as u64;
/// 90 kHz.
const VIDEO_TICKS_PER_TICK: u32 = 1800;
/// A keyframe is not repeated sooner.
const KEYFRAME_PAUSE_PICTURES: u32 = 3;

/// One outgoing RTP stream.
pub(super) struct Stream {
    pub(super) track: Arc<TrackLocalStaticRTP>,
    pub(super) ssrc: u32,
    pub(super) payload_type: u8,
    /// Number and value of the MID extension (RFC 9143 §15).
    pub(super) mid: Option<(u8, Bytes)>,
    /// Number of the audio level extension (RFC 6464).
    pub(super) level: Option<u8>,
    sequence: u16,
    timestamp_base: u32,
}

impl Stream {
    pub(super) fn new(track: Arc<TrackLocalStaticRTP>, ssrc: u32, payload_type: u8) -> Self {
        Self {
            track,
            ssrc,
            payload_type,
            mid: None,
            level: None,
            // RFC 3550 §5.1: both begin at random.
            sequence: rand::random(),
            timestamp_base: rand::random(),
        }
    }

    async fn send(
        &mut self,
        timestamp: u32,
        marker: bool,
        level: Option<u8>,
        payload: Bytes,
    ) -> Result<(), webrtc::error::Error> {
        let mut header = Header {
            version: 2,
            marker,
            payload_type: self.payload_type,
            sequence_number: self.sequence,
            timestamp: self.timestamp_base.wrapping_add(timestamp),
            ssrc: self.ssrc,
            ..Header::default()
        };
        if let Some((id, mid)) = &self.mid {
            header.set_extension(*id, mid.clone())?;
        }
        if let (Some(id), Some(level)) = (self.level, level) {
            header.set_extension(id, Bytes::copy_from_slice(&[level]))?;
        }
        self.sequence = self.sequence.wrapping_add(1);
        self.track.write_rtp(Packet { header, payload }).await
    }
}

/// The moment from which all bots of this process count, so that they speak in turns.
fn epoch() -> Instant {
    static EPOCH: OnceLock<Instant> = OnceLock::new();
    *EPOCH.get_or_init(Instant::now)
}

/// What one bot sends.
pub(super) struct Sending {
    pub(super) video: Stream,
    pub(super) audio: Stream,
    pub(super) pictures: Arc<VideoLoop>,
    pub(super) sound: Arc<SoundLoop>,
    pub(super) tally: Tally,
}

impl Sending {
    /// Runs until a track is gone.
    pub(super) async fn run(mut self) {
        let wanted = AtomicBool::new(false);
        let requests = listen(self.video.track.clone(), &wanted);
        let sending = self.send(&wanted);
        let result = tokio::select! {
            result = sending => result,
            () = requests => Ok(()),
        };
        if let Err(error) = result {
            tracing::debug!(%error, "stops sending");
        }
    }

    async fn send(&mut self, keyframe_wanted: &AtomicBool) -> Result<(), webrtc::error::Error> {
        let epoch = epoch();
        let mut clock = tokio::time::interval(TICK);
        // A late tick is not made up for: the timestamps follow the clock.
        clock.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut next_picture = 0;
        let mut picture = 0;
        let mut picture_id: u16 = rand::random();
        let mut since_keyframe = 0;
        let mut was_silent = true;
        let mut last_tick = None;
        loop {
            clock.tick().await;
            let tick = (epoch.elapsed().as_millis() / TICK.as_millis()) as u64;
            if last_tick.replace(tick) == Some(tick) {
                continue; // two wake-ups within one 20 ms step
            }
            let frame = self.sound.at(tick);
            if let Some(packet) = frame.packet.clone() {
                // RFC 6464 §3: the voice bit, then the level; RFC 3551 §4.1: the
                // marker begins a talk spurt.
                let level = u8::from(frame.voice) << 7 | frame.level;
                let marker = frame.voice && was_silent;
                let timestamp = (tick as u32).wrapping_mul(FRAME_SAMPLES as u32);
                self.audio
                    .send(timestamp, marker, Some(level), packet)
                    .await?;
                self.tally.add(|report| report.audio_packets_sent += 1);
                was_silent = !frame.voice;
            }
            if tick < next_picture {
                continue;
            }
            let in_step = tick < next_picture + TICKS_PER_PICTURE;
            next_picture = if in_step { next_picture } else { tick } + TICKS_PER_PICTURE;
            if since_keyframe >= KEYFRAME_PAUSE_PICTURES
                && keyframe_wanted.swap(false, Ordering::Relaxed)
            {
                picture = self.pictures.next_keyframe(picture);
                self.tally.add(|report| report.keyframes_on_request += 1);
            }
            let frame = self.pictures.frames()[picture].clone();
            since_keyframe = if vp8::is_keyframe(&frame) {
                // Whoever asked for one before now gets this one.
                keyframe_wanted.store(false, Ordering::Relaxed);
                0
            } else {
                since_keyframe + 1
            };
            let timestamp = (tick as u32).wrapping_mul(VIDEO_TICKS_PER_TICK);
            let mut payloads = vp8::payloads(&frame, picture_id).peekable();
            while let Some(payload) = payloads.next() {
                let marker = payloads.peek().is_none();
                self.video.send(timestamp, marker, None, payload).await?;
                self.tally.add(|report| report.video_packets_sent += 1);
            }
            picture_id = picture_id.wrapping_add(1);
            picture = (picture + 1) % self.pictures.frames().len();
        }
    }
}

/// Notes requests for keyframes; ends with the track.
async fn listen(track: Arc<TrackLocalStaticRTP>, wanted: &AtomicBool) {
    while let Some(event) = track.poll().await {
        if let TrackLocalEvent::OnRtcpPacket(packets) = event
            && packets.iter().any(|p| asks_for_keyframe(p.as_ref()))
        {
            wanted.store(true, Ordering::Relaxed);
        }
    }
}
