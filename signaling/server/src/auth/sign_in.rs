//! Signing in: rate, lock-out, password, session, journal; in this order.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use liandong_protocol::http::{Login, Me};
use liandong_protocol::{AccountId, Refusal, RefusalCode};

use super::links::Links;
use super::lockout::Lockout;
use super::password::Verifier;
use super::rate::LoginRate;
use super::second_factor::{Checked, SecondFactorError, SecondFactors};
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
    second_factors: Arc<SecondFactors>,
    links: Links,
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
    pub fn new(
        vault: Arc<Vault>,
        sessions: Sessions,
        verifier: Verifier,
        second_factors: Arc<SecondFactors>,
        desk: Desk,
    ) -> Self {
        Self {
            links: Links::new(Arc::clone(&vault)),
            vault,
            sessions,
            verifier,
            second_factors,
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
        self.brake(now, &login.account, from)?;
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
            self.failed(&login.account, known, from).await;
            // Also of the fifth: that the account is locked now shows at the next try.
            return Err(wrong());
        }
        let asked = self.second_factors.has(&login.account);
        if asked {
            let code = login.code.as_deref();
            let code = code.ok_or_else(code_needed)?;
            self.right_code(&login.account, code, from).await?;
        }
        let signed_in = self.begin(&login.account, from).await?;
        if !asked && self.second_factors.has(&login.account) {
            // Set up meanwhile: the session came too late to be ended with the others.
            self.sessions
                .end(signed_in.0.id())
                .await
                .map_err(|error| unavailable(&error))?;
            return Err(code_needed());
        }
        self.tries().lockout.succeed(now, &login.account, from);
        Ok(signed_in)
    }

    /// Signs in with a one-time link.
    ///
    /// # Errors
    /// `TooMany`, `LinkUsed`, or that the store cannot be written.
    pub async fn by_link(&self, token: &str, from: IpAddr) -> Result<(Token, Me), Refusal> {
        let from = from.to_canonical();
        let now = Instant::now();
        self.tries()
            .rate
            .attempt(now, from)
            .map_err(|wait| too_many("too many logins from this address", wait))?;
        let (links, token) = (self.links.clone(), token.to_owned());
        let redeemed = on_disk(move || Ok(links.redeem(&token, clock::now_ms())?)).await?;
        let Some(account) = redeemed else {
            self.tries().rate.wrong(now, from);
            return Err(refuse(
                RefusalCode::LinkUsed,
                "no such link, or used, or too old",
            ));
        };
        self.begin(&account, from).await
    }

    /// A code of the account's second factor, of somebody who is signed in. Wrong ones count
    /// like wrong passwords.
    ///
    /// # Errors
    /// `TooMany`, `Locked`, `WrongCode`, or that the store cannot be written.
    pub async fn check_code(
        &self,
        account: &AccountId,
        code: &str,
        from: IpAddr,
    ) -> Result<(), Refusal> {
        let from = from.to_canonical();
        self.not_locked(account, from)?;
        self.brake(Instant::now(), account, from)?;
        self.right_code(account, code, from).await
    }

    async fn right_code(
        &self,
        account: &AccountId,
        code: &str,
        from: IpAddr,
    ) -> Result<(), Refusal> {
        let (factors, of, code) = (
            Arc::clone(&self.second_factors),
            account.clone(),
            code.to_owned(),
        );
        let checked = on_disk(move || factors.check(&of, &code, clock::now_ms())).await?;
        // Several guesses may have been checked at the same time.
        self.not_locked(account, from)?;
        match checked {
            Checked::Code => Ok(()),
            Checked::RecoveryCode => {
                self.desk
                    .record(Access::RecoveryCodeUsed {
                        account: account.0.clone(),
                        address: from,
                    })
                    .await
            }
            Checked::Wrong => {
                self.failed(account, true, from).await;
                Err(refuse(
                    RefusalCode::WrongCode,
                    "the code is wrong, used, or too old",
                ))
            }
        }
    }

    fn brake(&self, now: Instant, account: &AccountId, from: IpAddr) -> Result<(), Refusal> {
        self.tries()
            .lockout
            .attempt(now, account, from)
            .map_err(|wait| too_many("too many tries at this account", wait))
    }

    fn not_locked(&self, account: &AccountId, from: IpAddr) -> Result<(), Refusal> {
        match self.tries().lockout.locked(Instant::now(), account, from) {
            Some(wait) => Err(locked(wait)),
            None => Ok(()),
        }
    }

    /// The session of somebody who has shown who he is.
    async fn begin(&self, account: &AccountId, from: IpAddr) -> Result<(Token, Me), Refusal> {
        let id = liandong_domain::AccountId(account.0.clone());
        let me = self.desk.me(id).await?.ok_or_else(wrong)?;
        self.desk
            .record(Access::SignedIn {
                account: account.0.clone(),
                address: from,
            })
            .await?;
        let token = self
            .sessions
            .begin(account.clone(), clock::now_ms())
            .await
            .map_err(|error| unavailable(&error))?;
        Ok((token, me))
    }

    async fn hash_of(&self, login: &Login) -> Result<Option<String>, Refusal> {
        let (vault, account) = (Arc::clone(&self.vault), login.account.clone());
        tokio::task::spawn_blocking(move || vault.password(&account))
            .await
            .map_err(|_| refuse(RefusalCode::JournalUnavailable, "the store does not answer"))?
            .map_err(|error| unavailable(&error))
    }

    async fn failed(&self, account: &AccountId, known: bool, from: IpAddr) {
        let now = Instant::now();
        let lock = {
            let mut tries = self.tries();
            tries.rate.wrong(now, from);
            tries.lockout.fail(now, account, from)
        };
        let account = known.then(|| account.0.clone());
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
    }

    fn tries(&self) -> MutexGuard<'_, Tries> {
        self.tries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs what waits for the disk.
///
/// # Errors
/// `WrongCode`, `NotBegun`, or that the store cannot be read or written.
pub(crate) async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SecondFactorError> + Send + 'static,
) -> Result<T, Refusal> {
    let done = tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| refuse(RefusalCode::JournalUnavailable, "the store does not answer"))?;
    done.map_err(|error| match error {
        SecondFactorError::Vault(error) => unavailable(&error),
        SecondFactorError::NotBegun => refuse(RefusalCode::NotBegun, error.to_string()),
        SecondFactorError::WrongCode => refuse(RefusalCode::WrongCode, error.to_string()),
        SecondFactorError::Setup(_) => {
            tracing::error!(%error, "second factor");
            refuse(RefusalCode::NotNow, "it cannot be set up")
        }
    })
}

fn wrong() -> Refusal {
    refuse(RefusalCode::WrongLogin, "wrong account or password")
}

fn code_needed() -> Refusal {
    refuse(RefusalCode::CodeNeeded, "a code of the second factor, too")
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Paper, app};

    #[tokio::test]
    async fn codes_tried_from_everywhere_are_braked() {
        let (paper, folder) = (Paper::new(), tempfile::tempdir().unwrap());
        let sign_in = app(&paper, folder.path()).await.sign_in;
        let account = AccountId::from("commander");
        let mut refusals = Vec::new();
        for n in 0..50 {
            let from = IpAddr::from([10, 0, 0, n]);
            let checked = sign_in.check_code(&account, "000000", from).await;
            refusals.push(checked.unwrap_err().code);
        }
        let braked = refusals.split_off(40);
        assert!(refusals.iter().all(|code| *code == RefusalCode::WrongCode));
        assert!(braked.iter().all(|code| *code == RefusalCode::TooMany));
    }
}
