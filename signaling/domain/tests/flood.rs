//! A flood at three in the morning, in virtual time: level I, one tap, fifty
//! sites rung, twelve of which do not answer; who is gone after, by what, and
//! who is told of those that nobody reaches. A routine meeting gives its parties up and
//! gets them back, and the server restarts in the middle of it.
//!
//! `FLOOD_SEED=…` draws other silent sites and other waits.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use liandong_domain::incident::event::What;
use liandong_domain::incident::{Report, ReportSource, Step};
use liandong_domain::plan::{OnMiss, PlanContent, PlanStep, RunStepState, Trigger, Whom};
use liandong_domain::pursuit::{AttemptResult, Channel, PursuitState};
use liandong_domain::{
    Callee, ConferenceId, Contact, DutyOrder, IncidentId, IncidentKind, IncidentOrder,
    IncidentState, Level, Order, Outcome, ParticipantState, PlanId, PlanOrder, Presence, PursuitId,
    PursuitOrder, Timestamp,
};
use support::{
    CHUNCHANGBA, COMMANDER, COUNTY, DISPATCHER, FIELD_CHUNCHANGBA, FIELD_JIZHOU, JIZHOU, Shell,
    callee, lower_accounts, site,
};

/// 03:00 in Nanjiang.
const THREE_AT_NIGHT: Timestamp = Timestamp(1_795_546_800_000);
const SEEDS: u64 = 8;
const SILENT: usize = 12;
/// Of the silent ones, those that have neither a contact nor a telephone.
const LOST: usize = 2;

/// A small generator of its own, so that the seed alone decides.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        // SplitMix64 (Steele, Lea, Flood 2014).
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % below as u64).unwrap()
    }
}

/// How a silent site is reached in the end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Way {
    /// A contact comes in on a device of his own.
    Contact(&'static str),
    /// Somebody confirms the gateway's message.
    Telephone,
    Nobody,
}

fn flood_plan() -> PlanContent {
    PlanContent {
        name: "防汛应急预案（Ⅰ级响应）".to_owned(),
        trigger: Trigger {
            kind: Some(IncidentKind::Contingency),
            level: Some(Level::I),
            area: None,
        },
        steps: vec![PlanStep {
            after_s: 0,
            whom: vec![
                Whom::Subtree {
                    root: COUNTY.into(),
                },
                Whom::Person {
                    account: DISPATCHER.into(),
                },
            ],
            show: vec![Whom::IncidentSite],
            text: "各级综治中心立即到岗，报告水位、险情和受威胁群众人数".to_owned(),
            ack_within_s: 600,
            on_miss: OnMiss {
                repeat: 1,
                contacts: true,
                above: true,
            },
        }],
        record: true,
    }
}

fn plan(order: PlanOrder) -> Order {
    Order::Plan { order }
}

fn incident_order(order: IncidentOrder) -> Order {
    Order::Incident { order }
}

/// Reported from the river by phone, verified as level I by the county.
fn verified(shell: &mut Shell) -> IncidentId {
    let report = Report {
        kind: IncidentKind::Contingency,
        level: Some(Level::I),
        title: "河水漫堤".to_owned(),
        text: String::new(),
        place: None,
        address: String::new(),
        site: None,
        source: ReportSource::Account,
    };
    let order = incident_order(IncidentOrder::Report { report });
    shell.by(FIELD_CHUNCHANGBA, order).unwrap();
    let incident = shell.county.incidents().next().unwrap().id;
    let step = Step::Verify {
        kind: IncidentKind::Contingency,
        level: Level::I,
    };
    let order = incident_order(IncidentOrder::Step { incident, step });
    shell.by(COMMANDER, order).unwrap();
    incident
}

fn start(shell: &mut Shell, incident: IncidentId) -> ConferenceId {
    let order = plan(PlanOrder::Start {
        plan: PlanId(1),
        incident,
    });
    let events = shell.by(COMMANDER, order.clone()).unwrap();
    let Outcome::Called { conference, .. } = Outcome::of(&order, &events) else {
        panic!("the plan rings nobody");
    };
    let run = shell.county.plans().runs().next().unwrap();
    let called = &run.steps[0].callees;
    assert_eq!(called.len(), 50, "49 sites and the dispatcher");
    let rings = shell.conference(conference);
    assert!(
        called
            .iter()
            .all(|one| rings.last_invitation(one).is_some())
    );
    shell.connect(COMMANDER);
    conference
}

