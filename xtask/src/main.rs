//! The project's own chores: `cargo xtask <chore>`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line program talks on its terminal")]

mod bench;
mod engines;
mod fuzz;
mod guard;
mod screenshots;
mod test;

use std::process::ExitCode;

const USAGE: &str = "cargo xtask <chore>
  test          every test there is, browsers and foreign clients included
  engines       a command beside PostgreSQL, MariaDB and Redis, started for it alone
  fuzz          any bytes for what reads bytes of strangers, for a bounded time
  guard         the walls between the crates
  bench         measure speed, memory and size
  screenshots   pictures of every page, for looking and for the documentation";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["test"] => return test::run(),
        ["guard"] => guard::run(),
        ["screenshots"] => screenshots::run(),
        ["engines", ..] => engines::run(&arguments[1..]),
        ["fuzz", ..] => fuzz::run(&arguments[1..]),
        ["bench", ..] => bench::run(&arguments[1..]),
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
