//! What several unit tests need: a journal whose disk obeys, a small county, a
//! desk on top of them, and a client of it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use liandong_domain::{Account, Actor, Order, Place, Role, Site, SiteCode, Tier, Timing};
use liandong_protocol::{
    ClientMessage, Device, Push, Refusal, Reply, Request, ServerMessage, Snapshot,
};
use liandong_sfu_node::{Node, NodeConfig};
use tokio::sync::{Notify, watch};

use crate::auth::links::Links;
use crate::auth::password::Verifier;
use crate::auth::second_factor::SecondFactors;
use crate::auth::session::Sessions;
use crate::auth::sign_in::SignIn;
use crate::auth::vault::Vault;
use crate::channels::Channels;
use crate::clock;
use crate::desk::clients::{ClientId, ConnectionId};
use crate::desk::ledger::Ledger;
use crate::desk::run::{self, Parts};
use crate::desk::{Desk, Hello};
use crate::http::App;
use crate::http::metrics::{DeskMetrics, Metrics};
use crate::journal::chain::Head;
use crate::journal::snapshots::Snapshots;
use crate::journal::{Draft, Entry, Hash, Journal, JournalError};
use crate::media::Media;
use crate::talk::Talk;
use crate::views::snapshot::Setting;
use crate::ws::outbox::{Next, Outbox};

/// Nothing here takes so long; a test that waits longer has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the disk does with the next batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Disk {
    Well,
    Full,
    /// It is written, and then reported as failed.
    Lies,
    /// Nothing comes back until it is well again.
    Stuck,
}

/// A journal in memory whose disk obeys.
#[derive(Clone, Debug)]
pub struct Paper {
    sheet: Arc<Mutex<Sheet>>,
    changed: Arc<Notify>,
    folder: Arc<tempfile::TempDir>,
}

#[derive(Debug)]
pub struct Sheet {
    disk: Disk,
    head: Head,
    pub entries: Vec<Entry>,
    /// The last append was reported as failed though it was written.
    unsure: bool,
    /// Appends that have not come back.
    waiting: usize,
    pub damage: Option<JournalError>,
}

impl Paper {
    pub fn new() -> Self {
        let sheet = Sheet {
            disk: Disk::Well,
            head: Head::default(),
            entries: Vec::new(),
            unsure: false,
            waiting: 0,
            damage: None,
        };
        Self {
            sheet: Arc::new(Mutex::new(sheet)),
            changed: Arc::default(),
            folder: Arc::new(tempfile::tempdir().unwrap()),
        }
    }

    pub fn disk(&self, disk: Disk) {
        self.sheet.lock().unwrap().disk = disk;
        self.changed.notify_waiters();
    }

    pub fn sheet(&self) -> MutexGuard<'_, Sheet> {
        self.sheet.lock().unwrap()
    }

    /// For snapshots.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn len(&self) -> usize {
        self.sheet.lock().unwrap().entries.len()
    }

    /// Returns once an append waits for the stuck disk.
    pub async fn is_waited_for(&self) {
        self.changes(|sheet| sheet.waiting > 0).await;
    }

    async fn changes(&self, so: impl Fn(&Sheet) -> bool) {
        loop {
            // Before the look, so that no change slips through.
            let changed = self.changed.notified();
            let mut changed = std::pin::pin!(changed);
            changed.as_mut().enable();
            if so(&self.sheet.lock().unwrap()) {
                return;
            }
            changed.await;
        }
    }
}

impl Journal for Paper {
    async fn append(&self, batch: Vec<Draft>) -> Result<u64, JournalError> {
        self.sheet.lock().unwrap().waiting += 1;
        self.changed.notify_waiters();
        self.changes(|sheet| sheet.disk != Disk::Stuck).await;
        let mut sheet = self.sheet.lock().unwrap();
        let Sheet {
            disk,
            head,
            entries,
            unsure,
            waiting,
            damage,
        } = &mut *sheet;
        *waiting -= 1;
        if let Some(damage) = damage {
            return Err(damage.clone());
        }
        if std::mem::take(unsure) {
            return Err(JournalError::Diverged {
                expected: 0,
                found: head.seq,
            });
        }
        if *disk != Disk::Full {
            entries.extend(batch.into_iter().map(|draft| head.push(draft)));
        }
        *unsure = *disk == Disk::Lies;
        match *disk {
            // It was well when the wait ended.
            Disk::Well | Disk::Stuck => Ok(head.seq),
            Disk::Full | Disk::Lies => Err(JournalError::Unavailable("disk full".into())),
        }
    }

    async fn hash_at(&self, seq: u64) -> Result<Option<Hash>, JournalError> {
        let sheet = self.sheet.lock().unwrap();
        let entry = sheet.entries.iter().find(|entry| entry.seq == seq);
        Ok(entry.map(|entry| entry.hash))
    }

    fn damage(&self) -> Option<JournalError> {
        self.sheet.lock().unwrap().damage.clone()
    }

    async fn read(&self, after: u64, limit: usize) -> Result<Vec<Entry>, JournalError> {
        let sheet = self.sheet.lock().unwrap();
        let after = usize::try_from(after).unwrap();
        Ok(sheet
            .entries
            .iter()
            .skip(after)
            .take(limit)
            .cloned()
            .collect())
    }
}

