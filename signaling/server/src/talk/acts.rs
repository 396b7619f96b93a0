//! What clients ask for: listening, sound, the floor.

use std::time::Instant;

use liandong_domain::TalkGroupId;
use liandong_domain::talk::floor::Input as FloorInput;
use liandong_domain::talk::group::TalkEnd;
use liandong_protocol::talk::FloorAct;
use liandong_protocol::{Place, Refusal, RefusalCode, Reply};
use liandong_sfu_node::{OfferError, Track};

use super::ears::{Ear, Link, MAX_GROUPS};
use super::exchange::{Exchange, talker};
use super::{Asking, Input, OfferDone, room};
use crate::desk::clients::ClientId;
use crate::desk::encode_reply;
use crate::media::{OfferFailure, refusal, sdp};
use crate::views::talk as views;
use crate::views::wire::refuse;

fn unknown() -> Refusal {
    refuse(RefusalCode::UnknownTalkGroup, "no such talk group")
}

fn not_listening() -> Refusal {
    refuse(RefusalCode::NotInConference, "listen to the group first")
}

impl Exchange {
    pub(super) fn act(&mut self, asking: Asking, group: TalkGroupId, act: FloorAct) {
        let Asking {
            client, connection, ..
        } = asking;
        let known = self.ears.one(client);
        let Some(known) = known.filter(|known| known.connection == connection) else {
            return; // an old connection's last words
        };
        if !known.sees.contains(&group) {
            return self.reply(asking, Err(unknown()));
        }
        let listens = known.listens.contains_key(&group);
        let who = talker(client);
        let result = match act {
            FloorAct::Listen => self.listen(client, group),
            FloorAct::Leave => {
                self.unlisten(client, group, TalkEnd::Lost);
                Ok(Reply::Done)
            }
            FloorAct::Offer { .. } | FloorAct::Request if !listens => Err(not_listening()),
            FloorAct::Offer { sdp } => return self.offer(asking, group, sdp),
            FloorAct::Request => {
                // The gate moves in here, before the reply is written.
                self.drive(group, FloorInput::Request { who });
                Ok(Reply::Done)
            }
            FloorAct::Release => {
                self.drive(group, FloorInput::Release { who });
                Ok(Reply::Done)
            }
        };
        self.reply(asking, result);
    }

    pub(super) fn reply(&self, asking: Asking, result: Result<Reply, Refusal>) {
        let known = self.ears.one(asking.client);
        if let Some(known) = known.filter(|known| known.connection == asking.connection) {
            known.outbox.reply(encode_reply(asking.id, result));
        }
    }

    fn listen(&mut self, client: ClientId, id: TalkGroupId) -> Result<Reply, Refusal> {
        let who = talker(client);
        let rank = self.rank(id, who);
        let Some((known, floor)) = self.ears.one_mut(client).zip(self.floors.get(&id)) else {
            return Err(unknown());
        };
        if known.listens.contains_key(&id) {
            // Said before each offer: its media may have been lost.
            self.drive(id, FloorInput::Join { who, rank });
            return Ok(Reply::Done);
        }
        if known.listens.len() >= MAX_GROUPS {
            let what = format!("more than {MAX_GROUPS} groups on one device");
            return Err(refuse(RefusalCode::Full, what));
        }
        if floor.floor.is_full() {
            return Err(refuse(RefusalCode::Full, "too many listen to this group"));
        }
        known.listens.insert(id, Ear::default());
        self.drive(id, FloorInput::Join { who, rank });
        Ok(Reply::Done)
    }

    fn offer(&mut self, asking: Asking, group: TalkGroupId, sdp: String) {
        let listens = self.ears.one_mut(asking.client);
        let Some(ear) = listens.and_then(|known| known.listens.get_mut(&group)) else {
            return self.reply(asking, Err(not_listening()));
        };
        let fingerprint = sdp::fingerprint(&sdp).unwrap_or_default();
        let same = |link: &&Link| !fingerprint.is_empty() && link.fingerprint == fingerprint;
        let peer = ear.link.as_ref().filter(same).map(|link| link.peer);
        ear.offers = ear.offers.wrapping_add(1);
        let number = ear.offers;
        let (node, talk) = (self.node.clone(), self.talk.clone());
        tokio::spawn(async move {
            let mut result = node.offer(peer, room(group), sdp.clone()).await;
            if let (Err(OfferError::UnknownPeer), Some(_)) = (&result, peer) {
                // The peer went meanwhile; the same offer makes a new one.
                result = node.offer(None, room(group), sdp).await;
            }
            talk.tell(Input::Offered {
                asking,
                group,
                done: OfferDone {
                    number,
                    fingerprint,
                    result,
                },
            })
            .await;
        });
    }

    pub(super) fn offered(&mut self, asking: Asking, group: TalkGroupId, done: OfferDone) {
        let client = asking.client;
        let answered = match done.result {
            Ok(answered) => answered,
            Err(error) => return self.reply(asking, Err(refusal(&OfferFailure::Node(error)))),
        };
        let peer = answered.peer;
        let ear = self
            .ears
            .one(client)
            .and_then(|one| one.listens.get(&group));
        let known = ear
            .and_then(|ear| ear.link.as_ref())
            .is_some_and(|link| link.peer == peer);
        if !known {
            let superseded = ear.is_none_or(|ear| ear.offers != done.number);
            let silent = |track: &Track| *track == Track::Microphone;
            let failure = if superseded {
                Some(refusal(&OfferFailure::Superseded))
            } else if answered.video_slots > 0 || !answered.sources.iter().all(silent) {
                Some(refuse(RefusalCode::BadOffer, "a talk group has sound only"))
            } else {
                None
            };
            if let Some(failure) = failure {
                self.node.leave(peer);
                return self.reply(asking, Err(failure));
            }
            // Closed before the client has the answer, so before its first packet; open
            // only if it came anew in the middle of its own talk.
            let holds = self.floors.get(&group).and_then(|one| one.floor.holder());
            let open = holds.is_some_and(|hold| hold.who == talker(client));
            self.node.gate(peer, Track::Microphone, open);
            let link = Link {
                peer,
                fingerprint: done.fingerprint,
                speech_bits_per_second: None,
            };
            let before = self.ears.link(client, group, link);
            if let Some(before) = before {
                self.node.leave(before);
            }
        }
        let reply = Reply::Answer {
            sdp: answered.sdp,
            video_slots: 0,
        };
        self.reply(asking, Ok(reply));
    }

    pub(super) fn here(&mut self, asking: Asking, place: Place) {
        let place = views::place_of(place);
        if !place.is_on_earth() {
            let refusal = refuse(RefusalCode::Malformed, "place not on earth");
            return self.reply(asking, Err(refusal));
        }
        self.ears.place(asking.client, place, Instant::now());
        self.look(asking.client, &[]);
        self.reply(asking, Ok(Reply::Done));
    }
}
