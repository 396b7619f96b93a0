//! Whom a call rings: from targets to invitations.

use std::collections::BTreeSet;
use std::time::Duration;

use super::conduct::ParticipantRole;
use crate::authority::{Post, Reach, may_command};
use crate::conference::{Conference, ConferenceKind};
use crate::county::County;
use crate::directory::{Account, Role};
use crate::draft::Draft;
use crate::event::Event;
use crate::ids::{ConferenceId, IncidentId, InvitationId, ParticipantId};
use crate::incident::event::What;
use crate::invitation::{Callee, Invitation, InvitationInput, InvitationState, MissReason};
use crate::limits::{
    MAX_CONFERENCES_PER_ACCOUNT, MAX_INVITATIONS, MAX_PARTICIPANTS, MAX_TARGETS, MAX_TITLE_CHARS,
};
use crate::order::Target;
use crate::participant::LeaveReason;
use crate::refusal::Refusal;
use crate::text::clean;

impl Draft {
    /// Opens a conference with the caller in the chair. A caller who is in
    /// another conference leaves that one, or is held there.
    pub(crate) fn call(
        &mut self,
        by: &Account,
        targets: &[Target],
        title: Option<&str>,
        ordered: bool,
        incident: Option<IncidentId>,
    ) -> Result<(), Refusal> {
        let title = clean(title.unwrap_or_default(), MAX_TITLE_CHARS)?;
        let incident = incident
            .map(|id| self.callable_incident(by, id))
            .transpose()?;
        let callees = self.county.callees(by, targets, ordered, None)?;
        let running = self.all_running();
        let called = running.iter().filter(|one| one.called_by == by.id);
        if called.count() >= MAX_CONFERENCES_PER_ACCOUNT {
            return Err(Refusal::Full {
                what: "running conferences of one account",
                limit: MAX_CONFERENCES_PER_ACCOUNT,
            });
        }
        if callees.len() + 1 > MAX_PARTICIPANTS {
            return Err(full_conference());
        }

        let conference = ConferenceId(self.county.last.conference.0.saturating_add(1));
        self.push(Event::ConferenceCalled {
            conference,
            kind: match incident {
                Some(_) => ConferenceKind::Incident,
                None => kind_of(targets),
            },
            title,
            by: by.id.clone(),
            site: by.site.clone(),
            at: self.now,
            incident,
        });
        if let Some(incident) = incident {
            self.push_incident(incident, Some(&by.id), What::Convened { conference });
        }
        let running = self.running(conference)?;
        // What an emergency's caller is in keeps his place, too.
        self.go_into(by, &running, incident.is_some());
        self.come_in(by, &running, false);
        let wait = self.county.timing.queued;
        for callee in callees {
            self.issue(by, conference, (callee, ordered), 1, None, wait);
        }
        Ok(())
    }

    /// Everybody in the conference may bring in whom the tier rule lets him
    /// order or ask.
    pub(crate) fn invite(
        &mut self,
        by: &Account,
        conference: ConferenceId,
        targets: &[Target],
        ordered: bool,
    ) -> Result<(), Refusal> {
        let running = self.running(conference)?;
        Draft::own_stay(&running, by)?;
        if running.locked && !ordered {
            return Err(Refusal::Locked);
        }
        let callees = self
            .county
            .callees(by, targets, ordered, Some(&running))?
            .into_iter()
            .map(|callee| (callee, ordered))
            .collect();
        self.ring_into(by, &running, callees, None)
    }

    /// Whoever missed the last call or went, but not who was removed or whose
    /// ring was taken back: that was on purpose.
    pub(crate) fn invite_absent(
        &mut self,
        by: &Account,
        conference: ConferenceId,
    ) -> Result<(), Refusal> {
        let running = self.running(conference)?;
        may_command(&running, by, Reach::All, &self.county.directory)?;
        let mut seen = BTreeSet::new();
        let mut callees = Vec::new();
        for callee in running.invitations().map(|one| &one.callee) {
            let Some(last) = running.last_invitation(callee) else {
                continue;
            };
            if seen.insert(callee)
                && is_absent(&running, last)
                && !self.county.is_there(&running, callee)
                && !self.county.answering(callee).is_empty()
            {
                // Who orders now need not stand above everybody whom another ordered.
                let ordered = last.ordered && self.county.is_below(by, callee);
                if ordered || !running.locked {
                    callees.push((callee.clone(), ordered));
                }
            }
        }
        if callees.is_empty() {
            return Err(Refusal::NobodyToRing);
        }
        self.ring_into(by, &running, callees, None)
    }

    pub(crate) fn cancel_invitation(
        &mut self,
        by: &Account,
        invitation: InvitationId,
    ) -> Result<(), Refusal> {
        let one = self.known_invitation(invitation)?;
        let running = self.running(one.conference)?;
        Draft::own_stay(&running, by)?;
        if one.by != by.id && !self.county.is_below(by, &one.callee) {
            may_command(&running, by, Reach::All, &self.county.directory)?;
        }
        one.after(InvitationInput::Cancel)
            .map_err(|_| Refusal::Settled)?;
        self.push(Event::InvitationMissed {
            conference: one.conference,
            invitation,
            reason: MissReason::Cancelled,
            by: Some(by.id.clone()),
            at: self.now,
        });
        Ok(())
    }

