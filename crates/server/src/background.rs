//! Work beside requests: tidying and key rotation, and at the end the farewell to waiting browsers. Nothing depends on
//! it having run (promise 4).

use std::time::Duration;

use crate::audit::keeper::TrailKeeper;
use crate::state::App;
use crate::{clock_skew, health};

const TIDY_EVERY: Duration = Duration::from_secs(300);
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// How long sockets may take to close after the server was asked to stop; they are no connections of the HTTP server's
/// any more, so it does not wait for them.
const FAREWELL: Duration = Duration::from_secs(10);

/// Runs until the server stops and the browsers that wait have been told.
pub async fn run(app: App) {
    tokio::task::spawn_blocking(prepare_signing);
    tokio::join!(tidy(&app), look_around(&app), keep_trail(&app));
    let _ = tokio::time::timeout(FAREWELL, app.limits.streams_ended()).await;
}

/// Waits; `false` if the server stops instead.
async fn pause(app: &App, time: Duration) -> bool {
    tokio::time::timeout(time, app.stopping.cancelled()).await.is_err()
}

/// aws-lc measures at its first use how unpredictable the processor is. Here nobody waits for that; at the first signature
/// somebody would.
fn prepare_signing() {
    if aws_lc_rs::rand::fill(&mut [0]).is_err() {
        tracing::error!("aws-lc has no randomness: nothing can be signed");
    }
}

/// What metrics show, whether somebody asks for it or not.
async fn look_around(app: &App) {
    loop {
        clock_skew::report(app).await;
        // The metric is what it is for; balancers ask by themselves, and hear why not.
        let _ = health::check(app).await;
        if !pause(app, LOOK_EVERY).await {
            return;
        }
    }
}

/// Tells metrics since when the present keys sign.
async fn show_keys(app: &App) {
    let Ok(keys) = app.records.signing_keys().await else { return };
    let now = app.now();
    for key in keys.iter().filter(|key| key.signs_from <= now) {
        // Oldest first: the last of an algorithm is the one that signs.
        app.metrics.key_signs_since(key.algorithm, key.signs_from);
    }
}

/// By itself: a trail that nobody looked after for long takes its time, and keys are not to wait for it.
async fn keep_trail(app: &App) {
    let mut keeper = TrailKeeper::default();
    loop {
        keeper.look_after(app).await;
        if !pause(app, TIDY_EVERY).await {
            return;
        }
    }
}

/// What is over by a wrong clock may be live on every other node.
async fn sweep(app: &App) {
    if clock_skew::is_wrong(app).await {
        tracing::warn!("nothing is tidied by a node whose clock is wrong");
        return;
    }
    match app.records.sweep(app.now()).await {
        Ok(0) => {}
        Ok(rows) => tracing::debug!(rows, "tidied {rows} expired rows"),
        Err(error) => tracing::warn!(%error, "tidying failed, will try again: {error}"),
    }
}

async fn tidy(app: &App) {
    loop {
        show_keys(app).await;
        if !pause(app, TIDY_EVERY).await {
            return;
        }
        app.limits.tidy();
        sweep(app).await;
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
