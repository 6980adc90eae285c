//! The tables, on the terminal and in the document.

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;

use super::load::{Load, median};
use super::login::REQUESTS_PER_LOGIN;
use super::machine::Machine;
use super::plan::VISITORS;
use super::waiting::{Memory, Reached, percentile};

const BEGIN: &str = "<!-- bench: begin (written by `cargo xtask bench --write`) -->\n";
const END: &str = "<!-- bench: end -->\n";

/// Everything that was measured.
pub struct Figures {
    /// Where.
    pub machine: Machine,
    /// In the order of [`Kind::ALL`].
    pub rates: Vec<Rate>,
    /// One per approval.
    pub reached: Vec<Reached>,
    /// With many browsers waiting.
    pub memory: Memory,
    /// Resident bytes of a server that has just started.
    pub idle: u64,
    /// The same of the yardstick.
    pub idle_hello: u64,
    /// From exec to the first answer, with nothing on disk.
    pub first_start: Duration,
    /// The same with database and keys in place.
    pub later_start: Duration,
    /// Size of the program's file.
    pub program_bytes: u64,
}

/// Whose rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The yardstick.
    Hello,
    /// `GET …/status`.
    Status,
    /// `POST …/refresh`.
    Draw,
    /// A whole login; the ID token is signed by RS256, the default.
    Login,
    /// The same with EdDSA.
    LoginEdDsa,
}

impl Kind {
    /// In the order of measurement.
    pub const ALL: [Self; 5] = [Self::Hello, Self::Status, Self::Draw, Self::Login, Self::LoginEdDsa];

    fn name(self) -> &'static str {
        match self {
            Self::Hello => "bare axum, JSON hello",
            Self::Status => "ticket status poll",
            Self::Draw => "new ticket with its QR",
            Self::Login => "whole login, RS256 (default)",
            Self::LoginEdDsa => "whole login, EdDSA",
        }
    }

    fn requests(self) -> u32 {
        match self {
            Self::Hello | Self::Status | Self::Draw => 1,
            Self::Login | Self::LoginEdDsa => REQUESTS_PER_LOGIN,
        }
    }
}

/// A rate, the middle of all rounds.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    kind: Kind,
    load: Load,
    /// Requests a second as a share of the same round's yardstick.
    share: f64,
}

impl Rate {
    /// Of the kind at place `at` in each round; the yardstick is at place 0.
    pub fn of<const N: usize>(kind: Kind, at: usize, rounds: &[[Load; N]]) -> Self {
        let loads: Vec<Load> = rounds.iter().map(|round| round[at]).collect();
        let shares: Vec<f64> = rounds
            .iter()
            .map(|round| round[at].per_second * f64::from(kind.requests()) / round[0].per_second)
            .collect();
        let by_rate = median(&loads, |load| load.per_second);
        let by_cost = median(&loads, |load| load.cpu_micros);
        Self {
            kind,
            load: Load { per_second: by_rate.per_second, cpu_micros: by_cost.cpu_micros },
            share: median(&shares, |share| *share),
        }
    }
}

/// All tables as Markdown.
pub fn tables(figures: &Figures) -> String {
    let mut text = String::new();
    let machine = &figures.machine;
    // Writing into a String does not fail.
    let _ = writeln!(
        text,
        "Measured {} at commit {} on {} × {}, Linux {}; a 4 KB write confirmed by the disk took {}.\n",
        machine.date,
        machine.commit,
        machine.cores,
        machine.processor,
        machine.kernel,
        shown(machine.disk)
    );
    rates(&mut text, &figures.rates);
    let _ = writeln!(text);
    times(&mut text, figures);
    let _ = writeln!(text);
    sizes(&mut text, figures);
    text
}

fn rates(text: &mut String, rates: &[Rate]) {
    let _ = writeln!(
        text,
        "| {VISITORS} at a time | a second | requests a second | of hello | server CPU each | a core-second |"
    );
    let _ = writeln!(text, "|---|--:|--:|--:|--:|--:|");
    for Rate { kind, load, share } in rates {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {:.2} | {} | {} |",
            kind.name(),
            thousands(load.per_second),
            thousands(load.per_second * f64::from(kind.requests())),
            share,
            shown(Duration::from_secs_f64(load.cpu_micros / 1e6)),
            thousands(load.per_core_second()),
        );
    }
}

