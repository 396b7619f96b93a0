//! Whom a plan reaches, found from the directory, the roster and the incident;
//! and the dry run, which says it without doing anything.

use std::collections::BTreeSet;

use super::content::{PlanContent, PlanStep, Whom};
use crate::conference::conduct::priority::{Priority, Pull};
use crate::county::County;
use crate::directory::{Account, Presence, Role, Site};
use crate::duty::Contact;
use crate::ids::SiteCode;
use crate::invitation::Callee;

/// What a plan would do now.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rehearsal {
    pub steps: Vec<RehearsedStep>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RehearsedStep {
    pub rings: Vec<RehearsedRing>,
    pub show: Vec<Callee>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RehearsedRing {
    pub callee: Callee,
    /// An order; otherwise asked.
    pub ordered: bool,
    pub via: Via,
    /// Who is tried when nobody answers, in this order.
    pub contacts: Vec<Contact>,
}

/// How a callee would be reached at this moment.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Via {
    /// A device is there and rings.
    Devices,
    /// Rings, and is taken out of another call if it answers.
    TakenOut,
    /// In another call, and may only be asked.
    Busy,
    /// No device is there; somebody else can be tried.
    Contacts,
    /// Nobody can be tried at all.
    Nobody,
}

impl County {
    /// What the content would do for an incident at the site, run by the account now.
    #[must_use]
    pub fn rehearse(&self, by: &Account, at: &SiteCode, content: &PlanContent) -> Rehearsal {
        let steps = content.steps.iter();
        Rehearsal {
            steps: steps.map(|step| self.rehearse_step(by, at, step)).collect(),
        }
    }

    /// How many the plan's first step would ring, counted without looking at their devices.
    #[must_use]
    pub fn rings_at_once(&self, by: &Account, at: &SiteCode, content: &PlanContent) -> usize {
        let first = content.steps.first();
        first.map_or(0, |step| self.planned_rings(by, at, &step.whom).len())
    }

    fn rehearse_step(&self, by: &Account, at: &SiteCode, step: &PlanStep) -> RehearsedStep {
        let rings = self.planned_rings(by, at, &step.whom).into_iter();
        RehearsedStep {
            rings: rings
                .map(|(callee, ordered)| {
                    let contacts = self.contacts_of(&callee);
                    RehearsedRing {
                        via: self.via(&callee, ordered, &contacts),
                        ordered,
                        contacts,
                        callee,
                    }
                })
                .collect(),
            show: self.planned(at, &step.show),
        }
    }

    fn via(&self, callee: &Callee, ordered: bool, contacts: &[Contact]) -> Via {
        // In the order of what is better.
        let mut devices = None;
        for account in self.answering(callee) {
            let online = self.presence.of_account(account) != Presence::Offline;
            let via = match self.pull_into(account, Priority::Incident, ordered) {
                None if online => Via::Devices,
                Some(Pull::Hold | Pull::Leave) if online => Via::TakenOut,
                Some(Pull::Busy) => Via::Busy,
                None | Some(Pull::Hold | Pull::Leave) => continue,
            };
            devices = Some(devices.map_or(via, |before| via.min(before)));
        }
        if let Some(via) = devices {
            via
        } else if contacts
            .iter()
            .any(|one| one.account.is_some() || one.phone.is_some())
        {
            Via::Contacts
        } else {
            Via::Nobody
        }
    }

    /// Whom to ring for a callee who does not answer.
    #[must_use]
    pub fn contacts_of(&self, callee: &Callee) -> Vec<Contact> {
        // Who has left is not rung by his account; his telephone may be another's now.
        let active = |contact: &Contact| Contact {
            account: contact.account.clone().filter(|id| {
                let known = self.directory.account(id);
                known.is_some_and(|one| one.active)
            }),
            ..contact.clone()
        };
        match callee {
            Callee::Site { code } => self.duty.to_ring(code).into_iter().map(active).collect(),
            Callee::Person { account } => {
                let own = self.directory.account(account);
                let site = own
                    .map(|one| self.duty.to_ring(&one.site))
                    .unwrap_or_default();
                // The same person, where the roster knows a telephone.
                let same = site
                    .into_iter()
                    .filter(|one| one.account.as_ref() == Some(account));
                same.cloned().collect()
            }
        }
    }

    /// Whom `by` rings, and whether as an order: each once, without himself and
    /// without whom he may not even ask.
    pub(crate) fn planned_rings(
        &self,
        by: &Account,
        at: &SiteCode,
        whom: &[Whom],
    ) -> Vec<(Callee, bool)> {
        self.planned(at, whom)
            .into_iter()
            .filter_map(|callee| {
                let (himself, known) = match &callee {
                    Callee::Site { code } => (
                        *code == by.site && by.role.answers_for_site(),
                        self.directory
                            .site(code)
                            .is_some_and(|one| self.knows_site(&by.id, one)),
                    ),
                    Callee::Person { account } => (
                        *account == by.id,
                        self.directory
                            .account(account)
                            .is_some_and(|one| self.knows_person(&by.id, one)),
                    ),
                };
                let ordered = self.is_below(by, &callee);
                (!himself && known).then_some((callee, ordered))
            })
            .collect()
    }

    /// Everybody that the list means for an incident at the site, each once.
    pub(crate) fn planned(&self, at: &SiteCode, whom: &[Whom]) -> Vec<Callee> {
        let mut seen = BTreeSet::new();
        let all = whom.iter().flat_map(|one| self.meant(at, one));
        all.filter(|callee| seen.insert(callee.clone())).collect()
    }

    fn meant(&self, at: &SiteCode, whom: &Whom) -> Vec<Callee> {
        let directory = &self.directory;
        match whom {
            Whom::Site { code } => sites(directory.site(code)),
            Whom::Person { account } => {
                let one = directory.account(account).filter(|one| one.active);
                people(one)
            }
            Whom::Tier { tier } => sites(directory.sites().filter(|site| site.tier == *tier)),
            Whom::Subtree { root } => sites(directory.subtree(root)),
            Whom::Role { role } => self.of_role(at, *role),
            Whom::DutySeat { site } => self.seat(site.as_ref().unwrap_or(at)),
            Whom::IncidentSite => sites(directory.site(at)),
            Whom::IncidentSubtree => sites(directory.subtree(at)),
            Whom::IncidentSuperiors => sites(directory.superiors(at)),
        }
    }

    fn of_role(&self, at: &SiteCode, role: Role) -> Vec<Callee> {
        let here = self.directory.subtree(at).into_iter();
        let accounts = here.flat_map(|site| self.directory.accounts_at(&site.code));
        people(accounts.filter(|one| one.role == role))
    }

    fn seat(&self, site: &SiteCode) -> Vec<Callee> {
        let on_duty = self.duty.on_duty(site).into_iter();
        let accounts = on_duty.filter_map(|shift| shift.person.account.as_ref());
        let known = accounts.filter_map(|id| self.directory.account(id));
        let found = people(known.filter(|one| one.active));
        if found.is_empty() {
            sites(self.directory.site(site))
        } else {
            found
        }
    }
}

fn sites<'a>(found: impl IntoIterator<Item = &'a Site>) -> Vec<Callee> {
    let callee = |site: &Site| Callee::Site {
        code: site.code.clone(),
    };
    found.into_iter().map(callee).collect()
}

fn people<'a>(found: impl IntoIterator<Item = &'a Account>) -> Vec<Callee> {
    let callee = |account: &Account| Callee::Person {
        account: account.id.clone(),
    };
    found.into_iter().map(callee).collect()
}
