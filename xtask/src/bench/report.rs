//! The tables, on the terminal and in the document.

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;

use super::load::{Load, median};
use super::login::Step;
use super::machine::Machine;
use super::parts::Parts;
use super::plan::VISITORS;
use super::waiting::{Memory, Reached, percentile};
use super::yardstick;

const BEGIN: &str = "<!-- bench: begin (written by `cargo xtask bench --write`) -->\n";
const END: &str = "<!-- bench: end -->\n";

/// Everything that was measured.
pub struct Figures {
    /// Where.
    pub machine: Machine,
    /// In the order of [`Kind::ALL`]; the last is missing where there is no Node.js.
    pub rates: Vec<Rate>,
    /// The server's processor time for each request of a login, in microseconds.
    pub steps: Vec<(Step, f64)>,
    /// In one process.
    pub parts: Parts,
    /// How soon browsers are told.
    pub waking: Waking,
    /// Over PostgreSQL and Redis, where they were at hand.
    pub nodes: Option<Nodes>,
    /// With many browsers waiting by the default way.
    pub socket: Memory,
    /// By the way that is fallen back to.
    pub stream: Memory,
    /// Resident bytes of a server that has just started.
    pub idle: u64,
    /// The same of the yardstick.
    pub idle_hello: u64,
    /// The same of `oidc-provider`.
    pub idle_provider: Option<u64>,
    /// From starting `oidc-provider` to its first answer.
    pub provider_start: Option<Duration>,
    /// From exec to the first answer, with nothing on disk.
    pub first_start: Duration,
    /// The same with database and keys in place.
    pub later_start: Duration,
    /// Size of the program's file.
    pub program_bytes: u64,
}

/// Approvals while many browsers wait.
pub struct Waking {
    /// How many only wait.
    pub waiting: usize,
    /// Approvals a second, when they come evenly.
    pub a_second: f64,
    /// One per approval, coming evenly.
    pub steady: Vec<Reached>,
    /// One per approval, as fast as a few phones are answered.
    pub saturated: Vec<Reached>,
}

/// One node and two over shared engines.
pub struct Nodes {
    /// Status polls over Redis ÷ the bare server.
    pub status: f64,
    /// Whole logins per core-second of two nodes ÷ of one.
    pub two: f64,
    /// Approved at one node, waited for at the other.
    pub reached: Vec<Reached>,
}

/// One figure that the project wants to reach.
pub struct Goal {
    /// Its name in the history.
    pub id: &'static str,
    name: String,
    /// What was measured.
    pub got: f64,
    unit: &'static str,
    reach: f64,
    then: f64,
    less_is_better: bool,
}

impl Goal {
    fn more(id: &'static str, name: &str, got: f64, reach: f64, then: f64) -> Self {
        Self { id, name: name.into(), got, unit: "", reach, then, less_is_better: false }
    }

    fn less(id: &'static str, name: &str, got: f64, unit: &'static str, reach: f64, then: f64) -> Self {
        Self { id, name: name.into(), got, unit, reach, then, less_is_better: true }
    }

    fn is_within(&self, bound: f64) -> bool {
        if self.less_is_better { self.got <= bound } else { self.got >= bound }
    }

    fn verdict(&self) -> &'static str {
        match () {
            () if !self.got.is_finite() => "not measured",
            () if self.is_within(self.then) => "beyond",
            () if self.is_within(self.reach) => "reached",
            () => "not reached",
        }
    }
}

impl Figures {
    fn rate(&self, kind: Kind) -> Option<&Rate> {
        self.rates.iter().find(|rate| rate.kind == kind)
    }

    /// How much less processor time one of `kind` takes than one of `yardstick`.
    fn cheaper(&self, kind: Kind, yardstick: Kind) -> f64 {
        match (self.rate(kind), self.rate(yardstick)) {
            (Some(ours), Some(other)) => other.load.cpu_micros / ours.load.cpu_micros,
            _ => f64::NAN,
        }
    }

