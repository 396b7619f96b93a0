//! What bots ask to see.

use liandong_protocol::{MediaWish, ParticipantState, Request, Tile};
use rand::RngExt;
use rand::seq::SliceRandom;

use crate::bot::Bot;

/// Asks for as many tiles as the bot has slots, chosen by chance among the others, each of one
/// of these heights. True when the server took it.
pub(super) async fn show<R: RngExt>(bot: &Bot, heights: &[u32], chance: &mut R) -> bool {
    let (conference, mut others) = {
        let seen = bot.seen();
        let seen = seen.borrow();
        let Some(conference) = seen.conference else {
            return false;
        };
        let others: Vec<_> = seen
            .participants
            .values()
            .filter(|p| p.conference == conference && p.state == ParticipantState::In)
            .filter(|p| Some(p.id) != seen.participant)
            .map(|p| p.id)
            .collect();
        (conference, others)
    };
    others.shuffle(chance);
    let slots = bot.plan().media.as_ref().map_or(0, |m| m.video_slots);
    others.truncate(usize::from(slots));
    let tiles = others.into_iter().map(|participant| Tile {
        participant,
        height: heights
            .get(chance.random_range(0..heights.len().max(1)))
            .copied(),
        prominent: false,
    });
    let wish = MediaWish {
        tiles: tiles.collect(),
    };
    let request = Request::Show { conference, wish };
    bot.order(None, request).await.is_ok()
}
