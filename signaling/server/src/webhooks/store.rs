//! `DATA/webhooks.db`: how far each receiver is in the journal, what waits for it, and what was
//! given up. A file of its own, so that it never makes an order wait for a lock.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use liandong_protocol::webhook::DeadLetter;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::journal::sqlite;

const FILE_NAME: &str = "webhooks.db";
/// Waiting for one receiver; of more, the oldest are given up.
const MAX_WAITING: u32 = 20_000;
/// Given up and still known, of one receiver; and of those so many are shown.
const MAX_DEAD: u32 = 1_000;
const SHOWN_DEAD: u32 = 100;

/// `next_ms` is NULL for a dead letter.
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS places (
        hook      TEXT PRIMARY KEY,
        entry     INTEGER NOT NULL,
        delivered INTEGER NOT NULL DEFAULT 0,
        trouble   TEXT
    ) STRICT;
    CREATE TABLE IF NOT EXISTS messages (
        hook     TEXT NOT NULL,
        entry    INTEGER NOT NULL,
        id       TEXT NOT NULL,
        type     TEXT NOT NULL,
        at_ms    INTEGER NOT NULL,
        body     TEXT NOT NULL,
        begun_ms INTEGER NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        next_ms  INTEGER,
        trouble  TEXT NOT NULL DEFAULT '',
        PRIMARY KEY (hook, entry)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS messages_due ON messages (hook, next_ms);
";

#[derive(Debug, thiserror::Error)]
#[error("webhooks' store: {0}")]
pub struct StoreError(String);

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self(error.to_string())
    }
}

/// One entry of the journal.
#[derive(Clone, Debug)]
pub struct Entry {
    pub number: u64,
    pub body: String,
    /// Names it in all the world.
    pub hash: [u8; 32],
}

/// To be sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Message {
    pub entry: u64,
    /// The same at every try: by it the receiver knows what it has.
    pub id: String,
    /// `incident.closed`
    pub kind: String,
    pub at_ms: i64,
    pub body: String,
    /// When it was first due.
    pub begun_ms: i64,
    pub attempts: u32,
}

/// How one receiver stands.
#[derive(Clone, Debug)]
pub struct Standing {
    pub waiting: u32,
    pub delivered: u32,
    pub trouble: Option<String>,
    pub given_up: u32,
    pub dead: Vec<DeadLetter>,
}

/// All calls wait for the disk: see [`blocking`].
#[derive(Clone, Debug)]
pub struct Store {
    connection: Arc<Mutex<Connection>>,
    data: Arc<PathBuf>,
}

/// Runs `work` where it may wait for the disk.
///
/// # Errors
/// Those of `work`.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| StoreError(error.to_string()))?
}

impl Store {
    /// # Errors
    /// It cannot be opened or written.
    pub fn open(data: &Path) -> Result<Self, StoreError> {
        let connection = Connection::open(data.join(FILE_NAME))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // After a power cut a message may go twice, under the same id; none is lost.
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self {
            connection: Arc::new(Mutex::new(connection)),
            data: Arc::new(data.to_owned()),
        })
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// A receiver that is new begins at the journal's end.
    ///
    /// # Errors
    /// Journal or store cannot be used.
    pub fn begin(&self, hook: &str) -> Result<(), StoreError> {
        let end: u64 = sqlite::open_read_only(&self.data)?.query_row(
            "SELECT COALESCE(MAX(seq), 0) FROM events",
            [],
            |row| row.get(0),
        )?;
        // Beyond the end: the journal is another one, of a backup.
        self.connection().execute(
            "INSERT INTO places (hook, entry) VALUES (?1, ?2)
             ON CONFLICT (hook) DO UPDATE SET entry = MIN(entry, excluded.entry)",
            params![hook, end],
        )?;
        Ok(())
    }

    /// The next entries after the receiver's place, and the number of the last of them;
    /// `None`: there is nothing new.
    ///
    /// # Errors
    /// Journal or store cannot be read.
    pub fn entries(
        &self,
        hook: &str,
        limit: usize,
    ) -> Result<(Vec<Entry>, Option<u64>), StoreError> {
        let place: u64 = self.connection().query_row(
            "SELECT entry FROM places WHERE hook = ?1",
            [hook],
            |row| row.get(0),
        )?;
        let journal = sqlite::open_read_only(&self.data)?;
        let mut select = journal
            .prepare("SELECT seq, body, hash FROM events WHERE seq > ?1 ORDER BY seq LIMIT ?2")?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = select.query_map(params![place, limit], |row| {
            Ok(Entry {
                number: row.get(0)?,
                body: row.get(1)?,
                hash: row.get(2)?,
            })
        })?;
        let entries: Vec<Entry> = rows.collect::<rusqlite::Result<_>>()?;
        let end = entries.last().map(|last| last.number);
        Ok((entries, end))
    }

