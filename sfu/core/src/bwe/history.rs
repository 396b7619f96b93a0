//! What was sent under which transport-wide sequence number, until feedback
//! tells what became of it.

use std::collections::VecDeque;

use crate::rtcp::TransportFeedback;

/// Packets remembered at most: 32 kB, and four seconds of 10 Mbit/s.
const CAPACITY: usize = 4_096;
/// Feedback that comes later is of no use.
const MAX_AGE_US: u32 = 6_000_000;
/// A packet that was told lost is remembered for so long, as it may arrive late.
const LATE_US: u32 = 1_000_000;
/// The reference time of feedback wraps at 2^24 units of 64 ms.
const ARRIVAL_CYCLE_US: i64 = (1 << 24) * 64_000;

/// Names a probe among the recent ones; never zero.
pub type ClusterId = u8;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    InFlight,
    ToldLost,
    Arrived,
}

/// Eight bytes: there are many.
#[derive(Clone, Copy, Debug)]
struct Sent {
    /// Wraps after 71 minutes.
    at_us: u32,
    bytes: u16,
    /// Zero: none.
    cluster: ClusterId,
    state: State,
}

/// What feedback told of one packet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PacketResult {
    /// In the sender's time.
    pub sent_us: i64,
    /// In the receiver's time, unwrapped; `None`: not arrived.
    pub arrived_us: Option<i64>,
    pub bytes: u16,
    pub cluster: Option<ClusterId>,
    /// It had been told lost before.
    pub was_lost: bool,
}

/// See the module's text. Without memory until the first packet.
#[derive(Debug, Default)]
pub struct SendHistory {
    packets: VecDeque<Sent>,
    /// Unwrapped number of `packets[0]`.
    oldest: u64,
    last_arrival_us: Option<i64>,
    in_flight_bytes: u64,
}

impl SendHistory {
    #[must_use]
    pub fn next_sequence(&self) -> u16 {
        (self.oldest + self.packets.len() as u64) as u16
    }

    /// Remembers a packet and gives its number.
    pub fn sent(&mut self, now_us: i64, bytes: usize, cluster: Option<ClusterId>) -> u16 {
        if self.packets.len() >= CAPACITY {
            self.pop();
        }
        let bytes = u16::try_from(bytes).unwrap_or(u16::MAX);
        let number = self.oldest + self.packets.len() as u64;
        self.in_flight_bytes += u64::from(bytes);
        self.packets.push_back(Sent {
            at_us: now_us as u32,
            bytes,
            cluster: cluster.unwrap_or(0),
            state: State::InFlight,
        });
        number as u16
    }

    /// Bytes of which nothing was told yet, within what is remembered.
    #[cfg(test)]
    pub fn in_flight_bytes(&self) -> u64 {
        self.in_flight_bytes
    }

    /// Appends to `results`, in the order of sending, what is new in the feedback.
    /// Numbers that were never sent, or were forgotten, are passed over.
    pub fn feedback(
        &mut self,
        now_us: i64,
        feedback: &TransportFeedback<'_>,
        results: &mut Vec<PacketResult>,
    ) {
        for (sequence, arrival) in feedback.statuses() {
            let arrived_us = arrival.map(|us| self.unwrap_arrival(us));
            let Some(index) = self.index(sequence) else {
                continue;
            };
            let packet = &mut self.packets[index];
            let was_lost = match (packet.state, arrived_us) {
                (State::InFlight, _) => {
                    self.in_flight_bytes -= u64::from(packet.bytes);
                    false
                }
                (State::ToldLost, Some(_)) => true,
                (State::ToldLost, None) | (State::Arrived, _) => continue,
            };
            packet.state = match arrived_us {
                Some(_) => State::Arrived,
                None => State::ToldLost,
            };
            let age = (now_us as u32).wrapping_sub(packet.at_us);
            results.push(PacketResult {
                sent_us: now_us - i64::from(age),
                arrived_us,
                bytes: packet.bytes,
                cluster: (packet.cluster != 0).then_some(packet.cluster),
                was_lost,
            });
        }
        self.forget(now_us);
    }

    /// Drops from the front what is settled or too old.
    pub fn forget(&mut self, now_us: i64) {
        while let Some(front) = self.packets.front() {
            let age = (now_us as u32).wrapping_sub(front.at_us);
            let done = match front.state {
                State::Arrived => true,
                State::ToldLost => age > LATE_US,
                State::InFlight => age > MAX_AGE_US,
            };
            if !done {
                return;
            }
            self.pop();
        }
    }

