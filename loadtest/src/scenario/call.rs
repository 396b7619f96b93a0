//! The call of a whole county.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use liandong_protocol::{
    AccountId, ConferenceId, Device, InvitationId, InvitationState, Reply, Request, SiteCode,
    Target,
};

use super::plan;
use super::wish::show;
use super::{Fleet, Run, encode, stop_all, until};
use crate::bot::{Behaviour, Bot, BotPlan, InvitationTimes, Seen};
use crate::process::Process;
use crate::report::{BotReport, Check, Load, Report, SlotReport, Summary};
use crate::sites::Site;

/// How long all may take to log in: fifty password checks on a small machine.
const LOGIN_PATIENCE: Duration = Duration::from_secs(60);
/// How long all may take to answer and connect before the call counts as failed.
const JOIN_PATIENCE: Duration = Duration::from_secs(45);

/// Who is called and for how long.
#[derive(Clone, Debug)]
pub struct CallScenario {
    /// They are online when the order goes out.
    pub sites: Vec<Site>,
    /// The site whose subtree is called.
    pub root: SiteCode,
    pub caller: AccountId,
    pub caller_slots: u8,
    /// From the moment that all are in.
    pub duration: Duration,
    /// The check of the answer times.
    pub max_answer_p95_ms: f64,
    /// Not by a plain call: an incident is reported and verified, and the plan that fits it best is started.
    pub by_plan: bool,
    /// Each bot asks for tiles of this height once all are in; otherwise the server chooses.
    pub tile_height: Option<u32>,
    /// The server's process, to say what it takes.
    pub server: Option<Process>,
}

/// What the caller saw of one site.
struct Outcome {
    state: InvitationState,
    times: InvitationTimes,
}

/// Runs the call and makes the checks.
///
/// # Errors
/// The call could not be made at all: no login, the order refused.
pub async fn call(fleet: &Fleet, scenario: &CallScenario) -> anyhow::Result<Report> {
    let run = Run::start("call", fleet);
    let indices = scenario.sites.iter().map(|site| site.index);
    encode(fleet, indices.chain([0]).collect()).await?;
    let caller = Bot::start(fleet.server.clone(), caller_plan(fleet, scenario)?);
    let plans = scenario
        .sites
        .iter()
        .map(|site| fleet.terminal(site))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let mut bots: Vec<Bot> = plans
        .into_iter()
        .map(|plan| Bot::start(fleet.server.clone(), plan))
        .collect();
    bots.push(caller);
    let result = hold(&bots, scenario).await;
    let reports = stop_all(bots).await;
    let called = result?;
    Ok(judge(
        run,
        reports,
        &called,
        scenario,
        fleet.media.is_some(),
    ))
}

fn caller_plan(fleet: &Fleet, scenario: &CallScenario) -> anyhow::Result<BotPlan> {
    let mut media = fleet.media.clone();
    if let Some(media) = &mut media {
        media.video_slots = scenario.caller_slots;
    }
    Ok(BotPlan {
        account: scenario.caller.clone(),
        password: fleet.password(&scenario.caller)?,
        name: scenario.caller.0.clone(),
        index: 0,
        device: Device::Console,
        auto_answer: false,
        behaviour: Behaviour::Never,
        media,
        roll: fleet.roll.clone(),
    })
}

/// The order and what came of it, by the site's code.
struct Called {
    ordered: Instant,
    /// When each site's own device rang.
    rung: BTreeMap<SiteCode, Instant>,
    outcomes: BTreeMap<SiteCode, Outcome>,
    load: Option<Load>,
}

