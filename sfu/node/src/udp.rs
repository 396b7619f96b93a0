//! Batched UDP of one worker: whole batches in, whole outboxes out.

use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use liandong_sfu_core::api::Datagram;
use liandong_sfu_core::ids::Path;
use socket2::Socket;

use crate::figures::WorkerFigures;
use crate::locals::{KnownLocals, Local, Locals};
use crate::mmsg::{self, Receiver, Sender, Train};
use crate::sys::{self, Ready};

/// Datagrams of one train (UDP_MAX_SEGMENTS of older kernels).
const MAX_TRAIN_DATAGRAMS: u16 = 64;
/// Below 65,535 less the IP and UDP headers.
const MAX_TRAIN_BYTES: usize = 65_000;
/// Full sockets are waited for this long in one turn of the worker, whatever it sends; then
/// video is dropped, for it would only grow older.
const WAIT_WITH_VIDEO: Duration = Duration::from_millis(2);
/// And so long for the rest: speech and control.
const WAIT_WITHOUT_VIDEO: Duration = Duration::from_millis(3);

/// The sockets of one worker, one for each listen address.
#[derive(Debug)]
pub(crate) struct Udp {
    ports: Vec<Port>,
    receiver: Receiver,
    /// The socket and number of messages that wait in `receiver`.
    fetched: (usize, usize),
    sender: Sender,
    locals: KnownLocals,
    /// For full sockets, in this turn.
    waited: Duration,
    /// The kernel's time of arrival of the first datagram of this turn, since 1970.
    first_arrival: Option<Duration>,
}

#[derive(Debug)]
struct Port {
    socket: Socket,
    segments: bool,
    trains: Vec<Train>,
}

impl Udp {
    pub(crate) fn new(sockets: Vec<Socket>, locals: Arc<Locals>) -> Self {
        let ports = sockets
            .into_iter()
            .map(|socket| {
                let segments = mmsg::can_segment(socket.as_fd());
                let merges = mmsg::merge_received(socket.as_fd());
                let stamps = mmsg::stamp_received(socket.as_fd());
                if let Some(at) = any_address(&socket) {
                    let told = mmsg::name_destination(socket.as_fd(), at.is_ipv6());
                    tracing::debug!(told, "addresses that datagrams come to");
                }
                tracing::debug!(segments, merges, stamps, "UDP offloads of the kernel");
                Port {
                    socket,
                    segments,
                    trains: Vec::with_capacity(mmsg::BATCH),
                }
            })
            .collect();
        Self {
            ports,
            receiver: Receiver::new(),
            fetched: (0, 0),
            sender: Sender::new(),
            locals: KnownLocals::new(locals),
            waited: Duration::ZERO,
            first_arrival: None,
        }
    }

    /// Full sockets may be waited for again.
    pub(crate) fn begin_turn(&mut self) {
        self.waited = Duration::ZERO;
        self.first_arrival = None;
    }

    /// How long ago the first datagram of this turn arrived; `None`: there was none.
    pub(crate) fn age(&self) -> Option<Duration> {
        self.first_arrival.map(age)
    }

    /// To wait on for datagrams, in the order of [`Path::local`].
    pub(crate) fn readable(&self) -> impl Iterator<Item = Ready> {
        self.ports.iter().map(Ready::to_read)
    }

    /// Takes a batch from socket `local` out of the kernel; whether more may wait there.
    pub(crate) fn fetch(&mut self, local: usize, figures: &WorkerFigures) -> bool {
        self.fetched = (local, 0);
        match self.receiver.receive(self.ports[local].socket.as_fd()) {
            Ok((messages, more)) => {
                self.fetched = (local, messages);
                more
            }
            Err(e) => {
                // Nothing there is no error; an ICMP error about something sent before is harmless.
                if e.kind() != io::ErrorKind::WouldBlock {
                    figures.receive_errors.add(1);
                }
                false
            }
        }
    }

    /// Shows each datagram of the fetched batch, in order of arrival.
    pub(crate) fn show(&mut self, figures: &WorkerFigures, mut each: impl FnMut(Path, &mut [u8])) {
        let (socket, messages) = std::mem::take(&mut self.fetched);
        if messages == 0 {
            return;
        }
        let mut datagrams = 0u32;
        for i in 0..messages {
            let Some(message) = self.receiver.message(i) else {
                figures.dropped_truncated.add(1);
                continue;
            };
            if let Some(arrived) = message.arrived {
                figures.queue_delay.observe(age(arrived).as_secs_f64());
                self.first_arrival = self.first_arrival.or(Some(arrived));
            }
            let local = Local {
                socket: socket as u8,
                ip: message.to,
            };
            let path = Path {
                local: self.locals.number(local),
                remote: message.from,
            };
            figures.received_bytes.add(message.bytes.len() as u64);
            for datagram in message.bytes.chunks_mut(message.segment) {
                datagrams += 1;
                each(path, datagram);
            }
        }
        figures.received_datagrams.add(datagrams.into());
        figures.batch.observe(datagrams.into());
    }

    /// Sends all, in order for each destination. What the kernel does not take
    /// in bounded time is dropped and counted.
    pub(crate) fn send(&mut self, bytes: &[u8], datagrams: &[Datagram], figures: &WorkerFigures) {
        for datagram in datagrams {
            let Some(local) = self.locals.get(datagram.to.local) else {
                continue; // by TCP
            };
            if let Some(port) = self.ports.get_mut(usize::from(local.socket)) {
                couple(&mut port.trains, datagram, local.ip, port.segments);
            }
        }
        for port in &mut self.ports {
            port.send(&mut self.sender, bytes, &mut self.waited, figures);
            port.trains.clear();
        }
    }
}

