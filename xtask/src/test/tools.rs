//! What the journeys need besides Rust: found, installed where that is ours to do, or named with the way to get it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use super::target_folder;
use crate::engines;

/// Files that show whether the packages after them are there.
const EXAMPLE_TOOLS: [(&str, &[&str]); 6] = [
    ("/usr/bin/php", &["php-cli", "php-curl", "php-mbstring", "php-zip"]),
    ("/usr/lib/apache2/modules/mod_auth_openidc.so", &["apache2", "libapache2-mod-auth-openidc"]),
    ("/usr/sbin/nginx", &["nginx"]),
    ("/usr/bin/mvn", &["maven"]),
    ("/usr/bin/javac", &["default-jdk-headless"]),
    ("/usr/bin/unzip", &["unzip"]),
];

/// The same for the files of `deploy/`.
const DEPLOY_TOOLS: [(&str, &[&str]); 6] = [
    ("/usr/sbin/nginx", &["nginx"]),
    ("/usr/bin/caddy", &["caddy"]),
    ("/usr/bin/openssl", &["openssl"]),
    ("/usr/bin/systemd-analyze", &["systemd"]),
    ("/usr/bin/redis-server", &["redis-server", "redis-tools"]),
    // For promtool, which tries the alerts.
    ("/usr/bin/promtool", &["prometheus"]),
];

/// Whether cargo has this component, such as `fmt`.
pub fn has_component(name: &str) -> bool {
    succeeds(Command::new("cargo").args([name, "--version"]))
}

/// Makes everything ready: chromium and its fonts, node's packages, a Python with Authlib.
///
/// # Errors
/// What is missing, and how to get it.
pub fn prepare(root: &Path) -> anyhow::Result<()> {
    let mut wanted = Vec::new();
    if !succeeds(Command::new("chromium").arg("--version")) {
        wanted.extend(["chromium", "fonts-noto-cjk"]);
    }
    if !succeeds(Command::new("python3").args(["-c", "import venv, ensurepip"])) {
        wanted.push("python3-venv");
    }
    install(&wanted)?;
    install_for("examples", &EXAMPLE_TOOLS);
    install_for("deploy files", &DEPLOY_TOOLS);
    if !succeeds(
        Command::new("node").args(["-e", "process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)"]),
    ) {
        bail!("the journeys need node 20 or newer with npm: https://nodejs.org");
    }
    node_packages(&root.join("tests"))?;
    if let Err(error) = PythonTools::DEPLOY.prepare(root) {
        println!("some deploy files will be skipped: {error:#}");
    }
    PythonTools::AUTHLIB.prepare(root)
}

/// Installs the packages that a folder's lock file names.
///
/// # Errors
/// When npm fails.
pub fn node_packages(folder: &Path) -> anyhow::Result<()> {
    must(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(folder))
}

/// Makes the engines' programs ready.
///
/// # Errors
/// What is missing, and how to get it.
pub fn install_engines() -> anyhow::Result<()> {
    install(&missing(&engines::PACKAGES))
}

/// What some tests need. Without it they are skipped, and say so: nobody needs PHP to work on Mashang.
fn install_for(what: &str, packages: &[(&str, &[&str])]) {
    if let Err(error) = install(&missing(packages)) {
        println!("some {what} will be skipped: {error:#}");
    }
}

/// The packages whose files are not there.
fn missing<'a>(packages: &[(&str, &[&'a str])]) -> Vec<&'a str> {
    let absent = packages.iter().filter(|(probe, _)| !Path::new(probe).exists());
    absent.flat_map(|(_, packages)| packages.iter().copied()).collect()
}

/// Installs packages of the system, if we may.
fn install(packages: &[&str]) -> anyhow::Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    let list = packages.join(" ");
    let may = rustix::process::geteuid().is_root() && succeeds(Command::new("apt-get").arg("--version"));
    if !may {
        bail!("missing: {list}. On Debian or Ubuntu: sudo apt-get install {list}");
    }
    println!("installing {list}");
    must(Command::new("apt-get").args(["update", "-qq"]))?;
    must(
        Command::new("apt-get")
            .args(["install", "-y", "-qq", "--no-install-recommends"])
            .args(packages)
            .env("DEBIAN_FRONTEND", "noninteractive"),
    )
}

/// Programs from PyPI, in an environment of their own below the target folder.
pub struct PythonTools {
    /// The environment's folder there.
    folder: &'static str,
    /// The folder below `tests/` whose `requirements.txt` pins them.
    wanted_by: &'static str,
}

impl PythonTools {
    /// Clients that are not ours.
    pub const AUTHLIB: Self = Self { folder: "authlib", wanted_by: "clients" };
    /// What looks at the files of `deploy/`.
    pub const DEPLOY: Self = Self { folder: "deploy-tools", wanted_by: "deploy" };

    /// Where the programs are, Python among them.
    ///
    /// # Errors
    /// When cargo does not say where the target folder is.
    pub fn programs(&self, root: &Path) -> anyhow::Result<PathBuf> {
        Ok(target_folder(root)?.join(self.folder).join("bin"))
    }

    /// Makes the environment, again only when the pinned versions changed.
    fn prepare(&self, root: &Path) -> anyhow::Result<()> {
        let pinned = root.join("tests").join(self.wanted_by).join("requirements.txt");
        let folder = target_folder(root)?.join(self.folder);
        let installed = folder.join("installed.txt");
        let wanted = std::fs::read(&pinned).with_context(|| pinned.display().to_string())?;
        if std::fs::read(&installed).is_ok_and(|found| found == wanted) {
            return Ok(());
        }
        must(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
        must(
            Command::new(self.programs(root)?.join("python"))
                .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
                .arg(&pinned),
        )?;
        std::fs::write(installed, wanted)?;
        Ok(())
    }
}

fn succeeds(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

fn must(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("cannot start {command:?}"))?;
    if !status.success() {
        bail!("{command:?} ended with {status}");
    }
    Ok(())
}
