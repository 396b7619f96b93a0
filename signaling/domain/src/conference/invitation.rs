//! The call to one callee.

use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, ConferenceId, InvitationId, ParticipantId, SiteCode};
use crate::order::Target;
use crate::time::Timestamp;

/// Who is rung: the devices of a site or of one person.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Callee {
    /// All devices of accounts that answer for the site.
    Site { code: SiteCode },
    /// All devices of the account.
    Person { account: AccountId },
}

impl From<Callee> for Target {
    fn from(callee: Callee) -> Self {
        match callee {
            Callee::Site { code } => Target::Site { code },
            Callee::Person { account } => Target::Person { account },
        }
    }
}

/// Why a call ended without the callee joining.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum MissReason {
    /// Declined, or answered and left again before the media was connected.
    Declined,
    /// In another conference, and only asked.
    Busy,
    /// Rang until the deadline; or answered, but the media could not be connected.
    NoAnswer,
    /// No device of the callee was there until the deadline.
    Unreachable,
    /// Taken back, or the conference ended, or the callee came in another way.
    Cancelled,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum InvitationState {
    /// No device of the callee has it.
    Queued,
    Ringing,
    /// Somebody took it; the media is being connected.
    Accepted,
    /// The media was connected. What comes after is told by the participant.
    Joined,
    Declined,
    Busy,
    NoAnswer,
    Unreachable,
    Cancelled,
}

/// What can happen to an invitation.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum InvitationInput {
    /// A device of the callee can be rung.
    DeviceThere,
    /// None can be any more.
    DevicesGone,
    /// Whoever could answer is in another conference, and is only asked.
    FoundBusy,
    Accept,
    Decline,
    /// The one who accepted went before the media was connected.
    LeftEarly,
    MediaConnected,
    /// The media of the one who accepted could not be connected.
    MediaFailed,
    /// Taken back by order.
    Cancel,
    /// The conference ended, its participant was removed before it joined,
    /// or the callee came in another way.
    Closed,
    Deadline,
}

/// Why an input does nothing in the present state.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum InvitationUnmoved {
    /// It is so already.
    Unchanged,
    /// No device of the callee has it yet.
    NotRinging,
    /// Nobody has accepted it yet.
    NotAnswered,
    /// Somebody else of the callee accepted it.
    AnsweredElsewhere,
    /// Answered, missed or taken back.
    Settled,
}

impl InvitationState {
    /// The state in which a missed invitation ends.
    fn missed(reason: MissReason) -> Self {
        match reason {
            MissReason::Declined => InvitationState::Declined,
            MissReason::Busy => InvitationState::Busy,
            MissReason::NoAnswer => InvitationState::NoAnswer,
            MissReason::Unreachable => InvitationState::Unreachable,
            MissReason::Cancelled => InvitationState::Cancelled,
        }
    }

    /// Why it was missed, if it was.
    #[must_use]
    pub fn miss(self) -> Option<MissReason> {
        match self {
            InvitationState::Queued
            | InvitationState::Ringing
            | InvitationState::Accepted
            | InvitationState::Joined => None,
            InvitationState::Declined => Some(MissReason::Declined),
            InvitationState::Busy => Some(MissReason::Busy),
            InvitationState::NoAnswer => Some(MissReason::NoAnswer),
            InvitationState::Unreachable => Some(MissReason::Unreachable),
            InvitationState::Cancelled => Some(MissReason::Cancelled),
        }
    }

    /// Waits for an answer.
    #[must_use]
    pub fn is_pending(self) -> bool {
        match self {
            InvitationState::Queued | InvitationState::Ringing => true,
            InvitationState::Accepted
            | InvitationState::Joined
            | InvitationState::Declined
            | InvitationState::Busy
            | InvitationState::NoAnswer
            | InvitationState::Unreachable
            | InvitationState::Cancelled => false,
        }
    }
}

/// One call to one callee.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Invitation {
    pub id: InvitationId,
    pub conference: ConferenceId,
    pub callee: Callee,
    pub by: AccountId,
    pub state: InvitationState,
    /// How often the callee was called into this conference, from 1.
    pub attempt: u32,
    /// An order from above; otherwise asked.
    pub ordered: bool,
    /// Why the callee is brought in without being asked (强插): terminals that may answer by
    /// themselves do so at once.
    pub forced: Option<String>,
    /// A device of the callee had it at some time.
    pub rang: bool,
    /// When it first rang; until then, when it was issued.
    pub rung_at: Timestamp,
    /// When `Queued` or `Ringing` gives up. Means nothing in other states.
    pub deadline: Timestamp,
    /// When it was answered or missed.
    pub settled_at: Option<Timestamp>,
    /// The participant it led to.
    pub participant: Option<ParticipantId>,
}

