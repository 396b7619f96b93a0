//! A conference with its invitations and participants, as the events give it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::invitation::{Callee, Invitation, InvitationState};
use super::participant::{Participant, ParticipantState};
use super::state::{ConferenceKind, ConferenceState};
use crate::event::Event;
use crate::ids::{AccountId, ConferenceId, IncidentId, InvitationId, ParticipantId, SiteCode};
use crate::time::Timestamp;

/// A conference with everybody who was called into it or was in it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Conference {
    pub id: ConferenceId,
    pub kind: ConferenceKind,
    pub state: ConferenceState,
    /// Empty when the caller gave none.
    pub title: String,
    pub called_by: AccountId,
    pub called_by_site: SiteCode,
    /// What it is about.
    pub incident: Option<IncidentId>,
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub chair: Option<ParticipantId>,
    /// For whom it stays when all others are gone: the caller, or whom the
    /// chair was handed to.
    pub host: AccountId,
    pub all_muted: bool,
    /// The host is alone and nothing rings: it ends then.
    pub alone_until: Option<Timestamp>,
    pub(crate) invitations: BTreeMap<InvitationId, Invitation>,
    pub(crate) participants: BTreeMap<ParticipantId, Participant>,
}

impl Conference {
    /// In order of issue, settled ones too.
    pub fn invitations(&self) -> impl Iterator<Item = &Invitation> {
        self.invitations.values()
    }

    /// In order of joining, those who left too.
    pub fn participants(&self) -> impl Iterator<Item = &Participant> {
        self.participants.values()
    }

    /// Those who are in or coming, in order of joining.
    pub fn present(&self) -> impl Iterator<Item = &Participant> {
        self.participants.values().filter(|one| one.is_present())
    }

    #[must_use]
    pub fn participant(&self, id: ParticipantId) -> Option<&Participant> {
        self.participants.get(&id)
    }

    /// The account's stay, if it is present.
    #[must_use]
    pub fn stay_of(&self, account: &AccountId) -> Option<&Participant> {
        self.present().find(|one| one.account == *account)
    }

    #[must_use]
    pub fn is_over(&self) -> bool {
        match self.state {
            ConferenceState::Inviting | ConferenceState::Live => false,
            ConferenceState::Ended => true,
        }
    }

    /// Invitations that wait for an answer.
    pub fn pending(&self) -> impl Iterator<Item = &Invitation> {
        self.invitations().filter(|one| one.state.is_pending())
    }

    /// The callee's newest invitation.
    #[must_use]
    pub fn last_invitation(&self, callee: &Callee) -> Option<&Invitation> {
        self.invitations
            .values()
            .rev()
            .find(|one| one.callee == *callee)
    }

    /// The earliest moment at which something here is due.
    pub(crate) fn due(&self) -> Option<Timestamp> {
        let rings = self.pending().map(|one| one.deadline);
        let joins = self
            .present()
            .filter(|one| one.state == ParticipantState::Joining)
            .map(|one| one.deadline);
        rings.chain(joins).chain(self.alone_until).min()
    }

    pub(crate) fn called(event: &Event) -> Option<Self> {
        let Event::ConferenceCalled {
            conference,
            kind,
            title,
            by,
            site,
            at,
            incident,
        } = event
        else {
            return None;
        };
        Some(Self {
            id: *conference,
            kind: *kind,
            state: ConferenceState::Inviting,
            title: title.clone(),
            called_by: by.clone(),
            called_by_site: site.clone(),
            incident: *incident,
            started_at: *at,
            ended_at: None,
            chair: None,
            host: by.clone(),
            all_muted: false,
            alone_until: None,
            invitations: BTreeMap::new(),
            participants: BTreeMap::new(),
        })
    }

