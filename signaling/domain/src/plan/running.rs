//! A plan at work: what the one tap does, and what the time does after it.

use super::book::{PlanRun, RunStepState};
use super::event::PlanEvent;
use super::state::PlanState;
use crate::conference::{Conference, ConferenceKind};
use crate::county::County;
use crate::directory::Account;
use crate::draft::Draft;
use crate::event::Event;
use crate::ids::{ConferenceId, IncidentId, PlanId, RunId};
use crate::incident::event::What;
use crate::incident::{Incident, IncidentInput, ResponderState};
use crate::invitation::{Callee, InvitationState};
use crate::limits::{
    MAX_CONFERENCES_PER_ACCOUNT, MAX_PARTICIPANTS, MAX_RESPONDERS, MAX_TITLE_CHARS,
};
use crate::participant::ParticipantState;
use crate::pursuit::PursuitCause;
use crate::refusal::Refusal;

impl Draft {
    /// Conference, rings, responders and texts of all that is to happen at
    /// once, in one decision.
    pub(super) fn start_plan(
        &mut self,
        by: &Account,
        plan: PlanId,
        incident: IncidentId,
    ) -> Result<(), Refusal> {
        let known = self.workable(by, incident)?;
        let found = self.county.plans.plan(plan);
        let found = found.filter(|one| self.county.runs_plan(by, one, &known));
        let found = found.ok_or(Refusal::UnknownPlan(plan))?;
        let in_force = found.in_force();
        let (version, content) = in_force
            .map(|(number, version)| (number, version.content.clone()))
            .ok_or(Refusal::PlanState(PlanState::Retired))?;
        let twice = self.county.plans.running();
        if twice
            .into_iter()
            .any(|run| run.plan == plan && run.incident == incident)
        {
            return Err(Refusal::AlreadyThere);
        }
        let first = content.steps.first().map(|step| step.whom.as_slice());
        let callees = self
            .county
            .planned_rings(by, &known.site, first.unwrap_or_default());
        if callees.is_empty() {
            return Err(Refusal::NobodyToRing);
        }
        let conference = self.conference_for(by, &known, &callees)?;
        let run = self.county.plans.next_run();
        self.push_plan(PlanEvent::Started {
            run,
            plan,
            version,
            incident,
            conference,
            content: content.clone(),
            by: by.id.clone(),
            at: self.now,
        });
        self.push_incident(
            incident,
            Some(&by.id),
            What::PlanStarted {
                run,
                name: content.name,
                version,
            },
        );
        self.tick_plans();
        Ok(())
    }

    pub(super) fn stop_plan(&mut self, by: &Account, run: RunId) -> Result<(), Refusal> {
        let known = self.county.plans.run(run).ok_or(Refusal::UnknownRun(run))?;
        let (incident, name, over) = (known.incident, known.content.name.clone(), known.is_over());
        let dossier = self.county.incident(incident);
        let dossier = dossier.filter(|one| self.county.sees_incident(&by.id, one));
        let dossier = dossier.ok_or(Refusal::UnknownRun(run))?;
        if !self.county.handles(by, dossier) {
            return Err(Refusal::NotHandling);
        }
        if over {
            return Err(Refusal::Settled);
        }
        self.push_plan(PlanEvent::Ended {
            run,
            by: Some(by.id.clone()),
            at: self.now,
        });
        self.push_incident(incident, Some(&by.id), What::PlanStopped { run, name });
        Ok(())
    }

    /// An incident on which the account may send somebody now.
    fn workable(&self, by: &Account, id: IncidentId) -> Result<Incident, Refusal> {
        let id = self.callable_incident(by, id)?;
        let known = self
            .county
            .incident(id)
            .ok_or(Refusal::UnknownIncident(id))?;
        if !self.county.handles(by, known) {
            return Err(Refusal::NotHandling);
        }
        match known.state.after(IncidentInput::Assign) {
            Ok(_) => Ok(known.clone()),
            Err(_) => Err(Refusal::IncidentState(known.state)),
        }
    }

