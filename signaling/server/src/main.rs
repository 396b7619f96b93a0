//! The program `liandong`.
#![forbid(unsafe_code)]

use std::io::IsTerminal as _;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use liandong_server::auth::password;
use liandong_server::backup::{backup, restore};
use liandong_server::config::{Config, Overrides};
use liandong_server::journal::verify::verify;
use liandong_server::start::{self, banner::Printing, second_factor};
use tracing_subscriber::EnvFilter;

/// Liandong 联动: three-tier video dispatch and command for a county.
#[derive(Debug, Parser)]
#[command(name = "liandong", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the server: web console, signaling and media in one process.
    Serve(Serve),
    /// Looks after the journal.
    Journal {
        #[command(subcommand)]
        command: JournalCommand,
    },
    /// Copies the data folder of a server, also of a running one, and verifies the copy.
    Backup {
        /// The data folder.
        #[arg(long, env = "LIANDONG_DATA", default_value = "data")]
        data: PathBuf,
        /// A folder that is not there yet.
        #[arg(long)]
        to: PathBuf,
    },
    /// Makes a data folder of a backup, after verifying it.
    Restore {
        #[arg(long)]
        from: PathBuf,
        /// A folder that is not there yet.
        #[arg(long, env = "LIANDONG_DATA", default_value = "data")]
        data: PathBuf,
    },
    /// Looks after second factors.
    SecondFactor {
        #[command(subcommand)]
        command: SecondFactorCommand,
    },
    /// Reads a password from standard input and prints its hash, for the table of accounts.
    HashPassword,
}

#[derive(Debug, Subcommand)]
enum JournalCommand {
    /// Walks the whole hash chain; also beside a running server.
    Verify {
        /// The data folder.
        #[arg(long, env = "LIANDONG_DATA", default_value = "data")]
        data: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
enum SecondFactorCommand {
    /// Takes away that of an account whose owner lost the phone and the recovery codes, and
    /// ends its sessions. The server must be stopped; while it runs, administrators do it.
    Remove {
        account: String,
        /// The data folder.
        #[arg(long, env = "LIANDONG_DATA", default_value = "data")]
        data: PathBuf,
    },
}

#[derive(Args, Debug)]
struct Serve {
    /// The configuration file.
    #[arg(
        long,
        env = "LIANDONG_CONFIG",
        default_value = "deploy/nanjiang/liandong.toml"
    )]
    config: PathBuf,
    /// Where journal, accounts and certificates are kept.
    #[arg(long, env = "LIANDONG_DATA", default_value = "data")]
    data: PathBuf,
    /// The address to listen on; `::` takes IPv4 too.
    #[arg(long)]
    listen: Option<IpAddr>,
    #[arg(long)]
    https_port: Option<u16>,
    /// The UDP port for media.
    #[arg(long)]
    media_port: Option<u16>,
    /// Media workers; 0: one per core.
    #[arg(long)]
    workers: Option<usize>,
    /// Further addresses that clients reach this machine by.
    #[arg(long, value_delimiter = ',')]
    advertise: Vec<IpAddr>,
    /// The only addresses with ports that clients are told for media, where a router
    /// forwards a port of its own.
    #[arg(long, value_name = "IP:PORT", value_delimiter = ',')]
    advertise_media: Vec<SocketAddr>,
    /// Prints the QR code for phones also when the output is no terminal.
    #[arg(long)]
    print_qr: bool,
    /// Logs as JSON, one object a line.
    #[arg(long, env = "LIANDONG_LOG_JSON")]
    log_json: bool,
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Serve(serve) => run(serve),
        Command::Journal {
            command: JournalCommand::Verify { data },
        } => match verify(&data) {
            Ok(verified) => {
                println!(
                    "journal sound: {} entries, last hash {}",
                    verified.entries,
                    hex::encode(verified.head)
                );
                Ok(())
            }
            Err(error) => Err(error.to_string()),
        },
        Command::Backup { data, to } => backup(&data, &to)
            .map(|made| println!("backup in {}: {}", to.display(), made.end()))
            .map_err(|error| error.to_string()),
        Command::Restore { from, data } => restore(&from, &data)
            .map(|made| println!("restored to {}: {}", data.display(), made.end()))
            .map_err(|error| error.to_string()),
        Command::SecondFactor {
            command: SecondFactorCommand::Remove { account, data },
        } => remove_second_factor(&data, &account),
        Command::HashPassword => hash_password(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("liandong: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(serve: Serve) -> Result<(), String> {
    log(serve.log_json);
    let overrides = Overrides {
        listen: serve.listen,
        https_port: serve.https_port,
        media_port: serve.media_port,
        workers: serve.workers,
        advertise: serve.advertise,
        advertise_media: serve.advertise_media,
    };
    let config = Config::load(&serve.config, &overrides).map_err(|error| error.to_string())?;
    let printing = if serve.print_qr {
        Printing::QrAlways
    } else {
        Printing::QrOnTerminal
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("no runtime: {error}"))?;
    runtime.block_on(async {
        let stop = signals().map_err(|error| format!("no signals: {error}"))?;
        start::serve(config, &serve.data, printing, stop)
            .await
            .map_err(|error| error.to_string())
    })
}

/// Completes on SIGTERM or SIGINT.
fn signals() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// To standard error, so that standard output has only what is for people.
fn log(json: bool) {
    let filter = EnvFilter::try_from_env("LIANDONG_LOG")
        .unwrap_or_else(|_| EnvFilter::new("info,rustls=warn,hyper=warn"));
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    if json {
        logs.json().init();
    } else {
        logs.init();
    }
}

fn remove_second_factor(data: &Path, account: &str) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .map_err(|error| format!("no runtime: {error}"))?;
    runtime
        .block_on(second_factor::remove(data, account))
        .map_err(|error| error.to_string())?;
    println!("{account} has no second factor any more, and is signed out everywhere");
    Ok(())
}

fn hash_password() -> Result<(), String> {
    let mut line = String::new();
    std::io::stdin()
        .read_line(&mut line)
        .map_err(|error| format!("no password: {error}"))?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err("no password: write it to standard input".to_owned());
    }
    println!(
        "{}",
        password::hash(password).map_err(|error| error.to_string())?
    );
    Ok(())
}
