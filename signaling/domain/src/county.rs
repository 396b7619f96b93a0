//! The whole state, and the way every order takes through it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::conference::Conference;
use crate::directory::Directory;
use crate::draft::Draft;
use crate::duty::DutyBook;
use crate::event::Event;
use crate::idempotency::{Decision, KeyBook, Outcome};
use crate::ids::{AccountId, ConferenceId, IncidentId, InvitationId, ParticipantId, TalkGroupId};
use crate::incident::{Incident, IncidentEvent};
use crate::limits::{MAX_ENDED_CONFERENCES, MAX_KEY_CHARS, MAX_SETTLED_INCIDENTS};
use crate::order::{Actor, Order};
use crate::plan::PlanBook;
use crate::presence::PresenceBoard;
use crate::pursuit::PursuitBook;
use crate::refusal::Refusal;
use crate::talk::{TalkEvent, TalkGroup, TalkWhat};
use crate::text::is_plain;
use crate::time::{Timestamp, Timing};

/// Everything the rules know. Equal to what replaying the journal gives.
///
/// The parts are shared and copied on write, so that a decision can try its
/// events on a copy of its own. Its serialised form is that of
/// [`crate::snapshot`].
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct County {
    /// Of the configuration, never of a snapshot.
    #[serde(skip)]
    pub(crate) timing: Timing,
    pub(crate) directory: Arc<Directory>,
    pub(crate) presence: Arc<PresenceBoard>,
    /// Running ones and the last few that ended.
    pub(crate) conferences: BTreeMap<ConferenceId, Arc<Conference>>,
    /// Open ones and the last few that are settled.
    pub(crate) incidents: BTreeMap<IncidentId, Arc<Incident>>,
    pub(crate) talk_groups: BTreeMap<TalkGroupId, Arc<TalkGroup>>,
    pub(crate) plans: Arc<PlanBook>,
    pub(crate) duty: Arc<DutyBook>,
    pub(crate) pursuits: Arc<PursuitBook>,
    keys: Arc<KeyBook>,
    pub(crate) last: LastNumbers,
}

/// The highest numbers given so far.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LastNumbers {
    pub(crate) conference: ConferenceId,
    pub(crate) incident: IncidentId,
    pub(crate) invitation: InvitationId,
    pub(crate) participant: ParticipantId,
    pub(crate) talk_group: TalkGroupId,
}

impl Default for LastNumbers {
    fn default() -> Self {
        Self {
            conference: ConferenceId(0),
            incident: IncidentId(0),
            invitation: InvitationId(0),
            participant: ParticipantId(0),
            talk_group: TalkGroupId(0),
        }
    }
}

impl County {
    /// Empty, with the usual [`Timing`].
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    #[must_use]
    pub fn with_timing(timing: Timing) -> Self {
        Self {
            timing,
            ..Self::default()
        }
    }

    /// The same with other waits; what was decided before keeps its deadlines.
    #[must_use]
    pub fn timed(self, timing: Timing) -> Self {
        Self { timing, ..self }
    }

    /// What the order gives, or why it is not carried out. Changes nothing:
    /// journal the events, then `apply` each. No events: nothing had to change.
    pub fn decide(&self, by: &Actor, order: &Order, now: Timestamp) -> Result<Vec<Event>, Refusal> {
        let mut draft = Draft::new(self, now);
        match by {
            Actor::System => draft.by_system(order)?,
            Actor::Account(account) => draft.by_account(account, order)?,
            Actor::Platform(name) => draft.by_platform(name, order)?,
        }
        draft.settle();
        Ok(draft.into_events())
    }

    /// Like `decide`, for an order with an idempotency key (1 to 64 printable
    /// characters). The key belongs to the account. An order that was refused
    /// leaves no trace: sent again, it is decided anew.
    pub fn decide_once(
        &self,
        by: &AccountId,
        key: &str,
        order: &Order,
        now: Timestamp,
    ) -> Result<Decision, Refusal> {
        self.once(&Actor::Account(by.clone()), by, key, order, now)
    }

    /// The same for another platform, which has keys of its own.
    pub fn decide_once_for_platform(
        &self,
        name: &str,
        key: &str,
        order: &Order,
        now: Timestamp,
    ) -> Result<Decision, Refusal> {
        // No account is called so: login names have no colon.
        let holder = AccountId(format!("platform:{name}"));
        self.once(&Actor::Platform(name.to_owned()), &holder, key, order, now)
    }

    /// `holder` is whom the key belongs to.
    fn once(
        &self,
        by: &Actor,
        holder: &AccountId,
        key: &str,
        order: &Order,
        now: Timestamp,
    ) -> Result<Decision, Refusal> {
        if key.is_empty() || key.chars().count() > MAX_KEY_CHARS || !is_plain(key) {
            return Err(Refusal::Malformed("key not of 1 to 64 characters"));
        }
        if let Some(outcome) = self.keys.look_up(holder, key, order, now)? {
            return Ok(Decision::Repeated(outcome.clone()));
        }
        let mut events = self.decide(by, order, now)?;
        let outcome = Outcome::of(order, &events);
        events.push(Event::OrderCarriedOut {
            by: holder.clone(),
            key: key.to_owned(),
            order: order.clone(),
            outcome: outcome.clone(),
            at: now,
        });
        Ok(Decision::New { events, outcome })
    }

