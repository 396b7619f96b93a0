//! A conference with its invitations and participants.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, ConferenceId, InvitationId, ParticipantId, SiteCode};
use crate::invitation::Invitation;
use crate::participant::Participant;
use crate::time::Timestamp;

#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ConferenceKind {
    /// One calls one other party.
    PointToPoint,
    /// Called on the spot, to several, a tier or a subtree.
    AdHoc,
}

#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum ConferenceState {
    /// Nobody but the caller is in yet.
    Inviting,
    Live,
    Ended,
}

/// Why a conference is over.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum EndReason {
    Ordered,
    /// Nobody is left, or one callee alone.
    NobodyLeft,
    /// The host was alone until his wait was over.
    NobodyCame,
}

/// A conference with everybody who was called into it or was in it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Conference {
    pub id: ConferenceId,
    pub kind: ConferenceKind,
    pub state: ConferenceState,
    /// Empty when the caller gave none.
    pub title: String,
    pub called_by: AccountId,
    pub called_by_site: SiteCode,
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub chair: Option<ParticipantId>,
    /// For whom it stays when all others are gone: the caller, or whom the
    /// chair was handed to.
    pub host: AccountId,
    pub all_muted: bool,
    /// The host is alone and nothing rings: it ends then.
    pub alone_until: Option<Timestamp>,
    pub(crate) invitations: BTreeMap<InvitationId, Invitation>,
    pub(crate) participants: BTreeMap<ParticipantId, Participant>,
}

impl Conference {
    /// In order of issue, settled ones too.
    pub fn invitations(&self) -> impl Iterator<Item = &Invitation> {
        self.invitations.values()
    }

    /// In order of joining, those who left too.
    pub fn participants(&self) -> impl Iterator<Item = &Participant> {
        self.participants.values()
    }

    /// Those who are in or coming, in order of joining.
    pub fn present(&self) -> impl Iterator<Item = &Participant> {
        self.participants.values().filter(|one| one.is_present())
    }
}
