//! The first talk groups of a county: `name,site,members,subtree,priority`.

use std::path::Path;

use liandong_protocol::talk::{
    FloorRules, GroupArea, GroupMember, GroupPlan, GroupPriority, GroupStanding,
};
use liandong_protocol::{AccountId, SiteCode};
use serde::Deserialize;

use super::check::Mistakes;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    site: String,
    /// Accounts, with blanks between.
    members: String,
    /// Empty, or the site whose people all belong to it.
    subtree: String,
    priority: GroupPriority,
}

/// Whether sites and accounts exist is looked at when the groups are made.
pub(super) fn load(file: Option<&Path>, folder: &Path, mistakes: &mut Mistakes) -> Vec<GroupPlan> {
    let Some(file) = file else {
        return Vec::new();
    };
    let path = folder.join(file);
    let reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_path(&path);
    let mut reader = match reader {
        Ok(reader) => reader,
        Err(error) => {
            mistakes.add(
                "talk.first_groups",
                format_args!("{}: {error}", path.display()),
                "name a CSV file, relative to the configuration file, or leave it out",
            );
            return Vec::new();
        }
    };
    let mut groups = Vec::new();
    for (index, row) in reader.deserialize::<Row>().enumerate() {
        match row {
            Ok(row) => groups.push(plan(row)),
            // The head is line 1.
            Err(error) => mistakes.add(
                format_args!("{}:{}", file.display(), index + 2),
                error,
                "write name,site,members,subtree,priority; priority is routine, raised or command",
            ),
        }
    }
    groups
}

fn plan(row: Row) -> GroupPlan {
    GroupPlan {
        name: row.name,
        site: SiteCode(row.site),
        members: row
            .members
            .split_whitespace()
            .map(|account| GroupMember {
                account: AccountId::from(account),
                standing: GroupStanding::Member,
            })
            .collect(),
        area: (!row.subtree.is_empty()).then_some(GroupArea::Subtree {
            root: SiteCode(row.subtree),
        }),
        priority: row.priority,
        rules: FloorRules {
            talk_limit_s: 30,
            grace_s: 3,
            media_end_s: 4,
            queue_length: 8,
        },
    }
}