/// A county centre with one township.
pub fn directory() -> Order {
    let site = |code: &str, tier, parent: Option<&str>| Site {
        code: code.into(),
        name: code.into(),
        tier,
        parent: parent.map(SiteCode::from),
        place: Place::from_degrees(106.8, 32.3),
    };
    let account = |id: &str, role, site: &str| Account {
        id: id.into(),
        name: id.into(),
        role,
        site: site.into(),
        active: true,
    };
    Order::SetDirectory {
        sites: vec![
            site("1", Tier::County, None),
            site("101", Tier::Township, Some("1")),
        ],
        accounts: vec![
            account("commander", Role::Commander, "1"),
            account("101", Role::Township, "101"),
        ],
    }
}

/// What a desk is made of, on a small county.
pub async fn parts(paper: &Paper) -> Parts<Paper> {
    let snapshots = Snapshots::of(paper.folder());
    let mut ledger = Ledger::open(paper.clone(), snapshots, Timing::default())
        .await
        .unwrap();
    ledger
        .order(&Actor::System, None, &directory(), clock::now())
        .unwrap();
    ledger.commit(clock::now()).await.unwrap();
    let (node, node_events) = Node::start(NodeConfig {
        listen: vec![[127, 0, 0, 1].into()],
        port: 0,
        workers: 1,
        ..NodeConfig::default()
    })
    .unwrap();
    Parts {
        ledger,
        setting: Setting {
            county_name: "County".to_owned(),
            never_auto_answer: std::collections::BTreeSet::new(),
            auto_answer_ms: 3_000,
            ice_servers: Vec::new(),
        },
        media: Media::new(node),
        node_events,
        channels: Channels::new(BTreeMap::new()).0,
        metrics: Arc::new(DeskMetrics::default()),
        // Nobody talks.
        talk: Talk::channel().0,
        counties: watch::Sender::default(),
        entries: tokio::sync::watch::Sender::new(0),
    }
}

/// A running desk.
pub async fn desk(paper: &Paper) -> Desk {
    let (desk, _) = run::start(parts(paper).await);
    desk
}

/// What the routes share, with the accounts' store in the folder.
pub async fn app(paper: &Paper, data: &Path) -> App {
    let parts = parts(paper).await;
    let metrics = Metrics::new(None, &parts.metrics, parts.media.node());
    let (desk, _) = run::start(parts);
    let vault = Arc::new(Vault::open(data).unwrap());
    let sessions = Sessions::load(Arc::clone(&vault), clock::now_ms()).unwrap();
    let verifier = Verifier::new().unwrap();
    let factors = SecondFactors::load(Arc::clone(&vault), "County".into(), [].into());
    let second_factors = Arc::new(factors.unwrap());
    App {
        desk: desk.clone(),
        talk: Talk::channel().0,
        sessions: sessions.clone(),
        sign_in: Arc::new(SignIn::new(
            Arc::clone(&vault),
            sessions,
            verifier,
            Arc::clone(&second_factors),
            desk,
        )),
        second_factors,
        links: Links::new(vault),
        webhooks: crate::webhooks::Webhooks::open(data, &[], Arc::clone(&metrics)).unwrap(),
        metrics,
        platforms: Arc::default(),
        files: crate::files::Files::open(data, |_| Ok(false)).unwrap(),
        doors: Arc::default(),
        authority: None,
    }
}

/// A client without a network.
pub struct Seat {
    desk: Desk,
    outbox: Outbox,
    pub client: ClientId,
    pub connection: ConnectionId,
    last_id: u32,
    pub welcome: Snapshot,
}

impl Seat {
    /// Says Hello and waits for the welcome.
    pub async fn take(desk: &Desk, account: &str, claim: Option<u32>) -> Self {
        let outbox = Outbox::default();
        let hello = Hello {
            account: account.into(),
            device: Device::Console,
            auto_answer: false,
            resume: None,
            claim: claim.map(liandong_domain::ParticipantId),
            outbox: outbox.clone(),
        };
        let (client, connection) = desk.attach(1, hello).await.unwrap();
        let message = message(&outbox).await;
        let ServerMessage::Reply {
            reply: Reply::Welcome { snapshot, .. },
            ..
        } = message
        else {
            panic!("no welcome but {message:?}");
        };
        Self {
            desk: desk.clone(),
            outbox,
            client,
            connection,
            last_id: 1,
            welcome: snapshot,
        }
    }

    /// Asks, and skips pushes until the answer.
    pub async fn ask(&mut self, request: Request) -> Result<Reply, Refusal> {
        self.last_id += 1;
        let message = ClientMessage {
            id: self.last_id,
            key: None,
            request,
        };
        self.desk
            .message(self.client, self.connection, message)
            .await;
        loop {
            match self.next().await {
                ServerMessage::Reply { id, reply } if id == self.last_id => return Ok(reply),
                ServerMessage::Refused { id, refusal } if id == self.last_id => {
                    return Err(refusal);
                }
                ServerMessage::Reply { .. }
                | ServerMessage::Refused { .. }
                | ServerMessage::Push { .. } => {}
            }
        }
    }

    /// The next push that is wanted; others are skipped.
    pub async fn push<T>(&mut self, wanted: impl Fn(&Push) -> Option<T>) -> T {
        loop {
            if let ServerMessage::Push { push } = self.next().await
                && let Some(found) = wanted(&push)
            {
                return found;
            }
        }
    }

    async fn next(&self) -> ServerMessage {
        message(&self.outbox).await
    }

    /// The connection is gone.
    pub async fn leave(self) {
        self.desk.detach(self.client, self.connection).await;
    }
}

async fn message(outbox: &Outbox) -> ServerMessage {
    let next = tokio::time::timeout(PATIENCE, outbox.next()).await.unwrap();
    let Next::Send(text) = next else {
        panic!("{next:?}");
    };
    serde_json::from_str(&text).unwrap()
}