    /// The one about the incident that the account is in, or a new one.
    fn conference_for(
        &mut self,
        by: &Account,
        incident: &Incident,
        callees: &[(Callee, bool)],
    ) -> Result<ConferenceId, Refusal> {
        let running = self.all_running();
        let own = running
            .iter()
            .find(|one| one.incident == Some(incident.id) && one.stay_of(&by.id).is_some());
        let there = own.map_or(1, |one| one.there().count() + one.pending().count());
        let absent = callees
            .iter()
            .filter(|(callee, _)| own.is_none_or(|own| !self.county.is_there(own, callee)));
        if there + absent.count() > MAX_PARTICIPANTS {
            return Err(Refusal::Full {
                what: "participants in one conference",
                limit: MAX_PARTICIPANTS,
            });
        }
        if let Some(own) = own {
            return Ok(own.id);
        }
        if running.iter().filter(|one| one.called_by == by.id).count()
            >= MAX_CONFERENCES_PER_ACCOUNT
        {
            return Err(Refusal::Full {
                what: "running conferences of one account",
                limit: MAX_CONFERENCES_PER_ACCOUNT,
            });
        }
        let conference = ConferenceId(self.county.last.conference.0.saturating_add(1));
        self.push(Event::ConferenceCalled {
            conference,
            kind: ConferenceKind::Incident,
            title: incident
                .report
                .title
                .chars()
                .take(MAX_TITLE_CHARS)
                .collect(),
            by: by.id.clone(),
            site: by.site.clone(),
            at: self.now,
            incident: Some(incident.id),
        });
        self.push_incident(incident.id, Some(&by.id), What::Convened { conference });
        let running = self.running(conference)?;
        // What an emergency's caller is in keeps his place.
        self.go_into(by, &running, true);
        self.come_in(by, &running, false);
        Ok(conference)
    }

    /// Begins the steps whose time has come, settles those whose deadline has.
    pub(crate) fn tick_plans(&mut self) {
        let now = self.now;
        let ids: Vec<RunId> = self.county.plans.running().map(|run| run.id).collect();
        for id in ids {
            let mut next = 0;
            while let Some(run) = self.running_plan(id)
                && let Some(step) = run.steps.get(next)
            {
                match step.state {
                    RunStepState::Waiting if step.at <= now => self.begin_step(&run, next),
                    RunStepState::Begun if step.deadline <= now => self.settle_step(&run, next),
                    RunStepState::Waiting | RunStepState::Begun | RunStepState::Settled => {}
                }
                next += 1;
            }
        }
    }

    /// What follows for plans at work: steps whose callees are all reached are
    /// settled, runs whose work is done or whose incident is over end.
    pub(crate) fn settle_plans(&mut self) {
        let ids: Vec<RunId> = self.county.plans.running().map(|run| run.id).collect();
        for id in ids {
            let Some(run) = self.running_plan(id) else {
                continue;
            };
            for (index, step) in run.steps.iter().enumerate() {
                let all = step.state == RunStepState::Begun
                    && step.callees.iter().all(|one| self.is_reached(&run, one));
                if all {
                    self.settle_step(&run, index);
                }
            }
            let incident = self.county.incident(run.incident);
            let workable =
                incident.is_some_and(|one| one.state.after(IncidentInput::Assign).is_ok());
            let run = self.running_plan(id);
            let done = run.is_none_or(|run| {
                let mut steps = run.steps.iter();
                steps.all(|step| step.state == RunStepState::Settled)
            });
            if !workable || done {
                self.push_plan(PlanEvent::Ended {
                    run: id,
                    by: None,
                    at: self.now,
                });
            }
        }
    }

    fn running_plan(&self, id: RunId) -> Option<PlanRun> {
        self.county
            .plans
            .run(id)
            .filter(|run| !run.is_over())
            .cloned()
    }

    fn begin_step(&mut self, run: &PlanRun, index: usize) {
        let (Some(step), Ok(number)) = (run.content.steps.get(index), u32::try_from(index)) else {
            return;
        };
        let by = self.county.directory.account(&run.by).cloned();
        let incident = self.county.incident(run.incident).cloned();
        let (Some(by), Some(incident)) = (by, incident) else {
            return; // accounts stay in the directory, and the run ends with its incident
        };
        let rings = self.county.planned_rings(&by, &incident.site, &step.whom);
        let callees: Vec<Callee> = rings.iter().map(|(callee, _)| callee.clone()).collect();
        let wait = if callees.is_empty() {
            std::time::Duration::ZERO
        } else {
            step.ack_within()
        };
        let conference = self.running(run.conference).ok();
        // When the conference is over nobody is rung any more, only sent.
        let rung = conference.as_ref().map_or(0, |_| callees.len());
        let called = u32::try_from(rung).unwrap_or(u32::MAX);
        self.push_plan(PlanEvent::StepBegun {
            run: run.id,
            step: number,
            callees: callees.clone(),
            deadline: self.now.after(wait),
            at: self.now,
        });
        self.push_incident(
            run.incident,
            Some(&run.by),
            What::PlanStep {
                run: run.id,
                step: number,
                text: step.text.clone(),
                called,
            },
        );
        if let Some(conference) = conference {
            self.ring_planned(&by, &conference, rings);
            let show = self.county.planned(&incident.site, &step.show);
            self.lay_out(&conference, show);
        }
        self.send_planned(&by, &incident, callees, &step.text);
    }

