//! Push-to-talk: groups, the floor, alarms.
//!
//! A client listens to a group ([`FloorAct::Listen`]), negotiates its sound
//! ([`FloorAct::Offer`]: one sendonly audio, up to four recvonly audios, nothing else), and from then on asks for
//! the floor and gives it back. The media server drops what it sends unless it
//! holds the floor. Everything is told as it is now, by [`TalkNews`]; nothing has
//! to be remembered from one push to the next.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::directory::Place;
use crate::ids::{AccountId, SiteCode, TalkGroupId};

/// How much a member counts among the members.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum GroupStanding {
    Volunteer,
    Member,
    Leader,
}

/// Whoever is there belongs to the group.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
#[ts(export)]
pub enum GroupArea {
    /// A site and all below it.
    Subtree { root: SiteCode },
    /// On the map, in metres; field units as their devices say ([`crate::Request::Here`]).
    Circle { center: Place, radius_m: u32 },
}

/// Of several groups, the more important one is heard louder.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum GroupPriority {
    Routine,
    Raised,
    Command,
}

/// How the floor is given; in seconds.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(export)]
pub struct FloorRules {
    /// 5 to 300
    pub talk_limit_s: u16,
    /// Up to 10
    pub grace_s: u16,
    /// 2 to 30
    pub media_end_s: u16,
    /// Up to 64
    pub queue_length: u8,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(export)]
pub struct GroupMember {
    pub account: AccountId,
    pub standing: GroupStanding,
}

/// What somebody orders of a group.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(export)]
pub struct GroupPlan {
    /// 1 to 64 characters.
    pub name: String,
    /// Whose group it is.
    pub site: SiteCode,
    /// Up to 600, besides whoever is in the area.
    pub members: Vec<GroupMember>,
    pub area: Option<GroupArea>,
    pub priority: GroupPriority,
    pub rules: FloorRules,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum AlarmKind {
    ImminentPeril,
    Sos,
}

/// Whether an alarm was one.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum AlarmTruth {
    True,
    False,
}

/// An order about groups; journaled.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
#[ts(export)]
pub enum TalkOrder {
    /// Reply: `GroupCreated`.
    Create {
        plan: GroupPlan,
    },
    /// The whole plan as it is to be. Reply: `Done`, as for all others.
    Change {
        group: TalkGroupId,
        plan: GroupPlan,
    },
    Dissolve {
        group: TalkGroupId,
    },
    /// Whoever raises it speaks before all others until it is cancelled.
    RaiseSos {
        group: TalkGroupId,
        kind: AlarmKind,
        place: Option<Place>,
    },
    CancelSos {
        group: TalkGroupId,
        /// Who raised it.
        who: AccountId,
        truth: AlarmTruth,
        text: String,
    },
}

/// What a client does with the floor of a group; never journaled.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
#[ts(export)]
pub enum FloorAct {
    /// Listens from now on; up to eight groups at a time. Reply: `Done`.
    Listen,
    /// Listens no longer. Reply: `Done`.
    Leave,
    /// Sound, once per connection to the media server; as [`crate::Request::Offer`]
    /// otherwise. Reply: `Answer`.
    Offer { sdp: String },
    /// The key is pressed. Reply: `Done`; the outcome comes as [`TalkNews::Standing`].
    Request,
    /// The key is let go, or the place in the queue given up. Reply: `Done`.
    Release,
}

/// An alarm that nobody has cancelled.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct GroupSos {
    pub account: AccountId,
    pub name: String,
    pub kind: AlarmKind,
    pub place: Option<Place>,
    pub at_ms: f64,
}

/// One group, as this client may see it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct TalkGroup {
    pub id: TalkGroupId,
    pub plan: GroupPlan,
    pub sos: Vec<GroupSos>,
    /// The client may change and dissolve it, and cancel its alarms.
    pub commanded: bool,
    /// The client's account belongs to it; otherwise it oversees it.
    pub member: bool,
    /// The client may speak, not only listen.
    pub speaks: bool,
}

/// Whose word counts more: the later.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum TalkRank {
    Volunteer,
    Member,
    PatrolLeader,
    Township,
    CountyDispatcher,
    CountyCommander,
    ImminentPeril,
    Sos,
}

/// Somebody who speaks or waits.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Talker {
    pub account: AccountId,
    pub name: String,
    pub rank: TalkRank,
}

/// Who speaks.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct FloorHolder {
    pub talker: Talker,
    pub since_ms: f64,
    /// Of the talk limit, or of the grace after it.
    pub until_ms: f64,
    /// The limit has come.
    pub revoked: bool,
}

/// The floor of one group.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct GroupFloor {
    pub group: TalkGroupId,
    pub holder: Option<FloorHolder>,
    /// The next to speak first.
    pub queue: Vec<Talker>,
}

/// Who listens to a group; nobody does so unseen.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct GroupListeners {
    pub group: TalkGroupId,
    /// Devices.
    pub count: u32,
    /// The first 64 by name.
    pub names: Vec<String>,
}

/// Why the floor was not given, or was taken away.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum FloorCause {
    /// Another one speaks, and nobody may wait.
    Taken,
    /// Nobody else listens.
    OnlyOne,
    ReceiveOnly,
    QueueFull,
    NotListening,
    TooLong,
    NoMedia,
    Preempted,
    NotAllowed,
}

/// How the client itself stands in a group that it listens to.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
#[ts(export)]
pub enum FloorStanding {
    /// With why, when it was denied or taken away.
    Silent { cause: Option<FloorCause> },
    /// At this place, from 1.
    Queued { position: u32 },
    Holding {
        until_ms: f64,
        /// The limit has come: to be finished by `until_ms`.
        revoked: bool,
    },
}

/// Why somebody stopped speaking.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum TalkEnd {
    Released,
    TooLong,
    NoMedia,
    Preempted,
    Lost,
    NotAllowed,
}

/// Somebody spoke.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Talk {
    pub talker: Talker,
    pub from_ms: f64,
    pub until_ms: f64,
    pub end: TalkEnd,
}

/// What is new about talk groups.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
#[ts(export)]
pub enum TalkNews {
    /// Replaces all that the client knows of talk groups: after every welcome and resync.
    /// The others follow for each group.
    All {
        groups: Vec<TalkGroup>,
    },
    /// New or changed.
    Group {
        group: TalkGroup,
    },
    /// Dissolved, or no longer for this client.
    Gone {
        group: TalkGroupId,
    },
    Floor {
        floor: GroupFloor,
    },
    Listeners {
        listeners: GroupListeners,
    },
    /// Only to the client itself.
    Standing {
        group: TalkGroupId,
        standing: FloorStanding,
    },
    /// The last talks, the newest last; one, when it has just ended.
    Spoke {
        group: TalkGroupId,
        talks: Vec<Talk>,
    },
    /// The media server has lost this client's sound: send a new offer.
    MediaLost {
        group: TalkGroupId,
    },
    /// As `Push::SpeechRate`, of this client's sound in the group.
    SpeechRate {
        group: TalkGroupId,
        bits_per_second: Option<u32>,
    },
}
