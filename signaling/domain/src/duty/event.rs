//! What has happened to the roster. The form in the journal is that of [`crate::event`].

use serde::{Deserialize, Serialize};

use super::{Contact, NewShift};
use crate::ids::{AccountId, DutyId, SiteCode};
use crate::time::Timestamp;

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum DutyEvent {
    Planned {
        duty: DutyId,
        shift: NewShift,
        by: AccountId,
        at: Timestamp,
    },
    Cancelled {
        duty: DutyId,
        by: AccountId,
        at: Timestamp,
    },
    /// Its time has come, or it was handed over early.
    Begun { duty: DutyId, at: Timestamp },
    HandedOver {
        duty: DutyId,
        note: String,
        /// Absent: its time was over and the next one was there.
        by: Option<AccountId>,
        at: Timestamp,
    },
    /// All contacts of the site as they are now.
    ContactsSet {
        site: SiteCode,
        contacts: Vec<Contact>,
        deputy: Option<Contact>,
        by: AccountId,
        at: Timestamp,
    },
}
