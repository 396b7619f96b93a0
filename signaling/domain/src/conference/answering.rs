//! What callees and participants do, and what happens to their media.

use crate::conference::Conference;
use crate::directory::Account;
use crate::draft::Draft;
use crate::event::Event;
use crate::ids::{AccountId, ConferenceId, InvitationId, ParticipantId};
use crate::invitation::{
    Invitation, InvitationInput, InvitationState, InvitationUnmoved, MissReason,
};
use crate::participant::{LeaveReason, Participant, ParticipantInput, ParticipantUnmoved};
use crate::refusal::Refusal;

impl Draft {
    /// The first to accept is the participant. Whoever is in another
    /// conference leaves that one, or is held there.
    pub(crate) fn accept(&mut self, by: &Account, invitation: InvitationId) -> Result<(), Refusal> {
        let one = self.answerable(by, invitation, InvitationInput::Accept)?;
        let running = self.running(one.conference)?;
        if running.place_of(&by.id).is_some() {
            return Err(Refusal::AlreadyThere);
        }
        self.go_into(by, &running, one.ordered);
        let participant = self.come_in(by, &running, running.all_muted);
        self.push(Event::InvitationAccepted {
            conference: one.conference,
            invitation,
            by: by.id.clone(),
            participant,
            at: self.now,
        });
        Ok(())
    }

    pub(crate) fn decline(
        &mut self,
        by: &Account,
        invitation: InvitationId,
    ) -> Result<(), Refusal> {
        let one = self.answerable(by, invitation, InvitationInput::Decline)?;
        self.push(Event::InvitationMissed {
            conference: one.conference,
            invitation,
            reason: MissReason::Declined,
            by: Some(by.id.clone()),
            at: self.now,
        });
        Ok(())
    }

    pub(crate) fn leave_own(
        &mut self,
        by: &Account,
        conference: ConferenceId,
    ) -> Result<(), Refusal> {
        let running = self.running(conference)?;
        let own = running.place_of(&by.id).ok_or(Refusal::NotInConference)?;
        self.depart(own, LeaveReason::Left, None, None);
        Ok(())
    }

    pub(crate) fn set_own_media(
        &mut self,
        by: &Account,
        conference: ConferenceId,
        microphone: bool,
        camera: bool,
    ) -> Result<(), Refusal> {
        let running = self.running(conference)?;
        let own = Draft::own_stay(&running, by)?;
        if (own.microphone, own.camera) != (microphone, camera) {
            self.push(Event::OwnMediaChanged {
                conference,
                participant: own.id,
                microphone,
                camera,
            });
        }
        Ok(())
    }

    pub(crate) fn media_connected(&mut self, id: ParticipantId) -> Result<(), Refusal> {
        let one = self.known_participant(id)?;
        match one.after(ParticipantInput::MediaConnected) {
            Ok(_) => {}
            Err(
                ParticipantUnmoved::Unchanged
                | ParticipantUnmoved::NotWaiting
                | ParticipantUnmoved::NotHeld
                | ParticipantUnmoved::Away,
            ) => return Ok(()),
            Err(ParticipantUnmoved::Gone) => return Err(Refusal::NotInConference),
        }
        self.push(Event::ParticipantIn {
            conference: one.conference,
            participant: id,
            at: self.now,
        });
        let running = self.running(one.conference)?;
        if let Some(invitation) = accepted_by(&running, id) {
            self.push(Event::InvitationJoined {
                conference: one.conference,
                invitation: invitation.id,
                at: self.now,
            });
        }
        Ok(())
    }

    pub(crate) fn media_lost(&mut self, id: ParticipantId) -> Result<(), Refusal> {
        let one = self.known_participant(id)?;
        match one.after(ParticipantInput::MediaLost) {
            Ok(_) => self.reconnect(&one),
            // Its first connection is still being made; that deadline stands.
            Err(
                ParticipantUnmoved::Unchanged
                | ParticipantUnmoved::NotWaiting
                | ParticipantUnmoved::NotHeld
                | ParticipantUnmoved::Away,
            ) => {}
            Err(ParticipantUnmoved::Gone) => return Err(Refusal::NotInConference),
        }
        Ok(())
    }

