//! `recvmmsg` and `sendmmsg` with UDP's GRO and GSO: many datagrams for one
//! system call. One of the three files with `unsafe`.
//!
//! The kernel is given arrays of headers that point to other arrays of the
//! same struct. All pointers are made anew for each call from live borrows, so
//! none outlives what it points to.
#![allow(unsafe_code)]

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

use crate::sys;

/// Messages of one system call.
pub(crate) const BATCH: usize = 64;
/// So few are asked for after a quiet time; it doubles while they come.
const SMALL_BATCH: usize = 8;
/// The most that one message can bring: a train merged by GRO.
const MAX_MESSAGE: usize = 65_536;
/// Not a multiple of 4 KiB, so that the first lines of all messages do not
/// compete for the same cache sets.
const STRIDE: usize = MAX_MESSAGE + 1_344;

/// Room for ancillary data: GRO's segment size, a receive time and an address need 24 + 32 + 40 bytes.
const CONTROL: usize = 96;
#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Control([u8; CONTROL]);

/// A socket address of either family; `sockaddr_in` is the smaller and no
/// more aligned one, so it fits, too.
type Name = libc::sockaddr_in6;

const NO_NAME: Name = Name {
    sin6_family: 0,
    sin6_port: 0,
    sin6_flowinfo: 0,
    sin6_addr: libc::in6_addr { s6_addr: [0; 16] },
    sin6_scope_id: 0,
};
const NO_VECTOR: libc::iovec = libc::iovec {
    iov_base: std::ptr::null_mut(),
    iov_len: 0,
};

fn empty_headers() -> Box<[libc::mmsghdr]> {
    // SAFETY: mmsghdr holds integers and raw pointers, for which zero is a valid value.
    let empty: libc::mmsghdr = unsafe { std::mem::zeroed() };
    vec![empty; BATCH].into_boxed_slice()
}

/// One message of the last receive call: one datagram, or several of one sender merged.
#[derive(Debug)]
pub(crate) struct Message<'a> {
    pub from: SocketAddr,
    /// The address of ours that it was sent to, where the socket hears several.
    pub to: Option<IpAddr>,
    pub bytes: &'a mut [u8],
    /// Each datagram's size; the last may be shorter.
    pub segment: usize,
    /// The kernel's time of arrival since 1970, of the first message only.
    pub arrived: Option<Duration>,
}

/// Memory for receiving.
pub(crate) struct Receiver {
    memory: Box<[u8]>,
    names: Box<[Name]>,
    controls: Box<[Control]>,
    vectors: Box<[libc::iovec]>,
    headers: Box<[libc::mmsghdr]>,
    received: usize,
    /// What the next call asks for.
    wanted: usize,
}

impl Receiver {
    pub(crate) fn new() -> Self {
        Self {
            memory: vec![0; STRIDE * BATCH].into_boxed_slice(),
            names: vec![NO_NAME; BATCH].into_boxed_slice(),
            controls: vec![Control([0; CONTROL]); BATCH].into_boxed_slice(),
            vectors: vec![NO_VECTOR; BATCH].into_boxed_slice(),
            headers: empty_headers(),
            received: 0,
            wanted: SMALL_BATCH,
        }
    }

    /// Takes what waits at the socket, without blocking: how many messages, and
    /// whether more may wait.
    pub(crate) fn receive(&mut self, fd: BorrowedFd<'_>) -> io::Result<(usize, bool)> {
        self.received = 0;
        let wanted = self.wanted;
        for i in 0..wanted {
            self.vectors[i] = libc::iovec {
                iov_base: self.memory[i * STRIDE..][..MAX_MESSAGE].as_mut_ptr().cast(),
                iov_len: MAX_MESSAGE,
            };
        }
        let memory_names = self.names.as_mut_ptr();
        let memory_controls = self.controls.as_mut_ptr();
        let memory_vectors = self.vectors.as_mut_ptr();
        for (i, header) in self.headers[..wanted].iter_mut().enumerate() {
            let header = &mut header.msg_hdr;
            // `wrapping_add` stays within the arrays: all have BATCH entries.
            header.msg_name = memory_names.wrapping_add(i).cast();
            header.msg_namelen = size_of::<Name>() as libc::socklen_t;
            header.msg_iov = memory_vectors.wrapping_add(i);
            header.msg_iovlen = 1;
            header.msg_control = memory_controls.wrapping_add(i).cast();
            header.msg_controllen = size_of::<Control>();
            header.msg_flags = 0;
        }
        // SAFETY: `headers` has at least `wanted` entries; each points to a name, a
        // vector and a control area of its own, each vector to MAX_MESSAGE bytes of
        // its own in `memory`; all belong to `self`, which is borrowed mutably.
        let n = unsafe {
            libc::recvmmsg(
                fd.as_raw_fd(),
                self.headers.as_mut_ptr(),
                wanted as libc::c_uint,
                libc::MSG_DONTWAIT,
                std::ptr::null_mut(),
            )
        };
        if n < 0 {
            return Err(io::Error::last_os_error());
        }
        self.received = (n as usize).min(wanted);
        let full = self.received == wanted;
        self.wanted = if full {
            (wanted * 2).min(BATCH)
        } else {
            self.received.max(SMALL_BATCH)
        };
        Ok((self.received, full))
    }

