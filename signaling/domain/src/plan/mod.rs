//! Plans (预案): what is to happen when something happens, agreed on beforehand.
//!
//! * [`content`] – trigger and steps, [`state`] – the life of a version, as a table
//! * [`order`] – what can be ordered, [`event`] – what has happened
//! * [`book`] – plans and their runs, as the events give them
//! * `deciding` – who may write, approve and retire
//! * `running` – one tap: conference, rings, responders; later steps by their time
//! * [`rehearsal`] – whom a plan reaches now, without doing anything

pub mod book;
pub mod content;
mod deciding;
pub mod event;
pub mod order;
pub mod rehearsal;
mod running;
pub mod state;

pub use book::{Plan, PlanBook, PlanRun, PlanVersion, RunStep, RunStepState};
pub use content::{OnMiss, PlanContent, PlanStep, Trigger, Whom};
pub use event::PlanEvent;
pub use order::{PlanOrder, PlanOrderKind};
pub use rehearsal::{Rehearsal, RehearsedRing, RehearsedStep, Via};
pub use state::{PlanInput, PlanState};
