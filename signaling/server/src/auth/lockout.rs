//! Five wrong passwords lock an account for five minutes, to the network that
//! they came from; each further lock lasts twice as long, up to a day. So a
//! stranger who guesses locks out himself, and not the commander.
//!
//! Against a stranger with many networks there is a slower brake on the account
//! as a whole. It does not hold for networks from which the account signed in
//! before. Pure.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use liandong_protocol::AccountId;

use super::rate::{Bucket, network};

const TRIES: u32 = 5;
const FIRST_LOCK: Duration = Duration::from_secs(5 * 60);
const LONGEST_LOCK: Duration = Duration::from_secs(24 * 3600);
/// After so long without a failure a network starts afresh.
const FORGET_AFTER: Duration = Duration::from_secs(24 * 3600);
/// Pairs of name and network that are watched; invented names count as well,
/// or the answer would tell which accounts exist.
const MAX_PAIRS: usize = 20_000;
/// Tries at one account from networks unknown to it: so many at once, then one in 30 s.
const STRANGER_BURST: u32 = 40;
const STRANGERS_PER_SECOND: f64 = 1.0 / 30.0;
const MAX_BRAKES: usize = 20_000;
/// Networks remembered for an account, the latest ones.
const MAX_KNOWN: usize = 16;
/// Accounts that signed in; there are no more than the configuration has.
const MAX_ACCOUNTS: usize = 20_000;

/// Failures by account and network.
#[derive(Debug, Default)]
pub struct Lockout {
    pairs: HashMap<(AccountId, IpAddr), Failures>,
    brakes: HashMap<AccountId, Bucket>,
    /// Where each account signed in from, and when last.
    known: HashMap<AccountId, BTreeMap<IpAddr, Instant>>,
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
    /// How long the account is still locked to the address, if it is.
    #[must_use]
    pub fn locked(&self, now: Instant, account: &AccountId, from: IpAddr) -> Option<Duration> {
        let until = self.pairs.get(&pair(account, from))?.locked_until?;
        (until > now).then(|| until - now)
    }

    /// A try from the address, before it is known whether it is right.
    ///
    /// # Errors
    /// How long to wait: too many strangers try the account.
    pub fn attempt(
        &mut self,
        now: Instant,
        account: &AccountId,
        from: IpAddr,
    ) -> Result<(), Duration> {
        let from = network(from);
        if self
            .known
            .get(account)
            .is_some_and(|known| known.contains_key(&from))
        {
            return Ok(());
        }
        if self.brakes.len() >= MAX_BRAKES && !self.brakes.contains_key(account) {
            self.brakes.retain(|_, brake| !brake.is_full(now));
            if self.brakes.len() >= MAX_BRAKES {
                // Tens of thousands of invented names at once: the rate by
                // address and the locks by network hold on.
                self.brakes.clear();
            }
        }
        self.brakes
            .entry(account.clone())
            .or_insert_with(|| Bucket::new(now, STRANGER_BURST, STRANGERS_PER_SECOND))
            .take(now, 1)
    }

    /// A wrong password. Gives the length of the lock that it set off, if any.
    pub fn fail(&mut self, now: Instant, account: &AccountId, from: IpAddr) -> Option<Duration> {
        let pair = pair(account, from);
        if self.pairs.len() >= MAX_PAIRS && !self.pairs.contains_key(&pair) {
            self.forget_one(now);
        }
        let failures = self.pairs.entry(pair).or_insert(Failures {
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

    /// The right password: the network is known to the account from now on.
    pub fn succeed(&mut self, now: Instant, account: &AccountId, from: IpAddr) {
        self.pairs.remove(&pair(account, from));
        if self.known.len() >= MAX_ACCOUNTS && !self.known.contains_key(account) {
            return;
        }
        let known = self.known.entry(account.clone()).or_default();
        known.insert(network(from), now);
        if known.len() > MAX_KNOWN
            && let Some((&oldest, _)) = known.iter().min_by_key(|(_, at)| **at)
        {
            known.remove(&oldest);
        }
    }

    /// Those not locked go first, of these the one that failed longest ago.
    fn forget_one(&mut self, now: Instant) {
        let oldest = self
            .pairs
            .iter()
            .min_by_key(|(_, f)| (f.locked_until.is_some_and(|until| until > now), f.last))
            .map(|(pair, _)| pair.clone());
        if let Some(pair) = oldest {
            self.pairs.remove(&pair);
        }
    }
}

fn pair(account: &AccountId, from: IpAddr) -> (AccountId, IpAddr) {
    (account.clone(), network(from))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);
    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));

