//! One encoding of a bot's picture on its way out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use liandong_protocol::server::SendLayer;
use webrtc::error::Error;

use super::Tally;
use super::sending::Stream;
use crate::media::codec::FrameKind;
use crate::media::video::{Size, VideoLoop, kind_of};
use crate::media::vp8::{self, Descriptor};

/// A keyframe is not repeated sooner.
const KEYFRAME_PAUSE_PICTURES: u32 = 3;

/// Which encodings the server wants, from the smallest; until it says, all.
#[derive(Clone, Debug)]
pub(super) struct Wanted(Arc<[AtomicBool; Size::SIMULCAST.len()]>);

impl Default for Wanted {
    fn default() -> Self {
        Self(Arc::new([const { AtomicBool::new(true) }; 3]))
    }
}

impl Wanted {
    /// What `Push::SendLayers` says of the camera.
    pub(super) fn tell(&self, layers: &[SendLayer]) {
        for layer in layers {
            let place = match &layer.rid {
                Some(rid) => Size::SIMULCAST.iter().position(|size| size.rid == rid),
                None => Some(0),
            };
            if let Some(wanted) = place.and_then(|place| self.0.get(place)) {
                wanted.store(layer.active, Ordering::Relaxed);
            }
        }
    }

    /// A new media connection: the server has said nothing of it yet.
    pub(super) fn all(&self) {
        for wanted in self.0.iter() {
            wanted.store(true, Ordering::Relaxed);
        }
    }

    fn has(&self, layer: u8) -> bool {
        let wanted = self.0.get(usize::from(layer));
        wanted.is_none_or(|wanted| wanted.load(Ordering::Relaxed))
    }
}

/// The loop of one size, and where it is.
pub(super) struct Picture {
    stream: Stream,
    size: Size,
    frames: Arc<VideoLoop>,
    /// The number of the next frame in the loop.
    next: usize,
    descriptor: Descriptor,
    since_keyframe: u32,
    /// Somebody asked for a keyframe.
    pub(super) asked: Arc<AtomicBool>,
    /// Not sent at present; then it goes on with a keyframe.
    paused: bool,
}

impl Picture {
    pub(super) fn new(stream: Stream, size: Size, frames: Arc<VideoLoop>) -> Self {
        Self {
            stream,
            size,
            frames,
            next: 0,
            descriptor: Descriptor {
                picture_id: rand::random(),
                base_id: rand::random(),
                discardable: false,
            },
            since_keyframe: 0,
            asked: Arc::default(),
            paused: false,
        }
    }

    pub(super) fn ssrc(&self) -> u32 {
        self.stream.ssrc
    }

    /// Sends the next frame, if the server wants this encoding.
    pub(super) async fn send(
        &mut self,
        timestamp: u32,
        wanted: &Wanted,
        tally: &Tally,
    ) -> Result<(), Error> {
        if !wanted.has(self.size.layer) {
            self.paused = true;
            return Ok(());
        }
        let repeated = self.since_keyframe < KEYFRAME_PAUSE_PICTURES;
        if self.paused || !repeated && self.asked.swap(false, Ordering::Relaxed) {
            self.next = self.frames.next_keyframe(self.next);
            let on_request = u64::from(!self.paused);
            tally.add(|report| report.keyframes_on_request += on_request);
            self.paused = false;
        }
        let frame = self.frames.frames()[self.next].clone();
        let kind = kind_of(self.next);
        if kind == FrameKind::Key {
            // Whoever asked for one before now gets this one.
            self.asked.store(false, Ordering::Relaxed);
            self.since_keyframe = 0;
        } else {
            self.since_keyframe += 1;
        }
        self.descriptor.discardable = kind == FrameKind::Discardable;
        if !self.descriptor.discardable {
            self.descriptor.base_id = self.descriptor.base_id.wrapping_add(1);
        }
        let mut payloads = vp8::payloads(&frame, self.descriptor).peekable();
        while let Some(payload) = payloads.next() {
            let marker = payloads.peek().is_none();
            self.stream.send(timestamp, marker, None, payload).await?;
            tally.add(|report| report.video_packets_sent += 1);
        }
        self.descriptor.picture_id = self.descriptor.picture_id.wrapping_add(1);
        self.next = (self.next + 1) % self.frames.frames().len();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_says_which_encodings_it_wants() {
        let wanted = Wanted::default();
        let tell = |said: &[(Option<&str>, bool)]| {
            let layers: Vec<SendLayer> = said
                .iter()
                .map(|(rid, active)| SendLayer {
                    rid: rid.map(str::to_owned),
                    active: *active,
                })
                .collect();
            wanted.tell(&layers);
            [0, 1, 2].map(|layer| wanted.has(layer))
        };
        assert_eq!(tell(&[]), [true; 3]);
        assert_eq!(tell(&[(Some("f"), false)]), [true, true, false]);
        let both = [(Some("q"), false), (Some("f"), true), (Some("x"), false)];
        assert_eq!(tell(&both), [false, true, true]);
        assert_eq!(tell(&[(None, true)]), [true; 3]);
        tell(&[(Some("h"), false)]);
        wanted.all();
        assert!(wanted.has(1));
    }
}
