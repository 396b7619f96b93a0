//! The demo county and a shell around the rules: journal, apply, virtual time.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests; and every test binary uses its own part of this"
)]

pub mod invariants;
pub mod talking;

use liandong_domain::{
    Account, AccountId, Actor, Callee, Conference, ConferenceId, County, Event, Invitation,
    InvitationId, InvitationState, Order, Outcome, Participant, ParticipantId, Place, Refusal,
    RefusalCode, Role, Site, SiteCode, Target, Tier, Timestamp,
};

pub const COUNTY: &str = "511922";
/// Two townships with eight and four communities.
pub const JIZHOU: &str = "511922001";
pub const SHAHE: &str = "511922101";
/// A community of each.
pub const CHUNCHANGBA: &str = "511922001001";
pub const DATANGBA: &str = "511922001002";
pub const LUOPING: &str = "511922101002";

pub const COMMANDER: &str = "commander";
pub const DISPATCHER: &str = "dispatcher";
pub const ADMINISTRATOR: &str = "administrator";
pub const SUPERVISOR: &str = "supervisor";
/// Field units are named after their site.
pub const FIELD_COUNTY: &str = "field-511922";
pub const FIELD_JIZHOU: &str = "field-511922001";
pub const FIELD_CHUNCHANGBA: &str = "field-511922001001";

/// An ordinary moment; no test depends on which.
pub const START: Timestamp = Timestamp(1_795_500_000_000);

pub fn sites() -> Vec<Site> {
    include_str!("../../../../deploy/nanjiang/nanjiang-sites.csv")
        .lines()
        .skip(1)
        .map(|line| {
            let columns: Vec<&str> = line.split(',').collect();
            let [code, tier, name, parent, longitude, latitude] = columns[..] else {
                panic!("six columns: {line}");
            };
            Site {
                code: code.into(),
                name: name.to_owned(),
                tier: match tier {
                    "county" => Tier::County,
                    "township" => Tier::Township,
                    "community" => Tier::Community,
                    other => panic!("tier {other}"),
                },
                parent: (!parent.is_empty()).then(|| parent.into()),
                place: Place::from_degrees(longitude.parse().unwrap(), latitude.parse().unwrap()),
            }
        })
        .collect()
}

/// One account per site, named like it, besides those named above.
pub fn accounts() -> Vec<Account> {
    let account = |id: &str, role, site: &SiteCode| Account {
        id: id.into(),
        name: format!("{id} 值班员"),
        role,
        site: site.clone(),
        active: true,
    };
    let mut accounts = Vec::new();
    for site in sites() {
        match site.tier {
            Tier::County => {
                accounts.push(account(COMMANDER, Role::Commander, &site.code));
                accounts.push(account(DISPATCHER, Role::Dispatcher, &site.code));
                accounts.push(account(ADMINISTRATOR, Role::Administrator, &site.code));
                accounts.push(account(SUPERVISOR, Role::Supervisor, &site.code));
            }
            Tier::Township => accounts.push(account(&site.code.0, Role::Township, &site.code)),
            Tier::Community => accounts.push(account(&site.code.0, Role::Community, &site.code)),
        }
    }
    for id in [FIELD_COUNTY, FIELD_JIZHOU, FIELD_CHUNCHANGBA] {
        let site = id.trim_start_matches("field-").into();
        accounts.push(account(id, Role::Field, &site));
    }
    accounts
}

/// The 49 accounts that answer for a township or community.
pub fn lower_accounts() -> Vec<AccountId> {
    sites()
        .into_iter()
        .filter(|site| site.tier != Tier::County)
        .map(|site| AccountId(site.code.0))
        .collect()
}

pub fn site(code: &str) -> Target {
    Target::Site { code: code.into() }
}

pub fn person(account: &str) -> Target {
    Target::Person {
        account: account.into(),
    }
}

pub fn subtree(root: &str) -> Target {
    Target::Subtree { root: root.into() }
}

pub fn callee(code: &str) -> Callee {
    Callee::Site { code: code.into() }
}

/// Journals and applies like the server, and checks the invariants after
/// every order.
pub struct Shell {
    pub county: County,
    pub journal: Vec<Event>,
    pub now: Timestamp,
}

impl Shell {
    /// The demo county, nobody connected.
    pub fn dark() -> Self {
        let mut shell = Self {
            county: County::new(),
            journal: Vec::new(),
            now: START,
        };
        shell
            .system(Order::SetDirectory {
                sites: sites(),
                accounts: accounts(),
            })
            .unwrap();
        shell
    }

    /// The demo county with one device of every account connected, except of
    /// the administrator and the supervisor.
    pub fn lit() -> Self {
        let mut shell = Self::dark();
        for account in accounts() {
            if !matches!(account.role, Role::Administrator | Role::Supervisor) {
                shell.devices(&account.id.0, 1);
            }
        }
        shell
    }

