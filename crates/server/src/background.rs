//! Work beside requests: tidying and key rotation, and at the end the farewell to waiting browsers. Nothing depends on
//! it having run (promise 4).

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;
use mashang_login::records::StoreError;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::audit::keeper::TrailKeeper;
use crate::outgoing::causes;
use crate::state::App;
use crate::{clock_skew, health};

pub(crate) const TIDY_EVERY: Duration = Duration::from_secs(300);
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// How long sockets may take to close after the server was asked to stop; they are no connections of the HTTP server's
/// any more, so it does not wait for them.
const FAREWELL: Duration = Duration::from_secs(10);

/// Runs until the server stops and the browsers that wait have been told.
pub async fn run(app: App) {
    tokio::task::spawn_blocking(prepare_signing);
    let (app, stopping) = (&app, &app.stopping);
    let looking = rounds(stopping, "looking at engines and clocks", LOOK_EVERY, || look_around(app));
    let mut is_first = true;
    let keys = rounds(stopping, "looking after signing keys", TIDY_EVERY, || {
        renew_keys(app, std::mem::take(&mut is_first))
    });
    let tidying = async {
        if pause(stopping, TIDY_EVERY).await {
            rounds(stopping, "tidying", TIDY_EVERY, || tidy(app)).await;
        }
    };
    // By itself: a trail that nobody looked after for long takes its time, and keys are not to wait for it.
    let keeper = &Mutex::new(TrailKeeper::default());
    let trail = rounds(stopping, "looking after the audit trail", TIDY_EVERY, || async {
        keeper.lock().await.look_after(app).await;
    });
    tokio::join!(looking, keys, tidying, trail);
    let _ = tokio::time::timeout(FAREWELL, app.limits.streams_ended()).await;
}

/// Does something now and every so often until the server stops. A panic, which is a mistake of ours, costs one round: the other work
/// goes on, and so does this at its next turn.
async fn rounds<R>(
    stopping: &CancellationToken,
    what: &'static str,
    every: Duration,
    mut round: impl FnMut() -> R,
) where
    R: Future<Output = ()>,
{
    loop {
        // Unwind safe: a round hands nothing to the next one but what it knew before. Made inside, as making it may panic too.
        let done = AssertUnwindSafe(async { round().await }).catch_unwind().await;
        if done.is_err() {
            let seconds = every.as_secs();
            tracing::error!(
                "{what} panicked, which is a mistake in Mashang; it is tried again in {seconds} seconds"
            );
        }
        if !pause(stopping, every).await {
            return;
        }
    }
}

/// Waits; `false` if the server stops instead.
async fn pause(stopping: &CancellationToken, time: Duration) -> bool {
    tokio::time::timeout(time, stopping.cancelled()).await.is_err()
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
    clock_skew::report(app).await;
    // The metric is what it is for; balancers ask by themselves, and hear why not.
    let _ = health::check(app).await;
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

/// Makes keys whose time has come, and reads what other nodes made.
async fn renew_keys(app: &App, were_just_loaded: bool) {
    if !were_just_loaded {
        rotate_keys(app).await;
    }
    show_keys(app).await;
}

async fn rotate_keys(app: &App) {
    match app.provider.keys.rotate_if_due().await {
        Ok(rotated) if rotated.is_empty() => {}
        Ok(rotated) => tracing::info!("made new signing keys: {rotated:?}"),
        Err(error) => {
            let error = causes(&error);
            tracing::error!(error, "signing keys could not be rotated: {error}");
        }
    }
    if let Err(error) = app.provider.keys.reload().await {
        let error = causes(&error);
        tracing::warn!(error, "signing keys could not be read again: {error}");
    }
}

async fn tidy(app: &App) {
    app.limits.tidy();
    // What is over by a wrong clock may be live on every other node.
    if clock_skew::is_wrong(app).await {
        tracing::warn!("nothing is tidied by a node whose clock is wrong");
        return;
    }
    swept(&app.stopping, app.records.sweep(app.now())).await;
}

/// After a long time away a sweep takes long. Its parts are transactions of their own, so a server that stops leaves the rest to the
/// next one.
async fn swept(stopping: &CancellationToken, sweep: impl Future<Output = Result<u64, StoreError>>) {
    match stopping.run_until_cancelled(sweep).await {
        None | Some(Ok(0)) => {}
        Some(Ok(rows)) => tracing::debug!(rows, "tidied {rows} expired rows"),
        Some(Err(error)) => {
            let error = causes(&error);
            tracing::warn!(error, "tidying failed, will try again: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, timeout};

    use super::*;
    use crate::log::Overheard;

    #[tokio::test(start_paused = true)]
    async fn work_that_panics_once_is_named_in_the_log_and_done_at_its_next_turn() {
        let overheard = Overheard::by("error");
        let (stopping, began, mut turns) = (CancellationToken::new(), Instant::now(), Vec::new());
        rounds(&stopping, "counting", TIDY_EVERY, || {
            turns.push(began.elapsed());
            let turn = turns.len();
            let stopping = &stopping;
            async move {
                match turn {
                    1 => panic!("the first time"),
                    2 => {}
                    _ => stopping.cancel(),
                }
            }
        })
        .await;
        assert_eq!(turns, [Duration::ZERO, TIDY_EVERY, 2 * TIDY_EVERY]);
        let told = overheard.told();
        assert_eq!(told.matches("counting panicked").count(), 1, "{told}");
        assert!(told.contains("ERROR") && told.contains("300 seconds"), "{told}");
    }

    #[tokio::test]
    async fn a_sweep_that_failed_says_in_the_engines_words_why() {
        let overheard = Overheard::by("warn");
        let away = StoreError::Unavailable("connection refused".into());
        swept(&CancellationToken::new(), std::future::ready(Err(away))).await;
        let told = overheard.told();
        assert!(told.contains("will try again: the store is unavailable: connection refused"), "{told}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_sweep_under_way_does_not_keep_the_server_from_stopping() {
        let stopping = CancellationToken::new();
        let backlog = async {
            stopping.cancel();
            std::future::pending().await
        };
        timeout(Duration::from_secs(1), swept(&stopping, backlog))
            .await
            .expect("it is left to the next start");
    }
}
