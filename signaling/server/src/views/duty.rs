//! The duty roster: domain types to and from those of the wire.

use domain::duty as rules;
use liandong_domain as domain;
use liandong_protocol as protocol;
use liandong_protocol::duty as wire;

use super::wire::{account_id, ms, ms_of, site_code};

#[must_use]
pub fn order(order: wire::DutyOrder) -> domain::DutyOrder {
    let id = |id: protocol::DutyId| domain::DutyId(id.0);
    match order {
        wire::DutyOrder::Plan { shifts } => domain::DutyOrder::Plan {
            shifts: shifts.into_iter().map(shift_of).collect(),
        },
        wire::DutyOrder::Cancel { duty } => domain::DutyOrder::Cancel { duty: id(duty) },
        wire::DutyOrder::HandOver { duty, to, note } => domain::DutyOrder::HandOver {
            duty: id(duty),
            to: to.map(id),
            note,
        },
        wire::DutyOrder::SetContacts {
            site,
            contacts,
            deputy,
        } => domain::DutyOrder::SetContacts {
            site: domain::SiteCode(site.0),
            contacts: contacts.into_iter().map(contact_of).collect(),
            deputy: deputy.map(contact_of),
        },
    }
}

fn shift_of(shift: wire::NewShift) -> rules::NewShift {
    rules::NewShift {
        site: domain::SiteCode(shift.site.0),
        person: contact_of(shift.person),
        from: ms_of(shift.from_ms),
        to: ms_of(shift.to_ms),
    }
}

fn contact_of(contact: wire::Contact) -> domain::Contact {
    domain::Contact {
        name: contact.name,
        account: contact.account.map(|id| domain::AccountId(id.0)),
        phone: contact.phone.filter(|phone| !phone.trim().is_empty()),
    }
}

fn contact(contact: &domain::Contact) -> wire::Contact {
    wire::Contact {
        name: contact.name.clone(),
        account: contact.account.as_ref().map(account_id),
        phone: contact.phone.clone(),
    }
}

/// Of the viewer's site and all below it.
#[must_use]
pub fn roster(
    county: &domain::County,
    viewer: &domain::Account,
    from_ms: f64,
    to_ms: f64,
) -> wire::Roster {
    let (from, to) = (ms_of(from_ms), ms_of(to_ms));
    let book = county.duty();
    let touching = |one: &&rules::Shift| {
        one.state == rules::ShiftState::OnDuty || (one.from < to && one.to > from)
    };
    let shifts = book
        .shifts()
        .filter(|one| county.reads_roster(viewer, &one.site))
        .filter(touching);
    let read = county.directory().subtree(&viewer.site).into_iter();
    let contacts = read
        .filter(|site| county.reads_roster(viewer, &site.code))
        .filter_map(|site| Some((&site.code, book.contacts(&site.code)?)));
    wire::Roster {
        shifts: shifts.map(shift).collect(),
        contacts: contacts
            .map(|(code, known)| wire::SiteContacts {
                site: site_code(code),
                contacts: known.contacts.iter().map(contact).collect(),
                deputy: known.deputy.as_ref().map(contact),
            })
            .collect(),
    }
}

fn shift(one: &rules::Shift) -> wire::Shift {
    wire::Shift {
        id: protocol::DutyId(one.id.0),
        site: site_code(&one.site),
        person: contact(&one.person),
        from_ms: ms(one.from),
        to_ms: ms(one.to),
        state: match one.state {
            rules::ShiftState::Planned => wire::ShiftState::Planned,
            rules::ShiftState::OnDuty => wire::ShiftState::OnDuty,
            rules::ShiftState::HandedOver => wire::ShiftState::HandedOver,
        },
        handed_over_at_ms: one.handed_over_at.map(ms),
        note: one.note.clone(),
    }
}
