//! What is known of pursuits, exactly as the events give it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::event::{PursuitCause, PursuitEvent};
use super::state::{AttemptResult, Channel, PursuitInput, PursuitState};
use crate::ids::{AccountId, ConferenceId, InvitationId, PursuitId, SiteCode};
use crate::invitation::Callee;
use crate::limits::MAX_ENDED_PURSUITS;
use crate::plan::OnMiss;
use crate::time::Timestamp;

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pursuit {
    pub id: PursuitId,
    pub conference: ConferenceId,
    pub callee: Callee,
    pub cause: PursuitCause,
    pub policy: OnMiss,
    pub by: AccountId,
    pub state: PursuitState,
    pub opened_at: Timestamp,
    pub changed_at: Timestamp,
    /// In order; the number of an attempt is its place, from 1.
    pub attempts: Vec<Attempt>,
    /// Who above was told.
    pub told: Option<SiteCode>,
    /// Who came, in words.
    pub reached: Option<String>,
}

/// One contact tried by one channel.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    pub name: String,
    pub channel: Channel,
    pub account: Option<AccountId>,
    pub phone: Option<String>,
    pub invitation: Option<InvitationId>,
    pub own_ring: bool,
    pub at: Timestamp,
    pub deadline: Timestamp,
    pub result: Option<AttemptResult>,
    pub result_at: Option<Timestamp>,
}

impl Attempt {
    /// Something may still come of it.
    pub(super) fn is_outstanding(&self, now: Timestamp) -> bool {
        self.is_open() && self.gives_up_at().is_none_or(|at| at > now)
    }

    /// When it is taken for unanswered; `None`: it is settled, or its ring gives the result,
    /// which has a deadline of its own.
    pub(super) fn gives_up_at(&self) -> Option<Timestamp> {
        (self.is_open() && self.invitation.is_none()).then_some(self.deadline)
    }

    /// Whether anybody reads a message that was taken is not known.
    pub(super) fn is_open(&self) -> bool {
        match self.result {
            None | Some(AttemptResult::Delivered) => true,
            Some(
                AttemptResult::Answered
                | AttemptResult::Acknowledged
                | AttemptResult::NoAnswer
                | AttemptResult::Declined
                | AttemptResult::Busy
                | AttemptResult::Unreachable
                | AttemptResult::Failed
                | AttemptResult::Stopped,
            ) => false,
        }
    }
}

impl Pursuit {
    /// Of the first event; `None` if it is another one.
    fn opened(event: &PursuitEvent) -> Option<Self> {
        let PursuitEvent::Opened {
            pursuit,
            conference,
            callee,
            cause,
            policy,
            by,
            at,
        } = event
        else {
            return None;
        };
        Some(Self {
            id: *pursuit,
            conference: *conference,
            callee: callee.clone(),
            cause: *cause,
            policy: *policy,
            by: by.clone(),
            state: PursuitState::Calling,
            opened_at: *at,
            changed_at: *at,
            attempts: Vec::new(),
            told: None,
            reached: None,
        })
    }

