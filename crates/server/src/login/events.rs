//! `GET …/events`: a ticket's status, pushed (server-sent events, HTML Living Standard §9.2).
//!
//! The present status comes at once, then each change, then the stream ends with the final one. A comment every 15
//! seconds keeps proxies from closing it. Notifications are hints: after each wake-up the ticket is read again, and it
//! is read at its deadline as well, so that expiry needs nobody to announce it (promises 4 and 7).

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{Stream, unfold};
use http::{HeaderName, HeaderValue, header};
use mashang_login::ids::ScanCode;
use mashang_login::ticket::Ticket;
use mashang_login::tickets::Watch;

use super::status::{Report, own_ticket};
use crate::state::App;
use crate::web::limits::{Counted, StreamPlace};
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;

const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Opens the stream.
pub async fn events(
    State(app): State<App>,
    visitor: Visitor,
    Path((_grant, ticket)): Path<(String, String)>,
) -> Result<Response, Problem> {
    app.limits.count(Counted::Poll, visitor.address)?;
    let code = ScanCode::parse(&ticket).map_err(|_| Problem::UnknownLogin)?;
    let ticket = own_ticket(&app, visitor.browser(), &code).await?;
    stream(&app, &visitor, ticket.scan_code).await
}

/// The stream of a ticket's news, for whoever was found to own it.
///
/// # Errors
/// [`Problem::TooMany`] when all places are taken, or [`Problem::Store`].
pub async fn stream(app: &App, visitor: &Visitor, code: ScanCode) -> Result<Response, Problem> {
    let place = app.limits.open_stream(visitor.address)?;
    // The follower reads after this: a change in between is not missed.
    let watch = app.tickets.watch(&code).await?;
    let follower = Follower { app: app.clone(), code, watch, told: None, is_over: false, _place: place };
    let mut response =
        Sse::new(follower.into_stream()).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform"));
    // nginx buffers answers by default and would hold the events back.
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(response)
}

struct Follower {
    app: App,
    code: ScanCode,
    watch: Box<dyn Watch>,
    told: Option<Report>,
    is_over: bool,
    _place: StreamPlace,
}

impl Follower {
    fn into_stream(self) -> impl Stream<Item = Result<Event, Infallible>> {
        unfold(self, |mut follower| async move {
            let event = follower.next().await?;
            Some((Ok(event), follower))
        })
    }

    /// The next thing to tell; `None` ends the stream.
    async fn next(&mut self) -> Option<Event> {
        while !self.is_over {
            let now = self.app.now();
            // A store that does not answer ends the stream: the page's script comes back, or asks another node.
            let Some(ticket) = self.app.tickets.get(&self.code, now).await.ok()? else {
                self.is_over = true;
                return Some(Event::default().event("gone").data("{}"));
            };
            let report = Report::of(&ticket, now);
            let is_news =
                self.told.is_none_or(|told| (told.version, told.status) != (report.version, report.status));
            if is_news {
                self.told = Some(report);
                self.is_over = report.status.is_final();
                return Event::default().event("status").json_data(report).ok();
            }
            self.wait(&ticket).await;
        }
        None
    }

    async fn wait(&mut self, ticket: &Ticket) {
        let left = Duration::from_secs(super::face::seconds_left(ticket, self.app.now()).max(1));
        tokio::select! {
            () = self.watch.changed() => {}
            () = tokio::time::sleep(left) => {}
            () = self.app.stopping.cancelled() => self.is_over = true,
        }
    }
}
