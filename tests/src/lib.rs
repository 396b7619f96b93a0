//! What the tests with real processes share: the server as users start it.
//!
//! The binaries are those of the same profile as the test: build them first
//! (`make build`, then `cargo test --release -p liandong-tests`).

mod call;
mod room;
mod server;
mod socket;
mod wait;

pub use call::LiveCall;
pub use room::Room;
pub use server::{PASSWORD, ServerProcess};
pub use socket::RawClient;
pub use wait::until;
