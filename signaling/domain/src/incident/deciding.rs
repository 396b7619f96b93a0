//! Who may do what with an incident, and what follows.
//!
//! An incident belongs to a site and is handled by a tier: that of the site, or
//! a higher one once it was escalated. Whoever stands at the handling site or
//! above it handles it; everybody concerned may add to its timeline; each
//! responder tells for himself how far he is.

use std::sync::Arc;

use super::dossier::Incident;
use super::event::{IncidentEvent, What};
use super::file::FileRef;
use super::order::{IncidentOrder, Report, Step};
use super::state::{IncidentInput, NotNow, ResponderState};
use super::{Level, ReportSource};
use crate::authority::Post;
use crate::county::County;
use crate::directory::{Account, Role, Site, Tier};
use crate::draft::Draft;
use crate::event::Event;
use crate::ids::{AccountId, IncidentId};
use crate::invitation::Callee;
use crate::limits::{
    MAX_ADDRESS_CHARS, MAX_FILES, MAX_INCIDENT_TEXT_CHARS, MAX_KEY_CHARS, MAX_OPEN_INCIDENTS,
    MAX_OPEN_REPORTS_PER_ACCOUNT, MAX_OPEN_REPORTS_PER_PLATFORM, MAX_REASON_CHARS, MAX_RESPONDERS,
    MAX_TITLE_CHARS,
};
use crate::refusal::Refusal;
use crate::text::{clean, clean_lines};

impl Draft {
    /// By somebody who is signed in.
    pub(crate) fn incident(&mut self, by: &Account, order: &IncidentOrder) -> Result<(), Refusal> {
        match order {
            IncidentOrder::Report { report } => {
                if report.source != ReportSource::Account {
                    return Err(Refusal::Malformed("the source of an account's report"));
                }
                self.report(Some(by), report)
            }
            IncidentOrder::Step { incident, step } => {
                let known = self.known(*incident)?;
                if !self.county.sees_incident(&by.id, &known) {
                    return Err(Refusal::UnknownIncident(*incident));
                }
                self.step(by, &known, step)
            }
        }
    }

    /// By another platform, whose right to report the server has checked.
    pub(crate) fn platform_report(
        &mut self,
        platform: &str,
        order: &IncidentOrder,
    ) -> Result<(), Refusal> {
        match order {
            IncidentOrder::Report { report } => match &report.source {
                ReportSource::Platform { name, reference } if name == platform => {
                    let cleaned = clean(reference, MAX_KEY_CHARS)?;
                    if platform.is_empty() || cleaned.is_empty() || cleaned != *reference {
                        return Err(Refusal::Malformed("a platform's report needs its number"));
                    }
                    if self.county.incident_of(&report.source).is_some() {
                        return Ok(()); // sent again
                    }
                    self.report(None, report)
                }
                ReportSource::Platform { .. } | ReportSource::Account => {
                    Err(Refusal::Malformed("the source of a platform's report"))
                }
            },
            IncidentOrder::Step {
                incident,
                step: Step::Attach { file, text },
            } => {
                let known = self.known(*incident)?;
                match &known.report.source {
                    ReportSource::Platform { name, .. } if name == platform => {
                        self.attach(None, &known, file, text)
                    }
                    ReportSource::Platform { .. } | ReportSource::Account => {
                        Err(Refusal::UnknownIncident(*incident))
                    }
                }
            }
            IncidentOrder::Step { step, .. } => Err(Refusal::WrongActor(
                crate::order::OrderKind::Incident(step.kind()),
            )),
        }
    }

    fn report(&mut self, by: Option<&Account>, report: &Report) -> Result<(), Refusal> {
        let title = clean(&report.title, MAX_TITLE_CHARS)?;
        if title.is_empty() {
            return Err(Refusal::Malformed("a report needs a title"));
        }
        if report.place.is_some_and(|place| !place.is_on_earth()) {
            return Err(Refusal::Malformed("place not on earth"));
        }
        let site = self.site_of(by, report)?.clone();
        self.room_for_a_report(by, &report.source)?;
        let report = Report {
            title,
            text: clean_lines(&report.text, MAX_INCIDENT_TEXT_CHARS)?,
            address: clean(&report.address, MAX_ADDRESS_CHARS)?,
            site: Some(site.code.clone()),
            ..report.clone()
        };
        let incident = IncidentId(self.county.last.incident.0.saturating_add(1));
        self.push_incident(
            incident,
            by.map(|by| &by.id),
            What::Reported {
                report,
                tier: site.tier,
                site: site.code,
            },
        );
        Ok(())
    }

