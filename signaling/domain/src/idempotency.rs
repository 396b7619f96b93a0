//! Every order with a key acts once.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::conference::conduct::Conduct;
use crate::event::Event;
use crate::ids::{
    AccountId, ConferenceId, IncidentId, InvitationId, ParticipantId, PlanId, TalkGroupId,
};
use crate::incident::IncidentOrder;
use crate::order::Order;
use crate::plan::{PlanEvent, PlanOrder};
use crate::refusal::Refusal;
use crate::talk::TalkOrder;
use crate::time::Timestamp;

/// How long a key is remembered: longer than any client goes on resending.
pub const KEPT_FOR: Duration = Duration::from_secs(3_600);
/// How many keys of one account are remembered; the oldest go first.
pub const KEPT_PER_ACCOUNT: usize = 128;

/// What an order gave, for the reply to whoever ordered.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Outcome {
    Called {
        conference: ConferenceId,
        invitations: Vec<InvitationId>,
    },
    Accepted {
        conference: ConferenceId,
        participant: ParticipantId,
    },
    /// The number that the report was given.
    Reported {
        incident: IncidentId,
    },
    /// The number that the talk group was given.
    GroupCreated {
        group: TalkGroupId,
    },
    /// The draft under its numbers.
    PlanSaved {
        plan: PlanId,
        version: u32,
    },
    Done,
}

/// What [`crate::County::decide_once`] found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Decision {
    /// Journal these, apply them, then reply with the outcome.
    New {
        events: Vec<Event>,
        outcome: Outcome,
    },
    /// The order was carried out before: nothing to journal, the same reply.
    Repeated(Outcome),
}

impl Outcome {
    /// Reads the outcome of an order from the events that it gave.
    #[must_use]
    pub fn of(order: &Order, events: &[Event]) -> Self {
        match order {
            Order::Plan {
                order: PlanOrder::Start { .. },
            }
            | Order::Call { .. }
            | Order::Invite { .. }
            | Order::InviteAbsent { .. } => Self::called(events),
            Order::Accept { .. } => events
                .iter()
                .find_map(|event| match event {
                    Event::InvitationAccepted {
                        conference,
                        participant,
                        ..
                    } => Some(Outcome::Accepted {
                        conference: *conference,
                        participant: *participant,
                    }),
                    _ => None,
                })
                .unwrap_or(Outcome::Done),
            // Whoever comes in by himself; whoever waits in the lobby is not in yet.
            Order::Conduct {
                conference,
                step: Conduct::Enter { .. } | Conduct::Observe { .. },
            } => events
                .iter()
                .find_map(|event| match event {
                    Event::ParticipantJoining {
                        conference: joined,
                        participant,
                        ..
                    } if joined == conference => Some(Outcome::Accepted {
                        conference: *conference,
                        participant: *participant,
                    }),
                    _ => None,
                })
                .unwrap_or(Outcome::Done),
            Order::Incident {
                order: IncidentOrder::Report { .. },
            } => events
                .iter()
                .find_map(|event| match event {
                    Event::Incident { event } => Some(Outcome::Reported {
                        incident: event.incident,
                    }),
                    _ => None,
                })
                .unwrap_or(Outcome::Done),
            Order::Talk {
                order: TalkOrder::Create { .. },
            } => events
                .iter()
                .find_map(Event::talk_group)
                .map_or(Outcome::Done, |group| Outcome::GroupCreated { group }),
            Order::Plan {
                order: PlanOrder::Save { .. },
            } => events
                .iter()
                .find_map(|event| match event {
                    Event::Plan {
                        event: PlanEvent::Saved { plan, version, .. },
                    } => Some(Outcome::PlanSaved {
                        plan: *plan,
                        version: *version,
                    }),
                    _ => None,
                })
                .unwrap_or(Outcome::Done),
            Order::Incident {
                order: IncidentOrder::Step { .. },
            }
            | Order::Talk {
                order:
                    TalkOrder::Change { .. }
                    | TalkOrder::Dissolve { .. }
                    | TalkOrder::RaiseSos { .. }
                    | TalkOrder::CancelSos { .. }
                    | TalkOrder::Spoke { .. },
            }
            | Order::SetDirectory { .. }
            | Order::Restarted
            | Order::Tick
            | Order::SetDevices { .. }
            | Order::MediaConnected { .. }
            | Order::MediaLost { .. }
            | Order::DeviceLost { .. }
            | Order::CancelInvitation { .. }
            | Order::Decline { .. }
            | Order::Leave { .. }
            | Order::Remove { .. }
            | Order::End { .. }
            | Order::Mute { .. }
            | Order::MuteAll { .. }
            | Order::HandOver { .. }
            | Order::SetOwnMedia { .. }
            | Order::Conduct { .. }
            | Order::Plan { .. }
            | Order::Duty { .. }
            | Order::Pursuit { .. } => Outcome::Done,
        }
    }

