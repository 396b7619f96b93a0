//! Who may change the roster, and what follows from the time.
//!
//! The roster of a site is kept there or above. A seat is never empty because
//! a clock struck: whoever has it keeps it until the next one has begun.

use super::roster::Shift;
use super::{Contact, DutyBook, DutyEvent, DutyOrder, NewShift, ShiftInput, ShiftState};
use crate::county::County;
use crate::directory::{Account, Role};
use crate::draft::Draft;
use crate::event::Event;
use crate::ids::{DutyId, SiteCode};
use crate::limits::{
    MAX_CONTACTS, MAX_INCIDENT_TEXT_CHARS, MAX_NAME_CHARS, MAX_PHONE_CHARS, MAX_SHIFT, MAX_SHIFTS,
    MAX_SHIFTS_PER_ORDER,
};
use crate::refusal::Refusal;
use crate::text::{clean, clean_lines};

impl Draft {
    pub(crate) fn duty(&mut self, by: &Account, order: &DutyOrder) -> Result<(), Refusal> {
        match order {
            DutyOrder::Plan { shifts } => self.plan_shifts(by, shifts),
            DutyOrder::Cancel { duty } => {
                let shift = self.known_shift(by, *duty)?;
                if shift.state != ShiftState::Planned {
                    return Err(Refusal::ShiftState(shift.state));
                }
                self.push_duty(DutyEvent::Cancelled {
                    duty: *duty,
                    by: by.id.clone(),
                    at: self.now,
                });
                Ok(())
            }
            DutyOrder::HandOver { duty, to, note } => self.hand_over_duty(by, *duty, *to, note),
            DutyOrder::SetContacts {
                site,
                contacts,
                deputy,
            } => self.set_contacts(by, site, contacts, deputy.as_ref()),
        }
    }

    fn plan_shifts(&mut self, by: &Account, shifts: &[NewShift]) -> Result<(), Refusal> {
        if shifts.is_empty() || shifts.len() > MAX_SHIFTS_PER_ORDER {
            return Err(Refusal::Malformed("no shifts, or too many in one order"));
        }
        let open = self.county.duty.shifts();
        let open = open
            .filter(|one| one.state != ShiftState::HandedOver)
            .count();
        if open + shifts.len() > MAX_SHIFTS {
            return Err(Refusal::Full {
                what: "shifts",
                limit: MAX_SHIFTS,
            });
        }
        for shift in shifts {
            self.county.keeps_roster(by, &shift.site)?;
            if shift.to <= shift.from
                || shift.to.since(shift.from) > MAX_SHIFT
                || shift.to <= self.now
            {
                return Err(Refusal::Malformed("a shift's times"));
            }
            let shift = NewShift {
                person: self.clean_contact(&shift.person)?,
                ..shift.clone()
            };
            if self.county.duty.shifts().any(|one| is_twice(one, &shift)) {
                return Err(Refusal::AlreadyThere);
            }
            self.push_duty(DutyEvent::Planned {
                duty: self.county.duty.next_id(),
                shift,
                by: by.id.clone(),
                at: self.now,
            });
        }
        self.tick_duty();
        Ok(())
    }

    fn hand_over_duty(
        &mut self,
        by: &Account,
        duty: DutyId,
        to: Option<DutyId>,
        note: &str,
    ) -> Result<(), Refusal> {
        let shift = self.known_shift(by, duty)?;
        let note = clean_lines(note, MAX_INCIDENT_TEXT_CHARS)?;
        shift
            .state
            .after(ShiftInput::HandOver)
            .map_err(|_| Refusal::ShiftState(shift.state))?;
        if let Some(next) = to {
            let next = self.known_shift(by, next)?;
            if next.site != shift.site || next.id == shift.id {
                return Err(Refusal::Malformed("a shift of another seat"));
            }
            if next.state == ShiftState::HandedOver {
                return Err(Refusal::ShiftState(next.state));
            }
            if next.state.after(ShiftInput::Begin).is_ok() {
                let at = self.now;
                self.push_duty(DutyEvent::Begun { duty: next.id, at });
            }
        }
        self.push_duty(DutyEvent::HandedOver {
            duty,
            note,
            by: Some(by.id.clone()),
            at: self.now,
        });
        Ok(())
    }

