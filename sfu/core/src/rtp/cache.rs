//! The recent packets of one source, once, for all its receivers: what is
//! forwarded is read from here, and so is what receivers ask for again.
//!
//! Bounded by packets and by bytes. The bytes lie in one ring that starts small
//! and doubles while it holds less than the wanted time, so that a quiet source
//! costs little. Nothing is allocated per packet.

use std::time::{Duration, Instant};

/// How much a [`Cache`] may hold.
#[derive(Clone, Copy, Debug)]
pub struct CacheLimits {
    /// A power of two.
    pub packets: usize,
    pub first_bytes: usize,
    pub max_bytes: usize,
    /// The ring grows while a lap takes less than this.
    pub wanted: Duration,
}

impl CacheLimits {
    pub const VIDEO: Self = Self {
        packets: 512,
        first_bytes: 32 << 10,
        max_bytes: 1 << 20,
        wanted: Duration::from_millis(1_000),
    };
    pub const AUDIO: Self = Self {
        packets: 64,
        first_bytes: 4 << 10,
        max_bytes: 32 << 10,
        wanted: Duration::from_millis(1_000),
    };
}

/// What became of a packet offered to a [`Cache`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Insertion {
    Stored,
    Duplicate,
    /// Older than everything that the cache can hold.
    TooOld,
}

#[derive(Clone, Copy, Debug)]
struct Entry<T> {
    sequence: u64,
    /// Which lap of the byte ring wrote it.
    lap: u32,
    start: u32,
    len: u16,
    /// Milliseconds since the first packet; wraps after seven weeks.
    stored_ms: u32,
    meta: T,
}

/// Packets by extended sequence number, each with what the owner wants to
/// remember of it (`T`).
#[derive(Clone, Debug)]
pub struct Cache<T> {
    limits: CacheLimits,
    entries: Vec<Option<Entry<T>>>,
    bytes: Vec<u8>,
    lap: u32,
    /// Where in `bytes` the next packet goes.
    head: usize,
    lap_began: Option<Instant>,
    /// Origin of `stored_ms`.
    epoch: Option<Instant>,
    /// The newest packet ever stored; `None` before the first.
    newest: Option<u64>,
    /// Older ones may have been sent on, and what they held is forgotten: they
    /// are refused, or a number could go out twice with different contents.
    floor: u64,
}

impl<T: Copy> Cache<T> {
    /// Allocates nothing yet.
    #[must_use]
    pub const fn new(limits: CacheLimits) -> Self {
        Self {
            limits,
            entries: Vec::new(),
            bytes: Vec::new(),
            lap: 0,
            head: 0,
            lap_began: None,
            epoch: None,
            newest: None,
            floor: 0,
        }
    }

    /// Stores a packet unless it is here already. `behind`: what is to be found
    /// behind its payload.
    pub fn insert(
        &mut self,
        now: Instant,
        sequence: u64,
        meta: T,
        payload: &[u8],
        behind: &[u8],
    ) -> Insertion {
        let Ok(len) = u16::try_from(payload.len() + behind.len()) else {
            return Insertion::TooOld; // no datagram is that long
        };
        if sequence < self.floor {
            return Insertion::TooOld;
        }
        if self.entries.is_empty() {
            let packets = self.limits.packets.next_power_of_two();
            self.entries.resize(packets, None);
            self.bytes.resize(self.limits.first_bytes, 0);
        }
        let index = self.index(sequence);
        match &self.entries[index] {
            Some(old) if old.sequence == sequence => return Insertion::Duplicate,
            Some(old) if old.sequence > sequence => return Insertion::TooOld,
            Some(_) | None => {}
        }
        let Some(start) = self.room_for(now, usize::from(len)) else {
            return Insertion::TooOld;
        };
        let middle = start + payload.len();
        self.head = middle + behind.len();
        self.bytes[start..middle].copy_from_slice(payload);
        self.bytes[middle..self.head].copy_from_slice(behind);
        let stored_ms = self.milliseconds(now);
        self.entries[index] = Some(Entry {
            sequence,
            lap: self.lap,
            start: start as u32,
            len,
            stored_ms,
            meta,
        });
        self.newest = self.newest.max(Some(sequence));
        Insertion::Stored
    }

