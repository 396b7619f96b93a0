//! What a bot knows of the world, as the server told it.

use std::collections::BTreeMap;
use std::time::Instant;

use liandong_protocol::http::Me;
use liandong_protocol::{
    Conference, ConferenceId, Invitation, InvitationId, InvitationState, Participant,
    ParticipantId, ParticipantState, Push, Snapshot,
};

/// When something happened to an invitation, as this client saw it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct InvitationTimes {
    pub ringing: Option<Instant>,
    pub answered: Option<Instant>,
    pub joined: Option<Instant>,
    /// Declined, busy, no answer, unreachable, cancelled.
    pub missed: Option<Instant>,
}

/// One client's view.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Absent before the first login.
    pub me: Option<Me>,
    /// The WebSocket is up and welcomed.
    pub online: bool,
    /// The bot's own media connection is up.
    pub media_connected: bool,
    /// The conference that the bot is in.
    pub conference: Option<ConferenceId>,
    pub participant: Option<ParticipantId>,
    /// When it was rung first.
    pub rung: Option<Instant>,
    pub conferences: BTreeMap<ConferenceId, Conference>,
    pub participants: BTreeMap<ParticipantId, Participant>,
    pub invitations: BTreeMap<InvitationId, Invitation>,
    pub times: BTreeMap<InvitationId, InvitationTimes>,
    pub slots: Vec<Option<ParticipantId>>,
    pub speaking: Vec<ParticipantId>,
    /// Why the bot is not connected: the first such error since the start or
    /// the last welcome.
    pub trouble: Option<String>,
    /// The bot gave up, and why: a wrong password and the like.
    pub gave_up: Option<String>,
}

impl Seen {
    /// Starts from a snapshot: after a welcome or a resync.
    pub fn start(&mut self, snapshot: &Snapshot, now: Instant) {
        self.conferences = by(&snapshot.conferences, |c| c.id);
        self.participants = by(&snapshot.participants, |p| p.id);
        self.invitations.clear();
        for invitation in &snapshot.invitations {
            self.invitation(invitation.clone(), now);
        }
        self.participant = snapshot.own_participant;
        self.conference = self
            .participant
            .and_then(|id| self.participants.get(&id))
            .map(|p| p.conference);
    }

    /// The bot came into a conference, by its own call or by an answer.
    pub fn enter(&mut self, conference: ConferenceId, participant: Option<ParticipantId>) {
        if self.conference != Some(conference) {
            self.slots.clear();
            self.speaking.clear();
        }
        self.conference = Some(conference);
        self.participant = participant.or_else(|| self.own_stay(conference));
    }

    /// The bot's stay in a conference that it called: known by its account.
    fn own_stay(&self, conference: ConferenceId) -> Option<ParticipantId> {
        let me = self.me.as_ref()?;
        self.participants
            .values()
            .find(|p| p.conference == conference && p.account == me.account && is_there(p.state))
            .map(|p| p.id)
    }

    fn leave(&mut self, conference: ConferenceId) {
        if self.conference == Some(conference) {
            self.conference = None;
            self.participant = None;
            self.slots.clear();
            self.speaking.clear();
        }
    }

    /// Folds one push in. What to do about a ring is the bot's own business.
    pub fn apply(&mut self, push: &Push, now: Instant) {
        match push {
            Push::Conference { conference } => {
                self.conferences.insert(conference.id, conference.clone());
            }
            Push::Invitation { invitation } => self.invitation(invitation.clone(), now),
            Push::Participant { participant } => self.participant(participant.clone()),
            Push::ConferenceEnded { conference, .. } => {
                self.conferences.remove(conference);
                self.participants.retain(|_, p| p.conference != *conference);
                self.invitations.retain(|_, i| i.conference != *conference);
                self.leave(*conference);
            }
            Push::Removed { conference, .. } => self.leave(*conference),
            Push::Slots { conference, slots } => {
                if self.conference == Some(*conference) {
                    self.slots.clone_from(slots);
                }
            }
            Push::Speaking {
                conference,
                participants,
            } => {
                if self.conference == Some(*conference) {
                    self.speaking.clone_from(participants);
                }
            }
            Push::Stay {
                conference,
                participant,
                ..
            } => self.enter(*conference, Some(*participant)),
            Push::Resync { snapshot } => self.start(snapshot, now),
            Push::Ring { .. } => drop(self.rung.get_or_insert(now)),
            Push::SitePresence { .. }
            | Push::PersonPresence { .. }
            | Push::RingStopped { .. }
            | Push::Quality { .. }
            | Push::SlotQuality { .. }
            | Push::SendLayers { .. }
            | Push::SpeechRate { .. }
            | Push::Overload { .. }
            | Push::Journal { .. }
            | Push::MediaLost { .. }
            | Push::Doors { .. }
            | Push::Conducted { .. }
            | Push::Incident { .. }
            | Push::Dossier { .. }
            | Push::Talk { .. }
            | Push::Pursuit { .. }
            | Push::Changed { .. }
            | Push::SignedOut { .. } => {}
        }
    }

