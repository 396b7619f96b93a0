//! What a journal entry's body holds.

use std::net::IpAddr;

use liandong_domain::{EVENT_VERSION, Event, Timestamp};
use serde::{Deserialize, Serialize};

/// One entry's body. `version` is that of the event's form.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    pub version: u16,
    #[serde(flatten)]
    pub content: Content,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Content {
    /// Changes the state of the county.
    Event(Event),
    /// Who came and went; for the audit only.
    Access(Access),
    /// What befell the journal itself; for the audit only.
    Upkeep(Upkeep),
}

/// What befell the journal.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Upkeep {
    /// From then to this entry nothing could be written.
    WasUnwritable {
        since: Timestamp,
        /// Orders and logins that were refused for it.
        refused: u32,
    },
}

/// Signing in and out. Never holds a password, token or hash.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Access {
    SignedIn {
        account: String,
        address: IpAddr,
    },
    SignedOut {
        account: String,
        address: IpAddr,
    },
    /// `account` is absent when there is none of that name: what people type
    /// there by mistake is often a password.
    SignInFailed {
        account: Option<String>,
        address: IpAddr,
    },
    /// A recovery code was used in place of a code.
    RecoveryCodeUsed {
        account: String,
        address: IpAddr,
    },
    SecondFactorSet {
        account: String,
        address: IpAddr,
    },
    SecondFactorRemoved {
        account: String,
        by: String,
        address: IpAddr,
    },
    /// A one-time link that signs in as the account.
    LinkMade {
        account: String,
        by: String,
        address: IpAddr,
    },
    LockedOut {
        account: Option<String>,
        address: IpAddr,
        for_ms: u64,
    },
}

impl Access {
    /// Who did it, if there is such an account.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        match self {
            Access::SignedIn { account, .. }
            | Access::SignedOut { account, .. }
            | Access::RecoveryCodeUsed { account, .. }
            | Access::SecondFactorSet { account, .. } => Some(account),
            // The actor is whoever did it.
            Access::SecondFactorRemoved { by, .. } | Access::LinkMade { by, .. } => Some(by),
            Access::SignInFailed { account, .. } | Access::LockedOut { account, .. } => {
                account.as_deref()
            }
        }
    }
}

impl Record {
    #[must_use]
    pub fn event(event: Event) -> Self {
        Self {
            version: EVENT_VERSION,
            content: Content::Event(event),
        }
    }

    /// Reads one entry's body.
    ///
    /// # Errors
    /// It is of a form that this program does not know.
    pub fn read(body: &str) -> Result<Self, String> {
        /// Read alone when the rest cannot be.
        #[derive(Deserialize)]
        struct Form {
            version: u16,
        }
        let record = serde_json::from_str::<Self>(body).map_err(|error| error.to_string());
        let form = match &record {
            Ok(record) => record.version,
            Err(_) => serde_json::from_str::<Form>(body).map_or(EVENT_VERSION, |form| form.version),
        };
        if form > EVENT_VERSION {
            return Err(format!(
                "it is of form {form}, and this one knows forms to {EVENT_VERSION}"
            ));
        }
        record
    }

    #[must_use]
    pub fn upkeep(upkeep: Upkeep) -> Self {
        Self {
            version: EVENT_VERSION,
            content: Content::Upkeep(upkeep),
        }
    }

    #[must_use]
    pub fn access(access: Access) -> Self {
        Self {
            version: EVENT_VERSION,
            content: Content::Access(access),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_in_the_journal_stays() {
        let access = Record::access(Access::SignedIn {
            account: "commander".into(),
            address: "10.0.0.1".parse().unwrap(),
        });
        let text = serde_json::to_string(&access).unwrap();
        assert_eq!(
            text,
            r#"{"version":1,"access":{"type":"signedIn","account":"commander","address":"10.0.0.1"}}"#
        );
        assert_eq!(serde_json::from_str::<Record>(&text).unwrap(), access);
        let event = Record::event(Event::Restarted {
            at: liandong_domain::Timestamp(5),
        });
        let text = serde_json::to_string(&event).unwrap();
        assert_eq!(text, r#"{"version":1,"event":{"type":"restarted","at":5}}"#);
        assert_eq!(serde_json::from_str::<Record>(&text).unwrap(), event);
    }
}
