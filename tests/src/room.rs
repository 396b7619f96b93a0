//! A data folder with little room, so that a disk can be full.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

/// How the room is made small.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Room {
    /// A file system in memory, mounted where only the server sees it.
    Mounted,
    /// Where no mount is allowed: a limit on the size of the files that the server writes.
    Limited,
}

/// Of the mounted file system.
const SIZE: &str = "size=48m";

impl Room {
    /// The better of those that this machine allows.
    #[must_use]
    pub fn possible() -> Self {
        let tried = Command::new("unshare")
            .args(["--user", "--map-root-user", "--mount", "true"])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if tried.is_ok_and(|status| status.success()) {
            Room::Mounted
        } else {
            Room::Limited
        }
    }

    /// Starts the program within the room; the process is the program's own.
    pub(crate) fn command(self, program: &Path, data: &Path) -> Command {
        let mut command = match self {
            Room::Mounted => {
                let mut command = Command::new("unshare");
                command.args(["--user", "--map-root-user", "--mount", "sh", "-c"]);
                command
                    .arg("set -e; mount -t tmpfs -o \"$1\" liandong \"$2\"; shift 2; exec \"$@\"");
                command.args(["sh", SIZE]);
                command
            }
            Room::Limited => {
                let mut command = Command::new("sh");
                // A file that may not grow gives an error then, and no signal.
                command.args(["-c", "trap '' XFSZ; shift; exec \"$@\"", "sh"]);
                command
            }
        };
        command.arg(data).arg(program);
        command
    }

    /// Another program that sees the data as the running server does. (SQLite resolves the
    /// path of [`Self::seen`] to one outside of the room.)
    pub(crate) fn beside(self, program: &Path, process: u32) -> Command {
        match self {
            Room::Mounted => {
                let mut command = Command::new("nsenter");
                command.args(["--user", "--mount", "--preserve-credentials", "--target"]);
                command.arg(process.to_string()).arg(program);
                command
            }
            Room::Limited => Command::new(program),
        }
    }

    /// The data folder as this process sees it.
    #[must_use]
    pub fn seen(self, data: &Path, process: u32) -> PathBuf {
        match self {
            Room::Mounted => {
                let within = data.strip_prefix("/").unwrap_or(data);
                Path::new("/proc")
                    .join(process.to_string())
                    .join("root")
                    .join(within)
            }
            Room::Limited => data.to_owned(),
        }
    }

    /// Leaves no room for anything more.
    ///
    /// # Errors
    /// It cannot be done.
    pub fn fill(self, seen: &Path, process: u32) -> anyhow::Result<()> {
        match self {
            Room::Mounted => {
                let mut filler = std::fs::File::create(seen.join("filler"))?;
                for size in [1 << 16, 1 << 12, 1] {
                    while filler.write_all(&vec![1; size]).is_ok() {}
                }
                Ok(())
            }
            Room::Limited => {
                let log = std::fs::metadata(seen.join("liandong.db-wal"))?;
                limit(process, &log.len().to_string())
            }
        }
    }

    /// Makes room again.
    ///
    /// # Errors
    /// It cannot be done.
    pub fn empty(self, seen: &Path, process: u32) -> anyhow::Result<()> {
        match self {
            Room::Mounted => Ok(std::fs::remove_file(seen.join("filler"))?),
            Room::Limited => limit(process, "unlimited"),
        }
    }
}

/// The soft limit only, so that it can be lifted.
fn limit(process: u32, size: &str) -> anyhow::Result<()> {
    let status = Command::new("prlimit")
        .args(["--pid", &process.to_string()])
        .arg(format!("--fsize={size}:"))
        .status()
        .context("prlimit")?;
    if !status.success() {
        bail!("prlimit: {status}");
    }
    Ok(())
}
