//! REST: login, session.
//!
//! * `POST /api/login` [`Login`] → 200 [`Me`] and the session cookie, 401, 423 (locked), 429
//! * `POST /api/login/link` [`LinkLogin`] → as above: a one-time link for a phone
//! * `POST /api/logout` → 204
//! * `GET /api/second-factor` [`SecondFactorState`]; `POST …/begin` [`Enrolment`], `…/confirm` [`Code`] →
//!   [`RecoveryCodes`], `…/remove` [`Code`] → 204; `…/reset` [`OfAccount`] → 204, for administrators
//! * `POST /api/links` [`OfAccount`] → [`LoginLink`], for administrators and dispatchers
//! * `GET /api/me` → 200 [`Me`], 401
//!
//! Every error body is a [`crate::Refusal`]. Other platforms have a door of their own: [`crate::platform`].

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::directory::{Role, Tier};
use crate::ids::{AccountId, SiteCode};

#[derive(Clone, Deserialize, Serialize, ToSchema, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(export)]
pub struct Login {
    pub account: AccountId,
    #[schema(format = Password, example = "a long password")]
    pub password: String,
    /// Of the second factor, where the account has one: six digits, or a recovery code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub code: Option<String>,
}

impl std::fmt::Debug for Login {
    /// Never shows the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login")
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

/// A code of one's own second factor.
#[derive(Clone, Deserialize, Serialize, ToSchema, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(export)]
pub struct Code {
    pub code: String,
}

/// How it is with one's own second factor.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct SecondFactorState {
    pub enrolled: bool,
    /// The role must have one; until then nothing else is allowed.
    pub required: bool,
    pub recovery_codes_left: u32,
}

/// For an authenticator app.
#[derive(Clone, Deserialize, Serialize, ToSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Enrolment {
    /// Base32 (RFC 4648), to be typed where nothing can be scanned.
    pub secret: String,
    /// `otpauth:`, as a picture to be scanned: SVG.
    pub qr_svg: String,
    pub uri: String,
}

/// Each is good once; shown once.
#[derive(Clone, Deserialize, Serialize, ToSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct RecoveryCodes {
    pub codes: Vec<String>,
}

/// Names an account.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(export)]
pub struct OfAccount {
    pub account: AccountId,
}

/// A link that signs in once.
#[derive(Clone, Deserialize, Serialize, ToSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct LoginLink {
    pub url: String,
    /// The same to be scanned: SVG.
    pub qr_svg: String,
    pub expires_ms: f64,
}

/// What the link holds behind `#link=`.
#[derive(Clone, Deserialize, Serialize, ToSchema, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(export)]
pub struct LinkLogin {
    pub token: String,
}

macro_rules! shows_nothing {
    ($($secret:ident),*) => {$(
        impl std::fmt::Debug for $secret {
            /// Never shows what is secret in it.
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($secret)).finish_non_exhaustive()
            }
        }
    )*};
}
shows_nothing!(Code, Enrolment, RecoveryCodes, LoginLink, LinkLogin);

/// Who is logged in.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Me {
    pub account: AccountId,
    #[schema(example = "县指挥长")]
    pub name: String,
    pub role: Role,
    pub site: SiteCode,
    #[schema(example = "南江县")]
    pub site_name: String,
    pub tier: Tier,
    /// The county's name, for the title bar.
    #[schema(example = "南江县")]
    pub county_name: String,
}
