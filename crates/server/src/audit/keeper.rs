//! Looks after the audit trail: takes checkpoints, so that whoever changes it is found out, and removes what is older than
//! `audit.keep_days` (SEC-78). Every node does; what one has done the others find done.

use mashang_login::trail;

use crate::state::App;

/// What one node knows of the trail between two looks at it.
#[derive(Debug, Default)]
pub struct TrailKeeper {
    /// The newest record as it was at the last look. Whoever was writing one of a lower number then has finished since:
    /// engines give numbers before they commit, but no write may take minutes.
    settled: Option<i64>,
}

impl TrailKeeper {
    /// Covers what was there at the last look, and removes what is old. To be called every few minutes. What fails is told
    /// in the log and tried again.
    pub async fn look_after(&mut self, app: &App) {
        match app.trail.newest_record().await {
            Ok(newest) => {
                if let Some(settled) = self.settled.replace(newest) {
                    cover(app, settled).await;
                }
            }
            Err(error) => tracing::warn!(%error, "the audit trail could not be looked at: {error}"),
        }
        if let Some(horizon) = app.site.trail_life.and_then(|life| app.now().checked_sub(life).ok()) {
            match trail::trim(&*app.trail, &app.sealer, horizon).await {
                Ok(0) => {}
                Ok(records) => {
                    tracing::info!(
                        records,
                        "{records} audit records were older than audit.keep_days and are gone"
                    );
                }
                Err(error) => tracing::warn!(%error, "the audit trail could not be shortened: {error}"),
            }
        }
    }
}

async fn cover(app: &App, until: i64) {
    match trail::cover(&*app.trail, &app.sealer, until).await {
        Ok(None) => {}
        Ok(Some(newest)) => {
            // In the log of another machine it shows whether somebody cut the trail's end off.
            let (last, checkpoint) = (newest.last, newest.text());
            tracing::info!(last, checkpoint, "audit trail up to record {last}: checkpoint {checkpoint}");
        }
        Err(error) => tracing::warn!(%error, "no checkpoint of the audit trail could be taken: {error}"),
    }
}
