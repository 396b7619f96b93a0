//! Random orders by random actors in virtual time. Whatever they do, the
//! invariants hold after every order, nothing that is due is left undone, and
//! the journal gives the same county again.
//!
//! `SIMULATION_SEED=… SIMULATION_CASES=…` runs another or a longer one.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

#[path = "simulation/conduct.rs"]
mod conduct;
#[path = "simulation/incident.rs"]
mod incident;
#[path = "simulation/planning.rs"]
mod planning;
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
                content: planning::content(draw, people),
            },
        },
        22 if draw.which < 112 => planning::channel_result(county, draw),
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
        return incident::incident(county, people, what, draw);
    }
    if draw.which % 7 == 3 {
        let numbers = (what, draw.who, draw.which / 7);
        return talking::talk(county, people, numbers, Timestamp(draw.wait_ms.into()));
    }
    if draw.which % 10 == 4 {
        return planning::planning(county, people, what, draw);
    }
    if draw.which % 5 == 2 || draw.which % 10 == 8 {
        return conduct::conduct(county, people, what, draw);
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
