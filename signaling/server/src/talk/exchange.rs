//! The task that owns the floors.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use liandong_domain::limits::MAX_TALKS;
use liandong_domain::talk::Rank;
use liandong_domain::talk::floor::{Floor, Input as FloorInput, Output, State, Talker};
use liandong_domain::talk::group::{Talk as Spoken, TalkEnd};
use liandong_domain::{County, Order, TalkGroupId, TalkOrder, Timestamp};
use liandong_protocol::talk::FloorStanding;
use liandong_sfu_node::{Node, NodeEvent, Track};
use tokio::sync::{mpsc, watch};

use super::ears::Ears;
use super::{Input, Talk, Waiting, group_of};
use crate::clock;
use crate::desk::Desk;
use crate::desk::clients::{ClientId, RESUME_WITHIN};
use crate::views::talk as views;

/// How often lost clients, old positions and lists of listeners are looked after.
const HOUSEKEEPING_EVERY: Duration = Duration::from_millis(500);
/// Inputs taken before timers are looked at again.
const BATCH: usize = 64;
/// Talks that the desk has not taken yet; of more, the oldest miss the journal.
const MAX_SPOKEN: usize = 10_000;

/// What the exchange is made of.
#[derive(Debug)]
pub struct Parts {
    pub talk: Talk,
    pub waiting: Waiting,
    /// The latest county that is journaled.
    pub counties: watch::Receiver<County>,
    pub node: Node,
    pub desk: Desk,
}

/// Starts the task. All floors are idle: whoever spoke before a restart asks again.
pub fn start(parts: Parts) -> tokio::task::JoinHandle<()> {
    let mut counties = parts.counties;
    let county = counties.borrow_and_update().clone();
    let mut exchange = Exchange {
        county: County::new(),
        node: parts.node,
        desk: parts.desk,
        talk: parts.talk,
        floors: BTreeMap::new(),
        ears: Ears::default(),
        spoken: VecDeque::new(),
        last_now: Timestamp(0),
    };
    exchange.county_changed(county);
    tokio::spawn(exchange.run(parts.waiting.0, counties))
}

/// The floor of one group, and what is told of it.
#[derive(Debug)]
pub(super) struct GroupFloor {
    pub floor: Floor,
    pub talks: VecDeque<Spoken>,
    /// Who listens has changed since it was told.
    pub listeners_changed: bool,
}

pub(super) struct Exchange {
    pub(super) county: County,
    pub(super) node: Node,
    desk: Desk,
    pub(super) talk: Talk,
    pub(super) floors: BTreeMap<TalkGroupId, GroupFloor>,
    pub(super) ears: Ears,
    spoken: VecDeque<Order>,
    last_now: Timestamp,
}

