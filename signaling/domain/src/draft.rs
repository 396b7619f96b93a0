//! A decision in the making.

use std::sync::Arc;

use crate::authority::role_may;
use crate::conference::Conference;
use crate::county::County;
use crate::directory::Account;
use crate::event::Event;
use crate::ids::{AccountId, ConferenceId, ParticipantId};
use crate::order::Order;
use crate::participant::Participant;
use crate::refusal::Refusal;
use crate::time::Timestamp;

/// Every event of a decision is applied to a copy at once, by the same code
/// as on replay. So what follows from an event is decided on the state that
/// there will be, never on one that was foreseen in another way.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) county: County,
    pub(crate) now: Timestamp,
    events: Vec<Event>,
}

impl Draft {
    /// The copy is cheap: the parts of a [`County`] are shared until changed.
    pub(crate) fn new(county: &County, now: Timestamp) -> Self {
        Self {
            county: county.clone(),
            now,
            events: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, event: Event) {
        self.county.apply(&event);
        self.events.push(event);
    }

    pub(crate) fn count(&self) -> usize {
        self.events.len()
    }

    /// What was decided up to now.
    pub(crate) fn events(&self) -> &[Event] {
        &self.events
    }

    pub(crate) fn into_events(self) -> Vec<Event> {
        self.events
    }

    pub(crate) fn by_system(&mut self, order: &Order) -> Result<(), Refusal> {
        match order {
            Order::SetDirectory { sites, accounts } => self.set_directory(sites, accounts),
            Order::Restarted => {
                self.restart();
                Ok(())
            }
            Order::Tick => {
                self.tick();
                Ok(())
            }
            Order::SetDevices {
                account,
                online,
                degraded,
            } => self.set_devices(account, *online, *degraded),
            Order::MediaConnected { participant } => self.media_connected(*participant),
            Order::MediaLost { participant } => self.media_lost(*participant),
            Order::DeviceLost { participant } => self.device_lost(*participant),
            Order::Talk { order } => self.talk_by_system(order),
            Order::Conduct { conference, step } => self.conduct_by_system(*conference, step),
            Order::Pursuit { order } => self.channel_result(order),
            Order::Plan { order } => self.install_plan(order),
            Order::Incident { .. }
            | Order::Duty { .. }
            | Order::Call { .. }
            | Order::Invite { .. }
            | Order::InviteAbsent { .. }
            | Order::CancelInvitation { .. }
            | Order::Accept { .. }
            | Order::Decline { .. }
            | Order::Leave { .. }
            | Order::Remove { .. }
            | Order::End { .. }
            | Order::Mute { .. }
            | Order::MuteAll { .. }
            | Order::HandOver { .. }
            | Order::SetOwnMedia { .. } => Err(Refusal::WrongActor(order.kind())),
        }
    }

    pub(crate) fn by_platform(&mut self, name: &str, order: &Order) -> Result<(), Refusal> {
        // A platform reports; nothing else is ever its business.
        let Order::Incident { order } = order else {
            return Err(Refusal::WrongActor(order.kind()));
        };
        self.platform_report(name, order)
    }

    pub(crate) fn by_account(&mut self, by: &AccountId, order: &Order) -> Result<(), Refusal> {
        let by = &self.permitted(by, order)?;
        match order {
            Order::Call {
                targets,
                title,
                ordered,
                incident,
            } => self.call(by, targets, title.as_deref(), *ordered, *incident),
            Order::Incident { order } => self.incident(by, order),
            Order::Talk { order } => self.talk(by, order),
            Order::Plan { order } => self.plan(by, order),
            Order::Duty { order } => self.duty(by, order),
            Order::Pursuit { order } => self.pursuit(by, order),
            Order::Invite {
                conference,
                targets,
                ordered,
            } => self.invite(by, *conference, targets, *ordered),
            Order::InviteAbsent { conference } => self.invite_absent(by, *conference),
            Order::CancelInvitation { invitation } => self.cancel_invitation(by, *invitation),
            Order::Accept { invitation } => self.accept(by, *invitation),
            Order::Decline { invitation } => self.decline(by, *invitation),
            Order::Leave { conference } => self.leave_own(by, *conference),
            Order::Remove {
                conference,
                participant,
                reason,
            } => self.remove(by, *conference, *participant, reason),
            Order::End { conference } => self.end_by_order(by, *conference),
            Order::Mute {
                conference,
                participant,
                muted,
            } => self.mute(by, *conference, *participant, *muted),
            Order::MuteAll { conference, muted } => self.mute_all(by, *conference, *muted),
            Order::HandOver {
                conference,
                participant,
            } => self.hand_over(by, *conference, *participant),
            Order::SetOwnMedia {
                conference,
                microphone,
                camera,
            } => self.set_own_media(by, *conference, *microphone, *camera),
            Order::Conduct { conference, step } => self.conduct(by, *conference, step),
            Order::SetDirectory { .. }
            | Order::Restarted
            | Order::Tick
            | Order::SetDevices { .. }
            | Order::MediaConnected { .. }
            | Order::MediaLost { .. }
            | Order::DeviceLost { .. } => Err(Refusal::WrongActor(order.kind())),
        }
    }

    /// The account, if it may give such an order at all.
    fn permitted(&self, by: &AccountId, order: &Order) -> Result<Account, Refusal> {
        let account = self
            .county
            .directory
            .account(by)
            .filter(|account| account.active)
            .ok_or_else(|| Refusal::NoAccount(by.clone()))?;
        let kind = order.kind();
        if kind.is_of_system() {
            Err(Refusal::WrongActor(kind))
        } else if !role_may(account.role, kind) {
            Err(Refusal::Role {
                role: account.role,
                order: kind,
            })
        } else {
            Ok(account.clone())
        }
    }

    /// A conference that is not over, as it is now.
    pub(crate) fn running(&self, id: ConferenceId) -> Result<Arc<Conference>, Refusal> {
        match self.county.conferences.get(&id) {
            Some(conference) if conference.is_over() => Err(Refusal::Ended),
            Some(conference) => Ok(Arc::clone(conference)),
            // Numbers are given in order, so a lower one was a conference once.
            None if id.0 > 0 && id <= self.county.last.conference => Err(Refusal::Ended),
            None => Err(Refusal::UnknownConference(id)),
        }
    }

    /// Every conference that is not over, as it is now.
    pub(crate) fn all_running(&self) -> Vec<Arc<Conference>> {
        self.county
            .conferences
            .values()
            .filter(|conference| !conference.is_over())
            .map(Arc::clone)
            .collect()
    }

    /// A participant who is present in the conference.
    pub(crate) fn present(
        conference: &Conference,
        id: ParticipantId,
    ) -> Result<&Participant, Refusal> {
        match conference.participant(id) {
            Some(one) if one.is_present() => Ok(one),
            Some(_) => Err(Refusal::NotInConference),
            None => Err(Refusal::UnknownParticipant(id)),
        }
    }

    /// A participant who is present, or whose place is kept.
    pub(crate) fn there(
        conference: &Conference,
        id: ParticipantId,
    ) -> Result<&Participant, Refusal> {
        match conference.participant(id) {
            Some(one) if one.is_there() => Ok(one),
            Some(_) => Err(Refusal::NotInConference),
            None => Err(Refusal::UnknownParticipant(id)),
        }
    }

    /// The account's own stay in the conference.
    pub(crate) fn own_stay<'a>(
        conference: &'a Conference,
        by: &Account,
    ) -> Result<&'a Participant, Refusal> {
        conference.stay_of(&by.id).ok_or(Refusal::NotInConference)
    }
}
