//! Who is told what. Everything says how it is now, so that nothing depends on
//! what was told before.

use std::collections::BTreeSet;

use axum::extract::ws::Utf8Bytes;
use liandong_domain::TalkGroupId;
use liandong_domain::talk::floor::{MemberState, State, Talker};
use liandong_domain::talk::group::{Talk as Spoken, TalkEnd};
use liandong_protocol::Push;
use liandong_protocol::talk::{FloorStanding, GroupListeners, TalkNews};

use super::exchange::{Exchange, talker};
use crate::desk::clients::{ClientId, encode_push};
use crate::views::{talk as views, wire};

/// Listeners that are told by name.
const NAMES: usize = 64;

fn encode(news: TalkNews) -> Utf8Bytes {
    encode_push(Push::Talk { news })
}

impl Exchange {
    /// The client gets the whole.
    pub(super) fn welcome(&mut self, client: ClientId) {
        let Some(known) = self.ears.one(client) else {
            return;
        };
        let (account, position) = (known.account.clone(), known.position());
        let seen = self.seen(client);
        let groups = self
            .county
            .talk_groups()
            .filter(|group| seen.contains(&group.id))
            .map(|group| views::group(&self.county, group, &account, position))
            .collect();
        known.push(&encode(TalkNews::All { groups }));
        let listens: Vec<TalkGroupId> = known.listens.keys().copied().collect();
        for group in &seen {
            self.tell_all_of(client, *group);
        }
        if let Some(known) = self.ears.one_mut(client) {
            known.sees = seen;
        }
        for group in listens {
            if self
                .ears
                .one(client)
                .is_some_and(|one| one.sees.contains(&group))
            {
                self.listeners_changed(group);
                self.back(client, group);
                self.tell_standing(group, talker(client));
                self.tell_speech_rate(client, group);
            } else {
                // It was put out of the group while it was away.
                self.unlisten(client, group, TalkEnd::NotAllowed);
            }
        }
    }

    fn seen(&self, client: ClientId) -> BTreeSet<TalkGroupId> {
        let Some(known) = self.ears.one(client) else {
            return BTreeSet::new();
        };
        let position = known.position();
        self.county
            .talk_groups()
            .filter(|group| self.county.sees_group(&known.account, group, position))
            .map(|group| group.id)
            .collect()
    }

    /// Membership may have changed, and so have these groups.
    pub(super) fn look(&mut self, client: ClientId, changed: &[TalkGroupId]) {
        let seen = self.seen(client);
        let Some(known) = self.ears.one_mut(client) else {
            return;
        };
        let saw = std::mem::replace(&mut known.sees, seen.clone());
        for group in saw.difference(&seen) {
            self.unlisten(client, *group, TalkEnd::NotAllowed);
            if let Some(known) = self.ears.one(client) {
                known.push(&encode(TalkNews::Gone {
                    group: views::id(*group),
                }));
            }
        }
        for group in &seen {
            let is_new = !saw.contains(group);
            if is_new || changed.contains(group) {
                self.tell_group(client, *group);
            }
            if is_new {
                self.tell_all_of(client, *group);
            }
        }
    }

    fn tell_group(&self, client: ClientId, group: TalkGroupId) {
        if let Some((known, group)) = self.ears.one(client).zip(self.county.talk_group(group)) {
            let group = views::group(&self.county, group, &known.account, known.position());
            known.push(&encode(TalkNews::Group { group }));
        }
    }

    /// What is told of a group besides itself.
    fn tell_all_of(&self, client: ClientId, group: TalkGroupId) {
        let Some((known, found)) = self.ears.one(client).zip(self.floors.get(&group)) else {
            return;
        };
        known.push(&self.floor_news(group));
        known.push(&self.listeners_news(group));
        if !found.talks.is_empty() {
            let talks: Vec<Spoken> = found.talks.iter().cloned().collect();
            known.push(&self.talks_news(group, &talks));
        }
    }

    pub(super) fn tell_floor(&self, group: TalkGroupId) {
        self.to_all(group, &self.floor_news(group));
    }

