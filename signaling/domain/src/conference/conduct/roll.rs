//! The roll call (点名): every member is called, in order or all at once; the sheet says
//! who was there, who came late, who is absent, and what was really received of him.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::event::Conducted;
use crate::authority::{Reach, may_command};
use crate::conference::Conference;
use crate::county::County;
use crate::directory::Account;
use crate::draft::Draft;
use crate::ids::{AccountId, ParticipantId};
use crate::invitation::{Callee, InvitationState};
use crate::limits::{MAX_ROLL_ANSWER_S, MIN_ROLL_ANSWER_S};
use crate::participant::{LeaveReason, ParticipantState};
use crate::refusal::Refusal;
use crate::time::Timestamp;

/// So long picture and sound of somebody who is there are waited for.
pub const LOOKED_AT_FOR: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum RollOrder {
    /// One after the other, large on every wall.
    InOrder,
    /// All at once.
    Parallel,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum RollState {
    /// Not called yet.
    Waiting,
    /// Called and not there.
    Called,
    Present,
    /// Came after it was called.
    Late,
    /// Called away into a higher conference.
    Away,
    Absent,
}

impl RollState {
    #[must_use]
    pub fn is_settled(self) -> bool {
        match self {
            RollState::Waiting | RollState::Called => false,
            RollState::Present | RollState::Late | RollState::Away | RollState::Absent => true,
        }
    }
}

/// One line of the sheet.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RollEntry {
    pub callee: Callee,
    pub state: RollState,
    pub called_at: Option<Timestamp>,
    /// When it was found there.
    pub answered_at: Option<Timestamp>,
    pub participant: Option<ParticipantId>,
    /// The media server received its sound and picture, whether others got it or not.
    pub sound: bool,
    pub picture: bool,
}

/// A roll call and its sheet; the last one stays known.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Roll {
    pub order: RollOrder,
    pub by: AccountId,
    /// So long a member has to come once it is called.
    pub answer_s: u32,
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub entries: Vec<RollEntry>,
}

impl RollEntry {
    fn of(callee: Callee) -> Self {
        Self {
            callee,
            state: RollState::Waiting,
            called_at: None,
            answered_at: None,
            participant: None,
            sound: false,
            picture: false,
        }
    }

    /// How much too late it came, ms.
    #[must_use]
    pub fn late_ms(&self) -> Option<u64> {
        let (called, answered) = self.called_at.zip(self.answered_at)?;
        (self.state == RollState::Late).then(|| answered.0.saturating_sub(called.0))
    }

    /// When it need not be looked at any longer; `None`: that is so already, or it was not
    /// called yet.
    fn due(&self, answer_s: u32) -> Option<Timestamp> {
        match self.state {
            RollState::Waiting | RollState::Away | RollState::Absent => None,
            RollState::Called => self
                .called_at
                .map(|at| at.after(Duration::from_secs(answer_s.into()))),
            RollState::Present | RollState::Late if self.sound && self.picture => None,
            RollState::Present | RollState::Late => {
                self.answered_at.map(|at| at.after(LOOKED_AT_FOR))
            }
        }
    }

    fn is_done(&self, now: Timestamp, answer_s: u32) -> bool {
        self.state.is_settled() && self.due(answer_s).is_none_or(|due| due <= now)
    }
}

impl Roll {
    #[must_use]
    pub fn goes_on(&self) -> bool {
        self.ended_at.is_none()
    }

    /// Whoever is called in order is large on every wall.
    pub(crate) fn shows(&self) -> Option<ParticipantId> {
        match self.order {
            RollOrder::InOrder if self.goes_on() => {
                let called = self.entries.iter().rev();
                called
                    .filter(|one| one.state != RollState::Waiting)
                    .find_map(|one| one.participant)
            }
            RollOrder::InOrder | RollOrder::Parallel => None,
        }
    }

