//! The whole state written down at one entry of the journal, so that a start
//! need not replay everything before it. A shortcut, never the truth: a
//! snapshot of another version is thrown away and the journal replayed.
//!
//! Its form is that of `serde` for [`County`](crate::County). Whoever changes a
//! field of the state, or what an event makes of it, raises [`SNAPSHOT_VERSION`].

/// Of the form, and of what events make of the state.
pub const SNAPSHOT_VERSION: u16 = 6;
