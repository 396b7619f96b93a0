//! Stays that no client asked for at this moment: given back, admitted, moved. The
//! account's device is told and connects its media.

use liandong_domain::{AccountId, Conducted, Event, KnockEnd, ParticipantId};
use liandong_protocol::Push;
use liandong_protocol::conduct::StayReason;

use super::Running;
use crate::desk::clients::{Hold, encode_push};
use crate::journal::Journal;
use crate::views::wire;

impl<J: Journal> Running<J> {
    /// After the replies: whoever ordered or answered holds his own stay already.
    pub(super) fn seat_new_stays(&mut self, events: &[Event]) {
        for event in events {
            let participant = match event {
                Event::ParticipantJoining { participant, .. } => *participant,
                Event::Conduct { event } => match &event.what {
                    Conducted::GivenBack { participant, .. } => *participant,
                    _ => continue,
                },
                _ => continue,
            };
            self.seat(participant, events);
        }
    }

    fn seat(&mut self, participant: ParticipantId, events: &[Event]) {
        let county = self.ledger.county();
        let Some(stay) = county
            .participant(participant)
            .filter(|one| one.is_present())
        else {
            return;
        };
        if self.clients.holder(participant).is_some() {
            return;
        }
        let Some(reason) = self.why(&stay.account, participant, events) else {
            return;
        };
        // If none is connected, the stay is taken up by the first that comes.
        let Some(client) = self.clients.to_seat(&stay.account) else {
            return;
        };
        let conference = stay.conference;
        self.media.drop_client(client);
        self.clients.hold(participant, client, Hold::Own);
        if let Some(client) = self.clients.one(client) {
            client.push(&encode_push(Push::Stay {
                conference: wire::conference_id(conference),
                participant: wire::participant_id(participant),
                reason,
            }));
        }
    }

    fn why(
        &self,
        account: &AccountId,
        participant: ParticipantId,
        events: &[Event],
    ) -> Option<StayReason> {
        let county = self.ledger.county();
        events.iter().find_map(|event| {
            let Event::Conduct { event } = event else {
                return None;
            };
            match &event.what {
                Conducted::GivenBack {
                    participant: back, ..
                } if *back == participant => Some(StayReason::GivenBack),
                Conducted::KnockEnded {
                    account: admitted,
                    end: KnockEnd::Admitted,
                } if admitted == account => Some(StayReason::Admitted),
                Conducted::Moved {
                    participant: moved,
                    reason,
                    ..
                } if county.participant(*moved).map(|one| &one.account) == Some(account) => {
                    let by = event.by.as_ref();
                    Some(StayReason::Moved {
                        by_name: by.map(|by| county.account_name(by)).unwrap_or_default(),
                        reason: reason.clone(),
                    })
                }
                _ => None,
            }
        })
    }
}
