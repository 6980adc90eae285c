//! One engine as a process: who it runs as, what it says, how it ends.

#![allow(
    clippy::disallowed_methods,
    reason = "a chore waits for processes: it has one thread, and nothing to pause"
)]

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};

/// How long an engine may take until it answers.
const START: Duration = Duration::from_secs(60);
/// How long it may take to end before it is killed.
const END: Duration = Duration::from_secs(10);

/// A running engine; stopped when dropped.
pub struct Running {
    child: Child,
    log: PathBuf,
    goodbye: Signal,
}

impl Running {
    /// Starts `command`; what it prints goes to `log`. `goodbye` is the signal that ends it fast.
    pub fn start(command: &mut Command, log: PathBuf, goodbye: Signal) -> anyhow::Result<Self> {
        let file = File::create(&log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("cannot start {command:?}"))?;
        Ok(Self { child, log, goodbye })
    }

    /// Waits until `answers` succeeds.
    ///
    /// # Errors
    /// What the engine printed, when it ended or took too long.
    pub fn ready(mut self, answers: &mut Command) -> anyhow::Result<Self> {
        let begun = Instant::now();
        loop {
            if quiet(answers).is_ok_and(|status| status.success()) {
                return Ok(self);
            }
            if self.child.try_wait()?.is_some() || begun.elapsed() > START {
                bail!("does not answer; it said:\n{}", fs::read_to_string(&self.log).unwrap_or_default());
            }
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself, which whoever used it has noticed.
        if let Ok(pid) = i32::try_from(self.child.id())
            && let Some(pid) = Pid::from_raw(pid)
        {
            let _ = kill_process(pid, self.goodbye);
        }
        let begun = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && begun.elapsed() < END {
            thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn quiet(command: &mut Command) -> std::io::Result<std::process::ExitStatus> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status()
}

/// Runs a preparing command to its end.
///
/// # Errors
/// What it printed, when it failed.
pub fn prepare(command: &mut Command) -> anyhow::Result<()> {
    let output = command.output().with_context(|| format!("cannot start {command:?}"))?;
    if !output.status.success() {
        let said = [output.stdout, output.stderr].concat();
        bail!("{command:?} ended with {}:\n{}", output.status, String::from_utf8_lossy(&said));
    }
    Ok(())
}

/// A program that ends when we do, however we end: nobody who is killed stops what they started.
pub fn bound(program: impl AsRef<Path>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]).arg(program.as_ref());
    command
}

/// Some engines refuse to run as root: then they run as the user of this name, who owns what they own.
#[derive(Debug, Clone, Copy)]
pub struct Owner(Option<(u32, u32)>);

impl Owner {
    /// The user that the system's package made, when we are root.
    pub fn named(name: &str) -> anyhow::Result<Self> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self(None));
        }
        let users = fs::read_to_string("/etc/passwd")?;
        let line = users.lines().find(|line| line.split(':').next() == Some(name));
        let fields: Vec<&str> =
            line.with_context(|| format!("there is no user {name}"))?.split(':').collect();
        Ok(Self(Some((fields[2].parse()?, fields[3].parse()?))))
    }

    /// A folder of theirs.
    pub fn folder(self, path: PathBuf) -> anyhow::Result<PathBuf> {
        fs::create_dir(&path)?;
        if let Some((user, group)) = self.0 {
            chown(&path, Some(user), Some(group))?;
        }
        Ok(path)
    }

    /// A command that runs as them.
    pub fn command(self, program: impl AsRef<Path>) -> Command {
        let mut command = bound(program);
        // Somewhere they may be.
        command.current_dir("/");
        if let Some((user, group)) = self.0 {
            command.uid(user).gid(group);
        }
        command
    }
}

/// Lets engines that run as another user reach their folder below ours.
pub fn let_others_through(folder: &Path) -> std::io::Result<()> {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))
}

/// A port that nobody uses. Not one of those that outgoing connections get: an engine that is stopped and started again
/// by a test finds its port free.
pub fn free_port() -> anyhow::Result<u16> {
    // Each process begins elsewhere, so that two runs on one machine rarely try the same one.
    let first = 20_000 + u16::try_from(std::process::id() % 10_000)?;
    static NEXT: std::sync::atomic::AtomicU16 = std::sync::atomic::AtomicU16::new(0);
    for _ in 0..1_000 {
        let port = first + NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        if port < 32_000 && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no free port below 32000")
}
