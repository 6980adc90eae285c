//! `mashang serve`: the product.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use mashang_server::config::Config;
use mashang_server::open::{self, Surroundings};
use mashang_server::{background, config, operations, routes, serve};
use tokio_util::sync::CancellationToken;

use crate::args::ConfigFile;
use crate::process::{Reserved, listen, reserve, stop_on_signal, unless_asked_to_stop};
use crate::{logging, sandbox};

/// Runs until asked to stop.
///
/// # Errors
/// What keeps it from starting, naming the setting.
pub async fn run(file: &ConfigFile) -> anyhow::Result<()> {
    let config = config::load(file.config.as_deref())?;
    logging::start(&config.log)?;
    let served = run_as(config).await;
    if let Err(error) = &served {
        // In the log as well, in its form: whoever watches it must see why there is no server.
        tracing::error!("mashang does not serve: {error:#}");
    }
    served
}

async fn run_as(config: Config) -> anyhow::Result<()> {
    let (leaving, stopping) = (stop_on_signal(), CancellationToken::new());
    let address = reserve("server.listen", config.server.listen)?;
    let operators = config.operations.address().map_err(anyhow::Error::msg)?;
    let operators = operators.map(|address| reserve("operations.listen", address)).transpose()?;
    if config.sandbox.enabled && !config.sandbox.listen.is_empty() {
        let address: SocketAddr = config.sandbox.listen.parse().context("sandbox.listen")?;
        let url = config.sandbox_url().context("sandbox.url")?;
        sandbox::start(
            listen("sandbox.listen", address)?,
            sandbox::options_for(&config, url)?,
            stopping.clone(),
        );
    }
    let surroundings =
        Surroundings { leaving: leaving.clone(), stopping: stopping.clone(), ..Surroundings::default() };
    let opening = Box::pin(open::app(&config, surroundings));
    let Some(app) = unless_asked_to_stop(&leaving, open::may_be_cut_short(&config), opening).await? else {
        tracing::info!("asked to stop before everything was open: nobody was served");
        return Ok(());
    };
    let operators = operators.map(Reserved::listen).transpose()?;
    let listener = address.listen()?;
    let drain = Duration::from_secs(config.server.drain_seconds.into());
    tokio::spawn(serve::drain(leaving, drain, stopping.clone()));
    for hint in config.hints() {
        tracing::warn!("{hint}");
    }
    tracing::info!("listening on {}, reached at {}", listener.local_addr()?, config.server.public_url);
    let traces = app.traces.clone();
    if let Some(traces) = &traces {
        tracing::info!(
            "traces go to {} as {} (sample {})",
            traces.place(),
            config.traces.service_name,
            config.traces.sample
        );
    }
    if let Some(listener) = operators {
        tracing::info!("metrics and readiness on {}", listener.local_addr()?);
        let (router, stopping) = (operations::router(app.clone()), stopping.clone());
        tokio::spawn(async move {
            if let Err(error) = serve::serve(listener, router, stopping).await {
                tracing::error!(%error, "operations.listen: metrics and readiness are no longer served: {error}");
            }
        });
    }
    let tidying = tokio::spawn(background::run(app.clone()));
    let serving = async {
        serve::serve(listener, routes::service(app.clone()), stopping.clone()).await?;
        tidying.await?;
        anyhow::Ok(())
    };
    app.begun.finish_after(serving, &stopping).await?;
    if let Some(traces) = traces {
        traces.flush().await;
    }
    Ok(())
}
