//! Starting and stopping: puts the parts together.
//!
//! * this file: `liandong serve`
//! * [`passwords`] – who may sign in, and with what
//! * `doors` – channels to those who have no device connected
//! * [`banner`] – what is printed at the start
//! * [`second_factor`] – `liandong second-factor`, on a stopped server

pub mod banner;
mod doors;
pub mod passwords;
pub mod second_factor;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use liandong_domain::{Actor, Order, Timing};
use liandong_protocol::talk::TalkOrder;
use liandong_sfu_node::{Node, NodeConfig, NodeError};
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::auth::links::Links;
use crate::auth::password::{HashError, Verifier};
use crate::auth::platforms::Platforms;
use crate::auth::second_factor::SecondFactors;
use crate::auth::session::Sessions;
use crate::auth::sign_in::SignIn;
use crate::auth::vault::{Vault, VaultError};
use crate::clock;
use crate::config::Config;
use crate::desk::ledger::Ledger;
use crate::desk::run::Parts;
use crate::desk::{self, Desk};
use crate::files::{self, Files};
use crate::http::listener::{self, ListenError};
use crate::http::metrics::{DeskMetrics, Metrics};
use crate::http::{App, router};
use crate::journal::snapshots::Snapshots;
use crate::journal::sqlite::{self, SqliteJournal};
use crate::journal::{Journal as _, JournalError};
use crate::media::Media;
use crate::talk::{Talk, exchange, relay};
use crate::tls::acceptor::{Shown, server_config};
use crate::tls::addresses::Reachable;
use crate::tls::authority::{Authority, TlsError};
use crate::views::snapshot::Setting;
use crate::views::{plans, talk, wire};
use crate::webhooks::Webhooks;
use crate::webhooks::store::StoreError;

/// How often addresses and the certificate's end are looked at.
const RENEW_EVERY: Duration = Duration::from_secs(600);

