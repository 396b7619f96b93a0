//! Photos, voice notes and documents of incidents: `DATA/files`, each under the SHA-256 of what
//! it holds.
//!
//! A file comes into `files/new` first, and is on the disk before the journal names it. Once it is
//! named it moves to its place. What a crash leaves in `new` is looked at when the server starts:
//! named by the journal, it is moved; else nobody knows of it, and it is removed.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, Bytes, HttpBody as _};
use futures_util::StreamExt as _;
use sha2::{Digest as _, Sha256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A photo of a phone has 2 to 12 MB; a minute of film about 20.
pub const MAX_FILE_BYTES: u32 = 32 * 1024 * 1024;
/// Uploads at the same time, and of one sender among them.
const MAX_UPLOADS: usize = 16;
const MAX_UPLOADS_OF_ONE: usize = 4;
/// Left free on the disk, so that the journal goes on when no file is taken any more.
const KEPT_FREE_BYTES: u64 = 1024 * 1024 * 1024;
/// As much of the beginning as tells what it is.
const HEAD_BYTES: usize = 16 * 1024;
/// Written at a time.
const CHUNK_BYTES: usize = 256 * 1024;
/// The folder's name in the data folder.
pub const FOLDER: &str = "files";
/// Where files are that the journal may not name yet.
pub const NEW: &str = "new";

/// A handle to the folder.
#[derive(Clone, Debug)]
pub struct Files {
    folder: Arc<PathBuf>,
    uploads: Arc<Semaphore>,
    /// How many uploads of each sender there are now.
    senders: Arc<Mutex<BTreeMap<String, usize>>>,
    kept_free: u64,
}

/// A place among the uploads.
#[derive(Debug)]
struct Place {
    senders: Arc<Mutex<BTreeMap<String, usize>>>,
    sender: String,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut senders = self.senders.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = senders.get_mut(&self.sender) {
            *count -= 1;
            if *count == 0 {
                senders.remove(&self.sender);
            }
        }
    }
}

/// Why a file was not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// Later it may be taken.
    #[error("too many uploads at present")]
    Busy,
    #[error("longer than {MAX_FILE_BYTES} bytes")]
    TooLarge,
    /// The connection broke.
    #[error("the body did not come whole")]
    Cut,
    #[error("empty")]
    Empty,
    /// Of a type that is not taken, whatever it is called.
    #[error("neither picture, sound, film, PDF nor office document")]
    Unsupported,
    /// Later it may be taken.
    #[error("cannot be written: {0}")]
    Disk(#[from] io::Error),
    /// Later it may be taken: the rest of the disk is the journal's.
    #[error("less than {KEPT_FREE_BYTES} bytes would be free on the disk")]
    NearlyFull,
}

/// A file that is on the disk and not named yet. Dropped, it goes, unless it is
/// [handed over](Self::hand_over).
#[derive(Debug)]
pub struct Incoming {
    files: Files,
    path: PathBuf,
    /// SHA-256, in hexadecimal.
    pub id: String,
    pub hash: [u8; 32],
    pub bytes: u32,
    /// By what it holds.
    pub media_type: &'static str,
    handed_over: bool,
    _place: Place,
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if !self.handed_over {
            drop(fs::remove_file(&self.path));
        }
    }
}

impl Files {
    /// Makes the folder, and looks after what a crash has left: `named` says of an id whether the
    /// journal names it.
    ///
    /// # Errors
    /// The folder cannot be written, or `named` fails.
    pub fn open(data: &Path, named: impl Fn(&str) -> io::Result<bool>) -> io::Result<Self> {
        let folder = data.join(FOLDER);
        let new = folder.join(NEW);
        fs::create_dir_all(&new)?;
        let files = Self {
            folder: Arc::new(folder),
            uploads: Arc::new(Semaphore::new(MAX_UPLOADS)),
            senders: Arc::default(),
            kept_free: KEPT_FREE_BYTES,
        };
        for entry in fs::read_dir(&new)? {
            let path = entry?.path();
            let id = id_of(&path).map(str::to_owned);
            match id.filter(|id| is_id(id)) {
                Some(id) if named(&id)? => files.settle(&path, &id)?,
                Some(_) | None => {
                    tracing::info!(path = %path.display(), "upload that was never named removed");
                    fs::remove_file(&path)?;
                }
            }
        }
        Ok(files)
    }