    /// A known invitation as it is now.
    pub(crate) fn known_invitation(&self, id: InvitationId) -> Result<Invitation, Refusal> {
        match self.county.invitation(id) {
            Some(one) => Ok(one.clone()),
            // Of a conference that is over for so long that it is forgotten.
            None if id.0 > 0 && id <= self.county.last.invitation => Err(Refusal::Settled),
            None => Err(Refusal::UnknownInvitation(id)),
        }
    }

    /// The account comes into the conference, its media to be connected.
    pub(crate) fn come_in(
        &mut self,
        account: &Account,
        conference: &Conference,
        muted: bool,
    ) -> ParticipantId {
        let role = ParticipantRole::of_newcomer(conference.mode);
        self.come_in_as(account, conference.id, muted, role)
    }

    pub(crate) fn come_in_as(
        &mut self,
        account: &Account,
        conference: ConferenceId,
        muted: bool,
        role: ParticipantRole,
    ) -> ParticipantId {
        let participant = ParticipantId(self.county.last.participant.0.saturating_add(1));
        self.push(Event::ParticipantJoining {
            conference,
            participant,
            account: account.id.clone(),
            site: account.site.clone(),
            muted,
            at: self.now,
            deadline: self.now.after(self.county.timing.join),
            role,
        });
        participant
    }

    pub(crate) fn ring_into(
        &mut self,
        by: &Account,
        running: &Conference,
        callees: Vec<(Callee, bool)>,
        forced: Option<&str>,
    ) -> Result<(), Refusal> {
        let wait = self.county.timing.queued;
        self.ring_into_for(by, running, callees, forced, wait)
    }

    /// `wait`: for a device, where none is there.
    pub(crate) fn ring_into_for(
        &mut self,
        by: &Account,
        running: &Conference,
        callees: Vec<(Callee, bool)>,
        forced: Option<&str>,
        wait: Duration,
    ) -> Result<(), Refusal> {
        let there = running.there().count() + running.pending().count();
        if there + callees.len() > MAX_PARTICIPANTS {
            return Err(full_conference());
        }
        if running.invitations().count() + callees.len() > MAX_INVITATIONS {
            return Err(Refusal::Full {
                what: "invitations in one conference",
                limit: MAX_INVITATIONS,
            });
        }
        let third = callees
            .iter()
            .any(|(callee, _)| running.last_invitation(callee).is_none());
        if third && running.kind == ConferenceKind::PointToPoint {
            self.push(Event::ConferenceWidened {
                conference: running.id,
            });
        }
        for (callee, ordered) in callees {
            let attempt = running
                .last_invitation(&callee)
                .map_or(1, |last| last.attempt.saturating_add(1));
            self.issue(by, running.id, (callee, ordered), attempt, forced, wait);
        }
        Ok(())
    }

    /// Settling makes it ring where a device is there.
    fn issue(
        &mut self,
        by: &Account,
        conference: ConferenceId,
        (callee, ordered): (Callee, bool),
        attempt: u32,
        forced: Option<&str>,
        wait: Duration,
    ) {
        let invitation = InvitationId(self.county.last.invitation.0.saturating_add(1));
        self.push(Event::InvitationIssued {
            conference,
            invitation,
            callee,
            by: by.id.clone(),
            ordered,
            attempt,
            at: self.now,
            deadline: self.now.after(wait),
            forced: forced.map(str::to_owned),
        });
    }
}

impl County {
    /// The callees of a call by `by`: each once, in the order of the targets,
    /// without the caller and without whoever is there already.
    pub(crate) fn callees(
        &self,
        by: &Account,
        targets: &[Target],
        ordered: bool,
        conference: Option<&Conference>,
    ) -> Result<Vec<Callee>, Refusal> {
        if targets.len() > MAX_TARGETS {
            return Err(Refusal::Full {
                what: "targets in one order",
                limit: MAX_TARGETS,
            });
        }
        let mut seen = BTreeSet::new();
        let mut callees = Vec::new();
        let mut there = false;
        for target in targets {
            let named = matches!(target, Target::Site { .. } | Target::Person { .. });
            for callee in self.callees_of(by, target, ordered)? {
                if conference.is_some_and(|one| self.is_there(one, &callee)) {
                    // A tier or a subtree leaves out who is there; that is no mistake.
                    there |= named;
                } else if seen.insert(callee.clone()) {
                    callees.push(callee);
                }
            }
        }
        if !callees.is_empty() {
            Ok(callees)
        } else if there {
            Err(Refusal::AlreadyThere)
        } else {
            Err(Refusal::NobodyToRing)
        }
    }

