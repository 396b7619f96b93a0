//! Who speaks to all: one that was called up (点名发言), or the chair or a tier (广播). The
//! permissions stay as they are and count again when it is over.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::event::Conducted;
use super::role::ParticipantRole;
use crate::authority::{Reach, may_command};
use crate::conference::Conference;
use crate::directory::{Account, Tier};
use crate::draft::Draft;
use crate::ids::ParticipantId;
use crate::participant::Participant;
use crate::refusal::Refusal;

/// Who speaks while all others but the chair are closed.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Address {
    /// One named party, large on every wall.
    Named { participant: ParticipantId },
    /// Those who speak; absent tier: the one who ordered it.
    Broadcast {
        tier: Option<Tier>,
        speakers: BTreeSet<ParticipantId>,
    },
}

impl Address {
    /// Heard whatever its mute and permission say.
    #[must_use]
    pub fn speaks(&self, participant: ParticipantId) -> bool {
        match self {
            Address::Named { participant: named } => *named == participant,
            Address::Broadcast { speakers, .. } => speakers.contains(&participant),
        }
    }
}

impl Draft {
    pub(crate) fn call_up(
        &mut self,
        by: &Account,
        running: &Conference,
        participant: ParticipantId,
    ) -> Result<(), Refusal> {
        may_command(running, by, Reach::All, &self.county.directory)?;
        let one = Draft::present(running, participant)?;
        if one.role == ParticipantRole::Observer {
            return Err(Refusal::OnlyObserves);
        }
        self.address(running, by, Address::Named { participant });
        self.hand_down(one, Some(&by.id));
        Ok(())
    }

    /// The next in the order of sites; after the last one it is over.
    pub(crate) fn next_speaker(
        &mut self,
        by: &Account,
        running: &Conference,
    ) -> Result<(), Refusal> {
        may_command(running, by, Reach::All, &self.county.directory)?;
        let Some(Address::Named { participant }) = &running.address else {
            return Err(Refusal::NothingGoesOn);
        };
        let next = running.after_in_order(Some(*participant), |one| Some(one.id) != running.chair);
        match next.map(|one| one.id) {
            Some(participant) => self.call_up(by, running, participant),
            None => self.end_address(by, running),
        }
    }

    pub(crate) fn broadcast(
        &mut self,
        by: &Account,
        running: &Conference,
        tier: Option<Tier>,
    ) -> Result<(), Refusal> {
        may_command(running, by, Reach::All, &self.county.directory)?;
        let own = Draft::own_stay(running, by)?;
        if tier.is_none() && own.role == ParticipantRole::Observer && running.chair != Some(own.id)
        {
            return Err(Refusal::OnlyObserves);
        }
        let of_tier = |one: &&Participant| {
            let site = self.county.directory.site(&one.site);
            tier.is_some() && site.map(|site| site.tier) == tier
        };
        let mut speakers: BTreeSet<ParticipantId> = running
            .parties()
            .filter(of_tier)
            .map(|one| one.id)
            .collect();
        if tier.is_none() {
            speakers.insert(own.id);
        }
        if speakers.is_empty() {
            return Err(Refusal::NobodyToRing);
        }
        self.address(running, by, Address::Broadcast { tier, speakers });
        Ok(())
    }

    pub(crate) fn end_address(
        &mut self,
        by: &Account,
        running: &Conference,
    ) -> Result<(), Refusal> {
        may_command(running, by, Reach::All, &self.county.directory)?;
        if running.address.is_none() {
            return Err(Refusal::NothingGoesOn);
        }
        let what = Conducted::Addressed { address: None };
        self.push_conduct(running.id, Some(&by.id), what);
        Ok(())
    }

    fn address(&mut self, running: &Conference, by: &Account, address: Address) {
        if running.address.as_ref() != Some(&address) {
            let address = Some(address);
            self.push_conduct(running.id, Some(&by.id), Conducted::Addressed { address });
        }
    }

    /// When nobody who was to speak is there any more, it is over.
    pub(crate) fn settle_address(&mut self, running: &Conference) {
        let Some(address) = &running.address else {
            return;
        };
        if !running.parties().any(|one| address.speaks(one.id)) {
            let what = Conducted::Addressed { address: None };
            self.push_conduct(running.id, None, what);
        }
    }
}

impl Conference {
    /// The next party that is in, in the order of sites.
    pub(crate) fn after_in_order(
        &self,
        current: Option<ParticipantId>,
        wanted: impl Fn(&Participant) -> bool,
    ) -> Option<&Participant> {
        let place = |one: &Participant| (one.site.clone(), one.id);
        let from = current.and_then(|id| self.participant(id)).map(place);
        self.parties()
            .filter(|one| wanted(one))
            .filter(|one| from.as_ref().is_none_or(|from| place(one) > *from))
            .min_by_key(|one| place(one))
    }
}