    fn place(&self, sender: &str) -> Result<Place, FileError> {
        let permit = Arc::clone(&self.uploads).try_acquire_owned();
        let permit = permit.map_err(|_| FileError::Busy)?;
        let mut senders = self.senders.lock().unwrap_or_else(PoisonError::into_inner);
        let count = senders.entry(sender.to_owned()).or_default();
        if *count >= MAX_UPLOADS_OF_ONE {
            return Err(FileError::Busy);
        }
        *count += 1;
        Ok(Place {
            senders: Arc::clone(&self.senders),
            sender: sender.to_owned(),
            _permit: permit,
        })
    }

    fn has_room(&self) -> io::Result<bool> {
        let disk = rustix::fs::statvfs(&*self.folder)?;
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        Ok(free >= self.kept_free.saturating_add(MAX_FILE_BYTES.into()))
    }

    /// Writes the body down; it is on the disk when this returns. `sender` is who is known to send
    /// it, `declared` what it is said to be.
    ///
    /// # Errors
    /// See [`FileError`]; nothing is left then.
    pub async fn receive(
        &self,
        sender: &str,
        body: Body,
        declared: &str,
    ) -> Result<Incoming, FileError> {
        let place = self.place(sender)?;
        if body.size_hint().lower() > u64::from(MAX_FILE_BYTES) {
            return Err(FileError::TooLarge);
        }
        if !self.has_room()? {
            return Err(FileError::NearlyFull);
        }
        let path = self
            .folder
            .join(NEW)
            .join(format!("{:032x}", rand::random::<u128>()));
        let mut writing = Writing::begin(path)?;
        let mut body = body.into_data_stream();
        let mut waiting: Vec<u8> = Vec::new();
        while let Some(chunk) = body.next().await {
            let chunk: Bytes = chunk.map_err(|_| FileError::Cut)?;
            if writing.bytes + waiting.len() + chunk.len() > MAX_FILE_BYTES as usize {
                return Err(FileError::TooLarge);
            }
            waiting.extend_from_slice(&chunk);
            if waiting.len() >= CHUNK_BYTES {
                writing = writing.write(std::mem::take(&mut waiting)).await?;
            }
        }
        let writing = writing.write(waiting).await?;
        let media_type = media_type(&writing.head, declared);
        if writing.bytes == 0 {
            return Err(FileError::Empty);
        }
        let media_type = media_type.ok_or(FileError::Unsupported)?;
        let done = tokio::task::spawn_blocking(move || writing.end());
        let (path, hash, bytes) = done.await.map_err(io::Error::other)??;
        Ok(Incoming {
            files: self.clone(),
            id: hex::encode(hash),
            path,
            hash,
            bytes,
            media_type,
            handed_over: false,
            _place: place,
        })
    }

    /// Where the file is; `None`: there is none of that id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<PathBuf> {
        if !is_id(id) {
            return None;
        }
        let settled = self.place_of(id);
        if settled.is_file() {
            return Some(settled);
        }
        // Named a moment ago, and on its way.
        let entries = fs::read_dir(self.folder.join(NEW)).ok()?;
        entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .find(|path| id_of(path) == Some(id))
            .or_else(|| settled.is_file().then_some(settled))
    }

    fn place_of(&self, id: &str) -> PathBuf {
        self.folder.join(&id[..2]).join(id)
    }

    /// Moves it to its place.
    fn settle(&self, path: &Path, id: &str) -> io::Result<()> {
        let place = self.place_of(id);
        if let Some(folder) = place.parent() {
            fs::create_dir_all(folder)?;
            fs::rename(path, &place)?;
            File::open(folder)?.sync_all()?;
        }
        File::open(&*self.folder)?.sync_all()
    }
}

impl Incoming {
    /// From here on the journal may name it. Whatever happens to the request, it stays, and the
    /// next start sees what the journal says.
    pub fn hand_over(&mut self) {
        self.handed_over = true;
    }

    /// The journal does not name it.
    pub fn refused(mut self) {
        self.handed_over = false;
    }

    /// The journal names it: it moves to its place. If that fails, the next start moves it.
    pub async fn keep(mut self) {
        self.handed_over = true;
        let kept = tokio::task::spawn_blocking(move || self.files.settle(&self.path, &self.id));
        match kept.await.map_err(io::Error::other) {
            Ok(Ok(())) => {}
            Ok(Err(error)) | Err(error) => tracing::error!(%error, "file not moved to its place"),
        }
    }
}