    /// Makes the event part of the state. Never fails: an event about
    /// something unknown is passed over.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::SiteRegistered { site } | Event::SiteChanged { site } => {
                Arc::make_mut(&mut self.directory).put_site(site);
            }
            Event::AccountRegistered { account } | Event::AccountChanged { account } => {
                Arc::make_mut(&mut self.directory).put_account(account);
            }
            Event::AccountPresenceChanged {
                account, presence, ..
            } => Arc::make_mut(&mut self.presence).set_account(account, *presence),
            Event::SitePresenceChanged { site, presence, .. } => {
                Arc::make_mut(&mut self.presence).set_site(site, *presence);
            }
            Event::Restarted { .. } => {} // what it changes has events of its own
            Event::ConferenceCalled { conference, .. } => {
                self.last.conference = self.last.conference.max(*conference);
                if let Some(called) = Conference::called(event) {
                    self.conferences.insert(*conference, Arc::new(called));
                }
            }
            Event::Incident { event } => self.apply_incident(event),
            Event::Talk { event } => self.apply_talk(event),
            Event::Conduct { event: conduct } => self.apply_within(conduct.conference, event),
            Event::Plan { event } => Arc::make_mut(&mut self.plans).apply(event),
            Event::Duty { event } => Arc::make_mut(&mut self.duty).apply(event),
            Event::Pursuit { event } => Arc::make_mut(&mut self.pursuits).apply(event),
            Event::OrderCarriedOut {
                by,
                key,
                order,
                outcome,
                at,
            } => Arc::make_mut(&mut self.keys).keep(by, key, order, outcome, *at),
            Event::ConferenceLive { conference, .. }
            | Event::ConferenceWidened { conference }
            | Event::ChairChanged { conference, .. }
            | Event::AllMuteChanged { conference, .. }
            | Event::ConferenceAlone { conference, .. }
            | Event::ConferenceLaidOut { conference, .. }
            | Event::InvitationRinging { conference, .. }
            | Event::InvitationQueued { conference, .. }
            | Event::InvitationAccepted { conference, .. }
            | Event::InvitationJoined { conference, .. }
            | Event::InvitationMissed { conference, .. }
            | Event::ParticipantIn { conference, .. }
            | Event::ParticipantReconnecting { conference, .. }
            | Event::ParticipantLeft { conference, .. }
            | Event::ParticipantMuted { conference, .. }
            | Event::OwnMediaChanged { conference, .. } => self.apply_within(*conference, event),
            Event::InvitationIssued {
                conference,
                invitation,
                ..
            } => {
                self.last.invitation = self.last.invitation.max(*invitation);
                self.apply_within(*conference, event);
            }
            Event::ParticipantJoining {
                conference,
                participant,
                ..
            } => {
                self.last.participant = self.last.participant.max(*participant);
                self.apply_within(*conference, event);
            }
            Event::ConferenceEnded { conference, .. } => {
                self.apply_within(*conference, event);
                self.forget_old_conferences();
            }
        }
    }

    /// The next deadline. When it has come, the shell sends [`Order::Tick`].
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        self.conferences()
            .filter(|conference| !conference.is_over())
            .filter_map(Conference::due)
            .chain(self.plans.due())
            .chain(self.duty.due())
            .chain(self.pursuits.due())
            .min()
    }

    fn apply_incident(&mut self, event: &IncidentEvent) {
        self.last.incident = self.last.incident.max(event.incident);
        match self.incidents.get_mut(&event.incident) {
            Some(incident) => {
                let incident = Arc::make_mut(incident);
                incident.apply(event);
                // Otherwise there are no more settled ones than before.
                if !incident.state.is_final() {
                    return;
                }
            }
            None => {
                if let Some(reported) = Incident::reported(event) {
                    self.incidents.insert(event.incident, Arc::new(reported));
                }
                return;
            }
        }
        let settled = self.incidents().filter(|one| one.state.is_final());
        let settled: Vec<IncidentId> = settled.map(|one| one.id).collect();
        let too_many = settled.len().saturating_sub(MAX_SETTLED_INCIDENTS);
        for old in settled.into_iter().take(too_many) {
            self.incidents.remove(&old);
        }
    }

    fn apply_talk(&mut self, event: &TalkEvent) {
        self.last.talk_group = self.last.talk_group.max(event.group);
        if event.what == TalkWhat::Dissolved {
            self.talk_groups.remove(&event.group);
        } else if let Some(group) = self.talk_groups.get_mut(&event.group) {
            Arc::make_mut(group).apply(event);
        } else if let Some(created) = TalkGroup::created(event) {
            self.talk_groups.insert(event.group, Arc::new(created));
        }
    }

    /// Whether there ever was a talk group.
    #[must_use]
    pub fn had_talk_groups(&self) -> bool {
        self.last.talk_group.0 > 0
    }

    fn apply_within(&mut self, conference: ConferenceId, event: &Event) {
        if let Some(conference) = self.conferences.get_mut(&conference) {
            Arc::make_mut(conference).apply(event);
        }
    }

    fn forget_old_conferences(&mut self) {
        let ended: Vec<ConferenceId> = self
            .conferences()
            .filter(|conference| conference.is_over())
            .map(|conference| conference.id)
            .collect();
        let too_many = ended.len().saturating_sub(MAX_ENDED_CONFERENCES);
        for old in ended.into_iter().take(too_many) {
            self.conferences.remove(&old);
        }
    }
}
