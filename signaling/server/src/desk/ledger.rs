//! The county's state and its journal, kept in step: orders are decided and
//! applied on a working copy, which becomes the state when the journal
//! has all its events, or is dropped.

use liandong_domain::{
    AccountId, Actor, County, Decision, Event, Order, Outcome, Refusal, Timestamp, Timing,
};

use crate::journal::record::{Access, Content, Record};
use crate::journal::{Draft, Journal, JournalError};

/// Entries read at a time when replaying.
const STEP: usize = 2_048;

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
    /// Why the last append failed; cleared by the next that succeeds.
    trouble: Option<JournalError>,
}

impl<J: Journal> Ledger<J> {
    /// Replays the whole journal.
    ///
    /// # Errors
    /// When it cannot be read, is broken, or holds what this version does not know.
    pub async fn open(journal: J, timing: Timing) -> Result<Self, JournalError> {
        let (county, seq) = replay(&journal, timing).await?;
        Ok(Self {
            journal,
            timing,
            committed: county.clone(),
            working: county,
            drafts: Vec::new(),
            events: Vec::new(),
            seq,
            trouble: None,
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

    /// Why nothing can be written at present.
    pub fn trouble(&self) -> Option<&JournalError> {
        self.trouble.as_ref()
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
            (Actor::Account(_) | Actor::System, None) | (Actor::System, Some(_)) => {
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
    pub async fn commit(&mut self) -> Result<Vec<Event>, JournalError> {
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
                self.trouble = Some(error.clone());
                Err(error)
            }
        }
    }

    /// A commit that was reported as failed is in the journal all the same:
    /// the journal is right.
    async fn reread(&mut self) {
        match replay(&self.journal, self.timing).await {
            Ok((county, seq)) => (self.committed, self.seq) = (county, seq),
            Err(error) => tracing::error!(%error, "journal cannot be read again"),
        }
    }
}

async fn replay<J: Journal>(journal: &J, timing: Timing) -> Result<(County, u64), JournalError> {
    let mut county = County::with_timing(timing);
    let mut seq = 0;
    loop {
        let entries = journal.read(seq, STEP).await?;
        if entries.is_empty() {
            return Ok((county, seq));
        }
        for entry in entries {
            seq = entry.seq;
            let record: Record =
                serde_json::from_str(&entry.body).map_err(|error| JournalError::Broken {
                    seq,
                    what: format!("this version cannot read it: {error}"),
                })?;
            match record.content {
                Content::Event(event) => county.apply(&event),
                Content::Access(_) => {}
            }
        }
    }
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
        },
        body,
    })
}

#[cfg(test)]
mod tests;
