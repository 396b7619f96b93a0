//! Domain types to and from protocol types, one to one.

use liandong_domain as domain;
use liandong_protocol as protocol;

use super::conduct;
use super::snapshot::Setting;
use domain::Timestamp;

/// Milliseconds as JSON numbers; exact up to the year 287396.
#[must_use]
pub fn ms(at: Timestamp) -> f64 {
    at.0 as f64
}

/// Whatever a client sends as a time: nothing before the epoch, nothing without end.
#[must_use]
pub fn ms_of(at_ms: f64) -> Timestamp {
    // `as` saturates, and makes 0 of what is no number.
    Timestamp(at_ms as u64)
}

#[must_use]
pub fn site_code(code: &domain::SiteCode) -> protocol::SiteCode {
    protocol::SiteCode(code.0.clone())
}

#[must_use]
pub fn account_id(id: &domain::AccountId) -> protocol::AccountId {
    protocol::AccountId(id.0.clone())
}

#[must_use]
pub fn conference_id(id: domain::ConferenceId) -> protocol::ConferenceId {
    protocol::ConferenceId(id.0)
}

#[must_use]
pub fn invitation_id(id: domain::InvitationId) -> protocol::InvitationId {
    protocol::InvitationId(id.0)
}

#[must_use]
pub fn participant_id(id: domain::ParticipantId) -> protocol::ParticipantId {
    protocol::ParticipantId(id.0)
}

#[must_use]
pub fn participant_of(id: protocol::ParticipantId) -> domain::ParticipantId {
    domain::ParticipantId(id.0)
}

#[must_use]
pub fn tier(tier: domain::Tier) -> protocol::Tier {
    match tier {
        domain::Tier::County => protocol::Tier::County,
        domain::Tier::Township => protocol::Tier::Township,
        domain::Tier::Community => protocol::Tier::Community,
    }
}

#[must_use]
pub fn tier_of(tier: protocol::Tier) -> domain::Tier {
    match tier {
        protocol::Tier::County => domain::Tier::County,
        protocol::Tier::Township => domain::Tier::Township,
        protocol::Tier::Community => domain::Tier::Community,
    }
}

#[must_use]
pub fn role(role: domain::Role) -> protocol::Role {
    match role {
        domain::Role::Commander => protocol::Role::Commander,
        domain::Role::Dispatcher => protocol::Role::Dispatcher,
        domain::Role::Township => protocol::Role::Township,
        domain::Role::Community => protocol::Role::Community,
        domain::Role::Field => protocol::Role::Field,
        domain::Role::Administrator => protocol::Role::Administrator,
        domain::Role::Supervisor => protocol::Role::Supervisor,
    }
}

#[must_use]
pub fn role_of(role: protocol::Role) -> domain::Role {
    match role {
        protocol::Role::Commander => domain::Role::Commander,
        protocol::Role::Dispatcher => domain::Role::Dispatcher,
        protocol::Role::Township => domain::Role::Township,
        protocol::Role::Community => domain::Role::Community,
        protocol::Role::Field => domain::Role::Field,
        protocol::Role::Administrator => domain::Role::Administrator,
        protocol::Role::Supervisor => domain::Role::Supervisor,
    }
}

#[must_use]
pub fn presence(presence: domain::Presence) -> protocol::Presence {
    match presence {
        domain::Presence::Offline => protocol::Presence::Offline,
        domain::Presence::Online => protocol::Presence::Online,
        domain::Presence::Degraded => protocol::Presence::Degraded,
    }
}

#[must_use]
pub fn miss_reason(reason: domain::MissReason) -> protocol::MissReason {
    match reason {
        domain::MissReason::Declined => protocol::MissReason::Declined,
        domain::MissReason::Busy => protocol::MissReason::Busy,
        domain::MissReason::NoAnswer => protocol::MissReason::NoAnswer,
        domain::MissReason::Unreachable => protocol::MissReason::Unreachable,
        domain::MissReason::Cancelled => protocol::MissReason::Cancelled,
    }
}

fn invitation_state(state: domain::InvitationState) -> protocol::InvitationState {
    match state {
        domain::InvitationState::Queued => protocol::InvitationState::Queued,
        domain::InvitationState::Ringing => protocol::InvitationState::Ringing,
        domain::InvitationState::Accepted => protocol::InvitationState::Accepted,
        domain::InvitationState::Joined => protocol::InvitationState::Joined,
        domain::InvitationState::Declined => protocol::InvitationState::Declined,
        domain::InvitationState::Busy => protocol::InvitationState::Busy,
        domain::InvitationState::NoAnswer => protocol::InvitationState::NoAnswer,
        domain::InvitationState::Unreachable => protocol::InvitationState::Unreachable,
        domain::InvitationState::Cancelled => protocol::InvitationState::Cancelled,
    }
}

