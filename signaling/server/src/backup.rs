//! `liandong backup` and `liandong restore`: the data folder copied while the
//! server runs, and put back.
//!
//! A backup is a folder: the store (journal, passwords, sessions) as it was at
//! one moment, the files of incidents, the server's own certificate authority, and `backup.json` with
//! the journal's length and last hash. It holds secrets and is readable by its
//! owner only. Snapshots are left out; the journal has everything.

use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::Backup;
use serde::{Deserialize, Serialize};

use crate::channels::web_push;
use crate::files;
use crate::journal::JournalError;
use crate::journal::sqlite::{FILE_NAME, open_read_only};
use crate::journal::verify::{Verified, verify};

const MANIFEST: &str = "backup.json";
/// Beside the store: what clients were told to trust must survive, and the key without which
/// the subscriptions in the store are worth nothing.
const ALONG: [&str; 3] = ["tls", "demo-logins.txt", web_push::KEY_FILE];
/// Pages copied at a time; orders are written in between.
const PAGES: std::ffi::c_int = 1_024;
const PAUSE: Duration = Duration::from_millis(5);

/// What a backup says of itself.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Of the program that made it.
    pub version: String,
    /// Entries of the journal.
    pub entries: u64,
    /// Of the last one, in hexadecimal.
    pub last_hash: String,
}

/// Each names its mend.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    #[error("{0} is there already: name a folder that is not")]
    Exists(PathBuf),
    #[error("no data in {0}: name the data folder of a server with --data")]
    NoData(PathBuf),
    #[error("no backup in {0}: it has no {MANIFEST}")]
    NoBackup(PathBuf),
    #[error("{path}: {source}")]
    File {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("store: {0}")]
    Store(#[from] rusqlite::Error),
    #[error("the copy is not good: {0}")]
    Journal(#[from] JournalError),
    #[error("there is {found} where the backup says {said}: the copy is incomplete or altered")]
    Different { said: String, found: String },
}

/// Copies the data folder of a server, which may be running, to a new folder,
/// and verifies the copy.
///
/// # Errors
/// See [`BackupError`]; an unfinished copy is left for inspection, without its manifest.
pub fn backup(data: &Path, to: &Path) -> Result<Manifest, BackupError> {
    if !data.join(FILE_NAME).exists() {
        return Err(BackupError::NoData(data.to_owned()));
    }
    new_folder(to)?;
    let source = open_read_only(data)?;
    let path = to.join(FILE_NAME);
    let mut copy = rusqlite::Connection::open(&path)?;
    // One view of the source for the whole copy: without a transaction of our own each write
    // between two steps would send the copy back to the first page.
    source.execute_batch("BEGIN")?;
    source.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Backup::new(&source, &mut copy)?.run_to_completion(PAGES, PAUSE, None)?;
    // One file without a log beside it.
    copy.pragma_update(None, "journal_mode", "DELETE")?;
    drop(copy);
    own_only(&path)?;
    for name in ALONG {
        copy_if_there(&data.join(name), &to.join(name))?;
    }
    // After the journal: what it names is there already, and nothing is ever taken away.
    copy_files(&data.join(files::FOLDER), &to.join(files::FOLDER))?;
    let manifest = Manifest::of(&verify(to)?);
    let path = to.join(MANIFEST);
    let text = serde_json::to_string_pretty(&manifest).unwrap_or_default();
    fs::write(&path, text + "\n").map_err(file(&path))?;
    Ok(manifest)
}

/// Makes a data folder of a backup. The folder must not be there yet, so that
/// nothing is ever overwritten.
///
/// # Errors
/// See [`BackupError`].
pub fn restore(from: &Path, data: &Path) -> Result<Manifest, BackupError> {
    let text = fs::read_to_string(from.join(MANIFEST))
        .map_err(|_| BackupError::NoBackup(from.to_owned()))?;
    let manifest: Manifest =
        serde_json::from_str(&text).map_err(|_| BackupError::NoBackup(from.to_owned()))?;
    // Before anything is made of it.
    let found = Manifest::of(&verify(from)?);
    if (found.entries, &found.last_hash) != (manifest.entries, &manifest.last_hash) {
        return Err(BackupError::Different {
            said: manifest.end(),
            found: found.end(),
        });
    }
    new_folder(data)?;
    for name in [FILE_NAME].iter().chain(&ALONG) {
        copy_if_there(&from.join(name), &data.join(name))?;
    }
    copy_files(&from.join(files::FOLDER), &data.join(files::FOLDER))?;
    Ok(manifest)
}

impl Manifest {
    fn of(verified: &Verified) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            entries: verified.entries,
            last_hash: hex::encode(verified.head),
        }
    }

    /// For people.
    #[must_use]
    pub fn end(&self) -> String {
        format!("{} entries, last hash {}", self.entries, self.last_hash)
    }
}

