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
use super::keyframes::asked_of;
use super::picture::{Picture, Wanted};
use crate::media::picture;
use crate::media::sound::{FRAME_SAMPLES, SoundLoop};

/// 20 ms: one packet of sound.
const TICK: Duration = Duration::from_millis(20);
/// Ticks from one picture to the next.
const TICKS_PER_PICTURE: u64 = 1000 / 20 / picture::FRAMES_PER_SECOND as u64;
/// 90 kHz.
const VIDEO_TICKS_PER_TICK: u32 = 1800;

/// One outgoing RTP stream.
pub(super) struct Stream {
    pub(super) track: Arc<TrackLocalStaticRTP>,
    pub(super) ssrc: u32,
    pub(super) payload_type: u8,
    /// Number and value of the MID extension (RFC 9143 §15).
    pub(super) mid: Option<(u8, Bytes)>,
    /// Number of the audio level extension (RFC 6464).
    pub(super) level: Option<u8>,
    /// Number and value of the RID extension (RFC 8852 §3.1), where there are several encodings.
    pub(super) rid: Option<(u8, Bytes)>,
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
            rid: None,
            // RFC 3550 §5.1: both begin at random.
            sequence: rand::random(),
            timestamp_base: rand::random(),
        }
    }

    pub(super) async fn send(
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
        if let Some((id, rid)) = &self.rid {
            header.set_extension(*id, rid.clone())?;
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
    /// From the smallest encoding.
    pub(super) pictures: Vec<Picture>,
    pub(super) wanted: Wanted,
    pub(super) audio: Stream,
    pub(super) sound: Arc<SoundLoop>,
    pub(super) tally: Tally,
    /// All encodings of the picture are one track.
    pub(super) track: Arc<TrackLocalStaticRTP>,
}

impl Sending {
    /// Runs until a track is gone.
    pub(super) async fn run(mut self) {
        let asked = self.pictures.iter().map(|p| (p.ssrc(), p.asked.clone()));
        let requests = listen(self.track.clone(), asked.collect());
        let result = tokio::select! {
            result = self.send() => result,
            () = requests => Ok(()),
        };
        if let Err(error) = result {
            tracing::debug!(%error, "stops sending");
        }
    }

    async fn send(&mut self) -> Result<(), webrtc::error::Error> {
        let epoch = epoch();
        let mut clock = tokio::time::interval(TICK);
        // A late tick is not made up for: the timestamps follow the clock.
        clock.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut next_picture = 0;
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
            let timestamp = (tick as u32).wrapping_mul(VIDEO_TICKS_PER_TICK);
            for picture in &mut self.pictures {
                picture.send(timestamp, &self.wanted, &self.tally).await?;
            }
        }
    }
}

/// Notes requests for keyframes; ends with the track.
async fn listen(track: Arc<TrackLocalStaticRTP>, asked: Vec<(u32, Arc<AtomicBool>)>) {
    while let Some(event) = track.poll().await {
        let TrackLocalEvent::OnRtcpPacket(packets) = event else {
            continue;
        };
        for ssrc in packets.iter().flat_map(|p| asked_of(p.as_ref())) {
            if let Some((_, asked)) = asked.iter().find(|(of, _)| *of == ssrc) {
                asked.store(true, Ordering::Relaxed);
            }
        }
    }
}
