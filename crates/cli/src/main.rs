//! `mashang`: arguments become a configuration, and the configuration runs.
//!
//! Without arguments it is the demo: server, sandbox and a sample website on this machine. Start at [`args`].

#[macro_use]
mod say;

mod args;
mod audit;
mod client;
mod config;
mod demo;
mod doctor;
mod health;
mod keys;
mod logging;
mod migrate;
mod moving;
mod process;
mod sandbox;
mod serve;
mod switch;
mod user;
mod zentao;

use std::process::ExitCode;

use args::{Arguments, Command};
use clap::Parser;
// A login makes and drops thousands of small pieces in several threads, which is a quarter of its cost with glibc's allocator. This
// one takes the place of `malloc` itself, for SQLite and aws-lc as well; build.rs sees that it is linked. Rust is not told of it
// apart: by `#[global_allocator]` each piece would be asked for with its alignment, which is the slower way in.
use mimalloc as _;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // One TLS provider for the whole process; a second installation can only mean it is there already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            note!("mashang: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            note!("mashang: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    match arguments.command {
        None => demo::run(arguments.demo).await,
        Some(Command::Demo(demo)) => demo::run(demo).await,
        Some(Command::Serve(file)) => serve::run(&file).await,
        Some(Command::Doctor(file)) => doctor::run(&file).await,
        Some(Command::Health(asked)) => health::run(&asked).await,
        Some(Command::Sandbox(sandbox)) => sandbox::run(sandbox).await,
        Some(Command::Config(command)) => config::run(command),
        Some(Command::Client(command)) => client::run(command).await,
        Some(Command::User(command)) => user::run(command).await,
        Some(Command::Keys(command)) => keys::run(command).await,
        Some(Command::Audit(command)) => audit::run(command).await,
        Some(Command::Migrate(asked)) => migrate::run(&asked).await,
        Some(Command::Export(asked)) => moving::export(&asked).await,
        Some(Command::Import(asked)) => moving::import(&asked).await,
        Some(Command::ZentaoPlugin(asked)) => zentao::run(asked).await,
    }
}
