//! Which other platform a request is from: by bearer token, or by a signature that is fresh and
//! was not used before.
//!
//! Nonces are kept in memory only. A signed request that is sent again across a restart passes
//! here, and does no harm: reports act once by their number and their key, which are journaled.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use super::rate::Bucket;
use super::signature::{Signature, Signed};
use crate::config::{Platform, Right};

/// How far a signature's time may be from the server's, both ways.
pub const WINDOW: Duration = Duration::from_secs(300);

/// All that are configured.
#[derive(Debug, Default)]
pub struct Platforms {
    by_id: BTreeMap<String, Arc<Known>>,
}

/// One, and how it has used its rights lately.
#[derive(Debug)]
pub struct Known {
    pub platform: Platform,
    bucket: Mutex<Bucket>,
    used: Mutex<Used>,
}

/// Nonces of the window, oldest first; at most [`Used::MAX`].
#[derive(Debug, Default)]
struct Used {
    nonces: HashSet<String>,
    /// With the second from which on each is too old to be tried again.
    until: VecDeque<(i64, String)>,
}

/// Why a request is not taken.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Denied {
    /// No credentials.
    Missing,
    /// Unknown, wrong, or not of the form.
    Wrong,
    /// A signature that has to name the body's hash, and does not.
    NoHash,
    /// Well signed, but so many seconds before or after the server's time.
    Stale {
        off_s: i64,
    },
    /// Well signed, and used before.
    Replayed,
    Right(Right),
    TooMany(Duration),
}

impl Platforms {
    #[must_use]
    pub fn new(platforms: &[Platform]) -> Self {
        let known = platforms.iter().map(|platform| {
            let bucket = Bucket::new(
                Instant::now(),
                platform.per_minute,
                f64::from(platform.per_minute) / 60.0,
            );
            let known = Known {
                platform: platform.clone(),
                bucket: Mutex::new(bucket),
                used: Mutex::default(),
            };
            (platform.id.clone(), Arc::new(known))
        });
        Self {
            by_id: known.collect(),
        }
    }

    /// Whose token it is. Hashes are compared, so that timing tells nothing of it.
    ///
    /// # Errors
    /// [`Denied::Wrong`].
    pub fn by_token(&self, token: &str) -> Result<&Arc<Known>, Denied> {
        let hash: [u8; 32] = Sha256::digest(token).into();
        self.by_id
            .values()
            .find(|known| known.platform.token_hash == Some(hash))
            .ok_or(Denied::Wrong)
    }

    /// Whose signature it is; the nonce is used up by this. Time in seconds of the Unix epoch.
    ///
    /// # Errors
    /// See [`Denied`]; nothing but [`Denied::Wrong`] is told to whoever does not have the key.
    pub fn by_signature(
        &self,
        header: &str,
        signed: Signed<'_>,
        now_s: i64,
    ) -> Result<&Arc<Known>, Denied> {
        let signature = Signature::parse(header).ok_or(Denied::Wrong)?;
        let known = self.by_id.get(signature.platform).ok_or(Denied::Wrong)?;
        let key = known.platform.key.as_ref().ok_or(Denied::Wrong)?;
        if !signature.is_by(key, signed) {
            return Err(Denied::Wrong);
        }
        let off_s = signature.time.saturating_sub(now_s);
        if off_s.unsigned_abs() > WINDOW.as_secs() {
            return Err(Denied::Stale { off_s });
        }
        let used = &mut *known.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.use_up(&signature, now_s)?;
        Ok(known)
    }
}

impl Known {
    /// Counts the request.
    ///
    /// # Errors
    /// [`Denied::Right`] or [`Denied::TooMany`].
    pub fn admit(&self, right: Right, now: Instant) -> Result<(), Denied> {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        bucket.take(now, 1).map_err(Denied::TooMany)?;
        if self.platform.rights.contains(&right) {
            Ok(())
        } else {
            Err(Denied::Right(right))
        }
    }
}

impl Used {
    /// More than any configured rate makes in the time that nonces are kept.
    const MAX: usize = 100_000;

