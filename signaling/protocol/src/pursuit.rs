//! Pursuits (追呼): what is tried to reach somebody who was missed.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::client::Target;
use crate::ids::{ConferenceId, PursuitId};

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum PursuitState {
    Calling,
    /// Nothing helped; the tier above knows.
    ToldAbove,
    Exhausted,
    Reached,
    Stopped,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum PursuitChannel {
    /// Connected devices: console, room terminal, phone.
    Devices,
    WebPush,
    /// Text message or call.
    Gateway,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum AttemptResult {
    Answered,
    Acknowledged,
    /// The channel took it; whether anybody reads it is not known.
    Delivered,
    NoAnswer,
    Declined,
    Busy,
    Unreachable,
    Failed,
    Stopped,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Pursuit {
    pub id: PursuitId,
    pub conference: ConferenceId,
    pub target: Target,
    pub name: String,
    pub state: PursuitState,
    pub opened_at_ms: f64,
    /// Name of the site above that was told.
    pub told_name: Option<String>,
    /// Name of whoever came or acknowledged.
    pub reached_name: Option<String>,
    pub attempts: Vec<Attempt>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Attempt {
    pub name: String,
    pub channel: PursuitChannel,
    pub at_ms: f64,
    /// Absent: it is being tried.
    pub result: Option<AttemptResult>,
    pub result_at_ms: Option<f64>,
}
