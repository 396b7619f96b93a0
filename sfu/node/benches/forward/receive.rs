//! `epoll` and `recvmmsg` with the kernel's times of arrival, for the receivers.
#![allow(unsafe_code)]

use std::io;
use std::net::UdpSocket;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

const EVENTS: usize = 256;
/// Datagrams taken from one socket at once.
const BATCH: usize = 16;
const DATAGRAM: usize = 2_048;
const CONTROL: usize = 64;

pub struct Epoll {
    fd: OwnedFd,
    events: Vec<libc::epoll_event>,
}

impl Epoll {
    pub fn new() -> io::Result<Self> {
        // SAFETY: takes no pointer; the result is checked, and nobody else owns it.
        let fd = unsafe {
            let fd = libc::epoll_create1(libc::EPOLL_CLOEXEC);
            if fd < 0 {
                return Err(io::Error::last_os_error());
            }
            OwnedFd::from_raw_fd(fd)
        };
        let events = vec![libc::epoll_event { events: 0, u64: 0 }; EVENTS];
        Ok(Self { fd, events })
    }

    /// `number` is what [`Self::ready`] gives when there is something to read. From now on the
    /// kernel notes the time of each datagram's arrival.
    pub fn add(&self, socket: &UdpSocket, number: usize) -> io::Result<()> {
        let on: libc::c_int = 1;
        let mut event = libc::epoll_event {
            events: libc::EPOLLIN as u32,
            u64: number as u64,
        };
        // SAFETY: `on` and `event` live through the calls; both descriptors are open.
        let done = unsafe {
            libc::setsockopt(
                socket.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_TIMESTAMPNS,
                (&raw const on).cast(),
                size_of::<libc::c_int>() as libc::socklen_t,
            ) == 0
                && libc::epoll_ctl(
                    self.fd.as_raw_fd(),
                    libc::EPOLL_CTL_ADD,
                    socket.as_raw_fd(),
                    &raw mut event,
                ) == 0
        };
        if done {
            Ok(())
        } else {
            Err(io::Error::last_os_error())
        }
    }

    /// Which sockets have something to read, without waiting; false: none.
    pub fn ready(&mut self, ready: &mut Vec<usize>) -> io::Result<bool> {
        ready.clear();
        // SAFETY: `events` has EVENTS entries, which the kernel may write.
        let n = unsafe {
            libc::epoll_wait(
                self.fd.as_raw_fd(),
                self.events.as_mut_ptr(),
                EVENTS as libc::c_int,
                0,
            )
        };
        let n = usize::try_from(n).map_err(|_| io::Error::last_os_error())?;
        ready.extend(self.events[..n].iter().map(|event| event.u64 as usize));
        Ok(n > 0)
    }
}

pub struct Batch {
    memory: Vec<[u8; DATAGRAM]>,
    controls: Vec<[u64; CONTROL / 8]>,
    headers: Vec<libc::mmsghdr>,
}

impl Batch {
    pub fn new() -> Self {
        // SAFETY: integers and raw pointers, for which zero is a valid value.
        let empty: libc::mmsghdr = unsafe { std::mem::zeroed() };
        Self {
            memory: vec![[0; DATAGRAM]; BATCH],
            controls: vec![[0; CONTROL / 8]; BATCH],
            headers: vec![empty; BATCH],
        }
    }

    /// Takes what waits; gives how many datagrams.
    pub fn receive(&mut self, socket: &UdpSocket) -> usize {
        let mut vectors: [libc::iovec; BATCH] = std::array::from_fn(|i| libc::iovec {
            iov_base: self.memory[i].as_mut_ptr().cast(),
            iov_len: DATAGRAM,
        });
        for (i, header) in self.headers.iter_mut().enumerate() {
            header.msg_hdr.msg_iov = &raw mut vectors[i];
            header.msg_hdr.msg_iovlen = 1;
            header.msg_hdr.msg_control = self.controls[i].as_mut_ptr().cast();
            header.msg_hdr.msg_controllen = CONTROL;
        }
        // SAFETY: BATCH headers, each with a vector, memory and a control area of its own that
        // live through the call.
        let n = unsafe {
            libc::recvmmsg(
                socket.as_raw_fd(),
                self.headers.as_mut_ptr(),
                BATCH as libc::c_uint,
                libc::MSG_DONTWAIT,
                std::ptr::null_mut(),
            )
        };
        usize::try_from(n).unwrap_or(0)
    }

    /// The i-th of the last batch, and when it arrived in ns since 1970 (zero: unknown).
    pub fn datagram(&mut self, i: usize) -> (&mut [u8], u64) {
        let len = (self.headers[i].msg_len as usize).min(DATAGRAM);
        let arrived = stamp(&self.headers[i].msg_hdr);
        (&mut self.memory[i][..len], arrived)
    }
}

/// Sends `bytes` as datagrams of `segment` bytes each with one call; they also arrive as one
/// at a socket that takes them so, as they do from a network card that merges what comes at once.
pub fn send_train(socket: &UdpSocket, bytes: &[u8], segment: u16) -> io::Result<()> {
    let mut vector = libc::iovec {
        iov_base: bytes.as_ptr().cast_mut().cast(),
        iov_len: bytes.len(),
    };
    let mut control = [0_u64; CONTROL / 8];
    // SAFETY: the header is zeroed, which is a valid value, and then points to what lives through
    // the call; the control area is aligned and long enough for one message of two bytes.
    let sent = unsafe {
        let mut header: libc::msghdr = std::mem::zeroed();
        header.msg_iov = &raw mut vector;
        header.msg_iovlen = 1;
        header.msg_control = control.as_mut_ptr().cast();
        header.msg_controllen = libc::CMSG_SPACE(size_of::<u16>() as libc::c_uint) as usize;
        let message = libc::CMSG_FIRSTHDR(&raw const header);
        (*message).cmsg_level = libc::SOL_UDP;
        (*message).cmsg_type = libc::UDP_SEGMENT;
        (*message).cmsg_len = libc::CMSG_LEN(size_of::<u16>() as libc::c_uint) as usize;
        libc::CMSG_DATA(message)
            .cast::<u16>()
            .write_unaligned(segment);
        libc::sendmsg(socket.as_raw_fd(), &raw const header, 0)
    };
    if sent < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

fn stamp(header: &libc::msghdr) -> u64 {
    // SAFETY: the control area is that of the batch and the kernel filled in its length; the
    // first message is a timespec if it is of that type.
    unsafe {
        let first = libc::CMSG_FIRSTHDR(header);
        if first.is_null() || (*first).cmsg_type != libc::SCM_TIMESTAMPNS {
            return 0;
        }
        let at = libc::CMSG_DATA(first)
            .cast::<libc::timespec>()
            .read_unaligned();
        at.tv_sec as u64 * 1_000_000_000 + at.tv_nsec as u64
    }
}
