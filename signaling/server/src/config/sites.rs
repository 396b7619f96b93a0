//! The table of sites: `code,tier,name,parent,longitude,latitude`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use liandong_protocol::{Place, SiteCode, Tier};
use serde::Deserialize;

use super::Site;
use super::check::Mistakes;
use super::file::County;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    code: String,
    tier: Tier,
    name: String,
    parent: String,
    longitude: f64,
    latitude: f64,
}

/// What could be read; what could not is among the mistakes.
pub(super) fn load(county: &County, folder: &Path, mistakes: &mut Mistakes) -> Vec<Site> {
    let path = folder.join(&county.sites);
    let mut reader = match csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_path(&path)
    {
        Ok(reader) => reader,
        Err(error) => {
            mistakes.add(
                "county.sites",
                format_args!("{}: {error}", path.display()),
                "name a CSV file, relative to the configuration file",
            );
            return Vec::new();
        }
    };
    let never: BTreeSet<&str> = county
        .never_auto_answer
        .iter()
        .map(String::as_str)
        .collect();
    let mut sites: BTreeMap<SiteCode, Site> = BTreeMap::new();
    for (index, row) in reader.deserialize::<Row>().enumerate() {
        // The head is line 1.
        let at = format!("{}:{}", county.sites.display(), index + 2);
        match row {
            Ok(row) => {
                if let Some(site) = site(row, &never, &at, mistakes) {
                    if sites.contains_key(&site.code) {
                        mistakes.add(
                            &at,
                            format_args!("the code {} is there twice", site.code),
                            "give each site its own code",
                        );
                    }
                    sites.insert(site.code.clone(), site);
                }
            }
            Err(error) => mistakes.add(
                &at,
                error,
                "six columns: code,tier (county, township, community),name,parent,longitude,latitude",
            ),
        }
    }
    check_tree(&sites, mistakes);
    for code in never {
        if !sites.contains_key(&SiteCode::from(code)) {
            mistakes.add(
                "county.never_auto_answer",
                format_args!("there is no site {code}"),
                "use codes of the table of sites",
            );
        }
    }
    let mut sites: Vec<Site> = sites.into_values().collect();
    sites.sort_by(|a, b| (a.tier, &a.code).cmp(&(b.tier, &b.code)));
    sites
}

fn site(row: Row, never: &BTreeSet<&str>, at: &str, mistakes: &mut Mistakes) -> Option<Site> {
    let before = mistakes.0.len();
    if row.code.is_empty()
        || row.code.len() > 32
        || !row.code.bytes().all(|b| b.is_ascii_alphanumeric())
    {
        mistakes.add(
            at,
            format_args!("the code {:?} is not a code", row.code),
            "use 1 to 32 digits or Latin letters",
        );
    }
    if row.name.is_empty() {
        mistakes.add(at, "the name is empty", "write the site's name");
    }
    if !(-180.0..=180.0).contains(&row.longitude) || !(-90.0..=90.0).contains(&row.latitude) {
        mistakes.add(
            at,
            format_args!("{}, {} is not on Earth", row.longitude, row.latitude),
            "write WGS84 degrees, longitude first",
        );
    }
    (mistakes.0.len() == before).then(|| Site {
        auto_answer: !never.contains(row.code.as_str()),
        code: SiteCode(row.code),
        tier: row.tier,
        name: row.name,
        parent: (!row.parent.is_empty()).then_some(SiteCode(row.parent)),
        place: Place {
            longitude: row.longitude,
            latitude: row.latitude,
        },
    })
}

/// One county; below it townships; below these communities.
fn check_tree(sites: &BTreeMap<SiteCode, Site>, mistakes: &mut Mistakes) {
    let counties = sites.values().filter(|s| s.tier == Tier::County).count();
    if counties != 1 {
        mistakes.add(
            "county.sites",
            format_args!("has {counties} sites of the tier county"),
            "there must be exactly one",
        );
    }
    for site in sites.values() {
        let wanted = match site.tier {
            Tier::County => None,
            Tier::Township => Some(Tier::County),
            Tier::Community => Some(Tier::Township),
        };
        let above = site.parent.as_ref().map(|parent| sites.get(parent));
        let right = match (wanted, above) {
            (None, None) => true,
            (Some(wanted), Some(Some(above))) => above.tier == wanted,
            (None, Some(_)) | (Some(_), None | Some(None)) => false,
        };
        if !right {
            mistakes.add(
                format_args!("site {}", site.code),
                match &site.parent {
                    Some(parent) => format!("{parent} cannot be its parent"),
                    None => "has no parent".to_owned(),
                },
                match wanted {
                    None => "a county has no parent",
                    Some(Tier::County) => "a township's parent is the county",
                    Some(Tier::Township | Tier::Community) => "a community's parent is a township",
                },
            );
        }
    }
}
