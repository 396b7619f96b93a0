//! Snapshots of the state in files beside the journal: DATA/snapshots/SEQ.json.
//!
//! A file is one line of head (see [`Head`]) and one of state. It is written
//! whole under another name, synced, and then renamed. Whatever is wrong with
//! one (another version, a flipped byte, another journal's), it is passed over:
//! the journal has everything.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use liandong_domain::County;
use liandong_domain::snapshot::SNAPSHOT_VERSION;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Hash;

/// The folder within the data folder.
pub const FOLDER: &str = "snapshots";
/// The name's end while it is being written.
const UNFINISHED: &str = "unfinished";
/// The newest, and one in reserve.
const KEPT: usize = 2;

/// The state after an entry of the journal.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The entry's number and hash.
    pub seq: u64,
    pub hash: Hash,
    pub county: County,
}

/// The first line of a file.
#[derive(Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    version: u16,
    seq: u64,
    /// Of the entry, in hexadecimal.
    hash: String,
    /// SHA-256 of the second line, in hexadecimal.
    digest: String,
}

/// The snapshots of one data folder.
#[derive(Clone, Debug)]
pub struct Snapshots {
    folder: PathBuf,
}

impl Snapshots {
    #[must_use]
    pub fn of(data: &Path) -> Self {
        Self {
            folder: data.join(FOLDER),
        }
    }

    /// Writes one down and drops those that are older than the last two.
    ///
    /// # Errors
    /// From the file system; what was there before is still there.
    pub fn keep(&self, snapshot: &Snapshot) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let state = serde_json::to_vec(&snapshot.county)?;
        let head = serde_json::to_vec(&Head {
            version: SNAPSHOT_VERSION,
            seq: snapshot.seq,
            hash: hex::encode(snapshot.hash),
            digest: hex::encode(Sha256::digest(&state)),
        })?;
        let path = self.path(snapshot.seq);
        let unfinished = path.with_extension(UNFINISHED);
        write(&unfinished, &[&head, b"\n", &state, b"\n"])
            .inspect_err(|_| drop(fs::remove_file(&unfinished)))?;
        fs::rename(&unfinished, &path).inspect_err(|_| drop(fs::remove_file(&unfinished)))?;
        File::open(&self.folder)?.sync_all()?;
        for old in self.files()?.into_iter().skip(KEPT) {
            fs::remove_file(old)?;
        }
        Ok(())
    }

    /// Removes what a kill left half-written. Only while nobody writes one.
    pub fn tidy(&self) {
        for left in self.ending(UNFINISHED).unwrap_or_default() {
            if let Err(error) = fs::remove_file(&left) {
                tracing::warn!(file = %left.display(), %error, "not removed");
            }
        }
    }

    /// Removes one that is of no use.
    pub fn forget(&self, seq: u64) {
        let path = self.path(seq);
        if let Err(error) = fs::remove_file(&path) {
            tracing::warn!(file = %path.display(), %error, "not removed");
        }
    }

    fn path(&self, seq: u64) -> PathBuf {
        self.folder.join(format!("{seq:020}.json"))
    }

    /// The sound ones, newest first; read one by one as they are asked for.
    pub fn newest_first(&self) -> impl Iterator<Item = Snapshot> {
        let files = self.files().unwrap_or_default();
        files.into_iter().filter_map(|path| {
            let read = read(&path);
            if let Err(why) = &read {
                tracing::warn!(snapshot = %path.display(), why, "snapshot passed over");
            }
            read.ok()
        })
    }

    /// Newest first.
    fn files(&self) -> io::Result<Vec<PathBuf>> {
        let mut files = self.ending("json")?;
        files.sort();
        files.reverse();
        Ok(files)
    }

    fn ending(&self, end: &str) -> io::Result<Vec<PathBuf>> {
        let all = fs::read_dir(&self.folder)?;
        let paths = all.filter_map(|entry| Some(entry.ok()?.path()));
        Ok(paths
            .filter(|path| path.extension().is_some_and(|of| of == end))
            .collect())
    }
}

fn write(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let mut file = File::create(path)?;
    for part in parts {
        file.write_all(part)?;
    }
    file.sync_all()
}

fn read(path: &Path) -> Result<Snapshot, String> {
    let text = fs::read(path).map_err(|error| error.to_string())?;
    let mut lines = text.split(|byte| *byte == b'\n');
    let (head, state) = (
        lines.next().unwrap_or_default(),
        lines.next().unwrap_or_default(),
    );
    let head: Head = serde_json::from_slice(head).map_err(|error| error.to_string())?;
    if head.version != SNAPSHOT_VERSION {
        return Err(format!("it is of version {}", head.version));
    }
    if head.digest != hex::encode(Sha256::digest(state)) {
        return Err("its content was altered".to_owned());
    }
    let mut hash = Hash::default();
    hex::decode_to_slice(&head.hash, &mut hash).map_err(|error| error.to_string())?;
    Ok(Snapshot {
        seq: head.seq,
        hash,
        county: serde_json::from_slice(state).map_err(|error| error.to_string())?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(seq: u64) -> Snapshot {
        Snapshot {
            seq,
            hash: [7; 32],
            county: County::new(),
        }
    }

    fn kept(snapshots: &Snapshots) -> Vec<u64> {
        snapshots.newest_first().map(|one| one.seq).collect()
    }

    #[test]
    fn last_two_are_kept_newest_first() {
        let data = tempfile::tempdir().unwrap();
        let snapshots = Snapshots::of(data.path());
        assert!(kept(&snapshots).is_empty());
        for seq in [9, 10, 200] {
            snapshots.keep(&snapshot(seq)).unwrap();
        }
        assert_eq!(kept(&snapshots), [200, 10]);
        let newest = snapshots.newest_first().next().unwrap();
        assert_eq!((newest.hash, newest.county), ([7; 32], County::new()));
    }

    #[test]
    fn what_a_kill_or_a_full_disk_left_goes() {
        let data = tempfile::tempdir().unwrap();
        let snapshots = Snapshots::of(data.path());
        snapshots.tidy(); // nothing there yet
        snapshots.keep(&snapshot(1)).unwrap();
        let left = data.path().join(FOLDER).join("2.unfinished");
        fs::write(&left, "half").unwrap();
        snapshots.tidy();
        assert!(!left.exists());
        // A folder of that name: it cannot be written, and what was made for it goes.
        fs::create_dir_all(data.path().join(FOLDER).join(format!("{:020}.json/x", 3))).unwrap();
        assert!(snapshots.keep(&snapshot(3)).is_err());
        assert_eq!(kept(&snapshots), [1]);
    }

    #[test]
    fn damaged_and_foreign_ones_are_passed_over() {
        let data = tempfile::tempdir().unwrap();
        let snapshots = Snapshots::of(data.path());
        snapshots.keep(&snapshot(1)).unwrap();
        snapshots.keep(&snapshot(2)).unwrap();
        let path = data.path().join(FOLDER).join(format!("{:020}.json", 2));
        let sound = fs::read_to_string(&path).unwrap();
        for broken in [
            sound.replace("\"keys\"", "\"kexs\""),
            sound.replacen("\"version\":", "\"version\":9", 1),
            sound[..sound.len() / 2].to_owned(),
            String::new(),
        ] {
            assert_ne!(broken, sound);
            fs::write(&path, broken).unwrap();
            assert_eq!(kept(&snapshots), [1]);
        }
    }
}
