//! The floor of one group: who may speak now. A floor control server in the
//! substance of 3GPP TS 24.380 §6.3.4 (general) and §6.3.5 (towards each member).
//!
//! Idle → Taken → PendingRevoke → Idle. Two things differ from the text, both in
//! favour of who waits: the media gate is closed by us and not by the revoked client, so a
//! pre-emption needs no grace (there T3 runs), and a queue is kept by rank first.
//!
//! * this file: what goes in and comes out, and the machine
//! * [`queue`] – who waits, in what order

pub mod queue;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::group::{FloorRules, TalkEnd};
use super::membership::Rank;
use crate::limits::MAX_LISTENERS;
use crate::time::Timestamp;
use queue::{Queue, Refused};

/// One device that listens to the group; an account may have several.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Talker(pub u64);

/// Something happened that the floor has to know.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Input {
    /// Listens from now on, also in the middle of a talk (late entry), or is back after
    /// `Lost`. `None`: may only listen.
    Join { who: Talker, rank: Option<Rank> },
    /// Listens no longer; `why` is journaled if it spoke, and told to it unless it went by itself.
    Leave { who: Talker, why: TalkEnd },
    /// Its line or its media is gone; it may come back.
    Lost { who: Talker },
    /// The key is pressed.
    Request { who: Talker },
    /// The key is let go.
    Release { who: Talker },
    /// The media server hears it.
    Media { who: Talker },
    /// Counts so much from now on: an alarm was raised or cancelled, the plan changed.
    SetRank { who: Talker, rank: Option<Rank> },
    /// For whoever speaks next.
    SetRules { rules: FloorRules },
    /// The group is dissolved.
    Close,
    /// [`Floor::poll_timeout`] may have come.
    Timeout,
}

/// Why somebody may not speak, after the causes of TS 24.380 §8.2.6.2.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum DenyCause {
    /// #1: another one speaks, and nobody may wait here.
    Taken,
    /// #3: nobody else listens.
    OnlyOne,
    /// #5: may only listen.
    ReceiveOnly,
    /// #7
    QueueFull,
    /// #255: does not listen to the group itself.
    NotListening,
}

/// To be done by the shell, in this order: gates move before anybody is told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Output {
    /// The media server passes on, or drops, what it sends.
    Gate {
        who: Talker,
        open: bool,
    },
    /// It may speak until then.
    Granted {
        who: Talker,
        until: Timestamp,
    },
    /// To all: it speaks.
    Taken {
        who: Talker,
        rank: Rank,
    },
    /// To all: nobody speaks.
    Idle,
    Deny {
        who: Talker,
        cause: DenyCause,
    },
    /// Waits at this place, from 1.
    QueueInfo {
        who: Talker,
        position: usize,
    },
    /// Has to stop by then; now, where the gate is closed already.
    Revoke {
        who: Talker,
        cause: TalkEnd,
        by: Timestamp,
    },
    /// Neither speaks nor waits any more, by its own doing.
    Silent {
        who: Talker,
    },
    /// How it is now, for one who has come to listen.
    Welcome {
        who: Talker,
    },
    /// Somebody has spoken, for the audit.
    Spoke {
        who: Talker,
        rank: Rank,
        from: Timestamp,
        until: Timestamp,
        end: TalkEnd,
    },
}

/// Whoever speaks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Hold {
    pub who: Talker,
    pub rank: Rank,
    pub since: Timestamp,
    /// T2 while the floor is taken, T3 while it is being revoked.
    pub until: Timestamp,
    /// T1: unless media comes before.
    media_until: Timestamp,
}

/// The G states of TS 24.380 §6.3.4.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    Idle,
    Taken(Hold),
    /// The talk limit has come; the grace runs.
    PendingRevoke(Hold),
}

/// How one member stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MemberState {
    Silent,
    /// At this place, from 1.
    Queued(usize),
    Holding,
}

/// Drain [`Floor::poll_output`] to `None` after every call.
#[derive(Clone, Debug)]
pub struct Floor {
    rules: FloorRules,
    listeners: BTreeMap<Talker, Option<Rank>>,
    /// Of these, who hears nothing now.
    lost: BTreeSet<Talker>,
    state: State,
    queue: Queue,
    outputs: VecDeque<Output>,
}

impl Floor {
    #[must_use]
    pub fn new(rules: FloorRules) -> Self {
        Self {
            rules,
            listeners: BTreeMap::new(),
            lost: BTreeSet::new(),
            state: State::Idle,
            queue: Queue::default(),
            outputs: VecDeque::new(),
        }
    }

    pub fn handle_input(&mut self, now: Timestamp, input: Input) {
        match input {
            Input::Join { who, rank } => self.join(who, rank),
            Input::Leave { who, why } => {
                self.gone(now, who, why);
                self.listeners.remove(&who);
                self.lost.remove(&who);
            }
            Input::Lost { who } => {
                self.gone(now, who, TalkEnd::Lost);
                if self.listens(who) {
                    self.lost.insert(who);
                }
            }
            Input::Request { who } => self.request(now, who),
            Input::Release { who } => self.release(now, who),
            Input::Media { who } => self.media(now, who),
            Input::SetRank { who, rank } => self.set_rank(now, who, rank),
            Input::SetRules { rules } => self.set_rules(rules),
            Input::Close => self.close(now),
            Input::Timeout => self.timeout(now),
        }
    }