    fn called(events: &[Event]) -> Self {
        let issued = events.iter().filter_map(|event| match event {
            Event::InvitationIssued {
                conference,
                invitation,
                ..
            } => Some((*conference, *invitation)),
            _ => None,
        });
        let (conferences, invitations): (Vec<ConferenceId>, Vec<InvitationId>) = issued.unzip();
        match conferences.first() {
            Some(conference) => Outcome::Called {
                conference: *conference,
                invitations,
            },
            None => Outcome::Done,
        }
    }
}

/// One order that was carried out.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Kept {
    key: String,
    order: Order,
    outcome: Outcome,
    at: Timestamp,
}

/// The keys of orders that were carried out, from the journal, so that they
/// hold over a restart. Bounded by age and by count.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KeyBook {
    /// Oldest first.
    kept: BTreeMap<AccountId, VecDeque<Kept>>,
}

impl KeyBook {
    /// The outcome under this key, if it is known; refused when the key was
    /// for another order.
    pub(crate) fn look_up(
        &self,
        by: &AccountId,
        key: &str,
        order: &Order,
        now: Timestamp,
    ) -> Result<Option<&Outcome>, Refusal> {
        let kept = self.kept.get(by).into_iter().flatten();
        match kept
            .filter(|one| now.since(one.at) <= KEPT_FOR)
            .find(|one| one.key == key)
        {
            None => Ok(None),
            Some(one) if one.order == *order => Ok(Some(&one.outcome)),
            Some(_) => Err(Refusal::KeyReused),
        }
    }

    pub(crate) fn keep(
        &mut self,
        by: &AccountId,
        key: &str,
        order: &Order,
        outcome: &Outcome,
        at: Timestamp,
    ) {
        let kept = self.kept.entry(by.clone()).or_default();
        kept.retain(|one| one.key != key && at.since(one.at) <= KEPT_FOR);
        while kept.len() >= KEPT_PER_ACCOUNT {
            kept.pop_front();
        }
        kept.push_back(Kept {
            key: key.to_owned(),
            order: order.clone(),
            outcome: outcome.clone(),
            at,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leave(conference: u32) -> Order {
        Order::Leave {
            conference: ConferenceId(conference),
        }
    }

    #[test]
    fn a_key_belongs_to_its_account_and_order() {
        let (mut book, now) = (KeyBook::default(), Timestamp(1_000));
        let (a, b) = (AccountId::from("a"), AccountId::from("b"));
        book.keep(&a, "k", &leave(1), &Outcome::Done, now);
        assert_eq!(
            book.look_up(&a, "k", &leave(1), now),
            Ok(Some(&Outcome::Done))
        );
        assert_eq!(
            book.look_up(&a, "k", &leave(2), now),
            Err(Refusal::KeyReused)
        );
        assert_eq!(book.look_up(&b, "k", &leave(2), now), Ok(None));
        assert_eq!(book.look_up(&a, "other", &leave(2), now), Ok(None));
    }

    #[test]
    fn a_key_is_forgotten_with_age() {
        let (mut book, at) = (KeyBook::default(), Timestamp(1_000));
        let a = AccountId::from("a");
        book.keep(&a, "k", &leave(1), &Outcome::Done, at);
        let last = at.after(KEPT_FOR);
        assert!(matches!(
            book.look_up(&a, "k", &leave(1), last),
            Ok(Some(_))
        ));
        let later = Timestamp(last.0 + 1);
        assert_eq!(book.look_up(&a, "k", &leave(2), later), Ok(None));
        book.keep(&a, "new", &leave(1), &Outcome::Done, later);
        assert_eq!(book.kept.get(&a).map(VecDeque::len), Some(1));
    }

    #[test]
    fn the_oldest_keys_go_first() {
        let (mut book, at) = (KeyBook::default(), Timestamp(1_000));
        let a = AccountId::from("a");
        for number in 0..=KEPT_PER_ACCOUNT {
            book.keep(&a, &format!("k{number}"), &leave(1), &Outcome::Done, at);
        }
        assert_eq!(book.look_up(&a, "k0", &leave(1), at), Ok(None));
        assert!(matches!(book.look_up(&a, "k1", &leave(1), at), Ok(Some(_))));
        assert_eq!(book.kept.get(&a).map(VecDeque::len), Some(KEPT_PER_ACCOUNT));
    }
}
