//! System calls that the standard library and socket2 do not offer. With `mmsg` and
//! `epoll`, the only files of this crate with `unsafe`; each block states what it relies on.
#![allow(unsafe_code)]

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Wakes a thread that waits in [`wait`]; rung from any thread, as often as
/// one likes, at the price of one write per wake-up.
#[derive(Debug)]
pub(crate) struct Wake {
    fd: OwnedFd,
    rung: AtomicBool,
}

impl Wake {
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: eventfd takes no pointer; the result is checked before use.
        let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: `fd` was just opened and nobody else owns it.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(Self {
            fd,
            rung: AtomicBool::new(false),
        })
    }

    /// What was written before this call is seen by whoever clears after it.
    pub(crate) fn ring(&self) {
        if !self.rung.swap(true, Ordering::AcqRel) {
            let one = 1u64.to_ne_bytes();
            // SAFETY: 8 readable bytes, as eventfd wants. It can only fail when the
            // counter is full, and then the reader is awake anyway.
            unsafe { libc::write(self.fd.as_raw_fd(), one.as_ptr().cast(), one.len()) };
        }
    }

    /// Whether something was announced that nobody has cleared yet.
    pub(crate) fn is_rung(&self) -> bool {
        self.rung.load(Ordering::Acquire)
    }

    /// Call before looking for what the wake-up announced, else one could be missed.
    pub(crate) fn clear(&self) {
        let mut count = [0u8; 8];
        // SAFETY: 8 writable bytes, as eventfd wants. Non-blocking: fails when not rung.
        unsafe { libc::read(self.fd.as_raw_fd(), count.as_mut_ptr().cast(), count.len()) };
        self.rung.store(false, Ordering::Release);
    }
}

impl AsRawFd for Wake {
    fn as_raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}

/// One descriptor to wait for.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub(crate) struct Ready(libc::pollfd);

impl Ready {
    pub(crate) fn to_read(fd: &impl AsRawFd) -> Self {
        Self::new(fd, libc::POLLIN)
    }

    pub(crate) fn to_write(fd: &impl AsRawFd) -> Self {
        Self::new(fd, libc::POLLOUT)
    }

    fn new(fd: &impl AsRawFd, events: i16) -> Self {
        Self(libc::pollfd {
            fd: fd.as_raw_fd(),
            events,
            revents: 0,
        })
    }

    /// Whether the last [`wait`] saw it ready, or broken: using it tells which.
    pub(crate) fn is_ready(&self) -> bool {
        self.0.revents != 0
    }
}

/// Waits until something is ready or the time is over (`None`: never). A signal ends it early.
pub(crate) fn wait(fds: &mut [Ready], timeout: Option<Duration>) -> io::Result<()> {
    let timeout = timeout.map(|t| libc::timespec {
        tv_sec: t.as_secs().min(3_600) as libc::time_t,
        tv_nsec: t.subsec_nanos().into(),
    });
    let timeout = timeout.as_ref().map_or(std::ptr::null(), |t| t as *const _);
    // SAFETY: `Ready` is a transparent pollfd, so the slice is an array of pollfd of
    // that length; `timeout` is null or points to a timespec that lives to the end.
    let n = unsafe {
        libc::ppoll(
            fds.as_mut_ptr().cast(),
            fds.len() as libc::nfds_t,
            timeout,
            std::ptr::null(),
        )
    };
    if n >= 0 {
        return Ok(());
    }
    for fd in fds {
        fd.0.revents = 0;
    }
    match io::Error::last_os_error() {
        e if e.kind() == io::ErrorKind::Interrupted => Ok(()),
        e => Err(e),
    }
}

/// The CPU time of one thread, readable from any thread.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ThreadClock(libc::clockid_t);

impl ThreadClock {
    /// Of the calling thread.
    pub(crate) fn of_this_thread() -> Option<Self> {
        let mut clock: libc::clockid_t = 0;
        // SAFETY: the calling thread exists; `clock` is writable.
        let failed = unsafe { libc::pthread_getcpuclockid(libc::pthread_self(), &mut clock) };
        (failed == 0).then_some(Self(clock))
    }

