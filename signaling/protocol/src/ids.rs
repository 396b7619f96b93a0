//! Names and numbers of things.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, TS)]
        #[serde(transparent)]
        #[ts(export)]
        pub struct $name(pub String);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    };
}

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, TS,
        )]
        #[serde(transparent)]
        #[ts(export)]
        pub struct $name(pub u32);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

text_id!(
    /// The administrative division code of a site (行政区划代码), e.g. `511922101`.
    SiteCode
);
text_id!(
    /// The login name of an account.
    AccountId
);
number_id!(
    /// One incident.
    IncidentId
);
number_id!(
    /// Numbered by the server in order of creation; never reused.
    ConferenceId
);
number_id!(
    /// One ring of one target; never reused.
    InvitationId
);
number_id!(
    /// One party's stay in one conference; never reused.
    ParticipantId
);
number_id!(
    /// One talk group; never reused.
    TalkGroupId
);
