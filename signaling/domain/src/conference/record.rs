//! A conference with its invitations and participants, as the events give it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::conduct::{
    Address, Carousel, ConductEvent, Conducted, Device, DeviceOrder, DeviceOrderState, Gates, Mode,
    ParticipantRole, Permission, Roll,
};
use super::invitation::{Callee, Invitation, InvitationState};
use super::participant::{Hold, Participant, ParticipantState};
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
    pub mode: Mode,
    /// Nobody new, except who is ordered in.
    pub locked: bool,
    /// Whoever comes by himself waits to be admitted.
    pub lobby: bool,
    /// Who speaks to all, while that goes on.
    pub address: Option<Address>,
    /// Large on every wall, by the chair's choice.
    pub spotlight: Option<ParticipantId>,
    pub carousel: Option<Carousel>,
    /// The present roll call, or the last one.
    pub roll: Option<Roll>,
    /// Who waits in the lobby, since when.
    pub(crate) knocks: BTreeMap<AccountId, Timestamp>,
    /// The host is alone and nothing rings: it ends then.
    pub alone_until: Option<Timestamp>,
    /// Who is to be shown first, in this order.
    pub shown: Vec<Callee>,
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

    /// Those who are present, and those whose place is kept.
    pub fn there(&self) -> impl Iterator<Item = &Participant> {
        self.participants.values().filter(|one| one.is_there())
    }

    /// Those who are present and take part, not those who listen in.
    pub fn parties(&self) -> impl Iterator<Item = &Participant> {
        self.present()
            .filter(|one| one.role != ParticipantRole::Observer)
    }

    /// Who waits in the lobby, since when.
    pub fn knocks(&self) -> impl Iterator<Item = (&AccountId, Timestamp)> {
        self.knocks.iter().map(|(account, since)| (account, *since))
    }

    /// What of the participant's media the others get.
    #[must_use]
    pub fn gates(&self, one: &Participant) -> Gates {
        if !one.is_present() {
            return Gates::CLOSED;
        }
        let permission = self.permission(one);
        let addresses = self
            .address
            .as_ref()
            .is_some_and(|one_of| one_of.speaks(one.id));
        Gates {
            // Whoever is called up is heard, muted before or not.
            sound: permission.sound && (addresses || !one.muted),
            picture: permission.picture,
        }
    }

    /// What the participant may send at present, muted or not.
    #[must_use]
    pub fn permission(&self, one: &Participant) -> Permission {
        let chair = self.chair == Some(one.id);
        // Whoever only listens in is never heard, not even called up before.
        if one.role == ParticipantRole::Observer && !chair {
            return one.permission;
        }
        if let Some(address) = &self.address {
            let speaks = address.speaks(one.id);
            return Permission {
                sound: chair || speaks,
                picture: chair || speaks || one.permission.picture,
            };
        }
        if chair {
            Permission {
                sound: true,
                picture: true,
            }
        } else {
            one.permission
        }
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

    /// The account's stay, if it is present or its place is kept.
    #[must_use]
    pub fn place_of(&self, account: &AccountId) -> Option<&Participant> {
        self.there().find(|one| one.account == *account)
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
        let turns = self.carousel.as_ref().and_then(|carousel| carousel.until);
        let roll = self.roll.as_ref().and_then(Roll::due);
        rings
            .chain(joins)
            .chain(self.alone_until)
            .chain(turns)
            .chain(roll)
            .min()
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
            mode: Mode::Free,
            locked: false,
            lobby: false,
            address: None,
            spotlight: None,
            carousel: None,
            roll: None,
            knocks: BTreeMap::new(),
            alone_until: None,
            shown: Vec::new(),
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
            Event::ConferenceLaidOut { shown, .. } => self.shown.clone_from(shown),
            Event::ConferenceEnded { at, .. } => {
                self.state = ConferenceState::Ended;
                self.ended_at = Some(*at);
                self.chair = None;
                self.alone_until = None;
                self.knocks.clear();
                self.address = None;
                self.spotlight = None;
                self.carousel = None;
                self.end_roll(*at);
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
            Event::Conduct { event } => self.apply_conduct(event),
            Event::SiteRegistered { .. }
            | Event::SiteChanged { .. }
            | Event::AccountRegistered { .. }
            | Event::AccountChanged { .. }
            | Event::AccountPresenceChanged { .. }
            | Event::SitePresenceChanged { .. }
            | Event::Incident { .. }
            | Event::Plan { .. }
            | Event::Duty { .. }
            | Event::Pursuit { .. }
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
                forced,
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
                        forced: forced.clone(),
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
                role,
            } => {
                self.participants.insert(
                    *participant,
                    Participant {
                        id: *participant,
                        conference: *conference,
                        account: account.clone(),
                        site: site.clone(),
                        state: ParticipantState::Joining,
                        role: *role,
                        permission: role.permission(),
                        hand: None,
                        muted: *muted,
                        microphone: true,
                        camera: true,
                        microphone_order: None,
                        camera_order: None,
                        joined_at: *at,
                        deadline: *deadline,
                        left: None,
                        held: None,
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
                one.hand = None;
                one.held = None;
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
                forget_order(&mut one.microphone_order, *microphone);
                forget_order(&mut one.camera_order, *camera);
            }),
            _ => {} // not of a participant
        }
    }

    fn apply_conduct(&mut self, event: &ConductEvent) {
        match &event.what {
            Conducted::ModeChanged { mode } => self.change_mode(*mode),
            Conducted::RoleChanged { participant, role } => {
                self.with_participant(*participant, |one| {
                    one.role = *role;
                    one.permission = role.permission();
                    one.hand = None;
                });
            }
            Conducted::Permitted {
                participant,
                permission,
            } => self.with_participant(*participant, |one| one.permission = *permission),
            Conducted::HandRaised { participant } => {
                self.with_participant(*participant, |one| one.hand = Some(event.at));
            }
            Conducted::HandLowered { participant } => {
                self.with_participant(*participant, |one| one.hand = None);
            }
            Conducted::LockChanged { locked } => self.locked = *locked,
            Conducted::LobbyChanged { open } => self.lobby = *open,
            Conducted::Knocked { account } => {
                self.knocks.insert(account.clone(), event.at);
            }
            Conducted::KnockEnded { account, .. } => drop(self.knocks.remove(account)),
            Conducted::Held {
                participant,
                by_conference,
            } => {
                let chaired = self.chair == Some(*participant);
                self.with_participant(*participant, |one| {
                    one.state = ParticipantState::Held;
                    one.hand = None;
                    // Nobody is to switch a camera on when it comes back, hours later perhaps.
                    forget_question(&mut one.microphone_order);
                    forget_question(&mut one.camera_order);
                    one.held = Some(Hold {
                        by_conference: *by_conference,
                        since: event.at,
                        chaired,
                    });
                });
            }
            Conducted::GivenBack {
                participant,
                deadline,
            } => self.with_participant(*participant, |one| {
                one.state = ParticipantState::Joining;
                one.deadline = *deadline;
                one.held = None;
            }),
            // What they change has events of its own.
            Conducted::Entered { .. } | Conducted::Moved { .. } => {}
            Conducted::Addressed { .. }
            | Conducted::Spotlit { .. }
            | Conducted::Carousel { .. }
            | Conducted::RollStarted { .. }
            | Conducted::RollEntry { .. }
            | Conducted::RollEnded
            | Conducted::DeviceOrdered { .. }
            | Conducted::DeviceAnswered { .. } => self.apply_direction(event),
        }
    }

    fn apply_direction(&mut self, event: &ConductEvent) {
        match &event.what {
            Conducted::Addressed { address } => self.address.clone_from(address),
            Conducted::Spotlit { participant } => self.spotlight = *participant,
            Conducted::Carousel { carousel } => self.carousel.clone_from(carousel),
            Conducted::RollStarted { roll } => self.roll = Some(roll.clone()),
            Conducted::RollEntry { index, entry } => {
                let entries = self.roll.as_mut().map(|roll| &mut roll.entries);
                let index = usize::try_from(*index).unwrap_or(usize::MAX);
                if let Some(known) = entries.and_then(|entries| entries.get_mut(index)) {
                    known.clone_from(entry);
                }
            }
            Conducted::RollEnded => self.end_roll(event.at),
            Conducted::DeviceOrdered {
                participant,
                device,
                on,
                ordered,
                reason,
            } => {
                let order = event.by.as_ref().map(|by| DeviceOrder {
                    by: by.clone(),
                    on: *on,
                    ordered: *ordered,
                    reason: reason.clone(),
                    at: event.at,
                    state: DeviceOrderState::Asked,
                });
                self.with_participant(*participant, |one| match device {
                    Device::Microphone => one.microphone_order = order,
                    Device::Camera => one.camera_order = order,
                });
            }
            Conducted::DeviceAnswered {
                participant,
                device,
                obeyed,
            } => self.with_participant(*participant, |one| {
                let order = match device {
                    Device::Microphone => &mut one.microphone_order,
                    Device::Camera => &mut one.camera_order,
                };
                if let Some(order) = order {
                    order.state = if *obeyed {
                        DeviceOrderState::Obeyed
                    } else {
                        DeviceOrderState::Refused
                    };
                }
            }),
            _ => {} // applied by the caller
        }
    }

    fn end_roll(&mut self, at: Timestamp) {
        if let Some(roll) = self.roll.as_mut().filter(|roll| roll.goes_on()) {
            roll.ended_at = Some(at);
        }
    }

    fn change_mode(&mut self, mode: Mode) {
        self.mode = mode;
        let chair = self.chair;
        for one in self.participants.values_mut() {
            one.hand = None;
            let role = one.role.in_mode(mode);
            if role != one.role && Some(one.id) != chair {
                one.role = role;
                one.permission = role.permission();
            }
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

/// An order that was obeyed holds until the device is switched by somebody else.
fn forget_order(order: &mut Option<DeviceOrder>, on: bool) {
    let over = |order: &mut DeviceOrder| order.state == DeviceOrderState::Obeyed && order.on != on;
    drop(order.take_if(over));
}

/// What the device has not answered.
fn forget_question(order: &mut Option<DeviceOrder>) {
    drop(order.take_if(|order| order.state == DeviceOrderState::Asked));
}