/// The silent sites with the way that each is reached by, drawn; their contacts are set.
fn silence(shell: &mut Shell, dice: &mut Dice) -> Vec<(String, Way)> {
    let mut sites: Vec<String> = lower_accounts().into_iter().map(|one| one.0).collect();
    // The place itself answers, and the contacts' own sites, so that a contact is free.
    sites.retain(|one| one != CHUNCHANGBA && one != JIZHOU);
    let mut silent = Vec::new();
    for number in 0..SILENT {
        let code = sites.remove(dice.roll(sites.len()));
        let way = match number {
            0..LOST => Way::Nobody,
            2 => Way::Contact(FIELD_JIZHOU),
            3 => Way::Contact(FIELD_CHUNCHANGBA),
            _ => Way::Telephone,
        };
        let contact = match way {
            Way::Contact(account) => Some((Some(account.into()), None)),
            Way::Telephone => Some((None, Some(format!("1380000{number:04}")))),
            Way::Nobody => None,
        };
        if let Some((account, phone)) = contact {
            let contact = Contact {
                name: format!("{code} 负责人"),
                account,
                phone,
            };
            let order = DutyOrder::SetContacts {
                site: code.as_str().into(),
                contacts: vec![contact],
                deputy: None,
            };
            shell.by(COMMANDER, Order::Duty { order }).unwrap();
        }
        // Half of them sleep beside a running terminal, the others' is dark.
        if dice.roll(2) == 0 {
            shell.devices(&code, 0);
        }
        silent.push((code, way));
    }
    silent
}

/// What the outside world does until nothing is left to try.
fn answer(shell: &mut Shell, conference: ConferenceId, silent: &[(String, Way)], dice: &mut Dice) {
    for _ in 0..600 {
        shell.wait(500 + u64::try_from(dice.roll(500)).unwrap());
        for (code, way) in silent {
            let Some(one) = shell.county.pursuits().of(conference, &callee(code)) else {
                continue;
            };
            let (id, attempts) = (one.id, one.attempts.clone());
            match way {
                Way::Contact(account) if shell.ring_of(account).is_some() => {
                    if shell.stay(account).is_none() && dice.roll(4) == 0 {
                        shell.join(account);
                    }
                }
                Way::Telephone => {
                    for (number, attempt) in (1..).zip(&attempts) {
                        if attempt.channel == Channel::Gateway {
                            tell(shell, dice, id, number, attempt.result);
                        }
                    }
                }
                Way::Contact(_) | Way::Nobody => {}
            }
            for (number, attempt) in (1..).zip(&attempts) {
                if attempt.channel == Channel::WebPush && attempt.result.is_none() {
                    // Nobody has allowed messages on these phones.
                    result(shell, id, number, AttemptResult::Unreachable);
                }
            }
        }
    }
}

/// The gateway delivers, and somebody confirms after a while.
fn tell(
    shell: &mut Shell,
    dice: &mut Dice,
    id: PursuitId,
    number: u32,
    before: Option<AttemptResult>,
) {
    match before {
        None => result(shell, id, number, AttemptResult::Delivered),
        Some(AttemptResult::Delivered) if dice.roll(8) == 0 => {
            result(shell, id, number, AttemptResult::Acknowledged);
        }
        Some(_) => {}
    }
}

fn result(shell: &mut Shell, pursuit: PursuitId, attempt: u32, result: AttemptResult) {
    let order = PursuitOrder::Result {
        pursuit,
        attempt,
        result,
    };
    shell.system(Order::Pursuit { order }).unwrap();
}

