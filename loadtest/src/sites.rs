//! Which sites the bots play.

use std::collections::BTreeMap;
use std::path::Path;

use liandong_protocol::{SiteCode, Tier};
use serde::Deserialize;

/// The sites of the demo county, for runs without a list of their own.
const DEMO_COUNTY: &str = include_str!("../../deploy/nanjiang/nanjiang-sites.csv");

#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Site {
    /// Its line in the list; 0 is the first. Gives the bot's colour, number and tone.
    pub index: u16,
    pub code: SiteCode,
    pub tier: Tier,
    pub name: String,
    pub parent: Option<SiteCode>,
}

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SitesError {
    #[error("cannot read the list of sites {path}: {reason}")]
    File { path: String, reason: String },
    #[error("the list of sites: {0}")]
    List(#[from] csv::Error),
    #[error("there is no site {0} in the list")]
    Unknown(String),
    #[error("{wanted} sites are wanted, but the list has only {there} below the county")]
    TooFew { wanted: usize, there: usize },
}

#[derive(Deserialize)]
struct Row {
    code: String,
    tier: Tier,
    name: String,
    parent: Option<String>,
}

/// Reads `code,tier,name,parent,…` with a head line.
///
/// # Errors
/// The text is no such list.
pub fn parse(text: &str) -> Result<Vec<Site>, SitesError> {
    csv::Reader::from_reader(text.as_bytes())
        .deserialize()
        .zip(0..)
        .map(|(row, index)| {
            let row: Row = row?;
            Ok(Site {
                index,
                code: SiteCode(row.code),
                tier: row.tier,
                name: row.name,
                parent: row.parent.filter(|p| !p.is_empty()).map(SiteCode),
            })
        })
        .collect()
}

/// The list in a file, or the demo county's.
///
/// # Errors
/// The file cannot be read or is no list of sites.
pub fn read(path: Option<&Path>) -> Result<Vec<Site>, SitesError> {
    match path {
        None => parse(DEMO_COUNTY),
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|e| SitesError::File {
                path: path.display().to_string(),
                reason: e.to_string(),
            })?;
            parse(&text)
        }
    }
}

/// Those with these codes.
///
/// # Errors
/// A code is not in the list.
pub fn named(all: &[Site], codes: &[String]) -> Result<Vec<Site>, SitesError> {
    codes
        .iter()
        .map(|code| {
            all.iter()
                .find(|site| site.code.0 == *code)
                .cloned()
                .ok_or_else(|| SitesError::Unknown(code.clone()))
        })
        .collect()
}

/// `count` sites below the county, so that few still show three tiers: each
/// township with its communities in turn (township, two of its communities,
/// the next township …), then the communities left over. The last township
/// and the last community come at the very end: they are the demo logins that
/// the server prints, free for people as long as not all sites are simulated.
///
/// # Errors
/// The list is too short.
pub fn spread(all: &[Site], count: usize) -> Result<Vec<Site>, SitesError> {
    let mut communities: BTreeMap<&SiteCode, Vec<&Site>> = BTreeMap::new();
    for site in all.iter().filter(|s| s.tier == Tier::Community) {
        if let Some(parent) = &site.parent {
            communities.entry(parent).or_default().push(site);
        }
    }
    let mut order = Vec::new();
    let mut left_over = Vec::new();
    for township in all.iter().filter(|s| s.tier == Tier::Township) {
        order.push(township);
        let below = communities.remove(&township.code).unwrap_or_default();
        order.extend(below.iter().take(2));
        left_over.extend(below.into_iter().skip(2));
    }
    order.extend(left_over);
    for tier in [Tier::Township, Tier::Community] {
        let last = all.iter().rfind(|site| site.tier == tier);
        if let Some(at) = order.iter().position(|site| Some(*site) == last) {
            let free = order.remove(at);
            order.push(free);
        }
    }
    if order.len() < count {
        return Err(SitesError::TooFew {
            wanted: count,
            there: order.len(),
        });
    }
    Ok(order.into_iter().take(count).cloned().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn demo_county_has_fifty_sites() {
        let all = read(None).unwrap();
        assert_eq!(all.len(), 50);
        assert_eq!((all[0].index, all[0].tier), (0, Tier::County));
        assert_eq!(all[49].code.0, "511922133001");
        let mut every: Vec<_> = spread(&all, 49).unwrap().iter().map(|s| s.index).collect();
        every.sort_unstable();
        assert_eq!(every, (1..50).collect::<Vec<_>>());
    }

    #[test]
    fn the_printed_demo_logins_are_taken_last() {
        let all = read(None).unwrap();
        let most = spread(&all, 47).unwrap();
        for printed in ["511922133", "511922133001"] {
            assert!(most.iter().all(|site| site.code.0 != printed), "{printed}");
        }
    }

    #[test]
    fn a_few_sites_show_three_tiers() {
        let all = read(None).unwrap();
        let few = spread(&all, 12).unwrap();
        let townships = few.iter().filter(|s| s.tier == Tier::Township).count();
        assert_eq!(townships, 4);
        for community in few.iter().filter(|s| s.tier == Tier::Community) {
            assert!(
                few.iter()
                    .any(|s| Some(&s.code) == community.parent.as_ref())
            );
        }
        assert!(spread(&all, 0).unwrap().is_empty());
    }

    #[test]
    fn too_many_and_unknown_are_refused() {
        let all = read(None).unwrap();
        assert!(matches!(
            spread(&all, 50),
            Err(SitesError::TooFew { there: 49, .. })
        ));
        assert!(named(&all, &["511922101".into()]).is_ok());
        assert!(matches!(
            named(&all, &["5".into()]),
            Err(SitesError::Unknown(_))
        ));
        assert!(parse("code,tier\n1,village\n").is_err());
    }
}
