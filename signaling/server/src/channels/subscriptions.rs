//! Which browsers want messages, by account: a table beside the sessions. They
//! are devices, not decisions, so they are no events.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use liandong_protocol::AccountId;
use rusqlite::{Connection, params};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::journal::sqlite;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS push_subscriptions (
        endpoint TEXT PRIMARY KEY,
        account  TEXT NOT NULL,
        p256dh   BLOB NOT NULL,
        auth     BLOB NOT NULL,
        kept_ms  INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
";
/// Browsers of one account; the oldest go first.
const PER_ACCOUNT: u32 = 8;
const MAX_ENDPOINT_BYTES: usize = 1_024;
/// An uncompressed point of P-256 (RFC 8291 §3.1).
pub const KEY_BYTES: usize = 65;
/// RFC 8291 §3.2.
pub const AUTH_BYTES: usize = 16;

/// What a browser gives (`PushSubscription.toJSON()`).
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct Offered {
    pub endpoint: String,
    pub keys: Keys,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct Keys {
    pub p256dh: String,
    pub auth: String,
}

/// Checked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Subscription {
    pub endpoint: String,
    pub p256dh: Vec<u8>,
    pub auth: Vec<u8>,
}

/// Hosts of push services that browsers use; nothing else is asked, whatever a
/// client says: it must not make the server call machines of its own network.
const SERVICES: [&str; 4] = [
    "fcm.googleapis.com",
    ".push.services.mozilla.com",
    ".notify.windows.com",
    ".push.apple.com",
];

impl Offered {
    /// `None`: broken, or not at a push service. `also`: whole origins that the
    /// configuration allows besides.
    #[must_use]
    pub fn checked(&self, also: &[String]) -> Option<Subscription> {
        if self.endpoint.len() > MAX_ENDPOINT_BYTES || !is_service(&self.endpoint, also) {
            return None;
        }
        // Browsers leave the padding out; some libraries do not.
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok();
        let p256dh = decode(&self.keys.p256dh).filter(|key| key.len() == KEY_BYTES)?;
        let auth = decode(&self.keys.auth).filter(|auth| auth.len() == AUTH_BYTES)?;
        Some(Subscription {
            endpoint: self.endpoint.clone(),
            p256dh,
            auth,
        })
    }
}

fn is_service(endpoint: &str, also: &[String]) -> bool {
    let Ok(url) = reqwest::Url::parse(endpoint) else {
        return false;
    };
    let origin = url.origin().ascii_serialization();
    let known = |host: &str| {
        SERVICES
            .iter()
            .any(|service| match service.strip_prefix('.') {
                Some(_) => host.ends_with(service),
                None => host == *service,
            })
    };
    also.contains(&origin)
        || (url.scheme() == "https" && url.port().is_none() && url.host_str().is_some_and(known))
}

/// All calls may wait for the disk: call them from blocking threads.
#[derive(Debug)]
pub struct Subscriptions {
    connection: Mutex<Connection>,
}

impl Subscriptions {
    /// # Errors
    /// When the store cannot be opened or written.
    pub fn open(folder: &Path) -> rusqlite::Result<Self> {
        let connection = sqlite::open(folder)?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self {
            connection: Mutex::new(connection),
        })
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// New, or of another account from now on: the browser is signed in as that one.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn keep(
        &self,
        account: &AccountId,
        one: &Subscription,
        now_ms: i64,
    ) -> rusqlite::Result<()> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        transaction.execute(
            "INSERT OR REPLACE INTO push_subscriptions (endpoint, account, p256dh, auth, kept_ms)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            params![one.endpoint, account.0, one.p256dh, one.auth, now_ms],
        )?;
        transaction.execute(
            "DELETE FROM push_subscriptions WHERE account = ?1 AND endpoint NOT IN (
                 SELECT endpoint FROM push_subscriptions WHERE account = ?1
                 ORDER BY kept_ms DESC, endpoint LIMIT ?2)",
            params![account.0, PER_ACCOUNT],
        )?;
        transaction.commit()
    }

    /// # Errors
    /// When the store cannot be written.
    pub fn forget(&self, endpoint: &str) -> rusqlite::Result<()> {
        let sql = "DELETE FROM push_subscriptions WHERE endpoint = ?1";
        self.connection().execute(sql, [endpoint]).map(drop)
    }

    /// # Errors
    /// When the store cannot be read.
    pub fn of(&self, account: &str) -> rusqlite::Result<Vec<Subscription>> {
        let connection = self.connection();
        let mut select = connection
            .prepare("SELECT endpoint, p256dh, auth FROM push_subscriptions WHERE account = ?1")?;
        let rows = select.query_map([account], |row| {
            Ok(Subscription {
                endpoint: row.get(0)?,
                p256dh: row.get(1)?,
                auth: row.get(2)?,
            })
        })?;
        rows.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(endpoint: &str) -> Offered {
        Offered {
            endpoint: endpoint.to_owned(),
            keys: Keys {
                p256dh: URL_SAFE_NO_PAD.encode([4; KEY_BYTES]),
                auth: URL_SAFE_NO_PAD.encode([7; AUTH_BYTES]),
            },
        }
    }

    #[test]
    fn only_push_services_are_asked() {
        for good in [
            "https://fcm.googleapis.com/fcm/send/abc",
            "https://updates.push.services.mozilla.com/wpush/v2/abc",
            "https://web.push.apple.com/abc",
        ] {
            assert!(offered(good).checked(&[]).is_some(), "{good}");
        }
        for bad in [
            "",
            "http://fcm.googleapis.com/x",
            "https://fcm.googleapis.com.example.org/x",
            "https://fcm.googleapis.com:8443/x",
            "https://evilpush.services.mozilla.com.cn/x",
            "https://127.0.0.1/x",
            "https://user@10.0.0.1/?fcm.googleapis.com",
            "file:///etc/passwd",
        ] {
            assert!(offered(bad).checked(&[]).is_none(), "{bad}");
        }
        let local = "http://127.0.0.1:9000/x";
        let also = ["http://127.0.0.1:9000".to_owned()];
        assert!(offered(local).checked(&also).is_some());
        let mut short = offered("https://fcm.googleapis.com/x");
        short.keys.auth = "AAAA".to_owned();
        assert!(short.checked(&[]).is_none());
    }

    #[test]
    fn browser_belongs_to_whoever_came_last_and_an_account_has_few() {
        let folder = tempfile::tempdir().unwrap();
        let store = Subscriptions::open(folder.path()).unwrap();
        let one = |number: u32| {
            let endpoint = format!("https://fcm.googleapis.com/{number}");
            offered(&endpoint).checked(&[]).unwrap()
        };
        let (a, b) = (AccountId::from("a"), AccountId::from("b"));
        store.keep(&a, &one(1), 1).unwrap();
        store.keep(&b, &one(1), 2).unwrap();
        assert_eq!(store.of("a").unwrap(), []);
        assert_eq!(store.of("b").unwrap(), [one(1)]);
        for number in 2..=12 {
            store.keep(&b, &one(number), i64::from(number)).unwrap();
        }
        let kept = store.of("b").unwrap();
        assert_eq!(kept.len(), 8);
        assert!(kept.contains(&one(12)) && !kept.contains(&one(4)));
        store.forget(&one(12).endpoint).unwrap();
        assert_eq!(store.of("b").unwrap().len(), 7);
    }
}
