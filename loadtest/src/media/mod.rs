//! What a bot sends, made once at its start.

pub mod picture;
