//! The programs under measurement: started as a user starts them, asked by `/proc` what they use, stopped when dropped.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tokio::time::{Instant, sleep};

use super::http::{Connection, between, request};
use super::login::{REDIRECT_URI, Site};

const START_TIME: Duration = Duration::from_secs(20);

/// A running program; killed when dropped.
pub struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself, which whoever waited for its answers has noticed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    fn start(command: &mut Command) -> anyhow::Result<Self> {
        let child =
            command.stdin(Stdio::null()).spawn().with_context(|| format!("{command:?} does not start"))?;
        Ok(Self(child))
    }

    /// Processor time so far, all threads, user and system, in seconds (proc(5): fields 14 and 15 of `stat`).
    pub fn cpu_seconds(&self) -> anyhow::Result<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0.id())).context("this needs Linux")?;
        let (_, fields) = stat.rsplit_once(") ").context("/proc/…/stat")?;
        let ticks: u64 =
            fields.split(' ').skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
        Ok(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
    }

    /// Resident memory, in bytes.
    pub fn resident_bytes(&self) -> anyhow::Result<u64> {
        let status =
            fs::read_to_string(format!("/proc/{}/status", self.0.id())).context("this needs Linux")?;
        let kilobytes: u64 = between(&status, "VmRSS:", "kB")?.trim().parse()?;
        Ok(kilobytes * 1024)
    }
}

/// A server that answers at an address.
pub struct Server {
    /// The process.
    pub running: Running,
    /// Where it listens.
    pub address: SocketAddr,
}

/// Engines outside of the process, for many nodes.
#[derive(Debug, Clone)]
pub struct Engines {
    /// `store.url`.
    pub store: String,
    /// `tickets.url`.
    pub tickets: String,
}

impl Engines {
    /// What `cargo xtask engines -- cargo xtask bench` hands over.
    pub fn of_environment() -> Option<Self> {
        #[expect(clippy::disallowed_methods, reason = "where `xtask engines` says what it started")]
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        Some(Self { store: variable("MASHANG_TEST_POSTGRES")?, tickets: variable("MASHANG_TEST_REDIS")? })
    }
}

/// Where one installation of Mashang keeps its files, and the program.
pub struct Installation {
    program: PathBuf,
    folder: PathBuf,
    address: SocketAddr,
    config: PathBuf,
}

impl Installation {
    /// In a new folder, with the sandbox at `sandbox` as its WeChat.
    ///
    /// The limits are out of the way, since all visitors come from a few addresses; tickets live as long as allowed, so
    /// that none expires while others are still being made.
    pub fn new(
        program: &Path,
        folder: PathBuf,
        sandbox: SocketAddr,
        engines: Option<&Engines>,
    ) -> anyhow::Result<Self> {
        fs::create_dir_all(&folder)?;
        let address = free_address()?;
        let at = |file: &str| folder.join(file).display().to_string();
        let text = format!(
            r#"[server]
public_url = "http://{address}"
listen = "{address}"
[store]
url = {database:?}
master_key_file = {key:?}
[login]
scan_seconds = 300
confirm_seconds = 300
[limits]
starts_per_minute = 60000000
polls_per_minute = 60000000
calls_per_minute = 60000000
live_tickets = 4000000
streams = 200000
streams_per_address = 200000
[sandbox]
enabled = true
url = "http://{sandbox}"
[channel.wechat]
kind = "wechat-official"
appid = "wx5a9d0b0c0de00002"
secret = "5a9d0b0c0de0000200000000deadbeef"
open_platform = "sandbox"
"#,
            database = engines
                .map_or_else(|| format!("sqlite:{}", at("mashang.db")), |engines| engines.store.clone()),
            key = at("master.key"),
        );
        let tickets = engines.map(|engines| format!("[tickets]\nurl = {:?}\n", engines.tickets));
        let config = folder.join("mashang.toml");
        fs::write(&config, text + &tickets.unwrap_or_default())?;
        Ok(Self { program: program.to_owned(), folder, address, config })
    }