    /// Since its first packet.
    fn milliseconds(&mut self, now: Instant) -> u32 {
        let epoch = *self.epoch.get_or_insert(now);
        now.saturating_duration_since(epoch).as_millis() as u32
    }

    /// How long a packet has been here; of one that has gone, nothing.
    #[must_use]
    pub fn age(&self, now: Instant, sequence: u64) -> Option<Duration> {
        let entry = self
            .entries
            .get((sequence as usize) & self.entries.len().wrapping_sub(1))?;
        let entry = entry.as_ref().filter(|entry| entry.sequence == sequence)?;
        let elapsed = now.saturating_duration_since(self.epoch?).as_millis() as u32;
        let age = elapsed.wrapping_sub(entry.stored_ms);
        Some(Duration::from_millis(u64::from(age)))
    }

    /// A packet that is still here: its payload, and behind it what was stored with it.
    #[must_use]
    pub fn packet(&self, sequence: u64) -> Option<(&T, &[u8])> {
        if self.entries.is_empty() {
            return None;
        }
        let entry = self.entries[self.index(sequence)].as_ref()?;
        if entry.sequence != sequence {
            return None;
        }
        let start = entry.start as usize;
        let intact =
            entry.lap == self.lap || (entry.lap.wrapping_add(1) == self.lap && start >= self.head);
        if !intact {
            return None;
        }
        let payload = self.bytes.get(start..start + usize::from(entry.len))?;
        Some((&entry.meta, payload))
    }

    /// The newest packet ever stored since the last [`Self::clear`].
    #[must_use]
    pub fn newest(&self) -> Option<u64> {
        self.newest
    }

    /// Begins anew with packets that have nothing to do with those before; keeps the memory.
    pub fn clear(&mut self) {
        self.entries.fill(None);
        self.head = 0;
        self.lap_began = None;
        self.newest = None;
        self.floor = 0;
    }

    /// Forgets all packets and gives the memory back. The stream goes on: only
    /// newer packets than the newest so far are taken from now on.
    pub fn release(&mut self) {
        let newest = self.newest;
        *self = Self::new(self.limits);
        self.newest = newest;
        self.floor = newest.map_or(0, |newest| newest + 1);
    }

    /// Bytes allocated.
    #[must_use]
    pub fn footprint(&self) -> usize {
        self.bytes.capacity() + self.entries.capacity() * size_of::<Option<Entry<T>>>()
    }

    fn index(&self, sequence: u64) -> usize {
        (sequence as usize) & (self.entries.len() - 1)
    }

