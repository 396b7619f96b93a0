//! REST: login, session.
//!
//! * `POST /api/login` [`Login`] → 200 [`Me`] and the session cookie, 401, 423 (locked), 429
//! * `POST /api/logout` → 204
//! * `GET /api/me` → 200 [`Me`], 401
//!
//! Every error body is a [`crate::Refusal`].

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::directory::{Role, Tier};
use crate::ids::{AccountId, SiteCode};

#[derive(Clone, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(export)]
pub struct Login {
    pub account: AccountId,
    pub password: String,
}

impl std::fmt::Debug for Login {
    /// Never shows the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login")
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

/// Who is logged in.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Me {
    pub account: AccountId,
    pub name: String,
    pub role: Role,
    pub site: SiteCode,
    pub site_name: String,
    pub tier: Tier,
    /// The county's name, for the title bar.
    pub county_name: String,
}
