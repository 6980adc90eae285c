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

/// Runs a runner, shows what it prints, and adds up what `read` finds in its lines. A runner that ends badly without
/// having counted a failure, or that counted nothing at all, is one failure.
///
/// # Errors
/// When it cannot be started.
pub fn watch(command: &mut Command, read: fn(&str) -> Option<Tally>) -> anyhow::Result<Tally> {
    let mut child =
        command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start {command:?}"))?;
    let mut sum = Tally::default();
    let lines = BufReader::new(child.stdout.take().context("standard output is piped")?).lines();
    for line in lines {
        let line = line?;
        println!("{line}");
        if let Some(tally) = read(&line) {
            sum += tally;
        }
    }
    let status = child.wait()?;
    Ok(settle(sum, status.success()))
}

fn settle(mut sum: Tally, ended_well: bool) -> Tally {
    if (!ended_well && sum.failed == 0) || sum == Tally::default() {
        sum += Tally::FAILED;
    }
    sum
}

/// `test result: ok. 12 passed; 0 failed; 0 ignored; …`
pub fn of_cargo(line: &str) -> Option<Tally> {
    let rest = line.strip_prefix("test result: ")?.split_once(". ")?.1;
    let count =
        |word: &str| rest.split(';').find_map(|part| part.trim().strip_suffix(word)?.trim().parse().ok());
    Some(Tally { passed: count("passed")?, failed: count("failed")?, ..Tally::default() })
}

/// `ℹ pass 12`, `ℹ fail 0`, `ℹ cancelled 0`: a cancelled test has not passed.
pub fn of_node(line: &str) -> Option<Tally> {
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

    #[test]
    fn the_sum_reads_as_promised() {
        assert_eq!(tally(12, 0, 0).to_string(), "12 passed, 0 failed");
        assert_eq!(tally(12, 0, 2).to_string(), "12 passed, 0 failed, 2 skipped");
    }
}