    pub(crate) fn due(&self) -> Option<Timestamp> {
        if !self.goes_on() {
            return None;
        }
        let called = self
            .entries
            .iter()
            .filter(|one| one.state == RollState::Called);
        let answers = called.filter_map(|one| one.due(self.answer_s)).min();
        match self.order {
            RollOrder::Parallel => answers.or_else(|| {
                // It ends with the last that is looked at.
                let looks = self.entries.iter().filter_map(|one| one.due(self.answer_s));
                looks.max()
            }),
            RollOrder::InOrder => {
                let current = self.entries.iter().rev();
                let mut current = current.filter(|one| one.state != RollState::Waiting);
                answers.or_else(|| current.next().and_then(|one| one.due(self.answer_s)))
            }
        }
    }
}

impl Draft {
    pub(crate) fn start_roll(
        &mut self,
        by: &Account,
        running: &Conference,
        order: RollOrder,
        answer_s: u32,
    ) -> Result<(), Refusal> {
        may_command(running, by, Reach::All, &self.county.directory)?;
        if !(MIN_ROLL_ANSWER_S..=MAX_ROLL_ANSWER_S).contains(&answer_s) {
            return Err(Refusal::Malformed("5 to 300 seconds to answer"));
        }
        if running.roll.as_ref().is_some_and(Roll::goes_on) {
            return Err(Refusal::GoesOn);
        }
        let entries: Vec<RollEntry> = self
            .county
            .members(running, by)
            .into_iter()
            .map(RollEntry::of)
            .collect();
        if entries.is_empty() {
            return Err(Refusal::NobodyToRing);
        }
        let roll = Roll {
            order,
            by: by.id.clone(),
            answer_s,
            started_at: self.now,
            ended_at: None,
            entries,
        };
        self.push_conduct(running.id, Some(&by.id), Conducted::RollStarted { roll });
        Ok(())
    }

    pub(crate) fn stop_roll(&mut self, by: &Account, running: &Conference) -> Result<(), Refusal> {
        may_command(running, by, Reach::All, &self.county.directory)?;
        if !running.roll.as_ref().is_some_and(Roll::goes_on) {
            return Err(Refusal::NothingGoesOn);
        }
        self.push_conduct(running.id, Some(&by.id), Conducted::RollEnded);
        Ok(())
    }

    /// What the media server receives of somebody, for the sheet.
    pub(crate) fn received(
        &mut self,
        running: &Conference,
        participant: ParticipantId,
        sound: bool,
        picture: bool,
    ) -> Result<(), Refusal> {
        let Some(roll) = running.roll.as_ref().filter(|roll| roll.goes_on()) else {
            return Err(Refusal::NothingGoesOn);
        };
        let mut known = roll.entries.iter().enumerate();
        let Some((index, entry)) = known.find(|(_, entry)| entry.participant == Some(participant))
        else {
            return Err(Refusal::UnknownParticipant(participant));
        };
        let entry = RollEntry {
            sound: entry.sound || sound,
            picture: entry.picture || picture,
            ..entry.clone()
        };
        self.change_entry(running, index, entry);
        Ok(())
    }

    fn change_entry(&mut self, running: &Conference, index: usize, entry: RollEntry) {
        let known = running
            .roll
            .as_ref()
            .and_then(|roll| roll.entries.get(index));
        if known != Some(&entry) {
            // A conference has no more than a few hundred members.
            let index = u32::try_from(index).unwrap_or(u32::MAX);
            self.push_conduct(running.id, None, Conducted::RollEntry { index, entry });
        }
    }

