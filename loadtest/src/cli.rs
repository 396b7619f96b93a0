//! The command line.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::{Args, Parser, Subcommand, ValueEnum};
use liandong_impair::Proxy;
use liandong_protocol::AccountId;
use tracing_subscriber::EnvFilter;

use crate::bot::{Behaviour, MediaPlan};
use crate::process::Process;
use crate::report::Report;
use crate::scenario::{self, CallScenario, Choice, Fleet, OwnProcess, SoakScenario, TalkScenario};
use crate::server::{Server, Trust};
use crate::sites::{self, Site};

mod password;

/// How often a file that the server makes at its first start is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Simulated sites for Liandong: bots that log in like a room terminal, answer
/// calls, send a test picture and a tone, and count what they receive.
#[derive(Debug, Parser)]
#[command(name = "liandong-loadtest", version, max_term_width = 100)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Keep simulated sites online until Ctrl-C; they answer, send and come
    /// back by themselves, and wait for a server that is not up yet.
    Sites(SitesCommand),
    /// One call of a whole county: the commander orders every site, all send
    /// and receive for a while, the checks are made. Exit code 1 if one fails.
    Call(CallCommand),
    /// A long call in which sites come and go, switch what they see, change their network
    /// and are killed; the server's memory is watched. Exit code 1 if a check fails.
    Soak(SoakCommand),
    /// Hundreds of radios in talk groups: from the key to the floor, and from the wish to listen to
    /// the voice, as `name: value` lines. Exit code 1 if the goal is missed.
    Talk(TalkCommand),
}

#[derive(Args, Debug)]
struct Connection {
    /// Where the server is.
    #[arg(long, value_name = "URL", default_value = "https://127.0.0.1:8443")]
    server: String,
    /// The authority that signed the server's certificate (PEM), e.g. data/tls/ca.pem.
    #[arg(long, value_name = "FILE", conflicts_with = "insecure")]
    ca: Option<PathBuf>,
    /// Take any certificate.
    #[arg(long)]
    insecure: bool,
    /// The password of all accounts.
    #[arg(long, env = "LIANDONG_DEMO_PASSWORD", hide_env_values = true)]
    password: Option<String>,
    /// Where to read it from: the server's demo-logins.txt, or a file with
    /// lines of `account password`, or with the password alone.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// The list of sites (CSV: code,tier,name,parent); without it the demo county.
    #[arg(long, value_name = "FILE")]
    site_list: Option<PathBuf>,
    /// The network addresses that media goes over.
    #[arg(long, value_name = "IP", default_value = "127.0.0.1")]
    media_address: Vec<std::net::IpAddr>,
}