    /// Makes an event of this conference part of it.
    pub(crate) fn apply(&mut self, event: &Event) {
        match event {
            Event::ConferenceLive { .. } => self.state = ConferenceState::Live,
            Event::ConferenceWidened { .. } => self.kind = ConferenceKind::AdHoc,
            Event::ChairChanged { chair, by, .. } => {
                self.chair = *chair;
                let holder = chair.and_then(|id| self.participants.get(&id));
                if let (Some(holder), Some(_)) = (holder, by) {
                    self.host = holder.account.clone();
                }
            }
            Event::AllMuteChanged { muted, .. } => self.all_muted = *muted,
            Event::ConferenceAlone { until, .. } => self.alone_until = *until,
            Event::ConferenceEnded { at, .. } => {
                self.state = ConferenceState::Ended;
                self.ended_at = Some(*at);
                self.chair = None;
                self.alone_until = None;
            }
            Event::InvitationIssued { .. }
            | Event::InvitationRinging { .. }
            | Event::InvitationQueued { .. }
            | Event::InvitationAccepted { .. }
            | Event::InvitationJoined { .. }
            | Event::InvitationMissed { .. } => self.apply_to_invitation(event),
            Event::ParticipantJoining { .. }
            | Event::ParticipantIn { .. }
            | Event::ParticipantReconnecting { .. }
            | Event::ParticipantLeft { .. }
            | Event::ParticipantMuted { .. }
            | Event::OwnMediaChanged { .. } => self.apply_to_participant(event),
            Event::SiteRegistered { .. }
            | Event::SiteChanged { .. }
            | Event::AccountRegistered { .. }
            | Event::AccountChanged { .. }
            | Event::AccountPresenceChanged { .. }
            | Event::SitePresenceChanged { .. }
            | Event::Incident { .. }
            | Event::Restarted { .. }
            | Event::ConferenceCalled { .. }
            | Event::Talk { .. }
            | Event::OrderCarriedOut { .. } => {}
        }
    }

    fn apply_to_invitation(&mut self, event: &Event) {
        match event {
            Event::InvitationIssued {
                conference,
                invitation,
                callee,
                by,
                ordered,
                attempt,
                at,
                deadline,
            } => {
                self.invitations.insert(
                    *invitation,
                    Invitation {
                        id: *invitation,
                        conference: *conference,
                        callee: callee.clone(),
                        by: by.clone(),
                        state: InvitationState::Queued,
                        attempt: *attempt,
                        ordered: *ordered,
                        rang: false,
                        rung_at: *at,
                        deadline: *deadline,
                        settled_at: None,
                        participant: None,
                    },
                );
            }
            Event::InvitationRinging {
                invitation,
                at,
                deadline,
                ..
            } => self.with_invitation(*invitation, |one| one.ring(*at, *deadline)),
            Event::InvitationQueued { invitation, .. } => {
                self.with_invitation(*invitation, |one| one.state = InvitationState::Queued);
            }
            Event::InvitationAccepted {
                invitation,
                participant,
                at,
                ..
            } => self.with_invitation(*invitation, |one| one.accept(*participant, *at)),
            Event::InvitationJoined { invitation, .. } => {
                self.with_invitation(*invitation, |one| one.state = InvitationState::Joined);
            }
            Event::InvitationMissed {
                invitation,
                reason,
                at,
                ..
            } => self.with_invitation(*invitation, |one| one.miss(*reason, *at)),
            _ => {} // not of an invitation
        }
    }

    fn apply_to_participant(&mut self, event: &Event) {
        match event {
            Event::ParticipantJoining {
                conference,
                participant,
                account,
                site,
                muted,
                at,
                deadline,
            } => {
                self.participants.insert(
                    *participant,
                    Participant {
                        id: *participant,
                        conference: *conference,
                        account: account.clone(),
                        site: site.clone(),
                        state: ParticipantState::Joining,
                        muted: *muted,
                        microphone: true,
                        camera: true,
                        joined_at: *at,
                        deadline: *deadline,
                        left: None,
                    },
                );
            }
            Event::ParticipantIn { participant, .. } => {
                self.with_participant(*participant, |one| one.state = ParticipantState::In);
            }
            Event::ParticipantReconnecting {
                participant,
                deadline,
                ..
            } => self.with_participant(*participant, |one| {
                one.state = ParticipantState::Joining;
                one.deadline = *deadline;
            }),
            Event::ParticipantLeft {
                participant,
                reason,
                ..
            } => self.with_participant(*participant, |one| {
                one.state = ParticipantState::Left;
                one.left = Some(*reason);
            }),
            Event::ParticipantMuted {
                participant, muted, ..
            } => self.with_participant(*participant, |one| one.muted = *muted),
            Event::OwnMediaChanged {
                participant,
                microphone,
                camera,
                ..
            } => self.with_participant(*participant, |one| {
                one.microphone = *microphone;
                one.camera = *camera;
            }),
            _ => {} // not of a participant
        }
    }

    fn with_invitation(&mut self, id: InvitationId, change: impl FnOnce(&mut Invitation)) {
        if let Some(one) = self.invitations.get_mut(&id) {
            change(one);
        }
    }

    fn with_participant(&mut self, id: ParticipantId, change: impl FnOnce(&mut Participant)) {
        if let Some(one) = self.participants.get_mut(&id) {
            change(one);
        }
    }
}
