//! What each account may see, in the words of the wire.
//!
//! * [`conduct`] – roles, lobby, pre-emption
//! * [`wire`] – domain types to and from protocol types, one to one
//! * [`platforms`] – what other platforms are told of their reports
//! * [`snapshot`] – everything one client may know

pub mod conduct;
pub mod duty;
pub mod incidents;
pub mod plans;
pub mod platforms;
pub mod pursuits;
pub mod snapshot;
pub mod talk;
pub mod wire;
