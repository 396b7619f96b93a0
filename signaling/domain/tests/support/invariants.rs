//! What holds after every order, whoever gave it.

use std::collections::BTreeSet;

use liandong_domain::limits::{MAX_ENDED_CONFERENCES, MAX_PARTICIPANTS};
use liandong_domain::{
    Conference, County, Gates, InvitationState, ParticipantRole, ParticipantState, Presence, Role,
    Timestamp,
};

pub fn check(county: &County) {
    let mut present = BTreeSet::new();
    for conference in county.conferences() {
        for one in conference.present() {
            assert!(
                present.insert(&one.account),
                "{} is in two conferences",
                one.account
            );
        }
        check_states(conference);
        if conference.is_over() {
            check_ended(conference);
        } else {
            check_running(county, conference);
        }
    }
    let ended = county.conferences().filter(|one| one.is_over()).count();
    assert!(ended <= MAX_ENDED_CONFERENCES);
    check_presence(county);
}

/// After a tick nothing is left that was due.
pub fn check_nothing_due(county: &County, now: Timestamp) {
    if let Some(due) = county.due() {
        assert!(due > now, "due at {due:?} and it is {now:?}");
    }
}

fn check_states(conference: &Conference) {
    for one in conference.participants() {
        let left = one.state == ParticipantState::Left;
        assert_eq!(left, one.left.is_some(), "{one:?}");
    }
    for one in conference.invitations() {
        let stay = one.participant.and_then(|id| conference.participant(id));
        match one.state {
            InvitationState::Queued => assert_eq!(one.settled_at, None),
            InvitationState::Ringing => {
                assert_eq!(one.settled_at, None);
                assert!(one.rang);
            }
            InvitationState::Accepted => {
                let stay = stay.expect("accepted by somebody");
                assert_eq!(stay.state, ParticipantState::Joining, "{one:?}");
            }
            InvitationState::Joined => assert!(stay.is_some()),
            InvitationState::Declined
            | InvitationState::Busy
            | InvitationState::NoAnswer
            | InvitationState::Unreachable
            | InvitationState::Cancelled => assert!(one.settled_at.is_some()),
        }
        assert!(one.rung_at >= conference.started_at);
    }
}

fn check_ended(conference: &Conference) {
    assert_eq!(conference.there().count(), 0, "{conference:?}");
    assert_eq!(conference.knocks().count(), 0, "{conference:?}");
    assert_eq!(conference.pending().count(), 0, "{conference:?}");
    assert_eq!(conference.chair, None);
    assert_eq!(conference.alone_until, None);
    assert!(conference.ended_at.is_some());
    let open = conference
        .invitations()
        .any(|one| one.state == InvitationState::Accepted);
    assert!(!open, "{conference:?}");
}

fn check_running(county: &County, conference: &Conference) {
    let present = conference.present().count();
    let parties = conference.parties().count();
    let held = conference.there().count() - present;
    assert!(parties + held >= 1, "nobody is in {conference:?}");
    assert!(present <= MAX_PARTICIPANTS);
    assert_eq!(conference.ended_at, None);

    check_roles(county, conference);
    let commands = |role| !matches!(role, Role::Administrator | Role::Supervisor);
    let role_of = |account| county.directory().account(account).map(|one| one.role);
    match conference.chair {
        Some(chair) => {
            let chair = conference.participant(chair).expect("chair is known");
            assert!(chair.is_present(), "{conference:?}");
            assert!(role_of(&chair.account).is_some_and(commands));
        }
        None => {
            let able = conference
                .parties()
                .any(|one| role_of(&one.account).is_some_and(commands));
            assert!(!able, "nobody took the chair: {conference:?}");
        }
    }

    let alone = parties == 1 && held == 0 && conference.pending().count() == 0;
    assert_eq!(alone, conference.alone_until.is_some(), "{conference:?}");
    if alone {
        assert!(conference.stay_of(&conference.host).is_some());
    }

    let mut called = BTreeSet::new();
    for one in conference.pending() {
        let rung = !county.rung_by(one).is_empty();
        assert_eq!(rung, one.state == InvitationState::Ringing, "{one:?}");
        assert!(called.insert(&one.callee), "rung twice: {:?}", one.callee);
    }
}

/// Gates follow from roles and permissions, holds from what is higher, and nobody who is
/// in a call waits in a lobby.
fn check_roles(county: &County, conference: &Conference) {
    for one in conference.participants() {
        let gates = conference.gates(one);
        let chair = conference.chair == Some(one.id);
        if !one.is_present() || (one.role == ParticipantRole::Observer && !chair) {
            assert_eq!(gates, Gates::CLOSED, "{one:?}");
        }
        let addresses = conference.address.as_ref();
        let addresses = addresses.is_some_and(|address| address.speaks(one.id));
        assert!(addresses || !(one.muted && gates.sound), "{one:?}");
        assert!(one.hand.is_none() || one.is_present(), "{one:?}");
        assert_eq!(one.state == ParticipantState::Held, one.held.is_some());
        if one.state == ParticipantState::Held {
            // Whoever is free is given back at once.
            let stay = county.stay_of(&one.account).expect("in another conference");
            assert_ne!(stay.conference, conference.id);
            assert!(
                !county.priority(conference).is_emergency(),
                "{conference:?}"
            );
        }
    }
    for (account, _) in conference.knocks() {
        assert!(county.stay_of(account).is_none(), "{account} waits in vain");
        assert!(!conference.locked);
        assert!(conference.lobby);
    }
}

fn check_presence(county: &County) {
    for site in county.directory().sites() {
        let board = county.presence();
        let best = county
            .directory()
            .accounts_at(&site.code)
            .filter(|one| one.role != Role::Field)
            .map(|one| board.of_account(&one.id))
            .max_by_key(|presence| match presence {
                Presence::Offline => 0,
                Presence::Degraded => 1,
                Presence::Online => 2,
            });
        assert_eq!(board.of_site(&site.code), best.unwrap_or_default());
    }
}
