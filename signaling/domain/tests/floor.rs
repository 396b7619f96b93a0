//! 600 members in 48 groups, in virtual time: whatever they do, one speaks at
//! a time, nobody is passed over by his like, and only rank takes the floor away.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::collections::BTreeMap;

use liandong_domain::Timestamp;
use liandong_domain::talk::floor::{Floor, Input, Output, Talker};
use liandong_domain::talk::group::{FloorRules, TalkEnd};
use liandong_domain::talk::membership::Rank;

const GROUPS: usize = 48;
const MEMBERS: usize = 600;
const ORDERS: usize = 10_000;

/// SplitMix64: enough to draw by, and the same everywhere.
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }
}

/// One group with what an observer outside knows of it.
struct Watched {
    floor: Floor,
    /// By the gates.
    open: Option<Talker>,
    ranks: BTreeMap<Talker, Rank>,
    /// In order of asking, as the observer saw it.
    waiting: Vec<Talker>,
    granted: usize,
    preempted: usize,
}

impl Watched {
    /// Carries one input out and checks what follows.
    fn step(&mut self, now: Timestamp, input: Input) {
        let before = self.floor.holder().copied();
        let queue: Vec<(Talker, Rank)> = self.floor.queue().collect();
        self.floor.handle_input(now, input);
        while let Some(output) = self.floor.poll_output() {
            self.see(output, &queue);
        }
        let after = self.floor.holder().copied();
        assert_eq!(self.open, after.map(|hold| hold.who), "gate and holder");
        let waits = self.floor.queue().next().is_some();
        assert!(after.is_some() || !waits, "somebody waits for a free floor");
        if let (Some(before), Some(after)) = (before, after)
            && before.who != after.who
            && matches!(input, Input::Request { who } if who == after.who)
        {
            assert!(after.rank > before.rank, "{before:?} gave way to {after:?}");
            assert!(!before.rank.is_emergency());
        }
    }

    fn see(&mut self, output: Output, queue: &[(Talker, Rank)]) {
        match output {
            Output::Gate { who, open: true } => {
                assert_eq!(self.open, None, "two holders");
                self.open = Some(who);
                self.granted += 1;
                let rank = self.ranks[&who];
                // Whoever asked before with the same rank, or counts more, speaks first.
                let at = queue.iter().position(|(waiting, _)| *waiting == who);
                for (other, other_rank) in queue.iter().take(at.unwrap_or(0)) {
                    let gone = !self.waiting.contains(other);
                    assert!(*other_rank < rank || gone, "{other:?} was passed over");
                }
                self.waiting.retain(|one| *one != who);
            }
            Output::Gate { who, open: false } => {
                assert_eq!(self.open, Some(who), "closed what was closed");
                self.open = None;
            }
            Output::QueueInfo { who, .. } => {
                if !self.waiting.contains(&who) {
                    self.waiting.push(who);
                }
            }
            Output::Deny { who, .. } | Output::Silent { who } => {
                self.waiting.retain(|one| *one != who);
            }
            Output::Spoke { end, .. } => {
                self.preempted += usize::from(end == TalkEnd::Preempted);
            }
            Output::Granted { .. }
            | Output::Taken { .. }
            | Output::Idle
            | Output::Revoke { .. }
            | Output::Welcome { .. } => {}
        }
    }

    /// First come, first served within each rank.
    fn check_order(&self) {
        let queue: Vec<(Talker, Rank)> = self.floor.queue().collect();
        assert!(queue.windows(2).all(|pair| pair[0].1 >= pair[1].1));
        for rank in Rank::ALL {
            let same: Vec<Talker> = queue
                .iter()
                .filter(|(_, one)| *one == rank)
                .map(|(who, _)| *who)
                .collect();
            let asked: Vec<Talker> = self
                .waiting
                .iter()
                .filter(|who| same.contains(who))
                .copied()
                .collect();
            assert_eq!(same, asked, "order of asking among {rank:?}");
        }
    }
}

fn watched(draws: &mut Draws, members: &[Talker]) -> Watched {
    let mut floor = Floor::new(FloorRules {
        queue_length: 16,
        ..FloorRules::default()
    });
    let mut ranks = BTreeMap::new();
    for who in members {
        // Mostly members, some of each other rank; ranks stay, so that order can be checked.
        let rank = match draws.below(20) {
            0 => Rank::Sos,
            1 => Rank::ImminentPeril,
            2 => Rank::CountyCommander,
            3 => Rank::CountyDispatcher,
            4 | 5 => Rank::Township,
            6 | 7 => Rank::PatrolLeader,
            8 | 9 => Rank::Volunteer,
            _ => Rank::Member,
        };
        ranks.insert(*who, rank);
        let (now, who, rank) = (Timestamp(0), *who, Some(rank));
        floor.handle_input(now, Input::Join { who, rank });
        while floor.poll_output().is_some() {}
    }
    Watched {
        floor,
        open: None,
        ranks,
        waiting: Vec::new(),
        granted: 0,
        preempted: 0,
    }
}

fn simulate(seed: u64) -> (usize, usize) {
    let mut draws = Draws(seed);
    let all: Vec<Talker> = (0..MEMBERS as u64).map(Talker).collect();
    let mut groups: Vec<Watched> = (0..GROUPS)
        .map(|group| {
            let members: Vec<Talker> = all.iter().skip(group).step_by(GROUPS).copied().collect();
            watched(&mut draws, &members)
        })
        .collect();
    let mut now = Timestamp(0);
    for _ in 0..ORDERS {
        now = Timestamp(now.0 + draws.next() % 200);
        for group in &mut groups {
            while let Some(due) = group.floor.poll_timeout().filter(|due| *due <= now) {
                group.step(due, Input::Timeout);
            }
        }
        let at = draws.below(GROUPS);
        let group = &mut groups[at];
        let members: Vec<Talker> = group.ranks.keys().copied().collect();
        let who = members[draws.below(members.len())];
        let input = match draws.below(16) {
            0..=8 => Input::Request { who },
            9..=11 => Input::Release {
                who: group.open.unwrap_or(who),
            },
            12 | 13 => Input::Media {
                who: group.open.unwrap_or(who),
            },
            14 => Input::Release { who },
            _ => Input::Lost { who },
        };
        group.step(now, input);
        group.check_order();
    }
    // Nobody presses any more: every floor comes to rest, and everybody who waited had his turn.
    for group in &mut groups {
        let waited = group.waiting.len();
        let before = group.granted;
        while let Some(due) = group.floor.poll_timeout() {
            group.step(due, Input::Timeout);
        }
        assert_eq!(group.granted - before, waited, "somebody starved");
        assert_eq!(group.waiting, []);
    }
    let sum = |figure: fn(&Watched) -> usize| groups.iter().map(figure).sum();
    (sum(|one| one.granted), sum(|one| one.preempted))
}

#[test]
fn one_speaks_at_a_time_and_only_rank_takes_the_floor() {
    let first = std::env::var("SIMULATION_SEED")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(20_261_124);
    for seed in first..first + 8 {
        println!("SIMULATION_SEED={seed}");
        let (granted, preempted) = simulate(seed);
        println!("{granted} granted, {preempted} pre-empted");
        assert!(granted > 1_000 && preempted > 50);
    }
}
