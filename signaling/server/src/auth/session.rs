//! Sessions: a random token in a cookie that no script can read. The server
//! keeps only the token's hash, so that a stolen disk opens no session.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::HeaderMap;
use http::header::COOKIE;
use liandong_protocol::AccountId;
use rand::RngExt as _;
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

use super::vault::{Vault, VaultError};

/// The prefix ties it to this host, TLS and the path `/` (RFC 6265bis §4.1.3.2).
pub const COOKIE_NAME: &str = "__Host-liandong";

const IDLE_MS: i64 = 12 * 3_600 * 1_000;
const ABSOLUTE_MS: i64 = 7 * 24 * 3_600 * 1_000;
/// How much older on the disk than in memory "last seen" may be.
const KEEP_EVERY_MS: i64 = 10 * 60 * 1_000;
/// Further ones end the oldest.
const MAX_PER_ACCOUNT: usize = 64;

/// SHA-256 of the token.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct SessionId(pub [u8; 32]);

impl fmt::Debug for SessionId {
    /// Enough to tell them apart in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "session {}", hex::encode(&self.0[..4]))
    }
}

/// Times in ms since the Unix epoch.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Session {
    pub account: AccountId,
    pub created_ms: i64,
    pub seen_ms: i64,
}

impl Session {
    fn is_over(&self, now_ms: i64) -> bool {
        now_ms - self.seen_ms >= IDLE_MS || now_ms - self.created_ms >= ABSOLUTE_MS
    }
}

/// What the client holds.
pub struct Token(String);

impl fmt::Debug for Token {
    /// Never shows the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

impl Token {
    fn new() -> Self {
        let bytes: [u8; 32] = rand::rng().random();
        Self(hex::encode(bytes))
    }

    pub(super) fn id(&self) -> SessionId {
        SessionId(Sha256::digest(&self.0).into())
    }

    /// The cookie of the request, if it has one.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .find_map(|pair| pair.trim().strip_prefix(COOKIE_NAME)?.strip_prefix('='))
            .filter(|token| token.len() <= 128)
            .map(|token| Self(token.to_owned()))
    }

    /// For `Set-Cookie`.
    #[must_use]
    pub fn cookie(&self) -> String {
        format!(
            "{COOKIE_NAME}={}; Path=/; Max-Age={}; HttpOnly; Secure; SameSite=Strict",
            self.0,
            ABSOLUTE_MS / 1_000
        )
    }
}

/// For `Set-Cookie`: takes the cookie away.
#[must_use]
pub fn no_cookie() -> String {
    format!("{COOKIE_NAME}=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Strict")
}

/// A session in use. `ended` closes when the session is over.
#[derive(Clone, Debug)]
pub struct Held {
    pub id: SessionId,
    pub account: AccountId,
    pub ended: watch::Receiver<()>,
}

/// All sessions, in memory and on the disk.
#[derive(Clone, Debug)]
pub struct Sessions {
    vault: Arc<Vault>,
    open: Arc<Mutex<HashMap<SessionId, Open>>>,
}

#[derive(Debug)]
struct Open {
    session: Session,
    kept_ms: i64,
    /// Dropped when the session ends.
    ended: watch::Sender<()>,
}

impl Open {
    fn new(session: Session) -> Self {
        Self {
            kept_ms: session.seen_ms,
            session,
            ended: watch::Sender::new(()),
        }
    }
}