#[derive(Args, Debug)]
struct Conduct {
    /// What the sites do when they are rung.
    #[arg(long, value_enum, default_value_t = Answer::Auto)]
    answer: Answer,
    /// Accept so long after the ring, whatever the countdown.
    #[arg(long, value_name = "MS")]
    answer_after_ms: Option<u64>,
    /// How many videos each site receives at a time.
    #[arg(long, value_name = "K", default_value_t = 4, value_parser = clap::value_parser!(u8).range(0..=49))]
    slots: u8,
    /// How many sounds each site receives at a time.
    #[arg(long, value_name = "K", default_value_t = 4, value_parser = clap::value_parser!(u8).range(0..=4))]
    audio_slots: u8,
    /// Send the picture in three sizes (320×180, 640×360, 1280×720).
    #[arg(long)]
    simulcast: bool,
    /// Signaling only: no picture, no sound.
    #[arg(long)]
    no_media: bool,
    /// Write the figures there as JSON.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Say nothing but errors.
    #[arg(long)]
    quiet: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Answer {
    /// Accept when the countdown ends, or at once where there is none.
    Auto,
    /// Accept at once.
    AtOnce,
    /// Let it ring.
    Never,
    Decline,
}

#[derive(Args, Debug)]
struct SitesCommand {
    #[command(flatten)]
    connection: Connection,
    /// So many sites, spread over the townships and their communities.
    #[arg(long, default_value_t = 12, conflicts_with = "sites")]
    count: usize,
    /// These sites, by code.
    #[arg(long, value_name = "CODE,…", value_delimiter = ',')]
    sites: Vec<String>,
    #[command(flatten)]
    conduct: Conduct,
}

#[derive(Args, Debug)]
struct CallCommand {
    #[command(flatten)]
    connection: Connection,
    /// How many sites are online and are called.
    #[arg(long, value_name = "COUNT", default_value_t = 49)]
    sites: usize,
    /// How long the call goes on once all are in.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// The account that calls.
    #[arg(long, default_value = "commander")]
    caller: String,
    /// How many videos the caller receives at a time.
    #[arg(long, value_name = "K", default_value_t = 49, value_parser = clap::value_parser!(u8).range(0..=49))]
    caller_slots: u8,
    /// The check of the answer times, 95th percentile.
    #[arg(long, value_name = "MS", default_value_t = 3000.0)]
    max_answer_p95_ms: f64,
    /// Report an incident first, and call by one tap on the plan that fits it best.
    #[arg(long)]
    by_plan: bool,
    /// Once all are in, each bot asks for tiles of this height, chosen by chance.
    #[arg(long, value_name = "PIXELS")]
    tile_height: Option<u32>,
    /// The server's process on this machine, to say what it takes.
    #[arg(long, value_name = "PID")]
    server_pid: Option<u32>,
    #[command(flatten)]
    conduct: Conduct,
}

#[derive(Args, Debug)]
struct SoakCommand {
    #[command(flatten)]
    connection: Connection,
    /// How long.
    #[arg(long, default_value_t = 30.0)]
    minutes: f64,
    /// How many sites take part, a quarter of them as processes of their own that are killed.
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    sites: usize,
    #[arg(long, default_value = "commander")]
    caller: String,
    /// The server's process on this machine, whose memory is watched.
    #[arg(long, value_name = "PID")]
    server_pid: u32,
    /// Listen there and pass media on to the server: the server is to advertise this address
    /// (--advertise-media). Then all clients change their network together at times.
    #[arg(long, value_name = "IP:PORT", requires = "media_server")]
    media_proxy: Option<std::net::SocketAddr>,
    /// Where the server's media port is, for the proxy.
    #[arg(long, value_name = "IP:PORT")]
    media_server: Option<std::net::SocketAddr>,
    /// Chance repeats with it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    conduct: Conduct,
}

#[derive(Args, Debug)]
struct TalkCommand {
    #[command(flatten)]
    connection: Connection,
    /// Accounts `member1`, `member2` …, each in one group.
    #[arg(long, value_name = "COUNT", default_value_t = 600)]
    members: usize,
    /// How long they press their keys.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Between two presses of one member, on average.
    #[arg(long, value_name = "SECONDS", default_value_t = 12.0)]
    pause: f64,
    /// Groups in which one speaks with sound and another one comes late.
    #[arg(long, value_name = "COUNT", default_value_t = 24)]
    late_groups: usize,
    /// The check from the key to the floor, 99th percentile.
    #[arg(long, value_name = "MS", default_value_t = 150.0)]
    max_grant_p99_ms: f64,
    /// Chance repeats with it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    conduct: Conduct,
}

/// Sets the log up: to standard error, by `RUST_LOG`.
pub fn log(arguments: &Arguments) {
    let conduct = match &arguments.command {
        Command::Sites(sites) => &sites.conduct,
        Command::Call(call) => &call.conduct,
        Command::Soak(soak) => &soak.conduct,
        Command::Talk(talk) => &talk.conduct,
    };
    // The media stack warns of what is no matter here, once per connection.
    let standard = if conduct.quiet {
        "error"
    } else {
        "error,liandong_loadtest=info"
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(standard));
    // A second call in one process (a test) changes nothing.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .try_init();
}

/// Runs the command; false when a check failed.
///
/// # Errors
/// What keeps the command from its work, for one line to the user.
pub async fn run(arguments: Arguments) -> anyhow::Result<bool> {
    match arguments.command {
        Command::Sites(command) => run_sites(command).await,
        Command::Call(command) => run_call(command).await,
        Command::Soak(command) => run_soak(command).await,
        Command::Talk(command) => run_talk(command).await,
    }
}

async fn run_sites(command: SitesCommand) -> anyhow::Result<bool> {
    let all = sites::read(command.connection.site_list.as_deref())?;
    let chosen = if command.sites.is_empty() {
        sites::spread(&all, command.count)?
    } else {
        sites::named(&all, &command.sites)?
    };
    let fleet = fleet(&command.connection, &command.conduct, &all).await?;
    let report = scenario::sites(&fleet, &chosen, command.conduct.quiet).await?;
    finish(report, &command.conduct)
}

async fn run_call(command: CallCommand) -> anyhow::Result<bool> {
    let all = sites::read(command.connection.site_list.as_deref())?;
    let mut fleet = fleet(&command.connection, &command.conduct, &all).await?;
    if command.conduct.answer == Answer::Auto && command.conduct.answer_after_ms.is_none() {
        // The countdown is for the people in the room; the scenario measures the system.
        fleet.behaviour = Behaviour::AnswerAfter(Duration::ZERO);
    }
    let scenario = CallScenario {
        sites: sites::spread(&all, command.sites)?,
        root: all
            .first()
            .context("the list of sites is empty")?
            .code
            .clone(),
        caller: AccountId(command.caller),
        caller_slots: command.caller_slots,
        duration: Duration::from_secs(command.seconds),
        max_answer_p95_ms: command.max_answer_p95_ms,
        by_plan: command.by_plan,
        tile_height: command.tile_height,
        server: command.server_pid.map(Process::of),
    };
    let report = scenario::call(&fleet, &scenario).await?;
    finish(report, &command.conduct)
}

async fn run_soak(command: SoakCommand) -> anyhow::Result<bool> {
    let all = sites::read(command.connection.site_list.as_deref())?;
    let mut fleet = fleet(&command.connection, &command.conduct, &all).await?;
    fleet.behaviour = Behaviour::AnswerAfter(Duration::ZERO);
    let proxy = match (command.media_proxy, command.media_server) {
        (Some(listen), Some(server)) => {
            let proxy = Proxy::start(listen, server, command.seed).await;
            Some(proxy.with_context(|| format!("cannot listen on {listen}"))?)
        }
        _ => None,
    };
    let scenario = SoakScenario {
        sites: sites::spread(&all, command.sites)?,
        root: all
            .first()
            .context("the list of sites is empty")?
            .code
            .clone(),
        caller: AccountId(command.caller),
        duration: Duration::from_secs_f64(command.minutes * 60.0),
        server: Process::of(command.server_pid),
        proxy,
        seed: command.seed,
        own_process: own_process(&command.connection, &command.conduct)?,
    };
    let report = scenario::soak(&fleet, &scenario).await?;
    finish(report, &command.conduct)
}

async fn run_talk(command: TalkCommand) -> anyhow::Result<bool> {
    let all = sites::read(command.connection.site_list.as_deref())?;
    let fleet = fleet(&command.connection, &command.conduct, &all).await?;
    let scenario = TalkScenario {
        members: command.members,
        duration: Duration::from_secs(command.seconds),
        pause: Duration::from_secs_f64(command.pause),
        late_groups: command.late_groups,
        max_grant_p99_ms: command.max_grant_p99_ms,
        seed: command.seed,
    };
    let report = scenario::talk(&fleet, &scenario).await?;
    if let Some(path) = &command.conduct.report {
        let text = serde_json::to_string_pretty(&report).context("the report is not JSON")?;
        std::fs::write(path, text + "\n")
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    print!("{report}");
    Ok(report.passed())
}

/// The command line that keeps further sites online, but for which ones.
fn own_process(connection: &Connection, conduct: &Conduct) -> anyhow::Result<OwnProcess> {
    let mut arguments = vec!["sites".to_owned(), "--quiet".to_owned()];
    let mut option = |name: &str, value: String| arguments.extend([format!("--{name}"), value]);
    option("server", connection.server.clone());
    if let Some(ca) = &connection.ca {
        option("ca", ca.display().to_string());
    }
    if let Some(file) = &connection.password_file {
        option("password-file", file.display().to_string());
    }
    if let Some(list) = &connection.site_list {
        option("site-list", list.display().to_string());
    }
    option("slots", conduct.slots.to_string());
    option("answer", "at-once".to_owned());
    arguments.extend(connection.insecure.then(|| "--insecure".to_owned()));
    arguments.extend(conduct.simulcast.then(|| "--simulcast".to_owned()));
    Ok(OwnProcess {
        program: std::env::current_exe().context("this program's own path")?,
        arguments,
        password: connection.password.clone(),
    })
}

async fn fleet(connection: &Connection, conduct: &Conduct, all: &[Site]) -> anyhow::Result<Fleet> {
    let trust = match (&connection.ca, connection.insecure) {
        (Some(path), _) => {
            appears(path).await;
            Trust::Authority(path)
        }
        (None, true) => Trust::Anybody,
        (None, false) => anyhow::bail!("--ca FILE or --insecure is needed"),
    };
    let choice = match (&connection.password, &connection.password_file) {
        (Some(password), _) => Choice::Same(password.clone()),
        (None, Some(path)) => {
            appears(path).await;
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            password::parse(&text)
                .with_context(|| format!("there is no password in {}", path.display()))?
        }
        (None, None) => anyhow::bail!(
            "--password, --password-file or LIANDONG_DEMO_PASSWORD in the environment is needed"
        ),
    };
    Ok(Fleet {
        server: Server::new(&connection.server, &trust)?,
        passwords: choice,
        behaviour: match (conduct.answer_after_ms, conduct.answer) {
            (_, Answer::Never) => Behaviour::Never,
            (_, Answer::Decline) => Behaviour::Decline,
            (Some(ms), _) => Behaviour::AnswerAfter(Duration::from_millis(ms)),
            (None, Answer::AtOnce) => Behaviour::AnswerAfter(Duration::ZERO),
            (None, Answer::Auto) => Behaviour::Answer,
        },
        media: (!conduct.no_media).then(|| MediaPlan {
            video_slots: conduct.slots,
            audio_slots: conduct.audio_slots,
            sends: true,
            simulcast: conduct.simulcast,
            addresses: connection.media_address.clone(),
        }),
        roll: Arc::new(all.iter().map(|s| (s.code.clone(), s.index)).collect()),
    })
}

/// Waits for a file that the server makes at its first start.
async fn appears(path: &Path) {
    let mut said = false;
    while !path.exists() {
        if !said {
            tracing::info!("waits for {}", path.display());
            said = true;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn finish(report: Report, conduct: &Conduct) -> anyhow::Result<bool> {
    if let Some(path) = &conduct.report {
        let text = serde_json::to_string_pretty(&report).context("the report is not JSON")?;
        std::fs::write(path, text + "\n")
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    if !conduct.quiet {
        println!("{}: {}", report.scenario, report.server);
        print!("{}", report.in_words());
    }
    Ok(report.passed())
}

#[cfg(test)]
mod tests;
