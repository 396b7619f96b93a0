//! Whole engines in virtual time: real ICE checks, DTLS and SRTP, no sockets.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod allocation;
mod audio;
mod bandwidth;
mod browser;
mod chaos;
mod client;
mod forwarding;
mod hostile;
mod layers;
mod moving;
mod offer;
mod renewal;
mod repair;
mod scalable;
mod selection;
mod sending;
mod shed;
mod speech;
mod thin;
mod workers;
mod world;