impl Sessions {
    /// Those on the disk go on.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn load(vault: Arc<Vault>, now_ms: i64) -> Result<Self, VaultError> {
        let (over, open): (Vec<_>, Vec<_>) = vault
            .sessions()?
            .into_iter()
            .partition(|(_, session)| session.is_over(now_ms));
        vault.forget_sessions(&over.into_iter().map(|(id, _)| id).collect::<Vec<_>>())?;
        let open = open
            .into_iter()
            .map(|(id, session)| (id, Open::new(session)))
            .collect();
        Ok(Self {
            vault,
            open: Arc::new(Mutex::new(open)),
        })
    }

    /// Opens one and puts it on the disk.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub async fn begin(&self, account: AccountId, now_ms: i64) -> Result<Token, VaultError> {
        let token = Token::new();
        let id = token.id();
        let session = Session {
            account,
            created_ms: now_ms,
            seen_ms: now_ms,
        };
        let kept = session.clone();
        self.on_disk(move |vault| vault.keep_session(id, &kept))
            .await?;
        let surplus = {
            let mut open = self.open();
            let surplus = oldest_beyond_limit(&open, &session.account);
            if let Some(id) = surplus {
                open.remove(&id);
            }
            open.insert(id, Open::new(session));
            surplus
        };
        if let Some(id) = surplus {
            self.on_disk(move |vault| vault.forget_sessions(&[id]))
                .await?;
        }
        Ok(token)
    }

    /// The session of the token; using it keeps it from idling out.
    #[must_use]
    pub fn find(&self, token: &Token, now_ms: i64) -> Option<Held> {
        let id = token.id();
        let mut open = self.open();
        let (account, ended) = {
            let found = open.get(&id)?;
            (found.session.account.clone(), found.ended.subscribe())
        };
        let alive = self.touch_in(&mut open, id, now_ms);
        alive.then_some(Held { id, account, ended })
    }

    /// The session is in use. False when it is over.
    #[must_use]
    pub fn touch(&self, id: SessionId, now_ms: i64) -> bool {
        self.touch_in(&mut self.open(), id, now_ms)
    }

    fn touch_in(&self, open: &mut HashMap<SessionId, Open>, id: SessionId, now_ms: i64) -> bool {
        let Some(found) = open.get_mut(&id) else {
            return false;
        };
        if found.session.is_over(now_ms) {
            open.remove(&id);
            self.later(move |vault| vault.forget_sessions(&[id]));
            return false;
        }
        found.session.seen_ms = found.session.seen_ms.max(now_ms);
        if now_ms - found.kept_ms >= KEEP_EVERY_MS {
            found.kept_ms = now_ms;
            let session = found.session.clone();
            self.later(move |vault| vault.keep_session(id, &session));
        }
        true
    }

    /// Ends it at once; its connections see it.
    ///
    /// # Errors
    /// When it is still on the disk; it would be back after a restart.
    pub async fn end(&self, id: SessionId) -> Result<(), VaultError> {
        self.open().remove(&id);
        self.on_disk(move |vault| vault.forget_sessions(&[id]))
            .await
    }

    /// Ends all sessions of the account at once but the one that is kept; their connections see it.
    ///
    /// # Errors
    /// When they are still on the disk; they would be back after a restart.
    pub async fn end_others(
        &self,
        account: &AccountId,
        kept: Option<SessionId>,
    ) -> Result<(), VaultError> {
        let ended: Vec<SessionId> = self
            .open()
            .extract_if(|id, open| open.session.account == *account && Some(*id) != kept)
            .map(|(id, _)| id)
            .collect();
        self.on_disk(move |vault| vault.forget_sessions(&ended))
            .await
    }

    fn open(&self) -> MutexGuard<'_, HashMap<SessionId, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn on_disk(
        &self,
        work: impl FnOnce(&Vault) -> Result<(), VaultError> + Send + 'static,
    ) -> Result<(), VaultError> {
        let vault = Arc::clone(&self.vault);
        tokio::task::spawn_blocking(move || work(&vault))
            .await
            .unwrap_or_else(|_| Err(VaultError::from(rusqlite::Error::InvalidQuery)))
    }

    /// What may fail without harm: the next time it is tried again.
    fn later(&self, work: impl FnOnce(&Vault) -> Result<(), VaultError> + Send + 'static) {
        let vault = Arc::clone(&self.vault);
        tokio::task::spawn_blocking(move || {
            if let Err(error) = work(&vault) {
                tracing::warn!(%error, "session not kept");
            }
        });
    }
}

