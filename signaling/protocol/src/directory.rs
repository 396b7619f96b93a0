//! Sites and people, and whether they can be reached.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::ids::{AccountId, SiteCode};

/// The level of a site, from the top down.
#[derive(
    Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, ToSchema, TS,
)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum Tier {
    County,
    Township,
    Community,
}

/// What an account may do; what it may do it *to* is decided by its site (the
/// tier rule).
#[derive(
    Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, ToSchema, TS,
)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum Role {
    /// Commands at the county.
    Commander,
    /// Works the county console for the commander.
    Dispatcher,
    /// The room terminal and console of a township centre.
    Township,
    /// The room terminal and console of a community centre.
    Community,
    /// A patrol member or grid worker with a phone.
    Field,
    Administrator,
    Supervisor,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum Presence {
    Offline,
    Online,
    /// Connected, but beats are late or the media path is poor.
    Degraded,
}

/// WGS84, degrees.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize, ToSchema, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(export)]
pub struct Place {
    #[schema(minimum = -180, maximum = 180, example = 106.8118)]
    pub longitude: f64,
    #[schema(minimum = -90, maximum = 90, example = 32.2195)]
    pub latitude: f64,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct DirectorySite {
    pub code: SiteCode,
    pub name: String,
    pub tier: Tier,
    pub parent: Option<SiteCode>,
    pub place: Place,
    /// Absent for sites outside the client's own subtree.
    pub presence: Option<Presence>,
    /// True where the client may order (call with auto-answer, remove, mute);
    /// elsewhere it may only ask.
    pub commanded: bool,
}

/// Somebody who is called in person (a field phone); the people behind a
/// site's console and terminal are called through their site.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct DirectoryPerson {
    pub account: AccountId,
    pub name: String,
    pub role: Role,
    pub site: SiteCode,
    pub presence: Presence,
}

/// What one client may see: its own subtree with presence, and by name its
/// superiors and the sites under the same parent.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Directory {
    /// Parents before children, by code.
    pub sites: Vec<DirectorySite>,
    pub people: Vec<DirectoryPerson>,
}