/// Jizhou talks with four of its communities when the flood comes. Some of them are
/// among the silent: they are silent there, too, until the incident takes them out.
fn routine_meeting(shell: &mut Shell, silent: &BTreeSet<String>) -> (ConferenceId, Vec<String>) {
    let below = lower_accounts().into_iter().map(|one| one.0);
    let below = below.filter(|code| code.len() > JIZHOU.len() && code.starts_with(JIZHOU));
    let guests: Vec<String> = below
        .filter(|code| !silent.contains(code))
        .take(4)
        .collect();
    let targets: Vec<_> = guests.iter().map(|code| site(code)).collect();
    let meeting = shell.call(JIZHOU, &targets, true);
    for guest in &guests {
        shell.join(guest);
    }
    let all = std::iter::once(JIZHOU.to_owned()).chain(guests);
    (meeting, all.collect())
}

fn states(shell: &Shell, meeting: ConferenceId, of: &[String]) -> Vec<ParticipantState> {
    let meeting = shell.conference(meeting);
    let state = |account: &String| meeting.place_of(&account.as_str().into()).unwrap().state;
    of.iter().map(state).collect()
}

/// The server goes down while rings and messages are on their way. All that were connected
/// come back, with their media.
fn restart(shell: &mut Shell) {
    let presence = shell.county.presence();
    let online = lower_accounts().into_iter();
    let online =
        online.chain([COMMANDER, DISPATCHER, FIELD_JIZHOU, FIELD_CHUNCHANGBA].map(Into::into));
    let online: Vec<_> = online
        .filter(|one| presence.of_account(one) != Presence::Offline)
        .collect();
    assert_eq!(shell.replayed(), shell.county, "nothing is lost");
    let outstanding = open_attempts(shell);
    shell.system(Order::Restarted).unwrap();
    assert_eq!(
        open_attempts(shell),
        outstanding,
        "what goes on goes on, once"
    );
    for account in &online {
        shell.devices(&account.0, 1);
        if shell.stay(&account.0).is_some() {
            shell.connect(&account.0);
        }
    }
}

fn open_attempts(shell: &Shell) -> Vec<(PursuitId, usize)> {
    let all = shell.county.pursuits().all();
    let all = all.filter(|one| one.state == PursuitState::Calling);
    all.map(|one| {
        (
            one.id,
            one.attempts
                .iter()
                .filter(|one| one.result.is_none())
                .count(),
        )
    })
    .collect()
}

/// Nobody is tried twice by the same channel, but the site's own devices as often as the plan
/// says; and each attempt has its result and the time of it.
fn check_attempts(shell: &Shell) {
    for one in shell.county.pursuits().all() {
        let mut tried = BTreeMap::new();
        for attempt in &one.attempts {
            assert!(attempt.result.is_some(), "{one:?}");
            assert!(
                attempt.result_at.is_some_and(|at| at >= attempt.at),
                "{one:?}"
            );
            let whom = (attempt.channel, &attempt.account, &attempt.phone);
            *tried.entry(whom).or_insert(0) += 1;
        }
        assert!(tried.values().all(|times| *times == 1), "{one:?}");
    }
    // Once it is settled who came, no deputy's phone rings on.
    for conference in shell.county.conferences() {
        assert_eq!(conference.pending().count(), 0, "{conference:?}");
    }
}

