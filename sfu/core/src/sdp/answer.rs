//! Deciding what becomes of each m-line of an offer.

use std::net::SocketAddr;

use super::codecs::{Agreed, agree};
use super::negotiated::{AudioSlotMedia, Negotiated, SendTrack, VideoSlotMedia};
use super::offer::{Direction, Kind, Media, Offer, OfferedEncoding, OfferedExtension};
use super::{MAX_AUDIO_SLOTS, MAX_VIDEO_SLOTS, SdpError, write};
use crate::codec::Codec;
use crate::ids::Track;
use crate::rtp::{Extension, ExtensionMap};

/// Our side of the negotiation. The strings are the server's own and go into
/// the answer as they are: letters, digits, `+` and `/` only.
#[derive(Clone, Copy, Debug)]
pub struct AnswerParams<'a> {
    /// The same for all answers to one peer (RFC 8866 §5.2).
    pub session_id: u64,
    /// Rises with every answer.
    pub session_version: u64,
    pub ice_ufrag: &'a str,
    pub ice_pwd: &'a str,
    /// SHA-256 of our certificate.
    pub fingerprint: &'a [u8; 32],
    /// In the order of our preference.
    pub candidates: &'a [Candidate],
    pub cname: &'a str,
    /// For the video slots in order, the same in every answer to one peer.
    /// What has none, or is beyond [`MAX_VIDEO_SLOTS`], is rejected.
    pub video_slots: &'a [SlotSsrcs],
    /// For the audio slots in order, likewise, up to [`MAX_AUDIO_SLOTS`].
    pub audio_slots: &'a [u32],
}

/// The SSRCs that a slot sends with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SlotSsrcs {
    pub ssrc: u32,
    pub rtx_ssrc: u32,
}

/// A host candidate of ours (RFC 8839 §5.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Candidate {
    pub protocol: CandidateProtocol,
    pub addr: SocketAddr,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CandidateProtocol {
    Udp,
    /// We listen (RFC 6544 §4.5).
    TcpPassive,
}

/// What becomes of an m-line.
pub(super) struct Line<'a> {
    pub media: &'a Media,
    /// `None`: rejected.
    pub accepted: Option<Accepted>,
}

pub(super) struct Accepted {
    /// From our side.
    pub direction: Direction,
    pub codecs: Vec<Agreed>,
    pub extensions: Vec<OfferedExtension>,
    /// What the client may send at the same time; empty: one stream.
    pub encodings: Vec<OfferedEncoding>,
    pub slot: Option<Slot>,
}

#[derive(Clone, Copy)]
pub(super) enum Slot {
    Video(usize, SlotSsrcs),
    Audio(usize, u32),
}

impl Offer {
    /// Answers: the text, and what was agreed.
    ///
    /// The first audio that the client sends is its microphone; of videos one
    /// marked `a=content:slides` is its screen, else the first is the
    /// camera and the second the screen. An inactive m-line keeps its place in
    /// that order, so that a paused camera does not turn the screen into one.
    ///
    /// # Errors
    /// [`SdpError::NoMedia`] if no m-line can be accepted.
    pub fn answer(&self, params: &AnswerParams<'_>) -> Result<(String, Negotiated), SdpError> {
        let mut negotiated = Negotiated {
            remote_ice: self.ice.clone(),
            fingerprints: self.fingerprints.clone(),
            dtls_role: self.dtls_role,
            bundle: Vec::new(),
            sends: Vec::new(),
            video_slots: Vec::new(),
            audio_slots: Vec::new(),
        };
        let mut tracks = Tracks::default();
        let lines: Vec<Line<'_>> = self
            .media
            .iter()
            .map(|media| {
                let accepted = accept(media, params, &mut tracks, &mut negotiated);
                Line { media, accepted }
            })
            .collect();
        if negotiated.bundle.is_empty() {
            return Err(SdpError::NoMedia);
        }
        let text = write::answer(params, &negotiated, &lines);
        Ok((text, negotiated))
    }
}

/// Decides one m-line and enters it into the agreement.
fn accept(
    media: &Media,
    params: &AnswerParams<'_>,
    tracks: &mut Tracks,
    negotiated: &mut Negotiated,
) -> Option<Accepted> {
    if media.rejected {
        return None;
    }
    // Before the codecs are looked at: a rejected m-line, too, keeps its place.
    let track = tracks.next(media);
    let codecs = agree(media);
    if codecs.is_empty() {
        return None;
    }
    let track = track.filter(|_| media.sends());
    let slot = match media.kind {
        Kind::Video if media.is_video_slot() => {
            let index = negotiated.video_slots.len();
            let ssrcs = params.video_slots.iter().take(MAX_VIDEO_SLOTS).nth(index);
            ssrcs.map(|ssrcs| Slot::Video(index, *ssrcs))
        }
        Kind::Audio if media.is_audio_slot() => {
            let index = negotiated.audio_slots.len();
            let ssrc = params.audio_slots.iter().take(MAX_AUDIO_SLOTS).nth(index);
            ssrc.map(|ssrc| Slot::Audio(index, *ssrc))
        }
        Kind::Video | Kind::Audio | Kind::Other => None,
    };
    let direction = match (track, slot) {
        (Some(_), Some(_)) => Direction::SendRecv,
        (Some(_), None) => Direction::RecvOnly,
        (None, Some(_)) => Direction::SendOnly,
        (None, None) if media.direction == Direction::Inactive => Direction::Inactive,
        (None, None) => return None,
    };
    let (receives, sends) = (track.is_some(), slot.is_some());
    let encodings = if receives {
        agree_encodings(media, &codecs)
    } else {
        Vec::new()
    };
    let mut accepted = Accepted {
        direction,
        extensions: agree_extensions(media, &codecs, receives, sends),
        codecs,
        encodings,
        slot,
    };
    // Without it nobody could tell the streams apart.
    if accepted.extension_map().id(Extension::Rid).is_none() {
        accepted.encodings.clear();
    }
    accepted.enter(media, track, negotiated);
    Some(accepted)
}

