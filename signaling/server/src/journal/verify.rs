//! `liandong journal verify`: walks the whole chain, also beside a running
//! server.

use std::path::Path;

use super::JournalError;
use super::mark;
use super::sqlite::{open_read_only, read_checked, trouble};

/// Entries read at a time.
const STEP: usize = 4_096;

/// An unbroken journal.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verified {
    /// How many entries.
    pub entries: u64,
    /// The hash of the last one, to be noted elsewhere: with it, also a
    /// journal whose end was cut off would show.
    pub head: super::Hash,
}

/// # Errors
/// [`JournalError::Broken`] names the first entry that does not hold;
/// [`JournalError::Damaged`]: the file is none; [`JournalError::Unavailable`]: there is
/// no journal to read.
pub fn verify(folder: &Path) -> Result<Verified, JournalError> {
    // Before the store: a running server writes it after.
    let mark = mark::read(folder);
    let mut marked = None;
    let connection = open_read_only(folder).map_err(trouble)?;
    // One read transaction: a consistent moment, whatever the server writes meanwhile.
    connection.execute_batch("BEGIN").map_err(trouble)?;
    let mut verified = Verified {
        entries: 0,
        head: super::chain::GENESIS,
    };
    loop {
        let entries = read_checked(&connection, verified.entries, STEP)?;
        let Some(last) = entries.last() else {
            mark::compare(mark, verified.entries, |_| marked)?;
            return Ok(verified);
        };
        let found = entries
            .iter()
            .find(|one| mark.is_some_and(|mark| mark.seq == one.seq));
        marked = found.map(|one| one.hash).or(marked);
        verified = Verified {
            entries: last.seq,
            head: last.hash,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::sqlite::{FILE_NAME, SqliteJournal};
    use crate::journal::{Draft, Journal};

    async fn journal_of(count: u32) -> (tempfile::TempDir, SqliteJournal) {
        let folder = tempfile::tempdir().unwrap();
        let journal = SqliteJournal::open(folder.path()).unwrap();
        let batch = (1..=count).map(|n| Draft {
            at_ms: i64::from(n),
            actor: "commander".into(),
            body: format!("{{\"marker\":\"entry-{n:04}\"}}"),
        });
        journal.append(batch.collect()).await.unwrap();
        (folder, journal)
    }

    #[tokio::test]
    async fn sound_journal_verifies_beside_its_writer() {
        let (folder, journal) = journal_of(5_000).await;
        assert_eq!(verify(folder.path()).unwrap().entries, 5_000);
        drop(journal);
    }

    #[tokio::test]
    async fn flipped_byte_in_the_file_names_its_entry() {
        let (folder, journal) = journal_of(300).await;
        drop(journal);
        // Moves the log into the file once the writer's thread has let go.
        let connection = crate::journal::sqlite::open(folder.path()).unwrap();
        connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            .unwrap();
        drop(connection);
        let path = folder.path().join(FILE_NAME);
        let mut bytes = std::fs::read(&path).unwrap();
        let marker = b"entry-0217";
        let at = bytes
            .windows(marker.len())
            .position(|window| window == marker)
            .unwrap();
        bytes[at] ^= 0x01;
        std::fs::write(&path, bytes).unwrap();
        let error = verify(folder.path()).unwrap_err();
        assert!(
            matches!(error, JournalError::Broken { seq: 217, .. }),
            "{error}"
        );
    }

    #[test]
    fn folder_without_a_journal_is_said_so() {
        let folder = tempfile::tempdir().unwrap();
        let error = verify(folder.path()).unwrap_err();
        assert!(matches!(error, JournalError::Unavailable(_)), "{error}");
    }
}
