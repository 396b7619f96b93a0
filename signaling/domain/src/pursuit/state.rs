//! The life of a pursuit.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum PursuitState {
    /// Something is being tried.
    Calling,
    /// Nothing helped, and the tier above knows.
    ToldAbove,
    /// Nothing helped, and there is nobody above to tell.
    Exhausted,
    /// Somebody came or acknowledged.
    Reached,
    /// The call is over or was taken back.
    Stopped,
}

/// What can happen to a pursuit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PursuitInput {
    TellAbove,
    Exhaust,
    Reach,
    Stop,
}

/// By what a contact is tried.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Channel {
    /// A ring on the connected devices: console, room terminal, phone.
    Devices,
    /// A message to the phone's browser, which opens the phone page (RFC 8030).
    WebPush,
    /// A text message or a call by the configured gateway.
    Gateway,
}

/// What an attempt came to.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum AttemptResult {
    /// Came into the call.
    Answered,
    /// Said that the message has come.
    Acknowledged,
    /// The channel has taken the message; whether anybody reads it is not known.
    Delivered,
    NoAnswer,
    Declined,
    Busy,
    /// No such device, no subscription, no such number, no such channel here.
    Unreachable,
    /// The channel did not take it.
    Failed,
    /// Not needed any more.
    Stopped,
}

/// The input is not for this state.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NotNow;

impl PursuitState {
    pub const ALL: [PursuitState; 5] = [
        PursuitState::Calling,
        PursuitState::ToldAbove,
        PursuitState::Exhausted,
        PursuitState::Reached,
        PursuitState::Stopped,
    ];

    /// The state that the input leads to. Whoever was given up may still come.
    ///
    /// # Errors
    /// The input does nothing in this state.
    pub fn after(self, input: PursuitInput) -> Result<PursuitState, NotNow> {
        use PursuitInput as Input;
        use PursuitState as State;
        match (self, input) {
            (State::Calling, Input::TellAbove) => Ok(State::ToldAbove),
            (State::Calling, Input::Exhaust) => Ok(State::Exhausted),
            (State::Calling | State::ToldAbove | State::Exhausted, Input::Reach) => {
                Ok(State::Reached)
            }
            (State::Calling, Input::Stop) => Ok(State::Stopped),
            (
                State::ToldAbove | State::Exhausted,
                Input::TellAbove | Input::Exhaust | Input::Stop,
            )
            | (
                State::Reached | State::Stopped,
                Input::TellAbove | Input::Exhaust | Input::Reach | Input::Stop,
            ) => Err(NotNow),
        }
    }

    /// The callee may still be reached.
    #[must_use]
    pub fn is_open(self) -> bool {
        match self {
            PursuitState::Calling | PursuitState::ToldAbove | PursuitState::Exhausted => true,
            PursuitState::Reached | PursuitState::Stopped => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{NotNow, PursuitInput as Input, PursuitState as State};

    #[test]
    fn every_state_and_input() {
        const INPUTS: [Input; 4] = [Input::TellAbove, Input::Exhaust, Input::Reach, Input::Stop];
        let (told, out, reached, stopped) = (
            State::ToldAbove,
            State::Exhausted,
            State::Reached,
            State::Stopped,
        );
        let table = [
            (
                State::Calling,
                [Ok(told), Ok(out), Ok(reached), Ok(stopped)],
            ),
            (told, [Err(NotNow), Err(NotNow), Ok(reached), Err(NotNow)]),
            (out, [Err(NotNow), Err(NotNow), Ok(reached), Err(NotNow)]),
            (reached, [Err(NotNow); 4]),
            (stopped, [Err(NotNow); 4]),
        ];
        assert_eq!(table.len(), State::ALL.len());
        for (state, row) in table {
            for (input, expected) in INPUTS.into_iter().zip(row) {
                assert_eq!(state.after(input), expected, "{state:?} and {input:?}");
            }
        }
    }
}
