//! The duty roster (值班) as a client sees it.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::ids::{AccountId, DutyId, SiteCode};

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum ShiftState {
    Planned,
    OnDuty,
    HandedOver,
}

/// Somebody who can be rung for a site.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(export)]
pub struct Contact {
    /// 1 to 64 characters.
    pub name: String,
    pub account: Option<AccountId>,
    /// 3 to 20 digits, with a leading `+` or without.
    pub phone: Option<String>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(export)]
pub struct NewShift {
    pub site: SiteCode,
    pub person: Contact,
    pub from_ms: f64,
    /// At most seven days later.
    pub to_ms: f64,
}

/// What is ordered about the roster. Reply: `Done`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
#[ts(export)]
pub enum DutyOrder {
    /// All, or none; up to 500.
    Plan { shifts: Vec<NewShift> },
    /// One that has not begun.
    Cancel { duty: DutyId },
    /// To another shift of the seat, which begins now, or to nobody.
    HandOver {
        duty: DutyId,
        to: Option<DutyId>,
        /// Up to 2,000 characters.
        note: String,
    },
    /// All contacts of a site, up to 8, and the deputy.
    SetContacts {
        site: SiteCode,
        contacts: Vec<Contact>,
        deputy: Option<Contact>,
    },
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Shift {
    pub id: DutyId,
    pub site: SiteCode,
    pub person: Contact,
    pub from_ms: f64,
    pub to_ms: f64,
    pub state: ShiftState,
    pub handed_over_at_ms: Option<f64>,
    pub note: String,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct SiteContacts {
    pub site: SiteCode,
    pub contacts: Vec<Contact>,
    pub deputy: Option<Contact>,
}

/// The roster of the client's site and all below it, over a time.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Roster {
    /// That touch the time, and whoever is on duty now.
    pub shifts: Vec<Shift>,
    /// Of sites that have any.
    pub contacts: Vec<SiteContacts>,
}