    /// Where a payload of `len` bytes goes; the ring wraps or grows for it.
    fn room_for(&mut self, now: Instant, len: usize) -> Option<usize> {
        let began = *self.lap_began.get_or_insert(now);
        if self.head + len <= self.bytes.len() {
            return Some(self.head);
        }
        // The ring's end. All of this lap lies before `head` in order, so to grow
        // means only to go on behind it.
        let short_lap = now.saturating_duration_since(began) < self.limits.wanted;
        if short_lap && self.bytes.len() < self.limits.max_bytes {
            let doubled = (self.bytes.len() * 2).min(self.limits.max_bytes);
            self.bytes.resize(doubled, 0);
            if self.head + len <= self.bytes.len() {
                return Some(self.head);
            }
        }
        if len > self.bytes.len() {
            return None;
        }
        self.lap = self.lap.wrapping_add(1);
        self.lap_began = Some(now);
        self.head = 0;
        Some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: CacheLimits = CacheLimits {
        packets: 8,
        first_bytes: 64,
        max_bytes: 256,
        wanted: Duration::from_millis(100),
    };

    fn start() -> Instant {
        #[allow(clippy::disallowed_methods)] // any instant serves as the origin of virtual time
        Instant::now()
    }

    #[test]
    fn nothing_old_comes_in_again_after_the_memory_was_given_back() {
        let now = start();
        let mut cache = Cache::new(LIMITS);
        assert_eq!(cache.insert(now, 10, (), b"said", &[]), Insertion::Stored);
        cache.release();
        cache.release(); // a second silence changes nothing
        for old in [9, 10] {
            assert_eq!(
                cache.insert(now, old, (), b"altered", &[]),
                Insertion::TooOld
            );
        }
        assert_eq!(cache.insert(now, 11, (), b"new", &[]), Insertion::Stored);
        cache.clear();
        assert_eq!(
            cache.insert(now, 3, (), b"another life", &[]),
            Insertion::Stored
        );
    }

    #[test]
    fn gives_back_what_was_stored_and_refuses_copies() {
        let now = start();
        let mut cache = Cache::new(LIMITS);
        assert_eq!(cache.insert(now, 100, 'a', b"one", &[]), Insertion::Stored);
        assert_eq!(cache.insert(now, 101, 'b', b"two", &[]), Insertion::Stored);
        assert_eq!(
            cache.insert(now, 100, 'c', b"xxx", &[]),
            Insertion::Duplicate
        );
        assert_eq!(cache.packet(100), Some((&'a', b"one".as_slice())));
        assert_eq!(cache.packet(101), Some((&'b', b"two".as_slice())));
        assert_eq!(cache.packet(102), None);
        let later = now + Duration::from_millis(70);
        cache.insert(later, 102, 'd', b"three", &[]);
        assert_eq!(cache.age(later, 100), Some(Duration::from_millis(70)));
        assert_eq!(cache.age(later, 102), Some(Duration::ZERO));
        assert_eq!(cache.age(later, 103), None);
        assert_eq!(Cache::<()>::new(LIMITS).age(later, 0), None);
    }

    #[test]
    fn the_ring_of_packets_forgets_the_oldest() {
        let now = start();
        let mut cache = Cache::new(LIMITS);
        for sequence in 0..12 {
            cache.insert(now, sequence, (), b"x", &[]);
        }
        assert_eq!(cache.packet(3), None);
        assert!(cache.packet(4).is_some());
        assert_eq!(cache.insert(now, 3, (), b"x", &[]), Insertion::TooOld);
    }

    #[test]
    fn overwritten_bytes_are_never_given() {
        let mut now = start();
        let mut cache = Cache::new(CacheLimits {
            packets: 64,
            ..LIMITS
        });
        for sequence in 0..500_u64 {
            now += Duration::from_millis(50); // slow: the ring must not grow
            let body = [sequence as u8; 20];
            assert_eq!(
                cache.insert(now, sequence, sequence, &body, &[]),
                Insertion::Stored
            );
            let mut held = 0;
            for old in sequence.saturating_sub(63)..=sequence {
                if let Some((meta, payload)) = cache.packet(old) {
                    assert_eq!(*meta, old);
                    assert_eq!(payload, [old as u8; 20]);
                    held += 1;
                }
            }
            assert!((1..=3).contains(&held), "64 bytes hold at most three");
        }
        assert!(cache.bytes.len() == 64);
    }

    #[test]
    fn grows_while_laps_are_short_up_to_its_limit() {
        let now = start();
        let mut cache = Cache::new(LIMITS);
        for sequence in 0..100_u64 {
            cache.insert(now, sequence, (), &[sequence as u8; 60], &[]);
        }
        assert_eq!(cache.bytes.len(), 256);
        let (_, payload) = cache.packet(97).unwrap();
        assert_eq!(payload, [97; 60]);
        assert_eq!(
            cache.insert(now, 100, (), &[0; 300], &[]),
            Insertion::TooOld,
            "larger than all of it"
        );
        cache.release();
        assert_eq!(cache.footprint(), 0);
    }
}
