//! `GET /healthz` and `GET /readyz`: for whoever runs the process, on the public listener and on the one for
//! [`operations`](crate::operations). What the public one says is one word.

use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use mashang_login::ids::ScanCode;
use mashang_login::records::StoreError;
use tokio::time::timeout;

use crate::state::App;

/// How long all engines together may take. Balancers ask every few seconds, and give up after one or two.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why a node takes no new browsers.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    /// Somebody asked it to stop.
    #[error("stopping")]
    Stopping,
    /// An engine failed.
    #[error("the store does not answer")]
    Store(#[from] StoreError),
    /// An engine takes too long.
    #[error("the store does not answer in time")]
    Slow,
}

/// The process answers.
pub async fn live() -> &'static str {
    "ok\n"
}

/// Whether this node takes new browsers: nobody asked it to stop, records can be written and read, and the tickets'
/// engine answers a question.
///
/// # Errors
/// [`NotReady`].
pub async fn check(app: &App) -> Result<(), NotReady> {
    let outcome = if app.is_leaving() { Err(NotReady::Stopping) } else { engines(app).await };
    app.metrics.ready.set(outcome.is_ok().into());
    outcome
}

/// As [`check`], if the question is of everything. `?records` asks for the records alone: for a balancer that has no better
/// node to go to when the tickets' engine, which all share, is away. Tokens, keys and people's facts need none.
///
/// # Errors
/// [`NotReady`].
pub async fn check_what(app: &App, question: Option<&str>) -> Result<(), NotReady> {
    match question {
        Some("records") if app.is_leaving() => Err(NotReady::Stopping),
        Some("records") => {
            timeout(PATIENCE, app.records.check()).await.map_err(|_| NotReady::Slow)?.map_err(NotReady::Store)
        }
        _ => check(app).await,
    }
}

async fn engines(app: &App) -> Result<(), NotReady> {
    // No ticket has this name; whoever says so has answered.
    let nobody = ScanCode::random(&*app.entropy);
    let asked = async {
        app.records.check().await?;
        app.tickets.get(&nobody, app.now()).await
    };
    timeout(PATIENCE, asked).await.map_err(|_| NotReady::Slow)??;
    Ok(())
}

/// [`check_what`], for balancers.
pub async fn ready(State(app): State<App>, RawQuery(question): RawQuery) -> Response {
    match check_what(&app, question.as_deref()).await {
        Ok(()) => "ready\n".into_response(),
        Err(why) => {
            if !matches!(why, NotReady::Stopping) {
                let cause = std::error::Error::source(&why).map(ToString::to_string).unwrap_or_default();
                tracing::error!(cause, "not ready: {why}: {cause}");
            }
            (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response()
        }
    }
}
