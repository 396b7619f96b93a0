//! Which conference weighs more.

use crate::conference::{Conference, ConferenceKind};
use crate::county::County;
use crate::directory::Role;

/// By what it is about and who called it, low to high.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Priority {
    Field,
    Community,
    Township,
    Dispatcher,
    Commander,
    /// About an incident, whoever called it.
    Incident,
}

/// What an order into a conference does to a party that is in another one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Pull {
    /// Out of the lower one, to be given back: an emergency's order.
    Hold,
    /// Out of the lower one, for good.
    Leave,
    /// It stays where it is: equal, higher, or only asked.
    Busy,
}

impl Priority {
    #[must_use]
    pub fn is_emergency(self) -> bool {
        match self {
            Priority::Field
            | Priority::Community
            | Priority::Township
            | Priority::Dispatcher
            | Priority::Commander => false,
            Priority::Incident => true,
        }
    }

    /// What a call into a conference of this priority does to a party in one of the other.
    #[must_use]
    pub fn pulls(self, ordered: bool, out_of: Priority) -> Pull {
        if !ordered || self <= out_of {
            Pull::Busy
        } else if self.is_emergency() && !out_of.is_emergency() {
            Pull::Hold
        } else {
            Pull::Leave
        }
    }
}

impl County {
    #[must_use]
    pub fn priority(&self, conference: &Conference) -> Priority {
        if conference.kind == ConferenceKind::Incident {
            return Priority::Incident;
        }
        let caller = self.directory.account(&conference.called_by);
        match caller.map(|account| account.role) {
            Some(Role::Commander) => Priority::Commander,
            Some(Role::Dispatcher) => Priority::Dispatcher,
            Some(Role::Township) => Priority::Township,
            Some(Role::Community) => Priority::Community,
            // The others call nobody; the journal may know a caller in another role than today's.
            Some(Role::Field | Role::Administrator | Role::Supervisor) | None => Priority::Field,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Priority as P;
    use super::*;

    const ALL: [P; 6] = [
        P::Field,
        P::Community,
        P::Township,
        P::Dispatcher,
        P::Commander,
        P::Incident,
    ];

    /// Row: of the order; column: where the party is. `h` hold, `l` leave, `.` busy.
    #[test]
    fn every_priority_over_every_priority() {
        let table = ["......", "l.....", "ll....", "lll...", "llll..", "hhhhh."];
        for (row, marks) in table.into_iter().enumerate() {
            for (column, mark) in marks.chars().enumerate() {
                let expected = match mark {
                    'h' => Pull::Hold,
                    'l' => Pull::Leave,
                    _ => Pull::Busy,
                };
                let (to, from) = (ALL[row], ALL[column]);
                assert_eq!(to.pulls(true, from), expected, "{to:?} over {from:?}");
                assert_eq!(to.pulls(false, from), Pull::Busy, "{to:?} asks {from:?}");
            }
        }
    }
}
