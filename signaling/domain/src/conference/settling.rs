//! What follows from an order: rings that start or end, the chair that
//! passes, conferences that go live or end, deadlines, presence.

use std::sync::Arc;

use super::conduct::priority::Pull;
use crate::conference::{Conference, ConferenceInput, EndReason};
use crate::directory::{Account, Presence, Site};
use crate::draft::Draft;
use crate::event::Event;
use crate::ids::{AccountId, ConferenceId, SiteCode};
use crate::invitation::{Invitation, InvitationInput, InvitationState};
use crate::participant::{LeaveReason, Participant, ParticipantInput, ParticipantState};
use crate::refusal::Refusal;
use crate::registration;

impl Draft {
    /// Until nothing follows any more. Every step moves a state machine
    /// forward or writes down what is so, so this comes to an end.
    pub(crate) fn settle(&mut self) {
        let mut seen = 0;
        loop {
            let before = self.count();
            self.settle_holds();
            for conference in self.all_running() {
                self.settle_rings(&conference);
                self.settle_lobby(&conference);
                self.settle_direction(conference.id);
                self.settle_end(conference.id);
                self.settle_chair(conference.id);
                self.settle_live(conference.id);
            }
            self.settle_pursuits(&mut seen);
            self.settle_plans();
            if self.count() == before {
                return;
            }
        }
    }

    /// Speakers who left, turns of the carousel, steps of the roll call.
    fn settle_direction(&mut self, id: ConferenceId) {
        if let Ok(conference) = self.running(id) {
            self.settle_address(&conference);
            self.settle_carousel(&conference);
            self.settle_roll(&conference);
        }
    }

    fn settle_rings(&mut self, conference: &Conference) {
        for one in conference.pending() {
            let input = if self.county.is_present(conference, &one.callee) {
                InvitationInput::Closed
            } else if !self.county.reachable(conference, one).is_empty() {
                InvitationInput::DeviceThere
            } else if self.is_elsewhere(conference, one) {
                InvitationInput::FoundBusy
            } else {
                InvitationInput::DevicesGone
            };
            match one.after(input) {
                Ok(InvitationState::Ringing) => self.ring(one),
                Ok(InvitationState::Queued) => self.push(Event::InvitationQueued {
                    conference: one.conference,
                    invitation: one.id,
                    at: self.now,
                }),
                Ok(_) => self.miss(one, input, None),
                Err(_) => {} // as it is
            }
        }
    }

    /// The first ring sets the deadline; a ring that comes back keeps it.
    fn ring(&mut self, one: &Invitation) {
        let deadline = if one.rang {
            one.deadline
        } else {
            self.now.after(self.county.timing.ring)
        };
        self.push(Event::InvitationRinging {
            conference: one.conference,
            invitation: one.id,
            at: self.now,
            deadline,
        });
    }

    /// Somebody who could answer is in another conference, and this call does not take
    /// him out of it.
    fn is_elsewhere(&self, conference: &Conference, one: &Invitation) -> bool {
        self.county
            .answering(&one.callee)
            .into_iter()
            .any(|account| self.county.pull(account, conference, one.ordered) == Some(Pull::Busy))
    }

    /// A conference needs two, or somebody who is waited for; whoever listens in does not
    /// count. Alone, only its host stays, for a while, to call again.
    fn settle_end(&mut self, id: ConferenceId) {
        let Ok(conference) = self.running(id) else {
            return;
        };
        let awaited = conference.pending().next().is_some()
            || conference.there().any(|one| !one.is_present());
        let mut parties = conference.parties();
        match (parties.next(), parties.next()) {
            (None, _) if conference.there().all(Participant::is_present) => {
                self.end(&conference, EndReason::NobodyLeft, None);
            }
            (Some(one), None) if !awaited => {
                if one.account != conference.host {
                    self.end(&conference, EndReason::NobodyLeft, None);
                } else if conference.alone_until.is_none() {
                    let until = Some(self.now.after(self.county.timing.alone));
                    self.push(Event::ConferenceAlone {
                        conference: id,
                        until,
                    });
                }
            }
            // All are held and come back, or there are two.
            (None | Some(_), _) => {
                if conference.alone_until.is_some() {
                    self.push(Event::ConferenceAlone {
                        conference: id,
                        until: None,
                    });
                }
            }
        }
    }

