//! Time as it comes in from the shell, and the waits of dispatch.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Milliseconds since the Unix epoch, UTC. The rules never read a clock: the
/// shell hands the time in with every order.
#[derive(
    Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// This moment and `wait` on; saturates instead of wrapping.
    #[must_use]
    pub fn after(self, wait: Duration) -> Self {
        let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(wait_ms))
    }

    /// How long since `earlier`; zero when the clock was set back.
    #[must_use]
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// How long each thing is waited for. Deadlines are worked out when an order
/// is decided and stand in the events, so another `Timing` changes only what
/// is decided from then on, never what a journal says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Timing {
    /// From the first ring until `NoAnswer`.
    pub ring: Duration,
    /// From the call until `Unreachable` when no device of the callee is there.
    pub queued: Duration,
    /// From accepting (or calling) until the media must be connected.
    pub join: Duration,
    /// From lost media, or a restart of the server, until the participant is
    /// taken for gone.
    pub reconnect: Duration,
    /// How long a conference stays for its host alone when nothing rings, so
    /// that he can call the absent again.
    pub alone: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            ring: Duration::from_secs(30),
            queued: Duration::from_secs(30),
            join: Duration::from_secs(20),
            reconnect: Duration::from_secs(60),
            alone: Duration::from_secs(60),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_far_deadline_saturates() {
        let end = Timestamp(u64::MAX - 1);
        assert_eq!(end.after(Duration::MAX), Timestamp(u64::MAX));
    }

    #[test]
    fn a_clock_set_back_gives_no_wait() {
        assert_eq!(Timestamp(5).since(Timestamp(9)), Duration::ZERO);
        assert_eq!(Timestamp(9).since(Timestamp(5)), Duration::from_millis(4));
    }
}
