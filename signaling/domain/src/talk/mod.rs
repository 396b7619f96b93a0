//! Push-to-talk: groups in which one speaks and the others listen.
//!
//! * [`group`] – what is known of one group, as the events give it
//! * [`order`] – what can be ordered, [`event`] – what has happened
//! * `deciding` – who may do what
//! * [`membership`] – who belongs to a group, who listens, who counts how much
//! * [`floor`] – who may speak now: the floor control server of one group
//!
//! Groups, members and alarms are orders like all others and are journaled. The
//! floor is not: it has to be faster than a disk, and after a restart nobody holds it.
//! What was spoken is told to the journal when it is over.

mod deciding;
pub mod event;
pub mod floor;
pub mod group;
pub mod membership;
pub mod order;

pub use event::{TalkEvent, TalkWhat};
pub use floor::Floor;
pub use group::{AlarmKind, Area, FloorRules, GroupPlan, GroupPriority, Sos, Standing, TalkGroup};
pub use membership::Rank;
pub use order::{TalkOrder, TalkOrderKind, Truth};