    /// Another node of the same installation, at an address of its own.
    pub fn another_node(&self) -> anyhow::Result<Self> {
        let address = free_address()?;
        let listen = |address: SocketAddr| format!("listen = \"{address}\"");
        let text = fs::read_to_string(&self.config)?.replace(&listen(self.address), &listen(address));
        let config = self.folder.join(format!("node-{}.toml", address.port()));
        fs::write(&config, text)?;
        Ok(Self { program: self.program.clone(), folder: self.folder.clone(), address, config })
    }

    /// Registers a website.
    pub fn add_client(&self, id: &str, algorithm: &str) -> anyhow::Result<Site> {
        let output = Command::new(&self.program)
            .args(["client", "add", id, "--name", "Bench", "--redirect-uri", REDIRECT_URI])
            .args(["--id-token-alg", algorithm, "--config"])
            .arg(&self.config)
            .output()?;
        ensure!(output.status.success(), "client add: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout)?;
        Ok(Site { id: id.to_owned(), secret: between(&text, "client_secret: ", "\n")?.to_owned() })
    }

    /// Starts `mashang serve`; returns when it first answers, with the time that took.
    pub async fn start(&self) -> anyhow::Result<(Server, Duration)> {
        let log = File::options().create(true).append(true).open(self.folder.join("mashang.log"))?;
        let begun = Instant::now();
        let running = Running::start(
            Command::new(&self.program)
                .args(["serve", "--config"])
                .arg(&self.config)
                .stdout(Stdio::null())
                .stderr(log),
        )?;
        let server = Server { running, address: self.address };
        answers(server.address, "/healthz").await.with_context(|| {
            let log = fs::read_to_string(self.folder.join("mashang.log")).unwrap_or_default();
            format!("mashang serve did not start; its log:\n{log}")
        })?;
        Ok((server, begun.elapsed()))
    }
}

/// Starts `mashang sandbox`.
pub async fn start_sandbox(program: &Path) -> anyhow::Result<Server> {
    let address = free_address()?;
    let running = Running::start(
        Command::new(program)
            .args(["sandbox", "--listen", &address.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null()),
    )?;
    answers(address, "/sandbox/api/apps").await?;
    Ok(Server { running, address })
}

/// Starts the yardstick.
pub async fn start_hello() -> anyhow::Result<Server> {
    let server = start_telling(Command::new(std::env::current_exe()?).args(["bench", "hello"]))?;
    answers(server.address, "/").await?;
    Ok(server)
}

/// Starts the other yardstick, and returns when it first answers, with the time that took.
pub async fn start_provider(program: &Path) -> anyhow::Result<(Server, Duration)> {
    let begun = Instant::now();
    let server =
        start_telling(Command::new("node").arg(program).env("NODE_ENV", "production").stderr(Stdio::null()))?;
    answers(server.address, "/.well-known/openid-configuration").await?;
    Ok((server, begun.elapsed()))
}

/// Starts a program that prints its address as one line.
fn start_telling(command: &mut Command) -> anyhow::Result<Server> {
    use std::io::{BufRead, BufReader};
    let mut running = Running::start(command.stdout(Stdio::piped()))?;
    let stdout = running.0.stdout.take().context("stdout was piped")?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    let address = line.trim().parse().with_context(|| format!("{command:?} did not say where it listens"))?;
    Ok(Server { running, address })
}

/// Waits until `path` is answered with 200.
async fn answers(address: SocketAddr, path: &str) -> anyhow::Result<()> {
    let begun = Instant::now();
    let bytes = request("GET", address, path, &[], "");
    loop {
        match Connection::new(address).send(&bytes).await {
            Ok(answer) if answer.status == 200 => return Ok(()),
            _ if begun.elapsed() > START_TIME => bail!("{address} does not answer"),
            _ => sleep(Duration::from_millis(1)).await,
        }
    }
}

/// A port that is free now. Another process might take it before ours listens; then ours says so and the run ends.
fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