    /// The figures to reach, in the order of the project's list. Ratios to a yardstick are of processor time on the
    /// server, which neither the generator nor a neighbour on the machine takes part in.
    pub fn goals(&self) -> Vec<Goal> {
        let ms = |reached: &[Reached]| {
            let mut events: Vec<_> = reached.iter().map(|one| one.event).collect();
            percentile(&mut events, 0.99).as_secs_f64() * 1e3
        };
        let (parts, waking) = (&self.parts, &self.waking);
        let of_nodes = |figure: &dyn Fn(&Nodes) -> f64| self.nodes.as_ref().map_or(f64::NAN, figure);
        let draw_cpu = self.rate(Kind::Draw).map_or(f64::NAN, Rate::micros);
        let idle_share = self.idle_provider.map_or(f64::NAN, |other| self.idle as f64 / other as f64);
        let sockets = format!(
            "memory of a waiting browser by the default way, {} waiting",
            thousands(self.socket.browsers as f64)
        );
        let even = format!(
            "approval to event, p99, {} waiting, {:.0} a second",
            thousands(waking.waiting as f64),
            waking.a_second
        );
        vec![
            Goal::more(
                "status",
                "status poll ÷ bare hello",
                self.cheaper(Kind::Status, Kind::Hello),
                0.75,
                0.90,
            ),
            Goal::more(
                "status.redis",
                "status poll over Redis ÷ bare hello",
                of_nodes(&|nodes| nodes.status),
                0.55,
                0.60,
            ),
            Goal::more(
                "nodes",
                "two nodes ÷ one node, logins per core-second",
                of_nodes(&|nodes| nodes.two),
                0.9,
                1.0,
            ),
            Goal::less(
                "waking.node",
                "approval at another node to event, over Redis, p99",
                of_nodes(&|nodes| ms(&nodes.reached)),
                "ms",
                10.0,
                3.0,
            ),
            Goal::more(
                "begin",
                "new ticket without QR, with its request on disk (`/authorize`) ÷ bare hello",
                self.cheaper(Kind::Begin, Kind::Hello),
                0.60,
                0.75,
            ),
            Goal::more(
                "draw",
                "new ticket with QR ÷ bare `fast_qr` render to SVG",
                parts.get("qr.bare") / 1e3 / draw_cpu,
                0.9,
                1.0,
            ),
            Goal::more(
                "qr",
                "the QR alone ÷ bare `fast_qr` render to SVG",
                parts.ratio("qr.ours", "qr.bare"),
                0.9,
                1.0,
            ),
            Goal { name: sockets, ..Goal::less("memory", "", self.socket.per_stream(), "B", 4096.0, 3072.0) },
            Goal::less(
                "stream",
                "the same, event stream",
                self.stream.per_stream(),
                "B",
                13.0 * 1024.0,
                12.0 * 1024.0,
            ),
            Goal { name: even, ..Goal::less("waking", "", ms(&waking.steady), "ms", 1.5, 0.3) },
            Goal::less(
                "saturated",
                "the same, as many a second as the server takes",
                ms(&waking.saturated),
                "ms",
                25.0,
                10.0,
            ),
            Goal::more(
                "login",
                "whole durable login with QR ÷ `oidc-provider` in memory",
                self.cheaper(Kind::Login, Kind::Provider),
                6.0,
                12.0,
            ),
            Goal::more(
                "commits",
                "durable writes that share commits ÷ one commit each",
                parts.ratio("write.shared", "write.alone"),
                10.0,
                20.0,
            ),
            Goal::more(
                "rs256",
                "token signing ÷ raw aws-lc, RS256",
                parts.ratio("rs256.ours", "rs256.bare"),
                0.85,
                0.95,
            ),
            Goal::more(
                "eddsa",
                "token signing ÷ raw aws-lc, EdDSA",
                parts.ratio("eddsa.ours", "eddsa.bare"),
                0.85,
                0.95,
            ),
            Goal {
                name: format!(
                    "status poll at {} open tickets ÷ at {}",
                    thousands(parts.get("tickets.many")),
                    thousands(parts.get("tickets.few"))
                ),
                ..Goal::less(
                    "status.many",
                    "",
                    parts.get("status.many") / parts.get("status.few"),
                    "",
                    1.20,
                    1.08,
                )
            },
            Goal::less(
                "draw.many",
                "new ticket with QR, the same",
                parts.get("draw.many") / parts.get("draw.few"),
                "",
                1.20,
                1.08,
            ),
            Goal::less("ticket", "memory of an open ticket", parts.get("tickets.bytes"), "B", 400.0, 250.0),
            Goal::less("idle", "idle memory ÷ `oidc-provider`'s", idle_share, "", 0.25, 0.1),
            Goal::less("start", "later start", self.later_start.as_secs_f64() * 1e3, "ms", 30.0, 6.0),
            Goal::less(
                "binary",
                "the program's file",
                self.program_bytes as f64 / f64::from(1 << 20),
                "MiB",
                22.0,
                12.0,
            ),
        ]
    }
}

