//! Offers: a new peer, or a known one that restarts ICE.

use std::time::{Duration, Instant};

use arrayvec::ArrayVec;

use super::Engine;
use super::encoding::Encoding;
use super::line::Line;
use super::peer::{IncomingStream, MAX_TRACKS, Peer, Traffic};
use super::rooms::{Room, RoomKey};
use super::slot::Slot;
use super::sound_rate::SoundRate;
use super::source::{EncodingKey, MAX_ENCODINGS, Owner, PeerKey, Source, Upstream};
use crate::api::{CommandError, Outcome, Secrets};
use crate::ids::{EncodingIndex, PeerId, RoomId, SourceId, Track};
use crate::rtcp::TransportFeedbackRecorder;
use crate::rtp::ExtensionMap;
use crate::sdp::{
    self, AnswerParams, Candidate, CandidateProtocol, HashAlgorithm, MAX_AUDIO_SLOTS,
    MAX_VIDEO_SLOTS, Negotiated, Offer, SlotSsrcs,
};
use crate::transport::{
    DtlsRole, Fingerprint, IceCredentials, IceRemote, Transport, TransportConfig, TransportError,
};

/// What an answer says of us, beside the offer.
struct OurSide {
    local: IceCredentials,
    session_id: u64,
    session_version: u64,
    video_slots: Vec<SlotSsrcs>,
    audio_slots: Vec<u32>,
}

impl Engine {
    pub(super) fn offer(
        &mut self,
        now: Instant,
        peer: PeerId,
        room: RoomId,
        sdp: &str,
        secrets: &Secrets,
    ) -> Result<Outcome, CommandError> {
        let offer = Offer::parse(sdp).map_err(refused)?;
        match self.peer_keys.get(&peer) {
            Some(&key) => self.offer_again(key, &offer, secrets),
            None => self.first_offer(now, peer, room, &offer, secrets),
        }
    }

    fn first_offer(
        &mut self,
        now: Instant,
        id: PeerId,
        room: RoomId,
        offer: &Offer,
        secrets: &Secrets,
    ) -> Result<Outcome, CommandError> {
        if self.peers.len() >= self.config.max_peers {
            return Err(CommandError::Full("no room for another peer"));
        }
        let ssrcs = |numbers: &mut super::rng::Numbers| SlotSsrcs {
            ssrc: numbers.ssrc(),
            rtx_ssrc: numbers.ssrc(),
        };
        let video = offer.video_slots().min(MAX_VIDEO_SLOTS);
        let audio = offer.audio_slots().min(MAX_AUDIO_SLOTS);
        let ours = OurSide {
            local: IceCredentials::from_secrets(self.config.worker, &secrets.0),
            session_id: self.numbers.next() >> 2,
            session_version: 1,
            video_slots: (0..video).map(|_| ssrcs(&mut self.numbers)).collect(),
            audio_slots: (0..audio).map(|_| self.numbers.ssrc()).collect(),
        };
        let (sdp, negotiated) = self.answer(offer, &ours)?;
        let transport = Transport::new(now, self.transport_config(&ours.local, &negotiated)?)
            .map_err(incompatible)?;
        let room = self.room(now, room);
        let key = self.enter(now, id, room, transport, ours, negotiated);
        Ok(self.answered(key, sdp))
    }

    fn offer_again(
        &mut self,
        key: PeerKey,
        offer: &Offer,
        secrets: &Secrets,
    ) -> Result<Outcome, CommandError> {
        let peer = &self.peers[key];
        let (video, audio) = peer.slots.split_at(peer.video_slots);
        let mut ours = OurSide {
            local: peer.local.clone(),
            session_id: peer.session_id,
            session_version: peer.session_version + 1,
            video_slots: video
                .iter()
                .map(|slot| SlotSsrcs {
                    ssrc: slot.ssrc,
                    rtx_ssrc: slot.rtx_ssrc,
                })
                .collect(),
            audio_slots: audio.iter().map(|slot| slot.ssrc).collect(),
        };
        let (mut sdp, negotiated) = self.answer(offer, &ours)?;
        if !self.same_media(key, &negotiated) {
            return Err(CommandError::BadOffer(
                "a running connection keeps its tracks and slots".into(),
            ));
        }
        let remote = remote_ice(&negotiated)?;
        if self.peers[key].transport.is_restart(&remote) {
            ours.local = IceCredentials::from_secrets(self.config.worker, &secrets.0);
            (sdp, _) = self.answer(offer, &ours)?;
            let peer = &mut self.peers[key];
            let replaced = peer.transport.restart_ice(ours.local.clone(), remote);
            let ufrag = ours.local.ufrag().to_owned();
            peer.ufrags.push(ufrag.clone());
            // The transport knows the present and the coming credentials only: either a
            // restart that never came about goes, or the credentials before the present ones.
            let gone = replaced
                .and_then(|replaced| peer.ufrags.iter().position(|u| u == replaced.ufrag()))
                .or((peer.ufrags.len() > 2).then_some(0));
            if let Some(gone) = gone {
                let old = peer.ufrags.remove(gone);
                self.ufrags.remove(&old);
            }
            self.ufrags.insert(ufrag, key);
        }
        let peer = &mut self.peers[key];
        peer.local = ours.local;
        peer.session_version = ours.session_version;
        Ok(self.answered(key, sdp))
    }