    /// Whoever is not there yet, as many as there is room for.
    fn ring_planned(&mut self, by: &Account, running: &Conference, rings: Vec<(Callee, bool)>) {
        let there = running.there().count() + running.pending().count();
        let absent = rings.into_iter().filter(|(callee, ordered)| {
            // Into a locked call only those come who are ordered in.
            (*ordered || !running.locked) && !self.county.is_there(running, callee)
        });
        let absent: Vec<(Callee, bool)> = absent
            .take(MAX_PARTICIPANTS.saturating_sub(there))
            .collect();
        // Refused where a conference has used up its invitations: those who
        // are not rung are missed, which the step's result says.
        if let Err(refusal) = self.ring_into(by, running, absent, None) {
            debug_assert!(matches!(refusal, Refusal::Full { .. }), "{refusal}");
        }
    }

    /// Shown first from now on: who is named later stands behind who was named before.
    fn lay_out(&mut self, conference: &Conference, show: Vec<Callee>) {
        let mut all = conference.shown.clone();
        for callee in show {
            if all.len() < MAX_PARTICIPANTS && !all.contains(&callee) {
                all.push(callee);
            }
        }
        if all != conference.shown {
            self.push(Event::ConferenceLaidOut {
                conference: conference.id,
                shown: all,
                at: self.now,
            });
        }
    }

    fn send_planned(
        &mut self,
        by: &Account,
        incident: &Incident,
        callees: Vec<Callee>,
        text: &str,
    ) {
        if incident.state.after(IncidentInput::Assign).is_err() {
            return;
        }
        let room = MAX_RESPONDERS.saturating_sub(incident.responders.len());
        let fresh: Vec<Callee> = callees
            .into_iter()
            .filter(|one| incident.responder(one).is_none() && self.may_send(by, one).is_ok())
            .take(room)
            .collect();
        for responder in fresh {
            let text = text.to_owned();
            self.push_incident(
                incident.id,
                Some(&by.id),
                What::Assigned { responder, text },
            );
        }
    }

    fn settle_step(&mut self, run: &PlanRun, index: usize) {
        let (Some(step), Ok(number)) = (run.steps.get(index), u32::try_from(index)) else {
            return;
        };
        let missed = step.callees.iter().filter(|one| !self.is_reached(run, one));
        let missed: Vec<Callee> = missed.cloned().collect();
        let reached = step.callees.len() - missed.len();
        self.push_plan(PlanEvent::StepSettled {
            run: run.id,
            step: number,
            missed: missed.clone(),
            at: self.now,
        });
        if step.callees.is_empty() {
            return; // a text and a picture: nothing to report of them
        }
        self.push_incident(
            run.incident,
            None,
            What::PlanStepSettled {
                run: run.id,
                step: number,
                reached: u32::try_from(reached).unwrap_or(u32::MAX),
                missed: missed.clone(),
            },
        );
        for callee in missed {
            self.pursue(run.conference, &callee, PursuitCause::NotAcknowledged);
        }
    }

    fn is_reached(&self, run: &PlanRun, callee: &Callee) -> bool {
        self.county.has_reached(run, callee)
    }
}

impl County {
    /// The plan has reached this callee: it was in the conference, or has
    /// acknowledged by itself or by another channel.
    #[must_use]
    pub fn has_reached(&self, run: &PlanRun, callee: &Callee) -> bool {
        let answering = self.answering(callee);
        let conference = self.conference(run.conference);
        let came = conference.is_some_and(|one| {
            one.participants()
                .any(|p| p.state == ParticipantState::In && answering.contains(&&p.account))
                || one
                    .last_invitation(callee)
                    .is_some_and(|last| last.state == InvitationState::Joined)
        });
        let incident = self.incident(run.incident);
        let acknowledged = incident
            .and_then(|one| one.responder(callee))
            .is_some_and(|one| one.state != ResponderState::Assigned);
        came || acknowledged || self.pursuits.has_reached(run.conference, callee)
    }
}