    /// Where the report puts it: a site that the reporter knows, or his own.
    fn site_of(&self, by: Option<&Account>, report: &Report) -> Result<&Site, Refusal> {
        let directory = &self.county.directory;
        let unknown = |code: &str| Refusal::UnknownTarget(code.to_owned());
        match (&report.site, by) {
            (Some(code), _) => {
                let site = directory.site(code).ok_or_else(|| unknown(&code.0))?;
                let known = by.is_none_or(|by| {
                    let sites = self.county.sites_for(&by.id);
                    sites.iter().any(|one| one.code == *code)
                });
                if known {
                    Ok(site)
                } else {
                    Err(unknown(&code.0))
                }
            }
            (None, Some(by)) => directory.site(&by.site).ok_or_else(|| unknown(&by.site.0)),
            // A platform that does not say where: the county looks into it.
            (None, None) => directory.county().ok_or_else(|| unknown("county")),
        }
    }

    /// So that nobody buries the dispatchers under reports.
    fn room_for_a_report(
        &self,
        by: Option<&Account>,
        source: &ReportSource,
    ) -> Result<(), Refusal> {
        let open = || self.county.incidents().filter(|one| one.state.is_open());
        let own = open()
            .filter(|one| one.state == super::IncidentState::Reported)
            .filter(|one| one.reporter.as_ref() == by.map(|by| &by.id))
            .filter(|one| one.report.source.is_same_door(source))
            .count();
        let (what, limit) = match source {
            ReportSource::Account => (
                "unverified reports of one account",
                MAX_OPEN_REPORTS_PER_ACCOUNT,
            ),
            ReportSource::Platform { .. } => (
                "unverified reports of one platform",
                MAX_OPEN_REPORTS_PER_PLATFORM,
            ),
        };
        if own >= limit {
            return Err(Refusal::Full { what, limit });
        }
        if open().count() >= MAX_OPEN_INCIDENTS {
            return Err(Refusal::Full {
                what: "open incidents",
                limit: MAX_OPEN_INCIDENTS,
            });
        }
        Ok(())
    }

    fn step(&mut self, by: &Account, incident: &Incident, step: &Step) -> Result<(), Refusal> {
        if let Some(input) = step.input() {
            incident
                .state
                .after(input)
                .map_err(|NotNow| Refusal::IncidentState(incident.state))?;
        }
        match step {
            Step::Respond { state } => return self.respond(by, incident, *state),
            Step::Note { text } => {
                let text = some_lines(text)?;
                self.push_incident(incident.id, Some(&by.id), What::Noted { text });
                return Ok(());
            }
            Step::Attach { file, text } => {
                return self.attach(Some(&by.id), incident, file, text);
            }
            Step::Verify { .. }
            | Step::MarkDuplicate { .. }
            | Step::MarkFalse { .. }
            | Step::SetLevel { .. }
            | Step::Escalate { .. }
            | Step::Assign { .. }
            | Step::Control { .. }
            | Step::Close { .. }
            | Step::Review { .. } => {}
        }
        if !self.county.handles(by, incident) {
            return Err(Refusal::NotHandling);
        }
        match step {
            Step::Assign { responders, text } => self.assign(by, incident, responders, text),
            Step::Verify { .. }
            | Step::MarkDuplicate { .. }
            | Step::MarkFalse { .. }
            | Step::SetLevel { .. }
            | Step::Escalate { .. }
            | Step::Control { .. }
            | Step::Close { .. }
            | Step::Review { .. }
            | Step::Respond { .. }
            | Step::Note { .. }
            | Step::Attach { .. } => {
                if let Some(what) = self.handled(incident, step)? {
                    self.push_incident(incident.id, Some(&by.id), what);
                }
                Ok(())
            }
        }
    }

