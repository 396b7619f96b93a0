//! What a client asks for and that changes nothing.

use liandong_domain::plan::PlanOrderKind;
use liandong_domain::{AccountId, County, OrderKind, authority};
use liandong_protocol::{Refusal, RefusalCode, Reply};

use super::super::orders::Reading;
use crate::views::wire::refuse;
use crate::views::{duty, plans};

/// Entries of lists in a plan that is tried; the rules take no more in one that is saved.
const MAX_STEPS: usize = liandong_domain::limits::MAX_PLAN_STEPS;
const MAX_WHOM: usize = liandong_domain::limits::MAX_PLAN_WHOM;

/// # Errors
/// The account may not read that, or asked for too much.
pub(super) fn read(
    county: &County,
    account: &AccountId,
    reading: Reading,
) -> Result<Reply, Refusal> {
    let Some(account) = county.directory().account(account) else {
        return Err(refuse(RefusalCode::NotSignedIn, "no such account"));
    };
    match reading {
        Reading::Plans => Ok(Reply::Plans {
            plans: plans::all(county, &account.id),
        }),
        Reading::Rehearsal { content, site } => {
            let writes = OrderKind::Plan(PlanOrderKind::Save);
            let runs = OrderKind::Plan(PlanOrderKind::Start);
            let may = [writes, runs]
                .into_iter()
                .any(|kind| authority::role_may(account.role, kind));
            if !may {
                return Err(refuse(
                    RefusalCode::NotAllowed,
                    "neither writes nor runs plans",
                ));
            }
            let too_long = content.steps.len() > MAX_STEPS
                || content
                    .steps
                    .iter()
                    .any(|step| step.whom.len().max(step.show.len()) > MAX_WHOM);
            if too_long {
                return Err(refuse(RefusalCode::Full, "too many steps or entries"));
            }
            if !county
                .sites_for(&account.id)
                .iter()
                .any(|one| one.code == site)
            {
                return Err(refuse(RefusalCode::UnknownTarget, "no such site"));
            }
            Ok(Reply::Rehearsal {
                rehearsal: plans::rehearsal(county, account, &site, content),
            })
        }
        Reading::Roster { from_ms, to_ms } => Ok(Reply::Roster {
            roster: duty::roster(county, account, from_ms, to_ms),
        }),
    }
}