impl Invitation {
    /// The state that the input leads to.
    pub fn after(&self, input: InvitationInput) -> Result<InvitationState, InvitationUnmoved> {
        use InvitationInput as Input;
        use InvitationState as State;
        use InvitationUnmoved as Unmoved;
        match (self.state, input) {
            (State::Queued, Input::DeviceThere) => Ok(State::Ringing),
            (State::Queued, Input::DevicesGone) => Err(Unmoved::Unchanged),
            (State::Queued, Input::Accept | Input::Decline) => Err(Unmoved::NotRinging),
            // It may have rung before the last device went.
            (State::Queued, Input::Deadline) if self.rang => Ok(State::NoAnswer),
            (State::Queued, Input::Deadline) => Ok(State::Unreachable),

            (State::Ringing, Input::DeviceThere) => Err(Unmoved::Unchanged),
            (State::Ringing, Input::DevicesGone) => Ok(State::Queued),
            (State::Ringing, Input::Accept) => Ok(State::Accepted),
            (State::Ringing, Input::Decline) => Ok(State::Declined),
            (State::Ringing, Input::Deadline) => Ok(State::NoAnswer),

            (State::Queued | State::Ringing, Input::FoundBusy) => Ok(State::Busy),
            (State::Queued | State::Ringing, Input::Cancel | Input::Closed) => Ok(State::Cancelled),
            (
                State::Queued | State::Ringing,
                Input::LeftEarly | Input::MediaConnected | Input::MediaFailed,
            ) => Err(Unmoved::NotAnswered),

            (State::Accepted, Input::LeftEarly) => Ok(State::Declined),
            (State::Accepted, Input::MediaConnected) => Ok(State::Joined),
            (State::Accepted, Input::MediaFailed) => Ok(State::NoAnswer),
            (State::Accepted, Input::Closed) => Ok(State::Cancelled),
            (
                State::Accepted,
                Input::DeviceThere
                | Input::DevicesGone
                | Input::FoundBusy
                | Input::Decline
                | Input::Cancel
                | Input::Deadline,
            ) => Err(Unmoved::Settled),

            (State::Accepted | State::Joined, Input::Accept) => Err(Unmoved::AnsweredElsewhere),
            (
                State::Joined,
                Input::DeviceThere
                | Input::DevicesGone
                | Input::FoundBusy
                | Input::Decline
                | Input::LeftEarly
                | Input::MediaConnected
                | Input::MediaFailed
                | Input::Cancel
                | Input::Closed
                | Input::Deadline,
            )
            | (
                State::Declined
                | State::Busy
                | State::NoAnswer
                | State::Unreachable
                | State::Cancelled,
                _,
            ) => Err(Unmoved::Settled),
        }
    }

    pub(crate) fn ring(&mut self, at: Timestamp, deadline: Timestamp) {
        self.state = InvitationState::Ringing;
        self.deadline = deadline;
        if !self.rang {
            self.rang = true;
            self.rung_at = at;
        }
    }

    pub(crate) fn accept(&mut self, participant: ParticipantId, at: Timestamp) {
        self.state = InvitationState::Accepted;
        self.participant = Some(participant);
        self.settled_at = Some(at);
    }

    pub(crate) fn miss(&mut self, reason: MissReason, at: Timestamp) {
        self.state = InvitationState::missed(reason);
        self.settled_at = Some(at);
    }
}

#[cfg(test)]
mod tests {
    use super::InvitationInput as Input;
    use super::InvitationState as State;
    use super::InvitationUnmoved as Unmoved;
    use super::*;

    const STATES: [State; 9] = [
        State::Queued,
        State::Ringing,
        State::Accepted,
        State::Joined,
        State::Declined,
        State::Busy,
        State::NoAnswer,
        State::Unreachable,
        State::Cancelled,
    ];
    const INPUTS: [Input; 11] = [
        Input::DeviceThere,
        Input::DevicesGone,
        Input::FoundBusy,
        Input::Accept,
        Input::Decline,
        Input::LeftEarly,
        Input::MediaConnected,
        Input::MediaFailed,
        Input::Cancel,
        Input::Closed,
        Input::Deadline,
    ];

