//! How the configuration file is written. Unknown fields are mistakes: a
//! misspelt limit must not silently be no limit.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use liandong_protocol::Role;
use serde::Deserialize;

use super::Right;
use super::check::Mistakes;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub county: County,
    #[serde(default)]
    pub accounts: Accounts,
    #[serde(default)]
    pub network: Network,
    pub tls: Option<Tls>,
    #[serde(default)]
    pub calls: Calls,
    pub push: Option<Push>,
    pub gateway: Option<Gateway>,
    #[serde(default)]
    pub talk: Talk,
    #[serde(default)]
    pub metrics: Metrics,
    #[serde(default)]
    pub media: Media,
    #[serde(default)]
    pub platforms: Vec<Platform>,
    #[serde(default)]
    pub webhooks: Vec<Webhook>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct County {
    pub name: String,
    /// CSV with the head `code,tier,name,parent,longitude,latitude`.
    pub sites: PathBuf,
    /// JSON: plans that come into force where none is known by their name.
    pub plans: Option<PathBuf>,
    /// Codes of sites whose terminals always ring, even on an order.
    #[serde(default)]
    pub never_auto_answer: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Accounts {
    /// CSV with the head `account,name,role,site,password_hash`.
    pub file: Option<PathBuf>,
    /// One account per site, named by its code.
    #[serde(default)]
    pub per_site: bool,
    /// Accounts without a hash get the demo password. Never in earnest.
    #[serde(default)]
    pub demo_password: bool,
    /// Roles that must have a second factor.
    #[serde(default)]
    pub second_factor: Vec<Role>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Network {
    pub listen: Option<IpAddr>,
    pub https_port: Option<u16>,
    pub media_port: Option<u16>,
    pub workers: Option<usize>,
    #[serde(default)]
    pub advertise: Vec<IpAddr>,
    #[serde(default)]
    pub advertise_media: Vec<SocketAddr>,
    pub max_connections: Option<usize>,
    pub max_connections_per_address: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tls {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Calls {
    pub ring_seconds: Option<u32>,
    pub connect_seconds: Option<u32>,
    pub auto_answer_ms: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Push {
    pub contact: String,
    #[serde(default)]
    pub services: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Gateway {
    pub url: String,
    pub secret: String,
}

impl std::fmt::Debug for Gateway {
    /// Never shows what is secret in it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gateway").finish_non_exhaustive()
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Talk {
    /// CSV with the head `name,site,members,subtree,priority`.
    pub first_groups: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Metrics {
    pub token: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Media {
    #[serde(default)]
    pub ice_servers: Vec<IceServer>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IceServer {
    #[serde(default)]
    pub urls: Vec<String>,
    pub username: Option<String>,
    pub credential: Option<String>,
    /// Shared with the TURN server, which accepts credentials made from it.
    pub secret: Option<String>,
    /// How long such credentials hold.
    pub valid_hours: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Platform {
    pub id: String,
    pub name: String,
    /// Has the key of its signatures.
    pub key_file: Option<PathBuf>,
    /// Of its bearer token, in hexadecimal.
    pub token_sha256: Option<String>,
    pub site: Option<String>,
    pub rights: Option<Vec<Right>>,
    pub requests_per_minute: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Webhook {
    pub id: String,
    pub url: String,
    pub secret_file: PathBuf,
    pub events: Option<Vec<String>>,
    pub platform: Option<String>,
    pub ca_file: Option<PathBuf>,
    #[serde(default)]
    pub allow_http: bool,
    pub retry_seconds: Option<u32>,
    pub give_up_hours: Option<u32>,
}

impl std::fmt::Debug for Media {
    /// Never shows what is secret in it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let urls = self.ice_servers.iter().map(|server| &server.urls);
        f.debug_list().entries(urls).finish()
    }
}

/// The first step stops at the first mistake of syntax, since what follows
/// a broken line cannot be trusted; `toml` shows the place.
pub(super) fn parse(text: &str) -> Result<File, Mistakes> {
    toml::from_str(text).map_err(|error| {
        Mistakes::one(
            "configuration",
            error.to_string().trim_end(),
            "correct the line that is shown; the known fields are in deploy/nanjiang/liandong.toml",
        )
    })
}
