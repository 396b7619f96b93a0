//! When a pursuit begins, goes on and ends.

use super::event::{PursuitCause, PursuitEvent};
use super::order::PursuitOrder;
use super::record::{Attempt, Pursuit, PursuitBook};
use super::state::{AttemptResult, Channel, PursuitState};
use crate::conference::Conference;
use crate::county::County;
use crate::directory::{Account, Role};
use crate::draft::Draft;
use crate::event::Event;
use crate::ids::{AccountId, ConferenceId, InvitationId, PursuitId, SiteCode};
use crate::incident::event::What;
use crate::invitation::{Callee, InvitationInput, InvitationState, MissReason};
use crate::participant::ParticipantState;
use crate::plan::OnMiss;
use crate::refusal::Refusal;

impl Draft {
    /// By somebody who is signed in.
    pub(crate) fn pursuit(&mut self, by: &Account, order: &PursuitOrder) -> Result<(), Refusal> {
        match order {
            PursuitOrder::Pursue { invitation } => {
                let one = self.known_invitation(*invitation)?;
                let running = self.running(one.conference)?;
                Draft::own_stay(&running, by)?;
                let last = running.last_invitation(&one.callee);
                let missed = last.is_some_and(|last| last.state.miss().is_some());
                if !missed || self.county.is_there(&running, &one.callee) {
                    return Err(Refusal::Settled);
                }
                let open = self.county.pursuits.of(one.conference, &one.callee);
                if open.is_some_and(|open| open.state == PursuitState::Calling) {
                    return Err(Refusal::AlreadyThere);
                }
                self.open_pursuit(
                    &running,
                    &one.callee,
                    PursuitCause::Ordered,
                    OnMiss::default(),
                    &by.id,
                );
                Ok(())
            }
            PursuitOrder::Result { .. } => Err(Refusal::WrongActor(
                crate::order::OrderKind::Pursuit(order.kind()),
            )),
        }
    }

    /// By the server, for a channel. What comes late or twice changes nothing.
    pub(crate) fn channel_result(&mut self, order: &PursuitOrder) -> Result<(), Refusal> {
        match order {
            PursuitOrder::Result {
                pursuit,
                attempt,
                result,
            } => {
                let known = self.county.pursuits.pursuit(*pursuit);
                let known = known.filter(|one| one.state.is_open());
                let Some(one) = known.and_then(|one| one.attempt(*attempt)) else {
                    return Ok(());
                };
                let settled = match one.result {
                    None => false,
                    Some(AttemptResult::Delivered | AttemptResult::NoAnswer) => {
                        *result != AttemptResult::Acknowledged
                    }
                    Some(_) => true,
                };
                if !settled {
                    self.push_result(*pursuit, *attempt, *result);
                }
                Ok(())
            }
            PursuitOrder::Pursue { .. } => Err(Refusal::WrongActor(
                crate::order::OrderKind::Pursuit(order.kind()),
            )),
        }
    }

    /// Opens what this decision gives cause for, and goes on with what is open.
    pub(crate) fn settle_pursuits(&mut self, seen: &mut usize) {
        for (conference, invitation, missed) in self.causes(seen) {
            let Ok(running) = self.running(conference) else {
                continue;
            };
            let Some(one) = running
                .incident
                .and_then(|_| running.invitations.get(&invitation))
            else {
                continue;
            };
            if self.county.pursuits.is_attempt(invitation) {
                continue;
            }
            let cause = match missed {
                Some(MissReason::Declined) => PursuitCause::Declined,
                Some(MissReason::Busy | MissReason::NoAnswer | MissReason::Unreachable) => {
                    PursuitCause::Missed
                }
                Some(MissReason::Cancelled) => continue,
                None if one.state == InvitationState::Queued => PursuitCause::Offline,
                None => continue,
            };
            let callee = one.callee.clone();
            self.pursue(conference, &callee, cause);
        }
        let on = |one: &&Pursuit| {
            let conference = self.county.conference(one.conference);
            one.state == PursuitState::Calling
                || (one.state.is_open() && conference.is_some_and(|one| !one.is_over()))
        };
        let open = self.county.pursuits.all().filter(on);
        let open: Vec<PursuitId> = open.map(|one| one.id).collect();
        for id in open {
            self.follow(id);
        }
    }

