//! The life of one version of a plan.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum PlanState {
    Draft,
    /// In force. A plan has at most one such version.
    Approved,
    /// Replaced by a later version, or taken out of force.
    Retired,
}

/// What can happen to a version.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PlanInput {
    Approve,
    Retire,
}

/// The input is not for this state.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NotNow;

impl PlanState {
    pub const ALL: [PlanState; 3] = [PlanState::Draft, PlanState::Approved, PlanState::Retired];

    /// The state that the input leads to.
    ///
    /// # Errors
    /// The input does nothing in this state.
    pub fn after(self, input: PlanInput) -> Result<PlanState, NotNow> {
        match (self, input) {
            (PlanState::Draft, PlanInput::Approve) => Ok(PlanState::Approved),
            (PlanState::Draft | PlanState::Approved, PlanInput::Retire) => Ok(PlanState::Retired),
            (PlanState::Approved, PlanInput::Approve)
            | (PlanState::Retired, PlanInput::Approve | PlanInput::Retire) => Err(NotNow),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{NotNow, PlanInput as Input, PlanState as State};

    #[test]
    fn every_state_and_input() {
        let table = [
            (State::Draft, Input::Approve, Ok(State::Approved)),
            (State::Draft, Input::Retire, Ok(State::Retired)),
            (State::Approved, Input::Approve, Err(NotNow)),
            (State::Approved, Input::Retire, Ok(State::Retired)),
            (State::Retired, Input::Approve, Err(NotNow)),
            (State::Retired, Input::Retire, Err(NotNow)),
        ];
        assert_eq!(table.len(), State::ALL.len() * 2);
        for (state, input, expected) in table {
            assert_eq!(state.after(input), expected, "{state:?} and {input:?}");
        }
    }
}
