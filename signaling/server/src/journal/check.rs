//! Looks through the entries that a start from a snapshot does not read, on a
//! thread and a connection of its own.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use tokio::sync::oneshot;

use super::JournalError;
use super::sqlite::{open_read_only, read_checked};

/// Entries read at a time.
const STEP: usize = 4_096;
/// So many are looked through before the server opens; a longer journal's rest while it runs.
pub const FIRST: u64 = 200_000;

/// Where damage is noted for everybody who holds the journal; set once.
pub type Damage = Arc<OnceLock<JournalError>>;

/// Starts looking through the entries up to `upto`. The receiver is told when
/// the first of them, see [`FIRST`], or all are done, or damage is found.
///
/// # Errors
/// No thread.
pub fn start(
    folder: &Path,
    upto: u64,
    damage: Damage,
) -> Result<oneshot::Receiver<()>, JournalError> {
    let (begun, first_done) = oneshot::channel();
    let folder = folder.to_owned();
    std::thread::Builder::new()
        .name("journal-check".into())
        .spawn(move || {
            let began = std::time::Instant::now();
            let mut begun = Some(begun);
            let checked = walk(&folder, upto, |seq| {
                if seq >= FIRST
                    && let Some(begun) = begun.take()
                {
                    let _ = begun.send(()); // whoever waited may be gone
                }
            });
            match checked {
                Ok(()) => tracing::info!(
                    entries = upto,
                    took_ms = began.elapsed().as_millis(),
                    "journal looked through"
                ),
                Err(error) if error.is_damage() => drop(damage.set(error)),
                Err(error) => tracing::warn!(%error, "journal not looked through"),
            }
            drop(begun); // after the damage is noted
        })
        .map_err(|error| JournalError::Unavailable(error.to_string()))?;
    Ok(first_done)
}

fn walk(folder: &Path, upto: u64, mut passed: impl FnMut(u64)) -> Result<(), JournalError> {
    let connection = open_read_only(folder).map_err(super::sqlite::trouble)?;
    let mut seq = 0;
    while seq < upto {
        let entries = read_checked(&connection, seq, STEP)?;
        let Some(last) = entries.last() else {
            return Err(JournalError::Broken {
                seq: seq + 1,
                what: "it is missing".to_owned(),
            });
        };
        seq = last.seq;
        passed(seq);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::sqlite::{SqliteJournal, open};
    use crate::journal::{Draft, Journal as _};

    async fn journal() -> (tempfile::TempDir, SqliteJournal) {
        let folder = tempfile::tempdir().unwrap();
        let journal = SqliteJournal::open(folder.path()).unwrap();
        let batch = (1..=20).map(|n| Draft {
            at_ms: n,
            actor: "system".into(),
            body: n.to_string(),
        });
        journal.append(batch.collect()).await.unwrap();
        (folder, journal)
    }

    #[tokio::test]
    async fn damage_far_behind_is_found_and_nothing_more_is_written() {
        let (folder, journal) = journal().await;
        let sound = journal.check(folder.path(), 20).unwrap();
        assert!(sound.await.is_err(), "ends without having to say so");
        assert!(journal.damage().is_none());

        let other = open(folder.path()).unwrap();
        other
            .execute_batch(
                "DROP TRIGGER events_unaltered; UPDATE events SET body = 'x' WHERE seq = 3",
            )
            .unwrap();
        drop(journal.check(folder.path(), 20).unwrap().await);
        let damage = journal.damage().unwrap();
        assert!(
            matches!(damage, JournalError::Broken { seq: 3, .. }),
            "{damage}"
        );
        let refused = journal.append(Vec::new()).await.unwrap_err();
        assert_eq!(refused.to_string(), damage.to_string());
    }

    #[tokio::test]
    async fn end_that_is_missing_is_damage() {
        let (folder, journal) = journal().await;
        drop(journal.check(folder.path(), 21).unwrap().await);
        let damage = journal.damage().unwrap();
        assert!(
            matches!(damage, JournalError::Broken { seq: 21, .. }),
            "{damage}"
        );
    }
}
