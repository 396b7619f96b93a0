//! What stands in a plan.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::directory::{Directory, Role, Tier};
use crate::ids::{AccountId, SiteCode};
use crate::incident::{Incident, IncidentKind, Level};
use crate::limits::{
    MAX_INCIDENT_TEXT_CHARS, MAX_PLAN_SECONDS, MAX_PLAN_STEPS, MAX_PLAN_WHOM, MAX_REPEATS,
    MAX_TITLE_CHARS,
};
use crate::refusal::Refusal;
use crate::text::{clean, clean_lines};

/// One version's text.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlanContent {
    /// 1 to 80 characters.
    pub name: String,
    pub trigger: Trigger,
    /// By time.
    pub steps: Vec<PlanStep>,
    /// The conference is to be recorded.
    pub record: bool,
}

/// For which incidents the plan is meant. What is absent fits everything.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Trigger {
    pub kind: Option<IncidentKind>,
    /// This grave or graver.
    pub level: Option<Level>,
    /// At this site or below it.
    pub area: Option<SiteCode>,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlanStep {
    /// From the start of the plan.
    pub after_s: u32,
    /// Who is rung and sent.
    pub whom: Vec<Whom>,
    /// Who is to stand on the commander's wall, in this order.
    pub show: Vec<Whom>,
    /// What they are told; up to 2,000 characters.
    pub text: String,
    /// By when each must have joined or acknowledged, from the step's begin.
    pub ack_within_s: u32,
    pub on_miss: OnMiss,
}

/// Named, or found from the incident when the plan runs.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Whom {
    Site {
        code: SiteCode,
    },
    Person {
        account: AccountId,
    },
    /// Every site of the tier.
    Tier {
        tier: Tier,
    },
    /// The site and all below it.
    Subtree {
        root: SiteCode,
    },
    /// Every account of the role at the incident's site or below it, in person.
    Role {
        role: Role,
    },
    /// Whoever is on duty there, in person; the site itself where nobody with an
    /// account is. Absent: at the incident's site.
    DutySeat {
        site: Option<SiteCode>,
    },
    IncidentSite,
    /// The incident's site and all below it.
    IncidentSubtree,
    /// The sites above the incident's.
    IncidentSuperiors,
}

/// What follows when somebody is not reached, in this order.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OnMiss {
    /// How often the site's own devices are rung again first.
    pub repeat: u32,
    /// Ring the person on duty, the contacts and the deputy; then try every other channel.
    pub contacts: bool,
    /// Tell the tier above.
    pub above: bool,
}

impl Default for OnMiss {
    fn default() -> Self {
        Self {
            repeat: 0,
            contacts: true,
            above: true,
        }
    }
}

impl PlanStep {
    #[must_use]
    pub fn after(&self) -> Duration {
        Duration::from_secs(self.after_s.into())
    }

    #[must_use]
    pub fn ack_within(&self) -> Duration {
        Duration::from_secs(self.ack_within_s.into())
    }
}

impl Trigger {
    /// How well it fits the incident; `None`: it is not meant for it. The
    /// more exactly a plan says what it is for, the better it fits.
    #[must_use]
    pub fn fits(&self, incident: &Incident, directory: &Directory) -> Option<u32> {
        let kind = match self.kind {
            None => 0,
            Some(kind) if kind == incident.kind => 1,
            Some(_) => return None,
        };
        let level = match (self.level, incident.level) {
            (None, _) => 0,
            (Some(wanted), Some(level)) if level <= wanted => {
                5 - u32::from(wanted as u8 - level as u8)
            }
            (Some(_), Some(_) | None) => return None,
        };
        let area = match &self.area {
            None => 0,
            Some(area) if *area == incident.site || directory.is_under(&incident.site, area) => {
                1 + u32::try_from(directory.superiors(area).len()).unwrap_or(0)
            }
            Some(_) => return None,
        };
        Some(kind * 100 + level * 10 + area)
    }
}

impl PlanContent {
    /// The same with clean texts and its steps in order.
    pub(crate) fn cleaned(&self, directory: &Directory) -> Result<Self, Refusal> {
        let name = clean(&self.name, MAX_TITLE_CHARS)?;
        if name.is_empty() {
            return Err(Refusal::Malformed("a plan needs a name"));
        }
        if self.steps.is_empty() || self.steps.len() > MAX_PLAN_STEPS {
            return Err(Refusal::Malformed("a plan has 1 to 20 steps"));
        }
        let area = self
            .trigger
            .area
            .iter()
            .map(|code| Whom::Site { code: code.clone() });
        for whom in area {
            whom.check(directory)?;
        }
        let mut steps = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            steps.push(step.cleaned(directory)?);
        }
        steps.sort_by_key(|step| step.after_s);
        let first = &steps[0];
        if first.after_s > 0 || first.whom.is_empty() {
            return Err(Refusal::Malformed(
                "a plan's first step rings somebody at once",
            ));
        }
        Ok(Self {
            name,
            steps,
            ..self.clone()
        })
    }
}

impl PlanStep {
    fn cleaned(&self, directory: &Directory) -> Result<Self, Refusal> {
        if self.after_s > MAX_PLAN_SECONDS {
            return Err(Refusal::Malformed("a step later than a day"));
        }
        if self.ack_within_s == 0 || self.ack_within_s > MAX_PLAN_SECONDS {
            return Err(Refusal::Malformed("a step's deadline"));
        }
        if self.on_miss.repeat > MAX_REPEATS {
            return Err(Refusal::Malformed("rung again more than 3 times"));
        }
        if self.whom.len().max(self.show.len()) > MAX_PLAN_WHOM {
            return Err(Refusal::Full {
                what: "entries in one step",
                limit: MAX_PLAN_WHOM,
            });
        }
        for whom in self.whom.iter().chain(&self.show) {
            whom.check(directory)?;
        }
        let text = clean_lines(&self.text, MAX_INCIDENT_TEXT_CHARS)?;
        if self.whom.is_empty() && self.show.is_empty() && text.is_empty() {
            return Err(Refusal::Malformed("a step that does nothing"));
        }
        Ok(Self {
            text,
            ..self.clone()
        })
    }
}

impl Whom {
    /// That what it names is there.
    fn check(&self, directory: &Directory) -> Result<(), Refusal> {
        let site = |code: &SiteCode| match directory.site(code) {
            Some(_) => Ok(()),
            None => Err(Refusal::UnknownTarget(code.0.clone())),
        };
        match self {
            Whom::Site { code }
            | Whom::Subtree { root: code }
            | Whom::DutySeat { site: Some(code) } => site(code),
            Whom::Person { account } => match directory.account(account) {
                Some(_) => Ok(()),
                None => Err(Refusal::UnknownTarget(account.0.clone())),
            },
            Whom::Tier { .. }
            | Whom::Role { .. }
            | Whom::DutySeat { site: None }
            | Whom::IncidentSite
            | Whom::IncidentSubtree
            | Whom::IncidentSuperiors => Ok(()),
        }
    }
}