    fn answer(&self, offer: &Offer, ours: &OurSide) -> Result<(String, Negotiated), CommandError> {
        let (udp, tcp) = (&self.config.candidates, &self.config.tcp_candidates);
        let udp = udp.iter().map(|addr| (CandidateProtocol::Udp, *addr));
        let tcp = tcp
            .iter()
            .map(|addr| (CandidateProtocol::TcpPassive, *addr));
        let candidates: Vec<Candidate> = udp
            .chain(tcp)
            .map(|(protocol, addr)| Candidate { protocol, addr })
            .collect();
        let cname = format!("{:016x}", ours.session_id);
        let params = AnswerParams {
            session_id: ours.session_id,
            session_version: ours.session_version,
            ice_ufrag: ours.local.ufrag(),
            ice_pwd: ours.local.pwd(),
            fingerprint: &digest(self.config.certificate.fingerprint_sha256()),
            candidates: &candidates,
            cname: &cname,
            video_slots: &ours.video_slots,
            audio_slots: &ours.audio_slots,
        };
        offer.answer(&params).map_err(refused)
    }

    fn transport_config(
        &self,
        local: &IceCredentials,
        negotiated: &Negotiated,
    ) -> Result<TransportConfig, CommandError> {
        let fingerprints: Result<Vec<_>, _> =
            negotiated.fingerprints.iter().map(fingerprint).collect();
        Ok(TransportConfig {
            local: local.clone(),
            remote: remote_ice(negotiated)?,
            fingerprints: fingerprints.map_err(incompatible)?,
            role: match negotiated.dtls_role {
                sdp::DtlsRole::Passive => DtlsRole::Server,
                sdp::DtlsRole::Active => DtlsRole::Client,
            },
            certificate: self.config.certificate.clone(),
        })
    }

    /// Enters a new peer with its sources and slots.
    fn enter(
        &mut self,
        now: Instant,
        id: PeerId,
        room: RoomKey,
        transport: Transport,
        ours: OurSide,
        negotiated: Negotiated,
    ) -> PeerKey {
        let sends = &negotiated.sends;
        let wide = sends
            .iter()
            .flat_map(|send| &send.codecs)
            .any(|codec| codec.feedback.transport_cc);
        // One bundle has one numbering (RFC 9143 §9.2); not all tracks use all of it.
        let mut extensions = ExtensionMap::default();
        for (extension, id) in sends.iter().flat_map(|send| send.extensions.iter()) {
            extensions.insert(extension, id);
        }
        let ufrag = ours.local.ufrag().to_owned();
        let video_slots = negotiated.video_slots.len();
        let mut slots = Vec::with_capacity(video_slots + negotiated.audio_slots.len());
        for media in negotiated.video_slots {
            slots.push(Slot::video(media, self.numbers.pair()));
        }
        for media in negotiated.audio_slots {
            slots.push(Slot::audio(media, self.numbers.pair()));
        }
        let reports = slots.iter().any(|slot| slot.is_numbered);
        let line = reports.then(|| Box::new(Line::new(now)));
        // Peers report at different moments, so that no tick has all the work.
        let phase = Duration::from_millis(self.numbers.next() % 1_000);
        let key = self.peers.insert(Peer {
            id,
            room,
            transport,
            local: ours.local,
            ufrags: vec![ufrag.clone()],
            paths: Vec::new(),
            session_id: ours.session_id,
            session_version: ours.session_version,
            offered_at: now,
            connected: false,
            sources: ArrayVec::new(),
            slots,
            video_slots,
            streams: ArrayVec::new(),
            extensions,
            ssrc: self.numbers.ssrc(),
            pending: Vec::new(),
            recorder: wide.then(TransportFeedbackRecorder::new),
            feedback_at: now,
            report_at: now + phase,
            stats_at: now + phase,
            ntp_shift: None,
            round_trip: None,
            resends: 0,
            line,
            budget: None,
            allocate_at: now,
            up: Traffic::default(),
            up_sound: Traffic::default(),
            jitter: Duration::ZERO,
            sends_redundancy: false,
            down: Traffic::default(),
            sound_rate: SoundRate::default(),
        });
        self.attention.at_once(key);
        self.peer_keys.insert(id, key);
        self.ufrags.insert(ufrag, key);
        self.rooms[room].peers.push(key);
        for send in negotiated.sends.iter().take(MAX_TRACKS) {
            self.enter_source(now, key, room, send);
        }
        key
    }

