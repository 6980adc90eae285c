//! `GET …/status`: what a ticket's status is. With `?wait=seconds&seen=version` it answers when the ticket has moved on
//! from that version, or when the wait is over: the fall-back where a proxy swallows event streams.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use mashang_login::Timestamp;
use mashang_login::ids::ScanCode;
use mashang_login::secret::SecretHash;
use mashang_login::ticket::{Denial, Glance, Status};
use serde::Serialize;

use crate::metrics::Transport;
use crate::state::App;
use crate::web::limits::Counted;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;

/// The longest wait; below the 30 to 60 seconds after which common proxies give up.
const LONGEST_WAIT: Duration = Duration::from_secs(25);

/// All that a waiting browser learns: no name, no code, nothing about who scanned (SEC-03, SEC-13).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The stage's name.
    pub status: Status,
    /// Why it was denied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Denial>,
    /// Counts transitions.
    pub version: u32,
    /// Until the stage ends by time.
    pub seconds_left: u64,
}

impl Report {
    /// What was seen of a ticket at `now`.
    #[must_use]
    pub fn seen(glance: &Glance, now: Timestamp) -> Self {
        Self {
            status: glance.status,
            reason: glance.denial,
            version: glance.version,
            seconds_left: glance.seconds_left(now),
        }
    }
}

/// What may be known of a ticket, if it is this browser's: compared on each call (SEC-02). Records are not asked, so that polling costs
/// no database; redeeming asks them.
///
/// # Errors
/// [`Problem::UnknownLogin`] for every other case (SEC-14).
pub async fn own(app: &App, browser: Option<SecretHash>, code: &ScanCode) -> Result<Glance, Problem> {
    let browser = browser.ok_or(Problem::UnknownLogin)?;
    let glance = app.tickets.glance(code, app.now()).await?;
    glance.filter(|glance| glance.belongs_to(&browser)).ok_or(Problem::UnknownLogin)
}

/// Answers at once, or waits.
pub async fn status(
    State(app): State<App>,
    visitor: Visitor,
    Path((_grant, ticket)): Path<(String, String)>,
) -> Result<Response, Problem> {
    app.limits.count_here(Counted::Poll, visitor.address)?;
    let code = ScanCode::parse(&ticket).map_err(|_| Problem::UnknownLogin)?;
    let glance = own(&app, visitor.browser(), &code).await?;
    Ok(Json(report(&app, &visitor, &code, &glance).await?).into_response())
}

/// How a ticket stands, at once or when it has moved on from the version in the address.
///
/// # Errors
/// [`Problem::UnknownLogin`] if it is lost meanwhile, or [`Problem::Store`].
pub async fn report(
    app: &App,
    visitor: &Visitor,
    code: &ScanCode,
    glance: &Glance,
) -> Result<Report, Problem> {
    let wait =
        visitor.query("wait").and_then(|text| text.parse().ok()).map_or(Duration::ZERO, Duration::from_secs);
    let seen = visitor.query("seen").and_then(|text| text.parse::<u32>().ok());
    let report = Report::seen(glance, app.now());
    if wait.is_zero() || seen != Some(report.version) || report.status.is_final() {
        return Ok(report);
    }
    // A held question takes as much as an open stream. Where no place is left it is answered at once, and whoever asks comes again.
    let Ok(_place) = app.limits.open_stream(visitor.address) else { return Ok(report) };
    wait_for_change(app, code, report, wait.min(LONGEST_WAIT)).await
}

/// Subscribe, read, wait, read again (promise 7).
async fn wait_for_change(
    app: &App,
    code: &ScanCode,
    seen: Report,
    longest: Duration,
) -> Result<Report, Problem> {
    let mut watch = app.tickets.watch(code).await?;
    let _waits = app.metrics.wait(Transport::LongPoll);
    let give_up = tokio::time::sleep(longest.min(Duration::from_secs(seen.seconds_left)));
    tokio::pin!(give_up);
    let mut is_over = false;
    loop {
        let now = app.now();
        let glance = app.tickets.glance(code, now).await?.ok_or(Problem::UnknownLogin)?;
        let report = Report::seen(&glance, now);
        if report.status == Status::Expired && seen.status != Status::Expired {
            app.metrics.expired.inc();
        }
        let is_news = report.version != seen.version || report.status != seen.status;
        if is_news || is_over || app.stopping.is_cancelled() {
            return Ok(report);
        }
        tokio::select! {
            () = watch.changed() => {}
            () = &mut give_up => is_over = true,
            () = app.stopping.cancelled() => {}
        }
    }
}
