//! The second factor: a code of the moment from an authenticator app (RFC 6238: SHA-1,
//! six digits, 30 s, as all apps have it), or one of ten recovery codes that are each good once.
//!
//! A code is good for its own 30 s and those before and after, and only once: the
//! store keeps the number of the last step that was used (RFC 6238 §5.2).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use liandong_protocol::AccountId;
use liandong_protocol::http::Enrolment;
use qrcode::QrCode;
use qrcode::render::svg;
use rand::RngExt as _;
use sha2::{Digest as _, Sha256};
use totp_rs::{Algorithm, TOTP};

use super::vault::{Vault, VaultError};

const DIGITS: usize = 6;
const STEP_S: u64 = 30;
/// Steps before and after the present one whose codes are taken, for clocks that differ.
const SKEW: u64 = 1;
/// RFC 4226 §4 R6 recommends 160 bits.
const SECRET_BYTES: usize = 20;
const RECOVERY_CODES: usize = 10;
/// Without letters that are taken for one another; 32 of them, five bits each.
const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";
/// 60 bits.
const RECOVERY_LETTERS: usize = 12;
/// An enrolment that is not confirmed is forgotten, when next anything is begun, confirmed or
/// checked.
const CONFIRM_WITHIN_MS: i64 = 10 * 60 * 1_000;

/// All second factors. Cheap to ask whether an account has one.
#[derive(Debug)]
pub struct SecondFactors {
    vault: Arc<Vault>,
    /// Shown by the app beside the code.
    issuer: String,
    /// Accounts that may do nothing else before they have one.
    required: BTreeSet<AccountId>,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    enrolled: BTreeSet<AccountId>,
    /// Begun and not confirmed yet; one for each account.
    begun: BTreeMap<AccountId, Begun>,
}

impl Known {
    /// Enrolments that can be confirmed no longer, with their secrets.
    fn forget_late(&mut self, now_ms: i64) {
        self.begun
            .retain(|_, begun| now_ms - begun.at_ms <= CONFIRM_WITHIN_MS);
    }
}

struct Begun {
    secret: Vec<u8>,
    at_ms: i64,
}

impl std::fmt::Debug for Begun {
    /// Never shows the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Begun")
            .field("at_ms", &self.at_ms)
            .finish_non_exhaustive()
    }
}

/// What a code was.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Checked {
    Code,
    RecoveryCode,
    Wrong,
}