    /// Invitations that this decision issued or missed, since it was last asked.
    fn causes(&self, seen: &mut usize) -> Vec<(ConferenceId, InvitationId, Option<MissReason>)> {
        let fresh = &self.events()[*seen..];
        *seen += fresh.len();
        let causes = fresh.iter().filter_map(|event| match event {
            Event::InvitationIssued {
                conference,
                invitation,
                ..
            } => Some((*conference, *invitation, None)),
            Event::InvitationMissed {
                conference,
                invitation,
                reason,
                ..
            } => Some((*conference, *invitation, Some(*reason))),
            _ => None,
        });
        causes.collect()
    }

    /// Begins a pursuit, unless this call to the callee has one.
    pub(crate) fn pursue(
        &mut self,
        conference: ConferenceId,
        callee: &Callee,
        cause: PursuitCause,
    ) {
        let Ok(running) = self.running(conference) else {
            return;
        };
        let last = running.last_invitation(callee);
        // Once for each call to this callee: whoever was reached or taken back and is
        // called anew is gone after anew.
        let before = self.county.pursuits.of(conference, callee);
        if before.is_some_and(|before| {
            before.state.is_open()
                || self.who_came(before).is_some()
                || last.is_none_or(|last| last.rung_at <= before.changed_at)
        }) {
            return;
        }
        let policy = self.policy(conference, callee);
        let policy = match cause {
            // Somebody has answered, and said no.
            PursuitCause::Declined => OnMiss {
                repeat: 0,
                contacts: false,
                ..policy
            },
            PursuitCause::Offline
            | PursuitCause::Missed
            | PursuitCause::NotAcknowledged
            | PursuitCause::Ordered => policy,
        };
        let by = last.map(|one| one.by.clone());
        let by = by.unwrap_or_else(|| running.host.clone());
        self.open_pursuit(&running, callee, cause, policy, &by);
    }

    /// Of the plan that rings the callee in this conference, else the usual one.
    fn policy(&self, conference: ConferenceId, callee: &Callee) -> OnMiss {
        let runs = self.county.plans.runs();
        let mut runs = runs.filter(|run| run.conference == conference);
        let found = runs.find_map(|run| run.on_miss(callee));
        found.unwrap_or_default()
    }

    fn open_pursuit(
        &mut self,
        running: &Conference,
        callee: &Callee,
        cause: PursuitCause,
        policy: OnMiss,
        by: &AccountId,
    ) {
        self.push_pursuit(PursuitEvent::Opened {
            pursuit: self.county.pursuits.next_id(),
            conference: running.id,
            callee: callee.clone(),
            cause,
            policy,
            by: by.clone(),
            at: self.now,
        });
    }

    fn follow(&mut self, id: PursuitId) {
        self.take_results(id);
        let Some(one) = self.county.pursuits.pursuit(id).cloned() else {
            return;
        };
        if let Some(name) = self.who_came(&one) {
            self.end_attempts(&one);
            self.push_pursuit(PursuitEvent::Reached {
                pursuit: id,
                name: name.clone(),
                at: self.now,
            });
            let newest = self.county.pursuits.of(one.conference, &one.callee);
            // Where it was begun anew by order, one of them tells it.
            if newest.is_some_and(|newest| newest.id == id) {
                let callee = one.callee.clone();
                self.tell_incident(&one, What::Reached { callee, name });
            }
            return;
        }
        if one.state != PursuitState::Calling {
            return;
        }
        let running = self.running(one.conference).ok();
        if running
            .as_ref()
            .is_some_and(|running| self.county.has_place(running, &one.callee))
        {
            return; // its media are being connected, or a higher call holds it
        }
        let running = running.filter(|running| !is_taken_back(running, &one));
        let Some(running) = running else {
            self.end_attempts(&one);
            self.push_pursuit(PursuitEvent::Stopped {
                pursuit: id,
                at: self.now,
            });
            return;
        };
        let now = self.now;
        if !one
            .attempts
            .iter()
            .any(|attempt| attempt.is_outstanding(now))
        {
            self.try_next(&one, &running);
        }
    }

