//! The server of Liandong: HTTP, WebSocket, accounts, journal, and the desk
//! that ties the rules of `liandong-domain` to the media of
//! `liandong-sfu-node`.
//!
//! Where a line belongs:
//!
//! | folder | what |
//! |---|---|
//! | [`start`] | puts the parts together; the banner; demo passwords |
//! | [`config`] | the configuration file and its mistakes |
//! | [`tls`] | certificates |
//! | [`http`] | the port, REST, the embedded console, health and metrics |
//! | [`auth`] | passwords, lock-out, sessions |
//! | [`ws`] | one client's connection |
//! | [`desk`] | the one task that owns the county's state |
//! | [`disk`] | small files that are there whole, or not at all |
//! | [`files`] | photos, voice notes and documents of incidents |
//! | [`journal`] | the hash-chained log that everything is made from |
//! | [`views`] | what each account may see, in the words of the wire |
//! | [`webhooks`] | what other systems are told |
//! | [`media`] | participants and their peers, slots and gates |
#![forbid(unsafe_code)]

pub mod auth;
pub mod backup;
pub mod channels;
pub mod clock;
pub mod config;
pub mod desk;
pub mod disk;
pub mod files;
pub mod http;
pub mod journal;
pub mod media;
pub mod start;
pub mod talk;
#[cfg(test)]
mod testing;
pub mod tls;
pub mod views;
pub mod webhooks;
pub mod ws;
