//! Random orders about plans, the roster and whoever was missed.

use super::*;

/// An order about plans, the roster or somebody who was missed.
pub fn planning(county: &County, people: &[Account], what: u8, draw: &Draw) -> (Actor, Order) {
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

/// Of a plan that rings somebody at once and somebody later.
pub fn content(draw: &Draw, people: &[Account]) -> PlanContent {
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

pub fn channel_result(county: &County, draw: &Draw) -> Order {
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
