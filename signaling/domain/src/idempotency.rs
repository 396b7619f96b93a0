//! Every order with a key acts once.

use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::ids::{ConferenceId, InvitationId, ParticipantId};
use crate::order::Order;

/// What an order gave, for the reply to whoever ordered.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Outcome {
    Called {
        conference: ConferenceId,
        invitations: Vec<InvitationId>,
    },
    Accepted {
        conference: ConferenceId,
        participant: ParticipantId,
    },
    Done,
}

/// What [`crate::County::decide_once`] found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Decision {
    /// Journal these, apply them, then reply with the outcome.
    New {
        events: Vec<Event>,
        outcome: Outcome,
    },
    /// The order was carried out before: nothing to journal, the same reply.
    Repeated(Outcome),
}

impl Outcome {
    /// Reads the outcome of an order from the events that it gave.
    #[must_use]
    pub fn of(_order: &Order, _events: &[Event]) -> Self {
        Outcome::Done
    }
}
