//! `cargo xtask fuzz`: any bytes for whatever reads bytes of strangers, for a bounded time and in bounded memory.
//!
//! The targets are in `fuzz/targets`, their seeds in `fuzz/corpus`. libFuzzer drives them on the stable compiler: the
//! flags below are those of cargo-fuzz without the address sanitizer, which needs a nightly one and would find little
//! in code that forbids `unsafe`. What a run learns stays in the target folder; seeds are written by hand.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use crate::test::root;

const USAGE: &str = "cargo xtask fuzz [--seconds N] [target…]
  --seconds N   for each target, 20 unless told
  target…       unless named, all but `request_head`, which takes the whole server along and builds longest";

/// Instruments every crate, for coverage and for comparisons.
const RUSTFLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

/// More resident memory is a finding.
const MEMORY_MIB: u32 = 512;
/// So is an input that takes longer.
const SECONDS_FOR_ONE: u32 = 5;

/// One program of `fuzz/targets`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Target {
    name: &'static str,
    /// The longest input in bytes: just beyond what the reader itself allows.
    longest: u32,
}

const TARGETS: [Target; 10] = [
    Target { name: "event_xml", longest: 66_000 },
    Target { name: "aes_envelope", longest: 4_096 },
    Target { name: "inbox", longest: 66_000 },
    Target { name: "callback_query", longest: 5_000 },
    Target { name: "platform_json", longest: 8_192 },
    Target { name: "user_data", longest: 4_096 },
    Target { name: "scan_link", longest: 128 },
    Target { name: "authorize", longest: 17_000 },
    Target { name: "redirect_uri", longest: 1_024 },
    Target { name: NEEDS_SERVER, longest: 4_096 },
];

/// The one that is built with the feature `server`, and only when it is named.
const NEEDS_SERVER: &str = "request_head";

/// What is to run.
#[derive(Debug, PartialEq, Eq)]
struct Plan {
    seconds: u32,
    targets: Vec<Target>,
}

/// What a run of one target said about itself.
#[derive(Debug, Default, PartialEq, Eq)]
struct Figures {
    runs: u64,
    runs_per_second: u64,
    /// Edges of the program that some input reached.
    coverage: u64,
    /// The input that was too much, if there was one.
    reproducer: Option<String>,
}

/// Builds the targets and runs one after the other.
///
/// # Errors
/// When something cannot be built, and when there is a finding.
pub fn run(arguments: &[String]) -> anyhow::Result<()> {
    let plan = plan(arguments)?;
    let folder = target_folder()?;
    build(&plan, &folder)?;
    let mut findings = 0;
    println!("{:<16}{:>12}{:>10}{:>10}  finding", "target", "runs", "runs/s", "coverage");
    for target in &plan.targets {
        let figures = run_one(target, plan.seconds, &folder)?;
        let Figures { runs, runs_per_second, coverage, reproducer } = figures;
        findings += usize::from(reproducer.is_some());
        let found = reproducer.as_deref().unwrap_or("none");
        println!("{:<16}{runs:>12}{runs_per_second:>10}{coverage:>10}  {found}", target.name);
    }
    if findings > 0 {
        bail!(
            "{findings} of {} targets have a finding; run the target on its file to see it again",
            plan.targets.len()
        );
    }
    Ok(())
}

fn plan(arguments: &[String]) -> anyhow::Result<Plan> {
    let mut plan = Plan { seconds: 20, targets: Vec::new() };
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        if word == "--seconds" {
            let number = words.next().and_then(|text| text.parse().ok()).filter(|seconds| *seconds > 0);
            plan.seconds = number.with_context(|| format!("--seconds wants a number\n{USAGE}"))?;
            continue;
        }
        let known = TARGETS.iter().find(|target| target.name == word);
        plan.targets.push(*known.with_context(|| format!("there is no target {word}\n{USAGE}"))?);
    }
    if plan.targets.is_empty() {
        plan.targets = TARGETS.into_iter().filter(|target| target.name != NEEDS_SERVER).collect();
    }
    Ok(plan)
}

/// Its own folder below the usual one: other flags, other artifacts.
fn target_folder() -> anyhow::Result<PathBuf> {
    let output = Command::new("cargo").args(["metadata", "--format-version", "1", "--no-deps"]).output()?;
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).context("cargo metadata")?;
    let folder = metadata["target_directory"].as_str().context("cargo metadata names no target_directory")?;
    Ok(Path::new(folder).join("fuzz"))
}

fn build(plan: &Plan, folder: &Path) -> anyhow::Result<()> {
    // The versions that ship are the versions that are tried; cargo adds the fuzzer to this copy.
    std::fs::copy(root().join("Cargo.lock"), root().join("fuzz/Cargo.lock"))?;
    let mut command = Command::new("cargo");
    command.current_dir(root().join("fuzz")).env("RUSTFLAGS", RUSTFLAGS).arg("build").arg("--release");
    // Naming the machine keeps the flags away from build scripts and macros, which nothing could link.
    command.args(["--target", &host()?, "--target-dir"]).arg(folder);
    for target in &plan.targets {
        command.args(["--bin", target.name]);
    }
    if plan.targets.iter().any(|target| target.name == NEEDS_SERVER) {
        command.args(["--features", "server"]);
    }
    if !command.status()?.success() {
        bail!("the fuzz targets were not built; they need a C++ compiler (Debian: apt install g++)");
    }
    Ok(())
}

