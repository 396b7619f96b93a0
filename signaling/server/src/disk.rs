//! Small files that are on the disk whole, or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Writes the file anew: a power cut must not leave half a key. `mode` holds also where an old
/// file had a wider one.
///
/// # Errors
/// It cannot be written; an old one is as it was then.
pub fn write_whole(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    match path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()), // relative to wherever the program was started
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn old_file_and_what_a_crash_left_are_replaced_with_the_mode() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.p8");
        fs::write(&path, "an old one, and longer").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        fs::write(
            folder.path().join("key.new"),
            "half of what a crash left behind",
        )
        .unwrap();
        fs::set_permissions(
            folder.path().join("key.new"),
            fs::Permissions::from_mode(0o600),
        )
        .unwrap();
        write_whole(&path, b"new", 0o600).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
