//! Who may be heard and seen in a conference.

use serde::{Deserialize, Serialize};

/// How the word is given.
#[derive(
    Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(rename_all = "camelCase")]
pub enum Mode {
    /// Whoever comes in speaks.
    #[default]
    Free,
    /// Whoever comes in listens until the chair permits more.
    Chaired,
}

/// What a participant is, besides the one who holds the chair.
#[derive(
    Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(rename_all = "camelCase")]
pub enum ParticipantRole {
    /// Conducts like the chair, but neither ends the conference nor passes the chair on.
    CoChair,
    #[default]
    Speaker,
    /// Heard and seen only as far as it is permitted.
    Listener,
    /// Listens in (督导旁听), as all others see; is never heard or seen.
    Observer,
}

impl ParticipantRole {
    pub const ALL: [ParticipantRole; 4] = [
        ParticipantRole::CoChair,
        ParticipantRole::Speaker,
        ParticipantRole::Listener,
        ParticipantRole::Observer,
    ];

    /// Whoever comes into a conference of this mode.
    #[must_use]
    pub fn of_newcomer(mode: Mode) -> Self {
        match mode {
            Mode::Free => ParticipantRole::Speaker,
            Mode::Chaired => ParticipantRole::Listener,
        }
    }

    /// What it becomes when the mode changes.
    #[must_use]
    pub fn in_mode(self, mode: Mode) -> Self {
        match (self, mode) {
            (ParticipantRole::Speaker, Mode::Chaired) => ParticipantRole::Listener,
            (ParticipantRole::Listener, Mode::Free) => ParticipantRole::Speaker,
            (ParticipantRole::Speaker, Mode::Free)
            | (ParticipantRole::Listener, Mode::Chaired)
            | (ParticipantRole::CoChair | ParticipantRole::Observer, Mode::Free | Mode::Chaired) => {
                self
            }
        }
    }

    /// What it may do at first.
    #[must_use]
    pub fn permission(self) -> Permission {
        let open = match self {
            ParticipantRole::CoChair | ParticipantRole::Speaker => true,
            ParticipantRole::Listener | ParticipantRole::Observer => false,
        };
        Permission {
            sound: open,
            picture: open,
        }
    }

    pub(crate) fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

/// What a participant may send to the others.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Permission {
    pub sound: bool,
    pub picture: bool,
}

/// The media server's gates of one participant: what is closed is dropped there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Gates {
    pub sound: bool,
    pub picture: bool,
}

impl Gates {
    pub const CLOSED: Gates = Gates {
        sound: false,
        picture: false,
    };
}

#[cfg(test)]
mod tests {
    use super::Mode::{Chaired, Free};
    use super::ParticipantRole::{CoChair, Listener, Observer, Speaker};
    use super::*;

    #[test]
    fn every_role_in_every_mode() {
        let table = [
            (CoChair, Free, CoChair),
            (CoChair, Chaired, CoChair),
            (Speaker, Free, Speaker),
            (Speaker, Chaired, Listener),
            (Listener, Free, Speaker),
            (Listener, Chaired, Listener),
            (Observer, Free, Observer),
            (Observer, Chaired, Observer),
        ];
        for (role, mode, expected) in table {
            assert_eq!(role.in_mode(mode), expected, "{role:?} {mode:?}");
        }
    }

    #[test]
    fn only_those_who_speak_are_open_from_the_start() {
        let open = |role: ParticipantRole| {
            let Permission { sound, picture } = role.permission();
            (sound, picture)
        };
        assert_eq!(
            ParticipantRole::ALL.map(open),
            [(true, true), (true, true), (false, false), (false, false)]
        );
    }
}
