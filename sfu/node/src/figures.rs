//! What one worker counts. Written by that worker alone, read by anybody at any time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use liandong_sfu_core::api::Counters;

use crate::sys::ThreadClock;

/// A number that only its one writer raises.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self, n: u64) {
        // One writer, so no update can be lost between load and store.
        let before = self.0.load(Ordering::Relaxed);
        self.0.store(before + n, Ordering::Relaxed);
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What there is of something now; one writer.
#[derive(Debug, Default)]
pub(crate) struct Gauge(AtomicU64);

impl Gauge {
    pub(crate) fn set(&self, n: u64) {
        self.0.store(n, Ordering::Relaxed);
    }

    pub(crate) fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Counts observations at or below each of `N` bounds.
#[derive(Debug)]
pub(crate) struct Histogram<const N: usize> {
    bounds: [f64; N],
    /// Not cumulative; beyond the last bound: only in `count`.
    buckets: [Count; N],
    count: Count,
    /// The bits of an f64.
    sum: AtomicU64,
}

impl<const N: usize> Histogram<N> {
    fn new(bounds: [f64; N]) -> Self {
        Self {
            bounds,
            buckets: std::array::from_fn(|_| Count::default()),
            count: Count::default(),
            sum: AtomicU64::new(0f64.to_bits()),
        }
    }

    pub(crate) fn observe(&self, value: f64) {
        if let Some(i) = self.bounds.iter().position(|bound| value <= *bound) {
            self.buckets[i].add(1);
        }
        let sum = f64::from_bits(self.sum.load(Ordering::Relaxed));
        self.sum.store((sum + value).to_bits(), Ordering::Relaxed);
        self.count.add(1);
    }

    pub(crate) fn count(&self) -> u64 {
        self.count.count()
    }

    pub(crate) fn sum(&self) -> f64 {
        f64::from_bits(self.sum.load(Ordering::Relaxed))
    }

    /// (upper bound, observations since the bound before), the last one without a bound.
    pub(crate) fn buckets(&self) -> Vec<(f64, u64)> {
        let mut buckets: Vec<(f64, u64)> = self
            .bounds
            .into_iter()
            .zip(self.buckets.iter().map(Count::count))
            .collect();
        let bounded: u64 = buckets.iter().map(|(_, n)| n).sum();
        buckets.push((f64::MAX, self.count().saturating_sub(bounded)));
        buckets
    }
}

/// In seconds.
const DELAYS: [f64; 11] = [
    25e-6, 50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2e-3, 5e-3, 10e-3, 50e-3, 250e-3,
];

/// The figures of one worker.
#[derive(Debug)]
pub(crate) struct WorkerFigures {
    pub received_datagrams: Count,
    pub received_bytes: Count,
    pub sent_datagrams: Count,
    pub sent_bytes: Count,
    /// Messages given to the kernel: a GSO train is one.
    pub sent_messages: Count,
    pub send_calls: Count,
    /// Datagrams passed to the worker they belong to.
    pub handed_over: Count,
    /// Clear packets passed to other workers of the room.
    pub relayed: Count,
    /// Longer than any datagram may be, or from no readable address.
    pub dropped_truncated: Count,
    /// Not for any peer of any worker.
    pub dropped_unknown_path: Count,
    /// The ring to the right worker was full.
    pub dropped_handover_full: Count,
    pub dropped_relay_full: Count,
    /// The socket did not become writable in time.
    pub dropped_send_full: Count,
    /// Likewise, pictures, which give way to the rest.
    pub dropped_send_full_video: Count,
    /// The kernel would not send it there.
    pub dropped_send_refused: Count,
    /// A TCP connection's queue was full.
    pub dropped_tcp_full: Count,
    /// For a TCP connection that has ended.
    pub dropped_tcp_gone: Count,
    /// TCP connections that ended because they sent something else than short frames.
    pub dropped_tcp_malformed: Count,
    /// TCP connections that ended without a verified check.
    pub tcp_unproven: Count,
    pub tcp_connections: Gauge,
    /// Receive calls that failed, for example because of an ICMP error.
    pub receive_errors: Count,
    /// Statistics and speaking indications that nobody took in time.
    pub dropped_events: Count,
    /// Seconds from the kernel's receipt of a batch's first datagram to its processing.
    pub queue_delay: Histogram<11>,
    /// Seconds from the kernel's receipt of a turn's first datagram until all that came of
    /// the turn was sent.
    pub delay: Histogram<11>,
    /// How far the worker reduces video.
    pub shed: Gauge,
    /// Datagrams of one receive call.
    pub batch: Histogram<8>,
    engine: Mutex<Counters>,
    cpu: OnceLock<ThreadClock>,
}

impl Default for WorkerFigures {
    fn default() -> Self {
        Self {
            received_datagrams: Count::default(),
            received_bytes: Count::default(),
            sent_datagrams: Count::default(),
            sent_bytes: Count::default(),
            sent_messages: Count::default(),
            send_calls: Count::default(),
            handed_over: Count::default(),
            relayed: Count::default(),
            dropped_truncated: Count::default(),
            dropped_unknown_path: Count::default(),
            dropped_handover_full: Count::default(),
            dropped_relay_full: Count::default(),
            dropped_send_full: Count::default(),
            dropped_send_full_video: Count::default(),
            dropped_send_refused: Count::default(),
            dropped_tcp_full: Count::default(),
            dropped_tcp_gone: Count::default(),
            dropped_tcp_malformed: Count::default(),
            tcp_unproven: Count::default(),
            tcp_connections: Gauge::default(),
            receive_errors: Count::default(),
            dropped_events: Count::default(),
            queue_delay: Histogram::new(DELAYS),
            delay: Histogram::new(DELAYS),
            shed: Gauge::default(),
            batch: Histogram::new([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0]),
            engine: Mutex::default(),
            cpu: OnceLock::new(),
        }
    }
}

impl WorkerFigures {
    /// Called by the worker itself when it starts.
    pub(crate) fn begin(&self) {
        if let Some(clock) = ThreadClock::of_this_thread() {
            let _ = self.cpu.set(clock);
        }
    }

    /// Once per turn of the event loop.
    pub(crate) fn publish(&self, counters: Counters) {
        *self.engine.lock().unwrap_or_else(PoisonError::into_inner) = counters;
    }

    pub(crate) fn engine(&self) -> Counters {
        *self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// User and system time of the worker's thread, while it runs.
    pub(crate) fn cpu(&self) -> Option<std::time::Duration> {
        self.cpu.get().and_then(|clock| clock.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn histogram_sorts_into_buckets() {
        let histogram = Histogram::new([1.0, 10.0]);
        for value in [0.5, 1.0, 3.0, 99.0] {
            histogram.observe(value);
        }
        let counts: Vec<u64> = histogram.buckets().iter().map(|(_, n)| *n).collect();
        assert_eq!(counts, [2, 1, 1]);
        assert_eq!(histogram.count(), 4);
        assert!((histogram.sum() - 103.5).abs() < 1e-9);
    }
}