async fn hold(bots: &[Bot], scenario: &CallScenario) -> anyhow::Result<Called> {
    for bot in bots {
        let what = format!("{} is online", bot.plan().account);
        until(bot.seen(), LOGIN_PATIENCE, &what, |seen| {
            seen.online || seen.gave_up.is_some()
        })
        .await
        .with_context(|| bot.seen().borrow().trouble.clone().unwrap_or_default())?;
        if let Some(reason) = &bot.seen().borrow().gave_up {
            bail!("{}: {reason}", bot.plan().account);
        }
    }
    let caller = bots.last().context("there is no caller")?;
    tracing::info!("all are online; {} calls", caller.plan().account);

    let request = if scenario.by_plan {
        plan::ready(caller).await?
    } else {
        Request::Call {
            targets: vec![Target::Subtree {
                root: scenario.root.clone(),
            }],
            title: None,
            ordered: true,
            incident: None,
        }
    };
    let ordered = Instant::now();
    let (conference, invitations) = order(caller, request).await?;
    let wanted = scenario.sites.len();
    let all_in = |seen: &Seen| {
        let joined = invitations
            .iter()
            .filter(|id| seen.times.get(id).is_some_and(|t| t.joined.is_some()));
        joined.count() >= wanted
    };
    // Too few in time is for the checks to say, with the figures.
    let in_time = until(caller.seen(), JOIN_PATIENCE, "all sites are in", all_in).await;
    tracing::info!(
        after_ms = ordered.elapsed().as_millis() as u64,
        complete = in_time.is_ok(),
        "the sites are in"
    );
    if let Some(height) = scenario.tile_height {
        for bot in bots {
            show(bot, &[height], &mut rand::rng()).await;
        }
    }
    let load = run_for(scenario.duration, scenario.server).await;

    let outcomes = outcomes(&caller.seen().borrow(), &invitations);
    let rung = bots.iter().filter_map(|bot| {
        let rung = bot.seen().borrow().rung?;
        Some((SiteCode(bot.plan().account.0.clone()), rung))
    });
    let rung = rung.collect();
    end(caller, conference).await?;
    Ok(Called {
        ordered,
        rung,
        outcomes,
        load,
    })
}

/// Lets the call run, and says what it took; `None` of an unknown server.
async fn run_for(duration: Duration, server: Option<Process>) -> Option<Load> {
    let times = || Some((server?.cpu()?, Process::own().cpu()?));
    let before = times();
    let start = Instant::now();
    tokio::time::sleep(duration).await;
    let seconds = start.elapsed().as_secs_f64();
    let ((server_before, bots_before), (server_after, bots_after)) = (before?, times()?);
    let cores = |after: Duration, before: Duration| (after - before).as_secs_f64() / seconds;
    Some(Load {
        seconds,
        server_cores: cores(server_after, server_before),
        bots_cores: cores(bots_after, bots_before),
        server_rss_kb: server?.rss_kb()?,
    })
}

async fn order(
    caller: &Bot,
    request: Request,
) -> anyhow::Result<(ConferenceId, Vec<InvitationId>)> {
    let key = format!("call-{:016x}", rand::random::<u64>());
    let reply = caller.order(Some(key), request).await;
    match reply.context("the call cannot be made")? {
        Reply::Called {
            conference,
            invitations,
        } => Ok((conference, invitations)),
        other => bail!("the call was answered by {other:?}"),
    }
}

async fn end(caller: &Bot, conference: ConferenceId) -> anyhow::Result<()> {
    caller
        .order(None, Request::End { conference })
        .await
        .context("the call cannot be ended")?;
    until(
        caller.seen(),
        Duration::from_secs(5),
        "the call has ended",
        |seen| seen.conference.is_none(),
    )
    .await
}

fn outcomes(seen: &Seen, invitations: &[InvitationId]) -> BTreeMap<SiteCode, Outcome> {
    invitations
        .iter()
        .filter_map(|id| {
            let invitation = seen.invitations.get(id)?;
            let Target::Site { code } = &invitation.target else {
                return None;
            };
            let outcome = Outcome {
                state: invitation.state,
                times: seen.times.get(id).copied().unwrap_or_default(),
            };
            Some((code.clone(), outcome))
        })
        .collect()
}