/// Why it was not carried out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecondFactorError {
    #[error("no enrolment was begun, or too long ago")]
    NotBegun,
    #[error("the code is wrong")]
    WrongCode,
    #[error("the second factor cannot be set up: {0}")]
    Setup(String),
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl SecondFactors {
    /// # Errors
    /// The store cannot be read.
    pub fn load(
        vault: Arc<Vault>,
        issuer: String,
        required: BTreeSet<AccountId>,
    ) -> Result<Self, VaultError> {
        let enrolled = vault.second_factor_accounts()?;
        Ok(Self {
            vault,
            // A colon divides issuer and account in the app's label.
            issuer: issuer.replace(':', " "),
            required,
            known: Mutex::new(Known {
                enrolled,
                begun: BTreeMap::new(),
            }),
        })
    }

    #[must_use]
    pub fn has(&self, account: &AccountId) -> bool {
        self.known().enrolled.contains(account)
    }

    #[must_use]
    pub fn is_required(&self, account: &AccountId) -> bool {
        self.required.contains(account)
    }

    /// True for an account that has to set one up before anything else.
    #[must_use]
    pub fn owes(&self, account: &AccountId) -> bool {
        self.is_required(account) && !self.has(account)
    }

    /// A new secret for the account's app; an older factor stays until it is confirmed.
    ///
    /// # Errors
    /// The label or the picture cannot be made.
    pub fn begin(&self, account: &AccountId, now_ms: i64) -> Result<Enrolment, SecondFactorError> {
        let secret: [u8; SECRET_BYTES] = rand::rng().random();
        let totp = self.totp(account, secret.to_vec())?;
        let uri = totp.get_url();
        let qr = QrCode::new(&uri).map_err(|error| SecondFactorError::Setup(error.to_string()))?;
        let enrolment = Enrolment {
            secret: totp.get_secret_base32(),
            qr_svg: qr
                .render::<svg::Color<'_>>()
                .min_dimensions(220, 220)
                .build(),
            uri,
        };
        let begun = Begun {
            secret: secret.to_vec(),
            at_ms: now_ms,
        };
        let mut known = self.known();
        known.forget_late(now_ms);
        known.begun.insert(account.clone(), begun);
        Ok(enrolment)
    }

    /// The first code of the app shows that it has the secret. Gives the recovery codes, which are
    /// shown once. Waits for the disk.
    ///
    /// # Errors
    /// See [`SecondFactorError`].
    pub fn confirm(
        &self,
        account: &AccountId,
        code: &str,
        now_ms: i64,
    ) -> Result<Vec<String>, SecondFactorError> {
        let secret = {
            let mut known = self.known();
            known.forget_late(now_ms);
            let begun = known.begun.get(account);
            begun.ok_or(SecondFactorError::NotBegun)?.secret.clone()
        };
        let totp = self.totp(account, secret.clone())?;
        let step = step_of(&totp, code, now_ms).ok_or(SecondFactorError::WrongCode)?;
        let codes: Vec<String> = (0..RECOVERY_CODES).map(|_| recovery_code()).collect();
        let hashes: Vec<_> = codes.iter().map(|code| hash(code)).collect();
        self.vault
            .keep_second_factor(account, &secret, step, &hashes)?;
        let mut known = self.known();
        known.begun.remove(account);
        known.enrolled.insert(account.clone());
        Ok(codes)
    }

    /// Waits for the disk.
    ///
    /// # Errors
    /// The store cannot be read or written: then no code is taken.
    pub fn check(
        &self,
        account: &AccountId,
        code: &str,
        now_ms: i64,
    ) -> Result<Checked, SecondFactorError> {
        self.known().forget_late(now_ms);
        let code = plain(code);
        if code.len() == RECOVERY_LETTERS {
            let used = self.vault.use_recovery_code(account, hash(&code))?;
            return Ok(if used {
                Checked::RecoveryCode
            } else {
                Checked::Wrong
            });
        }
        let Some(secret) = self.vault.second_factor(account)? else {
            return Ok(Checked::Wrong);
        };
        let totp = self.totp(account, secret)?;
        let Some(step) = step_of(&totp, &code, now_ms) else {
            return Ok(Checked::Wrong);
        };
        let fresh = self.vault.use_step(account, step)?;
        Ok(if fresh { Checked::Code } else { Checked::Wrong })
    }

    /// Recovery codes that are left.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn recovery_codes_left(&self, account: &AccountId) -> Result<u32, VaultError> {
        self.vault.recovery_codes_left(account)
    }

    /// The account has none from then on. Waits for the disk.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn remove(&self, account: &AccountId) -> Result<(), VaultError> {
        self.vault.forget_second_factor(account)?;
        let mut known = self.known();
        known.enrolled.remove(account);
        known.begun.remove(account);
        Ok(())
    }

    fn totp(&self, account: &AccountId, secret: Vec<u8>) -> Result<TOTP, SecondFactorError> {
        TOTP::new(
            Algorithm::SHA1,
            DIGITS,
            0, // the skew is counted here, where the step has to be known
            STEP_S,
            secret,
            Some(self.issuer.clone()),
            account.0.clone(),
        )
        .map_err(|error| SecondFactorError::Setup(error.to_string()))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The step whose code it is, of those that are taken now.
fn step_of(totp: &TOTP, code: &str, now_ms: i64) -> Option<u64> {
    let now = u64::try_from(now_ms).ok()? / 1_000 / STEP_S;
    let code = plain(code);
    // All are compared, so that time tells nothing.
    (now.saturating_sub(SKEW)..=now + SKEW).fold(None, |found, step| {
        let right = same(totp.generate(step * STEP_S).as_bytes(), code.as_bytes());
        if right { Some(step) } else { found }
    })
}

fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

/// As it was meant: people type spaces, dashes and capitals.
fn plain(code: &str) -> String {
    code.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|one| one.to_ascii_lowercase())
        .collect()
}

/// Three groups of four.
fn recovery_code() -> String {
    let mut rng = rand::rng();
    let letters: Vec<String> = (0..3)
        .map(|_| {
            (0..RECOVERY_LETTERS / 3)
                .map(|_| char::from(LETTERS[rng.random_range(0..LETTERS.len())]))
                .collect()
        })
        .collect();
    letters.join("-")
}