    /// The i-th message of the last call; `None` where it was cut off or its sender is unreadable.
    pub(crate) fn message(&mut self, i: usize) -> Option<Message<'_>> {
        if i >= self.received {
            return None;
        }
        let len = (self.headers[i].msg_len as usize).min(MAX_MESSAGE);
        let header = &self.headers[i].msg_hdr;
        if header.msg_flags & libc::MSG_TRUNC != 0 {
            return None;
        }
        let from = address(&self.names[i], header.msg_namelen)?;
        let ancillary = ancillary(header, i == 0);
        Some(Message {
            from,
            to: ancillary.to,
            bytes: &mut self.memory[i * STRIDE..][..len],
            segment: ancillary.segment.unwrap_or(len).max(1),
            arrived: ancillary.arrived,
        })
    }
}

impl std::fmt::Debug for Receiver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Receiver({} messages)", self.received)
    }
}

fn address(name: &Name, len: libc::socklen_t) -> Option<SocketAddr> {
    match i32::from(name.sin6_family) {
        libc::AF_INET if len as usize >= size_of::<libc::sockaddr_in>() => {
            // SAFETY: of this family, so the kernel wrote a sockaddr_in, which is
            // smaller than Name and needs no more alignment.
            let v4 = unsafe { *(&raw const *name).cast::<libc::sockaddr_in>() };
            let ip = Ipv4Addr::from(u32::from_be(v4.sin_addr.s_addr));
            Some(SocketAddrV4::new(ip, u16::from_be(v4.sin_port)).into())
        }
        libc::AF_INET6 if len as usize >= size_of::<libc::sockaddr_in6>() => {
            let ip = Ipv6Addr::from(name.sin6_addr.s6_addr);
            let port = u16::from_be(name.sin6_port);
            Some(SocketAddrV6::new(ip, port, 0, name.sin6_scope_id).into())
        }
        _ => None,
    }
}

#[derive(Debug, Default)]
struct Ancillary {
    /// GRO's segment size.
    segment: Option<usize>,
    arrived: Option<Duration>,
    to: Option<IpAddr>,
}

/// What the kernel says beside a message; the time of arrival only where wanted.
fn ancillary(header: &libc::msghdr, want_time: bool) -> Ancillary {
    let mut found = Ancillary::default();
    // SAFETY: the header's control area is ours and the kernel filled in
    // `msg_controllen` of it; the macros walk within that length.
    let mut next = unsafe { libc::CMSG_FIRSTHDR(header) };
    while !next.is_null() {
        // SAFETY: not null, so a complete control header within the area.
        let (level, kind) = unsafe { ((*next).cmsg_level, (*next).cmsg_type) };
        // SAFETY: as above; this only computes where its data begins.
        let data = unsafe { libc::CMSG_DATA(next) };
        match (level, kind) {
            (libc::SOL_UDP, libc::UDP_GRO) => {
                // SAFETY: the kernel's UDP_GRO data is one c_int; unaligned read in any case.
                let size = unsafe { data.cast::<libc::c_int>().read_unaligned() };
                found.segment = usize::try_from(size).ok().filter(|s| *s > 0);
            }
            (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) if want_time => {
                // SAFETY: the kernel's SCM_TIMESTAMPNS data is one timespec.
                let at = unsafe { data.cast::<libc::timespec>().read_unaligned() };
                found.arrived = Some(Duration::new(at.tv_sec as u64, at.tv_nsec as u32));
            }
            (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                // SAFETY: the kernel's IP_PKTINFO data is one in_pktinfo.
                let info = unsafe { data.cast::<libc::in_pktinfo>().read_unaligned() };
                let ip = Ipv4Addr::from(u32::from_be(info.ipi_spec_dst.s_addr));
                found.to = Some(ip.into());
            }
            (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                // SAFETY: the kernel's IPV6_PKTINFO data is one in6_pktinfo.
                let info = unsafe { data.cast::<libc::in6_pktinfo>().read_unaligned() };
                found.to = Some(Ipv6Addr::from(info.ipi6_addr.s6_addr).into());
            }
            _ => {}
        }
        // SAFETY: `next` came from this header's area.
        next = unsafe { libc::CMSG_NXTHDR(header, next) };
    }
    found
}

