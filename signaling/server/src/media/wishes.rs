//! What clients want to see. A wall that is scrolled says so many times a
//! second: the latest wish counts, and each client's slots follow it at most
//! every [`FOLLOW_EVERY`].

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use liandong_domain::{ConferenceId, ParticipantId};

use crate::desk::clients::ClientId;

/// Faster than this no eye follows, and every switch costs a keyframe.
pub const FOLLOW_EVERY: Duration = Duration::from_millis(80);
/// A conference has no more participants.
pub const MAX_TILES: usize = liandong_domain::limits::MAX_PARTICIPANTS;
/// Of a picture, in pixels; nobody sends a larger one.
const MAX_HEIGHT: u16 = 2_160;

/// One picture on a client's page.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Tile {
    pub participant: ParticipantId,
    /// In pixels; 0: out of sight. Absent: the client did not say.
    pub height: Option<u16>,
    /// Pinned or enlarged.
    pub prominent: bool,
}

impl Tile {
    /// As the server chooses it.
    #[must_use]
    pub fn usual(participant: ParticipantId) -> Self {
        Self {
            participant,
            height: None,
            prominent: false,
        }
    }
}

/// What a client asks for, within what there is.
#[must_use]
pub fn bounded_height(height: u32) -> u16 {
    u16::try_from(height).map_or(MAX_HEIGHT, |height| height.min(MAX_HEIGHT))
}

/// The height of a tile whose client did not say it, on a wall of so many.
#[must_use]
pub fn usual_height(tiles: usize) -> u16 {
    match tiles {
        0..=1 => 720,
        2..=9 => 360,
        _ => 180,
    }
}

#[derive(Debug)]
struct Wish {
    conference: ConferenceId,
    tiles: Vec<Tile>,
    /// The slots do not follow it yet.
    waits: bool,
    /// When the slots followed a wish last.
    followed: Option<Instant>,
}

impl Wish {
    /// The moment has passed when there was none before.
    fn due(&self) -> Option<Option<Instant>> {
        self.waits
            .then(|| self.followed.map(|followed| followed + FOLLOW_EVERY))
    }
}

/// The latest wish of each client.
#[derive(Debug, Default)]
pub struct Wishes {
    by_client: BTreeMap<ClientId, Wish>,
}

impl Wishes {
    /// In order of importance. Empty: the usual.
    pub fn wish(&mut self, client: ClientId, conference: ConferenceId, tiles: Vec<Tile>) {
        let followed = self.by_client.get(&client).and_then(|wish| wish.followed);
        self.by_client.insert(
            client,
            Wish {
                conference,
                tiles,
                waits: true,
                followed,
            },
        );
    }

    /// What the client wants to see in the conference, unless it is the usual.
    #[must_use]
    pub fn tiles(&self, client: ClientId, conference: ConferenceId) -> Option<&[Tile]> {
        self.by_client
            .get(&client)
            .filter(|wish| wish.conference == conference && !wish.tiles.is_empty())
            .map(|wish| wish.tiles.as_slice())
    }

    /// When slots are to follow next; a moment that has passed: at once.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        let dues = self.by_client.values().filter_map(Wish::due);
        // `None` is the least: at once.
        dues.min().map(|due| due.unwrap_or_else(Instant::now))
    }

    /// The clients whose slots are to follow now.
    pub fn take_due(&mut self, now: Instant) -> Vec<ClientId> {
        let due = |wish: &Wish| {
            wish.due()
                .is_some_and(|due| due.is_none_or(|due| due <= now))
        };
        let mut clients = Vec::new();
        for (client, wish) in self.by_client.iter_mut().filter(|(_, wish)| due(wish)) {
            wish.waits = false;
            wish.followed = Some(now);
            clients.push(*client);
        }
        clients
    }

    pub fn forget(&mut self, client: ClientId) {
        self.by_client.remove(&client);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: ClientId = ClientId(1);
    const CONFERENCE: ConferenceId = ConferenceId(7);

    fn tile(participant: u32) -> Vec<Tile> {
        vec![Tile::usual(ParticipantId(participant))]
    }

    #[test]
    fn first_wish_is_followed_at_once_and_of_the_next_ones_the_last() {
        let (mut wishes, now) = (Wishes::default(), Instant::now());
        assert_eq!(wishes.due(), None);
        wishes.wish(CLIENT, CONFERENCE, tile(1));
        assert!(wishes.due().is_some());
        assert_eq!(wishes.take_due(now), [CLIENT]);
        assert_eq!((wishes.due(), wishes.take_due(now)), (None, Vec::new()));

        for participant in 2..100 {
            wishes.wish(CLIENT, CONFERENCE, tile(participant));
            assert_eq!(wishes.take_due(now + FOLLOW_EVERY / 2), []);
        }
        assert_eq!(wishes.due(), Some(now + FOLLOW_EVERY));
        assert_eq!(wishes.take_due(now + FOLLOW_EVERY), [CLIENT]);
        assert_eq!(wishes.tiles(CLIENT, CONFERENCE), Some(&tile(99)[..]));
        assert_eq!(wishes.due(), None);
    }

    #[test]
    fn one_client_that_scrolls_does_not_hold_up_another() {
        let (mut wishes, now) = (Wishes::default(), Instant::now());
        wishes.wish(CLIENT, CONFERENCE, tile(1));
        wishes.take_due(now);
        wishes.wish(CLIENT, CONFERENCE, tile(2));
        wishes.wish(ClientId(2), CONFERENCE, tile(2));
        assert_eq!(wishes.take_due(now), [ClientId(2)]);
        wishes.forget(CLIENT);
        assert_eq!(wishes.due(), None);
    }

    #[test]
    fn wish_of_another_conference_or_for_nobody_is_the_usual() {
        let mut wishes = Wishes::default();
        wishes.wish(CLIENT, CONFERENCE, tile(1));
        assert_eq!(wishes.tiles(CLIENT, ConferenceId(8)), None);
        wishes.wish(CLIENT, CONFERENCE, Vec::new());
        assert_eq!(wishes.tiles(CLIENT, CONFERENCE), None);
    }

    #[test]
    fn heights_have_a_bound() {
        assert_eq!(
            [0, 360, 70_000, u32::MAX].map(bounded_height),
            [0, 360, 2_160, 2_160]
        );
    }
}