/// Appends a datagram to the last train where it fits, else begins a new one.
fn couple(trains: &mut Vec<Train>, datagram: &Datagram, from: Option<IpAddr>, segments: bool) {
    let (start, len) = (datagram.start as usize, usize::from(datagram.len));
    if segments
        && let Some(last) = trains.last_mut()
        && last.to == datagram.to.remote
        && last.from == from
        && last.video == datagram.video
        && last.start + last.len == start
        && last.len == usize::from(last.segment) * usize::from(last.datagrams)
        && len <= usize::from(last.segment)
        && len > 0
        && last.datagrams < MAX_TRAIN_DATAGRAMS
        && last.len + len <= MAX_TRAIN_BYTES
    {
        last.len += len;
        last.datagrams += 1;
        return;
    }
    trains.push(Train {
        to: datagram.to.remote,
        from,
        start,
        len,
        segment: datagram.len,
        datagrams: 1,
        video: datagram.video,
    });
}

/// Takes the video out of what has not been sent; gives the number of datagrams.
fn shed_video(trains: &mut Vec<Train>, sent: usize) -> u64 {
    let mut shed = 0;
    let mut at = 0;
    trains.retain(|train| {
        let goes = at >= sent && train.video;
        at += 1;
        shed += if goes { u64::from(train.datagrams) } else { 0 };
        !goes
    });
    shed
}

/// The address of a socket that hears all addresses of its family.
fn any_address(socket: &Socket) -> Option<IpAddr> {
    let at = socket.local_addr().ok()?.as_socket()?.ip();
    at.is_unspecified().then_some(at)
}

/// What an error of sending says about what to do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Trouble {
    Again,
    /// The socket's buffer is full.
    Full,
    /// This message cannot go as a train.
    NoTrain,
    /// This message cannot go.
    Refused,
}

impl Trouble {
    fn of(error: &io::Error, train: &Train) -> Self {
        match error.raw_os_error() {
            Some(libc::EINTR) => Self::Again,
            // ENOBUFS: the queue of the interface is full.
            Some(libc::EAGAIN | libc::ENOBUFS) => Self::Full,
            // EIO: the interface cannot checksum segments; the others: larger than the path's MTU.
            Some(libc::EIO | libc::EINVAL | libc::EMSGSIZE) if train.datagrams > 1 => Self::NoTrain,
            _ => Self::Refused,
        }
    }
}

impl Port {
    fn send(
        &mut self,
        sender: &mut Sender,
        bytes: &[u8],
        waited: &mut Duration,
        figures: &WorkerFigures,
    ) {
        let mut sent = 0;
        while let Some(next) = self.trains.get(sent) {
            figures.send_calls.add(1);
            match sender.send(self.socket.as_fd(), bytes, &self.trains[sent..]) {
                Ok(n) => {
                    let gone = &self.trains[sent..sent + n];
                    let total = |f: fn(&Train) -> usize| gone.iter().map(f).sum::<usize>() as u64;
                    figures.sent_messages.add(n as u64);
                    figures.sent_datagrams.add(total(|t| t.datagrams.into()));
                    figures.sent_bytes.add(total(|t| t.len));
                    sent += n;
                }
                Err(e) => match Trouble::of(&e, next) {
                    Trouble::Again => {}
                    Trouble::Full => {
                        let video = self.trains[sent..].iter().any(|t| t.video);
                        let patience = if video {
                            WAIT_WITH_VIDEO
                        } else {
                            WAIT_WITHOUT_VIDEO
                        };
                        if *waited < patience {
                            *waited += self.wait(patience - *waited);
                        } else if video {
                            let shed = shed_video(&mut self.trains, sent);
                            figures.dropped_send_full_video.add(shed);
                        } else {
                            let rest = self.trains[sent..].iter().map(|t| u64::from(t.datagrams));
                            figures.dropped_send_full.add(rest.sum());
                            return;
                        }
                    }
                    Trouble::NoTrain => {
                        self.segments &= e.raw_os_error() != Some(libc::EIO);
                        self.uncouple(sent);
                    }
                    Trouble::Refused => {
                        figures.dropped_send_refused.add(next.datagrams.into());
                        sent += 1;
                    }
                },
            }
        }
    }

    /// Until there is room, or as long; gives the time that passed.
    fn wait(&self, at_most: Duration) -> Duration {
        let begun = Instant::now();
        let mut ready = [Ready::to_write(&self.socket)];
        // An error shows again on sending. Where the interface is full the socket is
        // writable all the same, so that time passes in any case.
        let _ = sys::wait(&mut ready, Some(at_most));
        begun.elapsed().max(at_most / 8)
    }

    /// Replaces a train by its datagrams.
    fn uncouple(&mut self, at: usize) {
        let train = self.trains[at];
        let segment = usize::from(train.segment).max(1);
        let singles = (0..train.len).step_by(segment).map(|offset| {
            let len = segment.min(train.len - offset);
            Train {
                start: train.start + offset,
                len,
                segment: len as u16,
                datagrams: 1,
                ..train
            }
        });
        self.trains.splice(at..=at, singles);
    }
}

impl AsRawFd for Port {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}

/// How long ago that was by the wall clock; nothing where the clock was set meanwhile.
fn age(arrived: Duration) -> Duration {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .ok()
        .and_then(|now| now.checked_sub(arrived))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
