//! What comes back from the media node.

use liandong_domain::{ConferenceId, Order, ParticipantId};
use liandong_protocol::server::{SendLayer, SentTrack};
use liandong_protocol::{Push, Refusal, RefusalCode, Reply};
use liandong_sfu_node::{EncodingDemand, NodeEvent, PeerId, Track};

use super::{Batch, Running};
use crate::desk::clients::{ClientId, ConnectionId, encode_push};
use crate::journal::Journal;
use crate::media::{OfferDone, figures, refusal};
use crate::views::wire::{self, refuse};

impl<J: Journal> Running<J> {
    /// The client's own participant in the conference.
    pub(super) fn stays_in(
        &self,
        client: ClientId,
        conference: ConferenceId,
    ) -> Result<ParticipantId, Refusal> {
        let county = self.ledger.county();
        if county.conference(conference).is_none() {
            return Err(refuse(RefusalCode::UnknownConference, "no such conference"));
        }
        self.clients
            .one(client)
            .and_then(|client| county.participant(client.stay?))
            .filter(|one| one.is_present() && one.conference == conference)
            .map(|one| one.id)
            .ok_or_else(|| {
                refuse(
                    RefusalCode::NotInConference,
                    "this client is not in the conference",
                )
            })
    }

    pub(super) fn offered(
        &mut self,
        id: u32,
        connection: ConnectionId,
        done: OfferDone,
        batch: &mut Batch,
    ) {
        let (client, conference) = (done.client, done.conference);
        let county = self.ledger.county();
        let gates = self.stays_in(client, conference).ok().and_then(|stay| {
            let conference = county.conference(conference)?;
            Some(conference.gates(conference.participant(stay)?))
        });
        let result = self
            .media
            .answered(done, gates)
            .map(|answered| Reply::Answer {
                sdp: answered.sdp,
                video_slots: answered.video_slots.into(),
            })
            .map_err(|failure| refusal(&failure));
        batch.stages.insert(conference);
        let answered = result.is_ok();
        self.reply(client, connection, id, result);
        // After an ICE restart, or when the node was faster than its own answer.
        if let Some(found) = self.clients.one(client).filter(|_| answered) {
            for push in self.media.demands_of(client) {
                found.push(&encode_push(push));
            }
        }
    }

    pub(super) fn node_event(&mut self, event: NodeEvent, batch: &mut Batch) {
        let media = &self.media;
        let is_participant = |peer| media.client_of(peer).is_some();
        let Some(event) = self.talk.node_event(event, is_participant) else {
            return;
        };
        match event {
            NodeEvent::Connected { peer, after } => {
                self.metrics.media_connected(after);
                let stay = self
                    .media
                    .connected(peer)
                    .and_then(|client| self.clients.one(client))
                    .and_then(|client| client.stay);
                if let Some(participant) = stay {
                    self.own_order(Order::MediaConnected { participant }, batch);
                    let conference = self.ledger.county().participant(participant);
                    batch.stages.extend(conference.map(|one| one.conference));
                }
            }
            NodeEvent::Disconnected { peer, reason } => {
                let Some((client, conference)) = self.media.disconnected(peer) else {
                    return;
                };
                tracing::info!(?peer, ?reason, %conference, "media lost");
                batch.stages.insert(conference);
                let Some(client) = self.clients.one(client) else {
                    return;
                };
                client.push(&encode_push(Push::MediaLost {
                    conference: wire::conference_id(conference),
                }));
                if let Some(participant) = client.stay {
                    self.own_order(Order::MediaLost { participant }, batch);
                }
            }
            NodeEvent::SlotLive { peer, after, .. } => {
                self.metrics.slot_live(after);
                if let Some(since) = self.media.first_frame(peer) {
                    self.metrics.joined(since.elapsed());
                }
            }
            NodeEvent::Speaking { room, peers } => self.media.figures.speaking(room, peers),
            NodeEvent::Stats { peer, stats, slots } => {
                self.metrics.quality.peer(&stats, figures::is_poor(&stats));
                slots
                    .iter()
                    .for_each(|slot| self.metrics.quality.slot(slot));
                self.media.figures.quality(peer, stats, slots);
            }
            NodeEvent::Demand {
                peer,
                track,
                encodings,
            } => self.demand(peer, track, encodings),
            NodeEvent::SpeechRate {
                peer,
                bits_per_second,
            } => self.speech_rate(peer, bits_per_second),
            NodeEvent::Overload { level } => self.overloaded(level.into()),
            NodeEvent::SourceStarted { peer, track } => self.media.heard_of(peer, track, true),
            NodeEvent::SourceSilent { peer, track } => self.media.heard_of(peer, track, false),
        }
    }

    /// The media node reduces video to this level.
    fn overloaded(&mut self, level: u32) {
        self.overload = level;
        self.metrics.quality.overload(level);
        let text = encode_push(Push::Overload { level });
        for (_, client) in self.clients.all() {
            client.push(&text);
        }
    }

    fn speech_rate(&mut self, peer: PeerId, bits_per_second: Option<u32>) {
        if let Some((client, push)) = self.media.speech_rate(peer, bits_per_second)
            && let Some(client) = self.clients.one(client)
        {
            client.push(&encode_push(push));
        }
    }

    fn demand(&mut self, peer: PeerId, track: Track, encodings: Vec<EncodingDemand>) {
        let track = match track {
            Track::Camera => SentTrack::Camera,
            Track::Screen => SentTrack::Screen,
            // Sound is always sent.
            Track::Microphone => return,
        };
        let layers = encodings
            .into_iter()
            .map(|EncodingDemand { rid, active }| SendLayer { rid, active })
            .collect();
        if let Some((client, push)) = self.media.demand(peer, track, layers)
            && let Some(client) = self.clients.one(client)
        {
            client.push(&encode_push(push));
        }
    }
}
