//! What has happened. Events are the journal and the only thing that changes
//! state.
//!
//! # The form in the journal (version 1)
//! Each event is one JSON object whose `type` is the variant in camelCase.
//! These names and the names of fields never change their meaning. A reader
//! ignores fields it does not know, and a field added later is optional with
//! a default; a change that cannot be made so gets a new variant, and the old
//! one stays readable. A variant that a reader does not know is an error:
//! going on without it would give another state than the writer had.

use serde::{Deserialize, Serialize};

use crate::conference::conduct::{ConductEvent, ParticipantRole};
use crate::conference::{ConferenceKind, EndReason};
use crate::directory::{Account, Presence, Site};
use crate::duty::DutyEvent;
use crate::idempotency::Outcome;
use crate::ids::{
    AccountId, ConferenceId, IncidentId, InvitationId, ParticipantId, SiteCode, TalkGroupId,
};
use crate::incident::IncidentEvent;
use crate::invitation::{Callee, MissReason};
use crate::order::Order;
use crate::participant::LeaveReason;
use crate::plan::PlanEvent;
use crate::pursuit::PursuitEvent;
use crate::talk::TalkEvent;
use crate::time::Timestamp;

/// The version of the form described above; the journal keeps it beside each event.
pub const EVENT_VERSION: u16 = 1;

