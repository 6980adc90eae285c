//! Counting: what runners say about themselves, read from their own closing lines.

use std::fmt;
use std::io::{BufRead, BufReader};
use std::ops::AddAssign;
use std::process::{Command, Stdio};

use anyhow::Context;

/// Tests that passed and failed, and those that said why they could not run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    pub passed: u32,
    pub failed: u32,
    pub skipped: u32,
}

impl Tally {
    pub const PASSED: Self = Self { passed: 1, failed: 0, skipped: 0 };
    pub const FAILED: Self = Self { passed: 0, failed: 1, skipped: 0 };
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 { write!(formatter, ", {} skipped", self.skipped) } else { Ok(()) }
    }
}

/// How the runners of one language say what they came to.
#[derive(Clone, Copy)]
pub struct Reading {
    /// What a closing line counts.
    count: fn(&str) -> Option<Tally>,
    /// Whether the account of what failed begins after this line …
    account_begins: fn(&str) -> bool,
    /// … and ends before this one.
    account_ends: fn(&str) -> bool,
}

/// `cargo test`, one program after the other.
pub const CARGO: Reading = Reading {
    count: of_cargo,
    account_begins: |line| line == "failures:",
    account_ends: |line| line.starts_with("test result: "),
};

/// Node's own runner.
pub const NODE: Reading = Reading {
    count: of_node,
    account_begins: |line| line.starts_with("✖ failing tests"),
    account_ends: |_| false,
};

/// Lines of the account of failures that are repeated at the end: enough to see which and why, not so many that they
/// push each other out of sight.
const ACCOUNT: usize = 60;

/// What a runner came to, and what it said about its failures.
#[derive(Debug, Default)]
pub struct Account {
    pub tally: Tally,
    pub failures: Vec<String>,
}

impl From<Tally> for Account {
    fn from(tally: Tally) -> Self {
        Self { tally, failures: Vec::new() }
    }
}

impl AddAssign for Account {
    fn add_assign(&mut self, other: Self) {
        self.tally += other.tally;
        self.failures.extend(other.failures);
    }
}

/// Runs a runner, shows what it prints, adds up what it counts in its lines, and keeps what it says about failures. A
/// runner that ends badly without having counted a failure, or that counted nothing at all, is one failure.
///
/// # Errors
/// When it cannot be started.
pub fn watch(command: &mut Command, reading: Reading) -> anyhow::Result<Account> {
    let mut child =
        command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start {command:?}"))?;
    let mut account = Account::default();
    let mut telling = false;
    let lines = BufReader::new(child.stdout.take().context("standard output is piped")?).lines();
    for line in lines {
        let line = line?;
        println!("{line}");
        account.listen(&line, reading, &mut telling);
    }
    let status = child.wait()?;
    account.tally = settle(account.tally, status.success());
    Ok(account)
}

impl Account {
    fn listen(&mut self, line: &str, reading: Reading, telling: &mut bool) {
        if let Some(tally) = (reading.count)(line) {
            self.tally += tally;
        }
        if (reading.account_begins)(line) {
            *telling = true;
        } else if (reading.account_ends)(line) {
            *telling = false;
        } else if *telling && !line.is_empty() && self.failures.len() < ACCOUNT {
            self.failures.push(line.to_owned());
        }
    }
}

fn settle(mut sum: Tally, ended_well: bool) -> Tally {
    if (!ended_well && sum.failed == 0) || sum == Tally::default() {
        sum += Tally::FAILED;
    }
    sum
}

/// `test result: ok. 12 passed; 0 failed; 0 ignored; …`
fn of_cargo(line: &str) -> Option<Tally> {
    let rest = line.strip_prefix("test result: ")?.split_once(". ")?.1;
    let count =
        |word: &str| rest.split(';').find_map(|part| part.trim().strip_suffix(word)?.trim().parse().ok());
    Some(Tally { passed: count("passed")?, failed: count("failed")?, ..Tally::default() })
}

/// `ℹ pass 12`, `ℹ fail 0`, `ℹ cancelled 0`: a cancelled test has not passed.
fn of_node(line: &str) -> Option<Tally> {
    let (word, count) = line.strip_prefix("ℹ ").or_else(|| line.strip_prefix("# "))?.split_once(' ')?;
    let count = count.parse().ok()?;
    match word {
        "pass" => Some(Tally { passed: count, ..Tally::default() }),
        "fail" | "cancelled" => Some(Tally { failed: count, ..Tally::default() }),
        "skipped" => Some(Tally { skipped: count, ..Tally::default() }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(passed: u32, failed: u32, skipped: u32) -> Tally {
        Tally { passed, failed, skipped }
    }

    fn sum(lines: &[&str], read: fn(&str) -> Option<Tally>) -> Tally {
        let mut sum = Tally::default();
        lines.iter().filter_map(|line| read(line)).for_each(|tally| sum += tally);
        sum
    }

    #[test]
    fn closing_lines_of_cargo_are_added_up() {
        let lines = [
            "running 3 tests",
            "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "test result: FAILED. 4 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s",
        ];
        assert_eq!(sum(&lines, of_cargo), tally(7, 2, 0));
    }

    #[test]
    fn closing_lines_of_node_are_added_up_and_cancelled_tests_have_failed() {
        let lines =
            ["ℹ tests 9", "ℹ pass 6", "ℹ fail 1", "ℹ cancelled 2", "ℹ skipped 1", "ℹ duration_ms 12.5"];
        assert_eq!(sum(&lines, of_node), tally(6, 3, 1));
    }

    #[test]
    fn a_runner_that_breaks_down_or_runs_nothing_has_failed() {
        let green = tally(5, 0, 0);
        assert_eq!(settle(green, true), green);
        assert_eq!(settle(green, false), tally(5, 1, 0));
        assert_eq!(settle(Tally::default(), true), Tally::FAILED);
        assert_eq!(settle(tally(5, 2, 0), false), tally(5, 2, 0));
    }

    fn heard(lines: &[&str], reading: Reading) -> Vec<String> {
        let (mut account, mut telling) = (Account::default(), false);
        lines.iter().for_each(|line| account.listen(line, reading, &mut telling));
        account.failures
    }

    #[test]
    fn what_failed_is_kept_and_what_passed_is_not() {
        let cargo = [
            "test a ... ok",
            "failures:",
            "",
            "---- b stdout ----",
            "assertion failed",
            "failures:",
            "    b",
            "test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "running 1 test",
        ];
        assert_eq!(heard(&cargo, CARGO), ["---- b stdout ----", "assertion failed", "    b"]);
        let node =
            ["✔ a (1ms)", "✖ b (2ms)", "ℹ fail 1", "✖ failing tests:", "", "✖ b (2ms)", "  Error: late"];
        assert_eq!(heard(&node, NODE), ["✖ b (2ms)", "  Error: late"]);
    }

    #[test]
    fn the_sum_reads_as_promised() {
        assert_eq!(tally(12, 0, 0).to_string(), "12 passed, 0 failed");
        assert_eq!(tally(12, 0, 2).to_string(), "12 passed, 0 failed, 2 skipped");
    }
}
