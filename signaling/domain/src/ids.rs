//! Names and numbers of things.

use serde::{Deserialize, Serialize};

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        #[serde(transparent)]
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
            Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize,
        )]
        #[serde(transparent)]
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
    /// Numbered from 1 in order of creation; never reused.
    ConferenceId
);
number_id!(
    /// Numbered from 1 in order of report; never reused.
    IncidentId
);
number_id!(
    /// One ring of one callee; numbered from 1, never reused.
    InvitationId
);
number_id!(
    /// One party's stay in one conference; numbered from 1, never reused.
    ParticipantId
);
number_id!(
    /// Numbered from 1 in order of creation; never reused.
    TalkGroupId
);
number_id!(
    /// One plan, all its versions; numbered from 1, never reused.
    PlanId
);
number_id!(
    /// A plan at work on one incident; numbered from 1, never reused.
    RunId
);
number_id!(
    /// One shift of the duty roster; numbered from 1, never reused.
    DutyId
);
number_id!(
    /// What is tried to reach one callee who was missed; numbered from 1, never reused.
    PursuitId
);