    pub(super) fn tell_listeners(&self, group: TalkGroupId) {
        self.to_all(group, &self.listeners_news(group));
    }

    pub(super) fn tell_talks(&self, group: TalkGroupId, talks: &[Spoken]) {
        self.to_all(group, &self.talks_news(group, talks));
    }

    fn to_all(&self, group: TalkGroupId, text: &Utf8Bytes) {
        for client in self.ears.seeing(group) {
            client.push(text);
        }
    }

    fn floor_news(&self, group: TalkGroupId) -> Utf8Bytes {
        let account_of = |who: Talker| self.ears.account_of(who);
        let floor = self.floors.get(&group).map(|known| &known.floor);
        let floor = views::floor(&self.county, group, floor, account_of);
        encode(TalkNews::Floor { floor })
    }

    fn listeners_news(&self, group: TalkGroupId) -> Utf8Bytes {
        let floor = self.floors.get(&group).map(|known| &known.floor);
        // Whoever lost his line may come back, but does not hear anything now.
        let there = |who: &Talker| {
            let client = self.ears.one(ClientId(who.0));
            client.is_some_and(|client| client.lost.is_none())
        };
        let listeners = floor.into_iter().flat_map(|one| one.listeners());
        let listeners: Vec<Talker> = listeners.filter(there).collect();
        let names: BTreeSet<&str> = listeners
            .iter()
            .filter_map(|who| self.county.directory().account(self.ears.account_of(*who)?))
            .map(|account| account.name.as_str())
            .collect();
        encode(TalkNews::Listeners {
            listeners: GroupListeners {
                group: views::id(group),
                count: u32::try_from(listeners.len()).unwrap_or(u32::MAX),
                names: names.into_iter().take(NAMES).map(str::to_owned).collect(),
            },
        })
    }

    fn talks_news(&self, group: TalkGroupId, talks: &[Spoken]) -> Utf8Bytes {
        encode(TalkNews::Spoke {
            group: views::id(group),
            talks: talks
                .iter()
                .map(|talk| views::talk(&self.county, talk))
                .collect(),
        })
    }

    /// How the client itself stands.
    pub(super) fn tell_standing(&self, group: TalkGroupId, who: Talker) {
        let Some(floor) = self.floors.get(&group).map(|known| &known.floor) else {
            return;
        };
        let standing = match (floor.member_state(who), floor.state()) {
            (MemberState::Queued(position), _) => FloorStanding::Queued {
                position: u32::try_from(position).unwrap_or(u32::MAX),
            },
            (MemberState::Holding, State::Taken(hold)) => FloorStanding::Holding {
                until_ms: wire::ms(hold.until),
                revoked: false,
            },
            (MemberState::Holding, State::PendingRevoke(hold)) => FloorStanding::Holding {
                until_ms: wire::ms(hold.until),
                revoked: true,
            },
            (MemberState::Holding, State::Idle) | (MemberState::Silent, _) => {
                FloorStanding::Silent { cause: None }
            }
        };
        self.tell_own(group, who, standing);
    }

    pub(super) fn tell_own(&self, group: TalkGroupId, who: Talker, standing: FloorStanding) {
        if let Some(known) = self.ears.one(ClientId(who.0)) {
            let group = views::id(group);
            known.push(&encode(TalkNews::Standing { group, standing }));
        }
    }

    /// What the client's encoder is to send at most in the group.
    pub(super) fn tell_speech_rate(&self, client: ClientId, group: TalkGroupId) {
        let Some(known) = self.ears.one(client) else {
            return;
        };
        if let Some(link) = known.listens.get(&group).and_then(|ear| ear.link.as_ref()) {
            known.push(&encode(TalkNews::SpeechRate {
                group: views::id(group),
                bits_per_second: link.speech_bits_per_second,
            }));
        }
    }

    pub(super) fn tell_media_lost(&self, client: ClientId, group: TalkGroupId) {
        if let Some(known) = self.ears.one(client) {
            let group = views::id(group);
            known.push(&encode(TalkNews::MediaLost { group }));
        }
    }
}
