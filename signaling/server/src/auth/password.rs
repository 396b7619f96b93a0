//! Argon2id with the parameters that OWASP recommends: 19 MiB, two passes, one lane.

use std::num::NonZero;
use std::sync::{Arc, Mutex, PoisonError};

use argon2::password_hash::phc::Output;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Block, Params, PasswordHasher, Version};
use tokio::sync::Semaphore;

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Longer ones are refused unseen; hashing must not be a way to burn the processor.
pub const MAX_PASSWORD_BYTES: usize = 256;

/// Logins that may wait for a turn; more are told to come back.
const MAX_WAITING: usize = 512;

#[derive(Clone, Debug, thiserror::Error)]
#[error("password cannot be hashed: {0}")]
pub struct HashError(String);

/// Hashes with a fresh random salt. Takes some 20 ms of a core.
///
/// # Errors
/// When the system has no randomness or no memory.
pub fn hash(password: &str) -> Result<String, HashError> {
    argon2()?
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|error| HashError(error.to_string()))
}

/// True for an Argon2id hash in PHC notation.
#[must_use]
pub fn is_hash(text: &str) -> bool {
    PasswordHash::new(text).is_ok_and(|hash| hash.algorithm.as_str() == "argon2id")
}

/// Hashes for many, on all cores.
///
/// # Errors
/// As [`hash`].
pub fn hash_for_each<T: Send>(
    accounts: Vec<T>,
    password: &str,
) -> Result<Vec<(T, String)>, HashError> {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let share = accounts.len().div_ceil(cores).max(1);
    let mut rest = accounts.into_iter();
    let mut shares = Vec::new();
    loop {
        let part: Vec<T> = rest.by_ref().take(share).collect();
        if part.is_empty() {
            break;
        }
        shares.push(part);
    }
    std::thread::scope(|scope| {
        let threads: Vec<_> = shares
            .into_iter()
            .map(|part| {
                scope.spawn(move || {
                    part.into_iter()
                        .map(|account| Ok((account, hash(password)?)))
                        .collect::<Result<Vec<_>, HashError>>()
                })
            })
            .collect();
        let mut all = Vec::new();
        for thread in threads {
            all.extend(
                thread
                    .join()
                    .map_err(|_| HashError("a thread panicked".into()))??,
            );
        }
        Ok(all)
    })
}

fn argon2() -> Result<Argon2<'static>, HashError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None)
        .map_err(|error| HashError(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Checks passwords beside the runtime, a few at a time: fifty sites that
/// sign in at once after a power cut must not stop the running calls.
#[derive(Clone, Debug)]
pub struct Verifier {
    turns: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    /// One per turn, used again and again: fresh ones would stay behind with
    /// every thread of the blocking pool, 19 MiB each.
    memory: Arc<Mutex<Vec<Vec<Block>>>>,
    /// Verified against for unknown accounts, so that they take as long.
    decoy: Arc<str>,
}

/// Too many logins wait already.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("too many logins at once")]
pub struct Busy;

impl Verifier {
    /// # Errors
    /// As [`hash`].
    pub fn new() -> Result<Self, HashError> {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        Ok(Self {
            turns: Arc::new(Semaphore::new(cores.div_ceil(2))),
            waiting: Arc::new(Semaphore::new(MAX_WAITING)),
            memory: Arc::default(),
            decoy: hash("nobody's password")?.into(),
        })
    }

    /// `hash`: absent for an unknown account, or one without a password; the
    /// answer is then false and takes as long.
    ///
    /// # Errors
    /// [`Busy`] when too many wait already.
    pub async fn verify(&self, password: String, hash: Option<String>) -> Result<bool, Busy> {
        let _place = self.waiting.try_acquire().map_err(|_| Busy)?;
        let turn = Arc::clone(&self.turns)
            .acquire_owned()
            .await
            .map_err(|_| Busy)?;
        let decoy = Arc::clone(&self.decoy);
        let pool = Arc::clone(&self.memory);
        tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let known = hash.is_some();
            let hash = hash.as_deref().unwrap_or(&decoy);
            // A panic elsewhere leaves plain memory behind: still good to use.
            let spare = pool.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut memory = spare.unwrap_or_default();
            let passes = matches(&password, hash, &mut memory) && known;
            pool.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(memory);
            passes
        })
        .await
        .map_err(|_| Busy)
    }
}

/// The parameters are those in the hash. The comparison takes the same time for
/// every wrong output.
fn matches(password: &str, hash: &str, memory: &mut Vec<Block>) -> bool {
    if password.len() > MAX_PASSWORD_BYTES {
        return false;
    }
    let Ok(hash) = PasswordHash::new(hash) else {
        return false;
    };
    let (Some(salt), Some(expected)) = (hash.salt, hash.hash) else {
        return false;
    };
    let Ok(params) = Params::try_from(&hash) else {
        return false;
    };
    memory.resize(params.block_count().max(memory.len()), Block::default());
    let mut output = vec![0; expected.as_bytes().len()];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(
            password.as_bytes(),
            &salt,
            &mut output,
            memory.as_mut_slice(),
        )
        .is_ok_and(|()| Output::new(&output).is_ok_and(|output| output == expected))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_says_how_it_was_made() {
        let hash = hash("geheim").unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        assert!(is_hash(&hash));
        assert!(!is_hash("$2b$10$abcdefghijklmnopqrstuv"));
        assert!(!is_hash("geheim"));
    }

    #[test]
    fn each_account_gets_its_own_salt() {
        let hashes = hash_for_each(vec!["a", "b", "c"], "same").unwrap();
        assert_eq!(
            hashes.iter().map(|(a, _)| *a).collect::<Vec<_>>(),
            ["a", "b", "c"]
        );
        assert_ne!(hashes[0].1, hashes[1].1);
        assert!(
            hashes
                .iter()
                .all(|(_, hash)| matches("same", hash, &mut Vec::new()))
        );
    }

    #[tokio::test]
    async fn only_the_right_password_of_a_known_account_passes() {
        let verifier = Verifier::new().unwrap();
        let hash = hash("right").unwrap();
        for (password, hash, passes) in [
            ("right", Some(hash.clone()), true),
            ("wrong", Some(hash), false),
            ("nobody's password", None, false),
        ] {
            assert_eq!(
                verifier.verify(password.into(), hash).await.unwrap(),
                passes
            );
        }
    }
}
