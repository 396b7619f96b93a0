//! The life of an incident, and of one responder in it.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum IncidentState {
    Reported,
    Verified,
    /// Somebody is on it.
    Dispatched,
    Controlled,
    Closed,
    Reviewed,
    /// The same as another one.
    Duplicate,
    /// There was nothing.
    False,
}

/// What can happen to an incident as a whole.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum IncidentInput {
    Verify,
    MarkDuplicate,
    MarkFalse,
    Assign,
    Control,
    Close,
    Review,
}

/// The input is not for this state.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NotNow;

impl IncidentInput {
    pub const ALL: [IncidentInput; 7] = [
        IncidentInput::Verify,
        IncidentInput::MarkDuplicate,
        IncidentInput::MarkFalse,
        IncidentInput::Assign,
        IncidentInput::Control,
        IncidentInput::Close,
        IncidentInput::Review,
    ];
}

impl IncidentState {
    pub const ALL: [IncidentState; 8] = [
        IncidentState::Reported,
        IncidentState::Verified,
        IncidentState::Dispatched,
        IncidentState::Controlled,
        IncidentState::Closed,
        IncidentState::Reviewed,
        IncidentState::Duplicate,
        IncidentState::False,
    ];

    /// The state that the input leads to.
    ///
    /// # Errors
    /// The input does nothing in this state.
    pub fn after(self, input: IncidentInput) -> Result<IncidentState, NotNow> {
        use IncidentInput as Input;
        use IncidentState as State;
        match (self, input) {
            (State::Reported, Input::Verify) => Ok(State::Verified),
            (State::Reported, Input::MarkDuplicate) => Ok(State::Duplicate),
            (State::Reported, Input::MarkFalse) => Ok(State::False),
            (State::Verified | State::Dispatched, Input::Assign) => Ok(State::Dispatched),
            (State::Dispatched, Input::Control) => Ok(State::Controlled),
            (State::Controlled, Input::Close) => Ok(State::Closed),
            (State::Closed, Input::Review) => Ok(State::Reviewed),
            (State::Reported, Input::Assign | Input::Control | Input::Close | Input::Review)
            | (
                State::Verified,
                Input::Verify
                | Input::MarkDuplicate
                | Input::MarkFalse
                | Input::Control
                | Input::Close
                | Input::Review,
            )
            | (
                State::Dispatched,
                Input::Verify
                | Input::MarkDuplicate
                | Input::MarkFalse
                | Input::Close
                | Input::Review,
            )
            | (
                State::Controlled,
                Input::Verify
                | Input::MarkDuplicate
                | Input::MarkFalse
                | Input::Assign
                | Input::Control
                | Input::Review,
            )
            | (
                State::Closed,
                Input::Verify
                | Input::MarkDuplicate
                | Input::MarkFalse
                | Input::Assign
                | Input::Control
                | Input::Close,
            )
            | (State::Reviewed | State::Duplicate | State::False, _) => Err(NotNow),
        }
    }

    /// Work on it goes on: it can be escalated, levelled anew, called about.
    #[must_use]
    pub fn is_open(self) -> bool {
        match self {
            IncidentState::Reported
            | IncidentState::Verified
            | IncidentState::Dispatched
            | IncidentState::Controlled => true,
            IncidentState::Closed
            | IncidentState::Reviewed
            | IncidentState::Duplicate
            | IncidentState::False => false,
        }
    }

    /// Nothing more will happen to it.
    #[must_use]
    pub fn is_final(self) -> bool {
        match self {
            IncidentState::Reviewed | IncidentState::Duplicate | IncidentState::False => true,
            IncidentState::Reported
            | IncidentState::Verified
            | IncidentState::Dispatched
            | IncidentState::Controlled
            | IncidentState::Closed => false,
        }
    }
}

/// How far one responder is. Only forwards; steps may be left out, since
/// somebody on the way has no time to tap each of them.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ResponderState {
    Assigned,
    Acknowledged,
    EnRoute,
    OnScene,
    Done,
}

impl ResponderState {
    pub const ALL: [ResponderState; 5] = [
        ResponderState::Assigned,
        ResponderState::Acknowledged,
        ResponderState::EnRoute,
        ResponderState::OnScene,
        ResponderState::Done,
    ];

    /// # Errors
    /// It is there already, or further.
    pub fn advance(self, to: ResponderState) -> Result<ResponderState, NotNow> {
        if to > self { Ok(to) } else { Err(NotNow) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_under_every_input() {
        // Columns: verify, duplicate, false, assign, control, close, review; '.' is refused.
        let table = [
            (IncidentState::Reported, "V 2 F . . . ."),
            (IncidentState::Verified, ". . . D . . ."),
            (IncidentState::Dispatched, ". . . D C . ."),
            (IncidentState::Controlled, ". . . . . X ."),
            (IncidentState::Closed, ". . . . . . R"),
            (IncidentState::Reviewed, ". . . . . . ."),
            (IncidentState::Duplicate, ". . . . . . ."),
            (IncidentState::False, ". . . . . . ."),
        ];
        assert_eq!(table.map(|(state, _)| state), IncidentState::ALL);
        for (state, row) in table {
            for (input, cell) in IncidentInput::ALL.into_iter().zip(row.split(' ')) {
                let expected = match cell {
                    "V" => Ok(IncidentState::Verified),
                    "2" => Ok(IncidentState::Duplicate),
                    "F" => Ok(IncidentState::False),
                    "D" => Ok(IncidentState::Dispatched),
                    "C" => Ok(IncidentState::Controlled),
                    "X" => Ok(IncidentState::Closed),
                    "R" => Ok(IncidentState::Reviewed),
                    _ => Err(NotNow),
                };
                assert_eq!(state.after(input), expected, "{state:?} under {input:?}");
            }
        }
    }

    #[test]
    fn what_is_final_takes_nothing_and_what_is_open_is_not_final() {
        for state in IncidentState::ALL {
            let moves = IncidentInput::ALL
                .iter()
                .any(|input| state.after(*input).is_ok());
            assert_eq!(state.is_final(), !moves, "{state:?}");
            assert!(!(state.is_final() && state.is_open()), "{state:?}");
        }
    }

    #[test]
    fn responders_only_go_forwards() {
        for (at, from) in ResponderState::ALL.into_iter().enumerate() {
            for (to_at, to) in ResponderState::ALL.into_iter().enumerate() {
                assert_eq!(from.advance(to).is_ok(), to_at > at, "{from:?} to {to:?}");
            }
        }
    }
}
