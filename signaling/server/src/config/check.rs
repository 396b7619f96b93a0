//! What can be wrong with a configuration. All of it is reported at once:
//! whoever sets up a county does not want to start the server ten times.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::path::Path;
use std::time::Duration;

use super::file::File;
use super::{
    Calls, Config, Network, Overrides, TlsFiles, accounts, channels, groups, ice, plans, platforms,
    sites, webhooks,
};

const DEFAULT_PORT: u16 = 8443;
const DEFAULT_CONNECTIONS: usize = 4_096;
const DEFAULT_CONNECTIONS_PER_ADDRESS: usize = 2_048;
/// One bit per worker in the media engine's room spans.
const MAX_WORKERS: usize = 64;
const MIN_TOKEN_LENGTH: usize = 16;

/// One thing that is wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mistake {
    /// The field, or the file and line.
    pub at: String,
    pub what: String,
    /// What to do about it.
    pub mend: String,
}

/// All that is wrong.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Mistakes(pub Vec<Mistake>);

impl Mistakes {
    pub(super) fn one(at: impl fmt::Display, what: impl fmt::Display, mend: &str) -> Self {
        let mut mistakes = Self::default();
        mistakes.add(at, what, mend);
        mistakes
    }

    pub(super) fn add(
        &mut self,
        at: impl fmt::Display,
        what: impl fmt::Display,
        mend: impl fmt::Display,
    ) {
        self.0.push(Mistake {
            at: at.to_string(),
            what: what.to_string(),
            mend: mend.to_string(),
        });
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.0.len() == 1 { "" } else { "s" };
        write!(f, "{} mistake{plural} in the configuration:", self.0.len())?;
        for Mistake { at, what, mend } in &self.0 {
            write!(f, "\n  {at}: {what}\n    → {mend}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}

pub(super) fn check(file: File, folder: &Path, overrides: &Overrides) -> Result<Config, Mistakes> {
    let mut mistakes = Mistakes::default();
    if file.county.name.trim().is_empty() {
        mistakes.add("county.name", "is empty", "write the county's name");
    }
    let sites = sites::load(&file.county, folder, &mut mistakes);
    let accounts = accounts::load(&file.accounts, folder, &sites, &mut mistakes);
    let plans = plans::load(file.county.plans.as_ref(), folder, &mut mistakes);
    let network = network(&file.network, overrides, &mut mistakes);
    let calls = calls(&file.calls, &mut mistakes);
    let tls_files = file.tls.map(|tls| TlsFiles {
        certificate: folder.join(tls.certificate),
        key: folder.join(tls.key),
    });
    if let Some(TlsFiles { certificate, key }) = &tls_files {
        for (field, path) in [("tls.certificate", certificate), ("tls.key", key)] {
            if !path.is_file() {
                mistakes.add(
                    field,
                    format_args!("no such file: {}", path.display()),
                    "name a PEM file, relative to the configuration file, or leave [tls] out",
                );
            }
        }
    }
    if let Some(token) = &file.metrics.token
        && token.len() < MIN_TOKEN_LENGTH
    {
        mistakes.add(
            "metrics.token",
            format_args!("is shorter than {MIN_TOKEN_LENGTH} characters"),
            "use a long random text, or leave it out: then only this machine may read /metrics",
        );
    }
    let first_groups = groups::load(file.talk.first_groups.as_deref(), folder, &mut mistakes);
    let push = channels::push(file.push, &mut mistakes);
    let gateway = channels::gateway(file.gateway, &mut mistakes);
    let ice_servers = ice::check(file.media.ice_servers, &mut mistakes);
    let platforms = platforms::check(file.platforms, folder, &sites, &mut mistakes);
    let webhooks = webhooks::check(file.webhooks, folder, &platforms, &mut mistakes);
    if mistakes.0.is_empty() {
        Ok(Config {
            county_name: file.county.name,
            sites,
            accounts,
            plans,
            push,
            gateway,
            network,
            tls_files,
            calls,
            first_groups,
            metrics_token: file.metrics.token,
            demo: file.accounts.demo_password,
            second_factor: file.accounts.second_factor,
            ice_servers,
            platforms,
            webhooks,
        })
    } else {
        Err(mistakes)
    }
}

fn network(file: &super::file::Network, overrides: &Overrides, mistakes: &mut Mistakes) -> Network {
    let workers = overrides.workers.or(file.workers).unwrap_or(0);
    if workers > MAX_WORKERS {
        mistakes.add(
            "network.workers",
            format_args!("is {workers}, more than {MAX_WORKERS}"),
            "use 0 for one per core",
        );
    }
    let mut advertise = file.advertise.clone();
    advertise.extend(&overrides.advertise);
    for address in &advertise {
        if address.is_unspecified() || address.is_multicast() {
            mistakes.add(
                "network.advertise",
                format_args!("{address} cannot be reached by anybody"),
                "name an address of this machine or of the router in front of it",
            );
        }
    }
    let mut advertise_media = file.advertise_media.clone();
    advertise_media.extend(&overrides.advertise_media);
    for address in &advertise_media {
        if address.ip().is_unspecified() || address.ip().is_multicast() || address.port() == 0 {
            mistakes.add(
                "network.advertise_media",
                format_args!("{address} cannot be reached by anybody"),
                "name address and port of the router that forwards to the media port",
            );
        }
    }
    let max_connections = file.max_connections.unwrap_or(DEFAULT_CONNECTIONS);
    let max_connections_per_address = file
        .max_connections_per_address
        .unwrap_or(DEFAULT_CONNECTIONS_PER_ADDRESS.min(max_connections));
    if max_connections == 0 || max_connections_per_address == 0 {
        mistakes.add(
            "network.max_connections",
            "is 0: nobody could connect",
            "leave it out for the default of 4096 (2048 per address)",
        );
    }
    Network {
        listen: overrides
            .listen
            .or(file.listen)
            .unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED)),
        https_port: overrides
            .https_port
            .or(file.https_port)
            .unwrap_or(DEFAULT_PORT),
        media_port: overrides
            .media_port
            .or(file.media_port)
            .unwrap_or(DEFAULT_PORT),
        workers,
        advertise,
        advertise_media,
        max_connections,
        max_connections_per_address,
    }
}

fn calls(file: &super::file::Calls, mistakes: &mut Mistakes) -> Calls {
    let mut within = |field: &str, value: Option<u32>, default: u32, from: u32, to: u32| {
        let value = value.unwrap_or(default);
        if !(from..=to).contains(&value) {
            mistakes.add(
                format_args!("calls.{field}"),
                format_args!("is {value}"),
                format_args!("use {from} to {to}; {default} is the default"),
            );
        }
        value
    };
    Calls {
        ring: Duration::from_secs(within("ring_seconds", file.ring_seconds, 45, 5, 300).into()),
        connect: Duration::from_secs(
            within("connect_seconds", file.connect_seconds, 30, 5, 120).into(),
        ),
        auto_answer_after: Duration::from_millis(
            within("auto_answer_ms", file.auto_answer_ms, 3_000, 0, 15_000).into(),
        ),
    }
}
