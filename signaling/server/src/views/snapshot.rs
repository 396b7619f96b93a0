//! Everything one client may know, at one moment.

use std::collections::BTreeSet;

use liandong_domain::{
    AccountId, Callee, Conference, ConferenceState, County, Invitation, ParticipantId, SiteCode,
};
use liandong_protocol::http::Me;
use liandong_protocol::server::Ring;
use liandong_protocol::{Directory, DirectoryPerson, DirectorySite, Place, Snapshot};

use super::{conduct, incidents, pursuits, wire};
use crate::config::IceServer;

/// How long a terminal that answers by itself counts down at most, in a call about an incident.
const INCIDENT_COUNTDOWN_MS: u32 = 1_000;

/// What the rules do not know of a county.
#[derive(Clone, Debug)]
pub struct Setting {
    pub county_name: String,
    /// Sites whose terminals always ring.
    pub never_auto_answer: BTreeSet<SiteCode>,
    pub auto_answer_ms: u32,
    pub ice_servers: Vec<IceServer>,
}

/// How one client answers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Answering {
    /// By itself, when ordered from above.
    pub automatic: bool,
}

/// Who the account is; absent when it is unknown or inactive.
#[must_use]
pub fn me(county: &County, setting: &Setting, account: &AccountId) -> Option<Me> {
    let account = county.directory().account(account).filter(|a| a.active)?;
    let site = county.directory().site(&account.site)?;
    Some(Me {
        account: wire::account_id(&account.id),
        name: account.name.clone(),
        role: wire::role(account.role),
        site: wire::site_code(&site.code),
        site_name: site.name.clone(),
        tier: wire::tier(site.tier),
        county_name: setting.county_name.clone(),
    })
}

/// Parents before children, by code.
#[must_use]
pub fn directory(county: &County, viewer: &AccountId) -> Directory {
    let sites = county.sites_for(viewer).into_iter().map(|site| {
        let sees = county.sees_presence(viewer, &site.code);
        DirectorySite {
            code: wire::site_code(&site.code),
            name: site.name.clone(),
            tier: wire::tier(site.tier),
            parent: site.parent.as_ref().map(wire::site_code),
            place: Place {
                longitude: site.place.longitude(),
                latitude: site.place.latitude(),
            },
            presence: sees.then(|| wire::presence(county.presence().of_site(&site.code))),
            commanded: county.may_order(viewer, &site.code),
        }
    });
    let people = county
        .people_for(viewer)
        .into_iter()
        .map(|person| DirectoryPerson {
            account: wire::account_id(&person.id),
            name: person.name.clone(),
            role: wire::role(person.role),
            site: wire::site_code(&person.site),
            presence: wire::presence(county.presence().of_account(&person.id)),
        });
    Directory {
        sites: sites.collect(),
        people: people.collect(),
    }
}

/// Conferences that go on and that the account may see.
pub fn conferences<'a>(
    county: &'a County,
    viewer: &'a AccountId,
) -> impl Iterator<Item = &'a Conference> {
    county
        .conferences()
        .filter(|one| one.state != ConferenceState::Ended)
        .filter(|one| county.sees_conference(viewer, one))
}

/// The ring as a device sees it; absent when its conference is gone.
#[must_use]
pub fn ring(
    county: &County,
    setting: &Setting,
    invitation: &Invitation,
    answering: Answering,
) -> Option<Ring> {
    let conference = county.conference(invitation.conference)?;
    let directory = county.directory();
    let from = directory.account(&invitation.by)?;
    let site = match &invitation.callee {
        Callee::Site { code } => code,
        Callee::Person { account } => &directory.account(account)?.site,
    };
    let automatic =
        invitation.ordered && answering.automatic && !setting.never_auto_answer.contains(site);
    // Minutes count: an unattended terminal does not keep an incident waiting.
    let countdown_ms = match conference.incident {
        Some(_) => setting.auto_answer_ms.min(INCIDENT_COUNTDOWN_MS),
        None => setting.auto_answer_ms,
    };
    Some(Ring {
        invitation: wire::invitation_id(invitation.id),
        conference: wire::conference_id(invitation.conference),
        title: conference.title.clone(),
        from: wire::account_id(&from.id),
        from_name: from.name.clone(),
        from_site: wire::site_code(&from.site),
        from_site_name: directory
            .site(&from.site)
            .map(|site| site.name.clone())
            .unwrap_or_default(),
        // Whoever is brought in by force has no countdown.
        auto_answer_in_ms: automatic.then_some(match invitation.forced {
            Some(_) => 0,
            None => countdown_ms,
        }),
        forced: invitation.forced.clone(),
        deadline_ms: wire::ms(invitation.deadline),
    })
}

/// The whole. `stay`: the participant whose media belongs to this client.
#[must_use]
pub fn snapshot(
    county: &County,
    setting: &Setting,
    viewer: &AccountId,
    answering: Answering,
    stay: Option<ParticipantId>,
) -> Snapshot {
    let mut snapshot = Snapshot {
        directory: directory(county, viewer),
        conferences: Vec::new(),
        invitations: Vec::new(),
        participants: Vec::new(),
        incidents: incidents::all(county, viewer),
        pursuits: pursuits::all(county, viewer),
        rings: county
            .rings_of(viewer)
            .into_iter()
            .filter_map(|invitation| ring(county, setting, invitation, answering))
            .collect(),
        doors: conduct::doors(county, viewer),
        own_participant: stay.map(wire::participant_id),
    };
    for one in conferences(county, viewer) {
        snapshot.conferences.push(wire::conference(county, one));
        snapshot
            .invitations
            .extend(one.invitations().map(|i| wire::invitation(county, i)));
        snapshot.participants.extend(
            one.participants()
                .map(|p| wire::participant(county, setting, one, p)),
        );
    }
    snapshot
}