#[must_use]
pub fn target_of(callee: &domain::Callee) -> protocol::Target {
    match callee {
        domain::Callee::Site { code } => protocol::Target::Site {
            code: site_code(code),
        },
        domain::Callee::Person { account } => protocol::Target::Person {
            account: account_id(account),
        },
    }
}

#[must_use]
pub fn conference(county: &domain::County, one: &domain::Conference) -> protocol::Conference {
    protocol::Conference {
        id: conference_id(one.id),
        kind: match one.kind {
            domain::ConferenceKind::PointToPoint => protocol::ConferenceKind::PointToPoint,
            domain::ConferenceKind::AdHoc => protocol::ConferenceKind::AdHoc,
            domain::ConferenceKind::Incident => protocol::ConferenceKind::Incident,
        },
        state: match one.state {
            domain::ConferenceState::Inviting => protocol::ConferenceState::Inviting,
            domain::ConferenceState::Live => protocol::ConferenceState::Live,
            domain::ConferenceState::Ended => protocol::ConferenceState::Ended,
        },
        title: one.title.clone(),
        called_by: account_id(&one.called_by),
        called_by_site: site_code(&one.called_by_site),
        incident: one.incident.map(super::incidents::id),
        started_at_ms: ms(one.started_at),
        chair: one.chair.map(participant_id),
        shown: one.shown.iter().map(target_of).collect(),
        all_muted: one.all_muted,
        mode: conduct::mode(one.mode),
        locked: one.locked,
        lobby: one.lobby,
        knocks: conduct::knocks(county, one),
        address: one.address.as_ref().map(conduct::address),
        spotlight: one.in_spotlight().map(participant_id),
        carousel: one.carousel.as_ref().map(conduct::carousel),
        roll: one.roll.as_ref().map(|roll| conduct::roll(county, roll)),
    }
}

#[must_use]
pub fn invitation(county: &domain::County, one: &domain::Invitation) -> protocol::Invitation {
    protocol::Invitation {
        id: invitation_id(one.id),
        conference: conference_id(one.conference),
        target: target_of(&one.callee),
        name: county.callee_name(&one.callee).to_owned(),
        state: invitation_state(one.state),
        attempt: one.attempt,
        ordered: one.ordered,
        rung_at_ms: ms(one.rung_at),
        deadline_ms: ms(one.deadline),
        settled_at_ms: one.settled_at.map(ms),
        participant: one.participant.map(participant_id),
    }
}

#[must_use]
pub fn participant(
    county: &domain::County,
    setting: &Setting,
    conference: &domain::Conference,
    one: &domain::Participant,
) -> protocol::Participant {
    // Rooms that no call opens by itself are asked, whoever orders.
    let asks = setting.never_auto_answer.contains(&one.site);
    let device_order = |order| conduct::device_order(county, order, asks);
    protocol::Participant {
        id: participant_id(one.id),
        conference: conference_id(one.conference),
        account: account_id(&one.account),
        site: site_code(&one.site),
        name: county.participant_name(one).to_owned(),
        role: conduct::role(conference, one),
        state: match one.state {
            domain::ParticipantState::Joining => protocol::ParticipantState::Joining,
            domain::ParticipantState::In => protocol::ParticipantState::In,
            domain::ParticipantState::Held => protocol::ParticipantState::Held,
            domain::ParticipantState::Left => protocol::ParticipantState::Left,
        },
        muted: one.muted,
        sound: conference.permission(one).sound,
        picture: conference.permission(one).picture,
        hand_since_ms: one.hand.map(ms),
        microphone: one.microphone,
        camera: one.camera,
        microphone_order: device_order(one.microphone_order.as_ref()),
        camera_order: device_order(one.camera_order.as_ref()),
        left: one.left.map(leave_reason),
    }
}

fn leave_reason(reason: domain::LeaveReason) -> protocol::LeaveReason {
    match reason {
        domain::LeaveReason::Left => protocol::LeaveReason::Left,
        domain::LeaveReason::Removed => protocol::LeaveReason::Removed,
        domain::LeaveReason::Moved => protocol::LeaveReason::Moved,
        domain::LeaveReason::MediaFailed => protocol::LeaveReason::MediaFailed,
        domain::LeaveReason::DeviceLost => protocol::LeaveReason::DeviceLost,
        domain::LeaveReason::ConferenceEnded => protocol::LeaveReason::ConferenceEnded,
        domain::LeaveReason::Deactivated => protocol::LeaveReason::Deactivated,
    }
}

