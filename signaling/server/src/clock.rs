//! The only place where the server reads the wall clock.

use std::time::Duration;

use liandong_domain::Timestamp;

/// The longest sleep without looking at the clock again; it may be set meanwhile.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// Milliseconds since the Unix epoch.
#[must_use]
pub fn now() -> Timestamp {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// As the accounts' store counts.
#[must_use]
pub fn now_ms() -> i64 {
    i64::try_from(now().0).unwrap_or(i64::MAX)
}

/// Sleeps until then; forever when there is nothing to wait for.
pub async fn sleep_until(due: Option<Timestamp>) {
    let Some(due) = due else {
        return std::future::pending().await;
    };
    loop {
        let wait = due.since(now());
        if wait.is_zero() {
            return;
        }
        tokio::time::sleep(wait.min(LOOK_AGAIN)).await;
    }
}
