//! Work beside requests: tidying and key rotation. Nothing depends on it having run (promise 4).

use std::time::Duration;

use crate::state::App;

const TIDY_EVERY: Duration = Duration::from_secs(300);

/// Runs until the server stops.
pub async fn run(app: App) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(TIDY_EVERY) => {}
            () = app.stopping.cancelled() => return,
        }
        app.limits.tidy();
        match app.records.sweep(app.now()).await {
            Ok(0) => {}
            Ok(rows) => tracing::debug!(rows, "tidied {rows} expired rows"),
            Err(error) => tracing::warn!(%error, "tidying failed, will try again: {error}"),
        }
        match app.provider.keys.rotate_if_due().await {
            Ok(rotated) if rotated.is_empty() => {}
            Ok(rotated) => tracing::info!("made new signing keys: {rotated:?}"),
            Err(error) => tracing::error!(%error, "signing keys could not be rotated: {error}"),
        }
        if let Err(error) = app.provider.keys.reload().await {
            tracing::warn!(%error, "signing keys could not be read again: {error}");
        }
    }
}
