//! The journal: what happened, in order, each entry chained to the one before
//! by its hash. It is the truth; everything else is made from it.
//!
//! * [`chain`] – how entries are hashed and checked
//! * [`check`] – looks through what a start from a snapshot does not read
//! * [`mark`] – how far the journal goes, in a file of its own
//! * [`record`] – what an entry holds
//! * [`snapshots`] – the state at some entry, for a fast start
//! * [`sqlite`] – the embedded store on a thread of its own
//! * [`verify`] – `liandong journal verify`

pub mod chain;
pub mod check;
pub mod mark;
pub mod record;
pub mod snapshots;
pub mod sqlite;
pub mod verify;

use std::future::Future;

pub use chain::Hash;

/// Something to write down.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Draft {
    /// Milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// The account that ordered it, or `system`.
    pub actor: String,
    /// The event as JSON.
    pub body: String,
}

/// Something that is written down.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// From 1, without gaps.
    pub seq: u64,
    pub at_ms: i64,
    pub actor: String,
    pub body: String,
    /// The hash of the entry before; zeros for the first.
    pub prev_hash: Hash,
    pub hash: Hash,
}

/// Why the journal could not do it.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// Nothing was written; the next try may succeed (disk full, busy).
    #[error("journal cannot be written: {0}")]
    Unavailable(String),
    /// The store holds other entries than this process wrote: read it anew.
    #[error("journal ends at entry {found} where {expected} was expected")]
    Diverged { expected: u64, found: u64 },
    /// From this entry on it cannot be trusted.
    #[error("journal is broken at entry {seq}: {what}")]
    Broken { seq: u64, what: String },
    /// The store itself is damaged, and which entry it struck is not known.
    #[error("journal is damaged: {0}")]
    Damaged(String),
    /// The entry is sound, but of a form that came after this program.
    #[error("journal entry {seq} was written by a later version of this program: {what}")]
    Later { seq: u64, what: String },
}

impl JournalError {
    /// What whoever runs the server is to do.
    #[must_use]
    pub fn mend(&self) -> &'static str {
        match self {
            JournalError::Unavailable(_) => {
                "make room on the disk and see that the data folder can be written"
            }
            JournalError::Diverged { .. } => "start again",
            JournalError::Broken { .. } | JournalError::Damaged(_) => {
                "look at it with `liandong journal verify`, put the data folder aside, and make \
                 a new one of the last backup with `liandong restore`"
            }
            JournalError::Later { .. } => "start the version that wrote it, or a later one",
        }
    }

    /// True when it does not pass by itself: the store is not what was written.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        match self {
            JournalError::Broken { .. } | JournalError::Damaged(_) | JournalError::Later { .. } => {
                true
            }
            JournalError::Unavailable(_) | JournalError::Diverged { .. } => false,
        }
    }
}

/// An append-only, hash-chained store.
pub trait Journal: Clone + Send + Sync + 'static {
    /// Writes all or none, and returns when it is on the disk. Gives the
    /// number of the last entry.
    fn append(&self, batch: Vec<Draft>) -> impl Future<Output = Result<u64, JournalError>> + Send;

    /// The hash of an entry; `None` when there is none of that number.
    fn hash_at(&self, seq: u64) -> impl Future<Output = Result<Option<Hash>, JournalError>> + Send;

    /// Damage that was found, whoever found it. Nothing is appended from then on.
    fn damage(&self) -> Option<JournalError>;

    /// Up to `limit` entries after `seq`, checked against the chain.
    fn read(
        &self,
        after: u64,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Entry>, JournalError>> + Send;
}
