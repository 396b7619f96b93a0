//! How much of anything there may be. Every list that somebody outside can
//! make longer ends here.

/// Targets named in one order; a tier or a subtree counts as one.
pub const MAX_TARGETS: usize = 64;
/// Present and being rung in one conference, together.
pub const MAX_PARTICIPANTS: usize = 200;
/// Invitations of one conference over its life, renewed ones too.
pub const MAX_INVITATIONS: usize = 2_000;
/// How often one account comes into one conference by itself or is moved there.
pub const MAX_STAYS_PER_ACCOUNT: usize = 50;
/// Running conferences that one account has called.
pub const MAX_CONFERENCES_PER_ACCOUNT: usize = 4;
/// Ended conferences that are still known, so that late orders and views find them.
pub const MAX_ENDED_CONFERENCES: usize = 32;
pub const MAX_TITLE_CHARS: usize = 80;
pub const MAX_REASON_CHARS: usize = 200;
/// Names and codes in the directory.
pub const MAX_NAME_CHARS: usize = 64;
/// A report, a note, a review.
pub const MAX_INCIDENT_TEXT_CHARS: usize = 2_000;
pub const MAX_ADDRESS_CHARS: usize = 200;
/// Incidents on which work goes on.
pub const MAX_OPEN_INCIDENTS: usize = 500;
/// Closed, false and duplicate ones that are still known; the journal has all.
pub const MAX_SETTLED_INCIDENTS: usize = 500;
/// Reports of one account that nobody has verified yet.
pub const MAX_OPEN_REPORTS_PER_ACCOUNT: usize = 20;
/// The same of one platform: a fault of it must leave room for people.
pub const MAX_OPEN_REPORTS_PER_PLATFORM: usize = 200;
/// Sent to one incident.
pub const MAX_RESPONDERS: usize = 200;
/// Photos, voice notes and documents of one incident.
pub const MAX_FILES: usize = 60;
pub const MAX_FILE_NAME_CHARS: usize = 120;
/// Entries of one incident's timeline that are known without the journal.
pub const MAX_TIMELINE: usize = 500;
/// Groups at a time.
pub const MAX_TALK_GROUPS: usize = 256;
/// Members of one group by name.
pub const MAX_TALK_MEMBERS: usize = 600;
/// Devices that listen to one group at a time.
pub const MAX_LISTENERS: usize = 1_000;
/// Talks of one group that are known without the journal.
pub const MAX_TALKS: usize = 20;
/// How long the carousel stays with one party, s.
pub const MIN_CAROUSEL_S: u32 = 5;
pub const MAX_CAROUSEL_S: u32 = 600;
/// How long a member has to come once the roll calls it, s.
pub const MIN_ROLL_ANSWER_S: u32 = 5;
pub const MAX_ROLL_ANSWER_S: u32 = 300;
pub const MAX_KEY_CHARS: usize = 64;
/// Planned and present shifts of all sites.
pub const MAX_SHIFTS: usize = 4_000;
/// Shifts that are over and still known; the journal has all.
pub const MAX_PAST_SHIFTS: usize = 1_000;
pub const MAX_SHIFTS_PER_ORDER: usize = 500;
pub const MAX_SHIFT: std::time::Duration = std::time::Duration::from_secs(7 * 24 * 3_600);
/// Of one site, besides its seat and its deputy.
pub const MAX_CONTACTS: usize = 8;
pub const MAX_PHONE_CHARS: usize = 20;
/// Plans, retired ones too.
pub const MAX_PLANS: usize = 200;
/// Versions of one plan that are still known; the journal has all.
pub const MAX_PLAN_VERSIONS: usize = 20;
pub const MAX_PLAN_STEPS: usize = 20;
/// Entries in one step's list of whom to ring, or of what to show.
pub const MAX_PLAN_WHOM: usize = 64;
/// The last moment of a plan, from its start.
pub const MAX_PLAN_SECONDS: u32 = 24 * 3_600;
/// How often a site is rung again before anybody else is.
pub const MAX_REPEATS: u32 = 3;
/// Runs that are over and still known.
pub const MAX_ENDED_RUNS: usize = 100;
/// Pursuits that are over and still known.
pub const MAX_ENDED_PURSUITS: usize = 500;
