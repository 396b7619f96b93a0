//! Who is who: passwords, lock-out, sessions, and where requests may come from.
//!
//! * [`password`] – Argon2id
//! * [`lockout`], [`rate`] – how often one may try; pure, time is an argument
//! * [`sign_in`] – all steps of a login
//! * [`session`] – the cookie and what it stands for
//! * [`platforms`], [`signature`] – other platforms: tokens and signed requests
//! * [`vault`] – password hashes and sessions on the disk
//! * [`origin`] – no orders from other people's pages

pub mod links;
pub mod lockout;
pub mod origin;
pub mod password;
pub mod platforms;
pub mod rate;
pub mod second_factor;
pub mod session;
pub mod sign_in;
pub mod signature;
pub mod vault;
