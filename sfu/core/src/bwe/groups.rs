//! Packets that left together, in bursts of 5 ms
//! (draft-ietf-rmcat-gcc-02 §5.2, "pre-filtering").

const BURST_US: i64 = 5_000;
/// A burst that a queue has squeezed together grows no longer than this.
const MAX_BURST_US: i64 = 100_000;
/// A jump of the receiver's clock against the sender's.
const CLOCK_JUMP_US: i64 = 3_000_000;
/// So many groups that arrived before the one ahead of them: start anew.
const MAX_REORDERED: u8 = 3;

/// How much later than the group before this group left and arrived.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct GroupDelta {
    pub sent_us: i64,
    pub arrived_us: i64,
    /// When the later group was complete.
    pub complete_us: i64,
}

#[derive(Clone, Copy, Debug)]
struct Group {
    first_sent_us: i64,
    last_sent_us: i64,
    first_arrived_us: i64,
    complete_us: i64,
}

/// See the module's text.
#[derive(Debug, Default)]
pub struct ArrivalGroups {
    current: Option<Group>,
    previous: Option<Group>,
    reordered: u8,
}

impl ArrivalGroups {
    /// Takes an arrived packet; gives the difference of the last two complete
    /// groups when a new one begins.
    pub fn add(&mut self, sent_us: i64, arrived_us: i64) -> Option<GroupDelta> {
        let new = Group {
            first_sent_us: sent_us,
            last_sent_us: sent_us,
            first_arrived_us: arrived_us,
            complete_us: arrived_us,
        };
        let Some(current) = &mut self.current else {
            self.current = Some(new);
            return None;
        };
        if sent_us < current.first_sent_us {
            // Reordered: it belongs to a group that is done.
            return None;
        }
        if !current.ends_before(sent_us, arrived_us) {
            current.last_sent_us = current.last_sent_us.max(sent_us);
            current.complete_us = current.complete_us.max(arrived_us);
            return None;
        }
        let done = *current;
        let previous = self.previous.replace(done);
        self.current = Some(new);
        self.delta(done, previous?)
    }

    fn delta(&mut self, done: Group, previous: Group) -> Option<GroupDelta> {
        let delta = GroupDelta {
            sent_us: done.last_sent_us - previous.last_sent_us,
            arrived_us: done.complete_us - previous.complete_us,
            complete_us: done.complete_us,
        };
        if delta.arrived_us - delta.sent_us >= CLOCK_JUMP_US {
            *self = Self::default();
            return None;
        }
        if delta.arrived_us < 0 {
            self.reordered += 1;
            if self.reordered >= MAX_REORDERED {
                *self = Self::default();
            }
            return None;
        }
        self.reordered = 0;
        Some(delta)
    }
}

impl Group {
    fn ends_before(&self, sent_us: i64, arrived_us: i64) -> bool {
        let sent = sent_us - self.last_sent_us;
        let arrived = arrived_us - self.complete_us;
        let squeezed = arrived < sent
            && arrived <= BURST_US
            && arrived_us - self.first_arrived_us < MAX_BURST_US;
        sent != 0 && !squeezed && sent_us - self.first_sent_us > BURST_US
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000;

    #[test]
    fn bursts_are_one_group() {
        let mut groups = ArrivalGroups::default();
        let mut deltas = Vec::new();
        for frame in 0..4 {
            for packet in 0..5 {
                let sent = frame * 33 * MS;
                // One millisecond per packet on the line, 10 ms way.
                let arrived = sent + (10 + packet) * MS;
                deltas.extend(groups.add(sent, arrived));
            }
        }
        let complete_us = |frame: i64| (frame * 33 + 14) * MS;
        let expected = [1, 2].map(|frame| GroupDelta {
            sent_us: 33 * MS,
            arrived_us: 33 * MS,
            complete_us: complete_us(frame),
        });
        assert_eq!(deltas, expected);
    }

    #[test]
    fn a_queue_shows_as_later_arrival() {
        let mut groups = ArrivalGroups::default();
        let deltas: Vec<_> = (0..5)
            .filter_map(|at| groups.add(at * 20 * MS, at * 25 * MS))
            .collect();
        assert_eq!(deltas.len(), 3);
        assert!(deltas.iter().all(|d| d.arrived_us - d.sent_us == 5 * MS));
    }

    #[test]
    fn a_jump_of_the_clock_starts_anew() {
        let mut groups = ArrivalGroups::default();
        for at in 0..3 {
            groups.add(at * 20 * MS, at * 20 * MS);
        }
        assert_eq!(
            groups.add(60 * MS, 10_000 * MS).map(|d| d.arrived_us),
            Some(20 * MS)
        );
        assert_eq!(groups.add(80 * MS, 10_020 * MS), None);
        assert_eq!(groups.add(100 * MS, 10_040 * MS), None);
    }
}