#[must_use]
pub fn target(target: protocol::Target) -> domain::Target {
    match target {
        protocol::Target::Site { code } => domain::Target::Site {
            code: domain::SiteCode(code.0),
        },
        protocol::Target::Person { account } => domain::Target::Person {
            account: domain::AccountId(account.0),
        },
        protocol::Target::Tier { tier } => domain::Target::Tier {
            tier: tier_of(tier),
        },
        protocol::Target::Subtree { root } => domain::Target::Subtree {
            root: domain::SiteCode(root.0),
        },
    }
}

#[must_use]
pub fn outcome(outcome: domain::Outcome) -> protocol::Reply {
    match outcome {
        domain::Outcome::Called {
            conference,
            invitations,
        } => protocol::Reply::Called {
            conference: conference_id(conference),
            invitations: invitations.into_iter().map(invitation_id).collect(),
        },
        domain::Outcome::Accepted {
            conference,
            participant,
        } => protocol::Reply::Accepted {
            conference: conference_id(conference),
            participant: participant_id(participant),
        },
        domain::Outcome::Reported { incident } => protocol::Reply::Reported {
            incident: super::incidents::id(incident),
        },
        domain::Outcome::GroupCreated { group } => protocol::Reply::GroupCreated {
            group: super::talk::id(group),
        },
        domain::Outcome::PlanSaved { plan, version } => protocol::Reply::PlanSaved {
            plan: super::plans::id(plan),
            version,
        },
        domain::Outcome::Done => protocol::Reply::Done,
    }
}

#[must_use]
pub fn refusal(refusal: &domain::Refusal) -> protocol::Refusal {
    use domain::RefusalCode as From;
    use protocol::RefusalCode as To;
    let code = match refusal.code() {
        From::Malformed => To::Malformed,
        From::NotSignedIn => To::NotSignedIn,
        From::NotAllowed => To::NotAllowed,
        From::NotBelow => To::NotBelow,
        From::NotChair => To::NotChair,
        From::UnknownTarget => To::UnknownTarget,
        From::UnknownConference => To::UnknownConference,
        From::UnknownIncident => To::UnknownIncident,
        From::UnknownTalkGroup => To::UnknownTalkGroup,
        From::UnknownPlan => To::UnknownPlan,
        From::UnknownShift => To::UnknownShift,
        From::NotNow => To::NotNow,
        From::Locked => To::ConferenceLocked,
        From::UnknownInvitation => To::UnknownInvitation,
        From::UnknownParticipant => To::UnknownParticipant,
        From::NobodyToRing => To::NobodyToRing,
        From::AlreadyThere => To::AlreadyThere,
        From::Settled => To::Settled,
        From::AnsweredElsewhere => To::AnsweredElsewhere,
        From::Ended => To::Ended,
        From::NotInConference => To::NotInConference,
        From::Full => To::Full,
        From::KeyReused => To::KeyReused,
    };
    refuse(code, refusal.to_string())
}

/// A refusal without a wait.
#[must_use]
pub fn refuse(code: protocol::RefusalCode, message: impl Into<String>) -> protocol::Refusal {
    protocol::Refusal {
        code,
        message: message.into(),
        retry_after_ms: None,
    }
}

/// A refusal with a wait; rounded up, so that coming back in time succeeds.
#[must_use]
pub fn refuse_for(
    code: protocol::RefusalCode,
    message: impl Into<String>,
    wait: std::time::Duration,
) -> protocol::Refusal {
    let wait_ms = wait.as_micros().div_ceil(1_000);
    protocol::Refusal {
        retry_after_ms: Some(u32::try_from(wait_ms).unwrap_or(u32::MAX)),
        ..refuse(code, message)
    }
}

/// From the configuration to the rules.
#[must_use]
pub fn set_directory(config: &crate::config::Config) -> domain::Order {
    domain::Order::SetDirectory {
        sites: config
            .sites
            .iter()
            .map(|site| domain::Site {
                code: domain::SiteCode(site.code.0.clone()),
                name: site.name.clone(),
                tier: tier_of(site.tier),
                parent: site.parent.as_ref().map(|p| domain::SiteCode(p.0.clone())),
                place: domain::Place::from_degrees(site.place.longitude, site.place.latitude),
            })
            .collect(),
        accounts: config
            .accounts
            .values()
            .map(|account| domain::Account {
                id: domain::AccountId(account.id.0.clone()),
                name: account.name.clone(),
                role: role_of(account.role),
                site: domain::SiteCode(account.site.0.clone()),
                active: true,
            })
            .collect(),
    }
}