    fn set_contacts(
        &mut self,
        by: &Account,
        site: &SiteCode,
        contacts: &[Contact],
        deputy: Option<&Contact>,
    ) -> Result<(), Refusal> {
        self.county.keeps_roster(by, site)?;
        if contacts.len() > MAX_CONTACTS {
            return Err(Refusal::Full {
                what: "contacts of one site",
                limit: MAX_CONTACTS,
            });
        }
        let contacts: Result<Vec<Contact>, Refusal> =
            contacts.iter().map(|one| self.clean_contact(one)).collect();
        let event = DutyEvent::ContactsSet {
            site: site.clone(),
            contacts: contacts?,
            deputy: deputy.map(|one| self.clean_contact(one)).transpose()?,
            by: by.id.clone(),
            at: self.now,
        };
        self.push_duty(event);
        Ok(())
    }

    fn clean_contact(&self, contact: &Contact) -> Result<Contact, Refusal> {
        let name = clean(&contact.name, MAX_NAME_CHARS)?;
        if name.is_empty() {
            return Err(Refusal::Malformed("a contact needs a name"));
        }
        if let Some(account) = &contact.account
            && self.county.directory.account(account).is_none()
        {
            return Err(Refusal::UnknownTarget(account.0.clone()));
        }
        let phone = contact.phone.as_deref().map(str::trim);
        if phone.is_some_and(|phone| !is_phone(phone)) {
            return Err(Refusal::Malformed("not a telephone number"));
        }
        Ok(Contact {
            name,
            account: contact.account.clone(),
            phone: phone.map(ToOwned::to_owned),
        })
    }

    fn known_shift(&self, by: &Account, duty: DutyId) -> Result<Shift, Refusal> {
        let shift = self.county.duty.shift(duty);
        let shift = shift.cloned().ok_or(Refusal::UnknownShift(duty))?;
        self.county.keeps_roster(by, &shift.site)?;
        Ok(shift)
    }

    /// Begins what is due, and ends what is over where the next one is there.
    pub(crate) fn tick_duty(&mut self) {
        let at = self.now;
        let begin: Vec<DutyId> = self
            .county
            .duty
            .shifts()
            .filter(|one| one.state == ShiftState::Planned && one.from <= at)
            .map(|one| one.id)
            .collect();
        for duty in begin {
            self.push_duty(DutyEvent::Begun { duty, at });
        }
        let book = &self.county.duty;
        let over: Vec<DutyId> = book
            .present()
            .filter(|one| one.to <= at && book.is_followed(one))
            .map(|one| one.id)
            .collect();
        for duty in over {
            self.push_duty(DutyEvent::HandedOver {
                duty,
                note: String::new(),
                by: None,
                at,
            });
        }
    }

    fn push_duty(&mut self, event: DutyEvent) {
        self.push(Event::Duty { event });
    }
}

/// What the server's views read.
impl County {
    #[must_use]
    pub fn duty(&self) -> &DutyBook {
        &self.duty
    }

    /// Stands at the site or above it.
    pub(crate) fn keeps_roster(&self, by: &Account, site: &SiteCode) -> Result<(), Refusal> {
        let known = self.directory.site(site);
        let known = known.filter(|one| self.knows_site(&by.id, one));
        let Some(known) = known else {
            return Err(Refusal::UnknownTarget(site.0.clone()));
        };
        if by.site == *site || self.directory.is_under(site, &by.site) {
            Ok(())
        } else {
            Err(Refusal::NotBelow(known.name.clone()))
        }
    }

    /// The roster of a site is read where it is kept, and nowhere else: it
    /// has telephone numbers.
    #[must_use]
    pub fn reads_roster(&self, viewer: &Account, site: &SiteCode) -> bool {
        viewer.role != Role::Field
            && (viewer.site == *site || self.directory.is_under(site, &viewer.site))
    }
}

/// The same person at the same seat at the same time.
fn is_twice(one: &Shift, new: &NewShift) -> bool {
    one.site == new.site
        && one.state != ShiftState::HandedOver
        && one.person == new.person
        && one.from < new.to
        && new.from < one.to
}

fn is_phone(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    (3..=MAX_PHONE_CHARS).contains(&digits.len()) && digits.bytes().all(|one| one.is_ascii_digit())
}