/// Random enough that a plain hash keeps it.
fn hash(code: &str) -> [u8; 32] {
    Sha256::digest(plain(code)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: i64 = 1_795_500_000_000;

    fn factors() -> (tempfile::TempDir, SecondFactors) {
        let folder = tempfile::tempdir().unwrap();
        let vault = Arc::new(Vault::open(folder.path()).unwrap());
        let required = BTreeSet::from(["admin".into(), "commander".into()]);
        let factors = SecondFactors::load(vault, "南江县".to_owned(), required).unwrap();
        (folder, factors)
    }

    /// What an app shows that has scanned the picture.
    fn app(factors: &SecondFactors, account: &AccountId, at_ms: i64) -> String {
        let secret = factors.vault.second_factor(account).unwrap().unwrap();
        let totp = factors.totp(account, secret).unwrap();
        totp.generate(u64::try_from(at_ms).unwrap() / 1_000)
    }

    fn enrol(factors: &SecondFactors, account: &AccountId) -> Vec<String> {
        factors.begin(account, NOW_MS).unwrap();
        let secret = factors.known().begun[account].secret.clone();
        let totp = factors.totp(account, secret).unwrap();
        let code = totp.generate(u64::try_from(NOW_MS).unwrap() / 1_000);
        factors.confirm(account, &code, NOW_MS).unwrap()
    }

    /// RFC 6238 appendix B, the last six of the eight digits.
    #[test]
    fn codes_are_those_of_the_standard() {
        let (_folder, factors) = factors();
        let secret = b"12345678901234567890".to_vec();
        let totp = factors.totp(&"a".into(), secret).unwrap();
        for (at_s, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_234_567_890, "005924"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(step_of(&totp, code, at_s * 1_000), Some(at_s as u64 / 30));
        }
    }

    #[test]
    fn code_is_good_once_and_near_its_time() {
        let (_folder, factors) = factors();
        let account = "commander".into();
        assert!(factors.owes(&account));
        enrol(&factors, &account);
        assert!(factors.has(&account) && !factors.owes(&account));
        let check = |code: &str, at_ms| factors.check(&account, code, at_ms).unwrap();
        // The one that confirmed it is used up.
        let first = app(&factors, &account, NOW_MS);
        assert_eq!(check(&first, NOW_MS), Checked::Wrong);
        let later = NOW_MS + 300_000;
        let code = app(&factors, &account, later);
        assert_eq!(check(&code, later + 90_000), Checked::Wrong, "too old");
        assert_eq!(check(&code, later - 90_000), Checked::Wrong, "too early");
        let spaced = format!("{} {}", &code[..3], &code[3..]);
        assert_eq!(check(&spaced, later + 30_000), Checked::Code);
        assert_eq!(check(&code, later), Checked::Wrong, "used");
        assert_eq!(check("", later), Checked::Wrong);
    }

    #[test]
    fn recovery_codes_are_each_good_once_and_for_their_account_only() {
        let (_folder, factors) = factors();
        let (account, other) = ("commander".into(), "admin".into());
        let codes = enrol(&factors, &account);
        enrol(&factors, &other);
        assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), RECOVERY_CODES);
        let check = |account, code: &str| factors.check(account, code, NOW_MS).unwrap();
        assert_eq!(check(&other, &codes[0]), Checked::Wrong);
        assert_eq!(
            check(&account, &codes[0].to_uppercase()),
            Checked::RecoveryCode
        );
        assert_eq!(check(&account, &codes[0]), Checked::Wrong);
        assert_eq!(factors.recovery_codes_left(&account).unwrap(), 9);
        // A new enrolment makes the old codes worthless.
        enrol(&factors, &account);
        assert_eq!(check(&account, &codes[1]), Checked::Wrong);
    }

    #[test]
    fn it_is_there_after_a_restart_and_gone_when_removed() {
        let (folder, factors) = factors();
        let account: AccountId = "commander".into();
        enrol(&factors, &account);
        let vault = Arc::new(Vault::open(folder.path()).unwrap());
        let again = SecondFactors::load(vault, String::new(), BTreeSet::new()).unwrap();
        assert!(again.has(&account));
        again.remove(&account).unwrap();
        assert!(!again.has(&account));
        let code = "000000";
        assert_eq!(again.check(&account, code, NOW_MS).unwrap(), Checked::Wrong);
    }

    #[test]
    fn nothing_is_confirmed_that_was_not_begun_or_with_a_wrong_code() {
        let (_folder, factors) = factors();
        let account: AccountId = "commander".into();
        let confirm = |code, at_ms| factors.confirm(&account, code, at_ms);
        assert!(matches!(
            confirm("000000", NOW_MS),
            Err(SecondFactorError::NotBegun)
        ));
        factors.begin(&account, NOW_MS).unwrap();
        assert!(matches!(
            confirm("x", NOW_MS),
            Err(SecondFactorError::WrongCode)
        ));
        let late = NOW_MS + CONFIRM_WITHIN_MS + 1;
        assert!(matches!(
            confirm("x", late),
            Err(SecondFactorError::NotBegun)
        ));
        assert!(factors.known().begun.is_empty());
        assert!(!factors.has(&account));
    }
}
