//! kill -9 at random points in a script of random orders by several accounts.
//!
//! After each restart the journal is replayed order by order through the rules:
//! every order that is in it must be there whole, every acknowledged one must be in it, once,
//! with the outcome that was told, and the server must show just that state.
#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

mod kills {
    pub mod draw;
    pub mod model;
}
mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use kills::draw::draw;
use kills::model::Model;
use liandong_protocol::{Refusal, Reply, Request};
use liandong_server::views::wire;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand::{RngExt as _, SeedableRng as _};
use support::{Client, County, Server};

/// Of each of the two scripts, which run side by side.
const KILLS: usize = 100;
const ORDERS: usize = 250;
const COMMANDER: &str = "commander";
const OTHERS: [&str; 4] = ["101", "102", "101001", "field1"];
/// At the most between the last order and the kill: it may find the order anywhere from the
/// socket to the reply.
const KILL_WITHIN_US: u64 = 4_000;

/// One order as it was sent, so that it can be sent again.
#[derive(Clone, Debug)]
struct Sent {
    account: &'static str,
    key: String,
    request: Request,
}

struct Script {
    county: County,
    model: Model,
    rng: StdRng,
    cookies: BTreeMap<&'static str, String>,
    /// Acknowledged, and with what.
    acknowledged: Vec<(Sent, Reply)>,
    /// Keys of orders that were refused.
    refused: Vec<String>,
    /// On their way at the last kill, and never answered.
    open: Vec<Sent>,
    sent: usize,
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_a_hundred_times_in_a_script_of_orders() {
    Script::run(0x6c69_616e_646f_6e67).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_a_hundred_times_in_another_script() {
    Script::run(0x6e61_6e6a_6961_6e67).await;
}

impl Script {
    async fn run(seed: u64) {
        let seed = std::env::var("LIANDONG_SEED").map_or(seed, |seed| seed.parse().unwrap());
        println!("LIANDONG_SEED={seed}");
        let county = County::new();
        let mut script = Self {
            model: Model::new(&county),
            county,
            rng: StdRng::seed_from_u64(seed),
            cookies: BTreeMap::new(),
            acknowledged: Vec::new(),
            refused: Vec::new(),
            open: Vec::new(),
            sent: 0,
        };
        for round in 0..KILLS {
            let server = script.county.start();
            let mut clients = script.come().await;
            script.resend(&mut clients).await;
            let upto = ORDERS * (round + 1) / KILLS;
            script.orders_and_kill(server, clients, upto).await;
        }
        let _server = script.county.start();
        let mut clients = script.come().await;
        script.resend(&mut clients).await;
        assert_eq!(script.sent, ORDERS);
        // Otherwise the script would show little.
        assert!(
            script.acknowledged.len() > ORDERS / 2,
            "{}",
            script.acknowledged.len()
        );
        let (sound, said) = script.county.verify();
        assert!(sound, "{said}");
    }

    /// The commander and two of the others come back; what the commander is shown is
    /// the replayed state.
    async fn come(&mut self) -> BTreeMap<&'static str, Client> {
        let mut others = OTHERS;
        others.shuffle(&mut self.rng);
        let mut clients = BTreeMap::new();
        for account in others.into_iter().take(2) {
            let (client, _) = self.client(account).await;
            clients.insert(account, client);
        }
        self.catch_up();
        let (client, welcome) = self.client(COMMANDER).await;
        clients.insert(COMMANDER, client);
        let Reply::Welcome { snapshot, .. } = welcome else {
            panic!("{welcome:?}");
        };
        // Deadlines may pass at any moment: it was the state at one of these entries.
        let mut shown = self.model.shows(COMMANDER, &snapshot);
        while !shown && self.model.step() {
            shown = self.model.shows(COMMANDER, &snapshot);
        }
        assert!(shown, "not the state of the journal: {snapshot:#?}");
        self.catch_up();
        clients
    }

    async fn client(&mut self, account: &'static str) -> (Client, Reply) {
        if !self.cookies.contains_key(account) {
            let cookie = self.county.cookie(account).await;
            self.cookies.insert(account, cookie);
        }
        let cookie = self.cookies[account].as_str();
        let mut client = self.county.socket(&[("cookie", cookie)]).await.unwrap();
        let welcome = client.hello(None).await.unwrap();
        (client, welcome)
    }

    /// What was on its way when the server died, and one that was acknowledged long ago,
    /// are sent again with their keys.
    async fn resend(&mut self, clients: &mut BTreeMap<&'static str, Client>) {
        for sent in std::mem::take(&mut self.open) {
            let before = self.model.outcome(&sent.key).cloned();
            let Some(client) = clients.get_mut(sent.account) else {
                self.open.push(sent); // with a later round
                continue;
            };
            let answer = client.ask_once(sent.request.clone(), Some(&sent.key)).await;
            if let Some(before) = before {
                assert_eq!(answer, Ok(wire::outcome(before)), "{sent:?}");
            }
            self.answered(sent, answer);
        }
        // Of each account the last keys are promised to be known, the older ones not.
        let there = |(sent, _): &&(Sent, Reply)| {
            clients.contains_key(sent.account) && self.model.keeps(sent.account, &sent.key)
        };
        let known: Vec<_> = self.acknowledged.iter().filter(there).cloned().collect();
        if let Some((sent, reply)) = known.choose(&mut self.rng).cloned() {
            let client = clients.get_mut(sent.account).unwrap();
            let again = client.ask_once(sent.request, Some(&sent.key)).await;
            assert_eq!(again, Ok(reply), "{}", sent.key);
        }
        self.catch_up();
    }

    /// All but the last few are waited for; the kill finds those anywhere on their way.
    async fn orders_and_kill(
        &mut self,
        server: Server,
        mut clients: BTreeMap<&'static str, Client>,
        upto: usize,
    ) {
        let last = self.rng.random_range(1..=(upto - self.sent).min(2));
        while self.sent + last < upto {
            let sent = self.next(&clients);
            let client = clients.get_mut(sent.account).unwrap();
            let answer = client.ask_once(sent.request.clone(), Some(&sent.key)).await;
            self.answered(sent, answer);
            self.catch_up();
        }
        let mut begun = Vec::new();
        while self.sent < upto {
            let sent = self.next(&clients);
            let client = clients.get_mut(sent.account).unwrap();
            let id = client.begin(sent.request.clone(), Some(&sent.key)).await;
            begun.push((id, sent));
        }
        let wait = Duration::from_micros(self.rng.random_range(0..KILL_WITHIN_US));
        let first = clients.get_mut(begun[0].1.account).unwrap();
        let mut answers = Vec::new();
        if let Ok(Some(answer)) = tokio::time::timeout(wait, first.reply_or_end()).await {
            answers.push((begun[0].1.account, answer));
        }
        drop(server); // SIGKILL
        for (account, client) in &mut clients {
            while let Some(answer) = client.reply_or_end().await {
                answers.push((account, answer));
            }
        }
        for (id, sent) in begun {
            let answer = answers
                .iter()
                .find(|(account, (of, _))| *account == sent.account && *of == id);
            match answer {
                Some((_, (_, answer))) => self.answered(sent, answer.clone()),
                None => self.open.push(sent),
            }
        }
        self.catch_up();
    }

    fn next(&mut self, clients: &BTreeMap<&'static str, Client>) -> Sent {
        let accounts: Vec<&'static str> = clients.keys().copied().collect();
        let (account, request) = draw(&mut self.rng, self.model.county(), &accounts);
        let key = format!("order-{}", self.sent);
        self.sent += 1;
        Sent {
            account,
            key,
            request,
        }
    }

    fn answered(&mut self, sent: Sent, answer: Result<Reply, Refusal>) {
        match answer {
            Ok(reply) => self.acknowledged.push((sent, reply)),
            // A deadline passed meanwhile, or another order came before.
            Err(_) => self.refused.push(sent.key),
        }
    }

    fn catch_up(&mut self) {
        self.model.catch_up();
        for (sent, reply) in &self.acknowledged {
            let outcome = self.model.outcome(&sent.key).cloned();
            assert_eq!(outcome.map(wire::outcome).as_ref(), Some(reply), "{sent:?}");
        }
        for key in &self.refused {
            assert_eq!(self.model.outcome(key), None, "{key} was refused");
        }
    }
}