fn judge(
    run: Run,
    mut reports: Vec<BotReport>,
    called: &Called,
    scenario: &CallScenario,
    with_media: bool,
) -> Report {
    let since = |at: Option<Instant>| {
        at.map(|at| at.saturating_duration_since(called.ordered).as_secs_f64() * 1e3)
    };
    for report in &mut reports {
        if let Some(outcome) = called.outcomes.get(&SiteCode(report.account.clone())) {
            report.order_to_answered_ms = since(outcome.times.answered);
            report.order_to_joined_ms = since(outcome.times.joined);
        }
        let rung = called.rung.get(&SiteCode(report.account.clone()));
        report.order_to_ringing_ms = since(rung.copied());
    }
    let mut report = run.report(reports);
    report.summary.rung = called.outcomes.len() as u32;
    report.load.clone_from(&called.load);
    report.checks = checks(&report.summary, &report.bots, called, scenario);
    if !with_media {
        report.checks.truncate(ANSWER_CHECKS);
    }
    report
}

/// The first checks need no media.
const ANSWER_CHECKS: usize = 3;

fn checks(
    summary: &Summary,
    bots: &[BotReport],
    called: &Called,
    scenario: &CallScenario,
) -> Vec<Check> {
    let wanted = scenario.sites.len() as u32;
    let check = |name: &str, passed: bool, found: String| Check {
        name: name.to_owned(),
        passed,
        found,
    };
    let missing: Vec<String> = scenario
        .sites
        .iter()
        .filter_map(|site| match called.outcomes.get(&site.code) {
            None => Some(format!("{} was not rung", site.name)),
            Some(outcome) if outcome.times.joined.is_none() => {
                Some(format!("{} is {:?}", site.name, outcome.state))
            }
            Some(_) => None,
        })
        .collect();
    let empty: Vec<String> = bots.iter().flat_map(silent_slots).collect();
    let refused: Vec<String> = bots
        .iter()
        .flat_map(|b| {
            b.refused
                .iter()
                .map(|(code, n)| format!("{} {n}× {code}", b.account))
        })
        .collect();
    vec![
        check(
            "every site answered",
            summary.answered == wanted,
            format!("{} of {wanted}", summary.answered),
        ),
        check(
            "answered in time",
            summary
                .answer_p95_ms
                .is_some_and(|p95| p95 <= scenario.max_answer_p95_ms),
            summary.answer_p95_ms.map_or_else(
                || "nobody did".to_owned(),
                |p95| {
                    format!(
                        "p95 {p95:.0} ms, limit {:.0} ms",
                        scenario.max_answer_p95_ms
                    )
                },
            ),
        ),
        check("nothing was refused", refused.is_empty(), list(&refused)),
        check(
            "every site's media connected",
            missing.is_empty(),
            list(&missing),
        ),
        check(
            "every slot received its picture",
            empty.is_empty(),
            list(&empty),
        ),
        check(
            "no frame in a wrong slot",
            summary.wrong_slot_frames == 0 && summary.frames_received > 0,
            format!(
                "{} of {} frames",
                summary.wrong_slot_frames, summary.frames_received
            ),
        ),
        check(
            "no garbled picture",
            summary.garbled_frames == 0 && summary.frames_received > 0,
            format!(
                "{} of {} frames",
                summary.garbled_frames, summary.frames_received
            ),
        ),
        check(
            "no packet lost",
            summary.packets_lost == 0 && summary.packets_received > 0,
            format!(
                "{} of {} packets",
                summary.packets_lost,
                summary.packets_received + summary.packets_lost
            ),
        ),
    ]
}

/// Slots that were to show somebody and stayed dark.
fn silent_slots(bot: &BotReport) -> Vec<String> {
    let dark = |slot: &&SlotReport| slot.switches > 0 && slot.frames == 0;
    let mut found: Vec<String> = bot
        .video_slots
        .iter()
        .filter(dark)
        .map(|slot| format!("{} slot {} is dark", bot.account, slot.slot))
        .collect();
    if !bot.video_slots.is_empty() && bot.video_slots.iter().all(|s| s.switches == 0) {
        found.push(format!("{} was assigned nobody", bot.account));
    }
    found
}

fn list(items: &[String]) -> String {
    const SHOWN: usize = 5;
    match items.len() {
        0 => "none".to_owned(),
        n if n <= SHOWN => items.join("; "),
        n => format!("{}; and {} more", items[..SHOWN].join("; "), n - SHOWN),
    }
}
