//! Waiting for many connections at once: an epoll descriptor, which can be waited for like any other.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

/// Connections that are told ready by one call; the others are by the next one.
const BATCH: usize = 64;
const NO_EVENT: libc::epoll_event = libc::epoll_event { events: 0, u64: 0 };

/// What one connection is ready for. Broken ones are ready for both: using them tells.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Readiness {
    /// As given to [`Epoll::add`].
    pub key: usize,
    pub read: bool,
    pub write: bool,
}

/// A set of descriptors to wait for.
#[derive(Debug)]
pub(crate) struct Epoll {
    fd: OwnedFd,
}

impl Epoll {
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: takes no pointer; the result is checked before use.
        let fd = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: `fd` was just opened and nobody else owns it.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(Self { fd })
    }

    /// Waits for reading from now on; a closed descriptor leaves the set by itself.
    pub(crate) fn add(&self, fd: &impl AsRawFd, key: usize) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_ADD, fd.as_raw_fd(), key, false)
    }

    /// Whether to wait for writing, too.
    pub(crate) fn change(&self, fd: &impl AsRawFd, key: usize, write: bool) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_MOD, fd.as_raw_fd(), key, write)
    }

    fn control(&self, what: libc::c_int, fd: RawFd, key: usize, write: bool) -> io::Result<()> {
        let write = if write { libc::EPOLLOUT } else { 0 };
        let mut event = libc::epoll_event {
            events: (libc::EPOLLIN | write) as u32,
            u64: key as u64,
        };
        // SAFETY: `event` is readable; the kernel keeps a copy of it.
        let failed = unsafe { libc::epoll_ctl(self.fd.as_raw_fd(), what, fd, &raw mut event) };
        if failed == 0 {
            Ok(())
        } else {
            Err(io::Error::last_os_error())
        }
    }

    /// Puts what is ready now into `into`, some of it if it is much.
    pub(crate) fn ready(&self, into: &mut Vec<Readiness>) {
        into.clear();
        let mut events = [NO_EVENT; BATCH];
        // SAFETY: `events` has room for BATCH entries. Does not wait.
        let n = unsafe {
            libc::epoll_wait(
                self.fd.as_raw_fd(),
                events.as_mut_ptr(),
                BATCH as libc::c_int,
                0,
            )
        };
        // Fails when interrupted only: the next turn asks again.
        let n = usize::try_from(n).unwrap_or(0);
        into.extend(events.iter().take(n).map(|event| {
            let has = |flags: libc::c_int| event.events & flags as u32 != 0;
            let broken = has(libc::EPOLLERR | libc::EPOLLHUP);
            Readiness {
                key: event.u64 as usize,
                read: broken || has(libc::EPOLLIN),
                write: broken || has(libc::EPOLLOUT),
            }
        }));
    }
}

impl AsRawFd for Epoll {
    fn as_raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn ready_ones_are_named_by_their_keys() {
        let epoll = Epoll::new().unwrap();
        let (a, mut to_a) = UnixStream::pair().unwrap();
        let (b, to_b) = UnixStream::pair().unwrap();
        epoll.add(&a, 3).unwrap();
        epoll.add(&b, 4).unwrap();
        let mut ready = Vec::new();
        epoll.ready(&mut ready);
        assert_eq!(ready, []);
        to_a.write_all(b"x").unwrap();
        epoll.ready(&mut ready);
        let expected = |key, write| Readiness {
            key,
            read: true,
            write,
        };
        assert_eq!(ready, [expected(3, false)]);
        epoll.change(&a, 3, true).unwrap();
        drop(to_b);
        epoll.ready(&mut ready);
        ready.sort_by_key(|r| r.key);
        assert_eq!(ready, [expected(3, true), expected(4, true)]);
        drop((a, b));
        epoll.ready(&mut ready);
        assert_eq!(ready, []);
    }
}
