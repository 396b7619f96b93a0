//! Conducting a conference, in the words of the wire.

use liandong_domain::{self as domain, AccountId, ConductEvent, Conducted, County};
use liandong_protocol::conduct as wire_conduct;
use liandong_protocol::conduct::{ConductNotice, Door, DoorState, Knock};

use super::wire;

#[must_use]
pub fn step(step: wire_conduct::Conduct) -> domain::Conduct {
    use domain::Conduct as To;
    use wire_conduct::Conduct as From;
    match step {
        From::SetMode { mode } => To::SetMode {
            mode: match mode {
                wire_conduct::ConferenceMode::Free => domain::Mode::Free,
                wire_conduct::ConferenceMode::Chaired => domain::Mode::Chaired,
            },
        },
        From::SetRole { participant, role } => To::SetRole {
            participant: wire::participant_of(participant),
            role: assigned(role),
        },
        From::Permit {
            participant,
            sound,
            picture,
        } => To::Permit {
            participant: wire::participant_of(participant),
            sound,
            picture,
        },
        From::Hand { raised } => To::Hand { raised },
        From::LowerHand { participant } => To::LowerHand {
            participant: wire::participant_of(participant),
        },
        From::Lock { locked } => To::Lock { locked },
        From::SetLobby { open } => To::SetLobby { open },
        From::Enter { reason } => To::Enter { reason },
        From::Withdraw => To::Withdraw,
        From::Admit { account, admitted } => To::Admit {
            account: AccountId(account.0),
            admitted,
        },
        From::Move {
            participant,
            to,
            reason,
        } => To::Move {
            participant: wire::participant_of(participant),
            to: domain::ConferenceId(to.0),
            reason,
        },
        From::Insert { target, reason } => To::Insert {
            target: wire::target(target),
            reason,
        },
        From::Observe { reason } => To::Observe { reason },
        From::CallUp { participant } => To::CallUp {
            participant: wire::participant_of(participant),
        },
        From::NextSpeaker => To::NextSpeaker,
        From::Broadcast { tier } => To::Broadcast {
            tier: tier.map(wire::tier_of),
        },
        From::EndAddress => To::EndAddress,
        From::Spotlight { participant } => To::Spotlight {
            participant: participant.map(wire::participant_of),
        },
        From::StartCarousel {
            accounts,
            interval_s,
        } => To::StartCarousel {
            accounts: accounts.into_iter().map(|one| AccountId(one.0)).collect(),
            interval_s,
        },
        From::PauseCarousel { paused } => To::PauseCarousel { paused },
        From::NextInCarousel => To::NextInCarousel,
        From::StopCarousel => To::StopCarousel,
        From::StartRoll { order, answer_s } => To::StartRoll {
            order: match order {
                wire_conduct::RollOrder::InOrder => domain::RollOrder::InOrder,
                wire_conduct::RollOrder::Parallel => domain::RollOrder::Parallel,
            },
            answer_s,
        },
        From::StopRoll => To::StopRoll,
        From::OrderDevice {
            participant,
            device,
            on,
            reason,
        } => To::OrderDevice {
            participant: wire::participant_of(participant),
            device: device_of(device),
            on,
            reason,
        },
        From::AnswerDevice {
            device,
            obeyed,
            asked_at_ms,
        } => To::AnswerDevice {
            device: device_of(device),
            obeyed,
            asked_at: Some(wire::ms_of(asked_at_ms)),
        },
    }
}

fn device_of(device: wire_conduct::MediaDevice) -> domain::Device {
    match device {
        wire_conduct::MediaDevice::Microphone => domain::Device::Microphone,
        wire_conduct::MediaDevice::Camera => domain::Device::Camera,
    }
}

/// An order about a camera or microphone, as all see it. `asks`: nothing there is switched
/// on without a person.
#[must_use]
pub fn device_order(
    county: &County,
    order: Option<&domain::DeviceOrder>,
    asks: bool,
) -> Option<wire_conduct::DeviceOrder> {
    order.map(|order| wire_conduct::DeviceOrder {
        by_name: county.account_name(&order.by),
        on: order.on,
        ordered: order.ordered && !asks,
        reason: order.reason.clone(),
        at_ms: wire::ms(order.at),
        state: match order.state {
            domain::DeviceOrderState::Asked => wire_conduct::DeviceOrderState::Asked,
            domain::DeviceOrderState::Obeyed => wire_conduct::DeviceOrderState::Obeyed,
            domain::DeviceOrderState::Refused => wire_conduct::DeviceOrderState::Refused,
        },
    })
}

#[must_use]
pub fn address(address: &domain::Address) -> wire_conduct::Address {
    match address {
        domain::Address::Named { participant } => wire_conduct::Address::Named {
            participant: wire::participant_id(*participant),
        },
        domain::Address::Broadcast { tier, .. } => wire_conduct::Address::Broadcast {
            tier: tier.map(wire::tier),
        },
    }
}

#[must_use]
pub fn carousel(carousel: &domain::Carousel) -> wire_conduct::Carousel {
    wire_conduct::Carousel {
        interval_s: carousel.interval_s,
        paused: carousel.paused,
        until_ms: carousel.until.map(wire::ms),
    }
}

