//! `cargo xtask bench`: how fast, how small, how soon. Figures, not a test: nothing here passes or fails by a number.
//!
//! One run measures Mashang and, beside it, a bare axum "hello" on the same machine with the same load generator, so
//! that the ratios mean something on any machine. It runs the release binary as a user would: by its command line, over
//! loopback, with SQLite on the disk of the target folder, and the sandbox in a process of its own.
//!
//! | module | what |
//! |---|---|
//! | `plan` | what is measured, in which order, how long |
//! | `process` | the programs under measurement: starting, stopping, their CPU time and memory |
//! | `hello` | the bare axum server |
//! | `http` | a small HTTP/1.1 client: the generator shares the machine, so it must cost little |
//! | `login` | the steps of one login as requests |
//! | `load` | many visitors for a while, and what that cost the server |
//! | `waiting` | browsers that wait: time from approval to event, memory each |
//! | `parts` | a QR, a signature, a commit, a million open tickets: in one process, beside what they are made of |
//! | `yardstick` | npm `oidc-provider` |
//! | `report` | the figures to reach, and the tables, on the terminal and in `docs/performance.md` |
//! | `history` | earlier runs, in `docs/performance-history.jsonl` |
//! | `plot` | the pictures in `docs/images` |

mod hello;
mod history;
mod http;
mod load;
mod login;
mod machine;
mod parts;
mod plan;
mod plot;
mod process;
mod report;
mod waiting;
mod yardstick;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

const USAGE: &str = "cargo xtask bench [--quick] [--rates] [--write]
  --quick   a tenth of the time and of the connections, to see that it runs; no figures to quote
  --rates   requests and logins only, in half a minute
  --write   also put the tables into docs/performance.md, the pictures into docs/images, and the run into the history";

/// How much to measure, and where the figures go.
#[derive(Debug, Clone, Copy, Default)]
struct Options {
    quick: bool,
    rates: bool,
    write: bool,
}

/// Runs the benchmark: builds release binaries and hands over to the release build of this very program, or, as that
/// program, measures.
///
/// # Errors
/// In sentences: what could not be built, started or reached.
pub fn run(arguments: &[String]) -> anyhow::Result<()> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        // How the release build of this program is started below; not for typing.
        ["hello"] => return hello::run(),
        ["with", program, rest @ ..] => return plan::run(Path::new(program), options(rest)?),
        _ => {}
    }
    options(&words)?;
    let folder = target_folder()?.join("release");
    // One after the other: built together, their shared dependencies would get the features of both.
    build(&["--package", "mashang-cli"])?;
    build(&["--package", "mashang-server", "--example", "parts"])?;
    build(&["--package", "xtask"])?;
    let status = Command::new(folder.join("xtask"))
        .args(["bench", "with"])
        .arg(folder.join("mashang"))
        .args(&words)
        .status()
        .context("the release build of xtask does not start")?;
    if status.success() { Ok(()) } else { bail!("the benchmark ended with {status}") }
}

fn options(words: &[&str]) -> anyhow::Result<Options> {
    let mut options = Options::default();
    for word in words {
        match *word {
            "--quick" => options.quick = true,
            "--rates" => options.rates = true,
            "--write" => options.write = true,
            other => bail!("`{other}` is not an option of bench\n{USAGE}"),
        }
    }
    if (options.quick || options.rates) && options.write {
        bail!("figures of a part, or of a quick run, are not for the document: leave out --write");
    }
    Ok(options)
}

fn build(what: &[&str]) -> anyhow::Result<()> {
    let status = Command::new("cargo").args(["build", "--release"]).args(what).status()?;
    if status.success() { Ok(()) } else { bail!("{} does not build", what.join(" ")) }
}

fn target_folder() -> anyhow::Result<PathBuf> {
    let output = Command::new("cargo").args(["metadata", "--format-version", "1", "--no-deps"]).output()?;
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).context("cargo metadata")?;
    Ok(metadata["target_directory"].as_str().context("cargo metadata names no target_directory")?.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_options_are_refused_by_name() {
        assert!(options(&["--fast"]).unwrap_err().to_string().contains("--fast"));
        assert!(options(&["--quick"]).unwrap().quick);
    }

    #[test]
    fn quick_figures_are_not_written_down() {
        assert!(options(&["--quick", "--write"]).is_err());
    }
}