impl Accepted {
    fn enter(&self, media: &Media, track: Option<Track>, negotiated: &mut Negotiated) {
        let mid = || media.mid.clone();
        let codecs = || self.codecs.iter().map(|agreed| agreed.media).collect();
        let extensions = self.extension_map();
        negotiated.bundle.push(mid());
        if let Some(track) = track {
            negotiated.sends.push(SendTrack {
                mid: mid(),
                track,
                codecs: codecs(),
                streams: media.streams.clone(),
                rids: self.encodings.iter().map(|e| e.rid.clone()).collect(),
                extensions,
            });
        }
        match self.slot {
            Some(Slot::Video(_, SlotSsrcs { ssrc, rtx_ssrc })) => {
                negotiated.video_slots.push(VideoSlotMedia {
                    mid: mid(),
                    codecs: codecs(),
                    extensions,
                    mixed_extensions: media.mixed_extensions,
                    ssrc,
                    rtx_ssrc,
                });
            }
            Some(Slot::Audio(_, ssrc)) => negotiated.audio_slots.push(AudioSlotMedia {
                mid: mid(),
                codecs: codecs(),
                extensions,
                ssrc,
            }),
            None => {}
        }
    }

    fn extension_map(&self) -> ExtensionMap {
        let mut map = ExtensionMap::default();
        for offered in &self.extensions {
            map.insert(offered.extension, offered.id);
        }
        map
    }
}

/// The encodings that use a codec agreed on. Of one alone, simulcast is no use.
fn agree_encodings(media: &Media, codecs: &[Agreed]) -> Vec<OfferedEncoding> {
    let agreed = |number: &u8| codecs.iter().any(|c| c.media.payload_type == *number);
    let usable = |encoding: &OfferedEncoding| {
        let mut encoding = encoding.clone();
        let restricted = !encoding.payload_types.is_empty();
        encoding.payload_types.retain(agreed);
        (!restricted || !encoding.payload_types.is_empty()).then_some(encoding)
    };
    let encodings: Vec<_> = media.encodings.iter().filter_map(usable).collect();
    if media.kind == Kind::Video && encodings.len() > 1 {
        encodings
    } else {
        Vec::new()
    }
}

/// The extensions that make sense on this m-line, the first of each.
fn agree_extensions(
    media: &Media,
    codecs: &[Agreed],
    receives: bool,
    sends: bool,
) -> Vec<OfferedExtension> {
    let video = media.kind == Kind::Video;
    let wanted = |extension| match extension {
        Extension::Mid | Extension::AbsSendTime | Extension::TransportCc => true,
        Extension::AudioLevel => !video,
        Extension::VideoOrientation => video,
        Extension::Rid | Extension::RepairedRid => receives && !media.encodings.is_empty(),
        // With it, libwebrtc leaves the picture ids and temporal layers out of VP8's own
        // descriptor (`MinimizeDescriptor`), which every receiver needs there.
        Extension::DependencyDescriptor => {
            let vp8 = codecs
                .first()
                .is_some_and(|first| first.media.codec == Codec::Vp8);
            video && (sends || !vp8)
        }
        Extension::PlayoutDelay => false,
    };
    // What we write, we write in the one-byte form where we can.
    let allowed = |id: u8| id <= 14 || (media.mixed_extensions && !sends);
    let directed = |direction| match direction {
        None | Some(Direction::SendRecv) => true,
        Some(Direction::SendOnly) => receives,
        Some(Direction::RecvOnly) => sends,
        Some(Direction::Inactive) => false,
    };
    let mut agreed: Vec<OfferedExtension> = Vec::new();
    for offered in &media.extensions {
        let fresh = |known: &OfferedExtension| {
            known.extension != offered.extension && known.id != offered.id
        };
        if wanted(offered.extension)
            && allowed(offered.id)
            && directed(offered.direction)
            && agreed.iter().all(fresh)
        {
            agreed.push(*offered);
        }
    }
    agreed
}

/// Hands out the tracks in the order of the m-lines.
#[derive(Default)]
struct Tracks {
    microphone: bool,
    camera: bool,
    screen: bool,
}

impl Tracks {
    fn next(&mut self, media: &Media) -> Option<Track> {
        if media.direction == Direction::RecvOnly {
            return None;
        }
        let (taken, track) = match media.kind {
            Kind::Audio => (&mut self.microphone, Track::Microphone),
            Kind::Video if media.slides || self.camera => (&mut self.screen, Track::Screen),
            Kind::Video => (&mut self.camera, Track::Camera),
            Kind::Other => return None,
        };
        let free = !std::mem::replace(taken, true);
        free.then_some(track)
    }
}