    /// What one order of the handling tier makes happen; `None`: it is so already.
    fn handled(&self, incident: &Incident, step: &Step) -> Result<Option<What>, Refusal> {
        Ok(Some(match step {
            Step::Verify { kind, level } => What::Verified {
                kind: *kind,
                level: *level,
            },
            Step::MarkDuplicate { of } => {
                let other = self.known(*of)?;
                if other.id == incident.id || other.duplicate_of.is_some() {
                    return Err(Refusal::Malformed(
                        "a duplicate of itself or of a duplicate",
                    ));
                }
                What::MarkedDuplicate { of: *of }
            }
            Step::MarkFalse { reason } => What::MarkedFalse {
                reason: some(reason)?,
            },
            Step::SetLevel { level, reason } => return levelled(incident, *level, reason),
            Step::Escalate { tier, reason } => return escalated(incident, *tier, reason),
            Step::Control { text } => What::Controlled {
                text: clean_lines(text, MAX_INCIDENT_TEXT_CHARS)?,
            },
            Step::Close { text } => What::Closed {
                text: clean_lines(text, MAX_INCIDENT_TEXT_CHARS)?,
            },
            Step::Review { findings } => What::Reviewed {
                findings: some_lines(findings)?,
            },
            Step::Assign { .. }
            | Step::Respond { .. }
            | Step::Note { .. }
            | Step::Attach { .. } => return Ok(None),
        }))
    }

    /// Sends those who are not on it yet. Everyone must stand below whoever
    /// sends, or be his own site.
    fn assign(
        &mut self,
        by: &Account,
        incident: &Incident,
        responders: &[Callee],
        text: &str,
    ) -> Result<(), Refusal> {
        let text = clean_lines(text, MAX_INCIDENT_TEXT_CHARS)?;
        let mut fresh: Vec<&Callee> = Vec::new();
        for one in responders {
            self.may_send(by, one)?;
            if incident.responder(one).is_none() && !fresh.contains(&one) {
                fresh.push(one);
            }
        }
        if fresh.is_empty() {
            return Err(Refusal::AlreadyThere);
        }
        if incident.responders.len() + fresh.len() > MAX_RESPONDERS {
            return Err(Refusal::Full {
                what: "responders of one incident",
                limit: MAX_RESPONDERS,
            });
        }
        for responder in fresh {
            let what = What::Assigned {
                responder: responder.clone(),
                text: text.clone(),
            };
            self.push_incident(incident.id, Some(&by.id), what);
        }
        Ok(())
    }

    pub(crate) fn may_send(&self, by: &Account, responder: &Callee) -> Result<(), Refusal> {
        let directory = &self.county.directory;
        let unknown = |name: &str| Refusal::UnknownTarget(name.to_owned());
        let (name, own, post) = match responder {
            Callee::Site { code } => {
                let site = directory.site(code).ok_or_else(|| unknown(&code.0))?;
                (&code.0, site.code == by.site, Post::of_site(&site.code))
            }
            Callee::Person { account } => {
                let one = directory
                    .account(account)
                    .filter(|one| one.active)
                    .ok_or_else(|| unknown(&account.0))?;
                (&account.0, one.site == by.site, Post::of_account(one))
            }
        };
        if own || Post::of_account(by).is_above(post, directory) {
            Ok(())
        } else {
            Err(Refusal::NotBelow(name.clone()))
        }
    }

    fn respond(
        &mut self,
        by: &Account,
        incident: &Incident,
        state: ResponderState,
    ) -> Result<(), Refusal> {
        if !incident.state.is_open() {
            return Err(Refusal::IncidentState(incident.state));
        }
        let own = incident.response_of(by).ok_or(Refusal::NotResponding)?;
        let state = own
            .state
            .advance(state)
            .map_err(|NotNow| Refusal::Settled)?;
        let what = What::Responded {
            responder: own.who.clone(),
            state,
        };
        self.push_incident(incident.id, Some(&by.id), what);
        Ok(())
    }

    /// Also to one that is settled: what is found out later belongs to it as well.
    fn attach(
        &mut self,
        by: Option<&AccountId>,
        incident: &Incident,
        file: &FileRef,
        text: &str,
    ) -> Result<(), Refusal> {
        let file = file.cleaned()?;
        let text = clean(text, MAX_REASON_CHARS)?;
        if incident.files.iter().any(|one| one.id == file.id) {
            return Ok(()); // sent again
        }
        if incident.files.len() >= MAX_FILES {
            return Err(Refusal::Full {
                what: "files of one incident",
                limit: MAX_FILES,
            });
        }
        self.push_incident(incident.id, by, What::Attached { file, text });
        Ok(())
    }

    /// That the account may call a conference about.
    pub(crate) fn callable_incident(
        &self,
        by: &Account,
        id: IncidentId,
    ) -> Result<IncidentId, Refusal> {
        let incident = self.known(id)?;
        if !self.county.sees_incident(&by.id, &incident) {
            return Err(Refusal::UnknownIncident(id));
        }
        if !incident.state.is_open() {
            return Err(Refusal::IncidentState(incident.state));
        }
        Ok(id)
    }

