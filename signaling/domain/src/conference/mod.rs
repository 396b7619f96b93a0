//! Conferences: who is called, who is in, and what the chair does.
//!
//! * [`state`] – the life of a conference, [`invitation`] – of a call to one callee,
//!   [`participant`] – of one party's stay, each as a table
//! * [`record`] – what is known of one conference, as the events give it
//! * `calling`, `answering`, `chairing` – who may do what
//! * [`conduct`] – roles, lock and lobby, pre-emption: what is ordered in a call
//! * `settling` – what follows from it
//! * [`stage`] – who is shown in which video slot

mod answering;
mod calling;
mod chairing;
pub mod conduct;
pub mod invitation;
pub mod participant;
pub mod record;
mod settling;
pub mod stage;
pub mod state;

pub use record::Conference;
pub use state::{ConferenceInput, ConferenceKind, ConferenceState, ConferenceUnmoved, EndReason};
