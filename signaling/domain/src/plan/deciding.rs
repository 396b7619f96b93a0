//! Who may write, approve and retire a plan.
//!
//! A plan belongs to the site where it was first written and is kept there and
//! above. It comes into force by the word of a second person.

use super::book::{Plan, PlanBook, PlanVersion};
use super::content::PlanContent;
use super::event::PlanEvent;
use super::order::PlanOrder;
use super::state::PlanInput;
use crate::county::County;
use crate::directory::{Account, Role};
use crate::draft::Draft;
use crate::event::Event;
use crate::ids::{AccountId, PlanId, SiteCode};
use crate::incident::Incident;
use crate::limits::MAX_PLANS;
use crate::order::OrderKind;
use crate::refusal::Refusal;
use crate::time::Timestamp;

/// Stands for the author of what the configuration brought; no login name is empty.
const INSTALLED: &str = "";

impl Draft {
    pub(crate) fn plan(&mut self, by: &Account, order: &PlanOrder) -> Result<(), Refusal> {
        match order {
            PlanOrder::Install { .. } => Err(Refusal::WrongActor(OrderKind::Plan(order.kind()))),
            PlanOrder::Save { plan, content } => self.save_plan(by, *plan, content),
            PlanOrder::Approve {
                plan,
                version,
                saved_at,
            } => self.approve_plan(by, *plan, *version, *saved_at),
            PlanOrder::Retire { plan, version } => {
                let (known, one) = self.kept(by, *plan, *version)?;
                one.state
                    .after(PlanInput::Retire)
                    .map_err(|_| Refusal::PlanState(one.state))?;
                self.push_plan(PlanEvent::Retired {
                    plan: known,
                    version: *version,
                    by: by.id.clone(),
                    at: self.now,
                });
                Ok(())
            }
            PlanOrder::Start { plan, incident } => self.start_plan(by, *plan, *incident),
            PlanOrder::Stop { run } => self.stop_plan(by, *run),
        }
    }

    /// By the server, from the configuration.
    pub(crate) fn install_plan(&mut self, order: &PlanOrder) -> Result<(), Refusal> {
        let PlanOrder::Install { content } = order else {
            return Err(Refusal::WrongActor(OrderKind::Plan(order.kind())));
        };
        let content = content.cleaned(&self.county.directory)?;
        let is_known = |plan: &Plan| {
            let mut versions = plan.versions.values();
            versions.any(|version| version.content.name == content.name)
        };
        let county = self.county.directory.county().map(|site| site.code.clone());
        let (false, Some(owner)) = (self.county.plans.plans().any(is_known), county) else {
            return Ok(());
        };
        if self.county.plans.plans().count() >= MAX_PLANS {
            return Ok(());
        }
        let (plan, at) = (self.county.plans.next_plan(), self.now);
        let by = AccountId(INSTALLED.to_owned());
        self.push_plan(PlanEvent::Saved {
            plan,
            version: 1,
            owner,
            content,
            by: by.clone(),
            at,
        });
        self.push_plan(PlanEvent::Approved {
            plan,
            version: 1,
            by,
            at,
        });
        Ok(())
    }

    fn save_plan(
        &mut self,
        by: &Account,
        plan: Option<PlanId>,
        content: &PlanContent,
    ) -> Result<(), Refusal> {
        let content = content.cleaned(&self.county.directory)?;
        let book = &self.county.plans;
        let (plan, version, owner) = match plan {
            Some(id) => {
                let known = self.county.kept_plan(by, id)?;
                (id, known.next_number(), known.owner.clone())
            }
            None if book.plans().count() >= MAX_PLANS => {
                return Err(Refusal::Full {
                    what: "plans",
                    limit: MAX_PLANS,
                });
            }
            None => (book.next_plan(), 1, by.site.clone()),
        };
        // A plan of a township reaches no further than the township.
        let area = content.trigger.area.as_ref().unwrap_or(&owner);
        if *area != owner && !self.county.directory.is_under(area, &owner) {
            return Err(Refusal::NotBelow(area.0.clone()));
        }
        self.push_plan(PlanEvent::Saved {
            plan,
            version,
            owner,
            content,
            by: by.id.clone(),
            at: self.now,
        });
        Ok(())
    }

