//! RTP on the wire (RFC 3550): reading packets in place, header extensions.

pub mod extension;
pub mod packet;

pub use extension::{AudioLevel, Extension, ExtensionMap, ExtensionValues, write_extensions};
pub use packet::{RtpError, RtpHeader, RtpView};