    fn use_up(&mut self, signature: &Signature<'_>, now_s: i64) -> Result<(), Denied> {
        while let Some((_, nonce)) = self.until.front().filter(|(until, _)| *until < now_s) {
            self.nonces.remove(nonce);
            self.until.pop_front();
        }
        if self.nonces.contains(signature.nonce) {
            return Err(Denied::Replayed);
        }
        if self.nonces.len() >= Self::MAX {
            return Err(Denied::TooMany(WINDOW));
        }
        // From the server's clock: so the queue stays in order, and both halves of the window
        // around the signature's time are covered.
        let until = now_s.saturating_add_unsigned(2 * WINDOW.as_secs());
        self.nonces.insert(signature.nonce.to_owned());
        self.until.push_back((until, signature.nonce.to_owned()));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use hmac::{Hmac, KeyInit as _, Mac as _};
    use liandong_protocol::SiteCode;

    use super::*;
    use crate::auth::signature::body_hash;
    use crate::config::Secret;

    const NOW: i64 = 1_764_039_600;

    fn platforms() -> Platforms {
        let one = |id: &str, key: &str, token: &str| Platform {
            id: id.to_owned(),
            name: id.to_owned(),
            key: Some(Secret(key.as_bytes().to_vec())),
            token_hash: Some(Sha256::digest(token).into()),
            site: SiteCode::from("1"),
            sites: BTreeSet::new(),
            rights: [Right::Report].into(),
            per_minute: 2,
        };
        Platforms::new(&[
            one("grid", "grid-key", "grid-token"),
            one("b", "b-key", "b-token"),
        ])
    }

    fn header(id: &str, key: &str, time: i64, nonce: &str) -> String {
        let hash = hex::encode(body_hash(b""));
        let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
        mac.update(format!("GET\n/x\n{time}\n{nonce}\n{hash}").as_bytes());
        let mac = hex::encode(mac.finalize().into_bytes());
        format!("platform={id},time={time},nonce={nonce},v1={mac}")
    }

    fn tried(platforms: &Platforms, header: &str, now_s: i64) -> Result<String, Denied> {
        let signed = Signed {
            method: "GET",
            path: "/x",
            body_hash: &body_hash(b""),
        };
        let known = platforms.by_signature(header, signed, now_s)?;
        Ok(known.platform.id.clone())
    }

    #[test]
    fn signature_counts_once_and_in_its_window() {
        let all = platforms();
        let first = header("grid", "grid-key", NOW, "nonce1one");
        assert_eq!(tried(&all, &first, NOW), Ok("grid".to_owned()));
        assert_eq!(tried(&all, &first, NOW + 1), Err(Denied::Replayed));
        assert_eq!(tried(&all, &first, NOW + 300), Err(Denied::Replayed));
        let late = header("grid", "grid-key", NOW, "nonce2xx");
        assert_eq!(
            tried(&all, &late, NOW + 301),
            Err(Denied::Stale { off_s: -301 })
        );
        // Made by a clock that is ahead: known until nobody's clock takes it any more.
        let ahead = header("grid", "grid-key", NOW + 300, "nonce3xx");
        assert!(tried(&all, &ahead, NOW).is_ok());
        assert_eq!(tried(&all, &ahead, NOW + 600), Err(Denied::Replayed));
        assert_eq!(
            tried(&all, &ahead, NOW + 601),
            Err(Denied::Stale { off_s: -301 })
        );
        let fresh = header("grid", "grid-key", NOW + 601, "nonce4xx");
        assert!(tried(&all, &fresh, NOW + 601).is_ok());
        let kept = all.by_id["grid"].used.lock().unwrap().nonces.len();
        assert_eq!(kept, 1, "old ones are forgotten");
    }

    #[test]
    fn key_of_one_platform_does_not_sign_for_another() {
        let all = platforms();
        let forged = header("grid", "b-key", NOW, "nonce1xx");
        assert_eq!(tried(&all, &forged, NOW), Err(Denied::Wrong));
        let unknown = header("c", "b-key", NOW, "nonce1xx");
        assert_eq!(tried(&all, &unknown, NOW), Err(Denied::Wrong));
        // What was not taken used up nothing.
        let right = header("grid", "grid-key", NOW, "nonce1xx");
        assert!(tried(&all, &right, NOW).is_ok());
        assert_eq!(all.by_token("b-token").unwrap().platform.id, "b");
        assert_eq!(all.by_token("").unwrap_err(), Denied::Wrong);
    }

    #[test]
    fn rate_and_rights_are_each_platform_s_own() {
        let all = platforms();
        let now = Instant::now();
        let grid = &all.by_id["grid"];
        assert_eq!(grid.admit(Right::Report, now), Ok(()));
        assert_eq!(
            grid.admit(Right::Read, now),
            Err(Denied::Right(Right::Read))
        );
        let wait = Denied::TooMany(Duration::from_secs(30));
        assert_eq!(grid.admit(Right::Report, now), Err(wait));
        assert_eq!(all.by_id["b"].admit(Right::Report, now), Ok(()));
    }
}
