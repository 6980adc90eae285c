//! Earlier runs: one line of JSON each, kept beside the document, so that a change can be seen as a change.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use anyhow::Context;
use serde_json::{Value, json};

use super::report::Figures;

/// Adds this run, and returns all that are known, oldest first.
///
/// # Errors
/// When the file cannot be read or written.
pub fn append(file: &Path, figures: &Figures) -> anyhow::Result<Vec<Value>> {
    let machine = &figures.machine;
    let goals: serde_json::Map<String, Value> =
        figures.goals().into_iter().map(|goal| (goal.id.to_owned(), json!(rounded(goal.got)))).collect();
    let run = json!({
        "date": machine.date,
        "commit": machine.commit,
        "machine": format!("{} × {}", machine.cores, machine.processor),
        "figures": goals,
    });
    let mut runs = read(file)?;
    writeln!(File::options().create(true).append(true).open(file)?, "{run}")?;
    runs.push(run);
    Ok(runs)
}

fn read(file: &Path) -> anyhow::Result<Vec<Value>> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| file.display().to_string()),
    };
    text.lines()
        .map(|line| serde_json::from_str(line).with_context(|| format!("not a run: {line}")))
        .collect()
}

/// Three digits say as much as a run knows.
fn rounded(value: f64) -> Option<f64> {
    if !value.is_finite() || value == 0.0 {
        return None;
    }
    let scale = 10_f64.powi(2 - value.abs().log10().floor() as i32);
    Some((value * scale).round() / scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_kept_to_three_digits() {
        assert_eq!(rounded(0.123_456), Some(0.123));
        assert_eq!(rounded(3_456.7), Some(3_460.0));
        assert_eq!(rounded(f64::NAN), None);
    }

    #[test]
    fn there_may_be_no_history_yet_but_none_that_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("history.jsonl");
        assert!(read(&file).unwrap().is_empty());
        fs::write(&file, "{\"date\":\"2026-11-29\"}\n").unwrap();
        assert_eq!(read(&file).unwrap().len(), 1);
        fs::write(&file, "{\"date\"\n").unwrap();
        assert!(read(&file).is_err());
    }
}
