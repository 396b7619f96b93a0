//! Who is heard.

pub mod speakers;

pub use speakers::{Loudness, Speakers};
