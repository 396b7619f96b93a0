//! Random orders by random actors in virtual time. Whatever they do, the
//! invariants hold after every order, nothing that is due is left undone, and
//! the journal gives the same county again.
//!
//! `SIMULATION_SEED=… SIMULATION_CASES=…` runs another or a longer one.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod support;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use liandong_domain::duty::NewShift;
use liandong_domain::incident::{FileRef, Report, ReportSource, Step};
use liandong_domain::plan::{OnMiss, PlanContent, PlanStep, Trigger, Whom};
use liandong_domain::pursuit::AttemptResult;
use liandong_domain::{
    Account, AccountId, Actor, Address, Callee, Conduct, Conducted, Conference, ConferenceId,
    Contact, County, Decision, Device, DoorState, DutyId, DutyOrder, Event, Incident, IncidentId,
    IncidentKind, IncidentOrder, IncidentState, InvitationId, Level, Mode, Order, OrderKind,
    ParticipantId, ParticipantRole, ParticipantState, PlanId, PlanOrder, PursuitId, PursuitOrder,
    ResponderState, Role, Roll, RollOrder, RunId, SiteCode, Target, Tier, Timestamp,
};
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};
use support::{COMMANDER, DISPATCHER, JIZHOU, Shell, accounts, invariants, sites, talking};

/// What is drawn; the numbers pick among what there is at that moment.
#[derive(Clone, Debug)]
struct Draw {
    what: u8,
    who: u8,
    which: u8,
    flag: bool,
    /// Virtual time that passes before.
    wait_ms: u32,
    /// The shell's timer comes late: deadlines pass without a tick.
    late: bool,
    targets: Vec<(u8, u8)>,
}

fn draws() -> impl Strategy<Value = Vec<Draw>> {
    let wait = prop_oneof![40 => 0..400_u32, 6 => 400..8_000_u32, 1 => 8_000..70_000_u32];
    let draw = (
        any::<u8>(),
        any::<u8>(),
        any::<u8>(),
        any::<bool>(),
        wait,
        prop::bool::weighted(0.1),
        prop::collection::vec((any::<u8>(), any::<u8>()), 0..5),
    );
    let draw = draw.prop_map(|(what, who, which, flag, wait_ms, late, targets)| Draw {
        what,
        who,
        which,
        flag,
        wait_ms,
        late,
        targets,
    });
    prop::collection::vec(draw, 1..400)
}

fn pick<T: Clone>(from: &[T], number: u8) -> Option<T> {
    from.get(usize::from(number) % from.len().max(1)).cloned()
}

fn targets(draw: &Draw, people: &[Account]) -> Vec<Target> {
    let sites = sites();
    let targets = draw.targets.iter().filter_map(|(kind, number)| {
        Some(match kind % 8 {
            0..=3 => Target::Site {
                code: pick(&sites, *number)?.code,
            },
            4 | 5 => Target::Person {
                account: pick(people, *number)?.id,
            },
            6 => Target::Tier {
                tier: pick(&Tier::ALL, *number)?,
            },
            _ => Target::Subtree {
                root: pick(&sites, *number)?.code,
            },
        })
    });
    targets.collect()
}

/// Somebody who is in a conference, and that conference.
fn somebody_in(county: &County, draw: &Draw) -> Option<(AccountId, ConferenceId)> {
    let all: Vec<(AccountId, ConferenceId)> = county
        .conferences()
        .flat_map(|one| one.present())
        .map(|one| (one.account.clone(), one.conference))
        .collect();
    pick(&all, draw.who)
}

/// A participant in this state, by preference of the conference.
fn participant(
    county: &County,
    conference: Option<ConferenceId>,
    state: Option<ParticipantState>,
    draw: &Draw,
) -> ParticipantId {
    let all: Vec<ParticipantId> = county
        .conferences()
        .filter(|one| conference.is_none_or(|id| one.id == id))
        .flat_map(|one| one.participants())
        .filter(|one| state.is_none_or(|state| one.state == state))
        .map(|one| one.id)
        .collect();
    pick(&all, draw.which).unwrap_or(ParticipantId(u32::from(draw.which)))
}

/// Somebody whose device rings, and the ring; else any invitation.
fn somebody_rung(county: &County, people: &[Account], draw: &Draw) -> (AccountId, InvitationId) {
    let rings: Vec<(AccountId, InvitationId)> = people
        .iter()
        .flat_map(|who| {
            let rings = county.rings_of(&who.id);
            rings.into_iter().map(|one| (who.id.clone(), one.id))
        })
        .collect();
    pick(&rings, draw.who).unwrap_or_else(|| {
        let who = pick(people, draw.who).unwrap().id;
        (who, any_invitation(county, draw))
    })
}

