//! Looks after the audit trail: takes checkpoints, so that whoever changes it is found out, and removes what is older than
//! `audit.keep_days` (SEC-78). Every node does; what one has done the others find done.

use mashang_login::{Timestamp, trail};

use crate::clock_skew;
use crate::outgoing::causes;
use crate::state::App;

/// Checkpoints that go with one transaction when the trail is shortened.
const AT_ONCE: u32 = 50;

/// What one node knows of the trail between two looks at it.
#[derive(Debug, Default)]
pub struct TrailKeeper {
    last: Option<Look>,
}

/// A look at the trail.
#[derive(Debug, Clone, Copy)]
struct Look {
    /// The newest record there was. Whoever was writing one of a lower number then has finished by the next look: engines
    /// give numbers before they commit, but no write may take minutes.
    newest: i64,
    at: Timestamp,
}

impl TrailKeeper {
    /// Covers what was there at the last look, and removes what was old already then. To be called every few minutes. What
    /// fails is told in the log and tried again.
    pub async fn look_after(&mut self, app: &App) {
        // A commit that waits for a standby hides what it wrote, for as long as that takes: what was acknowledged just now shows that
        // none waits.
        if let Err(error) = app.records.check().await {
            let error = causes(&error);
            tracing::warn!(
                error,
                "the audit trail is not looked at while the database commits nothing: {error}"
            );
            return;
        }
        let newest = match app.trail.newest_record().await {
            Ok(newest) => newest,
            Err(error) => {
                let error = causes(&error);
                tracing::warn!(error, "the audit trail could not be looked at: {error}");
                return;
            }
        };
        let Some(last) = self.last.replace(Look { newest, at: app.now() }) else { return };
        // Fewer than before: the engine failed over or was restored, and gives those numbers once more.
        if last.newest <= newest {
            cover(app, last.newest).await;
        }
        // A clock that was wrong at the start of the machine, and right since, removes nothing.
        let horizon = app.site.trail_life.and_then(|life| last.at.min(app.now()).checked_sub(life).ok());
        if let Some(horizon) = horizon {
            trim(app, horizon).await;
        }
    }
}

async fn cover(app: &App, until: i64) {
    let mut newest = None;
    while !app.stopping.is_cancelled() {
        match trail::cover(&*app.trail, &app.sealer, until).await {
            Ok(Some(taken)) => newest = Some(taken),
            Ok(None) => break,
            Err(error) => {
                let error = causes(&error);
                tracing::warn!(error, "no checkpoint of the audit trail could be taken: {error}");
                break;
            }
        }
    }
    if let Some(newest) = newest {
        // In the log of another machine it shows whether somebody cut the trail's end off.
        let (last, checkpoint) = (newest.last, newest.text());
        tracing::info!(last, checkpoint, "audit trail up to record {last}: checkpoint {checkpoint}");
    }
}

async fn trim(app: &App, horizon: Timestamp) {
    // What is removed does not come back: not by a clock that nobody else's agrees with.
    if clock_skew::is_wrong(app).await {
        tracing::warn!("the audit trail is not shortened by a node whose clock is wrong");
        return;
    }
    let mut records = 0;
    while !app.stopping.is_cancelled() {
        match trail::trim(&*app.trail, &app.sealer, horizon, AT_ONCE).await {
            Ok(Ok(0)) => break,
            Ok(Ok(gone)) => records += gone,
            Ok(Err(damage)) => {
                tracing::error!(
                    "somebody changed the audit trail, so it is not shortened: {damage}; see `mashang audit verify`"
                );
                break;
            }
            Err(error) => {
                let error = causes(&error);
                tracing::warn!(error, "the audit trail could not be shortened: {error}");
                break;
            }
        }
    }
    if records > 0 {
        tracing::info!(records, "{records} audit records were older than audit.keep_days and are gone");
    }
}
