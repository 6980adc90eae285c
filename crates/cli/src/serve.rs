//! `mashang serve`: the product.

use std::net::SocketAddr;

use anyhow::Context;
use mashang_server::open::{self, Surroundings};
use mashang_server::{background, config, routes};

use crate::args::ConfigFile;
use crate::process::{listen, stop_on_signal};
use crate::{logging, sandbox};

/// Runs until asked to stop.
///
/// # Errors
/// What keeps it from starting, naming the setting.
pub async fn run(file: &ConfigFile) -> anyhow::Result<()> {
    let config = config::load(file.config.as_deref())?;
    logging::start(&config.log)?;
    let stopping = stop_on_signal();
    let listener = listen(config.server.listen)?;
    if config.sandbox.enabled && !config.sandbox.listen.is_empty() {
        let address: SocketAddr = config.sandbox.listen.parse().context("sandbox.listen")?;
        let url = config.sandbox_url().context("sandbox.url")?;
        sandbox::start(listen(address)?, sandbox::options_for(&config, url)?, stopping.clone());
    }
    let app =
        open::app(&config, Surroundings { stopping: stopping.clone(), ..Surroundings::default() }).await?;
    for hint in config.hints() {
        tracing::warn!("{hint}");
    }
    tracing::info!("listening on {}, reached at {}", listener.local_addr()?, config.server.public_url);
    let tidying = tokio::spawn(background::run(app.clone()));
    mashang_server::serve::serve(listener, routes::router(app), stopping).await?;
    tidying.await?;
    Ok(())
}
