//! What the chair does, and who holds the chair.

use super::conduct::ParticipantRole;
use crate::authority::{Post, Reach, may_command, role_may};
use crate::conference::{Conference, EndReason};
use crate::county::County;
use crate::directory::Account;
use crate::draft::Draft;
use crate::event::Event;
use crate::ids::{AccountId, ConferenceId, ParticipantId};
use crate::invitation::InvitationInput;
use crate::limits::MAX_REASON_CHARS;
use crate::order::OrderKind;
use crate::participant::{LeaveReason, Participant};
use crate::refusal::Refusal;
use crate::text::clean;

impl Draft {
    pub(crate) fn remove(
        &mut self,
        by: &Account,
        conference: ConferenceId,
        participant: ParticipantId,
        reason: &str,
    ) -> Result<(), Refusal> {
        let reason = clean(reason, MAX_REASON_CHARS)?;
        if reason.is_empty() {
            return Err(Refusal::Malformed("a removal needs a reason"));
        }
        let running = self.running(conference)?;
        Draft::own_stay(&running, by)?;
        let one = Draft::there(&running, participant)?;
        may_command(&running, by, Reach::One(one), &self.county.directory)?;
        self.depart(one, LeaveReason::Removed, Some(&by.id), Some(reason));
        Ok(())
    }

    pub(crate) fn end_by_order(
        &mut self,
        by: &Account,
        conference: ConferenceId,
    ) -> Result<(), Refusal> {
        let running = self.running(conference)?;
        may_command(&running, by, Reach::Chair, &self.county.directory)?;
        self.end(&running, EndReason::Ordered, Some(&by.id));
        Ok(())
    }

    pub(crate) fn mute(
        &mut self,
        by: &Account,
        conference: ConferenceId,
        participant: ParticipantId,
        muted: bool,
    ) -> Result<(), Refusal> {
        let running = self.running(conference)?;
        Draft::own_stay(&running, by)?;
        let one = Draft::present(&running, participant)?;
        may_command(&running, by, Reach::One(one), &self.county.directory)?;
        self.gate(one, muted, Some(&by.id));
        Ok(())
    }

    /// The chair stays audible; lifting lifts every mute, single ones too. Whoever is held
    /// comes back as all others are.
    pub(crate) fn mute_all(
        &mut self,
        by: &Account,
        conference: ConferenceId,
        muted: bool,
    ) -> Result<(), Refusal> {
        let running = self.running(conference)?;
        may_command(&running, by, Reach::All, &self.county.directory)?;
        if running.all_muted != muted {
            self.push(Event::AllMuteChanged {
                conference,
                muted,
                by: by.id.clone(),
            });
        }
        for one in running.there() {
            if !muted || Some(one.id) != running.chair {
                self.gate(one, muted, Some(&by.id));
            }
        }
        Ok(())
    }

    pub(crate) fn hand_over(
        &mut self,
        by: &Account,
        conference: ConferenceId,
        participant: ParticipantId,
    ) -> Result<(), Refusal> {
        let running = self.running(conference)?;
        may_command(&running, by, Reach::Chair, &self.county.directory)?;
        let one = Draft::present(&running, participant)?;
        if !self.county.can_chair(one) {
            return Err(Refusal::CannotChair);
        }
        if running.chair != Some(participant) {
            self.seat(&running, Some(one), Some(&by.id));
        }
        Ok(())
    }

    /// The chair changes. Whoever takes it while all are muted can be heard.
    pub(crate) fn seat(
        &mut self,
        conference: &Conference,
        chair: Option<&Participant>,
        by: Option<&AccountId>,
    ) {
        self.push(Event::ChairChanged {
            conference: conference.id,
            chair: chair.map(|one| one.id),
            by: by.cloned(),
        });
        if let Some(one) = chair
            && conference.all_muted
        {
            self.gate(one, false, None);
        }
    }

    /// Everybody leaves, and nothing rings any more.
    pub(crate) fn end(
        &mut self,
        conference: &Conference,
        reason: EndReason,
        by: Option<&AccountId>,
    ) {
        for one in conference.there() {
            self.depart(one, LeaveReason::ConferenceEnded, by, None);
        }
        for one in conference.pending() {
            self.miss(one, InvitationInput::Closed, by);
        }
        self.push(Event::ConferenceEnded {
            conference: conference.id,
            reason,
            by: by.cloned(),
            at: self.now,
        });
    }

    pub(crate) fn gate(&mut self, one: &Participant, muted: bool, by: Option<&AccountId>) {
        if one.muted != muted {
            self.push(Event::ParticipantMuted {
                conference: one.conference,
                participant: one.id,
                muted,
                by: by.cloned(),
            });
        }
    }
}

impl County {
    /// The chair is for somebody who takes part, in a role that commands.
    pub(crate) fn can_chair(&self, one: &Participant) -> bool {
        one.role != ParticipantRole::Observer && self.has_rank(one)
    }

    /// Of a role that commands.
    pub(crate) fn has_rank(&self, one: &Participant) -> bool {
        self.directory
            .account(&one.account)
            .is_some_and(|account| role_may(account.role, OrderKind::MuteAll))
    }

    /// To whom the chair passes by itself: co-chairs first, then the highest tier, field
    /// units after all sites, and whoever came first.
    pub(crate) fn next_chair<'a>(&self, conference: &'a Conference) -> Option<&'a Participant> {
        conference
            .present()
            .filter(|one| self.can_chair(one))
            .min_by_key(|one| {
                let field = self
                    .directory
                    .account(&one.account)
                    .is_some_and(|account| Post::of_account(account).field);
                let tier = self.directory.site(&one.site).map(|site| site.tier);
                let led = one.role == ParticipantRole::CoChair;
                // None sorts first, but an account always has a site.
                (!led, field, tier, one.joined_at, one.id)
            })
    }
}
