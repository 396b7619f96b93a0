//! How entries are chained.
//!
//! hash = SHA-256(prev_hash ‖ seq ‖ at_ms ‖ |actor| ‖ actor ‖ |body| ‖ body),
//! numbers as 8 bytes big-endian. The lengths keep two different entries from
//! having the same bytes.

use sha2::{Digest, Sha256};

use super::{Draft, Entry, JournalError};

/// SHA-256.
pub type Hash = [u8; 32];

/// What stands before the first entry.
pub const GENESIS: Hash = [0; 32];

/// The end of a chain: where the next entry goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Head {
    /// Of the last entry; 0 when there is none.
    pub seq: u64,
    pub hash: Hash,
}

impl Default for Head {
    fn default() -> Self {
        Self {
            seq: 0,
            hash: GENESIS,
        }
    }
}

impl Head {
    /// Chains a draft, and moves on.
    pub fn push(&mut self, draft: Draft) -> Entry {
        let seq = self.seq + 1;
        let hash = hash(&self.hash, seq, draft.at_ms, &draft.actor, &draft.body);
        let entry = Entry {
            seq,
            at_ms: draft.at_ms,
            actor: draft.actor,
            body: draft.body,
            prev_hash: self.hash,
            hash,
        };
        *self = Self { seq, hash };
        entry
    }

    /// Checks that the entry is the next one, and moves on.
    ///
    /// # Errors
    /// Names the entry that does not fit. Where one was taken out, that is the
    /// one that is missing.
    pub fn check(&mut self, entry: &Entry) -> Result<(), JournalError> {
        let seq = self.seq + 1;
        let broken = |what: &str| {
            Err(JournalError::Broken {
                seq,
                what: what.to_owned(),
            })
        };
        if entry.seq != seq {
            return broken("it is missing");
        }
        if entry.prev_hash != self.hash {
            return broken("it does not follow the entry before");
        }
        if entry.hash != hash(&self.hash, seq, entry.at_ms, &entry.actor, &entry.body) {
            return broken("its content was altered");
        }
        *self = Self {
            seq,
            hash: entry.hash,
        };
        Ok(())
    }
}

fn hash(prev: &Hash, seq: u64, at_ms: i64, actor: &str, body: &str) -> Hash {
    let mut sha = Sha256::new();
    sha.update(prev);
    sha.update(seq.to_be_bytes());
    sha.update(at_ms.to_be_bytes());
    for text in [actor, body] {
        sha.update((text.len() as u64).to_be_bytes());
        sha.update(text);
    }
    sha.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(count: u64) -> Vec<Entry> {
        let mut head = Head::default();
        (1..=count)
            .map(|n| {
                head.push(Draft {
                    at_ms: 1_000 + i64::try_from(n).unwrap(),
                    actor: "commander".into(),
                    body: format!("{{\"n\":{n}}}"),
                })
            })
            .collect()
    }

    fn first_broken(entries: &[Entry]) -> Option<u64> {
        let mut head = Head::default();
        entries.iter().find_map(|entry| match head.check(entry) {
            Err(JournalError::Broken { seq, .. }) => Some(seq),
            _ => None,
        })
    }

    #[test]
    fn chain_of_its_own_making_holds() {
        assert_eq!(first_broken(&entries(20)), None);
    }

    #[test]
    fn every_altered_field_shows() {
        type Alter = fn(&mut Entry);
        let alterations: [Alter; 5] = [
            |e| e.at_ms += 1,
            |e| e.actor.push('x'),
            |e| e.body = e.body.replace('n', "m"),
            |e| e.hash[31] ^= 1,
            |e| e.prev_hash[0] ^= 1,
        ];
        for alter in alterations {
            let mut entries = entries(9);
            alter(&mut entries[4]);
            assert_eq!(first_broken(&entries), Some(5));
        }
    }

    #[test]
    fn text_moved_between_fields_shows() {
        let mut entries = entries(3);
        entries[1].actor = "commande".into();
        entries[1].body.insert(0, 'r');
        assert_eq!(first_broken(&entries), Some(2));
    }

    #[test]
    fn missing_and_swapped_entries_show() {
        let mut missing = entries(9);
        missing.remove(3);
        assert_eq!(first_broken(&missing), Some(4));
        let mut swapped = entries(9);
        swapped.swap(5, 6);
        assert_eq!(first_broken(&swapped), Some(6));
    }
}