impl Exchange {
    async fn run(
        mut self,
        mut inputs: mpsc::Receiver<Input>,
        mut counties: watch::Receiver<County>,
    ) {
        let mut housekeeping = tokio::time::interval(HOUSEKEEPING_EVERY);
        housekeeping.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let due = self.due();
            tokio::select! {
                // A member who has raised an alarm asks for the floor after it.
                biased;
                changed = counties.changed() => {
                    if changed.is_err() {
                        return; // the desk has ended
                    }
                    let county = counties.borrow_and_update().clone();
                    self.county_changed(county);
                }
                () = clock::sleep_until(due) => self.tick(),
                input = inputs.recv() => {
                    let Some(input) = input else { return };
                    self.take(input);
                    for _ in 1..BATCH {
                        if counties.has_changed().unwrap_or(true) {
                            break;
                        }
                        let Ok(input) = inputs.try_recv() else { break };
                        self.take(input);
                    }
                }
                _ = housekeeping.tick() => self.housekeep(),
            }
        }
    }

    fn due(&self) -> Option<Timestamp> {
        let floors = self.floors.values();
        floors.filter_map(|one| one.floor.poll_timeout()).min()
    }

    fn tick(&mut self) {
        let now = self.now();
        let due = |floor: &Floor| floor.poll_timeout().is_some_and(|due| due <= now);
        let groups: Vec<TalkGroupId> = self
            .floors
            .iter()
            .filter(|(_, one)| due(&one.floor))
            .map(|(group, _)| *group)
            .collect();
        for group in groups {
            self.drive(group, FloorInput::Timeout);
        }
    }

    fn take(&mut self, input: Input) {
        match input {
            Input::Attach {
                client,
                connection,
                account,
                outbox,
            } => {
                self.ears.attach(client, connection, account, outbox);
                self.welcome(client);
            }
            Input::Detach { client, connection } => {
                if self.ears.detach(client, connection, Instant::now()) {
                    // Nobody holds a floor without a line to be told that he lost it.
                    let listens = self.ears.one(client).map(|one| &one.listens);
                    let groups: Vec<_> = listens.into_iter().flatten().map(|(id, _)| *id).collect();
                    let who = talker(client);
                    for group in groups {
                        self.drive(group, FloorInput::Lost { who });
                        self.listeners_changed(group);
                    }
                }
            }
            Input::Resync { client } => self.welcome(client),
            Input::Act { asking, group, act } => self.act(asking, group, act),
            Input::Here { asking, place } => self.here(asking, place),
            Input::Offered {
                asking,
                group,
                done,
            } => self.offered(asking, group, done),
            Input::Node(event) => self.node_event(event),
        }
    }

    fn node_event(&mut self, event: NodeEvent) {
        match event {
            NodeEvent::Speaking { room, peers } => {
                let Some(group) = group_of(room) else { return };
                for peer in peers {
                    if let Some((client, _)) = self.ears.by_peer(peer) {
                        self.drive(
                            group,
                            FloorInput::Media {
                                who: talker(client),
                            },
                        );
                    }
                }
            }
            // Media is what comes, be it silence: who thinks with the key pressed keeps the floor.
            NodeEvent::Stats { peer, stats, .. } if stats.uplink_bits_per_second > 0 => {
                if let Some((client, group)) = self.ears.by_peer(peer) {
                    self.drive(
                        group,
                        FloorInput::Media {
                            who: talker(client),
                        },
                    );
                }
            }
            NodeEvent::Disconnected { peer, .. } => {
                if let Some((client, group)) = self.ears.unlink(peer) {
                    self.drive(
                        group,
                        FloorInput::Lost {
                            who: talker(client),
                        },
                    );
                    self.tell_media_lost(client, group);
                }
            }
            NodeEvent::SpeechRate {
                peer,
                bits_per_second,
            } => {
                if let Some((client, group)) = self.ears.limit_speech(peer, bits_per_second) {
                    self.tell_speech_rate(client, group);
                }
            }
            NodeEvent::Stats { .. }
            | NodeEvent::Connected { .. }
            | NodeEvent::SourceStarted { .. }
            | NodeEvent::SourceSilent { .. }
            | NodeEvent::SlotLive { .. }
            | NodeEvent::Overload { .. }
            | NodeEvent::Demand { .. } => {}
        }
    }

    /// Groups, members, ranks or alarms are others now.
    fn county_changed(&mut self, county: County) {
        let before = std::mem::replace(&mut self.county, county);
        let gone: Vec<TalkGroupId> = before
            .talk_groups()
            .map(|one| one.id)
            .filter(|id| self.county.talk_group(*id).is_none())
            .collect();
        for group in gone {
            self.dissolve(group);
        }
        let changed: Vec<TalkGroupId> = self
            .county
            .talk_groups()
            .filter(|now| {
                let was = before.talk_group(now.id);
                was.is_none_or(|was| was.plan != now.plan || was.sos != now.sos)
            })
            .map(|one| one.id)
            .collect();
        for group in &changed {
            self.renew(*group);
        }
        let directory = before.directory() != self.county.directory();
        for client in self.ears.ids() {
            self.look(client, &changed);
            if directory {
                self.rank_anew(client);
            }
        }
    }

    /// A group is new, or its plan or its alarms have changed.
    fn renew(&mut self, id: TalkGroupId) {
        let Some(group) = self.county.talk_group(id) else {
            return;
        };
        let (rules, talks) = (group.plan.rules, group.talks.clone());
        let known = self.floors.entry(id).or_insert_with(|| GroupFloor {
            floor: Floor::new(rules),
            talks,
            listeners_changed: false,
        });
        let listeners: Vec<Talker> = known.floor.listeners().collect();
        self.drive(id, FloorInput::SetRules { rules });
        for who in listeners {
            self.set_rank(id, who);
        }
    }

    fn rank_anew(&mut self, client: ClientId) {
        let listens = self.ears.one(client).map(|one| &one.listens);
        let groups: Vec<_> = listens.into_iter().flatten().map(|(id, _)| *id).collect();
        for group in groups {
            self.set_rank(group, talker(client));
        }
    }

    fn set_rank(&mut self, id: TalkGroupId, who: Talker) {
        let rank = self.rank(id, who);
        self.drive(id, FloorInput::SetRank { who, rank });
    }

    pub(super) fn rank(&self, id: TalkGroupId, who: Talker) -> Option<Rank> {
        let group = self.county.talk_group(id)?;
        self.county.rank_in(self.ears.account_of(who)?, group)
    }

    fn dissolve(&mut self, group: TalkGroupId) {
        self.drive(group, FloorInput::Close);
        self.floors.remove(&group);
        for client in self.ears.ids() {
            if let Some(peer) = self.ears.unlisten(client, group) {
                self.node.leave(peer);
            }
        }
    }

    /// Lets the floor know, and does what follows: gates first, as they come.
    pub(super) fn drive(&mut self, group: TalkGroupId, input: FloorInput) {
        let now = self.now();
        let Some(known) = self.floors.get_mut(&group) else {
            return;
        };
        known.floor.handle_input(now, input);
        let mut changed = false;
        while let Some(output) = self
            .floors
            .get_mut(&group)
            .and_then(|known| known.floor.poll_output())
        {
            changed |= self.carry_out(group, output);
        }
        if changed {
            self.tell_floor(group);
        }
    }

    /// True when the floor looks another way to all.
    fn carry_out(&mut self, group: TalkGroupId, output: Output) -> bool {
        match output {
            Output::Gate { who, open } => {
                if let Some(peer) = self.ears.peer(who, group) {
                    self.node.gate(peer, Track::Microphone, open);
                }
                return false; // told by what follows
            }
            Output::Granted { who, .. } | Output::QueueInfo { who, .. } => {
                self.tell_standing(group, who);
            }
            Output::Taken { .. } | Output::Idle => {}
            Output::Deny { who, cause } => {
                let cause = Some(views::denied(cause));
                self.tell_own(group, who, FloorStanding::Silent { cause });
                return false;
            }
            Output::Revoke { who, cause, .. } => {
                if self.is_pending(group, who) {
                    self.tell_standing(group, who);
                } else {
                    let cause = views::revoked(cause);
                    self.tell_own(group, who, FloorStanding::Silent { cause });
                }
            }
            Output::Silent { who } => {
                self.tell_own(group, who, FloorStanding::Silent { cause: None });
            }
            Output::Welcome { who } => {
                self.listeners_changed(group);
                self.tell_standing(group, who);
                return false;
            }
            Output::Spoke {
                who,
                rank,
                from,
                until,
                end,
            } => {
                let who = self.ears.account_of(who).cloned();
                if let Some(who) = who {
                    self.spoke(
                        group,
                        Spoken {
                            who,
                            rank,
                            from,
                            until,
                            end,
                        },
                    );
                }
                return false;
            }
        }
        true
    }

    fn is_pending(&self, group: TalkGroupId, who: Talker) -> bool {
        let state = self.floors.get(&group).map(|known| known.floor.state());
        matches!(state, Some(State::PendingRevoke(hold)) if hold.who == who)
    }

    /// Somebody has spoken: told to those who see the group, and to the desk.
    fn spoke(&mut self, group: TalkGroupId, talk: Spoken) {
        if let Some(known) = self.floors.get_mut(&group) {
            while known.talks.len() >= MAX_TALKS {
                known.talks.pop_front();
            }
            known.talks.push_back(talk.clone());
        }
        self.tell_talks(group, std::slice::from_ref(&talk));
        if self.spoken.len() >= MAX_SPOKEN {
            self.spoken.pop_front();
            tracing::error!("the desk does not take what was spoken");
        }
        let order = TalkOrder::Spoke { group, talk };
        self.spoken.push_back(Order::Talk { order });
        self.hand_on();
    }

    /// Never waits: the desk may be waiting for its disk.
    fn hand_on(&mut self) {
        while let Some(order) = self.spoken.front() {
            if !self.desk.try_own(order) {
                return;
            }
            self.spoken.pop_front();
        }
    }

    pub(super) fn listeners_changed(&mut self, group: TalkGroupId) {
        if let Some(known) = self.floors.get_mut(&group) {
            known.listeners_changed = true;
        }
    }

    fn housekeep(&mut self) {
        let now = Instant::now();
        for client in self.ears.lost_for(RESUME_WITHIN, now) {
            self.forget(client);
        }
        for client in self.ears.forget_positions(now) {
            self.look(client, &[]);
        }
        let mut changed = Vec::new();
        for (group, known) in &mut self.floors {
            if std::mem::take(&mut known.listeners_changed) {
                changed.push(*group);
            }
        }
        for group in changed {
            self.tell_listeners(group);
        }
        self.hand_on();
    }

    fn forget(&mut self, client: ClientId) {
        let listens = self.ears.one(client).map(|one| &one.listens);
        let groups: Vec<_> = listens.into_iter().flatten().map(|(id, _)| *id).collect();
        for group in groups {
            self.unlisten(client, group, TalkEnd::Lost);
        }
        self.ears.remove(client);
    }

    /// The client that listens to the group has a line again.
    pub(super) fn back(&mut self, client: ClientId, group: TalkGroupId) {
        let who = talker(client);
        let rank = self.rank(group, who);
        self.drive(group, FloorInput::Join { who, rank });
    }

    /// The client listens to the group no longer.
    pub(super) fn unlisten(&mut self, client: ClientId, group: TalkGroupId, why: TalkEnd) {
        let who = talker(client);
        self.drive(group, FloorInput::Leave { who, why });
        self.listeners_changed(group);
        if let Some(peer) = self.ears.unlisten(client, group) {
            self.node.leave(peer);
        }
    }

    /// Never runs back, whatever is done to the machine's clock.
    pub(super) fn now(&mut self) -> Timestamp {
        self.last_now = self.last_now.max(clock::now());
        self.last_now
    }
}

pub(super) fn talker(client: ClientId) -> Talker {
    Talker(client.0)
}
