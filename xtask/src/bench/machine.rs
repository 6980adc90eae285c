//! The machine the figures come from.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Context;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::time::Instant;

use super::load::median;

/// What one wants to know to compare figures.
#[derive(Debug)]
pub struct Machine {
    /// The processor's name.
    pub processor: String,
    /// Cores this process may use.
    pub cores: usize,
    /// The kernel's release.
    pub kernel: String,
    /// Median time of writing 4 KB and having the disk confirm it.
    pub disk: Duration,
    /// Commit of the working tree, with a `+` if it has changes.
    pub commit: String,
    /// The date, UTC.
    pub date: String,
}

impl Machine {
    /// Looks around; `folder` is on the disk to be timed.
    ///
    /// # Errors
    /// When the disk cannot be written or this is not Linux.
    pub fn look(folder: &Path) -> anyhow::Result<Self> {
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").context("this needs Linux")?;
        let processor = cpuinfo
            .lines()
            .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
            .map_or("unknown", |(_, name)| name.trim());
        Ok(Self {
            processor: processor.to_owned(),
            cores: std::thread::available_parallelism()?.get(),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease")?.trim().to_owned(),
            disk: disk(folder)?,
            commit: commit(),
            date: today(),
        })
    }
}

fn disk(folder: &Path) -> anyhow::Result<Duration> {
    let mut file = fs::File::create(folder.join("disk"))?;
    let mut times = Vec::new();
    for _ in 0..101 {
        let begun = Instant::now();
        file.write_all(&[1; 4096])?;
        file.sync_data()?;
        times.push(begun.elapsed());
    }
    Ok(median(&times, Duration::as_secs_f64))
}

fn commit() -> String {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).output().ok()?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let changed = git(&["status", "--porcelain", "--untracked-files=no", "crates", "Cargo.lock"]);
    let mark = if changed.is_some_and(|list| !list.is_empty()) { "+" } else { "" };
    git(&["rev-parse", "--short", "HEAD"]).map_or("unknown".into(), |commit| commit + mark)
}

#[expect(clippy::disallowed_methods, reason = "the date in the document is the day of the measurement")]
fn today() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%d").to_string()
}

/// Lets this process and those it starts open as many files as the system allows; returns how many that is.
///
/// # Errors
/// When the system refuses.
pub fn raise_open_files() -> anyhow::Result<u64> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })?;
    Ok(limit.maximum.unwrap_or(u64::MAX))
}
