//! Hundreds of radios in many groups: from the key to the floor, and from the
//! wish to listen to the voice.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use liandong_protocol::talk::{FloorAct, FloorStanding};
use liandong_protocol::{AccountId, TalkGroupId};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::Fleet;
use crate::bot::{Radio, Sound};
use crate::report::TalkReport;

/// Logins at a time: each is a slow password hash at the server.
const LOGINS: usize = 8;
/// How long somebody speaks, in ms.
const SPEAKS_MS: std::ops::Range<u64> = 300..1_200;
/// From the first sound of a talk until somebody comes late.
const LATE_BY: Duration = Duration::from_millis(600);

/// Who talks, and for how long.
#[derive(Clone, Debug)]
pub struct TalkScenario {
    /// Accounts `member1`, `member2` …, each in one group.
    pub members: usize,
    pub duration: Duration,
    /// Between two presses of one member, on average.
    pub pause: Duration,
    /// Groups in which one speaks with sound and others come late.
    pub late_groups: usize,
    /// Goal for the 99th percentile from the key to the floor.
    pub max_grant_p99_ms: f64,
    pub seed: u64,
}

/// What one member measured.
#[derive(Debug, Default)]
struct Measured {
    /// The floor was free, or taken from somebody of less rank.
    granted_ms: Vec<f64>,
    /// Any answer.
    answered_ms: Vec<f64>,
    queued: u64,
    denied: u64,
}

/// # Errors
/// Somebody cannot log in, belongs to no group, or is not answered.
pub async fn talk(fleet: &Fleet, scenario: &TalkScenario) -> anyhow::Result<TalkReport> {
    let radios = log_in(fleet, scenario.members).await?;
    let mut members: Vec<(Arc<Radio>, TalkGroupId)> = Vec::with_capacity(radios.len());
    for radio in radios {
        let group = radio.group().await?;
        radio.act(group, FloorAct::Listen).await?;
        members.push((Arc::new(radio), group));
    }
    let mut groups: Vec<TalkGroupId> = members.iter().map(|(_, group)| *group).collect();
    groups.sort_unstable();
    groups.dedup();
    let until = Instant::now() + scenario.duration;
    let mut talking = JoinSet::new();
    for (at, (radio, group)) in members.iter().enumerate() {
        let (radio, group, pause) = (Arc::clone(radio), *group, scenario.pause);
        let dice = StdRng::seed_from_u64(scenario.seed + at as u64);
        talking.spawn(member(radio, group, pause, until, dice));
    }
    let mut all = Measured::default();
    while let Some(measured) = talking.join_next().await {
        let measured = measured.context("a member's task")??;
        all.granted_ms.extend(measured.granted_ms);
        all.answered_ms.extend(measured.answered_ms);
        all.queued += measured.queued;
        all.denied += measured.denied;
    }
    let mut late_ms = Vec::new();
    let mut unheard_packets = 0;
    for group in groups.iter().take(scenario.late_groups) {
        let own = members.iter().filter(|(_, one)| one == group);
        let own: Vec<Arc<Radio>> = own.map(|(radio, _)| Arc::clone(radio)).take(3).collect();
        let late = come_late(&own, *group).await?;
        late_ms.push(late.entry.as_secs_f64() * 1e3);
        unheard_packets += late.of_the_silent;
    }
    Ok(TalkReport::new(
        (members.len(), groups.len()),
        (all.granted_ms, all.answered_ms),
        (all.queued, all.denied),
        (late_ms, unheard_packets),
        scenario.max_grant_p99_ms,
    ))
}

async fn log_in(fleet: &Fleet, members: usize) -> anyhow::Result<Vec<Radio>> {
    let places = Arc::new(Semaphore::new(LOGINS));
    let mut coming = JoinSet::new();
    for number in 1..=members {
        let account = AccountId(format!("member{number}"));
        let password = fleet.password(&account)?;
        let (server, places) = (fleet.server.clone(), Arc::clone(&places));
        coming.spawn(async move {
            let _place = places.acquire().await?;
            Radio::open(&server, &account, &password)
                .await
                .with_context(|| account.0.clone())
        });
    }
    let mut radios = Vec::with_capacity(members);
    while let Some(radio) = coming.join_next().await {
        radios.push(radio.context("a login's task")??);
    }
    Ok(radios)
}

/// Presses now and then, speaks, lets go.
async fn member(
    radio: Arc<Radio>,
    group: TalkGroupId,
    pause: Duration,
    until: Instant,
    mut dice: StdRng,
) -> anyhow::Result<Measured> {
    let mut measured = Measured::default();
    loop {
        let wait = pause.mul_f64(dice.random_range(0.1..1.9));
        if Instant::now() + wait >= until {
            return Ok(measured);
        }
        tokio::time::sleep(wait).await;
        let (standing, took) = radio.press(group).await?;
        let took_ms = took.as_secs_f64() * 1e3;
        measured.answered_ms.push(took_ms);
        let speaks = match standing {
            FloorStanding::Holding { .. } => {
                measured.granted_ms.push(took_ms);
                true
            }
            FloorStanding::Queued { .. } => {
                measured.queued += 1;
                radio.turn(group).await?
            }
            FloorStanding::Silent { .. } => {
                measured.denied += 1;
                false
            }
        };
        if speaks {
            let ms = dice.random_range(SPEAKS_MS);
            tokio::time::sleep(Duration::from_millis(ms)).await;
        }
        radio.let_go(group).await?;
    }
}

struct Late {
    entry: Duration,
    /// Heard of a member that sends without holding the floor: has to be none.
    of_the_silent: u64,
}

/// One speaks, another one sends without the floor, a third one comes in the middle of it.
async fn come_late(own: &[Arc<Radio>], group: TalkGroupId) -> anyhow::Result<Late> {
    let [speaker, silent, late] = own else {
        bail!("a group of fewer than three");
    };
    // Whoever listened without sound begins anew.
    late.act(group, FloorAct::Leave).await?;
    let speaking = Sound::open(speaker, group, 1).await?;
    let intruding = Sound::open(silent, group, 2).await?;
    // Before anybody holds the floor, nothing passes.
    intruding.speak(true);
    tokio::time::sleep(LATE_BY).await;
    let of_the_silent = speaking.packets();
    let (standing, _) = speaker.press(group).await?;
    if !matches!(standing, FloorStanding::Holding { .. }) {
        bail!("the floor was not free: {standing:?}");
    }
    speaking.speak(true);
    tokio::time::sleep(LATE_BY).await;
    let listening = Sound::open(late, group, 3).await?;
    let entry = listening.first_after().await?;
    let of_the_silent = of_the_silent + speaking.packets();
    speaker.let_go(group).await?;
    for sound in [speaking, intruding, listening] {
        sound.close().await;
    }
    Ok(Late {
        entry,
        of_the_silent,
    })
}