    pub(crate) fn device_lost(&mut self, id: ParticipantId) -> Result<(), Refusal> {
        let one = self.known_participant(id)?;
        one.after(ParticipantInput::Leave)
            .map_err(|_| Refusal::NotInConference)?;
        self.depart(&one, LeaveReason::DeviceLost, None, None);
        Ok(())
    }

    /// The participant has to bring its media back.
    pub(crate) fn reconnect(&mut self, one: &Participant) {
        self.push(Event::ParticipantReconnecting {
            conference: one.conference,
            participant: one.id,
            at: self.now,
            deadline: self.now.after(self.county.timing.reconnect),
        });
    }

    /// One party is in one conference at a time.
    pub(crate) fn leave_for_another(&mut self, by: &Account) {
        if let Some(stay) = self.county.stay_of(&by.id).cloned() {
            self.depart(&stay, LeaveReason::Moved, None, None);
        }
    }

    /// The participant goes, and its invitation with it if the media was
    /// never connected.
    pub(crate) fn depart(
        &mut self,
        one: &Participant,
        reason: LeaveReason,
        by: Option<&AccountId>,
        text: Option<String>,
    ) {
        if one.after(ParticipantInput::Leave).is_err() {
            return;
        }
        let invitation = self
            .county
            .conference(one.conference)
            .and_then(|conference| accepted_by(conference, one.id))
            .cloned();
        self.push(Event::ParticipantLeft {
            conference: one.conference,
            participant: one.id,
            reason,
            by: by.cloned(),
            text,
            at: self.now,
        });
        let input = match reason {
            LeaveReason::Left | LeaveReason::Moved => InvitationInput::LeftEarly,
            LeaveReason::MediaFailed | LeaveReason::DeviceLost => InvitationInput::MediaFailed,
            LeaveReason::Removed | LeaveReason::ConferenceEnded | LeaveReason::Deactivated => {
                InvitationInput::Closed
            }
        };
        if let Some(invitation) = invitation {
            self.miss(&invitation, input, by);
        }
    }

    /// Moves an invitation to where it is missed, if the input does that.
    pub(crate) fn miss(
        &mut self,
        one: &Invitation,
        input: InvitationInput,
        by: Option<&AccountId>,
    ) {
        if let Some(reason) = one.after(input).ok().and_then(InvitationState::miss) {
            self.push(Event::InvitationMissed {
                conference: one.conference,
                invitation: one.id,
                reason,
                by: by.cloned(),
                at: self.now,
            });
        }
    }

    /// An invitation that the account may answer so.
    fn answerable(
        &self,
        by: &Account,
        id: InvitationId,
        answer: InvitationInput,
    ) -> Result<Invitation, Refusal> {
        let one = self.known_invitation(id)?;
        if !self.county.answering(&one.callee).contains(&&by.id) {
            return Err(Refusal::UnknownInvitation(id));
        }
        match one.after(answer) {
            Ok(_) => Ok(one),
            Err(InvitationUnmoved::AnsweredElsewhere) => Err(Refusal::AnsweredElsewhere),
            Err(InvitationUnmoved::NotRinging) => Err(Refusal::UnknownInvitation(id)),
            Err(
                InvitationUnmoved::Unchanged
                | InvitationUnmoved::NotAnswered
                | InvitationUnmoved::Settled,
            ) => Err(Refusal::Settled),
        }
    }

    fn known_participant(&self, id: ParticipantId) -> Result<Participant, Refusal> {
        match self.county.participant(id) {
            Some(one) => Ok(one.clone()),
            // Of a conference that is over for so long that it is forgotten.
            None if id.0 > 0 && id <= self.county.last.participant => Err(Refusal::NotInConference),
            None => Err(Refusal::UnknownParticipant(id)),
        }
    }
}

/// The invitation that this participant accepted and has not joined by yet.
fn accepted_by(conference: &Conference, participant: ParticipantId) -> Option<&Invitation> {
    conference
        .invitations()
        .find(|one| one.state == InvitationState::Accepted && one.participant == Some(participant))
}