    fn settle_chair(&mut self, id: ConferenceId) {
        let Ok(conference) = self.running(id) else {
            return;
        };
        let held = conference
            .chair
            .and_then(|chair| conference.participant(chair))
            .is_some_and(|chair| chair.is_present() && self.county.can_chair(chair));
        if held {
            return;
        }
        let next = self.county.next_chair(&conference).cloned();
        if next.as_ref().map(|one| one.id) != conference.chair {
            self.seat(&conference, next.as_ref(), None);
        }
    }

    fn settle_live(&mut self, id: ConferenceId) {
        let Ok(conference) = self.running(id) else {
            return;
        };
        let somebody_in = conference
            .parties()
            .any(|one| one.state == ParticipantState::In && one.account != conference.called_by);
        if somebody_in && conference.state.after(ConferenceInput::SomebodyIn).is_ok() {
            self.push(Event::ConferenceLive {
                conference: id,
                at: self.now,
            });
        }
    }

    /// Does what is due. May come early: the deadlines decide.
    pub(crate) fn tick(&mut self) {
        let now = self.now;
        for conference in self.all_running() {
            for one in conference.pending().filter(|one| one.deadline <= now) {
                self.miss(one, InvitationInput::Deadline, None);
            }
            for one in conference.present().filter(|one| one.deadline <= now) {
                if one.after(ParticipantInput::Deadline).is_ok() {
                    self.depart(one, LeaveReason::MediaFailed, None, None);
                }
            }
            if conference.alone_until.is_some_and(|until| until <= now)
                && let Ok(conference) = self.running(conference.id)
            {
                self.end(&conference, EndReason::NobodyCame, None);
            }
        }
        self.tick_duty();
        self.tick_plans();
        self.tick_pursuits();
    }

    /// No device is there; whoever was in a conference has to come back.
    pub(crate) fn restart(&mut self) {
        self.push(Event::Restarted { at: self.now });
        let reachable: Vec<AccountId> = self.county.presence.reachable().cloned().collect();
        for account in &reachable {
            self.change_presence(account, Presence::Offline);
        }
        for conference in self.all_running() {
            for one in conference.present() {
                if one.after(ParticipantInput::Restarted).is_ok() {
                    self.reconnect(one);
                }
            }
        }
    }

    pub(crate) fn set_directory(
        &mut self,
        sites: &[Site],
        accounts: &[Account],
    ) -> Result<(), Refusal> {
        let changes = registration::changes(&self.county.directory, sites, accounts)
            .map_err(Refusal::Directory)?;
        for event in changes {
            self.push(event);
        }
        let directory = Arc::clone(&self.county.directory);
        for gone in directory.accounts().filter(|account| !account.active) {
            self.change_presence(&gone.id, Presence::Offline);
            for conference in self.all_running() {
                if let Some(stay) = conference.place_of(&gone.id) {
                    self.depart(stay, LeaveReason::Deactivated, None, None);
                }
            }
        }
        // An account may have moved from one site to another.
        for site in directory.sites() {
            self.settle_site_presence(&site.code);
        }
        Ok(())
    }

    pub(crate) fn set_devices(
        &mut self,
        account: &AccountId,
        online: u32,
        degraded: u32,
    ) -> Result<(), Refusal> {
        let known = self.county.directory.account(account);
        if !known.is_some_and(|one| one.active) {
            return Err(Refusal::NoAccount(account.clone()));
        }
        self.change_presence(account, Presence::of_devices(online, degraded));
        Ok(())
    }

    fn change_presence(&mut self, account: &AccountId, presence: Presence) {
        if self.county.presence.of_account(account) == presence {
            return;
        }
        self.push(Event::AccountPresenceChanged {
            account: account.clone(),
            presence,
            at: self.now,
        });
        let site = self.county.directory.account(account).map(|one| &one.site);
        if let Some(site) = site.cloned() {
            self.settle_site_presence(&site);
        }
    }

    fn settle_site_presence(&mut self, site: &SiteCode) {
        let presence = self.county.presence.derived(site, &self.county.directory);
        if self.county.presence.of_site(site) != presence {
            self.push(Event::SitePresenceChanged {
                site: site.clone(),
                presence,
                at: self.now,
            });
        }
    }
}
