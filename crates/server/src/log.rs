//! Log lines: text for people, JSON for machines. Each line of a request has its `request_id` and, where it is about one,
//! the `ticket`'s short name ([`crate::web::request_id`]).

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::config::{LogFormat, LogSection};

/// What writes lines to `writer`; `is_terminal` says whether colours are of use there.
///
/// # Errors
/// A sentence that names the setting, when `log.filter` cannot be read.
pub fn subscriber<W>(
    section: &LogSection,
    writer: W,
    is_terminal: bool,
) -> Result<Box<dyn Subscriber + Send + Sync>, String>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(&section.filter).map_err(|error| format!("log.filter: {error}"))?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(is_terminal).with_writer(writer);
    Ok(match section.format {
        LogFormat::Text => Box::new(lines.with_target(false).finish()),
        // There is one span, so a list of them would say everything twice.
        LogFormat::Json => Box::new(lines.json().flatten_event(true).with_span_list(false).finish()),
    })
}
