//! An emergency takes a party out of a lower conference, and it is given back.

use super::event::Conducted;
use super::priority::{Priority, Pull};
use crate::conference::Conference;
use crate::county::County;
use crate::directory::Account;
use crate::draft::Draft;
use crate::event::Event;
use crate::ids::{AccountId, ConferenceId};
use crate::invitation::InvitationState;
use crate::participant::{Participant, ParticipantInput, ParticipantState};

impl Draft {
    /// The party goes into the conference: what it is in now keeps its place if the
    /// conference is an emergency's, else it leaves that.
    pub(crate) fn go_into(&mut self, by: &Account, conference: &Conference, ordered: bool) {
        let Some(stay) = self.county.stay_of(&by.id).cloned() else {
            return;
        };
        let pull = self.county.pull(&by.id, conference, ordered);
        match pull {
            Some(Pull::Hold) => self.hold(&stay, conference.id),
            // Whoever accepts goes, whatever he was in.
            Some(Pull::Leave | Pull::Busy) | None => self.leave_for_another(by),
        }
    }

    fn hold(&mut self, one: &Participant, by_conference: ConferenceId) {
        if one.after(ParticipantInput::Hold).is_err() {
            return;
        }
        // It has answered that call, whether its media came or not.
        let accepted = self
            .county
            .conference(one.conference)
            .and_then(|conference| {
                conference.invitations().find(|invitation| {
                    invitation.participant == Some(one.id)
                        && invitation.state == InvitationState::Accepted
                })
            });
        if let Some(invitation) = accepted.map(|invitation| invitation.id) {
            self.push(Event::InvitationJoined {
                conference: one.conference,
                invitation,
                at: self.now,
            });
        }
        self.push_conduct(
            one.conference,
            None,
            Conducted::Held {
                participant: one.id,
                by_conference,
            },
        );
    }

    /// Whoever is in no conference any more comes back into the one that he was taken
    /// out of last.
    pub(crate) fn settle_holds(&mut self) {
        let free: Vec<Participant> = {
            let held = self
                .county
                .conferences()
                .filter(|conference| !conference.is_over())
                .flat_map(Conference::participants)
                .filter(|one| one.state == ParticipantState::Held)
                .filter(|one| self.county.stay_of(&one.account).is_none());
            let mut last: std::collections::BTreeMap<&AccountId, &Participant> =
                std::collections::BTreeMap::new();
            for one in held {
                let since = |one: &Participant| one.held.map(|hold| (hold.since, one.id));
                let known = last.entry(&one.account).or_insert(one);
                if since(one) > since(known) {
                    *known = one;
                }
            }
            last.into_values().cloned().collect()
        };
        for one in free {
            self.give_back(&one);
        }
    }

    pub(crate) fn give_back(&mut self, one: &Participant) {
        if one.after(ParticipantInput::GiveBack).is_err() {
            return;
        }
        self.push_conduct(
            one.conference,
            None,
            Conducted::GivenBack {
                participant: one.id,
                deadline: self.now.after(self.county.timing.reconnect),
            },
        );
        let chaired = one.held.is_some_and(|hold| hold.chaired);
        if chaired && let Ok(conference) = self.running(one.conference) {
            // Where several had the chair one after the other, the host goes first.
            let holder = conference.chair.and_then(|id| conference.participant(id));
            if holder.is_none_or(|holder| holder.account != conference.host) {
                let back = conference.participant(one.id).cloned();
                self.seat(&conference, back.as_ref(), None);
            }
        }
    }
}

impl County {
    /// What an invitation into the conference does to the account where it is; `None`: it is
    /// in no other.
    pub(crate) fn pull(
        &self,
        account: &AccountId,
        into: &Conference,
        ordered: bool,
    ) -> Option<Pull> {
        self.pull_into(account, self.priority(into), ordered)
    }

    /// The same for a conference that is not there yet.
    pub(crate) fn pull_into(
        &self,
        account: &AccountId,
        into: Priority,
        ordered: bool,
    ) -> Option<Pull> {
        let stay = self.stay_of(account)?;
        let other = self.conference(stay.conference)?;
        Some(into.pulls(ordered, self.priority(other)))
    }
}
