//! `cargo xtask engines -- <command>`: runs a command beside the engines that Mashang can stand on, each started for this
//! one command on a free port in a temporary folder, and stopped afterwards.
//!
//! The command learns where they are from variables, `MASHANG_TEST_…`; the tests that need an engine read nothing else.
//! Whatever an engine holds may be lost at any moment: nothing here waits for a disk.

mod process;
mod redis;
mod sql;

use std::process::Command;

use anyhow::{Context, bail};
use tempfile::TempDir;

use process::Running;

const USAGE: &str = "cargo xtask engines [--] <command …>
  runs the command with MASHANG_TEST_POSTGRES, MASHANG_TEST_MARIADB, MASHANG_TEST_REDIS, MASHANG_TEST_REDIS_CLUSTER
  and MASHANG_TEST_REDIS_SENTINEL set to engines that live as long as it does, such as
  cargo xtask engines -- cargo test -p mashang-store --features engines";

/// Programs that show whether Debian's packages after them are there.
pub const PACKAGES: [(&str, &[&str]); 4] = [
    ("/usr/bin/pg_ctlcluster", &["postgresql"]),
    ("/usr/sbin/mariadbd", &["mariadb-server"]),
    ("/usr/bin/redis-server", &["redis-server"]),
    ("/usr/bin/redis-sentinel", &["redis-sentinel"]),
];

/// Running engines; stopped when dropped.
pub struct Engines {
    variables: Vec<(&'static str, String)>,
    // Stopped before their folder goes.
    _running: Vec<Running>,
    _folder: TempDir,
}

impl Engines {
    /// Starts all of them, and returns when each answers.
    ///
    /// # Errors
    /// Which one did not start, with what it said.
    pub fn start() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("mashang-engines-").tempdir()?;
        process::let_others_through(folder.path())?;
        let mut running = Vec::new();
        let mut variables = Vec::new();
        let (postgres, url) = sql::postgres(folder.path()).context("PostgreSQL")?;
        running.push(postgres);
        variables.push(("MASHANG_TEST_POSTGRES", url));
        let (mariadb, url) = sql::mariadb(folder.path()).context("MariaDB")?;
        running.push(mariadb);
        variables.push(("MASHANG_TEST_MARIADB", url));
        for (variable, start) in redis::FACES {
            let (more, url) = start(folder.path()).with_context(|| format!("Redis for {variable}"))?;
            running.extend(more);
            variables.push((variable, url));
        }
        Ok(Self { variables, _running: running, _folder: folder })
    }

    /// Tells a command where the engines are.
    pub fn introduce(&self, command: &mut Command) {
        command.envs(self.variables.iter().map(|(name, url)| (name, url)));
    }
}

/// Runs one command beside the engines.
///
/// # Errors
/// When an engine does not start, and when the command fails.
pub fn run(arguments: &[String]) -> anyhow::Result<()> {
    let words = match arguments {
        [dashes, rest @ ..] if dashes == "--" => rest,
        all => all,
    };
    let [program, rest @ ..] = words else { bail!("{USAGE}") };
    let engines = Engines::start()?;
    let mut command = Command::new(program);
    command.args(rest);
    engines.introduce(&mut command);
    let status = command.status().with_context(|| format!("cannot start {program}"))?;
    if status.success() { Ok(()) } else { bail!("{program} ended with {status}") }
}
