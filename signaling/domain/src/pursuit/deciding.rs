//! When a pursuit begins, and what is tried next.

use std::time::Duration;

use super::event::{PursuitCause, PursuitEvent};
use super::order::PursuitOrder;
use super::record::{Attempt, Pursuit, PursuitBook};
use super::state::{AttemptResult, Channel, PursuitState};
use crate::conference::Conference;
use crate::county::County;
use crate::directory::{Account, Role};
use crate::draft::Draft;
use crate::duty::Contact;
use crate::event::Event;
use crate::ids::{AccountId, ConferenceId, InvitationId, PursuitId, SiteCode};
use crate::incident::event::What;
use crate::invitation::{Callee, InvitationInput, InvitationState, MissReason};
use crate::participant::ParticipantState;
use crate::plan::OnMiss;
use crate::refusal::Refusal;

/// How long a message by another channel is waited for.
const CHANNEL_WAIT: Duration = Duration::from_secs(60);

/// Somebody to be tried, by one channel.
struct Try {
    name: String,
    channel: Channel,
    account: Option<AccountId>,
    phone: Option<String>,
    invitation: Option<InvitationId>,
    /// The ring is for this attempt alone.
    own_ring: bool,
}

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
            self.tell_incident(
                &one,
                What::Reached {
                    callee: one.callee.clone(),
                    name,
                },
            );
            return;
        }
        if one.state != PursuitState::Calling {
            return;
        }
        let running = self.running(one.conference).ok();
        if running
            .as_ref()
            .is_some_and(|running| self.county.is_present(running, &one.callee))
        {
            return; // has answered, its media are being connected
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
            let open = matches!(attempt.result, None | Some(AttemptResult::Delivered));
            let ring = attempt.invitation.filter(|_| open);
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

    fn try_next(&mut self, one: &Pursuit, running: &Conference) {
        let Some(by) = self.county.directory.account(&one.by).cloned() else {
            return; // accounts stay in the directory
        };
        if self.repeat(one, running, &by) {
            return;
        }
        if one.policy.contacts
            && (self.try_contact(one, running, &by) || self.try_channels(one, running, &by))
        {
            return;
        }
        let above = match &one.callee {
            Callee::Site { code } => self
                .county
                .directory
                .site(code)
                .and_then(|site| site.parent.clone()),
            Callee::Person { account } => {
                let account = self.county.directory.account(account);
                account.map(|account| account.site.clone())
            }
        };
        let (pursuit, at) = (one.id, self.now);
        match above.filter(|_| one.policy.above) {
            Some(site) => {
                self.push_pursuit(PursuitEvent::ToldAbove {
                    pursuit,
                    site: site.clone(),
                    at,
                });
                let told = Some(site);
                self.tell_incident(
                    one,
                    What::Unreached {
                        callee: one.callee.clone(),
                        told,
                    },
                );
            }
            None => {
                self.push_pursuit(PursuitEvent::Exhausted { pursuit, at });
                let callee = one.callee.clone();
                self.tell_incident(one, What::Unreached { callee, told: None });
            }
        }
    }

    /// Rings the callee's own devices again, if they are there.
    fn repeat(&mut self, one: &Pursuit, running: &Conference, by: &Account) -> bool {
        let again = one
            .attempts
            .iter()
            .filter(|attempt| attempt.channel == Channel::Devices && attempt.account.is_none());
        let ordered = self.county.is_below(by, &one.callee);
        let rung_out = u32::try_from(again.count()).unwrap_or(u32::MAX) >= one.policy.repeat;
        if rung_out
            || self.county.is_there(running, &one.callee)
            || self
                .county
                .within_reach(running, &one.callee, ordered)
                .is_empty()
        {
            return false;
        }
        let Some(invitation) = self.ring_one(running, by, &one.callee, self.county.timing.queued)
        else {
            return false;
        };
        let name = self.county.callee_name(&one.callee).to_owned();
        self.push_try(
            one.id,
            Try {
                name,
                channel: Channel::Devices,
                account: None,
                phone: None,
                invitation: Some(invitation),
                own_ring: true,
            },
            self.county.timing.ring,
        );
        true
    }

    /// The next contact whose devices are there and have not been rung yet.
    fn try_contact(&mut self, one: &Pursuit, running: &Conference, by: &Account) -> bool {
        for contact in self.county.contacts_of(&one.callee) {
            let Some(account) = contact.account.clone() else {
                continue;
            };
            let callee = Callee::Person {
                account: account.clone(),
            };
            let rung = one.callee == callee
                || self.county.answering(&one.callee).contains(&&account)
                || was_tried(one, &account, Channel::Devices);
            let ordered = self.county.is_below(by, &callee);
            if rung
                || self.county.is_there(running, &callee)
                || self
                    .county
                    .within_reach(running, &callee, ordered)
                    .is_empty()
            {
                continue;
            }
            let queued = self.county.timing.queued;
            let Some(invitation) = self.ring_one(running, by, &callee, queued) else {
                return false;
            };
            let ring = self.county.timing.ring;
            let tried = Try {
                name: contact.name,
                channel: Channel::Devices,
                account: Some(account),
                phone: None,
                invitation: Some(invitation),
                own_ring: true,
            };
            self.push_try(one.id, tried, ring);
            return true;
        }
        false
    }

    /// Every other channel to everybody who can be tried, at once.
    fn try_channels(&mut self, one: &Pursuit, running: &Conference, by: &Account) -> bool {
        let mut tries = Vec::new();
        for account in self.county.answering(&one.callee) {
            tries.push(self.by_push(account, None));
        }
        for contact in self.county.contacts_of(&one.callee) {
            let Contact {
                name,
                account,
                phone,
            } = contact;
            tries.extend(account.iter().map(|id| self.by_push(id, Some(&name))));
            tries.extend(phone.map(|phone| Try {
                name,
                channel: Channel::Gateway,
                account: None,
                phone: Some(phone),
                invitation: None,
                own_ring: false,
            }));
        }
        let mut tried = false;
        for mut one_try in tries {
            // Each once, by what has been tried up to now.
            let known = self.county.pursuits.pursuit(one.id);
            let twice = known.is_some_and(|known| {
                known.attempts.iter().any(|before| {
                    before.channel == one_try.channel
                        && before.account == one_try.account
                        && before.phone == one_try.phone
                })
            });
            if twice {
                continue;
            }
            if let Some(account) = one_try.account.clone()
                && let Some((ring, own)) = self.ring_for_message(one, running, by, account)
            {
                one_try.invitation = Some(ring);
                one_try.own_ring = own;
            }
            self.push_try(one.id, one_try, CHANNEL_WAIT);
            tried = true;
        }
        tried
    }

    fn by_push(&self, account: &AccountId, name: Option<&str>) -> Try {
        let known = self.county.directory.account(account);
        let name = name.map(ToOwned::to_owned);
        Try {
            name: name
                .or_else(|| known.map(|one| one.name.clone()))
                .unwrap_or_default(),
            channel: Channel::WebPush,
            account: Some(account.clone()),
            phone: None,
            invitation: None,
            own_ring: false,
        }
    }

    /// Whoever opens the message must find something that rings.
    fn ring_for_message(
        &mut self,
        one: &Pursuit,
        running: &Conference,
        by: &Account,
        account: AccountId,
    ) -> Option<(InvitationId, bool)> {
        let own = self.county.answering(&one.callee).contains(&&account);
        let callee = if own {
            one.callee.clone()
        } else {
            Callee::Person { account }
        };
        let running = self.running(running.id).ok()?;
        if self.county.is_there(&running, &callee) {
            let pending = running.pending().find(|ring| ring.callee == callee);
            return pending.map(|ring| (ring.id, false));
        }
        let ring = self.ring_one(&running, by, &callee, CHANNEL_WAIT);
        ring.map(|ring| (ring, true))
    }

    /// `None`: the conference is full, or locked.
    fn ring_one(
        &mut self,
        running: &Conference,
        by: &Account,
        callee: &Callee,
        wait: Duration,
    ) -> Option<InvitationId> {
        let ordered = self.county.is_below(by, callee);
        if running.locked && !ordered {
            return None; // only those come in who are ordered
        }
        self.ring_into_for(by, running, vec![(callee.clone(), ordered)], None, wait)
            .ok()?;
        Some(self.county.last.invitation)
    }

    fn push_try(&mut self, pursuit: PursuitId, tried: Try, wait: Duration) {
        let known = self.county.pursuits.pursuit(pursuit);
        let before = known.map_or(0, |known| known.attempts.len());
        self.push_pursuit(PursuitEvent::Tried {
            pursuit,
            attempt: u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1),
            name: tried.name,
            channel: tried.channel,
            account: tried.account,
            phone: tried.phone,
            invitation: tried.invitation,
            own_ring: tried.own_ring,
            at: self.now,
            deadline: self.now.after(wait),
        });
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
            if attempt.result.is_some() {
                continue;
            }
            self.push_result(one.id, number, AttemptResult::Stopped);
            let ring = attempt.invitation.filter(|_| attempt.own_ring);
            let ring = ring.and_then(|ring| self.county.invitation(ring)).cloned();
            let Some(ring) = ring.filter(|ring| ring.callee != one.callee) else {
                continue; // the callee's own devices may well ring on
            };
            if ring.state.is_pending() && !self.county.pursuits.awaits(ring.id) {
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
                let waits = match attempt.result {
                    // A ring has its own deadline.
                    None => attempt.invitation.is_none(),
                    Some(result) => result == AttemptResult::Delivered,
                };
                if waits && attempt.deadline <= now {
                    self.push_result(one.id, number, AttemptResult::NoAnswer);
                }
            }
        }
    }

    fn tell_incident(&mut self, one: &Pursuit, what: What) {
        let incident = self.county.conference(one.conference);
        if let Some(incident) = incident.and_then(|conference| conference.incident) {
            self.push_incident(incident, None, what);
        }
    }

    fn push_pursuit(&mut self, event: PursuitEvent) {
        self.push(Event::Pursuit { event });
    }
}

fn was_tried(one: &Pursuit, account: &AccountId, channel: Channel) -> bool {
    one.attempts
        .iter()
        .any(|attempt| attempt.channel == channel && attempt.account.as_ref() == Some(account))
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
