//! Who may make, change and dissolve groups, and raise and cancel alarms.

use super::event::{TalkEvent, TalkWhat};
use super::group::{AlarmKind, Area, GroupPlan, TalkGroup};
use super::order::{TalkOrder, TalkOrderKind};
use crate::authority::Post;
use crate::directory::{Account, Place};
use crate::draft::Draft;
use crate::event::Event;
use crate::ids::{AccountId, SiteCode, TalkGroupId};
use crate::limits::{MAX_NAME_CHARS, MAX_REASON_CHARS, MAX_TALK_GROUPS, MAX_TALK_MEMBERS};
use crate::order::OrderKind;
use crate::refusal::Refusal;
use crate::text::clean;

/// The widest circle: a county across.
const MAX_RADIUS_M: u32 = 200_000;

impl Draft {
    /// By somebody who is signed in.
    pub(crate) fn talk(&mut self, by: &Account, order: &TalkOrder) -> Result<(), Refusal> {
        match order {
            TalkOrder::Create { plan } => self.create_group(by, plan),
            TalkOrder::Change { group, plan } => {
                let known = self.commanded_group(by, *group)?;
                let plan = self.sound_plan(by, plan)?;
                if known.plan != plan {
                    self.push_talk(*group, Some(&by.id), TalkWhat::Changed { plan });
                }
                Ok(())
            }
            TalkOrder::Dissolve { group } => {
                self.commanded_group(by, *group)?;
                self.push_talk(*group, Some(&by.id), TalkWhat::Dissolved);
                Ok(())
            }
            TalkOrder::RaiseSos { group, kind, place } => self.raise_sos(by, *group, *kind, *place),
            TalkOrder::CancelSos {
                group,
                who,
                truth,
                text,
            } => {
                let known = self.known_group(*group)?;
                if !self.county.sees_group(&by.id, &known, None) && *who != by.id {
                    return Err(Refusal::UnknownTalkGroup(*group));
                }
                if !known.sos.contains_key(who) {
                    return Err(Refusal::NoSos);
                }
                if *who != by.id && !self.county.commands_group(by, &known) {
                    return Err(Refusal::NotCommandingGroup);
                }
                let what = TalkWhat::SosCancelled {
                    who: who.clone(),
                    truth: *truth,
                    text: clean(text, MAX_REASON_CHARS)?,
                };
                self.push_talk(*group, Some(&by.id), what);
                Ok(())
            }
            TalkOrder::Spoke { .. } => Err(Refusal::WrongActor(OrderKind::Talk(order.kind()))),
        }
    }

    /// By the server: what the floor has seen.
    pub(crate) fn talk_by_system(&mut self, order: &TalkOrder) -> Result<(), Refusal> {
        match order {
            TalkOrder::Spoke { group, talk } => {
                // It may have been dissolved meanwhile; the audit has it all the same.
                if !self.was_group(*group) {
                    return Err(Refusal::UnknownTalkGroup(*group));
                }
                let what = TalkWhat::Spoke { talk: talk.clone() };
                self.push_talk(*group, None, what);
                Ok(())
            }
            // The groups of the configuration, where there is none yet.
            TalkOrder::Create { plan } => {
                let county = self.county.directory.county();
                let owner = county.map(|site| site.code.clone());
                let owner = owner.ok_or_else(|| Refusal::UnknownTarget("county".to_owned()))?;
                let plan = self.plan_within(Post::of_site(&owner), plan)?;
                self.found_group(None, plan)
            }
            TalkOrder::Change { .. }
            | TalkOrder::Dissolve { .. }
            | TalkOrder::RaiseSos { .. }
            | TalkOrder::CancelSos { .. } => {
                Err(Refusal::WrongActor(OrderKind::Talk(order.kind())))
            }
        }
    }

    fn create_group(&mut self, by: &Account, plan: &GroupPlan) -> Result<(), Refusal> {
        let plan = self.sound_plan(by, plan)?;
        self.found_group(Some(&by.id), plan)
    }

    fn found_group(&mut self, by: Option<&AccountId>, plan: GroupPlan) -> Result<(), Refusal> {
        if self.county.talk_groups.len() >= MAX_TALK_GROUPS {
            return Err(Refusal::Full {
                what: "talk groups",
                limit: MAX_TALK_GROUPS,
            });
        }
        let group = TalkGroupId(self.county.last.talk_group.0.saturating_add(1));
        self.push_talk(group, by, TalkWhat::Created { plan });
        Ok(())
    }

