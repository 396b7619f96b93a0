//! The journal in SQLite: WAL, `synchronous = FULL`, one transaction (hence one
//! fsync) per batch. The connection lives on a thread of its own, so
//! that a slow disk never stops a runtime worker.

use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, params};
use tokio::sync::{mpsc, oneshot};

use super::chain::{Hash, Head};
use super::check::{self, Damage};
use super::mark::{self, Mark};
use super::{Draft, Entry, Journal, JournalError};

/// The store's name in the data folder. Accounts' password hashes and
/// sessions live in tables of the same file, out of the journal's sight.
pub const FILE_NAME: &str = "liandong.db";

/// Batches that may wait; the desk sends one at a time.
const QUEUE: usize = 8;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS events (
        seq       INTEGER PRIMARY KEY,
        at_ms     INTEGER NOT NULL,
        actor     TEXT NOT NULL,
        body      TEXT NOT NULL,
        prev_hash BLOB NOT NULL,
        hash      BLOB NOT NULL
    ) STRICT;
    CREATE TRIGGER IF NOT EXISTS events_unaltered BEFORE UPDATE ON events
        BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
    CREATE TRIGGER IF NOT EXISTS events_undeleted BEFORE DELETE ON events
        BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
";

/// A handle to the thread that writes. The thread ends with the last handle.
#[derive(Clone, Debug)]
pub struct SqliteJournal {
    work: mpsc::Sender<Work>,
    damage: Damage,
}

#[derive(Debug)]
enum Work {
    Append(Vec<Draft>, oneshot::Sender<Result<u64, JournalError>>),
    HashAt(u64, oneshot::Sender<Result<Option<Hash>, JournalError>>),
    Read {
        after: u64,
        limit: usize,
        reply: oneshot::Sender<Result<Vec<Entry>, JournalError>>,
    },
}

/// Opens the store for reading and writing, as every writer of it does.
///
/// # Errors
/// From SQLite: no access, not a database, disk full.
pub fn open(folder: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(folder.join(FILE_NAME))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    Ok(connection)
}