    /// User and system time used so far; `None` once the thread has ended.
    pub(crate) fn elapsed(self) -> Option<Duration> {
        let mut at = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // SAFETY: any clock id may be asked, unknown ones give an error; `at` is writable.
        let failed = unsafe { libc::clock_gettime(self.0, &mut at) };
        (failed == 0).then(|| Duration::new(at.tv_sec as u64, at.tv_nsec as u32))
    }
}

/// All addresses of this machine's interfaces that are up, loopback included.
pub(crate) fn interface_addresses() -> io::Result<Vec<IpAddr>> {
    let mut list: *mut libc::ifaddrs = std::ptr::null_mut();
    // SAFETY: `list` is writable; on success it heads a list that we free below.
    if unsafe { libc::getifaddrs(&mut list) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let mut addresses = Vec::new();
    let mut next = list;
    while !next.is_null() {
        // SAFETY: not null, so an entry of the list, which is freed only after the loop.
        let entry = unsafe { &*next };
        next = entry.ifa_next;
        if entry.ifa_addr.is_null() || entry.ifa_flags & libc::IFF_UP as u32 == 0 {
            continue;
        }
        // SAFETY: not null; every socket address starts with its family.
        match i32::from(unsafe { (*entry.ifa_addr).sa_family }) {
            libc::AF_INET => {
                // SAFETY: of this family, so a sockaddr_in.
                let a = unsafe { *entry.ifa_addr.cast::<libc::sockaddr_in>() };
                let ip = Ipv4Addr::from(u32::from_be(a.sin_addr.s_addr));
                addresses.push(ip.into());
            }
            libc::AF_INET6 => {
                // SAFETY: of this family, so a sockaddr_in6.
                let a = unsafe { *entry.ifa_addr.cast::<libc::sockaddr_in6>() };
                addresses.push(Ipv6Addr::from(a.sin6_addr.s6_addr).into());
            }
            _ => {}
        }
    }
    // SAFETY: got from getifaddrs, not freed before, no reference is left.
    unsafe { libc::freeifaddrs(list) };
    Ok(addresses)
}

/// Sets an integer option that socket2 does not know.
pub(crate) fn set_option(
    fd: BorrowedFd<'_>,
    level: libc::c_int,
    name: libc::c_int,
    value: libc::c_int,
) -> io::Result<()> {
    // SAFETY: the pointer and length are those of one readable c_int.
    let failed = unsafe {
        libc::setsockopt(
            fd.as_raw_fd(),
            level,
            name,
            (&raw const value).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    if failed == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rung_wake_is_ready_until_cleared() {
        let wake = Wake::new().unwrap();
        let mut fds = [Ready::to_read(&wake)];
        wait(&mut fds, Some(Duration::ZERO)).unwrap();
        assert!(!fds[0].is_ready());
        wake.ring();
        wake.ring();
        wait(&mut fds, None).unwrap();
        assert!(fds[0].is_ready());
        wake.clear();
        wait(&mut fds, Some(Duration::ZERO)).unwrap();
        assert!(!fds[0].is_ready());
        wake.ring();
        wait(&mut fds, None).unwrap();
        assert!(fds[0].is_ready());
    }

    #[test]
    fn thread_clock_is_readable_from_elsewhere_and_ends_with_its_thread() {
        let (tell, clock) = std::sync::mpsc::channel();
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::spawn(move || {
            tell.send(ThreadClock::of_this_thread().unwrap()).unwrap();
            ended.recv().ok();
        });
        let clock = clock.recv().unwrap();
        assert!(clock.elapsed().is_some());
        drop(end);
        thread.join().unwrap();
    }

    #[test]
    fn loopback_is_among_the_interfaces() {
        let all = interface_addresses().unwrap();
        assert!(all.contains(&Ipv4Addr::LOCALHOST.into()), "{all:?}");
    }
}
