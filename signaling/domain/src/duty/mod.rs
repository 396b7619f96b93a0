//! Who is on duty where, and who else is rung for a site.
//!
//! * [`state`] – the life of a shift as a table
//! * [`order`] – what can be ordered, [`event`] – what has happened
//! * [`roster`] – shifts and contacts, as the events give them
//! * `deciding` – who may do what, and what follows from the time

mod deciding;
pub mod event;
pub mod order;
pub mod roster;
pub mod state;

use serde::{Deserialize, Serialize};

pub use event::DutyEvent;
pub use order::{DutyOrder, DutyOrderKind, NewShift};
pub use roster::{DutyBook, Shift, SiteContacts};
pub use state::{ShiftInput, ShiftState};

use crate::ids::AccountId;

/// Somebody who can be rung for a site. With neither account nor phone only the
/// name is known: it stands in the roster, and nothing rings.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Contact {
    pub name: String,
    /// Rung on its devices, and by Web Push where none is connected.
    pub account: Option<AccountId>,
    /// Called by the gateway; digits, with a leading `+` or without.
    pub phone: Option<String>,
}