    fn raise_sos(
        &mut self,
        by: &Account,
        group: TalkGroupId,
        kind: AlarmKind,
        place: Option<Place>,
    ) -> Result<(), Refusal> {
        if place.is_some_and(|place| !place.is_on_earth()) {
            return Err(Refusal::Malformed("place not on earth"));
        }
        let known = self.known_group(group)?;
        if !self.county.sees_group(&by.id, &known, place) {
            return Err(Refusal::UnknownTalkGroup(group));
        }
        // Raised again at the same place, or lower: it is so already.
        let raised = known.sos.get(&by.id);
        if raised.is_some_and(|sos| sos.kind >= kind && (place.is_none() || sos.place == place)) {
            return Ok(());
        }
        let kind = raised.map_or(kind, |sos| sos.kind.max(kind));
        self.push_talk(group, Some(&by.id), TalkWhat::SosRaised { kind, place });
        Ok(())
    }

    fn known_group(&self, id: TalkGroupId) -> Result<std::sync::Arc<TalkGroup>, Refusal> {
        let known = self.county.talk_groups.get(&id);
        known.cloned().ok_or(Refusal::UnknownTalkGroup(id))
    }

    fn was_group(&self, id: TalkGroupId) -> bool {
        id.0 > 0 && id <= self.county.last.talk_group
    }

    fn commanded_group(
        &self,
        by: &Account,
        id: TalkGroupId,
    ) -> Result<std::sync::Arc<TalkGroup>, Refusal> {
        let known = self.known_group(id)?;
        if self.county.commands_group(by, &known) {
            Ok(known)
        } else if self.county.sees_group(&by.id, &known, None) {
            Err(Refusal::NotCommandingGroup)
        } else {
            Err(Refusal::UnknownTalkGroup(id))
        }
    }

    fn sound_plan(&self, by: &Account, plan: &GroupPlan) -> Result<GroupPlan, Refusal> {
        self.plan_within(Post::of_account(by), plan)
    }

    /// The plan, if it is sound and reaches no further than the post's own subtree.
    fn plan_within(&self, post: Post<'_>, plan: &GroupPlan) -> Result<GroupPlan, Refusal> {
        let directory = &self.county.directory;
        let unknown = |what: &str| Refusal::UnknownTarget(what.to_owned());
        let name = clean(&plan.name, MAX_NAME_CHARS)?;
        if name.is_empty() {
            return Err(Refusal::Malformed("a group needs a name"));
        }
        if !plan.rules.is_sound() {
            return Err(Refusal::Malformed("the floor's times out of their ranges"));
        }
        if plan.members.len() > MAX_TALK_MEMBERS {
            return Err(Refusal::Full {
                what: "members of one group",
                limit: MAX_TALK_MEMBERS,
            });
        }
        let own = |site: &SiteCode| site == post.site || directory.is_under(site, post.site);
        let within = |site: &SiteCode| match directory.site(site) {
            None => Err(unknown(&site.0)),
            Some(_) if own(site) => Ok(()),
            Some(_) => Err(Refusal::NotBelow(site.0.clone())),
        };
        within(&plan.site)?;
        for member in plan.members.keys() {
            let account = directory
                .account(member)
                .ok_or_else(|| unknown(&member.0))?;
            if !own(&account.site) {
                return Err(Refusal::NotBelow(member.0.clone()));
            }
        }
        match &plan.area {
            None if plan.members.is_empty() => {
                return Err(Refusal::Malformed("a group needs members or an area"));
            }
            None => {}
            Some(Area::Subtree { root }) => within(root)?,
            Some(Area::Circle { center, radius_m })
                if center.is_on_earth() && (1..=MAX_RADIUS_M).contains(radius_m) => {}
            Some(Area::Circle { .. }) => {
                return Err(Refusal::Malformed("circle out of its range"));
            }
        }
        Ok(GroupPlan {
            name,
            ..plan.clone()
        })
    }

    fn push_talk(&mut self, group: TalkGroupId, by: Option<&AccountId>, what: TalkWhat) {
        let at = self.now;
        let by = by.cloned();
        self.push(Event::Talk {
            event: TalkEvent {
                group,
                by,
                at,
                what,
            },
        });
    }
}

impl TalkOrderKind {
    /// Only the server may order it.
    pub(crate) fn is_of_system(self) -> bool {
        match self {
            TalkOrderKind::Spoke => true,
            TalkOrderKind::Create
            | TalkOrderKind::Change
            | TalkOrderKind::Dissolve
            | TalkOrderKind::RaiseSos
            | TalkOrderKind::CancelSos => false,
        }
    }
}
