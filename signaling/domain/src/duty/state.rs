//! The life of a shift.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ShiftState {
    Planned,
    /// The seat is this person's, past its end too until another has it.
    OnDuty,
    HandedOver,
}

/// What can happen to a shift.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ShiftInput {
    Begin,
    HandOver,
}

/// The input is not for this state.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NotNow;

impl ShiftState {
    pub const ALL: [ShiftState; 3] = [
        ShiftState::Planned,
        ShiftState::OnDuty,
        ShiftState::HandedOver,
    ];

    /// The state that the input leads to.
    ///
    /// # Errors
    /// The input does nothing in this state.
    pub fn after(self, input: ShiftInput) -> Result<ShiftState, NotNow> {
        match (self, input) {
            (ShiftState::Planned, ShiftInput::Begin) => Ok(ShiftState::OnDuty),
            (ShiftState::OnDuty, ShiftInput::HandOver) => Ok(ShiftState::HandedOver),
            (ShiftState::Planned, ShiftInput::HandOver)
            | (ShiftState::OnDuty, ShiftInput::Begin)
            | (ShiftState::HandedOver, ShiftInput::Begin | ShiftInput::HandOver) => Err(NotNow),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{NotNow, ShiftInput as Input, ShiftState as State};

    #[test]
    fn every_state_and_input() {
        let table = [
            (State::Planned, Input::Begin, Ok(State::OnDuty)),
            (State::Planned, Input::HandOver, Err(NotNow)),
            (State::OnDuty, Input::Begin, Err(NotNow)),
            (State::OnDuty, Input::HandOver, Ok(State::HandedOver)),
            (State::HandedOver, Input::Begin, Err(NotNow)),
            (State::HandedOver, Input::HandOver, Err(NotNow)),
        ];
        assert_eq!(table.len(), State::ALL.len() * 2);
        for (state, input, expected) in table {
            assert_eq!(state.after(input), expected, "{state:?} and {input:?}");
        }
    }
}
