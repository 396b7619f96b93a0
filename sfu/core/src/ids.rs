//! Names of things inside the media server.

use std::fmt;

/// One worker thread of this node.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct WorkerIndex(pub u8);

/// The people of one conference; media never crosses rooms. Numbered by the control side.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RoomId(pub u32);

/// One client's media connection. Carries the worker it lives on, so that any
/// worker knows whom to ask; never reused while the node runs.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PeerId(u32);

impl PeerId {
    /// `serial` counts from 1 per worker and must stay below 2^24.
    #[must_use]
    pub const fn new(worker: WorkerIndex, serial: u32) -> Self {
        Self(((worker.0 as u32) << 24) | (serial & 0x00ff_ffff))
    }

    #[must_use]
    pub const fn worker(self) -> WorkerIndex {
        WorkerIndex((self.0 >> 24) as u8)
    }

    #[must_use]
    pub const fn serial(self) -> u32 {
        self.0 & 0x00ff_ffff
    }
}

impl fmt::Debug for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "peer {}.{}", self.worker().0, self.serial())
    }
}

/// What a track is for; a peer sends at most one of each.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Track {
    Microphone,
    Camera,
    Screen,
}

/// One thing that is sent: a peer's track.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SourceId {
    pub peer: PeerId,
    pub track: Track,
}

/// One of up to three simulcast encodings of a source, in the order of the
/// sender's offer; 0 is the only one of a source without simulcast.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct EncodingIndex(pub u8);

/// The i-th recvonly video of a peer's offer.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SlotIndex(pub u8);

/// Where a datagram came from or goes to: one of the node's sockets and the far end.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Path {
    /// Which of the node's sockets or addresses, as numbered by the node; [`Path::TCP`] for a
    /// connection of ICE-TCP.
    pub local: u8,
    pub remote: std::net::SocketAddr,
}

impl Path {
    /// `local` of every TCP connection: the far end alone tells them apart.
    pub const TCP: u8 = u8::MAX;

    /// Whether datagrams travel within a TCP connection (RFC 6544).
    #[must_use]
    pub const fn is_tcp(&self) -> bool {
        self.local == Self::TCP
    }
}