#[must_use]
pub fn roll(county: &County, roll: &domain::Roll) -> wire_conduct::Roll {
    let entry = |entry: &domain::RollEntry| wire_conduct::RollEntry {
        name: county.callee_name(&entry.callee).to_owned(),
        code: match &entry.callee {
            domain::Callee::Site { code } => code.0.clone(),
            domain::Callee::Person { account } => account.0.clone(),
        },
        state: match entry.state {
            domain::RollState::Waiting => wire_conduct::RollState::Waiting,
            domain::RollState::Called => wire_conduct::RollState::Called,
            domain::RollState::Present => wire_conduct::RollState::Present,
            domain::RollState::Late => wire_conduct::RollState::Late,
            domain::RollState::Away => wire_conduct::RollState::Away,
            domain::RollState::Absent => wire_conduct::RollState::Absent,
        },
        late_ms: entry.late_ms().map(|late| late as f64),
        sound: entry.sound,
        picture: entry.picture,
    };
    wire_conduct::Roll {
        order: match roll.order {
            domain::RollOrder::InOrder => wire_conduct::RollOrder::InOrder,
            domain::RollOrder::Parallel => wire_conduct::RollOrder::Parallel,
        },
        started_at_ms: wire::ms(roll.started_at),
        ended_at_ms: roll.ended_at.map(wire::ms),
        entries: roll.entries.iter().map(entry).collect(),
    }
}

fn assigned(role: wire_conduct::AssignedRole) -> domain::ParticipantRole {
    match role {
        wire_conduct::AssignedRole::CoChair => domain::ParticipantRole::CoChair,
        wire_conduct::AssignedRole::Speaker => domain::ParticipantRole::Speaker,
        wire_conduct::AssignedRole::Listener => domain::ParticipantRole::Listener,
        wire_conduct::AssignedRole::Observer => domain::ParticipantRole::Observer,
    }
}

/// As all see it: the chair before what it was made.
#[must_use]
pub fn role(
    conference: &domain::Conference,
    one: &domain::Participant,
) -> wire_conduct::ParticipantRole {
    if conference.chair == Some(one.id) {
        return wire_conduct::ParticipantRole::Chair;
    }
    match one.role {
        domain::ParticipantRole::CoChair => wire_conduct::ParticipantRole::CoChair,
        domain::ParticipantRole::Speaker => wire_conduct::ParticipantRole::Speaker,
        domain::ParticipantRole::Listener => wire_conduct::ParticipantRole::Listener,
        domain::ParticipantRole::Observer => wire_conduct::ParticipantRole::Observer,
    }
}

#[must_use]
pub fn mode(mode: domain::Mode) -> wire_conduct::ConferenceMode {
    match mode {
        domain::Mode::Free => wire_conduct::ConferenceMode::Free,
        domain::Mode::Chaired => wire_conduct::ConferenceMode::Chaired,
    }
}

#[must_use]
pub fn knocks(county: &County, conference: &domain::Conference) -> Vec<Knock> {
    conference
        .knocks()
        .map(|(account, since)| Knock {
            account: wire::account_id(account),
            name: county.account_name(account),
            since_ms: wire::ms(since),
        })
        .collect()
}

/// The doors of one account.
#[must_use]
pub fn doors(county: &County, account: &AccountId) -> Vec<Door> {
    county
        .doors(account)
        .into_iter()
        .filter_map(|door| {
            let conference = county.conference(door.conference)?;
            Some(Door {
                conference: wire::conference_id(door.conference),
                title: conference.title.clone(),
                from_site_name: county
                    .directory()
                    .site(&conference.called_by_site)
                    .map(|site| site.name.clone())
                    .unwrap_or_default(),
                state: match door.state {
                    domain::DoorState::Open => DoorState::Open,
                    domain::DoorState::Lobby => DoorState::Lobby,
                    domain::DoorState::Locked => DoorState::Locked,
                    domain::DoorState::Knocking => DoorState::Knocking,
                    domain::DoorState::Held => DoorState::Held,
                },
            })
        })
        .collect()
}

/// What everybody in the conference is told of; most is seen without a word.
#[must_use]
pub fn notice(county: &County, event: &ConductEvent) -> Option<ConductNotice> {
    let name = |participant: domain::ParticipantId| {
        let one = county.participant(participant);
        one.map(|one| county.participant_name(one).to_owned())
            .unwrap_or_default()
    };
    let by_name = || {
        let by = event.by.as_ref();
        by.map(|by| county.account_name(by)).unwrap_or_default()
    };
    match &event.what {
        Conducted::Entered {
            participant,
            reason,
        } => {
            let (name, reason) = (name(*participant), reason.clone());
            let one = county.participant(*participant);
            let listens = one.is_some_and(|one| one.role == domain::ParticipantRole::Observer);
            Some(if listens {
                ConductNotice::Observes { name, reason }
            } else {
                ConductNotice::Entered { name, reason }
            })
        }
        Conducted::Held { participant, .. } => Some(ConductNotice::Held {
            name: name(*participant),
        }),
        Conducted::GivenBack { participant, .. } => Some(ConductNotice::GivenBack {
            name: name(*participant),
        }),
        Conducted::Moved {
            participant,
            reason,
            ..
        } => Some(ConductNotice::Moved {
            name: name(*participant),
            by_name: by_name(),
            reason: reason.clone(),
        }),
        Conducted::ModeChanged { .. }
        | Conducted::RoleChanged { .. }
        | Conducted::Permitted { .. }
        | Conducted::HandRaised { .. }
        | Conducted::HandLowered { .. }
        | Conducted::LockChanged { .. }
        | Conducted::LobbyChanged { .. }
        | Conducted::Knocked { .. }
        | Conducted::KnockEnded { .. }
        | Conducted::Addressed { .. }
        | Conducted::Spotlit { .. }
        | Conducted::Carousel { .. }
        | Conducted::RollStarted { .. }
        | Conducted::RollEntry { .. }
        | Conducted::RollEnded
        | Conducted::DeviceOrdered { .. }
        | Conducted::DeviceAnswered { .. } => None,
    }
}