/// Opens the store for reading only, beside a running server.
///
/// # Errors
/// From SQLite: no such file, not a database.
pub fn open_read_only(folder: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(
        folder.join(FILE_NAME),
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    Ok(connection)
}

/// Whether any entry has this text in it. Reads the whole journal.
///
/// # Errors
/// From SQLite.
pub fn names(folder: &Path, text: &str) -> rusqlite::Result<bool> {
    open_read_only(folder)?.query_row(
        "SELECT EXISTS (SELECT 1 FROM events WHERE instr(body, ?1) > 0)",
        [text],
        |row| row.get(0),
    )
}

impl SqliteJournal {
    /// Opens or creates the journal in the folder.
    ///
    /// # Errors
    /// When the file cannot be opened, its end cannot be read, or is not the
    /// one that was written last.
    pub fn open(folder: &Path) -> Result<Self, JournalError> {
        let connection = open(folder).map_err(trouble)?;
        connection.execute_batch(SCHEMA).map_err(trouble)?;
        let writer = Writer::new(connection, folder)?;
        let damage = Arc::clone(&writer.damage);
        let (work, queue) = mpsc::channel(QUEUE);
        std::thread::Builder::new()
            .name("journal".into())
            .spawn(move || writer.run(queue))
            .map_err(|error| JournalError::Unavailable(error.to_string()))?;
        Ok(Self { work, damage })
    }

    /// See [`check::start`].
    ///
    /// # Errors
    /// No thread.
    pub fn check(&self, folder: &Path, upto: u64) -> Result<oneshot::Receiver<()>, JournalError> {
        check::start(folder, upto, Arc::clone(&self.damage))
    }
}

impl Journal for SqliteJournal {
    async fn append(&self, batch: Vec<Draft>) -> Result<u64, JournalError> {
        let (reply, answer) = oneshot::channel();
        self.work
            .send(Work::Append(batch, reply))
            .await
            .map_err(|_| thread_gone())?;
        answer.await.map_err(|_| thread_gone())?
    }

    async fn hash_at(&self, seq: u64) -> Result<Option<Hash>, JournalError> {
        let (reply, answer) = oneshot::channel();
        self.work
            .send(Work::HashAt(seq, reply))
            .await
            .map_err(|_| thread_gone())?;
        answer.await.map_err(|_| thread_gone())?
    }

    fn damage(&self) -> Option<JournalError> {
        self.damage.get().cloned()
    }

    async fn read(&self, after: u64, limit: usize) -> Result<Vec<Entry>, JournalError> {
        let (reply, answer) = oneshot::channel();
        self.work
            .send(Work::Read {
                after,
                limit,
                reply,
            })
            .await
            .map_err(|_| thread_gone())?;
        answer.await.map_err(|_| thread_gone())?
    }
}

struct Writer {
    connection: Connection,
    head: Head,
    /// False after a failed commit: it may have reached the disk all the same.
    sure: bool,
    damage: Damage,
    /// Absent when it cannot be written: a guard less, but no trouble.
    mark: Option<Mark>,
}

impl Writer {
    fn new(connection: Connection, folder: &Path) -> Result<Self, JournalError> {
        let head = head(&connection).map_err(trouble)?;
        mark::compare(mark::read(folder), head.seq, |seq| {
            hash_at(&connection, seq).ok().flatten()
        })?;
        let mark = Mark::open(folder)
            .inspect_err(|error| tracing::warn!(%error, "{} not open", mark::FILE_NAME))
            .ok();
        let writer = Self {
            connection,
            head,
            sure: true,
            damage: Damage::default(),
            mark,
        };
        writer.mark();
        Ok(writer)
    }

    fn run(mut self, mut queue: mpsc::Receiver<Work>) {
        // Whoever asked may be gone; then nobody wants the answer.
        while let Some(work) = queue.blocking_recv() {
            match work {
                Work::Append(batch, reply) => drop(reply.send(self.append(batch))),
                Work::HashAt(seq, reply) => drop(reply.send(self.hash_at(seq))),
                Work::Read {
                    after,
                    limit,
                    reply,
                } => drop(reply.send(self.read(after, limit))),
            }
        }
        if let Err((_, error)) = self.connection.close() {
            tracing::warn!(%error, "journal not closed cleanly");
        }
    }

    fn append(&mut self, batch: Vec<Draft>) -> Result<u64, JournalError> {
        if let Some(damage) = self.damage.get() {
            return Err(damage.clone());
        }
        let appended = self.append_sound(batch);
        self.noted(appended)
    }

    fn append_sound(&mut self, batch: Vec<Draft>) -> Result<u64, JournalError> {
        if !self.sure {
            let found = head(&self.connection).map_err(trouble)?;
            self.sure = true;
            if found != self.head {
                let expected = std::mem::replace(&mut self.head, found);
                return Err(JournalError::Diverged {
                    expected: expected.seq,
                    found: found.seq,
                });
            }
        }
        let mut next = self.head;
        let written = write(&mut self.connection, &mut next, batch);
        match written {
            Ok(()) => {
                self.head = next;
                self.mark();
                Ok(next.seq)
            }
            Err(error) => {
                self.sure = false;
                Err(trouble(error))
            }
        }
    }

    fn mark(&self) {
        if let Some(mark) = &self.mark
            && let Err(error) = mark.set(&self.head)
        {
            tracing::warn!(%error, "{} not written", mark::FILE_NAME);
        }
    }

    /// Damage that shows while running holds until the next start.
    fn noted<T>(&self, result: Result<T, JournalError>) -> Result<T, JournalError> {
        if let Err(error) = &result
            && error.is_damage()
        {
            drop(self.damage.set(error.clone())); // the first stays
        }
        result
    }

    fn hash_at(&self, seq: u64) -> Result<Option<Hash>, JournalError> {
        self.noted(hash_at(&self.connection, seq).map_err(trouble))
    }

    fn read(&self, after: u64, limit: usize) -> Result<Vec<Entry>, JournalError> {
        self.noted(read_checked(&self.connection, after, limit))
    }
}

fn hash_at(connection: &Connection, seq: u64) -> rusqlite::Result<Option<Hash>> {
    connection
        .query_row("SELECT hash FROM events WHERE seq = ?1", [seq], |row| {
            row.get(0)
        })
        .optional()
}

/// One transaction. Dropped without a commit, it is rolled back.
fn write(connection: &mut Connection, head: &mut Head, batch: Vec<Draft>) -> rusqlite::Result<()> {
    let transaction =
        connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    {
        let mut insert = transaction.prepare_cached(
            "INSERT INTO events (seq, at_ms, actor, body, prev_hash, hash)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?;
        for draft in batch {
            let entry = head.push(draft);
            insert.execute(params![
                entry.seq,
                entry.at_ms,
                entry.actor,
                entry.body,
                entry.prev_hash,
                entry.hash,
            ])?;
        }
    }
    transaction.commit()
}

fn head(connection: &Connection) -> rusqlite::Result<Head> {
    let last = connection
        .query_row(
            "SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1",
            [],
            |row| {
                Ok(Head {
                    seq: row.get(0)?,
                    hash: row.get::<_, Hash>(1)?,
                })
            },
        )
        .optional()?;
    Ok(last.unwrap_or_default())
}

/// Reads entries and checks each against the chain.
///
/// # Errors
/// [`JournalError::Broken`] with the first entry that does not hold.
pub(super) fn read_checked(
    connection: &Connection,
    after: u64,
    limit: usize,
) -> Result<Vec<Entry>, JournalError> {
    let mut at = if after == 0 {
        Head::default()
    } else {
        connection
            .query_row("SELECT hash FROM events WHERE seq = ?1", [after], |row| {
                row.get(0)
            })
            .map(|hash| Head { seq: after, hash })
            .map_err(|error| broken(after, &error))?
    };
    let mut select = connection
        .prepare_cached(
            "SELECT seq, at_ms, actor, body, prev_hash, hash FROM events
             WHERE seq > ?1 ORDER BY seq LIMIT ?2",
        )
        .map_err(trouble)?;
    let mut rows = select
        .query(params![after, i64::try_from(limit).unwrap_or(i64::MAX)])
        .map_err(trouble)?;
    let mut entries = Vec::new();
    loop {
        // A page that SQLite cannot read breaks the journal at the entry it held.
        let row = match rows.next() {
            Ok(Some(row)) => row,
            Ok(None) => return Ok(entries),
            Err(error) => return Err(broken(at.seq + 1, &error)),
        };
        let entry = entry(row).map_err(|error| broken(at.seq + 1, &error))?;
        at.check(&entry)?;
        entries.push(entry);
    }
}

fn entry(row: &rusqlite::Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry {
        seq: row.get(0)?,
        at_ms: row.get(1)?,
        actor: row.get(2)?,
        body: row.get(3)?,
        prev_hash: row.get(4)?,
        hash: row.get(5)?,
    })
}

impl JournalError {
    /// Damage when SQLite can make no sense of the file, else what passes.
    #[must_use]
    pub fn from_store(error: &rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                JournalError::Damaged(error.to_string())
            }
            _ => JournalError::Unavailable(error.to_string()),
        }
    }
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
pub(super) fn trouble(error: rusqlite::Error) -> JournalError {
    JournalError::from_store(&error)
}

/// What cannot be read is there no more, unless SQLite says that it may be later.
fn broken(seq: u64, error: &rusqlite::Error) -> JournalError {
    if let Some(
        ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::OutOfMemory
        | ErrorCode::CannotOpen
        | ErrorCode::DiskFull,
    ) = error.sqlite_error_code()
    {
        return JournalError::Unavailable(error.to_string());
    }
    JournalError::Broken {
        seq,
        what: format!("it cannot be read ({error})"),
    }
}

fn thread_gone() -> JournalError {
    JournalError::Unavailable("its thread has ended".into())
}

#[cfg(test)]
mod tests;