/// Whose rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The yardstick.
    Hello,
    /// `GET …/status`.
    Status,
    /// `GET /authorize`: request, ticket and record, without a picture.
    Begin,
    /// `POST …/refresh`.
    Draw,
    /// A whole login; the ID token is signed by RS256, the default.
    Login,
    /// The same with EdDSA.
    LoginEdDsa,
    /// npm `oidc-provider`'s code flow, in memory.
    Provider,
}

impl Kind {
    /// In the order of measurement.
    pub const ALL: [Self; 7] =
        [Self::Hello, Self::Status, Self::Begin, Self::Draw, Self::Login, Self::LoginEdDsa, Self::Provider];

    fn name(self) -> &'static str {
        match self {
            Self::Hello => "bare axum, JSON hello",
            Self::Status => "ticket status poll",
            Self::Begin => "new login, its ticket without QR",
            Self::Draw => "new ticket with its QR",
            Self::Login => "whole login, RS256 (default)",
            Self::LoginEdDsa => "whole login, EdDSA",
            Self::Provider => "oidc-provider's login, in memory",
        }
    }

    fn requests(self) -> u32 {
        match self {
            Self::Hello | Self::Status | Self::Begin | Self::Draw => 1,
            Self::Provider => yardstick::REQUESTS_PER_LOGIN,
            Self::Login | Self::LoginEdDsa => Step::ALL.len() as u32,
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
    pub fn of(kind: Kind, at: usize, rounds: &[Vec<Load>]) -> Self {
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

    /// Whose it is, in words.
    pub fn name(&self) -> &'static str {
        self.kind.name()
    }

    /// Whether it is no yardstick.
    pub fn is_ours(&self) -> bool {
        !matches!(self.kind, Kind::Hello | Kind::Provider)
    }

    /// The server's processor time for one, in microseconds.
    pub fn micros(&self) -> f64 {
        self.load.cpu_micros
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
    goals(&mut text, figures);
    let _ = writeln!(text);
    text.push_str(&costs(&figures.rates, &figures.steps));
    let _ = writeln!(text);
    times(&mut text, figures);
    let _ = writeln!(text);
    sizes(&mut text, figures);
    text
}

fn goals(text: &mut String, figures: &Figures) {
    let _ = writeln!(text, "| figure to reach | measured | reach | then | |");
    let _ = writeln!(text, "|---|--:|--:|--:|---|");
    for goal in figures.goals() {
        let sign = if goal.less_is_better { "≤" } else { "≥" };
        let number = |value: f64| match value.abs() {
            _ if !value.is_finite() => "–".to_owned(),
            100.0.. => format!("{} {}", thousands(value), goal.unit),
            10.0.. => format!("{value:.1} {}", goal.unit),
            _ => format!("{value:.2} {}", goal.unit),
        };
        let bound = |value: f64| format!("{sign} {value} {}", goal.unit);
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} |",
            goal.name,
            number(goal.got).trim(),
            bound(goal.reach).trim(),
            bound(goal.then).trim(),
            goal.verdict()
        );
    }
}

/// What requests and logins cost.
pub fn costs(of_rates: &[Rate], of_steps: &[(Step, f64)]) -> String {
    let mut text = String::new();
    rates(&mut text, of_rates);
    let _ = writeln!(text);
    steps(&mut text, of_steps);
    text
}