/// Why the server does not start; each is one clear line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    #[error("data folder {path}: {source}")]
    Data {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("data folder {0} is in use by another liandong: stop it or choose another with --data")]
    InUse(PathBuf),
    #[error("{0}; {mend}", mend = .0.mend())]
    Journal(#[from] JournalError),
    #[error("{0}; {mend}", mend = .0.mend())]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Webhooks(#[from] StoreError),
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error("the journal refuses the configuration: {0}")]
    Directory(String),
    #[error("the first talk group {0}: {1}; mend it in the file that talk.first_groups names")]
    FirstGroup(String, String),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(transparent)]
    Listen(#[from] ListenError),
    #[error("channels: {0}")]
    Channels(String),
    #[error("media: {0}")]
    Node(#[from] NodeError),
}

/// Where certificates come from.
#[derive(Debug)]
struct Certificates {
    shown: Arc<Shown>,
    /// Absent with certificates by configuration.
    authority: Option<Authority>,
}

/// Runs the server until it is told to stop.
///
/// # Errors
/// Why it does not start. Once it runs, it runs.
pub async fn serve(
    config: Config,
    data: &Path,
    printing: banner::Printing,
    stop: impl Future<Output = ()>,
) -> Result<(), StartError> {
    // Ports first: the most frequent mistake shows before anything is written.
    let listener = listener::listen(&config.network)?;
    let lock = lock(data)?;
    let ledger = ledger(&config, data).await?;
    let logins = passwords::prepare(&config, data)?;
    let vault = Arc::new(Vault::open(data)?);
    vault.set_passwords(&logins.hashes(&config, &vault.passwords()?)?)?;
    let sessions = Sessions::load(Arc::clone(&vault), clock::now_ms())?;

    let files = Files::open(data, |id| {
        sqlite::names(data, id).map_err(std::io::Error::other)
    })
    .map_err(|source| StartError::Data {
        path: data.join(files::FOLDER),
        source,
    })?;

    let (node, node_events) = Node::start(node_config(&config, &listener))?;
    let desk_metrics = Arc::new(DeskMetrics::default());
    let metrics = Metrics::new(config.metrics_token.as_deref(), &desk_metrics, &node);
    let (talk, waiting) = Talk::channel();
    let (counties, county) = watch::channel(ledger.county().clone());
    let webhooks = Webhooks::open(data, &config.webhooks, Arc::clone(&metrics))?;
    let (entries, new_entries) = watch::channel(ledger.seq());
    let (channels, heard, doors) = doors::open(&config, data)?;
    let (desk, desk_task) = desk::run::start(Parts {
        ledger,
        setting: setting(&config),
        media: Media::new(node.clone()),
        node_events: relay::start(talk.clone(), node_events),
        metrics: desk_metrics,
        talk: talk.clone(),
        counties,
        entries,
        channels,
    });
    tokio::spawn(doors::pass_on(heard, desk.clone()));
    // Ends with the desk.
    exchange::start(exchange::Parts {
        talk: talk.clone(),
        waiting,
        counties: county,
        node: node.clone(),
        desk: desk.clone(),
    });
    let sending = webhooks.start(&desk, &new_entries);

    let reachable = Reachable::now(&config.network.advertise);
    let certificates = certificates(&config, data, &reachable)?;
    let tls = server_config(Arc::clone(&certificates.shown))?;
    let second_factors = second_factors(&config, &vault)?;
    let app = App {
        desk: desk.clone(),
        talk,
        sessions: sessions.clone(),
        sign_in: Arc::new(SignIn::new(
            Arc::clone(&vault),
            sessions,
            Verifier::new()?,
            Arc::clone(&second_factors),
            desk.clone(),
        )),
        second_factors,
        links: Links::new(vault),
        metrics,
        files,
        webhooks,
        platforms: Arc::new(Platforms::new(&config.platforms)),
        doors: Arc::new(doors),
        authority: certificates
            .authority
            .as_ref()
            .map(Authority::certificate_path),
    };
    let (stopping, stopped) = watch::channel(false);
    let serving = tokio::spawn({
        let (network, node) = (config.network.clone(), node.clone());
        async move { listener::serve(listener, tls, router(app), node, &network, stopped).await }
    });
    let renewing = tokio::spawn(renew(certificates, config.network.advertise.clone()));
    banner::print(&config, data, &reachable, logins.demo(), printing);

    stop.await;
    tracing::info!("stopping");
    renewing.abort();
    // What is on its way goes again at the next start, under the same id.
    sending.iter().for_each(tokio::task::JoinHandle::abort);
    shut_down(desk, stopping, node).await;
    for task in [serving, desk_task] {
        if let Err(error) = task.await {
            tracing::error!(%error, "a task ended badly");
        }
    }
    drop(lock);
    tracing::info!("stopped");
    Ok(())
}

/// Clients first, so that they hear why; then the doors, then the media.
async fn shut_down(desk: Desk, stopping: watch::Sender<bool>, node: Node) {
    desk.stop().await;
    stopping.send_replace(true);
    node.shutdown().await;
}

/// Two servers on one journal would break its chain.
fn lock(data: &Path) -> Result<File, StartError> {
    let error = |source| StartError::Data {
        path: data.to_owned(),
        source,
    };
    std::fs::create_dir_all(data).map_err(error)?;
    let file = File::create(data.join("lock")).map_err(error)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(StartError::InUse(data.to_owned())),
        Err(std::fs::TryLockError::Error(source)) => Err(error(source)),
    }
}

/// The journal replayed, and the configuration written into it.
async fn ledger(config: &Config, data: &Path) -> Result<Ledger<SqliteJournal>, StartError> {
    let timing = Timing {
        ring: config.calls.ring,
        queued: config.calls.ring,
        join: config.calls.connect,
        ..Timing::default()
    };
    let began = std::time::Instant::now();
    let journal = SqliteJournal::open(data)?;
    let mut ledger = Ledger::open(journal.clone(), Snapshots::of(data), timing).await?;
    // What the replay did not read. Nobody signs in to a journal that is known to be broken.
    let looked = journal.check(data, ledger.snapshot_at())?;
    drop(looked.await); // told, or done
    if let Some(damage) = journal.damage() {
        return Err(damage.into());
    }
    let mut orders = vec![wire::set_directory(config)];
    if ledger.seq() > 0 {
        orders.push(Order::Restarted);
    }
    orders.extend(config.plans.iter().map(plans::install));
    for order in orders {
        ledger
            .order(&Actor::System, None, &order, clock::now())
            .map_err(|refusal| StartError::Directory(refusal.to_string()))?;
    }
    first_groups(&mut ledger, config)?;
    ledger.commit(clock::now()).await?;
    tracing::info!(
        entries = ledger.seq(),
        took_ms = began.elapsed().as_millis(),
        "journal open"
    );
    Ok(ledger)
}

