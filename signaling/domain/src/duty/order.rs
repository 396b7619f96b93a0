//! What can be ordered about the roster.

use serde::{Deserialize, Serialize};

use super::Contact;
use crate::ids::{DutyId, SiteCode};
use crate::time::Timestamp;

/// A shift to be.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewShift {
    pub site: SiteCode,
    pub person: Contact,
    pub from: Timestamp,
    pub to: Timestamp,
}

/// One order about the roster.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum DutyOrder {
    /// All of them, or none.
    Plan { shifts: Vec<NewShift> },
    /// Takes back one that has not begun.
    Cancel { duty: DutyId },
    /// To the one that is named, which begins now, or to nobody.
    HandOver {
        duty: DutyId,
        to: Option<DutyId>,
        note: String,
    },
    /// Whom to ring for a site after the person on duty, in this order; then the deputy.
    SetContacts {
        site: SiteCode,
        contacts: Vec<Contact>,
        deputy: Option<Contact>,
    },
}

/// An order without its arguments, for the table of authority.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum DutyOrderKind {
    Plan,
    Cancel,
    HandOver,
    SetContacts,
}

impl DutyOrderKind {
    pub const ALL: [DutyOrderKind; 4] = [
        DutyOrderKind::Plan,
        DutyOrderKind::Cancel,
        DutyOrderKind::HandOver,
        DutyOrderKind::SetContacts,
    ];
}

impl DutyOrder {
    #[must_use]
    pub fn kind(&self) -> DutyOrderKind {
        match self {
            DutyOrder::Plan { .. } => DutyOrderKind::Plan,
            DutyOrder::Cancel { .. } => DutyOrderKind::Cancel,
            DutyOrder::HandOver { .. } => DutyOrderKind::HandOver,
            DutyOrder::SetContacts { .. } => DutyOrderKind::SetContacts,
        }
    }
}
