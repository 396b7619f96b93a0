//! A long call in which nothing stays as it is.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use liandong_impair::{Command as LineCommand, Proxy};
use liandong_protocol::{AccountId, ConferenceId, Reply, Request, SiteCode, Target};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::process::{Child, Command};

use super::wish::show;
use super::{Fleet, Run, encode, stop_all, until};
use crate::bot::{Behaviour, Bot, BotPlan};
use crate::process::Process;
use crate::report::{Check, Report, Sample, Soak};
use crate::sites::Site;

/// From one disturbance to the next.
const STEP: Duration = Duration::from_secs(2);
/// From one look to the next.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// The absent are called again.
const CALL_AGAIN_EVERY: Duration = Duration::from_secs(15);
/// A bot may take so long to be seen and to see.
const SETTLED: Duration = Duration::from_secs(20);
/// The same after a change of its way to the server; the rest of the time a slot is dark anyway
/// before it counts as stuck.
const FOLLOWED: Duration = Duration::from_secs(10);
/// A bot in the call is to have media again after so long.
const NO_MEDIA: Duration = Duration::from_secs(20);
/// When more than one in so many sites is away, one of them comes.
const AWAY_SHARE: usize = 4;
/// Heights that bots ask for. None of 0: a tile that was scrolled away is dark by right.
const HEIGHTS: [u32; 4] = [90, 180, 360, 720];
/// The server's memory may grow by so much in the second half, whatever its size.
const GROWTH_KB_PER_MINUTE: f64 = 400.0;
/// One of so many sites runs as a process of its own, which is killed.
const KILLED_SHARE: usize = 4;

/// How to start this program once more.
#[derive(Clone)]
pub struct OwnProcess {
    pub program: PathBuf,
    /// All but the sites.
    pub arguments: Vec<String>,
    pub password: Option<String>,
}

impl std::fmt::Debug for OwnProcess {
    /// Never shows the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("OwnProcess").field(&self.program).finish()
    }
}

/// Who takes part, and for how long.
#[derive(Debug)]
pub struct SoakScenario {
    pub sites: Vec<Site>,
    /// The site whose subtree is called.
    pub root: SiteCode,
    pub caller: AccountId,
    pub duration: Duration,
    pub server: Process,
    /// In front of the server's media port.
    pub proxy: Option<Proxy>,
    pub seed: u64,
    pub own_process: OwnProcess,
}

/// A site of this process, there or away.
struct Guest {
    plan: BotPlan,
    bot: Option<Bot>,
    /// From then on it counts as settled.
    settled_at: Instant,
    /// Since when it is in the call without media.
    without_media: Option<Instant>,
}

/// A site of another process.
struct Killed {
    site: Site,
    process: Option<Child>,
}

struct Stage<'a> {
    fleet: &'a Fleet,
    scenario: &'a SoakScenario,
    caller: Bot,
    conference: ConferenceId,
    guests: Vec<Guest>,
    killed: Vec<Killed>,
    chance: StdRng,
    found: Soak,
    /// Slots that stayed dark: bot, slot, site.
    stuck: Vec<String>,
    /// Bots that were in the call without media for too long.
    without_media: Vec<String>,
    started: Instant,
}

/// Runs the soak and makes the checks.
///
/// # Errors
/// The call could not be made at all.
pub async fn soak(fleet: &Fleet, scenario: &SoakScenario) -> anyhow::Result<Report> {
    let run = Run::start("soak", fleet);
    let mut stage = Stage::open(fleet, scenario).await?;
    let result = stage.play().await;
    let (found, mut checks) = (stage.found.clone(), stage.checks());
    for killed in &mut stage.killed {
        killed.process = None;
    }
    let mut bots: Vec<Bot> = stage.guests.into_iter().filter_map(|g| g.bot).collect();
    bots.push(stage.caller);
    let mut report = run.report(stop_all(bots).await);
    result?;
    let wrong = report.summary.wrong_slot_frames;
    checks.push(check("no frame in a wrong slot", wrong == 0, wrong));
    report.checks = checks;
    report.soak = Some(found);
    Ok(report)
}

