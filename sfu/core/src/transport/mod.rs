//! One peer's way through the network: ICE-lite, DTLS, SRTP.
//!
//! Pure like the rest of the engine. [`Transport`] takes datagrams that
//! [`demux::classify`] has sorted and the time; it gives datagrams to send,
//! events, and the contexts that turn SRTP into RTP and back.

pub mod credentials;
pub mod demux;
pub mod dtls;
pub mod error;
pub mod fingerprint;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
pub mod srtp;

mod ice;
mod outbox;
mod peer_transport;
mod stun;
#[cfg(test)]
mod tests;

pub use credentials::{IceCredentials, IceRemote, ufrag_of_request, worker_of_ufrag};
pub use demux::{Kind, classify};
pub use dtls::{Certificate, DtlsRole};
pub use error::{DropReason, TransportError};
pub use fingerprint::Fingerprint;
pub use peer_transport::{Transmit, Transport, TransportConfig, TransportEvent};
pub use srtp::{MAX_TRAILER, OutboundStream, SrtpError, SrtpIn, SrtpOut, SrtpProfile};
pub use stun::{MAX_CHECK, may_be_check};
