//! Conducting a conference (会控): what the chair and those above it order in a call.
//!
//! * [`role`] – who may be heard and seen, as tables
//! * [`order`] – what can be ordered, [`event`] – what has happened
//! * [`priority`] – which conference takes a party out of which
//! * [`address`] – who speaks to all, [`carousel`] – who is large on every wall
//! * [`roll`] – the roll call and its sheet, [`device`] – cameras and microphones on order
//! * `deciding` – roles, permissions, hands; `doors` – lock, lobby, coming in;
//!   `holding` – pre-emption and give-back

pub mod address;
pub mod carousel;
mod deciding;
pub mod device;
mod doors;
pub mod event;
mod holding;
pub mod order;
pub mod priority;
pub mod role;
pub mod roll;

pub use address::Address;
pub use carousel::Carousel;
pub use device::{Device, DeviceOrder, DeviceOrderState};
pub use doors::{Door, DoorState};
pub use event::{ConductEvent, Conducted, KnockEnd};
pub use order::{Conduct, ConductKind};
pub use priority::Priority;
pub use role::{Gates, Mode, ParticipantRole, Permission};
pub use roll::{Roll, RollEntry, RollOrder, RollState};
