//! Five wrong passwords lock an account for five minutes; each further lock
//! lasts twice as long, up to a day. Pure.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use liandong_protocol::AccountId;

const TRIES: u32 = 5;
const FIRST_LOCK: Duration = Duration::from_secs(5 * 60);
const LONGEST_LOCK: Duration = Duration::from_secs(24 * 3600);
/// After so long without a failure an account starts afresh.
const FORGET_AFTER: Duration = Duration::from_secs(24 * 3600);
/// Names that are watched; invented ones count as well, or the answer would tell
/// which accounts exist.
const MAX_NAMES: usize = 20_000;

/// Failures by account.
#[derive(Debug, Default)]
pub struct Lockout {
    names: HashMap<AccountId, Failures>,
}

#[derive(Debug)]
struct Failures {
    /// Since the last lock or success.
    count: u32,
    last: Instant,
    locked_until: Option<Instant>,
    next_lock: Duration,
}

impl Lockout {
    /// How long the account is still locked, if it is.
    #[must_use]
    pub fn locked(&self, now: Instant, account: &AccountId) -> Option<Duration> {
        let until = self.names.get(account)?.locked_until?;
        (until > now).then(|| until - now)
    }

    /// A wrong password. Gives the length of the lock that it set off, if any.
    pub fn fail(&mut self, now: Instant, account: &AccountId) -> Option<Duration> {
        if self.names.len() >= MAX_NAMES && !self.names.contains_key(account) {
            self.forget_one(now);
        }
        let failures = self.names.entry(account.clone()).or_insert(Failures {
            count: 0,
            last: now,
            locked_until: None,
            next_lock: FIRST_LOCK,
        });
        if now.duration_since(failures.last) >= FORGET_AFTER + failures.next_lock {
            failures.count = 0;
            failures.next_lock = FIRST_LOCK;
        }
        failures.last = now;
        failures.count += 1;
        if failures.count < TRIES {
            return None;
        }
        let lock = failures.next_lock;
        failures.count = 0;
        failures.locked_until = Some(now + lock);
        failures.next_lock = (lock * 2).min(LONGEST_LOCK);
        Some(lock)
    }

    /// The right password.
    pub fn succeed(&mut self, account: &AccountId) {
        self.names.remove(account);
    }

    /// Those not locked go first, of these the one that failed longest ago.
    fn forget_one(&mut self, now: Instant) {
        let oldest = self
            .names
            .iter()
            .min_by_key(|(_, f)| (f.locked_until.is_some_and(|until| until > now), f.last))
            .map(|(account, _)| account.clone());
        if let Some(account) = oldest {
            self.names.remove(&account);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn fail_times(lockout: &mut Lockout, now: Instant, times: u32) -> Option<Duration> {
        (0..times)
            .map(|_| lockout.fail(now, &AccountId::from("a")))
            .last()
            .flatten()
    }

    #[test]
    fn fifth_wrong_password_locks_for_five_minutes() {
        let (mut lockout, now) = (Lockout::default(), Instant::now());
        let account = AccountId::from("a");
        assert_eq!(fail_times(&mut lockout, now, 4), None);
        assert_eq!(lockout.locked(now, &account), None);
        assert_eq!(lockout.fail(now, &account), Some(5 * MINUTE));
        assert_eq!(lockout.locked(now + MINUTE, &account), Some(4 * MINUTE));
        assert_eq!(lockout.locked(now + 5 * MINUTE, &account), None);
        assert_eq!(lockout.locked(now, &AccountId::from("b")), None);
    }

    #[test]
    fn further_locks_last_twice_as_long_up_to_a_day() {
        let (mut lockout, mut now) = (Lockout::default(), Instant::now());
        let mut locks = Vec::new();
        for _ in 0..11 {
            let lock = fail_times(&mut lockout, now, 5).unwrap();
            locks.push(lock.as_secs() / 60);
            now += lock;
        }
        assert_eq!(locks, [5, 10, 20, 40, 80, 160, 320, 640, 1280, 1440, 1440]);
    }

    #[test]
    fn right_password_starts_afresh() {
        let (mut lockout, now) = (Lockout::default(), Instant::now());
        fail_times(&mut lockout, now, 4);
        lockout.succeed(&AccountId::from("a"));
        assert_eq!(fail_times(&mut lockout, now, 4), None);
    }

    #[test]
    fn failures_of_long_ago_do_not_count() {
        let (mut lockout, now) = (Lockout::default(), Instant::now());
        fail_times(&mut lockout, now, 4);
        let later = now + FORGET_AFTER + FIRST_LOCK;
        assert_eq!(lockout.fail(later, &AccountId::from("a")), None);
    }

    #[test]
    fn invented_names_do_not_push_out_a_locked_one() {
        let (mut lockout, now) = (Lockout::default(), Instant::now());
        fail_times(&mut lockout, now, 5);
        for n in 0..MAX_NAMES {
            lockout.fail(now + MINUTE, &AccountId(n.to_string()));
        }
        assert_eq!(lockout.names.len(), MAX_NAMES);
        assert!(
            lockout
                .locked(now + MINUTE, &AccountId::from("a"))
                .is_some()
        );
    }
}
