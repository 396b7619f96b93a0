//! What is known of one incident: exactly what its events give.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::event::{IncidentEvent, What};
use super::file::FileRef;
use super::order::Report;
use super::state::{IncidentInput, IncidentState, ResponderState};
use super::{IncidentKind, Level};
use crate::directory::{Account, Tier};
use crate::ids::{AccountId, ConferenceId, IncidentId, SiteCode};
use crate::invitation::Callee;
use crate::limits::MAX_TIMELINE;
use crate::time::Timestamp;

/// See the module's text.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Incident {
    pub id: IncidentId,
    pub state: IncidentState,
    pub report: Report,
    /// Absent: another platform.
    pub reporter: Option<AccountId>,
    pub reported_at: Timestamp,
    /// As verified, else as reported.
    pub kind: IncidentKind,
    /// Absent until somebody says how grave.
    pub level: Option<Level>,
    /// Whose it is.
    pub site: SiteCode,
    /// The tier that handles it: of the site, or higher once escalated.
    pub tier: Tier,
    pub commander: Option<AccountId>,
    pub duplicate_of: Option<IncidentId>,
    pub responders: Vec<Responder>,
    pub conferences: Vec<ConferenceId>,
    /// In the order in which they came.
    pub files: Vec<FileRef>,
    /// When each state was entered.
    pub entered: BTreeMap<IncidentState, Timestamp>,
    /// The report first; at most [`MAX_TIMELINE`] entries, the journal has all.
    pub timeline: Vec<TimelineEntry>,
}

/// Somebody who was sent.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Responder {
    pub who: Callee,
    pub state: ResponderState,
    pub assigned_by: Option<AccountId>,
    pub assigned_at: Timestamp,
    /// When the present state was said.
    pub state_at: Timestamp,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TimelineEntry {
    pub at: Timestamp,
    pub by: Option<AccountId>,
    pub what: What,
}

impl Incident {
    /// Of the first event; `None` if it is another one.
    pub(crate) fn reported(event: &IncidentEvent) -> Option<Self> {
        let What::Reported { report, site, tier } = &event.what else {
            return None;
        };
        let mut incident = Self {
            id: event.incident,
            state: IncidentState::Reported,
            kind: report.kind,
            level: report.level,
            report: report.clone(),
            reporter: event.by.clone(),
            reported_at: event.at,
            site: site.clone(),
            tier: *tier,
            commander: None,
            duplicate_of: None,
            responders: Vec::new(),
            conferences: Vec::new(),
            files: Vec::new(),
            entered: BTreeMap::from([(IncidentState::Reported, event.at)]),
            timeline: Vec::new(),
        };
        incident.note(event);
        Some(incident)
    }

    /// Never fails: what does not fit the state is only noted.
    pub(crate) fn apply(&mut self, event: &IncidentEvent) {
        match &event.what {
            What::Reported { .. } => return,
            What::Verified { kind, level } => {
                self.kind = *kind;
                self.level = Some(*level);
                self.commander = event.by.clone();
                self.enter(IncidentInput::Verify, event.at);
            }
            What::MarkedDuplicate { of } => {
                self.duplicate_of = Some(*of);
                self.enter(IncidentInput::MarkDuplicate, event.at);
            }
            What::MarkedFalse { .. } => self.enter(IncidentInput::MarkFalse, event.at),
            What::Levelled { level, .. } => self.level = Some(*level),
            What::Escalated { tier, .. } => self.tier = *tier,
            What::Assigned { responder, .. } => {
                self.responders.push(Responder {
                    who: responder.clone(),
                    state: ResponderState::Assigned,
                    assigned_by: event.by.clone(),
                    assigned_at: event.at,
                    state_at: event.at,
                });
                self.enter(IncidentInput::Assign, event.at);
            }
            What::Responded { responder, state } => {
                let found = self.responders.iter_mut().find(|one| one.who == *responder);
                if let Some(one) = found {
                    one.state = *state;
                    one.state_at = event.at;
                }
            }
            What::Convened { conference } => self.conferences.push(*conference),
            What::Controlled { .. } => self.enter(IncidentInput::Control, event.at),
            What::Closed { .. } => self.enter(IncidentInput::Close, event.at),
            What::Reviewed { .. } => self.enter(IncidentInput::Review, event.at),
            What::Noted { .. }
            | What::PlanStarted { .. }
            | What::PlanStopped { .. }
            | What::PlanStep { .. }
            | What::PlanStepSettled { .. }
            | What::Unreached { .. }
            | What::Reached { .. } => {}
            What::Attached { file, .. } => self.files.push(file.clone()),
        }
        self.note(event);
    }

    #[must_use]
    pub fn responder(&self, who: &Callee) -> Option<&Responder> {
        self.responders.iter().find(|one| one.who == *who)
    }

    /// Of the account, or of the site that it answers for.
    #[must_use]
    pub fn response_of(&self, account: &Account) -> Option<&Responder> {
        self.responders.iter().find(|one| match &one.who {
            Callee::Person { account: sent } => *sent == account.id,
            Callee::Site { code } => *code == account.site && account.role.answers_for_site(),
        })
    }

    /// When anything last happened.
    #[must_use]
    pub fn changed_at(&self) -> Timestamp {
        self.timeline
            .last()
            .map_or(self.reported_at, |last| last.at)
    }

    fn enter(&mut self, input: IncidentInput, at: Timestamp) {
        if let Ok(state) = self.state.after(input) {
            self.state = state;
            self.entered.entry(state).or_insert(at);
        }
    }

    fn note(&mut self, event: &IncidentEvent) {
        if self.timeline.len() >= MAX_TIMELINE {
            self.timeline.remove(1); // the report stays
        }
        self.timeline.push(TimelineEntry {
            at: event.at,
            by: event.by.clone(),
            what: event.what.clone(),
        });
    }
}