    fn there(n: u32) -> IpAddr {
        IpAddr::V4((0x0b00_0000 + n).into())
    }

    fn fail_times(lockout: &mut Lockout, now: Instant, times: u32) -> Option<Duration> {
        (0..times)
            .map(|_| lockout.fail(now, &AccountId::from("a"), HERE))
            .last()
            .flatten()
    }

    #[test]
    fn fifth_wrong_password_locks_for_five_minutes() {
        let (mut lockout, now) = (Lockout::default(), Instant::now());
        let account = AccountId::from("a");
        assert_eq!(fail_times(&mut lockout, now, 4), None);
        assert_eq!(lockout.locked(now, &account, HERE), None);
        assert_eq!(lockout.fail(now, &account, HERE), Some(5 * MINUTE));
        let locked = |after| lockout.locked(now + after, &account, HERE);
        assert_eq!(locked(MINUTE), Some(4 * MINUTE));
        assert_eq!(locked(5 * MINUTE), None);
        assert_eq!(lockout.locked(now, &AccountId::from("b"), HERE), None);
    }

    #[test]
    fn stranger_locks_out_himself_only() {
        let (mut lockout, now) = (Lockout::default(), Instant::now());
        let account = AccountId::from("a");
        fail_times(&mut lockout, now, 5);
        assert!(lockout.locked(now, &account, HERE).is_some());
        assert_eq!(lockout.locked(now, &account, there(1)), None);
    }

    #[test]
    fn strangers_from_everywhere_are_braked_and_a_known_network_is_not() {
        let (mut lockout, now) = (Lockout::default(), Instant::now());
        let account = AccountId::from("a");
        lockout.succeed(now, &account, HERE);
        let tried = (0..1_000)
            .take_while(|n| lockout.attempt(now, &account, there(*n)).is_ok())
            .count();
        assert_eq!(tried, 40);
        let wait = lockout.attempt(now, &account, there(0)).unwrap_err();
        assert_eq!(wait, Duration::from_secs(30));
        assert_eq!(lockout.attempt(now, &account, HERE), Ok(()));
        assert_eq!(lockout.attempt(now, &"b".into(), there(0)), Ok(()));
        assert_eq!(lockout.attempt(now + wait, &account, there(0)), Ok(()));
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
        lockout.succeed(now, &AccountId::from("a"), HERE);
        assert_eq!(fail_times(&mut lockout, now, 4), None);
    }

    #[test]
    fn failures_of_long_ago_do_not_count() {
        let (mut lockout, now) = (Lockout::default(), Instant::now());
        fail_times(&mut lockout, now, 4);
        let later = now + FORGET_AFTER + FIRST_LOCK;
        assert_eq!(lockout.fail(later, &AccountId::from("a"), HERE), None);
    }

    #[test]
    fn invented_names_do_not_push_out_a_locked_one_and_nothing_grows_for_ever() {
        let (mut lockout, now) = (Lockout::default(), Instant::now());
        fail_times(&mut lockout, now, 5);
        for n in 0..MAX_PAIRS {
            let name = AccountId(n.to_string());
            lockout.attempt(now + MINUTE, &name, HERE).unwrap();
            lockout.fail(now + MINUTE, &name, HERE);
        }
        lockout.attempt(now + MINUTE, &"b".into(), HERE).unwrap();
        assert_eq!(lockout.pairs.len(), MAX_PAIRS);
        assert!(lockout.brakes.len() <= MAX_BRAKES);
        let account = AccountId::from("a");
        assert!(lockout.locked(now + MINUTE, &account, HERE).is_some());
        for n in 0..100 {
            lockout.succeed(now, &account, there(n));
        }
        assert_eq!(lockout.known[&account].len(), MAX_KNOWN);
    }
}