    fn invitation(state: State, rang: bool) -> Invitation {
        Invitation {
            id: InvitationId(1),
            conference: ConferenceId(1),
            callee: Callee::Site {
                code: "511922101".into(),
            },
            by: "county".into(),
            state,
            attempt: 1,
            ordered: true,
            forced: None,
            rang,
            rung_at: Timestamp(0),
            deadline: Timestamp(30_000),
            settled_at: None,
            participant: None,
        }
    }

    /// Rows are states in the order of `STATES`, columns inputs in the order of `INPUTS`.
    #[test]
    fn every_state_and_input() {
        const RINGING: Result<State, Unmoved> = Ok(State::Ringing);
        const QUEUED: Result<State, Unmoved> = Ok(State::Queued);
        const BUSY: Result<State, Unmoved> = Ok(State::Busy);
        const ACCEPTED: Result<State, Unmoved> = Ok(State::Accepted);
        const DECLINED: Result<State, Unmoved> = Ok(State::Declined);
        const JOINED: Result<State, Unmoved> = Ok(State::Joined);
        const NO_ANSWER: Result<State, Unmoved> = Ok(State::NoAnswer);
        const UNREACHED: Result<State, Unmoved> = Ok(State::Unreachable);
        const CANCELLED: Result<State, Unmoved> = Ok(State::Cancelled);
        const SAME: Result<State, Unmoved> = Err(Unmoved::Unchanged);
        const EARLY: Result<State, Unmoved> = Err(Unmoved::NotAnswered);
        const SILENT: Result<State, Unmoved> = Err(Unmoved::NotRinging);
        const ELSEWHERE: Result<State, Unmoved> = Err(Unmoved::AnsweredElsewhere);
        const OVER: Result<State, Unmoved> = Err(Unmoved::Settled);
        #[rustfmt::skip]
        let table = [
            // there,  gone,   busy, accept,    decline,  left early, media,  failed,    cancel,    closed,    deadline
            [RINGING,  SAME,   BUSY, SILENT,    SILENT,   EARLY,      EARLY,  EARLY,     CANCELLED, CANCELLED, UNREACHED],
            [SAME,     QUEUED, BUSY, ACCEPTED,  DECLINED, EARLY,      EARLY,  EARLY,     CANCELLED, CANCELLED, NO_ANSWER],
            [OVER,     OVER,   OVER, ELSEWHERE, OVER,     DECLINED,   JOINED, NO_ANSWER, OVER,      CANCELLED, OVER],
            [OVER,     OVER,   OVER, ELSEWHERE, OVER,     OVER,       OVER,   OVER,      OVER,      OVER,      OVER],
            [OVER; 11],
            [OVER; 11],
            [OVER; 11],
            [OVER; 11],
            [OVER; 11],
        ];
        for (state, row) in STATES.into_iter().zip(table) {
            for (input, expected) in INPUTS.into_iter().zip(row) {
                let rang = state != State::Queued;
                assert_eq!(
                    invitation(state, rang).after(input),
                    expected,
                    "{state:?} and {input:?}"
                );
            }
        }
    }

    #[test]
    fn who_rang_and_went_away_gave_no_answer() {
        let queued_again = invitation(State::Queued, true);
        assert_eq!(queued_again.after(Input::Deadline), Ok(State::NoAnswer));
    }

    #[test]
    fn a_second_ring_keeps_the_time_of_the_first() {
        let mut one = invitation(State::Queued, false);
        one.ring(Timestamp(5), Timestamp(30_005));
        one.state = State::Queued;
        one.ring(Timestamp(9), one.deadline);
        assert_eq!(one.rung_at, Timestamp(5));
        assert_eq!(one.deadline, Timestamp(30_005));
    }

    #[test]
    fn a_miss_and_its_state_name_each_other() {
        for reason in [
            MissReason::Declined,
            MissReason::Busy,
            MissReason::NoAnswer,
            MissReason::Unreachable,
            MissReason::Cancelled,
        ] {
            assert_eq!(State::missed(reason).miss(), Some(reason));
        }
    }
}