/// Those of the configuration, in a county that never had any: what is dissolved stays so.
fn first_groups(ledger: &mut Ledger<SqliteJournal>, config: &Config) -> Result<(), StartError> {
    if ledger.county().had_talk_groups() {
        return Ok(());
    }
    for plan in &config.first_groups {
        let order = Order::Talk {
            order: talk::order_of(TalkOrder::Create { plan: plan.clone() }),
        };
        ledger
            .order(&Actor::System, None, &order, clock::now())
            .map_err(|refusal| StartError::FirstGroup(plan.name.clone(), refusal.to_string()))?;
    }
    Ok(())
}

fn second_factors(config: &Config, vault: &Arc<Vault>) -> Result<Arc<SecondFactors>, StartError> {
    let required = config
        .accounts
        .values()
        .filter(|account| config.second_factor.contains(&account.role))
        .map(|account| account.id.clone());
    let issuer = format!("联动 {}", config.county_name);
    let factors = SecondFactors::load(Arc::clone(vault), issuer, required.collect())?;
    Ok(Arc::new(factors))
}

fn node_config(config: &Config, listener: &TcpListener) -> NodeConfig {
    let any = config.network.listen.is_unspecified();
    let default = NodeConfig::default();
    NodeConfig {
        listen: if any {
            default.listen.clone()
        } else {
            vec![config.network.listen]
        },
        port: config.network.media_port,
        advertise: advertised(config),
        advertise_media: config.network.advertise_media.clone(),
        // HTTPS and media by TCP share the port.
        tcp_port: listener.local_addr().ok().map(|at| at.port()),
        workers: config.network.workers,
        ..default
    }
}

/// Nothing by configuration: the node finds its own. Otherwise those of the
/// machine stay reachable beside the named ones.
fn advertised(config: &Config) -> Vec<std::net::IpAddr> {
    if config.network.advertise.is_empty() {
        return Vec::new();
    }
    Reachable::now(&config.network.advertise)
        .addresses
        .into_iter()
        .collect()
}

fn setting(config: &Config) -> Setting {
    Setting {
        county_name: config.county_name.clone(),
        never_auto_answer: config
            .sites
            .iter()
            .filter(|site| !site.auto_answer)
            .map(|site| liandong_domain::SiteCode(site.code.0.clone()))
            .collect(),
        auto_answer_ms: u32::try_from(config.calls.auto_answer_after.as_millis())
            .unwrap_or(u32::MAX),
        ice_servers: config.ice_servers.clone(),
    }
}

fn certificates(
    config: &Config,
    data: &Path,
    reachable: &Reachable,
) -> Result<Certificates, StartError> {
    if let Some(files) = &config.tls_files {
        return Ok(Certificates {
            shown: Shown::load(files.certificate.clone(), files.key.clone())?,
            authority: None,
        });
    }
    let now = OffsetDateTime::now_utc();
    let authority = Authority::open(&data.join("tls"), &config.county_name, now)?;
    authority.renew(reachable, now)?;
    Ok(Certificates {
        shown: Shown::load(
            authority.server_certificate_path(),
            authority.server_key_path(),
        )?,
        authority: Some(authority),
    })
}

/// Keeps the certificate good while the server runs: addresses change, and
/// files by configuration are exchanged by whoever issues them.
async fn renew(certificates: Certificates, advertise: Vec<std::net::IpAddr>) {
    let mut interval = tokio::time::interval(RENEW_EVERY);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    interval.tick().await; // the first comes at once
    let Certificates { shown, authority } = certificates;
    loop {
        interval.tick().await;
        let (shown, authority, advertise) =
            (Arc::clone(&shown), authority.clone(), advertise.clone());
        let renewed = tokio::task::spawn_blocking(move || {
            if let Some(authority) = authority {
                let reachable = Reachable::now(&advertise);
                if !authority.renew(&reachable, OffsetDateTime::now_utc())? {
                    return Ok(());
                }
                tracing::info!("certificate renewed");
            }
            shown.reload()
        });
        match renewed.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "certificate not renewed"),
            Err(error) => tracing::error!(%error, "certificate not renewed"),
        }
    }
}