    /// New messages, and how far the journal was looked through, at once.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn put(
        &self,
        hook: &str,
        messages: &[Message],
        end: Option<u64>,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        for message in messages {
            transaction.execute(
                "INSERT OR IGNORE INTO messages (hook, entry, id, type, at_ms, body, begun_ms, next_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)",
                params![
                    hook,
                    message.entry,
                    message.id,
                    message.kind,
                    message.at_ms,
                    message.body,
                    now_ms
                ],
            )?;
        }
        if let Some(end) = end {
            transaction.execute(
                "UPDATE places SET entry = ?2 WHERE hook = ?1",
                params![hook, end],
            )?;
        }
        transaction.execute(
            "UPDATE messages SET next_ms = NULL, trouble = 'too many were waiting'
             WHERE hook = ?1 AND next_ms IS NOT NULL AND entry <= (
                SELECT entry FROM messages WHERE hook = ?1 AND next_ms IS NOT NULL
                ORDER BY entry DESC LIMIT 1 OFFSET ?2)",
            params![hook, MAX_WAITING],
        )?;
        transaction.execute(
            "DELETE FROM messages WHERE hook = ?1 AND next_ms IS NULL AND entry <= (
                SELECT entry FROM messages WHERE hook = ?1 AND next_ms IS NULL
                ORDER BY entry DESC LIMIT 1 OFFSET ?2)",
            params![hook, MAX_DEAD],
        )?;
        Ok(transaction.commit()?)
    }

    /// The message that is longest due; and when the next one is, if none is.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn due(
        &self,
        hook: &str,
        now_ms: i64,
    ) -> Result<(Option<Message>, Option<i64>), StoreError> {
        let connection = self.connection();
        let first = connection
            .query_row(
                "SELECT entry, id, type, at_ms, body, begun_ms, attempts, next_ms FROM messages
                 WHERE hook = ?1 AND next_ms IS NOT NULL ORDER BY next_ms, entry LIMIT 1",
                [hook],
                |row| {
                    let message = Message {
                        entry: row.get(0)?,
                        id: row.get(1)?,
                        kind: row.get(2)?,
                        at_ms: row.get(3)?,
                        body: row.get(4)?,
                        begun_ms: row.get(5)?,
                        attempts: row.get(6)?,
                    };
                    Ok((message, row.get::<_, i64>(7)?))
                },
            )
            .optional()?;
        Ok(match first {
            Some((message, next_ms)) if next_ms <= now_ms => (Some(message), None),
            Some((_, next_ms)) => (None, Some(next_ms)),
            None => (None, None),
        })
    }

    /// # Errors
    /// The store cannot be written.
    pub fn delivered(&self, hook: &str, entry: u64) -> Result<(), StoreError> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        transaction.execute(
            "DELETE FROM messages WHERE hook = ?1 AND entry = ?2",
            params![hook, entry],
        )?;
        transaction.execute(
            "UPDATE places SET delivered = delivered + 1, trouble = NULL WHERE hook = ?1",
            [hook],
        )?;
        Ok(transaction.commit()?)
    }

    /// Not delivered; `next_ms`: when it is tried again, or never.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn failed(
        &self,
        hook: &str,
        entry: u64,
        next_ms: Option<i64>,
        trouble: &str,
    ) -> Result<(), StoreError> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        transaction.execute(
            "UPDATE messages SET attempts = attempts + 1, next_ms = ?3, trouble = ?4
             WHERE hook = ?1 AND entry = ?2",
            params![hook, entry, next_ms, trouble],
        )?;
        transaction.execute(
            "UPDATE places SET trouble = ?2 WHERE hook = ?1",
            params![hook, trouble],
        )?;
        Ok(transaction.commit()?)
    }

    /// A dead letter becomes due, or all of them. False: there is none.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn again(&self, hook: &str, entry: Option<u64>, now_ms: i64) -> Result<bool, StoreError> {
        let changed = self.connection().execute(
            "UPDATE messages SET attempts = 0, begun_ms = ?3, next_ms = ?3
             WHERE hook = ?1 AND (?2 IS NULL OR entry = ?2) AND next_ms IS NULL",
            params![hook, entry, now_ms],
        )?;
        Ok(changed > 0)
    }

    /// # Errors
    /// The store cannot be read.
    pub fn standing(&self, hook: &str) -> Result<Standing, StoreError> {
        let connection = self.connection();
        let (waiting, given_up) = connection.query_row(
            "SELECT COUNT(next_ms), COUNT(*) - COUNT(next_ms) FROM messages WHERE hook = ?1",
            [hook],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let (delivered, trouble) = connection.query_row(
            "SELECT delivered, trouble FROM places WHERE hook = ?1",
            [hook],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let mut select = connection.prepare(
            "SELECT entry, type, at_ms, attempts, trouble FROM messages
             WHERE hook = ?1 AND next_ms IS NULL ORDER BY entry DESC LIMIT ?2",
        )?;
        let dead = select.query_map(params![hook, SHOWN_DEAD], |row| {
            Ok(DeadLetter {
                entry: row.get(0)?,
                r#type: row.get(1)?,
                happened_at_ms: row.get::<_, i64>(2)? as f64,
                attempts: row.get(3)?,
                trouble: row.get(4)?,
            })
        })?;
        Ok(Standing {
            waiting,
            delivered,
            trouble,
            given_up,
            dead: dead.collect::<rusqlite::Result<_>>()?,
        })
    }
}
