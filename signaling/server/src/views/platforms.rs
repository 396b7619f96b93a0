//! What other platforms send and are told, to and from the domain.

use std::collections::BTreeSet;

use domain::incident::event::What;
use domain::incident::{Report, ReportSource};
use liandong_domain as domain;
use liandong_protocol::platform::{
    PlatformIncident, PlatformIncidents, PlatformReport, PlatformSite, ProblemCode,
};
use liandong_protocol::{Place, SiteCode};
use time::OffsetDateTime;
use time::macros::format_description;

use super::incidents;
use super::wire::{site_code, tier};
use crate::config::Platform;
use crate::http::problem::Trouble;

const MAX_REFERENCE: usize = 64;

/// # Errors
/// 422: the reference is out of its form.
pub fn report(platform: &Platform, report: PlatformReport) -> Result<Report, Trouble> {
    check_reference(&report.reference)
        .map_err(|detail| Trouble::new(ProblemCode::Invalid, detail))?;
    let site = report.site.unwrap_or_else(|| platform.site.clone());
    Ok(Report {
        kind: incidents::kind_of(report.kind),
        level: report.level.map(incidents::level_of),
        title: report.title,
        // Tabs and old line ends come from many a form; the rules take neither.
        text: report
            .text
            .replace("\r\n", "\n")
            .replace('\r', "\n")
            .replace('\t', " "),
        place: report
            .place
            .map(|place| domain::Place::from_degrees(place.longitude, place.latitude)),
        address: report.address,
        site: Some(domain::SiteCode(site.0)),
        source: ReportSource::Platform {
            name: platform.name.clone(),
            reference: report.reference,
        },
    })
}

/// # Errors
/// What is wrong with it.
pub fn check_reference(reference: &str) -> Result<(), &'static str> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"._:/#-".contains(&b);
    if (1..=MAX_REFERENCE).contains(&reference.len()) && reference.bytes().all(fits) {
        Ok(())
    } else {
        Err("reference: 1 to 64 letters, digits and ._:/#-")
    }
}

/// Reported by the platform of this name.
#[must_use]
pub fn is_of(one: &domain::Incident, platform: &str) -> bool {
    match &one.report.source {
        ReportSource::Platform { name, .. } => name == platform,
        ReportSource::Account => false,
    }
}

/// `None`: no platform has reported it.
#[must_use]
pub fn incident(county: &domain::County, one: &domain::Incident) -> Option<PlatformIncident> {
    let ReportSource::Platform { reference, .. } = &one.report.source else {
        return None;
    };
    let count = |on_scene: bool| {
        let found = one.responders.iter();
        let found = found
            .filter(|each| !on_scene || each.state == domain::ResponderState::OnScene)
            .count();
        u32::try_from(found).unwrap_or(u32::MAX)
    };
    Some(PlatformIncident {
        id: incidents::id(one.id),
        reference: reference.clone(),
        state: incidents::state(one.state),
        kind: incidents::kind(one.kind),
        level: one.level.map(incidents::level),
        title: one.report.title.clone(),
        site: site_code(&one.site),
        site_name: county
            .directory()
            .site(&one.site)
            .map(|site| site.name.clone())
            .unwrap_or_default(),
        tier: tier(one.tier),
        place: one.report.place.map(place),
        address: one.report.address.clone(),
        reported_at: rfc3339(one.reported_at),
        changed_at: rfc3339(one.changed_at()),
        duplicate_of: one.duplicate_of.map(incidents::id),
        sent: count(false),
        on_scene: count(true),
        result: result(one),
    })
}

/// Those of the platform, a page at a time.
#[must_use]
pub fn page(
    county: &domain::County,
    platform: &str,
    reference: Option<String>,
    after: Option<u32>,
    limit: u32,
) -> PlatformIncidents {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut own = county
        .incidents()
        .filter(|one| is_of(one, platform) && after.is_none_or(|after| one.id.0 > after))
        .filter_map(|one| incident(county, one))
        .filter(|one| {
            reference
                .as_ref()
                .is_none_or(|wanted| one.reference == *wanted)
        });
    let incidents: Vec<PlatformIncident> = own.by_ref().take(limit).collect();
    let more = own.next().is_some();
    PlatformIncidents {
        next_after: incidents.last().filter(|_| more).map(|last| last.id),
        incidents,
    }
}

/// Those among `within`.
#[must_use]
pub fn sites(county: &domain::County, within: &BTreeSet<SiteCode>) -> Vec<PlatformSite> {
    let mut sites: Vec<&domain::Site> = county
        .directory()
        .sites()
        .filter(|site| within.contains(&site_code(&site.code)))
        .collect();
    sites.sort_by(|a, b| (a.tier, &a.code).cmp(&(b.tier, &b.code)));
    sites
        .into_iter()
        .map(|site| PlatformSite {
            code: site_code(&site.code),
            name: site.name.clone(),
            tier: tier(site.tier),
            parent: site.parent.as_ref().map(site_code),
            place: place(site.place),
        })
        .collect()
}

/// As it goes over the wire.
pub fn place(place: domain::Place) -> Place {
    Place {
        longitude: place.longitude(),
        latitude: place.latitude(),
    }
}

/// The last word on it.
fn result(one: &domain::Incident) -> Option<String> {
    one.timeline
        .iter()
        .rev()
        .find_map(|entry| match &entry.what {
            What::Closed { text } => Some(text.clone()),
            What::MarkedFalse { reason } => Some(reason.clone()),
            What::Reported { .. }
            | What::Verified { .. }
            | What::MarkedDuplicate { .. }
            | What::Levelled { .. }
            | What::Escalated { .. }
            | What::Assigned { .. }
            | What::Responded { .. }
            | What::Convened { .. }
            | What::Controlled { .. }
            | What::Reviewed { .. }
            | What::Noted { .. }
            | What::Attached { .. }
            | What::PlanStarted { .. }
            | What::PlanStopped { .. }
            | What::PlanStep { .. }
            | What::PlanStepSettled { .. }
            | What::Unreached { .. }
            | What::Reached { .. } => None,
        })
}

/// With milliseconds, UTC.
#[must_use]
pub fn rfc3339(at: domain::Timestamp) -> String {
    let form =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.0) * 1_000_000)
        .ok()
        .and_then(|at| at.format(form).ok())
        .unwrap_or_else(|| "1970-01-01T00:00:00.000Z".to_owned())
}
