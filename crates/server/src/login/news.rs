//! What a waiting browser is told, and when: the same for every way of pushing it ([`super::events`], [`super::socket`]).
//!
//! The present status comes at once, then each change, then the end. Notifications are hints: after each wake-up the
//! ticket is read again, and it is read at its deadline as well, so that expiry needs nobody to announce it (promises 4
//! and 7).
//!
//! Tens of thousands of these wait at once, so a follower keeps only what it needs to know the next news.

use std::time::Duration;

use mashang_login::ids::ScanCode;
use mashang_login::ticket::Status;
use mashang_login::tickets::Watch;
use tokio::time::{Instant, sleep_until};

use super::status::Report;
use crate::metrics::{Transport, Waits};
use crate::state::App;
use crate::web::limits::StreamPlace;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;

/// The longest silence: a sign of life keeps proxies from closing what they believe dead.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// What is written of a ticket that is no longer known.
pub(super) const GONE: &str = r#"{"status":"gone"}"#;

/// One thing to tell.
pub(super) enum News {
    /// The ticket stands so.
    Status(Report),
    /// The ticket is no longer known.
    Gone,
    /// Nothing has happened for so long that a sign of life is due.
    Nothing,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Everything was told.
    Told,
    /// This node stops: another one will tell.
    Stopping,
    /// The store did not answer: come back, or ask another node.
    Trouble,
}

/// Follows one ticket for one browser, in a place that is given back when it ends.
pub struct Follower {
    app: App,
    code: ScanCode,
    watch: Box<dyn Watch>,
    told: Option<(u32, Status)>,
    /// When the stage ends that was seen before [`News::Nothing`]: nothing is to be read again until then.
    until: Option<Instant>,
    end: Option<End>,
    _place: StreamPlace,
    _waits: Waits,
}

impl Follower {
    /// For whoever was found to own the ticket.
    ///
    /// # Errors
    /// [`Problem::TooMany`] when all places are taken, or [`Problem::Store`].
    pub async fn begin(
        app: &App,
        visitor: &Visitor,
        code: ScanCode,
        transport: Transport,
    ) -> Result<Self, Problem> {
        let place = app.limits.open_stream(visitor.address)?;
        // `next` reads after this: a change in between is not missed.
        let watch = app.tickets.watch(&code).await?;
        Ok(Self {
            app: app.clone(),
            code,
            watch,
            told: None,
            until: None,
            end: None,
            _place: place,
            _waits: app.metrics.wait(transport),
        })
    }

    /// The next thing to tell, or how it ended. Dropping the future loses nothing. One timer for the stage's end and for signs
    /// of life, because each one is kept by every browser that waits.
    pub(super) async fn next(&mut self) -> Result<News, End> {
        let quiet_until = Instant::now() + KEEP_ALIVE;
        loop {
            if let Some(end) = self.end {
                return Err(end);
            }
            if let Some(until) = self.until.take() {
                if self.wait(until.min(quiet_until)).await {
                    continue;
                }
                if Instant::now() < until {
                    self.until = Some(until);
                    return Ok(News::Nothing);
                }
            }
            let now = self.app.now();
            let glance = match self.app.tickets.glance(&self.code, now).await {
                Ok(Some(glance)) => glance,
                Ok(None) => {
                    self.end = Some(End::Told);
                    return Ok(News::Gone);
                }
                Err(_) => {
                    self.end = Some(End::Trouble);
                    continue;
                }
            };
            let report = Report::seen(&glance, now);
            let news = (report.version, report.status);
            if self.told != Some(news) {
                self.told = Some(news);
                if report.status == Status::Expired {
                    self.app.metrics.expired.inc();
                }
                self.end = report.status.is_final().then_some(End::Told);
                return Ok(News::Status(report));
            }
            self.until = Some(Instant::now() + Duration::from_secs(report.seconds_left.max(1)));
        }
    }

    /// Whether something happened before that moment.
    async fn wait(&mut self, moment: Instant) -> bool {
        tokio::select! {
            () = self.watch.changed() => true,
            () = sleep_until(moment) => false,
            () = self.app.stopping.cancelled() => {
                self.end = Some(End::Stopping);
                true
            }
        }
    }
}