fn any_invitation(county: &County, draw: &Draw) -> InvitationId {
    let all: Vec<InvitationId> = county
        .conferences()
        .flat_map(|one| one.invitations().map(|one| one.id))
        .collect();
    pick(&all, draw.which).unwrap_or(InvitationId(u32::from(draw.which)))
}

/// Somebody who calls: often the county or a township.
fn caller(people: &[Account], draw: &Draw) -> AccountId {
    let heads = |one: &&Account| matches!(one.role, Role::Commander | Role::Township);
    let heads: Vec<Account> = people.iter().filter(heads).cloned().collect();
    let among = if draw.which.is_multiple_of(4) {
        people
    } else {
        &heads
    };
    pick(among, draw.who).unwrap().id
}

fn order(county: &County, people: &[Account], draw: &Draw) -> (Actor, Order) {
    // Where nobody is in a conference, most draws open one.
    let quiet = county.conferences().all(|one| one.is_over());
    if quiet && !draw.who.is_multiple_of(4) {
        return call(county, people, draw);
    }
    let media = |state| participant(county, None, Some(state), draw);
    let system = match draw.what % 64 {
        0..=12 => Order::MediaConnected {
            participant: media(ParticipantState::Joining),
        },
        13 | 14 => Order::MediaLost {
            participant: media(ParticipantState::In),
        },
        15 => Order::DeviceLost {
            participant: participant(county, None, None, draw),
        },
        16..=21 => Order::SetDevices {
            account: pick(people, draw.who).unwrap().id,
            online: u32::from(draw.which % 4),
            degraded: u32::from(draw.flag),
        },
        22 if draw.which < 32 => Order::Restarted,
        22 if draw.which < 48 => Order::Plan {
            order: PlanOrder::Install {
                content: content(draw, people),
            },
        },
        22 if draw.which < 112 => channel_result(county, draw),
        22 => directory(people, draw),
        what => return by_account(county, people, what, draw),
    };
    (Actor::System, system)
}

fn call(county: &County, people: &[Account], draw: &Draw) -> (Actor, Order) {
    // Now and then about an incident: that takes people out of other calls.
    let open: Vec<IncidentId> = county
        .incidents()
        .filter(|one| !one.state.is_final())
        .map(|one| one.id)
        .collect();
    let incident = pick(&open, draw.who).filter(|_| draw.which.is_multiple_of(3));
    let mut targets = targets(draw, people);
    let busy = somebody_in(county, draw).map(|(account, _)| Target::Person { account });
    targets.extend(busy.filter(|_| incident.is_some()));
    let order = Order::Call {
        targets,
        title: None,
        ordered: draw.flag || incident.is_some(),
        incident,
    };
    let caller = match incident {
        Some(_) => pick(&[COMMANDER, DISPATCHER], draw.who).unwrap().into(),
        None => caller(people, draw),
    };
    (Actor::Account(caller), order)
}

fn by_account(county: &County, people: &[Account], what: u8, draw: &Draw) -> (Actor, Order) {
    let ordered = draw.flag;
    if what < 26 {
        return call(county, people, draw);
    }
    if draw.which % 5 == 1 {
        return incident(county, people, what, draw);
    }
    if draw.which % 7 == 3 {
        let numbers = (what, draw.who, draw.which / 7);
        return talking::talk(county, people, numbers, Timestamp(draw.wait_ms.into()));
    }
    if draw.which % 10 == 4 {
        return planning(county, people, what, draw);
    }
    if draw.which % 5 == 2 || draw.which % 10 == 8 {
        return conduct(county, people, what, draw);
    }
    let rings = county
        .conferences()
        .any(|one| one.pending().next().is_some());
    if what < 46 && (rings || draw.who.is_multiple_of(8)) {
        let (who, invitation) = somebody_rung(county, people, draw);
        let order = if what == 45 {
            Order::Decline { invitation }
        } else {
            Order::Accept { invitation }
        };
        return (Actor::Account(who), order);
    }
    let what = if what < 46 {
        46 + draw.which % 18
    } else {
        what
    };
    let (who, conference) = somebody_in(county, draw).unwrap_or_else(|| {
        let who = pick(people, draw.who).unwrap().id;
        (who, ConferenceId(u32::from(draw.which % 8)))
    });
    // Now and then somebody who has no business there.
    let who = match draw.targets.first() {
        Some((0..=24, number)) => pick(people, *number).unwrap().id,
        _ => who,
    };
    let participant = participant(county, Some(conference), None, draw);
    let order = match what {
        46..=48 => Order::Invite {
            conference,
            targets: targets(draw, people),
            ordered,
        },
        49 | 50 => Order::InviteAbsent { conference },
        51 => Order::CancelInvitation {
            invitation: any_invitation(county, draw),
        },
        52 | 53 => Order::Leave { conference },
        54 => Order::Remove {
            conference,
            participant,
            reason: "演练".to_owned(),
        },
        55 if draw.which.is_multiple_of(4) => Order::End { conference },
        55..=57 => Order::Mute {
            conference,
            participant,
            muted: draw.flag,
        },
        58 | 59 => Order::MuteAll {
            conference,
            muted: draw.flag,
        },
        60 | 61 => Order::HandOver {
            conference,
            participant,
        },
        _ => Order::SetOwnMedia {
            conference,
            microphone: draw.flag,
            camera: !draw.flag,
        },
    };
    (Actor::Account(who), order)
}