/// One thing that has happened.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Event {
    SiteRegistered {
        site: Site,
    },
    /// The whole site as it is now.
    SiteChanged {
        site: Site,
    },
    AccountRegistered {
        account: Account,
    },
    /// The whole account as it is now.
    AccountChanged {
        account: Account,
    },

    AccountPresenceChanged {
        account: AccountId,
        presence: Presence,
        at: Timestamp,
    },
    /// Follows from the accounts that answer for the site.
    SitePresenceChanged {
        site: SiteCode,
        presence: Presence,
        at: Timestamp,
    },
    /// The server came up again on this journal.
    Restarted {
        at: Timestamp,
    },

    ConferenceCalled {
        conference: ConferenceId,
        kind: ConferenceKind,
        title: String,
        by: AccountId,
        site: SiteCode,
        at: Timestamp,
        /// What it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        incident: Option<IncidentId>,
    },
    /// Somebody besides the caller is in.
    ConferenceLive {
        conference: ConferenceId,
        at: Timestamp,
    },
    /// A third party was called: it is no longer a call of two.
    ConferenceWidened {
        conference: ConferenceId,
    },
    /// Who holds the chair from now on; nobody when no remaining participant can.
    ChairChanged {
        conference: ConferenceId,
        chair: Option<ParticipantId>,
        /// Who handed it over; absent when it passed by itself.
        by: Option<AccountId>,
    },
    /// The rule for later joiners; each participant that it changes has its
    /// own `ParticipantMuted`.
    AllMuteChanged {
        conference: ConferenceId,
        muted: bool,
        by: AccountId,
    },
    /// Only the host is left and nothing rings: the conference ends then,
    /// unless somebody is called or comes. Absent: that is over.
    ConferenceAlone {
        conference: ConferenceId,
        until: Option<Timestamp>,
    },
    /// Who is to be shown first, in this order, by wall and server, where a client
    /// wishes nothing else.
    ConferenceLaidOut {
        conference: ConferenceId,
        shown: Vec<Callee>,
        at: Timestamp,
    },
    ConferenceEnded {
        conference: ConferenceId,
        reason: EndReason,
        by: Option<AccountId>,
        at: Timestamp,
    },

    /// A call to one callee, in state `Queued`.
    InvitationIssued {
        conference: ConferenceId,
        invitation: InvitationId,
        callee: Callee,
        by: AccountId,
        ordered: bool,
        attempt: u32,
        at: Timestamp,
        deadline: Timestamp,
        /// Why the callee is brought in without being asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        forced: Option<String>,
    },
    /// A device of the callee has it.
    InvitationRinging {
        conference: ConferenceId,
        invitation: InvitationId,
        at: Timestamp,
        deadline: Timestamp,
    },
    /// No device of the callee has it any more; it waits again, with the same deadline.
    InvitationQueued {
        conference: ConferenceId,
        invitation: InvitationId,
        at: Timestamp,
    },
    InvitationAccepted {
        conference: ConferenceId,
        invitation: InvitationId,
        by: AccountId,
        participant: ParticipantId,
        at: Timestamp,
    },
    InvitationJoined {
        conference: ConferenceId,
        invitation: InvitationId,
        at: Timestamp,
    },
    InvitationMissed {
        conference: ConferenceId,
        invitation: InvitationId,
        reason: MissReason,
        /// Who declined it or took it back; absent for deadlines and consequences.
        by: Option<AccountId>,
        at: Timestamp,
    },

    /// Somebody comes in; the media must be connected until the deadline.
    ParticipantJoining {
        conference: ConferenceId,
        participant: ParticipantId,
        account: AccountId,
        site: SiteCode,
        /// The media server's gate for this participant's sound, from the first packet.
        muted: bool,
        at: Timestamp,
        deadline: Timestamp,
        #[serde(default, skip_serializing_if = "ParticipantRole::is_usual")]
        role: ParticipantRole,
    },
    ParticipantIn {
        conference: ConferenceId,
        participant: ParticipantId,
        at: Timestamp,
    },
    /// The media is lost and must be back until the deadline.
    ParticipantReconnecting {
        conference: ConferenceId,
        participant: ParticipantId,
        at: Timestamp,
        deadline: Timestamp,
    },
    ParticipantLeft {
        conference: ConferenceId,
        participant: ParticipantId,
        reason: LeaveReason,
        /// Who removed it or ended the conference.
        by: Option<AccountId>,
        /// The reason given for a removal, to be shown on the device.
        text: Option<String>,
        at: Timestamp,
    },
    /// The media server's gate for this participant's sound.
    ParticipantMuted {
        conference: ConferenceId,
        participant: ParticipantId,
        muted: bool,
        /// Absent when it follows from a change of chair.
        by: Option<AccountId>,
    },
    OwnMediaChanged {
        conference: ConferenceId,
        participant: ParticipantId,
        microphone: bool,
        camera: bool,
    },

    /// Something by which a conference is conducted.
    Conduct {
        event: ConductEvent,
    },

    /// Something about one incident.
    Incident {
        event: IncidentEvent,
    },

    /// Something about one talk group.
    Talk {
        event: TalkEvent,
    },
    /// Something about a plan or its run.
    Plan {
        event: PlanEvent,
    },
    /// Something about the duty roster.
    Duty {
        event: DutyEvent,
    },
    /// Something about somebody who is hard to reach.
    Pursuit {
        event: PursuitEvent,
    },

    /// An order with an idempotency key was carried out with this outcome;
    /// sent again, it gives the same.
    OrderCarriedOut {
        by: AccountId,
        key: String,
        order: Order,
        outcome: Outcome,
        at: Timestamp,
    },
}

impl Event {
    /// The incident that it changes.
    #[must_use]
    pub fn incident(&self) -> Option<IncidentId> {
        match self {
            Event::Incident { event } => Some(event.incident),
            _ => None,
        }
    }

    /// The talk group that it changes.
    #[must_use]
    pub fn talk_group(&self) -> Option<TalkGroupId> {
        match self {
            Event::Talk { event } => Some(event.group),
            _ => None,
        }
    }

