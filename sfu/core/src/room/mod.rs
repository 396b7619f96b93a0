//! Who is heard, and what of the pictures a receiver gets.

pub mod allocate;
pub mod shed;
pub mod speakers;

pub use speakers::{HEARD, Loudness, Speakers};