fn flood(seed: u64) {
    println!("FLOOD_SEED={seed}");
    let mut dice = Dice(seed);
    let mut shell = Shell::lit();
    shell.now = THREE_AT_NIGHT;
    let save = PlanOrder::Save {
        plan: None,
        content: flood_plan(),
    };
    shell.by(DISPATCHER, plan(save)).unwrap();
    let approve = PlanOrder::Approve {
        plan: PlanId(1),
        version: 1,
        saved_at: shell.now,
    };
    shell.by(COMMANDER, plan(approve)).unwrap();
    let silent = silence(&mut shell, &mut dice);
    let is_silent: BTreeSet<String> = silent.iter().map(|(code, _)| code.clone()).collect();
    let (meeting, guests) = routine_meeting(&mut shell, &is_silent);

    let incident = verified(&mut shell);
    let conference = start(&mut shell, incident);
    let state = shell.county.incident(incident).unwrap().state;
    assert_eq!(state, IncidentState::Dispatched);
    // All that have a device ring with the tap, in the same decision; those in the meeting, too.
    let ringing = shell.conference(conference).pending();
    let planned = &shell.county.plans().runs().next().unwrap().steps[0].callees;
    let ringing = ringing
        .filter(|one| planned.contains(&one.callee) && !shell.county.rung_by(one).is_empty());
    let dark = silent.iter().filter(|(code, _)| {
        let presence = shell.county.presence().of_account(&code.as_str().into());
        presence == Presence::Offline
    });
    assert_eq!(ringing.count(), 50 - dark.count());
    for guest in &guests {
        assert!(shell.ring_of(guest).is_some(), "{guest} is in the meeting");
    }

    // 38 come within half a minute: 37 sites and the dispatcher.
    let mut awake: Vec<String> = lower_accounts().into_iter().map(|one| one.0).collect();
    awake.retain(|one| !is_silent.contains(one));
    awake.push(DISPATCHER.to_owned());
    assert_eq!(awake.len(), 50 - SILENT);
    let down = dice.roll(awake.len());
    for (number, account) in awake.iter().enumerate() {
        shell.wait(u64::try_from(dice.roll(700)).unwrap());
        if number == down {
            restart(&mut shell);
        }
        shell.join(account);
    }
    assert!(
        states(&shell, meeting, &guests)
            .iter()
            .all(|one| *one == ParticipantState::Held)
    );
    answer(&mut shell, conference, &silent, &mut dice);
    // Past the plan's own deadline.
    shell.wait(600_000);

    check_reached(&shell, conference, &silent);
    check_attempts(&shell);
    let run = shell.county.plans().runs().next().unwrap();
    assert_eq!(run.steps[0].state, RunStepState::Settled);
    let lost = silent.iter().filter(|(_, way)| *way == Way::Nobody);
    let lost: BTreeSet<Callee> = lost.map(|(code, _)| callee(code)).collect();
    let missed: BTreeSet<Callee> = run.steps[0].missed.iter().cloned().collect();
    assert_eq!(missed, lost);
    assert!(run.is_over());
    let timeline = &shell.county.incident(incident).unwrap().timeline;
    let told = timeline
        .iter()
        .filter(|entry| matches!(entry.what, What::Unreached { .. }));
    assert_eq!(told.count(), LOST);

    // The water falls: whoever was taken out of the routine meeting is given back to it.
    shell.by(COMMANDER, Order::End { conference }).unwrap();
    for guest in &guests {
        shell.connect(guest);
    }
    assert!(
        states(&shell, meeting, &guests)
            .iter()
            .all(|one| *one == ParticipantState::In)
    );
    let chair = shell.conference(meeting).chair.unwrap();
    let chair = shell.conference(meeting).participant(chair).unwrap();
    assert_eq!(chair.account, JIZHOU.into());

    println!("{} events", shell.journal.len());
    assert_eq!(shell.replayed(), shell.county);
    for split in [0, shell.journal.len() / 2, shell.journal.len()] {
        assert_eq!(shell.restored(split), shell.county);
    }
}

fn check_reached(shell: &Shell, conference: ConferenceId, silent: &[(String, Way)]) {
    for (code, way) in silent {
        let one = shell
            .county
            .pursuits()
            .of(conference, &callee(code))
            .unwrap();
        let expected = match way {
            Way::Nobody => PursuitState::ToldAbove,
            Way::Contact(_) | Way::Telephone => PursuitState::Reached,
        };
        assert_eq!(one.state, expected, "{code} by {way:?}: {one:?}");
        let parent = shell.county.directory().site(&code.as_str().into());
        let parent = parent.and_then(|site| site.parent.clone());
        assert_eq!(one.told.is_some(), *way == Way::Nobody);
        assert!(one.told.is_none() || one.told == parent);
    }
    // Nobody else is gone after.
    assert_eq!(shell.county.pursuits().all().count(), SILENT);
}

#[test]
fn flood_at_three_in_the_morning() {
    let seed = std::env::var("FLOOD_SEED").ok();
    match seed.and_then(|text| text.parse().ok()) {
        Some(seed) => flood(seed),
        None => (0..SEEDS).for_each(|number| flood(20_261_124 + number)),
    }
}
