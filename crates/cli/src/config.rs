//! `mashang config …`.

use std::sync::Arc;

use mashang_server::channel::Channels;
use mashang_server::config::{DEFAULT, load};

use crate::args::Config;

/// Checks a configuration, secrets' files included, or prints the manual.
///
/// # Errors
/// Everything that is wrong, in sentences.
pub fn run(command: Config) -> anyhow::Result<()> {
    match command {
        Config::Show => print!("{DEFAULT}"),
        Config::Check(file) => {
            let config = load(file.config.as_deref())?;
            Channels::new(&config, &Arc::default())?;
            config.traces.read_headers()?;
            println!(
                "The configuration is valid: {}, {} channel(s).",
                config.server.public_url,
                config.channel.len()
            );
            if let Ok(Some(url)) = config.traces.address() {
                println!(
                    "Traces: to {} as {} (sample {})",
                    url.origin().ascii_serialization(),
                    config.traces.service_name,
                    config.traces.sample
                );
            }
            for told in config.claims.described() {
                println!("Claims: {told}");
            }
            for hint in config.hints() {
                println!("Note: {hint}");
            }
        }
    }
    Ok(())
}