/// What one message carries: consecutive datagrams to one destination.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Train {
    pub to: SocketAddr,
    /// Where its first byte is in the common buffer, and how many there are.
    pub start: usize,
    pub len: usize,
    /// Each datagram's size; the last may be shorter.
    pub segment: u16,
    pub datagrams: u16,
    /// The address of ours to send from; `None`: the socket's own.
    pub from: Option<IpAddr>,
    /// All of it is video.
    pub video: bool,
}

/// Memory for sending.
pub(crate) struct Sender {
    names: Box<[Name]>,
    controls: Box<[Control]>,
    vectors: Box<[libc::iovec]>,
    headers: Box<[libc::mmsghdr]>,
}

impl Sender {
    pub(crate) fn new() -> Self {
        Self {
            names: vec![NO_NAME; BATCH].into_boxed_slice(),
            controls: vec![Control([0; CONTROL]); BATCH].into_boxed_slice(),
            vectors: vec![NO_VECTOR; BATCH].into_boxed_slice(),
            headers: empty_headers(),
        }
    }

    /// Sends the first of `trains` with one system call; gives how many went, at
    /// least one. An error is about the first one only.
    pub(crate) fn send(
        &mut self,
        fd: BorrowedFd<'_>,
        bytes: &[u8],
        trains: &[Train],
    ) -> io::Result<usize> {
        let trains = &trains[..trains.len().min(BATCH)];
        for (i, train) in trains.iter().enumerate() {
            let payload = &bytes[train.start..][..train.len];
            self.vectors[i] = libc::iovec {
                // The kernel only reads it.
                iov_base: payload.as_ptr().cast_mut().cast(),
                iov_len: payload.len(),
            };
        }
        let names = self.names.as_mut_ptr();
        let controls = self.controls.as_mut_ptr();
        let vectors = self.vectors.as_mut_ptr();
        for (i, train) in trains.iter().enumerate() {
            let header = &mut self.headers[i].msg_hdr;
            // SAFETY: `names` has BATCH entries, `i` is below that.
            let name_len = write_name(unsafe { &mut *names.add(i) }, train.to);
            header.msg_name = names.wrapping_add(i).cast();
            header.msg_namelen = name_len;
            header.msg_iov = vectors.wrapping_add(i);
            header.msg_iovlen = 1;
            header.msg_flags = 0;
            header.msg_control = controls.wrapping_add(i).cast();
            header.msg_controllen = 0;
            if let Some(from) = train.from {
                write_source(header, from);
            }
            if train.datagrams > 1 {
                write_segment(header, train.segment);
            }
            if header.msg_controllen == 0 {
                header.msg_control = std::ptr::null_mut();
            }
        }
        // SAFETY: the first `trains.len()` headers were filled in above and point to
        // entries of arrays of `self` and to ranges of `bytes`, all of which live on.
        let n = unsafe {
            libc::sendmmsg(
                fd.as_raw_fd(),
                self.headers.as_mut_ptr(),
                trains.len() as libc::c_uint,
                libc::MSG_DONTWAIT,
            )
        };
        if n < 0 {
            Err(io::Error::last_os_error())
        } else {
            Ok(n as usize)
        }
    }
}

impl std::fmt::Debug for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sender")
    }
}

