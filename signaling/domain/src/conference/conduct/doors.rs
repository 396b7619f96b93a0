//! Who comes in, how: lock, lobby, coming in by oneself, listening in, being moved.

use super::event::{Conducted, KnockEnd};
use super::order::ConductKind;
use super::role::ParticipantRole;
use crate::authority::{Post, Reach, may_command, role_may};
use crate::conference::Conference;
use crate::county::County;
use crate::directory::{Account, Presence};
use crate::draft::Draft;
use crate::ids::{AccountId, ConferenceId, ParticipantId};
use crate::invitation::{Callee, InvitationInput};
use crate::limits::{MAX_PARTICIPANTS, MAX_REASON_CHARS, MAX_STAYS_PER_ACCOUNT};
use crate::order::{OrderKind, Target};
use crate::participant::{LeaveReason, ParticipantState};
use crate::refusal::Refusal;
use crate::text::clean;

/// A running conference that an account is not in and may come into by itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Door {
    pub conference: ConferenceId,
    pub state: DoorState,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DoorState {
    Open,
    /// There is a lobby: the chair admits.
    Lobby,
    Locked,
    /// Waits in the lobby.
    Knocking,
    /// Its place there is kept while it is in a higher conference.
    Held,
}

impl Draft {
    pub(crate) fn lock(
        &mut self,
        by: &Account,
        running: &Conference,
        locked: bool,
    ) -> Result<(), Refusal> {
        may_command(running, by, Reach::All, &self.county.directory)?;
        if running.locked == locked {
            return Ok(());
        }
        self.push_conduct(running.id, Some(&by.id), Conducted::LockChanged { locked });
        if locked {
            for one in running.pending().filter(|one| !one.ordered) {
                self.miss(one, InvitationInput::Cancel, Some(&by.id));
            }
            for account in running.knocks.keys() {
                self.end_knock(running, account, Some(&by.id), KnockEnd::Refused);
            }
        }
        Ok(())
    }

    pub(crate) fn set_lobby(
        &mut self,
        by: &Account,
        running: &Conference,
        open: bool,
    ) -> Result<(), Refusal> {
        may_command(running, by, Reach::All, &self.county.directory)?;
        if running.lobby != open {
            self.push_conduct(running.id, Some(&by.id), Conducted::LobbyChanged { open });
        }
        if !open {
            for account in running.knocks.keys() {
                // Those for whom there is no place are told so, rather than that the lobby stays.
                if self.let_in(running, account, &by.id).is_err() {
                    self.end_knock(running, account, Some(&by.id), KnockEnd::Refused);
                }
            }
        }
        Ok(())
    }

    pub(crate) fn enter(
        &mut self,
        by: &Account,
        running: &Conference,
        reason: Option<&str>,
    ) -> Result<(), Refusal> {
        may_come(running, &by.id)?;
        // Administrators and supervisors stand above and command nobody.
        let commands = role_may(by.role, OrderKind::Conduct(ConductKind::Insert));
        if commands && self.county.stands_above(by, running) {
            let reason = needed(reason.unwrap_or_default())?;
            return self.come_from_above(by, running, ParticipantRole::Speaker, reason);
        }
        if !self.county.was_called(by, running) {
            return Err(Refusal::UnknownConference(running.id));
        }
        if running.locked {
            return Err(Refusal::Locked);
        }
        if running.knocks.contains_key(&by.id) {
            return Ok(());
        }
        room(running)?;
        if running.lobby {
            let account = by.id.clone();
            self.push_conduct(running.id, Some(&by.id), Conducted::Knocked { account });
        } else {
            self.go_into(by, running, true);
            self.come_in(by, running, running.all_muted);
        }
        Ok(())
    }

    /// Into a call of others; all who are in it are told who and why.
    fn come_from_above(
        &mut self,
        by: &Account,
        running: &Conference,
        role: ParticipantRole,
        reason: String,
    ) -> Result<(), Refusal> {
        room(running)?;
        // Whoever goes into an emergency's call keeps his place in a lower one.
        self.go_into(by, running, true);
        let participant = self.come_in_as(by, running.id, false, role);
        self.push_conduct(
            running.id,
            Some(&by.id),
            Conducted::Entered {
                participant,
                reason,
            },
        );
        Ok(())
    }