fn steps(text: &mut String, steps: &[(Step, f64)]) {
    let _ = writeln!(text, "| one login (RS256), request by request | server CPU | share |");
    let _ = writeln!(text, "|---|--:|--:|");
    let all: f64 = steps.iter().map(|(_, micros)| micros).sum();
    for (step, micros) in steps {
        let time = shown(Duration::from_secs_f64(micros / 1e6));
        let _ = writeln!(text, "| {} | {time} | {:.0} % |", step.name(), 100.0 * micros / all);
    }
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
    let waking = &figures.waking;
    let _ = writeln!(
        text,
        "| from sending the approval, {} more browsers waiting | p50 | p99 |",
        thousands(waking.waiting as f64)
    );
    let _ = writeln!(text, "|---|--:|--:|");
    let even = format!("{:.0} a second", waking.a_second);
    for (pace, reached) in [(even.as_str(), &waking.steady), ("saturated", &waking.saturated)] {
        let times: [(&str, Vec<Duration>); 2] = [
            ("the browser's event has arrived", reached.iter().map(|one| one.event).collect()),
            ("the phone's answer has arrived", reached.iter().map(|one| one.answer).collect()),
        ];
        for (name, mut values) in times {
            let (half, most) = (percentile(&mut values, 0.5), percentile(&mut values, 0.99));
            let _ = writeln!(text, "| {pace}: {name} | {} | {} |", shown(half), shown(most));
        }
    }
}

fn sizes(text: &mut String, figures: &Figures) {
    let (socket, stream) = (&figures.socket, &figures.stream);
    let browsers = thousands(socket.browsers as f64);
    let streaming = thousands(stream.browsers as f64);
    let mega = |bytes: u64| format!("{:.1} MB", bytes as f64 / 1e6);
    let kilo = |bytes: f64| format!("{:.1} KB", bytes / 1e3);
    let rows = [
        (format!("memory of one idle WebSocket, {browsers} open"), kilo(socket.per_stream())),
        (
            format!("memory of one waiting browser (ticket and WebSocket), {browsers} waiting"),
            kilo(socket.per_browser()),
        ),
        (format!("resident with {browsers} waiting"), mega(socket.waiting)),
        (format!("memory of one idle event stream, {streaming} open"), kilo(stream.per_stream())),
        ("resident, idle after start".into(), mega(figures.idle)),
        ("the same of the bare axum hello".into(), mega(figures.idle_hello)),
        ("the same of `oidc-provider`".into(), figures.idle_provider.map_or("–".into(), mega)),
        ("first start: database and keys are made".into(), shown(figures.first_start)),
        ("later starts".into(), shown(figures.later_start)),
        ("`oidc-provider` starts in".into(), figures.provider_start.map_or("–".into(), shown)),
        ("the program's file, everything inside".into(), mega(figures.program_bytes)),
    ];
    let _ = writeln!(text, "| size and start | |");
    let _ = writeln!(text, "|---|--:|");
    for (name, value) in rows {
        let _ = writeln!(text, "| {name} | {value} |");
    }
}

/// A duration with a fitting unit and about three digits.
pub fn shown(time: Duration) -> String {
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
    fn a_goal_is_judged_by_its_own_direction() {
        let more = |got| Goal::more("x", "", got, 0.75, 0.9).verdict();
        assert_eq!([more(0.7), more(0.8), more(0.9)], ["not reached", "reached", "beyond"]);
        let less = |got| Goal::less("x", "", got, "ms", 30.0, 6.0).verdict();
        assert_eq!([less(31.0), less(30.0), less(5.0)], ["not reached", "reached", "beyond"]);
        assert_eq!(less(f64::NAN), "not measured");
    }

    #[test]
    fn a_login_counts_as_its_requests() {
        let load = |per_second| Load { per_second, cpu_micros: 1.0 };
        let rate = Rate::of(Kind::Login, 1, &[vec![load(1000.0), load(10.0)]]);
        assert_eq!(rate.share, 0.1);
    }
}
