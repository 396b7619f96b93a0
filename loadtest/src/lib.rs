//! Simulated sites and load scenarios.
//!
//! A [bot](bot) logs in like a real site over HTTPS and WebSocket, answers
//! calls and sends recognisable moving pictures and a tone of its own through
//! the independent `webrtc` crate; it counts what it receives and checks that
//! the right site is in each slot. A scenario moves many of them and ends with
//! a [`Report`].

pub mod bot;
pub mod cli;
pub mod media;
pub mod process;
pub mod report;
pub mod scenario;
pub mod server;
pub mod sites;

pub use bot::{Behaviour, Bot, BotPlan, MediaPlan};
pub use media::picture::colour_of;
pub use report::Report;
pub use server::{Server, Trust};