    pub(crate) fn withdraw(&mut self, by: &Account, running: &Conference) -> Result<(), Refusal> {
        if !running.knocks.contains_key(&by.id) {
            return Err(Refusal::NotInConference);
        }
        self.end_knock(running, &by.id, Some(&by.id), KnockEnd::Withdrawn);
        Ok(())
    }

    pub(crate) fn admit(
        &mut self,
        by: &Account,
        running: &Conference,
        account: &AccountId,
        admitted: bool,
    ) -> Result<(), Refusal> {
        may_command(running, by, Reach::All, &self.county.directory)?;
        if !running.knocks.contains_key(account) {
            return Err(Refusal::NotWaiting);
        }
        if admitted {
            self.let_in(running, account, &by.id)
        } else {
            self.end_knock(running, account, Some(&by.id), KnockEnd::Refused);
            Ok(())
        }
    }

    fn let_in(
        &mut self,
        running: &Conference,
        account: &AccountId,
        by: &AccountId,
    ) -> Result<(), Refusal> {
        // As it is by now: others may have been let in by the same order.
        let now = self.running(running.id)?;
        space(&now, 0)?;
        self.end_knock(running, account, Some(by), KnockEnd::Admitted);
        if let Some(guest) = self.county.directory.account(account).cloned() {
            self.come_in(&guest, running, running.all_muted);
        }
        Ok(())
    }

    fn end_knock(
        &mut self,
        running: &Conference,
        account: &AccountId,
        by: Option<&AccountId>,
        end: KnockEnd,
    ) {
        let account = account.clone();
        self.push_conduct(running.id, by, Conducted::KnockEnded { account, end });
    }

    /// Whoever went into a call or has no device any more does not wait in the lobby.
    pub(crate) fn settle_lobby(&mut self, running: &Conference) {
        for account in running.knocks.keys() {
            let gone = self.county.presence.of_account(account) == Presence::Offline
                || self.county.stay_of(account).is_some();
            if gone {
                self.end_knock(running, account, None, KnockEnd::Withdrawn);
            }
        }
    }

    /// From above, whoever is in the call; lock and lobby do not hold it.
    pub(crate) fn observe(
        &mut self,
        by: &Account,
        running: &Conference,
        reason: &str,
    ) -> Result<(), Refusal> {
        let reason = needed(reason)?;
        may_come(running, &by.id)?;
        if !self.county.oversees(&by.id, running) {
            return Err(Refusal::UnknownConference(running.id));
        }
        self.come_from_above(by, running, ParticipantRole::Observer, reason)
    }

    /// Out of one conference into another, by somebody who commands here and there.
    pub(crate) fn move_by_order(
        &mut self,
        by: &Account,
        running: &Conference,
        participant: ParticipantId,
        to: ConferenceId,
        reason: &str,
    ) -> Result<(), Refusal> {
        let reason = needed(reason)?;
        let one = Draft::present(running, participant)?;
        let target = self.running(to)?;
        if to == running.id {
            return Err(Refusal::AlreadyThere);
        }
        let moved = self.county.directory.account(&one.account).cloned();
        let moved = moved.ok_or(Refusal::UnknownParticipant(participant))?;
        let post = Post::of_account(by);
        let above = post.is_above(Post::of_account(&moved), &self.county.directory);
        if !above {
            may_command(running, by, Reach::One(one), &self.county.directory)?;
        }
        if target.stay_of(&by.id).is_none() && !self.county.stands_above(by, &target) {
            return Err(Refusal::NotInConference);
        }
        room(&target)?;
        few_stays(&target, &moved.id)?;
        self.push_conduct(
            running.id,
            Some(&by.id),
            Conducted::Moved {
                participant,
                to,
                reason: reason.clone(),
            },
        );
        self.depart(one, LeaveReason::Moved, Some(&by.id), Some(reason));
        match target.place_of(&moved.id) {
            // Its place there was kept.
            Some(kept) if kept.state == ParticipantState::Held => self.give_back(kept),
            Some(_) => {}
            // Whoever listens in here listens in there.
            None if one.role == ParticipantRole::Observer => {
                self.come_in_as(&moved, to, false, ParticipantRole::Observer);
            }
            None => drop(self.come_in(&moved, &target, target.all_muted)),
        }
        Ok(())
    }

