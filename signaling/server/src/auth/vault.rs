//! Password hashes and sessions on the disk: tables beside the journal, in
//! the same file, but never in an event.

use std::collections::{BTreeMap, BTreeSet};
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
    CREATE TABLE IF NOT EXISTS second_factors (
        account   TEXT PRIMARY KEY,
        secret    BLOB NOT NULL,
        last_step INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS recovery_codes (
        account TEXT NOT NULL,
        hash    BLOB NOT NULL,
        PRIMARY KEY (account, hash)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS login_links (
        hash       BLOB PRIMARY KEY,
        account    TEXT NOT NULL,
        expires_ms INTEGER NOT NULL
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

/// The second factor.
impl Vault {
    /// Accounts that have one.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn second_factor_accounts(&self) -> Result<BTreeSet<AccountId>, VaultError> {
        let connection = self.connection();
        let mut select = connection.prepare("SELECT account FROM second_factors")?;
        let rows = select.query_map([], |row| Ok(AccountId(row.get(0)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The secret that the account's app has.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn second_factor(&self, account: &AccountId) -> Result<Option<Vec<u8>>, VaultError> {
        Ok(self
            .connection()
            .query_row(
                "SELECT secret FROM second_factors WHERE account = ?1",
                [&account.0],
                |row| row.get(0),
            )
            .optional()?)
    }

    /// Instead of any that was there; `step` is that of the code that confirmed it.
    ///
    /// # Errors
    /// When the store cannot be written; then all is as before.
    pub fn keep_second_factor(
        &self,
        account: &AccountId,
        secret: &[u8],
        step: u64,
        recovery: &[[u8; 32]],
    ) -> Result<(), VaultError> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        forget_second_factor(&transaction, account)?;
        transaction.execute(
            "INSERT INTO second_factors (account, secret, last_step) VALUES (?1, ?2, ?3)",
            params![account.0, secret, step],
        )?;
        for hash in recovery {
            transaction.execute(
                "INSERT INTO recovery_codes (account, hash) VALUES (?1, ?2)",
                params![account.0, hash],
            )?;
        }
        Ok(transaction.commit()?)
    }

    /// True the first time only, and never for a step before one that was used.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn use_step(&self, account: &AccountId, step: u64) -> Result<bool, VaultError> {
        let changed = self.connection().execute(
            "UPDATE second_factors SET last_step = ?2 WHERE account = ?1 AND last_step < ?2",
            params![account.0, step],
        )?;
        Ok(changed == 1)
    }

    /// True if it was there; it is not any more.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn use_recovery_code(
        &self,
        account: &AccountId,
        hash: [u8; 32],
    ) -> Result<bool, VaultError> {
        let changed = self.connection().execute(
            "DELETE FROM recovery_codes WHERE account = ?1 AND hash = ?2",
            params![account.0, hash],
        )?;
        Ok(changed == 1)
    }

    /// # Errors
    /// When the store cannot be read.
    pub fn recovery_codes_left(&self, account: &AccountId) -> Result<u32, VaultError> {
        Ok(self.connection().query_row(
            "SELECT count(*) FROM recovery_codes WHERE account = ?1",
            [&account.0],
            |row| row.get(0),
        )?)
    }

    /// # Errors
    /// When the store cannot be written; then all is as before.
    pub fn forget_second_factor(&self, account: &AccountId) -> Result<(), VaultError> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        forget_second_factor(&transaction, account)?;
        Ok(transaction.commit()?)
    }
}

fn forget_second_factor(
    transaction: &rusqlite::Transaction<'_>,
    account: &AccountId,
) -> rusqlite::Result<()> {
    for table in ["second_factors", "recovery_codes"] {
        let forget = format!("DELETE FROM {table} WHERE account = ?1");
        transaction.execute(&forget, [&account.0])?;
    }
    Ok(())
}

/// One-time links.
impl Vault {
    /// The only one of the account; what has expired goes.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn keep_link(
        &self,
        hash: [u8; 32],
        account: &AccountId,
        now_ms: i64,
        expires_ms: i64,
    ) -> Result<(), VaultError> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        transaction.execute(
            "DELETE FROM login_links WHERE account = ?1 OR expires_ms < ?2",
            params![account.0, now_ms],
        )?;
        transaction.execute(
            "INSERT INTO login_links (hash, account, expires_ms) VALUES (?1, ?2, ?3)",
            params![hash, account.0, expires_ms],
        )?;
        Ok(transaction.commit()?)
    }

    /// Whose it was; it is not there any more.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn use_link(&self, hash: [u8; 32], now_ms: i64) -> Result<Option<AccountId>, VaultError> {
        Ok(self
            .connection()
            .query_row(
                "DELETE FROM login_links WHERE hash = ?1 AND expires_ms >= ?2 RETURNING account",
                params![hash, now_ms],
                |row| Ok(AccountId(row.get(0)?)),
            )
            .optional()?)
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
