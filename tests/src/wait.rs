//! Waiting for a condition instead of a time.

use std::future::Future;
use std::time::{Duration, Instant};

use anyhow::bail;

/// Looks again and again until the condition holds; names it when it never does.
///
/// # Errors
/// It did not hold in time.
pub async fn until<F, Fut>(what: &str, within: Duration, mut holds: F) -> anyhow::Result<()>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = bool>,
{
    let start = Instant::now();
    while !holds().await {
        if start.elapsed() > within {
            bail!("not within {within:?}: {what}");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}
