//! The project's own chores: `cargo xtask <chore>`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line program talks on its terminal")]

mod bench;

use std::process::ExitCode;

const USAGE: &str = "cargo xtask bench   measure speed, memory and size";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.split_first() {
        Some((chore, rest)) if chore == "bench" => bench::run(rest),
        _ => Err(anyhow::anyhow!("{USAGE}")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
