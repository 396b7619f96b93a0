//! Pursuits in the words of the wire.

use domain::pursuit as rules;
use liandong_domain as domain;
use liandong_protocol as protocol;
use liandong_protocol::pursuit as wire;

use super::plans::site_name;
use super::wire::{conference_id, ms, target_of};

/// Those that the viewer may know of: of running calls, and what its site was told.
#[must_use]
pub fn all(county: &domain::County, viewer: &domain::AccountId) -> Vec<wire::Pursuit> {
    let seen = county.pursuits().all().filter(|one| {
        let running = county.conference(one.conference);
        running.is_some_and(|conference| !conference.is_over()) && county.sees_pursuit(viewer, one)
    });
    seen.map(|one| pursuit(county, one)).collect()
}

#[must_use]
pub fn pursuit(county: &domain::County, one: &rules::Pursuit) -> wire::Pursuit {
    wire::Pursuit {
        id: protocol::PursuitId(one.id.0),
        conference: conference_id(one.conference),
        target: target_of(&one.callee),
        name: county.callee_name(&one.callee).to_owned(),
        state: match one.state {
            rules::PursuitState::Calling => wire::PursuitState::Calling,
            rules::PursuitState::ToldAbove => wire::PursuitState::ToldAbove,
            rules::PursuitState::Exhausted => wire::PursuitState::Exhausted,
            rules::PursuitState::Reached => wire::PursuitState::Reached,
            rules::PursuitState::Stopped => wire::PursuitState::Stopped,
        },
        opened_at_ms: ms(one.opened_at),
        told_name: one.told.as_ref().map(|code| site_name(county, code)),
        reached_name: one.reached.clone(),
        attempts: one.attempts.iter().map(attempt).collect(),
    }
}

fn attempt(one: &rules::Attempt) -> wire::Attempt {
    wire::Attempt {
        name: one.name.clone(),
        channel: match one.channel {
            rules::Channel::Devices => wire::PursuitChannel::Devices,
            rules::Channel::WebPush => wire::PursuitChannel::WebPush,
            rules::Channel::Gateway => wire::PursuitChannel::Gateway,
        },
        at_ms: ms(one.at),
        result: one.result.map(result),
        result_at_ms: one.result_at.map(ms),
    }
}

fn result(result: rules::AttemptResult) -> wire::AttemptResult {
    match result {
        rules::AttemptResult::Answered => wire::AttemptResult::Answered,
        rules::AttemptResult::Acknowledged => wire::AttemptResult::Acknowledged,
        rules::AttemptResult::Delivered => wire::AttemptResult::Delivered,
        rules::AttemptResult::NoAnswer => wire::AttemptResult::NoAnswer,
        rules::AttemptResult::Declined => wire::AttemptResult::Declined,
        rules::AttemptResult::Busy => wire::AttemptResult::Busy,
        rules::AttemptResult::Unreachable => wire::AttemptResult::Unreachable,
        rules::AttemptResult::Failed => wire::AttemptResult::Failed,
        rules::AttemptResult::Stopped => wire::AttemptResult::Stopped,
    }
}