    /// Gives the memory back, if nothing is remembered.
    pub fn release(&mut self) {
        if self.packets.is_empty() {
            self.packets = VecDeque::new();
        }
    }

    fn pop(&mut self) {
        if let Some(gone) = self.packets.pop_front() {
            self.oldest += 1;
            if gone.state == State::InFlight {
                self.in_flight_bytes -= u64::from(gone.bytes);
            }
        }
    }

    fn index(&self, sequence: u16) -> Option<usize> {
        let newest = (self.oldest + self.packets.len() as u64).checked_sub(1)?;
        let back = (newest as u16).wrapping_sub(sequence);
        let number = newest.checked_sub(u64::from(back))?;
        let index = usize::try_from(number.checked_sub(self.oldest)?).ok()?;
        (index < self.packets.len()).then_some(index)
    }

    fn unwrap_arrival(&mut self, us: i64) -> i64 {
        let last = *self.last_arrival_us.get_or_insert(us);
        let half = ARRIVAL_CYCLE_US / 2;
        let step = (us - last + half).rem_euclid(ARRIVAL_CYCLE_US) - half;
        let unwrapped = last + step;
        self.last_arrival_us = Some(unwrapped);
        unwrapped
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::rtcp::{Compound, Message, TransportFeedbackRecorder};

    fn told(history: &mut SendHistory, now_us: i64, packet: &[u8]) -> Vec<PacketResult> {
        let mut results = Vec::new();
        for message in Compound::parse(packet).unwrap() {
            if let Message::TransportFeedback(feedback) = message {
                history.feedback(now_us, &feedback, &mut results);
            }
        }
        results
    }

    #[test]
    fn arrivals_and_losses_are_told_once() {
        let start = crate::bwe::epoch();
        let mut history = SendHistory::default();
        let mut receiver = TransportFeedbackRecorder::new();
        for at in 0..10_i64 {
            let sequence = history.sent(at * 1_000, 1_000, (at == 9).then_some(7));
            if at != 4 {
                receiver.record(start + Duration::from_millis(at as u64 + 50), sequence);
            }
        }
        assert_eq!(history.in_flight_bytes(), 10_000);
        let mut packet = Vec::new();
        assert!(receiver.build(&mut packet, 1, 2));
        let results = told(&mut history, 100_000, &packet);
        assert_eq!(results.len(), 10);
        assert_eq!(results[4].arrived_us, None);
        assert_eq!(results[3].sent_us, 3_000);
        assert_eq!(results[9].cluster, Some(7));
        let spread = results[9].arrived_us.unwrap() - results[0].arrived_us.unwrap();
        assert_eq!(spread, 9_000);
        assert_eq!(history.in_flight_bytes(), 0);
        assert!(told(&mut history, 110_000, &packet).is_empty());

        // The lost one arrives late after all.
        receiver.record(start + Duration::from_millis(120), 4);
        packet.clear();
        assert!(receiver.build(&mut packet, 1, 2));
        let results = told(&mut history, 130_000, &packet);
        assert_eq!(results.len(), 1);
        assert!(results[0].was_lost);
    }

    #[test]
    fn memory_is_bounded_without_feedback() {
        let mut history = SendHistory::default();
        for at in 0..100_000 {
            history.sent(at, 1_200, None);
        }
        assert_eq!(history.packets.len(), CAPACITY);
        assert!(history.packets.capacity() * size_of::<Sent>() <= 64 << 10);
        assert_eq!(history.in_flight_bytes(), CAPACITY as u64 * 1_200);
        history.forget(100_000 + i64::from(MAX_AGE_US) + 1);
        assert_eq!(history.in_flight_bytes(), 0);
        history.release();
        assert_eq!(history.packets.capacity(), 0);
    }

    #[test]
    fn the_receivers_clock_may_wrap() {
        let mut history = SendHistory::default();
        assert_eq!(
            history.unwrap_arrival(ARRIVAL_CYCLE_US / 2 - 10),
            ARRIVAL_CYCLE_US / 2 - 10
        );
        assert_eq!(
            history.unwrap_arrival(-ARRIVAL_CYCLE_US / 2 + 5),
            ARRIVAL_CYCLE_US / 2 + 5
        );
    }
}