    /// What the rings of the attempts came to.
    fn take_results(&mut self, id: PursuitId) {
        let Some(one) = self.county.pursuits.pursuit(id).cloned() else {
            return;
        };
        for (number, attempt) in (1..).zip(&one.attempts) {
            let ring = attempt.invitation.filter(|_| attempt.is_open());
            let ring = ring.and_then(|ring| self.county.invitation(ring));
            let result = ring.and_then(|ring| match ring.state {
                InvitationState::Queued | InvitationState::Ringing | InvitationState::Accepted => {
                    None
                }
                InvitationState::Joined => Some(AttemptResult::Answered),
                InvitationState::Declined => Some(AttemptResult::Declined),
                InvitationState::Busy => Some(AttemptResult::Busy),
                InvitationState::NoAnswer => Some(AttemptResult::NoAnswer),
                // Where a message was sent, too, nobody opened it in time.
                InvitationState::Unreachable if attempt.channel == Channel::WebPush => {
                    Some(AttemptResult::NoAnswer)
                }
                InvitationState::Unreachable => Some(AttemptResult::Unreachable),
                InvitationState::Cancelled => Some(AttemptResult::Stopped),
            });
            if let Some(result) = result {
                self.push_result(id, number, result);
            }
        }
    }

    /// The callee in the call, or whoever was tried for it and came or acknowledged.
    fn who_came(&self, one: &Pursuit) -> Option<String> {
        let conference = self.county.conference(one.conference)?;
        let answering = self.county.answering(&one.callee);
        let is_in = |account: &AccountId| {
            let stay = conference.stay_of(account);
            stay.is_some_and(|stay| stay.state == ParticipantState::In)
        };
        if answering.into_iter().any(is_in) {
            return Some(self.county.callee_name(&one.callee).to_owned());
        }
        let came = |attempt: &&Attempt| {
            attempt.result == Some(AttemptResult::Acknowledged)
                || attempt.account.as_ref().is_some_and(is_in)
        };
        let found = one.attempts.iter().find(came);
        found.map(|attempt| attempt.name.clone())
    }

    fn push_result(&mut self, pursuit: PursuitId, attempt: u32, result: AttemptResult) {
        self.push_pursuit(PursuitEvent::Resulted {
            pursuit,
            attempt,
            result,
            at: self.now,
        });
    }

    /// What is still waited for is not needed any more: no deputy's phone goes on
    /// ringing once somebody has come.
    fn end_attempts(&mut self, one: &Pursuit) {
        for (number, attempt) in (1..).zip(&one.attempts) {
            if attempt.result.is_none() {
                self.push_result(one.id, number, AttemptResult::Stopped);
            }
            // Whatever became of the message, its ring may go on.
            let ring = attempt.invitation.filter(|_| attempt.own_ring);
            let ring = ring.and_then(|ring| self.county.invitation(ring)).cloned();
            let Some(ring) = ring.filter(|ring| ring.callee != one.callee) else {
                continue; // the callee's own devices may well ring on
            };
            if ring.state.is_pending() && !self.county.pursuits.awaits(ring.id, one.id) {
                self.miss(&ring, InvitationInput::Closed, None);
            }
        }
    }

    /// Takes messages that nobody answered in time for unanswered.
    pub(crate) fn tick_pursuits(&mut self) {
        let now = self.now;
        let calling = self.county.pursuits.all();
        let calling = calling.filter(|one| one.state == PursuitState::Calling);
        let calling: Vec<Pursuit> = calling.cloned().collect();
        for one in calling {
            for (number, attempt) in (1..).zip(&one.attempts) {
                if attempt.gives_up_at().is_some_and(|at| at <= now) {
                    self.push_result(one.id, number, AttemptResult::NoAnswer);
                }
            }
        }
    }

    pub(super) fn tell_incident(&mut self, one: &Pursuit, what: What) {
        let incident = self.county.conference(one.conference);
        if let Some(incident) = incident.and_then(|conference| conference.incident) {
            self.push_incident(incident, None, what);
        }
    }

    pub(super) fn push_pursuit(&mut self, event: PursuitEvent) {
        self.push(Event::Pursuit { event });
    }
}

/// Somebody took the callee's last ring back.
fn is_taken_back(running: &Conference, one: &Pursuit) -> bool {
    running
        .last_invitation(&one.callee)
        .is_some_and(|last| last.state == InvitationState::Cancelled)
}

/// What the server's views read.
impl County {
    #[must_use]
    pub fn pursuits(&self) -> &PursuitBook {
        &self.pursuits
    }

    /// Whoever sees the conference, and those above who were told.
    #[must_use]
    pub fn sees_pursuit(&self, viewer: &AccountId, one: &Pursuit) -> bool {
        let stands_at = |site: &SiteCode| {
            let account = self.directory.account(viewer);
            account.is_some_and(|account| account.site == *site && account.role != Role::Field)
        };
        one.told.as_ref().is_some_and(stands_at)
            || self
                .conference(one.conference)
                .is_some_and(|conference| self.sees_conference(viewer, conference))
    }
}
