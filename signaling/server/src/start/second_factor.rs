//! `liandong second-factor remove`: what nobody who is signed in can do, since those who may lost
//! their phones and recovery codes, too. On the data folder of a stopped server.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use liandong_protocol::AccountId;

use super::{StartError, lock};
use crate::auth::session::SessionId;
use crate::auth::vault::{Vault, VaultError};
use crate::clock;
use crate::journal::record::{Access, Record};
use crate::journal::sqlite::{FILE_NAME, SqliteJournal};
use crate::journal::{Draft, Journal as _, JournalError};

/// Whoever works on the machine itself has no account there.
const BY: &str = "system";

/// Each names its mend.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RemovalError {
    #[error("no data in {0}: name the data folder of a server with --data")]
    NoData(PathBuf),
    #[error("{0} has no second factor: write the account as for a login")]
    NoSecondFactor(String),
    /// Above all that the server still runs.
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("{0}; {mend}", mend = .0.mend())]
    Journal(#[from] JournalError),
    #[error("{0}; {mend}", mend = .0.mend())]
    Vault(#[from] VaultError),
}

/// The account has no second factor and no session from then on, and the journal tells it.
///
/// # Errors
/// See [`RemovalError`].
pub async fn remove(data: &Path, account: &str) -> Result<(), RemovalError> {
    if !data.join(FILE_NAME).exists() {
        return Err(RemovalError::NoData(data.to_owned()));
    }
    let lock = lock(data)?;
    let vault = Vault::open(data)?;
    let account = AccountId::from(account);
    if vault.second_factor(&account)?.is_none() {
        return Err(RemovalError::NoSecondFactor(account.0));
    }
    // Written down first: whoever takes a lock away is known.
    let journal = SqliteJournal::open(data)?;
    journal.append(vec![entry(&account)?]).await?;
    let sessions = vault.sessions()?.into_iter();
    let own: Vec<SessionId> = sessions
        .filter(|(_, session)| session.account == account)
        .map(|(id, _)| id)
        .collect();
    vault.forget_sessions(&own)?;
    // Last, so that a try that failed half-way can be made again.
    vault.forget_second_factor(&account)?;
    drop(lock);
    Ok(())
}

fn entry(account: &AccountId) -> Result<Draft, JournalError> {
    let removed = Access::SecondFactorRemoved {
        account: account.0.clone(),
        by: BY.to_owned(),
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
    };
    let body = serde_json::to_string(&Record::access(removed));
    Ok(Draft {
        at_ms: clock::now_ms(),
        actor: BY.to_owned(),
        body: body.map_err(|error| JournalError::Unavailable(error.to_string()))?,
    })
}
