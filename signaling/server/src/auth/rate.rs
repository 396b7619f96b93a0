//! Token buckets: how often something may be done. Pure.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Holds up to `burst` tokens and wins `per_second` back.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    tokens: f64,
    burst: f64,
    per_second: f64,
    at: Instant,
}

impl Bucket {
    /// Full.
    #[must_use]
    pub fn new(now: Instant, burst: u32, per_second: f64) -> Self {
        Self {
            tokens: burst.into(),
            burst: burst.into(),
            per_second,
            at: now,
        }
    }

    /// Takes `cost` tokens.
    ///
    /// # Errors
    /// How long to wait until there are enough; none is taken then.
    pub fn take(&mut self, now: Instant, cost: u32) -> Result<(), Duration> {
        self.refill(now);
        let cost = f64::from(cost);
        if self.tokens >= cost {
            self.tokens -= cost;
            return Ok(());
        }
        Err(Duration::from_secs_f64(
            (cost - self.tokens) / self.per_second,
        ))
    }

    fn refill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.tokens = (self.tokens + passed * self.per_second).min(self.burst);
        self.at = now;
    }

    pub(super) fn is_full(&mut self, now: Instant) -> bool {
        self.refill(now);
        self.tokens >= self.burst
    }
}

/// Login tries by address. Generous in the burst, since a whole county may come
/// from one address after a power cut; a wrong password costs more.
#[derive(Debug, Default)]
pub struct LoginRate {
    addresses: HashMap<IpAddr, Bucket>,
}

const LOGIN_BURST: u32 = 800;
const LOGINS_PER_SECOND: f64 = 5.0;
/// What a wrong password costs on top of its try.
const WRONG_COST: u32 = 19;
const MAX_ADDRESSES: usize = 20_000;

impl LoginRate {
    /// One try.
    ///
    /// # Errors
    /// How long to wait.
    pub fn attempt(&mut self, now: Instant, address: IpAddr) -> Result<(), Duration> {
        self.bucket(now, address).take(now, 1)
    }

    /// The try was wrong.
    pub fn wrong(&mut self, now: Instant, address: IpAddr) {
        let bucket = self.bucket(now, address);
        bucket.refill(now);
        bucket.tokens = (bucket.tokens - f64::from(WRONG_COST)).max(0.0);
    }

    fn bucket(&mut self, now: Instant, address: IpAddr) -> &mut Bucket {
        let address = network(address);
        if self.addresses.len() >= MAX_ADDRESSES && !self.addresses.contains_key(&address) {
            self.addresses.retain(|_, bucket| !bucket.is_full(now));
            if self.addresses.len() >= MAX_ADDRESSES {
                // Somebody has twenty thousand addresses; the lock-out by account holds on.
                self.addresses.clear();
            }
        }
        self.addresses
            .entry(address)
            .or_insert_with(|| Bucket::new(now, LOGIN_BURST, LOGINS_PER_SECOND))
    }
}

/// One IPv6 subscriber has a /64 (RFC 6177); IPv4 stays as it is.
#[must_use]
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & (u128::MAX << 64)).into()),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bucket_tells_how_long_to_wait() {
        let now = Instant::now();
        let mut bucket = Bucket::new(now, 2, 4.0);
        assert_eq!(bucket.take(now, 1), Ok(()));
        assert_eq!(bucket.take(now, 1), Ok(()));
        let wait = bucket.take(now, 1).unwrap_err();
        assert_eq!(wait, Duration::from_millis(250));
        assert_eq!(bucket.take(now + wait, 1), Ok(()));
        assert!(bucket.take(now, 1).is_err(), "time never runs back");
    }

    #[test]
    fn county_behind_one_address_signs_in_at_once_and_a_guesser_does_not() {
        let now = Instant::now();
        let mut rate = LoginRate::default();
        let office: IpAddr = "10.0.0.1".parse().unwrap();
        assert!((0..700).all(|_| rate.attempt(now, office).is_ok()));
        let guesser: IpAddr = "10.0.0.2".parse().unwrap();
        let tries = (0..1_000)
            .take_while(|_| {
                let may = rate.attempt(now, guesser).is_ok();
                rate.wrong(now, guesser);
                may
            })
            .count();
        assert_eq!(tries, 40);
    }

    #[test]
    fn neighbours_in_one_ipv6_network_share() {
        let network_of = |text: &str| network(text.parse().unwrap());
        assert_eq!(network_of("2001:db8::1"), network_of("2001:db8::2:3:4:5"));
        assert_ne!(network_of("2001:db8::1"), network_of("2001:db8:0:1::1"));
        assert_eq!(network_of("::ffff:10.0.0.1"), network_of("10.0.0.1"));
    }
}