    fn participant(&mut self, participant: Participant) {
        let (id, conference) = (participant.id, participant.conference);
        let left = !is_there(participant.state);
        self.participants.insert(id, participant);
        if self.participant == Some(id) && left {
            self.leave(conference);
        } else if self.participant.is_none() && self.conference == Some(conference) {
            self.participant = self.own_stay(conference);
        }
    }

    fn invitation(&mut self, invitation: Invitation, now: Instant) {
        let times = self.times.entry(invitation.id).or_default();
        match invitation.state {
            InvitationState::Queued => {}
            InvitationState::Ringing => {
                // Rung again: the former answer no longer counts.
                *times = InvitationTimes {
                    ringing: times.ringing.or(Some(now)),
                    ..InvitationTimes::default()
                };
            }
            InvitationState::Accepted => {
                times.answered.get_or_insert(now);
            }
            InvitationState::Joined => {
                times.answered.get_or_insert(now);
                times.joined.get_or_insert(now);
            }
            InvitationState::Declined
            | InvitationState::Busy
            | InvitationState::NoAnswer
            | InvitationState::Unreachable
            | InvitationState::Cancelled => {
                times.missed.get_or_insert(now);
            }
        }
        self.invitations.insert(invitation.id, invitation);
    }
}

/// Has media there; whoever is held comes back by `Push::Stay`.
fn is_there(state: ParticipantState) -> bool {
    match state {
        ParticipantState::Joining | ParticipantState::In => true,
        ParticipantState::Held | ParticipantState::Left => false,
    }
}

fn by<T: Clone, K: Ord>(items: &[T], key: impl Fn(&T) -> K) -> BTreeMap<K, T> {
    items.iter().map(|i| (key(i), i.clone())).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use liandong_protocol::{AccountId, ParticipantRole, SiteCode, Target};

    use super::*;

    const CALL: ConferenceId = ConferenceId(7);

    fn participant(id: u32, state: ParticipantState) -> Participant {
        Participant {
            id: ParticipantId(id),
            conference: CALL,
            account: AccountId(format!("a{id}")),
            site: SiteCode::from("511922101"),
            name: "沙河镇".into(),
            role: ParticipantRole::Speaker,
            state,
            muted: false,
            sound: true,
            picture: true,
            hand_since_ms: None,
            microphone: true,
            camera: true,
            microphone_order: None,
            camera_order: None,
            left: None,
        }
    }

    fn invitation(state: InvitationState) -> Push {
        Push::Invitation {
            invitation: Invitation {
                id: InvitationId(3),
                conference: CALL,
                target: Target::Site {
                    code: SiteCode::from("511922101"),
                },
                name: "沙河镇".into(),
                state,
                attempt: 1,
                ordered: true,
                rung_at_ms: 0.0,
                deadline_ms: 0.0,
                settled_at_ms: None,
                participant: None,
            },
        }
    }

    #[test]
    fn times_of_an_invitation() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut seen = Seen::default();
        seen.apply(&invitation(InvitationState::Ringing), at(1));
        seen.apply(&invitation(InvitationState::Accepted), at(20));
        seen.apply(&invitation(InvitationState::Accepted), at(30));
        seen.apply(&invitation(InvitationState::Joined), at(40));
        let times = seen.times[&InvitationId(3)];
        assert_eq!(times.ringing, Some(at(1)));
        assert_eq!(times.answered, Some(at(20)));
        assert_eq!(times.joined, Some(at(40)));
    }

    #[test]
    fn removed_and_ended_take_the_bot_out() {
        let now = Instant::now();
        let mut seen = Seen::default();
        seen.enter(CALL, Some(ParticipantId(1)));
        seen.apply(
            &Push::Slots {
                conference: CALL,
                slots: vec![Some(ParticipantId(2)), None],
            },
            now,
        );
        assert_eq!(seen.slots.len(), 2);
        let left = participant(1, ParticipantState::Left);
        seen.apply(&Push::Participant { participant: left }, now);
        assert_eq!((seen.conference, seen.slots.len()), (None, 0));

        seen.enter(CALL, Some(ParticipantId(5)));
        let ended = Push::ConferenceEnded {
            conference: CALL,
            ended_by: None,
        };
        seen.apply(&ended, now);
        assert_eq!((seen.conference, seen.participants.len()), (None, 0));
    }

    #[test]
    fn caller_finds_its_own_stay() {
        let now = Instant::now();
        let mut seen = Seen {
            me: Some(Me {
                account: AccountId::from("a4"),
                name: String::new(),
                role: liandong_protocol::Role::Commander,
                site: SiteCode::from("511922"),
                site_name: String::new(),
                tier: liandong_protocol::Tier::County,
                county_name: String::new(),
            }),
            ..Seen::default()
        };
        seen.enter(CALL, None);
        assert_eq!(seen.participant, None);
        for id in [3, 4] {
            let participant = participant(id, ParticipantState::Joining);
            seen.apply(&Push::Participant { participant }, now);
        }
        assert_eq!(seen.participant, Some(ParticipantId(4)));
    }
}
