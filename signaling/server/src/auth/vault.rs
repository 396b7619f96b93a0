//! Password hashes and sessions on the disk: tables beside the journal, in
//! the same file, but never in an event.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use liandong_protocol::AccountId;
use rusqlite::{Connection, OptionalExtension, params};

use super::session::{Session, SessionId};
use crate::journal::{JournalError, sqlite};

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS passwords (
        account TEXT PRIMARY KEY,
        hash    TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS sessions (
        token_hash BLOB PRIMARY KEY,
        account    TEXT NOT NULL,
        created_ms INTEGER NOT NULL,
        seen_ms    INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
";

#[derive(Debug, thiserror::Error)]
#[error("accounts' store: {0}")]
pub struct VaultError(#[from] rusqlite::Error);

impl VaultError {
    /// What whoever runs the server is to do: the file is the journal's, too.
    #[must_use]
    pub fn mend(&self) -> &'static str {
        JournalError::from_store(&self.0).mend()
    }
}

/// All calls may wait for the disk: call them from blocking threads.
#[derive(Debug)]
pub struct Vault {
    connection: Mutex<Connection>,
}

impl Vault {
    /// # Errors
    /// When the store cannot be opened or written.
    pub fn open(folder: &Path) -> Result<Self, VaultError> {
        let connection = sqlite::open(folder)?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self {
            connection: Mutex::new(connection),
        })
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// # Errors
    /// When the store cannot be read.
    pub fn password(&self, account: &AccountId) -> Result<Option<String>, VaultError> {
        Ok(self
            .connection()
            .query_row(
                "SELECT hash FROM passwords WHERE account = ?1",
                [&account.0],
                |row| row.get(0),
            )
            .optional()?)
    }

    /// # Errors
    /// When the store cannot be read.
    pub fn passwords(&self) -> Result<BTreeMap<AccountId, String>, VaultError> {
        let connection = self.connection();
        let mut select = connection.prepare("SELECT account, hash FROM passwords")?;
        let rows = select.query_map([], |row| Ok((AccountId(row.get(0)?), row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Makes `passwords` the only ones, and ends the sessions of everybody
    /// whose password changed or went.
    ///
    /// # Errors
    /// When the store cannot be written; then all is as before.
    pub fn set_passwords(&self, passwords: &BTreeMap<AccountId, String>) -> Result<(), VaultError> {
        let before = self.passwords()?;
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        for account in before
            .iter()
            .filter(|(account, hash)| passwords.get(account) != Some(hash))
            .map(|(account, _)| account)
        {
            transaction.execute("DELETE FROM passwords WHERE account = ?1", [&account.0])?;
            transaction.execute("DELETE FROM sessions WHERE account = ?1", [&account.0])?;
        }
        for (account, hash) in passwords
            .iter()
            .filter(|(account, hash)| before.get(account) != Some(hash))
        {
            transaction.execute(
                "INSERT INTO passwords (account, hash) VALUES (?1, ?2)",
                params![account.0, hash],
            )?;
        }
        Ok(transaction.commit()?)
    }

    /// # Errors
    /// When the store cannot be read.
    pub fn sessions(&self) -> Result<Vec<(SessionId, Session)>, VaultError> {
        let connection = self.connection();
        let mut select =
            connection.prepare("SELECT token_hash, account, created_ms, seen_ms FROM sessions")?;
        let rows = select.query_map([], |row| {
            Ok((
                SessionId(row.get(0)?),
                Session {
                    account: AccountId(row.get(1)?),
                    created_ms: row.get(2)?,
                    seen_ms: row.get(3)?,
                },
            ))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// New, or seen again.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn keep_session(&self, id: SessionId, session: &Session) -> Result<(), VaultError> {
        self.connection().execute(
            "INSERT INTO sessions (token_hash, account, created_ms, seen_ms)
             VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (token_hash) DO UPDATE SET seen_ms = excluded.seen_ms",
            params![id.0, session.account.0, session.created_ms, session.seen_ms],
        )?;
        Ok(())
    }

    /// # Errors
    /// When the store cannot be written.
    pub fn forget_sessions(&self, ids: &[SessionId]) -> Result<(), VaultError> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        for id in ids {
            transaction.execute("DELETE FROM sessions WHERE token_hash = ?1", [id.0])?;
        }
        Ok(transaction.commit()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passwords(of: &[(&str, &str)]) -> BTreeMap<AccountId, String> {
        of.iter()
            .map(|(account, hash)| (AccountId::from(*account), (*hash).to_owned()))
            .collect()
    }

    #[test]
    fn changed_password_ends_the_sessions_of_its_account_only() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::open(folder.path()).unwrap();
        vault
            .set_passwords(&passwords(&[("a", "1"), ("b", "2"), ("c", "3")]))
            .unwrap();
        for (n, account) in ["a", "b", "c"].into_iter().enumerate() {
            let session = Session {
                account: account.into(),
                created_ms: 1,
                seen_ms: 1,
            };
            vault
                .keep_session(SessionId([u8::try_from(n).unwrap(); 32]), &session)
                .unwrap();
        }
        let after = passwords(&[("a", "1"), ("b", "9"), ("d", "4")]);
        vault.set_passwords(&after).unwrap();
        assert_eq!(vault.passwords().unwrap(), after);
        let left = vault.sessions().unwrap();
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].1.account, AccountId::from("a"));
        vault.forget_sessions(&[left[0].0]).unwrap();
        assert!(vault.sessions().unwrap().is_empty());
    }
}