    fn known(&self, id: IncidentId) -> Result<Arc<Incident>, Refusal> {
        let known = self.county.incidents.get(&id);
        known.map(Arc::clone).ok_or(Refusal::UnknownIncident(id))
    }

    pub(crate) fn push_incident(&mut self, id: IncidentId, by: Option<&AccountId>, what: What) {
        self.push(Event::Incident {
            event: IncidentEvent {
                incident: id,
                by: by.cloned(),
                at: self.now,
                what,
            },
        });
    }
}

impl Step {
    /// What it does to the state of the whole, if anything.
    fn input(&self) -> Option<IncidentInput> {
        match self {
            Step::Verify { .. } => Some(IncidentInput::Verify),
            Step::MarkDuplicate { .. } => Some(IncidentInput::MarkDuplicate),
            Step::MarkFalse { .. } => Some(IncidentInput::MarkFalse),
            Step::Assign { .. } => Some(IncidentInput::Assign),
            Step::Control { .. } => Some(IncidentInput::Control),
            Step::Close { .. } => Some(IncidentInput::Close),
            Step::Review { .. } => Some(IncidentInput::Review),
            Step::SetLevel { .. }
            | Step::Escalate { .. }
            | Step::Respond { .. }
            | Step::Note { .. }
            | Step::Attach { .. } => None,
        }
    }
}

fn levelled(incident: &Incident, level: Level, reason: &str) -> Result<Option<What>, Refusal> {
    if !incident.state.is_open() {
        return Err(Refusal::IncidentState(incident.state));
    }
    let reason = some(reason)?;
    Ok((incident.level != Some(level)).then_some(What::Levelled { level, reason }))
}

fn escalated(incident: &Incident, tier: Tier, reason: &str) -> Result<Option<What>, Refusal> {
    if !incident.state.is_open() {
        return Err(Refusal::IncidentState(incident.state));
    }
    let reason = some(reason)?;
    // The county sorts first.
    if tier > incident.tier {
        return Err(Refusal::Malformed("an incident is escalated upwards only"));
    }
    Ok((tier < incident.tier).then_some(What::Escalated { tier, reason }))
}

fn some(text: &str) -> Result<String, Refusal> {
    let text = clean(text, MAX_REASON_CHARS)?;
    if text.is_empty() {
        return Err(Refusal::Malformed("a reason is needed"));
    }
    Ok(text)
}

fn some_lines(text: &str) -> Result<String, Refusal> {
    let text = clean_lines(text, MAX_INCIDENT_TEXT_CHARS)?;
    if text.is_empty() {
        return Err(Refusal::Malformed("a text is needed"));
    }
    Ok(text)
}

/// What the server's views read.
impl County {
    /// Those that are open, and the last ones that are not; in order of report.
    pub fn incidents(&self) -> impl Iterator<Item = &Incident> {
        self.incidents.values().map(|incident| &**incident)
    }

    #[must_use]
    pub fn incident(&self, id: IncidentId) -> Option<&Incident> {
        self.incidents.get(&id).map(|incident| &**incident)
    }

    /// The incident that a platform has reported under this number.
    #[must_use]
    pub fn incident_of(&self, source: &ReportSource) -> Option<&Incident> {
        self.incidents()
            .filter(|_| *source != ReportSource::Account)
            .find(|one| one.report.source == *source)
    }

    /// At the site that it belongs to or above it; its reporter; whoever was sent.
    #[must_use]
    pub fn sees_incident(&self, viewer: &AccountId, incident: &Incident) -> bool {
        let Some(account) = self.directory.account(viewer) else {
            return false;
        };
        let concerned = incident.reporter.as_ref() == Some(viewer)
            || incident.responders.iter().any(|one| match &one.who {
                Callee::Person { account: sent } => sent == viewer,
                Callee::Site { code } => *code == account.site,
            });
        let stands_over = account.role != Role::Field
            && (account.site == incident.site
                || self.directory.is_under(&incident.site, &account.site));
        concerned || stands_over
    }

    /// Stands at the handling tier or above, over the incident's site.
    #[must_use]
    pub fn handles(&self, by: &Account, incident: &Incident) -> bool {
        let own_tier = self.directory.site(&by.site).map(|site| site.tier);
        by.role != Role::Field
            && own_tier.is_some_and(|tier| tier <= incident.tier)
            && (by.site == incident.site || self.directory.is_under(&incident.site, &by.site))
    }
}
