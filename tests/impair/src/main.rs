//! The program `liandong-impair`.

use std::net::SocketAddr;

use anyhow::{Context, bail};
use clap::Parser;
use liandong_impair::{Command, Proxy};
use tokio::io::{AsyncBufReadExt, BufReader};

/// A bad line between clients and a server: UDP and TCP, seeded.
///
/// Says where it listens as a line of JSON, then takes changes as lines of JSON
/// on its standard input and answers each with its counters. Ends with its input.
#[derive(Debug, Parser)]
#[command(name = "liandong-impair", version, max_term_width = 100)]
struct Arguments {
    /// Where clients are to send to; port 0 finds one.
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Where the server is, for UDP and TCP.
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:8443")]
    server: SocketAddr,
    /// Chance repeats with it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The first line of the input, e.g. '{"down":{"kbps":300}}'.
    #[arg(long, value_name = "JSON")]
    begin: Option<String>,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?
        .block_on(run(arguments))
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let proxy = Proxy::start(arguments.listen, arguments.server, arguments.seed)
        .await
        .with_context(|| format!("cannot listen on {}", arguments.listen))?;
    if let Some(line) = &arguments.begin
        && let Err(mistake) = obey(&proxy, line)
    {
        bail!("--begin: {mistake}");
    }
    println!(
        "{}",
        serde_json::json!({ "listening": proxy.address().to_string() })
    );
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        match obey(&proxy, &line) {
            Ok(()) => println!("{}", serde_json::to_string(&proxy.counters())?),
            Err(mistake) => println!("{}", serde_json::json!({ "mistake": mistake })),
        }
    }
    Ok(())
}

fn obey(proxy: &Proxy, line: &str) -> Result<(), String> {
    let command: Command = serde_json::from_str(line).map_err(|e| e.to_string())?;
    proxy.change(&command)
}
