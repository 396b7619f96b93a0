//! The life of a conference as a table.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ConferenceKind {
    /// One calls one other party.
    PointToPoint,
    /// Called on the spot, to several, a tier or a subtree.
    AdHoc,
    /// Called about an incident.
    Incident,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ConferenceState {
    /// Nobody but the caller is in yet.
    Inviting,
    Live,
    Ended,
}

/// Why a conference is over.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum EndReason {
    Ordered,
    /// Nobody is left, or one callee alone.
    NobodyLeft,
    /// The host was alone until his wait was over.
    NobodyCame,
}

/// What can happen to a conference as a whole.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum ConferenceInput {
    /// Somebody besides the caller has come in.
    SomebodyIn,
    End,
}

/// Why an input does nothing in the present state.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum ConferenceUnmoved {
    /// It is live already.
    Unchanged,
    Over,
}

impl ConferenceState {
    /// The state that the input leads to.
    pub fn after(self, input: ConferenceInput) -> Result<ConferenceState, ConferenceUnmoved> {
        use ConferenceInput as Input;
        use ConferenceState as State;
        use ConferenceUnmoved as Unmoved;
        match (self, input) {
            (State::Inviting, Input::SomebodyIn) => Ok(State::Live),
            (State::Live, Input::SomebodyIn) => Err(Unmoved::Unchanged),
            (State::Inviting | State::Live, Input::End) => Ok(State::Ended),
            (State::Ended, Input::SomebodyIn | Input::End) => Err(Unmoved::Over),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ConferenceInput as Input;
    use super::ConferenceState as State;
    use super::ConferenceUnmoved as Unmoved;

    #[test]
    fn every_state_and_input() {
        let table = [
            (State::Inviting, Input::SomebodyIn, Ok(State::Live)),
            (State::Inviting, Input::End, Ok(State::Ended)),
            (State::Live, Input::SomebodyIn, Err(Unmoved::Unchanged)),
            (State::Live, Input::End, Ok(State::Ended)),
            (State::Ended, Input::SomebodyIn, Err(Unmoved::Over)),
            (State::Ended, Input::End, Err(Unmoved::Over)),
        ];
        for (state, input, expected) in table {
            assert_eq!(state.after(input), expected, "{state:?} and {input:?}");
        }
    }
}
