//! The state as the journal's orders give it, worked out beside the server.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;

use liandong_domain::idempotency::KEPT_PER_ACCOUNT;
use liandong_domain::{self as domain, Decision, Event, Outcome, Timing};
use liandong_protocol::Snapshot;
use liandong_server::config::{Config, Overrides};
use liandong_server::journal::record::{Content, Record};
use liandong_server::views::snapshot::{self, Answering, Setting};
use rusqlite::{Connection, OpenFlags};

use crate::support::County;

const SYSTEM: &str = "system";

pub struct Model {
    store: PathBuf,
    county: domain::County,
    /// Of the last entry that was read.
    seq: u64,
    unread: VecDeque<(String, Record)>,
    /// Of one account's order, so far.
    pending: Vec<Event>,
    outcomes: BTreeMap<String, Outcome>,
    /// Keys of each account's orders, oldest first.
    keys: BTreeMap<domain::AccountId, Vec<String>>,
}

impl Model {
    pub fn new(county: &County) -> Self {
        let path = county.folder.path().join("liandong.toml");
        let config = Config::load(&path, &Overrides::default()).unwrap();
        Self {
            store: county.store(),
            county: domain::County::with_timing(Timing {
                ring: config.calls.ring,
                queued: config.calls.ring,
                join: config.calls.connect,
                ..Timing::default()
            }),
            seq: 0,
            unread: VecDeque::new(),
            pending: Vec::new(),
            outcomes: BTreeMap::new(),
            keys: BTreeMap::new(),
        }
    }

    pub fn county(&self) -> &domain::County {
        &self.county
    }

    /// Of an order that is in the journal.
    pub fn outcome(&self, key: &str) -> Option<&Outcome> {
        self.outcomes.get(key)
    }

    /// Whether the account's key is among those that are still known.
    pub fn keeps(&self, account: &'static str, key: &str) -> bool {
        let all = self.keys.get(&account.into());
        all.is_some_and(|all| {
            let mut newest = all.iter().rev().take(KEPT_PER_ACCOUNT);
            newest.any(|one| one == key)
        })
    }

    /// To the journal's end. No order is there in part.
    pub fn catch_up(&mut self) {
        while self.step() {}
        assert!(self.pending.is_empty(), "half an order: {:?}", self.pending);
    }

    /// One entry more; false at the end.
    pub fn step(&mut self) -> bool {
        if self.unread.is_empty() {
            self.read();
        }
        let Some((actor, record)) = self.unread.pop_front() else {
            return false;
        };
        match record.content {
            Content::Event(event) if actor == SYSTEM => {
                assert!(self.pending.is_empty(), "half an order: {:?}", self.pending);
                self.county.apply(&event);
            }
            Content::Event(event) => self.of_order(event),
            Content::Access(_) | Content::Upkeep(_) => {}
        }
        true
    }

    /// The rules, asked anew, give the very events that are in the journal.
    fn of_order(&mut self, event: Event) {
        self.pending.push(event.clone());
        let Event::OrderCarriedOut {
            by,
            key,
            order,
            outcome,
            at,
        } = event
        else {
            return;
        };
        let decided = self.county.decide_once(&by, &key, &order, at);
        let events = std::mem::take(&mut self.pending);
        for event in &events {
            self.county.apply(event);
        }
        let told = outcome.clone();
        assert_eq!(decided, Ok(Decision::New { events, outcome }), "{key}");
        self.keys.entry(by).or_default().push(key.clone());
        let twice = self.outcomes.insert(key.clone(), told);
        assert_eq!(twice, None, "{key} acted twice");
    }

    /// This is what the account is to be shown in this state.
    pub fn shows(&self, account: &str, shown: &Snapshot) -> bool {
        let setting = Setting {
            county_name: "County".to_owned(),
            never_auto_answer: [].into(),
            auto_answer_ms: 3_000,
            ice_servers: Vec::new(),
        };
        let answering = Answering { automatic: true };
        let stay = shown.own_participant.map(|id| domain::ParticipantId(id.0));
        let mut own = snapshot::snapshot(&self.county, &setting, &account.into(), answering, stay);
        let mut shown = shown.clone();
        // The device's own business.
        for ring in own.rings.iter_mut().chain(&mut shown.rings) {
            ring.auto_answer_in_ms = None;
        }
        own == shown
    }

    fn read(&mut self) {
        let store = Connection::open_with_flags(&self.store, OpenFlags::SQLITE_OPEN_READ_ONLY);
        let store = store.unwrap();
        let mut select = store
            .prepare("SELECT seq, actor, body FROM events WHERE seq > ?1 ORDER BY seq")
            .unwrap();
        let rows = select
            .query_map([self.seq], |row| {
                Ok((row.get::<_, u64>(0)?, row.get(1)?, row.get::<_, String>(2)?))
            })
            .unwrap();
        for row in rows {
            let (seq, actor, body) = row.unwrap();
            assert_eq!(seq, self.seq + 1);
            self.seq = seq;
            self.unread.push_back((actor, Record::read(&body).unwrap()));
        }
    }
}
