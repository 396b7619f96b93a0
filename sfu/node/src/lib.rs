//! The media node: sockets, worker threads and control around the pure engine
//! of `liandong-sfu-core`.
//!
//! The signaling side holds a [`Node`] and takes [`NodeEvent`]s; both are plain
//! data, so that they can cross a wire later.
#![deny(unsafe_code)]

mod config;
mod control;
mod epoll;
mod event;
mod figures;
mod links;
mod load;
mod locals;
mod mailbox;
mod metrics;
mod mmsg;
mod node;
mod outgoing;
mod overload;
mod socket;
mod sys;
mod tcp;
mod udp;
mod worker;

pub use config::{Limits, MAX_WORKERS, NodeConfig, NodeError};
pub use event::{Answered, NodeEvent, OfferError, Shown, WorkerLoad};
pub use liandong_sfu_core::api::{
    DisconnectReason, EncodingDemand, PeerStats, SlotStats, SlotView,
};
pub use liandong_sfu_core::ids::{PeerId, RoomId, SlotIndex, SourceId, Track, WorkerIndex};
pub use node::Node;
