//! How far the journal goes, written after every batch into a small file beside
//! the store (`DATA/journal.end`) and never synced.
//!
//! A log that is torn or taken away looks to SQLite like one that was
//! never longer: what was acknowledged would be gone without a sound. The
//! mark is written after the batch is on the disk, so it never promises
//! what is not there; after a power cut it may lag behind, which is no harm.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::JournalError;
use super::chain::{Hash, Head};

/// Beside the store.
pub const FILE_NAME: &str = "journal.end";

/// Of the digest, in hexadecimal digits: against a half-written mark, not against people.
const DIGEST_DIGITS: usize = 16;

/// The file, open for writing in place: that needs no room on a full disk.
#[derive(Debug)]
pub struct Mark {
    file: File,
}

impl Mark {
    /// # Errors
    /// From the file system.
    pub fn open(folder: &Path) -> io::Result<Self> {
        let file = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(folder.join(FILE_NAME))?;
        Ok(Self { file })
    }

    /// # Errors
    /// From the file system.
    pub fn set(&self, head: &Head) -> io::Result<()> {
        self.file.write_all_at(text(head).as_bytes(), 0)
    }
}

/// The end that was written last; `None` when there is no mark, or none that can be read.
#[must_use]
pub fn read(folder: &Path) -> Option<Head> {
    let written = std::fs::read_to_string(folder.join(FILE_NAME)).ok()?;
    let head = parse(&written);
    if head.is_none() && !written.is_empty() {
        tracing::warn!("{FILE_NAME} cannot be read and is passed over");
    }
    head
}

/// Compares the journal's end with the mark.
///
/// # Errors
/// [`JournalError::Broken`] with the first entry that is missing, or the marked one
/// if it is another.
pub fn compare(
    mark: Option<Head>,
    end: u64,
    hash_at: impl FnOnce(u64) -> Option<Hash>,
) -> Result<(), JournalError> {
    let Some(mark) = mark.filter(|mark| mark.seq > 0) else {
        return Ok(());
    };
    if mark.seq > end {
        return Err(JournalError::Broken {
            seq: end + 1,
            what: format!(
                "it is missing, and so is everything to entry {} which was acknowledged: the \
                 store's log (liandong.db-wal) is torn or was taken away, or the store is an \
                 older copy; whoever wants to go on without them removes {FILE_NAME}",
                mark.seq
            ),
        });
    }
    if hash_at(mark.seq) != Some(mark.hash) {
        return Err(JournalError::Broken {
            seq: mark.seq,
            what: "it is another than the one that was acknowledged".to_owned(),
        });
    }
    Ok(())
}

fn text(head: &Head) -> String {
    let said = format!("{:020} {}", head.seq, hex::encode(head.hash));
    let digest = hex::encode(Sha256::digest(&said));
    format!(
        "{said} {}\n",
        digest.get(..DIGEST_DIGITS).unwrap_or(&digest)
    )
}

fn parse(written: &str) -> Option<Head> {
    let mut words = written.split_whitespace();
    let seq = words.next()?.parse().ok()?;
    let mut hash = Hash::default();
    hex::decode_to_slice(words.next()?, &mut hash).ok()?;
    let head = Head { seq, hash };
    (text(&head) == written).then_some(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: Head = Head {
        seq: 7,
        hash: [9; 32],
    };

    fn broken_at(mark: Option<Head>, end: u64, hash: Hash) -> Option<u64> {
        match compare(mark, end, |_| Some(hash)) {
            Err(JournalError::Broken { seq, .. }) => Some(seq),
            Err(other) => panic!("{other}"),
            Ok(()) => None,
        }
    }

    #[test]
    fn what_was_written_is_read_and_nothing_half_written() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path()), None);
        let mark = Mark::open(folder.path()).unwrap();
        assert_eq!(read(folder.path()), None);
        mark.set(&Head { seq: 6, ..HEAD }).unwrap();
        mark.set(&HEAD).unwrap();
        assert_eq!(read(folder.path()), Some(HEAD));
        let path = folder.path().join(FILE_NAME);
        let sound = std::fs::read_to_string(&path).unwrap();
        for torn in [
            sound.replacen('7', "8", 1),
            sound[..40].to_owned(),
            "nonsense\n".to_owned(),
        ] {
            std::fs::write(&path, torn).unwrap();
            assert_eq!(read(folder.path()), None);
        }
    }

    #[test]
    fn end_before_the_mark_names_the_first_that_is_missing() {
        assert_eq!(broken_at(Some(HEAD), 4, HEAD.hash), Some(5));
        assert_eq!(broken_at(Some(HEAD), 7, [1; 32]), Some(7));
        for sound in [
            broken_at(Some(HEAD), 7, HEAD.hash),
            broken_at(Some(HEAD), 9, HEAD.hash),
            broken_at(None, 0, HEAD.hash),
            broken_at(Some(Head::default()), 3, HEAD.hash),
        ] {
            assert_eq!(sound, None);
        }
    }
}
