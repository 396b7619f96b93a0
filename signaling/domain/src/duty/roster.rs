//! Shifts and contacts, exactly as the events give them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Contact, DutyEvent, ShiftInput, ShiftState};
use crate::ids::{AccountId, DutyId, SiteCode};
use crate::limits::MAX_PAST_SHIFTS;
use crate::time::Timestamp;

/// One person's time at one site's seat.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Shift {
    pub id: DutyId,
    pub site: SiteCode,
    pub person: Contact,
    pub from: Timestamp,
    pub to: Timestamp,
    pub state: ShiftState,
    pub begun_at: Option<Timestamp>,
    pub handed_over_at: Option<Timestamp>,
    /// Who handed it over; absent: nobody did, its time was over.
    pub handed_over_by: Option<AccountId>,
    pub note: String,
}

/// Whom to ring for a site besides its seat.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SiteContacts {
    pub contacts: Vec<Contact>,
    pub deputy: Option<Contact>,
}

/// The roster of the whole county.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DutyBook {
    /// Planned and present ones, and the last that are over.
    shifts: BTreeMap<DutyId, Shift>,
    /// Who has the seat, so that nobody has to look through all shifts for it.
    seats: BTreeMap<SiteCode, BTreeSet<DutyId>>,
    contacts: BTreeMap<SiteCode, SiteContacts>,
    last: u32,
}

impl DutyBook {
    /// In order of planning.
    pub fn shifts(&self) -> impl Iterator<Item = &Shift> {
        self.shifts.values()
    }

    #[must_use]
    pub fn shift(&self, id: DutyId) -> Option<&Shift> {
        self.shifts.get(&id)
    }

    /// Who has the site's seat now; whoever came last first.
    #[must_use]
    pub fn on_duty(&self, site: &SiteCode) -> Vec<&Shift> {
        let seat = self.seats.get(site).into_iter().flatten();
        let mut found: Vec<&Shift> = seat.filter_map(|id| self.shifts.get(id)).collect();
        found.sort_by_key(|one| std::cmp::Reverse((one.from, one.id)));
        found
    }

    /// As configured, without the seat.
    #[must_use]
    pub fn contacts(&self, site: &SiteCode) -> Option<&SiteContacts> {
        self.contacts.get(site)
    }

    /// Whom to ring for a site: the seat, the contacts in order, the deputy; each once.
    #[must_use]
    pub fn to_ring(&self, site: &SiteCode) -> Vec<&Contact> {
        let seat = self.on_duty(site).into_iter().map(|one| &one.person);
        let known = self.contacts.get(site);
        let others = known
            .into_iter()
            .flat_map(|one| one.contacts.iter().chain(&one.deputy));
        let mut found: Vec<&Contact> = Vec::new();
        for one in seat.chain(others) {
            if !found.contains(&one) {
                found.push(one);
            }
        }
        found
    }

    /// When the next shift begins, or ends with another one there.
    pub(crate) fn due(&self) -> Option<Timestamp> {
        let begin = self
            .shifts()
            .filter(|one| one.state == ShiftState::Planned)
            .map(|one| one.from);
        let end = self.present().filter(|one| self.is_followed(one));
        let end = end.map(|one| one.to);
        begin.chain(end).min()
    }

    /// Somebody who came later has the seat, too.
    pub(crate) fn is_followed(&self, shift: &Shift) -> bool {
        let seat = self.on_duty(&shift.site).into_iter();
        seat.map(|one| (one.from, one.id))
            .any(|other| other > (shift.from, shift.id))
    }

    /// Everybody who has a seat.
    pub(crate) fn present(&self) -> impl Iterator<Item = &Shift> {
        let ids = self.seats.values().flatten();
        ids.filter_map(|id| self.shifts.get(id))
    }

    pub(crate) fn next_id(&self) -> DutyId {
        DutyId(self.last.saturating_add(1))
    }

    /// Never fails: what is about something unknown is passed over.
    pub(crate) fn apply(&mut self, event: &DutyEvent) {
        match event {
            DutyEvent::Planned { duty, shift, .. } => {
                self.last = self.last.max(duty.0);
                self.shifts.insert(
                    *duty,
                    Shift {
                        id: *duty,
                        site: shift.site.clone(),
                        person: shift.person.clone(),
                        from: shift.from,
                        to: shift.to,
                        state: ShiftState::Planned,
                        begun_at: None,
                        handed_over_at: None,
                        handed_over_by: None,
                        note: String::new(),
                    },
                );
            }
            DutyEvent::Cancelled { duty, .. } => drop(self.shifts.remove(duty)),
            DutyEvent::Begun { duty, at } => self.change(*duty, ShiftInput::Begin, |one| {
                one.begun_at = Some(*at);
            }),
            DutyEvent::HandedOver { duty, note, by, at } => {
                self.change(*duty, ShiftInput::HandOver, |one| {
                    one.handed_over_at = Some(*at);
                    one.handed_over_by = by.clone();
                    one.note.clone_from(note);
                });
                self.forget_old();
            }
            DutyEvent::ContactsSet {
                site,
                contacts,
                deputy,
                ..
            } => {
                let known = SiteContacts {
                    contacts: contacts.clone(),
                    deputy: deputy.clone(),
                };
                self.contacts.insert(site.clone(), known);
            }
        }
    }

    fn change(&mut self, duty: DutyId, input: ShiftInput, also: impl FnOnce(&mut Shift)) {
        if let Some(one) = self.shifts.get_mut(&duty)
            && let Ok(state) = one.state.after(input)
        {
            one.state = state;
            also(one);
            let seat = self.seats.entry(one.site.clone()).or_default();
            match state {
                ShiftState::OnDuty => drop(seat.insert(duty)),
                ShiftState::Planned | ShiftState::HandedOver => drop(seat.remove(&duty)),
            }
        }
    }

    fn forget_old(&mut self) {
        let past: Vec<DutyId> = self
            .shifts()
            .filter(|one| one.state == ShiftState::HandedOver)
            .map(|one| one.id)
            .collect();
        let too_many = past.len().saturating_sub(MAX_PAST_SHIFTS);
        for old in past.into_iter().take(too_many) {
            self.shifts.remove(&old);
        }
    }
}
