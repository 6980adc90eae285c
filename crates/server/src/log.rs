//! Log lines: text for people, JSON for machines. Each line of a request has its `request_id` and, where it is about one,
//! the `ticket`'s short name ([`crate::web::request_id`]).

use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;

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
    let filter = filter(&section.filter)?;
    let lines = tracing_subscriber::fmt().with_max_level(LevelFilter::TRACE);
    let lines = lines.with_ansi(is_terminal).with_writer(writer);
    Ok(match section.format {
        LogFormat::Text => Box::new(lines.with_target(false).finish().with(filter)),
        // There is one span, so a list of them would say everything twice.
        LogFormat::Json => {
            Box::new(lines.json().flatten_event(true).with_span_list(false).finish().with(filter))
        }
    })
}

/// Levels by module, such as `info,mashang_server=debug`. What `RUST_LOG` knows beyond that (values of a span's fields) takes a
/// library of regular expressions, which is a hundredth of the program.
pub(crate) fn filter(text: &str) -> Result<Targets, String> {
    if text.contains('[') {
        return Err(
            "log.filter: levels by module, such as info,mashang_server=debug; nothing in brackets".into()
        );
    }
    // Nothing between two commas would be a level for everything.
    let parts: Vec<&str> = text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
    parts.join(",").parse().map_err(|error| format!("log.filter: {error}"))
}

/// What is told on a test's thread, as long as this lives.
#[cfg(test)]
pub(crate) struct Overheard {
    lines: std::sync::Arc<std::fs::File>,
    _logging: tracing::subscriber::DefaultGuard,
}

#[cfg(test)]
impl Overheard {
    /// Listens from here on, to what `filter` lets through.
    pub(crate) fn by(filter: &str) -> Self {
        let lines = std::sync::Arc::new(tempfile::tempfile().unwrap());
        let section = LogSection { format: LogFormat::Text, filter: filter.into() };
        let subscriber = subscriber(&section, lines.clone(), false).unwrap();
        let logging = tracing::dispatcher::set_default(&tracing::Dispatch::new(subscriber));
        // Tests beside this one log to nobody, and what a place in the code is logged for is remembered for the whole process.
        tracing::callsite::rebuild_interest_cache();
        Self { lines, _logging: logging }
    }

    /// All of it so far.
    pub(crate) fn told(&self) -> String {
        use std::io::{Read as _, Seek as _};
        let (mut lines, mut told) = (&*self.lines, String::new());
        lines.rewind().unwrap();
        lines.read_to_string(&mut told).unwrap();
        told
    }
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn a_filter_is_levels_by_module() {
        let filter = filter("info, mashang_server=debug,").unwrap();
        assert!(filter.would_enable("mashang_server::flow", &Level::DEBUG));
        assert!(!filter.would_enable("hyper", &Level::DEBUG) && filter.would_enable("hyper", &Level::INFO));
    }

    #[test]
    fn what_is_no_filter_names_the_setting() {
        for text in ["info,mashang_server[request]=debug", "[{ticket=abc}]=debug", "mashang_server=loud"] {
            let refused = filter(text).unwrap_err();
            assert!(refused.starts_with("log.filter: "), "{refused}");
        }
    }
}