/// Conducting: mostly by somebody who is in, of somebody who is in with him.
fn conduct(county: &County, people: &[Account], what: u8, draw: &Draw) -> (Actor, Order) {
    let number = u32::from(draw.who % 8);
    let found = somebody_in(county, draw);
    let (who, conference) =
        found.unwrap_or_else(|| (pick(people, draw.who).unwrap().id, ConferenceId(number)));
    let known = county.conference(conference);
    // The chair more often than others.
    let chair = known.and_then(|one| one.participant(one.chair?));
    let who = match chair.filter(|_| draw.who.is_multiple_of(2)) {
        Some(chair) => chair.account.clone(),
        None => who,
    };
    let mut rng = draw.targets.iter().map(|(a, b)| a ^ b);
    let kind = rng.next().unwrap_or(what) % 34;
    let participant = participant(county, Some(conference), Some(ParticipantState::In), draw);
    let doors = people.iter().filter_map(|one| {
        let doors = county.doors(&one.id);
        // Where there is a lobby, to knock there.
        let lobby = doors.iter().find(|one| one.state == DoorState::Lobby);
        Some((
            one.id.clone(),
            lobby.or(doors.first())?.conference,
            lobby.is_some(),
        ))
    });
    let mut doors: Vec<(AccountId, ConferenceId, bool)> = doors.collect();
    if doors.iter().any(|(_, _, lobby)| *lobby) {
        doors.retain(|(_, _, lobby)| *lobby);
    }
    let door = pick(&doors, draw.which / 5).map(|(who, conference, _)| (who, conference));
    let waits = county.conferences().find_map(|one| {
        let chair = one.participant(one.chair?)?.account.clone();
        Some((chair, one.id, one.knocks().next()?.0.clone()))
    });
    let knocker = county.conferences().find_map(|one| {
        let (account, _) = one.knocks().last()?;
        Some((account.clone(), one.id))
    });
    // Nobody waits for long: it is mostly seen to at once.
    let kind = match knocker {
        Some(_) if draw.flag => 11 + draw.who % 2,
        Some(_) | None => kind,
    };
    let anybody = pick(people, draw.who).unwrap().id;
    let reason = if draw.which < 16 { "" } else { "演练" }.to_owned();
    let (who, conference, step) = match kind {
        0 => (
            who,
            conference,
            Conduct::SetMode {
                mode: if draw.flag { Mode::Chaired } else { Mode::Free },
            },
        ),
        1 | 2 => (
            who,
            conference,
            Conduct::SetRole {
                participant,
                role: pick(&ParticipantRole::ALL, draw.which / 5).unwrap(),
            },
        ),
        3 => (
            who,
            conference,
            Conduct::Permit {
                participant,
                sound: draw.flag,
                picture: draw.which < 128,
            },
        ),
        4 | 5 => (who, conference, Conduct::Hand { raised: draw.flag }),
        6 => (who, conference, Conduct::LowerHand { participant }),
        7 => (
            who,
            conference,
            Conduct::Lock {
                locked: draw.which < 80,
            },
        ),
        8 => (
            who,
            conference,
            Conduct::SetLobby {
                open: draw.which < 200,
            },
        ),
        9..=11 => {
            let withdraws = kind == 11 && (knocker.is_some() || draw.flag);
            let (who, conference) = knocker
                .filter(|_| withdraws)
                .or(door)
                .unwrap_or((anybody, conference));
            let step = if withdraws {
                Conduct::Withdraw
            } else {
                Conduct::Enter {
                    reason: Some(reason),
                }
            };
            (who, conference, step)
        }
        12 => match waits {
            Some((chair, conference, account)) => (
                chair,
                conference,
                Conduct::Admit {
                    account,
                    admitted: draw.flag,
                },
            ),
            None => (
                who,
                conference,
                Conduct::Admit {
                    account: anybody,
                    admitted: true,
                },
            ),
        },
        13 | 33 => {
            // Mostly by the county, which is in a call, out of another one.
            let running = || county.conferences().filter(|one| !one.is_over());
            let to = running().find(|one| one.stay_of(&COMMANDER.into()).is_some());
            let others = running().filter(|one| to.map(|to| to.id) != Some(one.id));
            let from = others.flat_map(|one| one.present()).last();
            match to.zip(from).filter(|_| !draw.who.is_multiple_of(4)) {
                Some((to, from)) => {
                    let step = Conduct::Move {
                        participant: from.id,
                        to: to.id,
                        reason,
                    };
                    (COMMANDER.into(), from.conference, step)
                }
                None => {
                    let step = Conduct::Move {
                        participant,
                        to: ConferenceId(county.conferences().last().map_or(9, |one| one.id.0)),
                        reason,
                    };
                    (who, conference, step)
                }
            }
        }
        14 => (
            who,
            conference,
            Conduct::Insert {
                target: targets(draw, people)
                    .pop()
                    .unwrap_or(Target::Tier { tier: Tier::County }),
                reason,
            },
        ),
        15 => (
            anybody,
            conference,
            Conduct::Enter {
                reason: Some(reason),
            },
        ),
        16 => {
            let reason = if draw.flag { "督导检查" } else { "" }.to_owned();
            (anybody, conference, Conduct::Observe { reason })
        }
        _ => return direction(county, (who, conference), participant, kind, draw),
    };
    (Actor::Account(who), Order::Conduct { conference, step })
}