    /// The conference that it changes.
    #[must_use]
    pub fn conference(&self) -> Option<ConferenceId> {
        match self {
            Event::SiteRegistered { .. }
            | Event::SiteChanged { .. }
            | Event::AccountRegistered { .. }
            | Event::AccountChanged { .. }
            | Event::AccountPresenceChanged { .. }
            | Event::SitePresenceChanged { .. }
            | Event::Restarted { .. }
            | Event::Incident { .. }
            | Event::Talk { .. }
            | Event::Plan { .. }
            | Event::Duty { .. }
            | Event::Pursuit { .. }
            | Event::OrderCarriedOut { .. } => None,
            Event::ConferenceCalled { conference, .. }
            | Event::ConferenceLive { conference, .. }
            | Event::ConferenceWidened { conference }
            | Event::ChairChanged { conference, .. }
            | Event::AllMuteChanged { conference, .. }
            | Event::ConferenceAlone { conference, .. }
            | Event::ConferenceLaidOut { conference, .. }
            | Event::ConferenceEnded { conference, .. }
            | Event::InvitationIssued { conference, .. }
            | Event::InvitationRinging { conference, .. }
            | Event::InvitationQueued { conference, .. }
            | Event::InvitationAccepted { conference, .. }
            | Event::InvitationJoined { conference, .. }
            | Event::InvitationMissed { conference, .. }
            | Event::ParticipantJoining { conference, .. }
            | Event::ParticipantIn { conference, .. }
            | Event::ParticipantReconnecting { conference, .. }
            | Event::ParticipantLeft { conference, .. }
            | Event::ParticipantMuted { conference, .. }
            | Event::OwnMediaChanged { conference, .. } => Some(*conference),
            Event::Conduct { event } => Some(event.conference),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The journal of an older version has to stay readable: these texts never change.
    #[test]
    fn the_form_in_the_journal_is_fixed() {
        let issued = Event::InvitationIssued {
            conference: ConferenceId(1),
            invitation: InvitationId(2),
            callee: Callee::Site {
                code: "511922101".into(),
            },
            by: "commander".into(),
            ordered: true,
            attempt: 1,
            at: Timestamp(1_795_500_000_000),
            deadline: Timestamp(1_795_500_030_000),
            forced: None,
        };
        let left = Event::ParticipantLeft {
            conference: ConferenceId(1),
            participant: ParticipantId(3),
            reason: LeaveReason::MediaFailed,
            by: None,
            text: None,
            at: Timestamp(7),
        };
        let carried_out = Event::OrderCarriedOut {
            by: "commander".into(),
            key: "k".to_owned(),
            order: Order::MuteAll {
                conference: ConferenceId(1),
                muted: true,
            },
            outcome: Outcome::Done,
            at: Timestamp(7),
        };
        for (event, text) in [
            (
                issued,
                r#"{"type":"invitationIssued","conference":1,"invitation":2,"callee":{"type":"site","code":"511922101"},"by":"commander","ordered":true,"attempt":1,"at":1795500000000,"deadline":1795500030000}"#,
            ),
            (
                left,
                r#"{"type":"participantLeft","conference":1,"participant":3,"reason":"mediaFailed","by":null,"text":null,"at":7}"#,
            ),
            (
                carried_out,
                r#"{"type":"orderCarriedOut","by":"commander","key":"k","order":{"type":"muteAll","conference":1,"muted":true},"outcome":{"type":"done"},"at":7}"#,
            ),
        ] {
            assert_eq!(serde_json::to_string(&event).unwrap(), text);
            assert_eq!(serde_json::from_str::<Event>(text).unwrap(), event);
        }
    }

    #[test]
    fn fields_of_a_later_version_are_passed_over_and_unknown_events_are_not() {
        let later = r#"{"type":"conferenceLive","conference":1,"at":5,"recording":true}"#;
        assert_eq!(
            serde_json::from_str::<Event>(later).unwrap(),
            Event::ConferenceLive {
                conference: ConferenceId(1),
                at: Timestamp(5)
            }
        );
        let unknown = r#"{"type":"floorGranted","conference":1}"#;
        assert!(serde_json::from_str::<Event>(unknown).is_err());
    }
}