/// A file in the making; dropped before its end, it goes.
struct Writing {
    path: PathBuf,
    file: Option<File>,
    hasher: Sha256,
    head: Vec<u8>,
    bytes: usize,
}

impl Drop for Writing {
    fn drop(&mut self) {
        if self.file.is_some() {
            drop(fs::remove_file(&self.path));
        }
    }
}

impl Writing {
    fn begin(path: PathBuf) -> io::Result<Self> {
        Ok(Self {
            file: Some(File::create_new(&path)?),
            path,
            hasher: Sha256::new(),
            head: Vec::new(),
            bytes: 0,
        })
    }

    async fn write(mut self, chunk: Vec<u8>) -> io::Result<Self> {
        let written = tokio::task::spawn_blocking(move || {
            if let Some(file) = &mut self.file {
                file.write_all(&chunk)?;
            }
            let room = HEAD_BYTES - self.head.len();
            self.head.extend_from_slice(&chunk[..chunk.len().min(room)]);
            self.hasher.update(&chunk);
            self.bytes += chunk.len();
            Ok(self)
        });
        written.await.map_err(io::Error::other)?
    }

    /// The file under its hash, on the disk.
    fn end(mut self) -> io::Result<(PathBuf, [u8; 32], u32)> {
        let hash: [u8; 32] = std::mem::take(&mut self.hasher).finalize().into();
        let random = self.path.file_name().unwrap_or_default().to_string_lossy();
        let named = self
            .path
            .with_file_name(format!("{}.{random}", hex::encode(hash)));
        if let Some(file) = &self.file {
            file.sync_all()?;
        }
        fs::rename(&self.path, &named)?;
        self.path.clone_from(&named);
        if let Some(folder) = named.parent() {
            File::open(folder)?.sync_all()?;
        }
        self.file = None;
        Ok((named, hash, u32::try_from(self.bytes).unwrap_or(u32::MAX)))
    }
}

/// Part of a file, read bit by bit.
///
/// # Errors
/// It cannot be read.
pub fn stream(path: &Path, from: u64, length: u64) -> io::Result<Body> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(from))?;
    let parts = futures_util::stream::unfold(Some((file, length)), |state| async move {
        let (mut file, left) = state.filter(|(_, left)| *left > 0)?;
        let read = tokio::task::spawn_blocking(move || {
            let length = usize::try_from(left).unwrap_or(usize::MAX).min(CHUNK_BYTES);
            let mut part = vec![0; length];
            file.read_exact(&mut part)?;
            Ok((part, file, left - length as u64))
        });
        match read.await.map_err(io::Error::other) {
            Ok(Ok((part, file, left))) => Some((Ok(Bytes::from(part)), Some((file, left)))),
            Ok(Err(error)) | Err(error) => Some((Err(error), None)),
        }
    });
    Ok(Body::from_stream(parts))
}

/// The part of the name before the dot.
fn id_of(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()?.split('.').next()
}

