//! `cargo xtask engines -- <command>`: runs a command beside the engines that Mashang can stand on, each started for this
//! one command on a free port in a temporary folder, and stopped afterwards.
//!
//! The command learns where they are from variables, `MASHANG_TEST_…`; the tests that need an engine read nothing else.
//! Whatever an engine holds may be lost at any moment: nothing here waits for a disk.

mod process;
mod redis;
mod sql;

use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};
use tempfile::TempDir;

use process::Running;

const USAGE: &str = "cargo xtask engines [--] <command …>
  runs the command with MASHANG_TEST_POSTGRES, MASHANG_TEST_MARIADB, MASHANG_TEST_REDIS, MASHANG_TEST_REDIS_CLUSTER
  and MASHANG_TEST_REDIS_SENTINEL set to engines that live as long as it does, such as
  cargo xtask engines -- cargo test -p mashang-store --features engines
  Where one of these is set already, that engine is used and none is started in its place: another version, or MySQL, whose
  user may make databases.";

/// Programs that show whether Debian's packages after them are there.
pub const PACKAGES: [(&str, &[&str]); 4] = [
    ("/usr/bin/pg_ctlcluster", &["postgresql"]),
    ("/usr/sbin/mariadbd", &["mariadb-server"]),
    ("/usr/bin/redis-server", &["redis-server"]),
    ("/usr/bin/redis-sentinel", &["redis-sentinel"]),
];

/// Starts an engine below a folder; returns its processes and its address.
type Start = fn(&Path) -> anyhow::Result<(Vec<Running>, String)>;

/// Running engines; stopped when dropped.
pub struct Engines {
    variables: Vec<(&'static str, String)>,
    // Stopped before their folder goes.
    _running: Vec<Running>,
    _folder: TempDir,
}

impl Engines {
    /// Starts all of them but those whose variable is set, and returns when each answers.
    ///
    /// # Errors
    /// Which one did not start, with what it said.
    pub fn start() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("mashang-engines-").tempdir()?;
        process::let_others_through(folder.path())?;
        let mut running = Vec::new();
        let mut variables = Vec::new();
        for (variable, start) in sql::FACES.into_iter().chain(redis::FACES) {
            if std::env::var_os(variable).is_some() {
                continue;
            }
            let (more, url) = start(folder.path()).context(variable)?;
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
