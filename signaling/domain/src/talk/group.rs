//! What is known of one talk group, as its events give it.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::event::{TalkEvent, TalkWhat};
use super::membership::Rank;
use crate::directory::Place;
use crate::ids::{AccountId, SiteCode, TalkGroupId};
use crate::limits::MAX_TALKS;
use crate::time::Timestamp;

/// How much one member of a group counts among the others.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Standing {
    Volunteer,
    Member,
    /// Of a patrol.
    Leader,
}

/// Whoever is there belongs to the group.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Area {
    /// A site and all below it.
    Subtree { root: SiteCode },
    /// On the map. Field units are where their device says, centres where they stand.
    Circle { center: Place, radius_m: u32 },
}

/// Of whoever listens to several groups, the more important one is heard louder.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum GroupPriority {
    Routine,
    Raised,
    Command,
}

/// How the floor of one group is given. The timers of TS 24.380 §11.1.3 in seconds.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FloorRules {
    /// T2: nobody speaks longer. 5 to 300.
    pub talk_limit_s: u16,
    /// T3: to finish the sentence once the limit has come. Up to 10.
    pub grace_s: u16,
    /// T1: whose device sends nothing for so long has stopped. 2 to 30.
    pub media_end_s: u16,
    /// How many may wait. Up to 64; 0: nobody waits, whoever asks in vain asks again.
    pub queue_length: u8,
}

impl Default for FloorRules {
    fn default() -> Self {
        Self {
            talk_limit_s: 30,
            grace_s: 3,
            media_end_s: 4,
            queue_length: 8,
        }
    }
}

impl FloorRules {
    #[must_use]
    pub fn talk_limit(&self) -> Duration {
        Duration::from_secs(self.talk_limit_s.into())
    }

    #[must_use]
    pub fn grace(&self) -> Duration {
        Duration::from_secs(self.grace_s.into())
    }

    #[must_use]
    pub fn media_end(&self) -> Duration {
        Duration::from_secs(self.media_end_s.into())
    }

    pub(super) fn is_sound(&self) -> bool {
        (5..=300).contains(&self.talk_limit_s)
            && self.grace_s <= 10
            && (2..=30).contains(&self.media_end_s)
            && self.queue_length <= 64
    }
}

/// What somebody orders of a group.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupPlan {
    /// 1 to 64 characters.
    pub name: String,
    /// Whose group it is: it commands it, and so do those above.
    pub site: SiteCode,
    /// By name; besides whoever is in the area. A list in the journal, whose objects may get further fields.
    #[serde(with = "list_of_members")]
    pub members: BTreeMap<AccountId, Standing>,
    pub area: Option<Area>,
    pub priority: GroupPriority,
    pub rules: FloorRules,
}

mod list_of_members {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Standing;
    use crate::ids::AccountId;

    #[derive(Deserialize, Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Member {
        account: AccountId,
        standing: Standing,
    }

    pub(super) fn serialize<S: Serializer>(
        members: &BTreeMap<AccountId, Standing>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(members.iter().map(|(account, standing)| Member {
            account: account.clone(),
            standing: *standing,
        }))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<AccountId, Standing>, D::Error> {
        let members = Vec::<Member>::deserialize(deserializer)?;
        let named = members.into_iter().map(|one| (one.account, one.standing));
        Ok(named.collect())
    }
}

/// TS 23.379 knows two grades of alarm of a group.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum AlarmKind {
    /// Somebody is about to come to harm.
    ImminentPeril,
    Sos,
}

/// An alarm that nobody has cancelled.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sos {
    pub kind: AlarmKind,
    pub at: Timestamp,
    pub place: Option<Place>,
}

/// Why somebody stopped speaking.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum TalkEnd {
    Released,
    /// Spoke through limit and grace.
    TooLong,
    /// The device sent nothing.
    NoMedia,
    Preempted,
    /// The device is gone, or no longer listens to the group.
    Lost,
    /// Is no member any more, or the group is dissolved.
    NotAllowed,
}

/// Somebody spoke.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Talk {
    pub who: AccountId,
    pub rank: Rank,
    pub from: Timestamp,
    pub until: Timestamp,
    pub end: TalkEnd,
}

/// One group.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TalkGroup {
    pub id: TalkGroupId,
    pub plan: GroupPlan,
    pub created_by: Option<AccountId>,
    pub created_at: Timestamp,
    /// By whoever raised it.
    pub sos: BTreeMap<AccountId, Sos>,
    /// The last few, the newest last; the journal has all.
    pub talks: VecDeque<Talk>,
}

impl TalkGroup {
    /// The group that the event creates.
    #[must_use]
    pub(crate) fn created(event: &TalkEvent) -> Option<Self> {
        match &event.what {
            TalkWhat::Created { plan } => Some(Self {
                id: event.group,
                plan: plan.clone(),
                created_by: event.by.clone(),
                created_at: event.at,
                sos: BTreeMap::new(),
                talks: VecDeque::new(),
            }),
            TalkWhat::Changed { .. }
            | TalkWhat::Dissolved
            | TalkWhat::SosRaised { .. }
            | TalkWhat::SosCancelled { .. }
            | TalkWhat::Spoke { .. } => None,
        }
    }

    pub(crate) fn apply(&mut self, event: &TalkEvent) {
        match &event.what {
            TalkWhat::Created { .. } | TalkWhat::Dissolved => {} // of the book, not of the group
            TalkWhat::Changed { plan } => self.plan = plan.clone(),
            TalkWhat::SosRaised { kind, place } => {
                if let Some(by) = &event.by {
                    let sos = Sos {
                        kind: *kind,
                        at: event.at,
                        place: *place,
                    };
                    self.sos.insert(by.clone(), sos);
                }
            }
            TalkWhat::SosCancelled { who, .. } => {
                self.sos.remove(who);
            }
            TalkWhat::Spoke { talk } => {
                while self.talks.len() >= MAX_TALKS {
                    self.talks.pop_front();
                }
                self.talks.push_back(talk.clone());
            }
        }
    }
}