    /// A forced ring of one site or person.
    pub(crate) fn insert(
        &mut self,
        by: &Account,
        running: &Conference,
        target: &Target,
        reason: &str,
    ) -> Result<(), Refusal> {
        let reason = needed(reason)?;
        Draft::own_stay(running, by)?;
        match target {
            Target::Site { .. } | Target::Person { .. } => {}
            Target::Tier { .. } | Target::Subtree { .. } => {
                return Err(Refusal::Malformed(
                    "one site or person is inserted at a time",
                ));
            }
        }
        let targets = std::slice::from_ref(target);
        let callees = self.county.callees(by, targets, true, Some(running))?;
        let callees = callees.into_iter().map(|callee| (callee, true)).collect();
        self.ring_into(by, running, callees, Some(&reason))
    }
}

impl County {
    /// The account stands above the one in the chair, or above where it was called from.
    pub(crate) fn stands_above(&self, by: &Account, conference: &Conference) -> bool {
        let chair = conference
            .chair
            .and_then(|id| conference.participant(id))
            .map_or(&conference.called_by, |one| &one.account);
        self.directory.account(chair).is_some_and(|chair| {
            Post::of_account(by).is_above(Post::of_account(chair), &self.directory)
        })
    }

    /// It was called into the conference before, and neither removed nor its ring taken back.
    pub(crate) fn was_called(&self, by: &Account, conference: &Conference) -> bool {
        let removed = conference
            .participants()
            .filter(|one| one.account == by.id)
            .last()
            .is_some_and(|one| one.left == Some(LeaveReason::Removed));
        let answers = |callee: &Callee| match callee {
            Callee::Site { code } => by.site == *code && by.role.answers_for_site(),
            Callee::Person { account } => *account == by.id,
        };
        let last = conference
            .invitations()
            .filter(|one| answers(&one.callee))
            .last();
        let called = last.is_some_and(|one| match one.state.miss() {
            Some(crate::invitation::MissReason::Cancelled) => false,
            Some(_) => true,
            None => !one.state.is_pending(),
        });
        !removed && (called || conference.called_by == by.id)
    }

    /// The conferences that the account may come into by itself, or has a place in.
    #[must_use]
    pub fn doors(&self, account: &AccountId) -> Vec<Door> {
        let Some(account) = self.directory.account(account) else {
            return Vec::new();
        };
        let running = self.conferences().filter(|one| !one.is_over());
        running
            .filter_map(|one| {
                let state = match one.place_of(&account.id) {
                    Some(place) if place.state == ParticipantState::Held => DoorState::Held,
                    Some(_) => return None,
                    None if one.knocks.contains_key(&account.id) => DoorState::Knocking,
                    None if !self.was_called(account, one) => return None,
                    None if one.locked => DoorState::Locked,
                    None if one.lobby => DoorState::Lobby,
                    None => DoorState::Open,
                };
                let conference = one.id;
                Some(Door { conference, state })
            })
            .collect()
    }
}

/// What touches another's device or call carries a reason.
pub(crate) fn needed(reason: &str) -> Result<String, Refusal> {
    let reason = clean(reason, MAX_REASON_CHARS)?;
    if reason.is_empty() {
        return Err(Refusal::Malformed("this order needs a reason"));
    }
    Ok(reason)
}

/// Into a conference where it is not yet.
fn may_come(conference: &Conference, account: &AccountId) -> Result<(), Refusal> {
    if conference.place_of(account).is_some() {
        return Err(Refusal::AlreadyThere);
    }
    few_stays(conference, account)
}

/// Who left stays known until the conference is over, so nobody comes and goes without end.
fn few_stays(conference: &Conference, account: &AccountId) -> Result<(), Refusal> {
    let stays = conference.participants();
    if stays.filter(|one| one.account == *account).count() < MAX_STAYS_PER_ACCOUNT {
        Ok(())
    } else {
        Err(Refusal::Full {
            what: "stays of one account in one conference",
            limit: MAX_STAYS_PER_ACCOUNT,
        })
    }
}

/// For one more, besides all who wait in the lobby.
fn room(conference: &Conference) -> Result<(), Refusal> {
    space(conference, conference.knocks.len())
}

fn space(conference: &Conference, waiting: usize) -> Result<(), Refusal> {
    let there = conference.there().count() + conference.pending().count() + waiting;
    if there < MAX_PARTICIPANTS {
        Ok(())
    } else {
        Err(Refusal::Full {
            what: "participants in one conference",
            limit: MAX_PARTICIPANTS,
        })
    }
}