    /// The attempt of that number, from 1.
    #[must_use]
    pub fn attempt(&self, number: u32) -> Option<&Attempt> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        self.attempts.get(index)
    }

    fn due(&self) -> Option<Timestamp> {
        let waiting = self.attempts.iter().filter_map(Attempt::gives_up_at);
        match self.state {
            PursuitState::Calling => waiting.min(),
            PursuitState::ToldAbove
            | PursuitState::Exhausted
            | PursuitState::Reached
            | PursuitState::Stopped => None,
        }
    }

    fn apply(&mut self, event: &PursuitEvent) {
        match event {
            PursuitEvent::Opened { .. } => {}
            PursuitEvent::Tried {
                name,
                channel,
                account,
                phone,
                invitation,
                own_ring,
                at,
                deadline,
                ..
            } => {
                self.changed_at = *at;
                self.attempts.push(Attempt {
                    name: name.clone(),
                    channel: *channel,
                    account: account.clone(),
                    phone: phone.clone(),
                    invitation: *invitation,
                    own_ring: *own_ring,
                    at: *at,
                    deadline: *deadline,
                    result: None,
                    result_at: None,
                });
            }
            PursuitEvent::Resulted {
                attempt,
                result,
                at,
                ..
            } => {
                self.changed_at = *at;
                let index = usize::try_from(*attempt)
                    .ok()
                    .and_then(|one| one.checked_sub(1));
                if let Some(one) = index.and_then(|index| self.attempts.get_mut(index)) {
                    one.result = Some(*result);
                    one.result_at = Some(*at);
                }
            }
            PursuitEvent::ToldAbove { site, at, .. } => {
                self.told = Some(site.clone());
                self.enter(PursuitInput::TellAbove, *at);
            }
            PursuitEvent::Exhausted { at, .. } => self.enter(PursuitInput::Exhaust, *at),
            PursuitEvent::Reached { name, at, .. } => {
                self.reached = Some(name.clone());
                self.enter(PursuitInput::Reach, *at);
            }
            PursuitEvent::Stopped { at, .. } => self.enter(PursuitInput::Stop, *at),
        }
    }

    fn enter(&mut self, input: PursuitInput, at: Timestamp) {
        if let Ok(state) = self.state.after(input) {
            self.state = state;
            self.changed_at = at;
        }
    }
}

#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PursuitBook {
    /// Open ones and the last that are over.
    pursuits: BTreeMap<PursuitId, Arc<Pursuit>>,
    last: u32,
}

impl PursuitBook {
    /// In order of their begin.
    pub fn all(&self) -> impl Iterator<Item = &Pursuit> {
        self.pursuits.values().map(|one| &**one)
    }

    #[must_use]
    pub fn pursuit(&self, id: PursuitId) -> Option<&Pursuit> {
        self.pursuits.get(&id).map(|one| &**one)
    }

    /// The newest of the callee in the conference.
    #[must_use]
    pub fn of(&self, conference: ConferenceId, callee: &Callee) -> Option<&Pursuit> {
        let mut all = self.pursuits.values().rev();
        let found = all.find(|one| one.conference == conference && one.callee == *callee);
        found.map(|one| &**one)
    }

    pub(crate) fn has_reached(&self, conference: ConferenceId, callee: &Callee) -> bool {
        self.of(conference, callee)
            .is_some_and(|one| one.state == PursuitState::Reached)
    }

    /// The ring belongs to an attempt.
    pub(crate) fn is_attempt(&self, invitation: InvitationId) -> bool {
        self.all()
            .flat_map(|one| &one.attempts)
            .any(|one| one.invitation == Some(invitation))
    }

    /// Some attempt of another pursuit waits for this ring.
    pub(crate) fn awaits(&self, invitation: InvitationId, but: PursuitId) -> bool {
        let calling = self.all().filter(|one| one.state == PursuitState::Calling);
        calling
            .filter(|one| one.id != but)
            .flat_map(|one| &one.attempts)
            .any(|one| one.invitation == Some(invitation) && one.is_open())
    }

    pub(crate) fn due(&self) -> Option<Timestamp> {
        self.all().filter_map(Pursuit::due).min()
    }

    pub(crate) fn next_id(&self) -> PursuitId {
        PursuitId(self.last.saturating_add(1))
    }

    /// Never fails: what is about something unknown is passed over.
    pub(crate) fn apply(&mut self, event: &PursuitEvent) {
        let id = event.pursuit();
        self.last = self.last.max(id.0);
        match self.pursuits.get_mut(&id) {
            Some(one) => Arc::make_mut(one).apply(event),
            None => {
                if let Some(opened) = Pursuit::opened(event) {
                    self.pursuits.insert(id, Arc::new(opened));
                    self.forget_old();
                }
            }
        }
    }

    /// What is no longer tried may still be reached, but not for ever.
    fn forget_old(&mut self) {
        let over = self.all().filter(|one| one.state != PursuitState::Calling);
        let over: Vec<PursuitId> = over.map(|one| one.id).collect();
        let too_many = over.len().saturating_sub(MAX_ENDED_PURSUITS);
        for old in over.into_iter().take(too_many) {
            self.pursuits.remove(&old);
        }
    }
}
