//! `GET …/events`: a ticket's status, pushed; over a WebSocket where the caller asks for one ([`super::socket`]), else as
//! server-sent events (HTML Living Standard §9.2).
//!
//! What is told is decided in [`super::news`]; here it is written. A comment every 15 seconds keeps proxies from closing
//! the stream.

use std::convert::Infallible;

use axum::extract::{Path, State};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{Stream, unfold};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use mashang_login::ids::ScanCode;

use super::news::{Follower, GONE, News};
use super::socket::{self, Handshake};
use super::status::own;
use crate::csrf;
use crate::metrics::Transport;
use crate::state::App;
use crate::web::limits::Counted;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;

/// Opens the stream, or the socket.
pub async fn events(
    State(app): State<App>,
    visitor: Visitor,
    Path((_grant, ticket)): Path<(String, String)>,
    headers: HeaderMap,
    handshake: Handshake,
) -> Result<Response, Problem> {
    app.limits.count_here(Counted::Poll, visitor.address)?;
    // A WebSocket is not bound by the same-origin policy; our own page is the only one that opens it (SEC-64).
    if handshake.is_wanted() && csrf::is_foreign(&headers, &app.site.public_url) {
        return Err(Problem::CrossSite);
    }
    let code = ScanCode::parse(&ticket).map_err(|_| Problem::UnknownLogin)?;
    own(&app, visitor.browser(), &code).await?;
    push(&app, &visitor, code, handshake).await
}

/// The news of a ticket, for whoever was found to own it, in the way that was asked for.
///
/// # Errors
/// [`Problem::TooMany`] when all places are taken, or [`Problem::Store`].
pub async fn push(
    app: &App,
    visitor: &Visitor,
    code: ScanCode,
    handshake: Handshake,
) -> Result<Response, Problem> {
    Ok(match handshake {
        Handshake::None => stream(Follower::begin(app, visitor, code, Transport::EventStream).await?),
        Handshake::Good(upgrade) => {
            socket::open(*upgrade, Follower::begin(app, visitor, code, Transport::WebSocket).await?)
        }
        Handshake::Bad(refusal) => refusal,
    })
}

fn stream(follower: Follower) -> Response {
    let mut response = Sse::new(told(follower)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform"));
    // nginx buffers answers by default and would hold the events back.
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
}

fn told(follower: Follower) -> impl Stream<Item = Result<Event, Infallible>> {
    unfold(follower, |mut follower| async move {
        let event = match follower.next().await.ok()? {
            News::Status(report) => Event::default().event("status").json_data(report).ok()?,
            News::Gone => Event::default().event("gone").data(GONE),
            News::Nothing => Event::default().comment(""),
        };
        Some((Ok(event), follower))
    })
}