    fn callees_of(
        &self,
        by: &Account,
        target: &Target,
        ordered: bool,
    ) -> Result<Vec<Callee>, Refusal> {
        match target {
            Target::Site { code } => {
                // As if it did not exist: the refusal must not tell what the
                // caller's directory does not.
                let site = self.directory.site(code);
                if !site.is_some_and(|site| self.knows_site(&by.id, site)) {
                    return Err(Refusal::UnknownTarget(code.0.clone()));
                }
                self.named(by, Callee::Site { code: code.clone() }, ordered)
            }
            Target::Person { account } => {
                let person = self.directory.account(account);
                if !person.is_some_and(|one| self.knows_person(&by.id, one)) {
                    return Err(Refusal::UnknownTarget(account.0.clone()));
                }
                let callee = Callee::Person {
                    account: account.clone(),
                };
                self.named(by, callee, ordered)
            }
            Target::Tier { tier } => {
                let own = self.directory.site(&by.site).map(|site| site.tier);
                if by.role == Role::Field || own.is_none_or(|own| *tier <= own) {
                    return Err(Refusal::NotBelow(format!("tier {tier:?}")));
                }
                let sites = self.directory.subtree(&by.site);
                Ok(sites
                    .into_iter()
                    .filter(|site| site.tier == *tier)
                    .map(|site| Callee::Site {
                        code: site.code.clone(),
                    })
                    .collect())
            }
            Target::Subtree { root } => {
                let site = self.directory.site(root);
                if !site.is_some_and(|site| self.knows_site(&by.id, site)) {
                    return Err(Refusal::UnknownTarget(root.0.clone()));
                }
                let own = *root == by.site || self.directory.is_under(root, &by.site);
                if by.role == Role::Field || !own {
                    return Err(Refusal::NotBelow(format!("the subtree of {root}")));
                }
                let sites = self.directory.subtree(root);
                Ok(sites
                    .into_iter()
                    .filter(|site| site.code != by.site)
                    .map(|site| Callee::Site {
                        code: site.code.clone(),
                    })
                    .collect())
            }
        }
    }

    /// A site or person called by name. Nobody rings himself; a field unit
    /// may well call the centre that it belongs to.
    fn named(&self, by: &Account, callee: Callee, ordered: bool) -> Result<Vec<Callee>, Refusal> {
        if ordered && !self.is_below(by, &callee) {
            return Err(Refusal::NotBelow(self.callee_name(&callee).to_owned()));
        }
        let himself = match &callee {
            Callee::Site { code } => *code == by.site && by.role.answers_for_site(),
            Callee::Person { account } => *account == by.id,
        };
        Ok(if himself { Vec::new() } else { vec![callee] })
    }

    /// The callee stands below the account.
    pub(crate) fn is_below(&self, by: &Account, callee: &Callee) -> bool {
        let by = Post::of_account(by);
        match callee {
            Callee::Site { code } => by.is_above(Post::of_site(code), &self.directory),
            Callee::Person { account } => self
                .directory
                .account(account)
                .is_some_and(|one| by.is_above(Post::of_account(one), &self.directory)),
        }
    }

    /// Present in the conference, or being called into it.
    pub(crate) fn is_there(&self, conference: &Conference, callee: &Callee) -> bool {
        let rings = conference.pending().any(|one| one.callee == *callee);
        rings || self.has_place(conference, callee)
    }

    /// Somebody who answers for the callee is present, or its place is kept.
    pub(crate) fn has_place(&self, conference: &Conference, callee: &Callee) -> bool {
        let answering = self.answering(callee);
        conference
            .there()
            .any(|one| answering.contains(&&one.account))
    }

    /// Somebody who answers for the callee is present in the conference.
    pub(crate) fn is_present(&self, conference: &Conference, callee: &Callee) -> bool {
        let answering = self.answering(callee);
        conference
            .present()
            .any(|one| answering.contains(&&one.account))
    }
}

fn kind_of(targets: &[Target]) -> ConferenceKind {
    match targets {
        [Target::Site { .. } | Target::Person { .. }] => ConferenceKind::PointToPoint,
        _ => ConferenceKind::AdHoc,
    }
}

fn full_conference() -> Refusal {
    Refusal::Full {
        what: "participants in one conference",
        limit: MAX_PARTICIPANTS,
    }
}

fn is_absent(conference: &Conference, last: &Invitation) -> bool {
    match last.state {
        InvitationState::Declined
        | InvitationState::Busy
        | InvitationState::NoAnswer
        | InvitationState::Unreachable => true,
        InvitationState::Queued
        | InvitationState::Ringing
        | InvitationState::Accepted
        | InvitationState::Cancelled => false,
        InvitationState::Joined => last
            .participant
            .and_then(|id| conference.participant(id))
            .and_then(|one| one.left)
            .is_some_and(|reason| match reason {
                LeaveReason::Left
                | LeaveReason::Moved
                | LeaveReason::MediaFailed
                | LeaveReason::DeviceLost => true,
                LeaveReason::Removed | LeaveReason::ConferenceEnded | LeaveReason::Deactivated => {
                    false
                }
            }),
    }
}
