//! One party's stay in one conference.

use serde::{Deserialize, Serialize};

use super::conduct::{Device, DeviceOrder, ParticipantRole, Permission};
use crate::ids::{AccountId, ConferenceId, ParticipantId, SiteCode};
use crate::time::Timestamp;

#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ParticipantState {
    /// Media not connected yet, or lost and coming back.
    Joining,
    In,
    /// Called into a higher conference: no media, no slot, but its place stays.
    Held,
    Left,
}

/// Why a participant is no longer there.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum LeaveReason {
    /// Of its own will.
    Left,
    /// Taken out (强拆).
    Removed,
    /// Went into another conference.
    Moved,
    /// The media was not connected, or not back, until the deadline.
    MediaFailed,
    /// The device was gone for too long.
    DeviceLost,
    ConferenceEnded,
    /// Its account was made inactive.
    Deactivated,
}

/// What can happen to a participant.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum ParticipantInput {
    MediaConnected,
    MediaLost,
    /// The server came up again: all media has to be connected anew.
    Restarted,
    Deadline,
    /// A higher conference takes it.
    Hold,
    /// The higher conference is over for it.
    GiveBack,
    Leave,
}

/// Why an input does nothing in the present state.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum ParticipantUnmoved {
    /// It is so already.
    Unchanged,
    /// There is no deadline for one who is in.
    NotWaiting,
    /// It is in a higher conference, and has no media here.
    Away,
    /// It was not taken.
    NotHeld,
    Gone,
}

/// Since when and by what a participant is held.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Hold {
    pub by_conference: ConferenceId,
    pub since: Timestamp,
    /// It had the chair, and takes it again.
    pub chaired: bool,
}

/// One party's stay in one conference.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Participant {
    pub id: ParticipantId,
    pub conference: ConferenceId,
    pub account: AccountId,
    /// Where the account belonged when it came in.
    pub site: SiteCode,
    pub state: ParticipantState,
    /// Means nothing while it has the chair.
    pub role: ParticipantRole,
    /// Likewise.
    pub permission: Permission,
    /// Since when it asks for the word.
    pub hand: Option<Timestamp>,
    /// Muted by order: the media server drops its sound.
    pub muted: bool,
    /// What the participant itself says that it sends.
    pub microphone: bool,
    pub camera: bool,
    /// The last order about each, as long as it holds.
    pub microphone_order: Option<DeviceOrder>,
    pub camera_order: Option<DeviceOrder>,
    pub joined_at: Timestamp,
    /// When `Joining` gives up. Means nothing in other states.
    pub deadline: Timestamp,
    /// Set with `Left`.
    pub left: Option<LeaveReason>,
    /// Set with `Held`.
    pub held: Option<Hold>,
}

impl Participant {
    /// In, or coming in or back.
    #[must_use]
    pub fn is_present(&self) -> bool {
        match self.state {
            ParticipantState::Joining | ParticipantState::In => true,
            ParticipantState::Held | ParticipantState::Left => false,
        }
    }

    #[must_use]
    pub fn device_order(&self, device: Device) -> Option<&DeviceOrder> {
        match device {
            Device::Microphone => self.microphone_order.as_ref(),
            Device::Camera => self.camera_order.as_ref(),
        }
    }

    /// Present, or its place is kept.
    #[must_use]
    pub fn is_there(&self) -> bool {
        match self.state {
            ParticipantState::Joining | ParticipantState::In | ParticipantState::Held => true,
            ParticipantState::Left => false,
        }
    }