fn host() -> anyhow::Result<String> {
    let output = Command::new("rustc").arg("-vV").output()?;
    let said = String::from_utf8(output.stdout)?;
    let line = said.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(line.context("rustc names no host")?.to_owned())
}

fn run_one(target: &Target, seconds: u32, folder: &Path) -> anyhow::Result<Figures> {
    let fuzz = root().join("fuzz");
    let (learnt, findings) =
        (folder.join("corpus").join(target.name), folder.join("findings").join(target.name));
    std::fs::create_dir_all(&learnt)?;
    std::fs::create_dir_all(&findings)?;
    let mut command = Command::new(folder.join(host()?).join("release").join(target.name));
    command
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-max_len={}", target.longest))
        .arg(format!("-rss_limit_mb={MEMORY_MIB}"))
        .arg(format!("-timeout={SECONDS_FOR_ONE}"))
        .arg(format!("-artifact_prefix={}/", findings.display()))
        .arg("-print_final_stats=1");
    let words = fuzz.join("dictionaries").join(format!("{}.dict", target.name));
    if words.exists() {
        command.arg(format!("-dict={}", words.display()));
    }
    // What is new goes into the first folder; the seeds stay as they were written.
    command.arg(learnt).arg(fuzz.join("corpus").join(target.name));
    let output =
        command.stdin(Stdio::null()).output().with_context(|| format!("cannot start {}", target.name))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let mut figures = read(&said);
    if !output.status.success() {
        let tail: Vec<&str> = said.lines().rev().take(40).collect();
        tail.iter().rev().for_each(|line| eprintln!("{}: {line}", target.name));
        figures.reproducer.get_or_insert_with(|| format!("ended with {}", output.status));
    }
    Ok(figures)
}

/// Reads libFuzzer's own words.
fn read(said: &str) -> Figures {
    let statistic = |name: &str| {
        let line =
            said.lines().find_map(|line| line.strip_prefix("stat::")?.strip_prefix(name)?.strip_prefix(':'));
        line.and_then(|number| number.trim().parse().ok()).unwrap_or_default()
    };
    let coverage = |line: &str| line.split_once(" cov: ")?.1.split(' ').next()?.parse().ok();
    Figures {
        runs: statistic("number_of_executed_units"),
        runs_per_second: statistic("average_exec_per_sec"),
        coverage: said.lines().rev().find_map(coverage).unwrap_or_default(),
        reproducer: said
            .lines()
            .find_map(|line| line.split_once("Test unit written to "))
            .map(|(_, path)| path.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(words: &[&str]) -> anyhow::Result<Plan> {
        plan(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn targets_are_those_named_or_all_but_the_servers() {
        let all = planned(&[]).unwrap();
        assert_eq!((all.seconds, all.targets.len()), (20, TARGETS.len() - 1));
        assert!(all.targets.iter().all(|target| target.name != NEEDS_SERVER));
        let named = planned(&["inbox", "--seconds", "3"]).unwrap();
        assert_eq!((named.seconds, named.targets[0].name, named.targets.len()), (3, "inbox", 1));
        for wrong in [&["inbx"][..], &["--seconds"], &["--seconds", "0"], &["--fast"]] {
            assert!(planned(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn every_target_that_is_written_is_run() {
        let files = std::fs::read_dir(root().join("fuzz/targets")).unwrap();
        let mut written: Vec<String> = files
            .map(|file| file.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        let mut run: Vec<String> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
        written.sort();
        run.sort();
        assert_eq!(written, run);
        for name in &run {
            let seeds = std::fs::read_dir(root().join("fuzz/corpus").join(name)).unwrap().count();
            assert!(seeds > 0, "{name} has no seed");
        }
    }

    #[test]
    fn figures_are_libfuzzers_own() {
        let quiet = "#2\tINITED cov: 12 ft: 13 corp: 1/1b exec/s: 0 rss: 30Mb\n\
            #9000\tDONE   cov: 321 ft: 900 corp: 80/2Kb lim: 4096 exec/s: 4500 rss: 44Mb\n\
            Done 9000 runs in 2 second(s)\n\
            stat::number_of_executed_units: 9000\n\
            stat::average_exec_per_sec:     4500\n";
        let expected = Figures { runs: 9000, runs_per_second: 4500, coverage: 321, reproducer: None };
        assert_eq!(read(quiet), expected);
        let loud = "==1== ERROR: libFuzzer: deadly signal\n\
            artifact_prefix='/t/'; Test unit written to /t/crash-da39a3\n";
        assert_eq!(read(loud).reproducer.as_deref(), Some("/t/crash-da39a3"));
    }
}
