//! Log lines, to standard error.

use mashang_server::config::LogSection;
use mashang_server::log;
use tracing::Dispatch;

/// Starts logging.
///
/// # Errors
/// When `log.filter` cannot be read.
pub fn start(section: &LogSection) -> anyhow::Result<()> {
    let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let lines = log::subscriber(section, std::io::stderr, is_terminal).map_err(anyhow::Error::msg)?;
    // A second start can only happen in tests; the first stays.
    let _ = tracing::dispatcher::set_global_default(Dispatch::new(lines));
    Ok(())
}
