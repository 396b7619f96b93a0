//! What can be ordered about talk groups.

use serde::{Deserialize, Serialize};

use super::group::{AlarmKind, GroupPlan, Talk};
use crate::directory::Place;
use crate::ids::{AccountId, TalkGroupId};

/// Whether an alarm was one.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Truth {
    True,
    False,
}

/// One order about talk groups.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum TalkOrder {
    Create {
        plan: GroupPlan,
    },
    /// The whole plan as it is to be.
    Change {
        group: TalkGroupId,
        plan: GroupPlan,
    },
    Dissolve {
        group: TalkGroupId,
    },
    /// Who raises it speaks before all others until it is cancelled.
    RaiseSos {
        group: TalkGroupId,
        kind: AlarmKind,
        /// Where he is, if his device knows.
        place: Option<Place>,
    },
    CancelSos {
        group: TalkGroupId,
        /// Who raised it.
        who: AccountId,
        truth: Truth,
        text: String,
    },
    /// By the server only: somebody spoke, for the audit.
    Spoke {
        group: TalkGroupId,
        talk: Talk,
    },
}

/// An order without its arguments, for the table of authority.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum TalkOrderKind {
    Create,
    Change,
    Dissolve,
    RaiseSos,
    CancelSos,
    Spoke,
}

impl TalkOrderKind {
    pub const ALL: [TalkOrderKind; 6] = [
        TalkOrderKind::Create,
        TalkOrderKind::Change,
        TalkOrderKind::Dissolve,
        TalkOrderKind::RaiseSos,
        TalkOrderKind::CancelSos,
        TalkOrderKind::Spoke,
    ];
}

impl TalkOrder {
    #[must_use]
    pub fn kind(&self) -> TalkOrderKind {
        match self {
            TalkOrder::Create { .. } => TalkOrderKind::Create,
            TalkOrder::Change { .. } => TalkOrderKind::Change,
            TalkOrder::Dissolve { .. } => TalkOrderKind::Dissolve,
            TalkOrder::RaiseSos { .. } => TalkOrderKind::RaiseSos,
            TalkOrder::CancelSos { .. } => TalkOrderKind::CancelSos,
            TalkOrder::Spoke { .. } => TalkOrderKind::Spoke,
        }
    }
}
