//! How long a start takes on a journal of a million entries: from the last snapshot, and
//! from the journal alone; and how long `journal verify` takes. The journal is
//! written by the server's own ledger from orders as they come in calls and incidents.
//!
//! `cargo bench -p liandong-server --bench journal [-- ENTRIES]`
#![allow(clippy::unwrap_used, reason = "a bench fails by panicking")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use liandong_domain::incident::{Report, ReportSource, Step};
use liandong_domain::{
    Actor, Callee, ConferenceId, IncidentId, IncidentKind, IncidentOrder, InvitationId, Level,
    Order, Outcome, Target, Timestamp, Timing,
};
use liandong_server::clock;
use liandong_server::config::{Config, Overrides};
use liandong_server::desk::ledger::Ledger;
use liandong_server::journal::snapshots::Snapshots;
use liandong_server::journal::sqlite::SqliteJournal;
use liandong_server::views::wire;
use support::{County, Server};

const ENTRIES: u64 = 1_000_000;
/// Starts of each sort; the median counts.
const STARTS: usize = 3;

#[tokio::main]
async fn main() {
    let entries = std::env::args()
        .find_map(|text| text.parse().ok())
        .unwrap_or(ENTRIES);
    let county = County::new();
    let began = Instant::now();
    let orders = Writing::open(&county).await.run(entries).await;
    let took = began.elapsed();
    println!("wrote {entries} entries of {orders} orders in {took:.1?}");
    println!(
        "journal_orders_per_s: {:.0}",
        f64::from(orders) / took.as_secs_f64()
    );
    let size = std::fs::metadata(county.store()).unwrap().len();
    println!("journal_bytes_per_entry: {}", size / entries);
    // Passwords are hashed once.
    drop(county.start());
    let snapshot = starts(&county, || {});
    println!("journal_start_ms_1m: {}", snapshot.as_millis());
    let folder = county.data().join("snapshots");
    let replay = starts(&county, || {
        if folder.exists() {
            std::fs::remove_dir_all(&folder).unwrap();
        }
    });
    println!("journal_replay_ms_1m: {}", replay.as_millis());
    let began = Instant::now();
    let (sound, said) = county.verify();
    assert!(sound, "{said}");
    println!("journal_verify_ms_1m: {}", began.elapsed().as_millis());
}

/// From the start of the process until it serves; each is killed.
fn starts(county: &County, before: impl Fn()) -> Duration {
    let mut took: Vec<Duration> = (0..STARTS)
        .map(|_| {
            before();
            let began = Instant::now();
            let server: Server = county.start();
            let took = began.elapsed();
            drop(server);
            took
        })
        .collect();
    took.sort();
    took[STARTS / 2]
}

struct Writing {
    ledger: Ledger<SqliteJournal>,
    now: u64,
    orders: u32,
}

impl Writing {
    async fn open(county: &County) -> Self {
        std::fs::create_dir_all(county.data()).unwrap();
        let path = county.folder.path().join("liandong.toml");
        let config = Config::load(&path, &Overrides::default()).unwrap();
        let journal = SqliteJournal::open(&county.data()).unwrap();
        let snapshots = Snapshots::of(&county.data());
        let ledger = Ledger::open(journal, snapshots, Timing::default()).await;
        let mut writing = Self {
            ledger: ledger.unwrap(),
            // A second for each order, so that the last is now.
            now: clock::now().0 - 1_000 * ENTRIES,
            orders: 0,
        };
        writing.order(&Actor::System, wire::set_directory(&config));
        writing
    }

    /// A call and an incident over and over; one transaction for each.
    async fn run(mut self, entries: u64) -> u32 {
        let mut snapshots = tokio::task::JoinSet::new();
        while self.ledger.seq() < entries {
            for account in ["commander", "101", "102"] {
                self.devices(account, 1);
            }
            self.call();
            self.incident();
            self.devices("102", 0);
            let now = Timestamp(self.now);
            self.ledger.commit(now).await.unwrap();
            if let Some(due) = self.ledger.snapshot_due() {
                snapshots.spawn(due.write());
            }
        }
        snapshots.join_all().await;
        self.orders
    }

    fn order(&mut self, by: &Actor, order: Order) -> Outcome {
        self.now += 1_000;
        self.orders += 1;
        let key = format!("{:08x}-bench-{:08x}", self.now, self.orders);
        let key = matches!(by, Actor::Account(_)).then_some(key);
        let now = Timestamp(self.now);
        let outcome = self.ledger.order(by, key.as_deref(), &order, now);
        outcome.unwrap_or_else(|refusal| panic!("{order:?}: {refusal}"))
    }

    fn by(&mut self, account: &str, order: Order) -> Outcome {
        self.order(&Actor::Account(account.into()), order)
    }

    fn devices(&mut self, account: &str, online: u32) {
        let account = account.into();
        let order = Order::SetDevices {
            account,
            online,
            degraded: 0,
        };
        self.order(&Actor::System, order);
    }

    fn call(&mut self) {
        let targets = ["101", "102"].map(|code| Target::Site { code: code.into() });
        let called = self.by(
            "commander",
            Order::Call {
                targets: targets.to_vec(),
                title: Some("防汛会商".to_owned()),
                ordered: true,
                incident: None,
            },
        );
        let Outcome::Called {
            conference,
            invitations,
        } = called
        else {
            panic!("{called:?}");
        };
        self.talk(conference, &invitations);
        self.by("commander", Order::End { conference });
    }

    fn talk(&mut self, conference: ConferenceId, invitations: &[InvitationId]) {
        for (account, invitation) in ["101", "102"].into_iter().zip(invitations) {
            let invitation = *invitation;
            let accepted = self.by(account, Order::Accept { invitation });
            let Outcome::Accepted { participant, .. } = accepted else {
                panic!("{accepted:?}");
            };
            self.order(&Actor::System, Order::MediaConnected { participant });
        }
        for muted in [true, false] {
            self.by("commander", Order::MuteAll { conference, muted });
        }
        for camera in [false, true] {
            let order = Order::SetOwnMedia {
                conference,
                microphone: true,
                camera,
            };
            self.by("101", order);
        }
    }

    fn incident(&mut self) {
        let report = Report {
            kind: IncidentKind::Sudden,
            level: None,
            title: "河水上涨，低洼处住户需要转移".to_owned(),
            text: "河堤缺口约三米，水位仍在上涨。".repeat(4),
            place: None,
            address: "南江镇河边路".to_owned(),
            site: None,
            source: ReportSource::Account,
        };
        let order = IncidentOrder::Report { report };
        let reported = self.by("101", Order::Incident { order });
        let Outcome::Reported { incident } = reported else {
            panic!("{reported:?}");
        };
        let text = || "已派人前往现场查看，暂无人员伤亡。".to_owned();
        for step in [
            Step::Verify {
                kind: IncidentKind::Sudden,
                level: Level::II,
            },
            Step::Note { text: text() },
            Step::Assign {
                responders: vec![Callee::Site { code: "101".into() }],
                text: text(),
            },
            Step::Control { text: text() },
            Step::Close { text: text() },
            Step::Review { findings: text() },
        ] {
            self.step(incident, step);
        }
    }

    fn step(&mut self, incident: IncidentId, step: Step) {
        let order = IncidentOrder::Step { incident, step };
        self.by("commander", Order::Incident { order });
    }
}