/// What is seen and heard by order.
fn direction(
    county: &County,
    (who, conference): (AccountId, ConferenceId),
    participant: ParticipantId,
    kind: u8,
    draw: &Draw,
) -> (Actor, Order) {
    let asked = county
        .conferences()
        .flat_map(|one| one.present())
        .find(|one| one.camera_order.is_some());
    let called = county.conferences().find_map(|one| {
        let roll = one.roll.as_ref().filter(|roll| roll.goes_on())?;
        let entry = roll.entries.iter().find_map(|entry| entry.participant);
        Some((one.id, entry?))
    });
    // Mostly by the chair of a call where such a thing goes on.
    let goes_on = |one: &&Conference| match kind {
        19 => matches!(one.address, Some(Address::Named { .. })),
        21 => one.address.is_some(),
        24..=26 => one.carousel.is_some(),
        28 | 29 => one.roll.as_ref().is_some_and(Roll::goes_on),
        _ => false,
    };
    let found = county.conferences().filter(|one| !one.is_over());
    let led = found.filter(goes_on).find_map(|one| {
        let chair = one.participant(one.chair?)?;
        Some((chair.account.clone(), one.id))
    });
    let (who, conference) = led
        .filter(|_| !draw.who.is_multiple_of(4))
        .unwrap_or((who, conference));
    // A roll that goes on is mostly stopped before it is called once more.
    let kind = if kind == 28 && called.is_some() && !draw.who.is_multiple_of(4) {
        29
    } else {
        kind
    };
    let step = match kind {
        17 | 18 => Conduct::CallUp { participant },
        19 => Conduct::NextSpeaker,
        20 => Conduct::Broadcast {
            tier: pick(&Tier::ALL, draw.which).filter(|_| draw.flag),
        },
        21 => Conduct::EndAddress,
        22 => Conduct::Spotlight {
            participant: draw.flag.then_some(participant),
        },
        23 => Conduct::StartCarousel {
            accounts: Vec::new(),
            interval_s: u32::from(draw.which % 32),
        },
        24 => Conduct::PauseCarousel { paused: draw.flag },
        25 => Conduct::NextInCarousel,
        26 => Conduct::StopCarousel,
        27 | 28 => Conduct::StartRoll {
            order: if draw.flag {
                RollOrder::InOrder
            } else {
                RollOrder::Parallel
            },
            answer_s: u32::from(draw.which % 64),
        },
        29 if draw.which < 160 => Conduct::StopRoll,
        29 | 30 => {
            let (conference, participant) = called.unwrap_or((conference, participant));
            let step = Conduct::Received {
                participant,
                sound: draw.flag,
                picture: draw.which < 128,
            };
            return (Actor::System, Order::Conduct { conference, step });
        }
        31 => Conduct::OrderDevice {
            participant,
            device: Device::Camera,
            on: draw.flag,
            reason: if draw.which < 16 { "" } else { "查岗" }.to_owned(),
        },
        _ => {
            let device = Device::Camera;
            // Now and then what an earlier order asked for.
            let order = asked.and_then(|one| one.device_order(device));
            let asked_at = order.map_or(support::START, |order| order.at);
            let step = Conduct::AnswerDevice {
                device,
                obeyed: draw.flag,
                asked_at: match draw.which % 4 {
                    0 => None,
                    1 => Some(support::START),
                    _ => Some(asked_at),
                },
            };
            let own = asked.map(|one| (one.account.clone(), one.conference));
            let (who, conference) = own.unwrap_or((who, conference));
            return (Actor::Account(who), Order::Conduct { conference, step });
        }
    };
    (Actor::Account(who), Order::Conduct { conference, step })
}

