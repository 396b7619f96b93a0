//! The bot's own place in a call: its media follows the conference that it is
//! in, and its slots follow the server's word.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use liandong_protocol::server::{SendLayer, SlotQuality};
use liandong_protocol::{ConferenceId, ParticipantId, Request, SiteCode};
use tokio::sync::watch;

use super::board::Board;
use super::link::Link;
use super::media::{Media, Surroundings};
use super::picture::Wanted;
use super::slot::Occupant;
use super::{BotPlan, MediaPlan, Seen, Tally};
use crate::media::sound::SoundLoop;
use crate::media::video::{Size, VideoLoop};

pub(super) struct OwnCall {
    plan: Option<MediaPlan>,
    index: u16,
    roll: Arc<BTreeMap<SiteCode, u16>>,
    link: watch::Sender<Option<Link>>,
    seen: watch::Sender<Seen>,
    tally: Tally,
    board: Arc<Board>,
    wanted: Wanted,
    restarts: watch::Receiver<u32>,
    media: Option<Media>,
    /// The stay for which the server knows that microphone and camera are on.
    told: Option<ParticipantId>,
}

impl OwnCall {
    pub(super) fn new(
        plan: &BotPlan,
        seen: &watch::Sender<Seen>,
        tally: &Tally,
        board: &Arc<Board>,
        restarts: watch::Receiver<u32>,
    ) -> Self {
        let index = plan.index;
        if let Some(media) = plan.media.as_ref().filter(|media| media.sends) {
            let simulcast = media.simulcast;
            // Made while the bot logs in; an error is told when it is to be sent.
            tokio::task::spawn_blocking(move || {
                let sizes: &[Size] = match simulcast {
                    true => &Size::SIMULCAST,
                    false => &[Size::SINGLE],
                };
                for size in sizes {
                    drop(VideoLoop::of(index, *size));
                }
                drop(SoundLoop::of(index));
            });
        }
        Self {
            plan: plan.media.clone(),
            index,
            roll: plan.roll.clone(),
            link: watch::Sender::new(None),
            seen: seen.clone(),
            tally: tally.clone(),
            board: board.clone(),
            wanted: Wanted::default(),
            restarts,
            media: None,
            told: None,
        }
    }

    /// A connection is up. Not resumed: the server knows nothing of the
    /// client's media any more.
    pub(super) fn online(&mut self, link: &Link, resumed: bool) {
        if !resumed {
            self.told = None;
            // Before the link is there: an offer that waits for it is good.
            if let Some(media) = &self.media {
                media.renegotiate();
            }
        }
        self.link.send_replace(Some(link.clone()));
    }

    pub(super) fn offline(&mut self) {
        self.link.send_replace(None);
    }

    pub(super) fn media_lost(&self, conference: ConferenceId) {
        if let Some(media) = &self.media
            && media.conference == conference
        {
            media.renegotiate();
        }
    }

    /// How the own slots do.
    pub(super) fn quality(&self, conference: ConferenceId, slots: &[SlotQuality]) {
        if self.media.as_ref().map(|media| media.conference) == Some(conference) {
            self.board.quality(slots, Instant::now());
        }
    }

    /// Which encodings of the own camera are to be sent.
    pub(super) fn send_layers(&self, conference: ConferenceId, layers: &[SendLayer]) {
        if self.media.as_ref().map(|media| media.conference) == Some(conference) {
            self.wanted.tell(layers);
        }
    }

    /// Brings media and slots in line with what the bot sees.
    pub(super) async fn follow(&mut self, seen: &Seen) {
        self.board.announce(&self.occupants(seen), Instant::now());
        let Some(plan) = &self.plan else {
            return;
        };
        let present = self.media.as_ref().map(|media| media.conference);
        if present != seen.conference {
            if let Some(media) = self.media.take() {
                media.stop().await;
            }
            self.board.hang_up();
            self.media = seen.conference.map(|conference| {
                let surroundings = Surroundings {
                    plan: plan.clone(),
                    index: self.index,
                    link: self.link.subscribe(),
                    seen: self.seen.clone(),
                    tally: self.tally.clone(),
                    board: self.board.clone(),
                    wanted: self.wanted.clone(),
                    restarts: self.restarts.clone(),
                };
                Media::start(conference, surroundings)
            });
        }
        if plan.sends && seen.media_connected && seen.participant != self.told {
            self.told = seen.participant;
            if let (Some(conference), Some(link)) = (seen.conference, self.link.borrow().clone()) {
                // Display only: a refusal or a loss is no matter.
                tokio::spawn(async move {
                    let request = Request::SetOwnMedia {
                        conference,
                        microphone: true,
                        camera: true,
                    };
                    if let Err(error) = link.request(request).await {
                        tracing::debug!(%error, "own media not told");
                    }
                });
            }
        }
    }

    fn occupants(&self, seen: &Seen) -> Vec<Option<Occupant>> {
        let occupant = |id: &ParticipantId| {
            let participant = seen.participants.get(id);
            Occupant {
                participant: id.0,
                index: participant.and_then(|p| self.roll.get(&p.site).copied()),
            }
        };
        seen.slots
            .iter()
            .map(|slot| slot.as_ref().map(occupant))
            .collect()
    }

    pub(super) async fn stop(&mut self) {
        if let Some(media) = self.media.take() {
            media.stop().await;
        }
    }
}
