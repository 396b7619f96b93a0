//! The configuration: one TOML file, parsed into one checked type.
//!
//! [`Config`] is what the rest of the program sees; it holds only values that
//! passed every check. How the file is written is [`file`]'s business, what
//! can be wrong with it [`check`]'s.

mod accounts;
mod channels;
mod check;
mod file;
mod groups;
mod ice;
mod plans;
mod platforms;
mod sites;
mod webhooks;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use liandong_protocol::plan::PlanContent;
use liandong_protocol::talk::GroupPlan;
use liandong_protocol::{AccountId, Place, Role, SiteCode, Tier};

pub use channels::{Gateway, Push};
pub use check::{Mistake, Mistakes};
pub use ice::{IceAccess, IceServer};
pub use platforms::{Platform, Right, Secret};
pub use webhooks::{EVENTS, Webhook};

/// Everything the program was told, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// The county's name, for the title bar.
    pub county_name: String,
    /// Parents before children, by code.
    pub sites: Vec<Site>,
    /// By name.
    pub accounts: BTreeMap<AccountId, Account>,
    pub network: Network,
    /// Absent: an own authority is made at the first start.
    pub tls_files: Option<TlsFiles>,
    pub calls: Calls,
    /// Made at the first start.
    pub first_groups: Vec<GroupPlan>,
    /// Who may read `/metrics` from elsewhere than loopback.
    pub metrics_token: Option<String>,
    /// True: accounts without a password hash get the demo password.
    pub demo: bool,
    /// Roles whose accounts must have a second factor.
    pub second_factor: Vec<Role>,
    /// Absent: phones get no messages.
    pub push: Option<Push>,
    /// Absent: there is no gateway.
    pub gateway: Option<Gateway>,
    /// Come into force at the first start.
    pub plans: Vec<PlanContent>,
    /// What clients are given for their peer connections.
    pub ice_servers: Vec<IceServer>,
    /// Which other platforms may use `/api/v1`.
    pub platforms: Vec<Platform>,
    /// Which other systems are told of what.
    pub webhooks: Vec<Webhook>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    pub code: SiteCode,
    pub tier: Tier,
    pub name: String,
    pub parent: Option<SiteCode>,
    pub place: Place,
    /// An order from above may be answered by the room terminal itself.
    pub auto_answer: bool,
}

#[derive(Clone, PartialEq)]
pub struct Account {
    pub id: AccountId,
    pub name: String,
    pub role: Role,
    pub site: SiteCode,
    /// A PHC string of Argon2id, as `liandong hash-password` prints it.
    pub password_hash: Option<String>,
}

impl std::fmt::Debug for Account {
    /// Never shows the hash.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account")
            .field("id", &self.id)
            .field("role", &self.role)
            .field("site", &self.site)
            .finish_non_exhaustive()
    }
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Network {
    pub listen: IpAddr,
    pub https_port: u16,
    /// UDP.
    pub media_port: u16,
    /// Media workers; 0: one per core.
    pub workers: usize,
    /// Addresses that clients reach this machine by, besides its own.
    pub advertise: Vec<IpAddr>,
    /// The only addresses that clients are told for media; empty: this machine's and
    /// `advertise`, at the media port.
    pub advertise_media: Vec<SocketAddr>,
    pub max_connections: usize,
    /// Generous: a whole township may sit behind one address.
    pub max_connections_per_address: usize,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TlsFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Calls {
    /// How long a target is rung.
    pub ring: Duration,
    /// How long an answered call may take to connect its media.
    pub connect: Duration,
    /// What a terminal that answers by itself counts down.
    pub auto_answer_after: Duration,
}

/// What the command line says; it wins over the file.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    pub listen: Option<IpAddr>,
    pub https_port: Option<u16>,
    pub media_port: Option<u16>,
    pub workers: Option<usize>,
    pub advertise: Vec<IpAddr>,
    pub advertise_media: Vec<SocketAddr>,
}

impl Config {
    /// Reads the file, and those that it names, relative to its folder.
    ///
    /// # Errors
    /// Every mistake that could be found in one pass, each with its mend.
    pub fn load(path: &Path, overrides: &Overrides) -> Result<Self, Mistakes> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            Mistakes::one(
                path.display(),
                format!("cannot be read: {error}"),
                "name an existing file with --config",
            )
        })?;
        let folder = path.parent().unwrap_or(Path::new("."));
        Self::parse(&text, folder, overrides)
    }

    /// # Errors
    /// As [`Config::load`].
    pub fn parse(text: &str, folder: &Path, overrides: &Overrides) -> Result<Self, Mistakes> {
        let file = file::parse(text)?;
        check::check(file, folder, overrides)
    }

    /// The site by its code.
    #[must_use]
    pub fn site(&self, code: &SiteCode) -> Option<&Site> {
        self.sites.iter().find(|site| site.code == *code)
    }
}

#[cfg(test)]
mod tests;
