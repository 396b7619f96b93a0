//! RTP on the wire (RFC 3550): reading packets in place, header extensions,
//! and what forwarding does to a stream.

pub mod cache;
pub mod extension;
pub mod munger;
pub mod packet;

pub use extension::{
    AudioLevel, Extension, ExtensionMap, ExtensionValues, append_extension, write_extensions,
};
pub use packet::{RtpError, RtpHeader, RtpView};