    fn enter_source(&mut self, now: Instant, key: PeerKey, room: RoomKey, send: &sdp::SendTrack) {
        let peer = self.peers[key].id;
        let id = SourceId {
            peer,
            track: send.track,
        };
        let is_video = match send.track {
            Track::Microphone => false,
            Track::Camera | Track::Screen => true,
        };
        let owner = Owner::Local(Box::new(Upstream::new(key, send)));
        let mut source = Source::new(now, id, room, owner, is_video);
        source.open = !self.closed.contains(&id);
        let rids = send.rids.iter().take(MAX_ENCODINGS).cloned();
        let mut rids: ArrayVec<Option<String>, MAX_ENCODINGS> = rids.map(Some).collect();
        if rids.is_empty() || !is_video {
            rids.clear();
            rids.push(None);
        }
        for rid in rids {
            let life = self.next_life();
            let encoding = Encoding::new(now, rid, life, is_video);
            source.encodings.push(encoding);
        }
        let simulcast = source.encodings.len() > 1;
        let source = self.sources.insert(source);
        self.source_keys.insert(id, source);
        let peer = &mut self.peers[key];
        peer.sources.push(source);
        // Of a simulcast the rids tell which stream is which.
        if let (Some(stream), false) = (send.streams.first(), simulcast) {
            let key = EncodingKey {
                source,
                encoding: EncodingIndex(0),
            };
            let declared = [(Some(stream.ssrc), false), (stream.rtx, true)];
            for (ssrc, rtx) in declared {
                if let Some(ssrc) = ssrc {
                    peer.learn(IncomingStream { ssrc, key, rtx });
                }
            }
        }
    }

    fn answered(&self, key: PeerKey, sdp: String) -> Outcome {
        let peer = &self.peers[key];
        Outcome::Answered {
            sdp,
            video_slots: peer.video_slots as u8, // at most MAX_VIDEO_SLOTS
            sources: peer.sources.iter().map(|s| self.sources[*s].id).collect(),
        }
    }

    fn same_media(&self, key: PeerKey, negotiated: &Negotiated) -> bool {
        let peer = &self.peers[key];
        let slots = negotiated.video_slots.iter().map(|slot| &slot.mid);
        let slots = slots.chain(negotiated.audio_slots.iter().map(|slot| &slot.mid));
        let tracks = negotiated.sends.iter().map(|send| send.track);
        let known = peer.sources.iter().map(|s| self.sources[*s].id.track);
        slots.eq(peer.slots.iter().map(|slot| &slot.mid)) && tracks.eq(known)
    }

    pub(super) fn room(&mut self, now: Instant, id: RoomId) -> RoomKey {
        let rooms = &mut self.rooms;
        *self
            .room_keys
            .entry(id)
            .or_insert_with(|| rooms.insert(Room::new(now, id)))
    }
}

fn refused(error: sdp::SdpError) -> CommandError {
    CommandError::BadOffer(error.to_string())
}

fn incompatible(error: TransportError) -> CommandError {
    CommandError::BadOffer(error.to_string())
}

fn remote_ice(negotiated: &Negotiated) -> Result<IceRemote, CommandError> {
    let ice = &negotiated.remote_ice;
    IceRemote::new(&ice.ufrag, &ice.pwd).map_err(incompatible)
}

fn fingerprint(known: &sdp::Fingerprint) -> Result<Fingerprint, TransportError> {
    let hash = match known.algorithm {
        HashAlgorithm::Sha256 => "sha-256",
        HashAlgorithm::Sha384 => "sha-384",
        HashAlgorithm::Sha512 => "sha-512",
    };
    let hex: Vec<String> = known.digest.iter().map(|b| format!("{b:02X}")).collect();
    format!("{hash} {}", hex.join(":")).parse()
}

/// The bytes of a SHA-256 fingerprint.
fn digest(fingerprint: &Fingerprint) -> [u8; 32] {
    let text = fingerprint.to_string();
    let hex = text.rsplit(' ').next().unwrap_or_default();
    let mut digest = [0; 32];
    for (byte, digits) in digest.iter_mut().zip(hex.split(':')) {
        *byte = u8::from_str_radix(digits, 16).unwrap_or_default();
    }
    digest
}
