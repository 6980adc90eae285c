//! Log lines: text for people, JSON for machines.

use mashang_server::config::{LogFormat, LogSection};
use tracing_subscriber::EnvFilter;

/// Starts logging, to standard error.
///
/// # Errors
/// When `log.filter` cannot be read.
pub fn start(section: &LogSection) -> anyhow::Result<()> {
    let filter =
        EnvFilter::try_new(&section.filter).map_err(|error| anyhow::anyhow!("log.filter: {error}"))?;
    let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let lines =
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(is_terminal).with_writer(std::io::stderr);
    // A second start can only happen in tests; the first stays.
    let _ = match section.format {
        LogFormat::Text => lines.with_target(false).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    Ok(())
}