    #[must_use]
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When `Timeout` is to come next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.holder().map(|hold| hold.until.min(hold.media_until))
    }

    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    #[must_use]
    pub fn holder(&self) -> Option<&Hold> {
        match &self.state {
            State::Idle => None,
            State::Taken(hold) | State::PendingRevoke(hold) => Some(hold),
        }
    }

    /// Who waits, first to speak first.
    pub fn queue(&self) -> impl Iterator<Item = (Talker, Rank)> {
        self.queue.iter()
    }

    pub fn listeners(&self) -> impl Iterator<Item = Talker> {
        self.listeners.keys().copied()
    }

    #[must_use]
    pub fn listens(&self, who: Talker) -> bool {
        self.listeners.contains_key(&who)
    }

    #[must_use]
    pub fn is_full(&self) -> bool {
        self.listeners.len() >= MAX_LISTENERS
    }

    #[must_use]
    pub fn member_state(&self, who: Talker) -> MemberState {
        if self.holds(who) {
            return MemberState::Holding;
        }
        match self.queue.position(who) {
            Some(position) => MemberState::Queued(position),
            None => MemberState::Silent,
        }
    }

    fn holds(&self, who: Talker) -> bool {
        self.holder().is_some_and(|hold| hold.who == who)
    }

    fn put(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    fn join(&mut self, who: Talker, rank: Option<Rank>) {
        self.lost.remove(&who);
        // The shell has asked before; one that did not gets no place.
        if self.is_full() || self.listens(who) {
            return;
        }
        self.listeners.insert(who, rank);
        self.put(Output::Welcome { who });
    }

    fn request(&mut self, now: Timestamp, who: Talker) {
        let rank = match self.listeners.get(&who) {
            None => return self.deny(who, DenyCause::NotListening),
            Some(None) => return self.deny(who, DenyCause::ReceiveOnly),
            Some(Some(rank)) => *rank,
        };
        self.lost.remove(&who);
        let hearing = self.listeners.len() - self.lost.len();
        match self.state {
            State::Idle if hearing < 2 && !rank.is_emergency() => {
                self.deny(who, DenyCause::OnlyOne);
            }
            State::Idle => self.grant(now, who, rank),
            // The answer was lost, or the key bounced.
            State::Taken(hold) if hold.who == who => {
                let until = hold.until;
                self.put(Output::Granted { who, until });
            }
            State::PendingRevoke(hold) if hold.who == who => self.put(Output::Revoke {
                who,
                cause: TalkEnd::TooLong,
                by: hold.until,
            }),
            State::Taken(hold) | State::PendingRevoke(hold) if rank.preempts(hold.rank) => {
                self.queue.remove(who);
                self.stop(now, hold, TalkEnd::Preempted);
                self.grant(now, who, rank);
                self.tell_positions(0);
            }
            State::Taken(_) | State::PendingRevoke(_) => self.wait(who, rank),
        }
    }

    fn wait(&mut self, who: Talker, rank: Rank) {
        match self.queue.put(who, rank, self.rules.queue_length.into()) {
            Ok(placed) => {
                if let Some(displaced) = placed.displaced {
                    self.deny(displaced, DenyCause::QueueFull);
                }
                self.tell_positions(placed.at);
            }
            Err(Refused::NoQueue) => self.deny(who, DenyCause::Taken),
            Err(Refused::Full) => self.deny(who, DenyCause::QueueFull),
        }
    }

    fn release(&mut self, now: Timestamp, who: Talker) {
        match self.state {
            State::Taken(hold) | State::PendingRevoke(hold) if hold.who == who => {
                self.end(now, hold, TalkEnd::Released);
            }
            State::Idle | State::Taken(_) | State::PendingRevoke(_) => self.unqueue(who),
        }
    }

    fn media(&mut self, now: Timestamp, who: Talker) {
        let media_until = now.after(self.rules.media_end());
        match &mut self.state {
            State::Taken(hold) | State::PendingRevoke(hold) if hold.who == who => {
                hold.media_until = media_until;
            }
            // The tail of a talk that is over.
            State::Idle | State::Taken(_) | State::PendingRevoke(_) => {}
        }
    }

    /// It cannot be heard any more.
    fn gone(&mut self, now: Timestamp, who: Talker, why: TalkEnd) {
        match self.state {
            State::Taken(hold) | State::PendingRevoke(hold) if hold.who == who => {
                self.end(now, hold, why);
            }
            State::Idle | State::Taken(_) | State::PendingRevoke(_) => self.unqueue(who),
        }
    }

    fn set_rank(&mut self, now: Timestamp, who: Talker, rank: Option<Rank>) {
        let Some(known) = self.listeners.get_mut(&who) else {
            return;
        };
        if *known == rank {
            return;
        }
        *known = rank;
        match (&mut self.state, rank) {
            (State::Taken(hold) | State::PendingRevoke(hold), Some(rank)) if hold.who == who => {
                hold.rank = rank;
                self.put(Output::Taken { who, rank });
            }
            (State::Taken(hold) | State::PendingRevoke(hold), None) if hold.who == who => {
                let hold = *hold;
                self.end(now, hold, TalkEnd::NotAllowed);
            }
            (State::Idle | State::Taken(_) | State::PendingRevoke(_), Some(rank)) => {
                if self.queue.set_rank(who, rank) {
                    self.tell_positions(0);
                }
            }
            (State::Idle | State::Taken(_) | State::PendingRevoke(_), None) => {
                if let Some(at) = self.queue.remove(who) {
                    self.deny(who, DenyCause::ReceiveOnly);
                    self.tell_positions(at);
                }
            }
        }
        self.give_way(now);
    }

    /// Whoever waits may count more than the holder now.
    fn give_way(&mut self, now: Timestamp) {
        let first = self.queue.iter().next();
        if let (Some((_, first)), Some(hold)) = (first, self.holder().copied())
            && first.preempts(hold.rank)
        {
            self.end(now, hold, TalkEnd::Preempted);
        }
    }

    fn set_rules(&mut self, rules: FloorRules) {
        self.rules = rules;
        for who in self.queue.shorten(rules.queue_length.into()) {
            self.deny(who, DenyCause::QueueFull);
        }
    }

    fn close(&mut self, now: Timestamp) {
        for who in self.queue.shorten(0) {
            self.put(Output::Silent { who });
        }
        if let Some(hold) = self.holder().copied() {
            self.end(now, hold, TalkEnd::NotAllowed);
        }
        self.listeners.clear();
        self.lost.clear();
    }

    fn timeout(&mut self, now: Timestamp) {
        match self.state {
            State::Taken(hold) | State::PendingRevoke(hold) if now >= hold.media_until => {
                self.end(now, hold, TalkEnd::NoMedia);
            }
            State::Taken(hold) if now >= hold.until => self.limit(now, hold),
            State::PendingRevoke(hold) if now >= hold.until => {
                self.end(now, hold, TalkEnd::TooLong);
            }
            // Timers may fire early; the deadline decides.
            State::Idle | State::Taken(_) | State::PendingRevoke(_) => {}
        }
    }

    fn limit(&mut self, now: Timestamp, hold: Hold) {
        if self.rules.grace().is_zero() {
            return self.end(now, hold, TalkEnd::TooLong);
        }
        let until = now.after(self.rules.grace());
        self.state = State::PendingRevoke(Hold { until, ..hold });
        self.put(Output::Revoke {
            who: hold.who,
            cause: TalkEnd::TooLong,
            by: until,
        });
    }

    fn grant(&mut self, now: Timestamp, who: Talker, rank: Rank) {
        let until = now.after(self.rules.talk_limit());
        self.state = State::Taken(Hold {
            who,
            rank,
            since: now,
            until,
            media_until: now.after(self.rules.media_end()),
        });
        self.put(Output::Gate { who, open: true });
        self.put(Output::Granted { who, until });
        self.put(Output::Taken { who, rank });
    }

    /// Nobody speaks afterwards.
    fn stop(&mut self, now: Timestamp, hold: Hold, why: TalkEnd) {
        let who = hold.who;
        self.state = State::Idle;
        self.put(Output::Gate { who, open: false });
        self.put(match why {
            TalkEnd::Released | TalkEnd::Lost => Output::Silent { who },
            TalkEnd::TooLong | TalkEnd::NoMedia | TalkEnd::Preempted | TalkEnd::NotAllowed => {
                let (cause, by) = (why, now);
                Output::Revoke { who, cause, by }
            }
        });
        self.put(Output::Spoke {
            who,
            rank: hold.rank,
            from: hold.since,
            until: now,
            end: why,
        });
    }

    /// The next in the queue speaks, or nobody.
    fn end(&mut self, now: Timestamp, hold: Hold, why: TalkEnd) {
        self.stop(now, hold, why);
        match self.queue.pop() {
            Some((who, rank)) => {
                self.grant(now, who, rank);
                self.tell_positions(0);
            }
            None => self.put(Output::Idle),
        }
    }

    fn unqueue(&mut self, who: Talker) {
        if let Some(at) = self.queue.remove(who) {
            self.put(Output::Silent { who });
            self.tell_positions(at);
        }
    }

    fn deny(&mut self, who: Talker, cause: DenyCause) {
        self.put(Output::Deny { who, cause });
    }

    /// From this index of the queue on.
    fn tell_positions(&mut self, from: usize) {
        let waiting = self.queue.iter().enumerate().skip(from);
        self.outputs
            .extend(waiting.map(|(at, (who, _))| Output::QueueInfo {
                who,
                position: at + 1,
            }));
    }
}

#[cfg(test)]
mod tests;
