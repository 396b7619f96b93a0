//! The county's state and its journal, kept in step: orders are decided and
//! applied on a working copy, which becomes the state when the journal
//! has all its events, or is dropped.

use liandong_domain::{
    AccountId, Actor, County, Decision, Event, Order, Outcome, Refusal, Timestamp, Timing,
};

use crate::journal::record::{Access, Content, Record, Upkeep};
use crate::journal::snapshots::{Snapshot, Snapshots};
use crate::journal::{Draft, Entry, Journal, JournalError};

/// Entries read at a time when replaying.
const STEP: usize = 2_048;
/// Entries between two snapshots: replaying so many takes a fraction of a second.
const SNAPSHOT_EVERY: u64 = 10_000;

/// Why nothing can be written.
#[derive(Clone, Debug)]
pub struct Trouble {
    pub error: JournalError,
    pub since: Timestamp,
    /// Orders and logins that were refused for it.
    pub refused: u32,
}

/// Owned by the desk alone, so nothing comes between deciding and applying.
#[derive(Debug)]
pub struct Ledger<J> {
    journal: J,
    timing: Timing,
    committed: County,
    working: County,
    drafts: Vec<Draft>,
    events: Vec<Event>,
    /// Of the last entry.
    seq: u64,
    /// Since the last append failed, or damage was found; until the next that succeeds.
    trouble: Option<Trouble>,
    snapshots: Snapshots,
    /// The entry of the last snapshot, also of one that is being written.
    snapshot_at: u64,
}

impl<J: Journal> Ledger<J> {
    /// Begins with the newest snapshot that fits the journal and replays what
    /// comes after, or everything.
    ///
    /// # Errors
    /// When it cannot be read, is broken, or holds what this version does not know.
    pub async fn open(
        journal: J,
        snapshots: Snapshots,
        timing: Timing,
    ) -> Result<Self, JournalError> {
        snapshots.tidy();
        let (county, snapshot_at) = begin(&journal, &snapshots).await?;
        let (county, seq) = replay(&journal, county.timed(timing), snapshot_at).await?;
        Ok(Self {
            journal,
            timing,
            committed: county.clone(),
            working: county,
            drafts: Vec::new(),
            events: Vec::new(),
            seq,
            trouble: None,
            snapshots,
            snapshot_at,
        })
    }

    /// What is journaled.
    pub fn county(&self) -> &County {
        &self.committed
    }

    /// How many entries there are.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// The entry of the snapshot that it began with, or of the last one since.
    pub fn snapshot_at(&self) -> u64 {
        self.snapshot_at
    }

    /// Why nothing can be written at present.
    pub fn trouble(&self) -> Option<&Trouble> {
        self.trouble.as_ref()
    }

    /// So many orders more were refused for the trouble.
    pub fn refused(&mut self, count: u32) {
        if let Some(trouble) = &mut self.trouble {
            trouble.refused = trouble.refused.saturating_add(count);
        }
    }

    /// Takes up damage that somebody else found; and while nothing can be
    /// written, tries with an entry of its own that tells of it, so that the end of the
    /// trouble is noticed though nobody orders anything.
    pub fn look_after(&mut self, now: Timestamp) {
        if let Some(error) = self.journal.damage() {
            self.in_trouble(error, now);
        } else if let Some(trouble) = &self.trouble {
            let upkeep = Upkeep::WasUnwritable {
                since: trouble.since,
                refused: trouble.refused,
            };
            self.drafts
                .extend(draft(now, &Actor::System, &Record::upkeep(upkeep)));
        }
    }

    fn in_trouble(&mut self, error: JournalError, now: Timestamp) {
        match &mut self.trouble {
            Some(trouble) => trouble.error = error,
            None => {
                self.trouble = Some(Trouble {
                    error,
                    since: now,
                    refused: 0,
                });
            }
        }
    }

    /// Decides on the working copy.
    ///
    /// # Errors
    /// The refusal; nothing has changed then.
    pub fn order(
        &mut self,
        by: &Actor,
        key: Option<&str>,
        order: &Order,
        now: Timestamp,
    ) -> Result<Outcome, Refusal> {
        let (events, outcome) = match (by, key) {
            (Actor::Account(account), Some(key)) => {
                match self.working.decide_once(account, key, order, now)? {
                    Decision::New { events, outcome } => (events, outcome),
                    Decision::Repeated(outcome) => return Ok(outcome),
                }
            }
            (Actor::Platform(name), Some(key)) => {
                match self
                    .working
                    .decide_once_for_platform(name, key, order, now)?
                {
                    Decision::New { events, outcome } => (events, outcome),
                    Decision::Repeated(outcome) => return Ok(outcome),
                }
            }
            (Actor::Account(_) | Actor::Platform(_) | Actor::System, None)
            | (Actor::System, Some(_)) => {
                let events = self.working.decide(by, order, now)?;
                let outcome = Outcome::of(order, &events);
                (events, outcome)
            }
        };
        for event in events {
            self.working.apply(&event);
            self.drafts
                .extend(draft(now, by, &Record::event(event.clone())));
            self.events.push(event);
        }
        Ok(outcome)
    }

    /// Writes down who came or went.
    pub fn access(&mut self, access: Access, now: Timestamp) {
        let by = access.account().map_or(Actor::System, |account| {
            Actor::Account(AccountId::from(account))
        });
        self.drafts.extend(draft(now, &by, &Record::access(access)));
    }

