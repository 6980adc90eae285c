//! `mashang config …`, and reading the configuration for the commands beside the server.

use std::sync::Arc;

use mashang_login::records::Records;
use mashang_server::channel::Channels;
use mashang_server::config::{ConfigError, DEFAULT, load};
use mashang_server::open;

use crate::args::{Config, ConfigFile};
use crate::say;

impl ConfigFile {
    /// The configuration, for a command beside the server. Without a file it says which database that means: the server's may be
    /// another one, and then the command would succeed and change nothing there.
    ///
    /// # Errors
    /// As [`load`].
    pub fn load(&self) -> Result<mashang_server::config::Config, ConfigError> {
        let config = load(self.config.as_deref())?;
        if self.config.is_none() && config.store.url.starts_with("sqlite:") {
            note!("mashang: without --config the database is {}", config.store.url);
        }
        Ok(config)
    }
}

/// Says so where no server has started on the database that was just written to: the one that people use may have another.
///
/// # Errors
/// When the database does not answer.
pub async fn tell_if_nobody_served(
    config: &mashang_server::config::Config,
    records: &dyn Records,
) -> anyhow::Result<()> {
    if open::is_unclaimed(records).await? {
        // Of a server's address nothing is shown: there may be a password in it.
        let which = if config.store.url.starts_with("sqlite:") { &config.store.url } else { "store.url" };
        note!(
            "mashang: no server has started on this database yet ({which}); one that uses another knows nothing of this"
        );
    }
    Ok(())
}

/// Checks a configuration, secrets' files included, or prints the manual.
///
/// # Errors
/// Everything that is wrong, in sentences.
pub fn run(command: Config) -> anyhow::Result<()> {
    match command {
        Config::Show => say::out(format_args!("{DEFAULT}")),
        Config::Check(file) => {
            let config = load(file.config.as_deref())?;
            Channels::new(&config, &Arc::default())?;
            config.traces.read_headers()?;
            say!(
                "The configuration is valid: {}, {} channel(s).",
                config.server.public_url,
                config.channel.len()
            );
            if let Ok(Some(url)) = config.traces.address() {
                say!(
                    "Traces: to {} as {} (sample {})",
                    url.origin().ascii_serialization(),
                    config.traces.service_name,
                    config.traces.sample
                );
            }
            for told in config.claims.described() {
                say!("Claims: {told}");
            }
            for hint in config.hints() {
                say!("Note: {hint}");
            }
        }
    }
    Ok(())
}
