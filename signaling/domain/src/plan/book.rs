//! Plans and runs, exactly as the events give them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::content::{OnMiss, PlanContent};
use super::event::PlanEvent;
use super::state::{PlanInput, PlanState};
use crate::ids::{AccountId, ConferenceId, IncidentId, PlanId, RunId, SiteCode};
use crate::invitation::Callee;
use crate::limits::{MAX_ENDED_RUNS, MAX_PLAN_VERSIONS};
use crate::time::Timestamp;

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    pub id: PlanId,
    /// Kept there and above.
    pub owner: SiteCode,
    /// By number; the oldest are forgotten.
    pub versions: BTreeMap<u32, PlanVersion>,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlanVersion {
    pub state: PlanState,
    pub content: PlanContent,
    /// Who wrote it last, and when.
    pub author: AccountId,
    pub saved_at: Timestamp,
    pub approved_by: Option<AccountId>,
    pub approved_at: Option<Timestamp>,
    pub retired_at: Option<Timestamp>,
}

/// A plan at work on one incident.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlanRun {
    pub id: RunId,
    pub plan: PlanId,
    pub version: u32,
    pub incident: IncidentId,
    pub conference: ConferenceId,
    pub content: PlanContent,
    pub by: AccountId,
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    /// Who stopped it.
    pub stopped_by: Option<AccountId>,
    /// One for each step of the content.
    pub steps: Vec<RunStep>,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum RunStepState {
    Waiting,
    Begun,
    Settled,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunStep {
    pub state: RunStepState,
    /// When it begins, or has begun.
    pub at: Timestamp,
    /// Of `Begun`: when it is settled at the latest. Means nothing while `Waiting`.
    pub deadline: Timestamp,
    pub callees: Vec<Callee>,
    /// Of `Settled`: who was not reached by then.
    pub missed: Vec<Callee>,
}

#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlanBook {
    plans: BTreeMap<PlanId, Arc<Plan>>,
    /// Running ones and the last that are over.
    runs: BTreeMap<RunId, Arc<PlanRun>>,
    last_plan: u32,
    last_run: u32,
}

impl Plan {
    /// The version in force.
    #[must_use]
    pub fn in_force(&self) -> Option<(u32, &PlanVersion)> {
        let mut found = self.versions.iter();
        let found = found.find(|(_, version)| version.state == PlanState::Approved);
        found.map(|(number, version)| (*number, version))
    }

    /// The draft that is being written.
    #[must_use]
    pub fn draft(&self) -> Option<(u32, &PlanVersion)> {
        let mut found = self.versions.iter();
        let found = found.find(|(_, version)| version.state == PlanState::Draft);
        found.map(|(number, version)| (*number, version))
    }

    fn last_number(&self) -> u32 {
        self.versions.keys().last().copied().unwrap_or(0)
    }

    /// Under what number the next text is saved.
    pub(crate) fn next_number(&self) -> u32 {
        let draft = self.draft().map(|(number, _)| number);
        draft.unwrap_or(self.last_number().saturating_add(1))
    }

    fn save(&mut self, number: u32, content: &PlanContent, by: &AccountId, at: Timestamp) {
        let version = PlanVersion {
            state: PlanState::Draft,
            content: content.clone(),
            author: by.clone(),
            saved_at: at,
            approved_by: None,
            approved_at: None,
            retired_at: None,
        };
        self.versions.insert(number, version);
        // What is in force and the draft are never the oldest of so many.
        while self.versions.len() > MAX_PLAN_VERSIONS {
            let mut old = self.versions.iter();
            let old = old.find(|(_, version)| version.state == PlanState::Retired);
            let Some(old) = old.map(|(number, _)| *number) else {
                return;
            };
            self.versions.remove(&old);
        }
    }

    fn move_on(&mut self, number: u32, input: PlanInput, by: &AccountId, at: Timestamp) {
        if let Some(version) = self.versions.get_mut(&number)
            && let Ok(state) = version.state.after(input)
        {
            version.state = state;
            match input {
                PlanInput::Approve => {
                    version.approved_by = Some(by.clone());
                    version.approved_at = Some(at);
                }
                PlanInput::Retire => version.retired_at = Some(at),
            }
        }
    }
}

impl PlanRun {
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.ended_at.is_some()
    }

    /// What follows when this callee is missed: of the first step that rings it.
    #[must_use]
    pub fn on_miss(&self, callee: &Callee) -> Option<OnMiss> {
        let mut steps = self.steps.iter().zip(&self.content.steps);
        let found = steps.find(|(step, _)| step.callees.contains(callee));
        found.map(|(_, planned)| planned.on_miss)
    }

    /// When something of it is due.
    fn due(&self) -> Option<Timestamp> {
        let dues = self.steps.iter().filter_map(|step| match step.state {
            RunStepState::Waiting => Some(step.at),
            RunStepState::Begun => Some(step.deadline),
            RunStepState::Settled => None,
        });
        dues.min()
    }

    fn apply(&mut self, event: &PlanEvent) {
        match event {
            PlanEvent::StepBegun {
                step,
                callees,
                deadline,
                at,
                ..
            } => {
                if let Some(one) = self.step_mut(*step) {
                    one.state = RunStepState::Begun;
                    one.at = *at;
                    one.deadline = *deadline;
                    one.callees.clone_from(callees);
                }
            }
            PlanEvent::StepSettled { step, missed, .. } => {
                if let Some(one) = self.step_mut(*step) {
                    one.state = RunStepState::Settled;
                    one.missed.clone_from(missed);
                }
            }
            PlanEvent::Ended { by, at, .. } => {
                self.ended_at = Some(*at);
                self.stopped_by.clone_from(by);
            }
            PlanEvent::Saved { .. }
            | PlanEvent::Approved { .. }
            | PlanEvent::Retired { .. }
            | PlanEvent::Started { .. } => {}
        }
    }

    fn step_mut(&mut self, step: u32) -> Option<&mut RunStep> {
        self.steps.get_mut(usize::try_from(step).ok()?)
    }
}

