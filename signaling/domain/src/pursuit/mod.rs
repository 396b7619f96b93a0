//! Pursuit (追呼): what is tried, one after another, to reach a callee who was
//! missed. In a call about an incident it begins by itself; in any other call
//! by order. First the site's own devices again, then the person on duty, the
//! contacts and the deputy on theirs, then every other channel at once, and at
//! last the tier above is told. Whoever comes, by whatever way, ends it.
//!
//! * [`state`] – its life as a table
//! * [`order`] – what can be ordered, [`event`] – what has happened
//! * [`record`] – what is known of one, as the events give it
//! * `deciding` – when one begins, goes on and ends; `trying` – what is tried next

mod deciding;
pub mod event;
pub mod order;
pub mod record;
pub mod state;
mod trying;

pub use event::{PursuitCause, PursuitEvent};
pub use order::{PursuitOrder, PursuitOrderKind};
pub use record::{Attempt, Pursuit, PursuitBook};
pub use state::{AttemptResult, Channel, PursuitInput, PursuitState};
