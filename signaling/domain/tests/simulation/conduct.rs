//! Random orders in a conference.

use super::*;

/// Conducting: mostly by somebody who is in, of somebody who is in with him.
pub fn conduct(county: &County, people: &[Account], what: u8, draw: &Draw) -> (Actor, Order) {
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
