//! What one connection may ask for. Pure.

use std::time::{Duration, Instant};

use liandong_protocol::Request;
use liandong_protocol::talk::FloorAct;

use crate::auth::rate::Bucket;

/// Of anything at all; a wall that is scrolled says so at every step.
const BURST: u32 = 200;
const PER_SECOND: f64 = 60.0;
/// A page that is opened asks a few things at once; a person orders little.
const ORDER_BURST: u32 = 100;
const ORDERS_PER_SECOND: f64 = 20.0;
/// A finger on the microphone's button; each change is journaled and told to all.
const OWN_MEDIA_BURST: u32 = 10;
const OWN_MEDIA_PER_SECOND: f64 = 2.0;
/// The key of a radio, which bounces and is pressed in haste.
const FLOOR_BURST: u32 = 30;
const FLOOR_PER_SECOND: f64 = 8.0;
/// Refused in a row for asking too often: no program of ours does that.
const MAX_FLOOD: u32 = 300;
/// Unreadable messages on one connection.
const MAX_MALFORMED: u32 = 20;

/// What to do with a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    Take,
    /// Refuse; it may come again after the wait.
    Wait(Duration),
    /// Close the connection.
    Enough,
}

/// What a request costs the server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cost {
    /// The latest one counts, or nothing is done.
    Light,
    Order,
    OwnMedia,
    Floor,
}

impl From<&Request> for Cost {
    fn from(request: &Request) -> Self {
        match request {
            Request::Show { .. } | Request::Ping | Request::OpenIncident { .. } => Self::Light,
            Request::SetOwnMedia { .. } => Self::OwnMedia,
            Request::Floor {
                act: FloorAct::Request | FloorAct::Release,
                ..
            }
            | Request::Here { .. } => Self::Floor,
            Request::Hello { .. }
            | Request::Call { .. }
            | Request::Invite { .. }
            | Request::InviteAbsent { .. }
            | Request::CancelInvitation { .. }
            | Request::Accept { .. }
            | Request::Decline { .. }
            | Request::Leave { .. }
            | Request::Remove { .. }
            | Request::End { .. }
            | Request::Mute { .. }
            | Request::MuteAll { .. }
            | Request::HandOver { .. }
            | Request::Talk { .. }
            | Request::Floor {
                act: FloorAct::Listen | FloorAct::Leave | FloorAct::Offer { .. },
                ..
            }
            | Request::Conduct { .. }
            | Request::ReportIncident { .. }
            | Request::IncidentStep { .. }
            | Request::Plan { .. }
            | Request::Plans
            | Request::RehearsePlan { .. }
            | Request::Duty { .. }
            | Request::Roster { .. }
            | Request::Pursue { .. }
            | Request::Offer { .. } => Self::Order,
        }
    }
}

/// Of one connection.
#[derive(Debug)]
pub struct Limits {
    all: Bucket,
    orders: Bucket,
    own_media: Bucket,
    floor: Bucket,
    flood: u32,
    malformed: u32,
}

impl Limits {
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self {
            all: Bucket::new(now, BURST, PER_SECOND),
            orders: Bucket::new(now, ORDER_BURST, ORDERS_PER_SECOND),
            own_media: Bucket::new(now, OWN_MEDIA_BURST, OWN_MEDIA_PER_SECOND),
            floor: Bucket::new(now, FLOOR_BURST, FLOOR_PER_SECOND),
            flood: 0,
            malformed: 0,
        }
    }

    /// A message came; whether it can be read is not known yet.
    pub fn message(&mut self, now: Instant) -> Verdict {
        let taken = self.all.take(now, 1);
        self.verdict(taken)
    }

    /// The message asks for this.
    pub fn request(&mut self, now: Instant, cost: Cost) -> Verdict {
        let taken = match cost {
            Cost::Light => Ok(()),
            Cost::Order => self.orders.take(now, 1),
            Cost::OwnMedia => self.own_media.take(now, 1),
            Cost::Floor => self.floor.take(now, 1),
        };
        let verdict = self.verdict(taken);
        if verdict == Verdict::Take {
            self.flood = 0;
        }
        verdict
    }

    fn verdict(&mut self, taken: Result<(), Duration>) -> Verdict {
        match taken {
            Ok(()) => Verdict::Take,
            Err(_) if self.flood >= MAX_FLOOD => Verdict::Enough,
            Err(wait) => {
                self.flood += 1;
                Verdict::Wait(wait)
            }
        }
    }

    /// It could not be read. False: enough of it.
    pub fn malformed(&mut self) -> bool {
        self.malformed += 1;
        self.malformed <= MAX_MALFORMED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn burst_passes_then_the_rate_holds() {
        let now = Instant::now();
        let mut limits = Limits::new(now);
        for _ in 0..BURST {
            assert_eq!(limits.message(now), Verdict::Take);
        }
        let Verdict::Wait(wait) = limits.message(now) else {
            panic!("no limit");
        };
        assert!(wait <= Duration::from_millis(17), "{wait:?}");
        assert_eq!(limits.message(now + wait), Verdict::Take);
    }

    #[test]
    fn scrolling_leaves_room_for_orders_and_buttons_have_their_own_limit() {
        let now = Instant::now();
        let mut limits = Limits::new(now);
        let mut taken = |cost, times: u32| {
            (0..times)
                .filter(|_| limits.request(now, cost) == Verdict::Take)
                .count()
        };
        assert_eq!(taken(Cost::Light, 190), 190);
        assert_eq!(taken(Cost::OwnMedia, 50), 10);
        assert_eq!(taken(Cost::Floor, 50), 30);
        assert_eq!(taken(Cost::Order, 150), 100);
        let Verdict::Wait(wait) = limits.request(now, Cost::OwnMedia) else {
            panic!("no limit");
        };
        assert_eq!(wait, Duration::from_millis(500));
        assert_eq!(limits.request(now + wait, Cost::OwnMedia), Verdict::Take);
    }

    #[test]
    fn flood_and_garbage_end_the_connection() {
        let now = Instant::now();
        let mut limits = Limits::new(now);
        let taken = (0..10_000)
            .take_while(|_| limits.message(now) != Verdict::Enough)
            .count();
        assert_eq!(taken, (BURST + MAX_FLOOD) as usize);
        assert!((0..MAX_MALFORMED).all(|_| limits.malformed()));
        assert!(!limits.malformed());
    }
}
