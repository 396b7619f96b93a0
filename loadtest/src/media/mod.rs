//! What a bot sends, made once at its start.

pub mod codec;
mod made;
pub mod picture;
pub mod sound;
pub mod video;
pub mod vp8;
