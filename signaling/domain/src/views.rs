//! What can be read from the state, for the server's views and for decisions.

use std::collections::BTreeSet;

use crate::authority::{Post, may_give_link, role_may};
use crate::conference::Conference;
use crate::conference::conduct::priority::Pull;
use crate::county::County;
use crate::directory::{Account, Directory, Presence, Role, Site};
use crate::ids::{AccountId, ConferenceId, InvitationId, ParticipantId, SiteCode};
use crate::invitation::{Callee, Invitation, InvitationState};
use crate::order::OrderKind;
use crate::participant::Participant;
use crate::presence::PresenceBoard;
use crate::refusal::Refusal;

/// What the server's views read.
impl County {
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    #[must_use]
    pub fn presence(&self) -> &PresenceBoard {
        &self.presence
    }

    /// Running ones and the last few that ended, in order of creation.
    pub fn conferences(&self) -> impl Iterator<Item = &Conference> {
        self.conferences.values().map(|conference| &**conference)
    }

    #[must_use]
    pub fn conference(&self, id: ConferenceId) -> Option<&Conference> {
        self.conferences.get(&id).map(|conference| &**conference)
    }

    #[must_use]
    pub fn invitation(&self, id: InvitationId) -> Option<&Invitation> {
        self.conferences().find_map(|one| one.invitations.get(&id))
    }

    #[must_use]
    pub fn participant(&self, id: ParticipantId) -> Option<&Participant> {
        self.conferences().find_map(|one| one.participants.get(&id))
    }

    /// Whether the one may give a one-time link to the other.
    ///
    /// # Errors
    /// `NotAllowed`, or there is no such account.
    pub fn may_give_link(&self, by_id: &AccountId, to_id: &AccountId) -> Result<(), Refusal> {
        let by = self.directory.account(by_id);
        let by = by.ok_or_else(|| Refusal::NoAccount(by_id.clone()))?;
        let to = self.directory.account(to_id);
        let to = to.ok_or_else(|| Refusal::UnknownTarget(to_id.0.clone()))?;
        if may_give_link(by, to, &self.directory) {
            Ok(())
        } else {
            Err(Refusal::NoLink)
        }
    }

    /// The account's stay in the one conference where it is present.
    #[must_use]
    pub fn stay_of(&self, account: &AccountId) -> Option<&Participant> {
        self.conferences()
            .flat_map(Conference::present)
            .find(|one| one.account == *account)
    }

    /// The accounts whose devices the invitation rings now (all connected
    /// devices of each); empty unless it is `Ringing`.
    #[must_use]
    pub fn rung_by(&self, invitation: &Invitation) -> Vec<&AccountId> {
        if invitation.state == InvitationState::Ringing {
            self.conference(invitation.conference)
                .map(|conference| self.reachable(conference, invitation))
                .unwrap_or_default()
        } else {
            Vec::new()
        }
    }

    /// The invitations that ring at this account now, in order of issue.
    #[must_use]
    pub fn rings_of(&self, account: &AccountId) -> Vec<&Invitation> {
        self.conferences()
            .flat_map(Conference::invitations)
            .filter(|one| self.rung_by(one).contains(&account))
            .collect()
    }

    /// The tier rule and the role together: true where `by` may order (call
    /// with auto-answer, remove, mute); elsewhere it may only ask.
    #[must_use]
    pub fn may_order(&self, by: &AccountId, site: &SiteCode) -> bool {
        self.directory.account(by).is_some_and(|account| {
            account.active
                && role_may(account.role, OrderKind::Call)
                && Post::of_account(account).is_above(Post::of_site(site), &self.directory)
        })
    }

    /// An account's presence is seen from its own site and from above; a
    /// site's presence likewise. Field units see no further than their own site.
    #[must_use]
    pub fn sees_presence(&self, viewer: &AccountId, site: &SiteCode) -> bool {
        self.directory.account(viewer).is_some_and(|account| {
            account.site == *site
                || (account.role != Role::Field && self.directory.is_under(site, &account.site))
        })
    }

    /// The sites that an account knows by name: its subtree, its superiors,
    /// and the sites under the same parent. Parents before children, by code.
    #[must_use]
    pub fn sites_for(&self, viewer: &AccountId) -> Vec<&Site> {
        self.directory
            .county()
            .map(|county| self.directory.subtree(&county.code))
            .unwrap_or_default()
            .into_iter()
            .filter(|site| self.knows_site(viewer, site))
            .collect()
    }

    /// One of [`County::sites_for`].
    pub(crate) fn knows_site(&self, viewer: &AccountId, site: &Site) -> bool {
        let Some(account) = self.directory.account(viewer) else {
            return false;
        };
        let own = &account.site;
        let parent = |code| {
            self.directory
                .site(code)
                .and_then(|one| one.parent.as_ref())
        };
        site.code == *own
            || self.directory.is_under(&site.code, own)
            || self.directory.is_under(own, &site.code)
            || (site.parent.is_some() && site.parent.as_ref() == parent(own))
    }

