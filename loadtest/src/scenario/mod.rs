//! What many bots do together.

mod call;
mod plan;
mod soak;
mod talk;
mod wish;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use liandong_protocol::{AccountId, SiteCode};
use tokio::sync::watch;

pub use call::{CallScenario, call};
pub use soak::{OwnProcess, SoakScenario, soak};
pub use talk::{TalkScenario, talk};

use crate::bot::{Behaviour, Bot, BotPlan, MediaPlan, Seen};
use crate::media::video::{Size, VideoLoop};
use crate::report::{BotReport, Report, Summary};
use crate::server::Server;
use crate::sites::Site;

/// Whose password is which.
#[derive(Clone, Eq, PartialEq)]
pub enum Choice {
    Same(String),
    Each(BTreeMap<String, String>),
}

impl std::fmt::Debug for Choice {
    /// Never shows a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Same(_) => "Same(..)",
            Self::Each(_) => "Each(..)",
        })
    }
}

/// What the bots of a run have in common.
#[derive(Clone, Debug)]
pub struct Fleet {
    pub server: Server,
    pub passwords: Choice,
    pub behaviour: Behaviour,
    pub media: Option<MediaPlan>,
    /// The index of every site of the list.
    pub roll: Arc<BTreeMap<SiteCode, u16>>,
}

impl Fleet {
    /// The room terminal of a site; its account is the site's code.
    ///
    /// # Errors
    /// There is no password for it.
    pub fn terminal(&self, site: &Site) -> anyhow::Result<BotPlan> {
        let account = AccountId(site.code.0.clone());
        let password = self.password(&account)?;
        let mut plan = BotPlan::terminal(account, password, site.name.clone(), site.index);
        plan.behaviour = self.behaviour;
        plan.media.clone_from(&self.media);
        plan.roll = self.roll.clone();
        Ok(plan)
    }

    fn password(&self, account: &AccountId) -> anyhow::Result<String> {
        match &self.passwords {
            Choice::Same(password) => Ok(password.clone()),
            Choice::Each(each) => match each.get(&account.0) {
                Some(password) => Ok(password.clone()),
                None => bail!("there is no password for {account} in the password file"),
            },
        }
    }
}

/// Keeps the sites online until Ctrl-C (or SIGTERM).
///
/// # Errors
/// An account is refused for good: wrong password, untrusted certificate.
pub async fn sites(fleet: &Fleet, chosen: &[Site], quiet: bool) -> anyhow::Result<Report> {
    let run = Run::start("sites", fleet);
    let plans = chosen
        .iter()
        .map(|site| fleet.terminal(site))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let bots: Vec<Bot> = plans
        .into_iter()
        .map(|plan| Bot::start(fleet.server.clone(), plan))
        .collect();
    let stop = stop_signal();
    tokio::pin!(stop);
    let result = tokio::select! {
        result = watch_over(&bots, quiet) => result,
        () = &mut stop => Ok(()),
    };
    let reports = stop_all(bots).await;
    result?;
    Ok(run.report(reports))
}

/// Tells what a person at the terminal wants to know; ends only with an error.
async fn watch_over(bots: &[Bot], quiet: bool) -> anyhow::Result<()> {
    let mut told = 0;
    let mut told_trouble = false;
    let mut look = tokio::time::interval(Duration::from_millis(250));
    loop {
        look.tick().await;
        let mut online = 0;
        for bot in bots {
            let seen = bot.seen();
            let seen = seen.borrow();
            if let Some(reason) = &seen.gave_up {
                bail!("{}: {reason}", bot.plan().account);
            }
            online += usize::from(seen.online);
            if let (Some(trouble), false) = (&seen.trouble, told_trouble) {
                tracing::warn!("{trouble}; tries again until it works");
                told_trouble = true;
            }
        }
        if online == bots.len() && told != online && !quiet {
            println!("{online} simulated sites are online");
        }
        if online == bots.len() {
            told_trouble = false;
        }
        told = online;
    }
}

async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => drop(terminate.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminate => {}
    }
}

/// Encodes what these sites are to send, before they join: a bot that is in and still encodes
/// would look like a slot without a picture, and takes the machine from all others.
async fn encode(fleet: &Fleet, indices: Vec<u16>) -> anyhow::Result<()> {
    let Some(media) = fleet.media.as_ref().filter(|media| media.sends) else {
        return Ok(());
    };
    let sizes: &[Size] = match media.simulcast {
        true => &Size::SIMULCAST,
        false => &[Size::SINGLE],
    };
    let mut encoding = tokio::task::JoinSet::new();
    for index in indices {
        encoding.spawn_blocking(move || {
            let made = |size: &Size| VideoLoop::of(index, *size).map(drop);
            sizes.iter().try_for_each(made)
        });
    }
    while let Some(made) = encoding.join_next().await {
        let made = made.context("encoding the pictures")?;
        made.context("encoding the pictures")?;
    }
    Ok(())
}

/// Stops all bots at once and gathers their figures.
async fn stop_all(bots: Vec<Bot>) -> Vec<BotReport> {
    let stopping: Vec<_> = bots
        .into_iter()
        .map(|bot| tokio::spawn(bot.stop()))
        .collect();
    let mut reports = Vec::new();
    for stopped in stopping {
        if let Ok(report) = stopped.await {
            reports.push(report);
        }
    }
    reports.sort_by_key(|report: &BotReport| report.index);
    reports
}

/// Waits until what a bot sees satisfies the condition.
async fn until(
    mut seen: watch::Receiver<Seen>,
    patience: Duration,
    what: &str,
    condition: impl FnMut(&Seen) -> bool + Send,
) -> anyhow::Result<()> {
    match tokio::time::timeout(patience, seen.wait_for(condition)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(_)) => bail!("the bot ended before {what}"),
        Err(_) => bail!("not in {} s: {what}", patience.as_secs()),
    }
}

/// The head of a report.
struct Run {
    scenario: &'static str,
    server: String,
    started: Instant,
    started_at_ms: u64,
}

impl Run {
    fn start(scenario: &'static str, fleet: &Fleet) -> Self {
        Self {
            scenario,
            server: fleet.server.origin(),
            started: Instant::now(),
            started_at_ms: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_millis() as u64),
        }
    }

    fn report(self, bots: Vec<BotReport>) -> Report {
        Report {
            scenario: self.scenario.to_owned(),
            server: self.server,
            started_at_ms: self.started_at_ms,
            seconds: self.started.elapsed().as_secs_f64(),
            summary: Summary::of(&bots),
            checks: Vec::new(),
            load: None,
            soak: None,
            bots,
        }
    }
}
