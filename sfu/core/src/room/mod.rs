//! Who is heard.

pub mod speakers;

pub use speakers::{HEARD, Loudness, Speakers};