/// An order about an incident, mostly by somebody at its site or by whoever was sent.
fn incident(county: &County, people: &[Account], what: u8, draw: &Draw) -> (Actor, Order) {
    let all: Vec<&Incident> = county
        .incidents()
        .filter(|one| !one.state.is_final())
        .collect();
    let known = pick(&all, draw.which / 5).filter(|_| !what.is_multiple_of(8));
    let (Some(known), false) = (known, draw.flag && draw.who.is_multiple_of(4)) else {
        return report(people, draw);
    };
    let at_site: Vec<Account> = people
        .iter()
        .filter(|one| one.site == known.site || one.role == Role::Commander)
        .cloned()
        .collect();
    let sent = known.responders.iter().filter_map(|one| match &one.who {
        Callee::Person { account } => Some(account.clone()),
        Callee::Site { code } => people
            .iter()
            .find(|one| one.site == *code && one.role.answers_for_site())
            .map(|one| one.id.clone()),
    });
    let sent: Vec<AccountId> = sent.collect();
    let who = match draw.targets.first() {
        Some((0..=24, number)) => pick(people, *number).unwrap().id,
        _ => pick(&at_site, draw.who).unwrap().id,
    };
    let text = "水位上涨".to_owned();
    let level = pick(&[Level::I, Level::II, Level::III, Level::IV], draw.who).unwrap();
    // Half of the time what would come next, else anything.
    let next = match known.state {
        IncidentState::Reported => 12,
        IncidentState::Verified => 5,
        IncidentState::Dispatched if draw.which.is_multiple_of(2) => 7,
        IncidentState::Dispatched => 0,
        IncidentState::Controlled => 8,
        _ => 9,
    };
    let what = if draw.flag { next } else { what % 13 };
    let who = if what == 0 {
        pick(&sent, draw.who).unwrap_or(who)
    } else {
        who
    };
    let step = match what {
        0 => Step::Respond {
            state: pick(&ResponderState::ALL, draw.which).unwrap(),
        },
        1 => Step::MarkDuplicate {
            of: IncidentId(u32::from(draw.who % 8)),
        },
        2 => Step::MarkFalse { reason: text },
        3 => Step::SetLevel {
            level,
            reason: text,
        },
        4 => Step::Escalate {
            tier: pick(&Tier::ALL, draw.who).unwrap(),
            reason: text,
        },
        5 | 6 => Step::Assign {
            responders: responders(people, known, draw),
            text,
        },
        7 => Step::Control { text },
        8 => Step::Close { text },
        9 => Step::Review { findings: text },
        10 => Step::Note { text },
        11 => Step::Attach {
            file: FileRef {
                id: format!("{:064x}", draw.which),
                media_type: "image/jpeg".to_owned(),
                name: if draw.who.is_multiple_of(8) {
                    "a\u{0}"
                } else {
                    "现场.jpg"
                }
                .to_owned(),
                bytes: 1,
            },
            text,
        },
        _ => Step::Verify {
            kind: IncidentKind::Sudden,
            level,
        },
    };
    let order = IncidentOrder::Step {
        incident: known.id,
        step,
    };
    (Actor::Account(who), Order::Incident { order })
}