    /// The state that the input leads to.
    pub fn after(&self, input: ParticipantInput) -> Result<ParticipantState, ParticipantUnmoved> {
        use ParticipantInput as Input;
        use ParticipantState as State;
        use ParticipantUnmoved as Unmoved;
        match (self.state, input) {
            (State::Joining, Input::MediaConnected) => Ok(State::In),
            (State::Joining, Input::MediaLost) | (State::In, Input::MediaConnected) => {
                Err(Unmoved::Unchanged)
            }
            // Whoever was joining gets his time anew.
            (State::Joining, Input::Restarted) => Ok(State::Joining),
            (State::In, Input::MediaLost | Input::Restarted) => Ok(State::Joining),
            (State::In, Input::Deadline) => Err(Unmoved::NotWaiting),
            (State::Joining, Input::Deadline)
            | (State::Joining | State::In | State::Held, Input::Leave) => Ok(State::Left),
            (State::Joining | State::In, Input::Hold) => Ok(State::Held),
            (State::Joining | State::In, Input::GiveBack) => Err(Unmoved::NotHeld),
            (State::Held, Input::GiveBack) => Ok(State::Joining),
            (State::Held, Input::Hold) => Err(Unmoved::Unchanged),
            (
                State::Held,
                Input::MediaConnected | Input::MediaLost | Input::Restarted | Input::Deadline,
            ) => Err(Unmoved::Away),
            (
                State::Left,
                Input::MediaConnected
                | Input::MediaLost
                | Input::Restarted
                | Input::Deadline
                | Input::Hold
                | Input::GiveBack
                | Input::Leave,
            ) => Err(Unmoved::Gone),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ParticipantInput as Input;
    use super::ParticipantState as State;
    use super::ParticipantUnmoved as Unmoved;
    use super::*;

    #[test]
    fn every_state_and_input() {
        let table = [
            (State::Joining, Input::MediaConnected, Ok(State::In)),
            (State::Joining, Input::MediaLost, Err(Unmoved::Unchanged)),
            (State::Joining, Input::Restarted, Ok(State::Joining)),
            (State::Joining, Input::Deadline, Ok(State::Left)),
            (State::Joining, Input::Hold, Ok(State::Held)),
            (State::Joining, Input::GiveBack, Err(Unmoved::NotHeld)),
            (State::Joining, Input::Leave, Ok(State::Left)),
            (State::In, Input::MediaConnected, Err(Unmoved::Unchanged)),
            (State::In, Input::MediaLost, Ok(State::Joining)),
            (State::In, Input::Restarted, Ok(State::Joining)),
            (State::In, Input::Deadline, Err(Unmoved::NotWaiting)),
            (State::In, Input::Hold, Ok(State::Held)),
            (State::In, Input::GiveBack, Err(Unmoved::NotHeld)),
            (State::In, Input::Leave, Ok(State::Left)),
            (State::Held, Input::MediaConnected, Err(Unmoved::Away)),
            (State::Held, Input::MediaLost, Err(Unmoved::Away)),
            (State::Held, Input::Restarted, Err(Unmoved::Away)),
            (State::Held, Input::Deadline, Err(Unmoved::Away)),
            (State::Held, Input::Hold, Err(Unmoved::Unchanged)),
            (State::Held, Input::GiveBack, Ok(State::Joining)),
            (State::Held, Input::Leave, Ok(State::Left)),
            (State::Left, Input::MediaConnected, Err(Unmoved::Gone)),
            (State::Left, Input::MediaLost, Err(Unmoved::Gone)),
            (State::Left, Input::Restarted, Err(Unmoved::Gone)),
            (State::Left, Input::Deadline, Err(Unmoved::Gone)),
            (State::Left, Input::Hold, Err(Unmoved::Gone)),
            (State::Left, Input::GiveBack, Err(Unmoved::Gone)),
            (State::Left, Input::Leave, Err(Unmoved::Gone)),
        ];
        for (state, input, expected) in table {
            let one = Participant {
                id: ParticipantId(1),
                conference: ConferenceId(1),
                account: "county".into(),
                site: "511922".into(),
                state,
                role: ParticipantRole::Speaker,
                permission: ParticipantRole::Speaker.permission(),
                hand: None,
                muted: false,
                microphone: true,
                camera: true,
                microphone_order: None,
                camera_order: None,
                joined_at: Timestamp(0),
                deadline: Timestamp(20_000),
                left: None,
                held: None,
            };
            assert_eq!(one.after(input), expected, "{state:?} and {input:?}");
        }
    }
}
