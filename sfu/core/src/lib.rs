//! The media engine: ICE-lite, DTLS-SRTP, and the forwarding of RTP from
//! sources into slots. Pure: datagrams, commands and the time come in, datagrams and
//! events go out.
#![forbid(unsafe_code)]

pub mod api;
pub mod bwe;
pub mod codec;
mod engine;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod ids;
pub mod payload;
pub mod quality;
pub mod room;
pub mod rtcp;
pub mod rtp;
pub mod sdp;
pub mod transport;
pub mod units;

pub use engine::Engine;
