//! A bad network between clients and the server.
//!
//! [`Link`] is the pure model of one direction of a line; [`Proxy`] puts it
//! between sockets; the program `liandong-impair` lets a test change it while it runs.

mod conditions;
mod control;
mod dice;
mod link;
mod proxy;
mod tcp;
mod udp;

pub use conditions::{Burst, Change, Conditions, Policer};
pub use control::Command;
pub use link::{Fate, Link};
pub use proxy::{Counters, Proxy, Way};