/// Of a plan that rings somebody at once and somebody later.
fn content(draw: &Draw, people: &[Account]) -> PlanContent {
    let step = |after_s, whom: Vec<Whom>| PlanStep {
        after_s,
        show: whom.iter().take(1).cloned().collect(),
        whom,
        text: "立即到岗".to_owned(),
        ack_within_s: 20,
        on_miss: OnMiss {
            repeat: u32::from(draw.who % 2),
            contacts: draw.who.is_multiple_of(2),
            above: !draw.who.is_multiple_of(8),
        },
    };
    let person = pick(people, draw.who).unwrap().id;
    PlanContent {
        // Now and then without a name, which is refused.
        name: if draw.which.is_multiple_of(16) && draw.flag {
            String::new()
        } else {
            format!("预案{}", draw.who)
        },
        trigger: Trigger::default(),
        steps: vec![
            step(
                0,
                vec![
                    Whom::IncidentSuperiors,
                    Whom::IncidentSite,
                    Whom::Site {
                        code: JIZHOU.into(),
                    },
                ],
            ),
            step(
                15,
                vec![
                    Whom::Person { account: person },
                    Whom::DutySeat { site: None },
                ],
            ),
        ],
        record: draw.flag,
    }
}

fn channel_result(county: &County, draw: &Draw) -> Order {
    let all: Vec<PursuitId> = county
        .pursuits()
        .all()
        .filter(|one| one.state.is_open())
        .map(|one| one.id)
        .collect();
    let results = [
        AttemptResult::Delivered,
        AttemptResult::Acknowledged,
        AttemptResult::Failed,
        AttemptResult::Unreachable,
    ];
    Order::Pursuit {
        order: PursuitOrder::Result {
            pursuit: pick(&all, draw.who).unwrap_or(PursuitId(1)),
            attempt: u32::from(draw.which % 4),
            result: pick(&results, draw.which / 4).unwrap(),
        },
    }
}

/// An order about plans, the roster or somebody who was missed.
fn planning(county: &County, people: &[Account], what: u8, draw: &Draw) -> (Actor, Order) {
    let heads = |one: &&Account| matches!(one.role, Role::Commander | Role::Dispatcher);
    let heads: Vec<AccountId> = people
        .iter()
        .filter(heads)
        .map(|one| one.id.clone())
        .collect();
    let anybody = pick(people, draw.who).unwrap();
    let head = if draw.who < 24 {
        anybody.id.clone()
    } else {
        pick(&heads, draw.who).unwrap()
    };
    let plans: Vec<(PlanId, u32)> = county
        .plans()
        .plans()
        .flat_map(|plan| plan.versions.keys().map(|version| (plan.id, *version)))
        .collect();
    let (plan, version) = pick(&plans, draw.who).unwrap_or((PlanId(9), 1));
    let drafts = county.plans().plans();
    let drafts = drafts.filter_map(|plan| Some((plan.id, plan.draft()?.0)));
    let draft = pick(&drafts.collect::<Vec<_>>(), draw.which).filter(|_| draw.flag);
    let in_force = county.plans().plans();
    let in_force = in_force.filter(|plan| plan.in_force().is_some());
    let in_force: Vec<PlanId> = in_force.map(|plan| plan.id).collect();
    let workable = county.incidents().filter(|one| one.level.is_some());
    let workable: Vec<IncidentId> = workable.map(|one| one.id).collect();
    // Mostly one that is at work, by whoever started it.
    let running = county.plans().running().map(|run| (run.id, run.by.clone()));
    let running: Vec<(RunId, AccountId)> = running.collect();
    let (run, starter) = pick(&running, draw.who).unwrap_or((RunId(1), head.clone()));
    let shifts: Vec<(DutyId, SiteCode)> = county
        .duty()
        .shifts()
        .map(|one| (one.id, one.site.clone()))
        .collect();
    let shift = pick(&shifts, draw.who);
    let duty = shift.as_ref().map_or(DutyId(9), |(duty, _)| *duty);
    let keeper = shift.map_or(head.clone(), |(_, site)| AccountId(site.0));
    let keeper = if draw.flag { keeper } else { head.clone() };
    let (who, order) = match what % 12 {
        0 => (
            head,
            Order::Plan {
                order: PlanOrder::Save {
                    plan: draw.flag.then_some(plan),
                    content: content(draw, people),
                },
            },
        ),
        1 => {
            let (plan, version) = draft.unwrap_or((plan, version));
            let saved_at = saved_at(county, plan, version);
            let order = PlanOrder::Approve {
                plan,
                version,
                saved_at: if draw.which.is_multiple_of(8) {
                    support::START
                } else {
                    saved_at
                },
            };
            (head, Order::Plan { order })
        }
        2 => (
            head,
            Order::Plan {
                order: PlanOrder::Retire { plan, version },
            },
        ),
        3..=5 => {
            let incident = pick(&workable, draw.which).unwrap_or(IncidentId(1));
            let plan = pick(&in_force, draw.who).unwrap_or(plan);
            (
                head,
                Order::Plan {
                    order: PlanOrder::Start { plan, incident },
                },
            )
        }
        6 => (
            if draw.flag { starter } else { head },
            Order::Plan {
                order: PlanOrder::Stop { run },
            },
        ),
        7 | 8 => duty_plan(county, &anybody, draw),
        9 => (
            keeper,
            Order::Duty {
                order: DutyOrder::Cancel { duty },
            },
        ),
        10 => {
            let to = draw
                .targets
                .first()
                .and_then(|(_, number)| pick(&shifts, *number));
            let to = to.map(|(duty, _)| duty);
            let order = DutyOrder::HandOver {
                duty,
                to,
                note: "无事".to_owned(),
            };
            (keeper, Order::Duty { order })
        }
        _ => return pursue(county, draw, anybody.id),
    };
    (Actor::Account(who), order)
}

