//! Names and numbers of things.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

macro_rules! text_id {
    ($(#[$meta:meta])* $name:ident) => {
        #[derive(
            Clone,
            Debug,
            Deserialize,
            Eq,
            Hash,
            Ord,
            PartialEq,
            PartialOrd,
            Serialize,
            ToSchema,
            TS,
        )]
        #[serde(transparent)]
        #[ts(export)]
        $(#[$meta])*
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
    ($(#[$meta:meta])* $name:ident) => {
        #[derive(
            Clone,
            Copy,
            Debug,
            Deserialize,
            Eq,
            Hash,
            Ord,
            PartialEq,
            PartialOrd,
            Serialize,
            ToSchema,
            TS,
        )]
        #[serde(transparent)]
        #[ts(export)]
        $(#[$meta])*
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
    #[schema(min_length = 1, max_length = 32, pattern = r"^[0-9A-Za-z]+$", example = "511922101")]
    SiteCode
);
text_id!(
    /// The login name of an account.
    #[schema(example = "commander")]
    AccountId
);
number_id!(
    /// One incident.
    #[schema(example = 17)]
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
number_id!(
    /// One plan, all its versions.
    PlanId
);
number_id!(
    /// A plan at work on one incident.
    RunId
);
number_id!(
    /// One shift of the duty roster.
    DutyId
);
number_id!(
    /// What is tried to reach one who was missed.
    PursuitId
);
