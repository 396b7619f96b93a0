//! What the media node receives of those whom a roll calls, told to the rules.

use liandong_domain::{Conduct, Conference, Order, Roll};

use super::{Batch, Running};
use crate::journal::Journal;
use crate::media::Received;

impl<J: Journal> Running<J> {
    /// From the node's own counts, never from what a client says.
    pub(super) fn look_at_rolls(&mut self, batch: &mut Batch) {
        let county = self.ledger.county();
        let running = county.conferences().filter(|one| !one.is_over());
        let orders: Vec<Order> = running.flat_map(|one| self.news_for(one)).collect();
        for order in orders {
            self.own_order(order, batch);
        }
    }

    /// What the sheet of the conference does not have yet.
    fn news_for(&self, conference: &Conference) -> Vec<Order> {
        let roll = conference
            .roll
            .as_ref()
            .filter(|roll: &&Roll| roll.goes_on());
        let entries = roll.into_iter().flat_map(|roll| &roll.entries);
        entries
            .filter_map(|entry| {
                let participant = entry.participant?;
                let holder = self.clients.holder(participant)?;
                let Received { sound, picture } = self.media.received_of(holder);
                let news = (sound && !entry.sound) || (picture && !entry.picture);
                let step = Conduct::Received {
                    participant,
                    sound,
                    picture,
                };
                news.then_some(Order::Conduct {
                    conference: conference.id,
                    step,
                })
            })
            .collect()
    }
}
