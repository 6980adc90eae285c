//! Pictures for the document: bars in inline SVG, written by hand, readable on light and dark ground.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::report::{Figures, shown};
use super::waiting::percentile;

/// Runs in the picture of earlier ones.
const RUNS: usize = 12;
/// The pictures in the document, in words for those who do not see them.
pub const LINKS: &str = "\
![Processor time of one request or login, on the server: bars for each row of the table above](images/performance-cost.svg)

![Server memory of a ticket, of a WebSocket and of an event stream that wait](images/performance-memory.svg)

![From the approval to the browser's event, at a steady rate and saturated](images/performance-waking.svg)

![Server memory of a waiting browser, run by run](images/performance-history.svg)
";

const WIDTH: f64 = 720.0;
/// Room for the names of the bars, and for their values.
const NAMES: f64 = 250.0;
const VALUES: f64 = 110.0;
const ROW: f64 = 30.0;

/// One bar.
struct Bar {
    name: String,
    value: f64,
    /// The value in words.
    said: String,
    is_ours: bool,
}

/// Writes all pictures into a folder.
///
/// # Errors
/// When the folder cannot be written.
pub fn write(folder: &Path, figures: &Figures, runs: &[Value]) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    let save = |name: &str, title: &str, bars: &[Bar]| {
        fs::write(folder.join(format!("performance-{name}.svg")), chart(title, bars))
    };
    save("cost", "Processor time of one, on the server", &cost(figures))?;
    save("memory", "Server memory of one waiting browser", &memory(figures))?;
    save("waking", "From the approval to the browser's event", &waking(figures))?;
    save("history", "Server memory of one waiting browser, run by run", &history(runs))?;
    Ok(())
}

fn cost(figures: &Figures) -> Vec<Bar> {
    let bar = |rate: &super::report::Rate| Bar {
        name: rate.name().into(),
        value: rate.micros(),
        said: shown(std::time::Duration::from_secs_f64(rate.micros() / 1e6)),
        is_ours: rate.is_ours(),
    };
    figures.rates.iter().map(bar).collect()
}

fn kilobytes(name: &str, bytes: f64) -> Bar {
    Bar { name: name.into(), value: bytes, said: format!("{:.1} KB", bytes / 1e3), is_ours: true }
}

fn memory(figures: &Figures) -> Vec<Bar> {
    vec![
        kilobytes("ticket", figures.parts.get("tickets.bytes")),
        kilobytes("WebSocket, the default", figures.socket.per_stream()),
        kilobytes("event stream, the fall-back", figures.stream.per_stream()),
    ]
}

fn waking(figures: &Figures) -> Vec<Bar> {
    let mut bars = Vec::new();
    for (name, reached) in [("steady", &figures.waking.steady), ("saturated", &figures.waking.saturated)] {
        let mut events: Vec<_> = reached.iter().map(|one| one.event).collect();
        for (share, of) in [(0.5, "p50"), (0.99, "p99")] {
            let time = percentile(&mut events, share);
            let (value, said) = (time.as_secs_f64(), shown(time));
            bars.push(Bar { name: format!("{name}, {of}"), value, said, is_ours: true });
        }
    }
    bars
}

fn history(runs: &[Value]) -> Vec<Bar> {
    let bar = |run: &Value| {
        let (date, commit) = (run["date"].as_str()?, run["commit"].as_str()?);
        Some(kilobytes(&format!("{date} {commit}"), run["figures"]["memory"].as_f64()?))
    };
    let bars: Vec<Bar> = runs.iter().filter_map(bar).collect();
    bars.into_iter().rev().take(RUNS).rev().collect()
}

fn chart(title: &str, bars: &[Bar]) -> String {
    let most =
        bars.iter().map(|bar| bar.value).filter(|value| value.is_finite()).fold(f64::MIN_POSITIVE, f64::max);
    let height = 44.0 + ROW * bars.len() as f64;
    let mut text = String::new();
    // Writing into a String does not fail.
    let _ = writeln!(
        text,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{title}\">\n\
         <style>text{{font:14px system-ui,sans-serif;fill:#1f2328}}.title{{font-weight:600}}.ours{{fill:#0b7f75}}\
         .other{{fill:#8c959f}}@media(prefers-color-scheme:dark){{text{{fill:#e6edf3}}.ours{{fill:#3fb8aa}}}}</style>\n\
         <text class=\"title\" x=\"8\" y=\"22\">{title}</text>",
        title = escaped(title)
    );
    for (row, bar) in bars.iter().enumerate() {
        let y = 40.0 + ROW * row as f64;
        let value = if bar.value.is_finite() { bar.value } else { 0.0 };
        let length = (value / most * (WIDTH - NAMES - VALUES)).max(1.0);
        let class = if bar.is_ours { "ours" } else { "other" };
        let _ = writeln!(
            text,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\
             <rect class=\"{class}\" x=\"{NAMES}\" y=\"{y}\" width=\"{length:.1}\" height=\"20\" rx=\"3\"/>\
             <text x=\"{:.1}\" y=\"{}\">{}</text>",
            NAMES - 10.0,
            y + 15.0,
            escaped(&bar.name),
            NAMES + length + 8.0,
            y + 15.0,
            escaped(&bar.said)
        );
    }
    text.push_str("</svg>\n");
    text
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_longest_bar_fills_the_room_and_words_are_escaped() {
        let bar =
            |name: &str, value: f64| Bar { name: name.into(), value, said: "1 < 2".into(), is_ours: true };
        let svg = chart("A & B", &[bar("one", 5.0), bar("two", 10.0), bar("none", f64::NAN)]);
        let widths: Vec<&str> =
            svg.split("width=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        assert_eq!(widths, ["180.0", "360.0", "1.0"]);
        assert!(
            svg.contains("A &amp; B") && svg.contains("1 &lt; 2") && svg.contains("prefers-color-scheme")
        );
    }

    #[test]
    fn only_the_latest_runs_are_drawn() {
        let run = |number: usize| json!({ "date": "d", "commit": number.to_string(), "figures": { "memory": 1000.0 } });
        let bars = history(&(0..20).map(run).collect::<Vec<_>>());
        assert_eq!((bars.len(), bars[0].name.as_str()), (RUNS, "d 8"));
    }
}