impl<'a> Stage<'a> {
    async fn open(fleet: &'a Fleet, scenario: &'a SoakScenario) -> anyhow::Result<Self> {
        let mut caller_plan = BotPlan::terminal(
            scenario.caller.clone(),
            fleet.password(&scenario.caller)?,
            scenario.caller.0.clone(),
            0,
        );
        caller_plan.device = liandong_protocol::Device::Console;
        caller_plan.auto_answer = false;
        caller_plan.behaviour = Behaviour::Never;
        caller_plan.media.clone_from(&fleet.media);
        caller_plan.roll = fleet.roll.clone();
        let apart = scenario.sites.len() / KILLED_SHARE;
        let (killed, guests) = scenario.sites.split_at(apart);
        // Before they join: a bot that is in and still encodes would look like a stuck slot.
        let indices: Vec<u16> = guests.iter().map(|site| site.index).chain([0]).collect();
        encode(fleet, indices).await?;
        let now = Instant::now();
        let caller = Bot::start(fleet.server.clone(), caller_plan);
        let guests = guests
            .iter()
            .map(|site| {
                let plan = fleet.terminal(site)?;
                let bot = Some(Bot::start(fleet.server.clone(), plan.clone()));
                Ok(Guest {
                    plan,
                    bot,
                    settled_at: now + SETTLED,
                    without_media: None,
                })
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        for bot in guests
            .iter()
            .filter_map(|g| g.bot.as_ref())
            .chain([&caller])
        {
            let what = format!("{} is online", bot.plan().account);
            until(bot.seen(), Duration::from_secs(60), &what, |s| s.online).await?;
        }
        let request = Request::Call {
            targets: vec![Target::Subtree {
                root: scenario.root.clone(),
            }],
            title: None,
            ordered: true,
            incident: None,
        };
        let key = format!("soak-{:016x}", rand::random::<u64>());
        let called = caller.order(Some(key), request).await;
        let Reply::Called { conference, .. } = called.context("the call cannot be made")? else {
            bail!("the call was answered by something else");
        };
        let apart = |site: &Site| Killed {
            site: site.clone(),
            process: None,
        };
        Ok(Self {
            fleet,
            scenario,
            caller,
            conference,
            guests,
            killed: killed.iter().map(apart).collect(),
            chance: StdRng::seed_from_u64(scenario.seed),
            found: Soak::default(),
            stuck: Vec::new(),
            without_media: Vec::new(),
            started: now,
        })
    }

    async fn play(&mut self) -> anyhow::Result<()> {
        let mut step = tokio::time::interval(STEP);
        let (mut looked, mut called) = (Instant::now(), Instant::now());
        while self.started.elapsed() < self.scenario.duration {
            step.tick().await;
            self.follow();
            self.disturb().await?;
            if called.elapsed() > CALL_AGAIN_EVERY {
                called = Instant::now();
                let request = Request::InviteAbsent {
                    conference: self.conference,
                };
                if self.caller.order(None, request).await.is_ok() {
                    self.count("calls of the absent");
                }
            }
            if looked.elapsed() > LOOK_EVERY {
                looked = Instant::now();
                self.look()?;
            }
        }
        self.found.fit();
        Ok(())
    }

    /// Who is in without media sends nothing, which is no fault of the slots that show it; but
    /// it may not stay so.
    fn follow(&mut self) {
        let now = Instant::now();
        for guest in &mut self.guests {
            let without = guest.bot.as_ref().is_some_and(|bot| {
                let seen = bot.seen();
                let seen = seen.borrow();
                seen.conference.is_some() && !seen.media_connected
            });
            if !without {
                guest.without_media = None;
                continue;
            }
            guest.settled_at = guest.settled_at.max(now + FOLLOWED);
            let since = *guest.without_media.get_or_insert(now);
            if now - since > NO_MEDIA {
                guest.without_media = Some(now);
                let at = (now - self.started).as_secs();
                let account = &guest.plan.account;
                self.without_media.push(format!("{account} at {at} s"));
            }
        }
    }

    fn count(&mut self, what: &str) {
        *self.found.done.entry(what.to_owned()).or_default() += 1;
    }

    /// One thing, chosen by chance.
    async fn disturb(&mut self) -> anyhow::Result<()> {
        match self.chance.random_range(0..100) {
            0..45 => self.switch().await,
            45..65 => self.come_or_go().await,
            65..80 => self.kill_or_start()?,
            80..97 => self.restart_path(),
            _ => self.change_network(),
        }
        Ok(())
    }

    fn some_guest(&mut self) -> usize {
        self.chance.random_range(0..self.guests.len().max(1))
    }

    async fn switch(&mut self) {
        let number = self.some_guest();
        let Some(bot) = self.guests.get(number).and_then(|g| g.bot.as_ref()) else {
            return;
        };
        if show(bot, &HEIGHTS, &mut self.chance).await {
            self.count("switches of what is shown");
        }
    }

    async fn come_or_go(&mut self) {
        let away: Vec<usize> = (0..self.guests.len())
            .filter(|number| self.guests[*number].bot.is_none())
            .collect();
        let number = if away.len() > self.guests.len() / AWAY_SHARE {
            away[self.chance.random_range(0..away.len())]
        } else {
            self.some_guest()
        };
        let server = self.fleet.server.clone();
        let Some(guest) = self.guests.get_mut(number) else {
            return;
        };
        guest.settled_at = Instant::now() + SETTLED;
        match guest.bot.take() {
            Some(bot) => {
                bot.stop().await;
                self.count("leaves");
            }
            None => {
                guest.bot = Some(Bot::start(server, guest.plan.clone()));
                self.count("joins");
            }
        }
    }

    fn kill_or_start(&mut self) -> anyhow::Result<()> {
        if self.killed.is_empty() {
            return Ok(());
        }
        let number = self.chance.random_range(0..self.killed.len());
        let own = &self.scenario.own_process;
        let killed = &mut self.killed[number];
        if killed.process.take().is_some() {
            // Dropping it kills it.
            self.count("kills");
            return Ok(());
        }
        let mut command = Command::new(&own.program);
        command
            .args(&own.arguments)
            .args(["--sites", &killed.site.code.0])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true);
        if let Some(password) = &own.password {
            command.env("LIANDONG_DEMO_PASSWORD", password);
        }
        killed.process = Some(command.spawn().context("a process of one site")?);
        self.count("processes started");
        Ok(())
    }

    fn restart_path(&mut self) {
        let number = self.some_guest();
        if let Some(guest) = self.guests.get_mut(number)
            && let Some(bot) = &guest.bot
        {
            bot.restart_ice();
            guest.settled_at = guest.settled_at.max(Instant::now() + FOLLOWED);
            self.count("ICE restarts");
        }
    }

    /// All media clients come from another address, as behind another router.
    fn change_network(&mut self) {
        let Some(proxy) = &self.scenario.proxy else {
            return;
        };
        if proxy.change(&LineCommand::rebind()).is_ok() {
            let followed = Instant::now() + FOLLOWED;
            for guest in &mut self.guests {
                guest.settled_at = guest.settled_at.max(followed);
            }
            self.count("changes of all networks");
        }
    }

    /// Takes a sample, and notes slots that show nothing of a settled bot to a settled bot.
    fn look(&mut self) -> anyhow::Result<()> {
        let rss = self.scenario.server.rss_kb();
        let server_rss_kb = rss.context("the server has ended")?;
        let now = Instant::now();
        let settled = |guest: &&Guest| {
            now >= guest.settled_at
                && guest
                    .bot
                    .as_ref()
                    .is_some_and(|bot| bot.seen().borrow().media_connected)
        };
        let senders: Vec<u16> = self
            .guests
            .iter()
            .filter(settled)
            .map(|guest| guest.plan.index)
            .collect();
        let mut sample = Sample {
            at_s: self.started.elapsed().as_secs_f64(),
            server_rss_kb,
            ..Sample::default()
        };
        for guest in self.guests.iter().filter(settled) {
            sample.connected += 1;
            let Some(bot) = &guest.bot else {
                continue;
            };
            for slot in bot.report().video_slots {
                sample.paused += u32::from(slot.health.paused);
                if slot.health.stuck && slot.shows.is_some_and(|i| senders.contains(&i)) {
                    sample.stuck += 1;
                    let (account, at) = (&bot.plan().account, sample.at_s);
                    let site = slot.shows.unwrap_or_default();
                    let text = format!("{account} slot {} of site {site} at {at:.0} s", slot.slot);
                    tracing::warn!("stuck: {text}");
                    self.stuck.push(text);
                }
            }
        }
        tracing::info!(?sample, "looks");
        self.found.samples.push(sample);
        Ok(())
    }

    fn checks(&self) -> Vec<Check> {
        let growth = self.found.rss_kb_per_minute;
        let first_of = |all: &[String]| match all {
            [] => "none".to_owned(),
            [first, rest @ ..] => format!("{first}; and {} more", rest.len()),
        };
        let connected = self.found.samples.iter().map(|s| s.connected).max();
        vec![
            check(
                "the server lives",
                self.scenario.server.rss_kb().is_some(),
                self.found.samples.len(),
            ),
            check(
                "its memory is flat",
                growth.is_some_and(|growth| growth < GROWTH_KB_PER_MINUTE),
                format!("{:+.0} kB a minute", growth.unwrap_or(f64::NAN)),
            ),
            check(
                "no slot is stuck",
                self.stuck.is_empty(),
                first_of(&self.stuck),
            ),
            check(
                "no bot stays without media",
                self.without_media.is_empty(),
                first_of(&self.without_media),
            ),
            check(
                "bots were connected",
                connected.is_some_and(|most| most > 1),
                connected.unwrap_or_default(),
            ),
        ]
    }
}

fn check(name: &str, passed: bool, found: impl std::fmt::Display) -> Check {
    Check {
        name: name.to_owned(),
        passed,
        found: found.to_string(),
    }
}
