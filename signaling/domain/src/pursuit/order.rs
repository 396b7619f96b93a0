//! What can be ordered about pursuits.

use serde::{Deserialize, Serialize};

use super::state::AttemptResult;
use crate::ids::{InvitationId, PursuitId};

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum PursuitOrder {
    /// Go after the callee of a missed invitation, by somebody in that call.
    Pursue { invitation: InvitationId },
    /// By the server: what a channel says of one attempt.
    Result {
        pursuit: PursuitId,
        attempt: u32,
        result: AttemptResult,
    },
}

/// An order without its arguments, for the table of authority.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum PursuitOrderKind {
    Pursue,
    Result,
}

impl PursuitOrderKind {
    pub const ALL: [PursuitOrderKind; 2] = [PursuitOrderKind::Pursue, PursuitOrderKind::Result];
}

impl PursuitOrder {
    #[must_use]
    pub fn kind(&self) -> PursuitOrderKind {
        match self {
            PursuitOrder::Pursue { .. } => PursuitOrderKind::Pursue,
            PursuitOrder::Result { .. } => PursuitOrderKind::Result,
        }
    }
}
