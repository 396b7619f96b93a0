//! What is large on every wall: by order, or one after the other (轮巡).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::address::Address;
use super::event::Conducted;
use super::role::ParticipantRole;
use crate::authority::{Reach, may_command};
use crate::conference::Conference;
use crate::directory::Account;
use crate::draft::Draft;
use crate::ids::{AccountId, ParticipantId};
use crate::limits::{MAX_CAROUSEL_S, MAX_PARTICIPANTS, MIN_CAROUSEL_S};
use crate::participant::Participant;
use crate::refusal::Refusal;
use crate::time::Timestamp;

/// Shows one party after the other.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Carousel {
    /// In this order; empty: everybody but the chair, in the order of sites.
    pub accounts: Vec<AccountId>,
    pub interval_s: u32,
    pub paused: bool,
    /// Whom it shows; nobody while none of them is in.
    pub shows: Option<ParticipantId>,
    /// When the next one comes; absent while it is paused or nobody is in.
    pub until: Option<Timestamp>,
}

impl Draft {
    pub(crate) fn spotlight(
        &mut self,
        by: &Account,
        running: &Conference,
        participant: Option<ParticipantId>,
    ) -> Result<(), Refusal> {
        may_command(running, by, Reach::All, &self.county.directory)?;
        if let Some(participant) = participant {
            let one = Draft::present(running, participant)?;
            if one.role == ParticipantRole::Observer {
                return Err(Refusal::OnlyObserves);
            }
        }
        if running.spotlight != participant {
            let what = Conducted::Spotlit { participant };
            self.push_conduct(running.id, Some(&by.id), what);
        }
        Ok(())
    }

    pub(crate) fn start_carousel(
        &mut self,
        by: &Account,
        running: &Conference,
        accounts: &[AccountId],
        interval_s: u32,
    ) -> Result<(), Refusal> {
        may_command(running, by, Reach::All, &self.county.directory)?;
        if !(MIN_CAROUSEL_S..=MAX_CAROUSEL_S).contains(&interval_s) {
            return Err(Refusal::Malformed("an interval of 5 to 600 seconds"));
        }
        if accounts.len() > MAX_PARTICIPANTS {
            return Err(Refusal::Full {
                what: "parties in a carousel",
                limit: MAX_PARTICIPANTS,
            });
        }
        let knows = |account: &&AccountId| {
            let seen = running.participants().any(|one| one.account == **account);
            let known = self.county.directory.account(account);
            seen || known.is_some_and(|one| self.county.knows_person(&by.id, one))
        };
        if let Some(unknown) = accounts.iter().find(|account| !knows(account)) {
            return Err(Refusal::UnknownTarget(unknown.0.clone()));
        }
        let carousel = Carousel {
            accounts: accounts.to_vec(),
            interval_s,
            paused: false,
            shows: None,
            until: None,
        };
        self.turn(running, Some(&by.id), &carousel);
        Ok(())
    }

    pub(crate) fn pause_carousel(
        &mut self,
        by: &Account,
        running: &Conference,
        paused: bool,
    ) -> Result<(), Refusal> {
        let carousel = self.own_carousel(by, running)?;
        if carousel.paused == paused {
            return Ok(());
        }
        let until =
            (!paused && carousel.shows.is_some()).then(|| self.now.after(interval(&carousel)));
        let carousel = Some(Carousel {
            paused,
            until,
            ..carousel
        });
        self.push_conduct(running.id, Some(&by.id), Conducted::Carousel { carousel });
        Ok(())
    }

    pub(crate) fn next_in_carousel(
        &mut self,
        by: &Account,
        running: &Conference,
    ) -> Result<(), Refusal> {
        let carousel = self.own_carousel(by, running)?;
        self.turn(running, Some(&by.id), &carousel);
        Ok(())
    }

    pub(crate) fn stop_carousel(
        &mut self,
        by: &Account,
        running: &Conference,
    ) -> Result<(), Refusal> {
        self.own_carousel(by, running)?;
        let what = Conducted::Carousel { carousel: None };
        self.push_conduct(running.id, Some(&by.id), what);
        Ok(())
    }

    fn own_carousel(&self, by: &Account, running: &Conference) -> Result<Carousel, Refusal> {
        may_command(running, by, Reach::All, &self.county.directory)?;
        running.carousel.clone().ok_or(Refusal::NothingGoesOn)
    }

    /// It turns when its time is over or whom it shows is gone, and begins when somebody comes.
    pub(crate) fn settle_carousel(&mut self, running: &Conference) {
        let Some(carousel) = &running.carousel else {
            return;
        };
        let there = |id| running.parties().any(|one| one.id == id);
        let turns = match (carousel.shows, carousel.until) {
            (Some(shown), _) if !there(shown) => true,
            (Some(_), Some(until)) => until <= self.now,
            // Paused on somebody who is there.
            (Some(_), None) => false,
            (None, _) => carousel.next(running).is_some(),
        };
        if turns {
            self.turn(running, None, carousel);
        }
    }

    fn turn(&mut self, running: &Conference, by: Option<&AccountId>, carousel: &Carousel) {
        let shows = carousel.next(running);
        let until =
            (shows.is_some() && !carousel.paused).then(|| self.now.after(interval(carousel)));
        let carousel = Some(Carousel {
            shows,
            until,
            ..carousel.clone()
        });
        self.push_conduct(running.id, by, Conducted::Carousel { carousel });
    }
}

impl Carousel {
    /// Who comes after the one that it shows; the same again if there is no other.
    fn next(&self, running: &Conference) -> Option<ParticipantId> {
        if self.accounts.is_empty() {
            let wanted = |one: &Participant| Some(one.id) != running.chair;
            let next = running.after_in_order(self.shows, wanted);
            return next
                .or_else(|| running.after_in_order(None, wanted))
                .map(|one| one.id);
        }
        let shown = self.shows.and_then(|id| running.participant(id));
        let at = shown.and_then(|one| self.accounts.iter().position(|other| *other == one.account));
        let start = at.map_or(0, |at| at + 1);
        let (before, after) = self.accounts.split_at(start);
        after.iter().chain(before).find_map(|account| {
            let one = running.parties().find(|one| one.account == *account)?;
            Some(one.id)
        })
    }
}

impl Conference {
    /// Who is large on every wall: called up, answering the roll, in the carousel, or chosen.
    #[must_use]
    pub fn in_spotlight(&self) -> Option<ParticipantId> {
        let named = match &self.address {
            Some(Address::Named { participant }) => Some(*participant),
            Some(Address::Broadcast { .. }) | None => None,
        };
        let carousel = self.carousel.as_ref().and_then(|one| one.shows);
        named
            .or_else(|| self.roll.as_ref().and_then(super::roll::Roll::shows))
            .or(carousel)
            .or(self.spotlight)
            .filter(|id| self.parties().any(|one| one.id == *id))
    }
}

fn interval(carousel: &Carousel) -> Duration {
    Duration::from_secs(carousel.interval_s.into())
}