fn saved_at(county: &County, plan: PlanId, version: u32) -> Timestamp {
    let known = county.plans().plan(plan);
    let one = known.and_then(|plan| plan.versions.get(&version));
    one.map_or(support::START, |one| one.saved_at)
}

fn duty_plan(county: &County, anybody: &Account, draw: &Draw) -> (AccountId, Order) {
    let contact = |account: &Account| Contact {
        name: account.name.clone(),
        account: (!draw.which.is_multiple_of(3)).then(|| account.id.clone()),
        phone: Some("13800000000".to_owned()),
    };
    let site = anybody.site.clone();
    let order = if draw.flag {
        DutyOrder::SetContacts {
            site: site.clone(),
            contacts: vec![contact(anybody)],
            deputy: county.directory().account(&COMMANDER.into()).map(contact),
        }
    } else {
        let last = county.duty().shifts().map(|one| one.to).max();
        let from = last
            .unwrap_or(support::START)
            .after(Duration::from_millis(1));
        let from = from.min(support::START.after(Duration::from_secs(u64::from(draw.who) * 4)));
        DutyOrder::Plan {
            shifts: vec![NewShift {
                site: site.clone(),
                person: contact(anybody),
                from,
                to: from.after(Duration::from_secs(600)),
            }],
        }
    };
    let by = if draw.who.is_multiple_of(2) {
        COMMANDER.into()
    } else if draw.which.is_multiple_of(4) {
        support::FIELD_COUNTY.into()
    } else {
        anybody.id.clone()
    };
    (by, Order::Duty { order })
}

/// By somebody in the conference where one was missed.
fn pursue(county: &County, draw: &Draw, anybody: AccountId) -> (Actor, Order) {
    let missed: Vec<(AccountId, InvitationId)> = county
        .conferences()
        .filter(|one| !one.is_over())
        .flat_map(|one| {
            let host = one.present().next().map(|one| one.account.clone());
            let missed = one.invitations().filter(|ring| ring.state.miss().is_some());
            missed.filter_map(move |ring| Some((host.clone()?, ring.id)))
        })
        .collect();
    let (who, invitation) =
        pick(&missed, draw.who).unwrap_or_else(|| (anybody, any_invitation(county, draw)));
    let order = PursuitOrder::Pursue { invitation };
    (Actor::Account(who), Order::Pursuit { order })
}

fn report(people: &[Account], draw: &Draw) -> (Actor, Order) {
    let own = !draw.who.is_multiple_of(8);
    let report = Report {
        kind: IncidentKind::Contingency,
        level: draw.flag.then_some(Level::II),
        title: if draw.which < 16 { "" } else { "河水漫堤" }.to_owned(),
        text: String::new(),
        place: pick(&sites(), draw.which).map(|site| site.place),
        address: String::new(),
        site: None,
        source: if own {
            ReportSource::Account
        } else {
            ReportSource::Platform {
                name: "12345".to_owned(),
                reference: format!("{}", draw.which),
            }
        },
    };
    let actor = if own {
        Actor::Account(pick(people, draw.who).unwrap().id)
    } else {
        Actor::Platform("12345".to_owned())
    };
    let order = IncidentOrder::Report { report };
    (actor, Order::Incident { order })
}