/// 64 digits, so that it is no path.
fn is_id(id: &str) -> bool {
    id.len() == 64
        && id
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// What the file is by its beginning, never by its name. Only what cannot carry scripts.
///
/// `declared` tells only sound from film in the containers that are for both.
fn media_type(head: &[u8], declared: &str) -> Option<&'static str> {
    let sound = declared
        .trim_start()
        .to_ascii_lowercase()
        .starts_with("audio/");
    Some(match infer::get(head)?.mime_type() {
        "image/jpeg" => "image/jpeg",
        "image/png" => "image/png",
        "image/webp" => "image/webp",
        "image/gif" => "image/gif",
        "image/heif" => "image/heif",
        "video/webm" | "video/x-matroska" if sound => "audio/webm",
        "video/webm" => "video/webm",
        "video/mp4" | "audio/m4a" if sound => "audio/mp4",
        "video/mp4" => "video/mp4",
        "video/quicktime" => "video/quicktime",
        "audio/m4a" => "audio/mp4",
        "audio/mpeg" => "audio/mpeg",
        "audio/ogg" | "audio/opus" => "audio/ogg",
        "audio/x-wav" => "audio/wav",
        "audio/aac" => "audio/aac",
        "audio/amr" => "audio/amr",
        "application/pdf" => "application/pdf",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => {
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
        }
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => {
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        }
        "application/vnd.openxmlformats-officedocument.presentationml.presentation" => {
            "application/vnd.openxmlformats-officedocument.presentationml.presentation"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and what follows";

    fn open(data: &Path, named: bool) -> Files {
        Files::open(data, |_| Ok(named)).unwrap()
    }

    fn left(data: &Path) -> usize {
        fs::read_dir(data.join(FOLDER).join(NEW)).unwrap().count()
    }

    #[tokio::test]
    async fn file_is_found_while_new_and_in_its_place_and_goes_if_nobody_keeps_it() {
        let data = tempfile::tempdir().unwrap();
        let files = open(data.path(), false);
        let one = files
            .receive("101", Body::from(PNG), "text/html")
            .await
            .unwrap();
        assert_eq!(
            (one.media_type, one.bytes as usize),
            ("image/png", PNG.len())
        );
        assert_eq!(one.id, hex::encode(Sha256::digest(PNG)));
        let id = one.id.clone();
        assert!(files.find(&id).is_some());
        // The same again, refused: the first one stays.
        let again = files
            .receive("101", Body::from(PNG), "image/png")
            .await
            .unwrap();
        drop(again);
        assert!(files.find(&id).is_some());
        one.keep().await;
        assert_eq!(fs::read(files.find(&id).unwrap()).unwrap(), PNG);
        assert_eq!(left(data.path()), 0);
        assert_eq!(files.find("../../liandong.db"), None);
        assert_eq!(files.find(&id.to_uppercase()), None);
    }

    #[tokio::test]
    async fn what_is_not_taken_leaves_nothing() {
        let data = tempfile::tempdir().unwrap();
        let files = open(data.path(), false);
        for (body, declared) in [
            (&b"<svg onload=alert(1)>"[..], "image/png"),
            (b"<!doctype html><script>", "image/jpeg"),
            (b"MZ\x90\x00", "application/pdf"),
            (b"", "image/png"),
        ] {
            let refused = files.receive("101", Body::from(body), declared).await;
            assert!(refused.is_err());
        }
        let long = futures_util::stream::repeat(Ok::<_, std::fmt::Error>(Bytes::from_static(
            &[0; 65_536],
        )));
        let long = Body::from_stream(long);
        let refused = files.receive("101", long, "image/png").await;
        assert!(matches!(refused, Err(FileError::TooLarge)));
        let full = Files {
            kept_free: u64::MAX,
            ..files.clone()
        };
        let refused = full.receive("101", Body::from(PNG), "image/png").await;
        assert!(matches!(refused, Err(FileError::NearlyFull)));
        assert_eq!(left(data.path()), 0);
    }

    #[tokio::test]
    async fn start_keeps_what_the_journal_names_and_removes_the_rest() {
        let data = tempfile::tempdir().unwrap();
        let crash = |files: Files| async move {
            let one = files.receive("101", Body::from(PNG), "image/png").await;
            let mut one = one.unwrap();
            one.hand_over(); // and whoever would have kept it is gone
            one.id.clone()
        };
        let id = crash(open(data.path(), false)).await;
        assert_eq!(open(data.path(), false).find(&id), None);
        let id = crash(open(data.path(), false)).await;
        fs::write(data.path().join("files/new/half"), b"half").unwrap();
        let files = open(data.path(), true);
        assert!(
            files
                .find(&id)
                .is_some_and(|path| !path.starts_with(data.path().join("files/new")))
        );
        assert_eq!(left(data.path()), 0);
    }

    #[tokio::test]
    async fn one_sender_leaves_room_for_others() {
        let data = tempfile::tempdir().unwrap();
        let files = open(data.path(), false);
        let send = |sender: &'static str| files.receive(sender, Body::from(PNG), "image/png");
        let mut own = Vec::new();
        for _ in 0..MAX_UPLOADS_OF_ONE {
            own.push(send("101").await.unwrap());
        }
        assert!(matches!(send("101").await, Err(FileError::Busy)));
        send("102").await.unwrap();
        own.pop();
        send("101").await.unwrap();
        drop(own);
        assert!(files.senders.lock().unwrap().is_empty());
    }

    #[test]
    fn sound_and_film_share_containers() {
        let head = b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\xf2\x81\x04\x42\xf3\x81\x08\x42\x82\x84webm";
        let webm = &[&head[..], &[0; 256]].concat();
        assert_eq!(
            media_type(webm, "audio/webm;codecs=opus"),
            Some("audio/webm")
        );
        assert_eq!(media_type(webm, ""), Some("video/webm"));
        assert_eq!(media_type(PNG, "audio/webm"), Some("image/png"));
    }
}