fn write_name(name: &mut Name, to: SocketAddr) -> libc::socklen_t {
    match to {
        SocketAddr::V4(v4) => {
            let address = libc::sockaddr_in {
                sin_family: libc::AF_INET as libc::sa_family_t,
                sin_port: v4.port().to_be(),
                sin_addr: libc::in_addr {
                    s_addr: u32::from(*v4.ip()).to_be(),
                },
                sin_zero: [0; 8],
            };
            // SAFETY: a sockaddr_in is smaller than Name and needs no more alignment.
            unsafe { (&raw mut *name).cast::<libc::sockaddr_in>().write(address) };
            size_of::<libc::sockaddr_in>() as libc::socklen_t
        }
        SocketAddr::V6(v6) => {
            *name = libc::sockaddr_in6 {
                sin6_family: libc::AF_INET6 as libc::sa_family_t,
                sin6_port: v6.port().to_be(),
                sin6_flowinfo: 0,
                sin6_addr: libc::in6_addr {
                    s6_addr: v6.ip().octets(),
                },
                sin6_scope_id: v6.scope_id(),
            };
            size_of::<libc::sockaddr_in6>() as libc::socklen_t
        }
    }
}

/// Asks for the message to be cut into datagrams of that size (udp(7), UDP_SEGMENT).
fn write_segment(header: &mut libc::msghdr, segment: u16) {
    append(header, libc::SOL_UDP, libc::UDP_SEGMENT, segment);
}

/// Sends from that address of ours (ip(7), IP_PKTINFO; RFC 3542 §6.1).
fn write_source(header: &mut libc::msghdr, from: IpAddr) {
    match from {
        IpAddr::V4(v4) => {
            let info = libc::in_pktinfo {
                ipi_ifindex: 0,
                ipi_spec_dst: libc::in_addr {
                    s_addr: u32::from(v4).to_be(),
                },
                ipi_addr: libc::in_addr { s_addr: 0 },
            };
            append(header, libc::IPPROTO_IP, libc::IP_PKTINFO, info);
        }
        IpAddr::V6(v6) => {
            let info = libc::in6_pktinfo {
                ipi6_addr: libc::in6_addr {
                    s6_addr: v6.octets(),
                },
                ipi6_ifindex: 0,
            };
            append(header, libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, info);
        }
    }
}

/// Appends a control message. `msg_control` must point to a whole [`Control`], of which
/// `msg_controllen` bytes are in use.
fn append<T: Copy>(header: &mut libc::msghdr, level: libc::c_int, kind: libc::c_int, data: T) {
    // SAFETY: only computes a size.
    let space = unsafe { libc::CMSG_SPACE(size_of::<T>() as libc::c_uint) } as usize;
    let used = header.msg_controllen;
    if used + space > CONTROL {
        return;
    }
    // SAFETY: the area is a Control, aligned for cmsghdr; what is in use is a sum of CMSG_SPACEs,
    // so the next message is aligned, too, and fits, as was checked.
    unsafe {
        let control = header
            .msg_control
            .cast::<u8>()
            .add(used)
            .cast::<libc::cmsghdr>();
        (*control).cmsg_level = level;
        (*control).cmsg_type = kind;
        (*control).cmsg_len = libc::CMSG_LEN(size_of::<T>() as libc::c_uint) as usize;
        libc::CMSG_DATA(control).cast::<T>().write_unaligned(data);
    }
    header.msg_controllen = used + space;
}

/// Whether the kernel cuts trains for this socket.
pub(crate) fn can_segment(fd: BorrowedFd<'_>) -> bool {
    // 0 is the default: no segmentation unless a message asks for it.
    sys::set_option(fd, libc::SOL_UDP, libc::UDP_SEGMENT, 0).is_ok()
}

/// Lets the kernel merge datagrams of one sender; whether it does.
pub(crate) fn merge_received(fd: BorrowedFd<'_>) -> bool {
    sys::set_option(fd, libc::SOL_UDP, libc::UDP_GRO, 1).is_ok()
}

/// Lets the kernel note the time of arrival; whether it does.
pub(crate) fn stamp_received(fd: BorrowedFd<'_>) -> bool {
    sys::set_option(fd, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, 1).is_ok()
}

/// Lets the kernel say which address of ours a datagram was sent to; whether it does.
pub(crate) fn name_destination(fd: BorrowedFd<'_>, v6: bool) -> bool {
    let (level, name) = if v6 {
        (libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO)
    } else {
        (libc::IPPROTO_IP, libc::IP_PKTINFO)
    };
    sys::set_option(fd, level, name, 1).is_ok()
}
