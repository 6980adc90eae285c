//! Parts of a login beside what they are made of, measured in one process by the server's example of that name.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

use super::Options;

/// What the example tells: nanoseconds, bytes and counts by name.
#[derive(Debug, Default)]
pub struct Parts(BTreeMap<String, f64>);

impl Parts {
    /// Runs the example that was built beside `program`.
    ///
    /// # Errors
    /// When it does not run to its end.
    pub fn measure(program: &Path, options: Options) -> anyhow::Result<Self> {
        let example = program.parent().context("a program in a folder")?.join("examples/parts");
        let words: &[&str] = if options.quick { &["--quick"] } else { &[] };
        let output = Command::new(&example)
            .args(words)
            .output()
            .with_context(|| format!("{} does not start", example.display()))?;
        ensure!(output.status.success(), "parts: {}", String::from_utf8_lossy(&output.stderr));
        Self::read(&String::from_utf8(output.stdout)?)
    }

    fn read(text: &str) -> anyhow::Result<Self> {
        let line = |line: &str| {
            let (name, value) = line.split_once(' ').with_context(|| format!("not a figure: {line}"))?;
            anyhow::Ok((name.to_owned(), value.parse().with_context(|| format!("not a number: {line}"))?))
        };
        Ok(Self(text.lines().map(line).collect::<anyhow::Result<_>>()?))
    }

    /// One of them; not a number where it was not told.
    pub fn get(&self, name: &str) -> f64 {
        self.0.get(name).copied().unwrap_or(f64::NAN)
    }

    /// How many times the first goes into the second: how fast the first is, with the second as one.
    pub fn ratio(&self, ours: &str, yardstick: &str) -> f64 {
        self.get(yardstick) / self.get(ours)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_figures_and_garbage_is_named() {
        let parts = Parts::read("qr.bare 200.0\nqr.ours 100.0\n").unwrap();
        assert_eq!(parts.ratio("qr.ours", "qr.bare"), 2.0);
        assert!(parts.get("other").is_nan());
        assert!(Parts::read("qr.bare fast").unwrap_err().to_string().contains("qr.bare fast"));
    }
}