fn oldest_beyond_limit(open: &HashMap<SessionId, Open>, account: &AccountId) -> Option<SessionId> {
    let own = || open.iter().filter(|(_, o)| o.session.account == *account);
    if own().count() < MAX_PER_ACCOUNT {
        return None;
    }
    own()
        .min_by_key(|(_, o)| o.session.seen_ms)
        .map(|(id, _)| *id)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: i64 = 3_600 * 1_000;

    fn sessions() -> (tempfile::TempDir, Sessions) {
        let folder = tempfile::tempdir().unwrap();
        let vault = Arc::new(Vault::open(folder.path()).unwrap());
        (folder, Sessions::load(vault, 0).unwrap())
    }

    #[tokio::test]
    async fn session_idles_out_after_twelve_hours() {
        let (_folder, sessions) = sessions();
        let token = sessions.begin("a".into(), 0).await.unwrap();
        assert!(sessions.find(&token, 11 * HOUR_MS).is_some());
        assert!(sessions.find(&token, 22 * HOUR_MS).is_some());
        assert!(sessions.find(&token, 34 * HOUR_MS).is_none());
    }

    #[tokio::test]
    async fn session_in_use_ends_after_seven_days() {
        let (_folder, sessions) = sessions();
        let token = sessions.begin("a".into(), 0).await.unwrap();
        let hours = (1..200)
            .take_while(|hour| sessions.find(&token, hour * HOUR_MS).is_some())
            .count();
        assert_eq!(hours, 7 * 24 - 1);
    }

    #[tokio::test]
    async fn ended_session_tells_its_connections() {
        let (_folder, sessions) = sessions();
        let token = sessions.begin("a".into(), 0).await.unwrap();
        let mut held = sessions.find(&token, 1).unwrap();
        sessions.end(held.id).await.unwrap();
        assert!(held.ended.changed().await.is_err());
        assert!(sessions.find(&token, 2).is_none());
    }

    #[tokio::test]
    async fn others_of_the_account_end_and_stay_ended() {
        let folder = tempfile::tempdir().unwrap();
        let load = || Sessions::load(Arc::new(Vault::open(folder.path()).unwrap()), 0).unwrap();
        let sessions = load();
        let mut tokens = Vec::new();
        for account in ["a", "a", "b"] {
            tokens.push(sessions.begin(account.into(), 0).await.unwrap());
        }
        let left = |sessions: &Sessions| {
            let held = tokens.iter().map(|token| sessions.find(token, 1));
            held.map(|held| held.is_some()).collect::<Vec<_>>()
        };
        let kept = sessions.find(&tokens[0], 1).unwrap().id;
        let mut ended = sessions.find(&tokens[1], 1).unwrap().ended;
        let account = "a".into();
        sessions.end_others(&account, Some(kept)).await.unwrap();
        assert!(ended.changed().await.is_err());
        assert_eq!(left(&sessions), [true, false, true]);
        assert_eq!(left(&load()), [true, false, true]);
        sessions.end_others(&account, None).await.unwrap();
        assert_eq!(left(&load()), [false, false, true]);
    }

    #[tokio::test]
    async fn sessions_survive_a_restart_without_the_token_on_disk() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Arc::new(Vault::open(folder.path()).unwrap());
        let token = Sessions::load(open(), 0)
            .unwrap()
            .begin("a".into(), 0)
            .await
            .unwrap();
        let again = Sessions::load(open(), HOUR_MS).unwrap();
        assert_eq!(again.find(&token, HOUR_MS).unwrap().account, "a".into());
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            let needle = token.0.as_bytes();
            assert!(!bytes.windows(needle.len()).any(|window| window == needle));
        }
        assert!(
            Sessions::load(open(), 99 * HOUR_MS)
                .unwrap()
                .open()
                .is_empty()
        );
    }

    #[tokio::test]
    async fn too_many_sessions_of_an_account_end_the_oldest() {
        let (_folder, sessions) = sessions();
        let first = sessions.begin("a".into(), 0).await.unwrap();
        for n in 1..=MAX_PER_ACCOUNT {
            sessions
                .begin("a".into(), i64::try_from(n).unwrap())
                .await
                .unwrap();
        }
        assert!(sessions.find(&first, 100).is_none());
        assert_eq!(sessions.open().len(), MAX_PER_ACCOUNT);
    }

    #[test]
    fn token_is_found_among_other_cookies() {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, "a=b; __Host-liandong=abc; c=d".parse().unwrap());
        assert_eq!(Token::of(&headers).unwrap().0, "abc");
        headers.insert(COOKIE, "__Host-liandongx=abc".parse().unwrap());
        assert!(Token::of(&headers).is_none());
    }
}
