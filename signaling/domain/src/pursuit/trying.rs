//! What is tried next: the callee's own devices again, the contacts on theirs, every other
//! channel at once, and at last the tier above.

use std::time::Duration;

use super::event::PursuitEvent;
use super::record::Pursuit;
use super::state::Channel;
use crate::conference::Conference;
use crate::directory::Account;
use crate::draft::Draft;
use crate::duty::Contact;
use crate::ids::{AccountId, InvitationId, PursuitId};
use crate::incident::event::What;
use crate::invitation::Callee;

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
    pub(super) fn try_next(&mut self, one: &Pursuit, running: &Conference) {
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
}

fn was_tried(one: &Pursuit, account: &AccountId, channel: Channel) -> bool {
    one.attempts
        .iter()
        .any(|attempt| attempt.channel == channel && attempt.account.as_ref() == Some(account))
}