/// The incident's own site, and whoever is drawn.
fn responders(people: &[Account], incident: &Incident, draw: &Draw) -> Vec<Callee> {
    let own = Callee::Site {
        code: incident.site.clone(),
    };
    let drawn = draw.targets.iter().filter_map(|(kind, number)| {
        (kind % 16 == 0).then_some(Callee::Person {
            account: pick(people, *number)?.id,
        })
    });
    drawn.chain([own]).collect()
}

/// The configuration with one account left out; whoever was left out before
/// is back.
fn directory(people: &[Account], draw: &Draw) -> Order {
    let mut accounts = people.to_vec();
    accounts.remove(usize::from(draw.who) % people.len());
    Order::SetDirectory {
        sites: sites(),
        accounts,
    }
}

/// What was ordered, and whether it was carried out.
fn step(shell: &mut Shell, people: &[Account], draw: &Draw) -> (OrderKind, bool) {
    if draw.late {
        shell.now = Timestamp(shell.now.0 + u64::from(draw.wait_ms));
    } else {
        shell.wait(u64::from(draw.wait_ms));
        invariants::check_nothing_due(&shell.county, shell.now);
    }
    let (actor, order) = order(&shell.county, people, draw);
    let Actor::Account(account) = &actor else {
        return (order.kind(), shell.order(&actor, &order).is_ok());
    };
    if !draw.flag {
        return (order.kind(), shell.order(&actor, &order).is_ok());
    }
    let key = format!("{}-{}", draw.which % 16, draw.what);
    let done = match shell.county.decide_once(account, &key, &order, shell.now) {
        Ok(Decision::New { events, outcome }) => {
            shell.take(&events);
            let again = shell.county.decide_once(account, &key, &order, shell.now);
            assert_eq!(again, Ok(Decision::Repeated(outcome)));
            true
        }
        Ok(Decision::Repeated(_)) => true,
        Err(_) => false,
    };
    (order.kind(), done)
}

fn is_held(event: &Event) -> bool {
    matches!(event, Event::Conduct { event } if matches!(event.what, Conducted::Held { .. }))
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(otherwise)
}

#[test]
fn random_orders_never_break_an_invariant() {
    let seed = number("SIMULATION_SEED", 20_261_124);
    println!("SIMULATION_SEED={seed}");
    let mut runner = TestRunner::new(ProptestConfig {
        cases: u32::try_from(number("SIMULATION_CASES", 128)).unwrap(),
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        max_shrink_iters: 2_000,
        ..ProptestConfig::default()
    });
    let people = accounts();
    let start = Shell::lit();
    let counts = RefCell::new(BTreeMap::<OrderKind, [u32; 2]>::new());
    let held = Cell::new(0);
    let outcome = runner.run(&draws(), |draws| {
        let mut shell = Shell {
            county: start.county.clone(),
            journal: start.journal.clone(),
            now: start.now,
        };
        for draw in &draws {
            let (kind, done) = step(&mut shell, &people, draw);
            counts.borrow_mut().entry(kind).or_default()[usize::from(done)] += 1;
        }
        held.set(held.get() + shell.journal.iter().filter(|one| is_held(one)).count());
        assert_eq!(shell.replayed(), shell.county);
        for split in [0, shell.journal.len() / 2, shell.journal.len()] {
            assert_eq!(shell.restored(split), shell.county, "snapshot at {split}");
        }
        // Left to itself, every conference comes to rest.
        shell.wait(900_000);
        invariants::check_nothing_due(&shell.county, shell.now);
        // A roll that is called in order rings on.
        let calls = |one: &&Conference| one.roll.as_ref().is_some_and(Roll::goes_on);
        let quiet = shell.county.conferences().filter(|one| !calls(one));
        assert_eq!(quiet.flat_map(|one| one.pending()).count(), 0);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("SIMULATION_SEED={seed}: {failure}");
    }
    println!("{} held", held.get());
    assert!(
        held.get() > 0,
        "nobody was ever taken out of a lower conference"
    );
    // The simulation is worth something only if every order is both carried
    // out and, where it can be, refused.
    let mut missing = Vec::new();
    for kind in OrderKind::ALL {
        let [refused, done] = counts.borrow().get(&kind).copied().unwrap_or_default();
        println!("{kind:?}: {done} carried out, {refused} refused");
        // Ticks come from the virtual clock.
        if done == 0 && kind != OrderKind::Tick {
            missing.push(format!("{kind:?} never"));
        }
        if refused == 0 && !kind.is_of_system() {
            missing.push(format!("{kind:?} never refused"));
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
}