    fn approve_plan(
        &mut self,
        by: &Account,
        plan: PlanId,
        version: u32,
        saved_at: Timestamp,
    ) -> Result<(), Refusal> {
        let (plan, one) = self.kept(by, plan, version)?;
        one.state
            .after(PlanInput::Approve)
            .map_err(|_| Refusal::PlanState(one.state))?;
        if one.author == by.id {
            return Err(Refusal::OwnDraft);
        }
        if one.saved_at != saved_at {
            return Err(Refusal::WrittenAnew);
        }
        let replaced = self.county.plans.plan(plan).and_then(Plan::in_force);
        if let Some((old, _)) = replaced {
            self.push_plan(PlanEvent::Retired {
                plan,
                version: old,
                by: by.id.clone(),
                at: self.now,
            });
        }
        self.push_plan(PlanEvent::Approved {
            plan,
            version,
            by: by.id.clone(),
            at: self.now,
        });
        Ok(())
    }

    fn kept(
        &self,
        by: &Account,
        plan: PlanId,
        version: u32,
    ) -> Result<(PlanId, PlanVersion), Refusal> {
        let known = self.county.kept_plan(by, plan)?;
        let one = known.versions.get(&version);
        let one = one.ok_or(Refusal::UnknownPlan(plan))?;
        Ok((plan, one.clone()))
    }

    pub(super) fn push_plan(&mut self, event: PlanEvent) {
        self.push(Event::Plan { event });
    }
}

/// What the server's views read.
impl County {
    #[must_use]
    pub fn plans(&self) -> &PlanBook {
        &self.plans
    }

    /// Whoever stands at the owner's site, above it or below it; field units do not.
    #[must_use]
    pub fn sees_plan(&self, viewer: &AccountId, plan: &Plan) -> bool {
        self.directory.account(viewer).is_some_and(|account| {
            account.role != Role::Field
                && (account.site == plan.owner
                    || self.directory.is_under(&plan.owner, &account.site)
                    || self.directory.is_under(&account.site, &plan.owner))
        })
    }

    /// Stands at the owner's site or above it.
    #[must_use]
    pub fn keeps_plan(&self, by: &Account, owner: &SiteCode) -> bool {
        by.site == *owner || self.directory.is_under(owner, &by.site)
    }

    /// The plans in force that the account may run on the incident, those
    /// that are meant for it first, the best fit before the others.
    #[must_use]
    pub fn plans_for(&self, by: &Account, incident: &Incident) -> Vec<(&Plan, bool)> {
        let mut found: Vec<(u32, bool, &Plan)> = self
            .plans
            .plans()
            .filter(|plan| self.runs_plan(by, plan, incident))
            .filter_map(|plan| {
                let (_, version) = plan.in_force()?;
                let fit = version.content.trigger.fits(incident, &self.directory);
                Some((fit.map_or(0, |fit| fit + 1), fit.is_some(), plan))
            })
            .collect();
        found.sort_by_key(|(fit, _, plan)| (std::cmp::Reverse(*fit), plan.id));
        found
            .into_iter()
            .map(|(_, fits, plan)| (plan, fits))
            .collect()
    }

    /// A plan is run by those who keep it or stand below its owner, on
    /// incidents in the owner's subtree.
    pub(super) fn runs_plan(&self, by: &Account, plan: &Plan, incident: &Incident) -> bool {
        let within =
            incident.site == plan.owner || self.directory.is_under(&incident.site, &plan.owner);
        within && self.sees_plan(&by.id, plan)
    }

    fn kept_plan(&self, by: &Account, id: PlanId) -> Result<&Plan, Refusal> {
        let plan = self.plans.plan(id).ok_or(Refusal::UnknownPlan(id))?;
        if self.keeps_plan(by, &plan.owner) {
            Ok(plan)
        } else if self.sees_plan(&by.id, plan) {
            Err(Refusal::NotBelow(plan.owner.0.clone()))
        } else {
            Err(Refusal::UnknownPlan(id))
        }
    }
}