    /// A field unit of [`County::people_for`], or somebody behind the devices of a
    /// site that the viewer knows.
    pub(crate) fn knows_person(&self, viewer: &AccountId, one: &Account) -> bool {
        let seen = match one.role {
            Role::Field => self.sees_presence(viewer, &one.site),
            Role::Commander
            | Role::Dispatcher
            | Role::Township
            | Role::Community
            | Role::Administrator
            | Role::Supervisor => self
                .directory
                .site(&one.site)
                .is_some_and(|site| self.knows_site(viewer, site)),
        };
        one.active && seen
    }

    /// The people who are called in person (field units) and whom the account
    /// may see the presence of. By login name.
    #[must_use]
    pub fn people_for(&self, viewer: &AccountId) -> Vec<&Account> {
        self.directory
            .accounts()
            .filter(|one| one.role == Role::Field && self.knows_person(viewer, one))
            .collect()
    }

    /// A conference is seen by those it involves and by those who oversee it.
    #[must_use]
    pub fn sees_conference(&self, viewer: &AccountId, conference: &Conference) -> bool {
        self.involved_in(conference).contains(viewer) || self.oversees(viewer, conference)
    }

    /// Whoever is in it, and whoever is rung into it; its caller as long as he is in it.
    #[must_use]
    pub fn involved_in<'a>(&'a self, conference: &'a Conference) -> BTreeSet<&'a AccountId> {
        let rung = conference.invitations().flat_map(|one| self.rung_by(one));
        let there = conference.there().map(|one| &one.account);
        there.chain(rung).collect()
    }

    /// Those whose subtree it was called from.
    #[must_use]
    pub fn oversees(&self, viewer: &AccountId, conference: &Conference) -> bool {
        self.directory
            .account(viewer)
            .is_some_and(|account| account.role != Role::Field)
            && self.sees_presence(viewer, &conference.called_by_site)
    }

    /// Whom a viewer sees who wishes nothing: who is laid out for all, the chair, then
    /// in order of joining.
    #[must_use]
    pub fn usual_wish(&self, conference: &Conference, viewer: ParticipantId) -> Vec<ParticipantId> {
        let laid_out = conference.shown.iter().filter_map(|callee| {
            let answering = self.answering(callee);
            let mut present = conference.present();
            let found = present.find(|one| answering.contains(&&one.account));
            found.map(|one| one.id)
        });
        let chair = conference.chair.into_iter();
        let others = conference.present().map(|one| one.id);
        let mut wish = Vec::new();
        for one in laid_out.chain(chair).chain(others) {
            if one != viewer && !wish.contains(&one) {
                wish.push(one);
            }
        }
        wish
    }

    /// A callee's name for display.
    #[must_use]
    pub fn callee_name(&self, callee: &Callee) -> &str {
        let name = match callee {
            Callee::Site { code } => self.directory.site(code).map(|site| site.name.as_str()),
            Callee::Person { account } => {
                self.directory.account(account).map(|one| one.name.as_str())
            }
        };
        name.unwrap_or_default()
    }

    /// An account's own name for display; its login if it is unknown.
    #[must_use]
    pub fn account_name(&self, account: &AccountId) -> String {
        let known = self.directory.account(account);
        known.map_or_else(|| account.0.clone(), |one| one.name.clone())
    }

    /// A participant's name for display: the person's for a field unit, else the site's.
    #[must_use]
    pub fn participant_name(&self, participant: &Participant) -> &str {
        match self.directory.account(&participant.account) {
            Some(account) if account.role == Role::Field => &account.name,
            _ => self
                .directory
                .site(&participant.site)
                .map(|site| site.name.as_str())
                .unwrap_or_default(),
        }
    }

    /// The accounts that can be rung by an invitation now: their devices are there,
    /// and they are in no conference, or in one that this call takes them out of.
    pub(crate) fn reachable(
        &self,
        conference: &Conference,
        invitation: &Invitation,
    ) -> Vec<&AccountId> {
        self.within_reach(conference, &invitation.callee, invitation.ordered)
    }

    /// The same for a callee who is not invited yet.
    pub(crate) fn within_reach(
        &self,
        conference: &Conference,
        callee: &Callee,
        ordered: bool,
    ) -> Vec<&AccountId> {
        self.answering(callee)
            .into_iter()
            .filter(|account| self.presence.of_account(account) != Presence::Offline)
            .filter(|account| match self.pull(account, conference, ordered) {
                None | Some(Pull::Hold | Pull::Leave) => true,
                Some(Pull::Busy) => false,
            })
            .collect()
    }

    /// The active accounts that may answer for a callee.
    pub(crate) fn answering(&self, callee: &Callee) -> Vec<&AccountId> {
        match callee {
            Callee::Site { code } => self
                .directory
                .accounts_at(code)
                .filter(|account| account.role.answers_for_site())
                .map(|account| &account.id)
                .collect(),
            Callee::Person { account } => self
                .directory
                .account(account)
                .filter(|account| account.active)
                .map(|account| &account.id)
                .into_iter()
                .collect(),
        }
    }
}
