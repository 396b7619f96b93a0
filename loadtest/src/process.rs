//! What a process takes of the machine, as Linux tells it (proc(5)).

use std::path::PathBuf;
use std::time::Duration;

/// Of `utime` and `stime`: sysconf(_SC_CLK_TCK), 100 on every Linux that is in use.
const TICKS_PER_SECOND: u64 = 100;

/// A process of this machine.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Process(u32);

impl Process {
    #[must_use]
    pub fn of(id: u32) -> Self {
        Self(id)
    }

    #[must_use]
    pub fn own() -> Self {
        Self(std::process::id())
    }

    fn file(self, name: &str) -> Option<String> {
        let path: PathBuf = ["/proc", &self.0.to_string(), name].iter().collect();
        std::fs::read_to_string(path).ok()
    }

    /// Memory that it holds; `None` when it has ended.
    #[must_use]
    pub fn rss_kb(self) -> Option<u64> {
        let status = self.file("status")?;
        let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"))?;
        line.trim().strip_suffix(" kB")?.parse().ok()
    }

    /// CPU time since its start, of all threads; `None` when it has ended.
    #[must_use]
    pub fn cpu(self) -> Option<Duration> {
        let stat = self.file("stat")?;
        // The name, in brackets, may hold anything; `utime` is the 12th field after it.
        let fields = stat.rsplit_once(')')?.1;
        let mut times = fields.split_whitespace().skip(11);
        let user: u64 = times.next()?.parse().ok()?;
        let system: u64 = times.next()?.parse().ok()?;
        Some(Duration::from_millis(
            (user + system) * 1000 / TICKS_PER_SECOND,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_and_time_and_no_other_has() {
        assert!(Process::own().rss_kb().unwrap() > 100);
        let before = Process::own().cpu().unwrap();
        let mut sum = 0_u64;
        while Process::own().cpu().unwrap() == before {
            sum = sum.wrapping_mul(31).wrapping_add(1);
        }
        assert_ne!(sum, 0);
        let nobody = Process::of(u32::MAX);
        assert_eq!((nobody.rss_kb(), nobody.cpu()), (None, None));
    }
}