    /// One transaction for all that was decided since the last commit. Gives
    /// the events, which may be told now.
    ///
    /// # Errors
    /// Nothing that was decided has happened.
    pub async fn commit(&mut self, now: Timestamp) -> Result<Vec<Event>, JournalError> {
        let drafts = std::mem::take(&mut self.drafts);
        let events = std::mem::take(&mut self.events);
        if drafts.is_empty() {
            return Ok(events);
        }
        match self.journal.append(drafts).await {
            Ok(seq) => {
                self.seq = seq;
                self.trouble = None;
                self.committed = self.working.clone();
                Ok(events)
            }
            Err(error) => {
                if let JournalError::Diverged { .. } = &error {
                    self.reread().await;
                }
                self.working = self.committed.clone();
                self.in_trouble(error.clone(), now);
                Err(error)
            }
        }
    }

    /// A commit that was reported as failed is in the journal all the same:
    /// the journal is right.
    async fn reread(&mut self) {
        let begun = begin(&self.journal, &self.snapshots).await;
        let replayed = match begun {
            Ok((county, seq)) => replay(&self.journal, county.timed(self.timing), seq).await,
            Err(error) => Err(error),
        };
        match replayed {
            Ok((county, seq)) => (self.committed, self.seq) = (county, seq),
            Err(error) => tracing::error!(%error, "journal cannot be read again"),
        }
    }

    /// If enough has come since the last one: a snapshot to be written off the
    /// desk, see [`write_snapshot`]. The state is shared, so this costs nothing.
    pub fn snapshot_due(&mut self) -> Option<SnapshotDue<J>> {
        (self.seq >= self.snapshot_at + SNAPSHOT_EVERY).then(|| {
            self.snapshot_at = self.seq;
            self.snapshot()
        })
    }

    /// The state as it is journaled, to be written down.
    pub fn snapshot(&self) -> SnapshotDue<J> {
        SnapshotDue {
            journal: self.journal.clone(),
            snapshots: self.snapshots.clone(),
            seq: self.seq,
            county: self.committed.clone(),
        }
    }
}

/// A state on its way into a snapshot.
#[derive(Debug)]
pub struct SnapshotDue<J> {
    journal: J,
    snapshots: Snapshots,
    seq: u64,
    county: County,
}

impl<J: Journal> SnapshotDue<J> {
    /// Writes it. If that fails the start takes longer, and the log says why.
    pub async fn write(self) {
        let hash = match self.journal.hash_at(self.seq).await {
            Ok(Some(hash)) => hash,
            Ok(None) => return, // nothing journaled yet
            Err(error) => return tracing::warn!(%error, "no snapshot"),
        };
        let (seq, county, snapshots) = (self.seq, self.county, self.snapshots);
        let written =
            tokio::task::spawn_blocking(move || snapshots.keep(&Snapshot { seq, hash, county }))
                .await;
        match written {
            Ok(Ok(())) => tracing::info!(entry = seq, "snapshot written"),
            Ok(Err(error)) => tracing::warn!(%error, "no snapshot"),
            Err(error) => tracing::error!(%error, "no snapshot"),
        }
    }
}

/// The newest snapshot that is of this journal, and its entry; else nothing and 0.
async fn begin<J: Journal>(
    journal: &J,
    snapshots: &Snapshots,
) -> Result<(County, u64), JournalError> {
    for snapshot in snapshots.newest_first() {
        if journal.hash_at(snapshot.seq).await? == Some(snapshot.hash) {
            return Ok((snapshot.county, snapshot.seq));
        }
        tracing::warn!(entry = snapshot.seq, "snapshot of another journal removed");
        // Kept, one beyond this journal's end would push out each that is written from now on.
        snapshots.forget(snapshot.seq);
    }
    Ok((County::new(), 0))
}

/// Applies all entries after `seq`. The next are read while these are applied.
async fn replay<J: Journal>(
    journal: &J,
    mut county: County,
    mut seq: u64,
) -> Result<(County, u64), JournalError> {
    let ahead = |after: u64| {
        let journal = journal.clone();
        tokio::spawn(async move { journal.read(after, STEP).await })
    };
    let mut reading = ahead(seq);
    loop {
        let entries = reading
            .await
            .map_err(|error| JournalError::Unavailable(error.to_string()))??;
        let Some(last) = entries.last() else {
            return Ok((county, seq));
        };
        seq = last.seq;
        reading = ahead(seq);
        for entry in &entries {
            apply(&mut county, entry)?;
        }
    }
}

fn apply(county: &mut County, entry: &Entry) -> Result<(), JournalError> {
    let record = Record::read(&entry.body).map_err(|what| JournalError::Later {
        seq: entry.seq,
        what,
    })?;
    match record.content {
        Content::Event(event) => county.apply(&event),
        Content::Access(_) | Content::Upkeep(_) => {}
    }
    Ok(())
}

/// Plain data always becomes JSON; if ever not, the log has it.
fn draft(now: Timestamp, by: &Actor, record: &Record) -> Option<Draft> {
    let body = serde_json::to_string(record)
        .inspect_err(|error| tracing::error!(%error, ?record, "record lost"))
        .ok()?;
    Some(Draft {
        at_ms: i64::try_from(now.0).unwrap_or(i64::MAX),
        actor: match by {
            Actor::System => "system".to_owned(),
            Actor::Account(account) => account.0.clone(),
            Actor::Platform(name) => format!("platform:{name}"),
        },
        body,
    })
}

#[cfg(test)]
mod tests;