fn new_folder(path: &Path) -> Result<(), BackupError> {
    if let Some(above) = path.parent() {
        fs::create_dir_all(above).map_err(file(above))?;
    }
    match fs::DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            Err(BackupError::Exists(path.to_owned()))
        }
        Err(error) => Err(file(path)(error)),
    }
}

/// The files of incidents, each checked against its name, which is its hash.
///
/// Those on their way first: one that moves to its place meanwhile is found there.
fn copy_files(from: &Path, to: &Path) -> Result<(), BackupError> {
    if !from.is_dir() {
        return Ok(()); // of a version that had none
    }
    new_folder(to)?;
    let new = from.join(files::NEW);
    if new.is_dir() {
        new_folder(&to.join(files::NEW))?;
        for entry in fs::read_dir(&new).map_err(file(&new))? {
            let path = entry.map_err(file(&new))?.path();
            let name = path.file_name().unwrap_or_default();
            match fs::copy(&path, to.join(files::NEW).join(name)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(file(&path)(error));
                }
                Ok(_) | Err(_) => {}
            }
        }
    }
    for entry in fs::read_dir(from).map_err(file(from))? {
        let path = entry.map_err(file(from))?.path();
        let name = path.file_name().unwrap_or_default();
        if name == files::NEW || !path.is_dir() {
            continue;
        }
        new_folder(&to.join(name))?;
        for entry in fs::read_dir(&path).map_err(file(&path))? {
            let path = entry.map_err(file(&path))?.path();
            let copy = to.join(name).join(path.file_name().unwrap_or_default());
            copy_if_there(&path, &copy)?;
            check_hash(&copy)?;
        }
    }
    Ok(())
}

fn check_hash(path: &Path) -> Result<(), BackupError> {
    use sha2::{Digest as _, Sha256};
    let mut hasher = Sha256::new();
    let mut reader = fs::File::open(path).map_err(file(path))?;
    let mut part = vec![0; 256 * 1024];
    loop {
        let read = std::io::Read::read(&mut reader, &mut part).map_err(file(path))?;
        if read == 0 {
            break;
        }
        hasher.update(&part[..read]);
    }
    let found = hex::encode(hasher.finalize());
    let said = path.file_name().unwrap_or_default().to_string_lossy();
    if found == *said {
        Ok(())
    } else {
        let (said, found) = (said.into_owned(), format!("another content ({found})"));
        Err(BackupError::Different { said, found })
    }
}

/// A file, or a folder of files.
fn copy_if_there(from: &Path, to: &Path) -> Result<(), BackupError> {
    if from.is_dir() {
        new_folder(to)?;
        for entry in fs::read_dir(from).map_err(file(from))? {
            let name = entry.map_err(file(from))?.file_name();
            copy_if_there(&from.join(&name), &to.join(&name))?;
        }
    } else if from.exists() {
        // With its permissions.
        fs::copy(from, to).map_err(file(to))?;
        let copied = fs::File::open(to).map_err(file(to))?;
        copied.sync_all().map_err(file(to))?;
    }
    Ok(())
}

fn own_only(path: &Path) -> Result<(), BackupError> {
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(file(path))
}

fn file(path: &Path) -> impl Fn(std::io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::File {
        path: path.clone(),
        source,
    }
}