    pub fn order(&mut self, by: &Actor, order: &Order) -> Result<Vec<Event>, Refusal> {
        let events = self.county.decide(by, order, self.now)?;
        self.take(&events);
        Ok(events)
    }

    pub fn take(&mut self, events: &[Event]) {
        for event in events {
            self.county.apply(event);
        }
        self.journal.extend_from_slice(events);
        invariants::check(&self.county);
    }

    pub fn system(&mut self, order: Order) -> Result<Vec<Event>, Refusal> {
        self.order(&Actor::System, &order)
    }

    pub fn by(&mut self, account: &str, order: Order) -> Result<Vec<Event>, Refusal> {
        self.order(&Actor::Account(account.into()), &order)
    }

    /// The order is refused with this code, and nothing changes.
    pub fn refused(&mut self, account: &str, order: Order, code: RefusalCode) {
        let before = self.county.clone();
        let refusal = self
            .by(account, order.clone())
            .expect_err(&format!("{order:?} by {account}"));
        assert_eq!(refusal.code(), code, "{order:?} by {account}: {refusal}");
        assert_eq!(self.county, before);
    }

    pub fn devices(&mut self, account: &str, online: u32) {
        let order = Order::SetDevices {
            account: account.into(),
            online,
            degraded: 0,
        };
        self.system(order).unwrap();
    }

    /// Opens a conference; the caller's media connects at once.
    pub fn call(&mut self, by: &str, targets: &[Target], ordered: bool) -> ConferenceId {
        let events = self.try_call(by, targets, ordered).unwrap();
        let Outcome::Called { conference, .. } = Outcome::of(&call(targets, ordered), &events)
        else {
            panic!("a call rings somebody");
        };
        self.connect(by);
        conference
    }

    pub fn try_call(
        &mut self,
        by: &str,
        targets: &[Target],
        ordered: bool,
    ) -> Result<Vec<Event>, Refusal> {
        self.by(by, call(targets, ordered))
    }

    /// Accepts the account's first ring; its media is not connected yet.
    pub fn accept(&mut self, account: &str) -> ParticipantId {
        let ring = self.ring_of(account).expect("rings");
        self.by(account, Order::Accept { invitation: ring })
            .unwrap();
        self.stay(account).expect("present").id
    }

    /// Accepts, and the media connects.
    pub fn join(&mut self, account: &str) -> ParticipantId {
        self.accept(account);
        self.connect(account)
    }

    pub fn connect(&mut self, account: &str) -> ParticipantId {
        let participant = self.stay(account).expect("present").id;
        self.system(Order::MediaConnected { participant }).unwrap();
        participant
    }

    /// Time passes; what is due on the way is done when it is due.
    pub fn wait(&mut self, ms: u64) {
        let until = Timestamp(self.now.0 + ms);
        while let Some(due) = self.county.due().filter(|due| *due <= until) {
            self.now = due.max(self.now);
            self.system(Order::Tick).unwrap();
        }
        self.now = until;
    }

    pub fn ring_of(&self, account: &str) -> Option<InvitationId> {
        let rings = self.county.rings_of(&account.into());
        rings.first().map(|one| one.id)
    }

    pub fn stay(&self, account: &str) -> Option<&Participant> {
        self.county.stay_of(&account.into())
    }

    pub fn conference(&self, id: ConferenceId) -> &Conference {
        self.county.conference(id).expect("known")
    }

    /// The newest invitation of a site into a conference.
    pub fn invitation(&self, conference: ConferenceId, code: &str) -> &Invitation {
        self.conference(conference)
            .last_invitation(&callee(code))
            .expect("was called")
    }

    pub fn state(&self, conference: ConferenceId, code: &str) -> InvitationState {
        self.invitation(conference, code).state
    }

    /// The journal as text and back, into a new county.
    pub fn replayed(&self) -> County {
        let mut county = County::new();
        for event in &self.journal {
            let text = serde_json::to_string(event).unwrap();
            let read: Event = serde_json::from_str(&text).unwrap();
            assert_eq!(read, *event, "{text}");
            county.apply(&read);
        }
        county
    }

    /// As [`Self::replayed`], but by way of a snapshot taken after `split` events.
    pub fn restored(&self, split: usize) -> County {
        let (before, after) = self.journal.split_at(split.min(self.journal.len()));
        let mut county = County::new();
        before.iter().for_each(|event| county.apply(event));
        let text = serde_json::to_string(&county).unwrap();
        let mut county: County = serde_json::from_str(&text).unwrap();
        after.iter().for_each(|event| county.apply(event));
        county
    }
}

pub fn call(targets: &[Target], ordered: bool) -> Order {
    Order::Call {
        targets: targets.to_vec(),
        title: Some("防汛会商".to_owned()),
        ordered,
        incident: None,
    }
}