impl PlanBook {
    /// In order of writing.
    pub fn plans(&self) -> impl Iterator<Item = &Plan> {
        self.plans.values().map(|plan| &**plan)
    }

    #[must_use]
    pub fn plan(&self, id: PlanId) -> Option<&Plan> {
        self.plans.get(&id).map(|plan| &**plan)
    }

    /// In order of their start.
    pub fn runs(&self) -> impl Iterator<Item = &PlanRun> {
        self.runs.values().map(|run| &**run)
    }

    #[must_use]
    pub fn run(&self, id: RunId) -> Option<&PlanRun> {
        self.runs.get(&id).map(|run| &**run)
    }

    /// Those that are not over.
    pub fn running(&self) -> impl Iterator<Item = &PlanRun> {
        self.runs().filter(|run| !run.is_over())
    }

    pub(crate) fn due(&self) -> Option<Timestamp> {
        self.running().filter_map(PlanRun::due).min()
    }

    pub(crate) fn next_plan(&self) -> PlanId {
        PlanId(self.last_plan.saturating_add(1))
    }

    pub(crate) fn next_run(&self) -> RunId {
        RunId(self.last_run.saturating_add(1))
    }

    /// Never fails: what is about something unknown is passed over.
    pub(crate) fn apply(&mut self, event: &PlanEvent) {
        match event {
            PlanEvent::Saved {
                plan,
                version,
                owner,
                content,
                by,
                at,
            } => {
                self.last_plan = self.last_plan.max(plan.0);
                let known = self.plans.entry(*plan).or_insert_with(|| {
                    Arc::new(Plan {
                        id: *plan,
                        owner: owner.clone(),
                        versions: BTreeMap::new(),
                    })
                });
                Arc::make_mut(known).save(*version, content, by, *at);
            }
            PlanEvent::Approved {
                plan,
                version,
                by,
                at,
            } => self.move_on(*plan, *version, PlanInput::Approve, by, *at),
            PlanEvent::Retired {
                plan,
                version,
                by,
                at,
            } => self.move_on(*plan, *version, PlanInput::Retire, by, *at),
            PlanEvent::Started { run, .. } => {
                self.last_run = self.last_run.max(run.0);
                if let Some(started) = started(event) {
                    self.runs.insert(*run, Arc::new(started));
                }
            }
            PlanEvent::StepBegun { run, .. } | PlanEvent::StepSettled { run, .. } => {
                self.apply_to_run(*run, event);
            }
            PlanEvent::Ended { run, .. } => {
                self.apply_to_run(*run, event);
                self.forget_old_runs();
            }
        }
    }

    fn move_on(
        &mut self,
        plan: PlanId,
        version: u32,
        input: PlanInput,
        by: &AccountId,
        at: Timestamp,
    ) {
        if let Some(plan) = self.plans.get_mut(&plan) {
            Arc::make_mut(plan).move_on(version, input, by, at);
        }
    }

    fn apply_to_run(&mut self, run: RunId, event: &PlanEvent) {
        if let Some(run) = self.runs.get_mut(&run) {
            Arc::make_mut(run).apply(event);
        }
    }

    fn forget_old_runs(&mut self) {
        let ended: Vec<RunId> = self
            .runs()
            .filter(|run| run.is_over())
            .map(|run| run.id)
            .collect();
        let too_many = ended.len().saturating_sub(MAX_ENDED_RUNS);
        for old in ended.into_iter().take(too_many) {
            self.runs.remove(&old);
        }
    }
}

/// Of the first event; `None` if it is another one.
fn started(event: &PlanEvent) -> Option<PlanRun> {
    let PlanEvent::Started {
        run,
        plan,
        version,
        incident,
        conference,
        content,
        by,
        at,
    } = event
    else {
        return None;
    };
    let steps = content.steps.iter().map(|step| RunStep {
        state: RunStepState::Waiting,
        at: at.after(step.after()),
        deadline: *at,
        callees: Vec::new(),
        missed: Vec::new(),
    });
    Some(PlanRun {
        id: *run,
        plan: *plan,
        version: *version,
        incident: *incident,
        conference: *conference,
        steps: steps.collect(),
        content: content.clone(),
        by: by.clone(),
        started_at: *at,
        ended_at: None,
        stopped_by: None,
    })
}