fn times(text: &mut String, figures: &Figures) {
    let count = figures.reached.len();
    let mut events: Vec<_> = figures.reached.iter().map(|one| one.event).collect();
    let mut answers: Vec<_> = figures.reached.iter().map(|one| one.answer).collect();
    let _ = writeln!(
        text,
        "| from sending the approval, {} more browsers waiting | p50 | p99 |",
        thousands(count as f64)
    );
    let _ = writeln!(text, "|---|--:|--:|");
    for (name, values) in
        [("the browser's event has arrived", &mut events), ("the phone's answer has arrived", &mut answers)]
    {
        let _ = writeln!(
            text,
            "| {name} | {} | {} |",
            shown(percentile(values, 0.5)),
            shown(percentile(values, 0.99))
        );
    }
}

fn sizes(text: &mut String, figures: &Figures) {
    let memory = &figures.memory;
    let browsers = thousands(memory.browsers as f64);
    let mega = |bytes: u64| format!("{:.1} MB", bytes as f64 / 1e6);
    let kilo = |bytes: f64| format!("{:.1} KB", bytes / 1e3);
    let rows = [
        (format!("memory of one idle event stream, {browsers} open"), kilo(memory.per_stream())),
        (
            format!("memory of one waiting browser (ticket and stream), {browsers} waiting"),
            kilo(memory.per_browser()),
        ),
        (format!("resident with {browsers} waiting"), mega(memory.waiting)),
        ("resident, idle after start".into(), mega(figures.idle)),
        ("the same of the bare axum hello".into(), mega(figures.idle_hello)),
        ("first start: database and keys are made".into(), shown(figures.first_start)),
        ("later starts".into(), shown(figures.later_start)),
        ("the program's file, everything inside".into(), mega(figures.program_bytes)),
    ];
    let _ = writeln!(text, "| size and start | |");
    let _ = writeln!(text, "|---|--:|");
    for (name, value) in rows {
        let _ = writeln!(text, "| {name} | {value} |");
    }
}

/// A duration with a fitting unit and about three digits.
fn shown(time: Duration) -> String {
    let micros = time.as_secs_f64() * 1e6;
    match micros {
        0.0..100.0 => format!("{micros:.1} µs"),
        100.0..1_000.0 => format!("{micros:.0} µs"),
        1_000.0..100_000.0 => format!("{:.1} ms", micros / 1e3),
        _ => format!("{:.0} ms", micros / 1e3),
    }
}

/// A whole number with separators, such as 12,345.
fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Puts `tables` between the document's marks.
///
/// # Errors
/// When the document or its marks are not there.
pub fn write(document: &Path, tables: &str) -> anyhow::Result<()> {
    let old = std::fs::read_to_string(document).with_context(|| document.display().to_string())?;
    let new = replaced(&old, tables).with_context(|| format!("{} has no marks", document.display()))?;
    Ok(std::fs::write(document, new)?)
}

fn replaced(document: &str, tables: &str) -> Option<String> {
    let (before, rest) = document.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{tables}\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_text_between_the_marks_is_replaced() {
        let document = format!("by hand\n{BEGIN}old\n{END}also by hand\n");
        let new = replaced(&document, "new").unwrap();
        assert_eq!(new, format!("by hand\n{BEGIN}\nnew\n{END}also by hand\n"));
        assert_eq!(replaced(&new, "new").unwrap(), new);
        assert!(replaced("no marks", "new").is_none());
    }

    #[test]
    fn numbers_are_readable() {
        assert_eq!(thousands(1_234_567.2), "1,234,567");
        assert_eq!(thousands(999.0), "999");
        assert_eq!(shown(Duration::from_micros(12)), "12.0 µs");
        assert_eq!(shown(Duration::from_micros(1_234)), "1.2 ms");
        assert_eq!(shown(Duration::from_millis(321)), "321 ms");
    }

    #[test]
    fn a_login_counts_as_its_requests() {
        let load = |per_second| Load { per_second, cpu_micros: 1.0 };
        let rate = Rate::of(Kind::Login, 1, &[[load(900.0), load(10.0)]]);
        assert_eq!(rate.share, 0.1);
    }
}
