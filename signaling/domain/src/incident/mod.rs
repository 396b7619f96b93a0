//! Incidents: something that happened, from its report to its review.
//!
//! * [`state`] – the life of an incident and of each responder, as tables
//! * [`order`] – what can be ordered, [`event`] – what has happened
//! * [`dossier`] – what is known of one incident, as the events give it
//! * [`file`] – photos, voice notes, documents
//! * `deciding` – who may do what, and what follows
//! * [`near`] – which others may be the same one

mod deciding;
pub mod dossier;
pub mod event;
pub mod file;
pub mod near;
pub mod order;
pub mod state;

use serde::{Deserialize, Serialize};

pub use dossier::{Incident, Responder, TimelineEntry};
pub use event::IncidentEvent;
pub use file::FileRef;
pub use order::{IncidentOrder, IncidentOrderKind, Report, Step};
pub use state::{IncidentInput, IncidentState, ResponderState};

/// What sort of thing happened.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum IncidentKind {
    /// 突发性: an accident, a fire, a flood.
    Sudden,
    /// 涉众性: many people are concerned or gather.
    Mass,
    /// 应急性: what emergency plans are kept for.
    Contingency,
}

/// How grave, as in the national scale: I (red) is the gravest.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Level {
    I,
    II,
    III,
    IV,
}

/// Through what door a report came in.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum ReportSource {
    /// Somebody who is signed in, at a console, a room terminal or with a phone.
    Account,
    /// Another platform (12345, grid platform, camera analytics …) by the HTTP interface.
    Platform {
        /// As the configuration names it.
        name: String,
        /// The platform's own number of the report: sent twice, it is one incident.
        reference: String,
    },
}

impl ReportSource {
    /// Both by accounts, or both by the same platform.
    pub(crate) fn is_same_door(&self, other: &Self) -> bool {
        match (self, other) {
            (ReportSource::Account, ReportSource::Account) => true,
            (ReportSource::Platform { name, .. }, ReportSource::Platform { name: other, .. }) => {
                name == other
            }
            (ReportSource::Account, ReportSource::Platform { .. })
            | (ReportSource::Platform { .. }, ReportSource::Account) => false,
        }
    }
}
