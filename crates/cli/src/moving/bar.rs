//! How far it is, on standard error: a bar on a terminal, a line per table elsewhere.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use mashang_server::open::Progress;
use tokio::time::Instant;

use crate::say;

/// Width of the bar, in characters.
const WIDTH: u64 = 30;
/// How often it is drawn at most.
const PACE: Duration = Duration::from_millis(100);

/// What the whole is measured in.
enum Whole {
    Rows,
    Bytes(Option<u64>),
}

/// A bar that is drawn again and again in its line.
pub struct Bar {
    whole: Whole,
    is_terminal: bool,
    drawn: Option<Instant>,
    table: &'static str,
}

impl Bar {
    /// As long as there are rows.
    pub fn of_rows() -> Self {
        Self::new(Whole::Rows)
    }

    /// As long as a file, if its length is known.
    pub fn of_bytes(all: Option<u64>) -> Self {
        Self::new(Whole::Bytes(all))
    }

    fn new(whole: Whole) -> Self {
        Self { whole, is_terminal: std::io::stderr().is_terminal(), drawn: None, table: "" }
    }

    /// Shows how far it is, unless that was shown just now.
    pub fn show(&mut self, progress: Progress) {
        if !self.is_terminal {
            if progress.table != self.table && progress.table != "end" {
                note!("{} … ({} rows so far)", progress.table, progress.rows);
            }
            self.table = progress.table;
            return;
        }
        let now = Instant::now();
        if self.drawn.is_some_and(|drawn| now < drawn + PACE) {
            return;
        }
        self.drawn = Some(now);
        let (done, all) = match self.whole {
            Whole::Rows => (progress.rows, progress.of),
            Whole::Bytes(all) => (progress.bytes, all),
        };
        say::aside(format_args!("\r{}", line(done, all, &progress)));
        drop(std::io::stderr().flush());
    }

    /// Clears the bar's line.
    pub fn end(&self) {
        if self.drawn.is_some() {
            say::aside(format_args!("\r{:79}\r", ""));
        }
    }
}

fn line(done: u64, all: Option<u64>, progress: &Progress) -> String {
    let rows = progress.rows;
    let table = progress.table;
    match all {
        Some(all @ 1..) => {
            let done = done.min(all);
            let filled = usize::try_from(done * WIDTH / all).unwrap_or_default();
            let empty = usize::try_from(WIDTH).unwrap_or_default() - filled;
            let percent = done * 100 / all;
            format!("[{}{}] {percent:3} %  {rows} rows  {table:20}", "#".repeat(filled), " ".repeat(empty))
        }
        _ => format!("{rows} rows  {table:20}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(rows: u64) -> Progress {
        Progress { table: "users", rows, of: Some(200), bytes: 0 }
    }

    #[test]
    fn the_bar_fills_from_left_to_right_and_never_beyond() {
        assert!(line(0, Some(200), &progress(0)).starts_with(&format!("[{}]   0 %", " ".repeat(30))));
        assert!(line(100, Some(200), &progress(100)).starts_with(&format!(
            "[{}{}]  50 %",
            "#".repeat(15),
            " ".repeat(15)
        )));
        assert!(line(300, Some(200), &progress(300)).starts_with(&format!("[{}] 100 %", "#".repeat(30))));
    }

    #[test]
    fn without_a_whole_it_counts() {
        assert!(line(7, None, &progress(7)).starts_with("7 rows"));
        assert!(line(0, Some(0), &progress(0)).starts_with("0 rows"));
    }
}