    /// One step of the roll call, if one follows.
    pub(crate) fn settle_roll(&mut self, running: &Conference) {
        let Some(roll) = running.roll.as_ref().filter(|roll| roll.goes_on()) else {
            return;
        };
        let now = self.now;
        let mut before_done = true;
        for (index, entry) in roll.entries.iter().enumerate() {
            let called = match (entry.state, roll.order) {
                (RollState::Waiting, RollOrder::InOrder) => before_done,
                (RollState::Waiting, RollOrder::Parallel) | (RollState::Called, _) => true,
                (RollState::Present | RollState::Late | RollState::Away | RollState::Absent, _) => {
                    false
                }
            };
            if called {
                let next = self.answer(running, roll, entry);
                if entry.state == RollState::Waiting && next.state == RollState::Called {
                    self.ring_for_roll(running, roll, &entry.callee);
                }
                self.change_entry(running, index, next);
            }
            before_done &= entry.is_done(now, roll.answer_s);
        }
        if roll
            .entries
            .iter()
            .all(|one| one.is_done(now, roll.answer_s))
        {
            self.push_conduct(running.id, None, Conducted::RollEnded);
        }
    }

    /// Where the member is at this moment.
    fn answer(&self, running: &Conference, roll: &Roll, entry: &RollEntry) -> RollEntry {
        let answering = self.county.answering(&entry.callee);
        let place = running
            .there()
            .filter(|one| answering.contains(&&one.account))
            .max_by_key(|one| one.state == ParticipantState::In);
        let called_at = entry.called_at.or(Some(self.now));
        let late = entry.called_at.is_some_and(|at| at < self.now);
        let over = entry.due(roll.answer_s).is_some_and(|due| due <= self.now);
        let (state, participant) = match place.map(|one| (one.state, one.id)) {
            Some((ParticipantState::In, id)) if late => (RollState::Late, Some(id)),
            Some((ParticipantState::In, id)) => (RollState::Present, Some(id)),
            Some((ParticipantState::Held, _)) => (RollState::Away, None),
            Some((ParticipantState::Joining | ParticipantState::Left, _)) | None if over => {
                (RollState::Absent, None)
            }
            Some((ParticipantState::Joining | ParticipantState::Left, _)) | None => {
                (RollState::Called, None)
            }
        };
        RollEntry {
            state,
            called_at,
            answered_at: participant.map(|_| self.now),
            participant,
            ..entry.clone()
        }
    }

    /// Whoever is not there is rung. Where that cannot be, the sheet says absent in time.
    fn ring_for_roll(&mut self, running: &Conference, roll: &Roll, callee: &Callee) {
        let rings = running.pending().any(|one| one.callee == *callee);
        let coming = self.county.is_present(running, callee);
        let Some(by) = self.county.directory.account(&roll.by).cloned() else {
            return;
        };
        let ordered = self.county.is_below(&by, callee);
        if rings || coming || (running.locked && !ordered) {
            return;
        }
        // Full, or nobody answers for it: no matter.
        drop(self.ring_into(&by, running, vec![(callee.clone(), ordered)], None));
    }
}

impl County {
    /// Everybody who belongs to the conference, but for whoever calls the roll: those who were
    /// called and neither taken back nor removed, and those who came in another way.
    fn members(&self, running: &Conference, by: &Account) -> Vec<Callee> {
        let mut members: Vec<Callee> = Vec::new();
        for invitation in running.invitations() {
            let taken_back = invitation.state == InvitationState::Cancelled
                || self.was_removed(running, &invitation.callee);
            if !taken_back && !members.contains(&invitation.callee) {
                members.push(invitation.callee.clone());
            }
        }
        for one in running.parties() {
            let known = members
                .iter()
                .any(|callee| self.answering(callee).contains(&&one.account));
            if !known {
                let account = one.account.clone();
                members.push(Callee::Person { account });
            }
        }
        members.retain(|callee| !self.answering(callee).contains(&&by.id));
        members.sort();
        members
    }

    /// Whoever was there last for the callee was taken out: on purpose.
    fn was_removed(&self, running: &Conference, callee: &Callee) -> bool {
        let answering = self.answering(callee);
        running
            .participants()
            .filter(|one| answering.contains(&&one.account))
            .last()
            .is_some_and(|one| one.left == Some(LeaveReason::Removed))
    }
}
