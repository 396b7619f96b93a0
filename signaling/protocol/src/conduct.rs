//! Conducting a conference (会控): what is ordered in a call, and what is told of it.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::client::Target;
use crate::directory::Tier;
use crate::ids::{AccountId, ConferenceId, ParticipantId};

/// How the word is given.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum ConferenceMode {
    /// Whoever comes in speaks.
    Free,
    /// Whoever comes in listens until the chair permits more.
    Chaired,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum ParticipantRole {
    Chair,
    /// Conducts like the chair, but neither ends the conference nor passes the chair on.
    CoChair,
    Speaker,
    /// Heard and seen only as far as it is permitted.
    Listener,
    /// Listens in (督导旁听), as all others see.
    Observer,
}

/// What a participant can be made. The chair is handed over.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum AssignedRole {
    CoChair,
    Speaker,
    Listener,
    Observer,
}

/// One step of conducting a conference.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
#[ts(export)]
pub enum Conduct {
    SetMode {
        mode: ConferenceMode,
    },
    SetRole {
        participant: ParticipantId,
        role: AssignedRole,
    },
    /// What the media server lets through of a participant; a word that is given lowers
    /// its hand and lifts its mute.
    Permit {
        participant: ParticipantId,
        sound: bool,
        picture: bool,
    },
    /// The own hand.
    Hand {
        raised: bool,
    },
    LowerHand {
        participant: ParticipantId,
    },
    /// Nobody new, except who is ordered in.
    Lock {
        locked: bool,
    },
    /// Whoever comes by himself waits to be admitted.
    SetLobby {
        open: bool,
    },
    /// Comes in by itself through a [`Door`], or from above (强插, with a reason). Reply:
    /// `Accepted`, or `Done` when it has to wait in the lobby.
    Enter {
        #[serde(default)]
        #[ts(optional)]
        reason: Option<String>,
    },
    /// Waits in the lobby no longer.
    Withdraw,
    Admit {
        account: AccountId,
        admitted: bool,
    },
    /// Takes a participant into another conference.
    Move {
        participant: ParticipantId,
        to: ConferenceId,
        reason: String,
    },
    /// Brings a site or person in: terminals that may answer by themselves do so at once.
    Insert {
        target: Target,
        reason: String,
    },
    /// Listens in (督导旁听), as all others see, who are told why. Reply: `Accepted`.
    Observe {
        reason: String,
    },
    /// One named party speaks to all, large on every wall (点名发言).
    CallUp {
        participant: ParticipantId,
    },
    /// The next one in the order of sites; after the last it is over.
    NextSpeaker,
    /// Whoever orders it, or all of a tier, speaks; all others but the chair are closed (广播).
    Broadcast {
        tier: Option<Tier>,
    },
    /// Of called up and broadcast: what was permitted before counts again.
    EndAddress,
    /// Large on every wall; absent: nobody.
    Spotlight {
        participant: Option<ParticipantId>,
    },
    /// Large one after the other (轮巡), 5 to 600 s each. No accounts: everybody but the chair.
    StartCarousel {
        accounts: Vec<AccountId>,
        interval_s: u32,
    },
    PauseCarousel {
        paused: bool,
    },
    NextInCarousel,
    StopCarousel,
    /// Calls the roll (点名); absent members are rung and have 5 to 300 s to come.
    StartRoll {
        order: RollOrder,
        answer_s: u32,
    },
    StopRoll,
    /// Switches another's camera or microphone, shown there with the reason. Terminals that may
    /// answer by themselves obey, phones ask.
    OrderDevice {
        participant: ParticipantId,
        device: MediaDevice,
        on: bool,
        reason: String,
    },
    /// What this device did about such an order.
    AnswerDevice {
        device: MediaDevice,
        obeyed: bool,
        /// `at_ms` of the order that it answers. One that another has overtaken meanwhile is
        /// not settled by it.
        asked_at_ms: f64,
    },
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum MediaDevice {
    Microphone,
    Camera,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum DeviceOrderState {
    /// The device has not said yet.
    Asked,
    Obeyed,
    Refused,
}

/// The last order about a participant's camera or microphone, as long as it holds.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct DeviceOrder {
    pub by_name: String,
    pub on: bool,
    /// From above: a room's terminal that may answer by itself obeys at once. Otherwise
    /// whoever is there is asked.
    pub ordered: bool,
    pub reason: String,
    pub at_ms: f64,
    pub state: DeviceOrderState,
}

/// Who speaks to all while all others but the chair are closed.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
#[ts(export)]
pub enum Address {
    Named {
        participant: ParticipantId,
    },
    /// Absent tier: the one who ordered it.
    Broadcast {
        tier: Option<Tier>,
    },
}

/// Shows one party after the other.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Carousel {
    pub interval_s: u32,
    pub paused: bool,
    /// When the next one comes.
    pub until_ms: Option<f64>,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum RollOrder {
    /// One after the other, large on every wall.
    InOrder,
    /// All at once.
    Parallel,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum RollState {
    Waiting,
    /// Called and not there.
    Called,
    Present,
    /// Came after it was called.
    Late,
    /// Called away into a higher conference.
    Away,
    Absent,
}

/// One line of the sheet.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct RollEntry {
    pub name: String,
    /// The site's code, or the account.
    pub code: String,
    pub state: RollState,
    pub late_ms: Option<f64>,
    /// What the media server received of it, from its own counts.
    pub sound: bool,
    pub picture: bool,
}

/// A roll call and its sheet.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Roll {
    pub order: RollOrder,
    pub started_at_ms: f64,
    pub ended_at_ms: Option<f64>,
    pub entries: Vec<RollEntry>,
}

/// Somebody who waits in the lobby.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Knock {
    pub account: AccountId,
    pub name: String,
    pub since_ms: f64,
}

/// A conference that the client is not in and may come into by itself, or has a place in.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Door {
    pub conference: ConferenceId,
    pub title: String,
    /// Of the site that called it.
    pub from_site_name: String,
    pub state: DoorState,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum DoorState {
    Open,
    /// There is a lobby: the chair admits.
    Lobby,
    Locked,
    /// Waits in the lobby.
    Knocking,
    /// Its place there is kept while it is in a higher conference.
    Held,
}

/// Why a client is in a conference that it did not ask for at this moment.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
#[ts(export)]
pub enum StayReason {
    /// Out of the lobby.
    Admitted,
    /// The higher conference is over for it.
    GivenBack,
    /// By order out of another one.
    Moved { by_name: String, reason: String },
}

/// What was done in a conference, for everybody in it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
#[ts(export)]
pub enum ConductNotice {
    /// It came in from above by its own order (强插).
    Entered {
        name: String,
        reason: String,
    },
    /// It came in from above to listen (督导旁听).
    Observes {
        name: String,
        reason: String,
    },
    /// A higher conference has called it away.
    Held {
        name: String,
    },
    GivenBack {
        name: String,
    },
    Moved {
        name: String,
        by_name: String,
        reason: String,
    },
}
