//! `cargo xtask test`: every test there is. Runs all runners even when one fails, repeats what each said about its failures
//! and what it counted, and ends with `N passed, N failed`. Needs the network only for the registries of crates, npm and
//! PyPI, and for the system's packages where it may install them.

mod tally;
mod tools;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, bail};

use crate::engines::Engines;
use crate::guard;
use tally::{Account, CARGO, NODE, Tally, watch};
use tools::PythonTools;

/// Turns on the tests that need an engine beside them (`xtask engines`).
const ENGINES: &str = "mashang-store/engines";

/// What one runner came to.
struct Outcome {
    name: &'static str,
    account: Account,
    /// A sentence, when it could not even run.
    trouble: Option<String>,
}

/// Runs everything, and says how it went by the exit code.
pub fn run() -> ExitCode {
    let root = root();
    let mut outcomes = Vec::new();
    let mut step = |name: &'static str, work: &mut dyn FnMut() -> anyhow::Result<Account>| {
        println!("\n── {name}");
        let (account, trouble) = match work() {
            Ok(account) => (account, None),
            Err(error) => (Tally::FAILED.into(), Some(format!("{error:#}"))),
        };
        let went_well = account.tally.failed == 0;
        outcomes.push(Outcome { name, account, trouble });
        went_well
    };
    if tools::has_component("fmt") {
        step("format", &mut || one(cargo(&root).args(["fmt", "--all", "--check"])));
    }
    if tools::has_component("clippy") {
        step("lints", &mut || {
            one(cargo(&root).args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
        });
    }
    step("walls between crates", &mut || guard::run().map(|()| Tally::PASSED.into()));
    let mut engines = None;
    step("engines", &mut || {
        tools::install_engines()?;
        engines = Some(Engines::start()?);
        Ok(Tally::PASSED.into())
    });
    step("cargo test", &mut || {
        let mut command = cargo(&root);
        command.args(["test", "--workspace", "--no-fail-fast"]);
        if let Some(engines) = &engines {
            command.args(["--features", ENGINES]);
            engines.introduce(&mut command);
        }
        watch(&mut command, CARGO)
    });
    // Without their tools the journeys would fail one by one and bury the one sentence that helps.
    if step("tools of the journeys", &mut || tools::prepare(&root).map(|()| Tally::PASSED.into())) {
        step("journeys in browsers", &mut || node(&root, "journeys"));
        step("clients that are not ours", &mut || node(&root, "clients"));
        step("clients of the sandbox", &mut || node(&root, "clients/sandbox"));
        step("browser SDK", &mut || sdk(&root));
        step("examples", &mut || examples(&root));
        step("ZenTao", &mut || node(&root, "zentao"));
        step("deploy files", &mut || node(&root, "deploy"));
        step("several nodes", &mut || nodes(&root, engines.as_ref()));
    }
    close(&outcomes)
}

/// The last lines: each runner's, then the sum.
fn close(outcomes: &[Outcome]) -> ExitCode {
    for Outcome { name, account, .. } in
        outcomes.iter().filter(|outcome| !outcome.account.failures.is_empty())
    {
        println!("\n── failed in {name}\n{}", account.failures.join("\n"));
    }
    println!();
    let mut sum = Tally::default();
    for Outcome { name, account: Account { tally, .. }, trouble } in outcomes {
        println!("{name}: {tally}{}", trouble.as_ref().map(|text| format!(" ({text})")).unwrap_or_default());
        sum += *tally;
    }
    println!("{sum}");
    if sum.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The workspace's folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the workspace").to_owned()
}

/// Where cargo puts things.
///
/// # Errors
/// When `cargo metadata` fails.
pub fn target_folder(root: &Path) -> anyhow::Result<PathBuf> {
    let output = cargo(root).args(["metadata", "--no-deps", "--format-version", "1"]).output()?;
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).context("cargo metadata")?;
    Ok(metadata["target_directory"].as_str().context("cargo metadata names no target folder")?.into())
}

fn cargo(root: &Path) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(root);
    command
}

/// A command that is one test: it succeeds or it does not.
fn one(command: &mut Command) -> anyhow::Result<Account> {
    let status = command.status().with_context(|| format!("{command:?}"))?;
    Ok(if status.success() { Tally::PASSED } else { Tally::FAILED }.into())
}

/// Builds the program under test and returns where it is.
///
/// # Errors
/// When it does not build.
pub fn build(root: &Path) -> anyhow::Result<PathBuf> {
    if !cargo(root).args(["build", "-p", "mashang-cli"]).status()?.success() {
        bail!("the program does not build");
    }
    Ok(target_folder(root)?.join("debug").join("mashang"))
}

/// Runs the test files of one folder below `tests/` with node's own runner.
fn node(root: &Path, folder: &str) -> anyhow::Result<Account> {
    run_node(root, test_files(&root.join("tests").join(folder))?, None)
}

/// Several nodes over the engines.
fn nodes(root: &Path, engines: Option<&Engines>) -> anyhow::Result<Account> {
    let engines = engines.context("the engines did not start")?;
    run_node(root, test_files(&root.join("tests").join("nodes"))?, Some(engines))
}

/// The SDK: its types, its own tests, and its pages in a browser.
fn sdk(root: &Path) -> anyhow::Result<Account> {
    let folder = root.join("sdk").join("js");
    tools::node_packages(&folder)?;
    let mut account = one(Command::new("npm").args(["run", "--silent", "check"]).current_dir(&folder))?;
    let mut files = test_files(&folder.join("test"))?;
    files.extend(test_files(&root.join("tests").join("sdk"))?);
    account += run_node(root, files, None)?;
    Ok(account)
}

/// Runs the tests that examples have for themselves, and those that start them by their documented command.
fn examples(root: &Path) -> anyhow::Result<Account> {
    let mut files = test_files(&root.join("tests").join("examples"))?;
    for entry in std::fs::read_dir(root.join("examples"))? {
        let tests = entry?.path().join("test");
        if tests.is_dir() {
            files.extend(test_files(&tests)?);
        }
    }
    files.sort();
    run_node(root, files, None)
}

fn test_files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files: Vec<_> =
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<_>>()?;
    files.retain(|file| {
        let name = file.to_string_lossy();
        name.ends_with(".test.mjs") || name.ends_with(".test.js")
    });
    files.sort();
    Ok(files)
}

fn run_node(root: &Path, files: Vec<PathBuf>, engines: Option<&Engines>) -> anyhow::Result<Account> {
    let program = build(root)?;
    let mut command = Command::new("node");
    command
        .args(["--test", "--test-reporter=spec", "--test-concurrency=2"])
        .args(files)
        .current_dir(root.join("tests"))
        .env("MASHANG_BIN", program)
        .env("AUTHLIB_PYTHON", PythonTools::AUTHLIB.programs(root)?.join("python"))
        .env("DEPLOY_TOOLS", PythonTools::DEPLOY.programs(root)?)
        .env("NO_COLOR", "1");
    if let Some(engines) = engines {
        engines.introduce(&mut command);
    }
    watch(&mut command, NODE)
}
