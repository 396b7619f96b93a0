//! Who waits for the floor: by rank, and within a rank in order of asking. So
//! nobody is overtaken by his like, and a rank that is full of waiting people
//! never keeps a higher one out.

use crate::talk::floor::Talker;
use crate::talk::membership::Rank;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Waiting {
    who: Talker,
    rank: Rank,
    /// Numbered in order of asking.
    asked: u64,
}

/// Bounded by the group's rules.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    /// The next to speak first.
    waiting: Vec<Waiting>,
    asked: u64,
}

/// Where somebody was put.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Placed {
    pub at: usize,
    /// Who had to go for him.
    pub displaced: Option<Talker>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Refused {
    NoQueue,
    Full,
}

impl Queue {
    pub fn iter(&self) -> impl Iterator<Item = (Talker, Rank)> {
        self.waiting.iter().map(|one| (one.who, one.rank))
    }

    /// From 1.
    #[must_use]
    pub fn position(&self, who: Talker) -> Option<usize> {
        self.waiting
            .iter()
            .position(|one| one.who == who)
            .map(|at| at + 1)
    }

    /// Whoever waits already keeps his place.
    pub fn put(&mut self, who: Talker, rank: Rank, length: usize) -> Result<Placed, Refused> {
        if let Some(position) = self.position(who) {
            let (at, displaced) = (position - 1, None);
            return Ok(Placed { at, displaced });
        }
        if length == 0 {
            return Err(Refused::NoQueue);
        }
        let mut displaced = None;
        if self.waiting.len() >= length {
            displaced = self
                .waiting
                .pop_if(|last| last.rank < rank)
                .map(|last| last.who);
            if displaced.is_none() {
                return Err(Refused::Full);
            }
        }
        self.asked += 1;
        let asked = self.asked;
        let at = self.insert(Waiting { who, rank, asked });
        Ok(Placed { at, displaced })
    }

    fn insert(&mut self, one: Waiting) -> usize {
        let before = |other: &Waiting| (other.rank, one.asked) > (one.rank, other.asked);
        let at = self.waiting.partition_point(before);
        self.waiting.insert(at, one);
        at
    }

    /// True when he waits, and counts another rank now.
    pub fn set_rank(&mut self, who: Talker, rank: Rank) -> bool {
        let Some(at) = self.waiting.iter().position(|one| one.who == who) else {
            return false;
        };
        let one = self.waiting.remove(at);
        self.insert(Waiting { rank, ..one });
        one.rank != rank
    }

    /// The index that he had.
    pub fn remove(&mut self, who: Talker) -> Option<usize> {
        let at = self.waiting.iter().position(|one| one.who == who)?;
        self.waiting.remove(at);
        Some(at)
    }

    pub fn pop(&mut self) -> Option<(Talker, Rank)> {
        if self.waiting.is_empty() {
            return None;
        }
        let first = self.waiting.remove(0);
        Some((first.who, first.rank))
    }

    /// Those for whom there is no place any more.
    pub fn shorten(&mut self, length: usize) -> Vec<Talker> {
        let from = length.min(self.waiting.len());
        self.waiting.drain(from..).map(|one| one.who).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rank_goes_first_then_the_order_of_asking() {
        let mut queue = Queue::default();
        let ranks = [
            Rank::Member,
            Rank::Volunteer,
            Rank::Member,
            Rank::Sos,
            Rank::Township,
            Rank::Member,
        ];
        for (number, rank) in (0..).zip(ranks) {
            queue.put(Talker(number), rank, 6).unwrap();
        }
        let order = |queue: &Queue| queue.iter().map(|(who, _)| who.0).collect::<Vec<_>>();
        assert_eq!(order(&queue), [3, 4, 0, 2, 5, 1]);
        // Asks again: keeps his place.
        assert_eq!(queue.put(Talker(2), Rank::Member, 6).map(|p| p.at), Ok(3));
        assert!(queue.set_rank(Talker(5), Rank::Sos));
        assert_eq!(order(&queue), [3, 5, 4, 0, 2, 1]);
        assert_eq!(queue.shorten(4), [Talker(2), Talker(1)]);
    }

    #[test]
    fn full_queue_gives_way_to_a_higher_rank_only() {
        let mut queue = Queue::default();
        queue.put(Talker(1), Rank::Member, 2).unwrap();
        queue.put(Talker(2), Rank::Volunteer, 2).unwrap();
        assert_eq!(queue.put(Talker(3), Rank::Volunteer, 2), Err(Refused::Full));
        let placed = queue.put(Talker(4), Rank::Member, 2).unwrap();
        assert_eq!((placed.at, placed.displaced), (1, Some(Talker(2))));
        assert_eq!(queue.put(Talker(5), Rank::Member, 2), Err(Refused::Full));
        assert_eq!(queue.put(Talker(5), Rank::Sos, 0), Err(Refused::NoQueue));
    }
}
