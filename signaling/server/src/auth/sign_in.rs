//! Signing in: rate, lock-out, password, session, journal; in this order.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use liandong_protocol::http::{Login, Me};
use liandong_protocol::{Refusal, RefusalCode};

use super::lockout::Lockout;
use super::password::Verifier;
use super::rate::LoginRate;
use super::session::{Sessions, Token};
use super::vault::{Vault, VaultError};
use crate::clock;
use crate::desk::Desk;
use crate::journal::record::Access;
use crate::views::wire::{refuse, refuse_for};

/// Longer names belong to nobody.
const MAX_ACCOUNT_BYTES: usize = 64;

/// Everything that a login needs.
#[derive(Debug)]
pub struct SignIn {
    vault: Arc<Vault>,
    sessions: Sessions,
    verifier: Verifier,
    desk: Desk,
    tries: Mutex<Tries>,
}

#[derive(Debug, Default)]
struct Tries {
    lockout: Lockout,
    rate: LoginRate,
}

impl SignIn {
    #[must_use]
    pub fn new(vault: Arc<Vault>, sessions: Sessions, verifier: Verifier, desk: Desk) -> Self {
        Self {
            vault,
            sessions,
            verifier,
            desk,
            tries: Mutex::default(),
        }
    }

    /// # Errors
    /// `TooMany`, `Locked`, `WrongLogin`, or that the store cannot be written.
    pub async fn sign_in(&self, login: Login, from: IpAddr) -> Result<(Token, Me), Refusal> {
        let from = from.to_canonical();
        let now = Instant::now();
        if login.account.0.len() > MAX_ACCOUNT_BYTES {
            return Err(wrong());
        }
        self.tries()
            .rate
            .attempt(now, from)
            .map_err(|wait| too_many("too many logins from this address", wait))?;
        if let Some(wait) = self.tries().lockout.locked(now, &login.account, from) {
            return Err(locked(wait));
        }
        self.tries()
            .lockout
            .attempt(now, &login.account, from)
            .map_err(|wait| too_many("too many logins to this account", wait))?;
        let hash = self.hash_of(&login).await?;
        let known = hash.is_some();
        let right = self
            .verifier
            .verify(login.password.clone(), hash)
            .await
            .map_err(|busy| too_many(&busy.to_string(), Duration::from_secs(2)))?;
        // Several guesses may have been verified at the same time: the lock
        // that one of them set off holds for all.
        let now = Instant::now();
        if let Some(wait) = self.tries().lockout.locked(now, &login.account, from) {
            return Err(locked(wait));
        }
        if !right {
            return Err(self.failed(&login, known, from).await);
        }
        let account = liandong_domain::AccountId(login.account.0.clone());
        let me = self.desk.me(account).await?.ok_or_else(wrong)?;
        self.desk
            .record(Access::SignedIn {
                account: login.account.0.clone(),
                address: from,
            })
            .await?;
        let token = self
            .sessions
            .begin(login.account.clone(), clock::now_ms())
            .await
            .map_err(|error| unavailable(&error))?;
        self.tries().lockout.succeed(now, &login.account, from);
        Ok((token, me))
    }

    async fn hash_of(&self, login: &Login) -> Result<Option<String>, Refusal> {
        let (vault, account) = (Arc::clone(&self.vault), login.account.clone());
        tokio::task::spawn_blocking(move || vault.password(&account))
            .await
            .map_err(|_| refuse(RefusalCode::JournalUnavailable, "the store does not answer"))?
            .map_err(|error| unavailable(&error))
    }

    async fn failed(&self, login: &Login, known: bool, from: IpAddr) -> Refusal {
        let now = Instant::now();
        let lock = {
            let mut tries = self.tries();
            tries.rate.wrong(now, from);
            tries.lockout.fail(now, &login.account, from)
        };
        let account = known.then(|| login.account.0.clone());
        let mut access = vec![Access::SignInFailed {
            account: account.clone(),
            address: from,
        }];
        access.extend(lock.map(|lock| Access::LockedOut {
            account,
            address: from,
            for_ms: u64::try_from(lock.as_millis()).unwrap_or(u64::MAX),
        }));
        for access in access {
            tracing::warn!(?access, "login refused");
            // A login that fails is refused whether or not it can be written down.
            drop(self.desk.record(access).await);
        }
        // Also of the fifth: that the account is locked now shows at the next try.
        wrong()
    }

    fn tries(&self) -> MutexGuard<'_, Tries> {
        self.tries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wrong() -> Refusal {
    refuse(RefusalCode::WrongLogin, "wrong account or password")
}

fn locked(wait: Duration) -> Refusal {
    refuse_for(RefusalCode::Locked, "too many wrong passwords", wait)
}

fn too_many(what: &str, wait: Duration) -> Refusal {
    refuse_for(RefusalCode::TooMany, what, wait)
}

fn unavailable(error: &VaultError) -> Refusal {
    tracing::error!(%error, "login not possible");
    refuse(
        RefusalCode::JournalUnavailable,
        "the store cannot be written",
    )
}
