//! The program `liandong-loadtest`.

use std::process::ExitCode;

use clap::Parser;
use liandong_loadtest::cli::{self, Arguments};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    cli::log(&arguments);
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("liandong-loadtest: no runtime: {error}");
            return ExitCode::from(2);
        }
    };
    match runtime.block_on(cli::run(arguments)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("liandong-loadtest: {error:#}");
            ExitCode::from(2)
        }
    }
}
