//! What has happened to talk groups. The form in the journal is that of
//! [`crate::event`].

use serde::{Deserialize, Serialize};

use super::group::{AlarmKind, GroupPlan, Talk};
use super::order::Truth;
use crate::directory::Place;
use crate::ids::{AccountId, TalkGroupId};
use crate::time::Timestamp;

/// One thing that happened to the group of that number.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TalkEvent {
    pub group: TalkGroupId,
    /// Absent: the server itself.
    pub by: Option<AccountId>,
    pub at: Timestamp,
    pub what: TalkWhat,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum TalkWhat {
    Created {
        plan: GroupPlan,
    },
    /// The whole plan as it is now.
    Changed {
        plan: GroupPlan,
    },
    Dissolved,
    SosRaised {
        kind: AlarmKind,
        place: Option<Place>,
    },
    SosCancelled {
        who: AccountId,
        truth: Truth,
        text: String,
    },
    /// Is over when it is written.
    Spoke {
        talk: Talk,
    },
}
